"""Max and average pooling: one number for each window."""

from __future__ import annotations

from typing import Any, Literal, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from convlab._validate import IntOrPair, flag, integer
from convlab.ops.checks import FLOATS, array_of, batch_of_images, one_or_pair
from convlab.ops.reductions import largest, largest_and_index, total
from convlab.shapes import pool2d_axes

POOLED_FLOATS = (np.dtype(np.float16), *FLOATS)
ORDERED = tuple(map(np.dtype, (np.uint8, np.int8, np.int16, np.int32, np.int64))) + POOLED_FLOATS
AVERAGED = (np.dtype(np.int64), *POOLED_FLOATS)

Array = NDArray[Any]


@overload
def max_pool2d(
    input: ArrayLike,
    kernel_size: IntOrPair,
    stride: IntOrPair | None = None,
    padding: IntOrPair = 0,
    dilation: IntOrPair = 1,
    ceil_mode: bool = False,
    return_indices: Literal[False] = False,
) -> Array: ...
@overload
def max_pool2d(
    input: ArrayLike,
    kernel_size: IntOrPair,
    stride: IntOrPair | None = None,
    padding: IntOrPair = 0,
    dilation: IntOrPair = 1,
    ceil_mode: bool = False,
    *,
    return_indices: Literal[True],
) -> tuple[Array, Array]: ...
@overload
def max_pool2d(
    input: ArrayLike,
    kernel_size: IntOrPair,
    stride: IntOrPair | None = None,
    padding: IntOrPair = 0,
    dilation: IntOrPair = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Array | tuple[Array, Array]: ...
def max_pool2d(
    input: ArrayLike,
    kernel_size: IntOrPair,
    stride: IntOrPair | None = None,
    padding: IntOrPair = 0,
    dilation: IntOrPair = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Array | tuple[Array, Array]:
    """Keep the largest number of each window, channel by channel.

    Same arguments and results as ``torch.nn.functional.max_pool2d``.

    Parameters
    ----------
    input : array, (N, C, H, W) or (C, H, W)
        float16, float32, float64, uint8 or a signed integer. N may be 0, the others not.
    kernel_size : int or (height, width)
        Rows and columns of a window, at least 1.
    stride : int, (height, width) or None
        Cells that the window moves at a time, at least 1. None stands for
        `kernel_size`: windows side by side.
    padding : int or (height, width)
        Cells added on each of two opposite sides, at most half of `kernel_size`. They
        never win, not even against minus infinity.
    dilation : int or (height, width)
        Distance between neighbouring cells of a window.
    ceil_mode : bool
        Let the last window reach over the edge, so that no row or column is left out.
    return_indices : bool
        Return also where each winner came from.

    Returns
    -------
    array, (N, C, outH, outW) or (C, outH, outW)
        New, in the dtype of the input; the size is `convlab.shapes.pool2d_output_size`.
        With `return_indices` a pair: this, and an int64 array of the same shape with
        ``row * W + column`` of each winner in the input (not in the padded one).

    Raises
    ------
    TypeError
        If `input` is of another dtype, a number is not an int, or `ceil_mode` not a bool.
    ValueError
        If a shape or number is out of range, the padding is more than half of the kernel,
        or no window fits.

    Notes
    -----
    A NaN wins over everything. Where several numbers are equal the index is that of the
    first in reading order, among several NaN that of the last. Which of 0.0 and -0.0
    comes back is settled only with `return_indices`: the first.

    A window with `dilation` and `padding` can step over the whole input. Its maximum is
    minus infinity (or the smallest integer), and its index, as in PyTorch, that of the
    first of its cells not before the input, which may lie behind it.

    Examples
    --------
    >>> image = np.array([[[1, 7, 2, 0],
    ...                    [3, 5, 8, 8]]])
    >>> max_pool2d(image, 2)
    array([[[7, 8]]])
    >>> values, indices = max_pool2d(image, 2, return_indices=True)
    >>> indices
    array([[[1, 6]]])
    >>> max_pool2d(image, 2, padding=2)
    Traceback (most recent call last):
    ValueError: padding=2 is more than half of kernel_size=2: at most 1 is allowed,
    whatever the dilation
    """
    x, unbatched = batch_of_images(array_of(input, "input", ORDERED, "max poolings"), "input")
    rows, columns = pool2d_axes(
        x.shape[2:],
        one_or_pair(kernel_size),
        one_or_pair(stride),
        one_or_pair(padding),
        one_or_pair(dilation),
        ceil_mode,
    )
    if return_indices:
        values, indices = largest_and_index(x, rows, columns)
        return (values[0], indices[0]) if unbatched else (values, indices)
    values = largest(x, rows, columns)
    return values[0] if unbatched else values


def avg_pool2d(
    input: ArrayLike,
    kernel_size: IntOrPair,
    stride: IntOrPair | None = None,
    padding: IntOrPair = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Array:
    """Take the mean of each window, channel by channel.

    Same arguments and results as ``torch.nn.functional.avg_pool2d``.

    Parameters
    ----------
    input : array, (N, C, H, W) or (C, H, W)
        float16, float32, float64 or int64. N may be 0, the others not.
    kernel_size : int or (height, width)
        Rows and columns of a window, at least 1.
    stride : int, (height, width) or None
        Cells that the window moves at a time, at least 1. None stands for
        `kernel_size`: windows side by side.
    padding : int or (height, width)
        Zeros added on each of two opposite sides, at most half of `kernel_size`.
    ceil_mode : bool
        Let the last window reach over the edge, so that no row or column is left out.
    count_include_pad : bool
        Divide by the number of cells of the window with the padding among them, or by
        the number of cells of the input alone. What reaches even beyond the padding
        (only with `ceil_mode`) never counts.
    divisor_override : int, optional
        Divide every sum by this number instead; negative is allowed, 0 is not.

    Returns
    -------
    array, (N, C, outH, outW) or (C, outH, outW)
        New, in the dtype of the input; the size is `convlab.shapes.pool2d_output_size`.

    Raises
    ------
    TypeError
        If `input` is of another dtype, a number is not an int, or a switch not a bool.
    ValueError
        If a shape or number is out of range, the padding is more than half of the kernel,
        no window fits, or `divisor_override` is 0 or needs more than 64 bits.

    Notes
    -----
    Sums are formed in float64, rounded to float32 unless the input is float64, and
    divided: the relative error is below 1e-6 in float32 where all numbers have one sign.
    As in PyTorch, a sum too large for float32 is infinite although the mean might not be.
    With int64, sums wrap around and the quotient is cut towards zero.

    Examples
    --------
    >>> image = np.array([[[1.0, 7.0, 2.0],
    ...                    [3.0, 5.0, 8.0]]])
    >>> avg_pool2d(image, 2)
    array([[[4.]]])
    >>> avg_pool2d(image, 2, ceil_mode=True)
    array([[[4., 5.]]])
    >>> avg_pool2d(image, 2, padding=1, count_include_pad=False)
    array([[[1. , 4.5],
            [3. , 6.5]]])
    """
    x, unbatched = batch_of_images(array_of(input, "input", AVERAGED, "average poolings"), "input")
    rows, columns = pool2d_axes(
        x.shape[2:],
        one_or_pair(kernel_size),
        one_or_pair(stride),
        one_or_pair(padding),
        1,
        ceil_mode,
    )
    if flag(count_include_pad, "count_include_pad"):
        counts = cells_per_window(rows.padded, columns.padded)
    else:
        counts = cells_per_window(rows.real, columns.real)
    if divisor_override is not None:
        counts = np.array(_divisor(divisor_override), np.int64)
    with np.errstate(all="ignore"):
        y = divide(total(x, rows, columns, sum_dtype(x.dtype)), counts, x.dtype)
    return y[0] if unbatched else y


def cells_per_window(rows: tuple[int, ...], columns: tuple[int, ...]) -> Array:
    """Multiply the cells that each window has in one direction with those in the other."""
    counts: Array = np.multiply.outer(np.array(rows, np.int64), np.array(columns, np.int64))
    return counts


def sum_dtype(dtype: np.dtype[Any]) -> type[np.generic]:
    """Name the type in which windows of `dtype` are summed."""
    return np.float64 if dtype.kind == "f" else np.int64


def divide(sums: Array, counts: Array, dtype: np.dtype[Any]) -> Array:
    """Turn sums into means of `dtype`, overflowing where PyTorch does."""
    if dtype.kind != "f":  # as C divides integers: towards zero
        quotient: Array = (sums - np.fmod(sums, counts)) // counts
        return quotient
    working = np.promote_types(dtype, np.float32)
    means: Array = sums.astype(working) / counts.astype(working)
    return means.astype(dtype, copy=False)


def _divisor(value: int) -> int:
    limit = 2**63
    number = integer(value, "divisor_override", minimum=-limit)
    if number == 0 or number >= limit:
        raise ValueError(
            f"divisor_override must be a whole number other than 0 from {-limit} to {limit - 1}, "
            f"got {number}"
        )
    return number
