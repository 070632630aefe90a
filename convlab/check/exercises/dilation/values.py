"""Values to work out, and one to find: dilation."""

from __future__ import annotations

from typing import Any

from convlab.check.exercise import Chapter
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
        (
            "padded_to_its_length",
            _answers([0, 0, *_row, 0, 0], _weights, 2),
            "There is no padding: the window stays on the row.",
        ),
        ("a_place_missing", _answers(_row, _weights, 2)[:-1], "A window of five fits three times."),
        ("first_place_only", _answers(_row, _weights, 2)[:1], "The window moves on by one pixel."),
        (
            "weights_dropped",
            _answers(_row, [1, 0, -1], 1),
            "All three weights are used: the pixels in between are left out.",
        ),
        (
            "weights_forgotten",
            _answers(_row, [1, 1, 1], 2),
            "The pixels are multiplied by the weights, and then added.",
        ),
        (
            "windows_over_the_end",
            _answers([*_row, 0, 0, 0, 0], _weights, 2),
            "There is no padding: a window that hangs over the end is no place.",
        ),
        (
            "turned_and_undilated",
            _answers(_row, _weights[::-1], 1),
            "With dilation 2 a pixel is left out; and the weights are laid on as they are.",
        ),
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
        ("two_layers", 1 + 4 + 4 * 2, "That is the field after two layers. The third one counts."),
        (
            "dilation_once",
            1 + 4 + 3 * 2 + 3 * 6,
            "Dilation makes both gaps of the second kernel wider.",
        ),
        ("layers_reversed", 1 + 3 + 4 + 4 * 3, "The first layer is the one next to the image."),
        (
            "first_stride_forgotten",
            1 + 4 + 4 * 2 + 3 * 2,
            "Behind the second layer the jump is 2 · 3, not 2.",
        ),
        (
            "last_without_jump",
            1 + 4 + 4 * 2 + 3,
            "The third layer makes steps of the jump, too.",
        ),
        (
            "backwards_without_minus_one",
            (4 * 3 + 4) * 2 + 4,
            "r cells that are s apart span (r - 1) · s + 1 cells, not r · s.",
        ),
        (
            "jump_times_dilation",
            1 + 4 + 4 * 2 + 3 * 12,
            "The dilation belongs to its own layer: the jump is 2 · 3.",
        ),
        (
            "two_left_out",
            1 + 4 + 6 * 2 + 3 * 6,
            "Dilation 2 is a step of 2 between weights: one pixel is left out.",
        ),
        ("one_too_large", _field + 1, "The first pixel is counted once."),
    ],
)

_settings = {"stride": 1, "padding": 5, "dilation": 3}
_side = conv2d_output_size(30, 5, **_settings)[0]

chapter.value(
    "predict_dilated_shape",
    title="Predict: a dilated layer",
    minutes=3,
    text="What does this print?",
    code="layer = nn.Conv2d(4, 8, kernel_size=5, padding=5, dilation=3)\n"
    "print(tuple(layer(torch.zeros(2, 4, 30, 30)).shape))",
    answer=(2, 8, _side, _side),
    hints=[
        "How many cells does a kernel of 5 span with dilation 3?",
        "The padding is put on both sides: how many places has the window?",
    ],
    explanation="The window spans 13 cells. A padding of 6 would keep the size.",
    mistakes=[
        ("size_kept", (2, 8, 30, 30), "Half of dilation · (kernel - 1) would keep the size."),
        ("dilation_forgotten", (2, 8, 36, 36), "With dilation 3 the window spans more cells."),
        ("dilation_times_kernel", (2, 8, 26, 26), "Between 5 weights there are 4 gaps, not 5."),
        ("dilation_once", (2, 8, 34, 34), "The dilation makes all 4 gaps wider, not only one."),
        ("three_left_out", (2, 8, 24, 24), "Dilation 3 is a step of 3: two cells are left out."),
        ("padding_once", (2, 8, 23, 23), "The padding is put on both sides."),
        ("padding_forgotten", (2, 8, 18, 18), "There is a padding."),
        ("steps_counted", (2, 8, 27, 27), "Those are the steps. The first place needs none."),
        ("dilation_as_stride", (2, 8, 12, 12), "Dilation is not a stride: the window moves by 1."),
        ("undone_by_padding", (2, 8, 40, 40), "The window takes 12 cells away from 30 + 10."),
        ("channels_kept", (2, 4, _side, _side), "The layer has eight kernels."),
        ("batch_lost", (1, 8, _side, _side), "The batch passes through: two images."),
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
    if 0 in rows:
        return None
    text = f"a cell sees all {len(rows)} pixels of its field"
    if dilations == sorted(dilations):
        return text
    in_order = ", ".join(map(str, sorted(dilations)))
    return f"{text}: the order of the layers does not matter, and {in_order} leave no hole"


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
        ("ones", [1, 1, 1], "1 is never larger than the field before it. How far may others jump?"),
        ("tripled_again", [1, 3, 9, 27], "Each dilation is just as large as the field before it."),
        ("five_is_whole", [1, 2, 3, 4, 5], "Each dilation is less than the field before it."),
        ("doubled_again", [1, 2, 4, 8], "The fields before are 1, 3, 7 and 15."),
        ("three_and_four", [1, 3, 4], "The fields before are 1, 3 and 9."),
        ("three_and_five", [1, 3, 5], "The fields before are 1, 3 and 9."),
        ("two_and_six", [1, 2, 6], "The fields before are 1, 3 and 7."),
        ("two_and_seven", [1, 2, 7], "7 is just as large as the field before it."),
        ("alone", [1], "A single layer with dilation 1 reads neighbours."),
    ],
)
