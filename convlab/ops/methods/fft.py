"""Convolution as a product of Fourier transforms of the whole image."""

from __future__ import annotations

import numpy as np

from convlab.ops.geometry import Array, Geometry, with_padding_and_groups
from convlab.shapes import dilated_kernel_size


@with_padding_and_groups
def fft(x: Array, w: Array, geometry: Geometry) -> Array:
    r"""Compute the convolution with the convolution theorem and the fast Fourier transform.

    With the Fourier transform :math:`\mathcal F` over the size of the image,

    .. math:: y_{no} = \mathcal F^{-1} \Big[
        \sum_c \mathcal F(x_{nc}) \cdot \overline{\mathcal F(w_{oc})} \Big]

    The bar, complex conjugation, turns the theorem's convolution into the cross-correlation of deep
    learning. The theorem's image is periodic: results whose window wraps around an edge are cut
    off. With a stride, all positions are computed and every s-th is kept; a dilated kernel is
    spread with zeros first.

    The work does not depend on the size of the kernel, so this pays off for large kernels only. The
    extra memory is about three times that of the spectra, as NumPy copies them for the product:
    ``N * C + O * C + N * O`` of them, each of ``H * (W / 2 + 1)`` complex numbers. A result mixes
    all pixels of the image, so its error is measured by the largest: at most ``2e-6`` (float32) or
    ``2e-14`` (float64) of the largest ``|x|`` times the largest sum of ``|w|`` over a kernel. An
    infinity or NaN makes the whole image NaN.

    Examples
    --------
    >>> x = np.arange(9.0).reshape(1, 1, 3, 3)
    >>> w = np.ones((1, 1, 2, 2))
    >>> fft(x, w, Geometry()).round(9).tolist()
    [[[[8.0, 12.0], [20.0, 24.0]]]]
    """
    (s_h, s_w), (d_h, d_w) = geometry.stride, geometry.dilation
    size = x.shape[2:]
    extent_h, extent_w = dilated_kernel_size(w.shape[2:], geometry.dilation)
    dilated = np.zeros((*w.shape[:2], extent_h, extent_w), w.dtype)
    dilated[:, :, ::d_h, ::d_w] = w
    x_spectrum = np.fft.rfft2(x, size)  # (N, C, H, W / 2 + 1)
    w_spectrum = np.fft.rfft2(dilated, size).conj()  # (O, C, H, W / 2 + 1)
    # One product over the channels for each frequency: (h, w, n, c) @ (h, w, c, o).
    y_spectrum = x_spectrum.transpose(2, 3, 0, 1) @ w_spectrum.transpose(2, 3, 1, 0)
    y = np.fft.irfft2(y_spectrum.transpose(2, 3, 0, 1), size)  # (N, O, H, W), cyclic
    positions_h, positions_w = size[0] - extent_h + 1, size[1] - extent_w + 1
    return np.ascontiguousarray(y[:, :, :positions_h:s_h, :positions_w:s_w], x.dtype)
