"""Write every window as a column; then the convolution is one matrix product."""

from __future__ import annotations

from typing import Any

from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from convlab.ops.methods.products import product
from convlab.shapes import dilated_kernel_size


def im2col(
    x: NDArray[Any],
    w: NDArray[Any],
    stride: tuple[int, int],
    dilation: tuple[int, int],
) -> NDArray[Any]:
    """Multiply the matrix of kernels with the matrix of windows.

    The windows of an image, each flattened to ``K = C * kH * kW`` numbers, become the
    ``L = outH * outW`` columns of a matrix; the kernels, flattened in the same order, are
    the rows of another. Their product is the output, in its usual order of axes: the
    result needs no further copy, which is the advantage over `windows`.

    The extra memory is all columns at once, ``N * K * L`` numbers: with a 3x3 kernel and
    stride 1 about nine times the input. The order of the additions is that of the BLAS
    behind NumPy; the error is at most that of `windows`. Infinity and NaN reach each output
    whose window holds them.

    Examples
    --------
    >>> x = np.arange(9.0).reshape(1, 1, 3, 3)
    >>> w = np.ones((1, 1, 2, 2))
    >>> im2col(x, w, stride=(1, 1), dilation=(1, 1)).tolist()
    [[[[8.0, 12.0], [20.0, 24.0]]]]
    """
    (s_h, s_w), (d_h, d_w) = stride, dilation
    images, kernels = len(x), len(w)
    extent = dilated_kernel_size(w.shape[2:], dilation)
    seen = sliding_window_view(x, extent, axis=(2, 3))[:, :, ::s_h, ::s_w, ::d_h, ::d_w]
    out_h, out_w = seen.shape[2:4]
    columns = seen.transpose(0, 1, 4, 5, 2, 3).reshape(images, w[0].size, out_h * out_w)
    return product(w.reshape(kernels, -1), columns).reshape(images, kernels, out_h, out_w)
