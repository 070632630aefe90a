"""Global average pooling."""

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


@global_average.mistake("Axes are counted from 0: rows and columns are the last two.")
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
