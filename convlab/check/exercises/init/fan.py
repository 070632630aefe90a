"""The exercise on the fans of a weight."""

from __future__ import annotations

import math
from collections.abc import Iterator
from random import Random

from convlab.check.exercise import Arguments, Mistake
from convlab.check.exercises.init.values import chapter


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


def _known(hint, **answers):
    """Enter known mistakes that share a hint: functions of o, c, h, w and the groups."""
    for name, formula in answers.items():
        fans.mistakes.append(
            Mistake(name, hint, lambda shape, groups, of=formula: of(*shape, groups))
        )


_known(
    "A bias is no part of the fans: only weights multiply what is read.",
    bias_in_fan_in=lambda o, c, h, w, g: (c * h * w + 1, o // g * h * w),
    bias_in_both=lambda o, c, h, w, g: (c * h * w + 1, o // g * h * w + 1),
    bias_in_fan_in_without_groups=lambda o, c, h, w, g: (c * h * w + 1, o * h * w),
)
_known(
    "The fan in comes first: it belongs to what a kernel reads, and has been divided already.",
    exchanged_and_both_divided=lambda o, c, h, w, g: (o // g * h * w, c // g * h * w),
    exchanged_and_fan_in_divided=lambda o, c, h, w, g: (o * h * w, c // g * h * w),
    exchanged_and_fan_in_multiplied=lambda o, c, h, w, g: (o // g * h * w, c * g * h * w),
)
_known(
    "The fan out counts kernels, the first axis; the second axis is what a kernel reads.",
    fan_in_twice=lambda o, c, h, w, g: (c * h * w, c * h * w),
    fan_out_of_channels=lambda o, c, h, w, g: (c * h * w, c * g * h * w),
    fan_out_of_channels_divided=lambda o, c, h, w, g: (c * h * w, c // g * h * w),
)
_known(
    "The fan in counts what a kernel reads: the second axis, not the first.",
    fan_out_twice=lambda o, c, h, w, g: (o // g * h * w, o // g * h * w),
    kernels_twice=lambda o, c, h, w, g: (o * h * w, o * h * w),
)
_known(
    "In the fan in, too, each channel has a whole kernel, rows times columns.",
    fan_in_without_kernel=lambda o, c, h, w, g: (c, o // g * h * w),
    fan_in_without_kernel_and_groups=lambda o, c, h, w, g: (c, o * h * w),
)
_known(
    "Each channel meets a whole kernel: multiply by its rows and columns. And the groups?",
    kernel_and_groups_forgotten=lambda o, c, h, w, g: (c, o),
    fan_out_without_kernel_and_groups=lambda o, c, h, w, g: (c * h * w, o),
)
_known(
    "Each weight of the kernel counts: multiply rows by columns.",
    columns_only=lambda o, c, h, w, g: (c * w, o // g * w),
    rows_in_one_columns_in_the_other=lambda o, c, h, w, g: (c * h, o // g * w),
    rows_squared_without_groups=lambda o, c, h, w, g: (c * h * h, o * h * h),
    area_squared=lambda o, c, h, w, g: (c * (h * w) ** 2, o // g * (h * w) ** 2),
    rows_only_without_groups=lambda o, c, h, w, g: (c * h, o * h),
)
_known(
    "A fan is a product, not a sum: each channel meets each weight of a slice.",
    all_added=lambda o, c, h, w, g: (c + h + w, o // g + h + w),
    channels_added=lambda o, c, h, w, g: (c + h * w, o // g + h * w),
)
_known(
    "With more groups there are fewer kernels that a number enters. And the fan in is divided "
    "already.",
    both_multiplied=lambda o, c, h, w, g: (c * g * h * w, o * g * h * w),
)
_known(
    "What has the product of both to do with a fan? Count the kernels that one number enters.",
    fan_out_of_all_weights=lambda o, c, h, w, g: (c * h * w, o * c * h * w),
    fan_out_of_all_weights_by_groups=lambda o, c, h, w, g: (c * h * w, o * c * h * w // g),
)
_known(
    "The groups divide the kernels, and nothing else: a kernel keeps its rows and columns.",
    groups_squared=lambda o, c, h, w, g: (c * h * w, o // g // g * h * w),
    groups_for_kernels=lambda o, c, h, w, g: (c * h * w, g * h * w),
    groups_subtracted=lambda o, c, h, w, g: (c * h * w, (o - g) * h * w),
    remainder_of_groups=lambda o, c, h, w, g: (c * h * w, o % g * h * w),
)
_known(
    "The axes are (out, in / groups, rows, columns), in this order.",
    rows_and_columns_first=lambda o, c, h, w, g: (h * o * c, w // g * o * c),
    rows_and_columns_first_and_exchanged=lambda o, c, h, w, g: (w * o * c, h // g * o * c),
    last_axis_forgotten=lambda o, c, h, w, g: (o * c * h, o * c * h // g),
)
_known(
    "That is the fan out alone. The fan in is wanted, too, and first: a pair.",
    fan_out_only=lambda o, c, h, w, g: o // g * h * w,
    fan_out_only_without_groups=lambda o, c, h, w, g: o * h * w,
)
_known(
    "You give one number for both. The pair is wanted.",
    fans_added=lambda o, c, h, w, g: c * h * w + o // g * h * w,
    fans_averaged=lambda o, c, h, w, g: (c * h * w + o // g * h * w) / 2,
    all_weights_alone=lambda o, c, h, w, g: o * c * h * w,
)
