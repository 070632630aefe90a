"""Setting a part aside, with the same share of every class."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from convlab._validate import integer
from convlab.data.dataset import Dataset, Integers


def stratified_split(labels: ArrayLike, fraction: float, seed: int) -> tuple[Integers, Integers]:
    """Choose the same share of every class by chance.

    From the same arguments it makes the same choice on every machine and with every version of
    NumPy: it uses the raw words of the generator PCG64, which never change, and not
    ``permutation``, which may.

    Parameters
    ----------
    labels : integers (N,)
        The class of each image.
    fraction : float
        Share that is set aside, above 0 and below 1. Of each class this share is taken, rounded
        to the nearest image; at least one image of each class stays.
    seed : int
        At least 0. Another seed, another choice.

    Returns
    -------
    kept, aside : int64 arrays
        Indices into `labels`, ascending; together they are 0 to N - 1.

    Raises
    ------
    TypeError
        If `labels` are no integers, or `seed` is no int.
    ValueError
        If `labels` has another shape, `fraction` is out of range or sets no image aside, or
        `seed` is negative.

    Examples
    --------
    >>> kept, aside = stratified_split([0, 0, 0, 0, 1, 1, 1, 1], fraction=0.25, seed=0)
    >>> kept, aside
    (array([0, 1, 2, 4, 5, 7]), array([3, 6]))
    """
    labels = np.asarray(labels)
    seed = integer(seed, "seed", minimum=0)
    if labels.ndim != 1:
        raise ValueError(f"labels must have the shape (N,), got {labels.shape}")
    if labels.dtype.kind not in "iu":
        raise TypeError(f"labels must be integers, got {labels.dtype}")
    if not 0 < fraction < 1:
        raise ValueError(f"fraction must be above 0 and below 1, got {fraction}")
    # One random word for each image. Sorted by their words, the images of a class are shuffled.
    words = np.random.PCG64(seed).random_raw(len(labels))
    chosen = np.zeros(len(labels), bool)
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        number = min(int(len(members) * fraction + 0.5), len(members) - 1)
        chosen[members[np.argsort(words[members], kind="stable")[:number]]] = True
    if not chosen.any():
        raise ValueError(
            f"fraction={fraction} of {len(labels)} images in {len(np.unique(labels))} classes "
            "sets no image aside; a larger fraction does"
        )
    return np.flatnonzero(~chosen), np.flatnonzero(chosen)


def split_validation(dataset: Dataset, fraction: float, seed: int = 0) -> Dataset:
    """Set a part of the training images apart, to make choices with.

    Whoever looks at the test images to choose a learning rate or the best epoch has trained on
    them, if slowly: the number that comes out is too good. The validation images are for that.

    Parameters
    ----------
    dataset : Dataset
        One that has no validation images yet.
    fraction, seed
        As for `stratified_split`.

    Returns
    -------
    Dataset
        The same test images, fewer training images, in their old order. Its mean and standard
        deviation are those of the training images that are left.

    Raises
    ------
    TypeError, ValueError
        As `stratified_split` does; ValueError also if `dataset` is split already.

    Examples
    --------
    >>> from convlab.data import load
    >>> parts = split_validation(load("digits"), fraction=0.1, seed=0)
    >>> np.bincount(parts.validation_labels)
    array([14, 15, 14, 15, 15, 15, 15, 14, 14, 14])
    """
    if len(dataset.validation_labels):
        raise ValueError(
            f"{dataset.name} has {len(dataset.validation_labels)} validation images already"
        )
    kept, aside = stratified_split(dataset.train_labels, fraction, seed)
    return replace(
        dataset,
        train_images=dataset.train_images[kept],
        train_labels=dataset.train_labels[kept],
        validation_images=dataset.train_images[aside],
        validation_labels=dataset.train_labels[aside],
    )
