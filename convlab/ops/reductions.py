"""Reduce every window to one number: the largest, where it lies, or the sum.

A window is a rectangle, so it can be reduced one direction after the other: a window of
3 x 3 cells takes 2 + 2 operations instead of 8. Each operation handles one cell of all
windows at once, on strided views; nothing is padded, because `PoolingAxis.steps` never
leads outside the input.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from convlab.shapes import PoolingAxis

Array = NDArray[Any]


def largest(x: Array, rows: PoolingAxis, columns: PoolingAxis) -> Array:
    """Return the maximum of each window; a window with a NaN gives NaN."""
    start = _below_everything(x.dtype)
    best = _accumulate(np.maximum, x, -2, rows, np.full(1, start, x.dtype))
    return _accumulate(np.maximum, best, -1, columns, np.full(1, start, x.dtype))


def largest_and_index(x: Array, rows: PoolingAxis, columns: PoolingAxis) -> tuple[Array, Array]:
    """Return the maximum of each window and its place in the flattened plane.

    Of equal numbers the first in reading order wins, of several NaN the last. Width goes
    first: only so is the first row that holds the maximum met before the first column.
    """
    height, width = x.shape[-2:]
    first_row, first_column = np.array(rows.first, np.int64), np.array(columns.first, np.int64)
    every_column = np.broadcast_to(np.arange(width, dtype=np.int64), x.shape)
    best, column = _scan(x, every_column, -1, columns, first_column)
    place = column + width * np.arange(height, dtype=np.int64)[:, None]
    return _scan(best, place, -2, rows, np.add.outer(first_row * width, first_column))


def total(x: Array, rows: PoolingAxis, columns: PoolingAxis, dtype: type[np.generic]) -> Array:
    """Return the sum of each window, computed in `dtype`; padding counts as 0."""
    zero = np.zeros(1, dtype)
    return _accumulate(np.add, _accumulate(np.add, x, -2, rows, zero), -1, columns, zero)


def _accumulate(
    combine: np.ufunc, x: Array, axis: int, windows: PoolingAxis, start: Array
) -> Array:
    result = np.empty(_shape(x, axis, windows), start.dtype)
    result[...] = start
    for places, cells in windows.steps:
        part = result[_at(axis, places)]
        combine(part, x[_at(axis, cells)], out=part)
    return result


def _scan(
    x: Array, names: Array, axis: int, windows: PoolingAxis, first: Array
) -> tuple[Array, Array]:
    """Keep the winner so far and its name; `first` names it where no cell ever wins."""
    shape = _shape(x, axis, windows)
    best = np.full(shape, _below_everything(x.dtype), x.dtype)
    winner = np.empty(shape, np.int64)
    winner[...] = first
    for places, cells in windows.steps:
        candidate, part = x[_at(axis, cells)], best[_at(axis, places)]
        wins = (candidate > part) | np.isnan(candidate)
        np.copyto(part, candidate, where=wins)
        np.copyto(winner[_at(axis, places)], names[_at(axis, cells)], where=wins)
    return best, winner


def _shape(x: Array, axis: int, windows: PoolingAxis) -> tuple[int, ...]:
    shape = list(x.shape)
    shape[axis] = windows.outputs
    return tuple(shape)


def _at(axis: int, cells: slice) -> tuple[Any, ...]:
    return (..., cells) if axis == -1 else (..., cells, slice(None))


def _below_everything(dtype: np.dtype[Any]) -> float | int:
    return -np.inf if dtype.kind == "f" else int(np.iinfo(dtype).min)
