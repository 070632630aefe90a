"""Convolution as one tensor contraction over a strided view of all windows."""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from convlab.ops.geometry import Array, Geometry, with_padding_and_groups
from convlab.shapes import dilated_kernel_size


@with_padding_and_groups
def windows(x: Array, w: Array, geometry: Geometry) -> Array:
    """Compute the convolution as a contraction of all windows with all kernels.

    `sliding_window_view` gives each window two axes of its own without copying a number: only the
    strides change. Slicing then applies stride and dilation: steps of `stride` over the positions,
    steps of `dilation` inside the window. What remains is one contraction over channel, row and
    column of the window.

    The contraction is `numpy.tensordot`, a single matrix product. It copies the windows once, and
    the result is copied once into the usual order of axes: the extra memory is
    ``N * outH * outW * max(K, O)`` numbers, with ``K = C * kH * kW`` numbers in a window.

    The order of the additions is that of the BLAS behind NumPy. In any order, the error is at most
    ``K * 6e-8`` (float32) or ``K * 1.2e-16`` (float64) of the sum of ``|w| * |x|`` over the window,
    barring underflow. Infinity and NaN reach each output whose window holds them.

    Examples
    --------
    >>> x = np.arange(9.0).reshape(1, 1, 3, 3)
    >>> w = np.ones((1, 1, 2, 2))
    >>> windows(x, w, Geometry()).tolist()
    [[[[8.0, 12.0], [20.0, 24.0]]]]
    """
    (s_h, s_w), (d_h, d_w) = geometry.stride, geometry.dilation
    extent = dilated_kernel_size(w.shape[2:], geometry.dilation)
    all_windows = sliding_window_view(x, extent, axis=(2, 3))  # (N, C, H', W', eH, eW)
    windows = all_windows[:, :, ::s_h, ::s_w, ::d_h, ::d_w]  # (N, C, outH, outW, kH, kW)
    if w[0].size == 1:
        # One product per output. BLAS may leave out a multiplication by a single 0, and
        # with it the NaN that 0 * infinity is; NumPy's own product does not.
        # (N, 1, outH, outW) * (O, 1, 1)
        products: Array = np.multiply(windows[..., 0, 0], w[:, 0], order="C")
        return products
    y = np.tensordot(windows, w, axes=((1, 4, 5), (1, 2, 3)))  # (N, outH, outW, O)
    return np.ascontiguousarray(np.moveaxis(y, -1, 1))  # (N, O, outH, outW)
