"""Images with labels in three parts: for learning, for choosing, for the one honest number."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Integers = NDArray[np.int64]

PARTS = ("train", "validation", "test")
BATCH = 500  # images counted at a time, so that the counting needs little memory


@dataclass(frozen=True, eq=False, repr=False)
class Dataset:
    """Images and labels, split.

    The images are bytes, black is 0 and full brightness 255; one row of ``train_images`` is
    one image ``(C, H, W)``. The labels are int64, as PyTorch's losses want them; any other
    integers are converted.

    Parameters
    ----------
    name : str
        What the data set is called in messages.
    train_images : uint8 array (N, C, H, W)
        At least one image.
    train_labels : integer array (N,)
        For each image the number of its class, an index of `class_names`.
    test_images, test_labels : arrays
        The same for the images on which nothing is chosen.
    class_names : tuple of str
        One name for each class.
    validation_images, validation_labels : arrays
        Images for choices, empty unless `split_validation` has filled them.

    Raises
    ------
    TypeError
        If images are no uint8 array or labels no integer array.
    ValueError
        If there is no training image, shapes do not belong together, or a label is no class.

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
    validation_images: Bytes = field(default_factory=lambda: np.zeros((0, 0, 0, 0), np.uint8))
    validation_labels: Integers = field(default_factory=lambda: np.zeros(0, np.int64))

    def __post_init__(self) -> None:
        for part in PARTS:
            images = _checked_images(getattr(self, f"{part}_images"), f"{part}_images")
            if len(images) == 0:
                images = images.reshape(0, *self.train_images.shape[1:])
            labels = _checked_labels(getattr(self, f"{part}_labels"), f"{part}_labels")
            # How a frozen dataclass writes its own fields, once.
            object.__setattr__(self, f"{part}_images", images)
            object.__setattr__(self, f"{part}_labels", labels)
            self._check_part(part, images, labels)
        if len(self.train_images) == 0:
            raise ValueError("train_images holds no image")

    def _check_part(self, part: str, images: Bytes, labels: Integers) -> None:
        """Refuse images and labels that do not belong together."""
        if len(images) != len(labels):
            raise ValueError(
                f"{part}_images holds {len(images)} images, {part}_labels {len(labels)} labels"
            )
        if images.shape[1:] != self.train_images.shape[1:]:
            raise ValueError(
                f"images of one data set have one shape, but those of {part}_images are "
                f"{images.shape[1:]} and those of train_images {self.train_images.shape[1:]}"
            )
        wrong = labels[(labels < 0) | (labels >= len(self.class_names))]
        if len(wrong):
            raise ValueError(
                f"{part}_labels holds {wrong[0]}, but there are {len(self.class_names)} classes, "
                f"0 to {len(self.class_names) - 1}"
            )

    def __repr__(self) -> str:
        counts = [len(getattr(self, f"{part}_labels")) for part in PARTS]
        shape = " x ".join(str(size) for size in self.image_shape)
        return (
            f"<Dataset {self.name!r}: {counts[0]} training, {counts[1]} validation and "
            f"{counts[2]} test images of {shape}, {len(self.class_names)} classes>"
        )

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """Channels, height and width of each image."""
        channels, height, width = self.train_images.shape[1:]
        return channels, height, width

    @property
    def mean(self) -> tuple[float, ...]:
        """Per channel, the mean over all pixels of the training images; white counts 1."""
        return self._mean_and_std[0]

    @property
    def std(self) -> tuple[float, ...]:
        """Per channel, the standard deviation of all pixels of the training images."""
        return self._mean_and_std[1]

    @cached_property
    def _mean_and_std(self) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Computed when first asked for: a large set takes a quarter of a second."""
        return mean_and_std(self.train_images)


def mean_and_std(images: Bytes) -> tuple[tuple[float, ...], tuple[float, ...]]:
    r"""Mean and standard deviation of each channel, the same to the last bit on every machine.

    There are only 256 values, so it is enough to count each: with :math:`c_v` pixels of value
    :math:`v` and :math:`n = \sum c_v`, the sums :math:`s = \sum v c_v` and
    :math:`q = \sum v^2 c_v` are whole numbers, and the deviation is
    :math:`\sqrt{n q - s^2} / n`. Nothing is rounded before the root.

    Parameters
    ----------
    images : uint8 array (N, C, H, W)
        At least one pixel in each channel.

    Returns
    -------
    mean, std : tuples of C floats
        In units of full brightness: 255 counts as 1.

    Examples
    --------
    >>> mean_and_std(np.array([[[[0, 255]], [[51, 51]]]], np.uint8))
    ((0.5, 0.2), (0.5, 0.0))
    """
    means, deviations = [], []
    values = [int(value) for value in range(256)]
    for channel in range(images.shape[1]):
        counts = np.zeros(256, np.int64)
        for start in range(0, len(images), BATCH):
            pixels = images[start : start + BATCH, channel].ravel()
            counts += np.bincount(pixels, minlength=256)
        # Python's integers: the squares of these sums do not fit into 64 bits.
        total = [int(count) for count in counts]
        pixels_in_all = sum(total)
        s = sum(value * count for value, count in zip(values, total, strict=True))
        q = sum(value**2 * count for value, count in zip(values, total, strict=True))
        means.append(s / (255 * pixels_in_all))
        deviations.append(sqrt(pixels_in_all * q - s**2) / (255 * pixels_in_all))
    return tuple(means), tuple(deviations)


def _checked_images(images: Any, name: str) -> Bytes:
    if not isinstance(images, np.ndarray) or images.dtype != np.uint8:
        kind = getattr(images, "dtype", type(images).__name__)
        raise TypeError(f"{name} must be a NumPy array of uint8, got {kind}")
    if images.ndim != 4:
        raise ValueError(f"{name} must have the shape (N, C, H, W), got {images.shape}")
    return np.ascontiguousarray(images)


def _checked_labels(labels: Any, name: str) -> Integers:
    if not isinstance(labels, np.ndarray) or labels.dtype.kind not in "iu":
        kind = getattr(labels, "dtype", type(labels).__name__)
        raise TypeError(f"{name} must be a NumPy array of integers, got {kind}")
    if labels.ndim != 1:
        raise ValueError(f"{name} must have the shape (N,), got {labels.shape}")
    return labels.astype(np.int64)
