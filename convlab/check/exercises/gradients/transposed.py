"""Exercises on transposed convolutions."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

import numpy as np

from convlab.check.exercise import Arguments, Mistake, random_array
from convlab.check.exercises.gradients.values import chapter
from convlab.shapes import conv2d_output_size, conv_transpose2d_output_size


def _printed(random: Random) -> Iterator[Arguments]:
    """Yield a row, a kernel and a stride, from the simplest on."""
    yield np.array([2.0]), np.array([1.0, 2, 3]), 1
    yield np.array([1.0, 100]), np.array([1.0, 2, 3]), 3
    yield np.array([1.0, 100]), np.array([1.0, 2, 3]), 1
    yield np.array([1.0, 100]), np.array([1.0, 2, 3]), 2
    yield np.array([1.0, 2, 3]), np.array([5.0, 7]), 3
    for _ in range(30):
        row, kernel = (random_array(random, random.randint(1, 6)) for _ in range(2))
        yield row, kernel, random.randint(1, 4)


@chapter.code(
    title="A transposed convolution along a row",
    minutes=10,
    text="`x` is a row of numbers and `w` a kernel, both arrays with one axis. Return what a "
    "transposed convolution makes of them, without padding: for each number of `x` put down the "
    "kernel, scaled by it, `stride` cells apart, and add.",
    cases=_printed,
    imports="import numpy as np",
    hints=[
        "Where does the last kernel begin, and where does it end? The output is as long.",
        "Begin with zeros. Kernel number i covers the cells from i * stride on.",
    ],
    explanation="It is the backward pass of a convolution to its input, used as a layer.",
)
def transposed_row(x, w, stride):
    """Return the row that the kernels make together."""
    out = np.zeros((len(x) - 1) * stride + len(w))
    for i, number in enumerate(x):
        out[i * stride : i * stride + len(w)] += number * w
    return out


@transposed_row.mistake("Where kernels overlap, the later one replaces the earlier: add them.")
def print_overwritten(x, w, stride):
    out = np.zeros((len(x) - 1) * stride + len(w))
    for i, number in enumerate(x):
        out[i * stride : i * stride + len(w)] = number * w
    return out


@transposed_row.mistake("The kernel is put down as it is, not turned.")
def print_turned(x, w, stride):
    return transposed_row.solution(x, w[::-1], stride)


@transposed_row.mistake("The kernels stand `stride` cells apart. Yours stand one cell apart.")
def print_stride_forgotten(x, w, stride):
    return np.convolve(x, w)


@transposed_row.mistake("Each kernel is scaled by the number of `x` for which it is put down.")
def print_not_scaled(x, w, stride):
    return transposed_row.solution(np.ones_like(x), w, stride)


@transposed_row.mistake("The last kernel begins at (n - 1) * stride. Where does it end?")
def print_cut_off(x, w, stride):
    return transposed_row.solution(x, w, stride)[: len(x) * stride]


@transposed_row.mistake("The output ends where the last kernel ends. How many strides lead to it?")
def print_one_stride_more(x, w, stride):
    return np.append(transposed_row.solution(x, w, stride), np.zeros(stride))


@transposed_row.mistake("That is the size of a convolution's output. Here the row becomes longer.")
def print_as_convolution(x, w, stride):
    return np.correlate(x, w, "valid")[::stride]


@transposed_row.mistake("Kernels stand `stride` cells apart. Yours stand end to end.")
def print_end_to_end(x, w, stride):
    return np.outer(x, w).ravel()


@transposed_row.mistake("The strides lie between the numbers of `x`, not between the weights.")
def print_spread_kernel(x, w, stride):
    return transposed_row.solution(w, x, stride)


@transposed_row.mistake("The last kernel begins at (n - 1) * stride: behind it is no more room.")
def print_room_left(x, w, stride):
    return np.append(transposed_row.solution(x, w, stride), np.zeros(stride - 1))


@transposed_row.mistake("Kernels stand `stride` cells apart. Yours begin one cell apart.")
def print_next_to_each_other(x, w, stride):
    out = transposed_row.solution(x, w, stride)
    out[:] = 0
    for i, number in enumerate(x):
        out[i : i + len(w)] += number * w
    return out


@transposed_row.mistake("`stride` cells apart means: with stride - 1 cells between them.")
def print_one_cell_too_far(x, w, stride):
    return transposed_row.solution(x, w, stride + 1)


@transposed_row.mistake("Nothing is cut off: the first kernel and the last stand there wholly.")
def print_same(x, w, stride):
    spread = np.zeros((len(x) - 1) * stride + 1)
    spread[::stride] = x
    return np.convolve(spread, w, "same")


@transposed_row.mistake("The last kernel begins at (n - 1) * stride. Where does it end?")
def print_without_room(x, w, stride):
    out = np.zeros(len(x) * stride)
    for i, number in enumerate(x):
        out[i * stride : i * stride + len(w)] += number * w
    return out


@transposed_row.mistake("That is a convolution. Here each number sends out a whole kernel.")
def print_forward(x, w, stride):
    places = (len(x) - len(w)) // stride + 1
    return np.array([x[i * stride : i * stride + len(w)] @ w for i in range(places)])


def _known(hint, **answers):
    """Enter known mistakes that share a hint."""
    transposed_row.mistakes.extend(Mistake(name, hint, answer) for name, answer in answers.items())


def _put_down(x, w, length, places):
    """Return a row of this length in which a scaled kernel begins at each place."""
    out = np.zeros(length)
    for number, place in zip(x, places, strict=False):
        out[place : place + len(w)] += number * w
    return out


def _length(x, w, stride):
    return (len(x) - 1) * stride + len(w)


_known(
    "Between the numbers of `x` stand zeros. You repeat the numbers.",
    print_repeated=lambda x, w, stride: np.convolve(np.repeat(x, stride), w),
    print_repeated_and_cut=lambda x, w, stride: np.convolve(np.repeat(x, stride), w)[
        : _length(x, w, stride)
    ],
)
_known(
    "Each number of `x` puts down a kernel, the first and the last one, too.",
    print_without_the_last=lambda x, w, stride: transposed_row.solution(
        np.append(x[:-1], 0), w, stride
    ),
    print_without_the_first=lambda x, w, stride: transposed_row.solution(
        np.append(0, x[1:]), w, stride
    ),
    print_last_only=lambda x, w, stride: transposed_row.solution(
        np.append(0 * x[:-1], x[-1]), w, stride
    ),
    print_first_only=lambda x, w, stride: transposed_row.solution(
        np.append(x[0], 0 * x[1:]), w, stride
    ),
)
_known(
    "The whole kernel is put down, each of its weights.",
    print_last_weight_left=lambda x, w, stride: transposed_row.solution(
        x, np.append(w[:-1], 0), stride
    ),
    print_first_weight_left=lambda x, w, stride: transposed_row.solution(
        x, np.append(0, w[1:]), stride
    ),
    print_first_weight_only=lambda x, w, stride: transposed_row.solution(
        x, np.append(w[0], 0 * w[1:]), stride
    ),
)
_known(
    "That is a sum of products. Here each number of `x` puts down a whole kernel.",
    print_valid=lambda x, w, stride: np.convolve(
        np.kron(x, np.eye(stride)[0])[: (len(x) - 1) * stride + 1], w, "valid"
    ),
    print_correlated=lambda x, w, stride: np.correlate(x, w, "full")[::stride],
    print_convolved=lambda x, w, stride: np.convolve(x, w)[::stride],
)
_known(
    "`out[...] += ...` adds to a piece of the row. Where does the piece of number `i` begin?",
    print_at_the_beginning=lambda x, w, stride: _put_down(
        x, w, _length(x, w, stride), [0] * len(x)
    ),
)
_known(
    "The first kernel begins at cell 0, kernel `i` at i * stride.",
    print_starts_late=lambda x, w, stride: np.append(
        np.zeros(stride), transposed_row.solution(x, w, stride)
    ),
    print_starts_late_and_is_cut=lambda x, w, stride: np.append(
        np.zeros(stride), transposed_row.solution(x, w, stride)
    )[: _length(x, w, stride)],
)
_known(
    "The last kernel begins at (n - 1) * stride and has as many cells as `w`: there it ends.",
    print_one_cell_more=lambda x, w, stride: np.append(transposed_row.solution(x, w, stride), 0.0),
    print_one_cell_less=lambda x, w, stride: transposed_row.solution(x, w, stride)[:-1],
    print_length_without_stride=lambda x, w, stride: transposed_row.solution(x, w, stride)[
        : len(x) + len(w) - 1
    ],
    print_as_long_as_product=lambda x, w, stride: np.append(
        transposed_row.solution(x, w, stride), np.zeros(len(x) * stride * len(w))
    )[: len(x) * len(w)],
    print_last_kernel_cut=lambda x, w, stride: transposed_row.solution(x, w, stride)[
        : (len(x) - 1) * stride + 1
    ],
    print_as_long_as_row=lambda x, w, stride: transposed_row.solution(x, w, stride)[: len(x)],
    print_kernel_stride_more=lambda x, w, stride: np.append(
        transposed_row.solution(x, w, stride), np.zeros(len(w))
    ),
)
_known(
    "`stride` cells lie from the beginning of a kernel to that of the next: they may overlap.",
    print_gaps=lambda x, w, stride: transposed_row.solution(x, w, stride + len(w)),
    print_gaps_one_less=lambda x, w, stride: transposed_row.solution(x, w, stride + len(w) - 1),
)
_known(
    "Scale the kernel by the number itself, `x[i]`, not by its place `i` or by the stride.",
    print_scaled_by_place=lambda x, w, stride: transposed_row.solution(
        np.arange(len(x)), w, stride
    ),
    print_scaled_by_stride=lambda x, w, stride: stride * transposed_row.solution(x, w, stride),
)
_known(
    "All the numbers of `x` scale kernels. You scale all by the same one.",
    print_scaled_by_the_first=lambda x, w, stride: transposed_row.solution(0 * x + x[0], w, stride),
    print_scaled_by_the_last=lambda x, w, stride: transposed_row.solution(0 * x + x[-1], w, stride),
    print_scaled_by_the_sum=lambda x, w, stride: transposed_row.solution(
        0 * x + x.sum(), w, stride
    ),
)
_known(
    "The numbers of `x` keep their order: the first kernel belongs to the first number.",
    print_backwards=lambda x, w, stride: transposed_row.solution(x[::-1], w, stride),
    print_result_backwards=lambda x, w, stride: transposed_row.solution(x, w, stride)[::-1],
)
_known(
    "What meets in a cell is added. It is not averaged, nor is the first or the larger one kept.",
    print_averaged=lambda x, w, stride: (
        transposed_row.solution(x, w, stride)
        / np.maximum(transposed_row.solution(np.ones_like(x), np.ones_like(w), stride), 1)
    ),
    print_first_kept=lambda x, w, stride: print_overwritten(x[::-1], w[::-1], stride)[::-1],
)
_known(
    "Every number of `x` puts down a kernel. `stride` says how far apart, it skips none.",
    print_numbers_skipped=lambda x, w, stride: np.convolve(x[::stride], w),
)
_known(
    "Make the zeros without `dtype=int`: the output is a float, as `x` is.",
    print_of_ints=lambda x, w, stride: transposed_row.solution(x, w, stride).astype(int),
)


def _loses_cells(answer: Any) -> str | None:
    """Return what is wrong with a setting that should not lead back to its size."""
    numbers = np.asarray(answer)
    if numbers.shape != (3,) or numbers.dtype.kind != "i":
        return "give three ints, (size, kernel_size, stride)"
    size, kernel_size, stride = numbers.tolist()
    if min(size, kernel_size, stride) < 1:
        return "all three numbers are at least 1"
    if kernel_size > size:
        return f"a kernel of {kernel_size} has no place on {size} cells"
    small = conv2d_output_size(size, kernel_size, stride)[0]
    back = conv_transpose2d_output_size(small, kernel_size, stride)[0]
    if back != size:
        return None
    why = " (with stride 1 nothing is rounded down)" if stride == 1 else ""
    return f"{size} cells become {small}, and these {back} again{why}"


chapter.search(
    "break_there_and_back",
    title="Break it: there and back",
    minutes=5,
    text='Somebody says: "A transposed convolution with the same `kernel_size` and `stride` as a '
    'convolution leads back to the size of its input." There is no padding and no output padding. '
    "Give a triple `(size, kernel_size, stride)` of ints for which that fails.",
    objection=_loses_cells,
    example=(8, 3, 2),
    hints=[
        "Two sizes that lead to the same output cannot both be the one that comes back.",
        "When does the convolution have to round down?",
    ],
    explanation="The convolution rounds down, and the transposed one returns to the smallest size. "
    "`output_padding` chooses one of the others.",
    mistakes=[
        ("stride_1", (8, 3, 1), "With stride 1 nothing is rounded down, so nothing gets lost."),
        ("stride_1_on_five", (5, 3, 1), "With stride 1 nothing is rounded down."),
        ("nothing_rounded", (7, 3, 2), "Here the strides fit exactly. Take one pixel more."),
        ("window_as_stride", (8, 2, 2), "The windows cover the row exactly. When would they not?"),
    ],
)
