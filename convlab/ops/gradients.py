"""The backward pass of the convolution."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from convlab._validate import IntOrPair, Padding, pair
from convlab.ops.adjoints import input_gradient, weight_gradient
from convlab.ops.checks import convolution_arrays, float_array, one_of, one_or_pair, same_dtype
from convlab.ops.padding import PADDING_MODES, pad2d, pad2d_backward
from convlab.shapes import conv2d_output_size, conv2d_padding


def conv2d_backward(
    grad_output: ArrayLike,
    input: ArrayLike,
    weight: ArrayLike,
    stride: IntOrPair = 1,
    padding: Padding = 0,
    dilation: IntOrPair = 1,
    groups: int = 1,
    *,
    padding_mode: str = "zeros",
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Carry the gradient of a loss back through `conv2d`: to input, weight and bias.

    What ``loss.backward()`` computes in PyTorch when it passes a convolution, for
    ``y = conv2d(input, weight, bias, ...)``. The value of the bias is not needed.

    Parameters
    ----------
    grad_output : array, (N, O, outH, outW) or (O, outH, outW)
        How steeply the loss changes with each number of `y`; the shape of `y`, the dtype
        of `input`.
    input : array, (N, C, H, W) or (C, H, W)
        What the convolution was given, float32 or float64. N may be 0.
    weight : array, (O, C / groups, kH, kW)
        Its kernels, same dtype.
    stride, padding, dilation, groups, padding_mode
        As for `conv2d`.

    Returns
    -------
    grad_input, grad_weight, grad_bias : arrays
        Always all three, new, with the shapes of `input`, `weight` and ``(O,)``.

    Raises
    ------
    TypeError
        If an array is not float32 or float64, dtypes differ, or a number is not an int.
    ValueError
        If `grad_output` does not have the shape that `conv2d` returns, or as `conv2d` does.

    Notes
    -----
    - bias: each number is added to a whole output channel, so its gradient is the sum of
      that channel of `grad_output`, over all images.
    - weight: each number multiplies, at every place of the window, one pixel; its
      gradient is the sum of those pixels, each times the gradient of its output.
    - input: each pixel is read by several windows; its gradient is the sum of their
      gradients, each times the weight that lay on the pixel. What falls on the padding
      belongs to the pixels that the padding shows (`pad2d_backward`).

    The error of a number that is a sum of ``K`` products (of numbers, for the bias) is at
    most ``K * 6e-8`` (float32) or ``K * 1.2e-16`` (float64) of the sum of their absolute
    values, short of underflow. ``K`` is ``N * outH * outW`` for weight and bias, and
    ``O / groups * kH * kW`` at most for the input (times the copies of a pixel in the
    border, if the padding mode makes any). With stride 1, where `conv2d` with
    ``method="auto"`` would take Winograd's algorithm, so do the gradients of input and
    weight; their error is then at most ``5e-6`` (float32) or ``5e-14`` (float64) of the
    largest result, with random numbers.

    Overflow, infinity and NaN follow IEEE 754 and raise no warning. For the weight, padded
    zeros are multiplied like any number, so an infinite gradient over one gives NaN.

    Source: Goodfellow, Bengio and Courville, "Deep Learning" (2016), section 9.5.

    Examples
    --------
    >>> image = np.array([[[1.0, 2.0, 3.0]]])
    >>> left_to_right = np.array([[[[-1.0, 1.0]]]])
    >>> from_input, from_weight, from_bias = conv2d_backward(
    ...     np.array([[[10.0, 100.0]]]), image, left_to_right)
    >>> from_input
    array([[[-10., -90., 100.]]])
    >>> from_weight
    array([[[[210., 320.]]]])
    >>> from_bias
    array([110.])
    """
    stride, padding, dilation = one_or_pair(stride), one_or_pair(padding), one_or_pair(dilation)
    x, w, _, groups, unbatched = convolution_arrays(input, weight, None, groups)
    one_of(padding_mode, "padding_mode", PADDING_MODES)
    size, kernel_size = (x.shape[2], x.shape[3]), (w.shape[2], w.shape[3])
    out = conv2d_output_size(size, kernel_size, stride, padding, dilation)
    sides = conv2d_padding(padding, kernel_size, stride, dilation)
    g = _output_gradient(grad_output, x, (len(x), len(w), *out), unbatched)
    steps = pair(stride, "stride", 1), pair(dilation, "dilation", 1), groups

    zeros = padding_mode == "zeros"
    seen = x if zeros or not any(sides) else pad2d(x, sides, padding_mode)
    zero_sides = sides if zeros else (0, 0, 0, 0)
    with np.errstate(all="ignore"):
        grad_bias = g.sum(axis=(0, 2, 3))
        grad_weight = weight_gradient(g, seen, kernel_size, zero_sides, *steps)
        grad_seen = input_gradient(g, w, (seen.shape[2], seen.shape[3]), zero_sides, *steps)
        grad_input = grad_seen if zeros else pad2d_backward(grad_seen, sides, padding_mode)
    return (grad_input[0] if unbatched else grad_input), grad_weight, grad_bias


def _output_gradient(
    grad_output: ArrayLike, x: NDArray[Any], shape: tuple[int, ...], unbatched: bool
) -> NDArray[Any]:
    """Check `grad_output` against the output's shape; return it with its batch axis."""
    g = float_array(grad_output, "grad_output")
    same_dtype(x, "input", g, "grad_output")
    expected = shape[1:] if unbatched else shape
    if g.shape != expected:
        raise ValueError(
            f"grad_output must have the shape of the output, {expected}, got shape {g.shape}"
        )
    return g.reshape(shape)
