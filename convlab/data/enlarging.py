"""Small images made larger, in whole numbers: the same bytes on every machine."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from convlab._validate import integer


def enlarge(images: NDArray[Any], size: int, white: int) -> NDArray[np.uint8]:
    r"""Enlarge square images by bilinear interpolation.

    The pixels are squares whose values sit in their middles. The middle of pixel :math:`i` of
    the large image lies, counted in pixels of the small one, at

    .. math:: \frac{(2 i + 1) \cdot n}{2 \cdot \text{size}} - \frac{1}{2},

    and its value is a weighted mean of the nearest neighbours; beyond the outermost middles
    the image goes on as it ends. This is ``torch.nn.functional.interpolate`` with
    ``mode="bilinear", align_corners=False``, but with weights that are whole numbers, in units
    of :math:`1 / (2 \cdot \text{size})`. The only rounding is the last one, to the nearest
    byte, halves upwards.

    Parameters
    ----------
    images : integer array (N, n, n)
        Values from 0 to `white`.
    size : int
        Height and width of the result, at least n.
    white : int
        The value that becomes 255.

    Returns
    -------
    uint8 array (N, size, size)

    Raises
    ------
    TypeError
        If `images` are no integers, or `size` or `white` is no int.
    ValueError
        If `images` are not square, there is a value out of range, or `size` is below n.

    Examples
    --------
    >>> enlarge(np.array([[[0, 4], [4, 4]]]), size=4, white=4)
    array([[[  0,  64, 191, 255],
            [ 64, 112, 207, 255],
            [191, 207, 239, 255],
            [255, 255, 255, 255]]], dtype=uint8)
    """
    images = np.asarray(images)
    if images.dtype.kind not in "iu":
        raise TypeError(f"images must be integers, got {images.dtype}")
    if images.ndim != 3 or images.shape[1] != images.shape[2] or images.shape[1] == 0:
        raise ValueError(f"images must have the shape (N, n, n), got {images.shape}")
    size = integer(size, "size", minimum=images.shape[1])
    white = integer(white, "white", minimum=1)
    if images.size and not 0 <= images.min() <= images.max() <= white:
        raise ValueError(
            f"images must lie between 0 and white={white}, "
            f"got values from {images.min()} to {images.max()}"
        )
    weights = _weights(images.shape[1], size)
    sums = weights @ images.astype(np.int64) @ weights.T
    full = white * (2 * size) ** 2  # what a white image sums to
    enlarged: NDArray[np.uint8] = ((2 * 255 * sums + full) // (2 * full)).astype(np.uint8)
    return enlarged


def _weights(small: int, large: int) -> NDArray[np.int64]:
    """How much of each small row is in each large row, (large, small), in units of 1/(2 large)."""
    unit = 2 * large
    weights = np.zeros((large, small), np.int64)
    for row in range(large):
        place = min(max((2 * row + 1) * small - large, 0), (small - 1) * unit)
        above, rest = divmod(place, unit)
        weights[row, above] += unit - rest
        weights[row, min(above + 1, small - 1)] += rest
    return weights
