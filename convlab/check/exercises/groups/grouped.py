"""Exercise: a grouped convolution."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import numpy as np

from convlab.check.exercise import Arguments, random_array
from convlab.check.exercises.groups.values import chapter


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


@conv2d_grouped.mistake("The maps of the groups are put behind each other, in one array.")
def groups_in_an_axis(x, w, groups):
    y = conv2d_grouped.solution(x, w, groups)
    return np.stack(np.split(y, groups, axis=1), axis=1)


@conv2d_grouped.mistake("There is no padding here: the maps are smaller than the image.")
def grouped_with_padding(x, w, groups):
    x = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    return conv2d_grouped.solution(x, w, groups)


def _by_pixel(x, w, channel, slice_of_kernel=lambda o, c: c):
    """Add up products of a pixel and a weight, with the channels that are given."""
    images, _, height, width = x.shape
    kernels, depth, k_h, k_w = w.shape
    y = np.zeros((images, kernels, height - k_h + 1, width - k_w + 1))
    for n, o, i, j in np.ndindex(y.shape):
        for c, u, v in np.ndindex(depth, k_h, k_w):
            weight = w[o, slice_of_kernel(o, c), u, v]
            y[n, o, i, j] += x[n, channel(o, c), i + u, j + v] * weight
    return y


@conv2d_grouped.mistake("Divide the kernel's number by the kernels of a group, not by `groups`.")
def group_is_kernel_by_groups_of_pixels(x, w, groups):
    return _by_pixel(x, w, lambda o, c: o // groups * w.shape[1] + c)


@conv2d_grouped.mistake(
    "Divide the kernel's number by the kernels of a group, not by its channels."
)
def group_by_channels_of_pixels(x, w, groups):
    return _by_pixel(x, w, lambda o, c: o // w.shape[1] * w.shape[1] + c)


@conv2d_grouped.mistake("Each kernel gets channels of its own. Those of a group share them.")
def pixels_for_each_kernel(x, w, groups):
    return _by_pixel(x, w, lambda o, c: o * w.shape[1] + c)


@conv2d_grouped.mistake("A group's first channel is its number times the channels of a group.")
def channels_begin_at_groups(x, w, groups):
    return _by_pixel(x, w, lambda o, c: o // (len(w) // groups) * groups + c)


@conv2d_grouped.mistake("A kernel has a slice for each channel of its group only, counted from 0.")
def slices_counted_through(x, w, groups):
    depth = w.shape[1]
    first = [o // (len(w) // groups) * depth for o in range(len(w))]
    return _by_pixel(x, w, lambda o, c: first[o] + c, lambda o, c: first[o] + c)


@conv2d_grouped.mistake(
    "A kernel has slices for its group only: cut the channels of `x`, its axis 1."
)
def depth_of_all_channels(x, w, groups):
    if x.shape[1] != w.shape[1]:
        raise ValueError(f"{x.shape[1]} channels, but {w.shape[1]} slices")
    return conv2d_grouped.solution(x, w, groups)


@conv2d_grouped.mistake("The first group of kernels reads the first group of channels.")
def channels_of_groups_reversed(x, w, groups):
    depth, per_group = w.shape[1], len(w) // groups
    return _convolve_from(x, w, [(groups - 1 - o // per_group) * depth for o in range(len(w))])


@conv2d_grouped.mistake("The first group of kernels reads the first group of channels.")
def kernels_of_groups_reversed(x, w, groups):
    return conv2d_grouped.solution(x, np.concatenate(np.split(w, groups)[::-1]), groups)


@conv2d_grouped.mistake("The maps of the groups are put behind each other, not averaged.")
def groups_averaged(x, w, groups):
    return groups_added(x, w, groups) / groups


@conv2d_grouped.mistake("Only the last group is there: put the maps of all behind each other.")
def last_group_only(x, w, groups):
    return conv2d_grouped.solution(x, w, groups)[:, -(len(w) // groups) :]


@conv2d_grouped.mistake("You turned the rows of the kernel. It is laid on the window as it is.")
def grouped_rows_turned(x, w, groups):
    return conv2d_grouped.solution(x, w[:, :, ::-1], groups)


@conv2d_grouped.mistake("A group has O / groups kernels. Yours has one.")
def one_kernel_for_each_group(x, w, groups):
    return _convolve_from(x, w[:groups], [g * w.shape[1] for g in range(groups)])


@conv2d_grouped.mistake("The channels of a group are added up: each overwrites the one before it.")
def grouped_last_channel_only(x, w, groups):
    last = np.zeros_like(w)
    last[:, -1] = w[:, -1]
    return conv2d_grouped.solution(x, last, groups)


@conv2d_grouped.mistake("All products of a window are added up: each overwrites the one before it.")
def grouped_last_product_only(x, w, groups):
    last = np.zeros_like(w)
    last[:, -1, -1, -1] = w[:, -1, -1, -1]
    return conv2d_grouped.solution(x, last, groups)


_STOPS_EARLY = "The loops over the places stop too early: the first place needs no step."


@conv2d_grouped.mistake(_STOPS_EARLY)
def grouped_last_places_zero(x, w, groups):
    y = conv2d_grouped.solution(x, w, groups)
    y[:, :, -1] = y[:, :, :, -1] = 0
    return y


@conv2d_grouped.mistake(_STOPS_EARLY)
def grouped_last_row_zero(x, w, groups):
    y = conv2d_grouped.solution(x, w, groups)
    y[:, :, -1] = 0
    return y


@conv2d_grouped.mistake(_STOPS_EARLY)
def grouped_last_column_zero(x, w, groups):
    y = conv2d_grouped.solution(x, w, groups)
    y[:, :, :, -1] = 0
    return y


@conv2d_grouped.mistake("Rows and columns of the kernel are exchanged.")
def grouped_kernel_transposed(x, w, groups):
    if w.shape[2] != w.shape[3]:
        raise ValueError("rows and columns of the kernel do not fit")
    return conv2d_grouped.solution(x, w.swapaxes(2, 3), groups)


@conv2d_grouped.mistake("You turned the columns of the kernel. It is laid on the window as it is.")
def grouped_columns_turned(x, w, groups):
    return conv2d_grouped.solution(x, w[..., ::-1], groups)


_NOT_SQUARE = "An output need not be square: it has H - kH + 1 rows and W - kW + 1 columns."


@conv2d_grouped.mistake(_NOT_SQUARE)
def grouped_output_as_wide_as_high(x, w, groups):
    y = conv2d_grouped.solution(x, w, groups)
    height = y.shape[2]
    if height > y.shape[3]:
        raise ValueError("there are not as many columns as rows")
    return y[..., :height]


@conv2d_grouped.mistake(_NOT_SQUARE)
def grouped_output_as_high_as_wide(x, w, groups):
    y = conv2d_grouped.solution(x, w, groups)
    width = y.shape[3]
    if width > y.shape[2]:
        raise ValueError("there are not as many rows as columns")
    return y[:, :, :width]


@conv2d_grouped.mistake(
    "Every kernel has weights of its own. A group uses one kernel for all maps."
)
def one_kernel_within_each_group(x, w, groups):
    per_group = len(w) // groups
    same = w[[o // per_group * per_group for o in range(len(w))]]
    return conv2d_grouped.solution(x, same, groups)


@conv2d_grouped.mistake("The number of a group is not yet the number of a kernel.")
def kernel_with_the_number_of_the_group(x, w, groups):
    per_group = len(w) // groups
    return conv2d_grouped.solution(x, w[[o // per_group for o in range(len(w))]], groups)


@conv2d_grouped.mistake("All kernels read the channels of the last group. Where does theirs begin?")
def last_group_for_all(x, w, groups):
    return _convolve_from(x, w, [(groups - 1) * w.shape[1]] * len(w))


@conv2d_grouped.mistake("Groups are blocks of neighbours: channels and kernels do not take turns.")
def everything_takes_turns(x, w, groups):
    channels, kernels = (np.arange(count) for count in (x.shape[1], len(w)))
    dealt = np.argsort(kernels % groups, kind="stable")
    y = np.empty_like(conv2d_grouped.solution(x, w, groups))
    order = np.argsort(channels % groups, kind="stable")
    y[:, dealt] = conv2d_grouped.solution(x[:, order], w[dealt], groups)
    return y


@conv2d_grouped.mistake("Groups are blocks of neighbours: channels and kernels do not take turns.")
def everything_dealt_out(x, w, groups):
    channels, kernels = (np.arange(count) for count in (x.shape[1], len(w)))
    order, dealt = (np.argsort(n % groups, kind="stable") for n in (channels, kernels))
    return conv2d_grouped.solution(x[:, order], w[dealt], groups)


@conv2d_grouped.mistake("The products with the channels of a group are added up.")
def grouped_channels_not_added(x, w, groups):
    depth = w.shape[1]
    parts = []
    for c in range(depth):
        single = np.zeros_like(w)
        single[:, c] = w[:, c]
        parts.append(conv2d_grouped.solution(x, single, groups))
    return np.stack(parts, axis=2)


@conv2d_grouped.mistake("The pixels of a window are multiplied by the weights of the kernel.")
def grouped_without_weights(x, w, groups):
    return conv2d_grouped.solution(x, np.ones_like(w), groups)


@conv2d_grouped.mistake("The products are added, not averaged.")
def grouped_mean_of_products(x, w, groups):
    return conv2d_grouped.solution(x, w, groups) / w[0].size


@conv2d_grouped.mistake("The products are added over the channels, not averaged.")
def grouped_mean_over_channels(x, w, groups):
    return conv2d_grouped.solution(x, w, groups) / w.shape[1]


@conv2d_grouped.mistake("Every image has maps of its own: the images are not added.")
def grouped_images_added(x, w, groups):
    return conv2d_grouped.solution(x, w, groups).sum(axis=0, keepdims=True)


@conv2d_grouped.mistake("Every image has maps of its own. You use the first image for all.")
def grouped_first_image_for_all(x, w, groups):
    return conv2d_grouped.solution(np.repeat(x[:1], len(x), axis=0), w, groups)


@conv2d_grouped.mistake("The axes are image, kernel, row, column: the kernels come second.")
def grouped_channels_last(x, w, groups):
    return np.moveaxis(conv2d_grouped.solution(x, w, groups), 1, -1)


@conv2d_grouped.mistake("The axes are image, kernel, row, column: the images come first.")
def grouped_kernels_first(x, w, groups):
    return conv2d_grouped.solution(x, w, groups).swapaxes(0, 1)


@conv2d_grouped.mistake("Rows and columns of the maps have changed places.")
def grouped_maps_transposed(x, w, groups):
    return conv2d_grouped.solution(x, w, groups).swapaxes(2, 3)


@conv2d_grouped.mistake("The stride is 1: windows overlap.")
def grouped_stride_of_kernel(x, w, groups):
    return conv2d_grouped.solution(x, w, groups)[:, :, :: w.shape[2], :: w.shape[3]]


@conv2d_grouped.mistake("There is no padding here: the maps are smaller than the image.")
def grouped_padded_to_size(x, w, groups):
    sides = [((side - 1) // 2, side // 2) for side in w.shape[2:]]
    return conv2d_grouped.solution(np.pad(x, ((0, 0), (0, 0), *sides)), w, groups)


@conv2d_grouped.mistake("The groups have maps of their own. You write those of one group for all.")
def first_maps_for_all_groups(x, w, groups):
    per_group = len(w) // groups
    return np.tile(conv2d_grouped.solution(x, w, groups)[:, :per_group], (1, groups, 1, 1))


@conv2d_grouped.mistake("A group has O / groups maps, and is written behind the one before it.")
def maps_begin_at_the_group(x, w, groups):
    y = conv2d_grouped.solution(x, w, groups)
    per_group = len(w) // groups
    written = np.zeros_like(y)
    for g in range(groups):
        written[:, g : g + per_group] = y[:, g * per_group : (g + 1) * per_group]
    return written


@conv2d_grouped.mistake("A group's first channel is its number times the channels of a group.")
def channels_begin_at_groups_in_blocks(x, w, groups):
    per_group = len(w) // groups
    return _convolve_from(x, w, [o // per_group * groups for o in range(len(w))])


@conv2d_grouped.mistake(
    "The maps are put behind each other as channels, axis 1, not below each other."
)
def groups_below_each_other(x, w, groups):
    return np.concatenate(np.split(conv2d_grouped.solution(x, w, groups), groups, axis=1), axis=2)


@conv2d_grouped.mistake("The maps are put behind each other as channels, axis 1, not side by side.")
def groups_side_by_side(x, w, groups):
    return np.concatenate(np.split(conv2d_grouped.solution(x, w, groups), groups, axis=1), axis=3)


@conv2d_grouped.mistake(
    "A kernel has a slice for each channel of its group. You use the first one."
)
def first_slice_for_all_channels(x, w, groups):
    return conv2d_grouped.solution(x, np.repeat(w[:, :1], w.shape[1], axis=1), groups)
