"""Exercise: the shape of the weight."""

from __future__ import annotations

import math
from collections.abc import Iterator
from random import Random

from convlab.check.exercise import Arguments
from convlab.check.exercises.parameters.values import chapter


def _shapes(random: Random) -> Iterator[Arguments]:
    """Yield channels, kernel sizes and groups, from the simplest on."""
    yield from [(2, 5, (3, 4), 1), (2, 5, 3, 1), (6, 8, (1, 3), 2), (6, 3, 5, 3)]
    for _ in range(60):
        groups = random.randint(1, 4)
        channels, kernels = groups * random.randint(1, 6), groups * random.randint(1, 6)
        rows, columns = random.randint(1, 7), random.randint(1, 7)
        yield channels, kernels, random.choice([rows, (rows, columns)]), groups


@chapter.code(
    title="The shape of the weight",
    minutes=6,
    text="Return the shape of the weight as a tuple of four ints. `kernel_size` is an int, for "
    "both directions, or a pair `(height, width)`.",
    cases=_shapes,
    hints=[
        "Make a pair of `kernel_size` first, if it is none: `isinstance(kernel_size, int)`.",
        "Kernels, slices, rows, columns. Which of these do groups divide?",
    ],
    explanation="PyTorch does the same with a function `_pair`: afterwards there are pairs only.",
)
def weight_shape(in_channels, out_channels, kernel_size, groups):
    """Return the shape of the weight of a layer."""
    if isinstance(kernel_size, int):
        kernel_size = (kernel_size, kernel_size)
    return (out_channels, in_channels // groups, *kernel_size)


@weight_shape.mistake("The constructor says in, out. The weight is stored out, in.")
def shape_in_out(in_channels, out_channels, kernel_size, groups):
    out, depth, *sides = weight_shape.solution(in_channels, out_channels, kernel_size, groups)
    return (depth, out, *sides)


@weight_shape.mistake("The weight is stored out, in; and groups divide the input channels.")
def shape_in_out_divided_by_groups(in_channels, out_channels, kernel_size, groups):
    return weight_shape.solution(out_channels, in_channels, kernel_size, groups)


@weight_shape.mistake("A kernel reads the channels of its group only: how many slices has it?")
def shape_without_groups(in_channels, out_channels, kernel_size, groups):
    return weight_shape.solution(in_channels, out_channels, kernel_size, 1)


@weight_shape.mistake("There are `out_channels` kernels in all. What do groups divide?")
def shape_kernels_divided(in_channels, out_channels, kernel_size, groups):
    _, depth, *sides = weight_shape.solution(in_channels, out_channels, kernel_size, 1)
    return (out_channels // groups, depth, *sides)


@weight_shape.mistake("There are `out_channels` kernels in all. Groups divide the slices only.")
def shape_both_divided(in_channels, out_channels, kernel_size, groups):
    _, depth, *sides = weight_shape.solution(in_channels, out_channels, kernel_size, groups)
    return (out_channels // groups, depth, *sides)


@weight_shape.mistake("`kernel_size` may be a pair. Its two numbers are two axes of the shape.")
def shape_pair_not_unpacked(in_channels, out_channels, kernel_size, groups):
    return (out_channels, in_channels // groups, kernel_size, kernel_size)


@weight_shape.mistake("`kernel_size` may be an int. Then it holds for both directions.")
def shape_int_not_allowed(in_channels, out_channels, kernel_size, groups):
    return (out_channels, in_channels // groups, kernel_size[0], kernel_size[1])


@weight_shape.mistake("An int makes two axes of the shape, too: rows and columns.")
def shape_int_once(in_channels, out_channels, kernel_size, groups):
    sides = (kernel_size,) if isinstance(kernel_size, int) else kernel_size
    return (out_channels, in_channels // groups, *sides)


@weight_shape.mistake("A pair is (height, width), and the rows come first in the shape.")
def shape_width_first(in_channels, out_channels, kernel_size, groups):
    out, depth, rows, columns = weight_shape.solution(
        in_channels, out_channels, kernel_size, groups
    )
    return (out, depth, columns, rows)


@weight_shape.mistake("The groups have no axis of their own: four numbers are asked for.")
def shape_with_axis_for_groups(in_channels, out_channels, kernel_size, groups):
    out, depth, *sides = weight_shape.solution(in_channels, out_channels, kernel_size, groups)
    return (groups, out // groups, depth, *sides)


@weight_shape.mistake("The axes are asked for, not the number of all weights.")
def shape_multiplied(in_channels, out_channels, kernel_size, groups):
    return math.prod(weight_shape.solution(in_channels, out_channels, kernel_size, groups))


@weight_shape.mistake("A size is an int, and `/` gives a float.")
def shape_with_float(in_channels, out_channels, kernel_size, groups):
    out, _, *sides = weight_shape.solution(in_channels, out_channels, kernel_size, groups)
    return (out, in_channels / groups, *sides)


@weight_shape.mistake("Rows and columns are two numbers of the shape: no pair stands in it.")
def shape_with_pair_inside(in_channels, out_channels, kernel_size, groups):
    out, depth, *sides = weight_shape.solution(in_channels, out_channels, kernel_size, groups)
    return (out, depth, tuple(sides))


@weight_shape.mistake("Rows and columns are two numbers of the shape, whatever `kernel_size` is.")
def shape_with_kernel_size_as_given(in_channels, out_channels, kernel_size, groups):
    return (out_channels, in_channels // groups, kernel_size)


@weight_shape.mistake("Both numbers of the pair are needed. You use one of them twice.")
def shape_first_of_pair_twice(in_channels, out_channels, kernel_size, groups):
    out, depth, rows, _ = weight_shape.solution(in_channels, out_channels, kernel_size, groups)
    return (out, depth, rows, rows)


@weight_shape.mistake(
    "PyTorch stores the kernels first, then their slices; rows and columns follow."
)
def shape_kernel_size_first(in_channels, out_channels, kernel_size, groups):
    out, depth, *sides = weight_shape.solution(in_channels, out_channels, kernel_size, groups)
    return (*sides, depth, out)


@weight_shape.mistake("PyTorch stores the slices before their rows and columns.")
def shape_channels_last(in_channels, out_channels, kernel_size, groups):
    out, depth, *sides = weight_shape.solution(in_channels, out_channels, kernel_size, groups)
    return (out, *sides, depth)


@weight_shape.mistake("The weight has no axis for the images: the kernels serve all of them.")
def shape_with_batch_axis(in_channels, out_channels, kernel_size, groups):
    return (1, *weight_shape.solution(in_channels, out_channels, kernel_size, groups))


@weight_shape.mistake("More groups leave a kernel with fewer slices, not more.")
def shape_groups_multiply(in_channels, out_channels, kernel_size, groups):
    return weight_shape.solution(in_channels * groups * groups, out_channels, kernel_size, groups)


@weight_shape.mistake("The weight is stored out, in; and groups divide the input channels.")
def shape_in_out_without_groups(in_channels, out_channels, kernel_size, groups):
    return weight_shape.solution(out_channels, in_channels, kernel_size, 1)


@weight_shape.mistake("The kernels come first: how many are there? The groups have no axis.")
def shape_groups_first(in_channels, out_channels, kernel_size, groups):
    return (groups, *weight_shape.solution(in_channels, out_channels, kernel_size, groups)[1:])


@weight_shape.mistake("Rows and columns are axes of their own: they are not multiplied.")
def shape_sides_multiplied(in_channels, out_channels, kernel_size, groups):
    out, depth, *sides = weight_shape.solution(in_channels, out_channels, kernel_size, groups)
    return (out, depth, math.prod(sides))


@weight_shape.mistake("A tuple of ints is asked for, not its text.")
def shape_as_text(in_channels, out_channels, kernel_size, groups):
    return str(weight_shape.solution(in_channels, out_channels, kernel_size, groups))


@weight_shape.mistake("The weight is stored out, in; and the two numbers of a pair are two axes.")
def shape_in_out_pair_not_unpacked(in_channels, out_channels, kernel_size, groups):
    return (in_channels, out_channels, kernel_size, kernel_size)


_INT = "An int holds for both directions: as many columns as rows."

for _name, _hint, _shape_of_int in [
    ("int_and_one", _INT, lambda out, depth, k, g: (out, depth, k, 1)),
    ("one_and_int", _INT, lambda out, depth, k, g: (out, depth, 1, k)),
    ("int_as_zero", _INT, lambda out, depth, k, g: (out, depth, k, 0)),
]:

    def _wrong_for_ints(in_channels, out_channels, kernel_size, groups, shape=_shape_of_int):
        if isinstance(kernel_size, int):
            return shape(out_channels, in_channels // groups, kernel_size, groups)
        return weight_shape.solution(in_channels, out_channels, kernel_size, groups)

    _wrong_for_ints.__name__ = _name
    weight_shape.mistake(_hint)(_wrong_for_ints)

_SLICES = "The second number: how many channels does a kernel read, those of one group?"

for _name, _hint, _shape in [
    ("groups_second", _SLICES, lambda i, o, g, rows, columns: (o, g, rows, columns)),
    ("one_slice", _SLICES, lambda i, o, g, rows, columns: (o, 1, rows, columns)),
    (
        "groups_as_depthwise",
        "Only as many groups as input channels leave one slice. With fewer, how many?",
        lambda i, o, g, rows, columns: (o, 1 if g > 1 else i, rows, columns),
    ),
    (
        "kernels_second",
        "The second number is about the input: how many channels does a kernel read?",
        lambda i, o, g, rows, columns: (o, o // g, rows, columns),
    ),
    (
        "inputs_twice",
        "The first number is about the output: how many kernels are there?",
        lambda i, o, g, rows, columns: (i, i // g, rows, columns),
    ),
    (
        "out_multiplied_by_groups",
        "There are `out_channels` kernels in all, whatever the groups.",
        lambda i, o, g, rows, columns: (o * g, i // g, rows, columns),
    ),
    (
        "channels_subtracted",
        "Groups divide the channels.",
        lambda i, o, g, rows, columns: (o, i - g + 1, rows, columns),
    ),
    (
        "remainder_second",
        "`%` is the remainder of a division. How many channels has a group?",
        lambda i, o, g, rows, columns: (o, i % g, rows, columns),
    ),
    (
        "in_out_both_divided",
        "The weight is stored out, in; and groups divide the input channels only.",
        lambda i, o, g, rows, columns: (i // g, o // g, rows, columns),
    ),
    (
        "second_of_pair_twice",
        "Both numbers of the pair are needed. You use one of them twice.",
        lambda i, o, g, rows, columns: (o, i // g, columns, columns),
    ),
    (
        "sides_only",
        "Four numbers are asked for: the channels of the output and of a group come first.",
        lambda i, o, g, rows, columns: (rows, columns),
    ),
    (
        "channels_only",
        "Four numbers are asked for: rows and columns of a slice come after the channels.",
        lambda i, o, g, rows, columns: (o, i // g),
    ),
    (
        "one_kernel",
        "That is one kernel. The weight holds all of them: four numbers.",
        lambda i, o, g, rows, columns: (i // g, rows, columns),
    ),
    (
        "sides_before_kernels",
        "PyTorch stores the kernels first, then their slices; rows and columns follow.",
        lambda i, o, g, rows, columns: (rows, columns, o, i // g),
    ),
    (
        "sides_squared",
        "Rows and columns are the two numbers of `kernel_size`: they are not squared.",
        lambda i, o, g, rows, columns: (o, i // g, rows**2, columns**2),
    ),
    (
        "bias_counted",
        "The biases have a tensor of their own: they are no slice of the weight.",
        lambda i, o, g, rows, columns: (o, i // g + 1, rows, columns),
    ),
]:

    def _wrong_shape(in_channels, out_channels, kernel_size, groups, shape=_shape):
        pair = weight_shape.solution(in_channels, out_channels, kernel_size, groups)[2:]
        return shape(in_channels, out_channels, groups, *pair)

    _wrong_shape.__name__ = _name
    weight_shape.mistake(_hint)(_wrong_shape)
