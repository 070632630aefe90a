"""Cut a batch into pieces whose intermediate results stay small."""

from __future__ import annotations

from collections.abc import Iterator

# A product of matrices needs some length to be fast: a block has at least so many cells, if
# there are as many. Images are put together only until then, since that copies them.
CELLS = 512
# Numbers in a buffer: 4 MiB of float32. Larger ones fall out of the cache.
NUMBERS = 2**20


def blocks(
    images: int, rows: int, columns: int, numbers_per_cell: int
) -> Iterator[tuple[slice, slice]]:
    """Yield slices of images and of rows that together cover the output once.

    A block is either whole images or some rows of one image.

    Parameters
    ----------
    images, rows, columns : int
        The output: so many images of so many cells.
    numbers_per_cell : int
        What the caller keeps for each output cell of a block.

    Examples
    --------
    >>> for images, rows in blocks(3, 16, 16, numbers_per_cell=9):
    ...     print(images, rows)
    slice(0, 2, None) slice(0, 16, None)
    slice(2, 3, None) slice(0, 16, None)
    >>> for images, rows in blocks(1, 224, 224, numbers_per_cell=64 * 9):
    ...     print(images, rows)  # doctest: +ELLIPSIS
    slice(0, 1, None) slice(0, 8, None)
    slice(0, 1, None) slice(8, 16, None)
    ...
    """
    some_images = max(1, -(-CELLS // (rows * columns)))
    some_rows = min(rows, max(1, max(CELLS, NUMBERS // numbers_per_cell) // columns))
    for n in range(0, images, some_images):
        for i in range(0, rows, some_rows):
            yield slice(n, min(n + some_images, images)), slice(i, min(i + some_rows, rows))
