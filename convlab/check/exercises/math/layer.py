"""The exercise on the whole layer."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import numpy as np

from convlab.check.exercise import Arguments, random_array
from convlab.check.exercises.math.values import chapter


def _layers(random: Random) -> Iterator[Arguments]:
    """Yield the arguments of convolutions: one more of them is used each time."""
    yield random_array(random, 1, 1, 3, 3), random_array(random, 1, 1, 2, 2), None, 1, 0
    yield random_array(random, 1, 1, 3, 5), random_array(random, 1, 1, 2, 3), None, 1, 0
    yield random_array(random, 1, 2, 3, 3), random_array(random, 1, 2, 2, 2), None, 1, 0
    yield random_array(random, 1, 1, 3, 3), random_array(random, 3, 1, 2, 2), None, 1, 0
    yield random_array(random, 3, 1, 2, 3), random_array(random, 1, 1, 2, 2), None, 1, 0
    yield np.zeros((1, 1, 2, 3)), random_array(random, 2, 1, 1, 1), np.array([1.0, -2.0]), 1, 0
    yield random_array(random, 1, 1, 4, 6), random_array(random, 1, 1, 2, 2), None, 2, 0
    yield random_array(random, 1, 1, 4, 5), random_array(random, 1, 1, 2, 2), None, 3, 0
    yield random_array(random, 1, 1, 2, 3), random_array(random, 1, 1, 2, 2), None, 1, 1
    yield random_array(random, 1, 1, 3, 3), random_array(random, 1, 1, 3, 3), None, 2, 1
    for number in range(12):
        images, channels, kernels = (random.randint(1, 3) for _ in range(3))
        k_h, k_w, stride = (random.randint(1, 3) for _ in range(3))
        x = random_array(random, images, channels, k_h + random.randint(0, 3), k_w + 1)
        b = random_array(random, kernels) if number % 2 else None
        yield x, random_array(random, kernels, channels, k_h, k_w), b, stride, random.randint(0, 2)


@chapter.code(
    title="The whole layer",
    minutes=20,
    imports="import numpy as np",
    text="Write the convolution with loops. `x` has the shape (N, C, H, W), `w` (O, C, kH, kW), "
    "and `b` (O,), or it is None; `stride` and `padding` are ints, for both directions. Zeros are "
    "put on every side. Return an array of shape (N, O, H_out, W_out), where H_out is "
    "`(H + 2 * padding - kH) // stride + 1`, and W_out accordingly.",
    cases=_layers,
    hints=[
        "Begin without stride and padding: four loops, over image, kernel, row and column of the "
        "output, and in them the sum over a window.",
        "`np.pad` puts a border around an array. How many cells does each of the four axes get?",
        "Where does the window of output row `i` begin, if it moves by `stride` rows at a time?",
        "The bias of kernel `o` is added to each number of map `o`, unless `b` is None.",
    ],
    explanation="You have written the definition. Every faster way gives the same numbers.",
)
def conv2d(x, w, b, stride, padding):
    """Return the output of the layer, of shape (N, O, H_out, W_out)."""
    images, _, height, width = x.shape
    kernels, _, k_h, k_w = w.shape
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    out_h = (height + 2 * padding - k_h) // stride + 1
    out_w = (width + 2 * padding - k_w) // stride + 1
    y = np.zeros((images, kernels, out_h, out_w))
    for n, o, i, j in np.ndindex(y.shape):
        top, left = i * stride, j * stride
        window = x[n, :, top : top + k_h, left : left + k_w]
        y[n, o, i, j] = (window * w[o]).sum()
        if b is not None:
            y[n, o, i, j] += b[o]
    return y


@conv2d.mistake("You turned the kernel. The layer lays it on the window as it is.")
def kernel_turned(x, w, b, stride, padding):
    return conv2d.solution(x, w[..., ::-1, ::-1], b, stride, padding)


@conv2d.mistake("Rows and columns of the kernel are exchanged somewhere.")
def kernel_transposed(x, w, b, stride, padding):
    return conv2d.solution(x, w.swapaxes(2, 3), b, stride, padding)


@conv2d.mistake("The bias is missing: what does an image of zeros give?")
def bias_forgotten(x, w, b, stride, padding):
    return conv2d.solution(x, w, None, stride, padding)


@conv2d.mistake("`b` may be None. Then nothing is added.")
def bias_never_none(x, w, b, stride, padding):
    return conv2d.solution(x, w, None, stride, padding) + b[:, None, None]


@conv2d.mistake("The bias is added once per kernel, not once per channel.")
def bias_per_channel(x, w, b, stride, padding):
    b = None if b is None else b * x.shape[1]
    return conv2d.solution(x, w, b, stride, padding)


@conv2d.mistake("The bias is added once per window, not to each product.")
def bias_per_product(x, w, b, stride, padding):
    b = None if b is None else b * w[0].size
    return conv2d.solution(x, w, b, stride, padding)


@conv2d.mistake("The last axis of the output is the width. On which axis do the kernels lie?")
def bias_along_the_width(x, w, b, stride, padding):
    y = conv2d.solution(x, w, None, stride, padding)
    return y if b is None else y + b


@conv2d.mistake("Every kernel has a bias of its own. You use one for all.")
def bias_of_first_kernel(x, w, b, stride, padding):
    b = None if b is None else np.full_like(b, b[0])
    return conv2d.solution(x, w, b, stride, padding)


@conv2d.mistake("The size is right. But where do the windows begin, if they move by `stride`?")
def stride_in_the_size_only(x, w, b, stride, padding):
    full = conv2d.solution(x, w, b, 1, padding)
    height = (x.shape[2] + 2 * padding - w.shape[2]) // stride + 1
    width = (x.shape[3] + 2 * padding - w.shape[3]) // stride + 1
    return full[:, :, :height, :width]


@conv2d.mistake("The window moves by `stride` pixels at a time: it is missing.")
def stride_forgotten(x, w, b, stride, padding):
    return conv2d.solution(x, w, b, 1, padding)


@conv2d.mistake("The window moves by `stride`, not by its own size.")
def windows_side_by_side(x, w, b, stride, padding):
    full = conv2d.solution(x, w, b, 1, padding)
    return full[:, :, :: w.shape[2], :: w.shape[3]]


@conv2d.mistake("The padding is missing: zeros lie around the image.")
def padding_forgotten(x, w, b, stride, padding):
    return conv2d.solution(x, w, b, stride, 0)


@conv2d.mistake("The padding lies on both sides of an axis, and so counts twice in the size.")
def padding_on_one_side(x, w, b, stride, padding):
    x = np.pad(x, ((0, 0), (0, 0), (padding, 0), (padding, 0)))
    return conv2d.solution(x, w, b, stride, 0)


@conv2d.mistake("A number alone makes `np.pad` pad all axes, image and channel, too.")
def padding_of_all_axes(x, w, b, stride, padding):
    x = np.pad(x, padding)
    images, _, height, width = x.shape
    kernels, _, k_h, k_w = w.shape
    out_h, out_w = (height - k_h) // stride + 1, (width - k_w) // stride + 1
    y = np.zeros((images, kernels, out_h, out_w))
    for n, o, i, j in np.ndindex(y.shape):
        window = x[n, :, i * stride : i * stride + k_h, j * stride : j * stride + k_w]
        y[n, o, i, j] = (window * w[o]).sum() + (0 if b is None else b[o])
    return y


@conv2d.mistake("The border holds zeros. Yours repeats pixels of the image.")
def padding_repeats_pixels(x, w, b, stride, padding):
    widths = ((0, 0), (0, 0), (padding, padding), (padding, padding))
    return conv2d.solution(np.pad(x, widths, mode="edge"), w, b, stride, 0)


@conv2d.mistake("Only the first channel is used: the sum runs over all of them.")
def first_channel_only(x, w, b, stride, padding):
    return conv2d.solution(x[:, :1], w[:, :1], b, stride, padding)


@conv2d.mistake("The next channel overwrites the one before it. They are added.")
def last_channel_only(x, w, b, stride, padding):
    return conv2d.solution(x[:, -1:], w[:, -1:], b, stride, padding)


@conv2d.mistake("Every channel has a slice of its own. You use the first one for all.")
def first_slice_for_all(x, w, b, stride, padding):
    return conv2d.solution(x, np.broadcast_to(w[:, :1], w.shape), b, stride, padding)


@conv2d.mistake("The results of the channels are added, not averaged.")
def channels_averaged(x, w, b, stride, padding):
    return conv2d.solution(x, w / x.shape[1], b, stride, padding)


@conv2d.mistake("The products of a window are added, not averaged.")
def products_averaged(x, w, b, stride, padding):
    return conv2d.solution(x, w / w[0].size, b, stride, padding)


@conv2d.mistake("Every map has a kernel of its own. You use the first one for all.")
def first_kernel_only(x, w, b, stride, padding):
    return conv2d.solution(x, np.broadcast_to(w[:1], w.shape), b, stride, padding)


@conv2d.mistake("The maps of the kernels are stacked, not added.")
def kernels_added(x, w, b, stride, padding):
    return conv2d.solution(x, w, b, stride, padding).sum(axis=1, keepdims=True)


@conv2d.mistake("The images of the batch are all convolved, each one by itself.")
def first_image_only(x, w, b, stride, padding):
    return conv2d.solution(x[:1], w, b, stride, padding)


@conv2d.mistake("Every image gives maps of its own. Here all have those of the first one.")
def first_image_for_all(x, w, b, stride, padding):
    return conv2d.solution(np.broadcast_to(x[:1], x.shape), w, b, stride, padding)


@conv2d.mistake("The output has four axes: image, kernel, row and column.")
def batch_axis_lost(x, w, b, stride, padding):
    return conv2d.solution(x, w, b, stride, padding)[0]


@conv2d.mistake("The axes of the output are image, kernel, row, column, in this order.")
def kernel_axis_first(x, w, b, stride, padding):
    return conv2d.solution(x, w, b, stride, padding).swapaxes(0, 1)


@conv2d.mistake("The height comes first: rows and columns of the output are exchanged.")
def output_transposed(x, w, b, stride, padding):
    return conv2d.solution(x, w, b, stride, padding).swapaxes(2, 3)


@conv2d.mistake("The last row and the last column are missing. How many places has the window?")
def last_places_missing(x, w, b, stride, padding):
    return conv2d.solution(x, w, b, stride, padding)[:, :, :-1, :-1]


@conv2d.mistake("The 1 is added after the division by the stride, not before it.")
def one_added_before_division(x, w, b, stride, padding):
    height = (x.shape[2] + 2 * padding - w.shape[2] + 1) // stride
    width = (x.shape[3] + 2 * padding - w.shape[3] + 1) // stride
    return conv2d.solution(x, w, b, stride, padding)[:, :, :height, :width]


@conv2d.mistake("Each product overwrites the one before it. They are added up.")
def products_overwritten(x, w, b, stride, padding):
    last = np.zeros_like(w)
    last[:, -1, -1, -1] = w[:, -1, -1, -1]
    return conv2d.solution(x, last, b, stride, padding)


@conv2d.mistake("The sum goes on from window to window. It begins at 0 for each of them.")
def sum_never_reset(x, w, b, stride, padding):
    y = conv2d.solution(x, w, b, stride, padding)
    return y.cumsum().reshape(y.shape)


@conv2d.mistake("The sum goes on within a row. It begins at 0 for each window.")
def sum_reset_once_a_row(x, w, b, stride, padding):
    return conv2d.solution(x, w, b, stride, padding).cumsum(axis=3)


@conv2d.mistake("The sum goes on within a map. It begins at 0 for each window.")
def sum_reset_once_a_map(x, w, b, stride, padding):
    y = conv2d.solution(x, w, b, stride, padding)
    return y.reshape(*y.shape[:2], -1).cumsum(axis=2).reshape(y.shape)


@conv2d.mistake("The array of the results holds whole numbers. What becomes of a sum like 0.5?")
def whole_numbers(x, w, b, stride, padding):
    return conv2d.solution(x, w, b, stride, padding).astype(int)


@conv2d.mistake("A size is a whole number, and `/` gives a float.")
def size_is_float(x, w, b, stride, padding):
    return np.zeros((len(x), len(w), (x.shape[2] + 2 * padding - w.shape[2]) / stride + 1, 1))


@conv2d.mistake("An array is neither true nor false. Ask whether `b` is None.")
def truth_of_bias(x, w, b, stride, padding):
    return conv2d.solution(x, w, b if b else None, stride, padding)


@conv2d.mistake("Each number of map `o` gets the bias of kernel `o`, one number.")
def all_biases_at_once(x, w, b, stride, padding):
    y = conv2d.solution(x, w, None, stride, padding)
    for place in np.ndindex(y.shape):
        y[place] = y[place] if b is None else y[place] + b
    return y


@conv2d.mistake("The biases belong to the kernels, not to the images.")
def bias_of_the_image(x, w, b, stride, padding):
    y = conv2d.solution(x, w, None, stride, padding)
    return y if b is None else np.stack([y[n] + b[n] for n in range(len(y))])


@conv2d.mistake(
    "Windows reach beyond the end: are zeros around the image, and is the padding counted once? "
    "If you read H and W from the padded array, they hold it already."
)
def padding_in_the_size_only(x, w, b, stride, padding):
    height = (x.shape[2] + 2 * padding - w.shape[2]) // stride + 1
    width = (x.shape[3] + 2 * padding - w.shape[3]) // stride + 1
    y = np.zeros((len(x), len(w), height, width))
    for n, o, i, j in np.ndindex(y.shape):
        rows = slice(i * stride, i * stride + w.shape[2])
        columns = slice(j * stride, j * stride + w.shape[3])
        y[n, o, i, j] = (x[n, :, rows, columns] * w[o]).sum() + (0 if b is None else b[o])
    return y


@conv2d.mistake(
    "Windows reach beyond the end: are zeros around the image, and is the padding counted once? "
    "If you read H and W from the padded array, they hold it already."
)
def pixels_beyond_the_edge(x, w, b, stride, padding):
    *_, out_h, out_w = conv2d.solution(x, w, b, stride, padding).shape
    x[0, 0, (out_h - 1) * stride + w.shape[2] - 1, (out_w - 1) * stride + w.shape[3] - 1]
    return conv2d.solution(x, w, b, stride, 0)


@conv2d.mistake("The padding is in the image, but not in the size of the output.")
def padding_not_in_the_size(x, w, b, stride, padding):
    height = (x.shape[2] - w.shape[2]) // stride + 1
    width = (x.shape[3] - w.shape[3]) // stride + 1
    return conv2d.solution(x, w, b, stride, padding)[:, :, :height, :width]


@conv2d.mistake("`padding` holds for both directions: rows and columns.")
def padding_of_rows_only(x, w, b, stride, padding):
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (0, 0)))
    return conv2d.solution(x, w, b, stride, 0)


@conv2d.mistake("`padding` holds for both directions: rows and columns.")
def padding_of_columns_only(x, w, b, stride, padding):
    x = np.pad(x, ((0, 0), (0, 0), (0, 0), (padding, padding)))
    return conv2d.solution(x, w, b, stride, 0)


@conv2d.mistake("`stride` holds for both directions: rows and columns.")
def stride_of_rows_only(x, w, b, stride, padding):
    return conv2d.solution(x, w, b, 1, padding)[:, :, ::stride]


@conv2d.mistake("`stride` holds for both directions: rows and columns.")
def stride_of_columns_only(x, w, b, stride, padding):
    return conv2d.solution(x, w, b, 1, padding)[:, :, :, ::stride]


@conv2d.mistake("The window begins at row `i * stride`; its result stands in row `i`.")
def written_at_the_start_of_the_window(x, w, b, stride, padding):
    full = conv2d.solution(x, w, b, 1, padding)
    y = np.zeros_like(conv2d.solution(x, w, b, stride, padding))
    for i in range(0, full.shape[2], stride):
        for j in range(0, full.shape[3], stride):
            y[:, :, i, j] = full[:, :, i, j]
    return y
