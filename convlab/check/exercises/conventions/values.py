"""Pencil numbers, a prediction and a search on other libraries."""

from __future__ import annotations

from typing import Any

from convlab.check.exercise import Chapter
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
        ("halves", (1.5, 1.5), "There are no half cells. Where does the odd one go?"),
        ("one_stride_more", (2, 3), "The fifth window begins after four strides, not five."),
        ("size_kept", (6, 7), "With stride 2 there are five windows, not ten."),
        ("all_before", (3, 0), "The cells are shared out; only the odd one goes to the end."),
        ("one_cell_fewer", (0, 1), "How many cells do five windows need, and how many are there?"),
        (
            "kernel_less_stride",
            (3, 2),
            "That is kernel and stride. How many cells do the windows need?",
        ),
        ("no_padding", (0, 0), "How many cells do five windows need?"),
    ],
)

chapter.value(
    "batch_norm_from_keras",
    title="The momentum of Keras",
    minutes=3,
    text="A batch normalization of Keras has `momentum=0.98` and `epsilon=0.002`. Which `momentum` "
    "and `eps` make an `nn.BatchNorm2d` do the same in training? (But for the divisor of "
    "the running variance.) Give the momentum first, then eps.",
    answer=(round(1 - 0.98, 9), 0.002),
    hints=[
        "Is 0.98 the share of the old or that of the new, in Keras? And in PyTorch?",
        "The epsilon stands under the root in both.",
    ],
    explanation="The two shares add up to 1.",
    mistakes=[
        ("copied", (0.98, 0.002), "In PyTorch, the momentum is the share of the new."),
        ("exchanged", (0.002, 0.02), "The two numbers are right: the momentum comes first."),
        (
            "exchanged_and_copied",
            (0.002, 0.98),
            "The momentum comes first, and is the share of the new.",
        ),
        (
            "default_of_keras",
            (0.02, 0.001),
            "That is the default of Keras. This layer has another one.",
        ),
        ("rest_of_eps", (0.02, 0.998), "Only the momentum is turned round."),
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
        (
            "second_column",
            (3, 4, 5, 9, 10, 11),
            "That is a column of the photo. A channel is one number of each pixel.",
        ),
        (
            "axes_of_the_photo",
            (3, 4, 5, 6),
            "A channel is one number of each pixel: every third one.",
        ),
        ("columns_first", (1, 7, 4, 10), "The axes after the channel are rows, then columns."),
    ],
)


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
