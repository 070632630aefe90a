"""The optimizer, with weight decay where it belongs."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from convlab.training.config import TrainConfig


def parameter_groups(model: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Divide the parameters into those that decay and those that do not.

    Kernels and matrices decay. Biases and the scales and shifts of normalization layers, which
    are vectors, do not: pulling a shift to 0 forbids functions and simplifies none.

    Parameters
    ----------
    model : nn.Module
        Parameters that need no gradient are left out.
    weight_decay : float
        For the first group; the second has 0.

    Returns
    -------
    list of dict
        At most two groups for an optimizer, each with at least one parameter.

    Raises
    ------
    ValueError
        If the model has nothing to train.

    Examples
    --------
    >>> layers = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8))
    >>> [(len(g["params"]), g["weight_decay"]) for g in parameter_groups(layers, 0.1)]
    [(1, 0.1), (3, 0.0)]
    """
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    if not trained:
        raise ValueError(f"{type(model).__name__} has no parameter that needs a gradient")
    groups: list[dict[str, Any]] = [
        {"params": [p for p in trained if p.ndim > 1], "weight_decay": weight_decay},
        {"params": [p for p in trained if p.ndim <= 1], "weight_decay": 0.0},
    ]
    return [group for group in groups if group["params"]]


def make_optimizer(model: nn.Module, config: TrainConfig) -> torch.optim.Optimizer:
    """Return SGD with Nesterov momentum, or AdamW.

    The fused kind updates all weights in one pass over memory, and on a GPU it skips a step with
    infinite gradients (fp16) without asking the host.

    Parameters
    ----------
    model : nn.Module
        On the device where it will be trained.
    config : TrainConfig
        Gives `optimizer`, `learning_rate`, `momentum` and `weight_decay`.

    Examples
    --------
    >>> optimizer = make_optimizer(nn.Linear(2, 2), TrainConfig(optimizer="adamw"))
    >>> type(optimizer).__name__, optimizer.defaults["betas"]
    ('AdamW', (0.9, 0.999))
    """
    groups = parameter_groups(model, config.weight_decay)
    # The fused SGD of CPUs was wrong for 16 bits from PyTorch 2.4 to 2.11 at least.
    fused = all(
        p.device.type == "cuda"
        or (p.device.type == "cpu" and p.dtype in (torch.float32, torch.float64))
        for g in groups
        for p in g["params"]
    )
    if config.optimizer == "adamw":
        betas = (config.momentum, 0.999)
        return torch.optim.AdamW(groups, lr=config.learning_rate, betas=betas, fused=fused)
    return torch.optim.SGD(
        groups, lr=config.learning_rate, momentum=config.momentum, nesterov=config.momentum > 0,
        fused=fused,
    )  # fmt: skip
