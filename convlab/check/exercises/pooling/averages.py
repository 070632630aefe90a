"""Exercise: global average pooling."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import numpy as np

from convlab.check.exercise import Arguments, random_array
from convlab.check.exercises.pooling.values import chapter


def _batches(random: Random) -> Iterator[Arguments]:
    """Yield maps, from the simplest on."""
    yield (np.array([[[[1.0, 2.0], [3.0, 6.0]]]]),)
    yield (random_array(random, 1, 3, 2, 2, low=0, high=9),)
    yield (random_array(random, 2, 1, 2, 3, low=0, high=9),)
    for _ in range(20):
        yield (random_array(random, *(random.randint(1, 4) for _ in range(4)), low=0, high=9),)


@chapter.code(
    title="Global average pooling",
    minutes=3,
    imports="import numpy as np",
    text="`x` is an array of shape (N, C, H, W). Return the mean of each map, as an array of shape "
    "(N, C).",
    cases=_batches,
    hints=["Which two axes disappear?", "`mean` takes a tuple of axes."],
    explanation="The size of the maps does not matter behind it.",
)
def global_average(x):
    """Return the mean of each map, of shape (N, C)."""
    return x.mean(axis=(2, 3))


@global_average.mistake("Each channel keeps a mean of its own.")
def average_over_channels_too(x):
    return x.mean(axis=(1, 2, 3))


@global_average.mistake("Each image keeps the means of its own maps.")
def average_over_images_too(x):
    return x.mean(axis=(0, 2, 3))


@global_average.mistake("That is one number for everything. Which axes remain?")
def average_over_everything(x):
    return x.mean()


@global_average.mistake("You average over the channels. The places are to disappear.")
def average_over_channels(x):
    return x.mean(axis=1)


@global_average.mistake("The two axes of the place disappear: the result has two axes.")
def average_keeps_axes(x):
    return x.mean(axis=(2, 3), keepdims=True)


@global_average.mistake("You average along the rows only. Both axes of the place disappear.")
def average_over_width_only(x):
    return x.mean(axis=3)


@global_average.mistake("You average along the columns only. Both axes of the place disappear.")
def average_over_height_only(x):
    return x.mean(axis=2)


@global_average.mistake("Those are the sums. A mean is divided by the number of cells.")
def average_not_divided(x):
    return x.sum(axis=(2, 3))


@global_average.mistake("Those are the largest numbers. The means are asked for.")
def average_is_maximum(x):
    return x.max(axis=(2, 3))


@global_average.mistake("The first two axes are images and channels. The places come after them.")
def average_over_first_axes(x):
    return x.mean(axis=(0, 1))


@global_average.mistake("A map has as many cells as rows times columns.")
def average_divided_by_height(x):
    return x.sum(axis=(2, 3)) / x.shape[2]


@global_average.mistake("The images come first, then the channels.")
def average_transposed(x):
    return x.mean(axis=(2, 3)).T


@global_average.mistake("An axis of length 1 is an axis, too: the shape is (N, C) always.")
def average_squeezed(x):
    return x.mean(axis=(2, 3)).squeeze()


@global_average.mistake("Rows and columns are the last two axes: 2 and 3, counted from 0.")
def average_over_axes_counted_from_one(x):
    return x.mean(axis=(1, 2))


@global_average.mistake("A map has rows times columns cells. You add the two.")
def average_divided_by_sides(x):
    return x.sum(axis=(2, 3)) / (x.shape[2] + x.shape[3])


@global_average.mistake("Each map has cells of its own: `size` counts those of the whole batch.")
def average_divided_by_everything(x):
    return x.sum(axis=(2, 3)) / x.size


@global_average.mistake("All images of the batch are averaged, each by itself.")
def average_of_first_image(x):
    return x[0].mean(axis=(1, 2))


@global_average.mistake("The median is the number in the middle. The mean is asked for.")
def median_taken(x):
    return np.median(x, axis=(2, 3))


@global_average.mistake("A map need not be square: its cells are rows times columns.")
def average_of_square_maps(x):
    return x.sum(axis=(2, 3)) / x.shape[2] ** 2


@global_average.mistake("`//` rounds down. A mean may be a fraction.")
def average_rounded_down(x):
    return x.sum(axis=(2, 3)) // (x.shape[2] * x.shape[3])


@global_average.mistake("A mean may be a fraction: nothing is rounded.")
def average_rounded(x):
    return x.mean(axis=(2, 3)).round()


@global_average.mistake("A mean may be a fraction: whole numbers cannot hold it.")
def average_of_whole_numbers(x):
    return x.mean(axis=(2, 3)).astype(int)


@global_average.mistake("Channels are axis 1, before rows and columns: a `reshape` moves no axes.")
def average_reshaped_channels_last(x):
    return x.reshape(len(x), -1, x.shape[1]).mean(axis=1)


@global_average.mistake(
    "Images are the first axis, and channels the second: a `reshape` moves none."
)
def average_reshaped_by_channels(x):
    return x.reshape(x.shape[1], len(x), -1).mean(axis=2).T


@global_average.mistake(
    "Images are the first axis, and channels the second: a `reshape` moves none."
)
def average_reshaped_to_channels_first(x):
    return x.mean(axis=(2, 3)).T.reshape(x.shape[:2])


@global_average.mistake("The means stand in two axes, images and channels.")
def average_flat(x):
    return x.mean(axis=(2, 3)).ravel()


@global_average.mistake("All images of the batch are averaged, each by itself.")
def average_of_first_image_with_its_axis(x):
    return x[:1].mean(axis=(2, 3))


@global_average.mistake("Each image has means of its own. You use those of the first one for all.")
def average_of_first_image_for_all(x):
    return np.repeat(x[:1].mean(axis=(2, 3)), len(x), axis=0)


@global_average.mistake("Each channel has a mean of its own. You average the first one only.")
def average_of_first_channel(x):
    return x[:, :1].mean(axis=(2, 3))


@global_average.mistake(
    "Each channel has a mean of its own. You use that of the first one for all."
)
def average_of_first_channel_for_all(x):
    return np.repeat(x[:, :1].mean(axis=(2, 3)), x.shape[1], axis=1)


@global_average.mistake("Each channel keeps a mean of its own.")
def average_over_channels_too_for_all(x):
    return np.broadcast_to(x.mean(axis=(1, 2, 3))[:, None], x.shape[:2])


@global_average.mistake("Each image keeps the means of its own maps.")
def average_over_images_too_for_all(x):
    return np.broadcast_to(x.mean(axis=(0, 2, 3)), x.shape[:2])


@global_average.mistake("Each map has a mean of its own: it needs no others.")
def average_over_everything_for_all(x):
    return np.full(x.shape[:2], x.mean())


@global_average.mistake("Those are the smallest numbers. The means are asked for.")
def average_is_minimum(x):
    return x.min(axis=(2, 3))


@global_average.mistake("The mean counts all cells, not only the largest and the smallest.")
def average_of_extremes(x):
    return (x.max(axis=(2, 3)) + x.min(axis=(2, 3))) / 2


@global_average.mistake("Each cell is added to the sum. Yours overwrites the one before it.")
def average_of_last_cell(x):
    return x[:, :, -1, -1] / (x.shape[2] * x.shape[3])


@global_average.mistake("A mean takes all cells of the map, not only one of them.")
def last_cell_taken(x):
    return x[:, :, -1, -1]


@global_average.mistake("A mean takes all cells of the map, not only one of them.")
def first_cell_taken(x):
    return x[:, :, 0, 0]


@global_average.mistake("The sum begins at 0 for each map.")
def average_total_never_reset(x):
    return np.cumsum(x.sum(axis=(2, 3))).reshape(x.shape[:2]) / (x.shape[2] * x.shape[3])


@global_average.mistake("Both axes of the place disappear: you average the first row only.")
def average_of_first_row(x):
    return x[:, :, 0].mean(axis=2)


@global_average.mistake("Both axes of the place disappear: you average the first column only.")
def average_of_first_column(x):
    return x[..., 0].mean(axis=2)


@global_average.mistake("A map has as many cells as rows times columns.")
def average_divided_by_width(x):
    return x.sum(axis=(2, 3)) / x.shape[3]


@global_average.mistake("A map need not be square: its cells are rows times columns.")
def average_of_square_maps_of_width(x):
    return x.sum(axis=(2, 3)) / x.shape[3] ** 2


@global_average.mistake("A mean is divided by the number of cells, not by one less.")
def average_divided_by_cells_less_one(x):
    return x.sum(axis=(2, 3)) / max(1, x.shape[2] * x.shape[3] - 1)


@global_average.mistake("Each map is divided by its cells, not by the number of channels.")
def average_divided_by_channels(x):
    return x.sum(axis=(2, 3)) / x.shape[1]


@global_average.mistake("Each map is divided by its cells, not by the number of images.")
def average_divided_by_images(x):
    return x.sum(axis=(2, 3)) / x.shape[0]


@global_average.mistake(
    "Each map is divided by its own cells: those of other channels do not count."
)
def average_divided_by_cells_of_image(x):
    return x.sum(axis=(2, 3)) / (x.shape[1] * x.shape[2] * x.shape[3])


@global_average.mistake("Each map is divided by its own cells: those of other images do not count.")
def average_divided_by_cells_of_batch(x):
    return x.sum(axis=(2, 3)) / (x.shape[0] * x.shape[2] * x.shape[3])


@global_average.mistake("All rows and columns count, also the last ones.")
def average_without_last_cells(x):
    return x[:, :, :-1, :-1].sum(axis=(2, 3)) / (x.shape[2] * x.shape[3])
