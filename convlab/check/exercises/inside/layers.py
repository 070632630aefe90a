"""Exercise: a linear layer as a convolution."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import numpy as np

from convlab.check.exercise import Arguments, random_array
from convlab.check.exercises.inside.values import chapter


def _matrices(random: Random) -> Iterator[Arguments]:
    """Yield the weight of a linear layer, channels and a size, from the simplest on."""
    yield np.arange(4.0).reshape(1, 4), 1, 2
    yield np.arange(8.0).reshape(1, 8), 2, 2
    yield np.arange(8.0).reshape(2, 4), 1, 2
    yield np.arange(6.0).reshape(2, 3), 3, 1
    for _ in range(15):
        outputs, channels, size = (random.randint(1, 4) for _ in range(3))
        yield random_array(random, outputs, channels * size**2, high=9), channels, size


@chapter.code(
    title="A linear layer becomes a convolution",
    minutes=4,
    text="Behind `nn.Flatten()`, a linear layer reads a map with `channels` channels of `size` by "
    "`size` cells. `w` is its weight, of the shape (O, C k k). Return the weight of the "
    "convolution that computes the same.",
    cases=_matrices,
    imports="import numpy as np",
    hints=[
        "What is the shape of the weight of a convolution?",
        "In which order does `nn.Flatten()` lay down the numbers of a map?",
    ],
    explanation="Flatten goes through channels, rows and columns, the order of a kernel's weights, "
    "so the numbers stay where they are.",
)
def conv_weight(w, channels, size):
    """Return the weight of the convolution, of shape (O, C, k, k)."""
    return w.reshape(len(w), channels, size, size)


@conv_weight.mistake("PyTorch has the channels before rows and columns: (O, C, k, k).")
def channels_last_shape(w, channels, size):
    return w.reshape(len(w), size, size, channels)


@conv_weight.mistake("The shape is right. But Flatten goes through one channel after the other.")
def channels_last_order(w, channels, size):
    return w.reshape(len(w), size, size, channels).transpose(0, 3, 1, 2)


@conv_weight.mistake("The outputs are the kernels: the first axis stays the first.")
def outputs_second(w, channels, size):
    return w.reshape(channels, len(w), size, size)


@conv_weight.mistake("The outputs are the kernels, and the first axis of both weights.")
def outputs_moved(w, channels, size):
    return w.reshape(len(w), channels, size, size).swapaxes(0, 1)


@conv_weight.mistake("A kernel has rows and columns, and reads `channels` channels.")
def single_cell(w, channels, size):
    return w.reshape(*w.shape, 1, 1)


@conv_weight.mistake("A weight of a convolution has four axes: (O, C, k, k).")
def left_as_it_is(w, channels, size):
    return w


@conv_weight.mistake("A linear layer has (out, in) as a convolution has: nothing to transpose.")
def matrix_transposed(w, channels, size):
    return w.T.reshape(len(w), channels, size, size)


@conv_weight.mistake("The kernel slides as it is: it needs no turn.")
def kernel_turned(w, channels, size):
    return w.reshape(len(w), channels, size, size)[:, :, ::-1, ::-1]


@conv_weight.mistake("Flatten goes along the rows: the columns are the last axis.")
def rows_and_columns_exchanged(w, channels, size):
    return w.reshape(len(w), channels, size, size).swapaxes(2, 3)


@conv_weight.mistake("The order is that of Keras. In PyTorch the outputs come first.")
def as_from_keras(w, channels, size):
    return w.reshape(size, size, channels, -1).transpose(3, 2, 0, 1)


@conv_weight.mistake("A weight has four axes: (O, C, k, k), with the outputs first.")
def outputs_axis_forgotten(w, channels, size):
    return w.reshape(-1, size, size)


@conv_weight.mistake("A weight has four axes: rows and columns are two of them.")
def cells_in_one_axis(w, channels, size):
    return w.reshape(len(w), channels, size**2)


@conv_weight.mistake("A channel has size times size cells: so far apart are the channels.")
def channels_one_row_apart(w, channels, size):
    channel, row, column = np.indices((channels, size, size))
    return w[:, channel * size + row * size + column]


@conv_weight.mistake("The next row of a channel begins `size` cells further.")
def rows_one_cell_apart(w, channels, size):
    channel, row, column = np.indices((channels, size, size))
    return w[:, channel * size**2 + row + column]


@conv_weight.mistake("The last axis runs fastest, as `reshape` has it without `order`.")
def first_axis_fastest(w, channels, size):
    return w.reshape(len(w), channels, size, size, order="F")


@conv_weight.mistake("All outputs are kernels, not only the first one: four axes, (O, C, k, k).")
def first_output_only(w, channels, size):
    return w[0].reshape(channels, size, size)


@conv_weight.mistake("Each kernel reads all channels: they are the second axis.")
def channels_as_kernels(w, channels, size):
    return w.reshape(-1, 1, size, size)


@conv_weight.mistake("That is the shape of Keras. In PyTorch it is (O, C, k, k).")
def shape_of_keras(w, channels, size):
    return w.reshape(size, size, channels, len(w))


@conv_weight.mistake("The numbers are transposed. A linear layer has (out, in) already.")
def outputs_last(w, channels, size):
    return w.T.reshape(channels, size, size, len(w))


@conv_weight.mistake("It is a sum, as the linear layer makes it: the weights stay as they are.")
def divided_by_cells(w, channels, size):
    return w.reshape(len(w), channels, size, size) / size**2


@conv_weight.mistake("Each channel has weights of its own: the next ones lie size times size on.")
def first_channel_for_all(w, channels, size):
    return w[:, : size**2].reshape(-1, 1, size, size).repeat(channels, axis=1)


@conv_weight.mistake("A kernel has weights of its own for each channel: do not sum over them.")
def channels_summed(w, channels, size):
    return w.reshape(len(w), channels, size, size).sum(axis=1, keepdims=True)


@conv_weight.mistake("A weight of a convolution has four axes: (O, C, k, k).")
def flattened(w, channels, size):
    return w.flatten()


@conv_weight.mistake("The outputs are the kernels. Nothing is turned round among them.")
def outputs_reversed(w, channels, size):
    return w.reshape(len(w), channels, size, size)[::-1]


@conv_weight.mistake("The channels keep their order, from the first to the last.")
def channels_reversed(w, channels, size):
    return w.reshape(len(w), channels, size, size)[:, ::-1]
