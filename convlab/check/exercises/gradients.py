"""Exercises on the backward pass."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

import numpy as np

from convlab.check.exercise import Arguments, Chapter, random_array
from convlab.shapes import conv2d_output_size, conv_transpose2d_output_size

chapter = Chapter("gradients")

_SLOPE = 2 * (2 * 3 - 5)  # of the loss, when the answer rises

chapter.value(
    "descent_step",
    title="One step downhill",
    minutes=4,
    text="A network of one weight answers `w * x`. Shown a 3, it should answer 5, and its loss is "
    "the square of the difference. The weight is 2. Give two numbers: the gradient of the weight, "
    "and the weight after a step with the learning rate 0.1.",
    answer=(_SLOPE * 3, 2 - 0.1 * _SLOPE * 3),
    hints=[
        "By how much does the loss change per unit of the answer? And the answer per unit of `w`?",
        "Multiply the two slopes. The step goes against the product, by a tenth of it.",
    ],
    explanation="Slopes along the way are multiplied. The answer was too large, so the weight "
    "falls.",
    mistakes=[
        (
            "input_forgotten",
            (_SLOPE, 2 - 0.1 * _SLOPE),
            "That is the gradient of the answer. How much does the answer change with the weight?",
        ),
        ("uphill", (6, 2 + 0.1 * 6), "A step along the gradient makes the loss larger."),
        ("factor_2_forgotten", (3, 2 - 0.1 * 3), "How steep is a square? Its slope at 1 is not 1."),
        ("rate_forgotten", (6, 2 - 6), "The step is a tenth of the gradient, not all of it."),
        ("step_in_place_of_weight", (6, -0.6), "That is the step. Where does it lead from 2?"),
        ("sign_turned", (-6, 2.6), "The answer is too large: a larger weight makes it worse."),
    ],
)

_ARRIVING, _KERNEL = (2, 0, 5), (1, 3)


def _row(numbers: Any) -> tuple[int, ...]:
    return tuple(int(number) for number in numbers)


chapter.value(
    "gradient_of_a_row",
    title="The gradient of a row, by hand",
    minutes=5,
    text="The kernel `1 3` slides over a row of four pixels, one cell at a time. From the layer "
    "behind arrives the gradient of its three outputs, `2 0 5`. What is the gradient of the four "
    "pixels?",
    answer=_row(np.convolve(_ARRIVING, _KERNEL)),
    hints=[
        "Draw an arrow from each pixel to each output that it enters. Which weight belongs to it?",
        "Multiply along each arrow, and add where arrows meet. The first pixel has one arrow.",
    ],
    explanation="Each output sends its gradient back through the window through which it looked.",
    mistakes=[
        (
            "kernel_turned",
            _row(np.convolve(_ARRIVING, _KERNEL[::-1])),
            "The first pixel lies under the first weight of the first window only.",
        ),
        (
            "slid_forward",
            _row(np.correlate(_ARRIVING, _KERNEL)),
            "There are four pixels, and each one has entered at least one output.",
        ),
        (
            "turned_and_slid",
            _row(np.convolve(_ARRIVING, _KERNEL, "valid")),
            "There are four pixels. Those at the ends have entered one output each.",
        ),
        (
            "overlap_overwritten",
            (2, 0, 5, 15),
            "A pixel under two windows hears from both: add what meets.",
        ),
    ],
)

chapter.value(
    "predict_bias_gradient",
    title="Predict: backward, three times",
    minutes=3,
    text="What does this print?",
    code="layer = nn.Conv2d(1, 1, kernel_size=2)\n"
    "image = torch.ones(1, 1, 3, 5)\n"
    "for _ in range(3):\n"
    "    layer(image).sum().backward()\n"
    "print(layer.bias.grad.item())",
    answer=3 * int(np.prod(conv2d_output_size((3, 5), 2))),
    hints=[
        "At how many places does the window stand? Each output rises with the bias.",
        "What does `backward()` do with a gradient that is there already?",
    ],
    explanation="`backward()` adds to `.grad`. That is why a loop calls `zero_grad()`.",
    mistakes=[
        ("not_added_up", 2 * 4, "And what does the second `backward()` do with this number?"),
        (
            "pixels_counted",
            3 * 15,
            "The bias enters each output once, and outputs are fewer.",
        ),
        ("pixels_once", 15, "Count outputs, not pixels. And `backward()` is called three times."),
        ("ones_added", 3, "The bias enters each output of the layer, not only one."),
        ("one", 1, "The bias enters every output, and `backward()` is called three times."),
        ("weight_times", 3 * 4, "How many places has the window? Its own size is 2 by 2."),
    ],
)


def _arriving(random: Random) -> Iterator[Arguments]:
    """Yield gradients of an output, from the simplest on."""
    for shape in ((1, 1, 2, 2), (1, 2, 2, 3), (2, 1, 2, 2), (2, 3, 2, 2)):
        yield (random_array(random, *shape),)
    for _ in range(20):
        yield (random_array(random, *(random.randint(1, 4) for _ in range(4))),)


@chapter.code(
    title="The gradient of the bias",
    minutes=3,
    text="`grad_output` is the gradient of the output of a convolution, an array of the shape "
    "(N, O, H, W). Return the gradient of the bias, of the shape (O,).",
    cases=_arriving,
    imports="import numpy as np",
    hints=[
        "Which outputs rise when the bias of kernel 0 rises by one?",
        "`array.sum(axis=...)` takes several axes as a tuple.",
    ],
    explanation="A bias is added everywhere, so it collects from everywhere: all images, all "
    "places.",
)
def grad_bias(grad_output):
    """Return the gradient of the bias, of shape (O,)."""
    return grad_output.sum(axis=(0, 2, 3))


@grad_bias.mistake("Each image of the batch pulls at the same bias: add over the images, too.")
def bias_for_each_image(grad_output):
    return grad_output.sum(axis=(2, 3))


@grad_bias.mistake("Each kernel has a bias of its own: one axis must stay.")
def bias_in_one_number(grad_output):
    return grad_output.sum()


@grad_bias.mistake("The chain rule adds where arrows meet. A mean divides.")
def bias_mean(grad_output):
    return grad_output.mean(axis=(0, 2, 3))


@grad_bias.mistake("The chain rule adds over the images. A mean divides by their number.")
def bias_mean_over_images(grad_output):
    return grad_output.sum(axis=(2, 3)).mean(axis=0)


@grad_bias.mistake("Which axis holds the kernels? The axes are (N, O, H, W).")
def bias_per_image(grad_output):
    return grad_output.sum(axis=(1, 2, 3))


@grad_bias.mistake("The numbers are right, but a bias has a single axis, (O,).")
def bias_axes_kept(grad_output):
    return grad_output.sum(axis=(0, 2, 3), keepdims=True)


@grad_bias.mistake("A bias is added at every place of the map: add over rows and columns, too.")
def bias_for_each_place(grad_output):
    return grad_output.sum(axis=0)


@grad_bias.mistake("All images of the batch count, not only the first.")
def bias_of_the_first_image(grad_output):
    return grad_output[0].sum(axis=(1, 2))


@grad_bias.mistake("A bias is one number for a kernel: add over images, rows and columns.")
def bias_over_columns(grad_output):
    return grad_output.sum(axis=-1)


@grad_bias.mistake("Which axis holds the kernels? The axes are (N, O, H, W).")
def bias_over_images_and_kernels(grad_output):
    return grad_output.sum(axis=(0, 1))


@grad_bias.mistake("Which axis holds the kernels? The axes are (N, O, H, W).")
def bias_over_kernels(grad_output):
    return grad_output.sum(axis=1)


@grad_bias.mistake("The outputs rise by one each. But what is each rise worth?")
def bias_of_ones(grad_output):
    return np.full(grad_output.shape[1], float(grad_output[:, 0].size))


@grad_bias.mistake("All images pull at the same bias: add over the batch.")
def bias_in_one_row(grad_output):
    return grad_output.sum(axis=(2, 3)).ravel()


@grad_bias.mistake("`reshape` mixes images and kernels. Name the axes of the sum instead.")
def bias_reshaped(grad_output):
    return grad_output.reshape(grad_output.shape[1], -1).sum(axis=1)


@grad_bias.mistake("A bias is added at every place: add over rows and columns.")
def bias_columns_left(grad_output):
    return grad_output.sum(axis=(0, 2))


def _backward(random: Random) -> Iterator[Arguments]:
    """Yield a gradient of the output and an input that fit, from the simplest on."""
    settings = [(1, 1, 1, 3, 4, 2, 2), (1, 1, 1, 4, 4, 3, 2), (1, 1, 2, 3, 4, 2, 2)]
    settings += [(1, 2, 1, 3, 4, 2, 2), (2, 1, 1, 3, 4, 2, 2), (1, 3, 2, 3, 3, 2, 2)]
    settings += [(2, 2, 3, 4, 5, 1, 2), (1, 1, 1, 3, 3, 1, 1), (2, 3, 2, 4, 3, 4, 3)]
    for _ in range(12):
        images, kernels, channels = (random.randint(1, 3) for _ in range(3))
        height, width = random.randint(1, 3), random.randint(1, 3)
        rows, columns = height + random.randint(0, 3), width + random.randint(0, 3)
        settings.append((images, kernels, channels, rows, columns, height, width))
    for images, kernels, channels, rows, columns, height, width in settings:
        yield (
            random_array(random, images, kernels, rows - height + 1, columns - width + 1),
            random_array(random, images, channels, rows, columns),
        )


@chapter.code(
    title="The gradient of the weight",
    minutes=20,
    text="A convolution with stride 1, without padding, has read `x`, of the shape (N, C, H, W). "
    "Its output has the gradient `grad_output`, of the shape (N, O, H', W'). Return the gradient "
    "of its weight, of the shape (O, C, kH, kW), for the whole batch. The size of the kernel "
    "follows from the two shapes.",
    cases=_backward,
    imports="import numpy as np",
    hints=[
        "How large was the kernel, if H rows became H' rows?",
        "A weight meets, for each output, one pixel. Multiply each output's gradient by it, and "
        "add.",
        "For the weight at row u and column v, with `h, w = grad_output.shape[2:]`, the pixels are "
        "`x[:, :, u:u + h, v:v + w]`.",
    ],
    explanation="The gradient of the output slides over the input as if it were the kernel, and "
    "all images pull at the same weight.",
)
def grad_weight(grad_output, x):
    """Return the gradient of the weight, of shape (O, C, kH, kW)."""
    height, width = grad_output.shape[2:]
    rows, columns = x.shape[2] - height + 1, x.shape[3] - width + 1
    grad = np.zeros((grad_output.shape[1], x.shape[1], rows, columns))
    for u in range(rows):
        for v in range(columns):
            pixels = x[:, :, u : u + height, v : v + width]
            grad[:, :, u, v] = np.einsum("nohw,nchw->oc", grad_output, pixels)
    return grad


def _met(grad_output: Any, x: Any) -> Any:
    """Return the pixels that each weight meets, of shape (N, C, kH, kW, H', W')."""
    return np.lib.stride_tricks.sliding_window_view(x, grad_output.shape[2:], axis=(2, 3))


@grad_weight.mistake("All images pull at the same weight: add over the batch.")
def batch_not_summed(grad_output, x):
    return np.einsum("nohw,ncuvhw->nocuv", grad_output, _met(grad_output, x))


@grad_weight.mistake("Add over the images of the batch. A mean divides by their number.")
def batch_averaged(grad_output, x):
    return grad_weight.solution(grad_output, x) / len(x)


@grad_weight.mistake("All images of the batch count, not only the first.")
def first_image_only(grad_output, x):
    return grad_weight.solution(grad_output[:1], x[:1])


@grad_weight.mistake("Does your sum go over all images? Only the last one is left (`=` or `+=`?).")
def last_image_only(grad_output, x):
    return grad_weight.solution(grad_output[-1:], x[-1:])


@grad_weight.mistake("What is computed later replaces what was there: add it instead (`+=`).")
def last_place_only(grad_output, x):
    last = _met(grad_output, x)[-1, ..., -1, -1]
    return np.einsum("o,cuv->ocuv", grad_output[-1, :, -1, -1], last)


@grad_weight.mistake("The gradient of the weight needs no turn. Which pixel does weight 0 meet?")
def weight_turned(grad_output, x):
    return grad_weight.solution(grad_output, x)[:, :, ::-1, ::-1]


@grad_weight.mistake("The gradient of the output slides as it is, without a turn.")
def gradient_turned(grad_output, x):
    return grad_weight.solution(grad_output[:, :, ::-1, ::-1], x)


@grad_weight.mistake("The axes of a weight are (O, C, kH, kW): kernels first.")
def weight_axes_exchanged(grad_output, x):
    return grad_weight.solution(grad_output, x).swapaxes(0, 1)


@grad_weight.mistake("Rows and columns are exchanged in your kernel.")
def rows_and_columns_exchanged(grad_output, x):
    return grad_weight.solution(grad_output, x).swapaxes(2, 3)


@grad_weight.mistake("The chain rule adds over the places. A mean divides by their number.")
def places_averaged(grad_output, x):
    return grad_weight.solution(grad_output, x) / grad_output[0, 0].size


@grad_weight.mistake("A kernel has a slice for each channel, and each meets its own channel only.")
def channels_summed(grad_output, x):
    summed = grad_weight.solution(grad_output, x).sum(axis=1, keepdims=True)
    return np.broadcast_to(summed, (grad_output.shape[1], *_met(grad_output, x).shape[1:4]))


@grad_weight.mistake("The axis of the channels is gone. Add over images and places only.")
def channels_gone(grad_output, x):
    return grad_weight.solution(grad_output, x).sum(axis=1)


@grad_weight.mistake("Each kernel hears from its own output channel only, not from all of them.")
def kernels_summed(grad_output, x):
    return grad_weight.solution(grad_output.sum(axis=1, keepdims=True), x).repeat(
        grad_output.shape[1], axis=0
    )


@grad_weight.mistake("Each pixel counts as much as the gradient of its output says: multiply.")
def gradient_ignored(grad_output, x):
    return grad_weight.solution(np.ones_like(grad_output), x)


@grad_weight.mistake("Count the places: if H rows became H', the kernel has H - H' + 1.")
def kernel_too_small(grad_output, x):
    return grad_weight.solution(grad_output, x)[:, :, :-1, :-1]


@grad_weight.mistake("The gradient of the output must not hang over the edges of the input here.")
def hanging_over(grad_output, x):
    height, width = grad_output.shape[2:]
    border = [(0, 0), (0, 0), (height - 1, height - 1), (width - 1, width - 1)]
    return grad_weight.solution(grad_output, np.pad(x, border))


@grad_weight.mistake("Which pixels does a weight meet? For the next weight they lie one further.")
def window_stays(grad_output, x):
    first = _met(grad_output, x)[:, :, :1, :1]
    same = np.broadcast_to(first, _met(grad_output, x).shape)
    return np.einsum("nohw,ncuvhw->ocuv", grad_output, same)


@grad_weight.mistake("The kernel has a slice for each channel of the input, not only the first.")
def first_channel_only(grad_output, x):
    return grad_weight.solution(grad_output, np.repeat(x[:, :1], x.shape[1], axis=1))


@grad_weight.mistake("Every weight of the kernel has a gradient, not only the first one.")
def first_weight_only(grad_output, x):
    return grad_weight.solution(grad_output, x)[:, :, 0, 0]


def _printed(random: Random) -> Iterator[Arguments]:
    """Yield a row, a kernel and a stride, from the simplest on."""
    yield np.array([2.0]), np.array([1.0, 2, 3]), 1
    yield np.array([1.0, 100]), np.array([1.0, 2, 3]), 3
    yield np.array([1.0, 100]), np.array([1.0, 2, 3]), 1
    yield np.array([1.0, 100]), np.array([1.0, 2, 3]), 2
    yield np.array([1.0, 2, 3]), np.array([5.0, 7]), 3
    for _ in range(30):
        row, kernel = (random_array(random, random.randint(1, 6)) for _ in range(2))
        yield row, kernel, random.randint(1, 4)


@chapter.code(
    title="A transposed convolution along a row",
    minutes=10,
    text="`x` is a row of numbers and `w` a kernel, both arrays with one axis. Return what a "
    "transposed convolution makes of them, without padding: for each number of `x` put down the "
    "kernel, scaled by it, `stride` cells apart, and add.",
    cases=_printed,
    imports="import numpy as np",
    hints=[
        "Where does the last kernel begin, and where does it end? The output is as long.",
        "Begin with zeros. Kernel number i covers the cells from i * stride on.",
    ],
    explanation="It is the backward pass of a convolution to its input, used as a layer.",
)
def transposed_row(x, w, stride):
    """Return the row that the kernels make together."""
    out = np.zeros((len(x) - 1) * stride + len(w))
    for i, number in enumerate(x):
        out[i * stride : i * stride + len(w)] += number * w
    return out


@transposed_row.mistake("Where kernels overlap, the later one replaces the earlier: add them.")
def print_overwritten(x, w, stride):
    out = np.zeros((len(x) - 1) * stride + len(w))
    for i, number in enumerate(x):
        out[i * stride : i * stride + len(w)] = number * w
    return out


@transposed_row.mistake("The kernel is put down as it is, not turned.")
def print_turned(x, w, stride):
    return transposed_row.solution(x, w[::-1], stride)


@transposed_row.mistake("The kernels stand `stride` cells apart. Yours stand one cell apart.")
def print_stride_forgotten(x, w, stride):
    return np.convolve(x, w)


@transposed_row.mistake("Each kernel is scaled by the number of `x` for which it is put down.")
def print_not_scaled(x, w, stride):
    return transposed_row.solution(np.ones_like(x), w, stride)


@transposed_row.mistake("The last kernel begins at (n - 1) * stride. Where does it end?")
def print_cut_off(x, w, stride):
    return transposed_row.solution(x, w, stride)[: len(x) * stride]


@transposed_row.mistake("The output ends where the last kernel ends. How many strides lead to it?")
def print_one_stride_more(x, w, stride):
    return np.append(transposed_row.solution(x, w, stride), np.zeros(stride))


@transposed_row.mistake("That is the size of a convolution's output. Here the row becomes longer.")
def print_as_convolution(x, w, stride):
    return np.correlate(x, w, "valid")[::stride]


@transposed_row.mistake("Kernels stand `stride` cells apart. Yours stand end to end.")
def print_end_to_end(x, w, stride):
    return np.outer(x, w).ravel()


@transposed_row.mistake("The strides lie between the numbers of `x`, not between the weights.")
def print_spread_kernel(x, w, stride):
    return transposed_row.solution(w, x, stride)


@transposed_row.mistake("The last kernel begins at (n - 1) * stride: behind it is no more room.")
def print_room_left(x, w, stride):
    return np.append(transposed_row.solution(x, w, stride), np.zeros(stride - 1))


@transposed_row.mistake("Kernels stand `stride` cells apart. Yours begin one cell apart.")
def print_next_to_each_other(x, w, stride):
    out = transposed_row.solution(x, w, stride)
    out[:] = 0
    for i, number in enumerate(x):
        out[i : i + len(w)] += number * w
    return out


@transposed_row.mistake("`stride` cells apart means: with stride - 1 cells between them.")
def print_one_cell_too_far(x, w, stride):
    return transposed_row.solution(x, w, stride + 1)


@transposed_row.mistake("Nothing is cut off: the first kernel and the last stand there wholly.")
def print_same(x, w, stride):
    spread = np.zeros((len(x) - 1) * stride + 1)
    spread[::stride] = x
    return np.convolve(spread, w, "same")


@transposed_row.mistake("The last kernel begins at (n - 1) * stride. Where does it end?")
def print_without_room(x, w, stride):
    out = np.zeros(len(x) * stride)
    for i, number in enumerate(x):
        out[i * stride : i * stride + len(w)] += number * w
    return out


@transposed_row.mistake("That is a convolution. Here each number sends out a whole kernel.")
def print_forward(x, w, stride):
    places = (len(x) - len(w)) // stride + 1
    return np.array([x[i * stride : i * stride + len(w)] @ w for i in range(places)])


def _loses_cells(answer: Any) -> str | None:
    """Return what is wrong with a setting that should not lead back to its size."""
    size, kernel_size, stride = answer
    small = conv2d_output_size(size, kernel_size, stride)[0]
    back = conv_transpose2d_output_size(small, kernel_size, stride)[0]
    return f"{size} cells become {small}, and these {back} again" if back == size else None


chapter.search(
    "break_there_and_back",
    title="Break it: there and back",
    minutes=5,
    text='Somebody says: "A transposed convolution with the same `kernel_size` and `stride` as a '
    'convolution leads back to the size of its input." There is no padding and no output padding. '
    "Give a triple `(size, kernel_size, stride)` of ints for which that fails.",
    objection=_loses_cells,
    example=(8, 3, 2),
    hints=[
        "Two sizes that lead to the same output cannot both be the one that comes back.",
        "When does the convolution have to round down?",
    ],
    explanation="The convolution rounds down, and the transposed one returns to the smallest size. "
    "`output_padding` chooses one of the others.",
    mistakes=[
        ("stride_1", (8, 3, 1), "With stride 1 nothing is rounded down, so nothing gets lost."),
        ("nothing_rounded", (7, 3, 2), "Here the strides fit exactly. Take one pixel more."),
        ("window_as_stride", (8, 2, 2), "The windows cover the row exactly. When would they not?"),
    ],
)
