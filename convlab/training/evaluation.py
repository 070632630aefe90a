"""How good a network is: counted over all images, each once, in eval mode."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from convlab._validate import integer
from convlab.training.batches import Normalization
from convlab.training.checks import check_logits, check_model, check_rows, checked_labels
from convlab.training.distributed import World
from convlab.training.precision import at_least_float32, float_type

NORMAL_95 = 1.959964  # 95 % of a normal distribution lie within so many deviations


@dataclass(frozen=True)
class Evaluation:
    """What a network does on a set of images.

    Parameters
    ----------
    loss : float
        Mean cross entropy per image, in nats. Each image counts the same, also one in a short
        last batch.
    accuracy : float
        Share of the images whose largest output is at their label, from 0 to 1.
    correct, count : int
        The two numbers of which `accuracy` is the quotient.

    Examples
    --------
    >>> result = Evaluation(loss=0.03, accuracy=0.99, correct=356, count=360)
    >>> low, high = result.interval()
    >>> f"{low:.3f} to {high:.3f}"
    '0.972 to 0.996'
    """

    loss: float
    accuracy: float
    correct: int
    count: int

    def interval(self, deviations: float = NORMAL_95) -> tuple[float, float]:
        """Return where the accuracy on many more such images may lie (Wilson, 1927).

        Unlike the plain formula it stays within 0 and 1, and has a width at 100 % too.

        Parameters
        ----------
        deviations : float
            How sure to be, in standard deviations; by default 95 %.

        Returns
        -------
        low, high : float
        """
        n, share, z = self.count, self.correct / self.count, deviations
        middle = (share + z * z / (2 * n)) / (1 + z * z / n)
        reach = z / (1 + z * z / n) * sqrt(share * (1 - share) / n + z * z / (4 * n * n))
        return max(0.0, middle - reach), min(1.0, middle + reach)

    def __str__(self) -> str:
        low, high = self.interval()
        return (
            f"{100 * self.accuracy:.2f} % of {self.count:,} right "
            f"(95 %: {100 * low:.1f} to {100 * high:.1f}), loss {self.loss:.4f}"
        )


@contextmanager
def eval_mode(model: nn.Module) -> Iterator[None]:
    """Put a model into eval mode, then each of its layers back into the mode it was in.

    Examples
    --------
    >>> layers = nn.Sequential(nn.Dropout(0.5)).train()
    >>> with eval_mode(layers):
    ...     layers.training
    False
    >>> layers.training
    True
    """
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        yield
    finally:
        for module, mode in modes:
            module.training = mode


def predict(
    model: nn.Module,
    images: Any,
    *,
    mean: Sequence[float] | None = None,
    std: Sequence[float] | None = None,
    batch_size: int = 500,
) -> Tensor:
    """Return the outputs of a network for all images, in eval mode and without gradients.

    Parameters
    ----------
    model : nn.Module
        Computes on the device that it is on. Its mode is left as it was.
    images : array or Tensor (N, C, H, W)
        Bytes (uint8), which are normalized by `mean` and `std`; or numbers that already are what
        the network takes. They get the type of its weights.
    mean, std : sequence of float, optional
        Per channel, for pixels from 0 to 1: those of the training. Needed for bytes.
    batch_size : int
        Images at a time, at least 1; bounds the memory, changes no result.

    Returns
    -------
    Tensor (N, classes)
        On the CPU, float32; of a network in float64, float64.

    Raises
    ------
    TypeError, ValueError
        If the images have no such shape, or are bytes without `mean` and `std`, or the reverse;
        if the network returns something else than one row for each image.

    Examples
    --------
    >>> predict(nn.Flatten(), np.ones((3, 1, 2, 2), np.float32)).shape
    torch.Size([3, 4])
    """
    parts = _outputs(model, images, mean, std, batch_size)
    return torch.cat([at_least_float32(part).cpu() for part in parts])


def evaluate(
    model: nn.Module,
    images: Any,
    labels: Any,
    *,
    mean: Sequence[float] | None = None,
    std: Sequence[float] | None = None,
    batch_size: int = 500,
    world: World | None = None,
) -> Evaluation:
    """Return loss and accuracy over all images, in eval mode.

    The mean is taken over images, not over batches: a mean of the batches' means would count an
    image of a short last batch several times. In eval mode dropout is off, and batch normalization
    uses what it learned; so the answer for an image does not depend on the others.

    Parameters
    ----------
    model : nn.Module
        Its outputs are taken as logits ``(N, classes)``. Its mode is left as it was.
    images, mean, std, batch_size
        As in `predict`.
    labels : integer array or Tensor (N,)
        The right classes.
    world : World, optional
        With several processes, each evaluates every `world.size`-th image, and the counts are
        added: each image counts once, whether or not the set divides.

    Returns
    -------
    Evaluation
        The same in every process.

    Raises
    ------
    TypeError, ValueError
        As in `predict`, and if there is not one label for each image, a whole number from 0 up to
        the number of the network's outputs.

    Examples
    --------
    >>> logits = np.array([[3.0, 0, 0], [0, 2.0, 0], [0, 1.0, 0]], np.float32)
    >>> evaluate(nn.Flatten(), logits.reshape(3, 3, 1, 1), [0, 1, 2]).correct
    2
    """
    world = world or World()
    check_model(model)
    right = checked_labels(labels)
    if right.shape != (len(images),):
        raise ValueError(
            f"{len(images)} images need labels of shape ({len(images)},), got {tuple(right.shape)}"
        )
    if not len(images):
        raise ValueError("there are no images to evaluate")
    classes = int(right.max()) + 1
    mine = slice(world.rank, None, world.size)
    right = right[mine]
    totals = torch.zeros(3, dtype=torch.float64, device=_device_of(model))
    start = 0
    if len(right):
        for outputs in _outputs(model, images[mine], mean, std, batch_size):
            check_logits(outputs, len(outputs), classes)
            wanted = right[start : start + len(outputs)].to(outputs.device)
            start += len(outputs)
            loss = functional.cross_entropy(at_least_float32(outputs), wanted, reduction="none")
            hits = outputs.argmax(1) == wanted
            totals[:2] += torch.stack([loss.double().sum(), hits.double().sum()])
            totals[2] += len(hits)
    loss_sum, correct, count = world.total(totals).tolist()
    return Evaluation(loss_sum / count, correct / count, int(correct), int(count))


def _device_of(model: nn.Module) -> torch.device:
    tensors = [*model.parameters(), *model.buffers()]
    return tensors[0].device if tensors else torch.device("cpu")


def _outputs(
    model: nn.Module, images: Any, mean: Sequence[float] | None, std: Sequence[float] | None,
    batch_size: int,
) -> Iterator[Tensor]:  # fmt: skip
    """Yield what the model answers, batch by batch."""
    check_model(model)
    if not isinstance(images, (np.ndarray, Tensor)) or images.ndim != 4 or not len(images):
        shape = getattr(images, "shape", type(images).__name__)
        raise ValueError(f"images must be (N, C, H, W) with N at least 1, got {shape}")
    batch_size = integer(batch_size, "batch_size", minimum=1)
    pixels = torch.as_tensor(
        np.ascontiguousarray(images) if isinstance(images, np.ndarray) else images
    )
    device = _device_of(model)
    normalize = None
    if pixels.dtype == torch.uint8:
        if mean is None or std is None:
            raise ValueError("images of bytes need mean=data.mean and std=data.std of the training")
        normalize = Normalization(mean, std, device)
        if normalize.channels != pixels.shape[1]:
            raise ValueError(
                f"images have {pixels.shape[1]} channels, mean and std {normalize.channels}"
            )
    elif not pixels.dtype.is_floating_point:
        raise TypeError(f"images must be uint8 or floating point, got {pixels.dtype}")
    elif mean is not None or std is not None:
        raise ValueError(f"mean and std are for images of bytes; these are {pixels.dtype}")
    kind = float_type(model)
    with eval_mode(model):
        for batch in torch.split(pixels, batch_size):
            moved = batch.to(device)
            with torch.no_grad():
                values = moved if normalize is None else normalize(moved)
                outputs = model(values.to(kind))
            check_rows(outputs, len(batch))
            yield outputs
