"""Exercises on output sizes."""

from __future__ import annotations

import math
from collections.abc import Iterator
from random import Random
from typing import Any

from convlab.check.exercise import Arguments, Chapter
from convlab.shapes import conv2d_output_size

chapter = Chapter("shapes")

chapter.value(
    "count_places",
    title="Count the places",
    minutes=2,
    text="A row has 10 cells. A window of 4 cells moves over it, one cell at a time. At how many "
    "places can it stand?",
    answer=conv2d_output_size(10, 4)[0],
    hints=[
        "At its first place the window begins at cell 0. At which cell does it begin at its last?",
        "It may begin at cells 0, 1, ..., 10 - 4.",
    ],
    explanation="Both ends count: 6 steps lead through 7 places.",
    mistakes=[
        ("steps_counted", 10 - 4, "That is the number of steps. There is one place more."),
        ("window_as_stride", 10 // 4, "The window moves by one cell, so its places overlap."),
        ("window_passes_the_end", 10, "A window that begins at the last cell does not fit."),
    ],
)

chapter.value(
    "size_by_hand",
    title="A size by hand",
    minutes=3,
    text="An image has 64 rows. A layer has `kernel_size=7`, `stride=3` and `padding=5`. How many "
    "rows has its output?",
    answer=conv2d_output_size(64, 7, stride=3, padding=5)[0],
    hints=[
        "How many rows has the padded image?",
        "Divide the rows that the window can move down by the stride, and round down.",
    ],
    explanation="The padded image has 74 rows. The window can move down by 67, which are 22 whole "
    "strides, so it has 23 places.",
    mistakes=[
        ("padding_once", (64 + 5 - 7) // 3 + 1, "The padding is put above and below the image."),
        ("padding_forgotten", (64 - 7) // 3 + 1, "The padding makes the image higher."),
        ("steps_counted", (64 + 2 * 5 - 7) // 3, "Those are the steps. Count the places."),
        (
            "rounded_up",
            math.ceil((64 + 2 * 5 - 7) / 3) + 1,
            "Half a step is not made.",
        ),
        ("stride_forgotten", 64 + 2 * 5 - 7 + 1, "The window moves by 3 rows at a time."),
    ],
)

chapter.value(
    "predict_shape",
    title="Predict: the shape of an output",
    minutes=3,
    text="What does this print?",
    code="layer = nn.Conv2d(3, 16, kernel_size=3, stride=2, dilation=3)\n"
    "print(layer(torch.zeros(8, 3, 32, 32)).shape)",
    answer=(8, 16, *conv2d_output_size(32, 3, stride=2, dilation=3)),
    hints=[
        "The batch passes through, and the channels become `out_channels`.",
        "How many cells does a kernel of 3 span with dilation 3?",
    ],
    explanation="The window spans 3 · (3 - 1) + 1 = 7 cells. The other 25 are 12 whole strides.",
    mistakes=[
        ("dilation_forgotten", (8, 16, 15, 15), "How many cells does the window span?"),
        ("dilation_times_kernel", (8, 16, 12, 12), "Between 3 weights there are 2 gaps, not 3."),
        ("rounded_up", (8, 16, 14, 14), "Half a step is no step: round down."),
        ("channels_kept", (8, 3, 13, 13), "The output has `out_channels` channels."),
        ("batch_lost", (16, 13, 13), "The batch passes through."),
    ],
)


def _settings(random: Random) -> Iterator[Arguments]:
    """Yield arguments of a window that fits, from the simplest on."""
    yield from [(5, 3, 1, 0, 1), (8, 3, 2, 0, 1), (5, 3, 1, 1, 1), (7, 3, 1, 0, 2), (7, 2, 3, 1, 2)]
    yield from [(224, 7, 2, 3, 1), (224, 3, 2, 1, 1), (227, 11, 4, 2, 1), (32, 3, 1, 2, 2)]
    for _ in range(200):
        kernel_size, dilation = random.randint(1, 7), random.randint(1, 4)
        padding, stride = random.randint(0, 4), random.randint(1, 5)
        least = max(1, dilation * (kernel_size - 1) + 1 - 2 * padding)
        yield random.randint(least, least + 30), kernel_size, stride, padding, dilation


@chapter.code(
    title="The size of the output",
    minutes=6,
    text="Write the formula as a function: the number of cells along one axis of the output of a "
    "convolution. All arguments are ints, `padding` is put at each end, and the window fits.",
    cases=_settings,
    hints=[
        "How many cells does the window span, and how many has the padded row?",
        "By how many cells can the window move, how many strides are that, and how many places?",
        "`//` divides and rounds down.",
    ],
    explanation="The same function serves convolution and pooling, height and width.",
)
def output_size(size, kernel_size, stride, padding, dilation):
    """Return the size of the output along one axis."""
    span = dilation * (kernel_size - 1) + 1
    return (size + 2 * padding - span) // stride + 1


@output_size.mistake("A window with a dilation spans more cells than `kernel_size`.")
def dilation_forgotten(size, kernel_size, stride, padding, dilation):
    return (size + 2 * padding - kernel_size) // stride + 1


@output_size.mistake("Between the weights there is one gap fewer than there are weights.")
def dilation_times_kernel(size, kernel_size, stride, padding, dilation):
    return (size + 2 * padding - dilation * kernel_size) // stride + 1


@output_size.mistake("The padding is put at both ends of the row.")
def padding_once(size, kernel_size, stride, padding, dilation):
    return (size + padding - dilation * (kernel_size - 1) - 1) // stride + 1


@output_size.mistake("The padding makes the row longer: it is missing in your sum.")
def padding_forgotten(size, kernel_size, stride, padding, dilation):
    return (size - dilation * (kernel_size - 1) - 1) // stride + 1


@output_size.mistake("You count the steps. The first place needs no step.")
def steps_counted(size, kernel_size, stride, padding, dilation):
    return (size + 2 * padding - dilation * (kernel_size - 1) - 1) // stride


@output_size.mistake("A step that does not fit wholly is not made: round down, not up.")
def rounded_up(size, kernel_size, stride, padding, dilation):
    return math.ceil((size + 2 * padding - dilation * (kernel_size - 1) - 1) / stride) + 1


@output_size.mistake("A size is a whole number, and `/` gives a fraction. How is it rounded down?")
def floor_missing(size, kernel_size, stride, padding, dilation):
    return (size + 2 * padding - dilation * (kernel_size - 1) - 1) / stride + 1


@output_size.mistake("The window moves by `stride` cells at a time: it is missing in your sum.")
def stride_forgotten(size, kernel_size, stride, padding, dilation):
    return size + 2 * padding - dilation * (kernel_size - 1)


@output_size.mistake("Divide the cells that the window can move by the stride; add 1 after that.")
def one_added_first(size, kernel_size, stride, padding, dilation):
    return (size + 2 * padding - dilation * (kernel_size - 1)) // stride


def _windows(random: Random) -> Iterator[Arguments]:
    """Yield kernel sizes and dilations, from the simplest on."""
    for dilation in (1, 2, 3, 4, 7):
        for kernel_size in (1, 2, 3, 4, 5, 6, 7, 11):
            yield kernel_size, dilation


@chapter.code(
    title="The padding that keeps the size",
    minutes=6,
    text="`padding='same'` with stride 1 gives an output as long as the input. Return how many "
    "cells PyTorch puts before and after the row, as a pair. Where the number is odd, the odd one "
    "comes after.",
    cases=_windows,
    hints=[
        "How many cells does the window span, and how many places does a row lose without padding?",
        "Split that number into two halves. Which is the smaller one?",
    ],
    explanation="Only an even kernel with an odd dilation makes the number odd.",
)
def same_padding(kernel_size, dilation):
    """Return the numbers of cells before and after the row."""
    total = dilation * (kernel_size - 1)
    return total // 2, total - total // 2


@same_padding.mistake("Where the number is odd, the larger half comes after the row.")
def odd_cell_before(kernel_size, dilation):
    total = dilation * (kernel_size - 1)
    return total - total // 2, total // 2


@same_padding.mistake("The dilation makes the window span more cells: is it in your sum?")
def same_dilation_forgotten(kernel_size, dilation):
    total = kernel_size - 1
    return total // 2, total - total // 2


@same_padding.mistake("For an even kernel the two halves differ by one cell.")
def halves_equal(kernel_size, dilation):
    return dilation * (kernel_size - 1) // 2, dilation * (kernel_size - 1) // 2


@same_padding.mistake("That is half of the kernel. How many places does a row lose?")
def half_kernel(kernel_size, dilation):
    return kernel_size // 2, kernel_size // 2


@same_padding.mistake("Between the weights there is one gap fewer than there are weights.")
def same_dilation_times_kernel(kernel_size, dilation):
    total = dilation * kernel_size - 1
    return total // 2, total - total // 2


@same_padding.mistake("You return the number for both ends together. It is shared between them.")
def not_halved(kernel_size, dilation):
    return dilation * (kernel_size - 1), dilation * (kernel_size - 1)


def _keeps_the_size(answer: Any) -> str | None:
    """Return what is wrong with a kernel size and dilation that should not keep the size."""
    kernel_size, dilation = answer
    size = conv2d_output_size(100, kernel_size, padding=kernel_size // 2, dilation=dilation)[0]
    return "the output has 100 cells, as the input" if size == 100 else None


chapter.search(
    "break_half_kernel",
    title="Break it: half a kernel of padding",
    minutes=4,
    text='Somebody writes `padding=kernel_size // 2` into every layer with stride 1, "so that the '
    'size stays". Give a pair `(kernel_size, dilation)` with which it changes. Both are ints.',
    objection=_keeps_the_size,
    example=(3, 2),
    hints=[
        "By how much must the padded row be longer than the input?",
        "Try a kernel that has no middle, or a window that spans more than `kernel_size` cells.",
    ],
    explanation="It holds for odd kernels without dilation only. `padding='same'` always holds.",
    mistakes=[
        ("odd_kernel", (3, 1), "With an odd kernel and no dilation, the recipe is right."),
        ("larger_odd_kernel", (5, 1), "With an odd kernel and no dilation, the recipe is right."),
        ("single_cell", (1, 1), "A kernel of one cell needs no padding, and the recipe adds none."),
    ],
)


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
    explanation="Times its own square and the number of channels, this is the `in_features` of a "
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


@network_size.mistake("A step that does not fit wholly is not made: round down, not up.")
def network_rounded_up(size, layers):
    for kernel_size, stride, padding in layers:
        size = -(-(size + 2 * padding - kernel_size) // stride) + 1
    return size
