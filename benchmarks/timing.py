"""Clocks, rounds, medians: how a time is taken. Nothing here knows what is being timed."""

from __future__ import annotations

import gc
import math
import statistics
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Clock:
    """What time is, in seconds, and how long to wait before another library's turn."""

    name: str
    now: Callable[[], float]
    pause: float = 0.0
    sleep: Callable[[float], None] = time.sleep


def clock_for(threads: int) -> Clock:
    """Choose the clock for a number of threads.

    One thread: the CPU time of this process, which does not count the time slices that other
    processes got. More: wall time. There, the workers of OpenBLAS and OpenMP spin for up to
    26 ms after a call in case another one follows; a library whose turn came earlier than that
    would have to share its cores with the one before, hence the pause.
    """
    if threads == 1:
        return Clock("CPU time", time.process_time)
    return Clock("wall clock", time.perf_counter, pause=0.03)


@dataclass(frozen=True)
class Plan:
    """How much is measured, in numbers of rounds and in seconds.

    Parameters
    ----------
    rounds : int
        Each contender is timed at most this often, once per round.
    least_rounds : int
        And at least this often, however long it takes.
    budget : float
        Between the two, as often as fits into this time per contender and case.
    least : float
        One timing repeats a shorter call until it lasts as long as this.
    slow : float
        A contender that would need longer for one call is timed on some of the images, if
        that can be, and its time multiplied.
    part : float
        What is timed of it takes about this long. A contender that goes from kernel to kernel
        is timed on some of these if all would take twice as long.
    hopeless : float
        A contender whose smallest part takes longer than that is left out if the whole would
        take so many times as long as the reference.
    """

    rounds: int = 7
    least_rounds: int = 3
    budget: float = 1.0
    least: float = 2e-3
    slow: float = 2.0
    part: float = 0.3
    hopeless: float = 20.0


# Up to so many seconds, a timing is preceded by a call that is not timed: the caches are full of
# what the one before has left there, and it is not the same one for all. Longer calls do not
# notice.
WARM = 0.05

QUICK = Plan(rounds=2, least_rounds=1, budget=0.2, least=5e-4, slow=0.5, part=0.1)


def seconds(call: Callable[[], object], repeats: int, clock: Clock) -> float:
    """Time `call`: seconds per call, averaged over `repeats` calls in a row."""
    start = clock.now()
    for _ in range(repeats):
        call()
    return (clock.now() - start) / repeats


def estimate(call: Callable[[], object], clock: Clock) -> float:
    """Say roughly how long `call` takes once it is warm.

    The first call is the warm-up, unless it takes so long that no warm-up is to be seen.
    """
    clock.sleep(clock.pause)
    first = seconds(call, 1, clock)
    return first if first > 0.3 else min(seconds(call, 1, clock) for _ in range(3))


@dataclass(frozen=True)
class Runner:
    """A contender ready to be timed.

    `expected` is the rough time of one call, `scale` what its time is multiplied by if it does
    only a part of the work.
    """

    name: str
    library: str
    call: Callable[[], object]
    expected: float
    scale: float = 1.0

    def repeats(self, plan: Plan) -> int:
        """Count the calls that one timing is made of."""
        return max(1, math.ceil(plan.least / max(self.expected, 1e-7)))

    def rounds(self, plan: Plan) -> int:
        """Count the rounds that this contender takes part in."""
        affordable = int(plan.budget / max(self.expected * self.repeats(plan), 1e-7))
        return min(plan.rounds, max(plan.least_rounds, affordable))


def interleave(
    runners: Sequence[Runner], plan: Plan, clock: Clock, always: Collection[str] = ()
) -> dict[str, list[float]]:
    """Time all runners, one round after the other.

    A round times each of them once, so whatever changes slowly (the clock rate of the CPU, a
    neighbour) touches all alike. The one that starts changes from round to round. The runners
    named in `always` are in every round, since others are compared with them.

    Returns
    -------
    dict of list
        Per name the seconds of one call, one number for each round that it was part of: a
        contender whose budget is used up misses the last rounds.
    """
    times: dict[str, list[float]] = {runner.name: [] for runner in runners}
    previous = None
    collecting = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        for number in range(max(runner.rounds(plan) for runner in runners)):
            turn = number % len(runners)
            for runner in (*runners[turn:], *runners[:turn]):
                if number >= runner.rounds(plan) and runner.name not in always:
                    continue
                if clock.pause and previous not in (None, runner.library):
                    clock.sleep(clock.pause)
                previous = runner.library
                if runner.expected <= WARM:
                    runner.call()
                repeats = runner.repeats(plan)
                times[runner.name].append(seconds(runner.call, repeats, clock) * runner.scale)
    finally:
        if collecting:
            gc.enable()
    return times


@dataclass(frozen=True)
class Spread:
    """The middle of some numbers: lower quartile, median, upper quartile."""

    low: float
    median: float
    high: float
    n: int


def spread(values: Sequence[float]) -> Spread:
    """Give the quartiles of at least one number.

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
    """Divide round by round: above 1 where `times` are shorter than the reference.

    `times` may have fewer rounds than the reference, from the first one on.
    """
    return [r / t for r, t in zip(reference, times, strict=False)]
