"""The transposed convolution: the way back through a convolution, as a layer of its own."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from convlab._validate import IntOrPair, pair
from convlab.ops.adjoints import input_gradient
from convlab.ops.checks import check_memory, convolution_arrays, one_or_pair
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
) -> NDArray[Any]:
    r"""Put down a scaled kernel for every input cell, and sum where they overlap.

    The adjoint of `conv2d` in its input. If ``y = conv2d(x, weight, ...)``, then
    ``conv_transpose2d(g, weight, ...)`` is the gradient of ``(y * g).sum()`` with respect to
    `x`: it goes back to the *size* of `x`. It does not go back to the numbers of `x`, so
    "deconvolution", as it is often called, is a misnomer. Same arguments, in the same
    order, and same results as ``torch.nn.functional.conv_transpose2d``: `groups` stands
    *before* `dilation` here.

    Parameters
    ----------
    input : array, (N, C, H, W) or (C, H, W)
        Images, float32 or float64. N may be 0, the other sizes not.
    weight : array, (C, O / groups, kH, kW)
        Input channels first, same dtype as `input`: the weight of the convolution from O
        to C channels whose way back this is.
    bias : array, (O,), optional
        One number per output channel; same dtype.
    stride : int or (height, width)
        Cells between the kernels of two neighbouring input cells, at least 1.
    padding : int or (height, width)
        Cells *cut off* on each side of the output, at least 0.
    output_padding : int or (height, width)
        Rows and columns more at the bottom and the right, at least 0 and smaller than the
        stride or the dilation. They hold what the kernels reach, else the bias.
    groups : int
        Split the channels into this many blocks that ignore each other.
    dilation : int or (height, width)
        Distance between neighbouring weights on the output, at least 1.

    Returns
    -------
    array, (N, O, outH, outW) or (O, outH, outW)
        New, in the dtype of the input. The size is
        `convlab.shapes.conv_transpose2d_output_size`.

    Raises
    ------
    TypeError
        If an array is not float32 or float64, dtypes differ, or a number is not an int.
    ValueError
        If shapes or numbers do not belong together, or nothing would be left of the
        output. The message names the argument and the numbers.

    Notes
    -----
    With ``K = C / groups * kH * kW`` products in an output at most, the error is at most
    ``(K + 1) * 6e-8`` (float32) or ``(K + 1) * 1.2e-16`` (float64) of the sum of ``|w| * |x|``
    and ``|bias|``, short of underflow, if the stride is above 1. With stride 1 it is that of
    `conv2d` with ``method="auto"``.

    Stricter than PyTorch, which lets a few odd cases pass on some of its roads: an
    `output_padding` that is too large or a height of 0 with an empty batch, an output of
    height 0 or a dilation of 0 in float32, a bias of another dtype. Overflow, infinity
    and NaN follow IEEE 754 and raise no warning.

    Source: Zeiler et al., "Deconvolutional Networks" (2010); Dumoulin and Visin, "A guide
    to convolution arithmetic for deep learning" (2016), section 4.

    Examples
    --------
    >>> row = np.array([[[1.0, 10.0]]])
    >>> kernel = np.array([[[[1.0, 2.0, 3.0]]]])
    >>> conv_transpose2d(row, kernel)
    array([[[ 1., 12., 23., 30.]]])
    >>> conv_transpose2d(row, kernel, stride=(1, 2))
    array([[[ 1.,  2., 13., 20., 30.]]])
    """
    stride, padding, dilation = one_or_pair(stride), one_or_pair(padding), one_or_pair(dilation)
    output_padding = one_or_pair(output_padding)
    x, w, b, groups, unbatched = convolution_arrays(input, weight, bias, groups, transposed=True)
    size = conv_transpose2d_output_size(
        x.shape[2:], w.shape[2:], stride, padding, output_padding, dilation
    )
    outs = w.shape[1] * groups
    check_memory((len(x), outs, *size), x.itemsize, f"stride={stride} with dilation={dilation}")
    p_h, p_w = pair(padding, "padding", 0)
    with np.errstate(all="ignore"):
        y = input_gradient(
            x,
            w,
            size,
            (p_w, p_w, p_h, p_h),
            pair(stride, "stride", 1),
            pair(dilation, "dilation", 1),
            groups,
        )
        if b is not None:
            y += b[:, None, None]
    return y[0] if unbatched else y
