"""Exercise: holes in the receptive field."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import numpy as np

from convlab.check.exercise import Arguments
from convlab.check.exercises.dilation.values import chapter


def _dilations(random: Random) -> Iterator[Arguments]:
    """Yield dilations and kernel sizes, from the simplest on."""
    for dilations in ([1], [2], [1, 3], [1, 4], [1, 2, 4], [2, 2, 2], [2, 1], [4, 1], [5, 1, 2]):
        yield dilations, 3
    yield from [
        ([1, 1, 3], 2),
        ([1, 2], 2),
        ([1, 3], 2),
        ([1, 5], 5),
        ([1, 6], 5),
        ([1, 2, 9], 3),
        ([2, 3], 3),
    ]
    for _ in range(120):
        kernel_size = random.randint(2, 5)
        dilations = [1, *(random.randint(1, 4 * kernel_size) for _ in range(random.randint(1, 3)))]
        dilations = dilations if random.random() < 0.9 else [d + 1 for d in dilations]
        yield random.sample(dilations, len(dilations)), kernel_size


@chapter.code(
    title="Find the hole",
    minutes=10,
    text="Layers with stride 1, all with the same `kernel_size`, at least 2, follow each other. "
    "`dilations` is a list of their dilations, in any order. Count the pixels of the receptive "
    "field of a cell from 0: which is the first one that the cell does not see? Return -1 if it "
    "sees all of them.",
    cases=_dilations,
    hints=[
        "The order of the layers does not change what is seen. In which order is it easy to check?",
        "Keep the size of the field so far. A dilation that is larger leaves a hole: where?",
        "Or collect the set of the pixels that are seen: each layer adds steps of its dilation.",
    ],
    explanation="Sorted, no dilation may be larger than the field of the layers before it.",
)
def first_hole(dilations, kernel_size):
    """Return the first pixel of the field that is not seen, or -1."""
    field = 1
    for dilation in sorted(dilations):
        if dilation > field:
            return field
        field += dilation * (kernel_size - 1)
    return -1


@first_hole.mistake("The order matters for the rule: begin with the smallest dilation.")
def hole_not_sorted(dilations, kernel_size):
    field = 1
    for dilation in dilations:
        if dilation > field:
            return field
        field += dilation * (kernel_size - 1)
    return -1


@first_hole.mistake("Other layers may fill the holes of a wide one: begin with the smallest.")
def hole_sorted_downwards(dilations, kernel_size):
    return hole_not_sorted(sorted(dilations, reverse=True), kernel_size)


@first_hole.mistake("A dilation that is just as large as the field before it leaves no hole.")
def hole_if_as_large(dilations, kernel_size):
    field = 1
    for dilation in sorted(dilations):
        if dilation >= field > 1 or dilation > field:
            return field
        field += dilation * (kernel_size - 1)
    return -1


@first_hole.mistake("A dilation that is just as large as the field before it leaves no hole.")
def hole_if_as_large_or_first(dilations, kernel_size):
    field = 1
    for dilation in sorted(dilations):
        if dilation >= field:
            return field
        field += dilation * (kernel_size - 1)
    return -1


@first_hole.mistake("Which pixel follows the last one that is seen? Pixels are counted from 0.")
def hole_counted_from_one(dilations, kernel_size):
    hole = first_hole.solution(dilations, kernel_size)
    return hole if hole < 0 else hole + 1


@first_hole.mistake("That is the last pixel before the hole.")
def hole_one_before(dilations, kernel_size):
    hole = first_hole.solution(dilations, kernel_size)
    return hole if hole < 0 else hole - 1


@first_hole.mistake("That is the dilation that leaves the hole. Where is the pixel?")
def hole_is_dilation(dilations, kernel_size):
    field = 1
    for dilation in sorted(dilations):
        if dilation > field:
            return dilation
        field += dilation * (kernel_size - 1)
    return -1


@first_hole.mistake("Without a hole the answer is -1, not the size of the field.")
def hole_behind_the_field(dilations, kernel_size):
    hole = first_hole.solution(dilations, kernel_size)
    return 1 + sum(dilations) * (kernel_size - 1) if hole < 0 else hole


@first_hole.mistake("Return -1 if there is no hole.")
def hole_or_none(dilations, kernel_size):
    hole = first_hole.solution(dilations, kernel_size)
    return None if hole < 0 else hole


@first_hole.mistake("A number is asked for: which pixel, or -1.")
def hole_or_not(dilations, kernel_size):
    return first_hole.solution(dilations, kernel_size) >= 0


@first_hole.mistake("You tell whether all is seen. Which pixel is not, or -1?")
def all_seen_or_not(dilations, kernel_size):
    return first_hole.solution(dilations, kernel_size) < 0


@first_hole.mistake("A factor common to all leaves holes, but so do other jumps: how far is each?")
def hole_common_factor_only(dilations, kernel_size):
    return 1 if np.gcd.reduce(dilations) > 1 else -1


@first_hole.mistake("The smallest dilation is not enough to know: how far do the others jump?")
def hole_without_one_only(dilations, kernel_size):
    return -1 if 1 in dilations else 1


@first_hole.mistake("A dilation is compared with the field before it, not with the kernel.")
def hole_larger_than_kernel(dilations, kernel_size):
    field = 1
    for dilation in sorted(dilations):
        if dilation > kernel_size:
            return field
        field += dilation * (kernel_size - 1)
    return -1


@first_hole.mistake("A dilation is compared with the field of all layers before it.")
def hole_against_last_layer(dilations, kernel_size):
    span = 1
    for dilation in sorted(dilations):
        if dilation > span:
            return span
        span = dilation * (kernel_size - 1) + 1
    return -1


@first_hole.mistake("The field grows by dilation · (kernel - 1), not by dilation · kernel.")
def hole_field_grows_by_kernel(dilations, kernel_size):
    field = 1
    for dilation in sorted(dilations):
        if dilation > field:
            return field
        field += dilation * kernel_size
    return -1


@first_hole.mistake("A cell sees itself: the field before any layer is 1.")
def hole_field_begins_with_zero(dilations, kernel_size):
    field = 0
    for dilation in sorted(dilations):
        if dilation > field > 0:
            return field
        field += dilation * (kernel_size - 1)
    return -1


@first_hole.mistake("Is there never a hole? Compare a dilation with the field before its layer.")
def hole_field_includes_the_layer(dilations, kernel_size):
    field = 1
    for dilation in sorted(dilations):
        field += dilation * (kernel_size - 1)
        if dilation > field:
            return field
    return -1


@first_hole.mistake("The kernel size is not always 3.")
def hole_kernel_is_three(dilations, kernel_size):
    return first_hole.solution(dilations, 3)


@first_hole.mistake("The dilation widens the field, too: a layer adds dilation · (kernel - 1).")
def hole_field_without_dilation(dilations, kernel_size):
    field = 1
    for dilation in sorted(dilations):
        if dilation > field:
            return field
        field += kernel_size - 1
    return -1


@first_hole.mistake("There is always a pixel 0, and it is seen: what is -1 for?")
def hole_none_is_zero(dilations, kernel_size):
    return max(0, first_hole.solution(dilations, kernel_size))


@first_hole.mistake(
    "Pixel 0 is always seen, by the first weights: the field before any layer is 1."
)
def hole_always_zero(dilations, kernel_size):
    return 0


@first_hole.mistake("A layer looks through the others: it adds its steps to all that they see.")
def hole_of_layers_side_by_side(dilations, kernel_size):
    seen = {dilation * step for dilation in dilations for step in range(kernel_size)}
    field = set(range(1 + sum(dilations) * (kernel_size - 1)))
    return min(field - seen, default=-1)


def _holes(dilations, kernel_size):
    seen = {0}
    for dilation in dilations:
        seen = {pixel + dilation * step for pixel in seen for step in range(kernel_size)}
    return sorted(set(range(max(seen))) - seen)


@first_hole.mistake("That is how many pixels are not seen. Which is the first of them?")
def holes_counted(dilations, kernel_size):
    return len(_holes(dilations, kernel_size))


@first_hole.mistake("You list all pixels that are not seen. Which is the first, or -1?")
def holes_listed(dilations, kernel_size):
    return _holes(dilations, kernel_size)


@first_hole.mistake("Pixels are asked for in order: the first one that is not seen, not the last.")
def last_hole(dilations, kernel_size):
    return max(_holes(dilations, kernel_size), default=-1)


@first_hole.mistake(
    "The fields add up: a layer adds dilation · (kernel - 1). They do not multiply."
)
def hole_field_multiplied(dilations, kernel_size):
    field = 1
    for dilation in sorted(dilations):
        if dilation > field:
            return field
        field *= kernel_size
    return -1


@first_hole.mistake("A layer has kernel - 1 steps of its dilation, not one.")
def hole_field_grows_by_dilation(dilations, kernel_size):
    return first_hole.solution(dilations, 2)


@first_hole.mistake("Two layers with the same dilation are two layers: a set drops one of them.")
def hole_doubles_dropped(dilations, kernel_size):
    return first_hole.solution(sorted(set(dilations)), kernel_size)


@first_hole.mistake("A kernel of k weights has k - 1 steps: its last weight is missing.")
def hole_last_weight_missing(dilations, kernel_size):
    return first_hole.solution(dilations, kernel_size - 1)


@first_hole.mistake("The hole begins behind the whole field before it, not behind a kernel.")
def hole_is_kernel_size(dilations, kernel_size):
    return (
        first_hole.solution(dilations, kernel_size)
        if max(dilations) <= 1
        else (kernel_size if hole_larger_than_kernel(dilations, kernel_size) > 0 else -1)
    )


@first_hole.mistake("That is how wide the hole is. Which pixel is its first?")
def hole_width(dilations, kernel_size):
    field = 1
    for dilation in sorted(dilations):
        if dilation > field:
            return dilation - field
        field += dilation * (kernel_size - 1)
    return -1


@first_hole.mistake(
    "That is the size of the field with the layer. Which pixel follows the one before?"
)
def hole_behind_the_wide_layer(dilations, kernel_size):
    field = 1
    for dilation in sorted(dilations):
        field += dilation * (kernel_size - 1)
        if dilation > field - dilation * (kernel_size - 1):
            return field
    return -1


@first_hole.mistake("That is the number of the layer. Which pixel is not seen?")
def hole_is_layer(dilations, kernel_size):
    field = 1
    for i, dilation in enumerate(sorted(dilations)):
        if dilation > field:
            return i
        field += dilation * (kernel_size - 1)
    return -1


@first_hole.mistake("A dilation is compared with the field, not with the dilation before it.")
def hole_against_dilation_before(dilations, kernel_size):
    before, field = 1, 1
    for dilation in sorted(dilations):
        if dilation > before * kernel_size or (field == 1 and dilation > 1):
            return field
        before = dilation
        field += dilation * (kernel_size - 1)
    return -1


@first_hole.mistake("The first hole counts: do not go on once it is found.")
def hole_of_last_wide_layer(dilations, kernel_size):
    hole, field = -1, 1
    for dilation in sorted(dilations):
        if dilation > field:
            hole = field
        field += dilation * (kernel_size - 1)
    return hole


@first_hole.mistake("The field begins with 1 and grows by dilation · (kernel - 1) in each layer.")
def hole_field_of_spans(dilations, kernel_size):
    field = 1
    for dilation in sorted(dilations):
        if dilation > field:
            return field
        field += dilation * (kernel_size - 1) + 1
    return -1


@first_hole.mistake("That is the size of the field. Is there a pixel in it that is not seen?")
def hole_behind_all(dilations, kernel_size):
    return 1 + sum(dilations) * (kernel_size - 1)


@first_hole.mistake(
    "With a field of 3, a dilation of 4 leaves a hole already: it is larger by one."
)
def hole_if_larger_by_two(dilations, kernel_size):
    field = 1
    for dilation in sorted(dilations):
        if dilation > field + 1:
            return field
        field += dilation * (kernel_size - 1)
    return -1


@first_hole.mistake("The first layer may leave a hole, too: before it, the field is 1.")
def hole_first_layer_not_compared(dilations, kernel_size):
    field = kernel_size
    for dilation in sorted(dilations)[1:]:
        if dilation > field:
            return field
        field += dilation * (kernel_size - 1)
    return -1
