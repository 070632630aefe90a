"""Exercises on dilation and receptive fields."""

from __future__ import annotations

from collections.abc import Iterator
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


@dilated_row_output.mistake("A window that hangs over the end is no place: how many are there?")
def row_windows_over_the_end(row, weights, dilation):
    windows = [row[i::dilation] for i in range(len(row))]
    return [sum(w * pixel for w, pixel in zip(weights, window)) for window in windows]  # noqa: B905


@dilated_row_output.mistake("A window that hangs over the end is no place: it spans more cells.")
def row_windows_over_the_end_by_kernel(row, weights, dilation):
    windows = [row[i::dilation] for i in range(len(row) - len(weights) + 1)]
    return [sum(w * pixel for w, pixel in zip(weights, window)) for window in windows]  # noqa: B905


@dilated_row_output.mistake("The products of a window are added up.")
def row_products_not_added(row, weights, dilation):
    places = range(len(row) - dilation * (len(weights) - 1))
    return [[w * row[i + k * dilation] for k, w in enumerate(weights)] for i in places]


@dilated_row_output.mistake("All products are added. You take the largest one.")
def row_largest_product(row, weights, dilation):
    return [max(products) for products in row_products_not_added(row, weights, dilation)]


@dilated_row_output.mistake("The pixels of each window are multiplied by their weights.")
def row_without_weights(row, weights, dilation):
    return dilated_row_output.solution(row, [1.0] * len(weights), dilation)


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


@receptive_field.mistake("The field keeps what it had: a layer is added to it.")
def field_not_added(layers):
    size, jump = 1, 1
    for kernel_size, stride, dilation in layers:
        size = dilation * (kernel_size - 1) * jump + 1
        jump *= stride
    return size


@receptive_field.mistake("The jump grows with each stride: `*=`, not `/=`.")
def field_jump_divided(layers):
    size, jump = 1, 1.0
    for kernel_size, stride, dilation in layers:
        size += dilation * (kernel_size - 1) * jump
        jump /= stride
    return size


@receptive_field.mistake("The jump is multiplied by the stride only: a dilation moves no window.")
def field_jump_times_dilation(layers):
    size, jump = 1, 1
    for kernel_size, stride, dilation in layers:
        size += dilation * (kernel_size - 1) * jump
        jump *= stride * dilation
    return size


@receptive_field.mistake("A layer is (kernel, stride, dilation), in this order.")
def field_stride_and_dilation_exchanged(layers):
    return receptive_field.solution([(k, dilation, stride) for k, stride, dilation in layers])


@receptive_field.mistake("One number is asked for: the size, without the jump.")
def field_and_jump(layers):
    return receptive_field.solution(layers), field_jump_returned(layers)


@receptive_field.mistake("The pixels along one axis are asked for, not those of the square.")
def field_squared(layers):
    return receptive_field.solution(layers) ** 2


@receptive_field.mistake("A layer looks through those before it: all of them widen the view.")
def field_widest_layer(layers):
    return max((d * (k - 1) + 1 for k, _, d in layers), default=1)


@receptive_field.mistake("A layer looks through those before it: all of them widen the view.")
def field_last_layer(layers):
    return receptive_field.solution(layers[-1:])


@receptive_field.mistake("The list may be empty. Then a cell is a pixel, and sees one.")
def field_list_not_empty(layers):
    layers[0]
    return receptive_field.solution(layers)


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


@first_hole.mistake("A dilation of 1 is needed, but it is not enough: how far do the others jump?")
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


@first_hole.mistake("The field *before* a layer counts: compare first, and add then.")
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


@first_hole.mistake("A cell sees itself: the field before any layer is 1, not 0.")
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
