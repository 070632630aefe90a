"""Run one part of a GPU run in a process of its own: ``python -m benchmarks.gpu.worker REQUEST``.

An error that a GPU does not recover from ends only this process. It writes one JSON object per
line, with fields of `store.GpuResult`, and if the part fails, ``error``.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable

import torch

from benchmarks.gpu import parts
from benchmarks.gpu.accuracy import accuracy
from benchmarks.gpu.parts import Answers
from benchmarks.gpu.request import Request
from benchmarks.gpu.trace import trace

THREADS = 2
PARTS: dict[str, Callable[[Request], Answers]] = {
    "device": parts.device,
    "tests": parts.tests,
    "training": parts.training,
    "profile": trace,
    "accuracy": accuracy,
    "inference": parts.inference,
}


def work(request: Request) -> Answers:
    """Run the part, and yield its answers; an error is the last one."""
    torch.set_num_threads(1 if request.rehearsal else THREADS)
    try:
        yield from PARTS[request.part](request)
    except Exception as error:  # of any library
        yield {"error": parts.reason(error)}


if __name__ == "__main__":
    # What libraries and their processes print must not come between the answers.
    with os.fdopen(os.dup(1), "w") as stream:
        os.dup2(2, 1)
        for answer in work(Request.from_json(sys.argv[1])):
            print(json.dumps(answer, allow_nan=False), file=stream, flush=True)
