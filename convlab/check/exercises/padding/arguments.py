"""The numbers of a padding."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from convlab.check.exercise import Arguments
from convlab.check.exercises.padding.values import chapter


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


@pad_numbers.mistake("Right and bottom are padded, and left and top as well.")
def right_and_bottom_only(padding):
    left, _, top, _ = pad_numbers.solution(padding)
    return (0, left, 0, top)


@pad_numbers.mistake("Each side has a number of its own: both sides together are not asked for.")
def sums_of_the_axes(padding):
    left, right, top, bottom = pad_numbers.solution(padding)
    return (top + bottom, left + right)
