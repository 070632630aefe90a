"""Learning rate range test: the loss of a network while the learning rate grows."""

from __future__ import annotations

import math
from contextlib import ExitStack
from itertools import count

import numpy as np
from numpy.typing import NDArray
from torch import nn

from convlab._model_state import copy_model
from convlab._validate import integer
from convlab.data import Dataset
from convlab.training.batches import make_batches
from convlab.training.config import TrainConfig
from convlab.training.distributed import DistributedContext, find_device
from convlab.training.loop import check_training, count_classes, train_step, unwrap_model
from convlab.training.loss import Loss
from convlab.training.precision import backend_flags
from convlab.training.randomness import random_state, seed_everything, set_random_state
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
    loss: Loss | None = None,
) -> tuple[Row, Row]:
    """Train a copy of a network with a learning rate that grows at each step.

    The loss is nearly constant while the rate is too small, falls while it is suitable, and rises
    when it is too large. A good rate lies below the one at which the loss begins to rise.

    Parameters
    ----------
    model : nn.Module
        Left unchanged, like the shared random generators.
    data : Dataset
        Its training images are used, repeatedly if necessary.
    config : TrainConfig, optional
        By default ``TrainConfig()``. Its epochs, schedule, warm-up, learning rate, validation
        fraction, patience and `compile` have no effect.
    lowest, highest : float
        First and last rate, ``0 < lowest < highest``; each step multiplies it by the same factor.
    steps : int
        Number of rates to try, at least 2.
    give_up : float
        Stop when the loss exceeds this many times the first loss, or is not finite; above 1.
    loss : callable, optional
        As in `fit`.

    Returns
    -------
    rates, losses : float64 arrays (n,)
        The rate of each step, and the loss of its batch before the step, which is finite; n is at
        most `steps`.

    Raises
    ------
    TypeError, ValueError
        As in `fit` for model, data, config and loss; if another argument is out of range, or the
        first loss is not finite.

    Notes
    -----
    Smith, "Cyclical Learning Rates for Training Neural Networks", 2017, section 3.3, where the
    rate grows linearly; a constant factor resolves small rates better.

    Examples
    --------
    >>> from convlab.data import load
    >>> from convlab.models import LeNet5
    >>> rates, losses = learning_rate_range(LeNet5(), load("digits"), lowest=0.001, steps=5)
    >>> rates.round(3)
    array([1.e-03, 1.e-02, 1.e-01, 1.e+00, 1.e+01])
    """
    config = TrainConfig() if config is None else config
    check_training(model, data, config, loss)
    if not 0 < lowest < highest < math.inf:
        raise ValueError(
            f"lowest and highest must satisfy 0 < lowest < highest, got lowest={lowest}, "
            f"highest={highest}"
        )
    steps = integer(steps, "steps", minimum=2)
    if not give_up > 1:
        raise ValueError(f"give_up must be above 1, got {give_up}")
    context = DistributedContext(device=find_device(config.device))
    batches = make_batches(data, config, context)
    rates = np.geomspace(lowest, highest, steps)
    losses: list[float] = []
    with ExitStack() as stack:
        stack.callback(set_random_state, random_state())
        stack.enter_context(backend_flags(config))
        seed_everything(config.seed)
        model = copy_model(unwrap_model(model))
        state = TrainState(model, config, context, count_classes(data), loss)
        state.set_train_mode()
        endless_batches = (batch for epoch in count() for batch in batches.epoch(epoch))
        for rate, (images, labels) in zip(rates, endless_batches, strict=False):
            loss_sum = train_step(state, images, labels, float(rate))
            mean_loss = loss_sum.item() / len(images)  # waits for the device
            if not math.isfinite(mean_loss):
                break
            losses.append(mean_loss)
            if mean_loss > give_up * losses[0]:
                break
    if not losses:
        raise ValueError("the loss is not finite before the first step")
    return rates[: len(losses)], np.array(losses)
