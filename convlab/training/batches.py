"""The batches of a training: which images, in which order, as the network wants them.

Two ways that make the same batches. `DeviceBatches` keeps all images on the device, as bytes, and
cuts each batch out there: no copying, no processes, no waiting. `LoaderBatches` brings each batch
from the host with PyTorch's `DataLoader`, for sets that do not fit.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset

from convlab.training.augmentation import Augmentation
from convlab.training.config import TrainConfig
from convlab.training.distributed import World
from convlab.training.randomness import derived_seed

Bytes = NDArray[np.uint8]


def batch_order(count: int, batch: int, epoch: int, seed: int) -> Tensor:
    """Return the order of one epoch, a function of the seed and the epoch.

    Parameters
    ----------
    count : int
        Number of images.
    batch : int
        Images per step.
    epoch : int
        Counted from 0.
    seed : int
        Seed of the run.

    Returns
    -------
    Tensor (steps, batch)
        Positions; each occurs at most once, and less than a batch of them is left out.

    Examples
    --------
    >>> order = batch_order(10, 3, epoch=0, seed=0)
    >>> order.shape, order.unique().numel()
    (torch.Size([3, 3]), 9)
    """
    chance = torch.Generator().manual_seed(derived_seed(seed, "order", epoch))
    steps = count // batch
    return torch.randperm(count, generator=chance)[: steps * batch].reshape(steps, batch)


class Normalization:
    """Bytes to numbers with mean 0 and deviation 1 in each channel.

    Parameters
    ----------
    mean, std : sequence of float
        One number per channel, for pixels from 0 to 1.
    device : torch.device
        Where the images are.

    Raises
    ------
    ValueError
        If the two differ in length, or a deviation is not above 0.

    Examples
    --------
    >>> normalize = Normalization([0.5], [0.5], torch.device("cpu"))
    >>> normalize(torch.tensor([[[[0]]], [[[255]]]], dtype=torch.uint8)).flatten()
    tensor([-1.,  1.])
    """

    def __init__(self, mean: Sequence[float], std: Sequence[float], device: torch.device) -> None:
        means, deviations = (
            torch.as_tensor(v, dtype=torch.float64).reshape(-1) for v in (mean, std)
        )
        if len(means) != len(deviations) or not bool((deviations > 0).all()):
            raise ValueError(
                f"mean and std need one number per channel, and std numbers above 0; got "
                f"mean {means.tolist()} and std {deviations.tolist()}"
            )
        shape = (-1, 1, 1)
        self.channels = len(means)
        self._scale = (1 / (255 * deviations)).float().reshape(shape).to(device)
        self._shift = (-means / deviations).float().reshape(shape).to(device)

    def __call__(self, images: Tensor) -> Tensor:
        """Map ``(N, C, H, W)`` of uint8 to float32."""
        return images.to(torch.float32).mul_(self._scale).add_(self._shift)


class Batches(Protocol):
    """What `fit` asks for."""

    batch: int
    steps: int

    def epoch(self, epoch: int, first: int = 0) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield images ``(n, C, H, W)`` and labels ``(n,)`` of this process, from a step on."""
        ...

    def positions(self, epoch: int, step: int) -> list[int]:
        """Return which images a step takes, over all processes."""
        ...


class _Common:
    """What both ways share: the order, and the last touch."""

    def __init__(
        self, images: Bytes, labels: NDArray[Any], mean: Sequence[float], std: Sequence[float],
        config: TrainConfig, world: World,
    ) -> None:  # fmt: skip
        check_images(images, labels)
        self.count, self.world, self.config = len(images), world, config
        if config.batch_size % world.size:
            raise ValueError(
                f"batch_size {config.batch_size} cannot be shared equally by {world.size} processes"
            )
        self.batch = min(config.batch_size, self.count // world.size * world.size)
        if not self.batch:
            raise ValueError(f"{self.count} images are too few for {world.size} processes")
        self.steps = self.count // self.batch
        self.augmentation = Augmentation.of(config)
        self.normalize = Normalization(mean, std, world.device)
        if self.normalize.channels != images.shape[1]:
            raise ValueError(
                f"images have {images.shape[1]} channels, mean and std {self.normalize.channels}"
            )

    def positions(self, epoch: int, step: int) -> list[int]:
        """Return which images a step takes, over all processes."""
        order = batch_order(self.count, self.batch, epoch, self.config.seed)
        return [int(position) for position in order[step]]

    def _finished(self, images: Tensor, blank: Tensor | None) -> Tensor:
        """Turn bytes ``(n, H, W, C)`` into what the network takes."""
        planes = images.permute(0, 3, 1, 2)
        if not self.config.channels_last:
            planes = planes.contiguous()  # while it is bytes: a quarter of the work
        values = self.normalize(planes)
        # 0 is the mean, so a blank square says nothing about brightness.
        return values if blank is None else values.masked_fill_(blank[:, None], 0)


class DeviceBatches(_Common):
    """All images on the device, as bytes; each batch is cut out there.

    Parameters
    ----------
    images : uint8 array (N, C, H, W)
        Of the training.
    labels : integer array (N,)
        Their classes.
    mean, std : sequence of float
        Per channel, for pixels from 0 to 1.
    config : TrainConfig
        Batch size, seed, augmentation, layout in memory.
    world : World
        Which share this process takes.

    Raises
    ------
    TypeError, ValueError
        If the arrays do not fit together, or the batch cannot be shared.

    Examples
    --------
    >>> pixels = np.zeros((10, 1, 4, 4), np.uint8)
    >>> config = TrainConfig(batch_size=5)
    >>> batches = DeviceBatches(pixels, np.arange(10), [0.5], [0.5], config, World())
    >>> batches.steps, [tuple(x.shape) for x, _ in batches.epoch(0)]
    (2, [(5, 1, 4, 4), (5, 1, 4, 4)])
    """

    def __init__(
        self, images: Bytes, labels: NDArray[Any], mean: Sequence[float], std: Sequence[float],
        config: TrainConfig, world: World,
    ) -> None:  # fmt: skip
        super().__init__(images, labels, mean, std, config, world)
        border = config.crop
        pixels = torch.from_numpy(np.ascontiguousarray(images.transpose(0, 2, 3, 1)))
        self._padded = functional.pad(pixels, (0, 0, border, border, border, border)).to(
            world.device
        )
        self._labels = torch.as_tensor(labels, dtype=torch.int64).to(world.device)

    def epoch(self, epoch: int, first: int = 0) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield the batches of one epoch from step `first` on."""
        part = self.world.part(self.batch)
        order = batch_order(self.count, self.batch, epoch, self.config.seed)
        order = order.to(self.world.device)
        for step in range(first, self.steps):
            taken = order[step]
            images, blank = self.augmentation(self._padded, taken, epoch * self.steps + step, part)
            yield self._finished(images, blank), self._labels[taken[part]]


class _Pixels(Dataset[Any]):
    """Images that are asked for by whole batches."""

    def __init__(self, images: Bytes, labels: NDArray[Any]) -> None:
        self.images, self.labels = images, labels

    def __getitems__(self, positions: list[int]) -> tuple[Tensor, Tensor]:
        images = np.ascontiguousarray(self.images[positions].transpose(0, 2, 3, 1))
        return torch.from_numpy(images), torch.as_tensor(self.labels[positions], dtype=torch.int64)


def _as_it_is(batch: Any) -> Any:
    return batch


def _leave_signals_to_the_parent(worker: int) -> None:
    """Work on for the step at whose end the training stops."""
    for one in (signal.SIGINT, signal.SIGTERM):
        signal.signal(one, signal.SIG_IGN)


class LoaderBatches(_Common):
    """Each batch comes from the host, through a `DataLoader`.

    Parameters, errors and batches are those of `DeviceBatches`; `config.loader_workers` processes
    read ahead.
    """

    def __init__(
        self, images: Bytes, labels: NDArray[Any], mean: Sequence[float], std: Sequence[float],
        config: TrainConfig, world: World,
    ) -> None:  # fmt: skip
        super().__init__(images, labels, mean, std, config, world)
        self._pixels = _Pixels(images, labels)

    def epoch(self, epoch: int, first: int = 0) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield the batches of one epoch from step `first` on."""
        part, border = self.world.part(self.batch), self.config.crop
        order = batch_order(self.count, self.batch, epoch, self.config.seed)[first:, part]
        loader: DataLoader[Any] = DataLoader(
            self._pixels,
            batch_sampler=order.tolist(),
            collate_fn=_as_it_is,
            num_workers=self.config.loader_workers,
            worker_init_fn=_leave_signals_to_the_parent,
            pin_memory=self.world.device.type == "cuda",
            # The loader seeds its workers. Let it not draw from the generator of the layers.
            generator=torch.Generator(),
        )
        where = torch.zeros(self.batch, dtype=torch.int64, device=self.world.device)
        where[part] = torch.arange(part.stop - part.start, device=self.world.device)
        for step, (images, labels) in enumerate(loader, first):
            pixels = images.to(self.world.device, non_blocking=True)
            padded = functional.pad(pixels, (0, 0, border, border, border, border))
            cut, blank = self.augmentation(padded, where, epoch * self.steps + step, part)
            yield (
                self._finished(cut, blank), labels.to(self.world.device, non_blocking=True),
            )  # fmt: skip


def check_images(images: Any, labels: Any) -> None:
    """Refuse what is not uint8 images (N, C, H, W) with N labels.

    Raises
    ------
    TypeError
        If the images are no uint8 array.
    ValueError
        If the shapes do not fit together, or there is no image.
    """
    if not isinstance(images, np.ndarray) or images.dtype != np.uint8:
        kind = getattr(images, "dtype", type(images).__name__)
        raise TypeError(f"images must be an array of uint8, got {kind}")
    if images.ndim != 4 or not len(images):
        raise ValueError(f"images must be (N, C, H, W) with N at least 1, got {images.shape}")
    if np.shape(labels) != (len(images),):
        raise ValueError(f"{len(images)} images need labels of shape ({len(images)},), got "
                         f"{np.shape(labels)}")  # fmt: skip


def make_batches(
    images: Bytes, labels: NDArray[Any], mean: Sequence[float], std: Sequence[float],
    config: TrainConfig, world: World,
) -> Batches:  # fmt: skip
    """Return the batches of the kind that `config.batches` names."""
    kind = DeviceBatches if config.batches == "device" else LoaderBatches
    return kind(images, labels, mean, std, config, world)
