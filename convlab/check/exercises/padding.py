"""Exercises on what lies beyond the edge."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

import numpy as np

from convlab.check.exercise import Arguments, Chapter
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
        ("torchvision_order", (1, 2, 4 + 5, 9 + 4), "That is torchvision: left, top, right, ..."),
        ("first_axes", (4, 8, 4, 9), "`F.pad` begins with the last axis, not with the first."),
        ("an_axis_each", (4, 2, 5, 14), "Two numbers belong to an axis, one for each end."),
        ("as_a_layer", (1, 2, 4 + 2 * 3, 9), "Two numbers belong to an axis, one for each end."),
    ],
)


def _only_first_mirror_works(answer: Any) -> str | None:
    """Return what is wrong with a size that only the first of two layers should accept."""
    size = int(answer)
    if size != answer:
        return "a size is a whole number"
    if size <= 3:
        return f"the first layer refuses it: the mirror of {size} pixels is too short for 3 cells"
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
        ("first_refuses", 3, "A mirror shows the n - 1 pixels before it."),
        ("first_refuses_two", 2, "A mirror shows the n - 1 pixels before it."),
        ("first_refuses_one", 1, "A mirror shows the n - 1 pixels before it."),
        ("both_accept", 7, "How many rows has the map of an image of 7? It is just enough."),
        ("both_accept_eight", 8, "How many rows has the map of an image of 8? It is enough."),
        (
            "both_accept_ten",
            10,
            "The map has half as many rows: try a smaller image.",
        ),
    ],
)


def _paddings(random: Random) -> Iterator[Arguments]:
    """Yield paddings of a layer."""
    yield from [((1, 2),), (3,), ((0, 4),), ((5, 0),), (0,), ((2, 2),), ((7, 3),)]


@chapter.code(
    title="From the layer to F.pad",
    minutes=3,
    text="`padding` is that of a layer: an int, or a pair `(height, width)`. Return the four "
    "numbers that `F.pad` needs for the same border, as a tuple.",
    cases=_paddings,
    hints=[
        "Each number is put on both sides of its axis.",
        "`F.pad` begins with the last axis.",
    ],
    explanation="Doubled, and the other way round.",
)
def pad_numbers(padding):
    """Return the numbers for F.pad."""
    height, width = (padding, padding) if isinstance(padding, int) else padding
    return (width, width, height, height)


@pad_numbers.mistake("`F.pad` begins with the last axis, the width.")
def height_first(padding):
    left, _, top, _ = pad_numbers.solution(padding)
    return (top, top, left, left)


@pad_numbers.mistake("Left and right come first, and both are the width's padding.")
def pair_repeated(padding):
    left, _, top, _ = pad_numbers.solution(padding)
    return (top, left, top, left)


@pad_numbers.mistake("Left, right, top, bottom: the two numbers of an axis stand together.")
def pair_turned_and_repeated(padding):
    left, _, top, _ = pad_numbers.solution(padding)
    return (left, top, left, top)


@pad_numbers.mistake("Two numbers of `F.pad` belong to one axis. How many axes are padded?")
def two_numbers_only(padding):
    left, _, top, _ = pad_numbers.solution(padding)
    return (left, top)


@pad_numbers.mistake("`padding` may be an int. Then it holds for both directions.")
def int_not_allowed(padding):
    height, width = padding
    return (width, width, height, height)


@pad_numbers.mistake("`padding` may be a pair, too: make two numbers of it first.")
def pair_not_allowed(padding):
    return (padding, padding, padding, padding)


@pad_numbers.mistake("The layer puts `padding` cells on each side: it is not shared.")
def shared_between_sides(padding):
    return tuple(number // 2 for number in pad_numbers.solution(padding))


@pad_numbers.mistake("The layer puts `padding` cells on each side. You give the sum of both.")
def sum_of_both_sides(padding):
    return tuple(2 * number for number in pad_numbers.solution(padding))


@pad_numbers.mistake("`F.pad` takes a number for each side: four.")
def pair_as_given(padding):
    left, _, top, _ = pad_numbers.solution(padding)
    return (top, left)


@pad_numbers.mistake("An int stands for all four sides. Four numbers are asked for, as a tuple.")
def int_as_given(padding):
    return padding if isinstance(padding, int) else pad_numbers.solution(padding)


@pad_numbers.mistake("An int stands for all four sides: you give two numbers for it.")
def int_as_pair(padding):
    numbers = pad_numbers.solution(padding)
    return numbers[:2] if isinstance(padding, int) else numbers


@pad_numbers.mistake(
    "That is how `np.pad` wants it. `F.pad` takes plain numbers, the last axis first."
)
def pairs_of_numpy(padding):
    left, right, top, bottom = pad_numbers.solution(padding)
    return ((top, bottom), (left, right))


@pad_numbers.mistake("`F.pad` takes plain numbers, not pairs.")
def pairs_in_order(padding):
    left, right, top, bottom = pad_numbers.solution(padding)
    return ((left, right), (top, bottom))


@pad_numbers.mistake("Axes that are not padded need no numbers: four are enough.")
def numbers_for_all_axes(padding):
    return (*pad_numbers.solution(padding), 0, 0, 0, 0)


@pad_numbers.mistake("Axes that are not padded need no numbers, and the width comes first.")
def numbers_for_all_axes_in_order(padding):
    left, right, top, bottom = pad_numbers.solution(padding)
    return (0, 0, 0, 0, top, bottom, left, right)


@pad_numbers.mistake("The layer pads opposite sides alike: right and bottom, too.")
def left_and_top_only(padding):
    left, _, top, _ = pad_numbers.solution(padding)
    return (left, 0, top, 0)


@pad_numbers.mistake("The layer puts `padding` cells on each side: it is not shared.")
def shared_with_the_rest_behind(padding):
    left, _, top, _ = pad_numbers.solution(padding)
    return (left // 2, left - left // 2, top // 2, top - top // 2)


def _rows(random: Random) -> Iterator[Arguments]:
    """Yield rows, paddings and modes, from the simplest on."""
    modes = ("zeros", "replicate", "reflect", "circular")
    for padding in (1, 2, 0, 3):
        for mode in modes:
            yield [7.0, 1.0, 4.0, 9.0], padding, mode
    for mode in ("zeros", "replicate", "circular"):
        yield [5.0, 2.0], 2, mode
    for _ in range(60):
        row = [float(n) for n in random.sample(range(1, 100), random.randint(1, 8))]
        mode = random.choice(modes)
        limit = {"reflect": len(row) - 1, "circular": len(row)}.get(mode, 10)
        yield row, random.randint(0, limit), mode


@chapter.code(
    title="Four borders",
    minutes=15,
    text="Pad a row, a list of numbers, by `padding` cells at each end. `mode` is `'zeros'`, "
    "`'replicate'`, `'reflect'` or `'circular'`. Return a list. The padding is within the limits "
    "of the mode, and may be 0.",
    cases=_rows,
    hints=[
        "Go through the positions from `-padding` to `len(row) + padding - 1`. Which pixel inside "
        "does each of them look at?",
        "The chapter has a rule for each of the last three modes. For zeros, ask whether the "
        "position lies inside.",
        "If you cut pieces off the row instead: what is `row[-padding:]` for `padding = 0`?",
    ],
    explanation="Each mode is a rule that says for a position outside which one inside to look at.",
)
def pad_row(row, padding, mode):
    """Return the row with padding cells at each end."""
    places = range(-padding, len(row) + padding)
    last = len(row) - 1
    if mode == "zeros":
        return [row[i] if 0 <= i <= last else 0.0 for i in places]
    if mode == "replicate":
        return [row[min(max(i, 0), last)] for i in places]
    if mode == "reflect":
        return [row[last - abs(last - abs(i))] for i in places]
    return [row[i % len(row)] for i in places]


@pad_row.mistake("`reflect` does not repeat the pixel at the edge: the mirror is the pixel itself.")
def edge_repeated(row, padding, mode):
    if mode == "reflect":
        return [*row[:padding][::-1], *row, *row[::-1][:padding]]
    return pad_row.solution(row, padding, mode)


@pad_row.mistake("In a mirror the order is turned: nearest to the edge stands the nearest pixel.")
def mirror_not_turned(row, padding, mode):
    if mode == "reflect":
        last = len(row) - 1
        return [*row[1 : padding + 1], *row, *row[last - padding : last]]
    return pad_row.solution(row, padding, mode)


@pad_row.mistake("Each mirror shows the pixels at its own end. You exchanged the two ends.")
def mirrors_exchanged(row, padding, mode):
    if mode == "reflect":
        left = [row[padding - i] for i in range(padding)]
        right = [row[-2 - i] for i in range(padding)]
        return [*right, *row, *left]
    return pad_row.solution(row, padding, mode)


@pad_row.mistake("A ring goes on at its other end: to the left of the first pixel is the last.")
def ring_at_the_same_end(row, padding, mode):
    if mode == "circular":
        return [*row[:padding], *row, *row[len(row) - padding :]]
    return pad_row.solution(row, padding, mode)


@pad_row.mistake("A ring does not turn the order: to the left of the last pixel is the one before.")
def ring_turned(row, padding, mode):
    if mode == "circular":
        return [*row[::-1][:padding], *row, *row[:padding][::-1]]
    return pad_row.solution(row, padding, mode)


@pad_row.mistake("With padding 0, `row[-0:]` is the whole row.")
def whole_row_for_nothing(row, padding, mode):
    if mode == "circular":
        return [*row[-padding:], *row, *row[:padding]]
    return pad_row.solution(row, padding, mode)


@pad_row.mistake("`replicate` repeats the pixel at the edge, whatever comes next to it.")
def replicate_turned(row, padding, mode):
    if mode == "replicate":
        return [*row[:padding][::-1], *row, *row[::-1][:padding]]
    return pad_row.solution(row, padding, mode)


@pad_row.mistake("Each end has its own last pixel. You repeat the same one at both ends.")
def replicate_first_at_both_ends(row, padding, mode):
    if mode == "replicate":
        return [row[0]] * padding + row + [row[0]] * padding
    return pad_row.solution(row, padding, mode)


@pad_row.mistake("The padding is put at both ends. One of them is missing.")
def left_end_only(row, padding, mode):
    return pad_row.solution(row, padding, mode)[: len(row) + padding]


@pad_row.mistake("The padding is put at both ends. One of them is missing.")
def right_end_only(row, padding, mode):
    return pad_row.solution(row, padding, mode)[padding:]


@pad_row.mistake("You put `padding` cells at both ends together. Each end gets as many.")
def shared_between_ends(row, padding, mode):
    cut = padding - padding // 2
    padded = pad_row.solution(row, padding, mode)
    return padded[cut : len(padded) - padding // 2]


@pad_row.mistake("One cell is put at each end, whatever `padding` is.")
def one_cell_only(row, padding, mode):
    padded = pad_row.solution(row, padding, mode)
    return padded if padding < 2 else padded[padding - 1 : len(padded) - padding + 1]


@pad_row.mistake("`mode` is not used: you put zeros there in every case.")
def zeros_in_every_mode(row, padding, mode):
    return pad_row.solution(row, padding, "zeros")


@pad_row.mistake("`reflect` does what `replicate` does. How does a mirror differ?")
def reflect_is_replicate(row, padding, mode):
    return pad_row.solution(row, padding, "replicate" if mode == "reflect" else mode)


@pad_row.mistake("`replicate` does what `reflect` does. It repeats one pixel.")
def replicate_is_reflect(row, padding, mode):
    if mode == "replicate" and padding < len(row):
        mode = "reflect"
    return pad_row.solution(row, padding, mode)


@pad_row.mistake("`circular` does what `reflect` does. A ring goes on at its other end.")
def circular_is_reflect(row, padding, mode):
    if mode == "circular" and padding < len(row):
        mode = "reflect"
    return pad_row.solution(row, padding, mode)


@pad_row.mistake("`replicate` repeats the pixel at the edge, not the cells next to it.")
def replicate_copies_a_piece(row, padding, mode):
    if mode == "replicate":
        return [*row[:padding], *row, *row[max(0, len(row) - padding) :]]
    return pad_row.solution(row, padding, mode)


@pad_row.mistake("Each end repeats its own pixel. You exchanged the two.")
def replicate_ends_exchanged(row, padding, mode):
    if mode == "replicate":
        return [row[-1]] * padding + row + [row[0]] * padding
    return pad_row.solution(row, padding, mode)


@pad_row.mistake("A mirror shows one pixel after the other. You repeat the first that it shows.")
def reflect_repeats_the_neighbour(row, padding, mode):
    if mode == "reflect" and padding:
        return [row[1]] * padding + row + [row[-2]] * padding
    return pad_row.solution(row, padding, mode)


@pad_row.mistake("The mirror at the right end is wrong: which pixel comes next to the last one?")
def edge_repeated_at_the_right(row, padding, mode):
    padded = pad_row.solution(row, padding, mode)
    if mode == "reflect":
        return [*padded[: padding + len(row)], *row[::-1][:padding]]
    return padded


@pad_row.mistake("The mirror at the left end is wrong: which pixel comes next to the first one?")
def edge_repeated_at_the_left(row, padding, mode):
    padded = pad_row.solution(row, padding, mode)
    return [*row[:padding][::-1], *padded[padding:]] if mode == "reflect" else padded


@pad_row.mistake("The mirror at the right end is not turned: nearest to the edge is the nearest.")
def mirror_not_turned_at_the_right(row, padding, mode):
    padded = pad_row.solution(row, padding, mode)
    if mode == "reflect":
        return [*padded[: padding + len(row)], *padded[padding + len(row) :][::-1]]
    return padded


@pad_row.mistake("The mirror at the left end is not turned: nearest to the edge is the nearest.")
def mirror_not_turned_at_the_left(row, padding, mode):
    padded = pad_row.solution(row, padding, mode)
    return [*padded[:padding][::-1], *padded[padding:]] if mode == "reflect" else padded


@pad_row.mistake("A ring goes on at its other end, on both sides. One of yours is wrong.")
def ring_begins_at_both_ends(row, padding, mode):
    if mode == "circular":
        return [*row[:padding], *row, *row[:padding]]
    return pad_row.solution(row, padding, mode)


@pad_row.mistake("A ring goes on at its other end, on both sides. One of yours is wrong.")
def ring_ends_at_both_ends(row, padding, mode):
    if mode == "circular":
        return [*row[len(row) - padding :], *row, *row[len(row) - padding :]]
    return pad_row.solution(row, padding, mode)


@pad_row.mistake("NumPy has other names: `constant`, `edge` and `wrap`.")
def names_of_torch_for_numpy(row, padding, mode):
    return np.pad(row, padding, mode=mode)


@pad_row.mistake("One mode gives no result: does each of the four reach a `return`?")
def ring_missing(row, padding, mode):
    return None if mode == "circular" else pad_row.solution(row, padding, mode)


@pad_row.mistake("The cells of the border stand in the list themselves: lists are joined by `+`.")
def lists_in_the_list(row, padding, mode):
    padded = pad_row.solution(row, padding, mode)
    return [padded[:padding], row, padded[padding + len(row) :]]


@pad_row.mistake("With padding 0 there is no border. What is cut off by `[-0:]` or `[:-0]`?")
def nothing_left_of_nothing(row, padding, mode):
    return pad_row.solution(row, padding, mode) if padding else []


@pad_row.mistake("Those are the cells of the border. The row itself stands between them.")
def border_only(row, padding, mode):
    padded = pad_row.solution(row, padding, mode)
    return [*padded[:padding], *padded[padding + len(row) :]]


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


@times_read.mistake("The window moves over the end of the row. It stays on the padded row.")
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


@times_read.mistake("The first cells of the padded row are padding. Where do the pixels begin?")
def read_shifted_by_the_padding(size, kernel_size, padding):
    return times_read.solution(size + 2 * padding, kernel_size, 0)[:size]


@times_read.mistake("A number of windows is an int. What does `np.zeros` make?")
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


@times_read.mistake("Nothing is counted twice: is the count set to 1 instead of increased?")
def read_or_not(size, kernel_size, padding):
    return [min(1, count) for count in times_read.solution(size, kernel_size, padding)]
