"""Exercise: the channel shuffle."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import numpy as np

from convlab.check.exercise import Arguments, Mistake, random_array
from convlab.check.exercises.groups.values import chapter


def _shuffles(random: Random) -> Iterator[Arguments]:
    """Yield channels and groups, from the simplest on."""
    for channels, groups in [(4, 2), (6, 2), (6, 3), (5, 1), (5, 5), (8, 4)]:
        yield np.arange(float(channels)).reshape(1, channels, 1, 1), groups
    yield np.arange(24.0).reshape(2, 6, 1, 2), 2
    yield np.arange(24.0).reshape(1, 6, 2, 2), 2
    for _ in range(15):
        groups, depth, *others = (random.randint(1, 4) for _ in range(5))
        yield random_array(random, others[0], groups * depth, *others[1:], low=0, high=99), groups


@chapter.code(
    title="The channel shuffle",
    minutes=6,
    imports="import numpy as np",
    text="Shuffle the channels of `x`, of shape (N, C, H, W). Nothing is random in it: write the "
    "channels into a table with a group in each row, and read it column by column. Return an array "
    "of the same shape.",
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


@shuffle_channels.mistake(
    "This order undoes a shuffle. Has your table `groups` rows, and do you read where you should "
    "write?"
)
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


@shuffle_channels.mistake(
    "Exchange the two axes of the table only: the images stay the first axis."
)
def outer_axes_exchanged(x, groups):
    return x.reshape(len(x), groups, -1, *x.shape[2:]).swapaxes(0, 2).reshape(x.shape)


_OVERWRITTEN = "A channel is overwritten before it is read: write into a new array."


@shuffle_channels.mistake(_OVERWRITTEN)
def overwritten_while_reading(x, groups):
    y = x.copy()
    for i, channel in enumerate(order_returned(x, groups)):
        y[:, i] = y[:, channel]
    return y


@shuffle_channels.mistake(_OVERWRITTEN)
def overwritten_while_writing(x, groups):
    y = x.copy()
    depth = x.shape[1] // groups
    for channel in range(x.shape[1]):
        y[:, channel % depth * groups + channel // depth] = y[:, channel]
    return y


_IMAGES = "Each image is shuffled by itself: the axis of the images stays the first one."


@shuffle_channels.mistake(_IMAGES)
def images_inside_the_table(x, groups):
    images, channels, height, width = x.shape
    table = x.reshape(groups, channels // groups, images, height, width)
    return table.swapaxes(0, 1).reshape(x.shape)


@shuffle_channels.mistake(_IMAGES)
def images_joined_in_the_table(x, groups):
    table = x.reshape(groups, -1, *x.shape[2:])
    return table.swapaxes(0, 1)[: x.shape[1]].reshape(x.shape)


@shuffle_channels.mistake(_IMAGES)
def first_image_shuffled(x, groups):
    return shuffle_channels.solution(x[:1], groups)


@shuffle_channels.mistake("All images are shuffled. You shuffle the first one.")
def first_image_shuffled_only(x, groups):
    return np.concatenate([shuffle_channels.solution(x[:1], groups), x[1:]])


@shuffle_channels.mistake("Every image keeps its own numbers. You use the first one for all.")
def first_image_for_all(x, groups):
    return np.repeat(shuffle_channels.solution(x[:1], groups), len(x), axis=0)


@shuffle_channels.mistake("Rows and columns of the maps stay where they are.")
def maps_transposed_and_reshaped(x, groups):
    return maps_transposed(x, groups).reshape(x.shape)


@shuffle_channels.mistake("The axes of the table are exchanged, not channels and rows of the maps.")
def channels_and_rows_exchanged(x, groups):
    table = x.reshape(len(x), groups, -1, *x.shape[2:])
    return table.swapaxes(2, 3).reshape(x.shape)


@shuffle_channels.mistake("The axes of the table are exchanged, not rows and columns of the maps.")
def maps_exchanged_instead_of_table(x, groups):
    return x.swapaxes(2, 3).reshape(x.shape)


@shuffle_channels.mistake("There are `groups` groups, not always two.")
def halves_interleaved(x, groups):
    y = np.empty_like(x)
    half = x.shape[1] // 2
    y[:, 0::2], y[:, 1::2] = x[:, :half], x[:, half:]
    return y


_INDEX = "Channel `c` of group `g` has the number `g * (C // groups) + c`."


def _enter(name, hint, source):
    """Enter a shuffle that reads channels whose numbers are wrong."""

    def answer(x, groups):
        channels = x.shape[1]
        return x[:, [source(i, groups, channels // groups, channels) for i in range(channels)]]

    shuffle_channels.mistakes.append(Mistake(name, hint, answer))


_enter("multiples_of_groups", _INDEX, lambda i, groups, depth, count: i * groups % count)
_enter("multiples_of_depth", _INDEX, lambda i, groups, depth, count: i * depth % count)
_enter(
    "row_times_groups", _INDEX, lambda i, groups, depth, count: i % groups * groups + i // groups
)
_enter("column_by_depth", _INDEX, lambda i, groups, depth, count: i % groups * depth + i // depth)
_enter("row_by_depth", _INDEX, lambda i, groups, depth, count: i % depth * depth + i // groups)
_enter("groups_only", _INDEX, lambda i, groups, depth, count: i % groups)
_enter(
    "columns_read_upwards",
    "Each column is read from its first row on: the first group comes first.",
    lambda i, groups, depth, count: (groups - 1 - i % groups) * depth + i // groups,
)
_enter(
    "columns_read_backwards",
    "The table is read from its first column on.",
    lambda i, groups, depth, count: i % groups * depth + depth - 1 - i // groups,
)
_enter(
    "shuffled_and_reversed",
    "The table is read from its first row and column on. Yours is read backwards.",
    lambda i, groups, depth, count: (groups - 1 - i % groups) * depth + depth - 1 - i // groups,
)
_enter(
    "neighbours_exchanged",
    "Exchanging neighbours mixes no groups: read the table by columns.",
    lambda i, groups, depth, count: i ^ 1 if i ^ 1 < count else i,
)
_enter(
    "rolled_back_by_one",
    "Moving all channels on by one mixes no groups: read the table by columns.",
    lambda i, groups, depth, count: (i + 1) % count,
)
_enter(
    "rolled_back_by_a_group",
    "The groups change places as a whole. Their channels are to be mixed.",
    lambda i, groups, depth, count: (i + depth) % count,
)
