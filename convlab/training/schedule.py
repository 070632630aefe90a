"""The learning rate of each step."""

from __future__ import annotations

import math

from convlab.training.config import TrainConfig


def learning_rate(step: int, total_steps: int, config: TrainConfig) -> float:
    """Return the learning rate of a step.

    A function of the step alone: there is no state to save, and none to get out of step.

    Parameters
    ----------
    step : int
        Counted from 0.
    total_steps : int
        Steps of the whole training, at least 1.
    config : TrainConfig
        Gives the highest learning rate, the schedule and the share of the warm-up. In the
        warm-up of n steps, step i has (i + 1)/n of the highest rate; "constant" has it too.

    Returns
    -------
    float
        Above 0: the last step is the last one before the schedule would reach 0.

    Raises
    ------
    ValueError
        If `step` is not one of the `total_steps`.

    Notes
    -----
    One cycle: Smith and Topin, "Super-Convergence", 2018 (without the cycle of the momentum).
    Cosine: Loshchilov and Hutter, "SGDR", 2017 (one period).

    Examples
    --------
    >>> config = TrainConfig(learning_rate=1.0, warmup=0.5)
    >>> [learning_rate(step, 8, config) for step in range(8)]
    [0.25, 0.5, 0.75, 1.0, 1.0, 0.75, 0.5, 0.25]
    """
    if not 0 <= step < total_steps:
        raise ValueError(f"step must be at least 0 and below total_steps {total_steps}, got {step}")
    rising = math.ceil(config.warmup * total_steps) if config.warmup else 0
    rising = min(rising, total_steps - 1)
    if step < rising:
        return config.learning_rate * (step + 1) / rising
    if config.schedule == "constant":
        return config.learning_rate
    done = (step - rising) / (total_steps - rising)
    if config.schedule == "cosine":
        return config.learning_rate * (1 + math.cos(math.pi * done)) / 2
    return config.learning_rate * (1 - done)
