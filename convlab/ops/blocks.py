"""What blocked algorithms share: how much to do at a time, and a strip of padded input."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from numpy.typing import NDArray

# Each matrix product prepares all kernels anew, which takes some columns to pay.
FEWEST_COLUMNS = 512


def blocks(images: int, rows: int, per_row: int, at_most: int) -> Iterator[tuple[slice, slice]]:
    """Cut a batch of results into blocks of about the same size, in order.

    A block is a range of rows of one image, or all rows of several images, where an image
    is small. It has at most `at_most` elements, but at least one row; the first block of
    all is the largest.

    Parameters
    ----------
    images, rows, per_row : int
        What there is to do: elements in a row, rows in an image, images.
    at_most : int
        Elements of a block.

    Yields
    ------
    images, rows : slice, slice

    Examples
    --------
    >>> [(n.start, r.start, r.stop) for n, r in blocks(1, rows=14, per_row=14, at_most=128)]
    [(0, 0, 7), (0, 7, 14)]
    >>> [(n.start, n.stop) for n, _ in blocks(8, rows=2, per_row=2, at_most=12)]
    [(0, 3), (3, 6), (6, 8)]
    """
    image_step, row_step = 1, rows
    if rows * per_row < at_most:
        image_step = _even(images, at_most // (rows * per_row))
    else:
        row_step = _even(rows, max(1, at_most // per_row))
    for image in range(0, images, image_step):
        for row in range(0, rows, row_step):
            yield (
                slice(image, min(image + image_step, images)),
                slice(row, min(row + row_step, rows)),
            )


def columns_at_once(window: int, itemsize: int) -> int:
    """Say how many windows of `window` numbers are written into a column buffer at a time.

    As many as make 2 MiB, a size between the second- and the third-level cache; but at least
    `FEWEST_COLUMNS`.

    Examples
    --------
    >>> columns_at_once(window=64 * 9, itemsize=4)
    910
    """
    return max(FEWEST_COLUMNS, 2 * 2**20 // (window * itemsize))


def _even(total: int, at_most: int) -> int:
    """Share `total` out in parts of at most `at_most`, as even as they can be."""
    return -(-total // -(-total // at_most)) if total else 1


def copy_strip(x: NDArray[Any], strip: NDArray[Any], first: int, left: int) -> None:
    """Fill `strip` with rows of the zero-padded images, as if the padding were there.

    Padding a whole batch first would write and read it once more, and take as much memory
    again.

    Parameters
    ----------
    x : array, (n, C, H, W)
    strip : array, (n, C, h, w)
        Filled with the padded rows ``first, first + 1, ...``; whatever lies outside of the
        images becomes 0.
    first : int
        Row of the image that the strip starts with: negative above the image.
    left : int
        Padded columns on the left.

    Examples
    --------
    >>> import numpy as np
    >>> strip = np.empty((1, 1, 2, 4))
    >>> copy_strip(np.ones((1, 1, 3, 3)), strip, first=-1, left=1)
    >>> strip[0, 0].tolist()
    [[0.0, 0.0, 0.0, 0.0], [0.0, 1.0, 1.0, 1.0]]
    """
    height, width = x.shape[2:]
    rows, columns = strip.shape[2:]
    above = min(max(-first, 0), rows)
    below = max(min(height - first, rows), above)
    right = min(left + width, columns)
    strip[:, :, :above] = 0
    strip[:, :, below:] = 0
    strip[:, :, above:below, :left] = 0
    strip[:, :, above:below, right:] = 0
    strip[:, :, above:below, left:right] = x[:, :, first + above : first + below, : right - left]


def part(buffer: NDArray[Any], *shape: int) -> NDArray[Any]:
    """Take the beginning of a flat buffer as an array of this shape."""
    return buffer[: math.prod(shape)].reshape(shape)
