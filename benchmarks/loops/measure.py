"""Time the trainings of all contenders in interleaved rounds, each with another one first."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from benchmarks import machine
from benchmarks.loops.contenders import PLAIN, Contender, Train
from benchmarks.loops.device import wait
from benchmarks.loops.task import Task
from benchmarks.timing import ratios, spread
from convlab.results.store import rounded
from convlab.results.training import Row

EPOCHS = 2  # of a training: the first one to warm up, the second one to be measured
PAUSE = 0.1  # seconds between two trainings: threads of the one before come to rest


@dataclass(frozen=True)
class Timing:
    """Images per second in one training, and the losses that it reported."""

    first: float  # first epoch, with all that comes before it
    later: float
    losses: tuple[float, ...]
    others: float | None


def timing(train: Train, task: Task, now: Callable[[], float] = time.perf_counter) -> Timing:
    """Train for `EPOCHS`, and measure the time of each."""
    losses: list[float] = []

    def ended(loss: float) -> None:
        wait(task.device)
        marks.append(now())
        losses.append(loss)

    gc.collect()
    with machine.Others() as others:
        wait(task.device)
        marks = [now()]
        train(task, EPOCHS, ended)
    if len(losses) != EPOCHS:
        raise RuntimeError(f"{EPOCHS} epochs were asked for, {len(losses)} came")
    later = task.count * (EPOCHS - 1) / (marks[-1] - marks[1])
    return Timing(task.count / (marks[1] - marks[0]), later, tuple(losses), others.cores)


def interleave(
    contenders: Sequence[Contender], task: Task, rounds: int
) -> Iterator[tuple[str, Timing | Exception]]:
    """Yield the timing of each training, round by round.

    Everything that changes slowly touches all contenders alike. One that fails is not asked
    again.
    """
    failed = set()
    for number in range(rounds):
        turn = number % len(contenders)
        for contender in (*contenders[turn:], *contenders[:turn]):
            if number >= contender.rounds or contender.name in failed:
                continue
            time.sleep(PAUSE)
            try:
                yield contender.name, timing(contender.train(), task)
            except Exception as error:  # somebody else's trainer must not end the measurement
                failed.add(contender.name)
                yield contender.name, error


def row(
    contender: Contender, timings: dict[str, list[Timing]], task: Task, threads: int
) -> Row:  # fmt: skip
    """Summarize the timings of one contender."""
    speeds = {name: [timing.later for timing in found] for name, found in timings.items()}
    mine, own = timings[contender.name], speeds[contender.name]
    speed = spread(own)
    # `ratios` divides times, and an image per second is one over a time.
    ratio = spread(ratios(own, speeds[PLAIN]))
    compared = speeds.get(contender.base or "")
    base = spread(ratios(own, compared)) if compared else None
    known = [timing.others for timing in mine if timing.others is not None]
    return Row(
        network=task.network, contender=contender.name, base=contender.base,
        change=contender.change, precision=contender.precision, device=task.device,
        threads=threads, batch=task.batch, images=task.count,
        images_per_second=rounded(speed.median), images_per_second_low=rounded(speed.low),
        images_per_second_high=rounded(speed.high), mean=rounded(statistics.fmean(own)),
        deviation=rounded(statistics.stdev(own)) if len(own) > 1 else None, n=speed.n,
        ratio=rounded(ratio.median), ratio_low=rounded(ratio.low), ratio_high=rounded(ratio.high),
        base_ratio=rounded(base.median) if base else None,
        base_ratio_low=rounded(base.low) if base else None,
        base_ratio_high=rounded(base.high) if base else None,
        first_epoch=rounded(statistics.median(timing.first for timing in mine)),
        first_epoch_ever=rounded(mine[0].first), rounds=[rounded(value) for value in own],
        others=rounded(max(known)) if known else None,
    )  # fmt: skip
