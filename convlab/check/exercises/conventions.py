"""Exercises on the conventions of other libraries."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

import numpy as np

from convlab.check.exercise import Arguments, Chapter
from convlab.shapes import conv2d_output_size, tf_same_padding

chapter = Chapter("conventions")

chapter.value(
    "tf_same_by_hand",
    title="Keras pads a row",
    minutes=5,
    text='A Keras layer has the kernel size 5, the stride 2 and `padding="same"`. How many cells '
    "does it put before and after a row of 10?",
    answer=tf_same_padding(10, 5, stride=2)[:2],
    hints=[
        "First the number of windows: 10 / 2, rounded up. Where does the last one begin?",
        "How many cells do the windows need, and how many are there? The odd one comes after.",
    ],
    explanation="Five windows need 4 · 2 + 5 = 13 cells, so three are added.",
    mistakes=[
        ("odd_cell_before", (2, 1), "Where the number is odd, the larger half comes after."),
        ("half_a_kernel", (2, 2), "That keeps the size with stride 1. Here the stride counts."),
        ("all_on_both_sides", (3, 3), "That is the number for both sides together."),
        ("odd_cell_lost", (1, 1), "Three cells are needed. Where is the odd one?"),
        ("all_after", (0, 3), "The cells are shared out; only the odd one goes to the end."),
        ("no_padding", (0, 0), "How many cells do five windows need?"),
    ],
)

chapter.value(
    "batch_norm_from_keras",
    title="The momentum of Keras",
    minutes=3,
    text="A batch normalization of Keras has `momentum=0.98` and `epsilon=0.002`. Which `momentum` "
    "and `eps` make an `nn.BatchNorm2d` do the same in training? (But for the divisor of "
    "the running variance.)",
    answer=(round(1 - 0.98, 9), 0.002),
    hints=[
        "Is 0.98 the share of the old or that of the new, in Keras? And in PyTorch?",
        "The epsilon stands under the root in both.",
    ],
    explanation="The two shares add up to 1.",
    mistakes=[
        ("copied", (0.98, 0.002), "In PyTorch, the momentum is the share of the new."),
        ("default_eps", (0.02, 1e-5), "The epsilon of this layer is not the default."),
        ("pytorch_defaults", (0.1, 1e-5), "Those are PyTorch's defaults. This layer has others."),
        ("digits_moved", (0.2, 0.002), "What is left of 1 when 0.98 are old?"),
        ("eps_squared", (0.02, 0.002**2), "The epsilon stands under the root in both libraries."),
        ("copied_default_eps", (0.98, 1e-5), "In PyTorch, the momentum is the share of the new."),
        ("eps_divided", (0.02, 0.00002), "The defaults differ by 100; the meaning does not."),
    ],
)

chapter.value(
    "predict_green",
    title="Predict: the green channel",
    minutes=4,
    text="What does this print?",
    code="photo = np.arange(12).reshape(1, 2, 2, 3)  # N, H, W, C\n"
    "print(photo.transpose(0, 3, 1, 2)[0, 1])",
    answer=(1, 4, 7, 10),
    hints=[
        "In NHWC the three colours of a pixel lie side by side. Which pixel is 0, 1, 2?",
        "After the transpose, `[0, 1]` is channel 1 of image 0: one number of each pixel.",
    ],
    explanation="`transpose` moves axes, so each number keeps its pixel and its colour. `reshape` "
    "would have given 4 5 6 7.",
    mistakes=[
        ("reshaped", (4, 5, 6, 7), "That is `reshape`. The colours of a pixel lie side by side."),
        ("red", (0, 3, 6, 9), "Channels count from 0: channel 1 is the second one."),
        ("blue", (2, 5, 8, 11), "Channels count from 0: channel 1 is the second one."),
        ("one_pixel", (3, 4, 5), "That is a pixel with its colours, not a channel."),
        ("one_row", (6, 7, 8, 9, 10, 11), "That is the second row of the photo, not a channel."),
        ("columns_first", (1, 7, 4, 10), "The axes after the channel are rows, then columns."),
    ],
)


def _windows(random: Random) -> Iterator[Arguments]:
    """Yield a size, a kernel size and a stride, from the simplest on."""
    yield from [(5, 3, 1), (7, 3, 2), (8, 3, 2), (5, 4, 1), (10, 5, 2), (6, 2, 2), (7, 1, 3)]
    yield from [(8, 2, 4), (224, 7, 2), (225, 3, 2)]
    for _ in range(100):
        yield random.randint(1, 40), random.randint(1, 8), random.randint(1, 5)


@chapter.code(
    title="The padding of Keras",
    minutes=10,
    text='Return how many cells Keras puts before and after a row with `padding="same"`, as a '
    "pair. All arguments are ints; there is no dilation.",
    cases=_windows,
    hints=[
        "How many windows must there be? It is the size divided by the stride, rounded up.",
        "From the first cell of the first window to the last cell of the last: how many cells?",
        "If there are enough cells, nothing is added: a padding is never negative.",
    ],
    explanation="This padding depends on the size of the image. So no number as `padding=` of "
    "`nn.Conv2d` can do the same for all images.",
)
def keras_padding(size, kernel_size, stride):
    """Return the numbers of cells before and after the row."""
    windows = -(-size // stride)
    total = max(0, (windows - 1) * stride + kernel_size - size)
    return total // 2, total - total // 2


def _shared(total):
    return total // 2, total - total // 2


@keras_padding.mistake("Where the number is odd, the larger half comes after the row.")
def keras_odd_cell_before(size, kernel_size, stride):
    return keras_padding.solution(size, kernel_size, stride)[::-1]


@keras_padding.mistake("Where the windows need fewer cells than there are, nothing is added.")
def keras_negative(size, kernel_size, stride):
    return _shared((-(-size // stride) - 1) * stride + kernel_size - size)


@keras_padding.mistake("That is the rule for stride 1. With a stride, fewer windows must fit.")
def keras_stride_forgotten(size, kernel_size, stride):
    return _shared(kernel_size - 1)


@keras_padding.mistake("That is half of the kernel. The size and the stride count, too.")
def keras_half_kernel(size, kernel_size, stride):
    return kernel_size // 2, kernel_size // 2


@keras_padding.mistake("That depends on the kernel only. The size and the stride count, too.")
def keras_half_kernel_less_one(size, kernel_size, stride):
    return (kernel_size - 1) // 2, (kernel_size - 1) // 2


@keras_padding.mistake("The number of windows is rounded up, not down.")
def keras_rounded_down(size, kernel_size, stride):
    return _shared(max(0, (size // stride - 1) * stride + kernel_size - size))


@keras_padding.mistake("The last window begins after one stride fewer than there are windows.")
def keras_one_stride_more(size, kernel_size, stride):
    return _shared(max(0, -(-size // stride) * stride + kernel_size - size))


@keras_padding.mistake("Where the number is odd, the two halves differ by one cell.")
def keras_halves_equal(size, kernel_size, stride):
    before, _ = keras_padding.solution(size, kernel_size, stride)
    return before, before


@keras_padding.mistake("You return the number for both ends together. It is shared between them.")
def keras_not_halved(size, kernel_size, stride):
    total = sum(keras_padding.solution(size, kernel_size, stride))
    return total, total


@keras_padding.mistake("The output has size / stride cells. You ask for as many as the input has.")
def keras_size_kept(size, kernel_size, stride):
    return _shared(max(0, (size - 1) * stride + kernel_size - size))


@keras_padding.mistake("The cells are shared between both ends. Only the odd one goes to the end.")
def keras_all_after(size, kernel_size, stride):
    return 0, sum(keras_padding.solution(size, kernel_size, stride))


@keras_padding.mistake("That is right where the stride divides the size. It does not always.")
def keras_stride_divides(size, kernel_size, stride):
    return _shared(max(0, kernel_size - stride))


@keras_padding.mistake("Keras makes size / stride windows, more than fit without padding.")
def keras_windows_that_fit(size, kernel_size, stride):
    windows = (size - kernel_size) // stride + 1
    return _shared(max(0, (windows - 1) * stride + kernel_size - size))


@keras_padding.mistake("How many cells from the first to the last, both included? One more.")
def keras_one_cell_fewer(size, kernel_size, stride):
    return _shared(max(0, (-(-size // stride) - 1) * stride + kernel_size - 1 - size))


@keras_padding.mistake("Where the windows need fewer cells than there are, nothing is added.")
def keras_absolute(size, kernel_size, stride):
    return _shared(abs((-(-size // stride) - 1) * stride + kernel_size - size))


@keras_padding.mistake("The last window reaches further than its first cell: where is the kernel?")
def keras_kernel_forgotten(size, kernel_size, stride):
    return _shared(max(0, -(-size // stride) * stride - size))


@keras_padding.mistake("That is how many cells the windows need. How many are there already?")
def keras_size_not_subtracted(size, kernel_size, stride):
    return _shared((-(-size // stride) - 1) * stride + kernel_size)


@keras_padding.mistake("The two halves together are the number. How much does the first one leave?")
def keras_half_and_all(size, kernel_size, stride):
    total = sum(keras_padding.solution(size, kernel_size, stride))
    return total // 2, total


@keras_padding.mistake("That is the number for both ends together. Share it out: a pair is wanted.")
def keras_total_only(size, kernel_size, stride):
    return sum(keras_padding.solution(size, kernel_size, stride))


@keras_padding.mistake("There are no half cells: `/` makes floats, and the odd cell comes after.")
def keras_half_cells(size, kernel_size, stride):
    total = sum(keras_padding.solution(size, kernel_size, stride))
    return total / 2, total / 2


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


def _begins_alike(size: Any) -> str | None:
    """Return what is wrong with a size at which the two layers should look at other pixels."""
    if isinstance(size, bool) or not isinstance(size, int):
        return "give a whole number"
    if size < 5:
        return "give at least 5 pixels"
    before = tf_same_padding(size, 5, stride=3)[0]
    ours = conv2d_output_size(size, 5, stride=3, padding=2)[0]
    if before != 2:
        return None
    return f"both begin 2 cells before the image, and make {ours} outputs along each axis"


chapter.search(
    "break_same",
    title="Break it: half a kernel is the same as 'same'",
    minutes=6,
    text='Somebody moves a layer from Keras, kernel size 5, stride 3, `padding="same"`, and '
    'writes `padding=2`: "Tried with 10 pixels, it gives the same numbers." Give another size of '
    "the image (an int, at least 5, the images are square) at which the windows stand on other "
    "pixels.",
    objection=_begins_alike,
    example=9,
    hints=[
        "How many windows does Keras want, and how many cells do they need?",
        "With `padding=2` the first window begins 2 cells before the image. When in Keras?",
    ],
    explanation="Keras adds as little as it can, and that depends on the size. Of three sizes, "
    "only one fits `padding=2`.",
    mistakes=[
        (
            "tried",
            10,
            "That was tried. How many cells are added for the next size?",
        ),
        ("next_period", 13, "Here the windows need four cells more. Try a neighbour."),
        ("before", 7, "Here the windows need four cells more. Try a neighbour."),
        ("one_hundred", 100, "Here the windows need four cells more. Try a neighbour."),
        ("cells_16", 16, "Here the windows need four cells more. Try a neighbour."),
    ],
)
