"""Optimizer and learning rate schedule."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import nn

from convlab.training.config import TrainConfig


def parameter_groups(model: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Split the trainable parameters into those with weight decay and those without.

    Kernels and matrices decay. Vectors do not: biases, and the scales and shifts of normalization
    layers, where a decay would exclude functions and simplify none. Groups without parameters are
    left out. Raises ValueError if no parameter requires a gradient.

    Examples
    --------
    >>> layers = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8))
    >>> [(len(g["params"]), g["weight_decay"]) for g in parameter_groups(layers, 0.1)]
    [(1, 0.1), (3, 0.0)]
    """
    trainable = [parameter for parameter in model.parameters() if parameter.requires_grad]
    if not trainable:
        raise ValueError(f"{type(model).__name__} has no parameter that requires a gradient")
    groups: list[dict[str, Any]] = [
        {"params": [p for p in trainable if p.ndim > 1], "weight_decay": weight_decay},
        {"params": [p for p in trainable if p.ndim <= 1], "weight_decay": 0.0},
    ]
    return [group for group in groups if group["params"]]


def make_optimizer(model: nn.Module, config: TrainConfig) -> torch.optim.Optimizer:
    """Return SGD with Nesterov momentum, Adam or AdamW, for a model on its final device.

    PyTorch's fused SGD is never used. It leaves the momentum of a skipped first step (fp16)
    uninitialized, cannot start with a parameter that has no gradient yet, and is wrong for 16-bit
    weights on CPUs. The fused Adam and AdamW have none of these faults.

    Examples
    --------
    >>> optimizer = make_optimizer(nn.Linear(2, 2), TrainConfig(optimizer="adamw"))
    >>> type(optimizer).__name__, optimizer.defaults["betas"]
    ('AdamW', (0.9, 0.999))
    """
    groups = parameter_groups(model, config.weight_decay)
    rate, momentum = config.learning_rate, config.momentum
    parameters = [parameter for group in groups for parameter in group["params"]]
    on_gpu = all(p.device.type == "cuda" for p in parameters)
    if config.optimizer == "sgd":
        # All tensors at once are faster on a GPU; on a CPU they need memory for temporary ones.
        return torch.optim.SGD(
            groups, lr=rate, momentum=momentum, nesterov=momentum > 0, foreach=on_gpu
        )
    fused = on_gpu or all(
        p.device.type == "cpu" and p.dtype in (torch.float32, torch.float64) for p in parameters
    )
    cls = torch.optim.Adam if config.optimizer == "adam" else torch.optim.AdamW
    return cls(groups, lr=rate, betas=(momentum, 0.999), fused=fused)


def learning_rate_at(step: int, total_steps: int, config: TrainConfig) -> float:
    """Return the learning rate of a step, which is above 0 also in the last one.

    It is a function of the step alone, so a checkpoint need not store it. Steps count from 0. In a
    warm-up of n steps, step i has (i + 1)/n of the highest rate, also for "constant". Raises
    ValueError if `step` is not at least 0 and below `total_steps`.

    Notes
    -----
    Linear: Smith and Topin, "Super-Convergence", 2018, without the cycle of the momentum.
    Cosine: Loshchilov and Hutter, "SGDR", 2017, one period.

    Examples
    --------
    >>> config = TrainConfig(learning_rate=1.0, warmup_fraction=0.5)
    >>> [learning_rate_at(step, 8, config) for step in range(8)]
    [0.25, 0.5, 0.75, 1.0, 1.0, 0.75, 0.5, 0.25]
    """
    if not 0 <= step < total_steps:
        raise ValueError(f"step must be at least 0 and below total_steps {total_steps}, got {step}")
    warmup_steps = min(math.ceil(config.warmup_fraction * total_steps), total_steps - 1)
    if step < warmup_steps:
        return config.learning_rate * (step + 1) / warmup_steps
    if config.schedule == "constant":
        return config.learning_rate
    decayed = (step - warmup_steps) / (total_steps - warmup_steps)
    if config.schedule == "cosine":
        return config.learning_rate * (1 + math.cos(math.pi * decayed)) / 2
    return config.learning_rate * (1 - decayed)
