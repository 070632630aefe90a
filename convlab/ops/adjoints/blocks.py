"""Cut a batch into pieces whose intermediate results stay small."""

from __future__ import annotations

from collections.abc import Iterator

CELLS = 512  # at least, in a block: a product of matrices needs some length to be fast
NUMBERS = 2**20  # in a buffer, 4 MiB of float32: larger ones fall out of the cache


def blocks(
    images: int, rows: int, columns: int, numbers_per_cell: int, few_images: bool = False
) -> Iterator[tuple[slice, slice]]:
    """Yield slices of images and of rows that together cover the output once.

    A block is either whole images or some rows of one image.

    Parameters
    ----------
    images, rows, columns : int
        The output: so many images of so many cells.
    numbers_per_cell : int
        What the caller keeps for each output cell of a block.
    few_images : bool
        Put images together only until there are `CELLS`, not as long as there is room:
        for a caller who has to copy what it puts together.

    Examples
    --------
    >>> for images, rows in blocks(9, 16, 16, numbers_per_cell=512):
    ...     print(images, rows)
    slice(0, 8, None) slice(0, 16, None)
    slice(8, 9, None) slice(0, 16, None)
    >>> for images, rows in blocks(1, 224, 224, numbers_per_cell=64 * 9):
    ...     print(images, rows)  # doctest: +ELLIPSIS
    slice(0, 1, None) slice(0, 8, None)
    slice(0, 1, None) slice(8, 16, None)
    ...
    """
    cells = max(CELLS, NUMBERS // numbers_per_cell)
    some_images = -(-CELLS // (rows * columns)) if few_images else cells // (rows * columns)
    some_images, some_rows = max(1, some_images), min(rows, max(1, cells // columns))
    for n in range(0, images, some_images):
        for i in range(0, rows, some_rows):
            yield slice(n, min(n + some_images, images)), slice(i, min(i + some_rows, rows))
