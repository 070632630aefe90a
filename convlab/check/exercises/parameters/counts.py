"""Exercise: the number of parameters."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from convlab.check.exercise import Arguments
from convlab.check.exercises.parameters.values import chapter


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


for _name, _hint, _count in [
    (
        "nothing_without_bias",
        "`if ... else` takes the whole sum with it: without a bias the weights still count.",
        lambda weights, i, o, k, g, bias: weights + o if bias else 0,
    ),
    (
        "no_return_without_bias",
        "Without a bias nothing is returned: is the `return` inside of the `if`?",
        lambda weights, i, o, k, g, bias: weights + o if bias else None,
    ),
    (
        "no_return_with_bias",
        "With a bias nothing is returned: does this way, too, reach a `return`?",
        lambda weights, i, o, k, g, bias: None if bias else weights,
    ),
    (
        "power_as_xor",
        "In Python `^` is no power. Which operator is?",
        lambda weights, i, o, k, g, bias: o * (i // g) * (k ^ 2) + o * bias,
    ),
    (
        "product_as_xor",
        "In Python `^` is no power. Which operator is?",
        lambda weights, i, o, k, g, bias: (o * (i // g) * k) ^ (2 + o * bias),
    ),
    (
        "two_to_the_kernel",
        "A slice has kernel_size rows and columns: you have exchanged base and exponent.",
        lambda weights, i, o, k, g, bias: o * (i // g) * 2**k + o * bias,
    ),
    (
        "kernel_size_forgotten",
        "How many numbers has a slice? `kernel_size` is missing in your sum.",
        lambda weights, i, o, k, g, bias: o * (i // g) + o * bias,
    ),
    (
        "one_kernel_all_biases",
        "The biases of all kernels are there, but the weights of one only.",
        lambda weights, i, o, k, g, bias: i // g * k**2 + o * bias,
    ),
    (
        "output_channels_as_slices",
        "How many slices has a kernel? Not as many as there are kernels.",
        lambda weights, i, o, k, g, bias: o * o // g * k**2 + o * bias,
    ),
    (
        "input_channels_as_kernels",
        "How many kernels are there? Not as many as there are input channels.",
        lambda weights, i, o, k, g, bias: i * (i // g) * k**2 + o * bias,
    ),
    (
        "depthwise_always",
        "With groups a kernel still reads several channels: those of its group.",
        lambda weights, i, o, k, g, bias: (o * k**2 if g > 1 else weights) + o * bias,
    ),
    (
        "groups_as_slices",
        "Groups are not slices: how many channels lie in one group?",
        lambda weights, i, o, k, g, bias: o * g * k**2 + o * bias,
    ),
    (
        "groups_subtracted",
        "Groups divide the channels.",
        lambda weights, i, o, k, g, bias: o * (i - g + 1) * k**2 + o * bias,
    ),
    (
        "remainder",
        "`%` is the remainder of a division. How many channels has a group?",
        lambda weights, i, o, k, g, bias: o * (i % g) * k**2 + o * bias,
    ),
    (
        "four_sides",
        "A slice has kernel_size rows of kernel_size numbers: its area, not its border.",
        lambda weights, i, o, k, g, bias: o * (i // g) * k * 4 + o * bias,
    ),
    (
        "kernel_added",
        "Each slice has as many numbers as its area: they are multiplied, not added.",
        lambda weights, i, o, k, g, bias: o * (i // g) + k**2 + o * bias,
    ),
    (
        "groups_divide_the_kernel",
        "Groups divide the channels. The kernel keeps its rows and columns.",
        lambda weights, i, o, k, g, bias: o * i * (k // g) ** 2 + o * bias,
    ),
    (
        "bias_subtracted",
        "The biases are learned as well: they are added, not taken away.",
        lambda weights, i, o, k, g, bias: weights - o * bias,
    ),
    (
        "bias_per_weight",
        "The bias belongs to the kernel. You count one for each weight.",
        lambda weights, i, o, k, g, bias: weights * (1 + bias),
    ),
    (
        "bias_multiplied",
        "Weights and biases are counted together: they are added.",
        lambda weights, i, o, k, g, bias: weights * (o if bias else 1),
    ),
    (
        "bias_of_both_channels",
        "The biases belong to the kernels alone: the input channels have none.",
        lambda weights, i, o, k, g, bias: weights + (i + o) * bias,
    ),
    (
        "bias_per_row",
        "A kernel has one bias, whatever its size.",
        lambda weights, i, o, k, g, bias: weights + o * k * bias,
    ),
    (
        "bias_per_cell",
        "A kernel has one bias, whatever its size.",
        lambda weights, i, o, k, g, bias: weights + o * k**2 * bias,
    ),
    (
        "one_always_added",
        "You count one bias for the layer, and that without a bias, too.",
        lambda weights, i, o, k, g, bias: weights + 1,
    ),
    (
        "groups_and_bias_forgotten",
        "`groups` and `bias` are not used: which numbers do they change?",
        lambda weights, i, o, k, g, bias: i * o * k**2,
    ),
    (
        "groups_forgotten_bias_always",
        "`groups` and `bias` are not used: which numbers do they change?",
        lambda weights, i, o, k, g, bias: o * (i * k**2 + 1),
    ),
    (
        "groups_forgotten_single_bias",
        "Groups leave a kernel with fewer slices; and each kernel has a bias.",
        lambda weights, i, o, k, g, bias: o * i * k**2 + bias,
    ),
]:

    def _wrong_count(in_channels, out_channels, kernel_size, groups, bias, count=_count):
        weights = out_channels * (in_channels // groups) * kernel_size**2
        return count(weights, in_channels, out_channels, kernel_size, groups, bias)

    _wrong_count.__name__ = _name
    num_parameters.mistake(_hint)(_wrong_count)
