"""Run a model once and leave it as it was."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import torch
from torch import nn


@contextmanager
def undisturbed(model: nn.Module) -> Iterator[None]:
    """Put a model into evaluation mode, without gradients; afterwards undo all that shows.

    Restored are the training flag of every module, the buffers, and the state of the random
    number generators.

    Parameters
    ----------
    model : nn.Module
        The model that runs inside of the ``with`` statement.
    """
    with ExitStack() as stack:
        stack.callback(_restore_flags, [(module, module.training) for module in model.modules()])
        stack.callback(
            _restore_buffers,
            [
                (module, name, buffer, None if buffer is None else buffer.detach().clone())
                for module in model.modules()
                for name, buffer in module._buffers.items()
            ],
        )
        devices = {x.device for x in model.parameters() if x.device.type == "cuda"}
        stack.enter_context(torch.random.fork_rng(devices=sorted(devices, key=str)))
        # The fused kernels of attention hide what happens inside of them.
        stack.callback(
            torch.backends.mha.set_fastpath_enabled, torch.backends.mha.get_fastpath_enabled()
        )
        torch.backends.mha.set_fastpath_enabled(False)
        stack.enter_context(torch.no_grad())
        model.eval()
        yield


def _restore_flags(flags: list[tuple[nn.Module, bool]]) -> None:
    for module, training in flags:
        module.training = training


def _restore_buffers(
    buffers: list[tuple[nn.Module, str, torch.Tensor | None, torch.Tensor | None]],
) -> None:
    for module, name, buffer, copy in buffers:
        module._buffers[name] = buffer
        if buffer is not None and copy is not None:
            with torch.no_grad():
                buffer.copy_(copy)
