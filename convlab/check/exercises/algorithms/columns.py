"""Convolution as a matrix product."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import numpy as np

from convlab.check.exercise import Arguments, random_array
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


def _products(random: Random) -> Iterator[Arguments]:
    """Yield columns, a weight and the size of the output, from the simplest on."""
    for images, depth, kernels, side, out_h, out_w in [
        (1, 1, 1, 1, 1, 3),
        (1, 1, 1, 2, 1, 3),
        (1, 1, 2, 2, 1, 3),
        (1, 2, 1, 2, 2, 1),
        (1, 1, 2, 1, 2, 3),
        (2, 1, 2, 1, 1, 2),
        (3, 2, 2, 2, 2, 2),
    ]:
        yield _product(random, images, depth, kernels, side, out_h, out_w)
    for _ in range(15):
        yield _product(random, *(random.randint(1, 3) for _ in range(6)))


def _product(random, images, depth, kernels, side, out_h, out_w):
    columns = random_array(random, images, depth * side**2, out_h * out_w)
    return columns, random_array(random, kernels, depth, side, side), out_h, out_w


@chapter.code(
    title="One matrix product",
    minutes=8,
    imports="import numpy as np",
    text="`columns` are the windows of images, of shape (N, C kH kW, L), as im2col makes them; `w` "
    "has the shape (O, C, kH, kW). Return the output of the layer, of shape (N, O, out_h, out_w), "
    "where L is `out_h * out_w`.",
    cases=_products,
    hints=[
        "Each kernel becomes a row: which shape has the matrix of the kernels?",
        "`@` multiplies a matrix with every matrix of a stack.",
        "The product has the shape (N, O, L). What is left to do?",
    ],
    explanation="The work is that of the product, and libraries are very good at it.",
)
def multiply_columns(columns, w, out_h, out_w):
    """Return the output of the layer, of shape (N, O, out_h, out_w)."""
    kernels = w.reshape(len(w), -1)
    return (kernels @ columns).reshape(len(columns), len(w), out_h, out_w)


@multiply_columns.mistake("The product is right. The places become rows and columns of the output.")
def places_not_unfolded(columns, w, out_h, out_w):
    return w.reshape(len(w), -1) @ columns


@multiply_columns.mistake("The height comes first: `out_h`, then `out_w`.")
def output_width_first(columns, w, out_h, out_w):
    y = multiply_columns.solution(columns, w, out_h, out_w)
    return y.reshape(len(columns), len(w), out_w, out_h)


@multiply_columns.mistake("The axes are image, kernel, row, column. A `reshape` exchanges none.")
def kernels_before_images(columns, w, out_h, out_w):
    product = np.einsum("ok,nkl->onl", w.reshape(len(w), -1), columns)
    return product.reshape(len(columns), len(w), out_h, out_w)


@multiply_columns.mistake("The images come first, then the kernels.")
def kernels_on_the_first_axis(columns, w, out_h, out_w):
    return multiply_columns.solution(columns, w, out_h, out_w).swapaxes(0, 1)


@multiply_columns.mistake("A kernel is a row of the matrix: `reshape` must keep it together.")
def kernels_reshaped_into_columns(columns, w, out_h, out_w):
    product = w.reshape(-1, len(w)).T @ columns
    return product.reshape(len(columns), len(w), out_h, out_w)


@multiply_columns.mistake("The kernels are turned around. They meet the columns as they are.")
def product_kernel_turned(columns, w, out_h, out_w):
    return multiply_columns.solution(columns, w[..., ::-1, ::-1], out_h, out_w)


@multiply_columns.mistake("Rows and columns of the kernels are exchanged.")
def product_kernel_transposed(columns, w, out_h, out_w):
    return multiply_columns.solution(columns, w.swapaxes(2, 3), out_h, out_w)


@multiply_columns.mistake("The channels come first in a column, as they do in a kernel.")
def product_channels_last(columns, w, out_h, out_w):
    kernels = np.moveaxis(w, 1, 3).reshape(len(w), -1)
    return (kernels @ columns).reshape(len(columns), len(w), out_h, out_w)


@multiply_columns.mistake("Every image of the batch gives maps of its own.")
def first_columns_only(columns, w, out_h, out_w):
    return multiply_columns.solution(columns[:1], w, out_h, out_w)


@multiply_columns.mistake("Every kernel gives a map of its own. You use the first one only.")
def first_row_only(columns, w, out_h, out_w):
    return multiply_columns.solution(columns, w[:1], out_h, out_w)


@multiply_columns.mistake("The kernels give a map each: those are not added.")
def product_kernels_added(columns, w, out_h, out_w):
    return multiply_columns.solution(columns, w, out_h, out_w).sum(axis=1, keepdims=True)


@multiply_columns.mistake("Kernels times columns, in this order: O×K times K×L.")
def factors_exchanged(columns, w, out_h, out_w):
    product = columns @ w.reshape(len(w), -1)
    return product.reshape(len(columns), len(w), out_h, out_w)


@multiply_columns.mistake("`*` multiplies number by number. The products are to be added up, too.")
def products_not_added(columns, w, out_h, out_w):
    return w.reshape(len(w), -1) * columns


@multiply_columns.mistake("The places go along the rows of the output, not down its columns.")
def output_filled_down(columns, w, out_h, out_w):
    y = multiply_columns.solution(columns, w, out_h, out_w)
    return y.reshape(len(columns), len(w), out_w, out_h).swapaxes(2, 3)


@multiply_columns.mistake("A kernel has four axes, and `@` uses two. Make a matrix of it first.")
def kernels_not_flattened(columns, w, out_h, out_w):
    return (w @ columns).reshape(len(columns), len(w), out_h, out_w)


@multiply_columns.mistake("The axis of the images comes first, also if there is one only.")
def product_without_images(columns, w, out_h, out_w):
    return (w.reshape(len(w), -1) @ columns).reshape(len(w), out_h, out_w)


@multiply_columns.mistake("The kernels are the second axis of the output. A `reshape` moves none.")
def product_kernels_last(columns, w, out_h, out_w):
    y = multiply_columns.solution(columns, w, out_h, out_w)
    return y.reshape(len(columns), out_h, out_w, len(w))


@multiply_columns.mistake("The kernels are the second axis of the output: move them there.")
def product_channels_last_in_output(columns, w, out_h, out_w):
    return np.moveaxis(multiply_columns.solution(columns, w, out_h, out_w), 1, 3)


@multiply_columns.mistake("The product has the order (N, L, O). A `reshape` exchanges no axes.")
def product_reshaped(columns, w, out_h, out_w):
    product = columns.swapaxes(1, 2) @ w.reshape(len(w), -1).T
    return product.reshape(len(columns), len(w), out_h, out_w)


@multiply_columns.mistake("Each kernel is a row of its own: keep the first axis of `w`.")
def kernels_in_one_row(columns, w, out_h, out_w):
    return (w.ravel() @ columns).reshape(len(columns), len(w), out_h, out_w)


@multiply_columns.mistake("The images come first, then the kernels. A `reshape` exchanges no axes.")
def product_reshaped_kernels_first(columns, w, out_h, out_w):
    product = w.reshape(len(w), -1) @ columns
    return product.reshape(len(w), len(columns), out_h, out_w)


@multiply_columns.mistake("The images come first, then the kernels, then rows and columns.")
def product_places_first(columns, w, out_h, out_w):
    y = multiply_columns.solution(columns, w, out_h, out_w)
    return y.reshape(out_h, out_w, len(columns), len(w))


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


@multiply_columns.mistake("The products of a kernel and a column are added up.")
def products_kept(columns, w, out_h, out_w):
    return np.einsum("ok,nkl->nokl", w.reshape(len(w), -1), columns)
