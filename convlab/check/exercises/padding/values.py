"""Values to work out, and one to find: borders."""

from __future__ import annotations

from typing import Any

import numpy as np

from convlab.check.exercise import Chapter
from convlab.shapes import conv2d_output_size

chapter = Chapter("padding")

_row = [5, 8, 2, 6]


def _bordered(mode: str) -> tuple[int, ...]:
    """Return the row with two cells at each end, by a mode of NumPy."""
    return tuple(np.pad(_row, 2, mode=mode).tolist())  # type: ignore[call-overload]


chapter.value(
    "mirror_by_hand",
    title="A mirror by hand",
    minutes=3,
    text="The row `5 8 2 6` is padded by two cells at each end, with `padding_mode='reflect'`. "
    "Give the eight numbers, from left to right.",
    answer=_bordered("reflect"),
    hints=[
        "The last pixel is the mirror itself. What stands next to it inside?",
        "Next to the 5 stands the 8, outside as well as inside.",
    ],
    explanation="The mirror does not repeat the pixel at the edge; that of `'symmetric'` does.",
    mistakes=[
        ("edge_repeated", _bordered("symmetric"), "The pixel at the edge is not repeated."),
        ("replicate", _bordered("edge"), "That is `replicate`: the last pixel goes on."),
        ("circular", _bordered("wrap"), "That is `circular`: the row goes on at its other end."),
        ("zeros", _bordered("constant"), "That is `zeros`. A mirror shows pixels of the row."),
        (
            "not_turned",
            (8, 2, *_row, 8, 2),
            "In a mirror, the pixel that is nearest to the edge stands nearest to it.",
        ),
        (
            "left_outwards",
            (8, 2, *_row, 2, 8),
            "Right of the row it is right. To its left, the cell next to the 5 is the last of two.",
        ),
    ],
)

_light = 50

chapter.value(
    "dark_corner",
    title="How dark is the corner?",
    minutes=4,
    text=f"All pixels of an image of 20×20 are {_light}. It is blurred by the mean over 5×5, with "
    "`padding=2` and zeros. Which number has the output in a corner, and which in the middle of an "
    "edge? Give both.",
    answer=(_light * 3 * 3 / 25, _light * 3 * 5 / 25),
    hints=[
        "Of the window's five rows, how many lie on the image at the upper edge?",
        "The sum is divided by 25 in any case.",
    ],
    explanation="9 and 15 of 25 cells lie on the image: zeros take light away.",
    mistakes=[
        ("exchanged", (_light * 15 / 25, _light * 9 / 25), "First the corner, then the edge."),
        (
            "real_pixels_only",
            (_light, _light),
            "The kernel has 25 weights of 1/25, whatever lies beneath: zeros are averaged in.",
        ),
        (
            "middle_is_outside",
            (_light * 4 / 25, _light * 10 / 25),
            "The middle of the window still lies on the image, with two rows below it.",
        ),
        ("by_halves", (_light / 4, _light / 2), "Three rows of five are more than half."),
        (
            "one_row_outside",
            (_light * 16 / 25, _light * 20 / 25),
            "With a padding of 2, two of the five rows lie beyond the edge.",
        ),
    ],
)

chapter.value(
    "predict_four_numbers",
    title="Predict: four numbers of padding",
    minutes=3,
    text="What does this print?",
    code="image = torch.zeros(1, 2, 4, 9)\n"
    "print(tuple(nn.functional.pad(image, (3, 0, 1, 5)).shape))",
    answer=(1, 2, 4 + 1 + 5, 9 + 3 + 0),
    hints=[
        "`F.pad` begins with the last axis. Which one is that?",
        "The first two numbers belong to left and right, the next two to top and bottom.",
    ],
    explanation="Left, right, top, bottom: the width comes first, unlike anywhere in a layer.",
    mistakes=[
        ("height_first", (1, 2, 4 + 3, 9 + 6), "`F.pad` begins with the last axis, the width."),
        ("torchvision_order", (1, 2, 4 + 5, 9 + 4), "That is torchvision: left, top, right, ..."),
        ("first_axes", (4, 8, 4, 9), "`F.pad` begins with the last axis, not with the first."),
        ("an_axis_each", (4, 2, 5, 14), "Two numbers belong to an axis, one for each end."),
        ("as_a_layer", (1, 2, 4 + 2 * 3, 9), "Two numbers belong to an axis, one for each end."),
    ],
)


def _only_first_mirror_works(answer: Any) -> str | None:
    """Return what is wrong with a size that only the first of two layers should accept."""
    size = int(answer)
    if size != answer:
        return "a size is a whole number"
    if size <= 3:
        return f"the first layer refuses it: the mirror of {size} pixels is too short for 3 cells"
    second = conv2d_output_size(size, 7, stride=2, padding=3)[0]
    if second > 3:
        return f"the second layer gets {second} rows, and accepts them"
    return None


chapter.search(
    "break_mirror",
    title="Break it: one size for all layers",
    minutes=4,
    text='Two layers `nn.Conv2d(1, 1, 7, stride=2, padding=3, padding_mode="reflect")` follow each '
    'other. Somebody says: "If the first one accepts the image, the second one accepts its map." '
    "For a square image of how many rows is this wrong? Give an int.",
    objection=_only_first_mirror_works,
    example=5,
    hints=[
        "How many cells does a mirror of n pixels show?",
        "How large is the map that the second layer gets? It needs more than 3 rows.",
    ],
    explanation="`reflect` needs a padding smaller than the map, and maps become small.",
    mistakes=[
        ("first_refuses", 3, "A mirror shows the n - 1 pixels before it."),
        ("first_refuses_two", 2, "A mirror shows the n - 1 pixels before it."),
        ("first_refuses_one", 1, "A mirror shows the n - 1 pixels before it."),
        ("both_accept", 7, "How many rows has the map of an image of 7? It is just enough."),
        ("both_accept_eight", 8, "How many rows has the map of an image of 8? It is enough."),
        (
            "both_accept_ten",
            10,
            "The map has half as many rows: try a smaller image.",
        ),
    ],
)
