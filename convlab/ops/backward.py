"""Backward pass of the convolution: gradients with respect to input, weight and bias.

A convolution is linear in its input and linear in its weight, so each of these two gradients is an
*adjoint*: the same products, summed over other indices.
"""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import ArrayLike

from convlab._validate import IntOrPair, Padding
from convlab.ops.auto import choose, suits_winograd
from convlab.ops.blocks import columns_per_block, split_into_blocks
from convlab.ops.checks import check_same_dtype, convolution_arrays, float_array, one_of
from convlab.ops.convolution import conv2d
from convlab.ops.geometry import NO_PADDING, Array, Geometry, conv2d_geometry
from convlab.ops.padding import PADDING_MODES, pad2d, pad2d_backward
from convlab.ops.winograd import winograd_grad_weight
from convlab.shapes import dilated_kernel_size

WINOGRAD_OUTPUTS = {"winograd2": 2, "winograd4": 4}  # of a tile, in rows and columns


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
) -> tuple[Array, Array, Array]:
    """Compute the gradients of `conv2d` with respect to its input, weight and bias.

    The backward pass of ``y = conv2d(input, weight, bias, ...)``, as ``loss.backward()`` computes
    it in PyTorch. The value of the bias is not needed.

    Parameters
    ----------
    grad_output : array, (N, O, outH, outW) or (O, outH, outW)
        Gradient of the loss with respect to `y`; the shape of `y`, the dtype of `input`.
    input : array, (N, C, H, W) or (C, H, W)
        Input of the convolution, float32 or float64. N may be 0.
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
    - bias: each number is added to a whole output channel, so its gradient is the sum of that
      channel of `grad_output`, over all images.
    - weight: each number multiplies one pixel at every position of the window; its gradient is the
      sum of those pixels, each times the gradient of its output.
    - input: each pixel is read by several windows; its gradient is the sum of their gradients, each
      times the weight that multiplied the pixel. The gradient of the padding is added to the pixels
      that the padding copies (`pad2d_backward`).

    The error of a number that is a sum of ``K`` products (of numbers, for the bias) is at most
    ``K * 6e-8`` (float32) or ``K * 1.2e-16`` (float64) of the sum of their absolute values, barring
    underflow. ``K`` is ``N * outH * outW`` for weight and bias, and ``O / groups * kH * kW`` at
    most for the input (times the copies of a pixel in the border, if the padding mode makes any).
    Where `conv2d` with ``method="auto"`` would use Winograd's algorithm (stride 1), so do the
    gradients of input and weight; their error is then at most ``5e-6`` (float32) or ``5e-14``
    (float64) of the largest result, with random numbers. As there, it is used only if no window of
    an image is much smaller than another; for the weight, also no 5 x 5 cells of `grad_output`.
    What remains: an outlier in a channel of `input` or `grad_output` where another channel holds
    numbers as large everywhere may round the gradients of its other weights.

    Overflow, infinity and NaN follow IEEE 754 and raise no warning. For the weight, padded zeros
    are multiplied like any number, so an infinite gradient over one gives NaN.

    Source: Goodfellow, Bengio and Courville, "Deep Learning" (2016), section 9.5.

    Examples
    --------
    >>> image = np.array([[[1.0, 2.0, 3.0]]])
    >>> weight = np.array([[[[-1.0, 1.0]]]])
    >>> grad_output = np.array([[[10.0, 100.0]]])
    >>> grad_input, grad_weight, grad_bias = conv2d_backward(grad_output, image, weight)
    >>> grad_input
    array([[[-10., -90., 100.]]])
    >>> grad_weight
    array([[[[210., 320.]]]])
    >>> grad_bias
    array([110.])
    """
    x, w, _, groups, unbatched = convolution_arrays(input, weight, None, groups)
    one_of(padding_mode, "padding_mode", PADDING_MODES)
    geometry = conv2d_geometry(x.shape[2:], w.shape[2:], stride, padding, dilation, groups)
    output_shape = len(x), len(w), *geometry.output_size(x.shape[2:], w.shape[2:])
    g = float_array(grad_output, "grad_output")
    check_same_dtype(x, "input", g, "grad_output")
    expected = output_shape[1:] if unbatched else output_shape
    if g.shape != expected:
        raise ValueError(
            f"grad_output must have the shape of the output, {expected}, got shape {g.shape}"
        )
    g = g.reshape(output_shape)

    sides = NO_PADDING if padding_mode == "zeros" else geometry.padding
    if any(sides):
        x = pad2d(x, sides, padding_mode)
        geometry = geometry._replace(padding=NO_PADDING)
    with np.errstate(all="ignore"):
        grad_b = g.sum(axis=(0, 2, 3))
        grad_w = grad_weight(g, x, w.shape[2:], geometry)
        grad_x = grad_input(g, w, x.shape[2:], geometry)
        if any(sides):
            grad_x = pad2d_backward(grad_x, sides, padding_mode)
    return (grad_x[0] if unbatched else grad_x), grad_w, grad_b


def grad_input(g: Array, w: Array, size: tuple[int, ...], geometry: Geometry) -> Array:
    r"""Compute the gradient of a zero-padded convolution with respect to its input.

    .. math:: \bar x_{ncab} = \sum_o \sum_{\substack{i s_h + u d_h - p_t = a \\
                                                     j s_w + v d_w - p_l = b}}
              w_{ocuv} \, g_{noij}

    It is also the transposed convolution of `g`. `g` is (N, O, outH, outW), `w` is
    (O, C / groups, kH, kW), and the result (N, C, height, width) has the `size` of the input
    without its padding.

    With stride 1 the gradient is itself a convolution, of `g` with the flipped kernel, and `conv2d`
    computes it. `_scatter` computes all others, and those where

    - the padding is so large that `g` would have to be cropped;
    - the input has few channels and the output many (its buffer has the channels of the input);
    - a weight is not finite: `conv2d` would multiply it by the zeros around `g`, and return NaN for
      products that do not exist.

    Examples
    --------
    >>> g, w = np.ones((1, 1, 2, 2)), np.array([[[[1.0, 2.0, 3.0]]]])
    >>> grad_input(g, w, (2, 4), Geometry())[0, 0]
    array([[1., 3., 5., 3.],
           [1., 3., 5., 3.]])
    """
    (d_h, d_w), (left, _, top, _), groups = geometry.dilation, geometry.padding, geometry.groups
    out_channels, channels_per_group, k_h, k_w = w.shape
    # Zeros around `g`, for which the convolution with the flipped kernel has the wanted size.
    pad_top, pad_left = d_h * (k_h - 1) - top, d_w * (k_w - 1) - left
    pad_bottom, pad_right = size[0] - g.shape[2] + top, size[1] - g.shape[3] + left
    few_channels = channels_per_group * 4 <= out_channels // groups
    if (
        geometry.stride != (1, 1)
        or min(pad_top, pad_left, pad_bottom, pad_right) < 0
        or few_channels
        or not np.isfinite(w).all()
    ):
        return _scatter(g, w, size, geometry)
    # `conv2d` pads both sides alike; the surplus of one side is added here.
    p_h, p_w = min(pad_top, pad_bottom), min(pad_left, pad_right)
    if (pad_top, pad_left) != (pad_bottom, pad_right):
        g = pad2d(g, (pad_left - p_w, pad_right - p_w, pad_top - p_h, pad_bottom - p_h))
    return conv2d(g, _flipped(w, groups), None, 1, (p_h, p_w), geometry.dilation, groups)


def _flipped(w: Array, groups: int) -> Array:
    """Flip each kernel and swap its channels: (O, C / G, kH, kW) to (C, O / G, kH, kW)."""
    out_channels, channels_per_group, k_h, k_w = w.shape
    by_group = w.reshape(groups, out_channels // groups, channels_per_group, k_h, k_w)
    # (G, C / G, O / G, kH, kW)
    flipped: Array = by_group[..., ::-1, ::-1].swapaxes(1, 2)
    return flipped.reshape(-1, out_channels // groups, k_h, k_w)


def _scatter(g: Array, w: Array, size: tuple[int, ...], geometry: Geometry) -> Array:
    """Multiply the gradient of each output by the kernel, and add it at its window (col2im).

    One matrix product per block gives each output cell a window of numbers ("columns"). Then, for
    each of the kH * kW positions in the window, one strided addition adds the numbers of all
    windows to their pixels.
    """
    (s_h, s_w), (left, _, top, _), (d_h, d_w), groups = geometry
    images, _, out_h, out_w = g.shape
    out_channels, channels_per_group, k_h, k_w = w.shape
    channels, outs_per_group = groups * channels_per_group, out_channels // groups
    # (G, C / G * kH * kW, O / G)
    kernels = w.reshape(groups, outs_per_group, channels_per_group * k_h * k_w).swapaxes(1, 2)
    x = np.zeros((images, channels, *size), dtype=g.dtype)
    max_cells = columns_per_block(channels * k_h * k_w, g.itemsize)
    for batch, rows in split_into_blocks(images, out_h, out_w, max_cells):
        n_rows = rows.stop - rows.start
        g_block = g[batch, :, rows].reshape(-1, groups, outs_per_group, n_rows * out_w)
        # (G, K, O / G) @ (n, G, O / G, cells) = (n, G, K, cells). With one output channel in a
        # group nothing is summed: a plain product is faster.
        columns = kernels * g_block if out_channels == groups else kernels @ g_block
        columns = columns.reshape(-1, channels, k_h, k_w, n_rows, out_w)
        for u in range(k_h):
            first_row = u * d_h - top + rows.start * s_h
            x_rows, column_rows = _overlap(first_row, s_h, n_rows, size[0])
            for v in range(k_w):
                x_cols, column_cols = _overlap(v * d_w - left, s_w, out_w, size[1])
                x[batch, :, x_rows, x_cols] += columns[:, :, u, v, column_rows, column_cols]
    return x


def _overlap(first: int, step: int, count: int, size: int) -> tuple[slice, slice]:
    """Return which of the `count` cells ``first, first + step, ...`` exist, i.e. are below `size`.

    The first slice selects these cells, the second their positions among the `count`.
    """
    start = max(0, -(first // step))
    stop = min(count, (size - 1 - first) // step + 1)
    if start >= stop:
        return slice(0, 0), slice(0, 0)
    low = first + start * step
    return slice(low, low + (stop - start - 1) * step + 1, step), slice(start, stop)


def grad_weight(g: Array, x: Array, kernel_size: tuple[int, ...], geometry: Geometry) -> Array:
    r"""Compute the gradient of a zero-padded convolution with respect to its weight.

    .. math:: \bar w_{ocuv} = \sum_{n,i,j} g_{noij} \, x_{n,c,\; i s_h + u d_h,\; j s_w + v d_w}

    With `x` padded. This is a convolution of `x` with `g` as the kernel, in which stride and
    dilation have been swapped. `g` is (N, O, outH, outW), `x` is (N, C, H, W), not yet padded, and
    the result is (O, C / groups, kH, kW).

    Where `conv2d` would choose Winograd's algorithm, and the dilation is 1, its adjoint is faster
    here as well. A weight does not multiply every pixel, as some of them meet the padding or the
    edge of `g`; so it is used only if `g` and `x` hold no outlier. Single numbers of `g` may be
    small, as the sum is over all. As it spreads infinity and NaN, a result that holds one is
    discarded. Then, and for all other layers, `_product_with_windows` computes the gradient.

    Examples
    --------
    >>> x = np.arange(9.0).reshape(1, 1, 3, 3)
    >>> g = np.array([[[[1.0, 0.0], [0.0, 10.0]]]])
    >>> grad_weight(g, x, (2, 2), Geometry())[0, 0]
    array([[40., 51.],
           [73., 84.]])
    """
    groups = geometry.groups
    weight_shape = g.shape[1], x.shape[1] // groups, *kernel_size
    method = choose(len(x), weight_shape, g.shape[2:], geometry)
    if (
        method in WINOGRAD_OUTPUTS
        and geometry.dilation == (1, 1)
        and suits_winograd(x, kernel_size, geometry)
        and suits_winograd(g, (5, 5), Geometry(padding=(2, 2, 2, 2), groups=groups))
    ):
        left, _, top, _ = geometry.padding
        w = np.concatenate(
            [
                winograd_grad_weight(g_g, x_g, kernel_size, (left, top), WINOGRAD_OUTPUTS[method])
                for g_g, x_g in zip(np.split(g, groups, 1), np.split(x, groups, 1), strict=True)
            ]
        )
        if np.isfinite(np.vdot(w, w)):
            return w
    if any(geometry.padding):
        x = pad2d(x, geometry.padding)
    return _product_with_windows(g, x, kernel_size, geometry)


def _product_with_windows(
    g: Array, x: Array, kernel_size: tuple[int, ...], geometry: Geometry
) -> Array:
    """Multiply `g` as ``(O, cells)`` with the windows of the padded `x` as ``(cells, K)``.

    A block of cells at a time, so that the copied windows stay small.
    """
    (s_h, s_w), _, (d_h, d_w), groups = geometry
    images, out_channels, out_h, out_w = g.shape
    channels_per_group, (k_h, k_w) = x.shape[1] // groups, kernel_size
    window_size = channels_per_group * k_h * k_w  # K, numbers in the window of one group
    extent = dilated_kernel_size(kernel_size, geometry.dilation)
    windows = sliding_window_view(x, extent, axis=(2, 3))  # (N, C, H', W', eH, eW)
    windows = windows[:, :, ::s_h, ::s_w, ::d_h, ::d_w]  # (N, C, outH, outW, kH, kW)
    windows = windows.transpose(1, 4, 5, 0, 2, 3)  # (C, kH, kW, N, outH, outW)
    g = g.swapaxes(0, 1)  # (O, N, outH, outW)
    w = np.zeros((groups, out_channels // groups, window_size), dtype=g.dtype)
    max_cells = columns_per_block(groups * window_size, g.itemsize)
    for batch, rows in split_into_blocks(images, out_h, out_w, max_cells):
        columns = windows[:, :, :, batch, rows].reshape(groups, window_size, -1)  # (G, K, cells)
        g_block = g[:, batch, rows].reshape(groups, out_channels // groups, -1)
        w += g_block @ columns.swapaxes(1, 2)  # (G, O / G, cells) @ (G, cells, K)
    return w.reshape(out_channels, channels_per_group, k_h, k_w)
