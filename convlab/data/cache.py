"""Where downloaded images are kept, how they are written, and how they are read again."""

from __future__ import annotations

import os
import sys
import time
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray

from convlab.data.catalogue import DatasetEntry
from convlab.data.errors import DataError

Arrays = dict[str, NDArray[Any]]

KEYS = ("train_images", "train_labels", "test_images", "test_labels")
FORGOTTEN = 3600  # seconds after which a half-written file belongs to nobody


def cache_folder() -> Path:
    """Say where downloaded data sets are kept.

    ``$CONVLAB_DATA`` if that is set; otherwise ``convlab`` in the place where the operating
    system wants files that can be had again: ``$XDG_CACHE_HOME`` or ``~/.cache``,
    ``~/Library/Caches`` on macOS, ``%LOCALAPPDATA%`` on Windows.

    Returns
    -------
    Path
        The folder, whether it exists or not.

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
    # The rules of freedesktop.org: a path that is not absolute is to be ignored.
    caches = Path(os.environ.get("XDG_CACHE_HOME", ""))
    return (caches if caches.is_absolute() else Path.home() / ".cache") / "convlab"


def prepare(folder: Path) -> None:
    """Make `folder`, so that a download is not begun which could not be stored.

    Raises
    ------
    DataError
        If it cannot be made or written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK):
            raise PermissionError("no permission to write")
    except OSError as error:
        raise DataError(
            f"{folder} cannot keep the data ({error.strerror or error}): "
            "set CONVLAB_DATA to a folder that can be written to"
        ) from error


def write(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Store `arrays`, so that at every moment the file is complete or not there.

    They are written beside the place where they belong, and take that place in one step when
    the disk has them. Several processes may do it at once: each file is whole, the last stays.

    Parameters
    ----------
    path : Path
        The file, in a folder that exists.
    arrays : mapping of str to arrays
        What to store, by name.

    Raises
    ------
    DataError
        If the disk does not take it; then nothing is left of it.
    """
    _sweep(path)
    part = path.with_name(f".{path.name}.{uuid4().hex}.part")
    try:
        with part.open("xb") as file:
            np.savez(file, **arrays)  # type: ignore[arg-type]
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    except OSError as error:
        # On Windows a file that somebody reads cannot be replaced. Then it is there already.
        if not (isinstance(error, PermissionError) and path.exists()):
            raise DataError(
                f"{path} could not be written ({error.strerror or error}): make room there, "
                "or set CONVLAB_DATA to a folder that can be written to"
            ) from error
    finally:
        part.unlink(missing_ok=True)


def _sweep(path: Path) -> None:
    """Remove what processes left behind that were killed while they wrote `path`."""
    for part in path.parent.glob(f".{path.name}.*.part"):
        try:
            if time.time() - part.stat().st_mtime > FORGOTTEN:
                part.unlink()
        except OSError:
            pass  # another process was faster


def read(path: Path, entry: DatasetEntry) -> Arrays:
    """Read a file that `write` has written, and make sure that it is one.

    The file is a zip archive with a checksum (CRC-32) of each array, which is compared with
    what was read; a file that was cut short or changed is noticed.

    Parameters
    ----------
    path : Path
        A file of the kind ``numpy.savez`` writes, with the four arrays of `KEYS`.
    entry : DatasetEntry
        What the images and labels must be like.

    Returns
    -------
    dict
        The four arrays.

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
        raise _unusable(path, f"is damaged or no .npz file ({_in_one_line(error)})") from error
    if wrong := _what_is_wrong(arrays, entry):
        raise _unusable(path, f"is not the data set it is named after ({wrong})")
    return arrays


def _unpack(file: Any) -> Arrays:
    if not zipfile.is_zipfile(file):
        raise ValueError("its end is missing, or it never was one")
    file.seek(0)
    with np.load(file, allow_pickle=False) as stored:
        return {key: stored[key] for key in KEYS if key in stored}


def _what_is_wrong(arrays: Arrays, entry: DatasetEntry) -> str | None:
    """Say what makes `arrays` another data set than `entry`; None if nothing does."""
    if missing := [key for key in KEYS if key not in arrays]:
        return f"it has no {' and no '.join(missing)}"
    for part in ("train", "test"):
        images, labels = arrays[f"{part}_images"], arrays[f"{part}_labels"]
        if images.dtype != np.uint8 or images.shape[1:] != entry.image_shape:
            return (
                f"{part}_images is {images.dtype} of shape {images.shape}, "
                f"not uint8 of shape (N, {', '.join(map(str, entry.image_shape))})"
            )
        if labels.dtype.kind not in "iu" or labels.shape != images.shape[:1] or len(labels) == 0:
            return (
                f"{part}_labels is {labels.dtype} of shape {labels.shape}, "
                f"not one integer for each of {len(images)} images"
            )
        if not 0 <= labels.min() <= labels.max() < len(entry.class_names):
            return (
                f"{part}_labels goes from {labels.min()} to {labels.max()}, "
                f"not from 0 to {len(entry.class_names) - 1}"
            )
    return None


def _unusable(path: Path, reason: str) -> DataError:
    return DataError(f"{path} {reason}: delete it, and the next call downloads it again")


def _in_one_line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__
