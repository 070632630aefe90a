"""Values to work out: output sizes."""

from __future__ import annotations

import math

from convlab.check.exercise import Chapter
from convlab.shapes import conv2d_output_size

chapter = Chapter("shapes")

chapter.value(
    "count_places",
    title="Count the places",
    minutes=2,
    text="A row has 10 cells. A window of 4 cells moves over it, one cell at a time. At how many "
    "places can it stand?",
    answer=conv2d_output_size(10, 4)[0],
    hints=[
        "At its first place the window begins at cell 0. At which cell does it begin at its last?",
        "It may begin at cells 0, 1, ..., 10 - 4.",
    ],
    explanation="Both ends count: 6 steps lead through 7 places.",
    mistakes=[
        ("steps_counted", 10 - 4, "That is the number of steps. There is one place more."),
        (
            "window_as_stride_as_fraction",
            10 / 4,
            "The window moves by one cell: its places overlap.",
        ),
        ("window_as_stride_rounded_up", 3, "The window moves by one cell: its places overlap."),
        ("over_both_ends", 10 + 4 - 1, "The whole window stays on the row, at both ends."),
        ("one_place_too_many", 10 - 4 + 2, "At the last place the window ends with the last cell."),
        (
            "one_step_too_few",
            10 - 4 - 1,
            "It begins at cells 0, 1 and so on: at which one at last?",
        ),
        ("sum", 10 + 4, "The window stays on the row: it has fewer places than the row has cells."),
        ("product", 10 * 4, "A place is counted once, however many cells the window has."),
        ("window_as_stride", 10 // 4, "The window moves by one cell, so its places overlap."),
        ("window_passes_the_end", 10, "A window that begins at the last cell does not fit."),
    ],
)

_padded = 64 + 2 * 7

chapter.value(
    "size_by_hand",
    title="A size by hand",
    minutes=3,
    text="An image has 64 rows. A layer has `kernel_size=11`, `stride=2` and `padding=7`. How many "
    "rows has its output?",
    answer=conv2d_output_size(64, 11, stride=2, padding=7)[0],
    hints=[
        "How many rows has the padded image?",
        "Divide the rows that the window can move down by the stride, and round down.",
    ],
    explanation="The padded image has 78 rows. The window can move down by 67, which are 33 whole "
    "strides, so it has 34 places.",
    mistakes=[
        ("padding_once", (64 + 7 - 11) // 2 + 1, "The padding is put above and below the image."),
        ("padding_forgotten", (64 - 11) // 2 + 1, "The padding makes the image higher."),
        ("padding_subtracted", (64 - 2 * 7 - 11) // 2 + 1, "The padding makes the image higher."),
        ("steps_counted", (_padded - 11) // 2, "33 whole steps are made. Count the places."),
        ("rounded_up", math.ceil((_padded - 11) / 2) + 1, "Half a step is not made."),
        ("fraction", (_padded - 11) / 2 + 1, "Half a step is not made: round down."),
        (
            "steps_as_fraction",
            (_padded - 11) / 2,
            "How many whole steps are that, and how many places?",
        ),
        ("kernel_forgotten", _padded // 2 + 1, "By how many rows can a window of 11 move down?"),
        ("padded_and_halved", _padded // 2, "By how many rows can a window of 11 move down?"),
        ("halved", 64 // 2, "Kernel and padding count, too: by how many rows can the window move?"),
        ("padding_after_division", (64 - 11) // 2 + 1 + 14, "The image is padded before all else."),
        ("no_padding_no_place", (64 - 11) // 2, "How many rows has the padded image?"),
        ("neither", 64 - 11 + 1, "The padding makes the image higher, and the window moves by 2."),
        ("padded_image", _padded, "That is the padded image. How many places has the window?"),
        ("room", _padded - 11, "By so many rows the window can move: by 2 at a time."),
        ("stride_forgotten", _padded - 11 + 1, "The window moves by 2 rows at a time."),
    ],
)

chapter.value(
    "predict_shape",
    title="Predict: the shape of an output",
    minutes=3,
    text="What does this print?",
    code="layer = nn.Conv2d(3, 16, kernel_size=3, stride=2, dilation=5)\n"
    "print(layer(torch.zeros(8, 3, 32, 32)).shape)",
    answer=(8, 16, *conv2d_output_size(32, 3, stride=2, dilation=5)),
    hints=[
        "The batch passes through, and the channels become `out_channels`.",
        "How many cells does a kernel of 3 span with dilation 5?",
    ],
    explanation="The window spans 5 · (3 - 1) + 1 = 11 cells. The other 21 are 10 whole strides.",
    mistakes=[
        ("dilation_forgotten", (8, 16, 15, 15), "How many cells does the window span?"),
        ("dilation_times_kernel", (8, 16, 9, 9), "Between 3 weights there are 2 gaps, not 3."),
        (
            "steps_counted",
            (8, 16, 10, 10),
            "The window spans 11 cells, and it has one place more than it makes whole strides.",
        ),
        (
            "rounded_up",
            (8, 16, 12, 12),
            "The window spans 11 cells, and half a step is no step: round down.",
        ),
        (
            "one_gap_or_gaps_only",
            (8, 16, 13, 13),
            "The window spans 11 cells: its 3 weights, and 4 empty cells in each of the 2 gaps.",
        ),
        ("stride_forgotten", (8, 16, 22, 22), "The window moves by two cells at a time."),
        ("dilation_divides", (8, 16, 3, 3), "The dilation widens the window. It does not divide."),
        ("size_by_stride", (8, 16, 16, 16), "Without padding the size is more than halved."),
        ("size_kept", (8, 16, 32, 32), "Stride and window make the map smaller."),
        ("neither", (8, 16, 30, 30), "What do stride and dilation change?"),
        ("channels_kept", (8, 3, 11, 11), "The output has `out_channels` channels."),
        ("channels_last", (8, 11, 11, 16), "The channels come before height and width."),
        ("batch_lost", (16, 11, 11), "The batch passes through."),
        ("batch_of_one", (1, 16, 11, 11), "The batch passes through."),
    ],
)
