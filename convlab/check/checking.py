"""Check an answer: try it on generated cases, and recognize known mistakes."""

from __future__ import annotations

import inspect
import traceback
from collections.abc import Sequence
from functools import partial
from typing import Any

from convlab.check.comparing import difference, show
from convlab.check.exercise import (
    Arguments,
    CodeExercise,
    Exercise,
    Mistake,
    SearchExercise,
    ValueExercise,
)
from convlab.check.generic import does_nothing
from convlab.check.parsing import parse_like, parse_numbers
from convlab.check.recognition import agrees, cases_of, localize, outcomes_of, recognize
from convlab.check.result import Result
from convlab.check.running import Outcome, TooSlow, run_calls


def check_answer(exercise: Exercise, answer: Any, seconds: float) -> Result:
    """Check an answer to an exercise, within a number of seconds."""
    if answer is None or answer is ...:
        return Result(
            exercise.id, False, "There is no answer yet: replace the `...`.", is_blank=True
        )
    if isinstance(exercise, CodeExercise):
        return _check_function(exercise, answer, seconds)
    if isinstance(exercise, ValueExercise):
        return _check_value(exercise, answer)
    assert isinstance(exercise, SearchExercise)
    return _check_search(exercise, answer, seconds)


def _check_function(exercise: CodeExercise, function: Any, seconds: float) -> Result:
    exercise.load_imports()
    calls = cases_of(exercise)
    if complaint := _not_callable(exercise, function, calls[0]):
        return Result(exercise.id, False, complaint)
    if does_nothing(function):
        message = f"{exercise.id} returns nothing yet: replace the `...` by its body."
        return Result(exercise.id, False, message, is_blank=True)
    outcomes = run_calls(function, calls, seconds, exercise.result)
    right = outcomes_of(exercise, exercise.solution)
    wrong = [i for i, outcome in enumerate(outcomes) if not agrees(outcome, right[i])]
    if not wrong:
        text = f"right in all {len(calls)} cases{_changes(exercise, outcomes)}"
        return Result(exercise.id, True, _praise(text, exercise))
    mistake, simplest = recognize(exercise, function, outcomes, wrong)
    message = _counterexample(exercise, calls[simplest], outcomes[simplest], right[simplest])
    if mistake is None and len(outcomes) == len(calls):
        return Result(exercise.id, False, message, hint=localize(exercise, wrong))
    return _result(exercise, message, mistake)


def _result(exercise: Exercise, message: str, mistake: Mistake | None) -> Result:
    known = (None, None) if mistake is None else (mistake.id, mistake.hint)
    return Result(exercise.id, False, message, *known)


def _changes(exercise: CodeExercise, outcomes: Sequence[Outcome]) -> str:
    """Return a remark on arguments that a right answer has changed."""
    changed = {place for outcome in outcomes for place in outcome.changed}
    names = " and ".join(f"`{exercise.parameters[place]}`" for place in sorted(changed))
    verb = "are" if len(changed) > 1 else "is"
    return f"; but {names} of the caller {verb} changed: work on a copy" if names else ""


def _praise(text: str, exercise: Exercise) -> str:
    sentence = f"{text[0].upper()}{text[1:]}."
    return f"{sentence}\n{exercise.explanation}" if exercise.explanation else sentence


def _not_callable(exercise: CodeExercise, function: Any, arguments: Arguments) -> str | None:
    expected = f"{exercise.id}({', '.join(exercise.parameters)})"
    if not callable(function):
        return f"the answer must be a function, {expected}; yours is {show(function)}"
    try:
        inspect.signature(function).bind(*arguments)
    except TypeError as error:
        return f"the function is called as {expected}, and yours does not allow it: {error}"
    except ValueError:  # some functions written in C have no signature
        pass
    return None


def _counterexample(
    exercise: CodeExercise, arguments: Arguments, outcome: Outcome, right: Outcome
) -> str:
    named = dict(zip(exercise.parameters, arguments, strict=False))
    words = ", ".join(f"{name}={show(value)}" for name, value in named.items())
    call = f"{exercise.id}({words})"
    if isinstance(outcome.error, TooSlow):
        text = f"{call} had not returned when the time was over: is there a loop without an end?"
    elif outcome.error is not None:
        text = f"{call} raised {_describe(outcome.error)}"
    else:
        text = f"{call}: {difference(outcome.value, right.value)}."
    return f"{text}\nIt printed: {outcome.printed.rstrip()}" if outcome.printed else text


def _describe(error: BaseException) -> str:
    """Return the class, the message, and the learner's line of an error."""
    frames = traceback.extract_tb(error.__traceback__)[1:]  # without the call in `running`
    line = next((frame for frame in reversed(frames) if frame.line), None)
    where = f", in `{line.line}`" if line is not None else ""
    message = f": {error}" if str(error) else ""
    return f"{type(error).__name__}{message}{where}"


def _check_value(exercise: ValueExercise, answer: Any) -> Result:
    if exercise.choices:
        if answer not in exercise.choices:
            return Result(exercise.id, False, f"Choose one of: {', '.join(exercise.choices)}.")
        is_same = answer.__eq__
    else:
        try:
            numbers = parse_numbers(answer, single=len(exercise.numbers) == 1)
        except ValueError as error:
            return Result(exercise.id, False, str(error))
        is_same = partial(_same_numbers, numbers, exercise.tolerance)
    if is_same(exercise.answer):
        return Result(exercise.id, True, _praise(f"{show(exercise.answer)} is right", exercise))
    mistake = next((m for m in exercise.mistakes if is_same(m.answer)), None)
    message = f"{show(answer)} is not right."
    if not exercise.choices and mistake is None and len(numbers) != len(exercise.numbers):
        message = f"The answer has {_count(len(exercise.numbers))}, and yours {len(numbers)}."
    return _result(exercise, message, mistake)


def _count(numbers: int) -> str:
    return "one number" if numbers == 1 else f"{numbers} numbers"


def _same_numbers(given: Sequence[float], tolerance: float, right: Any) -> bool:
    expected = right if isinstance(right, tuple) else (right,)
    return len(given) == len(expected) and all(
        _is_near(one, other, tolerance) for one, other in zip(given, expected, strict=True)
    )


def _is_near(given: float, right: float, tolerance: float) -> bool:
    try:
        return abs(given - right) <= tolerance + 1e-9 * abs(right)
    except OverflowError:  # an int that is larger than all floats
        return False


def _check_search(exercise: SearchExercise, answer: Any, seconds: float) -> Result:
    try:
        answer = parse_like(answer, exercise.example)
    except ValueError as error:
        return Result(exercise.id, False, str(error))
    outcome = run_calls(exercise.objection, [(answer,)], seconds)[0]
    if isinstance(outcome.error, TooSlow):
        return Result(exercise.id, False, "It takes too long to check this answer.")
    if outcome.error is not None:
        message = f"{show(answer)} does not fit the task: {outcome.error}"
        return Result(exercise.id, False, message)
    if outcome.value is None:
        return Result(exercise.id, True, _praise(f"{show(answer)} does it", exercise))
    mistake = next((m for m in exercise.mistakes if difference(answer, m.answer) is None), None)
    return _result(exercise, f"{show(answer)}: {outcome.value}", mistake)
