"""Exercise: a dense layer of Keras behind Flatten."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations
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


@dense_from_keras.mistake("`reshape` alone pours the numbers in as they come. Move the axes.")
def dense_reshaped(w, height, width, channels):
    return w.reshape(w.shape[1], -1)


@dense_from_keras.mistake("In Keras a dense layer has the weight (in, out): the outputs are last.")
def dense_outputs_first(w, height, width, channels):
    apart = w.reshape(w.shape[1], height, width, channels)
    return apart.transpose(0, 3, 1, 2).reshape(w.shape[1], -1)


@dense_from_keras.mistake("The axes are right. Now flatten channels, rows and columns again.")
def dense_not_flattened(w, height, width, channels):
    return w.reshape(height, width, channels, -1).transpose(3, 2, 0, 1)


def _moved(order, apart):
    """Take the first axis apart as the axes of `apart`, move them, and flatten them again."""

    def moved(w, height, width, channels):
        sizes = {"H": height, "W": width, "C": channels}
        axes = w.reshape(*(sizes[letter] for letter in apart), -1)
        return axes.transpose(3, *order).reshape(w.shape[1], -1)

    moved.__name__ = f"dense_{apart}_in_order_{''.join(map(str, order))}"
    return moved


_APART: dict[str, dict[tuple[int, ...], str]] = {
    "HWC": {
        (2, 1, 0): "Columns come last: PyTorch flattens channels, rows, columns.",
        (0, 2, 1): "PyTorch flattens one channel after the other: channels before rows.",
        (1, 0, 2): "Rows and columns keep their order. What comes before them in PyTorch?",
        (1, 2, 0): "PyTorch flattens channels first, then rows, and columns last.",
    },
    "CHW": dict.fromkeys(
        set(permutations(range(3))) - {(0, 1, 2)},
        "In Keras the channels come last: take the axis apart as (H, W, C).",
    ),
    "WHC": dict.fromkeys(
        [(2, 1, 0), (1, 0, 2)],
        "Keras goes along a row, then to the next: take the axis apart as (H, W, C).",
    ),
    "HCW": {(1, 0, 2): "In Keras the channels come last: take the axis apart as (H, W, C)."},
}
for _letters, _hints in _APART.items():
    for _order, _hint in sorted(_hints.items()):
        dense_from_keras.mistake(_hint)(_moved(_order, _letters))


@dense_from_keras.mistake("Two things differ: (in, out) in Keras, and where the channels stand.")
def dense_unchanged(w, height, width, channels):
    return w


@dense_from_keras.mistake(
    "The axes are right. The last `reshape` wants (out, in), not Keras' shape."
)
def dense_poured(w, height, width, channels):
    return dense_from_keras.solution(w, height, width, channels).reshape(w.shape)


@dense_from_keras.mistake(
    "A row has `width` cells: so many is the next row away, times the channels."
)
def dense_rows_one_height_apart(w, height, width, channels):
    channel, row, column = np.indices((channels, height, width))
    return w[(row * height + column) * channels + channel].reshape(-1, w.shape[1]).T


@dense_from_keras.mistake("The order is right. Nothing is turned round: cells stay where they are.")
def dense_turned(w, height, width, channels):
    return dense_from_keras.solution(w, height, width, channels)[:, ::-1]


@dense_from_keras.mistake(
    "The weight of a linear layer has two axes: (out, in). Flatten the others."
)
def dense_not_flattened_channels_last(w, height, width, channels):
    return w.reshape(height, width, channels, -1)


@dense_from_keras.mistake("The outputs are an axis of their own, the first one: (out, in).")
def dense_flat(w, height, width, channels):
    return dense_from_keras.solution(w, height, width, channels).flatten()


@dense_from_keras.mistake("Nothing is turned round: rows and columns stay where they are.")
def dense_maps_turned(w, height, width, channels):
    apart = w.reshape(height, width, channels, -1)[::-1, ::-1]
    return apart.transpose(3, 2, 0, 1).reshape(w.shape[1], -1)


@dense_from_keras.mistake("Move the outputs to the front, too, before the last `reshape`.")
def dense_outputs_left_behind(w, height, width, channels):
    apart = w.reshape(height, width, channels, -1)
    return apart.transpose(2, 0, 1, 3).reshape(w.shape[1], -1)


@dense_from_keras.mistake("In PyTorch a channel is height times width cells long.")
def dense_channels_one_row_apart(w, height, width, channels):
    out = np.zeros(w.shape[::-1])
    for row, column, channel in np.ndindex(height, width, channels):
        place = channel * width + row * width + column
        out[:, place] = w[(row * width + column) * channels + channel]
    return out
