"""Convolution as one matrix product, with every window copied into a column (im2col)."""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from convlab.ops.geometry import Array, Geometry, with_padding_and_groups
from convlab.shapes import dilated_kernel_size


@with_padding_and_groups
def im2col(x: Array, w: Array, geometry: Geometry) -> Array:
    """Compute the convolution as the product of a kernel matrix and a window matrix.

    The windows of an image, each flattened to ``K = C * kH * kW`` numbers, become the
    ``L = outH * outW`` columns of a matrix; the kernels, flattened in the same order, are the rows
    of another. Their product is the output, in its usual order of axes: unlike in `windows`, the
    result needs no further copy.

    The extra memory is all columns at once, ``N * K * L`` numbers: with a 3x3 kernel and stride 1
    about nine times the input. The order of the additions is that of the BLAS behind NumPy; the
    error is at most that of `windows`. Infinity and NaN reach each output whose window holds them.

    Examples
    --------
    >>> x = np.arange(9.0).reshape(1, 1, 3, 3)
    >>> w = np.ones((1, 1, 2, 2))
    >>> im2col(x, w, Geometry()).tolist()
    [[[[8.0, 12.0], [20.0, 24.0]]]]
    """
    (s_h, s_w), (d_h, d_w) = geometry.stride, geometry.dilation
    images, kernels = len(x), len(w)
    extent = dilated_kernel_size(w.shape[2:], geometry.dilation)
    windows = sliding_window_view(x, extent, axis=(2, 3))  # (N, C, H', W', eH, eW)
    windows = windows[:, :, ::s_h, ::s_w, ::d_h, ::d_w]  # (N, C, outH, outW, kH, kW)
    out_h, out_w = windows.shape[2:4]
    columns = windows.transpose(0, 1, 4, 5, 2, 3)  # (N, C, kH, kW, outH, outW)
    columns = columns.reshape(images, w[0].size, out_h * out_w)  # (N, K, L)
    y = matrix_product(w.reshape(kernels, -1), columns)  # (O, K) @ (N, K, L) = (N, O, L)
    return y.reshape(images, kernels, out_h, out_w)


def matrix_product(kernels: Array, columns: Array, out: Array | None = None) -> Array:
    """Multiply matrices (..., O, K) and (..., K, L), with 0 * infinity = NaN even if K is 1.

    BLAS may skip a multiplication by a single 0, and lose the NaN; NumPy's own product does not.
    """
    if kernels.shape[-1] == 1:
        return np.multiply(kernels, columns, out=out, order="C")
    return np.matmul(kernels, columns, out=out)
