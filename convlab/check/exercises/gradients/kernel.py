"""The exercise on the gradient of the weight."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

import numpy as np

from convlab.check.exercise import Arguments, Mistake, random_array
from convlab.check.exercises.gradients.values import chapter


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


def _known(hint, **answers):
    """Enter known mistakes that share a hint."""
    grad_weight.mistakes.extend(Mistake(name, hint, answer) for name, answer in answers.items())


def _of_size(grad_output, x, rows, columns):
    """Return the gradient for a kernel of another size."""
    height, width = grad_output.shape[2:]
    grad = np.zeros((grad_output.shape[1], x.shape[1], rows, columns))
    for u in range(rows):
        for v in range(columns):
            pixels = x[:, :, u : u + height, v : v + width]
            grad[:, :, u, v] = np.einsum("nohw,nchw->oc", grad_output, pixels)
    return grad


def _kernel_size(grad_output, x):
    return x.shape[2] - grad_output.shape[2] + 1, x.shape[3] - grad_output.shape[3] + 1


def _stored_transposed(grad_output, x):
    """Write (C, O) into (O, C), which fits if there are as many of both."""
    grad = np.zeros_like(grad_weight.solution(grad_output, x))
    grad[...] = grad_weight.solution(grad_output, x).swapaxes(0, 1)
    return grad


_known(
    "The kernel need not be square: its columns follow from W and W', its rows from H and H'.",
    square_of_rows=lambda g, x: _of_size(g, x, *[_kernel_size(g, x)[0]] * 2),
    square_of_columns=lambda g, x: _of_size(g, x, *[_kernel_size(g, x)[1]] * 2),
)
_known(
    "H' and W' are the size of the output. How large was the kernel, if H rows became H'?",
    kernel_as_large_as_output=lambda g, x: _of_size(g, x, *g.shape[2:]),
)
_known(
    "Count the places: if H rows became H', the kernel has H - H' + 1 of them, and none is left "
    "at 0.",
    last_row_and_column_left=lambda g, x: np.pad(
        grad_weight.solution(g, x)[:, :, :-1, :-1], [(0, 0), (0, 0), (0, 1), (0, 1)]
    ),
    first_row_and_column_left=lambda g, x: np.pad(
        grad_weight.solution(g, x)[:, :, 1:, 1:], [(0, 0), (0, 0), (1, 0), (1, 0)]
    ),
    last_row_left=lambda g, x: np.pad(
        grad_weight.solution(g, x)[:, :, :-1], [(0, 0), (0, 0), (0, 1), (0, 0)]
    ),
    last_column_left=lambda g, x: np.pad(
        grad_weight.solution(g, x)[..., :-1], [(0, 0), (0, 0), (0, 0), (0, 1)]
    ),
    kernel_one_row_short=lambda g, x: grad_weight.solution(g, x)[:, :, :-1],
    kernel_one_column_short=lambda g, x: grad_weight.solution(g, x)[..., :-1],
)
_known(
    "Each image meets its own gradient: multiply first, and add over the batch after that.",
    gradient_summed_over_the_batch=lambda g, x: np.einsum(
        "ohw,ncuvhw->ocuv", g.sum(axis=0), _met(g, x)
    ),
    gradient_averaged_over_the_batch=lambda g, x: (
        np.einsum("ohw,ncuvhw->ocuv", g.sum(axis=0), _met(g, x)) / len(x)
    ),
    both_averaged_over_the_batch=lambda g, x: (
        np.einsum("ohw,ncuvhw->ocuv", g.sum(axis=0), _met(g, x)) / len(x) ** 2
    ),
    images_paired_backwards=lambda g, x: grad_weight.solution(g[::-1], x),
    first_gradient_for_all=lambda g, x: grad_weight.solution(np.repeat(g[:1], len(g), axis=0), x),
    first_image_for_all=lambda g, x: grad_weight.solution(g, np.repeat(x[:1], len(x), axis=0)),
)
_known(
    "Does your sum leave out an image? All images of the batch count.",
    without_the_first_image=lambda g, x: grad_weight.solution(g[1:], x[1:]),
    without_the_last_image=lambda g, x: grad_weight.solution(g[:-1], x[:-1]),
)
_known(
    "Each place of the output has met each weight: add over all rows and columns of `grad_output`.",
    first_place_only=lambda g, x: np.einsum("no,ncuv->ocuv", g[..., 0, 0], _met(g, x)[..., 0, 0]),
    first_row_of_the_output_only=lambda g, x: np.einsum(
        "now,ncuvw->ocuv", g[:, :, 0], _met(g, x)[..., 0, :]
    ),
    last_row_of_the_output_only=lambda g, x: np.einsum(
        "now,ncuvw->ocuv", g[:, :, -1], _met(g, x)[..., -1, :]
    ),
    last_column_of_the_output_only=lambda g, x: np.einsum(
        "noh,ncuvh->ocuv", g[..., -1], _met(g, x)[..., -1]
    ),
    last_place_of_each_image=lambda g, x: np.einsum(
        "no,ncuv->ocuv", g[..., -1, -1], _met(g, x)[..., -1, -1]
    ),
    without_the_last_place=lambda g, x: np.einsum(
        "nohw,ncuvhw->ocuv", g[..., :-1, :-1], _met(g, x)[..., :-1, :-1]
    ),
    places_not_summed=lambda g, x: np.einsum("nohw,ncuvhw->ocuvhw", g, _met(g, x)),
    diagonal_only=lambda g, x: sum(
        np.einsum("no,ncuv->ocuv", g[..., i, i], _met(g, x)[..., i, i])
        for i in range(min(g.shape[2:]))
    ),
)
_known(
    "The chain rule adds, over the places and over the batch. A mean divides.",
    places_and_batch_averaged=lambda g, x: grad_weight.solution(g, x) / (g[0, 0].size * len(x)),
    divided_by_kernel=lambda g, x: grad_weight.solution(g, x) / np.prod(_kernel_size(g, x)),
    divided_by_pixels=lambda g, x: grad_weight.solution(g, x) / x[0, 0].size,
    divided_by_rows=lambda g, x: grad_weight.solution(g, x) / g.shape[2],
)
_known(
    "The gradient is a sum. It is not divided by the number of kernels or channels.",
    divided_by_kernels=lambda g, x: grad_weight.solution(g, x) / g.shape[1],
    divided_by_channels=lambda g, x: grad_weight.solution(g, x) / x.shape[1],
)
_known(
    "A weight multiplies pixels, so its gradient depends on them: multiply by the pixels.",
    pixels_ignored=lambda g, x: grad_weight.solution(g, np.ones_like(x)),
)
_known(
    "The gradients are added as they are: a minus belongs to the step, not to the gradient.",
    negative=lambda g, x: -grad_weight.solution(g, x),
)
_known(
    "The kernel has a slice for each channel of the input, and each meets its own channel.",
    last_channel_only=lambda g, x: grad_weight.solution(g, np.repeat(x[:, -1:], x.shape[1], 1)),
    channels_averaged=lambda g, x: grad_weight.solution(
        g, np.repeat(x.mean(axis=1, keepdims=True), x.shape[1], axis=1)
    ),
    channels_backwards=lambda g, x: grad_weight.solution(g, x[:, ::-1]),
    channels_summed_into_one=lambda g, x: grad_weight.solution(g, x).sum(axis=1, keepdims=True),
    channel_0_alone=lambda g, x: grad_weight.solution(
        g, np.concatenate([x[:, :1], 0 * x[:, 1:]], 1)
    ),
)
_known(
    "Each kernel has a gradient, from its own map of `grad_output`.",
    first_kernel_for_all=lambda g, x: grad_weight.solution(np.repeat(g[:, :1], g.shape[1], 1), x),
    last_kernel_for_all=lambda g, x: grad_weight.solution(np.repeat(g[:, -1:], g.shape[1], 1), x),
    kernel_0_alone=lambda g, x: grad_weight.solution(
        np.concatenate([g[:, :1], 0 * g[:, 1:]], 1), x
    ),
    kernels_averaged=lambda g, x: grad_weight.solution(
        np.repeat(g.mean(axis=1, keepdims=True), g.shape[1], axis=1), x
    ),
    kernels_gone=lambda g, x: grad_weight.solution(g, x).sum(axis=0),
)
_known(
    "The axes of a weight are (O, C, kH, kW): kernels first.",
    axes_exchanged_when_stored=_stored_transposed,
    rows_and_columns_first=lambda g, x: grad_weight.solution(g, x).transpose(2, 3, 0, 1),
    channels_last=lambda g, x: grad_weight.solution(g, x).transpose(0, 2, 3, 1),
    all_axes_turned=lambda g, x: grad_weight.solution(g, x).transpose(3, 2, 1, 0),
    weight_axes_exchanged_and_turned=lambda g, x: grad_weight.solution(g, x)[
        :, :, ::-1, ::-1
    ].swapaxes(0, 1),
    weight_axes_mixed_by_reshape=lambda g, x: (
        grad_weight.solution(g, x).swapaxes(0, 1).reshape(grad_weight.solution(g, x).shape)
    ),
)
_known(
    "Nothing is turned: the weight at row u meets the rows from u on, and columns likewise.",
    weight_rows_turned=lambda g, x: grad_weight.solution(g, x)[:, :, ::-1],
    weight_columns_turned=lambda g, x: grad_weight.solution(g, x)[..., ::-1],
    input_turned=lambda g, x: grad_weight.solution(g, x[:, :, ::-1, ::-1]),
)
_known(
    "Make the zeros without `dtype=int`: a gradient is a float.",
    gradient_of_ints=lambda g, x: grad_weight.solution(g, x).astype(int),
)
_known(
    "The batch is summed: the shape is (O, C, kH, kW), without a first axis.",
    batch_axis_kept=lambda g, x: grad_weight.solution(g, x)[None],
)
_known(
    "Nothing is added to your zeros: does the loop run, and does it change them?",
    zero=lambda g, x: 0 * grad_weight.solution(g, x),
)
