"""The training of this repository: `convlab.training.fit`."""

from __future__ import annotations

from typing import Any

import torch
from torch.optim.optimizer import register_optimizer_step_post_hook

from benchmarks.loops.task import LEARNING_RATE, MOMENTUM, WARMUP, WEIGHT_DECAY, Ended, Task
from convlab.training import TrainConfig, fit


def train(
    task: Task, epochs: int, ended: Ended, *, wait: bool = False, mode: str | None = None,
    **settings: Any,
) -> None:  # fmt: skip
    """Train for some epochs.

    `mode` is that of `torch.compile`, around the network; None leaves compiling to the settings.
    With `wait`, one number of a weight is read after each step, as with `loss.item()`: the host
    waits until the device has finished its work.
    """
    config = TrainConfig(
        epochs=epochs, batch_size=task.batch, learning_rate=LEARNING_RATE, momentum=MOMENTUM,
        weight_decay=WEIGHT_DECAY, warmup_fraction=WARMUP, flip=task.flip, device=task.device,
        **settings,
    )  # fmt: skip
    model = task.model()
    if config.compile or mode is not None:
        torch.compiler.reset()  # as in a new process: each training compiles its own network
    if mode is not None:
        model = torch.compile(model, mode=mode)  # type: ignore[assignment]
    hook = register_optimizer_step_post_hook(_read_one_number) if wait else None
    try:
        fit(
            model, task.data, config,
            progress=False, on_epoch=lambda epoch: ended(epoch.train_loss),
        )  # fmt: skip
    finally:
        if hook is not None:
            hook.remove()


def _read_one_number(optimizer: torch.optim.Optimizer, *_: Any) -> None:
    optimizer.param_groups[0]["params"][0].detach().flatten()[0].item()
