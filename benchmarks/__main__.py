"""Run benchmark suites in worker processes, store the results, and print tables."""

from __future__ import annotations

import argparse
import dataclasses
import datetime
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks import machine, processes
from benchmarks.processes import ROOT, Progress, Request
from benchmarks.report import report
from benchmarks.suites import DEFAULT, SUITES
from benchmarks.timing import QUICK, Plan
from convlab.results import FILES
from convlab.results.store import Result, Row, Run, Skipped, save

# Quick results must not replace real ones.
QUICK_RESULTS = ROOT / "_build" / "benchmarks"


def arguments(words: Sequence[str] | None = None) -> argparse.Namespace:
    """Parse and check the command line, and fill in the defaults that depend on others."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--suite",
        nargs="+",
        choices=SUITES,
        default=list(DEFAULT),
        metavar="NAME",
        help=f"suites to measure: {', '.join(SUITES)} (default: all but smoke)",
    )
    parser.add_argument(
        "--threads",
        nargs="+",
        type=int,
        metavar="N",
        help="threads of every library, one run per number (default: 1 and 2)",
    )
    parser.add_argument("--rounds", type=int, default=None, help="maximum number of timings (7)")
    parser.add_argument(
        "--coretype",
        metavar="CPU",
        help="measure also with OpenBLAS kernels for this CPU, such as Nehalem (SSE)",
    )
    parser.add_argument(
        "--quick",
        action="store_true",
        help="one case per task, batch size and dtype, two rounds: a test run",
    )
    parser.add_argument(
        "--output",
        type=Path,
        help="folder for the results (convlab/results/files; with --quick, _build/benchmarks)",
    )
    chosen = parser.parse_args(words)
    cores = machine.describe()["cores"]
    chosen.threads = chosen.threads or [number for number in (1, 2) if number <= cores]
    if not 1 <= min(chosen.threads) <= max(chosen.threads) <= cores:
        parser.error(
            f"--threads must be from 1 to {cores}, the number of cores; got {chosen.threads}"
        )
    chosen.plan = QUICK if chosen.quick else Plan()
    if chosen.rounds is not None:
        if chosen.rounds < 1:
            parser.error(f"--rounds must be at least 1, got {chosen.rounds}")
        least = min(chosen.plan.least_rounds, chosen.rounds)
        chosen.plan = dataclasses.replace(chosen.plan, rounds=chosen.rounds, least_rounds=least)
    chosen.output = chosen.output or (QUICK_RESULTS if chosen.quick else FILES)
    return chosen


def answers(request: Request, environment: dict[str, str]) -> Iterator[dict[str, Any]]:
    """Start a worker and yield its answers as they arrive."""
    return processes.answers("benchmarks.worker", request.to_json(), environment, request.suite)


def measure(name: str, chosen: argparse.Namespace, progress: Progress) -> Result:
    """Measure one suite in all environments, with all numbers of threads."""
    runs, rows, skipped = [], [], []
    for environment, variables in machine.environments(os.environ, chosen.coretype).items():
        for threads in chosen.threads:
            counted = "1 thread" if threads == 1 else f"{threads} threads"
            progress.begin(f"{name}, {counted}, {environment}:")
            # Only environment variables limit the number of threads of JAX.
            single = {"XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false"}
            limit = single if threads == 1 else {"NPROC": str(threads)}
            request = Request(name, environment, threads, chosen.plan, chosen.quick)
            for answer in answers(request, variables | limit):
                if "run" in answer:
                    runs.append(Run(**answer["run"]))
                    continue
                rows += [Row(**row) for row in answer["rows"]]
                skipped += [Skipped(**entry) for entry in answer["skipped"]]
                progress.step(answer["case"])
    return Result(
        suite=name,
        title=SUITES[name].title,
        created=datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        quick=chosen.quick,
        plan=dataclasses.asdict(chosen.plan),
        machine=machine.describe(),
        versions=machine.versions(),
        runs=runs,
        rows=rows,
        skipped=skipped,
    )


def main(words: Sequence[str] | None = None) -> int:
    """Measure, store and print; return 1 if a contender computed a wrong result."""
    chosen = arguments(words)
    suites = {name: SUITES[name] for name in chosen.suite}
    cases = sum(
        len((suite.shortened() if chosen.quick else suite).cases) for suite in suites.values()
    )
    runs = len(machine.environments(os.environ, chosen.coretype)) * len(chosen.threads)
    progress = Progress(cases * runs, sys.stderr)
    results = []
    for name in suites:
        results.append(measure(name, chosen, progress))
        save(results[-1], chosen.output)
    progress.finish()
    for result in results:
        print(report(result))
    print(f"Stored in {chosen.output}; python -m benchmarks.report prints it again.")
    wrong = [entry for result in results for entry in result.skipped if entry.wrong]
    for entry in wrong:
        print(f"{entry.contender} on {entry.layer}, {entry.dtype}: {entry.reason}", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
