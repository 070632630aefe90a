"""Exercise: the numbers of a padding."""

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


@pad_numbers.mistake("The pair is (height, width), and `F.pad` begins with the width: mind both.")
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


for _name, _hint, _numbers in [
    (
        "around_the_clock",
        "The numbers go left, right, top, bottom: an axis after the other, not around.",
        lambda h, w: (h, w, w, h),
    ),
    (
        "around_the_clock_from_the_left",
        "The numbers go left, right, top, bottom: an axis after the other, not around.",
        lambda h, w: (w, h, h, w),
    ),
    ("height_only", "The width has a padding of its own: both are needed.", lambda h, w: (h,) * 4),
    ("width_only", "The height has a padding of its own: both are needed.", lambda h, w: (w,) * 4),
    (
        "shared_height_first",
        "The layer puts `padding` cells on each side, and `F.pad` begins with the width.",
        lambda h, w: (h // 2, h - h // 2, w // 2, w - w // 2),
    ),
    (
        "halves_height_first",
        "The layer puts `padding` cells on each side, and `F.pad` begins with the width.",
        lambda h, w: (h // 2, h // 2, w // 2, w // 2),
    ),
    (
        "doubled_height_first",
        "The layer puts `padding` cells on each side, and `F.pad` begins with the width.",
        lambda h, w: (2 * h, 2 * h, 2 * w, 2 * w),
    ),
    (
        "sums_width_first",
        "Each side has a number of its own: both sides together are not asked for.",
        lambda h, w: (2 * w, 2 * h),
    ),
    (
        "zero_before_each",
        "The layer pads opposite sides alike: left and top, too, and the width first.",
        lambda h, w: (0, h, 0, w),
    ),
    (
        "zero_after_each",
        "The layer pads opposite sides alike: right and bottom, too, and the width first.",
        lambda h, w: (h, 0, w, 0),
    ),
    (
        "zeros_for_the_height",
        "Both axes are padded: left and right, top and bottom.",
        lambda h, w: (w, w, 0, 0),
    ),
    (
        "numbers_for_the_first_axes_too",
        "Axes that are not padded need no numbers: four are enough.",
        lambda h, w: (0, 0, 0, 0, w, w, h, h),
    ),
    (
        "numbers_for_all_axes_height_first",
        "Axes that are not padded need no numbers, and the width comes first.",
        lambda h, w: (h, h, w, w, 0, 0, 0, 0),
    ),
    (
        "pairs_for_all_axes",
        "That is how `np.pad` wants it. `F.pad` takes four plain numbers, the last axis first.",
        lambda h, w: ((0, 0), (0, 0), (h, h), (w, w)),
    ),
]:

    def _wrong_numbers(padding, numbers=_numbers):
        return numbers(*((padding, padding) if isinstance(padding, int) else padding))

    _wrong_numbers.__name__ = _name
    pad_numbers.mistake(_hint)(_wrong_numbers)

_INT = "An int holds for all four sides: each of them gets this number."

for _name, _hint, _numbers_of_int in [
    ("int_for_the_width_only", _INT, lambda p: (p, p, 0, 0)),
    ("int_for_the_height_only", _INT, lambda p: (0, 0, p, p)),
    ("int_before_only", _INT, lambda p: (p, 0, p, 0)),
    ("int_times_four", _INT, lambda p: p * 4),
    ("int_once", _INT, lambda p: (p,)),
    ("int_doubled", _INT, lambda p: (2 * p,) * 4),
    ("int_halved", _INT, lambda p: (p // 2,) * 4),
    ("int_without_return", "With an int nothing is returned: is there a `return`?", lambda p: None),
]:

    def _wrong_for_ints(padding, numbers=_numbers_of_int):
        return numbers(padding) if isinstance(padding, int) else pad_numbers.solution(padding)

    _wrong_for_ints.__name__ = _name
    pad_numbers.mistake(_hint)(_wrong_for_ints)


@pad_numbers.mistake("With a pair nothing is returned: does this way, too, reach a `return`?")
def pair_without_return(padding):
    return pad_numbers.solution(padding) if isinstance(padding, int) else None


@pad_numbers.mistake("An int must become two numbers first; and `F.pad` begins with the width.")
def int_not_allowed_height_first(padding):
    height, width = padding
    return (height, height, width, width)
