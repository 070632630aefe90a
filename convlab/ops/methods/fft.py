"""Multiply spectra: the convolution theorem, on the whole image."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from convlab.shapes import dilated_kernel_size


def fft(
    x: NDArray[Any],
    w: NDArray[Any],
    stride: tuple[int, int],
    dilation: tuple[int, int],
) -> NDArray[Any]:
    r"""Transform image and kernels, multiply, sum over the channels, transform back.

    With the Fourier transform :math:`\mathcal F` over the size of the image,

    .. math:: y_{no} = \mathcal F^{-1} \Big[
        \sum_c \mathcal F(x_{nc}) \cdot \overline{\mathcal F(w_{oc})} \Big]

    The bar, complex conjugation, turns the theorem's convolution into the correlation
    that deep learning means. The theorem's image is periodic: results whose window runs over
    an edge and comes in again on the other side are cut off. With a stride, all positions
    are computed and every s-th is kept; a dilated kernel is spread with zeros first.

    The work does not depend on the size of the kernel, so this pays for large ones only. The
    extra memory is about three times that of the spectra, as NumPy copies them for the
    product: ``N * C + O * C + N * O`` of them, each of ``H * (W / 2 + 1)`` complex numbers.
    A result mixes all pixels of the image, so its error is measured by the largest: at most
    ``2e-6`` (float32) or ``2e-14`` (float64) of the largest ``|x|`` times the largest sum
    of ``|w|`` over a kernel. An infinity or NaN makes the whole image NaN.

    Examples
    --------
    >>> x = np.arange(9.0).reshape(1, 1, 3, 3)
    >>> w = np.ones((1, 1, 2, 2))
    >>> fft(x, w, stride=(1, 1), dilation=(1, 1)).round(9).tolist()
    [[[[8.0, 12.0], [20.0, 24.0]]]]
    """
    (s_h, s_w), (d_h, d_w) = stride, dilation
    size = x.shape[2:]
    spread = np.zeros((*w.shape[:2], *dilated_kernel_size(w.shape[2:], dilation)), w.dtype)
    spread[:, :, ::d_h, ::d_w] = w
    image, kernel = np.fft.rfft2(x, size), np.fft.rfft2(spread, size).conj()
    # One product over the channels for each frequency: (h, w, n, c) @ (h, w, c, o).
    spectrum = image.transpose(2, 3, 0, 1) @ kernel.transpose(2, 3, 1, 0)
    everywhere = np.fft.irfft2(spectrum.transpose(2, 3, 0, 1), size)
    out_h, out_w = (n - e + 1 for n, e in zip(size, spread.shape[2:], strict=True))
    return np.ascontiguousarray(everywhere[:, :, :out_h:s_h, :out_w:s_w], x.dtype)
