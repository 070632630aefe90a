"""Values to work out: standard deviations and mean squares."""

from __future__ import annotations

import math

from convlab.check.exercise import Chapter

chapter = Chapter("init")

_FAN_IN = 2 * 4 * 4

chapter.value(
    "kaiming_std_by_hand",
    title="Kaiming by hand",
    minutes=3,
    text="With which standard deviation does Kaiming initialization (`mode='fan_in'`, for ReLU) "
    "draw the weights of `nn.Conv2d(2, 24, kernel_size=4)`?",
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
            "That is one over the root of the fan in, the bound of PyTorch's default. Kaiming "
            "makes up for the half that a ReLU drops.",
        ),
        (
            "fan_out",
            math.sqrt(2 / (24 * 16)),
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
            math.sqrt(2 / (_FAN_IN + 24 * 16)),
            "That is Xavier's compromise. Kaiming takes the fan in alone.",
        ),
        (
            "bound",
            math.sqrt(6 / _FAN_IN),
            "That is the bound of the uniform distribution. What is its standard deviation?",
        ),
        ("kernel_forgotten", 1.0, "A kernel has 16 weights for each channel that it reads."),
        ("one_side_only", math.sqrt(2 / 4), "Count all the weights of a kernel: the fan in."),
        ("fan_in", _FAN_IN, "That is the fan in. The variance is 2 over it."),
        ("reciprocal", 4, "The larger the fan in, the smaller the weights: one over that."),
        ("one_over_fan_in", 1 / _FAN_IN, "The variance is 2 over the fan in. Then take its root."),
        (
            "all_weights",
            math.sqrt(2 / (24 * _FAN_IN)),
            "You count the weights of all kernels. Each number of the output comes from one.",
        ),
        (
            "fan_out_variance",
            2 / (24 * 16),
            "That is a variance, with the fan out. How many numbers does a kernel read?",
        ),
        ("root_of_2_only", math.sqrt(2) / _FAN_IN, "The fan in stands below the root, too."),
        ("lecun_bound", math.sqrt(3 / _FAN_IN), "The variance is 2 over the fan in, not 3."),
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
        (
            "deviation_forgotten",
            (96, 48),
            "By what does a weight multiply? Its mean square is missing.",
        ),
        (
            "fan_in_squared",
            (288, 144),
            "The mean squares of 12 products add up: that is 12 times one.",
        ),
        (
            "fan_in_divides",
            (8 * 0.25 / 12, 4 * 0.25 / 12),
            "A sum adds up 12 products. It is not their mean.",
        ),
        (
            "root_of_fan_in",
            (8 * 0.25 * math.sqrt(12), 4 * 0.25 * math.sqrt(12)),
            "The mean squares of the products add up, 12 of them: no root is taken of that.",
        ),
        (
            "root_of_input",
            (3 * math.sqrt(8), 1.5 * math.sqrt(8)),
            "The 8 is a mean square, and it multiplies the mean square of the weights as it is.",
        ),
        (
            "roots",
            (math.sqrt(24), math.sqrt(12)),
            "That is the root of it. The mean square is asked for.",
        ),
        ("root_of_deviation", (96 * math.sqrt(0.5), 48 * math.sqrt(0.5)), "Square the 0.5."),
        ("relu_drops_all", (24, 0), "A ReLU drops only what is below zero."),
        (
            "relu_first",
            (12, 24),
            "First the sums, then what the ReLU leaves: it makes nothing larger.",
        ),
        ("relu_twice", (12, 6), "Your first number has been halved already: no ReLU so far."),
        ("nothing_changes", (8, 4), "The mean square changes: 12 products are added up."),
        (
            "of_kaiming",
            (16, 8),
            "Kaiming's variance is 2 / 12. These weights have their own, 0.5².",
        ),
        (
            "input_added",
            (11, 5.5),
            "The layer multiplies the mean square by 12 · 0.5². It adds nothing.",
        ),
    ],
)


def _one_over_root(fan_in: float) -> int:
    """Return what is printed if the weights reach one over the root."""
    return round(math.sqrt(fan_in))


chapter.value(
    "predict_largest_weight",
    title="Predict: the largest weight",
    minutes=4,
    text="What does this print? (There are so many weights that the largest one comes close to its "
    "bound.)",
    code="layer = nn.Conv2d(32, 24, kernel_size=5, groups=2)\n"
    "print(round(1 / layer.weight.abs().max().item()))",
    answer=_one_over_root(16 * 5 * 5),
    hints=[
        "A kernel reads only the channels of its group. How many are these?",
        "The weights lie between plus and minus one over the root of the fan in.",
    ],
    explanation="The fan in is 32 / 2 · 5 · 5 = 400, and the bound is 1/20.",
    mistakes=[
        (
            "groups_ignored",
            _one_over_root(32 * 25),
            "A kernel reads only the channels of its own group.",
        ),
        (
            "groups_multiplied",
            _one_over_root(64 * 25),
            "With groups, a kernel reads fewer channels.",
        ),
        ("root_forgotten", 400, "That is the fan in. The bound has a root in it."),
        ("root_forgotten_groups_ignored", 800, "A kernel reads its group. And there is a root."),
        ("kernel_forgotten", 4, "A kernel has 25 weights for each channel that it reads."),
        ("channels_forgotten", 5, "A kernel has 25 weights for each of the channels it reads."),
        (
            "kernel_not_squared",
            _one_over_root(16 * 5),
            "A kernel of size 5 has five rows and columns.",
        ),
        ("kernel_doubled", _one_over_root(16 * 10), "Five rows of five weights are 25, not 10."),
        (
            "fan_out",
            _one_over_root(12 * 25),
            "Count what a kernel reads. Does the default ask for the kernels?",
        ),
        (
            "fan_out_without_groups",
            _one_over_root(24 * 25),
            "Count what a kernel reads, in its group, not the kernels.",
        ),
        (
            "standard_deviation",
            _one_over_root(3 * 400),
            "That belongs to the standard deviation, not to the bound.",
        ),
        (
            "kaiming_uniform",
            _one_over_root(400 / 6),
            "That is the bound of Kaiming's distribution for ReLU. The default is smaller.",
        ),
        (
            "kaiming_normal",
            _one_over_root(400 / 2),
            "That is Kaiming's standard deviation for ReLU. The default is another distribution.",
        ),
        (
            "variance_one_over_fan_in",
            _one_over_root(400 / 3),
            "The variance of the default is a third of 1 / fan_in.",
        ),
        (
            "bound",
            0.05,
            "That is the bound itself. What does the code make of it before it prints?",
        ),
        ("zero", 0, "That would be the bound, rounded. The code prints one over it."),
        ("half", 10, "That is the fan in's root halved: the bound is one over the root itself."),
        ("channels", 16, "That is how many channels a kernel reads. How many weights has it?"),
        (
            "kernel",
            25,
            "A kernel has 25 weights for each channel that it reads. And a root is taken.",
        ),
    ],
)
