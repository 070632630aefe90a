"""Networks and optimizers for the cases of exercises that are about PyTorch."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from convlab.check.exercise import Arguments

if TYPE_CHECKING:
    import torch
    from torch import nn
    from torch.optim import Optimizer


def chain(*layers: nn.Module, old_gradients: bool = False) -> nn.Sequential:
    """Return layers in a row, in float64, the gradients of which a copy keeps.

    With `old_gradients`, each parameter has a gradient of ones.
    """
    import torch
    from torch import nn

    class Kept:
        """A tensor that a graph keeps for `backward`, and the run of the model that made it."""

        def __init__(self, tensor: torch.Tensor, run: int) -> None:
            self.tensor, self.run = tensor, run

    class Chain(nn.Sequential):
        runs = 0
        most = 0  # images at a time
        most_runs = 0  # whose graphs were kept at a time
        kept: WeakSet[Kept]

        def __init__(self, *layers: nn.Module) -> None:
            super().__init__(*layers)
            self.kept = WeakSet()

        def __deepcopy__(self, memo: dict[int, Any]) -> Chain:
            copied = Chain(*(copy.deepcopy(layer, memo) for layer in self))
            copied.training = self.training
            for mine, theirs in zip(self.parameters(), copied.parameters(), strict=True):
                theirs.grad = None if mine.grad is None else mine.grad.clone()
            return copied

        def forward(self, x: Any) -> Any:
            self.runs += 1
            self.most = max(self.most, len(x))
            with torch.autograd.graph.saved_tensors_hooks(self.keep, lambda kept: kept.tensor):
                answers = super().forward(x)
            self.most_runs = max(self.most_runs, len({kept.run for kept in self.kept}))
            return answers

        def keep(self, tensor: torch.Tensor) -> Kept:
            kept = Kept(tensor, self.runs)
            self.kept.add(kept)
            return kept

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


def loss_and_weights(arguments: Arguments, returned: Any) -> Any:
    """Return what a step has returned, and the weights after it; None if nothing was done."""
    model = arguments[0]
    if returned is None and all(_untouched(parameter) for parameter in model.parameters()):
        return None
    if getattr(returned, "requires_grad", False):
        shape = f" of shape {tuple(returned.shape)}" if returned.ndim else ""
        returned = f"a tensor{shape} that still holds its graph"
    mode = f"{'training' if model.training else 'eval'} mode"
    return returned, *(parameter.detach().numpy() for parameter in model.parameters()), mode


def _untouched(parameter: torch.Tensor) -> bool:
    """Return whether a parameter has the gradient that it had at the start."""
    return parameter.grad is None or bool((parameter.grad == 1).all())
