"""Values to work out, and one to find: pooling."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from convlab.check.exercise import Chapter
from convlab.shapes import pool2d_output_size

chapter = Chapter("pooling")


def _windows(table: Any, size: int, stride: int) -> NDArray[Any]:
    """Return the windows of a table, with the axes place, place, row, column."""
    return np.lib.stride_tricks.sliding_window_view(np.array(table), (size, size))[
        ::stride, ::stride
    ]


def _listed(array: NDArray[Any]) -> tuple[Any, ...]:
    return tuple(array.ravel().tolist())


_map = [[3, 1, 4, 1, 5], [0, 2, 6, 5, 3], [8, 1, 2, 7, 0], [4, 9, 3, 0, 2], [1, 0, 2, 6, 1]]

chapter.value(
    "max_by_hand",
    title="Overlapping maxima with a pencil",
    minutes=4,
    text="What does max pooling with `kernel_size=3` and `stride=2` make of this map? Give the "
    "numbers row by row.\n\n"
    f"```\n{chr(10).join(' '.join(map(str, row)) for row in _map)}\n```",
    answer=_listed(_windows(_map, 3, 2).max(axis=(2, 3))),
    hints=[
        "A window of 3 that moves by 2 has two places in five cells: the windows share a row and a "
        "column.",
        "The first window holds rows 0 to 2 and columns 0 to 2.",
    ],
    explanation="Windows may overlap: a large number can be the maximum of several.",
    mistakes=[
        (
            "stride_one",
            _listed(_windows(_map, 3, 1).max(axis=(2, 3))),
            "The window moves by two cells at a time.",
        ),
        (
            "stride_is_window",
            _listed(_windows(_map, 3, 3).max(axis=(2, 3))),
            "The stride is given here: two, so the windows overlap.",
        ),
        (
            "window_of_two",
            _listed(_windows(_map, 2, 2).max(axis=(2, 3))),
            "The window has three rows and three columns.",
        ),
        (
            "window_of_two_with_rest",
            _listed(_windows(np.pad(_map, (0, 1)), 2, 2).max(axis=(2, 3))),
            "The window has three rows and three columns, and stays on the map.",
        ),
        (
            "minimum",
            _listed(_windows(_map, 3, 2).min(axis=(2, 3))),
            "The largest number is kept, not the smallest.",
        ),
        (
            "sum",
            _listed(_windows(_map, 3, 2).sum(axis=(2, 3))),
            "The largest number is kept. Nothing is added up.",
        ),
        (
            "side_by_side",
            _listed(_windows(np.pad(_map, (0, 1)), 3, 3).max(axis=(2, 3))),
            "The stride is given here: two, so the windows overlap; and each stays on the map.",
        ),
        (
            "largest_of_each_row",
            tuple(max(row) for row in _map),
            "A window has three rows and three columns.",
        ),
        ("largest_of_all", (max(map(max, _map)),) * 4, "Each window has a maximum of its own."),
        (
            "rounded_up",
            _listed(_windows(np.pad(_map, (0, 2)), 3, 2).max(axis=(2, 3))),
            "Each window stays on the map: two places fit in five cells.",
        ),
        (
            "padded",
            _listed(_windows(np.pad(_map, 1), 3, 2).max(axis=(2, 3))),
            "There is no padding: the first window begins at the first row and column.",
        ),
        (
            "middle_of_each_window",
            _listed(_windows(_map, 3, 2)[..., 1, 1]),
            "The largest number of a window is kept, not the one in its middle.",
        ),
        (
            "means",
            _listed(_windows(_map, 3, 2).mean(axis=(2, 3))),
            "The largest number is kept. Nothing is averaged.",
        ),
        (
            "by_columns",
            _listed(_windows(_map, 3, 2).max(axis=(2, 3)).T),
            "The numbers are right, but write them row by row.",
        ),
    ],
)

_border_row = [9, 6, 12, 3, 15]
_padded = np.array([0, *_border_row, 0])

chapter.value(
    "mean_at_border",
    title="Means at the border",
    minutes=4,
    text="What does average pooling make of the row `9 6 12 3 15`, with a window of 3, stride 2 "
    "and padding 1? All other arguments are PyTorch's defaults.",
    answer=_listed(np.lib.stride_tricks.sliding_window_view(_padded, 3)[::2].mean(axis=1)),
    hints=[
        "The first window lies on the padding, 9 and 6. How many windows are there?",
        "`count_include_pad` is True by default: does the padding count when you divide?",
    ],
    explanation="By default each sum is divided by 3, so zeros at the border are averaged in.",
    mistakes=[
        (
            "pad_not_counted",
            ((9 + 6) / 2, (6 + 12 + 3) / 3, (3 + 15) / 2),
            "That is `count_include_pad=False`. By default the padding counts.",
        ),
        (
            "padding_forgotten",
            ((9 + 6 + 12) / 3, (12 + 3 + 15) / 3),
            "With padding 1 the first window begins one cell before the 9.",
        ),
        (
            "stride_is_window",
            ((9 + 6) / 3, (12 + 3 + 15) / 3),
            "The stride is given here: the window moves by 2.",
        ),
        (
            "stride_one",
            _listed(np.lib.stride_tricks.sliding_window_view(_padded, 3).mean(axis=1)),
            "The window moves by two cells at a time.",
        ),
        ("maxima", (9, 12, 15), "Those are the maxima. The mean is asked for."),
        ("sums", (9 + 6, 6 + 12 + 3, 3 + 15), "Those are the sums. By what are they divided?"),
        (
            "padding_on_one_side",
            ((9 + 6) / 3, (6 + 12 + 3) / 3),
            "The row is padded on both sides: one more window fits.",
        ),
        (
            "no_padding_and_stride_one",
            _listed(np.lib.stride_tricks.sliding_window_view(_border_row, 3).mean(axis=1)),
            "There is a padding of 1, and the window moves by two cells at a time.",
        ),
        (
            "divided_by_two",
            ((9 + 6) / 2, (6 + 12 + 3) / 2, (3 + 15) / 2),
            "By default the padding counts: every sum is divided by 3.",
        ),
        (
            "last_window_whole",
            ((9 + 6) / 3, (6 + 12 + 3) / 3, (12 + 3 + 15) / 3),
            "The window moves by 2 each time: the last one reaches over the end.",
        ),
        (
            "reflected",
            ((6 + 9 + 6) / 3, (6 + 12 + 3) / 3, (3 + 15 + 3) / 3),
            "The padding of average pooling is zeros.",
        ),
        (
            "edge_repeated",
            ((9 + 9 + 6) / 3, (6 + 12 + 3) / 3, (3 + 15 + 15) / 3),
            "The padding of average pooling is zeros.",
        ),
    ],
)

_height, _width = (pool2d_output_size(size, 3, padding=1)[0] for size in (28, 21))

chapter.value(
    "predict_pool_shape",
    title="Predict: the shape behind a pooling",
    minutes=3,
    text="What does this print?",
    code="layer = nn.MaxPool2d(3, padding=1)\n"
    "print(tuple(layer(torch.zeros(4, 16, 28, 21)).shape))",
    answer=(4, 16, _height, _width),
    hints=[
        "What is the stride of a pooling layer, unless you say otherwise?",
        "With padding there are 30 rows. How many places has a window of 3 that moves by 3?",
    ],
    explanation="A pooling layer moves by its own size, and pools each channel by itself.",
    mistakes=[
        ("stride_one", (4, 16, 28, 21), "A pooling layer moves by its own size, not by one cell."),
        ("stride_two", (4, 16, 14, 11), "The stride is the size of the window: 3."),
        (
            "padding_forgotten",
            (4, 16, 9, 7),
            "There is a padding of 1 on each side, and so 30 rows.",
        ),
        ("steps_counted", (4, 16, 9, 6), "Those are the steps. The first place needs none."),
        ("rounded_up", (4, 16, 10, 8), "What does not fill a step is dropped: round down."),
        ("no_padding_stride_one", (4, 16, 26, 19), "A pooling layer moves by its own size."),
        ("sides_exchanged", (4, 16, _width, _height), "The height comes first: 28 rows."),
        ("channels_pooled", (4, 1, _height, _width), "Each channel is pooled by itself."),
        ("batch_lost", (16, _height, _width), "The batch passes through."),
    ],
)


def _zeros_matter(answer: Any) -> str | None:
    """Return what is wrong with a row for which zeros as padding should change the maxima."""
    row = [float(number) for number in answer]
    if len(row) != 4:
        return f"four numbers are asked for, these are {len(row)}"
    if not np.isfinite(row).all():
        return "finite numbers are asked for"
    zeros, right = (
        np.lib.stride_tricks.sliding_window_view([border, *row, border], 3).max(axis=1)
        for border in (0.0, -np.inf)
    )
    if not np.array_equal(zeros, right):
        return None
    maxima = ", ".join(f"{number:g}" for number in right)
    return (
        f"the maxima are {maxima} with either padding: the window at each end holds two of your "
        "numbers, and one of them is 0 or more"
    )


chapter.search(
    "break_zeros",
    title="Break it: a border of zeros",
    minutes=3,
    text="Somebody writes a max pooling that pads with zeros, and tests it on rows of four "
    "numbers, with a window of 3, stride 1 and padding 1. Give a row, as a list, that unmasks it.",
    objection=_zeros_matter,
    example=[-1, -2, -3, -4],
    hints=[
        "Which windows reach over the edge? What else do they hold?",
        "When is 0 the largest number of a window?",
    ],
    explanation="Many maps hold negative numbers. So the padding counts as −∞.",
    mistakes=[
        ("first_negative", [-1, 2, 3, 4], "The first window holds the 2, too: it beats a 0."),
        ("last_negative", [1, 2, 3, -4], "The last window holds the 3, too: it beats a 0."),
        ("negative_in_between", [1, -2, -3, 4], "The padding lies at the ends: what is there?"),
        ("ones", [1, 1, 1, 1], "A zero is never the largest of these."),
        ("positive", [1, 2, 3, 4], "A zero is never the largest of these."),
        ("all_zero", [0, 0, 0, 0], "Here the maximum is 0 anyway."),
        ("signs_in_turn", [-1, 2, -3, 4], "The windows at the edge hold a positive number."),
        (
            "signs_in_turn_from_plus",
            [1, -2, 3, -4],
            "The windows at the edge hold a positive number.",
        ),
        (
            "zeros_at_the_edge",
            [0, -1, -1, 0],
            "The windows at the edge hold a 0 of the row.",
        ),
        (
            "positive_next_to_edge",
            [-1, 2, 2, -1],
            "The windows at the edge hold a positive number.",
        ),
    ],
)
