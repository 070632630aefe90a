"""Where the windows of an adaptive pooling stand: the size of the output decides."""

from __future__ import annotations

from math import gcd
from typing import cast

from convlab._validate import IntOrPair, integer, pair
from convlab.shapes.pooling import PoolingAxis

# None keeps the size of the input.
OutputSize = IntOrPair | tuple[int | None, int | None] | list[int | None]


def adaptive_output_size(size: IntOrPair, output_size: OutputSize) -> tuple[int, int]:
    """Height and width of what an adaptive pooling returns: the size that was asked for.

    Parameters
    ----------
    size : int or pair of ints
        Height and width of the input, at least 1.
    output_size : int or pair of (int or None)
        Height and width wanted, at least 0; None keeps that of the input.

    Raises
    ------
    TypeError
        If an argument is of the wrong kind.
    ValueError
        If `output_size` has not two entries, or a number is too small.

    Examples
    --------
    >>> adaptive_output_size((9, 7), (3, None))
    (3, 7)
    """
    sizes = pair(size, "size", minimum=1)
    if isinstance(output_size, tuple | list) and len(output_size) == 2:
        height, width = (
            kept if wanted is None else integer(wanted, f"output_size[{axis}]", minimum=0)
            for axis, (kept, wanted) in enumerate(zip(sizes, output_size, strict=True))
        )
        return height, width
    return pair(cast(IntOrPair, output_size), "output_size", minimum=0)


def adaptive_windows(size: int, outputs: int) -> list[tuple[int, int]]:
    r"""Cut `size` cells into `outputs` windows, as adaptive pooling does.

    .. math::

        \text{start}_i = \left\lfloor \frac{i \cdot \text{size}}{\text{outputs}} \right\rfloor
        \qquad
        \text{end}_i = \left\lceil \frac{(i + 1) \cdot \text{size}}{\text{outputs}} \right\rceil

    Every cell is in a window. Windows overlap where the division leaves a remainder,
    and their lengths then differ by at most 1.

    Parameters
    ----------
    size : int
        Cells to cut, at least 1.
    outputs : int
        Windows wanted, at least 0.

    Returns
    -------
    list of (int, int)
        ``(start, end)`` per window, the end not included.

    Raises
    ------
    TypeError, ValueError
        If an argument is not an int, or too small.

    Examples
    --------
    >>> adaptive_windows(10, 4)
    [(0, 3), (2, 5), (5, 8), (7, 10)]
    """
    size, outputs = integer(size, "size", minimum=1), integer(outputs, "outputs", minimum=0)
    return [(i * size // outputs, -(-(i + 1) * size // outputs)) for i in range(outputs)]


def adaptive_axes(size: IntOrPair, output_size: OutputSize) -> tuple[PoolingAxis, PoolingAxis]:
    """Windows of an adaptive pooling, for height and for width.

    Parameters
    ----------
    size, output_size
        As for `adaptive_output_size`.

    Raises
    ------
    TypeError, ValueError
        As `adaptive_output_size` does.

    Examples
    --------
    >>> rows, columns = adaptive_axes((10, 7), (4, None))
    >>> rows.outputs, rows.real, columns.outputs
    (4, (3, 3, 3, 3), 7)
    """
    wanted = adaptive_output_size(size, output_size)
    sizes = pair(size, "size", minimum=1)
    height, width = (_adaptive_axis(*numbers) for numbers in zip(sizes, wanted, strict=True))
    return height, width


def _adaptive_axis(size: int, outputs: int) -> PoolingAxis:
    windows = adaptive_windows(size, outputs)
    # The pattern of starts and lengths repeats as often as both numbers can be divided by:
    # windows that lie one such period apart are taken together.
    repeats = gcd(size, outputs)
    period, distance = outputs // repeats, size // repeats
    steps = tuple(
        (slice(i, outputs, period), slice(cell, cell + (repeats - 1) * distance + 1, distance))
        for i, (start, end) in enumerate(windows[:period])
        for cell in range(start, end)
    )
    lengths = tuple(end - start for start, end in windows)
    return PoolingAxis(outputs, steps, tuple(start for start, _ in windows), lengths, lengths)
