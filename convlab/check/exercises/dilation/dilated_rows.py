"""Exercise: a dilated convolution of a row."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import numpy as np

from convlab.check.exercise import Arguments, random_array
from convlab.check.exercises.dilation.values import chapter


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


@dilated_row_output.mistake("The slice takes too few pixels: how many cells does the window span?")
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


@dilated_row_output.mistake("The products are added, not averaged.")
def row_mean(row, weights, dilation):
    return [number / len(weights) for number in dilated_row_output.solution(row, weights, dilation)]


@dilated_row_output.mistake("Weight k reads k times `dilation` further: the step is multiplied.")
def row_dilation_added(row, weights, dilation):
    return dilated_row_output.solution(row[dilation:], weights, 1)


@dilated_row_output.mistake("The place `i` is not multiplied. The steps between the weights are.")
def row_everything_times_dilation(row, weights, dilation):
    places = range(len(row) - dilation * (len(weights) - 1))
    return [sum(w * row[(i + k) * dilation] for k, w in enumerate(weights)) for i in places]


@dilated_row_output.mistake("There is no padding here: a window stays on the row.")
def row_padded_by_dilation(row, weights, dilation):
    border = [0.0] * dilation
    return dilated_row_output.solution([*border, *row, *border], weights, dilation)


@dilated_row_output.mistake("There is no padding here: the output is shorter than the row.")
def row_padded_to_its_length(row, weights, dilation):
    total = dilation * (len(weights) - 1)
    before = [0.0] * (total // 2)
    return dilated_row_output.solution(
        [*before, *row, *[0.0] * (total - total // 2)], weights, dilation
    )


@dilated_row_output.mistake("How many cells does the window span? It must fit at each place.")
def row_places_by_division(row, weights, dilation):
    places = range(len(row) // dilation)
    return [sum(w * row[i + k * dilation] for k, w in enumerate(weights)) for i in places]


def _by_index(row, weights, count, index):
    """Return the output at a number of places, with pixels whose index is wrong in one way."""
    return [sum(w * row[index(i, k)] for k, w in enumerate(weights)) for i in range(count)]


def _places(row, weights, dilation):
    return len(row) - dilation * (len(weights) - 1)


@dilated_row_output.mistake("The number of places is right. But weight k reads k steps further.")
def row_dilation_in_the_size_only(row, weights, dilation):
    return _by_index(row, weights, _places(row, weights, dilation), lambda i, k: i + k)


@dilated_row_output.mistake(
    "The last window reads behind the row: is there a place too many, or does `k` begin with 1?"
)
def row_one_place_too_many(row, weights, dilation):
    count = _places(row, weights, dilation) + 1
    return _by_index(row, weights, count, lambda i, k: i + k * dilation)


@dilated_row_output.mistake("A window that hangs over the end is no place: one is too many.")
def row_one_window_over_the_end(row, weights, dilation):
    places = range(_places(row, weights, dilation) + 1)
    windows = [row[i::dilation] for i in places]
    return [sum(w * pixel for w, pixel in zip(weights, window)) for window in windows]  # noqa: B905


_EVERY_GAP = "The dilation makes every gap wider, not only one: how many cells does a window span?"


@dilated_row_output.mistake(_EVERY_GAP)
def row_span_plus_dilation(row, weights, dilation):
    count = len(row) - (len(weights) + dilation - 1) + 1
    return _by_index(row, weights, count, lambda i, k: i + k * dilation)


@dilated_row_output.mistake(_EVERY_GAP)
def row_span_plus_dilation_with_rest(row, weights, dilation):
    places = range(max(0, len(row) - (len(weights) + dilation - 1) + 1))
    windows = [row[i::dilation] for i in places]
    return [sum(w * pixel for w, pixel in zip(weights, window)) for window in windows]  # noqa: B905


@dilated_row_output.mistake("Between k weights there are k - 1 gaps, and the first place counts.")
def row_span_times_kernel_without_one(row, weights, dilation):
    output = dilated_row_output.solution(row, weights, dilation)
    return output[: max(0, len(row) - dilation * len(weights))]


@dilated_row_output.mistake("The first window begins at the first pixel, place 0.")
def row_first_place_missing(row, weights, dilation):
    return dilated_row_output.solution(row, weights, dilation)[1:]


@dilated_row_output.mistake("Each weight takes part, from the first to the last.")
def row_last_weight_missing(row, weights, dilation):
    return dilated_row_output.solution(row, [*weights[:-1], 0.0], dilation)


@dilated_row_output.mistake("Each weight takes part, from the first to the last.")
def row_first_weight_missing(row, weights, dilation):
    return dilated_row_output.solution(row, [0.0, *weights[1:]], dilation)


@dilated_row_output.mistake("Weight k reads k times `dilation` further: the step is multiplied.")
def row_dilation_added_by_index(row, weights, dilation):
    count = _places(row, weights, dilation)
    return _by_index(row, weights, count, lambda i, k: i + k + dilation)


@dilated_row_output.mistake("The place `i` is not multiplied. The steps between the weights are.")
def row_place_times_dilation(row, weights, dilation):
    count = _places(row, weights, dilation)
    return _by_index(row, weights, count, lambda i, k: i * dilation + k)


@dilated_row_output.mistake("`dilation` is the step between weights, not the pixels left out.")
def row_gaps_in_the_index_only(row, weights, dilation):
    count = _places(row, weights, dilation)
    return _by_index(row, weights, count, lambda i, k: i + k * (dilation + 1))


@dilated_row_output.mistake("The weights go on to the right of the place: the index grows.")
def row_read_backwards(row, weights, dilation):
    count = _places(row, weights, dilation)
    return _by_index(row, weights, count, lambda i, k: i - k * dilation)


@dilated_row_output.mistake("The outputs are right, but in reverse order.")
def row_output_reversed(row, weights, dilation):
    return dilated_row_output.solution(row, weights, dilation)[::-1]


@dilated_row_output.mistake("The number of the weight is no factor of the product.")
def row_times_index(row, weights, dilation):
    return dilated_row_output.solution(row, [k * w for k, w in enumerate(weights)], dilation)


@dilated_row_output.mistake("There is no padding here: a window lies on the row wholly.")
def row_padded_fully(row, weights, dilation):
    border = [0.0] * (dilation * (len(weights) - 1))
    return dilated_row_output.solution([*border, *row, *border], weights, dilation)


@dilated_row_output.mistake("There is no padding here, and the weights are laid on as they are.")
def row_padded_and_turned(row, weights, dilation):
    return row_padded_fully(row, weights[::-1], dilation)


@dilated_row_output.mistake("There is no padding here, and the weights are laid on as they are.")
def row_padded_to_its_length_and_turned(row, weights, dilation):
    return row_padded_to_its_length(row, weights[::-1], dilation)


@dilated_row_output.mistake("There is no padding here: the output is shorter than the row.")
def row_zeros_behind(row, weights, dilation):
    output = dilated_row_output.solution(row, weights, dilation)
    return output + [0.0] * (len(row) - len(output))


@dilated_row_output.mistake("There is no padding here: a window does not go on at the other end.")
def row_circular(row, weights, dilation):
    return _by_index(row, weights, len(row), lambda i, k: (i + k * dilation) % len(row))


@dilated_row_output.mistake("The windows overlap: each begins one pixel after the one before it.")
def row_windows_side_by_side(row, weights, dilation):
    span = dilation * (len(weights) - 1) + 1
    return dilated_row_output.solution(row, weights, dilation)[::span]


@dilated_row_output.mistake("The windows overlap: each begins one pixel after the one before it.")
def row_stride_of_kernel(row, weights, dilation):
    return dilated_row_output.solution(row, weights, dilation)[:: len(weights)]


@dilated_row_output.mistake("Pixel and weight are multiplied, not added.")
def row_pixel_and_weight_added(row, weights, dilation):
    total = sum(weights)
    return [number + total for number in row_without_weights(row, weights, dilation)]


@dilated_row_output.mistake("`dilation` is the step between weights, not the pixels left out.")
def row_gaps_behind_each_weight(row, weights, dilation):
    return row_span_times_kernel(row, weights, dilation + 1)
