"""Exercises on the arguments of the layer, and on what it learns."""

from __future__ import annotations

import math
from collections.abc import Iterator
from random import Random
from typing import Any

from convlab.check.exercise import Arguments, Chapter
from convlab.shapes import conv2d_num_parameters, conv2d_weight_shape

chapter = Chapter("parameters")

chapter.value(
    "count_parameters",
    title="Count the parameters",
    minutes=3,
    text="How many numbers does `nn.Conv2d(6, 10, kernel_size=(5, 3))` learn?",
    answer=conv2d_num_parameters(6, 10, (5, 3)),
    hints=[
        "How many kernels are there, and how many slices has each?",
        "A slice has 5 rows and 3 columns. What comes besides, for each kernel?",
    ],
    explanation="10 kernels of 6 slices with 15 numbers each, and 10 biases.",
    mistakes=[
        ("bias_forgotten", 10 * 6 * 15, "Those are the weights. `bias` is True by default."),
        ("channels_forgotten", 10 * (15 + 1), "Every kernel has a slice for each input channel."),
        ("kernels_forgotten", 6 * 15 + 1, "That is one kernel. How many are there?"),
        ("one_bias", 10 * 6 * 15 + 1, "There is more than one bias."),
        ("bias_per_channel", 10 * 6 * 15 + 6, "The biases belong to the kernels, not the inputs."),
        ("bias_per_slice", 10 * 6 * (15 + 1), "The bias belongs to the kernel, not to each slice."),
        ("square_of_rows", conv2d_num_parameters(6, 10, 5), "A slice has 5 rows and 3 columns."),
        ("square_of_columns", conv2d_num_parameters(6, 10, 3), "A slice has 5 rows and 3 columns."),
        ("sides_added", 10 * (6 * (5 + 3) + 1), "A slice of 5 rows and 3 columns: how many cells?"),
    ],
)

chapter.value(
    "bias_share",
    title="What bias and groups change",
    minutes=4,
    text="A layer `nn.Conv2d(16, 32, kernel_size=3, groups=4)` becomes "
    "`nn.Conv2d(16, 32, kernel_size=3, bias=False)`. By how many does the number of its "
    "parameters grow?",
    answer=conv2d_num_parameters(16, 32, 3, bias=False) - conv2d_num_parameters(16, 32, 3, 4),
    hints=[
        "How many slices has each kernel, before and after?",
        "The weights become four times as many, and the biases go.",
    ],
    explanation="3456 weights more, and 32 biases fewer: groups divide the weights only.",
    mistakes=[
        (
            "bias_kept",
            conv2d_num_parameters(16, 32, 3) - conv2d_num_parameters(16, 32, 3, 4),
            "Has the second layer a bias?",
        ),
        (
            "bias_added",
            conv2d_num_parameters(16, 32, 3) - conv2d_num_parameters(16, 32, 3, 4, bias=False),
            "Which of the two layers has a bias?",
        ),
        (
            "groups_divide_bias",
            conv2d_num_parameters(16, 32, 3, bias=False) - conv2d_num_parameters(16, 32, 3) // 4,
            "The first layer has 32 kernels in all, and a bias for each.",
        ),
        (
            "after_only",
            conv2d_num_parameters(16, 32, 3, bias=False),
            "That is the number afterwards. How many were there before?",
        ),
        (
            "groups_forgotten",
            conv2d_num_parameters(16, 32, 3, bias=False) - conv2d_num_parameters(16, 32, 3),
            "`groups=4` leaves each kernel with a quarter of the slices.",
        ),
        (
            "groups_divide_both",
            conv2d_num_parameters(16, 32, 3, bias=False) - (4 * 8 * 9 + 32),
            "The first layer has 32 kernels in all: 8 in each of its groups.",
        ),
    ],
)

chapter.value(
    "predict_weight",
    title="Predict: the shape of a weight",
    minutes=3,
    text="What does this print?",
    code="layer = nn.Conv2d(6, 4, kernel_size=(5, 2), stride=3, groups=2)\n"
    "print(tuple(layer.weight.shape))",
    answer=conv2d_weight_shape(6, 4, (5, 2), groups=2),
    hints=[
        "The constructor says *in, out*. In which order is the weight stored?",
        "Each kernel reads the channels of one group.",
    ],
    explanation="Kernels, slices, rows, columns; the stride is no part of it.",
    mistakes=[
        ("groups_forgotten", (4, 6, 5, 2), "With 2 groups a kernel does not see all channels."),
        ("in_out", (6, 2, 5, 2), "The weight is stored out, in."),
        ("in_out_groups_forgotten", (6, 4, 5, 2), "The weight is stored out, in."),
        ("slices_first", (3, 4, 5, 2), "The kernels come first, then their slices."),
        ("kernels_divided", (2, 6, 5, 2), "There are 4 kernels in all. What do groups divide?"),
        ("both_divided", (2, 3, 5, 2), "There are 4 kernels in all, whatever the groups."),
        ("width_first", (4, 3, 2, 5), "A pair is (height, width)."),
        ("groups_as_axis", (2, 2, 3, 5, 2), "The groups have no axis of their own."),
    ],
)

chapter.value(
    "predict_changed_kernel_size",
    title="Predict: changed afterwards",
    minutes=3,
    text="What does this print?",
    code="layer = nn.Conv2d(3, 8, kernel_size=3)\n"
    "layer.kernel_size = (5, 5)\n"
    "layer.stride = (2, 2)\n"
    "print(tuple(layer(torch.zeros(1, 3, 9, 13)).shape))",
    answer=(1, 8, 4, 6),
    hints=[
        "Which of the two attributes is read when the layer is called?",
        "How large is the kernel? Its numbers were drawn when the layer was made.",
    ],
    explanation="The weight was made with 3×3 kernels and remains so; the stride is read at each "
    "call.",
    mistakes=[
        ("both_changed", (1, 8, 3, 5), "Does the weight change its shape?"),
        ("neither_changed", (1, 8, 7, 11), "The stride is no part of the weight."),
        ("kernel_size_only", (1, 8, 5, 9), "It is the other way round: which one has the weight?"),
        ("channels_kept", (1, 3, 4, 6), "The layer has eight kernels."),
        ("rounded_up", (1, 8, 5, 7), "How many places has a window of 3 that moves by 2?"),
    ],
)


def _differ_with_equal_counts(answer: Any) -> str | None:
    """Return what is wrong with two layers that should have as many parameters."""
    layers = [tuple(layer) for layer in answer]
    if len(layers) != 2:
        return f"two layers are asked for, these are {len(layers)}"
    counts = [conv2d_num_parameters(*layer) for layer in layers]
    if counts[0] != counts[1]:
        return f"they have {counts[0]:,} and {counts[1]:,} parameters"
    if conv2d_weight_shape(*layers[0]) == conv2d_weight_shape(*layers[1]):
        return "their weights have the same shape"
    return None


chapter.search(
    "break_equal_counts",
    title="Break it: as many parameters, the same layer",
    minutes=5,
    text="Somebody compares two networks layer by layer, and takes two layers for the same if they "
    "have as many parameters. Give two layers with a bias that do, and whose weights differ in "
    "shape: a pair of tuples `(in_channels, out_channels, kernel_size)` of ints.",
    objection=_differ_with_equal_counts,
    example=((9, 1, 1), (1, 1, 3)),
    hints=[
        "Begin with one kernel in each layer: then the biases are as many.",
        "Nine slices of one number, or one slice of ...?",
    ],
    explanation="A checkpoint is compared by names and shapes, not by counts.",
    mistakes=[
        (
            "channels_exchanged",
            ((3, 4, 3), (4, 3, 3)),
            "The weights are as many. The biases count the kernels.",
        ),
        (
            "one_and_many",
            ((1, 9, 1), (1, 1, 3)),
            "The weights are as many. The biases count the kernels.",
        ),
        ("same_layer", ((3, 4, 3), (3, 4, 3)), "The two must differ in their shape."),
    ],
)


def _counts(random: Random) -> Iterator[Arguments]:
    """Yield the arguments of layers, from the simplest on."""
    yield from [(1, 1, 3, 1, False), (1, 1, 3, 1, True), (3, 1, 5, 1, False), (1, 4, 2, 1, False)]
    yield from [(3, 8, 3, 1, True), (8, 3, 3, 1, True), (8, 4, 3, 2, False), (8, 4, 3, 2, True)]
    for _ in range(80):
        groups = random.randint(1, 5)
        channels, kernels = groups * random.randint(1, 6), groups * random.randint(1, 6)
        yield channels, kernels, random.randint(1, 7), groups, random.random() < 0.5


@chapter.code(
    title="The number of parameters",
    minutes=6,
    text="Count without making a layer: how many numbers does it learn? `kernel_size` is an int, "
    "for both directions; `groups` divides both channel counts; `bias` is a bool.",
    cases=_counts,
    hints=[
        "How many numbers has one kernel? How many kernels are there?",
        "With groups, a kernel has fewer slices. `//` divides ints and gives an int.",
        "If there is a bias, each kernel has one.",
    ],
    explanation="The size of the image is not among the arguments.",
)
def num_parameters(in_channels, out_channels, kernel_size, groups, bias):
    """Return the number of parameters of a layer."""
    weights = out_channels * (in_channels // groups) * kernel_size**2
    return weights + out_channels if bias else weights


@num_parameters.mistake("The biases are missing.")
def biases_forgotten(in_channels, out_channels, kernel_size, groups, bias):
    return num_parameters.solution(in_channels, out_channels, kernel_size, groups, False)


@num_parameters.mistake("With `bias=False` there are no biases.")
def biases_always(in_channels, out_channels, kernel_size, groups, bias):
    return num_parameters.solution(in_channels, out_channels, kernel_size, groups, True)


@num_parameters.mistake("You count one bias for the layer. How many kernels has it?")
def single_bias(in_channels, out_channels, kernel_size, groups, bias):
    return out_channels * (in_channels // groups) * kernel_size**2 + bias


@num_parameters.mistake("The biases belong to the kernels. You count one per input channel.")
def bias_per_input(in_channels, out_channels, kernel_size, groups, bias):
    return out_channels * (in_channels // groups) * kernel_size**2 + in_channels * bias


@num_parameters.mistake("The bias belongs to the kernel. You count one per slice.")
def bias_per_slice(in_channels, out_channels, kernel_size, groups, bias):
    return out_channels * (in_channels // groups) * (kernel_size**2 + bias)


@num_parameters.mistake("Groups leave a kernel with fewer slices: they are missing in your sum.")
def groups_forgotten(in_channels, out_channels, kernel_size, groups, bias):
    return num_parameters.solution(in_channels, out_channels, kernel_size, 1, bias)


@num_parameters.mistake("Groups divide the weights. The biases are as many as before.")
def groups_divide_biases(in_channels, out_channels, kernel_size, groups, bias):
    return num_parameters.solution(in_channels, out_channels, kernel_size, 1, bias) // groups


@num_parameters.mistake("There are `out_channels` kernels in all. Groups divide the slices only.")
def groups_divide_kernels_too(in_channels, out_channels, kernel_size, groups, bias):
    weights = (out_channels // groups) * (in_channels // groups) * kernel_size**2
    return weights + out_channels * bias


@num_parameters.mistake("That is the number of one group. There are `groups` of them.")
def one_group_counted(in_channels, out_channels, kernel_size, groups, bias):
    weights = (out_channels // groups) * (in_channels // groups) * kernel_size**2
    return weights + (out_channels // groups) * bias


@num_parameters.mistake("More groups make fewer weights: the kernels see fewer channels.")
def groups_multiply(in_channels, out_channels, kernel_size, groups, bias):
    return out_channels * in_channels * groups * kernel_size**2 + out_channels * bias


@num_parameters.mistake("A slice has as many rows as columns. How many numbers are that?")
def kernel_not_squared(in_channels, out_channels, kernel_size, groups, bias):
    return out_channels * (in_channels // groups) * kernel_size + out_channels * bias


@num_parameters.mistake("A slice has as many rows as columns. How many numbers are that?")
def kernel_doubled(in_channels, out_channels, kernel_size, groups, bias):
    return out_channels * (in_channels // groups) * kernel_size * 2 + out_channels * bias


@num_parameters.mistake("Every kernel has a slice for each channel that it reads.")
def channels_forgotten(in_channels, out_channels, kernel_size, groups, bias):
    return out_channels * (kernel_size**2 + bias)


@num_parameters.mistake("That is one kernel. How many are there?")
def kernels_forgotten(in_channels, out_channels, kernel_size, groups, bias):
    return in_channels // groups * kernel_size**2 + bias


@num_parameters.mistake("A number of parameters is an int, and `/` gives a float.")
def count_is_float(in_channels, out_channels, kernel_size, groups, bias):
    return out_channels * (in_channels / groups) * kernel_size**2 + out_channels * bias


@num_parameters.mistake("You count one bias for each group. How many kernels are there?")
def bias_per_group(in_channels, out_channels, kernel_size, groups, bias):
    return out_channels * (in_channels // groups) * kernel_size**2 + groups * bias


@num_parameters.mistake("`bias` is exchanged: with True the biases are there.")
def bias_inverted(in_channels, out_channels, kernel_size, groups, bias):
    return num_parameters.solution(in_channels, out_channels, kernel_size, groups, not bias)


@num_parameters.mistake("With a bias there are still the weights: both are counted.")
def bias_instead_of_weights(in_channels, out_channels, kernel_size, groups, bias):
    return out_channels if bias else out_channels * (in_channels // groups) * kernel_size**2


@num_parameters.mistake("Here `kernel_size` is an int, for both directions.")
def kernel_taken_as_pair(in_channels, out_channels, kernel_size, groups, bias):
    return out_channels * (in_channels // groups) * kernel_size[0] * kernel_size[1]


@num_parameters.mistake("Every kernel has a slice for every channel: the two are multiplied.")
def channels_added(in_channels, out_channels, kernel_size, groups, bias):
    return (in_channels // groups + out_channels) * kernel_size**2 + out_channels * bias


@num_parameters.mistake("One number is asked for: weights and biases together.")
def counts_kept_apart(in_channels, out_channels, kernel_size, groups, bias):
    return out_channels * (in_channels // groups) * kernel_size**2, out_channels * bias


@num_parameters.mistake("That is one kernel. How many are there?")
def one_kernel_with_bias(in_channels, out_channels, kernel_size, groups, bias):
    return in_channels // groups * kernel_size**2 + 1


@num_parameters.mistake("Groups do not multiply the biases: each kernel has one.")
def biases_times_groups(in_channels, out_channels, kernel_size, groups, bias):
    weights = out_channels * (in_channels // groups) * kernel_size**2
    return weights + out_channels * groups * bias


@num_parameters.mistake("A slice has rows and columns: two sides. The channels come besides.")
def kernel_cubed(in_channels, out_channels, kernel_size, groups, bias):
    return out_channels * (in_channels // groups) * kernel_size**3 + out_channels * bias


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


@weight_shape.mistake("With `in_channels` kernels? The weight is stored out, in.")
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
