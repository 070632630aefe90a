"""Measure one suite in this process: ``python -m benchmarks.worker REQUEST``.

There is one process per suite, environment and number of threads, since libraries read their
environment when they start, and an earlier suite must not affect the memory of a later one. It
writes one JSON object per line: first the `Run`, then one for each case.
"""

from __future__ import annotations

import dataclasses
import json
import math
import os
import sys
from collections.abc import Iterator
from typing import Any, TextIO

import threadpoolctl
import torch

from benchmarks import libraries, machine
from benchmarks.contenders import contenders
from benchmarks.measure import Setting, measure
from benchmarks.processes import Request
from benchmarks.suites import SUITES
from benchmarks.timing import clock_for
from convlab.results.store import Run


def work(request: Request) -> Iterator[dict[str, Any]]:
    """Measure, and yield the answers."""
    threadpoolctl.threadpool_limits(request.threads)
    torch.set_num_threads(request.threads)
    clock = clock_for(request.threads)
    plan = request.plan
    if SUITES[request.suite].rivals == "all":  # show even the slowest contender
        plan = dataclasses.replace(plan, hopeless=math.inf)
    setting = Setting(request.environment, request.threads, clock, plan)
    with torch.inference_mode():
        yield {"run": dataclasses.asdict(_run(request, setting))}
        suite = SUITES[request.suite]
        for case in (suite.shortened() if request.quick else suite).cases:
            rows, skipped = measure(case, contenders(suite, case.task), setting)
            yield {
                "case": f"{case.layer.name}, N={case.images}",
                "rows": [dataclasses.asdict(row) for row in rows],
                "skipped": [dataclasses.asdict(entry) for entry in skipped],
            }


def _run(request: Request, setting: Setting) -> Run:
    pools = libraries.pools()
    recorded = (*machine.KERNELS, *machine.HUGE_PAGES)
    return Run(
        environment=request.environment,
        variables={name: os.environ[name] for name in recorded if name in os.environ},
        threads=request.threads,
        clock=setting.clock.name,
        blas=libraries.blas(pools),
        pools=pools,
        torch_kernels=libraries.torch_kernels(),
        sgemm=libraries.sgemm(setting.clock),
    )


def main(request: str, to: TextIO) -> None:
    """Write the answers to a request, one JSON object per line."""
    for message in work(Request.from_json(request)):
        print(json.dumps(message, allow_nan=False), file=to, flush=True)


if __name__ == "__main__":
    # Output of the libraries must not get between the answers.
    answers, sys.stdout = sys.stdout, sys.stderr
    main(sys.argv[1], answers)
