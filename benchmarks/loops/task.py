"""Task of all contenders: network, images and settings of a training."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from convlab.data import Dataset
from convlab.models import MnistCNN, SimpleCNN

# SGD with Nesterov momentum; the learning rate rises in a line, then falls in a line to 0, step
# by step.
LEARNING_RATE = 0.05
MOMENTUM = 0.9
WEIGHT_DECAY = 5e-4
WARMUP = 0.25  # share of the steps in which it rises

NETWORKS: dict[str, tuple[type[nn.Module], tuple[int, int, int]]] = {
    "MnistCNN": (MnistCNN, (1, 28, 28)),
    "SimpleCNN": (SimpleCNN, (3, 32, 32)),
}
CLASSES = 10
NOISE = 96  # of 255: how much of a pixel is chance
TILES = 4  # height and width of a pattern, in tiles

# Called by a contender at the end of each epoch with a training loss of that epoch, a number: so
# all work of the epoch is done by then, on a GPU too.
Ended = Callable[[float], None]


@dataclass(frozen=True)
class Task:
    """Network, images and settings of a training that every contender supports.

    Parameters
    ----------
    network : str
        One of `NETWORKS`. Photographs (SimpleCNN) are flipped with probability 1/2, digits are not.
    count : int
        Images per epoch, a multiple of `batch`, so that all batches are full.
    batch : int
        Images per step.
    device : str
        "cpu" or "cuda".
    """

    network: str
    count: int
    batch: int = 128
    device: str = "cpu"
    classes: tuple[str, ...] = field(default=tuple(map(str, range(CLASSES))), repr=False)

    def __post_init__(self) -> None:
        if self.count % self.batch or not self.count:
            raise ValueError(
                f"count must be a multiple of batch {self.batch} and above 0, got {self.count}"
            )

    @property
    def flip(self) -> bool:
        """Whether images are flipped."""
        return self.network == "SimpleCNN"

    @property
    def steps(self) -> int:
        """Number of steps in an epoch."""
        return self.count // self.batch

    def model(self) -> nn.Module:
        """Make the network, always with the same initial weights."""
        torch.manual_seed(0)
        return NETWORKS[self.network][0]()

    @cached_property
    def data(self) -> Dataset:
        """Images with noise over one of ten tile patterns, which a network can learn.

        How fast a training is does not depend on what the images show.
        """
        chance = np.random.default_rng(0)
        channels, height, width = shape = NETWORKS[self.network][1]
        tiles = chance.integers(0, 256 - NOISE, (CLASSES, channels, TILES, TILES), dtype=np.uint8)
        patterns = np.kron(tiles, np.ones((height // TILES, width // TILES), np.uint8))
        labels = chance.integers(0, CLASSES, self.count)
        images: NDArray[np.uint8] = chance.integers(0, NOISE, (self.count, *shape), dtype=np.uint8)
        images += patterns[labels]
        return Dataset("noise", images, labels, images[:0], labels[:0], self.classes)
