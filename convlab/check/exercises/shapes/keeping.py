"""Exercise: the padding that keeps the size."""

from __future__ import annotations

import operator
from collections.abc import Iterator
from random import Random
from typing import Any

from convlab.check.exercise import Arguments
from convlab.check.exercises.shapes.values import chapter
from convlab.shapes import conv2d_output_size


def _windows(random: Random) -> Iterator[Arguments]:
    """Yield kernel sizes and dilations, from the simplest on."""
    for dilation in (1, 2, 3, 4, 7):
        for kernel_size in (1, 2, 3, 4, 5, 6, 7, 11):
            yield kernel_size, dilation


@chapter.code(
    title="The padding that keeps the size",
    minutes=6,
    text="`padding='same'` with stride 1 gives an output as long as the input. Return how many "
    "cells PyTorch puts before and after the row, as a pair. Where the number is odd, the odd one "
    "comes after.",
    cases=_windows,
    hints=[
        "How many cells does the window span, and how many places does a row lose without padding?",
        "Split that number into two halves. Which is the smaller one?",
    ],
    explanation="Only an even kernel with an odd dilation makes the number odd.",
)
def same_padding(kernel_size, dilation):
    """Return the numbers of cells before and after the row."""
    total = dilation * (kernel_size - 1)
    return total // 2, total - total // 2


@same_padding.mistake("Where the number is odd, the larger half comes after the row.")
def odd_cell_before(kernel_size, dilation):
    total = dilation * (kernel_size - 1)
    return total - total // 2, total // 2


@same_padding.mistake("The dilation makes the window span more cells: is it in your sum?")
def same_dilation_forgotten(kernel_size, dilation):
    total = kernel_size - 1
    return total // 2, total - total // 2


@same_padding.mistake("For an even kernel the two halves differ by one cell.")
def halves_equal(kernel_size, dilation):
    return dilation * (kernel_size - 1) // 2, dilation * (kernel_size - 1) // 2


@same_padding.mistake(
    "That is half of the kernel at both ends. How many places does a row lose in all?"
)
def half_kernel(kernel_size, dilation):
    return kernel_size // 2, kernel_size // 2


@same_padding.mistake("Between the weights there is one gap fewer than there are weights.")
def same_dilation_times_kernel(kernel_size, dilation):
    total = dilation * kernel_size - 1
    return total // 2, total - total // 2


_HALVES = {
    "split": lambda total: (total // 2, total - total // 2),
    "larger_half_first": lambda total: (total - total // 2, total // 2),
    "smaller_half_twice": lambda total: (total // 2, total // 2),
    "larger_half_twice": lambda total: (total - total // 2, total - total // 2),
    "whole_twice": lambda total: (total, total),
    "all_after": lambda total: (0, total),
    "all_before": lambda total: (total, 0),
    "half_and_remainder": lambda total: (total // 2, total % 2),
    "half_and_one_more": lambda total: (total // 2, total // 2 + 1),
    "half_cells": lambda total: (total / 2, total / 2),
    "one_number": lambda total: total,
    "one_half": lambda total: total // 2,
}


def _enter(name, hint, total, half):
    """Enter as a mistake: a number of cells that is shared between the ends in a way."""

    def mistake(kernel_size, dilation):
        return _HALVES[half](total(kernel_size, dilation))

    mistake.__name__ = name
    same_padding.mistake(hint)(mistake)


for _half, _hint in {
    "larger_half_twice": "The two halves add up to what a row loses. Do yours, where it is odd?",
    "whole_twice": "That number is needed for both ends together: it is shared between them.",
    "all_after": "The padding is shared between both ends of the row.",
    "all_before": "The padding is shared between both ends of the row.",
    "half_and_remainder": "After the row comes all that is left, not only the odd cell.",
    "half_and_one_more": "Only where the number is odd, one cell more comes after the row.",
    "half_cells": "Half cells do not exist: what is left over comes after the row.",
    "one_number": "A pair is asked for: that number is shared between before and after.",
    "one_half": "A pair is asked for: how many cells come after the row?",
}.items():
    _enter(_half, _hint, lambda k, d: d * (k - 1), _half)

_GAP = "The dilation lies between all weights: it multiplies the steps from one to the next."

for _name, _hint, _total, _halves in [
    (
        "same_span",
        "A window of one cell spans 1, and a row loses nothing by it. What is lost in general?",
        lambda k, d: d * (k - 1) + 1,
        "split larger_half_first whole_twice half_cells",
    ),
    (
        "same_kernel_times_dilation",
        "Between the weights there is one step fewer than there are weights.",
        lambda k, d: d * k,
        "split larger_half_first smaller_half_twice whole_twice half_cells",
    ),
    ("same_dilation_added", _GAP, lambda k, d: k + d - 2, "split smaller_half_twice"),
    ("same_one_gap", _GAP, lambda k, d: k + d - 1, "split smaller_half_twice"),
    (
        "same_gaps_only",
        "Those are the empty cells in the window. Its weights need cells, too.",
        lambda k, d: (d - 1) * (k - 1),
        "split smaller_half_twice",
    ),
    (
        "dilation_forgotten",
        "The dilation makes the window span more cells: is it in your sum?",
        lambda k, d: k - 1,
        "larger_half_first smaller_half_twice whole_twice half_cells",
    ),
    (
        "kernel_shared",
        "A row loses less than the kernel has cells; and the dilation makes it lose more.",
        lambda k, d: k,
        "split half_cells whole_twice",
    ),
]:
    for _half in _halves.split():
        _enter(f"{_name}_{_half}", _hint, _total, _half)


@same_padding.mistake(
    "For an even kernel this is too much: halve what a row loses, not the kernel."
)
def half_kernel_times_dilation(kernel_size, dilation):
    return dilation * (kernel_size // 2), dilation * (kernel_size // 2)


@same_padding.mistake("Multiply by the dilation first, and halve after that.")
def halved_before_multiplied(kernel_size, dilation):
    before = dilation * ((kernel_size - 1) // 2)
    return before, dilation * (kernel_size - 1) - before


@same_padding.mistake("Multiply by the dilation first, and halve after that; the rest comes after.")
def both_halves_multiplied_larger_first(kernel_size, dilation):
    return dilation * (kernel_size // 2), dilation * ((kernel_size - 1) // 2)


@same_padding.mistake("Multiply by the dilation first, and halve after that.")
def smaller_half_multiplied(kernel_size, dilation):
    return dilation * ((kernel_size - 1) // 2), dilation * ((kernel_size - 1) // 2)


_EVEN = "Which number has to be odd for the ends to differ: the kernel, or what a row loses?"


@same_padding.mistake(_EVEN)
def one_more_for_even_kernels(kernel_size, dilation):
    half = dilation * (kernel_size - 1) // 2
    return half, half + (kernel_size % 2 == 0)


@same_padding.mistake(_EVEN)
def one_less_for_even_kernels(kernel_size, dilation):
    half = dilation * (kernel_size // 2)
    return half - (kernel_size % 2 == 0), half


@same_padding.mistake(
    "Rows and columns are alike: only two numbers, before and after, are asked for."
)
def four_numbers(kernel_size, dilation):
    return same_padding.solution(kernel_size, dilation) * 2


def _keeps_the_size(answer: Any) -> str | None:
    """Return what is wrong with a kernel size and dilation that should not keep the size."""
    try:
        kernel_size, dilation = map(operator.index, answer)
    except (TypeError, ValueError):
        return "a pair of two ints is asked for, kernel_size and dilation"
    if min(kernel_size, dilation) < 1:
        return "both are 1 or more"
    size = conv2d_output_size(100, kernel_size, padding=kernel_size // 2, dilation=dilation)[0]
    return "an input of 100 cells gives 100 cells: the size stays" if size == 100 else None


chapter.search(
    "break_half_kernel",
    title="Break it: half a kernel of padding",
    minutes=4,
    text='Somebody writes `padding=kernel_size // 2` into every layer with stride 1, "so that the '
    'size stays". Give a pair `(kernel_size, dilation)` with which it changes. Both are ints.',
    objection=_keeps_the_size,
    example=(3, 2),
    hints=[
        "By how much must the padded row be longer than the input?",
        "Try a kernel that has no middle, or a window that spans more than `kernel_size` cells.",
    ],
    explanation="Without dilation it holds for all odd kernels. `padding='same'` always holds.",
    mistakes=[
        ("odd_kernel", (3, 1), "With an odd kernel and no dilation, the recipe is right."),
        ("larger_odd_kernel", (5, 1), "With an odd kernel and no dilation, the recipe is right."),
        *(
            (
                f"odd_kernel_{size}",
                (size, 1),
                "With an odd kernel and no dilation, the recipe is right.",
            )
            for size in (7, 9, 11)
        ),
        *(
            (f"single_cell_{dilation}", (1, dilation), "A single cell has no gaps to widen.")
            for dilation in (2, 3, 4, 5)
        ),
        (
            "even_kernel_with_even_dilation",
            (2, 2),
            "That one is right by chance: try another pair.",
        ),
        ("single_cell", (1, 1), "A kernel of one cell needs no padding, and the recipe adds none."),
    ],
)
