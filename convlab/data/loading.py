"""Load a data set by name: from the package, the cache, or the internet."""

from __future__ import annotations

import os
import socket
import tarfile
import tempfile
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from convlab._files import FolderLock, expand_home
from convlab._require import require
from convlab.data import cache, digits
from convlab.data.cache import DataError
from convlab.data.dataset import Dataset

TIMEOUT = 60  # seconds without data after which a download fails


@dataclass(frozen=True)
class DatasetEntry:
    """Image shape (channels, height, width) and class names of a data set.

    `torchvision_class` is the class of ``torchvision.datasets`` that downloads it; None if it is
    part of the package.
    """

    image_shape: tuple[int, int, int]
    class_names: tuple[str, ...]
    torchvision_class: str | None = None


_CLOTHES = "T-shirt/top|trouser|pullover|dress|coat|sandal|shirt|sneaker|bag|ankle boot"
_OBJECTS = "airplane|automobile|bird|cat|deer|dog|frog|horse|ship|truck"
DATASETS: dict[str, DatasetEntry] = {
    "digits": DatasetEntry((1, digits.SIZE, digits.SIZE), digits.CLASS_NAMES),
    "mnist": DatasetEntry((1, 28, 28), digits.CLASS_NAMES, "MNIST"),
    "fashion-mnist": DatasetEntry((1, 28, 28), tuple(_CLOTHES.split("|")), "FashionMNIST"),
    "cifar10": DatasetEntry((3, 32, 32), tuple(_OBJECTS.split("|")), "CIFAR10"),
}


def load(name: str, folder: str | os.PathLike[str] | None = None) -> Dataset:
    """Load a data set, and download it the first time.

    - ``digits``: 1,442 training and 355 test images, 1 x 28 x 28, handwritten digits; part of the
      package.
    - ``mnist``: 60,000 and 10,000 images, 1 x 28 x 28, handwritten digits.
    - ``fashion-mnist``: 60,000 and 10,000 images, 1 x 28 x 28, clothes.
    - ``cifar10``: 50,000 and 10,000 images, 3 x 32 x 32, color photographs of ten classes.

    Every call returns new arrays, which may be changed.

    Parameters
    ----------
    name : str
        A key of `DATASETS`.
    folder : path, optional
        The folder of ``NAME.npz``; ``~`` is the home folder. By default ``$CONVLAB_DATA``, or else
        ``convlab`` in the cache folder of the user (``~/.cache`` on Linux).

    Returns
    -------
    Dataset
        Without validation images; `split_validation` makes them.

    Raises
    ------
    TypeError, ValueError
        If `name` is not a str, or there is no data set of that name.
    DataError
        If the file is missing and cannot be downloaded or stored, or if it cannot be used.

    Notes
    -----
    ``NAME.npz`` holds ``train_images``, ``train_labels``, ``test_images`` and ``test_labels`` as
    ``numpy.savez`` stores them. You may provide the file, for example with fewer images.

    Sources: MNIST, LeCun, Cortes and Burges, http://yann.lecun.com/exdb/mnist/; Fashion-MNIST,
    Xiao, Rasul and Vollgraf (2017), https://arxiv.org/abs/1708.07747; CIFAR-10, Krizhevsky (2009),
    https://www.cs.toronto.edu/~kriz/cifar.html; the digits, see `convlab.data.digits`.

    Examples
    --------
    >>> digits = load("digits")
    >>> digits.train_images.shape, digits.train_labels.shape
    ((1442, 1, 28, 28), (1442,))
    >>> print(f"{digits.mean[0]:.2f} {digits.std[0]:.2f}")
    0.31 0.32
    """
    if not isinstance(name, str):
        raise TypeError(f"name must be a str, got {type(name).__name__}")
    if name not in DATASETS:
        raise ValueError(f"there is no data set {name!r}, only {', '.join(DATASETS)}")
    if name == "digits":
        return digits.load_digits()
    path = (cache.cache_folder() if folder is None else expand_home(folder)) / f"{name}.npz"
    if not os.path.exists(path):  # unlike Path.exists, False in a folder without permission
        _fetch(name, path)
    return cache.read(path, name, DATASETS[name].image_shape, DATASETS[name].class_names)


def _fetch(name: str, path: Path) -> None:
    """Download a data set and store it, in one of several processes; the others wait."""
    cache.make_writable(path.parent)
    with FolderLock(path.parent):
        if os.path.exists(path):
            return
        try:
            arrays = download(name)
        except DataError as error:
            raise DataError(
                f"{path} does not exist, and {name} cannot be downloaded ({error}): call "
                f"load({name!r}) once with a network connection, copy that file from a machine "
                "that has it, or use 'digits', which needs no network"
            ) from error
        cache.write(path, arrays)


def download(name: str) -> dict[str, NDArray[np.uint8]]:
    """Download a data set with torchvision, which shows a progress bar.

    Its files are in a temporary folder, which is removed in any case. Images and labels are uint8
    arrays ``(N, C, H, W)`` and ``(N,)``. Raises DataError, with the reason as its message, if
    torchvision or the network is missing, or a checksum is wrong.
    """
    try:
        # Imported here, since it takes seconds, and reading needs only NumPy.
        datasets = require("torchvision.datasets", needed_by="the download")
    except ModuleNotFoundError as error:
        raise DataError(str(error)) from error
    cls = getattr(datasets, str(DATASETS[name].torchvision_class))
    try:
        with tempfile.TemporaryDirectory(prefix=f"convlab-{name}-") as folder, _download_settings():
            parts = {
                "train": cls(folder, train=True, download=True),
                "test": cls(folder, train=False, download=True),
            }
    except (OSError, RuntimeError, HTTPException, EOFError, tarfile.TarError, zlib.error) as error:
        # The last line of torchvision's message: the others list the mirrors that were tried.
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        reason = lines[-1] if lines else type(error).__name__
        raise DataError(f"the download failed: {reason}") from error
    arrays = {}
    for part, dataset in parts.items():
        images = np.asarray(dataset.data)  # (N, H, W) or (N, H, W, C)
        images = images.reshape(*images.shape[:3], -1).transpose(0, 3, 1, 2)
        arrays[f"{part}_images"] = np.ascontiguousarray(images)
        arrays[f"{part}_labels"] = np.asarray(dataset.targets).astype(np.uint8)
    return arrays


@contextmanager
def _download_settings() -> Iterator[None]:
    """Set a timeout, and hide warnings about torchvision.

    NumPy warns of the old format of the CIFAR files, Python 3.12 and 3.13 of their unpacking.
    """
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(TIMEOUT)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", category=np.exceptions.VisibleDeprecationWarning)
            warnings.filterwarnings("ignore", "Python 3.14 will", DeprecationWarning)
            yield
    finally:
        socket.setdefaulttimeout(before)
