"""Exercise: max pooling."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import numpy as np
from numpy.typing import NDArray

from convlab.check.exercise import Arguments, random_array
from convlab.check.exercises.pooling.values import chapter


def _huge(random: Random) -> NDArray[np.float64]:
    """Return a map with numbers below those that a border may hold, and a large one inside."""
    x = random_array(random, 1, 1, 4, 4, low=-9, high=-1)
    x[0, 0, 1, 1] = 1.0
    return x * 1e20


def _maps(random: Random) -> Iterator[Arguments]:
    """Yield maps and settings of poolings, from the simplest on."""
    yield random_array(random, 1, 1, 2, 4, low=1, high=9), 2, 2, 0
    yield random_array(random, 1, 1, 4, 2, low=-9, high=-1), 2, 2, 0
    yield random_array(random, 1, 1, 3, 5, low=1, high=9), 3, 1, 0
    yield random_array(random, 1, 1, 3, 6, low=1, high=9), 2, 3, 0
    yield random_array(random, 1, 3, 2, 2, low=1, high=9), 2, 2, 0
    yield random_array(random, 2, 1, 2, 4, low=1, high=9), 2, 2, 0
    yield random_array(random, 1, 1, 3, 5, low=1, high=9), 2, 2, 0
    yield random_array(random, 1, 1, 2, 4, low=1, high=9), 2, 2, 1
    yield random_array(random, 1, 1, 2, 4, low=-9, high=-1), 2, 2, 1
    yield _huge(random), 2, 2, 1
    for _ in range(20):
        kernel_size, stride = random.randint(1, 4), random.randint(1, 3)
        sides = (kernel_size + random.randint(0, 4) for _ in range(2))
        x = random_array(random, random.randint(1, 2), random.randint(1, 3), *sides, low=-9, high=2)
        yield x, kernel_size, stride, random.randint(0, kernel_size // 2)


@chapter.code(
    title="Max pooling",
    minutes=10,
    imports="import numpy as np",
    text="`x` has the shape (N, C, H, W); `kernel_size`, `stride` and `padding` are ints, for both "
    "directions. Pool as `nn.MaxPool2d` does, rounding sizes down, and return an array.",
    cases=_maps,
    hints=[
        "The size of the output follows from the same formula as for a convolution.",
        "What may a cell of the padding hold, so that it never wins?",
        "Loop over rows and columns of the output; all images and channels can be pooled at once.",
    ],
    explanation="A border of −∞ loses against every pixel.",
)
def max_pool2d(x, kernel_size, stride, padding):
    """Return the maxima, of shape (N, C, H_out, W_out)."""
    sides = (padding, padding)
    x = np.pad(x, ((0, 0), (0, 0), sides, sides), constant_values=-np.inf)
    images, channels, height, width = x.shape
    out_h, out_w = (height - kernel_size) // stride + 1, (width - kernel_size) // stride + 1
    y = np.empty((images, channels, out_h, out_w))
    for i, j in np.ndindex(out_h, out_w):
        top, left = i * stride, j * stride
        window = x[:, :, top : top + kernel_size, left : left + kernel_size]
        y[:, :, i, j] = window.max(axis=(2, 3))
    return y


def pad(x, padding, value):
    """Return maps with a border of a value."""
    sides = (padding, padding)
    return np.pad(x, ((0, 0), (0, 0), sides, sides), constant_values=value)


@max_pool2d.mistake("A 0 of the padding wins against negative pixels. What would never win?")
def padded_with_zeros(x, kernel_size, stride, padding):
    return max_pool2d.solution(pad(x, padding, 0), kernel_size, stride, 0)


@max_pool2d.mistake("The search for the maximum begins at 0: all pixels may be less than that.")
def maximum_begins_at_zero(x, kernel_size, stride, padding):
    return np.maximum(max_pool2d.solution(x, kernel_size, stride, padding), 0)


@max_pool2d.mistake("The padding is missing: it gives the window more places.")
def pool_padding_forgotten(x, kernel_size, stride, padding):
    return max_pool2d.solution(x, kernel_size, stride, 0)


@max_pool2d.mistake("The padding lies on both sides of an axis, and so counts twice in the size.")
def pool_padding_on_one_side(x, kernel_size, stride, padding):
    sides = (padding, 0)
    x = np.pad(x, ((0, 0), (0, 0), sides, sides), constant_values=-np.inf)
    return max_pool2d.solution(x, kernel_size, stride, 0)


@max_pool2d.mistake("Only rows and columns are padded, not the axes of images and channels.")
def pool_padding_of_all_axes(x, kernel_size, stride, padding):
    padded = np.pad(x, padding, constant_values=-np.inf)
    return max_pool2d.solution(padded, kernel_size, stride, 0)


@max_pool2d.mistake("`stride` is not used. It need not be the size of the window.")
def pool_stride_is_kernel_size(x, kernel_size, stride, padding):
    return max_pool2d.solution(x, kernel_size, kernel_size, padding)


@max_pool2d.mistake("The window moves by `stride` cells at a time, not by one.")
def pool_stride_one(x, kernel_size, stride, padding):
    return max_pool2d.solution(x, kernel_size, 1, padding)


@max_pool2d.mistake("The size is right. But where do the windows begin, if they move by `stride`?")
def pool_stride_in_the_size_only(x, kernel_size, stride, padding):
    full = max_pool2d.solution(x, kernel_size, 1, padding)
    height, width = (
        (size + 2 * padding - kernel_size) // stride + 1 for size in (x.shape[2], x.shape[3])
    )
    return full[:, :, :height, :width]


@max_pool2d.mistake("The size of a window is `kernel_size`. You use the stride for it.")
def pool_window_is_stride(x, kernel_size, stride, padding):
    x = pad(x, padding, -np.inf)
    height, width = ((size - kernel_size) // stride + 1 for size in x.shape[2:])
    return max_pool2d.solution(x, stride, stride, 0)[:, :, :height, :width]


@max_pool2d.mistake("Those are the means. Max pooling keeps the largest number.")
def means_taken(x, kernel_size, stride, padding):
    x = pad(x, padding, 0)
    windows = np.lib.stride_tricks.sliding_window_view(x, (kernel_size, kernel_size), axis=(2, 3))
    return windows[:, :, ::stride, ::stride].mean(axis=(4, 5))


@max_pool2d.mistake("Those are the minima. Max pooling keeps the largest number.")
def minima_taken(x, kernel_size, stride, padding):
    return -max_pool2d.solution(-x, kernel_size, stride, padding)


@max_pool2d.mistake("Those are the sums. Max pooling keeps the largest number.")
def sums_taken(x, kernel_size, stride, padding):
    return means_taken(x, kernel_size, stride, padding) * kernel_size**2


@max_pool2d.mistake("Each channel is pooled by itself. You take the maximum over all of them.")
def channels_pooled(x, kernel_size, stride, padding):
    return max_pool2d.solution(x, kernel_size, stride, padding).max(axis=1, keepdims=True)


@max_pool2d.mistake("Each channel is pooled by itself. You take the maximum over all of them.")
def channels_pooled_in_each_map(x, kernel_size, stride, padding):
    y = max_pool2d.solution(x, kernel_size, stride, padding)
    return np.broadcast_to(y.max(axis=1, keepdims=True), y.shape)


@max_pool2d.mistake("Each image is pooled by itself. You take the maximum over the batch, too.")
def images_pooled_in_each_map(x, kernel_size, stride, padding):
    y = max_pool2d.solution(x, kernel_size, stride, padding)
    return np.broadcast_to(y.max(axis=(0, 1), keepdims=True), y.shape)


@max_pool2d.mistake("The first place of the window needs no step: a row and a column are missing.")
def pool_last_places_missing(x, kernel_size, stride, padding):
    return max_pool2d.solution(x, kernel_size, stride, padding)[:, :, :-1, :-1]


@max_pool2d.mistake("A window has several rows. You take the maximum along the width only.")
def one_row_pooled(x, kernel_size, stride, padding):
    x = pad(x, padding, -np.inf)
    windows = np.lib.stride_tricks.sliding_window_view(x, (kernel_size, kernel_size), axis=(2, 3))
    return windows[:, :, ::stride, ::stride, 0].max(axis=4)


@max_pool2d.mistake("The output has four axes, and all images of the batch.")
def pool_first_image_only(x, kernel_size, stride, padding):
    return max_pool2d.solution(x[:1], kernel_size, stride, padding)


@max_pool2d.mistake("The size is divided by the window's. Where is the stride in it?")
def pool_size_by_division(x, kernel_size, stride, padding):
    full = max_pool2d.solution(x, kernel_size, stride, padding)
    return full[:, :, : x.shape[2] // kernel_size, : x.shape[3] // kernel_size]


@max_pool2d.mistake("A finite number wins against pixels that are less still. What never wins?")
def padded_with_minus_one(x, kernel_size, stride, padding):
    return max_pool2d.solution(pad(x, padding, -1), kernel_size, stride, 0)


@max_pool2d.mistake("A finite number wins against pixels that are less still. What never wins?")
def padded_with_finite_number(x, kernel_size, stride, padding):
    return max_pool2d.solution(pad(x, padding, -1e9), kernel_size, stride, 0)


def reduce_windows(
    arguments, reduce, size=lambda cells, kernel_size, stride: (cells - kernel_size) // stride + 1
):
    """Reduce each window of the padded maps."""
    x, kernel_size, stride, padding = arguments
    x = pad(x, padding, -np.inf)
    y = np.zeros((*x.shape[:2], *(size(cells, kernel_size, stride) for cells in x.shape[2:])))
    for i, j in np.ndindex(y.shape[2:]):
        top, left = i * stride, j * stride
        y[:, :, i, j] = reduce(x[:, :, top : top + kernel_size, left : left + kernel_size])
    return y


@max_pool2d.mistake("Sizes are rounded down here, as without `ceil_mode`.")
def pool_rounded_up(x, kernel_size, stride, padding):
    return reduce_windows(
        (x, kernel_size, stride, padding),
        lambda window: window.max(axis=(2, 3)),
        size=lambda cells, kernel_size, stride: -(-(cells - kernel_size) // stride) + 1,
    )


@max_pool2d.mistake("A window of `kernel_size` cells has fewer places than that: what is the size?")
def pool_size_by_stride(x, kernel_size, stride, padding):
    return reduce_windows(
        (x, kernel_size, stride, padding),
        lambda window: window.max(axis=(2, 3)),
        size=lambda cells, kernel_size, stride: (cells - 2 * padding) // stride,
    )


@max_pool2d.mistake("A size is a whole number, and `/` gives a float.")
def pool_size_is_float(x, kernel_size, stride, padding):
    return np.zeros((*x.shape[:2], (x.shape[2] + 2 * padding - kernel_size) / stride + 1, 1))


@max_pool2d.mistake(
    "The maximum is taken over rows and columns of the window: which axes are these?"
)
def pool_over_first_axes(x, kernel_size, stride, padding):
    return reduce_windows((x, kernel_size, stride, padding), lambda window: window.max(axis=(0, 1)))


@max_pool2d.mistake("The maximum is taken over rows and columns of the window, not over channels.")
def pool_over_channels_and_window(x, kernel_size, stride, padding):
    return reduce_windows(
        (x, kernel_size, stride, padding), lambda window: window.max(axis=(1, 2, 3))
    )


@max_pool2d.mistake("The largest number is asked for, with its sign.")
def absolute_values(x, kernel_size, stride, padding):
    return max_pool2d.solution(np.abs(x), kernel_size, stride, padding)


@max_pool2d.mistake("The numbers are kept as they are: floats.")
def pool_whole_numbers(x, kernel_size, stride, padding):
    return max_pool2d.solution(x, kernel_size, stride, padding).astype(int)


@max_pool2d.mistake("The size counts the padding, but there is no border around the maps.")
def pool_padding_in_the_size_only(x, kernel_size, stride, padding):
    y = np.zeros_like(max_pool2d.solution(x, kernel_size, stride, padding))
    for i, j in np.ndindex(y.shape[2:]):
        top, left = i * stride, j * stride
        window = x[:, :, top : top + kernel_size, left : left + kernel_size]
        y[:, :, i, j] = window.max(axis=(2, 3))
    return y


@max_pool2d.mistake("The window begins at `i * stride`. Yours moves by its own size.")
def pool_moves_by_kernel_size(x, kernel_size, stride, padding):
    y = np.zeros_like(max_pool2d.solution(x, kernel_size, stride, padding))
    x = pad(x, padding, -np.inf)
    for i, j in np.ndindex(y.shape[2:]):
        top, left = i * kernel_size, j * kernel_size
        window = x[:, :, top : top + kernel_size, left : left + kernel_size]
        y[:, :, i, j] = window.max(axis=(2, 3))
    return y


@max_pool2d.mistake("The padding is in the maps, but not in the size of the output.")
def pool_padding_not_in_the_size(x, kernel_size, stride, padding):
    height, width = ((size - kernel_size) // stride + 1 for size in x.shape[2:])
    return max_pool2d.solution(x, kernel_size, stride, padding)[:, :, :height, :width]


@max_pool2d.mistake("The output has four axes: images and channels come first.")
def pool_axis_of_images_lost(x, kernel_size, stride, padding):
    return max_pool2d.solution(x, kernel_size, stride, padding)[0]


@max_pool2d.mistake("The numbers themselves are asked for, not their places.")
def places_of_maxima(x, kernel_size, stride, padding):
    return reduce_windows(
        (x, kernel_size, stride, padding),
        lambda window: window.reshape(*window.shape[:2], -1).argmax(axis=2),
    )


def compare_pixels(arguments, pixel, start=-np.inf):
    """Compare pixels, at indices that are wrong in one way."""
    x, kernel_size, stride, padding = arguments
    y = np.zeros_like(max_pool2d.solution(x, kernel_size, stride, padding))
    x = pad(x, padding, -np.inf)
    for place in np.ndindex(y.shape):
        cells = np.ndindex(kernel_size, kernel_size)
        y[place] = max([start, *(x[pixel(*place, *cell)] for cell in cells)])
    return y


@max_pool2d.mistake("The window begins at `i * stride`. Yours moves by its own size.")
def pool_pixels_by_kernel_size(x, kernel_size, stride, padding):
    return compare_pixels(
        (x, kernel_size, stride, padding),
        lambda n, c, i, j, u, v: (n, c, i * kernel_size + u, j * kernel_size + v),
    )


@max_pool2d.mistake("Row and column of the output are exchanged: rows come first.")
def pool_rows_and_columns_exchanged(x, kernel_size, stride, padding):
    return compare_pixels(
        (x, kernel_size, stride, padding),
        lambda n, c, i, j, u, v: (n, c, j * stride + u, i * stride + v),
    )


@max_pool2d.mistake("Each channel is pooled by itself. You pool the first one for all.")
def pool_first_channel_for_all(x, kernel_size, stride, padding):
    return max_pool2d.solution(np.repeat(x[:, :1], x.shape[1], 1), kernel_size, stride, padding)


@max_pool2d.mistake("Each image is pooled by itself. You pool the first one for all.")
def pool_first_image_for_all(x, kernel_size, stride, padding):
    return max_pool2d.solution(np.repeat(x[:1], len(x), 0), kernel_size, stride, padding)


@max_pool2d.mistake("A window has several columns. You take the maximum along the height only.")
def pool_one_column(x, kernel_size, stride, padding):
    return compare_pixels(
        (x, kernel_size, stride, padding),
        lambda n, c, i, j, u, v: (n, c, i * stride + u, j * stride),
    )


@max_pool2d.mistake("All pixels may be less than the number with which the search begins.")
def maximum_begins_at_minus_one(x, kernel_size, stride, padding):
    return np.maximum(max_pool2d.solution(x, kernel_size, stride, padding), -1)


@max_pool2d.mistake("Only rows and columns are padded, and not with zeros.")
def pool_zeros_on_all_axes(x, kernel_size, stride, padding):
    return max_pool2d.solution(np.pad(x, padding), kernel_size, stride, 0)


@max_pool2d.mistake("Rows are padded as well as columns.")
def pool_padding_of_columns_only(x, kernel_size, stride, padding):
    widths = ((0, 0), (0, 0), (0, 0), (padding, padding))
    return max_pool2d.solution(np.pad(x, widths, constant_values=-np.inf), kernel_size, stride, 0)


@max_pool2d.mistake("Columns are padded as well as rows.")
def pool_padding_of_rows_only(x, kernel_size, stride, padding):
    widths = ((0, 0), (0, 0), (padding, padding), (0, 0))
    return max_pool2d.solution(np.pad(x, widths, constant_values=-np.inf), kernel_size, stride, 0)


@max_pool2d.mistake("NaN spoils every window that it is in. What loses against every pixel?")
def padded_with_nan(x, kernel_size, stride, padding):
    return max_pool2d.solution(pad(x, padding, np.nan), kernel_size, stride, 0)


@max_pool2d.mistake("+∞ wins against every pixel. The border is to lose.")
def padded_with_plus_infinity(x, kernel_size, stride, padding):
    return max_pool2d.solution(pad(x, padding, np.inf), kernel_size, stride, 0)


@max_pool2d.mistake("Rows and columns of the output have changed places.")
def pool_output_transposed(x, kernel_size, stride, padding):
    return max_pool2d.solution(x, kernel_size, stride, padding).swapaxes(2, 3)


@max_pool2d.mistake("Each window has a maximum of its own. You take that of all numbers.")
def maximum_of_everything(x, kernel_size, stride, padding):
    return float(x.max())
