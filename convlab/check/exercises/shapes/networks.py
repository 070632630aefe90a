"""Exercise: the size of the map behind a network."""

from __future__ import annotations

import math
from collections.abc import Iterator
from random import Random

from convlab.check.exercise import Arguments
from convlab.check.exercises.shapes.values import chapter


def _networks(random: Random) -> Iterator[Arguments]:
    """Yield an input size and layers that fit, from the simplest on."""
    yield 8, [(3, 1, 0)]
    yield 8, [(3, 1, 1)]
    yield 9, [(3, 2, 0)]
    yield 32, [(3, 1, 0), (3, 1, 0)]
    yield 28, [(5, 1, 0), (2, 2, 0), (5, 1, 0), (2, 2, 0)]
    yield 224, [(7, 2, 3), (3, 2, 1)]
    yield 15, []
    for _ in range(60):
        size = first = random.randint(30, 300)
        layers = []
        for _ in range(random.randint(1, 5)):
            kernel_size, stride, padding = (random.randint(*x) for x in ((1, 7), (1, 3), (0, 3)))
            if size + 2 * padding >= kernel_size:
                layers.append((kernel_size, stride, padding))
                size = (size + 2 * padding - kernel_size) // stride + 1
        yield first, layers


@chapter.code(
    title="Through a whole network",
    minutes=8,
    text="A network is a list of layers, each a tuple `(kernel_size, stride, padding)`. Return the "
    "size of the map behind the last one, for an input of `size` rows.",
    cases=_networks,
    hints=[
        "The output of a layer is the input of the next one: one variable can hold both.",
        "The formula for one layer is in the chapter; here there is no dilation.",
    ],
    explanation="Times itself and the number of channels, this is the `in_features` of a "
    "linear layer behind `nn.Flatten()`.",
)
def network_size(size, layers):
    """Return the size of the map behind the last layer."""
    for kernel_size, stride, padding in layers:
        size = (size + 2 * padding - kernel_size) // stride + 1
    return size


@network_size.mistake("The padding is put at both ends of the map.")
def network_padding_once(size, layers):
    for kernel_size, stride, padding in layers:
        size = (size + padding - kernel_size) // stride + 1
    return size


@network_size.mistake("Each layer gets the output of the layer before it, not the image.")
def every_layer_sees_the_image(size, layers):
    last = size
    for kernel_size, stride, padding in layers:
        last = (size + 2 * padding - kernel_size) // stride + 1
    return last


@network_size.mistake("The window moves by `stride` cells at a time: divide by it.")
def network_stride_forgotten(size, layers):
    for kernel_size, _, padding in layers:
        size = size + 2 * padding - kernel_size + 1
    return size


@network_size.mistake("You return after the first layer: is the `return` inside of the loop?")
def returned_in_the_loop(size, layers):
    for kernel_size, stride, padding in layers:
        return (size + 2 * padding - kernel_size) // stride + 1
    return size


@network_size.mistake("The layers come in the order of the list, from the image on.")
def layers_reversed(size, layers):
    for kernel_size, stride, padding in reversed(layers):
        size = (size + 2 * padding - kernel_size) // stride + 1
    return size


@network_size.mistake("You count the steps of each window. Its first place needs no step.")
def network_steps_counted(size, layers):
    for kernel_size, stride, padding in layers:
        size = (size + 2 * padding - kernel_size) // stride
    return size


@network_size.mistake("You round up. A step that does not fit wholly is not made.")
def network_rounded_up(size, layers):
    for kernel_size, stride, padding in layers:
        size = -(-(size + 2 * padding - kernel_size) // stride) + 1
    return size


def _through(size, layers, step):
    for layer in layers:
        size = step(size, *layer)
    return size


_PARENTHESES = "`//` is done before `+` and `-`: what is to be divided needs parentheses."
_ORDER = "Each tuple is (kernel_size, stride, padding), in this order."

for _name, _hint, _step in [
    (
        "network_padding_forgotten",
        "The padding makes the map larger: it is missing.",
        lambda n, k, s, p: (n - k) // s + 1,
    ),
    (
        "network_kernel_forgotten",
        "The kernel is missing: the cells that it covers are no room for it to move.",
        lambda n, k, s, p: (n + 2 * p) // s + 1,
    ),
    (
        "network_kernel_forgotten_steps",
        "The kernel is missing: the cells that it covers are no room for it to move.",
        lambda n, k, s, p: (n + 2 * p) // s,
    ),
    (
        "network_size_by_stride",
        "Dividing by the strides is not enough: kernels and paddings count, too.",
        lambda n, k, s, p: n // s,
    ),
    (
        "network_size_by_stride_rounded_up",
        "Dividing by the strides is not enough: kernels and paddings count, too.",
        lambda n, k, s, p: -(-n // s),
    ),
    (
        "network_as_float",
        "A size is an int, and `/` gives a float. Which operator rounds down?",
        lambda n, k, s, p: (n + 2 * p - k) / s + 1,
    ),
    ("network_kernel_divided", _PARENTHESES, lambda n, k, s, p: n + 2 * p - k // s + 1),
    (
        "network_size_divided",
        "All cells that the window can move are divided by the stride: not the size alone.",
        lambda n, k, s, p: n // s + 2 * p - k + 1,
    ),
    (
        "network_padding_after_division",
        "The map is padded first: the padding belongs to what is divided by the stride.",
        lambda n, k, s, p: (n - k) // s + 1 + 2 * p,
    ),
    (
        "network_padding_once_after_division",
        "The map is padded first, at both ends: that belongs to what is divided by the stride.",
        lambda n, k, s, p: (n - k) // s + 1 + p,
    ),
    (
        "network_stride_and_one_divide",
        "The 1 is added after the division: it does not divide.",
        lambda n, k, s, p: (n + 2 * p - k) // (s + 1),
    ),
    (
        "network_stride_multiplies",
        "A larger stride makes the map smaller: it divides.",
        lambda n, k, s, p: (n + 2 * p - k) * s + 1,
    ),
    (
        "network_one_added_first",
        "Divide the cells that the window can move by the stride; add 1 after that.",
        lambda n, k, s, p: (n + 2 * p - k + 1) // s,
    ),
    (
        "network_one_too_many",
        "In each layer you count one place too many.",
        lambda n, k, s, p: (n + 2 * p - k + 1) // s + 1,
    ),
    (
        "network_steps_rounded_up",
        "Where the strides fit exactly a place is missing: round down, then add the first place.",
        lambda n, k, s, p: -(-(n + 2 * p - k) // s),
    ),
    (
        "network_rounded_to_the_nearest",
        "`round` goes up or down. A step that does not fit wholly is not made.",
        lambda n, k, s, p: round((n + 2 * p - k) / s) + 1,
    ),
    (
        "network_padding_subtracted",
        "The padding makes the map larger, not smaller.",
        lambda n, k, s, p: (n - 2 * p - k) // s + 1,
    ),
    (
        "network_padding_of_half_a_kernel",
        "The padding is given: it is not always half of the kernel.",
        lambda n, k, s, p: (n + 2 * (k // 2) - k) // s + 1,
    ),
    (
        "network_stride_and_padding_ignored",
        "That is a layer with the default arguments. What do stride and padding change?",
        lambda n, k, s, p: n - k + 1,
    ),
    (
        "network_remainder",
        "`%` is the remainder of a division. How many whole strides are there?",
        lambda n, k, s, p: (n + 2 * p - k) % s + 1,
    ),
    ("network_padding_before_stride", _ORDER, lambda n, k, p, s: (n + 2 * p - k) // s + 1),
    ("network_stride_before_kernel", _ORDER, lambda n, s, k, p: (n + 2 * p - k) // s + 1),
    (
        "network_sizes_added",
        "Each size takes the place of the one before it: they are not added.",
        lambda n, k, s, p: n + (n + 2 * p - k) // s + 1,
    ),
]:

    def _wrong_step(size, layers, step=_step):
        return _through(size, layers, step)

    _wrong_step.__name__ = _name
    network_size.mistake(_hint)(_wrong_step)


@network_size.mistake("The first layer of the list is left out.")
def first_layer_left_out(size, layers):
    return network_size.solution(size, layers[1:])


@network_size.mistake(
    "The last layer of the list is left out: the end of a `range` is not reached."
)
def last_layer_left_out(size, layers):
    return network_size.solution(size, layers[:-1])


@network_size.mistake("Layers do not become one by adding them up: go through one after the other.")
def all_layers_as_one(size, layers):
    stride = math.prod(layer[1] for layer in layers)
    kernel_size, padding = (sum(layer[place] for layer in layers) for place in (0, 2))
    return (size + 2 * padding - kernel_size) // stride + 1


@network_size.mistake("The 1 for the first place is added in each layer, not once at the end.")
def one_added_at_the_end(size, layers):
    return _through(size, layers, lambda n, k, s, p: (n + 2 * p - k) // s) + 1


@network_size.mistake("Only the size behind the last layer is asked for: one int.")
def all_sizes(size, layers):
    return [network_size.solution(size, layers[: i + 1]) for i in range(len(layers))]


@network_size.mistake("Only the size behind the last layer is asked for: one int.")
def all_sizes_from_the_image_on(size, layers):
    return [network_size.solution(size, layers[:i]) for i in range(len(layers) + 1)]


@network_size.mistake("One number is asked for: the rows.")
def rows_and_columns(size, layers):
    return (network_size.solution(size, layers),) * 2


@network_size.mistake("One number is asked for: the rows, not all cells of the map.")
def cells_of_the_map(size, layers):
    return network_size.solution(size, layers) ** 2


@network_size.mistake(
    "That is how much of the image one cell of the last map sees. The size of the map is asked."
)
def receptive_field_instead(size, layers):
    field = jump = 1
    for kernel_size, stride, _ in layers:
        field += (kernel_size - 1) * jump
        jump *= stride
    return field


@network_size.mistake("Without layers the input is the output: what is returned for an empty list?")
def empty_list_forgotten(size, layers):
    return network_size.solution(size, layers) if layers else None


@network_size.mistake("The size behind the last layer is asked for, not the sum of all sizes.")
def all_sizes_added(size, layers):
    return sum(all_sizes(size, layers))


@network_size.mistake("The size behind the last layer is asked for, not the sum of all sizes.")
def every_layer_sees_the_image_and_all_are_added(size, layers):
    return sum(network_size.solution(size, [layer]) for layer in layers)


@network_size.mistake("Each layer has its own numbers: you use those of the first one for all.")
def first_layer_for_all(size, layers):
    return network_size.solution(size, layers[:1] * len(layers))
