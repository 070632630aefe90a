"""Values to work out, and one to find: windows and kernels."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from convlab.check.exercise import Chapter

chapter = Chapter("math")


def _slide(image: NDArray[Any], kernel: NDArray[Any], step: int = 1) -> tuple[int, ...]:
    """Return the numbers of the output for one channel and one kernel, row by row."""
    windows = np.lib.stride_tricks.sliding_window_view(image, kernel.shape)[::step, ::step]
    return tuple(int(total) for total in (windows * kernel).sum(axis=(2, 3)).ravel())


_image = np.array([[1, 0, 2, 3], [4, 1, 0, 1], [2, 5, 1, 0]])
_kernel = np.array([[1, 2], [-1, 3]])

chapter.value(
    "slide_by_hand",
    title="A whole output with a pencil",
    minutes=5,
    text="An image of 3×4 pixels, and a kernel of 2×2:\n\n"
    "```\n1 0 2 3      1 2\n4 1 0 1     -1 3\n2 5 1 0\n```\n\n"
    "What is the output of the layer, without bias? Give its numbers row by row.",
    answer=_slide(_image, _kernel),
    hints=[
        "A window of 2×2 has two places down and three across, so there are six numbers.",
        "The first window holds 1, 0, 4 and 1. Multiply each by the weight on it, and add up.",
    ],
    explanation="The kernel lies on the window as it is written, and each place gives one number.",
    mistakes=[
        (
            "kernel_turned",
            _slide(_image, _kernel[::-1, ::-1]),
            "You turned the kernel. The layer lays it on the window as it is.",
        ),
        (
            "kernel_transposed",
            _slide(_image, _kernel.T),
            "You exchanged the rows and the columns of the kernel.",
        ),
        (
            "windows_side_by_side",
            _slide(_image, _kernel, step=2),
            "The window moves by one pixel at a time, so the windows overlap.",
        ),
        (
            "sign_lost",
            _slide(_image, np.abs(_kernel)),
            "One of the weights is negative: its product is taken away.",
        ),
        (
            "kernel_rows_exchanged",
            _slide(_image, _kernel[::-1]),
            "The upper row of the kernel lies on the upper row of the window.",
        ),
        (
            "kernel_columns_exchanged",
            _slide(_image, _kernel[:, ::-1]),
            "The left column of the kernel lies on the left column of the window.",
        ),
        (
            "zeros_around",
            _slide(np.pad(_image, 1), _kernel),
            "Without padding the window stays inside of the image: two places down, three across.",
        ),
        (
            "as_large_as_the_image",
            _slide(np.pad(_image, ((0, 1), (0, 1))), _kernel),
            "Without padding the window stays inside of the image: two places down, three across.",
        ),
        (
            "padded_before",
            _slide(np.pad(_image, ((1, 0), (1, 0))), _kernel),
            "Without padding the window stays inside of the image: two places down, three across.",
        ),
        (
            "averaged",
            tuple(number / 4 for number in _slide(_image, _kernel)),
            "The four products are added, not averaged.",
        ),
        (
            "output_by_columns",
            tuple(np.array(_slide(_image, _kernel)).reshape(2, 3).T.ravel().tolist()),
            "The numbers are right, but write them row by row.",
        ),
    ],
)

_window = np.array([[[2, 1], [1, 3]], [[1, 4], [2, 0]]])
_slices = np.array([[[1, 0], [5, -1]], [[3, 1], [0, 5]]])
_parts = [int(part) for part in (_window * _slices).sum(axis=(1, 2))]
_bias = 10

chapter.value(
    "two_channels",
    title="Two channels and a bias",
    minutes=4,
    text="An image has two channels of 2×2 pixels, and a kernel has a slice for each:\n\n"
    "```\nchannel 0    slice 0        channel 1    slice 1\n"
    " 2  1         1  0           1  4         3  1\n"
    " 1  3         5 -1           2  0         0  5\n```\n\n"
    "The bias is 10. What is the one number of the output?",
    answer=sum(_parts) + _bias,
    hints=[
        "Each slice lies on its own channel. What does each of them give?",
        "The results of the slices are added, and the bias is added once.",
    ],
    explanation="However many channels go in, one kernel makes one plane, with one bias.",
    mistakes=[
        ("bias_forgotten", sum(_parts), "That is the sum over both channels. What is still added?"),
        ("bias_per_channel", sum(_parts) + 2 * _bias, "The bias belongs to the kernel: once."),
        ("first_channel_only", _parts[0] + _bias, "The second channel counts, too."),
        ("second_channel_only", _parts[1] + _bias, "The first channel counts, too."),
        (
            "first_slice_for_both",
            int((_window * _slices[0]).sum()) + _bias,
            "You used one slice for both channels. Each channel has its own.",
        ),
        (
            "slices_exchanged",
            int((_window * _slices[::-1]).sum()) + _bias,
            "You exchanged the slices: slice 0 lies on channel 0.",
        ),
        (
            "second_slice_for_both",
            int((_window * _slices[1]).sum()) + _bias,
            "You used one slice for both channels. Each channel has its own.",
        ),
        (
            "number_per_channel",
            (_parts[0] + _bias, _parts[1] + _bias),
            "One kernel gives one number: the results of its slices are added.",
        ),
        (
            "number_per_channel_without_bias",
            tuple(_parts),
            "One kernel gives one number: the results of its slices are added.",
        ),
        (
            "channels_multiplied",
            _parts[0] * _parts[1] + _bias,
            "The results of the two slices are added, not multiplied.",
        ),
        ("bias_subtracted", sum(_parts) - _bias, "The bias is added, not taken away."),
        ("bias_multiplied", sum(_parts) * _bias, "The bias is added, it does not multiply."),
        (
            "slices_turned",
            int((_window * _slices[:, ::-1, ::-1]).sum()) + _bias,
            "You turned the slices. They are laid on their channels as they are.",
        ),
        (
            "slices_transposed",
            int((_window * _slices.swapaxes(1, 2)).sum()) + _bias,
            "You exchanged the rows and the columns of the slices.",
        ),
        (
            "matrices_multiplied",
            int((_window @ _slices).sum()) + _bias,
            "Each pixel meets the one weight that lies on it: this is no product of matrices.",
        ),
        (
            "channels_averaged",
            sum(_parts) / 2 + _bias,
            "The results of the slices are added, not averaged.",
        ),
        (
            "sign_lost",
            int((_window * np.abs(_slices)).sum()) + _bias,
            "One of the weights is negative: its product is taken away.",
        ),
    ],
)

_pixel = np.zeros((3, 4), dtype=int)
_pixel[1, 2] = 10
_counting = np.array([[1, 2], [3, 4]])

chapter.value(
    "predict_bright_pixel",
    title="Predict: one bright pixel",
    minutes=4,
    text="What does this print?",
    code="image = torch.zeros(1, 1, 3, 4)\n"
    "image[0, 0, 1, 2] = 10\n"
    "kernel = torch.tensor([[[[1.0, 2], [3, 4]]]])\n"
    "print(nn.functional.conv2d(image, kernel).flatten().tolist())",
    answer=_slide(_pixel, _counting),
    hints=[
        "`flatten` puts the rows of the output behind each other: two rows of three numbers.",
        "In the window at row 0, column 1, the bright pixel lies at the bottom right. Under which "
        "weight?",
    ],
    explanation="A single bright pixel draws the kernel turned by 180 degrees: the first window "
    "that reaches it does so with its last weight.",
    mistakes=[
        (
            "true_convolution",
            _slide(_pixel, _counting[::-1, ::-1]),
            "In yours the kernel appears upright. Under which weight does the pixel lie in the "
            "first window that reaches it?",
        ),
        (
            "pixel_is_one",
            tuple(number // 10 for number in _slide(_pixel, _counting)),
            "The bright pixel is 10, not 1.",
        ),
        (
            "pixel_one_column_left",
            _slide(np.roll(_pixel, -1, axis=1), _counting),
            "Rows and columns are counted from 0: where is the pixel?",
        ),
        (
            "kernel_transposed",
            _slide(_pixel, _counting.T),
            "Rows and columns of the kernel are exchanged: 2 stands to the right of 1.",
        ),
        (
            "upright_and_transposed",
            _slide(_pixel, _counting[::-1, ::-1].T),
            "Rows and columns of the kernel are exchanged: 2 stands to the right of 1.",
        ),
        (
            "rows_turned_only",
            _slide(_pixel, _counting[::-1]),
            "The right column is right. In the upper window, which row of the kernel meets it?",
        ),
        (
            "columns_turned_only",
            _slide(_pixel, _counting[:, ::-1]),
            "In the left one of two windows, which column of the kernel lies on the pixel?",
        ),
        (
            "zeros_left_out",
            (40, 30, 20, 10),
            "Windows that do not reach the pixel give a 0, which is printed, too.",
        ),
        (
            "zeros_left_out_upright",
            (10, 20, 30, 40),
            "Windows that do not reach the pixel give a 0, which is printed, too.",
        ),
        (
            "as_large_as_the_image",
            _slide(np.pad(_pixel, ((1, 0), (1, 0))), _counting),
            "Without padding a window of 2×2 has two places down and three across.",
        ),
        (
            "as_large_as_the_image_padded_behind",
            _slide(np.pad(_pixel, ((0, 1), (0, 1))), _counting),
            "Without padding a window of 2×2 has two places down and three across.",
        ),
        (
            "stamped_behind_the_pixel",
            (0, 0, 0, 0, 0, 0, 10, 20, 0, 0, 30, 40),
            "Without padding a window of 2×2 has two places down and three across.",
        ),
        (
            "stamped_before_the_pixel",
            (0, 10, 20, 0, 0, 30, 40, 0, 0, 0, 0, 0),
            "Without padding a window of 2×2 has two places down and three across.",
        ),
        (
            "summed_weights",
            (0, 100, 100, 0, 100, 100),
            "In each window the pixel meets one weight, and all other pixels are 0.",
        ),
        (
            "pixel_one_row_down",
            _slide(np.roll(_pixel, 1, axis=0), _counting),
            "Rows and columns are counted from 0: where is the pixel?",
        ),
        (
            "pixel_counted_from_1",
            _slide(np.roll(_pixel, (-1, -1), axis=(0, 1)), _counting),
            "Rows and columns are counted from 0: where is the pixel?",
        ),
        (
            "row_and_column_exchanged",
            _slide(np.array([[0] * 4, [0] * 4, [0, 10, 0, 0]]), _counting),
            "The row comes first, then the column: where is the pixel?",
        ),
    ],
)


def _misses_the_pattern(answer: Any) -> str | None:
    """Return what is wrong with a row in which the kernel 1 2 3 should miss the pattern."""
    try:
        row = [float(number) for number in answer]
    except (TypeError, ValueError):
        return "a list of six numbers from 0 to 9 is asked for"
    if len(row) != 6 or not all(0 <= number <= 9 for number in row):
        return "six numbers from 0 to 9 are asked for"
    places = [place for place in range(4) if row[place : place + 3] == [1, 2, 3]]
    if not places:
        return "the row does not hold 1, 2, 3 side by side"
    sums = [row[i] + 2 * row[i + 1] + 3 * row[i + 2] for i in range(4)]
    if max(sums) > sums[places[0]]:
        return None
    shown = f"the sums are {', '.join(f'{total:g}' for total in sums)}"
    if sums.count(max(sums)) > len(places):
        shown += ": another place has as large a sum as the pattern, none a larger one"
    else:
        shown += ": the pattern has the largest"
    return shown


chapter.search(
    "break_pattern_finder",
    title="Break it: the largest sum",
    minutes=4,
    text="Somebody looks for the pattern 1, 2, 3 in rows of pixels: slides the kernel `1 2 3` over "
    "the row, and takes the place with the largest sum. Give a row of six numbers from 0 to 9, as "
    "a list, that holds 1, 2, 3 side by side, and in which another place has a larger sum.",
    objection=_misses_the_pattern,
    example=[1, 2, 3, 9, 9, 9],
    hints=[
        "What is the sum where the pattern lies?",
        "All weights are positive. What do they answer to bright pixels?",
    ],
    explanation="A kernel answers to brightness, too. That is why a mean is subtracted from it, so "
    "that its weights add up to 0; even then contrast counts.",
    mistakes=[
        *(
            (
                f"pattern_at_{place}_among_{number}",
                [number] * place + [1, 2, 3] + [number] * (3 - place),
                "Nothing else in this row is bright.",
            )
            for place in range(4)
            for number in (0, 1, 2)
        ),
        ("pattern_twice", [1, 2, 3, 1, 2, 3], "The largest sum must lie on another pattern."),
        ("rising_row", [1, 2, 3, 0, 1, 2], "Nothing else in this row is bright."),
        ("no_pattern", [9, 9, 9, 9, 9, 9], "The pattern must be there, and be missed."),
        ("pattern_backwards", [3, 2, 1, 9, 9, 9], "The pattern must be there, from left to right."),
    ],
)
