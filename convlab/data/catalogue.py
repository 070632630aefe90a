"""The data sets by the names that one types on a command line."""

from __future__ import annotations

from dataclasses import dataclass

FIGURES = ("0", "1", "2", "3", "4", "5", "6", "7", "8", "9")


@dataclass(frozen=True)
class DatasetEntry:
    """What is known of a data set before it is read.

    Parameters
    ----------
    image_shape : tuple of three ints
        Channels, height and width of each image.
    class_names : tuple of str
        What the labels 0, 1, 2, ... stand for.
    torchvision_class : str or None
        The class of ``torchvision.datasets`` that downloads it; None for what is part of the
        package.
    """

    image_shape: tuple[int, int, int]
    class_names: tuple[str, ...]
    torchvision_class: str | None = None


DATASETS: dict[str, DatasetEntry] = {
    "digits": DatasetEntry((1, 28, 28), FIGURES),
    "mnist": DatasetEntry((1, 28, 28), FIGURES, "MNIST"),
    "fashion-mnist": DatasetEntry(
        (1, 28, 28),
        (
            "T-shirt/top",
            "trouser",
            "pullover",
            "dress",
            "coat",
            "sandal",
            "shirt",
            "sneaker",
            "bag",
            "ankle boot",
        ),
        "FashionMNIST",
    ),
    "cifar10": DatasetEntry(
        (3, 32, 32),
        (
            "airplane",
            "automobile",
            "bird",
            "cat",
            "deer",
            "dog",
            "frog",
            "horse",
            "ship",
            "truck",
        ),
        "CIFAR10",
    ),
}
