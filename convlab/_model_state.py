"""Restore the mode and the buffers of a model after running it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn


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
