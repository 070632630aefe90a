"""Time of a training step, split by PyTorch's profiler into launches and computation."""

from __future__ import annotations

import dataclasses
import json
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from torch.profiler import ProfilerActivity, profile

from benchmarks.gpu.parts import BATCH, Answers, reason, without_compiler
from benchmarks.gpu.request import Request
from benchmarks.gpu.store import ProfileRow, Skipped
from benchmarks.loops.contenders import CONTENDERS, PLAIN, Train
from benchmarks.loops.device import wait
from benchmarks.loops.task import Task
from convlab.results.store import rounded

Event = Mapping[str, Any]

STEPS = 32
PROFILED = (
    PLAIN, "convlab", "convlab bf16", "bare", "convlab compile", "convlab reduce-overhead",
)  # fmt: skip
DEVICE = ("kernel", "gpu_memcpy", "gpu_memset")
API = ("cuda_runtime", "cuda_driver")


def trace(request: Request) -> Answers:
    """Profile an epoch of each training loop."""
    steps, batch = (2, 8) if request.rehearsal else (STEPS, BATCH)
    if request.rehearsal:
        yield {"stand_in": "no times of a device: operators alone are counted"}
    yield from without_compiler(request)
    task = Task("SimpleCNN", steps * batch, batch, request.device)
    rows: list[dict[str, Any]] = []
    skipped: list[dict[str, Any]] = []
    for name in PROFILED:
        try:
            plain, profiled, events = record(CONTENDERS[name].train(), task)
            times = split(events, steps, request.device == "cuda")
            row = ProfileRow(
                task.network, name, batch, steps, rounded(1e3 * plain / steps),
                rounded(1e3 * profiled / steps), **times,
            )  # fmt: skip
            rows.append(dataclasses.asdict(row))
        except Exception as error:  # as in `loops.measure.interleave`
            what = f"{name}, {task.network}"
            skipped.append(dataclasses.asdict(Skipped("profile", what, reason(error))))
        yield {"profile": rows, "skipped": skipped}


def record(train: Train, task: Task) -> tuple[float, float, list[Event]]:
    """Train for three epochs: to warm up, to take the time, and to profile.

    Returns
    -------
    plain, profiled : float
        Seconds of the second and the third epoch.
    events : list of mapping
        Of the third epoch, in the trace event format of Chrome, times in microseconds.
    """
    activities = [ProfilerActivity.CPU]
    if task.device == "cuda":
        activities.append(ProfilerActivity.CUDA)
    profiler = profile(activities=activities)
    starts: list[float] = []
    ends: list[float] = []

    def ended(loss: float) -> None:
        wait(task.device)
        ends.append(time.perf_counter())
        if len(ends) == 2:
            profiler.start()
        elif len(ends) == 3:
            profiler.stop()
        starts.append(time.perf_counter())

    try:
        train(task, 3, ended)
    finally:
        if len(ends) == 2:  # the third epoch failed, and another profiler could not start
            profiler.stop()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "trace.json")
        profiler.export_chrome_trace(str(path))
        events: list[Event] = json.loads(path.read_text(encoding="utf-8"))["traceEvents"]
    return ends[1] - starts[0], ends[2] - starts[1], events


def split(events: Iterable[Event], steps: int, gpu: bool) -> dict[str, Any]:
    """Split the time of some steps into the fields of `ProfileRow`; None for those of a GPU.

    Examples
    --------
    >>> event = {"ph": "X", "ts": 0.0, "dur": 2000.0, "cat": "cpu_op", "name": "aten::add"}
    >>> split([event], steps=2, gpu=False)["operator_ms"]
    1.0
    """
    complete = [event for event in events if event.get("ph") == "X"]
    operators = [event for event in complete if event.get("cat") == "cpu_op"]
    device = [event for event in complete if event.get("cat") in DEVICE]
    calls = [event for event in complete if event.get("cat") in API]
    launches = [event for event in calls if "Launch" in event["name"]]
    work = [event for event in calls if any(w in event["name"] for w in ("Memcpy", "Memset"))]
    waits = [event for event in calls if "Synchronize" in event["name"]]
    kernels = [event for event in device if event["cat"] == "kernel"]
    if gpu and not kernels:
        raise RuntimeError("the profiler has recorded no kernel")
    found: dict[str, float | None] = {
        "operator_ms": busy(operators) / steps,
        "operators": len(operators) / steps,
        "launch_ms": busy(launches + work) / steps if gpu else None,
        "wait_ms": busy(waits) / steps if gpu else None,
        "device_ms": busy(device) / steps if gpu else None,
        "launches": len(launches) / steps if gpu else None,
        "kernels": len(kernels) / steps if gpu else None,
    }
    return {key: None if value is None else rounded(value) for key, value in found.items()}


def busy(events: Sequence[Event]) -> float:
    """Return the length of the union of the events' intervals, in milliseconds.

    Examples
    --------
    >>> busy([{"ts": 0, "dur": 3000}, {"ts": 1000, "dur": 1000}, {"ts": 5000, "dur": 1}])
    3.001
    """
    total, end = 0.0, float("-inf")
    for event in sorted(events, key=lambda event: float(event["ts"])):
        start, stop = event["ts"], event["ts"] + event["dur"]
        total += max(0.0, stop - max(start, end))
        end = max(end, stop)
    return total / 1e3
