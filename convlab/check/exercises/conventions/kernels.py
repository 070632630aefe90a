"""A kernel of Keras in the layout of PyTorch."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import numpy as np

from convlab.check.exercise import Arguments
from convlab.check.exercises.conventions.values import chapter


def _kernels(random: Random) -> Iterator[Arguments]:
    """Yield kernels in the layout of Keras, from the simplest on."""
    for shape in (
        (1, 1, 1, 2),
        (1, 1, 2, 3),
        (1, 2, 1, 1),
        (2, 3, 1, 1),
        (2, 3, 1, 2),
        (3, 2, 2, 2),
    ):
        yield (np.arange(float(np.prod(shape))).reshape(shape),)
    for _ in range(15):
        height, width, channels, kernels = (random.randint(1, 4) for _ in range(4))
        count = height * width * channels * kernels
        yield (np.arange(float(count)).reshape(height, width, channels, kernels),)


@chapter.code(
    title="A kernel from Keras",
    minutes=4,
    text="`w` is the kernel of a convolution of Keras. Return it as PyTorch wants the weight.",
    cases=_kernels,
    imports="import numpy as np",
    hints=[
        "Which layout does the kernel have in Keras, and the weight in PyTorch?",
        "`w.transpose(...)` takes, for each new axis, the number of the old one.",
    ],
    explanation="HWIO becomes OIHW. With as many rows, columns and channels, no shape would tell.",
)
def weight_from_keras(w):
    """Return the weight in the layout OIHW."""
    return w.transpose(3, 2, 0, 1)


@weight_from_keras.mistake("`.T` turns all axes round, so rows and columns are exchanged, too.")
def keras_all_turned(w):
    return w.T


@weight_from_keras.mistake("`reshape` gives the shape, and pours the numbers in as they come.")
def keras_reshaped(w):
    h, k, i, o = w.shape
    return w.reshape(o, i, h, k)


@weight_from_keras.mistake("The kernels come first, then what they read: (O, I, H, W).")
def keras_channels_first(w):
    return w.transpose(2, 3, 0, 1)


@weight_from_keras.mistake("In Keras the kernels are the last axis, and rows the first.")
def keras_last_axis_first(w):
    return w.transpose(3, 0, 1, 2)


@weight_from_keras.mistake("Only two axes are exchanged in your kernel. All four have to move.")
def keras_ends_exchanged(w):
    return w.swapaxes(0, 3)


@weight_from_keras.mistake("The kernel is as it was: the layouts are HWIO and OIHW.")
def keras_unchanged(w):
    return w


@weight_from_keras.mistake("The kernel is not turned: Keras slides it as PyTorch does.")
def keras_turned(w):
    return w[::-1, ::-1].transpose(3, 2, 0, 1)


@weight_from_keras.mistake(
    "`transpose` wants, for each new axis, the old one. Kernels were axis 3."
)
def keras_moved_backwards(w):
    return w.transpose(2, 3, 1, 0)


@weight_from_keras.mistake("Only the last two axes are exchanged. Both have to come to the front.")
def keras_last_two_exchanged(w):
    return w.swapaxes(2, 3)
