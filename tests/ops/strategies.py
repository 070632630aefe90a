"""Random convolutions, valid and invalid, and PyTorch's results for them."""

import numpy as np
import torch
from hypothesis import strategies as st
from torch import nn

from convlab.shapes import conv2d_padding

MODES = ("zeros", "reflect", "replicate", "circular")


def int_or_pair(low, high):
    number = st.integers(low, high)
    return number | st.tuples(number, number)


@st.composite
def convolutions(draw, valid_only=False):
    """Draw the arguments of `conv2d`, each one varied together with all the others.

    With `valid_only` the groups divide, the numbers are in range and the shapes agree;
    the kernel may still be too large and a padding too wide. Otherwise each number may
    be off by a little, which makes about half of the examples invalid.
    """
    low = 1 if valid_only else draw(st.sampled_from([1, 1, 0, -1]))
    groups = draw(st.integers(1, 3))
    depth, kernels = draw(st.integers(1, 2)), draw(st.integers(1, 2))
    channels, weight_channels, out_channels = groups * depth, depth, groups * kernels
    bias_size = out_channels
    if not valid_only and draw(st.integers(0, 3)) == 0:
        channels += draw(st.integers(0, 1))
        weight_channels += draw(st.integers(0, 1))
        out_channels += draw(st.integers(0, 1))
        bias_size = out_channels + draw(st.integers(-1, 1))
    dtype = draw(st.sampled_from([np.float64, np.float32]))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))

    def array(*shape):
        return random.uniform(-1, 1, shape).astype(dtype)

    batch = draw(st.sampled_from([(), (0,), (1,), (2,), (3,)]))
    height, width = draw(st.integers(1, 9)), draw(st.integers(1, 9))
    kernel = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    padding = (
        draw(st.sampled_from(["same", "valid"]))
        if draw(st.integers(0, 3)) == 0
        else draw(int_or_pair(min(low, 0), 4))
    )
    return {
        "input": array(*batch, channels, height, width),
        "weight": array(out_channels, weight_channels, *kernel),
        "bias": array(max(bias_size, 0)) if draw(st.booleans()) else None,
        "stride": draw(int_or_pair(low, 3)),
        "padding": padding,
        "dilation": draw(int_or_pair(low, 3)),
        "groups": groups,
        "padding_mode": draw(st.sampled_from(MODES)),
    }


def torch_conv2d(input, weight, bias, stride, padding, dilation, groups, padding_mode):
    """Convolve with `nn.Conv2d`, as PyTorch's function does not support padding modes.

    Raises whatever PyTorch raises, at construction or at the call, and two errors more,
    for arguments that no convolution can have: with a mode other than zeros the module
    lets a negative padding crop the image, and an empty batch makes 'same' overlook a
    dilation of 0.
    """
    if not isinstance(padding, str) and np.min(padding) < 0:
        raise ValueError("negative padding")
    if np.min(dilation) < 1:
        raise ValueError("dilation below 1")
    if padding_mode == "zeros":
        tensors = [None if a is None else torch.from_numpy(a) for a in (input, weight, bias)]
        return torch.conv2d(*tensors, stride, padding, dilation, groups).numpy()
    module = nn.Conv2d(
        weight.shape[1] * groups,
        weight.shape[0],
        weight.shape[2:],
        stride,
        padding,
        dilation,
        groups,
        bias is not None,
        padding_mode,
        dtype=torch.float64 if input.dtype == np.float64 else torch.float32,
    )
    with torch.no_grad():
        state = {"weight": torch.from_numpy(weight)}
        if bias is not None:
            state["bias"] = torch.from_numpy(bias)
        module.load_state_dict(state)
        return module(torch.from_numpy(input)).numpy()


@st.composite
def transposed_convolutions(draw, valid_only=False):
    """Draw the arguments of `conv_transpose2d`, as `convolutions` does for `conv2d`.

    With `valid_only` the numbers are in range and the shapes agree; the output padding may
    still be too large, and the padding may cut everything off.
    """
    low = 1 if valid_only else draw(st.sampled_from([1, 1, 0, -1]))
    groups = draw(st.integers(1, 3))
    channels, kernels = groups * draw(st.integers(1, 2)), draw(st.integers(1, 2))
    weight_channels, bias_size = channels, groups * kernels
    if not valid_only and draw(st.integers(0, 3)) == 0:
        weight_channels += draw(st.integers(0, 1))
        bias_size += draw(st.integers(-1, 1))
    dtype = draw(st.sampled_from([np.float64, np.float32]))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))

    def array(*shape):
        return random.uniform(-1, 1, shape).astype(dtype)

    # PyTorch lets an empty batch pass unchecked.
    batch = draw(st.sampled_from([(), (1,), (2,), (3,)]))
    return {
        "input": array(*batch, channels, draw(st.integers(1, 6)), draw(st.integers(1, 6))),
        "weight": array(weight_channels, kernels, draw(st.integers(1, 4)), draw(st.integers(1, 4))),
        "bias": array(bias_size) if draw(st.booleans()) else None,
        "stride": draw(int_or_pair(low, 3)),
        "padding": draw(int_or_pair(min(low, 0), 3)),
        "output_padding": draw(int_or_pair(min(low, 0), 2)),
        "groups": groups,
        "dilation": draw(int_or_pair(low, 3)),
    }


def torch_conv_transpose2d(input, weight, bias, **options):
    """Compute PyTorch's result in float64, rounded to the dtype of the input.

    Its implementations for float32 accept a dilation of 0, and return images of height 0.
    """
    arrays = (None if a is None else a.astype(np.float64) for a in (input, weight, bias))
    tensors = [None if a is None else torch.from_numpy(a) for a in arrays]
    answer = torch.nn.functional.conv_transpose2d(*tensors, **options).numpy()
    return answer.astype(input.dtype)


def autograd(g, input, weight, stride, padding, dilation, groups, padding_mode):
    """Pad as `nn.Conv2d` does, convolve, and let PyTorch differentiate both, in float64."""
    x, w = (torch.from_numpy(a.astype(np.float64)).requires_grad_() for a in (input, weight))
    bias = torch.zeros(len(weight), dtype=w.dtype, requires_grad=True)
    sides = conv2d_padding(padding, weight.shape[2:], stride, dilation)
    mode = "constant" if padding_mode == "zeros" else padding_mode
    padded = torch.nn.functional.pad(x, sides, mode=mode)
    y = torch.conv2d(padded, w, bias, stride, 0, dilation, groups)
    y.backward(torch.from_numpy(g.astype(np.float64)))
    return [tensor.grad.numpy().astype(input.dtype) for tensor in (x, w, bias)]
