"""How much of a case a contender is timed on: all of it, a part, or nothing if that is hopeless."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.contenders import Contender
from benchmarks.problems import Call, Problem
from benchmarks.timing import Clock, Plan, estimate


@dataclass(frozen=True)
class Share:
    """What is timed.

    `expected` is the rough time of `call`, which computes `problem`; the whole case is
    `scale` times as much work. `words` say which part it is.
    """

    problem: Problem
    call: Call
    expected: float
    scale: float = 1.0
    words: str = "all"


def choose(
    problem: Problem, contender: Contender, clock: Clock, plan: Plan, reference: float | None
) -> Share:
    """Choose the share of a contender after a look at the smallest part that it can be timed on.

    Parameters
    ----------
    reference : float, optional
        The seconds that the reference needs for the whole problem, once they are known.

    Raises
    ------
    ValueError
        If even the smallest part takes long, and the whole many times the reference's time.
        Kernel after kernel never takes too long.
    """
    if not contender.divisible:
        return _all(problem, contender, clock)
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
    # Kernel after kernel is no different for the last ones; there it pays as soon as it halves.
    if whole <= (2 * plan.part if by_kernels else plan.slow) or count == parts:
        return _all(problem, contender, clock)
    chosen = problem.part(1, count) if by_kernels else problem.part(count, kernels)
    words = [f"{len(chosen.x)} of {images} images"] if images > 1 else []
    words += [f"{count} of {kernels} kernels"] if by_kernels else []
    return Share(
        chosen, contender.prepare(chosen), took * count, scale=parts / count, words=", ".join(words)
    )


def _all(problem: Problem, contender: Contender, clock: Clock) -> Share:
    call = contender.prepare(problem)
    return Share(problem, call, estimate(call, clock))
