"""Transposed convolution: the gradient of a convolution as a layer of its own."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from convlab._validate import IntOrPair, pair
from convlab.ops.backward import grad_input
from convlab.ops.checks import check_memory, convolution_arrays, unwrap_one
from convlab.ops.geometry import Array, Geometry
from convlab.shapes import conv_transpose2d_output_size


def conv_transpose2d(
    input: ArrayLike,
    weight: ArrayLike,
    bias: ArrayLike | None = None,
    stride: IntOrPair = 1,
    padding: IntOrPair = 0,
    output_padding: IntOrPair = 0,
    groups: int = 1,
    dilation: IntOrPair = 1,
) -> Array:
    r"""Apply a 2-D transposed convolution to a batch of images.

    Each input cell adds its kernel, scaled, to the output; where kernels overlap they are summed.
    This is the adjoint of `conv2d` in its input: if ``y = conv2d(x, weight, ...)``, then
    ``conv_transpose2d(g, weight, ...)`` is the gradient of ``(y * g).sum()`` with respect to `x`.
    It restores the *size* of `x` but not its numbers, so its other name, "deconvolution", is a
    misnomer. Same arguments, in the same order, and same results as
    ``torch.nn.functional.conv_transpose2d``: `groups` comes *before* `dilation` here.

    Parameters
    ----------
    input : array, (N, C, H, W) or (C, H, W)
        Images, float32 or float64. N may be 0, the other sizes not.
    weight : array, (C, O / groups, kH, kW)
        Input channels first, same dtype as `input`: the weight of the convolution from O to C
        channels whose gradient this is.
    bias : array, (O,), optional
        One number per output channel; same dtype.
    stride : int or (height, width)
        Cells between the kernels of two neighbouring input cells, at least 1.
    padding : int or (height, width)
        Cells *cut off* on each side of the output, at least 0.
    output_padding : int or (height, width)
        Rows and columns added at the bottom and the right, at least 0 and smaller than the stride
        or the dilation. Cells that no kernel reaches hold the bias.
    groups : int
        Number of groups. Each group of output channels depends on its own share of the input
        channels only.
    dilation : int or (height, width)
        Distance between neighbouring weights on the output, at least 1.

    Returns
    -------
    array, (N, O, outH, outW) or (O, outH, outW)
        New, in the dtype of the input. The size is `convlab.shapes.conv_transpose2d_output_size`.

    Raises
    ------
    TypeError
        If an array is not float32 or float64, dtypes differ, or a number is not an int.
    ValueError
        If shapes or numbers do not match, or the padding removes the whole output.

    Notes
    -----
    If the stride is above 1, an output is a sum of at most ``K = C / groups * kH * kW`` products,
    and the error is at most ``(K + 1) * 6e-8`` (float32) or ``(K + 1) * 1.2e-16`` (float64) of the
    sum of ``|w| * |x|`` and ``|bias|``, barring underflow. With stride 1 it is that of `conv2d`
    with ``method="auto"``. Overflow, infinity and NaN follow IEEE 754 and raise no warning.

    Stricter than PyTorch, some of whose implementations accept a few odd cases: an `output_padding`
    that is too large or a height of 0 with an empty batch, an output of height 0 or a dilation of 0
    in float32, a bias of another dtype.

    Source: Zeiler et al., "Deconvolutional Networks" (2010); Dumoulin and Visin, "A guide to
    convolution arithmetic for deep learning" (2016), section 4.

    Examples
    --------
    >>> row = np.array([[[1.0, 10.0]]])
    >>> kernel = np.array([[[[1.0, 2.0, 3.0]]]])
    >>> conv_transpose2d(row, kernel)
    array([[[ 1., 12., 23., 30.]]])
    >>> conv_transpose2d(row, kernel, stride=(1, 2))
    array([[[ 1.,  2., 13., 20., 30.]]])
    """
    stride, padding, dilation = unwrap_one(stride), unwrap_one(padding), unwrap_one(dilation)
    output_padding = unwrap_one(output_padding)
    x, w, b, groups, unbatched = convolution_arrays(input, weight, bias, groups, transposed=True)
    output_size = conv_transpose2d_output_size(
        x.shape[2:], w.shape[2:], stride, padding, output_padding, dilation
    )
    output_shape = len(x), w.shape[1] * groups, *output_size
    check_memory(output_shape, x.itemsize, f"stride={stride} with dilation={dilation}")
    p_h, p_w = pair(padding, "padding", 0)
    geometry = Geometry(
        pair(stride, "stride", 1), (p_w, p_w, p_h, p_h), pair(dilation, "dilation", 1), groups
    )
    with np.errstate(all="ignore"):
        y = grad_input(x, w, output_size, geometry)
        if b is not None:
            y += b[:, None, None]
    return y[0] if unbatched else y
