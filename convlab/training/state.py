"""All that changes during a training, as one thing that can be saved and put back."""

from __future__ import annotations

import time
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from convlab.data import Dataset
from convlab.training.config import TrainConfig
from convlab.training.distributed import World
from convlab.training.optim import make_optimizer
from convlab.training.precision import loss_scaler
from convlab.training.randomness import random_state, set_random_state

NEVER = 2**62  # the step of a loss that has not happened


class TrainState:
    """Weights, optimizer, loss scale, counters: what a checkpoint holds.

    The learning rate is a function of the step, the order of the images one of the epoch, their
    augmentation one of the step (`schedule`, `batches`, `augmentation`); so `step` says where all
    of these stand.

    Parameters
    ----------
    model : nn.Module
        On the device of the training.
    config : TrainConfig
        Its settings.
    world : World
        Its processes.
    """

    def __init__(self, model: nn.Module, config: TrainConfig, world: World) -> None:
        self.model, self.world = model, world
        self.optimizer = make_optimizer(model, config)
        self.scaler = loss_scaler(config, world.device)
        self.step = 0
        self.seconds = 0.0  # spent in the current epoch
        self._clock = time.perf_counter()
        # Both stay on the device until the epoch ends: reading them in each step would let the
        # processor wait for the device.
        self.totals = torch.zeros(
            2, dtype=torch.float64, device=world.device
        )  # loss, right answers
        self.first_bad = torch.full((), NEVER, dtype=torch.int64, device=world.device)

    def count(self, loss_sum: Tensor, correct: Tensor) -> None:
        """Add what one step found, without looking at it."""
        self.totals += torch.stack([loss_sum.detach(), correct.to(loss_sum.dtype)])
        here = torch.full_like(self.first_bad, self.step)
        here.masked_fill_(torch.isfinite(loss_sum.detach()), NEVER)
        self.first_bad = torch.minimum(self.first_bad, here)

    def bad_step(self) -> int | None:
        """Return the first step with a loss that is no finite number, on any process.

        Weights that are not finite count as the last step: it has spoilt them.
        """
        healthy = torch.stack([p.detach().isfinite().all() for p in self.model.parameters()]).all()
        spoilt = torch.where(healthy, NEVER, max(0, self.step - 1)).to(self.first_bad)
        step = int(self.world.lowest(torch.minimum(self.first_bad, spoilt)))
        return None if step == NEVER else step

    def start_clock(self) -> None:
        """Count seconds from here."""
        self._clock = time.perf_counter()

    def read_clock(self) -> None:
        """Add the seconds since the last look."""
        now = time.perf_counter()
        self.seconds += now - self._clock
        self._clock = now

    def new_epoch(self) -> None:
        """Start counting anew."""
        self.totals.zero_()
        self.seconds = 0.0

    def to_dict(self) -> dict[str, Any]:
        """Return everything, in types that `weights_only` loading accepts.

        All processes must call it: each has generators and counts of its own.
        """
        self.read_clock()
        mine = {"random": random_state(), "totals": self.totals.cpu()}
        return {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "scaler": self.scaler.state_dict(),
            "seconds": self.seconds,
            "processes": self.world.everyones(mine),
        }

    def restore(self, saved: Mapping[str, Any]) -> None:
        """Put everything back as it was."""
        self.model.load_state_dict(saved["model"])
        self.optimizer.load_state_dict(saved["optimizer"])
        self.scaler.load_state_dict(saved["scaler"])
        self.step, self.seconds = saved["step"], saved["seconds"]
        mine = saved["processes"][self.world.rank]
        self.totals.copy_(mine["totals"])
        set_random_state(mine["random"])


def identity(model: nn.Module, data: Dataset, config: TrainConfig, world: World) -> dict[str, Any]:
    """Return what must be the same for a training to be the same.

    A checkpoint stores it, so that a run is never continued with other settings or other images.

    Returns
    -------
    dict
        Settings by their names, and "model", "data", "processes" and "kind of device".
    """
    shapes = [f"{name} {tuple(value.shape)}" for name, value in model.state_dict().items()]
    return {
        **config.to_dict(),
        "device": world.device.type,
        "model": f"{type(model).__name__} {_check_sum(';'.join(shapes).encode())}",
        "data": " ".join(
            f"{part} {len(getattr(data, f'{part}_labels'))}/{_of_arrays(data, part)}"
            for part in ("train", "validation")
        ),
        "processes": world.size,
    }


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Say in which entries two identities differ.

    Examples
    --------
    >>> differences({"epochs": 10, "seed": 0}, {"epochs": 20, "seed": 0})
    ['epochs is 10 there and 20 here']
    """
    names = dict.fromkeys([*old, *new])
    return [
        f"{name} is {old.get(name)} there and {new.get(name)} here"
        for name in names
        if old.get(name) != new.get(name)
    ]


def _of_arrays(data: Dataset, part: str) -> str:
    images, labels = getattr(data, f"{part}_images"), getattr(data, f"{part}_labels")
    return _check_sum(np.ascontiguousarray(images).data, np.ascontiguousarray(labels).data)


def _check_sum(*parts: bytes | memoryview) -> str:
    total = 0
    for part in parts:
        total = zlib.crc32(part, total)
    return f"{total:08x}"
