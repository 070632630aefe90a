"""Exercises on initialization."""

from __future__ import annotations

import math
from collections.abc import Iterator
from random import Random
from typing import Any

from convlab.check.exercise import Arguments, Chapter

chapter = Chapter("init")

_FAN_IN = 2 * 4 * 4

chapter.value(
    "kaiming_std_by_hand",
    title="Kaiming by hand",
    minutes=3,
    text="With which standard deviation does Kaiming initialization (`mode='fan_in'`, for ReLU) "
    "draw the weights of `nn.Conv2d(2, 64, kernel_size=4)`?",
    answer=math.sqrt(2 / _FAN_IN),
    tolerance=0.0005,
    hints=[
        "How many products does each number of the output add up?",
        "Kaiming's variance is 2 / fan_in. And the standard deviation?",
    ],
    explanation="The fan in is 2 · 4 · 4 = 32, the variance 2/32 = 1/16, the deviation 1/4.",
    mistakes=[
        ("variance", 2 / _FAN_IN, "That is the variance. The standard deviation is its root."),
        (
            "without_relu",
            math.sqrt(1 / _FAN_IN),
            "The ReLU drops half of the mean square. What makes up for it?",
        ),
        (
            "fan_out",
            math.sqrt(2 / (64 * 16)),
            "That is the fan out. How many channels does a kernel read?",
        ),
        (
            "default",
            math.sqrt(1 / (3 * _FAN_IN)),
            "That is the standard deviation of PyTorch's default.",
        ),
        (
            "kernel_not_squared",
            math.sqrt(2 / (2 * 4)),
            "A kernel of size 4 has 4 rows and 4 columns.",
        ),
        ("channels_forgotten", math.sqrt(2 / 16), "The kernel reads two channels."),
        (
            "both_fans",
            math.sqrt(2 / (_FAN_IN + 64 * 16)),
            "That is Xavier's compromise. Kaiming takes the fan in alone.",
        ),
    ],
)

chapter.value(
    "mean_square_by_hand",
    title="Does the signal grow?",
    minutes=4,
    text="Numbers with the mean square 8 enter a convolution without bias. Its fan in is 12, and "
    "its weights are drawn with the standard deviation 0.5. Give two numbers: the mean square of "
    "its sums, and what a ReLU leaves of it.",
    answer=(12 * 0.5**2 * 8, 12 * 0.5**2 * 8 / 2),
    hints=[
        "What is the variance of the weights? And the mean square of one product?",
        "The mean squares of the 12 products add up.",
    ],
    explanation="Each layer multiplies the mean square by half of fan_in times the variance of the "
    "weights, here by 1.5: the signal grows.",
    mistakes=[
        ("deviation_as_variance", (48, 24), "0.5 is the standard deviation. Square it."),
        ("relu_keeps_all", (24, 24), "What is below zero is dropped, and that is half of it."),
        ("relu_leaves_a_quarter", (24, 6), "Half of the mean square is left, not half of half."),
        ("fan_in_forgotten", (2, 1), "That is one product. Each sum adds up 12 of them."),
        ("input_forgotten", (3, 1.5), "That is the factor of the layer. What has entered it?"),
        ("relu_by_root", (24, 24 / math.sqrt(2)), "The ReLU halves the mean square itself."),
        ("input_squared", (192, 96), "The 8 is a mean square: it is squared already."),
    ],
)

chapter.value(
    "predict_largest_weight",
    title="Predict: the largest weight",
    minutes=4,
    text="What does this print? (There are so many weights that the largest one comes close to its "
    "bound.)",
    code="layer = nn.Conv2d(36, 72, kernel_size=3, groups=9)\n"
    "print(round(1 / layer.weight.abs().max().item()))",
    answer=round(math.sqrt(36 // 9 * 3 * 3)),
    hints=[
        "A kernel reads only the channels of its group. How many are these?",
        "The weights lie between plus and minus one over the root of the fan in.",
    ],
    explanation="The fan in is 36 / 9 · 3 · 3 = 36, and the bound is 1/6.",
    mistakes=[
        ("groups_ignored", 18, "A kernel reads only the channels of its own group."),
        ("root_forgotten", 36, "That is the fan in. The bound has a root in it."),
        ("kernel_forgotten", 2, "A kernel has nine weights for each channel that it reads."),
        ("fan_out", 8, "Count what a kernel reads. Does the default ask for the kernels?"),
        ("fan_out_without_groups", 25, "Count what a kernel reads, in its group."),
        ("standard_deviation", 10, "That belongs to the standard deviation, not to the bound."),
        ("kernel_not_squared", 3, "A kernel of size 3 has three rows and three columns."),
    ],
)


def _layers(random: Random) -> Iterator[Arguments]:
    """Yield input channels, a kernel size and groups, from the simplest on."""
    yield from [(1, 1, 1), (1, 3, 1), (4, 1, 1), (3, 5, 1), (8, 1, 2), (16, 3, 4), (6, 3, 6)]
    for _ in range(40):
        groups = random.randint(1, 8)
        yield groups * random.randint(1, 16), random.randint(1, 7), groups


@chapter.code(
    title="The bound of the default",
    minutes=5,
    text="From which uniform distribution does `nn.Conv2d` draw its first weights? Return its "
    "bound, the positive number b such that they lie between -b and b. All arguments are ints, "
    "and the kernel is square.",
    cases=_layers,
    imports="import math",
    hints=[
        "How many weights does one kernel have?",
        "`math.sqrt` is the root.",
    ],
    explanation="The variance of this distribution is b²/3, a third of 1/fan_in.",
)
def kaiming_bound(in_channels, kernel_size, groups):
    """Return the bound of the distribution of the weights."""
    fan_in = in_channels // groups * kernel_size**2
    return 1 / math.sqrt(fan_in)


@kaiming_bound.mistake("A kernel reads only the channels of its group.")
def bound_groups_ignored(in_channels, kernel_size, groups):
    return 1 / math.sqrt(in_channels * kernel_size**2)


@kaiming_bound.mistake("With more groups, a kernel reads fewer channels, not more.")
def bound_times_groups(in_channels, kernel_size, groups):
    return 1 / math.sqrt(in_channels * groups * kernel_size**2)


@kaiming_bound.mistake("The kernel is a square: it has rows and columns.")
def bound_kernel_not_squared(in_channels, kernel_size, groups):
    return 1 / math.sqrt(in_channels // groups * kernel_size)


@kaiming_bound.mistake("One over the fan in is the square of the bound. There is a root to take.")
def bound_root_forgotten(in_channels, kernel_size, groups):
    return 1 / (in_channels // groups * kernel_size**2)


@kaiming_bound.mistake("That grows with the fan in. The bound is one over the root.")
def bound_not_inverted(in_channels, kernel_size, groups):
    return math.sqrt(in_channels // groups * kernel_size**2)


@kaiming_bound.mistake("That is the fan in. The bound is one over its root.")
def bound_is_fan_in(in_channels, kernel_size, groups):
    return in_channels // groups * kernel_size**2


@kaiming_bound.mistake("That is the standard deviation of Kaiming's distribution, not the default.")
def bound_of_kaiming_normal(in_channels, kernel_size, groups):
    return math.sqrt(2 / (in_channels // groups * kernel_size**2))


@kaiming_bound.mistake("That is the bound of `kaiming_uniform_` for ReLU. The default is smaller.")
def bound_of_kaiming_uniform(in_channels, kernel_size, groups):
    return math.sqrt(6 / (in_channels // groups * kernel_size**2))


@kaiming_bound.mistake("That belongs to the variance 1/fan_in. The default has a third of it.")
def bound_of_lecun_uniform(in_channels, kernel_size, groups):
    return math.sqrt(3 / (in_channels // groups * kernel_size**2))


@kaiming_bound.mistake("That is the standard deviation. The distribution ends at 1.73 of these.")
def bound_is_deviation(in_channels, kernel_size, groups):
    return 1 / math.sqrt(3 * (in_channels // groups) * kernel_size**2)


@kaiming_bound.mistake("That is the variance of the distribution. Where does it end?")
def bound_is_variance(in_channels, kernel_size, groups):
    return 1 / (3 * (in_channels // groups) * kernel_size**2)


@kaiming_bound.mistake("A kernel has weights for each channel that it reads.")
def bound_channels_forgotten(in_channels, kernel_size, groups):
    return 1 / math.sqrt(kernel_size**2)


@kaiming_bound.mistake("The fan in counts the weights of a kernel: its rows and columns, too.")
def bound_kernel_forgotten(in_channels, kernel_size, groups):
    return 1 / math.sqrt(in_channels // groups)


@kaiming_bound.mistake("A kernel of size k has k times k places, not k plus k.")
def bound_kernel_doubled(in_channels, kernel_size, groups):
    return 1 / math.sqrt(in_channels // groups * 2 * kernel_size)


@kaiming_bound.mistake("Every channel has a whole square of weights: multiply, do not add.")
def bound_added(in_channels, kernel_size, groups):
    return 1 / math.sqrt(in_channels // groups + kernel_size**2)


@kaiming_bound.mistake("That is Kaiming's variance. The bound of the default is wanted.")
def bound_is_kaiming_variance(in_channels, kernel_size, groups):
    return 2 / (in_channels // groups * kernel_size**2)


@kaiming_bound.mistake("The root of 5 in PyTorch's source is a slope. No 5 is left in the bound.")
def bound_times_root_of_5(in_channels, kernel_size, groups):
    return math.sqrt(5 / (in_channels // groups * kernel_size**2))


@kaiming_bound.mistake("`1 / a * b` is b / a: put the product that you divide by into brackets.")
def bound_brackets_forgotten(in_channels, kernel_size, groups):
    return 1 / in_channels * kernel_size**2


@kaiming_bound.mistake("`1 / a * b` is b / a: put the product that you divide by into brackets.")
def bound_brackets_and_groups_forgotten(in_channels, kernel_size, groups):
    return 1 / math.sqrt(in_channels // groups) * kernel_size**2


def _weights(random: Random) -> Iterator[Arguments]:
    """Yield shapes of weights and groups, from the simplest on."""
    yield from [((5, 3, 1, 1), 1), ((5, 3, 3, 3), 1), ((5, 3, 2, 4), 1), ((8, 3, 1, 1), 2)]
    yield from [((64, 1, 3, 3), 64), ((128, 32, 3, 3), 2)]
    for _ in range(40):
        groups = random.randint(1, 6)
        channels = groups * random.randint(1, 9), random.randint(1, 9)
        yield (*channels, random.randint(1, 5), random.randint(1, 5)), groups


@chapter.code(
    title="Fan in and fan out",
    minutes=6,
    text="`weight_shape` is the shape of the weight of an `nn.Conv2d`, a tuple of four ints, and "
    "`groups` the number of its groups. Return the pair (fan in, fan out), both ints.",
    cases=_weights,
    hints=[
        "Which axes belong to one kernel? Their product is the fan in.",
        "A number of the input meets the kernels of its own group. How many are these?",
    ],
    explanation="The second axis is divided by the groups already. The first is not, so "
    "`torch.nn.init`, which does not know the groups, gets the fan out wrong.",
)
def fans(weight_shape, groups):
    """Return the fan in and the fan out."""
    out_channels, channels_read, height, width = weight_shape
    area = height * width
    return channels_read * area, out_channels // groups * area


@fans.mistake("The first axis holds the kernels of all groups. A number enters only one group.")
def fan_out_without_groups(weight_shape, groups):
    o, c, h, w = weight_shape
    return c * h * w, o * h * w


@fans.mistake("The second axis is in_channels / groups: it has been divided already.")
def fan_in_divided_twice(weight_shape, groups):
    o, c, h, w = weight_shape
    return c // groups * h * w, o // groups * h * w


@fans.mistake("The fan in is divided by the groups already, and the fan out is not.")
def groups_at_the_wrong_fan(weight_shape, groups):
    o, c, h, w = weight_shape
    return c // groups * h * w, o * h * w


@fans.mistake("The second axis is in_channels / groups, and that is what a kernel reads.")
def fan_in_times_groups(weight_shape, groups):
    o, c, h, w = weight_shape
    return c * groups * h * w, o // groups * h * w


@fans.mistake("The fan in belongs to what a kernel reads, the second axis; it comes first.")
def fans_exchanged(weight_shape, groups):
    o, c, h, w = weight_shape
    return o // groups * h * w, c * h * w


@fans.mistake("The second axis holds what a kernel reads, the first one the kernels.")
def fans_exchanged_without_groups(weight_shape, groups):
    o, c, h, w = weight_shape
    return o * h * w, c * h * w


@fans.mistake("Each channel meets a whole kernel: multiply by its rows and columns.")
def kernel_area_forgotten(weight_shape, groups):
    o, c, _, _ = weight_shape
    return c, o // groups


@fans.mistake("The kernel need not be square: multiply rows by columns.")
def kernel_taken_for_square(weight_shape, groups):
    o, c, h, _ = weight_shape
    return c * h * h, o // groups * h * h


@fans.mistake("The kernel need not be square: multiply rows by columns.")
def kernel_taken_for_square_of_columns(weight_shape, groups):
    o, c, _, w = weight_shape
    return c * w * w, o // groups * w * w


@fans.mistake("Each weight of the kernel counts: multiply rows by columns.")
def one_axis_of_the_kernel(weight_shape, groups):
    o, c, h, _ = weight_shape
    return c * h, o // groups * h


@fans.mistake("A fan is a number of products, an int: `//` divides without a fraction.")
def fans_as_floats(weight_shape, groups):
    o, c, h, w = weight_shape
    return c * h * w, o / groups * h * w


@fans.mistake("With more groups there are fewer kernels that a number enters, not more.")
def fan_out_times_groups(weight_shape, groups):
    o, c, h, w = weight_shape
    return c * h * w, o * groups * h * w


@fans.mistake("The second axis is divided by the groups already, and the first one is not.")
def groups_at_both_wrong(weight_shape, groups):
    o, c, h, w = weight_shape
    return c * groups * h * w, o * h * w


@fans.mistake("That is the fan in. The fan out is wanted, too: a pair.")
def fan_in_only(weight_shape, groups):
    _, c, h, w = weight_shape
    return c * h * w


@fans.mistake("A kernel has rows times columns places, not rows plus columns.")
def sides_added(weight_shape, groups):
    o, c, h, w = weight_shape
    return c * (h + w), o // groups * (h + w)


@fans.mistake("In both directions each channel meets a whole kernel, rows times columns.")
def fan_out_without_kernel(weight_shape, groups):
    o, c, h, w = weight_shape
    return c * h * w, o // groups


@fans.mistake("That is the number of all weights. A fan in belongs to one kernel.")
def all_weights(weight_shape, groups):
    count = math.prod(weight_shape)
    return count, count // groups


def _stacks(random: Random) -> Iterator[Arguments]:
    """Yield a mean square and layers, from the simplest on; the numbers are exact in float64."""
    yield 1.0, [(8, 0.5)]
    yield 3.0, [(8, 0.25)]
    yield 1.0, [(16, 0.5), (4, 0.5)]
    yield 5.0, []
    yield 1.0, [(4, 0.125)] * 20
    for _ in range(30):
        count = random.randint(1, 8)
        yield (
            float(random.randint(1, 9)),
            [(random.randint(1, 64), 2.0 ** -random.randint(1, 6)) for _ in range(count)],
        )


@chapter.code(
    title="Through a stack",
    minutes=7,
    text="A stack is a list of layers, each a convolution without bias and a ReLU. A layer is a "
    "tuple `(fan_in, std)`, where `std` is the standard deviation of its weights. Return the mean "
    "square to expect behind the last ReLU, for an input with the mean square `mean_square`.",
    cases=_stacks,
    hints=[
        "What does one layer do with the mean square? There are three factors.",
        "The output of a layer is the input of the next one.",
    ],
    explanation="The factors multiply. If each is a little below 1, the signal vanishes; if each "
    "is a little above, it explodes.",
)
def signal_after(mean_square, layers):
    """Return the mean square behind the last ReLU."""
    for fan_in, std in layers:
        mean_square = mean_square * fan_in * std**2 / 2
    return mean_square


@signal_after.mistake("The ReLU behind each layer drops half of the mean square.")
def signal_relu_forgotten(mean_square, layers):
    for fan_in, std in layers:
        mean_square = mean_square * fan_in * std**2
    return mean_square


@signal_after.mistake("The mean square of the weights is the square of their standard deviation.")
def signal_std_not_squared(mean_square, layers):
    for fan_in, std in layers:
        mean_square = mean_square * fan_in * std / 2
    return mean_square


@signal_after.mistake("The mean square of the weights is the square of `std`, not its root.")
def signal_root_of_std(mean_square, layers):
    for fan_in, std in layers:
        mean_square = mean_square * fan_in * math.sqrt(std) / 2
    return mean_square


@signal_after.mistake("There is a ReLU behind each layer, not only behind the last.")
def signal_one_relu(mean_square, layers):
    for fan_in, std in layers:
        mean_square = mean_square * fan_in * std**2
    return mean_square / 2


@signal_after.mistake("You return after the first layer: is the `return` inside of the loop?")
def signal_returned_in_the_loop(mean_square, layers):
    for fan_in, std in layers:
        return mean_square * fan_in * std**2 / 2
    return mean_square


@signal_after.mistake("Each layer reads what the layer before it leaves, not the input.")
def signal_every_layer_reads_the_input(mean_square, layers):
    last = mean_square
    for fan_in, std in layers:
        last = mean_square * fan_in * std**2 / 2
    return last


@signal_after.mistake("Each sum adds up `fan_in` products.")
def signal_fan_in_forgotten(mean_square, layers):
    for _, std in layers:
        mean_square = mean_square * std**2 / 2
    return mean_square


@signal_after.mistake("Larger weights make a larger signal: where is `std`?")
def signal_std_forgotten(mean_square, layers):
    for fan_in, _ in layers:
        mean_square = mean_square * fan_in / 2
    return mean_square


@signal_after.mistake("A layer multiplies the mean square of what enters it. Where is that?")
def signal_input_forgotten(mean_square, layers):
    for fan_in, std in layers:
        mean_square = fan_in * std**2 / 2
    return mean_square


@signal_after.mistake("A mean square is squared already: it enters as it is.")
def signal_squared_again(mean_square, layers):
    for fan_in, std in layers:
        mean_square = mean_square**2 * fan_in * std**2 / 2
    return mean_square


@signal_after.mistake("The ReLU leaves half of the mean square, not a quarter.")
def signal_quartered(mean_square, layers):
    for fan_in, std in layers:
        mean_square = mean_square * fan_in * std**2 / 4
    return mean_square


@signal_after.mistake("Each layer multiplies the mean square by a factor. It adds nothing.")
def signal_added(mean_square, layers):
    for fan_in, std in layers:
        mean_square = mean_square + fan_in * std**2 / 2
    return mean_square


@signal_after.mistake("The mean squares of `fan_in` products add up: multiply by it.")
def signal_divided_by_fan_in(mean_square, layers):
    for fan_in, std in layers:
        mean_square = mean_square * std**2 / fan_in / 2
    return mean_square


@signal_after.mistake("`fan_in` is a number of products. Only the weights are squared.")
def signal_fan_in_squared(mean_square, layers):
    for fan_in, std in layers:
        mean_square = mean_square * (fan_in * std) ** 2 / 2
    return mean_square


@signal_after.mistake("A mean square is asked for: there is no root to take.")
def signal_root_taken(mean_square, layers):
    return math.sqrt(signal_after.solution(mean_square, layers))


@signal_after.mistake("2 / fan_in is Kaiming's variance. Here the weights have their own.")
def signal_of_kaiming(mean_square, layers):
    for fan_in, _ in layers:
        mean_square = mean_square * 2 / fan_in
    return mean_square


@signal_after.mistake("A layer is `(fan_in, std)`, in this order.")
def signal_pair_exchanged(mean_square, layers):
    return signal_after.solution(mean_square, [layer[::-1] for layer in layers])


@signal_after.mistake("The ReLU halves the mean square. The root of 2 belongs to the deviation.")
def signal_relu_by_root(mean_square, layers):
    return signal_after.solution(mean_square, layers) * math.sqrt(2) ** len(layers)


@signal_after.mistake("One number is wanted, that behind the last layer.")
def signal_of_each_layer(mean_square, layers):
    return [signal_after.solution(mean_square, layers[: n + 1]) for n in range(len(layers))]


def _keeps_the_signal(answer: Any) -> str | None:
    """Return what is wrong with channels between which the signal should shrink."""
    in_channels, out_channels = answer
    if in_channels < 1 or out_channels < 1:
        return "a layer has at least one channel"
    share = in_channels / out_channels  # fan_in * (2 / fan_out) / 2
    return None if share < 0.1 else f"{share:.3g} of the mean square is left"


chapter.search(
    "break_fan_out",
    title="Break it: always fan_out",
    minutes=5,
    text='Somebody fills every layer with `kaiming_normal_(weight, mode="fan_out")`: "Either mode '
    'keeps the size of the signal." Give a pair `(in_channels, out_channels)` for a 3×3 '
    "convolution behind which, after its ReLU, less than a tenth of the mean square is left.",
    objection=_keeps_the_signal,
    example=(3, 64),
    hints=[
        "The variance is now 2 / fan_out. What is fan_in times that, halved?",
        "The size of the kernel cancels. What is left is a ratio of channels.",
    ],
    explanation="The mean square is multiplied by in_channels / out_channels. That happens mostly "
    "in the first layer, so over a whole network either mode will do.",
    mistakes=[
        ("channels_kept", (64, 64), "With as many channels in as out, the two modes are the same."),
        ("explodes", (64, 3), "Here the signal grows. Which of the two must be larger?"),
        ("not_enough", (32, 64), "The signal shrinks, but not yet to a tenth."),
        ("doubled", (64, 128), "The signal shrinks, but not yet to a tenth."),
    ],
)
