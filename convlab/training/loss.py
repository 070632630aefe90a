"""Loss that a training run minimizes: the cross entropy, or one that the caller passes."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from functools import partial
from types import CodeType, FunctionType, MethodType
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from convlab.training.precision import at_least_float32

Loss = Callable[[Tensor, Tensor], Tensor]
_PLAIN = (bool, int, float, complex, str, bytes, type(None))


def check_loss(loss: Any, label_smoothing: float = 0.0) -> None:
    """Raise TypeError or ValueError unless `loss` is None or can be used by `sum_losses`."""
    if loss is None:
        return
    if not callable(loss) or isinstance(loss, type):
        found = f"the class {loss.__name__}" if isinstance(loss, type) else type(loss).__name__
        raise TypeError(f"loss must be a function of logits and labels, got {found}")
    if label_smoothing:
        raise ValueError(
            f"label_smoothing must be 0 if a loss is passed, got {label_smoothing}: "
            f"nn.CrossEntropyLoss takes it as an argument"
        )
    if getattr(loss, "reduction", None) == "sum":
        raise ValueError(
            "loss must return the mean (reduction='mean') or one loss per image "
            "(reduction='none'), got reduction='sum'"
        )
    if isinstance(loss, nn.Module):
        for name, parameter in loss.named_parameters():
            if parameter.requires_grad:
                raise ValueError(
                    f"parameters of the loss are not trained, but {name} requires a gradient: "
                    f"make it part of the model, or call loss.requires_grad_(False)"
                )


def move_loss(loss: Loss | None, device: torch.device, dtype: torch.dtype) -> Loss | None:
    """Move a loss that is a module to the device and dtype of logits; `dtype` is of the weights."""
    if isinstance(loss, nn.Module):
        loss.to(device, torch.promote_types(dtype, torch.float32))
    return loss


def sum_losses(
    loss: Loss | None, logits: Tensor, labels: Tensor, label_smoothing: float = 0.0
) -> Tensor:
    """Return the sum of the losses of the images, in at least float32.

    A scalar that `loss` returns is taken as the mean over the images. Raises TypeError or
    ValueError if it returns something else than that or a loss for each image.

    Examples
    --------
    >>> logits, labels = torch.zeros(3, 10), torch.tensor([2, 0, 1])
    >>> sum_losses(None, logits, labels)
    tensor(6.9078)
    >>> sum_losses(nn.CrossEntropyLoss(), logits, labels)
    tensor(6.9078)
    """
    logits = at_least_float32(logits)
    if loss is None:
        return functional.cross_entropy(
            logits, labels, label_smoothing=label_smoothing, reduction="sum"
        )
    with torch.autocast(logits.device.type, enabled=False):  # as in the training step
        losses = loss(logits, labels)
    if not isinstance(losses, Tensor):
        raise TypeError(f"loss must return a Tensor, got {type(losses).__name__}")
    if not losses.is_floating_point() or losses.shape not in ((), (len(labels),)):
        raise ValueError(
            f"loss must return one floating-point number for each image, ({len(labels)},), or "
            f"their mean, (), got {tuple(losses.shape)} of {losses.dtype}"
        )
    if logits.requires_grad and not losses.requires_grad:
        raise ValueError("loss must be differentiable with respect to the logits, and is not")
    losses = at_least_float32(losses)
    return losses.sum() if losses.ndim else losses * len(labels)


def loss_identity(loss: Loss | None) -> str:
    """Return the name of a loss and a checksum of its definition, to recognize it when resuming.

    It covers the code and default arguments of a function, with the numbers, arrays and modules
    that it uses, and the attributes of a module or another object that is called.

    Examples
    --------
    >>> one, two = nn.CrossEntropyLoss(), nn.CrossEntropyLoss(label_smoothing=0.1)
    >>> loss_identity(one).split()[0], loss_identity(one) == loss_identity(two)
    ('CrossEntropyLoss', False)
    """
    if loss is None:
        return "cross entropy"
    name = getattr(loss, "__qualname__", type(loss).__name__)
    return f"{name} {zlib.crc32(_describe(loss).encode()):08x}"


def _describe(value: Any, ancestors: tuple[int, ...] = ()) -> str:
    """Return a text that differs for different values; `ancestors` are ids of what contains it."""
    if isinstance(value, _PLAIN):
        return repr(value)
    if id(value) in ancestors:
        return "..."
    ancestors = (*ancestors, id(value))
    parts: tuple[Any, ...] = ()
    if isinstance(value, Tensor):
        data = value.detach().cpu().reshape(-1).view(torch.uint8).numpy()
        return f"{value.dtype} {tuple(value.shape)} {zlib.crc32(data.tobytes())}"
    if isinstance(value, np.ndarray):
        return f"{value.dtype} {value.shape} {zlib.crc32(value.tobytes())}"
    if isinstance(value, Mapping):
        parts = tuple(item for pair in value.items() for item in pair)
    elif isinstance(value, (list, tuple)):
        parts = tuple(value)
    elif isinstance(value, CodeType):
        parts = (value.co_code, value.co_names, value.co_consts)
    elif isinstance(value, FunctionType) and not (value.__module__ or "").startswith("torch."):
        used = [value.__globals__.get(name) for name in value.__code__.co_names]
        global_values = [v for v in used if isinstance(v, (*_PLAIN, Tensor, np.ndarray, nn.Module))]
        cells = [cell.cell_contents for cell in value.__closure__ or ()]
        parts = (value.__code__, value.__defaults__, value.__kwdefaults__, global_values, cells)
    elif isinstance(value, MethodType):
        parts = (value.__func__, getattr(value.__self__, "__dict__", None))
    elif isinstance(value, partial):
        parts = (value.func, value.args, value.keywords)
    elif isinstance(value, nn.Module):
        ignored = vars(nn.Module()).keys() - {"_parameters", "_buffers", "_modules"}  # hooks, mode
        parts = ({name: item for name, item in vars(value).items() if name not in ignored},)
    elif callable(value) and not isinstance(value, (type, FunctionType)):
        parts = (getattr(value, "__dict__", None),)
    name = getattr(value, "__qualname__", type(value).__qualname__)
    return f"{name}({', '.join(_describe(part, ancestors) for part in parts)})"
