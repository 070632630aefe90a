"""State of a training run: all that changes from step to step."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from convlab._model_state import update_buffers
from convlab.training.config import TrainConfig
from convlab.training.distributed import DistributedContext
from convlab.training.history import History
from convlab.training.loss import Loss, move_loss
from convlab.training.optim import make_optimizer
from convlab.training.precision import loss_scaler, model_dtype
from convlab.training.randomness import random_state, set_random_state

NEVER = 2**62  # the value of `first_nonfinite` while all losses are finite
READ_INTERVAL = 1000  # steps whose results stay on the device


class TrainState:
    """Weights, optimizer, loss scale and counters of a training run, which a checkpoint stores.

    The number of the step determines the learning rate, the order of the images and their
    augmentation. `model`, with at least `num_classes` outputs, is moved to the device of `context`.

    Attributes
    ----------
    forward : nn.Module
        What a training step calls: the model, possibly compiled or wrapped for several processes.
    dtype : torch.dtype
        Of the weights, and so of the images.
    step : int
        Number of completed steps.
    history : History
        The completed epochs.
    loss : callable, optional
        What is minimized, as in `fit`.
    best_weights : dict, optional
        The `snapshot` after the best epoch, if ``config.restore_best_weights``.
    seconds : float
        Training time in the current epoch.
    totals : list of two floats
        Sum of the losses and number of correct predictions in the current epoch, in this process;
        complete after `read_results`.
    first_nonfinite : int
        The first step with a non-finite loss in this process, or `NEVER`; complete as `totals`.
    eval_modules : dict of str to nn.Module
        Layers that stay in eval mode: they were in it, while the whole model was in train mode.
    """

    def __init__(
        self,
        model: nn.Module,
        config: TrainConfig,
        context: DistributedContext,
        num_classes: int,
        loss: Loss | None = None,
    ) -> None:
        memory_format = torch.channels_last if config.channels_last else torch.contiguous_format
        self.model = model.to(context.device, memory_format=memory_format)  # type: ignore[call-overload]
        for module in model.modules():
            for name, buffer in module.named_buffers(recurse=False):
                if not buffer.is_contiguous():  # nothing can be loaded into an expanded one
                    module._buffers[name] = buffer.contiguous()
        self.forward: nn.Module = self.model
        self.config, self.context, self.num_classes = config, context, num_classes
        self.dtype = model_dtype(model)
        self.loss = move_loss(loss, context.device, self.dtype)
        self.optimizer = make_optimizer(model, config)
        self.scaler = loss_scaler(config, context.device)
        self.step = 0
        self.history = History()
        self.best_weights: dict[str, Any] | None = None
        self.totals = [0.0, 0.0]
        self.seconds = 0.0
        self._clock = time.perf_counter()
        self.first_nonfinite = NEVER
        self._unread: list[tuple[Tensor, Tensor]] = []
        self.eval_modules = {
            name: module
            for name, module in model.named_modules()
            if model.training and not module.training
        }

    def set_train_mode(self) -> None:
        """Put the model into train mode, except for `eval_modules`."""
        self.model.train()
        for module in self.eval_modules.values():
            module.training = False

    def record(self, loss_sum: Tensor, correct: Tensor) -> None:
        """Count a completed step, and store its results on the device."""
        self.step += 1
        self._unread.append((loss_sum.detach(), correct))
        if len(self._unread) == READ_INTERVAL:
            self.read_results()

    def read_results(self) -> None:
        """Add the stored results to the totals, one by one on the CPU, which has float64."""
        if not self._unread:
            return
        first_step = self.step - len(self._unread)
        losses, counts = map(torch.stack, zip(*self._unread, strict=True))
        results = torch.stack([losses, counts.to(losses.dtype)], dim=1)  # so it waits only once
        for step, (loss_sum, correct) in enumerate(results.tolist(), first_step):
            self.totals = [self.totals[0] + loss_sum, self.totals[1] + correct]
            if not math.isfinite(loss_sum):
                self.first_nonfinite = min(self.first_nonfinite, step)
        self._unread.clear()

    def nonfinite_step(self) -> int | None:
        """Return the first step with an infinite or NaN loss in any process, or None.

        Weights that are not finite are attributed to the last step.
        """
        self.read_results()
        finite = torch.stack([p.detach().isfinite().all() for p in self.model.parameters()]).all()
        last_step = NEVER if finite else max(0, self.step - 1)
        first = torch.tensor(min(self.first_nonfinite, last_step))
        step = int(self.context.all_reduce(first, "min"))
        return None if step == NEVER else step

    def start_epoch(self) -> None:
        """Reset the totals and the time of the epoch to 0."""
        self.totals = [0.0, 0.0]
        self.seconds = 0.0

    def start_clock(self) -> None:
        """Start measuring time for `seconds`."""
        self._clock = time.perf_counter()

    def update_seconds(self) -> None:
        """Add the time since the last call, or since `start_clock`, to `seconds`."""
        now = time.perf_counter()
        self.seconds += now - self._clock
        self._clock = now

    def snapshot(self) -> dict[str, Any]:
        """Return the weights and all buffers, also those that ``model.state_dict`` leaves out."""
        weights = self.model.state_dict()
        buffers = {name: b for name, b in self.model.named_buffers() if name not in weights}
        return {"model": weights, "buffers": buffers}

    def restore(self, saved: Mapping[str, Any]) -> None:
        """Restore what `snapshot` returned."""
        self.model.load_state_dict(saved["model"])
        update_buffers(self.model, saved["buffers"])

    def state_dict(self) -> dict[str, Any]:
        """Return the contents of a checkpoint, in types that `weights_only` loading accepts.

        All processes must call it, since each has its own random state and totals.
        """
        self.update_seconds()
        self.read_results()
        own = {"random": random_state(), "totals": self.totals}
        best = {} if self.best_weights is None else {"best_weights": self.best_weights}
        return {
            "step": self.step,
            **self.snapshot(),
            "optimizer": self.optimizer.state_dict(),
            "scaler": self.scaler.state_dict(),
            "seconds": self.seconds,
            "processes": self.context.all_gather(own),
            "history": self.history.to_list(),
            **best,
        }

    def load_state_dict(self, saved: Mapping[str, Any]) -> None:
        """Restore what `state_dict` returned, except the history, which also needs a folder."""
        self.restore(saved)
        self.optimizer.load_state_dict(saved["optimizer"])
        self.scaler.load_state_dict(saved["scaler"])
        self.step, self.seconds = saved["step"], saved["seconds"]
        self.best_weights = saved.get("best_weights")
        own = saved["processes"][self.context.rank]
        self.totals = own["totals"]
        set_random_state(own["random"])
