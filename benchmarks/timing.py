"""Take times: clocks, interleaved rounds, medians and quartiles."""

from __future__ import annotations

import gc
import math
import statistics
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Clock:
    """A clock in seconds, and the pause before a call of another library."""

    name: str
    now: Callable[[], float]
    pause: float = 0.0
    sleep: Callable[[float], None] = time.sleep


def clock_for(threads: int) -> Clock:
    """Choose the clock for a number of threads.

    For one thread, it is the CPU time of this process, which does not count the time slices of
    other processes; for more, wall time. Then the pause keeps libraries apart: after a call, the
    workers of OpenBLAS and OpenMP spin for up to 26 ms waiting for another one, and would take
    cores from the next library.
    """
    if threads == 1:
        return Clock("CPU time", time.process_time)
    return Clock("wall clock", time.perf_counter, pause=0.03)


@dataclass(frozen=True)
class Plan:
    """Numbers of rounds and time limits, in seconds.

    Parameters
    ----------
    rounds : int
        Maximum number of timings of each contender, one per round.
    least_rounds : int
        Minimum number of timings.
    budget : float
        Time per contender and case; limits the rounds between the two.
    least : float
        Minimum length of one timing; shorter calls are repeated.
    slow : float
        A contender that needs longer for one call is timed on some of the images, if possible,
        and its time multiplied.
    part : float
        Approximate time of a call on such a part. A contender whose time is proportional to the
        number of kernels is timed on some of them if all would take twice as long as this.
    hopeless : float
        A contender whose smallest part takes longer than `part` is left out if the whole would
        take this many times as long as the reference.
    """

    rounds: int = 7
    least_rounds: int = 3
    budget: float = 1.0
    least: float = 2e-3
    slow: float = 2.0
    part: float = 0.3
    hopeless: float = 20.0


# A timing of calls up to this many seconds is preceded by a call that counts as cold, since the
# caches hold data of the previous contender. The effect on longer calls is negligible.
WARM = 0.05

QUICK = Plan(rounds=2, least_rounds=1, budget=0.2, least=5e-4, slow=0.5, part=0.1)


def seconds(call: Callable[[], object], repeats: int, clock: Clock) -> float:
    """Time `call`: seconds per call, averaged over `repeats` calls in a row."""
    start = clock.now()
    for _ in range(repeats):
        call()
    return (clock.now() - start) / repeats


def estimate(call: Callable[[], object], clock: Clock) -> float:
    """Estimate the seconds that a warm call takes.

    The first call is the warm-up, unless it takes so long that a warm-up has no effect.
    """
    clock.sleep(clock.pause)
    first = seconds(call, 1, clock)
    return first if first > 0.3 else min(seconds(call, 1, clock) for _ in range(3))


@dataclass(frozen=True)
class Runner:
    """A contender ready to be timed.

    `expected` is the estimated time of one call; `scale` is the factor of its time if it does
    only a part of the work.
    """

    name: str
    library: str
    call: Callable[[], object]
    expected: float
    scale: float = 1.0

    def repeats(self, plan: Plan) -> int:
        """Return the number of calls per timing."""
        return max(1, math.ceil(plan.least / max(self.expected, 1e-7)))

    def rounds(self, plan: Plan) -> int:
        """Return the number of rounds that this contender takes part in."""
        affordable = int(plan.budget / max(self.expected * self.repeats(plan), 1e-7))
        return min(plan.rounds, max(plan.least_rounds, affordable))


@dataclass(frozen=True)
class Times:
    """Seconds per call of one contender, one number for each of its rounds.

    `warm` calls follow one of their own, so that the caches hold the contender's data; `cold` ones
    follow one of another contender, as in a network, whose layers follow each other.
    """

    warm: list[float]
    cold: list[float]


def interleave(
    runners: Sequence[Runner], plan: Plan, clock: Clock, always: Collection[str] = ()
) -> dict[str, Times]:
    """Time all runners in interleaved rounds.

    A round times each of them once, so slow changes (the clock rate of the CPU, other
    processes) affect all alike. The first one changes from round to round. The runners named in
    `always` are in every round, since others are compared with them.

    Returns
    -------
    dict of str to Times
        A contender whose budget is used up misses the last rounds.
    """
    times = {runner.name: Times([], []) for runner in runners}
    previous = None
    gc_enabled = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        for number in range(max(runner.rounds(plan) for runner in runners)):
            first = number % len(runners)
            for runner in (*runners[first:], *runners[:first]):
                if number >= runner.rounds(plan) and runner.name not in always:
                    continue
                if clock.pause and previous not in (None, runner.library):
                    clock.sleep(clock.pause)
                previous = runner.library
                own = times[runner.name]
                own.cold.append(seconds(runner.call, 1, clock) * runner.scale)
                if runner.expected > WARM:
                    own.warm.append(own.cold[-1])
                else:
                    repeats = runner.repeats(plan)
                    own.warm.append(seconds(runner.call, repeats, clock) * runner.scale)
    finally:
        if gc_enabled:
            gc.enable()
    return times


@dataclass(frozen=True)
class Spread:
    """Lower quartile, median and upper quartile of `n` numbers."""

    low: float
    median: float
    high: float
    n: int


def spread(values: Sequence[float]) -> Spread:
    """Compute the quartiles of at least one number.

    Examples
    --------
    >>> spread([4.0, 1.0, 2.0, 3.0, 100.0])
    Spread(low=2.0, median=3.0, high=4.0, n=5)
    """
    if len(values) == 1:
        return Spread(values[0], values[0], values[0], 1)
    low, median, high = statistics.quantiles(values, n=4, method="inclusive")
    return Spread(low, median, high, len(values))


def ratios(reference: Sequence[float], times: Sequence[float]) -> list[float]:
    """Divide the reference times by `times`, round by round.

    `times` may have fewer rounds than the reference.
    """
    return [r / t for r, t in zip(reference, times, strict=False)]
