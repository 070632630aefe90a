"""Table of the compared training loops; a variant differs from its base in one setting."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from benchmarks.loops.task import Ended, Task

PLAIN = "plain loop"  # all are compared with this one
Train = Callable[[Task, int, Ended], None]


@dataclass(frozen=True)
class Contender:
    """A training loop with its settings.

    Parameters
    ----------
    name : str
        In the tables.
    module : str
        Of `benchmarks.loops`, with the function `train`. It is imported when it is wanted, since
        how long its imports take is measured too.
    settings : mapping
        Further arguments of that function.
    base, change : str, optional
        The contender that it differs from in one setting, and that setting here.
    needs : str, optional
        A package that must be installed.
    devices : tuple of str
        Devices on which it is measured.
    rounds : int
        Maximum number of rounds, lower for slow contenders.
    """

    name: str
    module: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    base: str | None = None
    change: str | None = None
    needs: str | None = None
    devices: tuple[str, ...] = ("cpu", "cuda")
    rounds: int = 99

    @property
    def precision(self) -> str:
        """Number format of the forward pass."""
        return str(self.settings.get("precision", "fp32"))

    def missing(self) -> bool:
        """Whether a required package is not installed."""
        return self.needs is not None and importlib.util.find_spec(self.needs) is None

    def train(self) -> Train:
        """Import the loop, and return its function."""
        function = importlib.import_module(f"benchmarks.loops.{self.module}").train
        return partial(function, **self.settings)


def _variant(of: str, module: str, name: str, rounds: int = 4, gpu: bool = False,
             **settings: Any) -> Contender:  # fmt: skip
    change = ", ".join(f"{key}={value!r}" for key, value in settings.items())
    devices = ("cuda",) if gpu else ("cpu", "cuda")
    return Contender(f"{of} {name}", module, _LAST | settings, of, change, None, devices, rounds)


_LAST: dict[str, Any] = {"channels_last": True}
_FAST: dict[str, Any] = {"precision": "fp16", "compile": True}

CONTENDERS = {
    contender.name: contender
    for contender in (
        Contender(PLAIN, "plain"),
        Contender(
            "plain loop, 2 workers", "plain", {"workers": 2}, PLAIN, "num_workers=2", rounds=4
        ),
        Contender("convlab", "library", _LAST, "convlab contiguous", "channels_last=True"),
        Contender("convlab contiguous", "library", {"channels_last": False}),
        _variant("convlab", "library", "loader", batches="loader"),
        _variant("convlab", "library", "bf16", precision="bf16"),
        _variant("convlab", "library", "fp16", gpu=True, precision="fp16"),
        _variant("convlab", "library", "compile", compile=True),
        _variant("convlab", "library", "reduce-overhead", gpu=True, mode="reduce-overhead"),
        Contender(
            "convlab .item()", "library", {**_LAST, "wait": True}, "convlab",
            "a number read in each step", rounds=4,
        ),
        _variant("convlab", "library", "fast", gpu=True, **_FAST),
        Contender("Lightning", "lightning", needs="lightning"),
        Contender("Lightning tensors", "lightning", {"tensors": True}, "Lightning",
                  "tensors in memory instead of pictures", "lightning"),
        Contender("bare", "bare", _LAST, "bare contiguous", "channels_last=True"),
        Contender("bare contiguous", "bare", {"channels_last": False}, rounds=4),
        _variant("bare", "bare", "fast", gpu=True, **_FAST),
    )
}  # fmt: skip
