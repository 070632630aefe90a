"""A dense layer of Keras behind Flatten."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import numpy as np

from convlab.check.exercise import Arguments
from convlab.check.exercises.conventions.values import chapter


def _dense(random: Random) -> Iterator[Arguments]:
    """Yield weights of dense layers and the sizes of the maps, from the simplest on."""
    for sides in ((1, 1, 2, 1), (1, 2, 2, 1), (2, 1, 2, 1), (2, 2, 2, 1), (1, 2, 3, 2)):
        shape = int(np.prod(sides[:3])), sides[3]
        yield np.arange(float(np.prod(shape))).reshape(shape), *sides[:3]
    for _ in range(20):
        height, width, channels, outputs = (random.randint(1, 4) for _ in range(4))
        shape = height * width * channels, outputs
        yield np.arange(float(np.prod(shape))).reshape(shape), height, width, channels


@chapter.code(
    title="The dense layer behind Flatten",
    minutes=10,
    text="In Keras, `w` is the weight of a dense layer that stands directly behind `Flatten`. It "
    "has the shape (H W C, O), where the maps have `height` rows, `width` columns and `channels` "
    "channels. Return the weight of the `nn.Linear` behind `nn.Flatten()` in PyTorch.",
    cases=_dense,
    imports="import numpy as np",
    hints=[
        "In which order does Keras lay down the numbers of a map, and in which does PyTorch?",
        "Take the first axis apart into three, move the axes, and put three together again.",
        "An `nn.Linear` has the weight (out, in).",
    ],
    explanation="Taken apart, moved and flattened again: the one step of a port that no shape "
    "reminds you of.",
)
def dense_from_keras(w, height, width, channels):
    """Return the weight of the linear layer, of shape (O, C H W)."""
    apart = w.reshape(height, width, channels, -1)
    return apart.transpose(3, 2, 0, 1).reshape(w.shape[1], -1)


@dense_from_keras.mistake("Transposed it is. But Keras has flattened rows, columns, channels.")
def dense_transposed_only(w, height, width, channels):
    return w.T


@dense_from_keras.mistake("The order is right. But `nn.Linear` has the weight (out, in).")
def dense_not_transposed(w, height, width, channels):
    return dense_from_keras.solution(w, height, width, channels).T


@dense_from_keras.mistake("In Keras the channels come last: take the axis apart as (H, W, C).")
def dense_apart_with_channels_first(w, height, width, channels):
    apart = w.reshape(channels, height, width, -1)
    return apart.transpose(3, 1, 2, 0).reshape(w.shape[1], -1)


@dense_from_keras.mistake("`reshape` alone pours the numbers in as they come. Move the axes.")
def dense_reshaped(w, height, width, channels):
    return w.reshape(w.shape[1], -1)


@dense_from_keras.mistake("Columns come last: PyTorch flattens channels, rows, columns.")
def dense_rows_and_columns_exchanged(w, height, width, channels):
    apart = w.reshape(height, width, channels, -1)
    return apart.transpose(3, 2, 1, 0).reshape(w.shape[1], -1)


@dense_from_keras.mistake("In Keras a dense layer has the weight (in, out): the outputs are last.")
def dense_outputs_first(w, height, width, channels):
    apart = w.reshape(w.shape[1], height, width, channels)
    return apart.transpose(0, 3, 1, 2).reshape(w.shape[1], -1)


@dense_from_keras.mistake("The axes are right. Now flatten channels, rows and columns again.")
def dense_not_flattened(w, height, width, channels):
    return w.reshape(height, width, channels, -1).transpose(3, 2, 0, 1)


@dense_from_keras.mistake("PyTorch flattens one channel after the other: channels before rows.")
def dense_channels_left(w, height, width, channels):
    apart = w.reshape(height, width, channels, -1)
    return apart.transpose(3, 0, 2, 1).reshape(w.shape[1], -1)
