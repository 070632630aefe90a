"""Copy a model, and restore its mode and buffers after running it."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

ModuleT = TypeVar("ModuleT", bound=nn.Module)


@contextmanager
def preserve_model_state(model: nn.Module) -> Iterator[None]:
    """Restore the training flag of every module, and every buffer, when the block ends.

    The block must not change parameters, which are not restored.

    Examples
    --------
    >>> norm = nn.BatchNorm2d(1).train()
    >>> with preserve_model_state(norm):
    ...     _ = norm(torch.ones(2, 1, 1, 1))
    ...     _ = norm.eval()
    >>> norm.training, norm.running_mean.item()
    (True, 0.0)
    """
    modules = list(model.modules())
    modes = [(module, module.training) for module in modules]
    buffers = [
        (module, name, buffer, None if buffer is None else buffer.detach().clone())
        for module in modules
        for name, buffer in module._buffers.items()
    ]
    try:
        yield
    finally:
        for module, mode in modes:
            module.training = mode
        for module, name, buffer, copy in buffers:
            module._buffers[name] = buffer
            if buffer is None or copy is None or buffer.is_meta or torch.equal(buffer, copy):
                continue
            with torch.no_grad():
                buffer.copy_(copy)


def update_buffers(model: nn.Module, values: Mapping[str, Tensor]) -> None:
    """Copy values to the buffers of these names.

    A buffer that is equal is not written, because it may be one that cannot be (expanded). One that
    is missing or has another shape is a cache, which the model computes again.
    """
    with torch.no_grad():
        for name, buffer in model.named_buffers():
            value = values.get(name)
            if value is None or value.shape != buffer.shape:
                continue
            if not torch.equal(buffer.cpu(), value.cpu()):
                buffer.copy_(value)


class _DetachedCopies(TorchFunctionMode):
    """Let `copy.deepcopy` detach the tensors that an earlier forward pass computed.

    Of these, PyTorch refuses to make deep copies. A model keeps them as a stored feature map, or as
    a weight that a hook has computed.
    """

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        if func is Tensor.__deepcopy__ and not args[0].is_leaf:
            return args[0].detach().clone()
        return func(*args, **(kwargs or {}))


def copy_model(model: ModuleT, memo: dict[int, Any] | None = None) -> ModuleT:
    """Return a deep copy of a model, also after a forward pass; `memo` is that of `deepcopy`."""
    with _DetachedCopies():
        return copy.deepcopy(model, memo)
