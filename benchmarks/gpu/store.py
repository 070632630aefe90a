"""Format of the result of a GPU run, and its file: one JSON file of flat tables."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from convlab.results.store import read, write
from convlab.results.training import Row

SCHEMA = 1


@dataclass(frozen=True)
class Part:
    """One part of the run, and what became of it."""

    name: str
    status: str  # "done", "failed", "skipped", or "stand-in": done, with something else in place
    note: str | None  # the error, why it was skipped, what stood in for what, or a remark
    seconds: float
    limit: float  # seconds that it was given


@dataclass(frozen=True)
class Outcome:
    """A test marked ``gpu`` that did not pass."""

    name: str
    outcome: str  # "failed", "error", "skipped", "xfailed" or "xpassed"
    reason: str | None  # first line of the error; None where pytest did not print it


@dataclass(frozen=True)
class ProfileRow:
    """Mean time and number of events of one training step.

    `step_ms` is measured without the profiler, everything else with it, which slows the host down.
    Times are unions of intervals, so nothing counts twice. What only a GPU has is None on a CPU.
    """

    network: str
    contender: str  # as in the table "training"
    batch: int
    steps: int  # over which the means are taken
    step_ms: float
    profiled_ms: float
    operator_ms: float  # host: inside PyTorch's operators
    launch_ms: float | None  # host: inside launches, copies and fills of the CUDA API
    wait_ms: float | None  # host: inside synchronizations of the CUDA API
    device_ms: float | None  # device: inside kernels, copies and fills
    operators: float  # outermost calls and those inside them
    launches: float | None  # of kernels and graphs; a graph is one launch
    kernels: float | None


@dataclass(frozen=True)
class AccuracyRow:
    """One training on images, with the test accuracy measured after each epoch."""

    network: str
    data: str
    count: int  # training images
    seed: int
    settings: str  # those of `TrainConfig` that differ from its defaults
    epochs: int
    expected_images_per_second: float  # from a short training; the number of epochs follows from it
    images_per_second: float  # median over the epochs
    target: float  # share of the test images
    accuracy: float  # after the last epoch
    test_images: int
    seconds_to_target: float | None  # training time; None if the target was not reached
    training_seconds: float
    seconds: float  # set-up and evaluations included


@dataclass(frozen=True)
class InferenceRow:
    """Images per second of a network with random weights, prepared in one way.

    A ratio is *time of the unprepared network / time of the prepared one*, taken round by round:
    above 1, this one is faster. ``_low`` and ``_high`` are quartiles.
    """

    network: str
    size: int  # height and width of the images
    batch: int
    prepared: str  # "eager": not prepared
    images_per_second: float
    ms: float  # per batch, median
    ratio: float
    ratio_low: float
    ratio_high: float
    n: int  # timings, one per round
    error: float  # max|y - eager| / max|eager|
    tolerance: float  # of the error; above it, nothing is timed
    first_call: float  # seconds; compiling included


@dataclass(frozen=True)
class Skipped:
    """Something in a part that was not measured, and the reason."""

    part: str
    what: str
    reason: str


@dataclass(frozen=True)
class GpuResult:
    """Everything measured in one run."""

    created: str  # UTC, ISO 8601
    rehearsal: bool  # True: on a CPU, to see that everything works; the numbers mean nothing
    minutes: float  # time limit
    note: str  # a remark on the images
    machine: dict[str, Any]
    versions: dict[str, str | None]
    accelerator: dict[str, Any] | None = None  # name, driver, flags, matrix products ... of the GPU
    parts: list[Part] = field(default_factory=list)
    tests: list[Outcome] = field(default_factory=list)
    training: list[Row] = field(default_factory=list)
    profile: list[ProfileRow] = field(default_factory=list)
    accuracy: list[AccuracyRow] = field(default_factory=list)
    inference: list[InferenceRow] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    schema: int = SCHEMA


TABLES: dict[str, type] = {
    "parts": Part,
    "tests": Outcome,
    "training": Row,
    "profile": ProfileRow,
    "accuracy": AccuracyRow,
    "inference": InferenceRow,
    "skipped": Skipped,
}


def save(result: GpuResult, path: Path) -> Path:
    """Write a file atomically, replacing an older one."""
    return write(dataclasses.asdict(result), path)


def load(path: Path) -> GpuResult:
    """Read a result, as `convlab.results.store.read` does."""
    return read(path, GpuResult, SCHEMA, TABLES)
