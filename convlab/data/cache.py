"""Cache of downloaded data sets: its folder, and writing, reading and checking its files."""

from __future__ import annotations

import os
import sys
import time
import zipfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convlab._files import atomic_write, expand_home
from convlab.data.dataset import Dataset

KEYS = ("train_images", "train_labels", "test_images", "test_labels")
ABANDONED = 3600  # age in seconds at which a temporary file is taken for that of a killed process


class DataError(RuntimeError):
    """Raised if a data set cannot be downloaded, stored or read; the message says what to do."""


def cache_folder() -> Path:
    """Return the folder for downloaded data sets, which need not exist.

    It is ``$CONVLAB_DATA`` or else ``convlab`` in the user's cache folder: ``$XDG_CACHE_HOME`` or
    ``~/.cache``, ``~/Library/Caches`` on macOS, ``%LOCALAPPDATA%`` on Windows.

    Examples
    --------
    >>> from unittest import mock
    >>> with mock.patch.dict("os.environ", {"CONVLAB_DATA": "/large/disk"}):
    ...     print(cache_folder().as_posix())
    /large/disk
    """
    if chosen := os.environ.get("CONVLAB_DATA"):
        return expand_home(chosen)
    if sys.platform == "win32":
        local = os.environ.get("LOCALAPPDATA")
        return Path(local or Path.home() / "AppData" / "Local") / "convlab"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "convlab"
    # The XDG specification ignores a path that is not absolute.
    caches = Path(os.environ.get("XDG_CACHE_HOME", ""))
    return (caches if caches.is_absolute() else Path.home() / ".cache") / "convlab"


def make_writable(folder: Path) -> None:
    """Create a folder; raise DataError, before a download, if it cannot be written to."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK):
            raise PermissionError("no permission to write")
    except OSError as error:
        raise DataError(
            f"{folder} is not usable as a cache folder ({error.strerror or error}): "
            "set CONVLAB_DATA to a folder with write permission"
        ) from error


def write(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write named arrays to a file in an existing folder, atomically.

    Raises DataError if it cannot be written. The old file stays, and no temporary file is left.
    """
    _remove_abandoned(path)
    try:
        atomic_write(path, lambda file: np.savez(file, **arrays))  # type: ignore[arg-type]
    except OSError as error:
        # Windows does not replace a file that another process is reading; that file is complete.
        if not (isinstance(error, PermissionError) and path.exists()):
            raise DataError(
                f"{error}; free disk space, or set CONVLAB_DATA to a folder with write permission"
            ) from error


def _remove_abandoned(path: Path) -> None:
    """Remove the temporary files of processes that were killed while they wrote `path`."""
    for part in path.parent.glob(f".{path.name}.*.part"):
        with suppress(OSError):  # another process has removed it
            if time.time() - part.stat().st_mtime > ABANDONED:
                part.unlink()


def read(
    path: Path, name: str, image_shape: tuple[int, int, int], class_names: tuple[str, ...]
) -> Dataset:
    """Read the data set `name` from a file written by `write` or ``numpy.savez``, and check it.

    It holds the four arrays of `KEYS`, in a zip archive with a checksum (CRC-32) of each, so a
    truncated or changed file is detected. Raises DataError if the file cannot be read, is damaged,
    or does not contain images of shape `image_shape` in the classes `class_names`.
    """
    advice = "delete it, and the next call downloads it again"
    try:
        with path.open("rb") as file:
            if not zipfile.is_zipfile(file):
                raise ValueError("the end of a zip archive is missing")
            file.seek(0)
            with np.load(file, allow_pickle=False) as stored:
                arrays = {key: stored[key] for key in KEYS if key in stored}
    except OSError as error:
        raise DataError(
            f"{path} cannot be read ({error.strerror or error}): check its permissions"
        ) from error
    except Exception as error:
        # With damaged files, zipfile, zlib and NumPy raise exceptions of many classes.
        reason = " ".join(str(error).split()) or type(error).__name__
        raise DataError(f"{path} is damaged or not an .npz file ({reason}): {advice}") from error
    try:
        if missing := [key for key in KEYS if key not in arrays]:
            raise ValueError(f"{' and '.join(missing)} missing")
        dataset = Dataset(name, class_names=class_names, **arrays)
        if dataset.image_shape != image_shape:
            raise ValueError(f"images of shape {dataset.image_shape} instead of {image_shape}")
        if len(dataset.test_labels) == 0:
            raise ValueError("test_images is empty")
    except (TypeError, ValueError) as error:
        raise DataError(f"{path} is not the data set {name} ({error}): {advice}") from error
    return dataset
