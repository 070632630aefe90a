"""Look at all windows at once, then contract them with the kernels."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from convlab.shapes import dilated_kernel_size


def windows(
    x: NDArray[Any],
    w: NDArray[Any],
    stride: tuple[int, int],
    dilation: tuple[int, int],
) -> NDArray[Any]:
    """Contract a view of every window with every kernel.

    `sliding_window_view` gives each window two axes of its own without copying a
    number: only the strides change. Slicing then does the rest of the layer: steps of
    `stride` over the positions, steps of `dilation` inside the window. What is left is
    one contraction over channel, row and column of the window.

    The contraction is `numpy.tensordot`, a single matrix product. For it the windows are copied
    once, and the result once, into the usual order of axes: the extra memory is ``N * outH *
    outW * max(K, O)`` numbers, with ``K = C * kH * kW`` numbers in a window.

    The order of the additions is that of the BLAS behind NumPy. Whatever it is, the error
    is at most ``K * 6e-8`` (float32) or ``K * 1.2e-16`` (float64) of the sum of
    ``|w| * |x|`` over the window, short of underflow. Infinity and NaN reach each output
    whose window holds them.

    Examples
    --------
    >>> x = np.arange(9.0).reshape(1, 1, 3, 3)
    >>> w = np.ones((1, 1, 2, 2))
    >>> windows(x, w, stride=(1, 1), dilation=(1, 1)).tolist()
    [[[[8.0, 12.0], [20.0, 24.0]]]]
    """
    (s_h, s_w), (d_h, d_w) = stride, dilation
    extent = dilated_kernel_size(w.shape[2:], dilation)
    every_window = sliding_window_view(x, extent, axis=(2, 3))  # (N, C, H', W', eH, eW)
    seen = every_window[:, :, ::s_h, ::s_w, ::d_h, ::d_w]  # (N, C, outH, outW, kH, kW)
    if w[0].size == 1:
        # One product per output. BLAS may leave out a multiplication by a single 0, and
        # with it the NaN that 0 * infinity is; NumPy's own product does not.
        # (N, 1, outH, outW) * (O, 1, 1)
        products: NDArray[Any] = np.multiply(seen[..., 0, 0], w[:, 0], order="C")
        return products
    y = np.tensordot(seen, w, axes=((1, 4, 5), (1, 2, 3)))  # (N, outH, outW, O)
    return np.ascontiguousarray(np.moveaxis(y, -1, 1))
