"""Recognize the mistake in a wrong function by its results, or the argument that decides."""

from __future__ import annotations

import copy
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from random import Random
from typing import Any

import numpy as np

from convlab.check.comparing import difference
from convlab.check.exercise import Arguments, CodeExercise, Function, Mistake
from convlab.check.generic import generic_mistake
from convlab.check.running import Outcome, run_calls

_SHAPE_ERRORS = {ValueError, RuntimeError}  # of NumPy and of PyTorch, for shapes that do not fit
_TYPE_ERRORS = {TypeError, AttributeError}
_UNCERTAIN = 3
_MOST = 0.55  # of the wrong cases; mistakes that explain fewer are the wrong ones as often as not
_FEW = 2  # cases from which nothing is concluded if there are fewer
_TYPE_NAME = re.compile(r"\b(NoneType|int|float|bool|tuple|list|str)\b")


@cache
def cases_of(exercise: CodeExercise) -> tuple[Arguments, ...]:
    """Return the arguments of all calls that a check makes, the simplest first."""
    return tuple(map(_without_sharing, exercise.cases(Random(0))))


def _without_sharing(arguments: Arguments) -> Arguments:
    """Return arguments of which no two are the same array."""
    return tuple(copy.copy(one) if isinstance(one, np.ndarray) else one for one in arguments)


@cache
def outcomes_of(exercise: CodeExercise, function: Function) -> list[Outcome]:
    """Return the outcomes of the solution or of a mistake, which runs once in a process."""
    outcomes = run_calls(function, cases_of(exercise), None, exercise.result)
    for outcome in outcomes:
        if outcome.error is not None:
            outcome.error.__traceback__ = None  # it would keep the frames alive
    return outcomes


@cache
def wrong_cases(exercise: CodeExercise, function: Function) -> set[int]:
    """Return the cases in which a mistake shows."""
    pairs = zip(
        outcomes_of(exercise, function), outcomes_of(exercise, exercise.solution), strict=False
    )
    return {i for i, (theirs, right) in enumerate(pairs) if not agrees(theirs, right)}


def agrees(outcome: Outcome, other: Outcome) -> bool:
    """Return whether two calls have returned the same, or failed for what seems the same cause."""
    if outcome.error is not None or other.error is not None:
        return _same_cause(outcome.error, other.error)
    return difference(outcome.value, other.value) is None


def _same_cause(error: BaseException | None, other: BaseException | None) -> bool:
    """Return whether two errors seem to have the same cause.

    A wrong type shows in many messages: it must be named in both.
    """
    kinds = {type(error), type(other)}
    if kinds <= _TYPE_ERRORS:
        names, other_names = (
            set(_TYPE_NAME.findall(str(error))),
            set(_TYPE_NAME.findall(str(other))),
        )
        if "NoneType" in names | other_names:
            return "NoneType" in names & other_names
        return str(error) == str(other) or bool(names & other_names)
    return len(kinds) == 1 or kinds == _SHAPE_ERRORS


def recognize(
    exercise: CodeExercise, function: Any, outcomes: Sequence[Outcome], wrong: Sequence[int]
) -> tuple[Mistake | None, int]:
    """Return the mistake that an answer shows, and the simplest case in which it does.

    The first of: a mistake with the same results in all cases; one of programming; a mistake that
    explains all wrong cases; one whose results the answer has wherever they are wrong, so that
    other cases show another; one that explains the simplest wrong case, and most of the others, or
    all of those in which an argument has a simple value, so that another is made with the others.
    The hint for the last is a guess, and begins with "Perhaps".

    Parameters
    ----------
    exercise : CodeExercise
        The exercise.
    function : callable
        The answer.
    outcomes : sequence of Outcome
        What it gave in each of the cases.
    wrong : sequence of int
        The cases in which this is not right.
    """
    right = outcomes_of(exercise, exercise.solution)
    ranked: list[tuple[int, int, int, Mistake, int]] = []
    if generic := generic_mistake(function, outcomes, right):
        ranked.append((0, 0, 0, generic, wrong[0]))
    for mistake in exercise.mistakes:
        theirs = outcomes_of(exercise, mistake.answer)
        differs = {i for i in wrong_cases(exercise, mistake.answer) if i < len(outcomes)}
        same = {i for i in wrong if i in differs and agrees(outcomes[i], theirs[i])}
        if same == set(wrong) == differs:
            return mistake, wrong[0]
        if same == set(wrong):
            rank = 1
        elif same == differs:
            rank = 2
        elif wrong[0] in same and (
            len(same) >= _MOST * len(wrong)
            or _is_one_of_several(exercise, same, (set(wrong) | differs) - same)
        ):
            rank = _UNCERTAIN
        else:
            continue
        if same:
            ranked.append((rank, -len(same), len(ranked), mistake, min(same)))
    if not ranked:
        return None, wrong[0]
    rank, *_, mistake, simplest = min(ranked)
    if rank == _UNCERTAIN:
        mistake = replace(mistake, hint=f"Perhaps: {mistake.hint}")
    return mistake, simplest


def _is_one_of_several(exercise: CodeExercise, same: set[int], other: set[int]) -> bool:
    """Return whether a mistake explains all cases in which an argument has a simple value.

    `same` are the wrong cases that it explains, `other` those that it does not.
    """
    return any(
        len(simple & same) > _FEW and simple.isdisjoint(other)
        for simple in _simple_cases(exercise).values()
    )


def localize(exercise: CodeExercise, wrong: Sequence[int]) -> str | None:
    """Return a sentence on the argument that decides whether an answer is right, or None.

    The answer is right in all cases in which an argument has a simple value, and wrong in
    most of the others. Of several arguments, the one with the largest share counts.
    """
    count = len(cases_of(exercise))
    best = (0.5, count)  # of shares, and of simple cases
    sentence = None
    for feature, simple in _simple_cases(exercise).items():
        others = count - len(simple)
        if len(simple) < _FEW or not simple.isdisjoint(wrong) or others < _FEW:
            continue
        if (len(wrong) / others, len(simple)) > best:
            best = (len(wrong) / others, len(simple))
            sentence = (
                f"It is right in all {len(simple)} cases with {feature}, and wrong in "
                f"{len(wrong)} of the {others} others."
            )
    return sentence


@cache
def _simple_cases(exercise: CodeExercise) -> dict[str, set[int]]:
    """Return what may be special about arguments, in words, and the cases in which it is."""
    simple = defaultdict[str, set[int]](set)
    for i, arguments in enumerate(cases_of(exercise)):
        for feature, holds in _features(exercise, arguments):
            if holds:
                simple[feature].add(i)
    return simple


def _features(exercise: CodeExercise, arguments: Arguments) -> Iterator[tuple[str, bool]]:
    """Yield what may be special about the arguments of a case, in words, and whether it is."""
    for name, value in zip(exercise.parameters, arguments, strict=False):
        yield f"`{name}=None`", value is None
        if isinstance(value, bool):
            yield f"`{name}={value}`", True
        elif isinstance(value, int):
            yield f"`{name}={value}`", value in (0, 1)
            yield f"an odd `{name}`", value % 2 == 1
            yield f"an even `{name}`", value % 2 == 0
        elif hasattr(value, "shape"):
            yield f"an array `{name}`", True
            yield from _features_of_shape(name, tuple(value.shape))
        elif isinstance(value, list | tuple) and value:
            yield f"one entry in `{name}`", len(value) == 1
            yield f"at most two entries in `{name}`", len(value) <= 2
            yield from _features_of_rows(name, value)


def _features_of_shape(name: str, shape: tuple[int, ...]) -> Iterator[tuple[str, bool]]:
    for axis, size in enumerate(shape):
        yield f"`{name}.shape[{axis}] == 1`", size == 1
    if len(shape) > 1:
        yield f"`{name}.shape[-2] == {name}.shape[-1]`", shape[-2] == shape[-1]


def _features_of_rows(name: str, rows: Sequence[Any]) -> Iterator[tuple[str, bool]]:
    """Yield what all rows, such as (kernel, stride, dilation), have in common."""
    if all(isinstance(row, tuple) and len(row) == len(rows[0]) for row in rows):
        for place in range(len(rows[0])):
            ones = all(row[place] == 1 for row in rows)
            yield f"`{name}[i][{place}] == 1` for all `i`", ones
