"""Start-up time of one contender in a new process: ``python -m benchmarks.loops.fresh REQUEST``.

It trains for one epoch and says when the first step was done, by the clock of the system, and
how much memory it has taken until the end. Nothing is imported that the contender does not need.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import torch
from torch.optim.optimizer import register_optimizer_step_post_hook

from benchmarks.loops.contenders import CONTENDERS
from benchmarks.loops.device import device_peak_mib, peak_mib, wait
from benchmarks.loops.request import Request
from benchmarks.loops.task import Task

NOBODY = "torch alone"  # imports torch, makes the images, and ends


def first_training(request: Request) -> dict[str, float | None]:
    """Train for an epoch as the first and only contender of the request.

    Returns
    -------
    dict
        "first_step" in seconds since 1970, "peak_mib" and "device_peak_mib".
    """
    torch.set_num_threads(request.threads)
    task = Task(request.network, request.count, request.batch, request.device)
    steps: list[float] = []

    def stepped(*_: Any) -> None:
        if not steps:
            wait(request.device)
            steps.append(time.time())

    hook = register_optimizer_step_post_hook(stepped)
    try:
        (name,) = request.contenders
        if name == NOBODY:
            assert len(task.data.train_images) == task.count
            steps.append(time.time())
        else:
            CONTENDERS[name].train()(task, 1, lambda loss: wait(request.device))
    finally:
        hook.remove()
    return {
        "first_step": steps[0],
        "peak_mib": peak_mib(),
        "device_peak_mib": device_peak_mib(request.device),
    }


if __name__ == "__main__":
    # Whatever a library prints must not get into the answer.
    answers, sys.stdout = sys.stdout, sys.stderr
    print(json.dumps(first_training(Request.from_json(sys.argv[1]))), file=answers, flush=True)
