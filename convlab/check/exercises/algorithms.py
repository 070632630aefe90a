"""Exercises on fast convolution."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

import numpy as np

from convlab.check.exercise import Arguments, Chapter, Mistake, random_array
from convlab.shapes import conv2d_macs, conv2d_output_size

chapter = Chapter("algorithms")

_out_h, _out_w = conv2d_output_size((12, 10), 3, stride=1)

chapter.value(
    "size_of_columns",
    title="How large is the matrix of columns?",
    minutes=3,
    text="im2col writes the windows of an image with 5 channels, 12 rows and 10 columns as the "
    "columns of a matrix, for a layer with 16 kernels of 3×3, stride 1 and no padding. How many "
    "rows and columns has it? Give both.",
    answer=(5 * 3 * 3, _out_h * _out_w),
    hints=[
        "A column is one window. How many numbers does a window hold, over all channels?",
        "How many places has the window? Each of them is a column.",
    ],
    explanation="3600 numbers are made of 600 pixels: most of them stand there nine times.",
    mistakes=[
        ("exchanged", (80, 45), "The windows are the columns, not the rows."),
        ("channels_forgotten", (9, 80), "A window reaches through all channels."),
        ("a_column_per_pixel", (45, 120), "A window of 3×3 has fewer places than pixels."),
        ("kernels_as_rows", (16, 80), "Those are the rows of the output. What does a window hold?"),
        ("kernel_matrix", (16, 45), "That is the matrix of the kernels. Look at the windows."),
        ("channels_in_the_columns", (9, 400), "A window reaches through all channels."),
        ("steps_counted", (45, 63), "Those are the steps. The first place needs none."),
        ("windows_side_by_side", (45, 12), "The windows overlap: stride 1."),
        ("kernels_in_the_columns", (45, 1280), "All kernels are multiplied with the same columns."),
    ],
)

_definition = conv2d_macs((8, 12), 1, 1, 3, padding=1)

chapter.value(
    "winograd_products",
    title="Multiplications of Winograd's algorithm",
    minutes=4,
    text="One channel, one kernel of 3×3, an output of 8×12. How many multiplications does "
    "F(4×4, 3×3) make, the transforms aside?",
    answer=8 // 4 * (12 // 4) * (4 + 2) ** 2,
    hints=[
        "F(4×4, 3×3) makes 4×4 outputs at once. How many such squares has the output?",
        "Each square needs a tile of inputs, and one multiplication for each number of the tile.",
    ],
    explanation=f"6 tiles of 36 numbers: a quarter of the {_definition} of the definition.",
    mistakes=[
        ("definition", _definition, "That is the definition. How many tiles are there?"),
        ("one_tile", (4 + 2) ** 2, "That is one tile of 4×4 outputs. How many are there?"),
        ("smaller_tile", 8 // 2 * (12 // 2) * (2 + 2) ** 2, "That is F(2×2, 3×3)."),
        ("outputs_only", 8 * 12, "A tile of inputs is larger than its square of outputs."),
        ("tiles_in_a_row", 12 // 4 * (4 + 2) ** 2, "There are tiles side by side and below."),
        (
            "input_tiles_side_by_side",
            2 * 2 * (4 + 2) ** 2,
            "The tiles of the input overlap. Those of the output lie side by side.",
        ),
    ],
)

chapter.value(
    "predict_view",
    title="Predict: a view of all windows",
    minutes=3,
    text="What does this print?",
    code="row = np.array([1, 2, 3, 4, 5])\n"
    "windows = np.lib.stride_tricks.sliding_window_view(row, 3)\n"
    "row[2] = 10\n"
    "print(windows.sum(axis=1).tolist())",
    answer=(1 + 2 + 10, 2 + 10 + 4, 10 + 4 + 5),
    hints=[
        "Does the view hold numbers of its own?",
        "Which windows see the pixel that has changed? Add up each window afterwards.",
    ],
    explanation="A view is another look at the same memory: a pixel is stored once, and seen three "
    "times.",
    mistakes=[
        ("copied", (6, 9, 12), "A view has no copy of the numbers: it sees the change."),
        ("first_seen_only", (13, 9, 12), "The pixel is stored once, and seen in three windows."),
        ("middle_only", (6, 16, 12), "The pixel is stored once, and seen in three windows."),
        ("counted_from_one", (1 + 10 + 3, 10 + 3 + 4, 12), "Places are counted from 0."),
        ("windows_as_columns", (1 + 4, 2 + 5, 10), "The windows overlap."),
    ],
)


def _right_but_not_close(answer: Any) -> str | None:
    """Return what is wrong with results that should be accurate, and not be so to allclose."""
    ours, exact = (np.asarray(numbers, dtype=float) for numbers in answer)
    if ours.shape != exact.shape or ours.ndim != 1:
        return "two lists of the same length are asked for"
    largest = float(np.abs(exact).max())
    error = float(np.abs(ours - exact).max())
    if not error <= 1e-6 * largest:
        return f"the largest error is {error:g}, more than a millionth of {largest:g}"
    if np.allclose(ours, exact):
        return "`np.allclose` says True"
    return None


chapter.search(
    "break_allclose",
    title="Break it: np.allclose",
    minutes=4,
    text="Somebody calls a result wrong if `np.allclose(ours, exact)` says False. Give a pair of "
    "lists `(ours, exact)` for which it does, though no number is off by more than a millionth of "
    "the largest exact one.",
    objection=_right_but_not_close,
    example=([1000, 0.0001], [1000, 0]),
    hints=[
        "`np.allclose` looks at each number by itself. Which numbers make it strict?",
        "One number is large, and sets the scale; the other one is 0, or near it.",
    ],
    explanation="A result near zero, made of large terms, has few accurate digits. Compare with "
    "the largest number.",
    mistakes=[
        ("equal", ([1.0, 2.0], [1.0, 2.0]), "The two lists must differ somewhere."),
        ("far_off", ([1.0, 2.0], [1.0, 2.1]), "That is wrong by any measure."),
        (
            "small_error_of_large_number",
            ([1000.0001], [1000]),
            "Compared with a large number itself, the error is small. Put it elsewhere.",
        ),
        ("no_large_number", ([0.0001], [0]), "What sets the scale? A large number is missing."),
        ("scale_too_small", ([1, 0.0001], [1, 0]), "Is 0.0001 less than a millionth of 1?"),
        ("below_the_limit", ([1, 1e-9], [1, 0]), "Below 1e-8, `np.allclose` sees no difference."),
    ],
)


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


@im2col.mistake("An array is asked for, with image, number of the column and place as its axes.")
def columns_listed(x, kernel_size):
    return [np.ascontiguousarray(columns.T) for columns in im2col.solution(x, kernel_size)]


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


@multiply_columns.mistake("The product has the order (N, L, O): the kernels must be moved.")
def product_reshaped_with_kernels_last(columns, w, out_h, out_w):
    product = columns.swapaxes(1, 2) @ w.reshape(len(w), -1).T
    return product.reshape(len(columns), out_h, out_w, len(w))


@multiply_columns.mistake("Each kernel is a row of its own: keep the first axis of `w`.")
def kernels_in_one_row(columns, w, out_h, out_w):
    return (w.ravel() @ columns).reshape(len(columns), len(w), out_h, out_w)


@multiply_columns.mistake("The images come first, then the kernels. A `reshape` exchanges no axes.")
def product_reshaped_kernels_first(columns, w, out_h, out_w):
    product = w.reshape(len(w), -1) @ columns
    return product.reshape(len(w), len(columns), out_h, out_w)


def _signals(random: Random) -> Iterator[Arguments]:
    """Yield four inputs and three weights, from the simplest on."""
    yield [1.0, 0.0, 0.0, 0.0], [1.0, 2.0, 3.0]
    yield [0.0, 1.0, 0.0, 0.0], [1.0, 2.0, 3.0]
    yield [0.0, 0.0, 1.0, 0.0], [1.0, 2.0, 3.0]
    yield [0.0, 0.0, 0.0, 1.0], [1.0, 2.0, 3.0]
    for _ in range(40):
        yield random_array(random, 4).tolist(), random_array(random, 3).tolist()


@chapter.code(
    title="F(2, 3) with four products",
    minutes=6,
    text="`d` are four inputs, `g` three weights, both lists. Return the two outputs as a pair, by "
    "Winograd's four products. (A check cannot see how often you multiply; you can.)",
    cases=_signals,
    hints=[
        "Write the four products of the chapter first: two share the inputs in the middle, and one "
        "mends each output.",
        "The first output adds three of the products. In the second, two are taken away.",
    ],
    explanation="Half sums of weights are made once, and serve all windows of all images.",
)
def winograd_pair(d, g):
    """Return the two outputs."""
    m1 = (d[0] - d[2]) * g[0]
    m2 = (d[1] + d[2]) * ((g[0] + g[1] + g[2]) / 2)
    m3 = (d[2] - d[1]) * ((g[0] - g[1] + g[2]) / 2)
    m4 = (d[1] - d[3]) * g[2]
    return m1 + m2 + m3, m2 - m3 - m4


def _products_of(d, g):
    """Return the four products."""
    m2 = (d[1] + d[2]) * (g[0] + g[1] + g[2]) / 2
    m3 = (d[2] - d[1]) * (g[0] - g[1] + g[2]) / 2
    return (d[0] - d[2]) * g[0], m2, m3, (d[1] - d[3]) * g[2]


def _enter(name, hint, change):
    """Enter the outputs that come out with other products, or with another sum of them."""

    def answer(d, g):
        return change(d, g, *_products_of(d, g))

    winograd_pair.mistakes.append(Mistake(name, hint, answer))


_HALVES = "The weights of the two middle products are half sums."
_enter("halves_forgotten", _HALVES, lambda d, g, a, b, c, e: (a + 2 * b + 2 * c, 2 * b - 2 * c - e))
_enter("half_forgotten_in_second", _HALVES, lambda d, g, a, b, c, e: (a + 2 * b + c, 2 * b - c - e))
_enter("half_forgotten_in_third", _HALVES, lambda d, g, a, b, c, e: (a + b + 2 * c, b - 2 * c - e))
_enter(
    "half_of_last_weight",
    "The whole sum of the weights is halved: set brackets.",
    lambda d, g, a, b, c, e: (
        a + (d[1] + d[2]) * (g[0] + g[1] + g[2] / 2) + (d[2] - d[1]) * (g[0] - g[1] + g[2] / 2),
        (d[1] + d[2]) * (g[0] + g[1] + g[2] / 2) - (d[2] - d[1]) * (g[0] - g[1] + g[2] / 2) - e,
    ),
)
_enter(
    "halves_rounded_down",
    "`//` rounds down. Half of 3 is 1.5.",
    lambda d, g, a, b, c, e: (a + b // 1 + c // 1, b // 1 - c // 1 - e),
)
_enter(
    "half_sums_rounded_down",
    "`//` rounds down. Half of 3 is 1.5.",
    lambda d, g, a, b, c, e: (
        a + (d[1] + d[2]) * (sum(g) // 2) + (d[2] - d[1]) * ((g[0] - g[1] + g[2]) // 2),
        (d[1] + d[2]) * (sum(g) // 2) - (d[2] - d[1]) * ((g[0] - g[1] + g[2]) // 2) - e,
    ),
)
_LAST = "The last product is (d1 - d3) g2, and is taken away: look at its sign."
_enter("last_product_added", _LAST, lambda d, g, a, b, c, e: (a + b + c, b - c + e))
_FIRST = "The first product is (d0 - d2) g0, and is added: look at its signs."
_enter("first_product_subtracted", _FIRST, lambda d, g, a, b, c, e: (b + c - a, b - c - e))
_enter(
    "inputs_of_first_product_added",
    _FIRST,
    lambda d, g, a, b, c, e: ((d[0] + d[2]) * g[0] + b + c, b - c - e),
)
_enter(
    "inputs_of_last_product_added",
    _LAST,
    lambda d, g, a, b, c, e: (a + b + c, b - c - (d[1] + d[3]) * g[2]),
)
_enter(
    "first_product_missing",
    "The first output lacks d0 g0, and has d2 g0 too much: mend it.",
    lambda d, g, a, b, c, e: (b + c, b - c - e),
)
_enter(
    "last_product_missing",
    "The second output lacks d3 g2, and has d1 g2 too much: mend it.",
    lambda d, g, a, b, c, e: (a + b + c, b - c),
)
_enter(
    "mends_missing",
    "Each of the two sums needs to be mended by a product: the first, and the last.",
    lambda d, g, a, b, c, e: (b + c, b - c),
)
_enter(
    "third_product_turned",
    "The third product is that of d2 - d1, in this order: look at its sign.",
    lambda d, g, a, b, c, e: (a + b - c, b + c - e),
)
_enter(
    "third_product_added_twice",
    "In the second output the third product is taken away.",
    lambda d, g, a, b, c, e: (a + b + c, b + c - e),
)
_enter(
    "third_product_subtracted_twice",
    "In the first output the third product is added.",
    lambda d, g, a, b, c, e: (a + b - c, b - c - e),
)
_enter(
    "second_product_subtracted",
    "In the second output, the second product is added, the third one taken away.",
    lambda d, g, a, b, c, e: (a + b + c, c - b - e),
)
_enter(
    "inputs_of_second_product_subtracted",
    "The second product takes the sum of the middle inputs, the third one their difference.",
    lambda d, g, a, b, c, e: (
        a + (d[1] - d[2]) * sum(g) / 2 + c,
        (d[1] - d[2]) * sum(g) / 2 - c - e,
    ),
)
_enter(
    "first_product_in_both",
    "The first product mends the first output only.",
    lambda d, g, a, b, c, e: (a + b + c, a + b - c - e),
)
_enter(
    "last_product_in_both",
    "The last product mends the second output only.",
    lambda d, g, a, b, c, e: (a + b + c - e, b - c - e),
)
_MENDING = "The first product has the first weight, the last one the last: g0 and g2."
_enter(
    "last_product_with_first_weight",
    _MENDING,
    lambda d, g, a, b, c, e: (a + b + c, b - c - (d[1] - d[3]) * g[0]),
)
_enter(
    "first_product_with_last_weight",
    _MENDING,
    lambda d, g, a, b, c, e: ((d[0] - d[2]) * g[2] + b + c, b - c - e),
)
_enter(
    "weights_of_mends_exchanged",
    _MENDING,
    lambda d, g, a, b, c, e: ((d[0] - d[2]) * g[2] + b + c, b - c - (d[1] - d[3]) * g[0]),
)
_enter(
    "last_weight_subtracted",
    "In the third product, g1 alone is taken away; g2 is added.",
    lambda d, g, a, b, c, e: (
        a + b + c - (d[2] - d[1]) * g[2],
        b - c + (d[2] - d[1]) * g[2] - e,
    ),
)
_enter(
    "weights_turned",
    "You turned the weights. The layer lays them on as they are.",
    lambda d, g, a, b, c, e: (
        d[0] * g[2] + d[1] * g[1] + d[2] * g[0],
        d[1] * g[2] + d[2] * g[1] + d[3] * g[0],
    ),
)
_enter(
    "outputs_exchanged",
    "The two outputs have changed places.",
    lambda d, g, a, b, c, e: (b - c - e, a + b + c),
)
_enter(
    "products_returned",
    "Those are the four products. The two outputs are sums of them.",
    lambda d, g, a, b, c, e: (a, b, c, e),
)
_enter(
    "first_output_only",
    "Two outputs are asked for, as a pair.",
    lambda d, g, a, b, c, e: a + b + c,
)
