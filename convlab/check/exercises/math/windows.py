"""Mistakes in the windows and in the output of the whole layer."""

from __future__ import annotations

import numpy as np

from convlab.check.exercises.math.layer import conv2d


def _fill(arguments, number):
    """Return an output that holds number(padded image, kernel, first row, first column)."""
    x, w, b, stride, padding = arguments
    y = np.zeros_like(conv2d.solution(x, w, None, stride, padding))
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    for n, o, i, j in np.ndindex(y.shape):
        y[n, o, i, j] = number(x[n], o, i * stride, j * stride) + (0 if b is None else b[o])
    return y


@conv2d.mistake("A kernel need not be square: it has kH rows and kW columns.")
def kernel_as_wide_as_high(x, w, b, stride, padding):
    side = w.shape[2]
    return _fill(
        (x, w, b, stride, padding),
        lambda image, o, i, j: (image[:, i : i + side, j : j + side] * w[o]).sum(),
    )


@conv2d.mistake("`@` and `np.dot` multiply matrices. Here each pixel meets one weight.")
def matrix_products(x, w, b, stride, padding):
    k_h, k_w = w.shape[2:]
    return _fill(
        (x, w, b, stride, padding),
        lambda image, o, i, j: (image[:, i : i + k_h, j : j + k_w] @ w[o]).sum(),
    )


@conv2d.mistake("Map `o` is made by kernel `o` alone. You add up all kernels in each map.")
def all_kernels_in_each_map(x, w, b, stride, padding):
    k_h, k_w = w.shape[2:]
    return _fill(
        (x, w, b, stride, padding),
        lambda image, o, i, j: (image[:, i : i + k_h, j : j + k_w] * w).sum(),
    )


@conv2d.mistake("The weight has the axes kernel, channel, row, column: kernel `o` is `w[o]`.")
def kernel_axes_exchanged(x, w, b, stride, padding):
    k_h, k_w = w.shape[2:]
    return _fill(
        (x, w, b, stride, padding),
        lambda image, o, i, j: (image[:, i : i + k_h, j : j + k_w] * w[:, o]).sum(),
    )


@conv2d.mistake("The largest product is no sum. All products of a window are added up.")
def largest_product(x, w, b, stride, padding):
    k_h, k_w = w.shape[2:]
    return _fill(
        (x, w, b, stride, padding),
        lambda image, o, i, j: (image[:, i : i + k_h, j : j + k_w] * w[o]).max(),
    )


@conv2d.mistake("Only the first number is there. Is the `return` inside of a loop?")
def returned_in_the_loops(x, w, b, stride, padding):
    y = conv2d.solution(x, w, b, stride, padding)
    y.ravel()[1:] = 0
    return y


@conv2d.mistake("Only the first number is there. Is the `return` inside of the loops?")
def first_number_only(x, w, b, stride, padding):
    return float(conv2d.solution(x, w, b, stride, padding).ravel()[0])


@conv2d.mistake("The output is smaller than the input where the window stays inside.")
def output_as_large_as_input(x, w, b, stride, padding):
    y = conv2d.solution(x, w, b, stride, padding)
    larger = np.zeros((*y.shape[:2], *x.shape[2:]))
    larger[:, :, : y.shape[2], : y.shape[3]] = y
    return larger


@conv2d.mistake("The output has a map for each kernel: its channels are not those of the input.")
def output_shaped_as_input(x, w, b, stride, padding):
    y = np.zeros_like(x)
    k_h, k_w = w.shape[2:]
    for n, o, i, j in np.ndindex(y.shape):
        y[n, o, i, j] = (x[n, :, i : i + k_h, j : j + k_w] * w[o]).sum()
    return y


@conv2d.mistake("The height comes first, in the shape of the output, too.")
def output_size_exchanged(x, w, b, stride, padding):
    right = conv2d.solution(x, w, b, stride, padding)
    y = np.zeros(right.shape[:2] + right.shape[:1:-1])
    for n, o, i, j in np.ndindex(right.shape):
        y[n, o, i, j] = right[n, o, i, j]
    return y


@conv2d.mistake("The numbers are right, but they are float32. `x` is float64.")
def single_precision(x, w, b, stride, padding):
    return conv2d.solution(x, w, b, stride, padding).astype(np.float32)


def _by_pixel(arguments, pixel=None, weight=None):
    """Add up products of a pixel and a weight, at indices that are wrong in one way."""
    _, w, _, stride, _ = arguments

    def number(image, o, top, left):
        total = 0.0
        for c, u, v in np.ndindex(w.shape[1:]):
            row, column = (top + u, left + v) if pixel is None else pixel(top, left, u, v, stride)
            place = (o, c, u, v) if weight is None else weight(o, c, u, v)
            total += image[c, row, column] * w[place]
        return total

    return _fill(arguments, number)


@conv2d.mistake(
    "Row `u` of the kernel lies on row `u` of the window: its rows are not its columns."
)
def kernel_by_columns(x, w, b, stride, padding):
    return _by_pixel((x, w, b, stride, padding), weight=lambda o, c, u, v: (o, c, v, u))


@conv2d.mistake("The weight has the axes kernel, channel, row, column: kernel first.")
def channel_before_kernel(x, w, b, stride, padding):
    return _by_pixel((x, w, b, stride, padding), weight=lambda o, c, u, v: (c, o, u, v))


@conv2d.mistake("The window goes on from its first row and column, not back from there.")
def window_backwards(x, w, b, stride, padding):
    return _by_pixel((x, w, b, stride, padding), pixel=lambda i, j, u, v, s: (i - u, j - v))


@conv2d.mistake("The stride moves the window. Inside of it, the cells lie side by side.")
def stride_inside_the_window(x, w, b, stride, padding):
    return _by_pixel(
        (x, w, b, stride, padding),
        pixel=lambda i, j, u, v, s: (i // s + u * s, j // s + v * s),
    )


@conv2d.mistake("The stride moves the window. Inside of it, the cells lie side by side.")
def stride_times_everything(x, w, b, stride, padding):
    return _by_pixel((x, w, b, stride, padding), pixel=lambda i, j, u, v, s: (i + u * s, j + v * s))


@conv2d.mistake("The padding is given: it is not always half of the kernel.")
def padding_of_half_a_kernel(x, w, b, stride, padding):
    return conv2d.solution(x, w, b, stride, w.shape[2] // 2)


@conv2d.mistake("You pad twice: `padding` cells are put on each side.")
def padding_doubled(x, w, b, stride, padding):
    return conv2d.solution(x, w, b, stride, 2 * padding)


@conv2d.mistake("The border holds zeros, not ones.")
def padding_with_ones(x, w, b, stride, padding):
    widths = ((0, 0), (0, 0), (padding, padding), (padding, padding))
    return conv2d.solution(np.pad(x, widths, constant_values=1), w, b, stride, 0)


@conv2d.mistake("Each map gets the bias of its own kernel, not the sum of all.")
def biases_added_up(x, w, b, stride, padding):
    return conv2d.solution(x, w, None, stride, padding) + (0 if b is None else b.sum())


@conv2d.mistake("The height comes first: the output has H_out rows and W_out columns.")
def output_reshaped(x, w, b, stride, padding):
    y = conv2d.solution(x, w, b, stride, padding)
    return y.reshape(y.shape[:2] + y.shape[:1:-1])


@conv2d.mistake("You turned the rows of the kernel. It is laid on the window as it is.")
def kernel_rows_turned(x, w, b, stride, padding):
    return conv2d.solution(x, w[:, :, ::-1], b, stride, padding)


@conv2d.mistake("You turned the columns of the kernel. It is laid on the window as it is.")
def kernel_columns_turned(x, w, b, stride, padding):
    return conv2d.solution(x, w[..., ::-1], b, stride, padding)


@conv2d.mistake("Each slice lies on its own channel: all of yours lie on channel 0.")
def first_channel_for_all(x, w, b, stride, padding):
    return conv2d.solution(np.broadcast_to(x[:, :1], x.shape), w, b, stride, padding)


@conv2d.mistake(
    "The padding lies on all four sides: before the image, too, on top and at the left."
)
def padding_behind_only(x, w, b, stride, padding):
    x = np.pad(x, ((0, 0), (0, 0), (0, padding), (0, padding)))
    return conv2d.solution(x, w, b, stride, 0)


@conv2d.mistake("The results of the channels are added: they have no axis of their own.")
def channels_stacked(x, w, b, stride, padding):
    channels = range(x.shape[1])
    parts = [conv2d.solution(x[:, [c]], w[:, [c]], b, stride, padding) for c in channels]
    return np.stack(parts, axis=2)


@conv2d.mistake("The bias is added, not taken away.")
def bias_subtracted(x, w, b, stride, padding):
    return conv2d.solution(x, w, None if b is None else -b, stride, padding)


@conv2d.mistake("The stride counts once: the windows of the output are all needed.")
def stride_twice(x, w, b, stride, padding):
    return conv2d.solution(x, w, b, stride, padding)[:, :, ::stride, ::stride]


@conv2d.mistake("An axis of length 1 is an axis, too: the output has four axes always.")
def output_squeezed(x, w, b, stride, padding):
    return conv2d.solution(x, w, b, stride, padding).squeeze()


@conv2d.mistake("Every image gives maps of its own: they are not added.")
def images_added(x, w, b, stride, padding):
    return conv2d.solution(x, w, b, stride, padding).sum(axis=0, keepdims=True)


@conv2d.mistake("Every image gives maps of its own: they are not averaged.")
def images_averaged(x, w, b, stride, padding):
    return conv2d.solution(x, w, b, stride, padding).mean(axis=0, keepdims=True)


@conv2d.mistake("Pixels and weights are multiplied. You add them.")
def pixels_plus_weights(x, w, b, stride, padding):
    k_h, k_w = w.shape[2:]
    return _fill(
        (x, w, b, stride, padding),
        lambda image, o, i, j: (image[:, i : i + k_h, j : j + k_w] + w[o]).sum(),
    )


@conv2d.mistake("Each side of the image gets `padding` cells: all of yours come after it.")
def all_padding_behind(x, w, b, stride, padding):
    x = np.pad(x, ((0, 0), (0, 0), (0, 2 * padding), (0, 2 * padding)))
    return conv2d.solution(x, w, b, stride, 0)


@conv2d.mistake("Each side of the image gets `padding` cells: all of yours come before it.")
def all_padding_before(x, w, b, stride, padding):
    x = np.pad(x, ((0, 0), (0, 0), (2 * padding, 0), (2 * padding, 0)))
    return conv2d.solution(x, w, b, stride, 0)


@conv2d.mistake(
    "Each side of the image gets `padding` cells: they are not shared between the sides."
)
def padding_shared(x, w, b, stride, padding):
    cells = (padding // 2, padding - padding // 2)
    return conv2d.solution(np.pad(x, ((0, 0), (0, 0), cells, cells)), w, b, stride, 0)


@conv2d.mistake("One cell of zeros lies around the image, whatever `padding` is.")
def padding_of_one(x, w, b, stride, padding):
    return conv2d.solution(x, w, b, stride, min(padding, 1))


def _zero_except(y, kept):
    """Return an output in which all but a part is still 0."""
    left = np.zeros_like(y)
    left[kept] = y[kept]
    return left


_RETURN = "The rest is still 0: is the `return` inside of a loop?"

for _name, _hint, _kept in [
    ("first_row_returned", f"Only the first row is there. {_RETURN}", np.s_[:1, :1, :1]),
    ("first_map_returned", f"Only the first map is there. {_RETURN}", np.s_[:1, :1]),
    (
        "first_image_returned",
        "Only the first image is computed: does a loop go through all? Is `return` behind it?",
        np.s_[:1],
    ),
    (
        "first_kernel_filled",
        "Only the map of the first kernel is computed: does a loop go through all kernels?",
        np.s_[:, :1],
    ),
    ("first_rows_filled", "Only the first row of each map is computed.", np.s_[:, :, :1]),
    ("first_columns_filled", "Only the first column is computed.", np.s_[:, :, :, :1]),
    ("first_cells_filled", "Only the first number of each map is computed.", np.s_[:, :, :1, :1]),
    (
        "last_places_left_zero",
        "The last row and column stay 0: the end of a range is left out anyway.",
        np.s_[:, :, :-1, :-1],
    ),
    (
        "first_places_left_zero",
        "Row 0 and column 0 of the output stay 0: counting starts at 0.",
        np.s_[:, :, 1:, 1:],
    ),
]:

    def _partly_filled(x, w, b, stride, padding, kept=_kept):
        return _zero_except(conv2d.solution(x, w, b, stride, padding), kept)

    _partly_filled.__name__ = _name
    conv2d.mistake(_hint)(_partly_filled)

for _name, _hint, _kept in [
    (
        "kernel_end_left_out",
        "The last row and column of the kernel are left out: an end is left out anyway.",
        np.s_[:, :, :-1, :-1],
    ),
    (
        "kernel_beginning_left_out",
        "Row 0 and column 0 of the kernel are left out: counting starts at 0.",
        np.s_[:, :, 1:, 1:],
    ),
    ("first_channel_left_out", "Channel 0 is left out: counting starts at 0.", np.s_[:, 1:]),
    (
        "last_channel_left_out",
        "The last channel is left out: the end of a range is left out anyway.",
        np.s_[:, :-1],
    ),
    (
        "last_row_of_the_kernel_only",
        "The next row of the window overwrites the one before it. All rows are added up.",
        np.s_[:, :, -1:],
    ),
    ("corner_of_the_kernel_only", "A window has more than one pixel.", np.s_[:, :, :1, :1]),
]:

    def _some_weights(x, w, b, stride, padding, kept=_kept):
        return conv2d.solution(x, _zero_except(w, kept), b, stride, padding)

    _some_weights.__name__ = _name
    conv2d.mistake(_hint)(_some_weights)


@conv2d.mistake("`stride` holds for both directions: your windows move by 1 from column to column.")
def windows_by_stride_in_rows_only(x, w, b, stride, padding):
    y = conv2d.solution(x, w, b, stride, padding)
    return conv2d.solution(x, w, b, 1, padding)[:, :, ::stride, : y.shape[3]]


@conv2d.mistake("`stride` holds for both directions: your windows move by 1 from row to row.")
def windows_by_stride_in_columns_only(x, w, b, stride, padding):
    y = conv2d.solution(x, w, b, stride, padding)
    return conv2d.solution(x, w, b, 1, padding)[:, :, : y.shape[2], ::stride]


@conv2d.mistake("The windows move by `stride`, so there are fewer of them: the size is too large.")
def slices_beyond_the_end(x, w, b, stride, padding):
    full = conv2d.solution(x, w, b, 1, padding)
    k_h, k_w = w.shape[2:]
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    y = np.zeros_like(full)
    for n, o, i, j in np.ndindex(y.shape):
        top, left = i * stride, j * stride
        y[n, o, i, j] = (x[n, :, top : top + k_h, left : left + k_w] * w[o]).sum()
    return y if b is None else y + b[:, None, None]


@conv2d.mistake("The windows move by `stride`, so there are fewer of them: the size is too large.")
def pixels_beyond_the_end(x, w, b, stride, padding):
    full = conv2d.solution(x, w, b, 1, padding)
    padded = np.zeros((x.shape[2] + 2 * padding, x.shape[3] + 2 * padding))
    row, column = (full.shape[2] - 1) * stride, (full.shape[3] - 1) * stride
    padded[row + w.shape[2] - 1, column + w.shape[3] - 1]
    return full


@conv2d.mistake("The output has H_out rows and W_out columns: you use one of the sizes twice.")
def output_as_wide_as_high(x, w, b, stride, padding):
    y = conv2d.solution(x, w, b, stride, padding)
    if y.shape[2] > y.shape[3]:
        raise ValueError("the shapes of window and kernel differ")
    return y[..., : y.shape[2]]


@conv2d.mistake("The axes of the output are image, kernel, row, column: the kernels come second.")
def kernel_axis_last(x, w, b, stride, padding):
    return np.moveaxis(conv2d.solution(x, w, b, stride, padding), 1, 3)


@conv2d.mistake("Negative results stay negative: the layer has no activation.")
def clipped(x, w, b, stride, padding):
    return np.maximum(conv2d.solution(x, w, b, stride, padding), 0)


@conv2d.mistake("The bias is added to the sum, not multiplied by it.")
def bias_multiplied(x, w, b, stride, padding):
    y = conv2d.solution(x, w, None, stride, padding)
    return y if b is None else y * b[:, None, None]


@conv2d.mistake("Each channel meets its own slice first; only the results are added.")
def channels_added_first(x, w, b, stride, padding):
    x, w = x.sum(axis=1, keepdims=True), w.sum(axis=1, keepdims=True)
    return conv2d.solution(x, w, b, stride, padding)


@conv2d.mistake("The pixels of the window are added up without their weights.")
def weights_ignored(x, w, b, stride, padding):
    return conv2d.solution(x, np.ones_like(w), b, stride, padding)


@conv2d.mistake("A kernel need not be square: it has kH rows and kW columns.")
def kernel_as_high_as_wide(x, w, b, stride, padding):
    side = w.shape[3]
    return _fill(
        (x, w, b, stride, padding),
        lambda image, o, i, j: (image[:, i : i + side, j : j + side] * w[o]).sum(),
    )


@conv2d.mistake("The window of row `i` begins there. Yours has its middle there.")
def windows_centred(x, w, b, stride, padding):
    top, left = w.shape[2] // 2, w.shape[3] // 2
    shape = conv2d.solution(x, w, b, stride, padding).shape
    x = np.pad(x, ((0, 0), (0, 0), (padding + top,) * 2, (padding + left,) * 2))
    return conv2d.solution(x, w, b, stride, 0)[:, :, : shape[2], : shape[3]]


@conv2d.mistake("The bias is added to each image and each place: you add it once only.")
def bias_at_the_first_place(x, w, b, stride, padding):
    y = conv2d.solution(x, w, None, stride, padding)
    if b is not None:
        y[:, :, 0, 0] += b
    return y


@conv2d.mistake("The kernels belong to the maps, not to the images: map `o` is made by kernel `o`.")
def kernel_of_the_image(x, w, b, stride, padding):
    y = conv2d.solution(x, w, b, stride, padding)
    for n, o in np.ndindex(y.shape[:2]):
        y[n, o] = conv2d.solution(x[[n]], w[[n]], b, stride, padding)[0, 0]
    return y


@conv2d.mistake("The height of the output is that of the image less kH, and its width less kW.")
def size_from_the_kernel_exchanged(x, w, b, stride, padding):
    y = conv2d.solution(x, w, b, stride, padding)
    height = (x.shape[2] + 2 * padding - w.shape[3]) // stride + 1
    return y[:, :, :height] if height <= y.shape[2] else y[..., :0]


@conv2d.mistake("The border holds zeros.")
def padding_with_minus_one(x, w, b, stride, padding):
    widths = ((0, 0), (0, 0), (padding, padding), (padding, padding))
    return conv2d.solution(np.pad(x, widths, constant_values=-1), w, b, stride, 0)


@conv2d.mistake("The border holds zeros. Yours shows pixels of the other end.")
def padding_around_the_end(x, w, b, stride, padding):
    widths = ((0, 0), (0, 0), (padding, padding), (padding, padding))
    return conv2d.solution(np.pad(x, widths, mode="wrap"), w, b, stride, 0)


@conv2d.mistake("The third axis of the output are the rows. On which axis do the kernels lie?")
def bias_along_the_height(x, w, b, stride, padding):
    y = conv2d.solution(x, w, None, stride, padding)
    return y if b is None else y + b[:, None]


@conv2d.mistake("The window of row `i` begins at `i * stride`: it moves, it is not put off.")
def windows_one_stride_further(x, w, b, stride, padding):
    shape = conv2d.solution(x, w, b, stride, padding).shape
    k_h, k_w = w.shape[2:]
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    y = np.zeros(shape)
    for n, o, i, j in np.ndindex(shape):
        top, left = i + stride, j + stride
        y[n, o, i, j] = (x[n, :, top : top + k_h, left : left + k_w] * w[o]).sum()
    return y


@conv2d.mistake("The window moves by `stride`, not by its own size.")
def slices_side_by_side(x, w, b, stride, padding):
    shape = conv2d.solution(x, w, b, stride, padding).shape
    k_h, k_w = w.shape[2:]
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    y = np.zeros(shape)
    for n, o, i, j in np.ndindex(shape):
        top, left = i * k_h, j * k_w
        y[n, o, i, j] = (x[n, :, top : top + k_h, left : left + k_w] * w[o]).sum()
    return y
