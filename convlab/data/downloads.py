"""Data sets from the internet, by torchvision, which knows their addresses and checksums."""

from __future__ import annotations

import socket
import tarfile
import tempfile
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException
from typing import Any

import numpy as np

from convlab._require import require
from convlab.data.cache import Arrays
from convlab.data.catalogue import DATASETS
from convlab.data.errors import DataError

PATIENCE = 60  # seconds that a server may say nothing


def download(name: str) -> Arrays:
    """Download a data set and bring it to one form.

    What torchvision downloads and unpacks lies in a temporary folder and is removed, whether
    the download succeeds, fails or is interrupted. torchvision draws a progress bar.

    Parameters
    ----------
    name : str
        A key of `DATASETS`, of one that has a `torchvision_class`.

    Returns
    -------
    dict
        ``train_images`` and ``test_images``, uint8 ``(N, C, H, W)``, ``train_labels`` and
        ``test_labels``, uint8 ``(N,)``.

    Raises
    ------
    DataError
        If torchvision is missing, the network is, or what came is not what it should be. The
        message gives the reason alone.
    """
    try:
        # Imported here: it takes seconds, and a data set on the disk is read without it.
        datasets = require("torchvision.datasets", needed_by="the download")
    except ModuleNotFoundError as error:
        raise DataError(str(error)) from error
    kind = getattr(datasets, str(DATASETS[name].torchvision_class))
    try:
        with tempfile.TemporaryDirectory(prefix=f"convlab-{name}-") as folder, _patience():
            parts = {
                "train": kind(folder, train=True, download=True),
                "test": kind(folder, train=False, download=True),
            }
    except (OSError, RuntimeError, HTTPException, EOFError, tarfile.TarError, zlib.error) as error:
        raise DataError(f"the download failed: {_reason(error)}") from error
    arrays = {}
    for part, found in parts.items():
        arrays[f"{part}_images"] = _channels_first(np.asarray(found.data))
        arrays[f"{part}_labels"] = np.asarray(found.targets).astype(np.uint8)
    return arrays


def _channels_first(images: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Bring ``(N, H, W)`` and ``(N, H, W, C)`` to ``(N, C, H, W)``."""
    channels_last = images.reshape(*images.shape[:3], -1)
    return np.ascontiguousarray(channels_last.transpose(0, 3, 1, 2))


def _reason(error: BaseException) -> str:
    """Shorten what was raised to its last line: torchvision lists every mirror that it tried."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__


@contextmanager
def _patience() -> Iterator[None]:
    """Give up on a silent server, and do not pass on what is said to torchvision's makers.

    NumPy complains of the old CIFAR files, Python 3.12 and 3.13 of how they are unpacked.
    """
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(PATIENCE)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", category=np.exceptions.VisibleDeprecationWarning)
            warnings.filterwarnings("ignore", "Python 3.14 will", DeprecationWarning)
            yield
    finally:
        socket.setdefaulttimeout(before)
