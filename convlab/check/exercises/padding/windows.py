"""Exercise on the number of windows that read each pixel."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import numpy as np

from convlab.check.exercise import Arguments
from convlab.check.exercises.padding.values import chapter


def _sums(random: Random) -> Iterator[Arguments]:
    """Yield sizes, kernel sizes and paddings, from the simplest on."""
    yield from [(6, 3, 0), (6, 3, 1), (6, 1, 0), (6, 5, 2), (5, 2, 1), (4, 3, 2), (3, 3, 0)]
    for _ in range(60):
        kernel_size, padding = random.randint(1, 6), random.randint(0, 4)
        least = max(1, kernel_size - 2 * padding)
        yield random.randint(least, least + 7), kernel_size, padding


@chapter.code(
    title="How often is a pixel read?",
    minutes=8,
    text="A window of `kernel_size` cells moves by one cell at a time over a row of `size` pixels, "
    "with `padding` zeros at each end. How many windows read each of the pixels? Return a list of "
    "ints.",
    cases=_sums,
    hints=[
        "How many places has the window? At each place it reads `kernel_size` cells.",
        "The window at place p begins at pixel p - padding. Which of its cells are pixels?",
    ],
    explanation="Without padding the pixels at the ends are read once; padding makes it fairer.",
)
def times_read(size, kernel_size, padding):
    """Return how many windows read each pixel of a row."""
    counts = [0] * size
    for start in range(-padding, size + padding - kernel_size + 1):
        for i in range(start, start + kernel_size):
            if 0 <= i < size:
                counts[i] += 1
    return counts


@times_read.mistake("The padding gives the window more places: it is missing.")
def read_without_padding(size, kernel_size, padding):
    return times_read.solution(size, kernel_size, 0) if size >= kernel_size else [0] * size


@times_read.mistake("The last place of the window is missing: its first place needs no step.")
def read_last_place_missing(size, kernel_size, padding):
    counts = times_read.solution(size, kernel_size, padding)
    start = size + padding - kernel_size
    return [n - (start <= i < start + kernel_size) for i, n in enumerate(counts)]


@times_read.mistake("The pixels only are asked for, without the cells of the padding.")
def read_padding_counted(size, kernel_size, padding):
    return times_read.solution(size + 2 * padding, kernel_size, 0)


@times_read.mistake("Near the ends fewer windows fit: they stay on the padded row.")
def read_everywhere(size, kernel_size, padding):
    return [kernel_size] * size


@times_read.mistake("The padding is put at both ends: you count it at one.")
def read_padding_once(size, kernel_size, padding):
    counts = times_read.solution(size, kernel_size, padding)
    starts = range(size - kernel_size + 1, size + padding - kernel_size + 1)
    return [n - sum(s <= i < s + kernel_size for s in starts) for i, n in enumerate(counts)]


@times_read.mistake("A pixel is read by every window that covers it, not only where one begins.")
def read_at_the_start_only(size, kernel_size, padding):
    places = size + padding - kernel_size + 1
    return [int(i < places) for i in range(size)]


@times_read.mistake(
    "The first pixel lies behind `padding` zeros. Yours lies at the beginning of the padded row."
)
def read_shifted_by_the_padding(size, kernel_size, padding):
    return times_read.solution(size + 2 * padding, kernel_size, 0)[:size]


@times_read.mistake("A number of windows is an int. Yours are floats.")
def read_as_floats(size, kernel_size, padding):
    return [float(count) for count in times_read.solution(size, kernel_size, padding)]


@times_read.mistake("The window also lies on the padding: those positions are no pixels.")
def read_beyond_the_edge(size, kernel_size, padding):
    counts = [0] * size
    for start in range(-padding, size + padding - kernel_size + 1):
        for i in range(start, start + kernel_size):
            counts[i] += 1
    return counts


@times_read.mistake("With padding 0, `[0:-0]` cuts everything off.")
def read_all_cut_off(size, kernel_size, padding):
    return times_read.solution(size, kernel_size, padding) if padding else []


@times_read.mistake("That is the number of windows. How many of them read each pixel?")
def read_places_counted(size, kernel_size, padding):
    return size + 2 * padding - kernel_size + 1


@times_read.mistake("In a short row there are fewer windows than the kernel has cells.")
def read_by_distance_to_the_edge(size, kernel_size, padding):
    return [min(i + 1 + padding, kernel_size, size - i + padding) for i in range(size)]


@times_read.mistake("The window moves by one cell at a time, not by its own size.")
def read_side_by_side(size, kernel_size, padding):
    counts = [0] * size
    for start in range(-padding, size + padding - kernel_size + 1, kernel_size):
        for i in range(max(0, start), min(size, start + kernel_size)):
            counts[i] += 1
    return counts


@times_read.mistake(
    "Each pixel is counted once, but several windows may read it: is its count increased?"
)
def read_or_not(size, kernel_size, padding):
    return [min(1, count) for count in times_read.solution(size, kernel_size, padding)]


@times_read.mistake("The window begins on the padding, before the first pixel.")
def read_from_the_first_pixel(size, kernel_size, padding):
    counts = [0] * size
    for start in range(size + padding - kernel_size + 1):
        for i in range(start, min(size, start + kernel_size)):
            counts[i] += 1
    return counts


@times_read.mistake("A window stays on the padded row: the last place is not at the last cell.")
def read_over_the_end(size, kernel_size, padding):
    counts = [0] * size
    for start in range(-padding, size + padding):
        for i in range(max(0, start), min(size, start + kernel_size)):
            counts[i] += 1
    return counts


@times_read.mistake("A count for each pixel is asked for, not the sum of all.")
def read_in_all(size, kernel_size, padding):
    return sum(times_read.solution(size, kernel_size, padding))


_FULL = "A window stays on the padded row, and `padding` is given, not half of the kernel."
_NEGATIVE = "A negative index counts from the end: positions below 0 are no pixels either."


@times_read.mistake(_NEGATIVE)
def read_around_the_end(size, kernel_size, padding):
    counts = [0] * size
    for start in range(-padding, size + padding - kernel_size + 1):
        for i in range(start, start + kernel_size):
            if i < size:
                counts[i] += 1
    return counts


@times_read.mistake(_FULL)
def read_by_centred_windows(size, kernel_size, padding):
    half = kernel_size // 2
    return [min(size, i + half + 1) - max(0, i - half) for i in range(size)]


@times_read.mistake(_FULL)
def read_by_windows_of_same_padding(size, kernel_size, padding):
    before = (kernel_size - 1) // 2
    starts = range(-before, size - before)
    return [sum(start <= i < start + kernel_size for start in starts) for i in range(size)]


@times_read.mistake(
    "`mode='same'` makes as many numbers as pixels: are these the places of the window?"
)
def read_by_same_convolution(size, kernel_size, padding):
    row, kernel = [1] * (size + 2 * padding), [1] * kernel_size
    counts = [int(n) for n in np.convolve(row, kernel, "same")]
    return counts[padding : padding + size]


@times_read.mistake("The window has one place too many: it leaves the padded row.")
def read_one_place_too_many(size, kernel_size, padding):
    starts = range(-padding, size + padding - kernel_size + 2)
    return [sum(start <= i < start + kernel_size for start in starts) for i in range(size)]


@times_read.mistake("The window is one cell too short: the end of a range is left out anyway.")
def read_by_shorter_windows(size, kernel_size, padding):
    starts = range(-padding, size + padding - kernel_size + 1)
    return [sum(start <= i < start + kernel_size - 1 for start in starts) for i in range(size)]


@times_read.mistake("The window is one cell too long: it covers `kernel_size` cells.")
def read_by_longer_windows(size, kernel_size, padding):
    starts = range(-padding, size + padding - kernel_size + 1)
    return [sum(start <= i <= start + kernel_size for start in starts) for i in range(size)]


@times_read.mistake("The window is one cell short, so it has one place too many.")
def read_by_shorter_kernels(size, kernel_size, padding):
    return times_read.solution(size, kernel_size - 1, padding)


@times_read.mistake("The first place of the window is left out: counting starts at 0.")
def read_first_place_missing(size, kernel_size, padding):
    starts = range(1 - padding, size + padding - kernel_size + 1)
    return [sum(start <= i < start + kernel_size for start in starts) for i in range(size)]


@times_read.mistake("`padding` cells are put at each end: you count twice as many.")
def read_with_twice_the_padding(size, kernel_size, padding):
    return times_read.solution(size, kernel_size, 2 * padding)


@times_read.mistake("How many windows read a pixel? You count how many pixels a window reads.")
def read_pixels_per_window(size, kernel_size, padding):
    starts = range(-padding, size + padding - kernel_size + 1)
    return [sum(start <= i < start + kernel_size for i in range(size)) for start in starts]


@times_read.mistake("That is the number of windows. A pixel is read by those that cover it.")
def read_by_all_windows(size, kernel_size, padding):
    return [size + 2 * padding - kernel_size + 1] * size


@times_read.mistake("Pixels near the ends are read less often than those in the middle.")
def read_on_the_average(size, kernel_size, padding):
    return [(size + 2 * padding - kernel_size + 1) * kernel_size // size] * size


@times_read.mistake("Each end has its own distance: at one end you do not count fewer windows.")
def read_fewer_at_the_end_only(size, kernel_size, padding):
    return [min(kernel_size, size - i + padding) for i in range(size)]


@times_read.mistake("A list is asked for: the numbers alone, in the order of the pixels.")
def read_as_dict(size, kernel_size, padding):
    return dict(enumerate(times_read.solution(size, kernel_size, padding)))


@times_read.mistake("Which windows cover a pixel is asked for only in number: count them.")
def read_windows_listed(size, kernel_size, padding):
    starts = range(-padding, size + padding - kernel_size + 1)
    return [[s for s in starts if s <= i < s + kernel_size] for i in range(size)]


@times_read.mistake("The first cell of a window belongs to it: it is read, too.")
def read_without_the_first_cell(size, kernel_size, padding):
    starts = range(-padding, size + padding - kernel_size + 1)
    return [sum(start < i < start + kernel_size for start in starts) for i in range(size)]


@times_read.mistake("The windows begin one cell too late: counting starts at 0.")
def read_one_cell_later(size, kernel_size, padding):
    starts = range(1 - padding, size + padding - kernel_size + 2)
    return [sum(start <= i < start + kernel_size for start in starts) for i in range(size)]


@times_read.mistake(
    "The number of places is not that of the pixels: where does the last one begin?"
)
def read_by_as_many_windows_as_pixels(size, kernel_size, padding):
    counts = [0] * (size + 2 * padding)
    for start in range(size):
        for i in range(start, start + kernel_size):
            counts[i] += 1
    return counts[padding : padding + size]


@times_read.mistake("The number of windows is right without padding only: padding adds places.")
def read_by_distance_and_unpadded_places(size, kernel_size, padding):
    places = size - kernel_size + 1
    return [min(i + 1 + padding, kernel_size, size - i + padding, places) for i in range(size)]
