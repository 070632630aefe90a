"""Exercise: the factor of the loss scaling."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from convlab.check.exercise import Arguments
from convlab.check.exercises.scaling.values import chapter


def _scales(random: Random) -> Iterator[Arguments]:
    """Yield a factor, overflows and an interval, from the simplest on."""
    yield 1024.0, [False], 2
    yield 1024.0, [True], 2
    yield 1.0, [True], 2
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


@loss_scale.mistake(
    "An overflow leaves your factor as it was: halve it, and double nothing in that step."
)
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


@loss_scale.mistake("The factor may have a fraction: `//` cuts it off.")
def scale_cut_off(factor, overflows, interval):
    good = 0
    for overflow in overflows:
        factor, good = (factor // 2, 0) if overflow else (factor, good + 1)
        if good == interval:
            factor, good = factor * 2, 0
    return factor


@loss_scale.mistake("The factor may fall below 1: it has no lower end.")
def scale_at_least_one(factor, overflows, interval):
    good = 0
    for overflow in overflows:
        factor, good = (max(factor / 2, 1.0), 0) if overflow else (factor, good + 1)
        if good == interval:
            factor, good = factor * 2, 0
    return factor


@loss_scale.mistake("It may rise above the factor of the start: it has no upper end.")
def scale_at_most_the_first(factor, overflows, interval):
    first, good = factor, 0
    for overflow in overflows:
        factor, good = (factor / 2, 0) if overflow else (factor, good + 1)
        if good == interval:
            factor, good = min(factor * 2, first), 0
    return factor


@loss_scale.mistake("To double and to halve is to multiply and divide by 2, not to add 2.")
def scale_two_added(factor, overflows, interval):
    good = 0
    for overflow in overflows:
        factor, good = (factor - 2, 0) if overflow else (factor, good + 1)
        if good == interval:
            factor, good = factor + 2, 0
    return factor


@loss_scale.mistake("To double is to multiply by 2, not to square.")
def scale_squared(factor, overflows, interval):
    good = 0
    for overflow in overflows:
        factor, good = (factor / 2, 0) if overflow else (factor, good + 1)
        if good == interval:
            factor, good = factor**2, 0
    return factor


@loss_scale.mistake("After `interval` good steps it is doubled, not multiplied by `interval`.")
def scale_by_interval(factor, overflows, interval):
    return _scaled(factor, overflows, interval, up=interval)


@loss_scale.mistake("After an overflow it is halved, not divided by `interval`.")
def scale_down_by_interval(factor, overflows, interval):
    return _scaled(factor, overflows, interval, down=1 / interval)


@loss_scale.mistake("An overflow halves the factor, it does not make it 0 or 1.")
def scale_down_to_zero(factor, overflows, interval):
    return _scaled(factor, overflows, interval, down=0.0)


@loss_scale.mistake("An overflow halves the factor, it does not make it 0 or 1.")
def scale_down_to_one(factor, overflows, interval):
    good = 0
    for overflow in overflows:
        factor, good = (1.0, 0) if overflow else (factor, good + 1)
        if good == interval:
            factor, good = factor * 2, 0
    return factor


@loss_scale.mistake("Halve and double the factor that you have, not that of the start.")
def scale_from_the_start(factor, overflows, interval):
    first, good = factor, 0
    for overflow in overflows:
        factor, good = (first / 2, 0) if overflow else (factor, good + 1)
        if good == interval:
            factor, good = first * 2, 0
    return factor


@loss_scale.mistake("Each overflow counts, and it matters where in the list it stands.")
def scale_halved_once_at_most(factor, overflows, interval):
    return factor / 2 if any(overflows) else factor * 2 ** (len(overflows) // interval)


@loss_scale.mistake("Each overflow halves, also one that follows directly on another.")
def scale_one_of_a_run(factor, overflows, interval):
    good, before = 0, False
    for overflow in overflows:
        if overflow:
            factor, good = factor if before else factor / 2, 0
        else:
            good += 1
        before = overflow
        if good == interval:
            factor, good = factor * 2, 0
    return factor


@loss_scale.mistake("The last step counts, too.")
def scale_last_step_left_out(factor, overflows, interval):
    return loss_scale.solution(factor, overflows[:-1], interval)


@loss_scale.mistake("The first step counts, too.")
def scale_first_step_left_out(factor, overflows, interval):
    return loss_scale.solution(factor, overflows[1:], interval)


@loss_scale.mistake("Only the first step is followed: is the `return` inside of the loop?")
def scale_first_step_only(factor, overflows, interval):
    return loss_scale.solution(factor, overflows[:1], interval)


@loss_scale.mistake("One factor is asked for, after all steps: return the last.")
def scale_list(factor, overflows, interval):
    return [
        loss_scale.solution(factor, overflows[: n + 1], interval) for n in range(len(overflows))
    ]


@loss_scale.mistake("After an overflow the training goes on: follow the other steps, too.")
def scale_ends_at_an_overflow(factor, overflows, interval):
    end = overflows.index(True) + 1 if True in overflows else len(overflows)
    return loss_scale.solution(factor, overflows[:end], interval)


@loss_scale.mistake("After a doubling the training goes on: follow the other steps, too.")
def scale_ends_at_a_doubling(factor, overflows, interval):
    good = 0
    for overflow in overflows:
        factor, good = (factor / 2, 0) if overflow else (factor, good + 1)
        if good == interval:
            return factor * 2
    return factor


@loss_scale.mistake("You look at the count before the step is counted, so the last comes too late.")
def scale_looked_before(factor, overflows, interval):
    good = 0
    for overflow in overflows:
        if good == interval:
            factor, good = factor * 2, 0
        factor, good = (factor / 2, 0) if overflow else (factor, good + 1)
    return factor


@loss_scale.mistake("The step that doubles starts a new count at 0: it is not counted again.")
def scale_counted_from_one(factor, overflows, interval):
    good = 0
    for overflow in overflows:
        factor, good = (factor / 2, 0) if overflow else (factor, good + 1)
        if good == interval:
            factor, good = factor * 2, 1
    return factor


@loss_scale.mistake("The factor of the start comes back: halve it, and double it.")
def scale_unchanged(factor, overflows, interval):
    return factor


@loss_scale.mistake("Each row of good steps counts, not only the one at the end.")
def scale_last_row_only(factor, overflows, interval):
    row = next((n for n, overflow in enumerate(reversed(overflows)) if overflow), len(overflows))
    return factor / 2 ** sum(overflows) * 2 ** (row // interval)


@loss_scale.mistake("A row of good steps may begin anywhere, not only every `interval` steps.")
def scale_in_blocks(factor, overflows, interval):
    for start in range(0, len(overflows), interval):
        factor = factor / 2 if any(overflows[start : start + interval]) else factor * 2
    return factor


@loss_scale.mistake("The count lives on from step to step: it is set to 0 before the loop.")
def scale_count_set_in_the_loop(factor, overflows, interval):
    return _scaled(factor, overflows, interval, up=2.0 if interval == 1 else 1.0)


@loss_scale.mistake("After an overflow the count starts at 0: the next good step is the first.")
def scale_count_from_minus_one(factor, overflows, interval):
    good = 0
    for overflow in overflows:
        factor, good = (factor / 2, -1) if overflow else (factor, good + 1)
        if good == interval:
            factor, good = factor * 2, 0
    return factor


@loss_scale.mistake("The count starts at 0: the first good step makes it 1.")
def scale_count_starts_at_one(factor, overflows, interval):
    good = 1
    for overflow in overflows:
        factor, good = (factor / 2, 0) if overflow else (factor, good + 1)
        if good == interval:
            factor, good = factor * 2, 0
    return factor
