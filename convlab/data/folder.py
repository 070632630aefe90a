"""Read pictures: single files, and a folder of one's own with one subfolder per class."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from convlab._files import expand_home
from convlab._require import require
from convlab._validate import IntOrPair, pair
from convlab.data.cache import DataError
from convlab.data.dataset import Bytes, Dataset, stratified_split

# The names that subfolders of data sets have, in lower case, and the part that each holds.
PART_NAMES = {
    "train": "train", "training": "train",
    "val": "validation", "valid": "validation", "validation": "validation",
    "test": "test", "testing": "test",
}  # fmt: skip
IGNORED = "__MACOSX"  # in archives that macOS made; it holds no pictures
Samples = list[tuple[str, int]]  # pictures, and their labels


def load_folder(
    folder: str | os.PathLike[str],
    image_size: IntOrPair = 224,
    *,
    channels: int | None = None,
    test_fraction: float = 0.2,
) -> Dataset:
    """Read a folder of pictures with one subfolder per class, with torchvision's `ImageFolder`.

    The pictures of a class are in the subfolder with its name, or divided already::

        pictures/cat/1.jpg        pictures/train/cat/1.jpg
        pictures/dog/1.jpg        pictures/train/dog/1.jpg
                                  pictures/test/cat/2.jpg

    Validation images are in ``val``, ``valid`` or ``validation``, beside ``train``. If the folder
    has neither, `test_fraction` of each class become the test images, the same in each call.

    Classes are sorted by name. Files in deeper folders count; links are followed, but each folder
    counts once in a class. Hidden files and folders, ``__MACOSX``, and files that are not pictures
    by their names (``.jpg``, ``.png``, ``.webp``, ...) are ignored.

    Parameters
    ----------
    folder : path
        ``~`` is the home folder.
    image_size : int or pair of ints
        Height and width of the images; see `read_image` for what happens to the pictures.
    channels : {1, 3}, optional
        Gray or color; by default gray if no picture has a color.
    test_fraction : float
        At least 0 and below 1, rounded to the nearest picture; unused if the folder has validation
        or test images.

    Returns
    -------
    Dataset
        Parts that the folder does not have are empty. All images are held in memory, one byte per
        pixel and channel: 1,000 images of 3 x 224 x 224 take 151 MB, and in `fit` twice as much.

    Raises
    ------
    TypeError, ValueError
        If an argument has the wrong type or is out of range.
    DataError
        If the folder cannot be read or has fewer than two classes; if it has ``val`` or ``test``,
        with folders in it, but no ``train``; if a class has no training picture, or only validation
        or test images; if a picture cannot be read, or the images do not fit into memory.
    ModuleNotFoundError
        If torchvision is not installed.
    """
    height, width = pair(image_size, "image_size", minimum=1)
    if channels not in (None, 1, 3):
        raise ValueError(f"channels must be 1, 3 or None, got {channels!r}")
    if not 0 <= test_fraction < 1:
        raise ValueError(f"test_fraction must be at least 0 and below 1, got {test_fraction}")
    root = expand_home(folder)
    try:
        parts = find_parts(root)
        class_names = _list_classes(parts["train"])
        samples = {part: _list_samples(path, class_names) for part, path in parts.items()}
    except OSError as error:
        raise DataError(f"{error.filename or root}: {error.strerror or error}") from error
    whole = samples["train"]
    labels = np.array([label for _, label in whole])
    for label, name in enumerate(class_names):
        if label not in labels:
            raise DataError(f"{parts['train'] / name} holds no pictures (.jpg, .png, ...)")
    if parts.keys() == {"train"}:
        kept, moved = stratified_split(labels, test_fraction, seed=0)
        samples = {"train": [whole[i] for i in kept], "test": [whole[i] for i in moved]}
    arrays: dict[str, Any] = {}
    for part, pairs in {**samples, "test": samples.get("test", [])}.items():
        arrays[f"{part}_images"] = _read_images(pairs, (channels or 3, height, width))
        arrays[f"{part}_labels"] = np.array([label for _, label in pairs], np.int64)
    images = [name for name in arrays if name.endswith("images")]
    if channels is None and all(_is_gray(arrays[name]) for name in images):
        arrays.update({name: arrays[name][:, :1] for name in images})
    return Dataset(os.fspath(folder), class_names=class_names, **arrays)


def read_image(path: str | os.PathLike[str], image_shape: tuple[int, int, int]) -> Bytes:
    """Read a picture of any size and kind, and convert it to the shape of an image.

    It is rotated to its EXIF orientation, scaled, with antialiasing, until it just covers the
    image, and its middle is cut out. Transparent pixels show a white background. 16 bits per
    channel become 8.

    Parameters
    ----------
    path : path
        Of a file that Pillow reads, of several frames the first; ``~`` is the home folder.
    image_shape : tuple of three ints
        Channels, height and width. With 1 channel, colors become shades of gray; with 3, shades of
        gray are equal in all channels.

    Returns
    -------
    uint8 array (C, H, W)
        For `convlab.training.predict`, after `numpy.stack`. `load_folder` reads each picture so.

    Raises
    ------
    ValueError
        If the shape does not have 1 or 3 channels.
    DataError
        If the picture cannot be read; the message names it.
    ModuleNotFoundError
        If Pillow is not installed.
    """
    channels, *size = image_shape
    if channels not in (1, 3):
        raise ValueError(f"pictures are read with 1 or 3 channels, but images have {channels}")
    height, width = pair(tuple(size), "image_shape[1:]", minimum=1)
    pillow = require("PIL.Image", needed_by="reading pictures")
    operations = require("PIL.ImageOps", needed_by="reading pictures")
    try:
        with pillow.open(expand_home(path)) as file:
            # JPEG is decoded at 1/2, 1/4 or 1/8 of its size if that is large enough: faster.
            file.draft(None, (2 * max(size),) * 2)
            picture = _to_rgb(operations.exif_transpose(file), pillow)
    except Exception as error:
        # With damaged files, Pillow raises exceptions of many classes.
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise DataError(f"{os.fspath(path)} cannot be read as a picture: {reason}") from error
    picture = operations.fit(picture, (width, height), pillow.Resampling.BILINEAR)
    pixels = np.asarray(picture.convert("L") if channels == 1 else picture)
    # A copy, since the memory of Pillow cannot be written.
    return np.array(pixels.reshape(height, width, channels).transpose(2, 0, 1), order="C")


def _to_rgb(picture: Any, pillow: Any) -> Any:
    """Convert a picture to RGB, over a white background and without clipping."""
    if picture.mode == "F":
        raise ValueError("its pixels are floating-point numbers, of which 8 bits cannot be made")
    if picture.mode.startswith("I"):  # 16 bits, which `convert` would clip to 255
        numbers = np.asarray(picture)
        if numbers.min() < 0 or numbers.max() > 65535:
            raise ValueError("its pixels have more than 16 bits")
        picture = pillow.fromarray((numbers >> 8).astype(np.uint8))
    elif picture.mode.endswith(("A", "a")) or "transparency" in picture.info:
        picture = picture.convert("RGBA")
        white = pillow.new("RGBA", picture.size, "white")
        picture = pillow.alpha_composite(white, picture)
    return picture.convert("RGB")


def find_parts(root: Path) -> dict[str, Path]:
    """Return the folder of each part of a data set: ``"train"``, ``"validation"``, ``"test"``.

    If no folder has the name of a part, or such folders are classes, since they hold no folders
    and stand beside others, "train" is the whole folder. Raises DataError if there is not one
    folder for "train" and at most one for each other part, or OSError.
    """
    folders = _subfolders(root)
    named = [path for path in folders if path.name.lower() in PART_NAMES]
    parts = {PART_NAMES[path.name.lower()]: path for path in named}
    # A class may be called "train", for example among vehicles: then it holds no folders.
    if not any(map(_subfolders, named)) and (not named or named != folders):
        return {"train": root}
    if len(parts) < len(named) or "train" not in parts:
        raise DataError(
            f"{root} must hold one folder train, and at most one val and one test, each with the "
            f"folders of the classes; it holds {', '.join(path.name for path in folders)}"
        )
    return parts


def _subfolders(folder: Path) -> list[Path]:
    """List the folders in a folder that may hold pictures, sorted by name as by `ImageFolder`."""
    folders = (path for path in folder.iterdir() if path.is_dir() and _is_visible(path.name))
    return sorted(folders, key=lambda path: path.name)


def _is_visible(name: str) -> bool:
    return not name.startswith(".") and name != IGNORED


def _list_classes(folder: Path) -> tuple[str, ...]:
    names = tuple(path.name for path in _subfolders(folder))
    if len(names) < 2:
        raise DataError(
            f"{folder} must hold a folder of pictures for each of at least two classes; it has "
            f"{f'only the folder {names[0]}' if names else 'no folders'}"
        )
    return names


def _list_samples(folder: Path, class_names: tuple[str, ...]) -> Samples:
    """List the pictures of a folder; raise DataError if it has a class that is not in the names."""
    if unknown := {path.name for path in _subfolders(folder)} - set(class_names):
        raise DataError(
            f"{folder} has the class {sorted(unknown)[0]}, which the training images do not have"
        )
    datasets = require("torchvision.datasets.folder", needed_by="reading a folder of pictures")

    def is_picture(path: str) -> bool:
        visible = all(map(_is_visible, Path(path).relative_to(folder).parts))
        return visible and bool(datasets.is_image_file(path))

    classes = {name: label for label, name in enumerate(class_names)}
    samples: Samples = datasets.ImageFolder.make_dataset(
        os.fspath(folder), classes, is_valid_file=is_picture, allow_empty=True
    )
    # Links may lead to a folder again: each counts once in a class.
    names: dict[tuple[int, str], str] = {}
    return [
        (path, label)
        for path, label in samples
        for parent in [os.path.dirname(path)]
        if names.setdefault((label, os.path.realpath(parent)), parent) == parent
    ]


def _read_images(samples: Samples, image_shape: tuple[int, int, int]) -> Bytes:
    try:
        images = np.empty((len(samples), *image_shape), np.uint8)
    except (MemoryError, ValueError) as error:  # ValueError: more bytes than an index can count
        raise DataError(
            f"{len(samples):,} images of {' x '.join(map(str, image_shape))} bytes do not fit into "
            f"memory: choose a smaller image_size"
        ) from error
    for image, (path, _) in zip(images, samples, strict=True):
        image[:] = read_image(path, image_shape)
    return images


def _is_gray(images: Bytes) -> bool:
    return all(bool((image == image[:1]).all()) for image in images)
