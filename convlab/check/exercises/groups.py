"""Exercises on groups, and on the separable convolution."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

import numpy as np

from convlab.check.exercise import Arguments, Chapter, random_array
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
        ("counted_from_one", (10, 14), "The first kernel is kernel 0: kernel 9 is the tenth."),
        ("kernels_in_turn", (5, 9), "Groups are blocks of neighbouring kernels."),
        ("end_excluded", (15, 20), "There are 20 channels, counted from 0: which is the last?"),
        ("channels_from_one", (16, 20), "There are 20 channels, counted from 0."),
        ("all_channels", (0, 19), "With groups, a kernel does not read all channels."),
        ("channel_of_its_own", (9, 9), "That would be depthwise: one channel in each group."),
        ("kernels_as_width", (9, 11), "A group has three kernels. How many channels has it?"),
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
        ("pairs_exchanged", (1, 0, 3, 2, 5, 4, 7, 6), "Two groups, not groups of two."),
    ],
)


def _does_not_mix(answer: Any) -> str | None:
    """Return what is wrong with channels and groups that one shuffle should not mix."""
    channels, groups = (int(number) for number in answer)
    if min(channels, groups) < 1 or channels % groups:
        return f"{channels} channels cannot be cut into {groups} equal groups"
    depth = channels // groups
    shuffled = np.arange(channels).reshape(groups, depth).T.reshape(groups, depth)
    reached = [len({channel // depth for channel in group}) for group in shuffled]
    if min(reached) < groups:
        return None
    return "each group of the second layer gets channels of every group of the first"


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
        ("groups_first", (4, 8), "The channels come first, then the groups."),
        ("larger_groups", (12, 3), "A group of four can reach all three new groups."),
    ],
)


def _grouped(random: Random) -> Iterator[Arguments]:
    """Yield arguments of grouped convolutions, from the simplest on."""
    yield random_array(random, 1, 1, 3, 3), random_array(random, 1, 1, 2, 2), 1
    yield random_array(random, 1, 2, 2, 3), random_array(random, 2, 2, 2, 2), 1
    yield random_array(random, 1, 2, 2, 3), random_array(random, 2, 1, 2, 2), 2
    yield random_array(random, 1, 2, 1, 2), random_array(random, 6, 1, 1, 1), 2
    yield random_array(random, 1, 6, 1, 2), random_array(random, 2, 3, 1, 1), 2
    yield random_array(random, 1, 6, 1, 2), random_array(random, 4, 3, 1, 2), 2
    yield random_array(random, 2, 4, 2, 3), random_array(random, 4, 1, 2, 2), 4
    for _ in range(12):
        groups, depth, per_group = (random.randint(1, 3) for _ in range(3))
        k_h, k_w = random.randint(1, 3), random.randint(1, 2)
        x = random_array(random, random.randint(1, 2), groups * depth, k_h + 1, k_w + 2)
        yield x, random_array(random, groups * per_group, depth, k_h, k_w), groups


@chapter.code(
    title="A grouped convolution",
    minutes=12,
    imports="import numpy as np",
    text="`x` has the shape (N, C, H, W), `w` (O, C / groups, kH, kW). Return the output of shape "
    "(N, O, H - kH + 1, W - kW + 1): stride 1, no padding, no bias. You may build on the "
    "`conv2d` that you have written for the first chapter; then copy it into the cell, too.",
    cases=_grouped,
    hints=[
        "How many kernels has a group? In which group is kernel `o`?",
        "Where do the channels of that group begin, and how many are there?",
        "Or cut `x` and `w` into groups, convolve each, and put the maps behind each other.",
    ],
    explanation="Two lines differ from the ordinary convolution: where the channels begin, and how "
    "many there are.",
)
def conv2d_grouped(x, w, groups):
    """Return the output of shape (N, O, H - kH + 1, W - kW + 1)."""
    images, _, height, width = x.shape
    kernels, depth, k_h, k_w = w.shape
    y = np.zeros((images, kernels, height - k_h + 1, width - k_w + 1))
    for n, o, i, j in np.ndindex(y.shape):
        first = o // (kernels // groups) * depth
        window = x[n, first : first + depth, i : i + k_h, j : j + k_w]
        y[n, o, i, j] = (window * w[o]).sum()
    return y


def _convolve_from(x, w, first_channels):
    """Convolve each kernel with the channels that begin at a number of its own."""
    images, _, height, width = x.shape
    _, depth, k_h, k_w = w.shape
    y = np.zeros((images, len(w), height - k_h + 1, width - k_w + 1))
    for n, o, i, j in np.ndindex(y.shape):
        first = first_channels[o]
        window = x[n, first : first + depth, i : i + k_h, j : j + k_w]
        y[n, o, i, j] = (window * w[o]).sum()
    return y


@conv2d_grouped.mistake("`groups` is not used: a kernel reads the channels of its group only.")
def groups_ignored(x, w, groups):
    images, _, height, width = x.shape
    kernels, _, k_h, k_w = w.shape
    y = np.zeros((images, kernels, height - k_h + 1, width - k_w + 1))
    for n, o, i, j in np.ndindex(y.shape):
        y[n, o, i, j] = (x[n, :, i : i + k_h, j : j + k_w] * w[o]).sum()
    return y


@conv2d_grouped.mistake("All kernels read the first channels. Where do those of their group begin?")
def first_group_for_all(x, w, groups):
    return _convolve_from(x, w, [0] * len(w))


@conv2d_grouped.mistake("Groups are blocks of neighbouring kernels: they do not take turns.")
def kernels_take_turns(x, w, groups):
    return _convolve_from(x, w, [o % groups * w.shape[1] for o in range(len(w))])


@conv2d_grouped.mistake("Groups are blocks of neighbouring channels: they do not take turns.")
def channels_take_turns(x, w, groups):
    dealt = x.reshape(len(x), -1, groups, *x.shape[2:]).swapaxes(1, 2)
    return conv2d_grouped.solution(dealt.reshape(x.shape), w, groups)


@conv2d_grouped.mistake("Divide the kernel's number by the kernels of a group, not by `groups`.")
def group_is_kernel_by_groups(x, w, groups):
    depth = w.shape[1]
    return _convolve_from(x, w, [o // groups * depth for o in range(len(w))])


@conv2d_grouped.mistake(
    "Divide the kernel's number by the kernels of a group, not by its channels."
)
def group_by_channels_per_group(x, w, groups):
    depth = w.shape[1]
    return _convolve_from(x, w, [o // depth * depth for o in range(len(w))])


@conv2d_grouped.mistake("Each kernel gets channels of its own. Those of a group share them.")
def channels_for_each_kernel(x, w, groups):
    return _convolve_from(x, w, [o * w.shape[1] for o in range(len(w))])


@conv2d_grouped.mistake("The group's number is not yet its first channel: how many has each group?")
def group_as_first_channel(x, w, groups):
    return _convolve_from(x, w, [o // (len(w) // groups) for o in range(len(w))])


@conv2d_grouped.mistake("The maps of the groups are put behind each other, not added.")
def groups_added(x, w, groups):
    y = conv2d_grouped.solution(x, w, groups)
    return y.reshape(len(x), groups, -1, *y.shape[2:]).sum(axis=1)


@conv2d_grouped.mistake("The maps stand in the order of the kernels: group after group.")
def maps_take_turns(x, w, groups):
    y = conv2d_grouped.solution(x, w, groups)
    return y.reshape(len(x), groups, -1, *y.shape[2:]).swapaxes(1, 2).reshape(y.shape)


@conv2d_grouped.mistake("The maps are put behind each other as channels, axis 1, not as images.")
def groups_on_the_batch_axis(x, w, groups):
    y = conv2d_grouped.solution(x, w, groups)
    return np.concatenate(np.split(y, groups, axis=1), axis=0)


@conv2d_grouped.mistake("The groups have no axis of their own: their maps stand behind each other.")
def groups_stacked(x, w, groups):
    y = conv2d_grouped.solution(x, w, groups)
    return np.stack(np.split(y, groups, axis=1), axis=0)


@conv2d_grouped.mistake("Only one group is there. Is the result returned inside of the loop?")
def first_group_only(x, w, groups):
    return conv2d_grouped.solution(x, w, groups)[:, : len(w) // groups]


@conv2d_grouped.mistake("Every kernel has weights of its own. Each group gets those of the first.")
def first_kernels_for_all(x, w, groups):
    per_group = len(w) // groups
    return conv2d_grouped.solution(x, np.tile(w[:per_group], (groups, 1, 1, 1)), groups)


@conv2d_grouped.mistake("Every kernel has weights of its own. You use the first one for all.")
def first_kernel_for_all(x, w, groups):
    return conv2d_grouped.solution(x, np.broadcast_to(w[:1], w.shape), groups)


@conv2d_grouped.mistake("You turned the kernel. The layer lays it on the window as it is.")
def grouped_kernel_turned(x, w, groups):
    return conv2d_grouped.solution(x, w[..., ::-1, ::-1], groups)


@conv2d_grouped.mistake("The output has four axes, and all images of the batch.")
def grouped_first_image_only(x, w, groups):
    return conv2d_grouped.solution(x[:1], w, groups)


@conv2d_grouped.mistake("The last row and column are missing: the first place needs no step.")
def grouped_last_places_missing(x, w, groups):
    return conv2d_grouped.solution(x, w, groups)[:, :, :-1, :-1]


@conv2d_grouped.mistake("The channels of a group are added up. Only the first one is used.")
def grouped_first_channel_only(x, w, groups):
    first = np.zeros_like(w)
    first[:, 0] = w[:, 0]
    return conv2d_grouped.solution(x, first, groups)


@conv2d_grouped.mistake("Each group overwrites the maps of the one before it: where do its own go?")
def groups_overwrite_each_other(x, w, groups):
    y = conv2d_grouped.solution(x, w, groups)
    per_group = len(w) // groups
    last = y[:, -per_group:].copy()
    y[:] = 0
    y[:, :per_group] = last
    return y


@conv2d_grouped.mistake("A group's first channel is its number times the channels of a group.")
def channels_begin_at_kernels(x, w, groups):
    per_group = len(w) // groups
    return _convolve_from(x, w, [o // per_group * per_group for o in range(len(w))])


@conv2d_grouped.mistake("The kernels of a group stand next to each other: they do not take turns.")
def kernels_dealt_out(x, w, groups):
    per_group = len(w) // groups
    dealt = [o % per_group * groups + o // per_group for o in range(len(w))]
    return conv2d_grouped.solution(x, w[dealt], groups)


@conv2d_grouped.mistake("The kernels are cut into groups, too: each reads the channels of its own.")
def all_kernels_on_each_group(x, w, groups):
    depth = w.shape[1]
    parts = [_convolve_from(x, w, [g * depth] * len(w)) for g in range(groups)]
    return np.concatenate(parts, axis=1)


@conv2d_grouped.mistake("How many kernels has a group? Not as many as it has channels.")
def kernels_cut_by_channels(x, w, groups):
    depth = w.shape[1]
    parts = [
        _convolve_from(x, w[g * depth : (g + 1) * depth], [g * depth] * depth)
        for g in range(groups)
    ]
    return np.concatenate(parts, axis=1)


@conv2d_grouped.mistake("The groups are cut along the channels: axis 1 of `x`, axis 0 of `w`.")
def weight_cut_along_its_slices(x, w, groups):
    parts = zip(np.split(x, groups, axis=1), np.split(w, groups, axis=1), strict=True)
    return np.concatenate([conv2d_grouped.solution(*part, 1) for part in parts], axis=1)


@conv2d_grouped.mistake("The groups are cut along the channels: axis 1 of `x`, axis 0 of `w`.")
def image_cut_along_the_batch(x, w, groups):
    parts = zip(np.split(x, groups), np.split(w, groups), strict=True)
    return np.concatenate([groups_ignored(*part, 1) for part in parts], axis=1)


@conv2d_grouped.mistake("The maps of the groups are put behind each other, in one array.")
def groups_in_an_axis(x, w, groups):
    y = conv2d_grouped.solution(x, w, groups)
    return np.stack(np.split(y, groups, axis=1), axis=1)


@conv2d_grouped.mistake("There is no padding here: the maps are smaller than the image.")
def grouped_with_padding(x, w, groups):
    x = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    return conv2d_grouped.solution(x, w, groups)


def _blocks(random: Random) -> Iterator[Arguments]:
    """Yield an image, depthwise and pointwise weights, from the simplest on."""
    for channels, kernels, side in [(1, 1, 2), (2, 1, 2), (2, 2, 1), (2, 3, 1), (3, 3, 2)]:
        yield (
            random_array(random, 1, channels, 2, 3),
            random_array(random, channels, 1, side, side),
            random_array(random, kernels, channels, 1, 1),
        )
    for _ in range(15):
        channels, kernels, k_h, k_w = (random.randint(1, 4) for _ in range(4))
        yield (
            random_array(random, random.randint(1, 3), channels, k_h + 1, k_w + 2),
            random_array(random, channels, 1, k_h, k_w),
            random_array(random, kernels, channels, 1, 1),
        )


@chapter.code(
    title="A depthwise separable convolution",
    minutes=12,
    imports="import numpy as np",
    text="First filter, then mix. `x` has the shape (N, C, H, W), `depthwise` (C, 1, kH, kW), "
    "`pointwise` (O, C, 1, 1). Return the output of shape (N, O, H - kH + 1, W - kW + 1): stride "
    "1, no padding, no bias, nothing in between.",
    cases=_blocks,
    hints=[
        "The first step makes C maps: kernel `c` slides over channel `c` alone.",
        "The second step makes O maps, each a sum of the C maps with weights `pointwise[o]`.",
        "`np.einsum` multiplies and adds along named axes; or loop over `o` and `c`.",
    ],
    explanation="Without anything in between it is one convolution, whose weight is the product.",
)
def depthwise_separable(x, depthwise, pointwise):
    """Return the output of shape (N, O, H - kH + 1, W - kW + 1)."""
    images, channels, height, width = x.shape
    k_h, k_w = depthwise.shape[2:]
    filtered = np.zeros((images, channels, height - k_h + 1, width - k_w + 1))
    for i, j in np.ndindex(filtered.shape[2:]):
        window = x[:, :, i : i + k_h, j : j + k_w]
        filtered[:, :, i, j] = (window * depthwise[:, 0]).sum(axis=(2, 3))
    return np.einsum("ncij,oc->noij", filtered, pointwise[:, :, 0, 0])


def _filter(x, depthwise):
    """Return the maps of the first step."""
    mixing = np.eye(len(depthwise))[:, :, None, None]
    return depthwise_separable.solution(x, depthwise, mixing)


@depthwise_separable.mistake("You turned the kernels. They are laid on the windows as they are.")
def separable_kernel_turned(x, depthwise, pointwise):
    return depthwise_separable.solution(x, depthwise[..., ::-1, ::-1], pointwise)


@depthwise_separable.mistake("Those are the maps of the first step. The second one mixes them.")
def mixing_forgotten(x, depthwise, pointwise):
    return _filter(x, depthwise)


@depthwise_separable.mistake("You mix only. The first step filters each channel.")
def filtering_forgotten(x, depthwise, pointwise):
    return np.einsum("ncij,oc->noij", x, pointwise[:, :, 0, 0])


@depthwise_separable.mistake("Row `o` of the pointwise weight belongs to output `o`: out, in.")
def pointwise_transposed(x, depthwise, pointwise):
    filtered = _filter(x, depthwise)
    return np.einsum("ncij,co->noij", filtered, pointwise[:, :, 0, 0])


@depthwise_separable.mistake("The first step does not add up the channels: it keeps C maps.")
def channels_added_first(x, depthwise, pointwise):
    total = _filter(x, depthwise).sum(axis=1)
    return np.einsum("nij,o->noij", total, pointwise[:, 0, 0, 0])


@depthwise_separable.mistake("The first step does not add up the channels: it keeps C maps.")
def channels_added_in_each_map(x, depthwise, pointwise):
    filtered = _filter(x, depthwise)
    total = np.broadcast_to(filtered.sum(axis=1, keepdims=True), filtered.shape)
    return np.einsum("ncij,oc->noij", total, pointwise[:, :, 0, 0])


@depthwise_separable.mistake("Channel `c` has kernel `c`. You use the first kernel for all.")
def first_depthwise_kernel_for_all(x, depthwise, pointwise):
    same = np.broadcast_to(depthwise[:1], depthwise.shape)
    return depthwise_separable.solution(x, same, pointwise)


@depthwise_separable.mistake("Kernel `c` slides over channel `c`. You use one channel for all.")
def first_channel_for_all(x, depthwise, pointwise):
    return depthwise_separable.solution(np.broadcast_to(x[:, :1], x.shape), depthwise, pointwise)


@depthwise_separable.mistake("Each output is a sum over all C maps. You use one of them.")
def one_map_for_each_output(x, depthwise, pointwise):
    filtered = _filter(x, depthwise)
    maps = [filtered[:, o] * pointwise[o, o, 0, 0] for o in range(len(pointwise))]
    return np.stack(maps, axis=1)


@depthwise_separable.mistake("Each output has mixing weights of its own. You use the first ones.")
def first_mixture_for_all(x, depthwise, pointwise):
    same = np.broadcast_to(pointwise[:1], pointwise.shape)
    return depthwise_separable.solution(x, depthwise, same)


@depthwise_separable.mistake("The maps are added with their weights, not averaged.")
def maps_averaged(x, depthwise, pointwise):
    return depthwise_separable.solution(x, depthwise, pointwise / x.shape[1])


@depthwise_separable.mistake("Nothing is in between: negative numbers remain.")
def relu_between(x, depthwise, pointwise):
    filtered = np.maximum(_filter(x, depthwise), 0)
    return np.einsum("ncij,oc->noij", filtered, pointwise[:, :, 0, 0])


@depthwise_separable.mistake("The maps are right, but the axis of the channels is the second one.")
def separable_channels_last(x, depthwise, pointwise):
    return np.moveaxis(depthwise_separable.solution(x, depthwise, pointwise), 1, -1)


@depthwise_separable.mistake("The output has four axes, and all images of the batch.")
def separable_first_image_only(x, depthwise, pointwise):
    return depthwise_separable.solution(x[:1], depthwise, pointwise)


@depthwise_separable.mistake("The last row and column are missing: the first place needs no step.")
def separable_last_places_missing(x, depthwise, pointwise):
    return depthwise_separable.solution(x, depthwise, pointwise)[:, :, :-1, :-1]


@depthwise_separable.mistake("First filter, then mix: it is the filtered maps that are mixed.")
def mixed_first(x, depthwise, pointwise):
    mixed = np.einsum("ncij,oc->noij", x, pointwise[:, :, 0, 0])
    if len(pointwise) != len(depthwise):
        raise ValueError("there are not as many maps as depthwise kernels")
    return _filter(mixed, depthwise)


@depthwise_separable.mistake("Kernel `c` slides over channel `c` alone. Yours slide over all.")
def each_kernel_on_all_channels(x, depthwise, pointwise):
    total = x.sum(axis=1, keepdims=True)
    return depthwise_separable.solution(np.broadcast_to(total, x.shape), depthwise, pointwise)


@depthwise_separable.mistake("Each output is the sum over the C maps, times their weights.")
def maps_not_added(x, depthwise, pointwise):
    return _filter(x, depthwise) * pointwise


@depthwise_separable.mistake("Each output is the sum over the C maps, times their weights.")
def maps_times_matrix(x, depthwise, pointwise):
    return _filter(x, depthwise) * pointwise[:, :, 0, 0]


@depthwise_separable.mistake(
    "`@` multiplies along the last two axes. Those are rows and columns here."
)
def matrix_product_of_pixels(x, depthwise, pointwise):
    return pointwise @ _filter(x, depthwise)


@depthwise_separable.mistake(
    "`@` multiplies along the last two axes. Those are rows and columns here."
)
def matrix_product_of_rows(x, depthwise, pointwise):
    return pointwise[:, :, 0, 0] @ _filter(x, depthwise)


@depthwise_separable.mistake("Each map overwrites the one before it in the sum. They are added.")
def last_map_only(x, depthwise, pointwise):
    return depthwise_separable.solution(x[:, -1:], depthwise[-1:], pointwise[:, -1:])


@depthwise_separable.mistake("Each output is a sum over all C maps. You use the first one.")
def first_map_only(x, depthwise, pointwise):
    return depthwise_separable.solution(x[:, :1], depthwise[:1], pointwise[:, :1])


@depthwise_separable.mistake("The images of the batch must not be added.")
def images_added(x, depthwise, pointwise):
    return depthwise_separable.solution(x.sum(axis=0, keepdims=True), depthwise, pointwise)


@depthwise_separable.mistake("The maps are right, but the axis of the images is the first one.")
def separable_kernels_first(x, depthwise, pointwise):
    return depthwise_separable.solution(x, depthwise, pointwise).swapaxes(0, 1)


@depthwise_separable.mistake("Only the mixed maps are asked for.")
def both_steps_returned(x, depthwise, pointwise):
    return _filter(x, depthwise), depthwise_separable.solution(x, depthwise, pointwise)


@depthwise_separable.mistake("A depthwise kernel has one slice: it meets one channel at a time.")
def depthwise_as_ordinary(x, depthwise, pointwise):
    if x.shape[1] > 1:
        raise ValueError("the kernels have one slice")
    return depthwise_separable.solution(x, depthwise, pointwise)


def _shuffles(random: Random) -> Iterator[Arguments]:
    """Yield channels and groups, from the simplest on."""
    for channels, groups in [(4, 2), (6, 2), (6, 3), (5, 1), (5, 5), (8, 4)]:
        yield np.arange(float(channels)).reshape(1, channels, 1, 1), groups
    yield np.arange(24.0).reshape(2, 6, 1, 2), 2
    for _ in range(15):
        groups, depth, *others = (random.randint(1, 4) for _ in range(5))
        yield random_array(random, others[0], groups * depth, *others[1:], low=0, high=99), groups


@chapter.code(
    title="The channel shuffle",
    minutes=6,
    imports="import numpy as np",
    text="Shuffle the channels of `x`, of shape (N, C, H, W): write them into a table with a group "
    "in each row, and read it column by column. Return an array of the same shape.",
    cases=_shuffles,
    hints=[
        "`reshape` makes two axes of the channels: groups and channels in a group.",
        "`swapaxes` exchanges two axes, and another `reshape` joins them.",
    ],
    explanation="No number is computed, only moved: a shuffle costs no product.",
)
def shuffle_channels(x, groups):
    """Return the image with its channels shuffled."""
    images, channels, height, width = x.shape
    table = x.reshape(images, groups, channels // groups, height, width)
    return table.swapaxes(1, 2).reshape(x.shape)


@shuffle_channels.mistake("The order has not changed. Reshaping there and back moves nothing.")
def shuffle_does_nothing(x, groups):
    return x.copy()


@shuffle_channels.mistake("A row of the table is a group: first the groups, then their channels.")
def shuffled_back(x, groups):
    return shuffle_channels.solution(x, x.shape[1] // groups)


@shuffle_channels.mistake("The groups change places as a whole. Their channels are to be mixed.")
def groups_change_places(x, groups):
    table = x.reshape(len(x), groups, -1, *x.shape[2:])
    return table[:, ::-1].reshape(x.shape)


@shuffle_channels.mistake("The channels are turned around in each group. Are they mixed?")
def turned_in_each_group(x, groups):
    table = x.reshape(len(x), groups, -1, *x.shape[2:])
    return table[:, :, ::-1].reshape(x.shape)


@shuffle_channels.mistake("The order of the channels is turned around. Are the groups mixed?")
def channels_reversed(x, groups):
    return x[:, ::-1].copy()


@shuffle_channels.mistake("The table is right. The result has the shape of `x`, four axes.")
def table_not_joined(x, groups):
    return x.reshape(len(x), groups, -1, *x.shape[2:]).swapaxes(1, 2)


@shuffle_channels.mistake("Transposing all axes exchanges rows and columns of the maps, too.")
def all_axes_transposed(x, groups):
    return x.reshape(len(x), groups, -1, *x.shape[2:]).T.reshape(x.shape)


@shuffle_channels.mistake("The images must not be mixed: exchange the axes 1 and 2, not 0 and 1.")
def images_mixed(x, groups):
    return x.reshape(len(x), groups, -1, *x.shape[2:]).swapaxes(0, 1).reshape(x.shape)


@shuffle_channels.mistake("The shuffle is no random one: read the table by columns.")
def rolled_by_a_group(x, groups):
    return np.roll(x, x.shape[1] // groups, axis=1)


@shuffle_channels.mistake("That is the table. Read it by columns, and join its two axes.")
def table_not_read(x, groups):
    return x.reshape(len(x), groups, -1, *x.shape[2:])


@shuffle_channels.mistake("The axis of the images comes first: the table needs it, too.")
def table_without_images(x, groups):
    return x.reshape(groups, -1, *x.shape[2:]).swapaxes(0, 1).reshape(x.shape)


@shuffle_channels.mistake("That is the order of the channels. The image itself is asked for.")
def order_returned(x, groups):
    return np.arange(x.shape[1]).reshape(groups, -1).T.ravel()


@shuffle_channels.mistake("The channels are the second axis: `x[:, order]`.")
def images_picked(x, groups):
    return x[order_returned(x, groups)]


@shuffle_channels.mistake("Those are the first channels of each group. The others follow.")
def first_of_each_group(x, groups):
    return x[:, :: x.shape[1] // groups]


@shuffle_channels.mistake(
    "Moving all channels on by one mixes no groups: read the table by columns."
)
def rolled_by_one(x, groups):
    return np.roll(x, 1, axis=1)


@shuffle_channels.mistake("The shuffle is always the same: read the table by columns.")
def shuffled_at_random(x, groups):
    return x[:, np.random.default_rng(0).permutation(x.shape[1])]


@shuffle_channels.mistake("Rows and columns of the maps stay where they are.")
def maps_transposed(x, groups):
    return shuffle_channels.solution(x, groups).swapaxes(2, 3)
