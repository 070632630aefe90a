"""The factor of the loss scaling."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from convlab.check.exercise import Arguments
from convlab.check.exercises.scaling.values import chapter


def _scales(random: Random) -> Iterator[Arguments]:
    """Yield a factor, overflows and an interval, from the simplest on."""
    yield 1024.0, [False], 2
    yield 1024.0, [True], 2
    yield 1024.0, [False, False], 2
    yield 1024.0, [True, True], 2
    yield 1024.0, [False, False, False], 2
    yield 1024.0, [False, True, False], 2
    yield 1024.0, [False] * 4, 2
    yield 8.0, [], 3
    for _ in range(40):
        steps = [random.random() < 0.2 for _ in range(random.randint(1, 20))]
        yield 2.0 ** random.randint(0, 16), steps, random.randint(1, 5)


@chapter.code(
    title="The factor of the loss scaling",
    minutes=10,
    text="Follow the factor of a `GradScaler`. `overflows` is a list with a bool for each step, "
    "in order: whether a gradient overflowed. Where it did, the factor is halved. After "
    "`interval` good steps in a row it is doubled, and the count starts again. Return the factor "
    "after all steps.",
    cases=_scales,
    hints=[
        "Besides the factor, a number must be remembered from step to step.",
        "What happens to the count of good steps when a gradient overflows? And after doubling?",
    ],
    explanation="So the factor stays just below what overflows, without anyone choosing it.",
)
def loss_scale(factor, overflows, interval):
    """Return the factor after all steps."""
    good = 0
    for overflow in overflows:
        if overflow:
            factor, good = factor / 2, 0
        else:
            good += 1
        if good == interval:
            factor, good = factor * 2, 0
    return factor


def _scaled(factor, overflows, interval, down=0.5, up=2.0, restart=(True, True), late=0):
    """Follow the factor; `restart` of the count: after an overflow, after a doubling."""
    good = 0
    for overflow in overflows:
        if overflow:
            factor, good = factor * down, 0 if restart[0] else good
            continue
        good += 1
        if good == interval + late or (good > interval and not restart[1] and late == 0):
            factor, good = factor * up, 0 if restart[1] else good
    return factor


@loss_scale.mistake("An overflow ends the row of good steps: the count starts again.")
def scale_count_survives(factor, overflows, interval):
    return _scaled(factor, overflows, interval, restart=(False, True))


@loss_scale.mistake("After a doubling the count starts again. Yours goes on.")
def scale_count_goes_on(factor, overflows, interval):
    return _scaled(factor, overflows, interval, restart=(True, False))


@loss_scale.mistake("A single doubling is not the end: after it the count starts again.")
def scale_doubled_once(factor, overflows, interval):
    good = 0
    for overflow in overflows:
        good = 0 if overflow else good + 1
        factor = factor / 2 if overflow else factor * 2 if good == interval else factor
    return factor


@loss_scale.mistake("It is doubled after `interval` good steps in a row, not after each one.")
def scale_doubled_each_time(factor, overflows, interval):
    return _scaled(factor, overflows, 1)


@loss_scale.mistake("After many good steps the factor grows again.")
def scale_never_doubled(factor, overflows, interval):
    return _scaled(factor, overflows, interval, up=1.0)


@loss_scale.mistake("When a gradient overflows, the factor was too large: halve it.")
def scale_never_halved(factor, overflows, interval):
    return _scaled(factor, overflows, interval, down=1.0)


@loss_scale.mistake("You double too late: after `interval` good steps, not after one more.")
def scale_one_step_late(factor, overflows, interval):
    return _scaled(factor, overflows, interval, late=1)


@loss_scale.mistake("You double too early: after `interval` good steps.")
def scale_one_step_early(factor, overflows, interval):
    return _scaled(factor, overflows, interval, late=-1)


@loss_scale.mistake("It is the other way round: an overflow makes the factor smaller.")
def scale_turned(factor, overflows, interval):
    return _scaled(factor, overflows, interval, down=2.0, up=0.5)


@loss_scale.mistake("True in the list means that a gradient did overflow.")
def scale_condition_turned(factor, overflows, interval):
    return _scaled(factor, [not overflow for overflow in overflows], interval)


@loss_scale.mistake("A step with an overflow is no good step: do not count it.")
def scale_overflow_counted(factor, overflows, interval):
    good = 0
    for overflow in overflows:
        factor, good = (factor / 2, 1) if overflow else (factor, good + 1)
        if good == interval:
            factor, good = factor * 2, 0
    return factor


@loss_scale.mistake("A row of good steps is wanted: an overflow ends it, and is none of them.")
def scale_every_step_counted(factor, overflows, interval):
    for step, overflow in enumerate(overflows, 1):
        factor = (factor / 2 if overflow else factor) * (2 if step % interval == 0 else 1)
    return factor


@loss_scale.mistake("Doubling belongs into the loop: it may happen several times.")
def scale_doubled_at_the_end(factor, overflows, interval):
    good = 0
    for overflow in overflows:
        factor, good = (factor / 2, 0) if overflow else (factor, good + 1)
    return factor * 2 if good >= interval else factor


@loss_scale.mistake("Do the steps count from the first on? It takes a row without an overflow.")
def scale_steps_counted(factor, overflows, interval):
    for step, overflow in enumerate(overflows, 1):
        if overflow:
            factor = factor / 2
        elif step % interval == 0:
            factor = factor * 2
    return factor
