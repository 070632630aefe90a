"""The cache folder of downloaded data sets: writing its files, and checking them when read."""

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

from convlab._files import atomic_write
from convlab.data.dataset import Dataset

Arrays = dict[str, NDArray[Any]]

KEYS = ("train_images", "train_labels", "test_images", "test_labels")
ABANDONED = 3600  # age in seconds at which a temporary file is left over from a killed process


class DataError(RuntimeError):
    """A data set cannot be downloaded, stored or read.

    The message is one sentence: which file, what is wrong with it, what to do.
    """


def cache_folder() -> Path:
    """Return the folder for downloaded data sets, whether it exists or not.

    ``$CONVLAB_DATA`` if that is set; otherwise ``convlab`` in the cache folder of the user:
    ``$XDG_CACHE_HOME`` or ``~/.cache``, ``~/Library/Caches`` on macOS, ``%LOCALAPPDATA%`` on
    Windows.

    Examples
    --------
    >>> from unittest import mock
    >>> with mock.patch.dict("os.environ", {"CONVLAB_DATA": "/large/disk"}):
    ...     print(cache_folder().as_posix())
    /large/disk
    """
    if chosen := os.environ.get("CONVLAB_DATA"):
        return Path(chosen).expanduser()
    if sys.platform == "win32":
        local = os.environ.get("LOCALAPPDATA")
        return Path(local or Path.home() / "AppData" / "Local") / "convlab"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "convlab"
    # The XDG specification ignores a path that is not absolute.
    caches = Path(os.environ.get("XDG_CACHE_HOME", ""))
    return (caches if caches.is_absolute() else Path.home() / ".cache") / "convlab"


def make_writable(folder: Path) -> None:
    """Make a folder, and refuse one without write permission before a download begins.

    Raises
    ------
    DataError
        If the folder cannot be made or written to.
    """
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
    """Store arrays atomically: at every moment the file is complete or absent.

    Parameters
    ----------
    path : Path
        A file in a folder that exists.
    arrays : mapping of str to arrays
        The arrays by name.

    Raises
    ------
    DataError
        If the file cannot be written. The old file stays, and no temporary file is left.
    """
    _remove_abandoned(path)
    try:
        atomic_write(path, lambda file: np.savez(file, **arrays))  # type: ignore[arg-type]
    except OSError as error:
        # Windows does not replace a file that another process reads. Then it is complete already.
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
    """Read a file that `write` or ``numpy.savez`` has written, and check it.

    The file is a zip archive with a checksum (CRC-32) of each array, so a file that was cut short
    or changed is noticed.

    Parameters
    ----------
    path : Path
        A file with the four arrays of `KEYS`.
    name : str
        The name of the data set.
    image_shape, class_names : tuples
        The expected shape of an image, and the names of its classes.

    Raises
    ------
    DataError
        If the file cannot be read, is damaged, or holds something else.
    """
    try:
        with path.open("rb") as file:
            arrays = _unpack(file)
    except OSError as error:
        raise DataError(
            f"{path} cannot be read ({error.strerror or error}): check its permissions"
        ) from error
    except Exception as error:
        # Damaged bytes make zipfile, zlib and NumPy raise nearly anything.
        reason = " ".join(str(error).split()) or type(error).__name__
        raise _unusable(path, f"is damaged or not an .npz file ({reason})") from error
    try:
        return _dataset(arrays, name, image_shape, class_names)
    except (TypeError, ValueError) as error:
        raise _unusable(path, f"is not the data set {name} ({error})") from error


def _unpack(file: Any) -> Arrays:
    if not zipfile.is_zipfile(file):
        raise ValueError("the end of a zip archive is missing")
    file.seek(0)
    with np.load(file, allow_pickle=False) as stored:
        return {key: stored[key] for key in KEYS if key in stored}


def _dataset(
    arrays: Arrays, name: str, image_shape: tuple[int, int, int], class_names: tuple[str, ...]
) -> Dataset:
    """Make a `Dataset`, and refuse arrays that are missing, empty or of another image shape."""
    if missing := [key for key in KEYS if key not in arrays]:
        raise ValueError(f"{' and '.join(missing)} missing")
    dataset = Dataset(name, **arrays, class_names=class_names)
    if dataset.image_shape != image_shape:
        raise ValueError(f"images of shape {dataset.image_shape} instead of {image_shape}")
    if len(dataset.test_labels) == 0:
        raise ValueError("test_images holds no image")
    return dataset


def _unusable(path: Path, reason: str) -> DataError:
    return DataError(f"{path} {reason}: delete it, and the next call downloads it again")
