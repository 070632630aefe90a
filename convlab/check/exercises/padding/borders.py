"""Exercise: the four padding modes."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import numpy as np

from convlab.check.exercise import Arguments
from convlab.check.exercises.padding.values import chapter


def _rows(random: Random) -> Iterator[Arguments]:
    """Yield rows, paddings and modes, from the simplest on."""
    modes = ("zeros", "replicate", "reflect", "circular")
    for padding in (1, 2, 0, 3):
        for mode in modes:
            yield [7.0, 1.0, 4.0, 9.0, 2.0], padding, mode
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


@pad_row.mistake("A mirror stands at each end, and shows the pixels there, not those of the other.")
def mirror_at_the_other_end(row, padding, mode):
    if mode == "reflect":
        return [*row[::-1][:padding], *row, *row[:padding][::-1]]
    return pad_row.solution(row, padding, mode)


@pad_row.mistake("A ring goes on and on: you repeat one pixel of the other end.")
def ring_repeats_one_pixel(row, padding, mode):
    if mode == "circular":
        return [row[-1]] * padding + row + [row[0]] * padding
    return pad_row.solution(row, padding, mode)


@pad_row.mistake("Positions behind the end need a mirror, too: no pixel is there.")
def mirror_at_the_left_only(row, padding, mode):
    if mode == "reflect":
        return [row[abs(i)] for i in range(-padding, len(row) + padding)]
    return pad_row.solution(row, padding, mode)


@pad_row.mistake("A negative index counts from the end: also keep positions from falling below 0.")
def replicate_at_the_right_only(row, padding, mode):
    if mode == "replicate":
        return [row[min(i, len(row) - 1)] for i in range(-padding, len(row) + padding)]
    return pad_row.solution(row, padding, mode)


@pad_row.mistake(
    "With `zeros` the row stays as short as it was: `padding` zeros belong at each end."
)
def zeros_left_out(row, padding, mode):
    return row if mode == "zeros" else pad_row.solution(row, padding, mode)


@pad_row.mistake("With `zeros` the border holds 0, not the last pixel.")
def zeros_is_replicate(row, padding, mode):
    return pad_row.solution(row, padding, "replicate" if mode == "zeros" else mode)


def _with_ends(mode_meant, ends):
    """Return a mistake in one mode: ends(row, padding) gives what stands before and after."""

    def mistake(row, padding, mode):
        if mode != mode_meant:
            return pad_row.solution(row, padding, mode)
        before, after = ends(list(row), padding)
        return [*before, *row, *after]

    return mistake


_MIRROR = "Next to the pixel at the edge stands its neighbour, outside as well as inside."
_ONE_END = "One end is right. The other end is padded, too."
_OWN_PIXEL = "`replicate` repeats the very last pixel at each end: at one end yours is another."

for _name, _hint, _mode, _ends in [
    (
        "mirror_one_pixel_too_far",
        f"The mirror begins one pixel too far inside. {_MIRROR}",
        "reflect",
        lambda row, p: (row[2 : p + 2][::-1], row[::-1][2 : p + 2]),
    ),
    (
        "mirror_one_pixel_too_far_not_turned",
        f"The mirror begins one pixel too far inside. {_MIRROR}",
        "reflect",
        lambda row, p: (row[2 : p + 2], row[::-1][2 : p + 2][::-1]),
    ),
    (
        "edge_repeated_not_turned",
        "`reflect` turns the order, and does not repeat the pixel at the edge.",
        "reflect",
        lambda row, p: (row[:p], row[len(row) - p :]),
    ),
    (
        "mirrors_exchanged_not_turned",
        "Each mirror shows the pixels at its own end, and turns their order.",
        "reflect",
        lambda row, p: (row[len(row) - 1 - p : -1], row[1 : p + 1]),
    ),
    (
        "mirror_before_only",
        _ONE_END,
        "reflect",
        lambda row, p: (row[1 : p + 1][::-1], []),
    ),
    (
        "mirror_missing",
        "With `reflect` nothing is put at the ends.",
        "reflect",
        lambda row, p: ([], []),
    ),
    (
        "mirror_with_zeros",
        "With `reflect` you put zeros there.",
        "reflect",
        lambda row, p: ([0.0] * p, [0.0] * p),
    ),
    (
        "mirror_is_circular",
        "With `reflect` you do what `circular` does. A mirror shows the pixels at its own end.",
        "reflect",
        lambda row, p: (row[len(row) - p :], row[:p]),
    ),
    (
        "whole_row_mirrored_for_nothing",
        "With padding 0, a slice with `-0` or `::-1` may be the whole row.",
        "reflect",
        lambda row, p: (
            (row[1 : p + 1][::-1], row[::-1][1 : p + 1]) if p else (row[::-1], row[::-1])
        ),
    ),
    ("replicate_before_only", _ONE_END, "replicate", lambda row, p: ([row[0]] * p, [])),
    (
        "replicate_missing",
        "With `replicate` nothing is put there.",
        "replicate",
        lambda row, p: ([], []),
    ),
    (
        "replicate_wrong_at_the_right",
        _OWN_PIXEL,
        "replicate",
        lambda row, p: ([row[0]] * p, [row[-2:][0]] * p),
    ),
    (
        "replicate_wrong_at_the_left",
        _OWN_PIXEL,
        "replicate",
        lambda row, p: ([row[:2][-1]] * p, [row[-1]] * p),
    ),
    (
        "replicate_neighbours",
        "`replicate` repeats the last pixel, not its neighbour.",
        "replicate",
        lambda row, p: ([row[:2][-1]] * p, [row[-2:][0]] * p),
    ),
    (
        "replicate_last_at_both_ends",
        "Each end has its own last pixel. You repeat the same one at both ends.",
        "replicate",
        lambda row, p: ([row[-1]] * p, [row[-1]] * p),
    ),
    (
        "replicate_once",
        "The pixel at the edge is repeated `padding` times.",
        "replicate",
        lambda row, p: ([row[0]], [row[-1]]),
    ),
    (
        "replicate_is_circular",
        "With `replicate` you do what `circular` does: it repeats one pixel.",
        "replicate",
        lambda row, p: ((row * (p + 1))[len(row) * (p + 1) - p :], (row * (p + 1))[:p]),
    ),
    ("ring_before_only", _ONE_END, "circular", lambda row, p: (row[len(row) - p :], [])),
    (
        "ring_left_out",
        "With `circular` nothing is put at the ends.",
        "circular",
        lambda row, p: ([], []),
    ),
    (
        "ring_is_replicate",
        "With `circular` you do what `replicate` does. A ring goes on at its other end.",
        "circular",
        lambda row, p: ([row[0]] * p, [row[-1]] * p),
    ),
    (
        "ring_is_zeros",
        "With `circular` you put zeros there. A ring goes on at its other end.",
        "circular",
        lambda row, p: ([0.0] * p, [0.0] * p),
    ),
    (
        "ring_without_the_last",
        "The pixel next to the first one in a ring is the last, not the one before it.",
        "circular",
        lambda row, p: (row[max(0, len(row) - 1 - p) : -1], row[1 : p + 1]),
    ),
    ("zeros_before_only", _ONE_END, "zeros", lambda row, p: ([0.0] * p, [])),
    ("zeros_after_only", _ONE_END, "zeros", lambda row, p: ([], [0.0] * p)),
    (
        "one_zero",
        "With `zeros`, `padding` of them are put at each end.",
        "zeros",
        lambda row, p: ([0.0], [0.0]),
    ),
    ("ones", "With `zeros` the border holds 0.", "zeros", lambda row, p: ([1.0] * p, [1.0] * p)),
    (
        "zeros_in_a_list",
        "A list stands inside of the list: `+` and `*` join lists to one.",
        "zeros",
        lambda row, p: ([[0.0] * p], [[0.0] * p]),
    ),
    (
        "zeros_doubled",
        "`padding` is put at each end as a whole: you put twice as many zeros.",
        "zeros",
        lambda row, p: ([0.0] * 2 * p, [0.0] * 2 * p),
    ),
]:
    _mistake = _with_ends(_mode, _ends)
    _mistake.__name__ = _name
    pad_row.mistake(_hint)(_mistake)


@pad_row.mistake("Your mirrors and rings read the row that is padded already, not the row itself.")
def cell_after_cell(row, padding, mode):
    for _ in range(padding):
        row = pad_row.solution(row, 1, mode) if len(row) > 1 or mode != "reflect" else row
    return list(row)


@pad_row.mistake("`padding` is put at each end as a whole: you put half of it there.")
def half_at_each_end(row, padding, mode):
    return pad_row.solution(row, padding // 2, mode)


@pad_row.mistake("`padding` is put at each end once: you put twice as many cells.")
def twice_at_each_end(row, padding, mode):
    if mode in ("zeros", "replicate") or 2 * padding < len(row):
        return pad_row.solution(row, 2 * padding, mode)
    return pad_row.solution(row, padding, mode)


@pad_row.mistake("With an array `+` adds numbers. It joins lists only.")
def array_plus_list(row, padding, mode):
    if mode == "zeros":
        return [0.0] * padding + np.array(row) + [0.0] * padding
    return pad_row.solution(row, padding, mode)


@pad_row.mistake("With an array `+` adds numbers. It joins lists only.")
def array_plus_list_in_every_mode(row, padding, mode):
    padded = pad_row.solution(row, padding, mode)
    return padded[:padding] + np.array(row) + padded[padding + len(row) :]


@pad_row.mistake("`reflect` and `circular` are exchanged: which one is the mirror?")
def reflect_and_circular_exchanged(row, padding, mode):
    names = {"reflect": "circular", "circular": "reflect" if padding < len(row) else "circular"}
    return pad_row.solution(row, padding, names.get(mode, mode))


@pad_row.mistake("`replicate` and `circular` are exchanged: which one repeats one pixel?")
def replicate_and_circular_exchanged(row, padding, mode):
    names = {"replicate": "circular", "circular": "replicate"}
    return pad_row.solution(row, padding, names.get(mode, mode))


@pad_row.mistake("`reflect` and `replicate` are exchanged: which one repeats one pixel?")
def reflect_and_replicate_exchanged(row, padding, mode):
    names = {"reflect": "replicate", "replicate": "reflect" if padding < len(row) else "replicate"}
    return pad_row.solution(row, padding, names.get(mode, mode))


@pad_row.mistake("Only the row without its border is there: nothing is put at its ends.")
def row_as_it_is(row, padding, mode):
    return list(row)


for _name, _hint, _mode in [
    ("zeros_without_return", "`zeros`", "zeros"),
    ("replicate_without_return", "`replicate`", "replicate"),
    ("reflect_without_return", "`reflect`", "reflect"),
]:

    def _without_return(row, padding, mode, missing=_mode):
        return None if mode == missing else pad_row.solution(row, padding, mode)

    _without_return.__name__ = _name
    pad_row.mistake(f"With {_hint} there is no result: does each mode reach a `return`?")(
        _without_return
    )


@pad_row.mistake("At each end one cell is missing: there are `padding` of them.")
def one_cell_too_few(row, padding, mode):
    return pad_row.solution(row, max(0, padding - 1), mode)


@pad_row.mistake("At each end there is one cell too many.")
def one_cell_too_many(row, padding, mode):
    limit = {"reflect": len(row) - 1}.get(mode, padding + 1)
    return pad_row.solution(row, min(padding + 1, limit), mode)


for _name, _mode in [("replicate_in_every_mode", "replicate"), ("ring_in_every_mode", "circular")]:

    def _one_mode(row, padding, mode, only=_mode):
        return pad_row.solution(row, padding, only)

    _one_mode.__name__ = _name
    pad_row.mistake(f"`mode` is not used: you do what `{_mode}` does in every case.")(_one_mode)


for _name, _ends in [
    ("all_zeros_before", lambda row, p: ([0.0] * 2 * p, [])),
    ("all_zeros_after", lambda row, p: ([], [0.0] * 2 * p)),
]:
    _mistake = _with_ends("zeros", _ends)
    _mistake.__name__ = _name
    pad_row.mistake("The zeros are put at both ends of the row, as many at each.")(_mistake)
