"""The class `Dataset`, checks of images and labels, validation split, and conversion of shapes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import isfinite, sqrt

import numpy as np
from numpy.typing import NDArray

from convlab._validate import integer

Bytes = NDArray[np.uint8]
Integers = NDArray[np.int64]
MeanAndStd = tuple[tuple[float, ...], tuple[float, ...]]

PARTS = ("train", "validation", "test")
COUNTED_AT_ONCE = 500  # images, which bounds the memory that `mean_and_std` needs


@dataclass(frozen=True, eq=False, repr=False, init=False)
class Dataset:
    """Labeled images in three parts: training, validation and test.

    Pixels are bytes: black is 0, full brightness 255. Labels are stored as int64, which PyTorch's
    losses require.

    Parameters
    ----------
    name : str
        Name of the data set, for messages.
    train_images : uint8 array (N, C, H, W)
        At least one image.
    train_labels : integer array (N,)
        The class of each image, an index of `class_names`.
    test_images, test_labels : arrays
        As for training. No decision may depend on these images.
    class_names : tuple of str
        One name for each class.
    validation_images, validation_labels : arrays
        As for training. For decisions such as the learning rate; by default empty, see
        `split_validation`.
    mean, std : sequence of float, optional
        Numbers by which each channel is normalized, for pixels from 0 to 1; by default those of
        the training images. Others are for a network that was trained with them, such as
        ImageNet's, (0.485, 0.456, 0.406) and (0.229, 0.224, 0.225). A deviation of 0, of a channel
        that is the same everywhere, divides as 1.
    normalization : pair of tuples, optional
        Both in one argument, for `dataclasses.replace`; None if they are computed.

    Raises
    ------
    TypeError, ValueError
        If images are not a uint8 array, or labels not an integer array; if there is no training
        image, shapes do not match, or a label is not a class; if `mean` and `std` do not hold one
        finite number for each channel, or `std` one below 0.

    Examples
    --------
    >>> images, labels = np.zeros((6, 1, 2, 2), np.uint8), np.array([0, 1, 0, 1, 0, 1])
    >>> images[:, :, 0] = 255
    >>> tiny = Dataset("tiny", images[:4], labels[:4], images[4:], labels[4:], ("odd", "even"))
    >>> tiny
    <Dataset 'tiny': 4 training, 0 validation and 2 test images of 1 x 2 x 2, 2 classes>
    >>> tiny.mean, tiny.std
    ((0.5,), (0.5,))
    """

    name: str
    train_images: Bytes
    train_labels: Integers
    test_images: Bytes
    test_labels: Integers
    class_names: tuple[str, ...]
    validation_images: Bytes
    validation_labels: Integers
    normalization: MeanAndStd | None

    def __init__(
        self,
        name: str,
        train_images: Bytes,
        train_labels: NDArray[np.integer],
        test_images: Bytes,
        test_labels: NDArray[np.integer],
        class_names: tuple[str, ...],
        validation_images: Bytes | None = None,
        validation_labels: NDArray[np.integer] | None = None,
        mean: Sequence[float] | None = None,
        std: Sequence[float] | None = None,
        normalization: MeanAndStd | None = None,
    ) -> None:
        if validation_images is None:
            validation_images = np.zeros((0, 0, 0, 0), np.uint8)
        if validation_labels is None:
            validation_labels = np.zeros(0, np.int64)
        own = vars(self)  # the dataclass is frozen
        own.update(name=name, class_names=class_names, normalization=None)
        for part, given_images, given_labels in (
            ("train", train_images, train_labels),
            ("validation", validation_images, validation_labels),
            ("test", test_images, test_labels),
        ):
            images = check_images(given_images, f"{part}_images")
            if len(images) == 0:
                images = images.reshape(0, *train_images.shape[1:])
            labels = check_labels(given_labels, f"{part}_labels", len(class_names))
            if len(images) != len(labels):
                raise ValueError(
                    f"{part}_images holds {len(images)} images, {part}_labels {len(labels)} labels"
                )
            if images.shape[1:] != train_images.shape[1:]:
                raise ValueError(
                    f"all images of a data set must have the same shape, but those of "
                    f"{part}_images are {images.shape[1:]} and those of train_images "
                    f"{train_images.shape[1:]}"
                )
            own.update({f"{part}_images": images, f"{part}_labels": labels})
        if len(train_images) == 0:
            raise ValueError("train_images must hold at least one image, got none")
        if normalization is not None:
            mean = normalization[0] if mean is None else mean
            std = normalization[1] if std is None else std
        if mean is not None or std is not None:
            own["normalization"] = check_mean_and_std(mean, std, self.image_shape[0])

    def __repr__(self) -> str:
        train, validation, test = (len(getattr(self, f"{part}_labels")) for part in PARTS)
        shape = " x ".join(str(size) for size in self.image_shape)
        return (
            f"<Dataset {self.name!r}: {train} training, {validation} validation and "
            f"{test} test images of {shape}, {len(self.class_names)} classes>"
        )

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """Channels, height and width of each image."""
        channels, height, width = self.train_images.shape[1:]
        return channels, height, width

    @property
    def mean(self) -> tuple[float, ...]:
        """Mean of each channel, as passed, or over all pixels of the training images; 255 is 1."""
        return self._mean_and_std[0]

    @property
    def std(self) -> tuple[float, ...]:
        """Standard deviation of each channel, as passed, or of all training pixels."""
        return self._mean_and_std[1]

    @cached_property
    def _mean_and_std(self) -> MeanAndStd:
        return self.normalization or mean_and_std(self.train_images)


def check_images(images: object, name: str) -> Bytes:
    """Return images as a contiguous array; raise unless they are a uint8 array ``(N, C, H, W)``.

    `name` is that of the argument in error messages, a TypeError or ValueError.

    Examples
    --------
    >>> check_images(np.zeros((5, 28, 28), np.uint8), "images")
    Traceback (most recent call last):
    ValueError: images must have the shape (N, C, H, W), got (5, 28, 28)
    """
    if not isinstance(images, np.ndarray) or images.dtype != np.uint8:
        found = getattr(images, "dtype", type(images).__name__)
        raise TypeError(f"{name} must be a NumPy array of uint8, got {found}")
    if images.ndim != 4:
        raise ValueError(f"{name} must have the shape (N, C, H, W), got {images.shape}")
    return np.ascontiguousarray(images)


def check_labels(labels: object, name: str, classes: int | None = None) -> Integers:
    """Return labels as int64; raise unless they are an integer array ``(N,)`` of classes.

    `name` is as in `check_images`. Labels are at least 0, and below `classes` if that is known.

    Examples
    --------
    >>> check_labels(np.array([0, 3]), "labels", classes=3)
    Traceback (most recent call last):
    ValueError: labels holds 3, but there are 3 classes, 0 to 2
    """
    if not isinstance(labels, np.ndarray):
        raise TypeError(f"{name} must be a NumPy array of integers, got {type(labels).__name__}")
    if labels.dtype.kind not in "iu":
        raise TypeError(f"{name} must be integers, got {labels.dtype}")
    if labels.ndim != 1:
        raise ValueError(f"{name} must have the shape (N,), got {labels.shape}")
    if classes is None:
        if labels.size and labels.min() < 0:
            raise ValueError(f"{name} must be at least 0, got {labels.min()}")
        if labels.size and labels.max() >= 2**63:  # of uint64
            raise ValueError(f"{name} must be below 2**63, got {labels.max()}")
    elif len(wrong := labels[(labels < 0) | (labels >= classes)]):
        raise ValueError(
            f"{name} holds {wrong[0]}, but there are {classes} classes, 0 to {classes - 1}"
        )
    return labels.astype(np.int64)


def check_mean_and_std(mean: object, std: object, channels: int) -> MeanAndStd:
    """Return mean and standard deviation as tuples of floats, one for each channel.

    Raises TypeError or ValueError if they are not finite, or a deviation is below 0.

    Examples
    --------
    >>> check_mean_and_std([0.5], [-1], channels=1)
    Traceback (most recent call last):
    ValueError: std must hold numbers of at least 0, got (-1.0,)
    """
    checked = []
    for name, values in (("mean", mean), ("std", std)):
        if values is None:
            raise ValueError(f"mean and std must be given together, but {name} is None")
        try:
            numbers = tuple(float(value) for value in values)  # type: ignore[attr-defined]
        except (TypeError, ValueError):
            raise TypeError(
                f"{name} must be a sequence of {channels} numbers, one per channel, got {values!r}"
            ) from None
        if len(numbers) != channels:
            raise ValueError(
                f"{name} must hold one number per channel, {channels}, got {len(numbers)}: "
                f"{numbers}"
            )
        if not all(isfinite(number) for number in numbers):
            raise ValueError(f"{name} must hold finite numbers, got {numbers}")
        checked.append(numbers)
    if min(checked[1], default=0) < 0:
        raise ValueError(f"std must hold numbers of at least 0, got {checked[1]}")
    return checked[0], checked[1]


def mean_and_std(images: Bytes) -> MeanAndStd:
    r"""Compute mean and standard deviation of each channel, bit for bit the same on each machine.

    With :math:`c_v` pixels of value :math:`v` and :math:`n = \sum c_v`, the sums
    :math:`s = \sum v c_v` and :math:`q = \sum v^2 c_v` are integers, and the standard deviation is
    :math:`\sqrt{n q - s^2} / n`. Nothing is rounded before the root. The images ``(N, C, H, W)``
    must have at least one pixel; 255 counts as 1 in both tuples of C floats.

    Examples
    --------
    >>> mean_and_std(np.array([[[[0, 255]], [[51, 51]]]], np.uint8))
    ((0.5, 0.2), (0.5, 0.0))
    """
    means, deviations = [], []
    for channel in range(images.shape[1]):
        counts = np.zeros(256, np.int64)
        for start in range(0, len(images), COUNTED_AT_ONCE):
            pixels = images[start : start + COUNTED_AT_ONCE, channel].ravel()
            counts += np.bincount(pixels, minlength=256)
        # Python's integers: n * q exceeds 64 bits.
        n = sum(counts.tolist())
        s = sum(value * count for value, count in enumerate(counts.tolist()))
        q = sum(value**2 * count for value, count in enumerate(counts.tolist()))
        means.append(s / (255 * n))
        deviations.append(sqrt(n * q - s**2) / (255 * n))
    return tuple(means), tuple(deviations)


def split_validation(dataset: Dataset, fraction: float, seed: int = 0) -> Dataset:
    """Move a random part of the training images to the validation images, stratified by class.

    Settings such as the learning rate are chosen by them: choosing by the test images makes the
    test accuracy too optimistic. The same arguments give the same split on every machine and with
    every version of NumPy.

    Parameters
    ----------
    dataset : Dataset
        Without validation images.
    fraction : float
        Fraction of each class to move, above 0 and below 1, rounded to the nearest image; at least
        one image of each class stays.
    seed : int
        At least 0.

    Returns
    -------
    Dataset
        The remaining training images in their order, of which mean and standard deviation are
        computed unless they were passed, and the same test images.

    Raises
    ------
    TypeError, ValueError
        If `dataset` has validation images already, `fraction` is out of range or moves no image,
        or `seed` is not an int or is negative.

    Examples
    --------
    >>> from convlab.data import load
    >>> parts = split_validation(load("digits"), fraction=0.1, seed=0)
    >>> np.bincount(parts.validation_labels)
    array([14, 15, 14, 15, 15, 15, 15, 14, 14, 14])
    """
    if len(dataset.validation_labels):
        raise ValueError(
            f"{dataset.name} already has {len(dataset.validation_labels)} validation images"
        )
    seed = integer(seed, "seed", minimum=0)
    if not 0 < fraction < 1:
        raise ValueError(f"fraction must be above 0 and below 1, got {fraction}")
    kept, moved = stratified_split(dataset.train_labels, fraction, seed)
    if not len(moved):
        raise ValueError(
            f"fraction={fraction} of {len(kept)} images in {len(dataset.class_names)} classes "
            "moves no image to the validation images; choose a larger fraction"
        )
    return replace(
        dataset,
        train_images=dataset.train_images[kept],
        train_labels=dataset.train_labels[kept],
        validation_images=dataset.train_images[moved],
        validation_labels=dataset.train_labels[moved],
    )


def stratified_split(labels: Integers, fraction: float, seed: int) -> tuple[Integers, Integers]:
    """Choose a fraction of each class, and return the indices of the other and the chosen labels.

    Chosen are those with the smallest raw words of PCG64, which are the same in all versions of
    NumPy, while ``Generator.permutation`` may change.
    """
    words = np.random.PCG64(seed).random_raw(len(labels))
    chosen = np.zeros(len(labels), bool)
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        number = min(int(len(members) * fraction + 0.5), len(members) - 1)
        chosen[members[np.argsort(words[members], kind="stable")[:number]]] = True
    return np.flatnonzero(~chosen), np.flatnonzero(chosen)


def match_input(dataset: Dataset, input_shape: tuple[int, int, int]) -> Dataset:
    """Convert images to an input shape: repeat gray in three channels, and pad with black.

    Parameters
    ----------
    dataset : Dataset
        Its images keep their order.
    input_shape : tuple of three ints
        Channels, height and width that the network takes, as in
        ``convlab.models.MODELS[name].input_shape``.

    Returns
    -------
    Dataset
        `dataset` itself if it has the shape already. Its mean and standard deviation include the
        padding unless they were passed. An odd row or column is added at the bottom or right.

    Raises
    ------
    ValueError
        If the conversion would lose pixels or colors.

    Examples
    --------
    >>> from convlab.data import load
    >>> match_input(load("digits"), (3, 32, 32))
    <Dataset 'digits': 1442 training, 0 validation and 355 test images of 3 x 32 x 32, 10 classes>
    """
    channels, height, width = dataset.image_shape
    input_channels, input_height, input_width = input_shape
    if input_channels != channels and (channels, input_channels) != (1, 3):
        raise ValueError(
            f"{dataset.name} has images of {channels} channels, "
            f"but the network takes {input_channels}"
        )
    if input_height < height or input_width < width:
        raise ValueError(
            f"{dataset.name} has images of {height} x {width} pixels, "
            f"larger than the {input_height} x {input_width} that the network takes"
        )
    if dataset.image_shape == tuple(input_shape):
        return dataset
    normalization = dataset.normalization
    if normalization is not None and input_channels != channels:
        normalization = normalization[0] * 3, normalization[1] * 3
    return replace(
        dataset,
        train_images=pad_images(dataset.train_images, input_shape),
        validation_images=pad_images(dataset.validation_images, input_shape),
        test_images=pad_images(dataset.test_images, input_shape),
        normalization=normalization,
    )


def pad_images(images: Bytes, shape: tuple[int, int, int]) -> Bytes:
    """Center images on black ones of another shape; a single channel is copied to all."""
    padded = np.zeros((len(images), *shape), np.uint8)
    height, width = images.shape[2:]
    top, left = (shape[1] - height) // 2, (shape[2] - width) // 2
    padded[:, :, top : top + height, left : left + width] = images
    return padded
