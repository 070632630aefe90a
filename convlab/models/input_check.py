"""Check the shape of the images that a network receives."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import count
from typing import Any

import torch
from torch import Tensor, fx, nn

from convlab.shapes import conv2d_output_size, pool2d_output_size


@dataclass(frozen=True)
class ExpectImages:
    """A forward pre-hook that raises an error if the input is not a batch of valid images.

    The input must be a tensor (else TypeError) of shape ``(N, channels, H, W)`` (else ValueError),
    with height and width from `smallest` to `largest`; None means no limit.

    It is a hook, not the first line of ``forward``, so that ``torch.fx`` traces the layers
    alone, without the comparisons of sizes. (The deprecated ``torch.jit.script`` does not support
    hooks.)

    Examples
    --------
    >>> layer = nn.Conv2d(3, 8, 5)
    >>> _ = layer.register_forward_pre_hook(ExpectImages(channels=3, smallest=5))
    >>> layer(torch.zeros(1, 3, 4, 9))
    Traceback (most recent call last):
    ValueError: Conv2d takes images of at least 5 x 5 pixels, got 4 x 9 in an input of shape
    (1, 3, 4, 9)
    """

    channels: int
    smallest: int = 1
    largest: int | None = None

    def __call__(self, model: nn.Module, arguments: tuple[Any, ...]) -> None:
        """Check the shape of the first argument of `model`."""
        images = arguments[0] if arguments else None
        if images is None or isinstance(images, fx.Proxy) or _is_jit_tracing():
            return  # a keyword argument, or a symbolic tensor without a shape
        name = type(model).__name__
        if not isinstance(images, Tensor):
            raise TypeError(f"{name} takes a tensor of images, got {type(images).__name__}")
        shape = tuple(images.shape)
        if len(shape) != 4 or shape[1] != self.channels:
            advice = "; images[None] makes a batch of one" if len(shape) == 3 else ""
            raise ValueError(
                f"{name} takes images of shape (N, {self.channels}, height, width), "
                f"got {shape}{advice}"
            )
        if min(shape[2:]) < self.smallest or max(shape[2:]) > (self.largest or max(shape[2:])):
            sizes = f"at least {self.smallest} x {self.smallest}"
            if self.largest:
                sizes += f" and at most {self.largest} x {self.largest}"
            raise ValueError(
                f"{name} takes images of {sizes} pixels, got {shape[2]} x {shape[3]} "
                f"in an input of shape {shape}"
            )


def smallest_input(layers: Iterable[nn.Module], output_size: int = 1) -> int:
    """Return the minimum height and width of an image for an output of at least `output_size`.

    Of the layers, applied one after the other, only convolutions and max pooling change the size.

    Examples
    --------
    Two convolutions with kernels of 3 lose two pixels each, and the pooling halves the rest:

    >>> smallest_input([nn.Conv2d(3, 8, 3), nn.Conv2d(8, 8, 3), nn.MaxPool2d(2)])
    6
    """
    layers = list(layers)
    return next(size for size in count(1) if _size_after(layers, size) >= output_size)


def _is_jit_tracing() -> bool:
    """Return whether ``torch.jit.trace`` is running, which warns about comparisons of sizes."""
    return bool(torch.jit.is_tracing())  # type: ignore[attr-defined, no-untyped-call]


def _size_after(layers: Iterable[nn.Module], size: int) -> int:
    """Return the output height for an input of `size` rows, 0 if a window does not fit."""
    for layer in layers:
        try:
            if isinstance(layer, nn.Conv2d):
                padding: Any = layer.padding
                size, _ = conv2d_output_size(
                    size, layer.kernel_size, layer.stride, padding, layer.dilation
                )
            elif isinstance(layer, nn.MaxPool2d):
                size, _ = pool2d_output_size(size, layer.kernel_size, layer.stride, layer.padding)
        except ValueError:
            return 0
    return size
