"""Stored measurements of trainings: one flat JSON file per device, and what a chapter reads."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from convlab.results import FILES
from convlab.results.store import read, write

SCHEMA = 1
TRAININGS = FILES / "training"  # one file per device


@dataclass(frozen=True)
class Row:
    """Timings of one contender training one network.

    A *timing* is one epoch of a training: from the end of the epoch before to its own end, with
    all that the contender does in between. A ratio is *images per second of this contender / those
    of another*, taken round by round: above 1, this one is faster. ``_low`` and ``_high`` are
    quartiles over the rounds; what has no such ending is the median.
    """

    network: str  # "MnistCNN" or "SimpleCNN"
    contender: str  # "plain loop", "convlab", "convlab channels_last", "Lightning", "bare", ...
    base: str | None  # the contender from which it differs in one setting; None if there is none
    change: str | None  # that setting, such as "channels_last=True"
    precision: str  # "fp32", "bf16" or "fp16"
    device: str  # "cpu" or "cuda"
    threads: int  # of the process; loaders that it starts come on top
    batch: int  # images per step
    images: int  # per epoch
    images_per_second: float
    images_per_second_low: float
    images_per_second_high: float
    mean: float  # of images_per_second over the rounds
    deviation: float | None  # standard deviation over the rounds; None for a single one
    n: int  # timings, one per round, each in a training of its own
    ratio: float  # to "plain loop"
    ratio_low: float
    ratio_high: float
    base_ratio: float | None  # to `base`: the effect of the one setting that differs
    base_ratio_low: float | None
    base_ratio_high: float | None
    first_epoch: float  # images per second of the first epoch of a training, set-up included
    first_epoch_ever: float  # the same, in the first round: this includes compiling, where it is
    rounds: list[float]  # images_per_second, round by round
    others: float | None  # cores kept busy by other processes meanwhile; None where unknown


@dataclass(frozen=True)
class Start:
    """Time to the first step and memory of one contender, in new processes."""

    network: str
    contender: str  # "torch alone" only imports torch, makes the images and ends
    device: str
    threads: int
    batch: int
    images: int  # per epoch
    seconds: float  # from the start of the process to the end of the first step, median
    seconds_low: float
    seconds_high: float
    n: int  # processes
    peak_mib: float  # peak memory of the process in RAM until the end of an epoch
    device_peak_mib: float | None  # peak memory of tensors on the GPU; None on a CPU


@dataclass(frozen=True)
class Skipped:
    """A contender that was left out, and the reason."""

    network: str
    contender: str
    reason: str


@dataclass(frozen=True)
class TrainingResult:
    """Everything measured on one device."""

    device: str  # "cpu" or "cuda"; the file is called so
    created: str  # UTC, ISO 8601
    quick: bool  # True: only to see that it runs; the numbers mean nothing
    machine: dict[str, Any]
    accelerator: dict[str, Any] | None  # name, memory, driver ... of the GPU; None on a CPU
    versions: dict[str, str | None]
    torch_kernels: str  # the widest instructions that torch uses on the CPU
    rows: list[Row]
    starts: list[Start]
    skipped: list[Skipped]
    schema: int = field(default=SCHEMA)


def save(result: TrainingResult, folder: Path) -> Path:
    """Write ``folder/<device>.json``, replacing an older one."""
    return write(dataclasses.asdict(result), folder / f"{result.device}.json")


def load(path: Path) -> TrainingResult:
    """Read a result, as `convlab.results.store.read` does."""
    tables = {"rows": Row, "starts": Start, "skipped": Skipped}
    return read(path, TrainingResult, SCHEMA, tables)


def stored(device: str = "cpu") -> TrainingResult:
    """Read the stored trainings of a device; errors are those of `store.load`."""
    return load(TRAININGS / f"{device}.json")


def quartiles(
    rows: Iterable[Row], column: str, names: Mapping[str, str]
) -> dict[str, dict[str, tuple[float, float, float]]]:
    """Return the quartiles of a ratio per network, for `convlab.plots.speedups`.

    Parameters
    ----------
    rows : iterable of Row
    column : str
        "ratio" to the plain loop, or "base_ratio" to the loop that differs in one setting.
    names : mapping of str to str
        The contenders to take, and what to call each.

    Returns
    -------
    dict of str to dict of str to (low, median, high)
        For each network, in alphabetical order, its contenders from the slowest to the fastest.
    """
    found: dict[str, dict[str, tuple[float, float, float]]] = {}
    chosen = [row for row in rows if row.contender in names]
    for row in sorted(chosen, key=lambda row: (row.network, getattr(row, column))):
        low, median, high = (getattr(row, column + end) for end in ("_low", "", "_high"))
        found.setdefault(row.network, {})[names[row.contender]] = (low, median, high)
    return found
