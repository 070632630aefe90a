"""Blocks of work for the blocked methods, and copies of padded rows for a block."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from numpy.typing import NDArray

BLOCK_BYTES = 2 * 2**20  # between the second- and the third-level cache
# Each matrix product repacks all kernels, which does not pay off for fewer columns.
MIN_COLUMNS = 512


def split_into_blocks(
    images: int, rows: int, cells_per_row: int, max_cells: int
) -> Iterator[tuple[slice, slice]]:
    """Split the output of a batch into blocks of about the same size, in order.

    A block is a slice of the images and a slice of the rows: some rows of one image, or all rows of
    several images, where an image is small. It has at most `max_cells` cells, but at least one row;
    the first block is the largest.

    Examples
    --------
    >>> [(n.start, r.start, r.stop) for n, r in split_into_blocks(1, 14, 14, max_cells=128)]
    [(0, 0, 7), (0, 7, 14)]
    >>> [(n.start, n.stop) for n, _ in split_into_blocks(8, 2, 2, max_cells=12)]
    [(0, 3), (3, 6), (6, 8)]
    """
    images_per_block, rows_per_block = 1, rows
    cells_per_image = rows * cells_per_row
    if cells_per_image < max_cells:
        images_per_block = _even_share(images, max_cells // cells_per_image)
    else:
        rows_per_block = _even_share(rows, max(1, max_cells // cells_per_row))
    for image in range(0, images, images_per_block):
        for row in range(0, rows, rows_per_block):
            yield (
                slice(image, min(image + images_per_block, images)),
                slice(row, min(row + rows_per_block, rows)),
            )


def columns_per_block(window_size: int, itemsize: int) -> int:
    """Return how many windows of `window_size` numbers to copy into a column buffer at a time.

    As many as fit into `BLOCK_BYTES`, but at least `MIN_COLUMNS`.
    """
    return max(MIN_COLUMNS, BLOCK_BYTES // (window_size * itemsize))


def _even_share(total: int, maximum: int) -> int:
    """Return the size of equal shares of `total`, as few as possible, of at most `maximum`."""
    return -(-total // -(-total // maximum)) if total else 1


def copy_padded_rows(x: NDArray[Any], strip: NDArray[Any], first_row: int, left: int) -> None:
    """Fill `strip` with rows of the zero-padded images, without padding whole images.

    Padding a whole batch first would write and read it once more, and take as much memory again.

    `x` is (n, C, H, W) and `strip` (n, C, h, w). The strip starts at row `first_row` of the images,
    which is negative in the padding, and with `left` columns of padding. All cells outside of the
    images become 0.

    Examples
    --------
    >>> import numpy as np
    >>> strip = np.empty((1, 1, 2, 4))
    >>> copy_padded_rows(np.ones((1, 1, 3, 3)), strip, first_row=-1, left=1)
    >>> strip[0, 0].tolist()
    [[0.0, 0.0, 0.0, 0.0], [0.0, 1.0, 1.0, 1.0]]
    """
    height, width = x.shape[2:]
    strip_height, strip_width = strip.shape[2:]
    top = min(max(-first_row, 0), strip_height)  # image rows are strip[top:bottom]
    bottom = max(min(height - first_row, strip_height), top)
    right = min(left + width, strip_width)  # and columns strip[left:right]
    strip[:, :, :top] = 0
    strip[:, :, bottom:] = 0
    strip[:, :, top:bottom, :left] = 0
    strip[:, :, top:bottom, right:] = 0
    image_rows = x[:, :, first_row + top : first_row + bottom, : right - left]
    strip[:, :, top:bottom, left:right] = image_rows


def buffer_view(buffer: NDArray[Any], *shape: int) -> NDArray[Any]:
    """Return the beginning of a flat buffer as an array of this shape."""
    return buffer[: math.prod(shape)].reshape(shape)
