"""Exercise: the receptive field."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from convlab.check.exercise import Arguments
from convlab.check.exercises.dilation.values import chapter


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
    "The order is turned around: a stride counts for the layers that come later in the list."
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


@receptive_field.mistake(
    "Strides make the steps of later layers longer. The size so far is not multiplied."
)
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


@receptive_field.mistake("The jump grows with each stride: multiply.")
def field_jump_divided(layers):
    size, jump = 1, 1
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


@receptive_field.mistake("`dilation` is the step between weights, not the cells left out.")
def field_dilation_less_one(layers):
    return receptive_field.solution([(k, stride, d - 1) for k, stride, d in layers])


@receptive_field.mistake("`dilation` is the step between weights, not the cells left out.")
def field_dilation_and_one(layers):
    return receptive_field.solution([(k, stride, d + 1) for k, stride, d in layers])


@receptive_field.mistake("The windows of neighbouring cells overlap: a layer adds k - 1 steps.")
def field_kernels_added(layers):
    return sum(k for k, _, _ in layers)


@receptive_field.mistake("The windows of neighbouring cells overlap: sizes are added, in jumps.")
def field_kernels_multiplied(layers):
    size = 1
    for kernel_size, _, _ in layers:
        size *= kernel_size
    return size


@receptive_field.mistake(
    "A stride makes the jump longer for the layers behind, not the field itself."
)
def field_multiplied_by_stride(layers):
    size = 1
    for kernel_size, stride, dilation in layers:
        size = (size + dilation * (kernel_size - 1)) * stride
    return size


@receptive_field.mistake("Before any layer, a cell is a pixel: the jump begins with 1.")
def field_jump_begins_with_zero(layers):
    return 1


@receptive_field.mistake("Dilation and kernel - 1 are multiplied: so far it is to the last weight.")
def field_dilation_added(layers):
    size, jump = 1, 1
    for kernel_size, stride, dilation in layers:
        size += (dilation + kernel_size - 1) * jump
        jump *= stride
    return size


@receptive_field.mistake(
    "A stride widens the view of the layers behind, and a dilation counts, too."
)
def field_own_stride_without_dilation(layers):
    return field_own_stride([(k, stride, 1) for k, stride, _ in layers])


@receptive_field.mistake("Strides and dilations are missing: both pull apart what is seen.")
def field_kernels_only(layers):
    return 1 + sum(k - 1 for k, _, _ in layers)


@receptive_field.mistake("Dilation makes every gap wider, not only one: how many gaps are there?")
def field_dilation_once(layers):
    size, jump = 1, 1
    for kernel_size, stride, dilation in layers:
        size += (kernel_size + dilation - 2) * jump
        jump *= stride
    return size


def _backwards(layers, before):
    """Return the size that comes out from the last layer to the first."""
    size = 1
    for kernel_size, stride, dilation in reversed(layers):
        size = before(size, kernel_size, stride, dilation)
    return size


@receptive_field.mistake("r cells that are s apart span (r - 1) * s + 1 cells, not r * s.")
def field_backwards_without_minus_one(layers):
    return _backwards(layers, lambda r, k, s, d: r * s + d * (k - 1))


@receptive_field.mistake("r cells that are s apart span (r - 1) * s + 1 cells, not r * s.")
def field_backwards_by_kernel(layers):
    return _backwards(layers, lambda r, k, s, d: r * s + d * (k - 1) + 1)


@receptive_field.mistake("The number of steps is multiplied, r - 1, and the window comes on top.")
def field_backwards_steps_only(layers):
    return _backwards(layers, lambda r, k, s, d: (r - 1) * s + d * (k - 1))


@receptive_field.mistake("Dilation multiplies the k - 1 gaps, but not the stride.")
def field_backwards_stride_dilated(layers):
    return _backwards(layers, lambda r, k, s, d: r * s + d * (k - s))


@receptive_field.mistake(
    "A layer adds its steps, dilation · (k - 1). Its first cell is there already."
)
def field_span_not_reduced(layers):
    size, jump = 1, 1
    for kernel_size, stride, dilation in layers:
        size += (dilation * (kernel_size - 1) + 1) * jump
        jump *= stride
    return size


@receptive_field.mistake("From the first to the last of k cells there are k - 1 steps.")
def field_kernel_not_reduced_from_zero(layers):
    return receptive_field.solution([(k + 1, stride, d) for k, stride, d in layers]) - 1


@receptive_field.mistake("A window has k cells, and so k - 1 steps: for even k, too.")
def field_half_kernels(layers):
    return receptive_field.solution([(k // 2 * 2 + 1, stride, d) for k, stride, d in layers])


@receptive_field.mistake("A window reaches from its first to its last cell, on both sides.")
def field_one_half_of_kernels(layers):
    return receptive_field.solution([(k // 2 + 1, stride, d) for k, stride, d in layers])


@receptive_field.mistake("A stride counts for the layers behind it only, not for all.")
def field_all_strides_for_all(layers):
    return 1 + (field_strides_forgotten(layers) - 1) * field_jump_returned(layers)


@receptive_field.mistake("Each layer has a stride of its own: multiply those before it.")
def field_powers_of_stride(layers):
    steps = (d * (k - 1) * s**i for i, (k, s, d) in enumerate(layers))
    return 1 + sum(steps)


@receptive_field.mistake("A layer is widened by the strides before it, not by its own.")
def field_stride_of_this_and_last(layers):
    return (
        1
        + sum(d * (k - 1) * s for k, s, d in layers[1:])
        + sum(d * (k - 1) for k, _, d in layers[:1])
    )


@receptive_field.mistake("The first layer has a dilation, too: begin with size 1, before it.")
def field_first_dilation_forgotten(layers):
    kernel_size, stride, _ = layers[0]
    return receptive_field.solution([(kernel_size, stride, 1), *layers[1:]])


@receptive_field.mistake("The stride of the first layer counts for those behind it, too.")
def field_first_stride_forgotten(layers):
    return receptive_field.solution([(k, s if i else 1, d) for i, (k, s, d) in enumerate(layers)])


@receptive_field.mistake("The last layer is missing: it adds its steps, too.")
def field_without_last_layer(layers):
    return receptive_field.solution(layers[:-1])


@receptive_field.mistake("The first layer counts, too: before it, the size is 1.")
def field_without_first_layer(layers):
    return receptive_field.solution(layers[1:])


@receptive_field.mistake("One number is asked for: the field of a cell of the last map.")
def field_of_each_layer(layers):
    return [receptive_field.solution(layers[: i + 1]) for i in range(len(layers))]


@receptive_field.mistake("From the first to the last of k cells there are k - 1 steps, not k + 1.")
def field_kernel_enlarged(layers):
    return receptive_field.solution([(k + 2, stride, d) for k, stride, d in layers])


@receptive_field.mistake("A pixel sees itself: the size begins with 1, and that is counted once.")
def field_one_too_large(layers):
    return receptive_field.solution(layers) + 1


@receptive_field.mistake("Dilation is a factor of the gaps: it makes them wider, not fewer.")
def field_divided_by_dilation(layers):
    size, jump = 1, 1
    for kernel_size, stride, dilation in layers:
        size += (kernel_size - 1) * jump // dilation
        jump *= stride
    return size


@receptive_field.mistake(
    "The jump is the product of the strides. The dilation of a layer is its own."
)
def field_jump_of_dilations(layers):
    size, jump = 1, 1
    for kernel_size, _, dilation in layers:
        size += dilation * (kernel_size - 1) * jump
        jump *= dilation
    return size


@receptive_field.mistake("The jump is multiplied by the stride: a kernel makes no step longer.")
def field_jump_of_kernels(layers):
    size, jump = 1, 1
    for kernel_size, _, dilation in layers:
        size += dilation * (kernel_size - 1) * jump
        jump *= kernel_size
    return size


@receptive_field.mistake(
    "A stride takes nothing away: it makes the steps of the layers behind longer."
)
def field_stride_subtracted(layers):
    return 1 + sum(d * (k - 1) - (s - 1) for k, s, d in layers)


@receptive_field.mistake("Strides multiply. You add them.")
def field_sum_of_strides(layers):
    steps = (
        d * (k - 1) * max(1, sum(s for _, s, _ in layers[:i])) for i, (k, _, d) in enumerate(layers)
    )
    return 1 + sum(steps)


@receptive_field.mistake("A stride makes the view wider, not smaller: it makes later steps longer.")
def field_divided_by_stride(layers):
    size = 1
    for kernel_size, stride, dilation in layers:
        size = (size + dilation * (kernel_size - 1)) // stride
    return size
