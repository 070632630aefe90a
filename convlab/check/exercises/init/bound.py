"""The exercise on the bound of the default."""

from __future__ import annotations

import math
from collections.abc import Iterator
from random import Random

from convlab.check.exercise import Arguments, Mistake
from convlab.check.exercises.init.values import chapter


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


def _known(hint, **formulas):
    """Enter known mistakes that share a hint."""
    for name, formula in formulas.items():
        kaiming_bound.mistakes.append(Mistake(f"bound_{name}", hint, formula))


def _fan_in(in_channels, kernel_size, groups):
    return in_channels // groups * kernel_size**2


def _of_fan_in(formula):
    """Return a function that makes another bound of the right fan in."""
    return lambda c, k, g: formula(_fan_in(c, k, g))


def _root_of(fan_in):
    """Return a function that makes the right bound of another fan in."""
    return lambda c, k, g: 1 / math.sqrt(fan_in(c, k, g))


_known(
    "A kernel reads only the channels of its group.",
    groups_ignored=_root_of(lambda c, k, g: c * k**2),
)
_known(
    "With more groups, a kernel reads fewer channels, not more.",
    times_groups=_root_of(lambda c, k, g: c * g * k**2),
)
_known(
    "The groups share out the channels: divide `in_channels` by them, once.",
    groups_squared=_root_of(lambda c, k, g: c / g**2 * k**2),
    groups_for_channels=_root_of(lambda c, k, g: g * k**2),
    groups_below_the_bound=lambda c, k, g: 1 / math.sqrt(c * k**2) / g,
    groups_subtracted=_root_of(lambda c, k, g: max(c - g, 0.1) * k**2),
)
_known(
    "The kernel is a square: it has rows and columns.",
    kernel_not_squared=_root_of(lambda c, k, g: c // g * k),
    kernel_not_squared_and_groups_ignored=_root_of(lambda c, k, g: c * k),
)
_known(
    "The fan in counts the weights of a kernel: its rows and columns, too.",
    kernel_forgotten=_root_of(lambda c, k, g: c // g),
    kernel_and_groups_forgotten=_root_of(lambda c, k, g: c),
)
_known(
    "A kernel of size k has k times k places, not k plus k.",
    kernel_doubled=_root_of(lambda c, k, g: c // g * 2 * k),
)
_known(
    "A kernel has as many slices as it reads channels, each with k times k weights.",
    kernel_cubed=_root_of(lambda c, k, g: c // g * k**3),
)
_known(
    "A kernel has weights for each channel that it reads.",
    channels_forgotten=lambda c, k, g: 1 / k,
    channels_forgotten_and_root=lambda c, k, g: 1 / k**2,
)
_known(
    "Every channel has a whole square of weights: multiply, do not add.",
    added=_root_of(lambda c, k, g: c // g + k**2),
    all_added=_root_of(lambda c, k, g: c // g + 2 * k),
)
_known(
    "The bias is no part of the fan in: it multiplies nothing that the kernel reads.",
    bias_counted=_root_of(lambda c, k, g: _fan_in(c, k, g) + 1),
    bias_counted_and_groups_ignored=_root_of(lambda c, k, g: c * k**2 + 1),
)
_known(
    "One over the fan in is the square of the bound. There is a root to take.",
    root_forgotten=_of_fan_in(lambda n: 1 / n),
    root_and_groups_forgotten=lambda c, k, g: 1 / (c * k**2),
)
_known(
    "The root belongs to the whole fan in: channels, once, times rows times columns.",
    root_of_channels=lambda c, k, g: 1 / (math.sqrt(c // g) * k**2),
    root_of_kernel=lambda c, k, g: 1 / (c // g * k),
    root_of_all_channels=lambda c, k, g: 1 / (math.sqrt(c) * k**2),
)
_known(
    "You take the root of the root: one is enough.",
    root_twice=_of_fan_in(lambda n: n**-0.25),
)
_known(
    "That grows with the fan in. The bound is one over the root.",
    not_inverted=_of_fan_in(math.sqrt),
)
_known("That is the fan in. The bound is one over its root.", is_fan_in=_fan_in)
_known(
    "That is half of the fan in, or of one over it. `** 1 / 2` takes the power first, and then "
    "halves: write `** 0.5` or `math.sqrt`.",
    half_of_fan_in=_of_fan_in(lambda n: n / 2),
    half_of_inverse=_of_fan_in(lambda n: 1 / n / 2),
)
_known(
    "That is the standard deviation of Kaiming's distribution, not the default.",
    of_kaiming_normal=_of_fan_in(lambda n: math.sqrt(2 / n)),
    of_kaiming_normal_groups_ignored=lambda c, k, g: math.sqrt(2 / (c * k**2)),
)
_known(
    "That is the bound of `kaiming_uniform_` for ReLU. The default is smaller.",
    of_kaiming_uniform=_of_fan_in(lambda n: math.sqrt(6 / n)),
    of_kaiming_uniform_groups_ignored=lambda c, k, g: math.sqrt(6 / (c * k**2)),
)
_known(
    "That belongs to the variance 1/fan_in. The default has a third of it.",
    of_lecun_uniform=_of_fan_in(lambda n: math.sqrt(3 / n)),
    of_lecun_uniform_groups_ignored=lambda c, k, g: math.sqrt(3 / (c * k**2)),
)
_known(
    "That is the standard deviation. The distribution ends at 1.73 of these.",
    is_deviation=_of_fan_in(lambda n: 1 / math.sqrt(3 * n)),
    is_deviation_groups_ignored=lambda c, k, g: 1 / math.sqrt(3 * c * k**2),
)
_known(
    "That is the variance of the distribution. Where does it end?",
    is_variance=_of_fan_in(lambda n: 1 / (3 * n)),
)
_known(
    "That is 2 / fan_in: Kaiming's variance, or a root that is written as `** 1 / 2`. The bound "
    "of the default is one over the root of the fan in.",
    is_kaiming_variance=_of_fan_in(lambda n: 2 / n),
)
_known(
    "A bound of that kind has a root: it is the root of 3 times the variance.",
    is_three_over_fan_in=_of_fan_in(lambda n: 3 / n),
    is_six_over_fan_in=_of_fan_in(lambda n: 6 / n),
    is_root_of_three_over_fan_in=_of_fan_in(lambda n: math.sqrt(3) / n),
)
_known(
    "The root of 5 in PyTorch's source is a slope. No 5 is left in the bound.",
    times_root_of_5=_of_fan_in(lambda n: math.sqrt(5 / n)),
    over_root_of_5=_of_fan_in(lambda n: 1 / math.sqrt(5 * n)),
    over_root_of_6=_of_fan_in(lambda n: 1 / math.sqrt(6 * n)),
    root_of_5_not_squared=_of_fan_in(lambda n: math.sqrt(6 / n / (1 + math.sqrt(5)))),
    six_over_five=_of_fan_in(lambda n: math.sqrt(6 / n / 5)),
    gain_root_of_5=_of_fan_in(lambda n: math.sqrt(15 / n)),
    gain_of_5=_of_fan_in(lambda n: math.sqrt(6 / n / 26)),
)
_known(
    "With yours, a larger kernel makes the bound larger. It belongs to the product that you divide "
    "by: look at the brackets.",
    brackets_forgotten=lambda c, k, g: 1 / c * k**2,
    brackets_forgotten_with_groups=lambda c, k, g: 1 / (c // g) * k**2,
    brackets_forgotten_below_the_root=lambda c, k, g: math.sqrt(1 / (c // g) * k**2),
    brackets_and_groups_forgotten=lambda c, k, g: 1 / math.sqrt(c // g) * k**2,
)
_known(
    "That is twice or half the bound: the distribution goes from -b to b, and b is wanted.",
    is_width=_of_fan_in(lambda n: 2 / math.sqrt(n)),
    is_half=_of_fan_in(lambda n: 1 / math.sqrt(n) / 2),
)
_known(
    "The positive one of the two bounds is wanted, one number.",
    negative=_of_fan_in(lambda n: -1 / math.sqrt(n)),
    pair=_of_fan_in(lambda n: (-1 / math.sqrt(n), 1 / math.sqrt(n))),
)
_known(
    "`//` rounds the quotient down to a whole number: the bound needs `/`.",
    rounded_down=_of_fan_in(lambda n: 1 // math.sqrt(n)),
)
_known(
    "The bound has no reason to be rounded.",
    rounded=_of_fan_in(lambda n: round(1 / math.sqrt(n), 2)),
    of_rounded_root=_of_fan_in(lambda n: 1 / math.isqrt(n)),
)
