"""Which learning rates a network can bear: a short trial that spends none of the weights."""

from __future__ import annotations

import copy
import math
from contextlib import ExitStack
from itertools import count

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from convlab.data import Dataset
from convlab.training.batches import Batches, make_batches
from convlab.training.config import TrainConfig
from convlab.training.distributed import World, find_device
from convlab.training.precision import arithmetic, autocast
from convlab.training.state import TrainState

Row = NDArray[np.float64]


def learning_rate_range(
    model: nn.Module,
    data: Dataset,
    config: TrainConfig | None = None,
    *,
    lowest: float = 1e-4,
    highest: float = 10.0,
    steps: int = 100,
    give_up: float = 4.0,
) -> tuple[Row, Row]:
    """Train a copy of a network with a learning rate that grows at each step.

    The loss stays where it is while the rate is too small, falls while it is right, and rises
    when it is too large. A good rate lies below the one at which the loss begins to rise.

    Parameters
    ----------
    model : nn.Module
        Is not changed, nor are the shared random generators.
    data : Dataset
        Its training images are used, as often as needed.
    config : TrainConfig, optional
        By default ``TrainConfig()``. Its epochs, schedule and learning rate play no part.
    lowest, highest : float
        The first and the last rate, above 0 and ascending. Each is the one before times the same
        factor.
    steps : int
        How many rates to try, at least 2.
    give_up : float
        Stop when the loss is more than so many times the first loss, or no finite number.

    Returns
    -------
    rates, losses : float64 arrays (n,)
        One rate for each step and the loss of its batch before the step; n is at most `steps`, and
        only finite losses are among them.

    Raises
    ------
    TypeError, ValueError
        If a number is not as said above, the images do not suit the settings, or already the
        first loss is not finite.

    Notes
    -----
    Smith, "Cyclical Learning Rates for Training Neural Networks", 2017, section 3.3. There the
    rate grows by the same amount in each step; with the same factor, small rates are seen better.

    Examples
    --------
    >>> from convlab.data import load
    >>> from convlab.models import LeNet5
    >>> rates, losses = learning_rate_range(LeNet5(), load("digits"), lowest=0.001, steps=5)
    >>> rates.round(3)
    array([1.e-03, 1.e-02, 1.e-01, 1.e+00, 1.e+01])
    """
    config = config or TrainConfig()
    if not 0 < lowest < highest < math.inf:
        raise ValueError(f"0 < lowest < highest is needed, got lowest={lowest}, highest={highest}")
    if steps < 2:
        raise ValueError(f"steps must be at least 2, got {steps}")
    if not give_up > 1:
        raise ValueError(f"give_up must be above 1, got {give_up}")
    world = World(device=find_device(config.device))
    batches = make_batches(data.train_images, data.train_labels, data.mean, data.std, config, world)
    rates = np.geomspace(lowest, highest, steps)
    devices = [world.device] if world.device.type == "cuda" else []
    with ExitStack() as stack:
        stack.enter_context(torch.random.fork_rng(devices=devices))
        stack.enter_context(arithmetic(config))
        torch.manual_seed(config.seed)
        losses = _losses(copy.deepcopy(model), batches, rates, give_up, config, world)
    if not losses:
        raise ValueError("the loss is not finite before the first step")
    return rates[: len(losses)], np.array(losses)


def _losses(
    model: nn.Module, batches: Batches, rates: Row, give_up: float, config: TrainConfig,
    world: World,
) -> list[float]:  # fmt: skip
    """Take one step with each rate, and return the finite losses."""
    state = TrainState(model.to(world.device).train(), config, world)
    endless = (batch for epoch in count() for batch in batches.epoch(epoch))
    losses: list[float] = []
    for rate, (images, labels) in zip(rates, endless, strict=False):
        for group in state.optimizer.param_groups:
            group["lr"] = float(rate)
        with autocast(config, world.device):
            logits = model(images)
        loss = functional.cross_entropy(
            logits.float(), labels, label_smoothing=config.label_smoothing
        )
        value = loss.item()  # waits for the device: here every loss is looked at
        if not math.isfinite(value):
            break
        losses.append(value)
        if value > give_up * losses[0]:
            break
        state.optimizer.zero_grad(set_to_none=True)
        state.scaler.scale(loss).backward()  # type: ignore[no-untyped-call]
        if config.clip_norm is not None:
            state.scaler.unscale_(state.optimizer)
            nn.utils.clip_grad_norm_(model.parameters(), config.clip_norm)
        state.scaler.step(state.optimizer)
        state.scaler.update()
    return losses
