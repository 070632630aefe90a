"""The one function that most people need."""

from __future__ import annotations

import os
from pathlib import Path

from convlab.data import cache
from convlab.data.catalogue import DATASETS
from convlab.data.dataset import Dataset
from convlab.data.digits import load_digits
from convlab.data.downloads import download
from convlab.data.errors import DataError
from convlab.data.locking import FolderLock


def load(name: str, folder: str | os.PathLike[str] | None = None) -> Dataset:
    """Read a data set; the first time, download it.

    - ``digits``: 1,442 images for training and 355 for the test, 1 x 28 x 28, handwritten digits;
      part of the package.
    - ``mnist``: 60,000 and 10,000 images, 1 x 28 x 28, handwritten digits, the classic.
    - ``fashion-mnist``: 60,000 and 10,000 images, 1 x 28 x 28, clothes, in the form of MNIST.
    - ``cifar10``: 50,000 and 10,000 images, 3 x 32 x 32, colour photographs of ten things.

    Every call reads anew: the arrays belong to the caller, who may change them.

    Parameters
    ----------
    name : str
        A key of `DATASETS`.
    folder : path, optional
        Where ``NAME.npz`` is or shall be; by default the `cache_folder`.

    Returns
    -------
    Dataset
        Without validation images; `split_validation` makes them.

    Raises
    ------
    TypeError
        If `name` is no str.
    ValueError
        If there is no data set of that name.
    DataError
        If the file is not there and cannot be downloaded or stored, or is there and cannot be
        used.

    Notes
    -----
    ``NAME.npz`` holds ``train_images``, ``train_labels``, ``test_images`` and ``test_labels`` as
    ``numpy.savez`` stores them. A file of that kind from elsewhere, with fewer images for
    example, is read as well.

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
        return load_digits()
    path = (cache.cache_folder() if folder is None else Path(folder)) / f"{name}.npz"
    if not os.path.exists(path):  # no error where Path.exists has one: a folder one may not enter
        _fetch(name, path)
    return Dataset(name, class_names=DATASETS[name].class_names, **cache.read(path, DATASETS[name]))


def _fetch(name: str, path: Path) -> None:
    """Download `name` into the file `path`."""
    cache.prepare(path.parent)
    with FolderLock(path.parent):  # of several processes, one downloads for all
        if not os.path.exists(path):
            _download_to(name, path)


def _download_to(name: str, path: Path) -> None:
    try:
        arrays = download(name)
    except DataError as error:
        raise DataError(
            f"{name} is not in {path} and cannot be had ({error}): call load({name!r}) once with "
            "a network, or copy that file from a machine that has it, or take 'digits', "
            "which needs no network"
        ) from error
    cache.write(path, arrays)
