"""Values to work out, and one to find: fast convolution."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from convlab.check.exercise import Chapter
from convlab.shapes import conv2d_macs, conv2d_output_size

chapter = Chapter("algorithms")

_out_h, _out_w = conv2d_output_size((12, 10), 3, stride=1)

chapter.value(
    "size_of_columns",
    title="How large is the matrix of columns?",
    minutes=3,
    text="im2col writes the windows of an image with 5 channels, 12 rows and 10 columns as the "
    "columns of a matrix, for a layer with 16 kernels of 3×3, stride 1 and no padding. How many "
    "rows and columns has it? Give both.",
    answer=(5 * 3 * 3, _out_h * _out_w),
    hints=[
        "A column is one window. How many numbers does a window hold, over all channels?",
        "How many places has the window? Each of them is a column.",
    ],
    explanation="3600 numbers are made of 600 pixels: on average each stands there six times.",
    mistakes=[
        ("exchanged", (80, 45), "The windows are the columns, not the rows."),
        ("channels_forgotten", (9, 80), "A window reaches through all channels."),
        ("a_column_per_pixel", (45, 120), "A window of 3×3 has fewer places than pixels."),
        ("kernels_as_rows", (16, 80), "Those are the rows of the output. What does a window hold?"),
        ("kernel_matrix", (16, 45), "That is the matrix of the kernels. Look at the windows."),
        ("channels_in_the_columns", (9, 400), "A window reaches through all channels."),
        ("steps_counted", (45, 63), "Those are the steps. The first place needs none."),
        ("windows_side_by_side", (45, 12), "The windows overlap: stride 1."),
        ("kernel_side_once", (5 * 3, 80), "A window has three rows and three columns."),
        ("kernels_in_the_rows", (16 * 45, 80), "All kernels meet the same columns, stored once."),
        ("image_as_matrix", (5, 120), "Those are the pixels. A column holds a whole window."),
        ("padded", (45, 14 * 12), "There is no padding: fewer places than pixels."),
        ("square_by_height", (45, 100), "The image has 12 rows and 10 columns, not 12 and 12."),
        ("square_by_width", (45, 64), "The image has 12 rows and 10 columns, not 10 and 10."),
        ("two_off_once", (45, 10 * 9), "The window has 12 - 2 places down, and 10 - 2 across."),
        ("one_column_per_row", (45, 10), "There are places side by side, too."),
        ("three_off", (45, 9 * 8), "How many places has a window of 3 in 12 rows? One more."),
        ("as_rows_and_channels", (9, 5 * 120), "A window reaches through all channels."),
        ("kernels_in_the_columns", (45, 1280), "All kernels are multiplied with the same columns."),
    ],
)

_definition = conv2d_macs((8, 12), 1, 1, 3, padding=1)

chapter.value(
    "winograd_products",
    title="Multiplications of Winograd's algorithm",
    minutes=4,
    text="One channel, one kernel of 3×3, an output of 8×12. How many multiplications does "
    "F(4×4, 3×3) make, the transforms aside?",
    answer=8 // 4 * (12 // 4) * (4 + 2) ** 2,
    hints=[
        "F(4×4, 3×3) makes 4×4 outputs at once. How many such squares has the output?",
        "Each square needs a tile of inputs, and one multiplication for each number of the tile.",
    ],
    explanation=f"6 tiles of 36 numbers: a quarter of the {_definition} of the definition.",
    mistakes=[
        ("definition", _definition, "That is the definition. How many tiles are there?"),
        ("one_tile", (4 + 2) ** 2, "One tile of 4×4 outputs takes 36. How many tiles are there?"),
        ("smaller_tile", 8 // 2 * (12 // 2) * (2 + 2) ** 2, "That is F(2×2, 3×3)."),
        ("outputs_only", 8 * 12, "A tile of inputs is larger than its square of outputs."),
        (
            "tile_too_large",
            2 * 3 * (4 + 3) ** 2,
            "Four outputs in a row need 4 + 3 - 1 inputs.",
        ),
        ("kernel_numbers_for_each_tile", 2 * 3 * 9, "A tile needs as many as it has inputs."),
        (
            "weights_times_tile",
            2 * 3 * (4 + 2) ** 2 * 9,
            "In the transformed tile each number meets a single weight.",
        ),
        (
            "tile_of_each_output",
            8 * 12 * (4 + 2) ** 2,
            "A tile gives 4×4 outputs at once: how many tiles are there?",
        ),
        ("tiles_counted", 2 * 3, "That many tiles there are. How many multiplications has each?"),
        ("tiles_below_only", 2 * (4 + 2) ** 2, "There are tiles side by side and below."),
        ("tiles_in_a_row", 12 // 4 * (4 + 2) ** 2, "There are tiles side by side and below."),
        (
            "input_tiles_side_by_side",
            2 * 2 * (4 + 2) ** 2,
            "The tiles of the input overlap. Those of the output lie side by side.",
        ),
    ],
)

chapter.value(
    "predict_view",
    title="Predict: a view of all windows",
    minutes=3,
    text="What does this print?",
    code="row = np.array([1, 2, 3, 4, 5])\n"
    "windows = np.lib.stride_tricks.sliding_window_view(row, 3)\n"
    "row[2] = 10\n"
    "print(windows.sum(axis=1).tolist())",
    answer=(1 + 2 + 10, 2 + 10 + 4, 10 + 4 + 5),
    hints=[
        "Does the view hold numbers of its own?",
        "Which windows see the pixel that has changed? Add up each window afterwards.",
    ],
    explanation="A view is another look at the same memory: a pixel is stored once, and seen three "
    "times.",
    mistakes=[
        ("copied", (6, 9, 12), "A view has no copy of the numbers: it sees the change."),
        ("first_seen_only", (13, 9, 12), "The pixel is stored once, and seen in three windows."),
        ("middle_only", (6, 16, 12), "The pixel is stored once, and seen in three windows."),
        ("counted_from_one", (1 + 10 + 3, 10 + 3 + 4, 12), "Places are counted from 0."),
        (
            "window_at_every_cell",
            (13, 16, 19, 9, 5),
            "A window stays on the row.",
        ),
        ("last_seen_only", (6, 9, 19), "The pixel is stored once, and seen in three windows."),
        (
            "last_two",
            (6, 16, 19),
            "The pixel is the last of the first window, too.",
        ),
        ("first_two", (13, 16, 12), "The pixel is the first of the last window, and seen there."),
        ("added", (16, 19, 22), "The pixel becomes 10: nothing is added to it."),
        ("pixels_in_place", (1, 2, 10, 4, 5), "Those are the pixels. The windows are added up."),
        ("windows_as_columns", (1 + 4, 2 + 5, 10), "The windows overlap."),
    ],
)


def _right_but_not_close(answer: Any) -> str | None:
    """Return what is wrong with results that should be accurate, and not be so to allclose."""
    ours, exact = (np.asarray(numbers, dtype=float) for numbers in answer)
    if ours.shape != exact.shape or ours.ndim != 1 or not ours.size:
        return "two lists of the same length are asked for"
    if not np.isfinite([*ours, *exact]).all():
        return "finite numbers are asked for"
    largest = float(np.abs(exact).max())
    errors = np.abs(ours - exact)
    if errors.max() > 1e-6 * largest:
        text = f"the largest error is {errors.max():g}, more than a millionth of {largest:g}"
        return f"{text}: a larger number beside it would allow that" if largest < 1e6 else text
    return _why_close(ours, exact) if np.allclose(ours, exact) else None


def _why_close(ours: NDArray[np.float64], exact: NDArray[np.float64]) -> str:
    """Return why `np.allclose` finds nothing wrong."""
    errors = np.abs(ours - exact)
    if not errors.any():
        return "the two lists are equal"
    if ours.size == 1:
        reason = "a single number is compared with its own size"
    elif errors.max() <= 1e-8:
        reason = "it overlooks errors of at most 1e-8"
    else:
        reason = "it allows each number an error of a hundred-thousandth of itself"
    return f"`np.allclose` says True: {reason}"


chapter.search(
    "break_allclose",
    title="Break it: np.allclose",
    minutes=4,
    text="Somebody calls a result wrong if `np.allclose(ours, exact)` says False. Give a pair of "
    "lists `(ours, exact)` for which it does, though no number is off by more than a millionth of "
    "the largest exact one.",
    objection=_right_but_not_close,
    example=([1000, 0.0001], [1000, 0]),
    hints=[
        "`np.allclose` looks at each number by itself. Which numbers make it strict?",
        "One number is large, and sets the scale; the other one is 0, or near it.",
    ],
    explanation="A result near zero, made of large terms, has few accurate digits. Compare with "
    "the largest number.",
    mistakes=[
        ("equal", ([1.0, 2.0], [1.0, 2.0]), "The two lists must differ somewhere."),
        ("far_off", ([1.0, 2.0], [1.0, 2.1]), "That is wrong by any measure."),
        (
            "small_error_of_large_number",
            ([1000.0001], [1000]),
            "Compared with a large number itself, the error is small. Put it elsewhere.",
        ),
        ("no_large_number", ([0.0001], [0]), "What sets the scale? A large number is missing."),
        ("scale_too_small", ([1, 0.0001], [1, 0]), "Is 0.0001 less than a millionth of 1?"),
        ("small_number_only", ([1e-7], [0]), "Give a large number beside the small one."),
        ("smaller_number_only", ([1e-6], [0]), "Give a large number beside the small one."),
        (
            "small_number_of_two",
            ([0, 1e-7], [0, 0]),
            "A large number sets the scale.",
        ),
        ("below_the_limit", ([1, 1e-9], [1, 0]), "Below 1e-8, `np.allclose` sees no difference."),
    ],
)
