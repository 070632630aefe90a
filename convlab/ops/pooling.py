"""Max and average pooling, with given windows or a given output size (adaptive)."""

from __future__ import annotations

from typing import Any, Literal, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from convlab._validate import IntOrPair, flag, integer
from convlab.ops.checks import FLOATS, array_of, batch_of_images, check_memory, unwrap_one
from convlab.ops.window_reductions import (
    PoolingWindows,
    window_max,
    window_max_with_index,
    window_sum,
)
from convlab.shapes import adaptive_output_size
from convlab.shapes.pooling import OutputSize, pooling_axes

ADAPTIVE_DTYPES = (np.dtype(np.float16), *FLOATS)
AVG_DTYPES = (np.dtype(np.int64), *ADAPTIVE_DTYPES)
INTEGERS = tuple(map(np.dtype, (np.uint8, np.int8, np.int16, np.int32, np.int64)))
MAX_DTYPES = (*INTEGERS, *ADAPTIVE_DTYPES)

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
    """Apply 2-D max pooling: the maximum of each window, channel by channel.

    Same arguments and results as ``torch.nn.functional.max_pool2d``.

    Parameters
    ----------
    input : array, (N, C, H, W) or (C, H, W)
        float16, float32, float64, uint8 or a signed integer. N may be 0, the others not.
    kernel_size : int or (height, width)
        Rows and columns of a window, at least 1.
    stride : int, (height, width) or None
        Distance between neighbouring positions of the window, at least 1. None stands for
        `kernel_size`: windows side by side.
    padding : int or (height, width)
        Cells added on each of two opposite sides, at most half of `kernel_size`. They are never the
        maximum, even if all other cells are minus infinity.
    dilation : int or (height, width)
        Distance between neighbouring cells of a window.
    ceil_mode : bool
        Let the last window extend past the edge if cells would be left over.
    return_indices : bool
        Also return the index of each maximum.

    Returns
    -------
    array, (N, C, outH, outW) or (C, outH, outW)
        New, in the dtype of the input; the size is `convlab.shapes.pool2d_output_size`. With
        `return_indices` a pair: this, and an int64 array of the same shape with
        ``row * W + column`` of each maximum in the input (not in the padded one).

    Raises
    ------
    TypeError
        If `input` has another dtype, a number is not an int, or `ceil_mode` not a bool.
    ValueError
        If a shape or number is out of range, the padding is more than half of the kernel, or no
        window fits.

    Notes
    -----
    The maximum of a window with a NaN is NaN. The index is that of the first of equal numbers in
    reading order, and of the last of several NaN. Which of 0.0 and -0.0 is returned is defined only
    with `return_indices`: the first.

    With `dilation` and `padding`, all cells of a window can lie outside of the input. Its maximum
    is then minus infinity (or the smallest integer), and its index, as in PyTorch, that of its
    first cell that is not before the input, which may lie behind it.

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
    x = array_of(input, "input", MAX_DTYPES, "max pooling layers")
    x, unbatched = batch_of_images(x, "input")
    rows, columns = _pooling_windows(x, kernel_size, stride, padding, dilation, ceil_mode)
    return _max(x, rows, columns, return_indices, unbatched)


def avg_pool2d(
    input: ArrayLike,
    kernel_size: IntOrPair,
    stride: IntOrPair | None = None,
    padding: IntOrPair = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Array:
    """Apply 2-D average pooling: the mean of each window, channel by channel.

    Same arguments and results as ``torch.nn.functional.avg_pool2d``.

    Parameters
    ----------
    input : array, (N, C, H, W) or (C, H, W)
        float16, float32, float64 or int64. N may be 0, the others not.
    kernel_size, stride, ceil_mode
        As for `max_pool2d`.
    padding : int or (height, width)
        Zeros added on each of two opposite sides, at most half of `kernel_size`.
    count_include_pad : bool
        Divide by the number of cells of the window including the padding, or else by the number of
        cells of the input alone. Cells beyond the padding (with `ceil_mode`) are never counted.
    divisor_override : int, optional
        Divide every sum by this number instead; negative is allowed, 0 is not.

    Returns
    -------
    array, (N, C, outH, outW) or (C, outH, outW)
        New, in the dtype of the input; the size is `convlab.shapes.pool2d_output_size`.

    Raises
    ------
    TypeError
        If `input` has another dtype, a number is not an int, or a flag not a bool.
    ValueError
        As `max_pool2d`, or if `divisor_override` is 0 or needs more than 64 bits.

    Notes
    -----
    Sums are formed in float64, rounded to float32 unless the input is float64, and divided: the
    relative error is below 1e-6 in float32 if all numbers have the same sign. As in PyTorch, a sum
    too large for float32 is infinite although the mean might not be. With int64, sums wrap around
    and the quotient is rounded towards zero.

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
    x = array_of(input, "input", AVG_DTYPES, "average pooling layers")
    x, unbatched = batch_of_images(x, "input")
    rows, columns = _pooling_windows(x, kernel_size, stride, padding, 1, ceil_mode)
    if flag(count_include_pad, "count_include_pad"):
        counts = _cell_counts(rows.padded_cells, columns.padded_cells)
    else:
        counts = _cell_counts(rows.input_cells, columns.input_cells)
    if divisor_override is not None:
        counts = np.array(_divisor(divisor_override), np.int64)
    return _mean(x, rows, columns, counts, unbatched)


def adaptive_avg_pool2d(input: ArrayLike, output_size: OutputSize) -> Array:
    """Apply 2-D adaptive average pooling: means of windows that fit the output size.

    Same arguments and results as ``torch.nn.functional.adaptive_avg_pool2d``. With
    ``output_size=1`` it is global average pooling: one mean per channel.

    Parameters
    ----------
    input : array, (N, C, H, W) or (C, H, W)
        float16, float32 or float64. N and C may be 0, the others not.
    output_size : int or (height, width)
        Size of the output; None for one of the two keeps that of the input.

    Returns
    -------
    array, (N, C, outH, outW) or (C, outH, outW)
        New, in the dtype of the input. The windows are `convlab.shapes.adaptive_windows`.

    Raises
    ------
    TypeError
        If `input` has another dtype, or `output_size` contains anything but ints and None.
    ValueError
        If `input` has another number of dimensions or no pixels, or `output_size` is negative or
        not a pair.

    Notes
    -----
    Accuracy and overflow are those of `avg_pool2d`. Stricter than PyTorch in one case: with
    ``output_size=1``, PyTorch also accepts other numbers of dimensions, and images without pixels.

    Examples
    --------
    >>> image = np.arange(9.0).reshape(1, 3, 3)
    >>> adaptive_avg_pool2d(image, 2)
    array([[[2., 3.],
            [5., 6.]]])
    >>> adaptive_avg_pool2d(image, (None, 1))
    array([[[1.],
            [4.],
            [7.]]])
    """
    x = array_of(input, "input", ADAPTIVE_DTYPES, "adaptive pooling layers")
    x, unbatched = batch_of_images(x, "input", min_channels=0)
    rows, columns = _adaptive_windows(x, output_size)
    return _mean(x, rows, columns, _cell_counts(rows.input_cells, columns.input_cells), unbatched)


@overload
def adaptive_max_pool2d(
    input: ArrayLike, output_size: OutputSize, return_indices: Literal[False] = False
) -> Array: ...
@overload
def adaptive_max_pool2d(
    input: ArrayLike, output_size: OutputSize, return_indices: Literal[True]
) -> tuple[Array, Array]: ...
@overload
def adaptive_max_pool2d(
    input: ArrayLike, output_size: OutputSize, return_indices: bool = False
) -> Array | tuple[Array, Array]: ...
def adaptive_max_pool2d(
    input: ArrayLike, output_size: OutputSize, return_indices: bool = False
) -> Array | tuple[Array, Array]:
    """Apply 2-D adaptive max pooling: maxima of windows that fit the output size.

    Same arguments and results as ``torch.nn.functional.adaptive_max_pool2d``.

    Parameters
    ----------
    input : array, (N, C, H, W) or (C, H, W)
        float16, float32 or float64. N may be 0; C only without N.
    output_size : int or (height, width)
        As for `adaptive_avg_pool2d`.
    return_indices : bool
        Also return the index of each maximum.

    Returns
    -------
    array, (N, C, outH, outW) or (C, outH, outW)
        New, in the dtype of the input; with `return_indices` a pair, as for `max_pool2d`, which
        also defines what happens with equal numbers and NaN.

    Raises
    ------
    TypeError, ValueError
        As `adaptive_avg_pool2d`.

    Examples
    --------
    >>> adaptive_max_pool2d(np.arange(9.0).reshape(1, 3, 3), 2)
    array([[[4., 5.],
            [7., 8.]]])
    """
    x = array_of(input, "input", ADAPTIVE_DTYPES, "adaptive pooling layers")
    x, unbatched = batch_of_images(x, "input", min_channels=x.ndim - 3)  # as in PyTorch
    rows, columns = _adaptive_windows(x, output_size)
    return _max(x, rows, columns, return_indices, unbatched)


def _pooling_windows(
    x: Array,
    kernel_size: IntOrPair,
    stride: IntOrPair | None,
    padding: IntOrPair,
    dilation: IntOrPair,
    ceil_mode: bool,
) -> tuple[PoolingWindows, PoolingWindows]:
    rows, columns = pooling_axes(
        x.shape[2:],
        unwrap_one(kernel_size),
        unwrap_one(stride),
        unwrap_one(padding),
        unwrap_one(dilation),
        ceil_mode,
    )
    return PoolingWindows.of_pooling(rows), PoolingWindows.of_pooling(columns)


def _adaptive_windows(x: Array, output_size: OutputSize) -> tuple[PoolingWindows, PoolingWindows]:
    images, channels, height, width = x.shape
    out_h, out_w = adaptive_output_size((height, width), output_size)
    check_memory((images, channels, out_h, out_w), 8, f"output_size={output_size}")
    return (
        PoolingWindows.of_adaptive_pooling(height, out_h),
        PoolingWindows.of_adaptive_pooling(width, out_w),
    )


def _max(
    x: Array, rows: PoolingWindows, columns: PoolingWindows, return_indices: bool, unbatched: bool
) -> Array | tuple[Array, Array]:
    if return_indices:
        values, indices = window_max_with_index(x, rows, columns)
        return (values[0], indices[0]) if unbatched else (values, indices)
    values = window_max(x, rows, columns)
    return values[0] if unbatched else values


def _mean(
    x: Array, rows: PoolingWindows, columns: PoolingWindows, counts: Array, unbatched: bool
) -> Array:
    """Return the sum of each window divided by `counts`; it overflows where PyTorch's does."""
    means: Array
    is_float = x.dtype.kind == "f"
    with np.errstate(all="ignore"):
        sums = window_sum(x, rows, columns, np.float64 if is_float else np.int64)
        if is_float:
            working = np.promote_types(x.dtype, np.float32)
            means = (sums.astype(working) / counts.astype(working)).astype(x.dtype, copy=False)
        else:  # round towards zero, as C divides integers
            means = (sums - np.fmod(sums, counts)) // counts
    return means[0] if unbatched else means


def _cell_counts(rows: tuple[int, ...], columns: tuple[int, ...]) -> Array:
    """Return the number of cells of every window from those in each direction."""
    counts: Array = np.multiply.outer(np.array(rows, np.int64), np.array(columns, np.int64))
    return counts


def _divisor(value: int) -> int:
    limit = 2**63
    number = integer(value, "divisor_override", minimum=-limit)
    if number == 0 or number >= limit:
        raise ValueError(
            f"divisor_override must be an int other than 0 from {-limit} to {limit - 1}, "
            f"got {number}"
        )
    return number
