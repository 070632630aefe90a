"""Values to work out, and one to find: borders."""

from __future__ import annotations

import operator
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
            "right_outwards",
            (2, 8, *_row, 8, 2),
            "Left of the row it is right. To its right, the cell next to the 6 comes first.",
        ),
        (
            "edge_repeated_at_the_left",
            (8, 5, *_row, 2, 8),
            "Right of the row it is right. To its left the pixel at the edge is repeated.",
        ),
        (
            "edge_repeated_at_the_right",
            (2, 8, *_row, 6, 2),
            "Left of the row it is right. To its right the pixel at the edge is repeated.",
        ),
        ("neighbour_twice", (8, 8, *_row, 2, 2), "A mirror shows one pixel after the other."),
        (
            "ring_turned",
            (6, 2, *_row, 8, 5),
            "A mirror stands at each end and shows the pixels there, not those of the other end.",
        ),
        (
            "far_mirror",
            (2, 6, *_row, 8, 5),
            "A mirror stands at each end and shows the pixels there, not those of the other end.",
        ),
        (
            "edge_repeated_not_turned",
            (5, 8, *_row, 2, 6),
            "In a mirror the order is turned, and the pixel at the edge is not repeated.",
        ),
        ("left_only", (2, 8, *_row), "The row is padded at both ends: eight numbers."),
        ("right_only", (*_row, 2, 8), "The row is padded at both ends: eight numbers."),
        ("one_cell", (8, *_row, 2), "Two cells are put at each end: eight numbers."),
        ("border_only", (2, 8, 2, 8), "Give the row itself as well: eight numbers."),
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
        (
            "shares",
            (9 / 25, 15 / 25),
            "Those are the parts of the window on the image. How bright are the pixels?",
        ),
        ("cells", (9, 15), "So many cells lie on the image. What is the mean over all 25?"),
        ("sums", (_light * 9, _light * 15), "Those are the sums. The mean divides them by 25."),
        (
            "edge_with_one_row_outside",
            (_light * 9 / 25, _light * 20 / 25),
            "The corner is right. At an edge, two of the five rows lie outside, too.",
        ),
        (
            "corner_with_one_row_outside",
            (_light * 16 / 25, _light * 15 / 25),
            "The edge is right. In the corner, two rows and two columns lie outside.",
        ),
        (
            "corner_as_edge",
            (_light * 15 / 25, _light * 15 / 25),
            "In the corner, columns lie outside as well as rows.",
        ),
        (
            "edge_as_inside",
            (_light * 9 / 25, _light),
            "The corner is right. At an edge, two of the five rows lie on zeros.",
        ),
        (
            "edge_missing_two_cells",
            (_light * 21 / 25, _light * 23 / 25),
            "Whole rows lie outside: two of the five, with five cells each.",
        ),
        (
            "parts_outside",
            (_light * 16 / 25, _light * 10 / 25),
            "So much light is taken away. How much is left?",
        ),
        ("black", (0, 0), "Part of the window still lies on the image."),
        (
            "quarter_and_edge",
            (_light / 4, _light * 15 / 25),
            "The edge is right. In the corner, three of five rows and columns lie on the image.",
        ),
        ("corner_only", _light * 9 / 25, "That is the corner. And in the middle of an edge?"),
        ("edge_only", _light * 15 / 25, "That is the edge. And in a corner?"),
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
        (
            "torchvision_order",
            (1, 2, 4 + 5, 9 + 4),
            "Two numbers belong to an axis: left and right. Left, top, right, ... is torchvision.",
        ),
        ("width_before_height", (1, 2, 12, 10), "The shape has the height before the width."),
        ("two_axes_only", (10, 12), "The shape has four axes: images and channels remain."),
        (
            "two_axes_only_exchanged",
            (12, 10),
            "The shape has four axes, the height before the width.",
        ),
        ("unchanged", (1, 2, 4, 9), "The image becomes larger by its border."),
        ("interleaved", (1, 2, 4 + 3 + 1, 9 + 0 + 5), "The first two numbers belong to one axis."),
        ("only_the_first_two", (1, 2, 4, 9 + 3), "The next two numbers belong to the height."),
        ("all_at_each_axis", (1, 2, 4 + 9, 9 + 9), "Two numbers belong to an axis."),
        ("twice", (1, 2, 4 + 12, 9 + 6), "Each number stands for one end: it counts once."),
        ("channels_padded", (1, 5, 5, 14), "Two numbers belong to an axis, one for each end."),
        ("first_axes", (4, 8, 4, 9), "`F.pad` begins with the last axis, not with the first."),
        ("an_axis_each", (4, 2, 5, 14), "Two numbers belong to an axis, one for each end."),
        ("width_unchanged", (1, 2, 4 + 1 + 5, 9), "The first two numbers belong to the width."),
    ],
)


def _only_first_mirror_works(answer: Any) -> str | None:
    """Return what is wrong with a size that only the first of two layers should accept."""
    try:
        size = operator.index(answer)
    except TypeError:
        return "one int is asked for, the number of rows"
    if size < 1:
        return "an image has at least one row"
    if size <= 3:
        return f"the first layer refuses it: of {size} pixels, a mirror shows {size - 1}, not 3"
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
        ("first_refuses", 3, "The first layer has to accept the image: take a larger one."),
        ("first_refuses_two", 2, "The first layer has to accept the image: take a larger one."),
        ("first_refuses_one", 1, "The first layer has to accept the image: take a larger one."),
        ("both_accept", 7, "How many rows has the map of an image of 7? It is just enough."),
        ("both_accept_eight", 8, "How many rows has the map of an image of 8? It is enough."),
        *(
            (f"both_accept_{size}", size, "The map has half as many rows: try a smaller image.")
            for size in (9, 10, 12, 14, 15, 16, 20, 28, 32, 64, 100, 224)
        ),
    ],
)
