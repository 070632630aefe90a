"""Batches of a training run: order, augmentation and normalization of the images.

Two classes make the same batches: `DeviceBatches` from images that are all on the device, without
copies, processes or waiting; `LoaderBatches` from images on the host, with a `DataLoader`.
"""

from __future__ import annotations

import signal
import warnings
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional
from torch.utils import data as torch_data

from convlab.data import Dataset
from convlab.training.config import TrainConfig
from convlab.training.distributed import DistributedContext
from convlab.training.randomness import derived_seed


def make_batches(data: Dataset, config: TrainConfig, context: DistributedContext) -> Batches:
    """Return the batches that `config.batches` names."""
    cls = DeviceBatches if config.batches == "device" else LoaderBatches
    return cls(data, config, context)


def batch_order(count: int, batch_size: int, epoch: int, seed: int) -> Tensor:
    """Return the order of `count` images in one epoch, a function of the seed and the epoch.

    The int64 tensor ``(steps, batch_size)`` holds positions of images. Each occurs at most once;
    the images that do not fill a batch are left out. Epochs count from 0.

    Examples
    --------
    >>> order = batch_order(10, 3, epoch=0, seed=0)
    >>> order.shape, order.unique().numel()
    (torch.Size([3, 3]), 9)
    """
    generator = torch.Generator().manual_seed(derived_seed(seed, "order", epoch))
    steps = count // batch_size
    return torch.randperm(count, generator=generator)[: steps * batch_size].reshape(steps, -1)


def tensor_of(array: NDArray[Any]) -> Tensor:
    """Return a tensor that shares the memory of an array, without a warning if it is read-only."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The given NumPy array is not writable")
        return torch.from_numpy(array)


def plain_strides(values: Tensor) -> Tensor:
    """Return a contiguous tensor with the strides of a new one.

    Images of one channel are contiguous with the strides of the channels-last layout, too. Layers
    would take it over: their outputs could not be flattened by ``view``, and dropout would draw
    other numbers.

    Examples
    --------
    >>> plain_strides(torch.zeros(2, 4, 4, 1).permute(0, 3, 1, 2)).stride()
    (16, 16, 4, 1)
    """
    return values.reshape(-1).view(values.shape)


class Normalization:
    """Convert bytes to numbers with mean 0 and standard deviation 1 in each channel.

    `mean` and `std` hold one number per channel, for pixels from 0 to 1. A standard deviation of 0,
    of a channel that is the same everywhere, divides as 1. `device` is that of the images. Raises
    ValueError if they differ in length or are not finite, or a standard deviation is below 0.

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
        finite = bool(means.isfinite().all() and deviations.isfinite().all())
        if len(means) != len(deviations) or not finite or bool((deviations < 0).any()):
            raise ValueError(
                f"mean and std need one number per channel, and std numbers of at least 0, all "
                f"finite; got mean {means.tolist()} and std {deviations.tolist()}"
            )
        deviations = torch.where(deviations == 0, 1.0, deviations)
        shape = (-1, 1, 1)
        self.channels = len(means)
        self._scale = (1 / (255 * deviations)).float().reshape(shape).to(device)
        self._shift = (-means / deviations).float().reshape(shape).to(device)

    def __call__(self, images: Tensor) -> Tensor:
        """Convert uint8 images ``(N, C, H, W)`` to float32."""
        if images.shape[1] != self.channels:
            raise ValueError(
                f"mean and std are for {self.channels} channels, but images have {images.shape[1]}"
            )
        return (images * self._scale).add_(self._shift)


@dataclass(frozen=True)
class Augmentation:
    """Shift, flip and blank images at random, a whole batch at once on its device.

    `flip`, `crop`, `cutout` and `seed` are those of `TrainConfig`. The result is a function of the
    seed and the step.

    Examples
    --------
    >>> images = torch.arange(2 * 9, dtype=torch.uint8).reshape(2, 3, 3, 1)
    >>> augment = Augmentation(flip=True, crop=0, cutout=0, seed=0)
    >>> augmented, blank = augment(images, torch.tensor([0, 1]), step=0, share=slice(0, 2))
    >>> augmented.shape, blank is None
    (torch.Size([2, 3, 3, 1]), True)
    """

    flip: bool
    crop: int
    cutout: int
    seed: int

    def __call__(
        self, padded: Tensor, positions: Tensor, step: int, share: slice
    ) -> tuple[Tensor, Tensor | None]:
        """Cut the augmented images of one batch out of all images.

        Image and shift together choose one of the windows of all padded images, which a view lists
        without copying, so one indexing operation cuts them out.

        Parameters
        ----------
        padded : Tensor (N, H + 2 crop, W + 2 crop, C)
            All images, with `crop` rows and columns of black on each side.
        positions : int64 Tensor (B,)
            Positions of the images of this step, over all processes.
        step : int
            Number of the step in the training run.
        share : slice
            This process's share of the B images. Random numbers are drawn for all of them, so
            that the augmentation does not depend on the number of processes.

        Returns
        -------
        images, blank : Tensor (B of this process, H, W, C), bool Tensor (B of this process, H, W)
            `blank` is True inside the blanked square, or None without `cutout`.
        """
        crop, batch_size, device = self.crop, len(positions), padded.device
        height, width = padded.shape[1] - 2 * crop, padded.shape[2] - 2 * crop
        generator = torch.Generator(device)
        generator.manual_seed(derived_seed(self.seed, "augmentation", step))

        def draw(below: int, count: int = 1, dtype: torch.dtype = torch.int64) -> Tensor:
            """Draw `count` integers from 0 to ``below - 1`` per image of this share, (count, B)."""
            shape = (count, batch_size)
            numbers = torch.randint(below, shape, generator=generator, device=device, dtype=dtype)
            return numbers[:, share]

        blank = None
        if self.cutout:
            inside = []
            before = self.cutout // 2  # pixels between the edge of the square and its center
            for size in (height, width):
                offset = torch.arange(before, before + size, device=device) - draw(size).T
                # 0 <= offset < cutout, in one operation less; (B, H), then (B, W)
                inside.append(offset // self.cutout == 0)
            blank = inside[0][:, :, None] & inside[1][:, None, :]  # (B, H, W)
        flipped = draw(2, dtype=torch.bool) if self.flip else None  # (1, B)
        positions = positions[share]
        if crop:
            rows, columns = draw(2 * crop + 1, count=2)
            # (N, 2 crop + 1, 2 crop + 1, C, H, W)
            windows = padded.unfold(1, height, 1).unfold(2, width, 1)
            images = windows[positions, rows, columns].permute(0, 2, 3, 1)
        else:
            images = padded[positions]
        if flipped is not None:
            images = torch.where(flipped.reshape(-1, 1, 1, 1), images.flip(2), images)
        return images, blank


class Batches(ABC):
    """Batches that `fit` trains on: their sizes, order, augmentation and normalization.

    `batch_size` counts the images of one step over all processes. Raises ValueError if they cannot
    be divided equally among the processes and the parts of ``config.accumulation_steps``.
    """

    def __init__(self, data: Dataset, config: TrainConfig, context: DistributedContext) -> None:
        self.count, self.config, self.context = len(data.train_images), config, context
        processes = context.world_size
        if config.batch_size % processes:
            raise ValueError(
                f"batch_size must be divisible by the number of processes {processes}, got "
                f"{config.batch_size}"
            )
        self.batch_size = min(config.batch_size, self.count // processes * processes)
        if not self.batch_size:
            raise ValueError(
                f"{processes} processes need at least {processes} images, got {self.count}"
            )
        share = self.batch_size // processes
        if share % config.accumulation_steps:
            raise ValueError(
                f"accumulation_steps must divide the {share} images that a process gets of each "
                f"batch, got {config.accumulation_steps}"
            )
        self.steps_per_epoch = self.count // self.batch_size
        self.total_steps = config.epochs * self.steps_per_epoch
        self.share = context.batch_slice(self.batch_size)
        self.augment = Augmentation(config.flip, config.crop, config.cutout, config.seed)
        self.normalize = Normalization(data.mean, data.std, context.device)

    @abstractmethod
    def epoch(self, epoch: int, first_step: int = 0) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield the images ``(n, C, H, W)`` and labels ``(n,)`` of this process, from a step on."""

    def positions(self, epoch: int, step: int) -> list[int]:
        """Return the positions of the images of one step, over all processes."""
        order = batch_order(self.count, self.batch_size, epoch, self.config.seed)
        return [int(position) for position in order[step]]

    def _pad(self, pixels: Tensor) -> Tensor:
        """Add `crop` rows and columns of black on each side of ``(N, H, W, C)``."""
        crop = self.config.crop
        return functional.pad(pixels, (0, 0, crop, crop, crop, crop)) if crop else pixels

    def _to_inputs(self, images: Tensor, blank: Tensor | None) -> Tensor:
        """Convert bytes ``(n, H, W, C)`` to inputs of the network, ``(n, C, H, W)``."""
        planes = plain_strides(images).permute(0, 3, 1, 2)
        if not self.config.channels_last:
            planes = plain_strides(planes)  # before the conversion: bytes are four times smaller
        values = self.normalize(planes)
        # 0 is the mean, so a blank square does not change the brightness.
        return values if blank is None else values.masked_fill_(blank[:, None], 0)


class DeviceBatches(Batches):
    """Batches cut out of all images, which are stored as bytes on the device.

    Examples
    --------
    >>> pixels = np.arange(160, dtype=np.uint8).reshape(10, 1, 4, 4)
    >>> labels, names = np.arange(10) % 2, ("even", "odd")
    >>> data = Dataset("example", pixels, labels, pixels[:0], labels[:0], names)
    >>> batches = DeviceBatches(data, TrainConfig(batch_size=5), DistributedContext())
    >>> batches.steps_per_epoch, [tuple(images.shape) for images, _ in batches.epoch(0)]
    (2, [(5, 1, 4, 4), (5, 1, 4, 4)])
    """

    def __init__(self, data: Dataset, config: TrainConfig, context: DistributedContext) -> None:
        super().__init__(data, config, context)
        pixels = np.ascontiguousarray(data.train_images.transpose(0, 2, 3, 1))
        self._padded = self._pad(tensor_of(pixels)).to(context.device)
        self._labels = torch.from_numpy(data.train_labels).to(context.device)

    def epoch(self, epoch: int, first_step: int = 0) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield the batches of one epoch, from a step on."""
        order = batch_order(self.count, self.batch_size, epoch, self.config.seed)
        order = order.to(self.context.device)
        labels = self._labels[order]  # (steps, B)
        for step in range(first_step, self.steps_per_epoch):
            positions, total_step = order[step], epoch * self.steps_per_epoch + step
            images, blank = self.augment(self._padded, positions, total_step, self.share)
            yield self._to_inputs(images, blank), labels[step, self.share]


class LoaderBatches(Batches):
    """The batches of `DeviceBatches`, copied from the host by a `DataLoader`.

    `config.loader_workers` processes prepare batches in advance.
    """

    def __init__(self, data: Dataset, config: TrainConfig, context: DistributedContext) -> None:
        super().__init__(data, config, context)
        self._pixels = _PixelDataset(data.train_images, data.train_labels)

    def epoch(self, epoch: int, first_step: int = 0) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield the batches of one epoch, from a step on."""
        device, share = self.context.device, self.share
        order = batch_order(self.count, self.batch_size, epoch, self.config.seed)
        loader: torch_data.DataLoader[Any] = torch_data.DataLoader(
            self._pixels,
            batch_size=None,  # an item of the sampler is a whole batch
            sampler=order[first_step:, share].tolist(),
            num_workers=self.config.loader_workers,
            worker_init_fn=_ignore_stop_signals,
            pin_memory=device.type == "cuda",
            # For the seeds of the workers, so that they leave the shared generator unchanged.
            generator=torch.Generator(),
        )
        # Only this process's images are on the device: its i-th one is at position i.
        positions = torch.zeros(self.batch_size, dtype=torch.int64, device=device)
        positions[share] = torch.arange(share.stop - share.start, device=device)
        for step, (pixels, labels) in enumerate(loader, epoch * self.steps_per_epoch + first_step):
            padded = self._pad(pixels.to(device, non_blocking=True))
            images, blank = self.augment(padded, positions, step, share)
            yield self._to_inputs(images, blank), labels.to(device, non_blocking=True)


class _PixelDataset(torch_data.Dataset[Any]):
    """Images ``(n, H, W, C)`` and labels ``(n,)``, fetched a whole batch at a time."""

    def __init__(self, images: NDArray[np.uint8], labels: NDArray[np.int64]) -> None:
        self.images, self.labels = images, labels

    def __getitem__(self, positions: list[int]) -> tuple[Tensor, Tensor]:
        images = np.ascontiguousarray(self.images[positions].transpose(0, 2, 3, 1))
        return torch.from_numpy(images), torch.from_numpy(self.labels[positions])


def _ignore_stop_signals(worker_id: int) -> None:
    """Ignore SIGINT and SIGTERM in a worker, so that the current step is completed."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
