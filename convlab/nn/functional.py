"""Convolve tensors by im2col: gather the windows, then multiply by the kernels.

All steps are tensor operations that autograd can differentiate, so gradients of every order work on
every device.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from convlab._validate import IntOrPair, Padding, check_channels, check_weight_shape, pair
from convlab.ops.checks import one_of, unwrap_one
from convlab.ops.padding import PADDING_MODES, check_border
from convlab.shapes import conv2d_output_size, conv2d_padding, dilated_kernel_size


class InputError(ValueError, RuntimeError):
    """Raised if shapes, dtypes or arguments of a convolution are invalid or do not match.

    Also a ``RuntimeError``, so that code that catches PyTorch's error catches this one.

    Examples
    --------
    >>> conv2d(torch.ones(1, 3, 8, 8), torch.ones(4, 1, 3, 3))
    Traceback (most recent call last):
    convlab.nn.functional.InputError: input of shape (1, 3, 8, 8) has 3 channels, but weight of
    shape (4, 1, 3, 3) with groups=1 expects 1 x 1 = 1
    """


def conv2d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: IntOrPair = 1,
    padding: Padding = 0,
    dilation: IntOrPair = 1,
    groups: int = 1,
    *,
    padding_mode: str = "zeros",
) -> Tensor:
    """Convolve images with kernels, without any of PyTorch's convolutions.

    Takes what ``torch.nn.functional.conv2d`` takes, and the `padding_mode` of
    ``torch.nn.Conv2d``.

    Parameters
    ----------
    input : tensor, (N, C, H, W) or (C, H, W)
        Floating-point or complex. The batch may be empty.
    weight : tensor, (O, C / groups, kH, kW)
        With the dtype and device of the input.
    bias : tensor, (O,), optional
        Added to each output channel.
    stride, dilation : int or pair of ints
        Step of the window, and distance between neighbouring weights, in pixels; at least 1.
    padding : int, pair of ints, "same" or "valid"
        Rows added above and below, columns added left and right.
    groups : int
        Number of independent convolutions, each with its own channels; divides C and O.
    padding_mode : "zeros", "reflect", "replicate" or "circular"
        Values of the padding.

    Returns
    -------
    tensor, (N, O, outH, outW) or (O, outH, outW)
        In the memory format ``channels_last`` if the input or the weight has it (and is not
        also contiguous, as with one channel or one pixel). Under ``torch.autocast``, in the
        dtype that autocast uses for matrix products, the same as for convolutions.

    Raises
    ------
    TypeError
        If `input`, `weight` or `bias` is not a tensor, or a number is not an int.
    InputError
        If shapes, dtypes or arguments are invalid or do not match, or the kernel does not fit
        into the padded input.

    Notes
    -----
    The product adds in another order than PyTorch's convolution, so the two differ by rounding.
    The matrix of the windows takes about ``kH * kW`` times the memory of the input and is kept for
    the backward pass.

    Source of im2col: Chellapilla, Puri and Simard, "High performance convolutional neural
    networks for document processing" (2006).

    Examples
    --------
    >>> image = torch.arange(16.0).reshape(1, 1, 4, 4)
    >>> conv2d(image, torch.ones(1, 1, 2, 2), stride=2)
    tensor([[[[10., 18.],
              [42., 50.]]]])
    """
    _check_tensors(input, weight, bias)
    bias_shape = None if bias is None else bias.shape
    try:
        check_weight_shape(weight.shape)
        stride, padding, dilation = unwrap_one(stride), unwrap_one(padding), unwrap_one(dilation)
        steps = pair(stride, "stride", minimum=1), pair(dilation, "dilation", minimum=1)
        batch = input.unsqueeze(0) if input.dim() == 3 else input
        sides = conv2d_padding(padding, _kernel_size(weight), *steps)
        groups = check_channels(input.shape, weight.shape, bias_shape, groups)
        one_of(padding_mode, "padding_mode", PADDING_MODES)
        check_border(tuple(batch.shape), sides, padding_mode, "input")
        _check_fit(batch, weight, steps, padding, sides)
    except ValueError as error:
        raise InputError(str(error)) from None
    if _is_cast(batch):  # before the windows multiply its numbers
        batch = batch.to(torch.get_autocast_dtype(batch.device.type))
    windows = _windows(_pad(batch, sides, padding_mode), _kernel_size(weight), *steps)
    output = _multiply(windows, weight, bias, groups)
    if _is_channels_last(batch) or _is_channels_last(weight):
        output = output.contiguous(memory_format=torch.channels_last)
    return output.squeeze(0) if input.dim() == 3 else output


def _pad(batch: Tensor, sides: tuple[int, int, int, int], padding_mode: str) -> Tensor:
    if not any(sides):
        return batch
    return F.pad(batch, sides, mode="constant" if padding_mode == "zeros" else padding_mode)


def _windows(
    padded: Tensor,
    kernel_size: tuple[int, int],
    stride: tuple[int, int],
    dilation: tuple[int, int],
) -> Tensor:
    """Gather the pixels that each weight multiplies: (N, C, kH, kW, outH, outW)."""
    height, width = dilated_kernel_size(kernel_size, dilation)
    rows = _gather(padded, -2, height, stride[0], dilation[0])  # (N, C, kH, outH, W)
    return _gather(rows, -1, width, stride[1], dilation[1])


def _gather(tensor: Tensor, axis: int, extent: int, stride: int, dilation: int) -> Tensor:
    """Stack the pixels for each weight along one axis, in front of height and width."""
    positions = tensor.shape[axis] - extent + 1
    slices = [slice(first, first + positions, stride) for first in range(0, extent, dilation)]
    pixels = [tensor[..., s, :] if axis == -2 else tensor[..., s] for s in slices]
    # Tensor.unfold would copy nothing, but its gradient warns under torch.func.vmap.
    return torch.stack(pixels, dim=-3) if len(pixels) > 1 else pixels[0].unsqueeze(-3)


def _multiply(windows: Tensor, weight: Tensor, bias: Tensor | None, groups: int) -> Tensor:
    """Multiply kernels (rows) by windows (columns), per image and group."""
    images, channels, k_h, k_w, out_h, out_w = windows.shape
    kernels_per_group, fan_in = weight.shape[0] // groups, channels // groups * k_h * k_w
    columns = windows.reshape(images * groups, fan_in, out_h * out_w)
    kernels = _repeat_per_image(weight.reshape(groups, kernels_per_group, fan_in), images)
    if bias is None:
        product = torch.bmm(kernels, columns)
    else:
        # In one call, so that bfloat16 is rounded once, after the bias.
        biases = _repeat_per_image(bias.reshape(groups, kernels_per_group, 1), images)
        product = torch.baddbmm(biases, kernels, columns)
    return product.reshape(images, weight.shape[0], out_h, out_w)


def _repeat_per_image(tensor: Tensor, images: int) -> Tensor:
    """Repeat (groups, a, b) to (images * groups, a, b)."""
    groups, a, b = tensor.shape
    return tensor.expand(images, groups, a, b).reshape(images * groups, a, b)


def _is_channels_last(tensor: Tensor) -> bool:
    return not tensor.is_contiguous() and tensor.is_contiguous(memory_format=torch.channels_last)


def _kernel_size(weight: Tensor) -> tuple[int, int]:
    return weight.shape[2], weight.shape[3]


def _check_tensors(input: Tensor, weight: Tensor, bias: Tensor | None) -> None:
    tensors = {"input": input, "weight": weight, "bias": bias}
    for name, tensor in tensors.items():
        if not isinstance(tensor, Tensor) and not (name == "bias" and tensor is None):
            raise TypeError(f"{name} must be a torch.Tensor, got {type(tensor).__name__}")
    if input.dim() not in (3, 4):
        raise InputError(
            f"input must be (N, C, H, W) or, unbatched, (C, H, W); "
            f"got {input.dim()} dimensions: {tuple(input.shape)}"
        )
    for name, tensor in (("weight", weight), ("bias", bias)):
        if tensor is None or (_is_cast(input) and _is_cast(tensor)):
            continue
        if tensor.dtype != input.dtype:
            raise InputError(
                f"input has dtype {input.dtype} and {name} has dtype {tensor.dtype}: they must "
                f"agree"
            )


def _is_cast(tensor: Tensor) -> bool:
    """Return whether autocast is enabled and casts the tensor."""
    device_type = tensor.device.type
    # Autocast does not support the device "meta".
    if device_type == "meta" or not torch.is_autocast_enabled(device_type):
        return False
    return tensor.is_floating_point() and tensor.dtype != torch.float64


def _check_fit(
    batch: Tensor,
    weight: Tensor,
    steps: tuple[tuple[int, int], tuple[int, int]],
    padding: Padding,
    sides: tuple[int, int, int, int],
) -> None:
    """Raise the error of `convlab.shapes` if the kernel is larger than the padded image."""
    left, right, top, bottom = sides
    height, width = dilated_kernel_size(_kernel_size(weight), steps[1])
    size = batch.shape[2], batch.shape[3]
    # Compared here first: torch.compile would specialize on a size that is converted to an int.
    if size[0] + top + bottom < height or size[1] + left + right < width or 0 in size:
        conv2d_output_size(size, _kernel_size(weight), steps[0], padding, steps[1])
