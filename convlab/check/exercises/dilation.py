"""Exercises on dilation and receptive fields."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from random import Random
from typing import Any

import numpy as np

from convlab.check.exercise import Arguments, Chapter, random_array
from convlab.shapes import conv2d_output_size, path_counts, receptive_fields

chapter = Chapter("dilation")


def _answers(row: list[int], weights: list[int], dilation: int) -> tuple[int, ...]:
    """Return the output for a row."""
    places = range(len(row) - dilation * (len(weights) - 1))
    return tuple(
        sum(weight * row[i + k * dilation] for k, weight in enumerate(weights)) for i in places
    )


_row, _weights = [4, 1, 5, 9, 2, 6, 8], [1, 2, -1]

chapter.value(
    "dilated_row",
    title="A dilated row with a pencil",
    minutes=4,
    text="The weights `1 2 -1` slide over the row `4 1 5 9 2 6 8`, with dilation 2, stride 1 and "
    "no padding. Give all numbers of the output.",
    answer=_answers(_row, _weights, 2),
    hints=[
        "The first window reads 4, 5 and 2. How many places has it?",
        "Three weights with dilation 2 span five cells, which have three places in seven.",
    ],
    explanation="Neighbouring weights read pixels 2 apart; the window itself moves by one pixel.",
    mistakes=[
        ("dilation_ignored", _answers(_row, _weights, 1), "With dilation 2 a pixel is left out."),
        (
            "two_left_out",
            _answers(_row, _weights, 3),
            "The step between weights is 2: leave out 1.",
        ),
        (
            "kernel_turned",
            _answers(_row, _weights[::-1], 2),
            "You turned the weights. The layer lays them on as they are.",
        ),
        (
            "also_moves_by_two",
            _answers(_row, _weights, 2)[::2],
            "The window moves by one pixel: dilation is not the stride.",
        ),
        ("sign_lost", _answers(_row, [1, 2, 1], 2), "The last weight is negative."),
    ],
)

_layers = [(5, 2, 1), (3, 3, 2), (4, 1, 1)]
_field = receptive_fields(_layers)[-1][0].size

chapter.value(
    "field_by_hand",
    title="A receptive field by hand",
    minutes=5,
    text="Three layers follow each other: kernel 5 with stride 2; kernel 3 with stride 3 and "
    "dilation 2; kernel 4. How many pixels of a row of the image does a cell of the last map see?",
    answer=_field,
    hints=[
        "Keep two numbers: the size of the field, and the jump from one field to the next.",
        "The first layer has field 5 and jump 2. The second adds dilation · (kernel - 1) jumps.",
    ],
    explanation="5 with jump 2, then 5 + 2·2·2 = 13 with jump 6, then 13 + 3·6 = 31.",
    mistakes=[
        ("strides_forgotten", 1 + 4 + 4 + 3, "Strides make the steps of the layers behind longer."),
        ("dilation_forgotten", 1 + 4 + 2 * 2 + 3 * 6, "The second layer has dilation 2."),
        (
            "own_stride",
            1 + 4 * 2 + 4 * 6 + 3 * 6,
            "A stride does not widen the view of its own layer, only of those behind it.",
        ),
        (
            "own_stride_only",
            1 + 4 * 2 + 4 * 3 + 3,
            "A stride does not widen the view of its own layer, only of those behind it.",
        ),
        ("jumps_added", 1 + 4 + 4 * 2 + 3 * 5, "The jump is multiplied by each stride."),
        ("last_stride_only", 1 + 4 + 4 * 2 + 3 * 3, "The strides of all layers before multiply."),
        ("begins_with_zero", _field - 1, "A pixel sees itself: begin with 1."),
        ("dilation_times_kernel", 1 + 4 + 5 * 2 + 3 * 6, "Between 3 weights there are 2 gaps."),
        ("kernels_not_reduced", 1 + 5 + 6 * 2 + 4 * 6, "From the first of 5 to the last: 4 steps."),
        ("spans_added", 5 + 5 + 4, "The windows overlap, and strides make steps longer."),
        ("spans_multiplied", 5 * 5 * 4, "The windows of neighbouring cells overlap."),
        ("kernels_multiplied", 5 * 3 * 4, "The windows of neighbouring cells overlap."),
        ("jump_of_the_last", 6, "That is the jump. How large is the field?"),
    ],
)

_settings = {"stride": 1, "padding": 4, "dilation": 3}
_side = conv2d_output_size(30, 5, **_settings)[0]

chapter.value(
    "predict_dilated_shape",
    title="Predict: a dilated layer",
    minutes=3,
    text="What does this print?",
    code="layer = nn.Conv2d(4, 8, kernel_size=5, padding=4, dilation=3)\n"
    "print(tuple(layer(torch.zeros(2, 4, 30, 30)).shape))",
    answer=(2, 8, _side, _side),
    hints=[
        "How many cells does a kernel of 5 span with dilation 3?",
        "The padding is put on both sides: how many places has the window?",
    ],
    explanation="The window spans 13 cells. A padding of 6 would keep the size.",
    mistakes=[
        ("size_kept", (2, 8, 30, 30), "Half of dilation · (kernel - 1) would keep the size."),
        ("dilation_forgotten", (2, 8, 34, 34), "With dilation 3 the window spans more cells."),
        ("dilation_times_kernel", (2, 8, 24, 24), "Between 5 weights there are 4 gaps, not 5."),
        ("padding_once", (2, 8, 22, 22), "The padding is put on both sides."),
        ("padding_forgotten", (2, 8, 18, 18), "There is a padding."),
        ("steps_counted", (2, 8, 25, 25), "Those are the steps. The first place needs none."),
        ("channels_kept", (2, 4, _side, _side), "The layer has eight kernels."),
    ],
)


def _has_a_hole(answer: Any) -> str | None:
    """Return what is wrong with dilations that begin with 1 and should leave a hole."""
    dilations = [int(dilation) for dilation in answer]
    if not dilations or dilations[0] != 1:
        return "the first dilation must be 1"
    if min(dilations) < 1 or sum(dilations) > 1000:
        return "dilations from 1 are asked for, whose sum is at most 1000"
    rows, _ = path_counts([(3, 1, dilation) for dilation in dilations])
    return None if 0 in rows else f"a cell sees all {len(rows)} pixels of its field"


chapter.search(
    "break_begin_with_one",
    title="Break it: begin with 1",
    minutes=4,
    text='Somebody reads "begin with dilation 1", and stacks 3×3 layers with stride 1: the first '
    'has dilation 1, "so there are no holes". Give dilations, as a list that begins with 1, with '
    "which a cell does not see all pixels of its field.",
    objection=_has_a_hole,
    example=[1, 4],
    hints=[
        "How many pixels does a cell see after the first layer?",
        "A second layer sees three copies of this field. How far apart may they be?",
    ],
    explanation="No dilation may be larger than the field of the layers before it, sorted.",
    mistakes=[
        ("doubled", [1, 2, 4], "Compare each dilation with the field before it: 3, then 7."),
        ("wide_but_whole", [1, 3, 9], "Each dilation is just as large as the field before it."),
        ("just_as_large", [1, 3], "3 is just as large as the first field: nothing is missing."),
        ("one_two", [1, 2], "After the first layer a cell sees 3 pixels; 2 is less than that."),
        ("chapter_example", [1, 2, 5], "The fields before are 1, 3 and 7: 5 is not too large."),
        ("first_not_one", [2, 2, 2], "These have holes, but do not begin with 1."),
        ("repeated", [1, 2, 2], "2 is less than the field before it."),
        ("growing_by_one", [1, 2, 3], "The fields before are 1, 3 and 7."),
        ("alone", [1], "A single layer with dilation 1 reads neighbours."),
    ],
)


def _dilated_rows(random: Random) -> Iterator[Arguments]:
    """Yield rows, weights and dilations, from the simplest on."""
    yield [1.0, 2.0, 3.0, 4.0], [1.0, 10.0], 1
    yield [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0], [1.0, 10.0, 100.0], 2
    yield [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0], [1.0, 10.0, 100.0], 3
    yield [3.0, 1.0, 2.0], [5.0], 2
    for _ in range(60):
        size, dilation = random.randint(1, 5), random.randint(1, 4)
        length = dilation * (size - 1) + random.randint(1, 6)
        row, weights = random_array(random, length, low=1, high=9), random_array(random, size)
        yield row.tolist(), weights.tolist(), dilation


@chapter.code(
    title="Read with gaps",
    minutes=6,
    text="`row` and `weights` are lists of numbers. Return the output as a list, with stride 1 and "
    "no padding.",
    cases=_dilated_rows,
    hints=[
        "Weight k of the window at place i reads the pixel at i + k · dilation.",
        "How many cells does the window span, and how many places has it?",
    ],
    explanation="The dilation decides what a window reads, and how many windows there are.",
)
def dilated_row_output(row, weights, dilation):
    """Return the numbers of the output."""
    output = []
    for i in range(len(row) - dilation * (len(weights) - 1)):
        output.append(sum(weight * row[i + k * dilation] for k, weight in enumerate(weights)))
    return output


@dilated_row_output.mistake("With dilation d, neighbouring weights read pixels d apart.")
def row_dilation_ignored(row, weights, dilation):
    return dilated_row_output.solution(row, weights, 1)


@dilated_row_output.mistake("`dilation` is the step between weights, not the pixels left out.")
def row_dilation_counts_gaps(row, weights, dilation):
    return dilated_row_output.solution(row, weights, dilation + 1)


@dilated_row_output.mistake("The places: a dilated window spans more cells than it has weights.")
def row_places_of_kernel(row, weights, dilation):
    places = range(len(row) - len(weights) + 1)
    return [sum(w * row[i + k * dilation] for k, w in enumerate(weights)) for i in places]


@dilated_row_output.mistake("The slice ends too early: how many cells does the window span?")
def row_slice_too_short(row, weights, dilation):
    places = range(len(row) - dilation * (len(weights) - 1))
    windows = [row[i : i + len(weights) : dilation] for i in places]
    return [sum(w * pixel for w, pixel in zip(weights, window)) for window in windows]  # noqa: B905


@dilated_row_output.mistake("The window spans dilation · (k - 1) + 1 cells: a place is missing.")
def row_last_place_missing(row, weights, dilation):
    return dilated_row_output.solution(row, weights, dilation)[:-1]


@dilated_row_output.mistake("Between k weights there are k - 1 gaps, not k.")
def row_span_times_kernel(row, weights, dilation):
    output = dilated_row_output.solution(row, weights, dilation)
    return output[: max(0, len(row) - dilation * len(weights) + 1)]


@dilated_row_output.mistake("The window moves by one pixel: dilation is not the stride.")
def row_dilation_as_stride_too(row, weights, dilation):
    return dilated_row_output.solution(row, weights, dilation)[::dilation]


@dilated_row_output.mistake("That is a stride. Dilation moves the weights apart, not the windows.")
def row_dilation_as_stride(row, weights, dilation):
    return dilated_row_output.solution(row, weights, 1)[::dilation]


@dilated_row_output.mistake("You turned the weights. The layer lays them on as they are.")
def row_weights_turned(row, weights, dilation):
    return dilated_row_output.solution(row, weights[::-1], dilation)


@dilated_row_output.mistake("The last product overwrites the sum. They are added up.")
def row_last_product_only(row, weights, dilation):
    last = [0.0] * (len(weights) - 1) + weights[-1:]
    return dilated_row_output.solution(row, last, dilation)


@dilated_row_output.mistake("The sum goes on from window to window. It begins at 0 for each.")
def row_sum_never_reset(row, weights, dilation):
    return np.cumsum(dilated_row_output.solution(row, weights, dilation)).tolist()


@dilated_row_output.mistake("Only the first number is there. Is the `return` inside of the loop?")
def row_first_number_only(row, weights, dilation):
    return dilated_row_output.solution(row, weights, dilation)[0]


def _stacks(random: Random) -> Iterator[Arguments]:
    """Yield lists of layers, from the simplest on."""
    yield ([(3, 1, 1)],)
    yield ([(4, 1, 1)],)
    yield ([(3, 1, 2)],)
    yield ([(3, 2, 1)],)
    yield ([(3, 1, 1), (3, 1, 1)],)
    yield ([(3, 2, 1), (3, 1, 1)],)
    yield ([(3, 2, 1), (3, 3, 1), (3, 1, 1)],)
    yield ([(2, 2, 1), (3, 1, 3)],)
    yield ([],)
    for _ in range(60):
        count = random.randint(1, 5)
        yield ([tuple(random.randint(1, most) for most in (7, 3, 4)) for _ in range(count)],)


@chapter.code(
    title="The receptive field",
    minutes=8,
    text="`layers` is a list of tuples `(kernel_size, stride, dilation)`, from the image on. "
    "Return how many pixels along one axis a cell of the last map sees. Without layers it is a "
    "pixel, and sees itself.",
    cases=_stacks,
    hints=[
        "Keep two numbers, the size of the field and the jump. What are they before any layer?",
        "A layer adds dilation · (kernel - 1) jumps to the size.",
        "Is the jump multiplied by the stride before or after that?",
    ],
    explanation="Two numbers and two lines: the size grows by jumps, the jump by strides.",
)
def receptive_field(layers):
    """Return the size of the receptive field."""
    size, jump = 1, 1
    for kernel_size, stride, dilation in layers:
        size += dilation * (kernel_size - 1) * jump
        jump *= stride
    return size


@receptive_field.mistake("A stride widens the view of the layers behind, not of its own layer.")
def field_own_stride(layers):
    size, jump = 1, 1
    for kernel_size, stride, dilation in layers:
        jump *= stride
        size += dilation * (kernel_size - 1) * jump
    return size


@receptive_field.mistake("Strides are missing: behind a stride, neighbours lie further apart.")
def field_strides_forgotten(layers):
    return 1 + sum(dilation * (kernel_size - 1) for kernel_size, _, dilation in layers)


@receptive_field.mistake("The jump is multiplied by each stride, from layer to layer.")
def field_stride_of_one_layer(layers):
    size, jump = 1, 1
    for kernel_size, stride, dilation in layers:
        size += dilation * (kernel_size - 1) * jump
        jump = stride
    return size


@receptive_field.mistake("A layer is widened by the strides before it, not by its own.")
def field_own_stride_only(layers):
    return 1 + sum(d * (k - 1) * stride for k, stride, d in layers)


@receptive_field.mistake("Strides multiply. You add them.")
def field_jumps_added(layers):
    size, jump = 1, 1
    for kernel_size, stride, dilation in layers:
        size += dilation * (kernel_size - 1) * jump
        jump += stride
    return size


@receptive_field.mistake("Strides multiply. You add them.")
def field_steps_added(layers):
    size, jump = 1, 1
    for kernel_size, stride, dilation in layers:
        size += dilation * (kernel_size - 1) * jump
        jump += stride - 1
    return size


@receptive_field.mistake("A dilation pulls the weights apart: it is missing.")
def field_dilation_forgotten(layers):
    return receptive_field.solution([(k, stride, 1) for k, stride, _ in layers])


@receptive_field.mistake("Between k weights there are k - 1 gaps, not k.")
def field_dilation_times_kernel(layers):
    return receptive_field.solution([(d * k, stride, 1) for k, stride, d in layers])


@receptive_field.mistake("From the first to the last of k cells there are k - 1 steps.")
def field_kernel_not_reduced(layers):
    return receptive_field.solution([(k + 1, stride, d) for k, stride, d in layers])


@receptive_field.mistake("A pixel sees itself: before any layer, the size is 1.")
def field_begins_with_zero(layers):
    return receptive_field.solution(layers) - 1


@receptive_field.mistake("The windows of neighbouring cells overlap: a layer adds k - 1 steps.")
def field_spans_added(layers):
    return sum(d * (k - 1) + 1 for k, _, d in layers)


@receptive_field.mistake("The windows of neighbouring cells overlap: sizes are added, in jumps.")
def field_spans_multiplied(layers):
    size = 1
    for kernel_size, _, dilation in layers:
        size *= dilation * (kernel_size - 1) + 1
    return size


@receptive_field.mistake(
    "The first layer of the list is the first: its stride counts for those behind."
)
def field_layers_reversed(layers):
    return receptive_field.solution(layers[::-1])


@receptive_field.mistake("That is the jump between two fields. How large is each?")
def field_jump_returned(layers):
    jump = 1
    for _, stride, _ in layers:
        jump *= stride
    return jump


@receptive_field.mistake("You return after the first layer: is the `return` inside of the loop?")
def field_first_layer_only(layers):
    return receptive_field.solution(layers[:1])


@receptive_field.mistake("The field is widened by the jump, not the jump by the field.")
def field_times_stride(layers):
    size = 1
    for kernel_size, stride, dilation in layers:
        size = size * stride + dilation * (kernel_size - 1)
    return size


@receptive_field.mistake("Without layers, a cell is a pixel, and sees one.")
def field_of_no_layers(layers):
    return receptive_field.solution(layers) if layers else 0


def _dilations(random: Random) -> Iterator[Arguments]:
    """Yield dilations and kernel sizes, from the simplest on."""
    for dilations in ([1], [2], [1, 3], [1, 4], [1, 2, 4], [2, 2, 2], [2, 1], [4, 1], [5, 1, 2]):
        yield dilations, 3
    yield from [([1, 2], 2), ([1, 3], 2), ([1, 5], 5), ([1, 6], 5), ([1, 2, 9], 3), ([2, 3], 3)]
    for _ in range(120):
        kernel_size = random.randint(2, 5)
        dilations = [1, *(random.randint(1, 4 * kernel_size) for _ in range(random.randint(1, 3)))]
        dilations = dilations if random.random() < 0.9 else [d + 1 for d in dilations]
        yield random.sample(dilations, len(dilations)), kernel_size


@chapter.code(
    title="Is there a hole?",
    minutes=10,
    text="Layers with stride 1, all with the same `kernel_size`, at least 2, follow each other. "
    "`dilations` is a list of their dilations, in any order. Return True if a cell of the last map "
    "does not see all pixels of its receptive field, and otherwise False.",
    cases=_dilations,
    hints=[
        "The order of the layers does not change what is seen. In which order is it easy to check?",
        "Keep the size of the field so far. How large may the next dilation be?",
        "Or collect the set of the pixels that are seen: each layer adds steps of its dilation.",
    ],
    explanation="Sorted, no dilation may be larger than the field of the layers before it.",
)
def has_hole(dilations, kernel_size):
    """Return whether a cell misses a pixel of its receptive field."""
    field = 1
    for dilation in sorted(dilations):
        if dilation > field:
            return True
        field += dilation * (kernel_size - 1)
    return False


@has_hole.mistake("Only the order is missing: begin with the smallest dilation.")
def hole_not_sorted(dilations, kernel_size):
    field = 1
    for dilation in dilations:
        if dilation > field:
            return True
        field += dilation * (kernel_size - 1)
    return False


@has_hole.mistake("A dilation that is just as large as the field before it leaves no hole.")
def hole_if_as_large(dilations, kernel_size):
    field = 1
    for dilation in sorted(dilations):
        if dilation >= field > 1:
            return True
        field += dilation * (kernel_size - 1)
    return min(dilations) > 1


@has_hole.mistake("A dilation that is just as large as the field before it leaves no hole.")
def hole_if_as_large_or_first(dilations, kernel_size):
    field = 1
    for dilation in sorted(dilations):
        if dilation >= field:
            return True
        field += dilation * (kernel_size - 1)
    return False


@has_hole.mistake("You return what is true without a hole. True and False change places.")
def hole_inverted(dilations, kernel_size):
    return not has_hole.solution(dilations, kernel_size)


@has_hole.mistake("A factor common to all leaves holes, but so do other jumps: how far is each?")
def hole_common_factor_only(dilations, kernel_size):
    return bool(np.gcd.reduce(dilations) > 1)


@has_hole.mistake("A dilation of 1 is needed, but it is not enough: how far do the others jump?")
def hole_without_one_only(dilations, kernel_size):
    return 1 not in dilations


@has_hole.mistake("Does a large dilation leave a hole when the field before it is large?")
def hole_larger_than_kernel(dilations, kernel_size):
    return max(dilations) > kernel_size or min(dilations) > 1


@has_hole.mistake("A dilation is compared with the field of all layers before it.")
def hole_against_last_layer(dilations, kernel_size):
    ordered = sorted(dilations)
    pairs = pairwise(ordered)
    return ordered[0] > 1 or any(after > before * (kernel_size - 1) + 1 for before, after in pairs)


@has_hole.mistake("The field grows by dilation · (kernel - 1), not by dilation · kernel.")
def hole_field_grows_by_kernel(dilations, kernel_size):
    field = 1
    for dilation in sorted(dilations):
        if dilation > field:
            return True
        field += dilation * kernel_size
    return False


@has_hole.mistake("The kernel size is not always 3.")
def hole_kernel_is_three(dilations, kernel_size):
    return has_hole.solution(dilations, 3)


@has_hole.mistake("The dilation widens the field, too: a layer adds dilation · (kernel - 1).")
def hole_field_without_dilation(dilations, kernel_size):
    field = 1
    for dilation in sorted(dilations):
        if dilation > field:
            return True
        field += kernel_size - 1
    return False


@has_hole.mistake("Other layers may fill the holes of a wide one: begin with the smallest.")
def hole_if_dilated(dilations, kernel_size):
    return max(dilations) > 1
