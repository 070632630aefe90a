"""Networks and optimizers for the cases of exercises that are about PyTorch."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import nn
    from torch.optim import Optimizer


def chain(*layers: nn.Module, old_gradients: bool = False) -> nn.Sequential:
    """Return layers in a row, in float64, the gradients of which a copy keeps.

    With `old_gradients`, each parameter has a gradient of ones.
    """
    import torch
    from torch import nn

    class Chain(nn.Sequential):
        def __deepcopy__(self, memo: dict[int, Any]) -> Chain:
            copied = Chain(*(copy.deepcopy(layer, memo) for layer in self))
            for mine, theirs in zip(self.parameters(), copied.parameters(), strict=True):
                theirs.grad = None if mine.grad is None else mine.grad.clone()
            return copied

        def __repr__(self) -> str:
            old = any(parameter.grad is not None for parameter in self.parameters())
            return f"nn.Sequential({', '.join(map(repr, self))}){' with gradients' if old else ''}"

    model = Chain(*layers).double()
    if old_gradients:
        for parameter in model.parameters():
            parameter.grad = torch.ones_like(parameter)
    return model


def sgd(model: nn.Module, lr: float, momentum: float = 0.0) -> Optimizer:
    """Return an optimizer that is shown in one line."""
    from torch.optim import SGD

    class Shown(SGD):
        def __repr__(self) -> str:
            return f"SGD(lr={lr:g}, momentum={momentum:g})"

    return Shown(model.parameters(), lr=lr, momentum=momentum)
