"""Exercise: adaptive pooling."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from random import Random

from convlab.check.exercise import Arguments, Mistake
from convlab.check.exercises.pooling.values import chapter


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


@adaptive_slices.mistake("Windows need not be equally long, and stay on the map.")
def equal_windows_over_the_end(size, output_size):
    length = -(-size // output_size)
    return [(i * length, (i + 1) * length) for i in range(output_size)]


@adaptive_slices.mistake("There are `output_size` windows, not one for each cell.")
def window_for_each_cell(size, output_size):
    return [(i * size // output_size, -(-(i + 1) * size // output_size)) for i in range(size)]


@adaptive_slices.mistake("The stop belongs to i + 1: set brackets around the sum.")
def brackets_forgotten(size, output_size):
    return [(i * size // output_size, -(-(i + size) // output_size)) for i in range(output_size)]


@adaptive_slices.mistake("The stop belongs to i + 1: a window is more than one cell long.")
def stop_is_one_after_start(size, output_size):
    return [(i * size // output_size, -(-i * size // output_size) + 1) for i in range(output_size)]


@adaptive_slices.mistake(
    "The windows share the map: each begins where its part of the cells begins."
)
def windows_one_cell_apart(size, output_size):
    return [(i, i + size - output_size + 1) for i in range(output_size)]


@adaptive_slices.mistake("There are `output_size` windows: a step that is rounded down makes more.")
def windows_by_step(size, output_size):
    step = max(1, size // output_size)
    return [(start, start + step) for start in range(0, size, step)]


def _enter(name, hint, change):
    """Enter windows that are made of the right ones."""

    def answer(size, output_size):
        return change(adaptive_slices.solution(size, output_size))

    adaptive_slices.mistakes.append(Mistake(name, hint, answer))


_ALL = "There are `output_size` windows: i goes from 0 to output_size - 1."
_enter("first_window_missing", _ALL, lambda windows: windows[1:])
_enter("last_window_missing", _ALL, lambda windows: windows[:-1])
_enter(
    "start_and_stop_exchanged",
    "The start comes first, and then the stop.",
    lambda windows: [(stop, start) for start, stop in windows],
)
_enter(
    "cells_counted_from_one",
    "Cells are counted from 0.",
    lambda windows: [(start + 1, stop) for start, stop in windows],
)
_enter(
    "both_counted_from_one",
    "Cells are counted from 0.",
    lambda windows: [(start + 1, stop + 1) for start, stop in windows],
)
_enter(
    "windows_reversed",
    "The windows go from the first cell to the last.",
    lambda windows: windows[::-1],
)
_enter(
    "ranges_returned",
    "A pair of numbers is asked for, `(start, stop)`, not a range.",
    lambda windows: [range(*window) for window in windows],
)
_enter("starts_only", "Each window has a start and a stop.", lambda w: [start for start, _ in w])
_enter(
    "stop_one_too_far",
    "The stop is excluded: it needs no + 1.",
    lambda windows: [(start, stop + 1) for start, stop in windows],
)
_enter(
    "negative_stop",
    "Rounding up takes two minus signs: `-(-a // b)`.",
    lambda windows: [(start, -stop) for start, stop in windows],
)


@adaptive_slices.mistake(_ALL)
def one_window_too_many(size, output_size):
    start = output_size * size // output_size
    stop = -(-(output_size + 1) * size // output_size)
    return [*adaptive_slices.solution(size, output_size), (start, stop)]


_LENGTH = "Windows need not be equally long: the stop has a formula of its own."


@adaptive_slices.mistake(_LENGTH)
def stop_by_length_rounded_down(size, output_size):
    starts = (i * size // output_size for i in range(output_size))
    return [(start, start + size // output_size) for start in starts]


@adaptive_slices.mistake(_LENGTH)
def stop_by_length_and_one(size, output_size):
    starts = (i * size // output_size for i in range(output_size))
    return [(start, start + size // output_size + 1) for start in starts]


@adaptive_slices.mistake(_LENGTH)
def stop_by_length_rounded(size, output_size):
    starts = (i * size // output_size for i in range(output_size))
    return [(start, start + round(size / output_size)) for start in starts]


@adaptive_slices.mistake("The start is rounded down, the stop up. Yours go to the nearest.")
def rounded_half_up(size, output_size):
    cuts = [(2 * i * size + output_size) // (2 * output_size) for i in range(output_size + 1)]
    return list(pairwise(cuts))


@adaptive_slices.mistake(
    "Neighbouring windows share a cell that is cut. What is left over is not given to the first."
)
def first_windows_longer(size, output_size):
    length, rest = divmod(size, output_size)
    cuts = [i * length + min(i, rest) for i in range(output_size + 1)]
    return list(pairwise(cuts))


@adaptive_slices.mistake("Windows need not be equally long. Multiply first, and divide then.")
def equal_starts_and_ceiled_length(size, output_size):
    step, length = size // output_size, -(-size // output_size)
    return [(i * step, i * step + length) for i in range(output_size)]


@adaptive_slices.mistake("Windows need not be equally long. Multiply first, and divide then.")
def equal_starts_to_the_end(size, output_size):
    step = -(-size // output_size)
    return [
        (min(i * step, size - step), min(i * step, size - step) + step) for i in range(output_size)
    ]


@adaptive_slices.mistake("Windows need not be equally long. Multiply first, and divide then.")
def equal_windows_rounded(size, output_size):
    length = round(size / output_size)
    return [(i * length, (i + 1) * length) for i in range(output_size)]


@adaptive_slices.mistake("Only a cell that is cut is shared. Windows need not overlap.")
def windows_always_overlap(size, output_size):
    return [
        (i * size // output_size, min(size, (i + 1) * size // output_size + 1))
        for i in range(output_size)
    ]


@adaptive_slices.mistake("Each window has a stop of its own, not the end of the map.")
def windows_to_the_end(size, output_size):
    return [(i * size // output_size, size) for i in range(output_size)]


@adaptive_slices.mistake("A window begins where its part of the cells begins, not always at 0.")
def windows_from_the_start(size, output_size):
    return [(0, -(-(i + 1) * size // output_size)) for i in range(output_size)]


@adaptive_slices.mistake("The start is rounded down, the stop up: `/` alone gives fractions.")
def stop_not_rounded(size, output_size):
    return [(i * size // output_size, (i + 1) * size / output_size) for i in range(output_size)]
