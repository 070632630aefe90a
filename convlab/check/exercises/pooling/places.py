"""Mistakes of max pooling: wrong places, borders and windows."""

from __future__ import annotations

import numpy as np

from convlab.check.exercises.pooling.maxima import (
    compare_pixels,
    max_pool2d,
    pad,
    reduce_windows,
)

_RANGE = "`range` leaves out its end, and the last place is `height - kernel_size`: one is missing."


def _count_by_range(x, kernel_size, stride, padding):
    """Return how many places `range(0, size - kernel_size, stride)` has along both axes."""
    return [len(range(0, side + 2 * padding - kernel_size, stride)) for side in x.shape[2:]]


@max_pool2d.mistake(_RANGE)
def pool_range_too_short(x, kernel_size, stride, padding):
    height, width = _count_by_range(x, kernel_size, stride, padding)
    return max_pool2d.solution(x, kernel_size, stride, padding)[:, :, :height, :width]


@max_pool2d.mistake(_RANGE)
def pool_range_too_short_or_empty(x, kernel_size, stride, padding):
    if 0 in _count_by_range(x, kernel_size, stride, padding):
        raise ValueError("there are no windows")
    return pool_range_too_short(x, kernel_size, stride, padding)


@max_pool2d.mistake(_RANGE)
def pool_range_leaves_zeros(x, kernel_size, stride, padding):
    y = max_pool2d.solution(x, kernel_size, stride, padding)
    height, width = _count_by_range(x, kernel_size, stride, padding)
    y[:, :, height:] = y[..., width:] = 0
    return y


_FIRST_PLACE = "The first place of the window needs no step: a row and a column are missing."


@max_pool2d.mistake(_FIRST_PLACE)
def pool_last_places_zero(x, kernel_size, stride, padding):
    y = max_pool2d.solution(x, kernel_size, stride, padding)
    y[:, :, -1] = y[..., -1] = 0
    return y


@max_pool2d.mistake(_FIRST_PLACE)
def pool_last_places_infinite(x, kernel_size, stride, padding):
    y = max_pool2d.solution(x, kernel_size, stride, padding)
    y[:, :, -1] = y[..., -1] = -np.inf
    return y


_NOT_SQUARE = "A map need not be square: rows and columns have sizes of their own."


def _pool_square(arguments, axis):
    """Pool as if both sides of the map were that of an axis."""
    x, kernel_size, stride, padding = arguments
    side = (x.shape[axis] + 2 * padding - kernel_size) // stride + 1
    return reduce_windows(
        arguments,
        lambda window: window.max(axis=(2, 3)),
        size=lambda cells, kernel_size, stride: side,
    )


@max_pool2d.mistake(_NOT_SQUARE)
def pool_as_wide_as_high(x, kernel_size, stride, padding):
    return _pool_square((x, kernel_size, stride, padding), 2)


@max_pool2d.mistake(_NOT_SQUARE)
def pool_as_high_as_wide(x, kernel_size, stride, padding):
    return _pool_square((x, kernel_size, stride, padding), 3)


@max_pool2d.mistake(_NOT_SQUARE)
def pool_as_wide_as_high_by_pixel(x, kernel_size, stride, padding):
    y = max_pool2d.solution(x, kernel_size, stride, padding)
    if y.shape[2] > y.shape[3]:
        raise IndexError("there are not as many columns as rows")
    return y[..., : y.shape[2]]


@max_pool2d.mistake(_NOT_SQUARE)
def pool_sides_exchanged(x, kernel_size, stride, padding):
    height, width = ((x.shape[axis] + 2 * padding - kernel_size) // stride + 1 for axis in (3, 2))
    x = pad(x, padding, -np.inf)
    y = np.zeros((*x.shape[:2], height, width))
    for i, j in np.ndindex(height, width):
        top, left = i * stride, j * stride
        window = x[:, :, top : top + kernel_size, left : left + kernel_size]
        y[:, :, i, j] = window.max(axis=(2, 3))
    return y


@max_pool2d.mistake("A negative start of a slice counts from the end: pad, or begin at 0 at least.")
def pool_negative_start(x, kernel_size, stride, padding):
    y = np.zeros_like(max_pool2d.solution(x, kernel_size, stride, padding))
    for i, j in np.ndindex(y.shape[2:]):
        top, left = i * stride - padding, j * stride - padding
        window = x[:, :, top : top + kernel_size, left : left + kernel_size]
        y[:, :, i, j] = window.max(axis=(2, 3))
    return y


@max_pool2d.mistake("A negative index counts from the end of the axis: leave such pixels out.")
def pool_negative_index(x, kernel_size, stride, padding):
    y = np.full_like(max_pool2d.solution(x, kernel_size, stride, padding), -np.inf)
    for place in np.ndindex(y.shape):
        n, c, i, j = place
        for u, v in np.ndindex(kernel_size, kernel_size):
            row, column = i * stride - padding + u, j * stride - padding + v
            if row < x.shape[2] and column < x.shape[3]:
                y[place] = max(y[place], x[n, c, row, column])
    return y


@max_pool2d.mistake("At the border a window ends `kernel_size` cells behind where it would begin.")
def pool_window_too_large_at_the_border(x, kernel_size, stride, padding):
    y = np.zeros_like(max_pool2d.solution(x, kernel_size, stride, padding))
    for i, j in np.ndindex(y.shape[2:]):
        top, left = max(0, i * stride - padding), max(0, j * stride - padding)
        window = x[:, :, top : top + kernel_size, left : left + kernel_size]
        y[:, :, i, j] = window.max(axis=(2, 3))
    return y


@max_pool2d.mistake("A window has `kernel_size` rows and columns: the end of a slice is left out.")
def pool_window_one_larger(x, kernel_size, stride, padding):
    y = np.zeros_like(max_pool2d.solution(x, kernel_size, stride, padding))
    x = pad(x, padding, -np.inf)
    for i, j in np.ndindex(y.shape[2:]):
        top, left = i * stride, j * stride
        window = x[:, :, top : top + kernel_size + 1, left : left + kernel_size + 1]
        y[:, :, i, j] = window.max(axis=(2, 3))
    return y


@max_pool2d.mistake("A window has `kernel_size` rows and columns: the end of a slice is left out.")
def pool_window_one_smaller(x, kernel_size, stride, padding):
    y = np.zeros_like(max_pool2d.solution(x, kernel_size, stride, padding))
    x = pad(x, padding, -np.inf)
    for i, j in np.ndindex(y.shape[2:]):
        top, left = i * stride, j * stride
        window = x[:, :, top : top + kernel_size - 1, left : left + kernel_size - 1]
        y[:, :, i, j] = window.max(axis=(2, 3))
    return y


@max_pool2d.mistake("The whole is divided by the stride, not the kernel size alone: set brackets.")
def pool_brackets_forgotten(x, kernel_size, stride, padding):
    return reduce_windows(
        (x, kernel_size, stride, padding),
        lambda window: window.max(axis=(2, 3)),
        size=lambda cells, kernel_size, stride: cells - kernel_size // stride + 1,
    )


@max_pool2d.mistake("+ 1 comes behind the division: the first place needs no step.")
def pool_one_added_first(x, kernel_size, stride, padding):
    height, width = ((side + 2 * padding - kernel_size + 1) // stride for side in x.shape[2:])
    return max_pool2d.solution(x, kernel_size, stride, padding)[:, :, :height, :width]


@max_pool2d.mistake("A window lies on the padded map wholly: the last ones hang over the end.")
def pool_windows_over_the_end(x, kernel_size, stride, padding):
    return reduce_windows(
        (x, kernel_size, stride, padding),
        lambda window: window.max(axis=(2, 3)),
        size=lambda cells, kernel_size, stride: -(-cells // stride),
    )


@max_pool2d.mistake(
    "A window lies on the padded map wholly: the kernel size is missing in the size."
)
def pool_size_without_kernel(x, kernel_size, stride, padding):
    return reduce_windows(
        (x, kernel_size, stride, padding),
        lambda window: window.max(axis=(2, 3)),
        size=lambda cells, kernel_size, stride: cells // stride,
    )


@max_pool2d.mistake(
    "A window lies on the padded map wholly: the kernel size is missing in the size."
)
def pool_size_without_kernel_and_one(x, kernel_size, stride, padding):
    return reduce_windows(
        (x, kernel_size, stride, padding),
        lambda window: window.max(axis=(2, 3)),
        size=lambda cells, kernel_size, stride: cells // stride + 1,
    )


@max_pool2d.mistake("The border is as wide as `padding`, not as half a window.")
def pool_padding_of_half_a_window(x, kernel_size, stride, padding):
    return max_pool2d.solution(pad(x, kernel_size // 2, -np.inf), kernel_size, stride, 0)


@max_pool2d.mistake("The border is `padding` cells wide on each side, not twice that.")
def pool_padding_doubled(x, kernel_size, stride, padding):
    return max_pool2d.solution(pad(x, 2 * padding, -np.inf), kernel_size, stride, 0)


@max_pool2d.mistake("The padding lies on both sides of an axis. You pad before it twice.")
def pool_padding_before_only(x, kernel_size, stride, padding):
    sides = (2 * padding, 0)
    padded = np.pad(x, ((0, 0), (0, 0), sides, sides), constant_values=-np.inf)
    return max_pool2d.solution(padded, kernel_size, stride, 0)


@max_pool2d.mistake("The padding lies on both sides of an axis: it is missing before it.")
def pool_padding_behind_only(x, kernel_size, stride, padding):
    sides = (0, padding)
    padded = np.pad(x, ((0, 0), (0, 0), sides, sides), constant_values=-np.inf)
    return max_pool2d.solution(padded, kernel_size, stride, 0)


@max_pool2d.mistake("The border holds no pixels of the map: what loses against every pixel?")
def padded_by_wrapping(x, kernel_size, stride, padding):
    sides = (padding, padding)
    return max_pool2d.solution(
        np.pad(x, ((0, 0), (0, 0), sides, sides), mode="wrap"), kernel_size, stride, 0
    )


@max_pool2d.mistake("The border holds no pixels of the map: what loses against every pixel?")
def padded_by_reflection(x, kernel_size, stride, padding):
    sides = (padding, padding)
    return max_pool2d.solution(
        np.pad(x, ((0, 0), (0, 0), sides, sides), mode="reflect"), kernel_size, stride, 0
    )


@max_pool2d.mistake("Nothing is compared: you keep the first pixel of each window.")
def pool_first_pixel(x, kernel_size, stride, padding):
    return compare_pixels(
        (x, kernel_size, stride, padding), lambda n, c, i, j, u, v: (n, c, i * stride, j * stride)
    )


@max_pool2d.mistake("Nothing is compared: you keep the last pixel of each window.")
def pool_last_pixel(x, kernel_size, stride, padding):
    last = kernel_size - 1
    return compare_pixels(
        (x, kernel_size, stride, padding),
        lambda n, c, i, j, u, v: (n, c, i * stride + last, j * stride + last),
    )


@max_pool2d.mistake("Columns move by `stride`, too, not only rows.")
def pool_columns_by_one(x, kernel_size, stride, padding):
    return compare_pixels(
        (x, kernel_size, stride, padding),
        lambda n, c, i, j, u, v: (n, c, i * stride + u, j + v),
    )


@max_pool2d.mistake("Rows move by `stride`, too, not only columns.")
def pool_rows_by_one(x, kernel_size, stride, padding):
    return compare_pixels(
        (x, kernel_size, stride, padding),
        lambda n, c, i, j, u, v: (n, c, i + u, j * stride + v),
    )


@max_pool2d.mistake("The steps inside a window are single cells: only its place is multiplied.")
def pool_stride_inside_the_window(x, kernel_size, stride, padding):
    return compare_pixels(
        (x, kernel_size, stride, padding),
        lambda n, c, i, j, u, v: (n, c, (i + u) * stride, (j + v) * stride),
    )


@max_pool2d.mistake("Each image is pooled by itself. You take the maximum over the batch, too.")
def pool_maximum_over_images(x, kernel_size, stride, padding):
    y = max_pool2d.solution(x, kernel_size, stride, padding)
    return np.broadcast_to(y.max(axis=0, keepdims=True), y.shape)


@max_pool2d.mistake("The axes are image, channel, row, column: the channels come second.")
def pool_channels_last(x, kernel_size, stride, padding):
    return np.moveaxis(max_pool2d.solution(x, kernel_size, stride, padding), 1, -1)


@max_pool2d.mistake("The maxima are right, but images and channels come first, then the places.")
def pool_places_first(x, kernel_size, stride, padding):
    return np.moveaxis(max_pool2d.solution(x, kernel_size, stride, padding), (2, 3), (0, 1))


@max_pool2d.mistake("The maximum is begun anew for each window.")
def pool_maximum_never_reset(x, kernel_size, stride, padding):
    y = max_pool2d.solution(x, kernel_size, stride, padding)
    return np.maximum.accumulate(y.ravel()).reshape(y.shape)


@max_pool2d.mistake("A window has rows and columns: the maximum is taken over both axes.")
def pool_one_axis_left(x, kernel_size, stride, padding):
    x = pad(x, padding, -np.inf)
    windows = np.lib.stride_tricks.sliding_window_view(x, (kernel_size, kernel_size), axis=(2, 3))
    return windows[:, :, ::stride, ::stride].max(axis=5)
