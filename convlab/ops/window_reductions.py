"""Maximum, index of the maximum and sum of every pooling window.

A window is a rectangle, so it can be reduced one direction after the other: a window of 3 x 3 cells
takes 2 + 2 operations instead of 8. Each operation handles one cell of all windows at once, on
strided views; nothing is padded, because `PoolingWindows.reads` never leaves the input.
"""

from __future__ import annotations

from math import gcd
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from convlab.shapes import adaptive_windows
from convlab.shapes.pooling import PoolingAxis

Array = NDArray[Any]


class PoolingWindows(NamedTuple):
    """All pooling windows along one direction."""

    outputs: int  # number of windows
    # Pairs (windows, cells): some of the windows, and for each of them one cell of the input that
    # it reads. In this order, every window reads its cells from the first to the last. Cells of
    # padding are in no pair.
    reads: tuple[tuple[slice, slice], ...]
    # Per window: its first cell that is not padding before the input; the number of cells of the
    # input that it spans, for dilation 1; the same, with the padding included.
    first_cells: tuple[int, ...]
    input_cells: tuple[int, ...]
    padded_cells: tuple[int, ...]

    @classmethod
    def of_pooling(cls, axis: PoolingAxis) -> PoolingWindows:
        """Return the windows of max or average pooling.

        Examples
        --------
        Five cells, windows of three, one cell of padding: the first and the last window
        read two cells each and span one of padding.

        >>> axis = PoolingAxis(5, 3, stride=2, padding=1, dilation=1, ceil_mode=False)
        >>> windows = PoolingWindows.of_pooling(axis)
        >>> windows.first_cells, windows.input_cells, windows.padded_cells
        ((0, 1, 3), (2, 3, 2), (3, 3, 3))
        """
        size, kernel_size, stride, padding, dilation, _ = axis
        outputs = axis.outputs
        starts = range(-padding, -padding + outputs * stride, stride)
        return cls(
            outputs,
            _pooling_reads(axis, outputs),
            tuple(s if s >= 0 else s % dilation for s in starts),
            tuple(min(s + kernel_size, size) - max(s, 0) for s in starts),
            tuple(min(s + kernel_size, size + padding) - s for s in starts),
        )

    @classmethod
    def of_adaptive_pooling(cls, size: int, outputs: int) -> PoolingWindows:
        """Return the windows of adaptive pooling."""
        windows = adaptive_windows(size, outputs)
        # Starts and lengths repeat `gcd` times, with this period. Windows one period apart are read
        # together.
        repeats = gcd(size, outputs)
        period, distance = outputs // repeats, size // repeats
        reads = tuple(
            (slice(i, outputs, period), slice(cell, cell + (repeats - 1) * distance + 1, distance))
            for i, (start, end) in enumerate(windows[:period])
            for cell in range(start, end)
        )
        lengths = tuple(end - start for start, end in windows)
        return cls(outputs, reads, tuple(start for start, _ in windows), lengths, lengths)


def _pooling_reads(axis: PoolingAxis, outputs: int) -> tuple[tuple[slice, slice], ...]:
    """For each cell of the window in turn, return the windows in which it lies on the input."""
    size, kernel_size, stride, padding, dilation, _ = axis
    reads = []
    # Cells of the window that are padding at every position are skipped.
    first = max(0, -(((outputs - 1) * stride - padding) // dilation))
    for cell in range(first, min(kernel_size, (size - 1 + padding) // dilation + 1)):
        offset = cell * dilation - padding
        first_window = max(0, -(offset // stride))
        last_window = min(outputs - 1, (size - 1 - offset) // stride)
        if first_window <= last_window:
            start, stop = first_window * stride + offset, last_window * stride + offset + 1
            reads.append((slice(first_window, last_window + 1), slice(start, stop, stride)))
    return tuple(reads)


def window_max(x: Array, rows: PoolingWindows, columns: PoolingWindows) -> Array:
    """Return the maximum of each window; a window with a NaN gives NaN."""
    lowest = np.full(1, _lowest(x.dtype), x.dtype)
    return _reduce(np.maximum, _reduce(np.maximum, x, -2, rows, lowest), -1, columns, lowest)


def window_max_with_index(
    x: Array, rows: PoolingWindows, columns: PoolingWindows
) -> tuple[Array, Array]:
    """Return the maximum of each window and its index in the flattened plane.

    The index is that of the first of equal numbers in reading order, and of the last of several
    NaN. For that, the width is reduced first, so that the first row that holds the maximum wins.
    """
    height, width = x.shape[-2:]
    first_row = np.array(rows.first_cells, np.int64)
    first_column = np.array(columns.first_cells, np.int64)
    column_indices = np.broadcast_to(np.arange(width, dtype=np.int64), x.shape)
    row_max, column = _reduce_with_index(x, column_indices, -1, columns, first_column)
    index = column + width * np.arange(height, dtype=np.int64)[:, None]
    first_index = np.add.outer(first_row * width, first_column)
    return _reduce_with_index(row_max, index, -2, rows, first_index)


def window_sum(
    x: Array, rows: PoolingWindows, columns: PoolingWindows, dtype: type[np.generic]
) -> Array:
    """Return the sum of each window, computed in `dtype`; padding counts as 0."""
    zero = np.zeros(1, dtype)
    return _reduce(np.add, _reduce(np.add, x, -2, rows, zero), -1, columns, zero)


def _reduce(ufunc: np.ufunc, x: Array, axis: int, windows: PoolingWindows, initial: Array) -> Array:
    result = np.empty(_output_shape(x, axis, windows), initial.dtype)
    result[...] = initial
    for outputs, cells in windows.reads:
        result_view = result[_index(axis, outputs)]
        ufunc(result_view, x[_index(axis, cells)], out=result_view)
    return result


def _reduce_with_index(
    x: Array, indices: Array, axis: int, windows: PoolingWindows, initial_index: Array
) -> tuple[Array, Array]:
    """Return the maxima and their `indices`; `initial_index` where no cell exceeds the lowest."""
    shape = _output_shape(x, axis, windows)
    maximum = np.full(shape, _lowest(x.dtype), x.dtype)
    max_index = np.empty(shape, np.int64)
    max_index[...] = initial_index
    for outputs, cells in windows.reads:
        candidate, maximum_view = x[_index(axis, cells)], maximum[_index(axis, outputs)]
        is_larger = (candidate > maximum_view) | np.isnan(candidate)
        np.copyto(maximum_view, candidate, where=is_larger)
        np.copyto(max_index[_index(axis, outputs)], indices[_index(axis, cells)], where=is_larger)
    return maximum, max_index


def _output_shape(x: Array, axis: int, windows: PoolingWindows) -> tuple[int, ...]:
    shape = list(x.shape)
    shape[axis] = windows.outputs
    return tuple(shape)


def _index(axis: int, cells: slice) -> tuple[Any, ...]:
    return (..., cells) if axis == -1 else (..., cells, slice(None))


def _lowest(dtype: np.dtype[Any]) -> float | int:
    return -np.inf if dtype.kind == "f" else int(np.iinfo(dtype).min)
