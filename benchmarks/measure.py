"""Measure accuracy, memory and time of all contenders on one case."""

from __future__ import annotations

import threading
import tracemalloc
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks import machine
from benchmarks.contenders import REFERENCE, Contender
from benchmarks.problems import Call, Problem, make
from benchmarks.suites import Case
from benchmarks.timing import (
    Clock,
    Plan,
    Runner,
    Spread,
    Times,
    estimate,
    interleave,
    ratios,
    spread,
)
from convlab.results.store import Row, Skipped, rounded

# Larger errors are wrong results. (Rounding: about 1e-6 and 1e-15; Winograd a few times that.)
TOLERANCE = {"float32": 1e-4, "float64": 1e-12}


class WrongResult(ValueError):
    """Raised if a contender computes a wrong result."""


@dataclass(frozen=True)
class Setting:
    """Settings shared by all cases of one process."""

    environment: str
    threads: int
    clock: Clock
    plan: Plan


@dataclass(frozen=True)
class _Entrant:
    """A contender whose result on the case, or on a part of it, is correct."""

    runner: Runner
    reference: str
    measured_on: str
    error: float | None
    extra_mib: float | None


def measure(
    case: Case, contenders: Sequence[Contender], setting: Setting
) -> tuple[list[Row], list[Skipped]]:
    """Measure all contenders on one case, interleaved; `REFERENCE` must be the first."""
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
            which_case = (case.layer.name, case.images, case.dtype, case.task)
            run = (setting.environment, setting.threads, contender.name)
            wrong = isinstance(reason, WrongResult)
            skipped.append(Skipped(*which_case, *run, str(reason), wrong))
    runners = [entrant.runner for entrant in entrants]
    references = {entrant.reference for entrant in entrants}
    with machine.Others() as others:
        times = interleave(runners, setting.plan, setting.clock, always=references)
    rows = []
    for entrant in entrants:
        own, reference_times = times[entrant.runner.name], times[entrant.reference]
        warm = spread(ratios(reference_times.warm, own.warm))
        cold = spread(ratios(reference_times.cold, own.cold))
        rows.append(_row(case, setting, entrant, own, warm, cold, others.cores))
    return rows, skipped


def _admit(
    case: Case, problem: Problem, contender: Contender, setting: Setting, reference: float | None
) -> _Entrant:
    """Check a contender's result and measure its memory; raise ValueError to exclude it."""
    share = choose_share(problem, contender, setting.clock, setting.plan, reference)
    visible = contender.library == "numpy"
    results, extra = traced(share.call) if visible else (share.call(), None)
    error = share.problem.error(results)
    if error > TOLERANCE[case.dtype]:
        raise WrongResult(f"error of {error:.1e} times the largest number in the result")
    return _Entrant(
        Runner(contender.name, contender.library, share.call, share.expected, share.scale),
        contender.reference,
        share.measured_on,
        # PyTorch in float64 is the reference for the errors.
        error=None if case.dtype == "float64" and contender.library == "torch" else error,
        # The memory for some kernels is that for all; for some images, it may be less.
        extra_mib=None if extra is None or len(share.problem.x) < len(problem.x) else extra / 2**20,
    )


@dataclass(frozen=True)
class Share:
    """The part of a case that is timed.

    `expected` is the estimated time of `call`, which computes `problem`; the whole case is
    `scale` times as much work. `measured_on` describes the part.
    """

    problem: Problem
    call: Call
    expected: float
    scale: float = 1.0
    measured_on: str = "all"


def choose_share(
    problem: Problem, contender: Contender, clock: Clock, plan: Plan, reference: float | None
) -> Share:
    """Choose which part of a problem to time, by timing the smallest possible part.

    Parameters
    ----------
    reference : float, optional
        Seconds that the reference needs for the whole problem, if known.

    Raises
    ------
    ValueError
        If even the smallest part is slow, and the whole takes many times as long as the
        reference. Never for a contender that can be timed on some of the kernels.
    """
    if not contender.divisible:
        return _whole(problem, contender, clock)
    by_kernels = contender.divisible == "kernels"
    images, kernels = len(problem.x), len(problem.w)
    parts = images * (kernels if by_kernels else 1)
    smallest = problem.part(1, 1 if by_kernels else kernels)
    call = contender.prepare(smallest)
    took = estimate(call, clock)
    whole = took * parts
    if reference and not by_kernels and took > plan.part and whole > plan.hopeless * reference:
        raise ValueError(f"too slow: about {whole:.1f} s, {whole / reference:.0f} times torch's")
    if parts == 1:
        return Share(problem, call, took)
    count = min(max(1, int(plan.part / took)), kernels if by_kernels else images)
    # All kernels take the same time, so timing some of them pays as soon as it halves the time.
    if whole <= (2 * plan.part if by_kernels else plan.slow) or count == parts:
        return _whole(problem, contender, clock)
    chosen = problem.part(1, count) if by_kernels else problem.part(count, kernels)
    counts = [f"{len(chosen.x)} of {images} images"] if images > 1 else []
    counts += [f"{count} of {kernels} kernels"] if by_kernels else []
    return Share(
        chosen,
        contender.prepare(chosen),
        took * count,
        scale=parts / count,
        measured_on=", ".join(counts),
    )


def _whole(problem: Problem, contender: Contender, clock: Clock) -> Share:
    call = contender.prepare(problem)
    return Share(problem, call, estimate(call, clock))


def traced(call: Call) -> tuple[Any, int]:
    """Return the results of a warm call, and NumPy's peak memory beyond them, in bytes.

    The call is made twice in a thread of its own, and traced the second time. A workspace that
    the first call keeps for its thread counts; memory that bypasses Python's allocator, such as
    the buffers of a BLAS, does not.
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
    own: Times,
    ratio: Spread,
    cold_ratio: Spread,
    others: float | None,
) -> Row:
    """Return the row of a contender."""
    times = spread(own.warm)
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
        cold_ms=rounded(spread(own.cold).median * 1e3),
        cold_ratio=rounded(cold_ratio.median),
        n=times.n,
        gflops=rounded(case.gflop / times.median),
        extra_mib=None if entrant.extra_mib is None else rounded(entrant.extra_mib),
        error=None if entrant.error is None else rounded(entrant.error),
        extrapolated=entrant.measured_on != "all",
        measured_on=entrant.measured_on,
        others=others,
    )
