"""Exercise: windows as columns."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import numpy as np

from convlab.check.exercise import Arguments, Mistake, random_array
from convlab.check.exercises.algorithms.values import chapter


def _images(random: Random) -> Iterator[Arguments]:
    """Yield images and kernel sizes, from the simplest on."""
    yield np.arange(1.0, 5.0).reshape(1, 1, 2, 2), 1
    yield np.arange(1.0, 10.0).reshape(1, 1, 3, 3), 2
    yield np.arange(1.0, 9.0).reshape(1, 1, 2, 4), 2
    yield np.arange(1.0, 13.0).reshape(1, 2, 2, 3), 2
    yield np.arange(1.0, 13.0).reshape(2, 1, 2, 3), 2
    for _ in range(15):
        kernel_size = random.randint(1, 3)
        images, channels = random.randint(1, 3), random.randint(1, 3)
        height, width = (kernel_size + random.randint(0, 3) for _ in range(2))
        yield random_array(random, images, channels, height, width, low=0, high=99), kernel_size


@chapter.code(
    title="Windows as columns",
    minutes=12,
    imports="import numpy as np",
    text="`x` has the shape (N, C, H, W), `kernel_size` is an int, k. Write each window as a "
    "column, as `nn.Unfold(k)` does: return an array of shape (N, C k k, L), with L places. In "
    "a column channel comes after channel, in each of them row after row; the places go along "
    "the rows of the output. Stride 1, no padding.",
    cases=_images,
    hints=[
        "Loop over the places. A window of shape (N, C, k, k) becomes N columns.",
        "`reshape` puts the numbers of a window in the right order already.",
        "`np.stack(columns, axis=...)`: on which axis do the places lie?",
    ],
    explanation="With the kernels as rows of a matrix, the convolution is one product.",
)
def im2col(x, kernel_size):
    """Return the windows as columns, of shape (N, C k k, L)."""
    images, _, height, width = x.shape
    columns = []
    for i in range(height - kernel_size + 1):
        for j in range(width - kernel_size + 1):
            window = x[:, :, i : i + kernel_size, j : j + kernel_size]
            columns.append(window.reshape(images, -1))
    return np.stack(columns, axis=2)


def _split(x, kernel_size):
    """Return the windows with the axes image, channel, row, column, place, place."""
    out_h, out_w = (size - kernel_size + 1 for size in x.shape[2:])
    shape = (len(x), x.shape[1], kernel_size, kernel_size, out_h, out_w)
    return im2col.solution(x, kernel_size).reshape(shape)


@im2col.mistake("Those are windows as rows. The places are the last axis.")
def windows_as_rows(x, kernel_size):
    return im2col.solution(x, kernel_size).swapaxes(1, 2)


@im2col.mistake("The shape is right, the numbers are not: `reshape` exchanges no axes.")
def rows_reshaped(x, kernel_size):
    columns = im2col.solution(x, kernel_size)
    return columns.swapaxes(1, 2).reshape(columns.shape)


@im2col.mistake("In a column channel comes after channel. Yours goes through them at each pixel.")
def channels_innermost(x, kernel_size):
    columns = im2col.solution(x, kernel_size)
    return np.moveaxis(_split(x, kernel_size), 1, 3).reshape(columns.shape)


@im2col.mistake("The places go along the rows of the output. Yours go down its columns.")
def places_down_the_columns(x, kernel_size):
    columns = im2col.solution(x, kernel_size)
    return _split(x, kernel_size).swapaxes(4, 5).reshape(columns.shape)


@im2col.mistake("A window is read row after row. You read it down its columns.")
def window_down_its_columns(x, kernel_size):
    columns = im2col.solution(x, kernel_size)
    return _split(x, kernel_size).swapaxes(2, 3).reshape(columns.shape)


@im2col.mistake("Nothing is turned around: a window is read from its first row and column on.")
def window_turned(x, kernel_size):
    columns = im2col.solution(x, kernel_size)
    return _split(x, kernel_size)[:, :, ::-1, ::-1].reshape(columns.shape)


@im2col.mistake("The window moves by one pixel, so the windows overlap.")
def columns_side_by_side(x, kernel_size):
    windows = _split(x, kernel_size)[..., ::kernel_size, ::kernel_size]
    return windows.reshape(len(x), x.shape[1] * kernel_size**2, -1)


@im2col.mistake("The first place of the window needs no step: a row and a column of places miss.")
def columns_last_places_missing(x, kernel_size):
    windows = _split(x, kernel_size)[..., :-1, :-1]
    shape = len(x), x.shape[1] * kernel_size**2, windows[0, 0, 0, 0].size
    return windows.reshape(shape)


@im2col.mistake("Every image has columns of its own. You put them behind each other.")
def images_joined(x, kernel_size):
    columns = im2col.solution(x, kernel_size)
    return np.concatenate(list(columns), axis=1)


@im2col.mistake("The axis of the images stays, also if there is one only.")
def columns_first_image_only(x, kernel_size):
    return im2col.solution(x, kernel_size)[0]


@im2col.mistake("A column holds all channels. Yours holds the first one.")
def columns_first_channel_only(x, kernel_size):
    return im2col.solution(x[:, :1], kernel_size)


@im2col.mistake("A column holds all channels. You write columns of their own for each channel.")
def columns_for_each_channel(x, kernel_size):
    return np.concatenate(
        [im2col.solution(x[:, c : c + 1], kernel_size) for c in range(x.shape[1])], axis=2
    )


@im2col.mistake("The places are one axis. Yours are still two, rows and columns.")
def places_on_two_axes(x, kernel_size):
    windows = _split(x, kernel_size)
    return windows.reshape(len(x), -1, *windows.shape[4:])


@im2col.mistake("A window becomes a column of numbers. You still have its rows and columns.")
def window_not_flattened(x, kernel_size):
    windows = _split(x, kernel_size)
    return windows.reshape(*windows.shape[:4], -1)


@im2col.mistake("The places come last: image, number of the column, place.")
def places_first(x, kernel_size):
    return np.moveaxis(im2col.solution(x, kernel_size), 2, 0)


@im2col.mistake("The shape is right, but the windows and their places are exchanged.")
def view_reshaped(x, kernel_size):
    windows = np.moveaxis(_split(x, kernel_size), (4, 5), (2, 3))
    return windows.reshape(im2col.solution(x, kernel_size).shape)


@im2col.mistake("Every image has columns: you write those of the first one.")
def columns_of_first_image(x, kernel_size):
    return im2col.solution(x[:1], kernel_size)


@im2col.mistake("The windows need an axis of their own: stack them, do not join them.")
def columns_concatenated(x, kernel_size):
    columns = im2col.solution(x, kernel_size)
    return columns.swapaxes(1, 2).reshape(len(x), -1)


@im2col.mistake("An image need not be square: it has H rows and W columns.")
def image_taken_as_square(x, kernel_size):
    places = x.shape[2] - kernel_size + 1
    return _split(x, kernel_size)[..., :places].reshape(len(x), x.shape[1] * kernel_size**2, -1)


@im2col.mistake("There is no padding here.")
def columns_with_padding(x, kernel_size):
    return im2col.solution(np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1))), kernel_size)


@im2col.mistake("A window goes into its column whole: nothing is added up.")
def windows_added(x, kernel_size):
    return im2col.solution(x, kernel_size).sum(axis=1, keepdims=True)


@im2col.mistake("A window that hangs over the edge is no place: fewer than H × W fit.")
def windows_over_the_edge(x, kernel_size):
    places = np.ndindex(x.shape[2:])
    windows = [x[:, :, i : i + kernel_size, j : j + kernel_size] for i, j in places]
    return np.stack([window.reshape(len(x), -1) for window in windows], axis=2)


@im2col.mistake("An image need not be square: H rows, and W columns.")
def rows_and_columns_exchanged(x, kernel_size):
    places = np.ndindex(x.shape[3] - kernel_size + 1, x.shape[2] - kernel_size + 1)
    windows = [x[:, :, i : i + kernel_size, j : j + kernel_size] for i, j in places]
    return np.stack([window.reshape(len(x), -1) for window in windows], axis=2)


@im2col.mistake("The axes are image, number of the column, place, in this order.")
def columns_axes_reversed(x, kernel_size):
    return im2col.solution(x, kernel_size).transpose(2, 1, 0)


@im2col.mistake("Every image has columns of its own. You put them below each other.")
def images_below_each_other(x, kernel_size):
    return np.concatenate(list(im2col.solution(x, kernel_size)))[None]


@im2col.mistake("The places go from the first row and column on. Yours go backwards.")
def image_turned(x, kernel_size):
    return im2col.solution(x[:, :, ::-1, ::-1], kernel_size)


@im2col.mistake("Each window has a column of its own: the number of the place grows by one.")
def last_window_in_the_first_column(x, kernel_size):
    columns = im2col.solution(x, kernel_size)
    y = np.zeros_like(columns)
    y[:, :, 0] = columns[:, :, -1]
    return y


@im2col.mistake("Each window has a column of its own. You write the same one into all.")
def last_window_in_all_columns(x, kernel_size):
    columns = im2col.solution(x, kernel_size)
    return np.repeat(columns[:, :, -1:], columns.shape[2], axis=2)


@im2col.mistake("Each window has a column of its own. You write the same one into all.")
def first_window_in_all_columns(x, kernel_size):
    columns = im2col.solution(x, kernel_size)
    return np.repeat(columns[:, :, :1], columns.shape[2], axis=2)


@im2col.mistake("All places are asked for: is the result returned inside of the loop?")
def first_window_only(x, kernel_size):
    return im2col.solution(x, kernel_size)[:, :, :1]


_PLACE = "Place (i, j) has the number i * out_w + j: a row of places is out_w long."


def _enter_places(name, number):
    """Enter columns that are written at places whose numbers are wrong."""

    def answer(x, kernel_size):
        columns = im2col.solution(x, kernel_size)
        out_h, out_w = (size - kernel_size + 1 for size in x.shape[2:])
        y = np.zeros_like(columns)
        for place, (i, j) in enumerate(np.ndindex(out_h, out_w)):
            y[:, :, number(i, j, out_h, out_w, *x.shape[2:])] = columns[:, :, place]
        return y

    im2col.mistakes.append(Mistake(name, _PLACE, answer))


_enter_places("places_counted_by_height", lambda i, j, out_h, out_w, h, w: i * out_h + j)
_enter_places("places_counted_by_image", lambda i, j, out_h, out_w, h, w: i * w + j)
_enter_places("places_added", lambda i, j, out_h, out_w, h, w: i + j)
_enter_places("places_multiplied", lambda i, j, out_h, out_w, h, w: i * j)
_enter_places("places_of_columns_only", lambda i, j, out_h, out_w, h, w: j)
_enter_places("places_of_rows_only", lambda i, j, out_h, out_w, h, w: i)
_enter_places("places_down_by_width", lambda i, j, out_h, out_w, h, w: i + j * out_w)

_ROW = "Pixel (c, u, v) of a window has the number (c * k + u) * k + v in its column."


def _enter_rows(name, number):
    """Enter columns whose numbers are written at wrong rows."""

    def answer(x, kernel_size):
        columns = im2col.solution(x, kernel_size)
        y = np.zeros_like(columns)
        channels = x.shape[1]
        for row, (c, u, v) in enumerate(np.ndindex(channels, kernel_size, kernel_size)):
            y[:, number(c, u, v, kernel_size, channels)] = columns[:, row]
        return y

    im2col.mistakes.append(Mistake(name, _ROW, answer))


_enter_rows("channels_overwrite_each_other", lambda c, u, v, k, channels: u * k + v)
_enter_rows("channels_one_apart", lambda c, u, v, k, channels: c + u * k + v)
_enter_rows("channels_k_apart", lambda c, u, v, k, channels: c * k + u * k + v)
_enter_rows("rows_overwrite_each_other", lambda c, u, v, k, channels: c * k * k + v)
_enter_rows("rows_one_apart", lambda c, u, v, k, channels: c * k * k + u + v)


@im2col.mistake(
    "A window is read row after row, one channel after the other. Yours goes backwards."
)
def window_in_fortran_order(x, kernel_size):
    columns = im2col.solution(x, kernel_size)
    return np.moveaxis(_split(x, kernel_size), (1, 2, 3), (3, 2, 1)).reshape(columns.shape)


@im2col.mistake("The channels go from the first to the last. Yours are in reverse order.")
def channels_reversed(x, kernel_size):
    return im2col.solution(x[:, ::-1], kernel_size)


@im2col.mistake("A window is read from its first row on. Yours goes from the last one.")
def rows_of_window_turned(x, kernel_size):
    columns = im2col.solution(x, kernel_size)
    return _split(x, kernel_size)[:, :, ::-1].reshape(columns.shape)


@im2col.mistake("A window is read from its first column on. Yours goes from the last one.")
def columns_of_window_turned(x, kernel_size):
    columns = im2col.solution(x, kernel_size)
    return _split(x, kernel_size)[:, :, :, ::-1].reshape(columns.shape)


@im2col.mistake("The loops over the places stop too early: the first place needs no step.")
def last_columns_zero(x, kernel_size):
    windows = _split(x, kernel_size).copy()
    windows[:, :, :, :, -1] = windows[..., -1] = 0
    return windows.reshape(im2col.solution(x, kernel_size).shape)


@im2col.mistake("The loops over the places stop too early: the first place needs no step.")
def last_columns_zero_with_counter(x, kernel_size):
    columns = im2col.solution(x, kernel_size)
    windows = _split(x, kernel_size)[..., :-1, :-1].reshape(*columns.shape[:2], -1)
    y = np.zeros_like(columns)
    y[:, :, : windows.shape[2]] = windows
    return y


@im2col.mistake("All rows of places are asked for: the first place needs no step.")
def last_row_of_places_missing(x, kernel_size):
    columns = im2col.solution(x, kernel_size)
    return columns[:, :, : -(x.shape[3] - kernel_size + 1)]


@im2col.mistake("All columns of places are asked for: the first place needs no step.")
def last_column_of_places_missing(x, kernel_size):
    columns = im2col.solution(x, kernel_size)
    return _split(x, kernel_size)[..., :-1].reshape(*columns.shape[:2], -1)


@im2col.mistake("An image need not be square: it has H rows and W columns.")
def image_taken_as_square_of_width(x, kernel_size):
    places = x.shape[3] - kernel_size + 1
    columns = im2col.solution(x, kernel_size)
    if places > x.shape[2] - kernel_size + 1:
        raise ValueError("there are not as many rows as columns")
    return columns[:, :, : places**2]


@im2col.mistake("Every image has columns of its own. You put them behind each other.")
def images_joined_along_places(x, kernel_size):
    return images_joined(x, kernel_size)[None]


@im2col.mistake("Every image has columns of its own. You write those of the first one for all.")
def columns_of_first_image_for_all(x, kernel_size):
    return im2col.solution(np.repeat(x[:1], len(x), axis=0), kernel_size)


@im2col.mistake("Every image has columns of its own: a `reshape` moves no images.")
def images_reshaped_from_the_last_axis(x, kernel_size):
    columns = im2col.solution(x, kernel_size)
    return np.moveaxis(columns, 0, 2).reshape(columns.shape)


@im2col.mistake("Every image has columns of its own: a `reshape` moves no images.")
def images_reshaped_from_the_middle(x, kernel_size):
    columns = im2col.solution(x, kernel_size)
    return columns.swapaxes(0, 1).reshape(columns.shape)


@im2col.mistake("The places come last: a `reshape` does not bring them there.")
def images_reshaped_from_rows_of_windows(x, kernel_size):
    columns = im2col.solution(x, kernel_size)
    return np.moveaxis(columns, 2, 0).reshape(columns.shape)


@im2col.mistake("Rows and columns of the image are exchanged.")
def image_transposed(x, kernel_size):
    return im2col.solution(x.swapaxes(2, 3), kernel_size)


@im2col.mistake("Nothing is averaged: a column holds all numbers of its window.")
def windows_averaged(x, kernel_size):
    return im2col.solution(x, kernel_size).mean(axis=1, keepdims=True)


@im2col.mistake("The window is `kernel_size` cells wide: the end of a slice is left out.")
def window_one_larger(x, kernel_size):
    return im2col.solution(x, kernel_size + 1)
