"""Values to work out, and one to find: groups."""

from __future__ import annotations

from typing import Any

import numpy as np

from convlab.check.exercise import Chapter
from convlab.shapes import conv2d_channels_read, conv2d_num_parameters

chapter = Chapter("groups")

_read = conv2d_channels_read(20, 12, groups=4)[9]

chapter.value(
    "channels_read",
    title="Which channels does a kernel read?",
    minutes=3,
    text="In `nn.Conv2d(20, 12, kernel_size=3, groups=4)`, which channels does kernel 9 read? Give "
    "the first and the last one. Channels and kernels are counted from 0.",
    answer=(_read[0], _read[-1]),
    hints=[
        "How many kernels has a group, and how many channels?",
        "With three kernels in each group, in which one is kernel 9?",
    ],
    explanation="Kernel 9 belongs to group 9 // 3 = 3, whose five channels begin at 3 · 5.",
    mistakes=[
        (
            "counted_from_one",
            (10, 14),
            "A group has three kernels, and the first one has kernels 0, 1 and 2.",
        ),
        ("kernels_in_turn", (5, 9), "Groups are blocks of neighbouring kernels."),
        ("end_excluded", (15, 20), "There are 20 channels, counted from 0: which is the last?"),
        ("channels_from_one", (16, 20), "There are 20 channels, counted from 0."),
        ("all_channels", (0, 19), "With groups, a kernel does not read all channels."),
        ("channel_of_its_own", (9, 9), "That would be depthwise: one channel in each group."),
        ("five_from_kernel", (45, 49), "Kernel 9 is not group 9: three kernels make a group."),
        ("kernels_as_width", (9, 11), "A group has three kernels. How many channels has it?"),
        ("begins_at_the_kernel", (9, 13), "Which group has kernel 9? It begins at its channels."),
        ("begins_at_the_group", (3, 7), "Three groups come before, with five channels each."),
        ("group_times_groups", (12, 16), "A group has 20 / 4 channels, not four."),
        ("groups_of_four", (12, 15), "A group has 20 / 4 channels, not four."),
        ("three_channels", (15, 17), "A group has three kernels. How many channels has it?"),
        ("four_channels", (15, 18), "A group has 20 / 4 channels: from 15 on, which is the last?"),
        ("group_of_kernel_eight", (14, 19), "Channels are counted from 0: each group has five."),
    ],
)

_depthwise = conv2d_num_parameters(32, 32, 5, groups=32)
_pointwise = conv2d_num_parameters(32, 48, 1)

chapter.value(
    "count_separable",
    title="Count a separable block",
    minutes=4,
    text="A depthwise convolution of 32 channels with 5×5 kernels, then a 1×1 convolution from 32 "
    "to 48 channels, both with bias. How many parameters do they have together?",
    answer=_depthwise + _pointwise,
    hints=[
        "A depthwise kernel has a single slice. How many numbers is that, with its bias?",
        "A 1×1 kernel has a number for each of the 32 channels, and a bias.",
    ],
    explanation="832 and 1584, where an ordinary layer has 38448: mixing takes most of it.",
    mistakes=[
        (
            "biases_forgotten",
            _depthwise + _pointwise - 32 - 48,
            "Both layers have a bias for each of their kernels.",
        ),
        ("depthwise_only", _depthwise, "That is the depthwise layer. The 1×1 layer counts, too."),
        ("pointwise_only", _pointwise, "That is the 1×1 layer. The depthwise layer counts, too."),
        (
            "ordinary_layer",
            conv2d_num_parameters(32, 48, 5),
            "That is an ordinary layer of 5×5 from 32 to 48 channels.",
        ),
        (
            "depthwise_mixes",
            conv2d_num_parameters(32, 32, 5) + _pointwise,
            "A depthwise kernel has one slice, not 32.",
        ),
        (
            "one_kernel_for_all",
            conv2d_num_parameters(1, 1, 5) + _pointwise,
            "Each of the 32 channels has a depthwise kernel of its own.",
        ),
        (
            "bias_of_the_last_only",
            _depthwise + _pointwise - 32,
            "The depthwise layer has biases, too: one for each kernel.",
        ),
        (
            "bias_of_the_first_only",
            _depthwise + _pointwise - 48,
            "The 1×1 layer has biases, too: one for each kernel.",
        ),
        (
            "bias_for_each_input",
            _depthwise + 32 * 48 + 32,
            "A bias belongs to an output: how many has the 1×1 layer?",
        ),
        ("one_bias_each", 32 * 25 + 1 + 32 * 48 + 1, "Each kernel has a bias, not each layer."),
        (
            "depthwise_without_kernel_area",
            32 * 5 + 32 + _pointwise,
            "A slice of 5×5 has 25 numbers.",
        ),
        (
            "depthwise_makes_all_outputs",
            48 * 25 + 48 + _pointwise,
            "The depthwise layer has as many kernels as channels. The 1×1 layer makes 48 of them.",
        ),
        (
            "both_of_five",
            _depthwise + conv2d_num_parameters(32, 48, 5),
            "The second layer has kernels of 1×1.",
        ),
        ("multiplied", _depthwise * _pointwise, "The layers follow each other: add their counts."),
        (
            "depthwise_mixes_one_bias_less",
            32 * 32 * 25 + 32 * 48,
            "A depthwise kernel has one slice, not 32; and there are biases.",
        ),
        (
            "pointwise_by_channel",
            _depthwise + 2 * 48,
            "A 1×1 kernel reads all 32 channels.",
        ),
    ],
)

_eight = list(range(8))

chapter.value(
    "predict_shuffle",
    title="Predict: a channel shuffle",
    minutes=3,
    text="What does this print?",
    code="channels = torch.arange(8).reshape(1, 8, 1, 1)\n"
    "print(nn.ChannelShuffle(2)(channels).flatten().tolist())",
    answer=tuple(np.arange(8).reshape(2, 4).T.ravel().tolist()),
    hints=[
        "Write the channels into a table with a group in each row: two rows.",
        "Read the table column by column.",
    ],
    explanation="Each new group of four gets two channels of each old one.",
    mistakes=[
        ("unshuffled", tuple(_eight), "Read the table by columns, not by rows."),
        (
            "shuffled_back",
            tuple(np.arange(8).reshape(4, 2).T.ravel().tolist()),
            "A row of the table is a group: there are two of them, with four channels each.",
        ),
        ("groups_exchanged", tuple(np.roll(_eight, 4).tolist()), "The groups are mixed."),
        ("reversed", tuple(_eight[::-1]), "Write a group in each row, and read by columns."),
        (
            "last_group_first",
            tuple(np.arange(8).reshape(2, 4)[::-1].T.ravel().tolist()),
            "Each column is read from its first row on.",
        ),
        (
            "reversed_in_groups",
            tuple(np.arange(8).reshape(2, 4)[:, ::-1].ravel().tolist()),
            "Write a group in each row, and read by columns.",
        ),
        ("pairs_exchanged", (1, 0, 3, 2, 5, 4, 7, 6), "Two groups, not groups of two."),
    ],
)


def _does_not_mix(answer: Any) -> str | None:
    """Return what is wrong with channels and groups that one shuffle should not mix."""
    channels, groups = (int(number) for number in answer)
    if min(channels, groups) < 1:
        return "both numbers must be at least 1"
    if channels % groups:
        exchanged = " (the channels come first)" if groups > channels else ""
        return f"{channels} channels cannot be cut into {groups} equal groups{exchanged}"
    depth = channels // groups
    if depth < groups:  # a group has not a channel for each new group
        return None
    if groups == 1:
        return "with one group, each layer reads all channels anyway"
    return (
        "each group of the second layer gets channels of every group of the first: a group has "
        f"{depth}, and there are {groups} groups to reach"
    )


chapter.search(
    "break_shuffle",
    title="Break it: one shuffle mixes all",
    minutes=4,
    text="Somebody puts a channel shuffle between two layers with the same number of groups, "
    '"so that each output depends on every input". Give a pair `(channels, groups)` for which that '
    "is wrong. Both layers have as many outputs as inputs.",
    objection=_does_not_mix,
    example=(8, 4),
    hints=[
        "How many channels does one group have to give away?",
        "It can reach as many new groups as it has channels, at most.",
    ],
    explanation="One shuffle is enough if a group has at least as many channels as there are "
    "groups.",
    mistakes=[
        ("as_many_as_groups", (9, 3), "Three groups of three: a channel for each new group."),
        ("two_groups", (8, 2), "A group of four can reach both new groups."),
        ("four_by_four", (16, 4), "Four groups of four: a channel for each new group."),
        ("one_group", (8, 1), "A single group mixes all channels anyway."),
        ("not_divisible", (8, 3), "The number of groups must divide that of the channels."),
        ("one_channel", (1, 1), "A single channel has nothing to mix."),
        ("twelve_in_two", (12, 2), "A group of six can reach both new groups."),
        ("groups_first", (4, 8), "The channels come first, then the groups."),
        ("larger_groups", (12, 3), "A group of four can reach all three new groups."),
    ],
)
