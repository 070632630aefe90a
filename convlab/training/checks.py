"""What is refused before it is computed, with the numbers that clash."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from convlab._validate import integer
from convlab.data import Dataset
from convlab.training.config import TrainConfig


def check_model(model: object) -> None:
    """Refuse what is no network.

    Raises
    ------
    TypeError
        If `model` is no `nn.Module`, for example a class instead of an object of it.
    """
    if not isinstance(model, nn.Module):
        kind = f"the class {model.__name__}" if isinstance(model, type) else type(model).__name__
        raise TypeError(f"model must be a torch.nn.Module, got {kind}")


def check_fit(
    model: object, data: object, config: object, out: object, keep: Any, checkpoint_every: Any
) -> None:
    """Refuse arguments of `fit` that are no such things, or out of range.

    Raises
    ------
    TypeError, ValueError
        Naming the argument.
    """
    check_model(model)
    for name, value, kind in (("data", data, Dataset), ("config", config, TrainConfig)):
        if not isinstance(value, kind):
            raise TypeError(f"{name} must be a {kind.__name__}, got {type(value).__name__}")
    if out is not None:
        if not isinstance(out, (str, os.PathLike)):
            raise TypeError(f"out must be the path of a folder, got {type(out).__name__}")
        if not os.fspath(out):
            raise ValueError("out must be the path of a folder, got an empty one")
    integer(keep, "keep", minimum=1)
    if checkpoint_every is not None:
        integer(checkpoint_every, "checkpoint_every", minimum=1)


def check_sizes(config: TrainConfig, image_shape: tuple[int, int, int]) -> None:
    """Refuse shifts and squares that leave nothing of the images.

    Parameters
    ----------
    config : TrainConfig
        Gives `crop` and `cutout`.
    image_shape : tuple of three ints
        Channels, height and width.

    Raises
    ------
    ValueError
        If a shift can push an image out of sight, or the square is larger than the image.

    Examples
    --------
    >>> check_sizes(TrainConfig(crop=28), (1, 28, 28))
    Traceback (most recent call last):
    ...
    ValueError: crop must be below the images' 28 x 28 pixels, got 28
    """
    _, height, width = image_shape
    smaller = min(height, width)
    if config.crop >= smaller:
        raise ValueError(
            f"crop must be below the images' {height} x {width} pixels, got {config.crop}"
        )
    if config.cutout > smaller:
        raise ValueError(
            f"cutout must be at most the images' {height} x {width} pixels, got {config.cutout}"
        )


def checked_labels(labels: Any) -> Tensor:
    """Return labels as int64, on the CPU.

    Raises
    ------
    TypeError
        If they are no integers.
    ValueError
        If one is negative.
    """
    try:
        found = labels.cpu() if isinstance(labels, Tensor) else torch.from_numpy(np.array(labels))
    except (TypeError, ValueError) as error:
        raise TypeError(f"labels must be integers, got {type(labels).__name__}") from error
    if found.numel() and (found.dtype.is_floating_point or found.dtype == torch.bool):
        raise TypeError(f"labels must be integers, got {found.dtype}")
    found = found.to(torch.int64)
    # PyTorch's loss would leave out a label of -100 without a word.
    if found.numel() and int(found.min()) < 0:
        raise ValueError(f"labels must be at least 0, got {int(found.min())}")
    return found


def check_rows(outputs: object, count: int) -> None:
    """Refuse outputs that are not one row for each image.

    Raises
    ------
    TypeError
        If they are no Tensor of floating point.
    ValueError
        If they are not so many.
    """
    if not isinstance(outputs, Tensor):
        raise TypeError(f"the model must return one Tensor, got {type(outputs).__name__}")
    if not outputs.is_floating_point():
        raise TypeError(f"the model must return floating point, got {outputs.dtype}")
    if not outputs.ndim or len(outputs) != count:
        raise ValueError(
            f"the model must return one row for each of {count} images, got {tuple(outputs.shape)}"
        )


def check_logits(outputs: Tensor, count: int, classes: int) -> None:
    """Refuse outputs that are no logits for so many images and classes.

    Only the shape is looked at, so nothing waits for the device.

    Parameters
    ----------
    outputs : Tensor
        What the network returned.
    count : int
        Images that it was given.
    classes : int
        The largest label, and one.

    Raises
    ------
    TypeError, ValueError
        As `check_rows` does, or if they have another shape than ``(count, classes)``; more
        classes are allowed.

    Examples
    --------
    >>> check_logits(torch.zeros(16, 5), 16, 10)
    Traceback (most recent call last):
    ...
    ValueError: the model has 5 outputs for each image, but the labels go up to 9: it needs at
    least 10
    """
    check_rows(outputs, count)
    if outputs.ndim != 2:
        raise ValueError(
            f"the model must return logits (N, classes), here ({count}, {classes}), got "
            f"{tuple(outputs.shape)}"
        )
    if outputs.shape[1] < classes:
        raise ValueError(
            f"the model has {outputs.shape[1]} outputs for each image, but the labels go up to "
            f"{classes - 1}: it needs at least {classes}"
        )
