"""Exercise: the size of an output."""

from __future__ import annotations

import math
from collections.abc import Iterator
from random import Random

from convlab.check.exercise import Arguments
from convlab.check.exercises.shapes.values import chapter


def _settings(random: Random) -> Iterator[Arguments]:
    """Yield arguments of a window that fits, from the simplest on."""
    yield from [(5, 3, 1, 0, 1), (8, 3, 2, 0, 1), (5, 3, 1, 1, 1), (7, 3, 1, 0, 2), (7, 2, 3, 1, 2)]
    yield from [(224, 7, 2, 3, 1), (224, 3, 2, 1, 1), (227, 11, 4, 2, 1), (32, 3, 1, 2, 2)]
    for _ in range(200):
        kernel_size, dilation = random.randint(1, 7), random.randint(1, 4)
        padding, stride = random.randint(0, 4), random.randint(1, 5)
        least = max(1, dilation * (kernel_size - 1) + 1 - 2 * padding)
        yield random.randint(least, least + 30), kernel_size, stride, padding, dilation


@chapter.code(
    title="The size of the output",
    minutes=6,
    text="Write the formula as a function: the number of cells along one axis of the output of a "
    "convolution. All arguments are ints, `padding` is put at each end, and the window fits.",
    cases=_settings,
    hints=[
        "How many cells does the window span, and how many has the padded row?",
        "By how many cells can the window move, how many strides are that, and how many places?",
        "`//` divides and rounds down.",
    ],
    explanation="The same function serves height and width, and every layer with a window.",
)
def output_size(size, kernel_size, stride, padding, dilation):
    """Return the size of the output along one axis."""
    span = dilation * (kernel_size - 1) + 1
    return (size + 2 * padding - span) // stride + 1


@output_size.mistake("A window with a dilation spans more cells than `kernel_size`.")
def dilation_forgotten(size, kernel_size, stride, padding, dilation):
    return (size + 2 * padding - kernel_size) // stride + 1


@output_size.mistake("Between the weights there is one gap fewer than there are weights.")
def dilation_times_kernel(size, kernel_size, stride, padding, dilation):
    return (size + 2 * padding - dilation * kernel_size) // stride + 1


@output_size.mistake("The padding is put at both ends of the row.")
def padding_once(size, kernel_size, stride, padding, dilation):
    return (size + padding - dilation * (kernel_size - 1) - 1) // stride + 1


@output_size.mistake("The padding makes the row longer: it is missing in your sum.")
def padding_forgotten(size, kernel_size, stride, padding, dilation):
    return (size - dilation * (kernel_size - 1) - 1) // stride + 1


@output_size.mistake("You count the steps. The first place needs no step.")
def steps_counted(size, kernel_size, stride, padding, dilation):
    return (size + 2 * padding - dilation * (kernel_size - 1) - 1) // stride


@output_size.mistake("You round up. A step that does not fit wholly is not made.")
def rounded_up(size, kernel_size, stride, padding, dilation):
    return math.ceil((size + 2 * padding - dilation * (kernel_size - 1) - 1) / stride) + 1


@output_size.mistake("A size is an int, and `/` gives a float. Which operator rounds down?")
def floor_missing(size, kernel_size, stride, padding, dilation):
    return (size + 2 * padding - dilation * (kernel_size - 1) - 1) / stride + 1


@output_size.mistake("The window moves by `stride` cells at a time: it is missing in your sum.")
def stride_forgotten(size, kernel_size, stride, padding, dilation):
    return size + 2 * padding - dilation * (kernel_size - 1)


@output_size.mistake("Divide the cells that the window can move by the stride; add 1 after that.")
def one_added_first(size, kernel_size, stride, padding, dilation):
    return (size + 2 * padding - dilation * (kernel_size - 1)) // stride


def _with_span(span):
    """Return the formula with a wrong number of cells that the window spans."""
    return lambda size, kernel_size, stride, padding, dilation: (
        (size + 2 * padding - span(kernel_size, dilation)) // stride + 1
    )


_SPAN = "The first weight needs a cell, and each of the others lies `dilation` cells further on."

for _name, _hint, _function in [
    (
        "one_cell_of_the_window_missing",
        "The gaps between the weights are `dilation` steps each. The window has one cell more.",
        _with_span(lambda k, d: d * (k - 1)),
    ),
    (
        "one_with_the_wrong_sign",
        "Mind the sign of the 1: the window spans one cell more than its steps, and leaves less.",
        _with_span(lambda k, d: d * (k - 1) - 1),
    ),
    (
        "gap_too_wide",
        "With dilation 1 the cells lie side by side: then the window spans `kernel_size` cells.",
        _with_span(lambda k, d: k + d * (k - 1)),
    ),
    ("one_gap_only", _SPAN, _with_span(lambda k, d: k + d - 1)),
    ("dilation_added", _SPAN, _with_span(lambda k, d: k + d)),
    ("dilation_times_kernel_minus_one", _SPAN, _with_span(lambda k, d: d * k - 1)),
    ("dilation_times_kernel_plus_one", _SPAN, _with_span(lambda k, d: d * k + 1)),
    (
        "gaps_without_cells",
        "Those are the empty cells in the window. Its weights need cells, too.",
        _with_span(lambda k, d: (d - 1) * (k - 1)),
    ),
    (
        "gaps_one_more",
        "Those are the empty cells in the window. Its weights need cells, too.",
        _with_span(lambda k, d: (d - 1) * (k - 1) + 1),
    ),
    (
        "stride_and_dilation_exchanged",
        "You exchanged stride and dilation: which one widens the window?",
        lambda n, k, s, p, d: (n + 2 * p - s * (k - 1) - 1) // d + 1,
    ),
    (
        "padding_after_division",
        "The row is padded first: the padding belongs to what is divided by the stride.",
        lambda n, k, s, p, d: (n - d * (k - 1) - 1) // s + 1 + 2 * p,
    ),
    (
        "padding_subtracted",
        "The padding makes the row longer, not shorter.",
        lambda n, k, s, p, d: (n - 2 * p - d * (k - 1) - 1) // s + 1,
    ),
    (
        "padding_halved",
        "`padding` is put at each end as a whole: you use half of it.",
        lambda n, k, s, p, d: (n + p // 2 - d * (k - 1) - 1) // s + 1,
    ),
    (
        "padding_four_times",
        "The padding is put at both ends of the row: twice, not four times.",
        lambda n, k, s, p, d: (n + 4 * p - d * (k - 1) - 1) // s + 1,
    ),
    (
        "only_one_divided",
        "`//` is done before `+` and `-`: what is to be divided needs parentheses.",
        lambda n, k, s, p, d: n + 2 * p - d * (k - 1) - 1 // s + 1,
    ),
    (
        "only_the_span_divided",
        "`//` is done before `+` and `-`: what is to be divided needs parentheses.",
        lambda n, k, s, p, d: n + 2 * p - (d * (k - 1) + 1) // s + 1,
    ),
    (
        "only_the_size_divided",
        "All cells that the window can move are divided by the stride. You divide the size alone.",
        lambda n, k, s, p, d: n // s + 2 * p - d * (k - 1),
    ),
    (
        "padded_size_divided",
        "All cells that the window can move are divided by the stride: not the row alone.",
        lambda n, k, s, p, d: (n + 2 * p) // s - d * (k - 1),
    ),
    (
        "dilation_divides",
        "The dilation widens the window. It does not divide.",
        lambda n, k, s, p, d: (n + 2 * p - k) // (s * d) + 1,
    ),
    (
        "stride_multiplies",
        "A larger stride makes the output smaller.",
        lambda n, k, s, p, d: (n + 2 * p - d * (k - 1) - 1) * s + 1,
    ),
    (
        "remainder",
        "`%` is the remainder of a division. How many whole strides are there?",
        lambda n, k, s, p, d: (n + 2 * p - d * (k - 1) - 1) % s + 1,
    ),
    (
        "transposed",
        "You multiply by the stride. Here it divides.",
        lambda n, k, s, p, d: (n - 1) * s - 2 * p + d * (k - 1) + 1,
    ),
    (
        "size_by_stride",
        "Dividing by the stride is not enough: kernel, padding and dilation count, too.",
        lambda n, k, s, p, d: -(-n // s),
    ),
    (
        "size_by_stride_rounded_down",
        "Dividing by the stride is not enough: kernel, padding and dilation count, too.",
        lambda n, k, s, p, d: n // s,
    ),
    (
        "steps_rounded_up",
        "Where the strides fit exactly a place is missing: round down, then add the first place.",
        lambda n, k, s, p, d: -(-(n + 2 * p - d * (k - 1) - 1) // s),
    ),
    (
        "rounded_to_the_nearest",
        "`round` goes up or down. A step that does not fit wholly is not made.",
        lambda n, k, s, p, d: round((n + 2 * p - d * (k - 1) - 1) / s) + 1,
    ),
    (
        "one_too_many",
        "The result is one too large: the first place adds 1 to the steps, the last one nothing.",
        lambda n, k, s, p, d: (n + 2 * p - d * (k - 1) - 1) // s + 2,
    ),
    (
        "kernel_forgotten",
        "The window is missing: the cells that it spans are no room for it to move.",
        lambda n, k, s, p, d: (n + 2 * p) // s + 1,
    ),
    (
        "kernel_forgotten_steps",
        "The window is missing: the cells that it spans are no room for it to move.",
        lambda n, k, s, p, d: (n + 2 * p) // s,
    ),
    (
        "half_a_kernel_each_end",
        "The padding is given: it is not always half of the kernel.",
        lambda n, k, s, p, d: (n + 2 * (k // 2) - d * (k - 1) - 1) // s + 1,
    ),
    (
        "size_and_kernel_only",
        "That is right for the default arguments. What do stride, padding and dilation change?",
        lambda n, k, s, p, d: n - k + 1,
    ),
    (
        "size_kernel_and_stride_only",
        "That is right without padding and dilation: which of the numbers do they change?",
        lambda n, k, s, p, d: (n - k) // s + 1,
    ),
    (
        "steps_without_dilation",
        "You count the steps: the first place needs none. And a dilation widens the window.",
        lambda n, k, s, p, d: (n + 2 * p - k) // s,
    ),
    (
        "float_without_dilation",
        "A size is an int, and `/` gives a float. And a dilation widens the window.",
        lambda n, k, s, p, d: (n + 2 * p - k) / s + 1,
    ),
    (
        "padding_once_without_dilation",
        "The padding is put at both ends; and a dilation widens the window.",
        lambda n, k, s, p, d: (n + p - k) // s + 1,
    ),
    (
        "one_too_many_without_dilation",
        "Without dilation the window spans `kernel_size` cells, and with one it spans more.",
        lambda n, k, s, p, d: (n + 2 * p - k + 1) // s + 1,
    ),
    (
        "one_added_first_without_dilation",
        "The 1 is added after the division; and a dilation widens the window.",
        lambda n, k, s, p, d: (n + 2 * p - k + 1) // s,
    ),
    (
        "stride_and_one_divide",
        "The 1 is added after the division: it does not divide.",
        lambda n, k, s, p, d: (n + 2 * p - d * (k - 1) - 1) // (s + 1),
    ),
    (
        "window_subtracted_twice",
        "The padding counts twice, the window once.",
        lambda n, k, s, p, d: (n + 2 * (p - d * (k - 1)) - 1) // s + 1,
    ),
    (
        "dilation_as_power",
        "The dilation multiplies the steps between the weights: it is no power.",
        lambda n, k, s, p, d: (n + 2 * p - d ** (k - 1) - 1) // s + 1,
    ),
    (
        "rounded_with_the_place",
        "`round` goes up or down. A step that does not fit wholly is not made.",
        lambda n, k, s, p, d: round((n + 2 * p - d * (k - 1) - 1) / s + 1),
    ),
    (
        "both_directions",
        "The size along one axis is asked for: one int.",
        lambda *settings: (output_size.solution(*settings),) * 2,
    ),
]:
    _function.__name__ = _name
    output_size.mistake(_hint)(_function)
