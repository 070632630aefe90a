"""Measure one network in a process of its own: ``python -m benchmarks.loops.worker REQUEST``.

It writes one JSON object per line: first what it runs on, then one for each training, which only
tells that there was one, and at the end the rows.
"""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Iterator
from typing import Any

import torch

from benchmarks.libraries import torch_kernels
from benchmarks.loops import device
from benchmarks.loops.contenders import CONTENDERS
from benchmarks.loops.measure import Timing, interleave, row
from benchmarks.loops.request import Request
from benchmarks.loops.task import Task
from convlab.results.training import Skipped


def work(request: Request) -> Iterator[dict[str, Any]]:
    """Measure, and yield the objects to print."""
    torch.set_num_threads(request.threads)
    accelerator = device.accelerator(request.device)
    yield {"torch_kernels": torch_kernels(), "accelerator": accelerator}
    task = Task(request.network, request.count, request.batch, request.device)
    chosen = [CONTENDERS[name] for name in request.contenders]
    skipped = [
        Skipped(request.network, contender.name, f"{contender.needs} is not installed")
        for contender in chosen
        if contender.missing()
    ]
    present = [contender for contender in chosen if not contender.missing()]
    timings: dict[str, list[Timing]] = {}
    for name, found in interleave(present, task, request.rounds):
        yield {"trained": name}
        if isinstance(found, Timing):
            timings.setdefault(name, []).append(found)
        else:
            lines = str(found).strip().splitlines() or [""]
            reason = f"{type(found).__name__}: {lines[0]}"
            skipped.append(Skipped(request.network, name, reason))
    measured = [contender for contender in present if contender.name in timings]
    rows = [row(contender, timings, task, request.threads) for contender in measured]
    yield {
        "rows": [dataclasses.asdict(entry) for entry in rows],
        "skipped": [dataclasses.asdict(entry) for entry in skipped],
    }


if __name__ == "__main__":
    # Whatever a library prints must not get between the lines that are read.
    answers, sys.stdout = sys.stdout, sys.stderr
    for message in work(Request.from_json(sys.argv[1])):
        print(json.dumps(message, allow_nan=False), file=answers, flush=True)
