"""Predictions of a network, their loss and accuracy, and the confusion matrix."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from convlab._model_state import preserve_model_state
from convlab._validate import integer
from convlab.data.dataset import check_labels
from convlab.training.batches import Normalization, plain_strides, tensor_of
from convlab.training.distributed import DistributedContext
from convlab.training.loss import Loss, check_loss, move_loss, sum_losses
from convlab.training.precision import at_least_float32, model_dtype

Z_95 = 1.959964  # 95 % of a normal distribution lie within this many standard deviations


@dataclass(frozen=True)
class Evaluation:
    """Loss and accuracy of a network on a set of images.

    Parameters
    ----------
    loss : float
        Mean cross entropy per image, in nats, or mean of the caller's own loss.
    accuracy : float
        Fraction of the images whose largest output is that of their label, from 0 to 1. An image
        with NaN among its outputs, or -inf in all of them, is not correct.
    correct, count : int
        Number of correct images, and of all.

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

    def interval(self, deviations: float = Z_95) -> tuple[float, float]:
        """Return Wilson's confidence interval of the accuracy (1927): its two ends.

        Unlike the normal approximation, it stays within 0 and 1, and has a width even at 100 %.
        `deviations` is the confidence in standard deviations, by default 95 %.
        """
        n, p, z = self.count, self.correct / self.count, deviations
        center = (p + z * z / (2 * n)) / (1 + z * z / n)
        half_width = z / (1 + z * z / n) * sqrt(p * (1 - p) / n + z * z / (4 * n * n))
        return max(0.0, center - half_width), min(1.0, center + half_width)

    def __str__(self) -> str:
        low, high = self.interval()
        return (
            f"{100 * self.accuracy:.2f} % of {self.count:,} right "
            f"(95 %: {100 * low:.1f} to {100 * high:.1f}), loss {self.loss:.4f}"
        )


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
        Computes on the device where its weights are. Its mode and buffers are left unchanged.
    images : array or Tensor (N, C, H, W)
        Bytes (uint8), which are normalized by `mean` and `std`; or floating-point inputs of the
        network, which are converted to the dtype of its weights.
    mean, std : sequence of float, optional
        Those of the training images, per channel, for pixels from 0 to 1. Required for bytes.
    batch_size : int
        Number of images computed at a time, at least 1, to limit the memory; it changes the result
        by rounding at most.

    Returns
    -------
    Tensor (N, classes)
        On the CPU, in float32, or in float64 if the network computes in float64.

    Raises
    ------
    TypeError, ValueError
        If the images have another shape or dtype, or there are none; if `mean` and `std` are
        missing for bytes, or passed with other images; if the network does not return one
        floating-point row for each image.

    Examples
    --------
    >>> predict(nn.Flatten(), np.ones((3, 1, 2, 2), np.float32)).shape
    torch.Size([3, 4])
    """
    batches = _outputs(model, images, mean, std, batch_size)
    return torch.cat([at_least_float32(outputs).cpu() for outputs in batches])


def evaluate(
    model: nn.Module,
    images: Any,
    labels: Any,
    *,
    mean: Sequence[float] | None = None,
    std: Sequence[float] | None = None,
    batch_size: int = 500,
    loss: Loss | None = None,
) -> Evaluation:
    """Return loss and accuracy over all images, in eval mode.

    In eval mode dropout is off and batch normalization uses its running statistics, so the output
    for an image does not depend on the others.

    Parameters
    ----------
    model : nn.Module
        Its outputs are logits ``(N, classes)``. Its mode and buffers are left unchanged.
    images, mean, std, batch_size
        As in `predict`.
    labels : integer array or Tensor (N,)
        The correct classes.
    loss : callable, optional
        As in `fit`; by default the cross entropy. A scalar that it returns counts as the mean over
        the images of a batch.

    Raises
    ------
    TypeError, ValueError
        As in `predict`, and unless there is one label for each image, at least 0 and below the
        number of the network's outputs; as in `fit` for a wrong `loss`.

    Examples
    --------
    >>> logits = np.array([[3.0, 0, 0], [0, 2.0, 0], [0, 1.0, 0]], np.float32)
    >>> evaluate(nn.Flatten(), logits.reshape(3, 3, 1, 1), [0, 1, 2]).correct
    2
    """
    return evaluate_distributed(
        model, images, labels, DistributedContext(), loss,
        mean=mean, std=std, batch_size=batch_size,
    )  # fmt: skip


def evaluate_distributed(
    model: nn.Module,
    images: Any,
    labels: Any,
    context: DistributedContext,
    loss: Loss | None = None,
    **options: Any,
) -> Evaluation:
    """Return loss and accuracy over all images, which the processes share; the same in each.

    `options` are `mean`, `std` and `batch_size` of `predict`.
    Each process evaluates every `world_size`-th image, and the sums of all are divided by the
    number of images: a mean of means would give more weight to images of a short batch.
    """
    check_model(model)
    check_loss(loss)
    loss = move_loss(loss, _device_of(model), model_dtype(model))
    # Negative labels are refused, though PyTorch's loss ignores those of -100.
    targets = torch.from_numpy(_label_array(labels, "labels"))
    if len(targets) != len(images):
        raise ValueError(f"{len(images)} images need {len(images)} labels, got {len(targets)}")
    if not len(images):
        raise ValueError("there are no images to evaluate")
    num_classes = int(targets.max()) + 1
    shard = slice(context.rank, None, context.world_size)
    targets = targets[shard]
    sums: list[Tensor] = []  # of each batch, on the device: reading them would wait for it
    start = 0
    if len(targets):
        for outputs in _outputs(model, images[shard], **options):
            check_logits(outputs, len(outputs), num_classes)
            batch_targets = targets[start : start + len(outputs)].to(outputs.device)
            start += len(outputs)
            with torch.no_grad():
                loss_sum = sum_losses(loss, outputs, batch_targets)
            correct = count_correct(outputs, batch_targets)
            sums.append(torch.stack([loss_sum, correct.to(loss_sum.dtype)]))
    # On the CPU, since some devices have no float64.
    totals = torch.tensor([0, 0, len(targets)], dtype=torch.float64)
    if sums:
        totals[:2] = torch.stack(sums).cpu().double().sum(0)
    total_loss, hits, count = context.all_reduce(totals, "sum").tolist()
    return Evaluation(total_loss / count, hits / count, int(hits), int(count))


def _outputs(
    model: nn.Module,
    images: Any,
    mean: Sequence[float] | None = None,
    std: Sequence[float] | None = None,
    batch_size: int = 500,
) -> Iterator[Tensor]:
    """Yield the outputs of the model, batch by batch."""
    check_model(model)
    if not isinstance(images, (np.ndarray, Tensor)) or images.ndim != 4 or not len(images):
        shape = getattr(images, "shape", type(images).__name__)
        raise ValueError(f"images must be (N, C, H, W) with N at least 1, got {shape}")
    batch_size = integer(batch_size, "batch_size", minimum=1)
    if isinstance(images, np.ndarray):  # PyTorch takes the native byte order alone
        native = images.dtype.newbyteorder("=")
        images = plain_strides(tensor_of(np.ascontiguousarray(images, native)))
    device, dtype = _device_of(model), model_dtype(model)
    normalize = None
    if images.dtype == torch.uint8:
        if mean is None or std is None:
            raise ValueError("uint8 images need the data set's mean and std (data.mean, data.std)")
        normalize = Normalization(mean, std, device)
    elif not images.dtype.is_floating_point:
        raise TypeError(f"images must be uint8 or floating point, got {images.dtype}")
    elif mean is not None or std is not None:
        raise ValueError(f"mean and std are for uint8 images only, got images of {images.dtype}")
    with preserve_model_state(model, training=False):
        for batch in torch.split(images, batch_size):
            values = normalize(batch.to(device)) if normalize else batch
            with torch.no_grad():
                # The conversion is part of the copy, since some devices have no float64.
                outputs = model(values.to(device, dtype))
            check_rows(outputs, len(batch))
            yield outputs


def count_correct(logits: Tensor, labels: Tensor) -> Tensor:
    """Return the number of rows whose largest logit is that of the label.

    A row with NaN, or of -inf alone, has no largest logit.

    Examples
    --------
    >>> logits = torch.tensor([[2.0, 1.0], [float("nan"), 1.0], [0.0, 1.0]])
    >>> count_correct(logits, torch.tensor([0, 0, 1]))
    tensor(2)
    """
    largest, classes = logits.max(1)
    return ((classes == labels) & (largest > -torch.inf)).sum()


def _device_of(model: nn.Module) -> torch.device:
    tensors = [*model.parameters(), *model.buffers()]
    return tensors[0].device if tensors else torch.device("cpu")


def confusion_matrix(labels: Any, predictions: Any, classes: int) -> NDArray[np.int64]:
    """Count how often each class was predicted for the images of each class.

    Parameters
    ----------
    labels, predictions : integers (N,)
        The correct and the predicted classes, from 0 to ``classes - 1``, as sequences, arrays or
        tensors; predictions such as ``logits.argmax(1)``.
    classes : int
        Number of classes, at least 1.

    Returns
    -------
    int64 array (classes, classes)
        Row: the correct class. Column: the prediction. The diagonal counts correct predictions; a
        row adds up to the number of images of its class.

    Raises
    ------
    TypeError, ValueError
        If labels or predictions are not such integers or differ in number, or `classes` is below 1.

    Examples
    --------
    >>> confusion_matrix(labels=[0, 0, 1, 2], predictions=[0, 2, 1, 2], classes=3)
    array([[1, 0, 1],
           [0, 1, 0],
           [0, 0, 1]])
    """
    classes = integer(classes, "classes", minimum=1)
    rows = _label_array(labels, "labels", classes)
    columns = _label_array(predictions, "predictions", classes)
    if len(rows) != len(columns):
        raise ValueError(f"{len(rows)} labels need {len(rows)} predictions, got {len(columns)}")
    pairs = np.bincount(rows * classes + columns, minlength=classes**2)
    return pairs.reshape(classes, classes).astype(np.int64)


def _label_array(labels: Any, name: str, classes: int | None = None) -> NDArray[np.int64]:
    """Convert labels, which may be a sequence or a Tensor, to an int64 array, and check them."""
    try:
        array = np.asarray(labels.cpu() if isinstance(labels, Tensor) else labels)
    except (TypeError, ValueError) as error:
        raise TypeError(f"{name} must be integers, got {type(labels).__name__}") from error
    # An empty list becomes a float64 array.
    return check_labels(array if array.size else array.astype(np.int64), name, classes)


def check_model(model: object) -> None:
    """Raise TypeError unless `model` is a module, not a class or a function."""
    if not isinstance(model, nn.Module):
        found = f"the class {model.__name__}" if isinstance(model, type) else type(model).__name__
        raise TypeError(f"model must be a torch.nn.Module, got {found}")


def check_rows(outputs: object, count: int) -> None:
    """Raise TypeError or ValueError unless outputs have one floating-point row for each image."""
    if not isinstance(outputs, Tensor):
        raise TypeError(f"the model must return one Tensor, got {type(outputs).__name__}")
    if not outputs.is_floating_point():
        raise TypeError(f"the model must return floating-point values, got {outputs.dtype}")
    if not outputs.ndim or len(outputs) != count:
        raise ValueError(
            f"the model must return one row for each of {count} images, got {tuple(outputs.shape)}"
        )


def check_logits(outputs: Tensor, count: int, num_classes: int) -> None:
    """Raise TypeError or ValueError unless outputs are logits ``(count, num_classes or more)``.

    Only shapes and dtypes are read, so nothing waits for the device.

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
            f"the model must return logits (N, classes), here ({count}, {num_classes}), got "
            f"{tuple(outputs.shape)}"
        )
    if outputs.shape[1] < num_classes:
        raise ValueError(
            f"the model has {outputs.shape[1]} outputs for each image, but the labels go up to "
            f"{num_classes - 1}: it needs at least {num_classes}"
        )
