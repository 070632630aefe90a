"""Exercises on pooling."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from random import Random
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convlab.check.exercise import Arguments, Chapter, random_array
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
            "edge_repeated",
            ((9 + 9 + 6) / 3, (6 + 12 + 3) / 3, (3 + 15 + 15) / 3),
            "The padding of average pooling is zeros.",
        ),
    ],
)

_height, _width = (pool2d_output_size(size, 3, padding=1)[0] for size in (28, 20))

chapter.value(
    "predict_pool_shape",
    title="Predict: the shape behind a pooling",
    minutes=3,
    text="What does this print?",
    code="layer = nn.MaxPool2d(3, padding=1)\n"
    "print(tuple(layer(torch.zeros(4, 16, 28, 20)).shape))",
    answer=(4, 16, _height, _width),
    hints=[
        "What is the stride of a pooling layer, unless you say otherwise?",
        "With padding there are 30 rows. How many places has a window of 3 that moves by 3?",
    ],
    explanation="A pooling layer moves by its own size, and pools each channel by itself.",
    mistakes=[
        ("stride_one", (4, 16, 28, 20), "A pooling layer moves by its own size, not by one cell."),
        ("stride_two", (4, 16, 14, 10), "The stride is the size of the window: 3."),
        ("padding_forgotten", (4, 16, 9, 6), "There is a padding of 1 on each side."),
        ("padding_once", (4, 16, 9, 7), "There is a padding of 1 on each side."),
        ("rounded_up", (4, 16, 10, 8), "What does not fill a step is dropped: round down."),
        ("channels_pooled", (4, 1, _height, _width), "Each channel is pooled by itself."),
        ("batch_lost", (16, _height, _width), "The batch passes through."),
    ],
)


def _zeros_matter(answer: Any) -> str | None:
    """Return what is wrong with a row for which zeros as padding should change the maxima."""
    row = [float(number) for number in answer]
    if len(row) != 4:
        return f"four numbers are asked for, these are {len(row)}"
    zeros, right = (
        np.lib.stride_tricks.sliding_window_view([border, *row, border], 3).max(axis=1)
        for border in (0.0, -np.inf)
    )
    if not np.array_equal(zeros, right):
        return None
    return f"the maxima are {', '.join(f'{number:g}' for number in right)} with either padding"


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
    explanation="Before a ReLU maps are negative in many places. So the padding counts as −∞.",
    mistakes=[
        ("positive", [1, 2, 3, 4], "A zero is never the largest of these."),
        ("all_zero", [0, 0, 0, 0], "Here the maximum is 0 anyway."),
        ("negative_inside", [1, -2, -3, 4], "The windows at the edge hold a positive number."),
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


def _maps(random: Random) -> Iterator[Arguments]:
    """Yield maps and settings of poolings, from the simplest on."""
    yield random_array(random, 1, 1, 2, 4, low=1, high=9), 2, 2, 0
    yield random_array(random, 1, 1, 4, 2, low=-9, high=-1), 2, 2, 0
    yield random_array(random, 1, 1, 3, 5, low=1, high=9), 3, 1, 0
    yield random_array(random, 1, 1, 3, 6, low=1, high=9), 2, 3, 0
    yield random_array(random, 1, 3, 2, 2, low=1, high=9), 2, 2, 0
    yield random_array(random, 2, 1, 2, 4, low=1, high=9), 2, 2, 0
    yield random_array(random, 1, 1, 3, 5, low=1, high=9), 2, 2, 0
    yield random_array(random, 1, 1, 2, 4, low=1, high=9), 2, 2, 1
    yield random_array(random, 1, 1, 2, 4, low=-9, high=-1), 2, 2, 1
    yield random_array(random, 1, 1, 2, 4, low=-9, high=-1) * 1e20, 2, 2, 1
    for _ in range(20):
        kernel_size, stride = random.randint(1, 4), random.randint(1, 3)
        sides = (kernel_size + random.randint(0, 4) for _ in range(2))
        x = random_array(random, random.randint(1, 2), random.randint(1, 3), *sides, low=-9, high=2)
        yield x, kernel_size, stride, random.randint(0, kernel_size // 2)


@chapter.code(
    title="Max pooling",
    minutes=10,
    imports="import numpy as np",
    text="`x` has the shape (N, C, H, W); `kernel_size`, `stride` and `padding` are ints, for both "
    "directions. Pool as `nn.MaxPool2d` does, rounding sizes down, and return an array.",
    cases=_maps,
    hints=[
        "The size of the output follows from the same formula as for a convolution.",
        "What may a cell of the padding hold, so that it never wins?",
        "Loop over rows and columns of the output; all images and channels can be pooled at once.",
    ],
    explanation="A border of −∞ loses against every pixel.",
)
def max_pool2d(x, kernel_size, stride, padding):
    """Return the maxima, of shape (N, C, H_out, W_out)."""
    sides = (padding, padding)
    x = np.pad(x, ((0, 0), (0, 0), sides, sides), constant_values=-np.inf)
    images, channels, height, width = x.shape
    out_h, out_w = (height - kernel_size) // stride + 1, (width - kernel_size) // stride + 1
    y = np.empty((images, channels, out_h, out_w))
    for i, j in np.ndindex(out_h, out_w):
        top, left = i * stride, j * stride
        window = x[:, :, top : top + kernel_size, left : left + kernel_size]
        y[:, :, i, j] = window.max(axis=(2, 3))
    return y


def _pad(x, padding, value):
    """Return maps with a border of a value."""
    sides = (padding, padding)
    return np.pad(x, ((0, 0), (0, 0), sides, sides), constant_values=value)


@max_pool2d.mistake("A 0 of the padding wins against negative pixels. What would never win?")
def padded_with_zeros(x, kernel_size, stride, padding):
    return max_pool2d.solution(_pad(x, padding, 0), kernel_size, stride, 0)


@max_pool2d.mistake("The search for the maximum begins at 0: all pixels may be less than that.")
def maximum_begins_at_zero(x, kernel_size, stride, padding):
    return np.maximum(max_pool2d.solution(x, kernel_size, stride, padding), 0)


@max_pool2d.mistake("The padding is missing: it gives the window more places.")
def pool_padding_forgotten(x, kernel_size, stride, padding):
    return max_pool2d.solution(x, kernel_size, stride, 0)


@max_pool2d.mistake("The padding lies on both sides of an axis, and so counts twice in the size.")
def pool_padding_on_one_side(x, kernel_size, stride, padding):
    sides = (padding, 0)
    x = np.pad(x, ((0, 0), (0, 0), sides, sides), constant_values=-np.inf)
    return max_pool2d.solution(x, kernel_size, stride, 0)


@max_pool2d.mistake("Only rows and columns are padded, not the axes of images and channels.")
def pool_padding_of_all_axes(x, kernel_size, stride, padding):
    padded = np.pad(x, padding, constant_values=-np.inf)
    return max_pool2d.solution(padded, kernel_size, stride, 0)


@max_pool2d.mistake("`stride` is not used. It need not be the size of the window.")
def pool_stride_is_kernel_size(x, kernel_size, stride, padding):
    return max_pool2d.solution(x, kernel_size, kernel_size, padding)


@max_pool2d.mistake("The window moves by `stride` cells at a time, not by one.")
def pool_stride_one(x, kernel_size, stride, padding):
    return max_pool2d.solution(x, kernel_size, 1, padding)


@max_pool2d.mistake("The size is right. But where do the windows begin, if they move by `stride`?")
def pool_stride_in_the_size_only(x, kernel_size, stride, padding):
    full = max_pool2d.solution(x, kernel_size, 1, padding)
    height, width = (
        (size + 2 * padding - kernel_size) // stride + 1 for size in (x.shape[2], x.shape[3])
    )
    return full[:, :, :height, :width]


@max_pool2d.mistake("The size of a window is `kernel_size`. You use the stride for it.")
def pool_window_is_stride(x, kernel_size, stride, padding):
    x = _pad(x, padding, -np.inf)
    height, width = ((size - kernel_size) // stride + 1 for size in x.shape[2:])
    return max_pool2d.solution(x, stride, stride, 0)[:, :, :height, :width]


@max_pool2d.mistake("Those are the means. Max pooling keeps the largest number.")
def means_taken(x, kernel_size, stride, padding):
    x = _pad(x, padding, 0)
    windows = np.lib.stride_tricks.sliding_window_view(x, (kernel_size, kernel_size), axis=(2, 3))
    return windows[:, :, ::stride, ::stride].mean(axis=(4, 5))


@max_pool2d.mistake("Those are the minima. Max pooling keeps the largest number.")
def minima_taken(x, kernel_size, stride, padding):
    return -max_pool2d.solution(-x, kernel_size, stride, padding)


@max_pool2d.mistake("Those are the sums. Max pooling keeps the largest number.")
def sums_taken(x, kernel_size, stride, padding):
    return means_taken(x, kernel_size, stride, padding) * kernel_size**2


@max_pool2d.mistake("Each channel is pooled by itself. You take the maximum over all of them.")
def channels_pooled(x, kernel_size, stride, padding):
    return max_pool2d.solution(x, kernel_size, stride, padding).max(axis=1, keepdims=True)


@max_pool2d.mistake("Each channel is pooled by itself. You take the maximum over all of them.")
def channels_pooled_in_each_map(x, kernel_size, stride, padding):
    y = max_pool2d.solution(x, kernel_size, stride, padding)
    return np.broadcast_to(y.max(axis=1, keepdims=True), y.shape)


@max_pool2d.mistake("Each image is pooled by itself. You take the maximum over the batch, too.")
def images_pooled_in_each_map(x, kernel_size, stride, padding):
    y = max_pool2d.solution(x, kernel_size, stride, padding)
    return np.broadcast_to(y.max(axis=(0, 1), keepdims=True), y.shape)


@max_pool2d.mistake("The first place of the window needs no step: a row and a column are missing.")
def pool_last_places_missing(x, kernel_size, stride, padding):
    return max_pool2d.solution(x, kernel_size, stride, padding)[:, :, :-1, :-1]


@max_pool2d.mistake("A window has several rows. You take the maximum along the width only.")
def one_row_pooled(x, kernel_size, stride, padding):
    x = _pad(x, padding, -np.inf)
    windows = np.lib.stride_tricks.sliding_window_view(x, (kernel_size, kernel_size), axis=(2, 3))
    return windows[:, :, ::stride, ::stride, 0].max(axis=4)


@max_pool2d.mistake("The output has four axes, and all images of the batch.")
def pool_first_image_only(x, kernel_size, stride, padding):
    return max_pool2d.solution(x[:1], kernel_size, stride, padding)


@max_pool2d.mistake("The size is divided by the window's. Where is the stride in it?")
def pool_size_by_division(x, kernel_size, stride, padding):
    full = max_pool2d.solution(x, kernel_size, stride, padding)
    return full[:, :, : x.shape[2] // kernel_size, : x.shape[3] // kernel_size]


@max_pool2d.mistake("A finite number wins against pixels that are less still. What never wins?")
def padded_with_minus_one(x, kernel_size, stride, padding):
    return max_pool2d.solution(_pad(x, padding, -1), kernel_size, stride, 0)


@max_pool2d.mistake("A finite number wins against pixels that are less still. What never wins?")
def padded_with_finite_number(x, kernel_size, stride, padding):
    return max_pool2d.solution(_pad(x, padding, -1e6), kernel_size, stride, 0)


def _reduce(
    arguments, reduce, size=lambda cells, kernel_size, stride: (cells - kernel_size) // stride + 1
):
    """Reduce each window of the padded maps."""
    x, kernel_size, stride, padding = arguments
    x = _pad(x, padding, -np.inf)
    y = np.zeros((*x.shape[:2], *(size(cells, kernel_size, stride) for cells in x.shape[2:])))
    for i, j in np.ndindex(y.shape[2:]):
        top, left = i * stride, j * stride
        y[:, :, i, j] = reduce(x[:, :, top : top + kernel_size, left : left + kernel_size])
    return y


@max_pool2d.mistake("Sizes are rounded down here, as without `ceil_mode`.")
def pool_rounded_up(x, kernel_size, stride, padding):
    return _reduce(
        (x, kernel_size, stride, padding),
        lambda window: window.max(axis=(2, 3)),
        size=lambda cells, kernel_size, stride: -(-(cells - kernel_size) // stride) + 1,
    )


@max_pool2d.mistake("A window of `kernel_size` cells has fewer places than that: what is the size?")
def pool_size_by_stride(x, kernel_size, stride, padding):
    return _reduce(
        (x, kernel_size, stride, padding),
        lambda window: window.max(axis=(2, 3)),
        size=lambda cells, kernel_size, stride: (cells - 2 * padding) // stride,
    )


@max_pool2d.mistake("A size is a whole number, and `/` gives a float.")
def pool_size_is_float(x, kernel_size, stride, padding):
    return np.zeros((*x.shape[:2], (x.shape[2] + 2 * padding - kernel_size) / stride + 1, 1))


@max_pool2d.mistake(
    "The maximum is taken over rows and columns of the window: which axes are these?"
)
def pool_over_first_axes(x, kernel_size, stride, padding):
    return _reduce((x, kernel_size, stride, padding), lambda window: window.max(axis=(0, 1)))


@max_pool2d.mistake("The maximum is taken over rows and columns of the window, not over channels.")
def pool_over_channels_and_window(x, kernel_size, stride, padding):
    return _reduce((x, kernel_size, stride, padding), lambda window: window.max(axis=(1, 2, 3)))


@max_pool2d.mistake("The largest number is asked for, with its sign.")
def absolute_values(x, kernel_size, stride, padding):
    return max_pool2d.solution(np.abs(x), kernel_size, stride, padding)


@max_pool2d.mistake("The numbers are kept as they are: floats.")
def pool_whole_numbers(x, kernel_size, stride, padding):
    return max_pool2d.solution(x, kernel_size, stride, padding).astype(int)


@max_pool2d.mistake("The size counts the padding, but there is no border around the maps.")
def pool_padding_in_the_size_only(x, kernel_size, stride, padding):
    y = np.zeros_like(max_pool2d.solution(x, kernel_size, stride, padding))
    for i, j in np.ndindex(y.shape[2:]):
        top, left = i * stride, j * stride
        window = x[:, :, top : top + kernel_size, left : left + kernel_size]
        y[:, :, i, j] = window.max(axis=(2, 3))
    return y


@max_pool2d.mistake("The window begins at `i * stride`. Yours moves by its own size.")
def pool_moves_by_kernel_size(x, kernel_size, stride, padding):
    y = np.zeros_like(max_pool2d.solution(x, kernel_size, stride, padding))
    x = _pad(x, padding, -np.inf)
    for i, j in np.ndindex(y.shape[2:]):
        top, left = i * kernel_size, j * kernel_size
        window = x[:, :, top : top + kernel_size, left : left + kernel_size]
        y[:, :, i, j] = window.max(axis=(2, 3))
    return y


@max_pool2d.mistake("The padding is in the maps, but not in the size of the output.")
def pool_padding_not_in_the_size(x, kernel_size, stride, padding):
    height, width = ((size - kernel_size) // stride + 1 for size in x.shape[2:])
    return max_pool2d.solution(x, kernel_size, stride, padding)[:, :, :height, :width]


@max_pool2d.mistake("The output has four axes: images and channels come first.")
def pool_axis_of_images_lost(x, kernel_size, stride, padding):
    return max_pool2d.solution(x, kernel_size, stride, padding)[0]


@max_pool2d.mistake("The numbers themselves are asked for, not their places.")
def places_of_maxima(x, kernel_size, stride, padding):
    return _reduce(
        (x, kernel_size, stride, padding),
        lambda window: window.reshape(*window.shape[:2], -1).argmax(axis=2),
    )


def _batches(random: Random) -> Iterator[Arguments]:
    """Yield maps, from the simplest on."""
    yield (np.array([[[[1.0, 2.0], [3.0, 6.0]]]]),)
    yield (random_array(random, 1, 3, 2, 2, low=0, high=9),)
    yield (random_array(random, 2, 1, 2, 3, low=0, high=9),)
    for _ in range(20):
        yield (random_array(random, *(random.randint(1, 4) for _ in range(4)), low=0, high=9),)


@chapter.code(
    title="Global average pooling",
    minutes=3,
    imports="import numpy as np",
    text="`x` is an array of shape (N, C, H, W). Return the mean of each map, as an array of shape "
    "(N, C).",
    cases=_batches,
    hints=["Which two axes disappear?", "`mean` takes a tuple of axes."],
    explanation="The size of the maps does not matter behind it.",
)
def global_average(x):
    """Return the mean of each map, of shape (N, C)."""
    return x.mean(axis=(2, 3))


@global_average.mistake("Each channel keeps a mean of its own.")
def average_over_channels_too(x):
    return x.mean(axis=(1, 2, 3))


@global_average.mistake("Each image keeps the means of its own maps.")
def average_over_images_too(x):
    return x.mean(axis=(0, 2, 3))


@global_average.mistake("That is one number for everything. Which axes remain?")
def average_over_everything(x):
    return x.mean()


@global_average.mistake("You average over the channels. The places are to disappear.")
def average_over_channels(x):
    return x.mean(axis=1)


@global_average.mistake("The two axes of the place disappear: the result has two axes.")
def average_keeps_axes(x):
    return x.mean(axis=(2, 3), keepdims=True)


@global_average.mistake("You average along the rows only. Both axes of the place disappear.")
def average_over_width_only(x):
    return x.mean(axis=3)


@global_average.mistake("You average along the columns only. Both axes of the place disappear.")
def average_over_height_only(x):
    return x.mean(axis=2)


@global_average.mistake("Those are the sums. A mean is divided by the number of cells.")
def average_not_divided(x):
    return x.sum(axis=(2, 3))


@global_average.mistake("Those are the largest numbers. The means are asked for.")
def average_is_maximum(x):
    return x.max(axis=(2, 3))


@global_average.mistake("The first two axes are images and channels. The places come after them.")
def average_over_first_axes(x):
    return x.mean(axis=(0, 1))


@global_average.mistake("A map has as many cells as rows times columns.")
def average_divided_by_height(x):
    return x.sum(axis=(2, 3)) / x.shape[2]


@global_average.mistake("The images come first, then the channels.")
def average_transposed(x):
    return x.mean(axis=(2, 3)).T


@global_average.mistake("An axis of length 1 is an axis, too: the shape is (N, C) always.")
def average_squeezed(x):
    return x.mean(axis=(2, 3)).squeeze()


@global_average.mistake("Axes are counted from 0: rows and columns are the last two.")
def average_over_axes_counted_from_one(x):
    return x.mean(axis=(1, 2))


@global_average.mistake("A map has rows times columns cells. You add the two.")
def average_divided_by_sides(x):
    return x.sum(axis=(2, 3)) / (x.shape[2] + x.shape[3])


@global_average.mistake("Each map has cells of its own: `size` counts those of the whole batch.")
def average_divided_by_everything(x):
    return x.sum(axis=(2, 3)) / x.size


@global_average.mistake("All images of the batch are averaged, each by itself.")
def average_of_first_image(x):
    return x[0].mean(axis=(1, 2))


def _adaptive(random: Random) -> Iterator[Arguments]:
    """Yield sizes, from those that divide each other on."""
    yield from [(6, 3), (6, 1), (7, 2), (5, 3), (10, 4), (3, 5), (4, 4)]
    for _ in range(60):
        yield random.randint(1, 30), random.randint(1, 12)


@chapter.code(
    title="The windows of adaptive pooling",
    minutes=6,
    text="Adaptive pooling makes `output_size` cells out of `size`. Which ones does each of its "
    "windows take? Return a list of pairs `(start, stop)`, the stop excluded, as for a slice.",
    cases=_adaptive,
    hints=[
        "The chapter has a formula for both: one is rounded down, the other one up.",
        "`-(-a // b)` is a / b rounded up, in whole numbers.",
    ],
    explanation="Cuts that fall inside a cell give it to both neighbours.",
)
def adaptive_slices(size, output_size):
    """Return the start and the stop of each window."""
    windows = []
    for i in range(output_size):
        start = i * size // output_size
        stop = -(-(i + 1) * size // output_size)
        windows.append((start, stop))
    return windows


@adaptive_slices.mistake("The stop is rounded up: a cut cell belongs to both neighbours.")
def stop_rounded_down(size, output_size):
    return [(i * size // output_size, (i + 1) * size // output_size) for i in range(output_size)]


@adaptive_slices.mistake("The start is rounded down: a cut cell belongs to both neighbours.")
def start_rounded_up(size, output_size):
    return [
        (-(-i * size // output_size), -(-(i + 1) * size // output_size)) for i in range(output_size)
    ]


@adaptive_slices.mistake("Windows need not be equally long. Multiply first, and divide then.")
def equal_windows(size, output_size):
    length = size // output_size
    return [(i * length, (i + 1) * length) for i in range(output_size)]


@adaptive_slices.mistake("Windows need not be equally long. Multiply first, and divide then.")
def equal_windows_and_the_rest(size, output_size):
    length = size // output_size
    return [
        (i * length, (i + 1) * length if i + 1 < output_size else size) for i in range(output_size)
    ]


@adaptive_slices.mistake("Windows need not be equally long. Multiply first, and divide then.")
def equal_windows_rounded_up(size, output_size):
    length = -(-size // output_size)
    return [(i * length, min((i + 1) * length, size)) for i in range(output_size)]


@adaptive_slices.mistake("The start is rounded down, the stop up. `round` goes to the nearest.")
def rounded_to_the_nearest(size, output_size):
    cuts = [round(i * size / output_size) for i in range(output_size + 1)]
    return list(pairwise(cuts))


@adaptive_slices.mistake(
    "Rounding up is not rounding down and adding 1: what if nothing is left over?"
)
def stop_is_one_after_floor(size, output_size):
    return [
        (i * size // output_size, (i + 1) * size // output_size + 1) for i in range(output_size)
    ]


@adaptive_slices.mistake("The stop is excluded: it is one more than the last cell.")
def stop_included(size, output_size):
    return [(start, stop - 1) for start, stop in adaptive_slices.solution(size, output_size)]


@adaptive_slices.mistake("The second number is the stop, not the length of the window.")
def length_instead_of_stop(size, output_size):
    return [(start, stop - start) for start, stop in adaptive_slices.solution(size, output_size)]


@adaptive_slices.mistake("A start is a whole number, and `/` gives a fraction. How is it rounded?")
def not_rounded(size, output_size):
    return [(i * size / output_size, (i + 1) * size / output_size) for i in range(output_size)]


@adaptive_slices.mistake("All windows are asked for, one for each cell of the output.")
def first_window_only(size, output_size):
    return adaptive_slices.solution(size, output_size)[:1]


@adaptive_slices.mistake("There are `output_size` windows, and `size` cells. You exchanged them.")
def sizes_exchanged(size, output_size):
    return adaptive_slices.solution(output_size, size)


@adaptive_slices.mistake("There are `size` cells for `output_size` windows: `size` is divided.")
def fraction_turned_over(size, output_size):
    return [
        (i * output_size // size, -(-(i + 1) * output_size // size)) for i in range(output_size)
    ]


@adaptive_slices.mistake("Windows need not be equally long: the stop has a formula of its own.")
def stop_by_length(size, output_size):
    length = -(-size // output_size)
    return [(i * size // output_size, i * size // output_size + length) for i in range(output_size)]


@adaptive_slices.mistake("The first window is window 0.")
def windows_counted_from_one(size, output_size):
    return [
        (i * size // output_size, -(-(i + 1) * size // output_size))
        for i in range(1, output_size + 1)
    ]


@adaptive_slices.mistake("A pair of numbers is asked for, `(start, stop)`, not a slice.")
def slices_returned(size, output_size):
    return [slice(*window) for window in adaptive_slices.solution(size, output_size)]


@adaptive_slices.mistake("Each window is a pair of its own. You have written all into one list.")
def flat_list(size, output_size):
    return [cell for window in adaptive_slices.solution(size, output_size) for cell in window]


@adaptive_slices.mistake("A list of pairs is asked for, not starts and stops by themselves.")
def starts_and_stops(size, output_size):
    windows = adaptive_slices.solution(size, output_size)
    return [start for start, _ in windows], [stop for _, stop in windows]


@adaptive_slices.mistake("Start and stop are enough. You list all cells of a window.")
def cells_listed(size, output_size):
    return [list(range(*window)) for window in adaptive_slices.solution(size, output_size)]


@adaptive_slices.mistake(
    "No stride and no kernel fit every size: each window has a start and a stop."
)
def ordinary_pooling(size, output_size):
    stride = size // output_size
    length = size - (output_size - 1) * stride
    return [(i * stride, i * stride + length) for i in range(output_size)]


@adaptive_slices.mistake("It is the other way round: the start is rounded down, the stop up.")
def roundings_exchanged(size, output_size):
    return [
        (-(-i * size // output_size), (i + 1) * size // output_size) for i in range(output_size)
    ]


@adaptive_slices.mistake("Ints are asked for: `np.floor` and `np.ceil` give floats.")
def rounded_floats(size, output_size):
    return [(float(a), float(b)) for a, b in adaptive_slices.solution(size, output_size)]
