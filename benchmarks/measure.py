"""One case: who computes it right, with how much memory, in what time."""

from __future__ import annotations

import threading
import tracemalloc
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks import machine
from benchmarks.contenders import REFERENCE, Contender
from benchmarks.problems import Call, Problem, make
from benchmarks.shares import choose
from benchmarks.store import Row, Skipped, rounded
from benchmarks.suites import Case
from benchmarks.timing import (
    Clock,
    Plan,
    Runner,
    Spread,
    interleave,
    ratios,
    spread,
)

# Larger errors are mistakes. (Rounding: about 1e-6 and 1e-15; Winograd a few times that.)
TOLERANCE = {"float32": 1e-4, "float64": 1e-12}


class WrongResult(ValueError):
    """A contender computed something else."""


@dataclass(frozen=True)
class Setting:
    """What all cases of one process have in common."""

    environment: str
    threads: int
    clock: Clock
    plan: Plan


@dataclass(frozen=True)
class _Entrant:
    """A contender that has computed the case, or a part of it, right."""

    runner: Runner
    reference: str
    measured_on: str
    error: float | None
    extra_mib: float | None


def measure(
    case: Case, contenders: Sequence[Contender], setting: Setting
) -> tuple[list[Row], list[Skipped]]:
    """Measure all contenders on one case, interleaved; `REFERENCE` has to be the first."""
    problem = make(case)
    entrants: list[_Entrant] = []
    skipped: list[Skipped] = []
    reference = None
    for contender in contenders:
        try:
            entrants.append(_admit(case, problem, contender, setting, reference))
            if contender.name == REFERENCE:
                reference = entrants[-1].runner.expected
        except ValueError as reason:
            about = (case.layer.name, case.images, case.dtype, case.task)
            where = (setting.environment, setting.threads, contender.name)
            wrong = isinstance(reason, WrongResult)
            skipped.append(Skipped(*about, *where, str(reason), wrong))
    runners = [entrant.runner for entrant in entrants]
    references = {entrant.reference for entrant in entrants}
    with machine.Others() as others:
        times = interleave(runners, setting.plan, setting.clock, always=references)
    rows = []
    for entrant in entrants:
        mine = times[entrant.runner.name]
        ratio = spread(ratios(times[entrant.reference], mine))
        rows.append(_row(case, setting, entrant, spread(mine), ratio, others.cores))
    return rows, skipped


def _admit(
    case: Case, problem: Problem, contender: Contender, setting: Setting, reference: float | None
) -> _Entrant:
    """Let a contender compute the case once, and see whether it may take part."""
    share = choose(problem, contender, setting.clock, setting.plan, reference)
    visible = contender.library == "numpy"
    results, extra = traced(share.call) if visible else (share.call(), None)
    error = share.problem.error(results)
    if error > TOLERANCE[case.dtype]:
        raise WrongResult(f"error of {error:.1e} of the largest number in the result")
    return _Entrant(
        Runner(contender.name, contender.library, share.call, share.expected, share.scale),
        contender.reference,
        share.words,
        # PyTorch in float64 is what the errors are measured against.
        error=None if case.dtype == "float64" and contender.library == "torch" else error,
        # Kernel after kernel needs the same memory again; image after image may not.
        extra_mib=None if extra is None or len(share.problem.x) < len(problem.x) else extra / 2**20,
    )


def traced(call: Call) -> tuple[Any, int]:
    """Return the results of a warm call, and the peak of NumPy's memory beyond them, in bytes.

    The call is made twice in a thread of its own, and watched the second time: a workspace
    that the first one left behind for its thread counts. What a library allocates past
    Python's allocator, such as the buffers of a BLAS, does not.
    """
    box: list[Any] = []

    def work() -> None:
        try:
            call()
            tracemalloc.reset_peak()
            box.append(call())
        except BaseException as error:
            box.append(error)

    thread = threading.Thread(target=work)
    tracemalloc.start()
    try:
        thread.start()
        thread.join()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    if isinstance(box[0], BaseException):
        raise box[0]
    return box[0], max(0, peak - sum(result.nbytes for result in box[0]))


def _row(
    case: Case,
    setting: Setting,
    entrant: _Entrant,
    times: Spread,
    ratio: Spread,
    others: float | None,
) -> Row:
    """Put one timing into its place in the table."""
    return Row(
        layer=case.layer.name,
        images=case.images,
        dtype=case.dtype,
        task=case.task,
        count=case.count,
        gflop=rounded(case.gflop),
        environment=setting.environment,
        threads=setting.threads,
        contender=entrant.runner.name,
        ms=rounded(times.median * 1e3),
        ms_low=rounded(times.low * 1e3),
        ms_high=rounded(times.high * 1e3),
        ratio=rounded(ratio.median),
        ratio_low=rounded(ratio.low),
        ratio_high=rounded(ratio.high),
        n=times.n,
        gflops=rounded(case.gflop / times.median),
        extra_mib=None if entrant.extra_mib is None else rounded(entrant.extra_mib),
        error=None if entrant.error is None else rounded(entrant.error),
        extrapolated=entrant.measured_on != "all",
        measured_on=entrant.measured_on,
        others=others,
    )
