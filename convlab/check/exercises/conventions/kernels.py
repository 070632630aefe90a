"""Exercise: a kernel of Keras in the layout of PyTorch."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations
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


@weight_from_keras.mistake(
    "All axes are turned round, as by `.T`: so rows and columns are exchanged, too."
)
def keras_all_turned(w):
    return w.T


@weight_from_keras.mistake("`reshape` gives the shape, and pours the numbers in as they come.")
def keras_reshaped(w):
    h, k, i, o = w.shape
    return w.reshape(o, i, h, k)


@weight_from_keras.mistake("The kernel is as it was: the layouts are HWIO and OIHW.")
def keras_unchanged(w):
    return w


@weight_from_keras.mistake("The kernel is not turned: Keras slides it as PyTorch does.")
def keras_turned(w):
    return w[::-1, ::-1].transpose(3, 2, 0, 1)


_ORDERS: dict[tuple[int, ...], str] = {
    (0, 3, 1, 2): "That is the order for images, from NHWC. The axes of a kernel are HWIO.",
    (2, 3, 0, 1): "I is in front of O: the kernels come first, then what they read, (O, I, H, W).",
    (2, 3, 1, 0): "`transpose` wants, for each new axis, the number of the old one. O was axis 3.",
    (3, 0, 1, 2): "O has come to the front. What is read, I, has to come second.",
    (3, 1, 0, 2): "O has come to the front. What is read, I, has to come second.",
    (3, 0, 2, 1): "O has come to the front. What is read, I, has to come second.",
    (3, 1, 2, 0): "Only two axes are exchanged in your kernel. All four have to move.",
    (0, 1, 3, 2): "Only the last two axes are exchanged. Both have to come to the front.",
    (0, 3, 2, 1): "O, the last axis of Keras, has to come first, and then I.",
}


def _in_order(order):
    def in_order(w):
        return w.transpose(order)

    in_order.__name__ = f"keras_in_order_{''.join(map(str, order))}"
    return in_order


for _order in permutations(range(4)):
    if _order not in {(0, 1, 2, 3), (3, 2, 0, 1), (3, 2, 1, 0)}:  # entered above, and right
        weight_from_keras.mistake(
            _ORDERS.get(_order, "The axes are (H, W, I, O) in Keras, and (O, I, H, W) in PyTorch.")
        )(_in_order(_order))


@weight_from_keras.mistake(
    "`reshape` pours the numbers in as they come; and rows come before columns."
)
def keras_reshaped_backwards(w):
    return w.reshape(w.shape[::-1])


@weight_from_keras.mistake("`reshape` pours the numbers in as they come: move the axes.")
def keras_matrix_transposed(w):
    h, k, i, o = w.shape
    return w.reshape(-1, o).T.reshape(o, i, h, k)


@weight_from_keras.mistake("`reshape` pours the numbers in as they come: move the axes.")
def keras_reshaped_channels_first(w):
    h, k, i, o = w.shape
    return w.reshape(i, o, h, k)


@weight_from_keras.mistake("The order is right. But rows are turned: Keras slides as PyTorch does.")
def keras_rows_turned(w):
    return w[::-1].transpose(3, 2, 0, 1)


@weight_from_keras.mistake(
    "The order is right. But columns are turned: Keras slides as PyTorch does."
)
def keras_columns_turned(w):
    return w[:, ::-1].transpose(3, 2, 0, 1)


@weight_from_keras.mistake("All kernels are wanted: four axes, (O, I, H, W).")
def keras_first_kernel_only(w):
    return w.transpose(3, 2, 0, 1)[0]


@weight_from_keras.mistake("The order is right. Leave the four axes as they are, do not flatten.")
def keras_flat(w):
    return w.transpose(3, 2, 0, 1).flatten()


@weight_from_keras.mistake("The order is right. Leave the four axes: (O, I, H, W).")
def keras_as_matrix(w):
    return w.transpose(3, 2, 0, 1).reshape(w.shape[3], -1)


@weight_from_keras.mistake("The axes are right. But the kernels keep their order.")
def keras_kernels_reversed(w):
    return w.transpose(3, 2, 0, 1)[::-1]


@weight_from_keras.mistake("The axes are right. But the channels keep their order.")
def keras_channels_reversed(w):
    return w.transpose(3, 2, 0, 1)[:, ::-1]


@weight_from_keras.mistake(
    "A kernel has weights of its own for each channel that it reads: no sum."
)
def keras_channels_summed(w):
    return w.transpose(3, 2, 0, 1).sum(axis=1)
