"""Exercises that check themselves: generated cases, and hints for known mistakes.

`check` tries an answer on cases that it generates, and returns the smallest counterexample. It
compares the answer with wrong solutions, too, and gives the hint that belongs to the one that the
answer resembles. Each exercise has a function of its own name:

>>> from convlab import check
>>> def output_size(size, kernel_size, stride, padding, dilation):
...     return (size + 2 * padding - kernel_size) // stride + 1
>>> check.output_size(output_size).mistake
'dilation_forgotten'
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import Any

from convlab.check.checking import check_answer
from convlab.check.exercise import CodeExercise, Exercise, Mistake, SearchExercise, ValueExercise
from convlab.check.result import Result

CHAPTERS = (
    "math",
    "parameters",
    "shapes",
    "padding",
    "groups",
    "dilation",
    "pooling",
    "gradients",
    "init",
    "normalization",
    "architectures",
    "inside",
    "training",
    "algorithms",
    "scaling",
    "conventions",
)
"""Names of the chapters with exercises, in the order of the book."""

EXERCISES: dict[str, Exercise] = {
    exercise.id: exercise
    for chapter in CHAPTERS
    for exercise in import_module(f"convlab.check.exercises.{chapter}").chapter.exercises.values()
}
"""All exercises, by id, in the order of the book."""

__all__ = [
    "CHAPTERS",
    "EXERCISES",
    "CodeExercise",
    "Exercise",
    "Mistake",
    "Result",
    "SearchExercise",
    "ValueExercise",
    "check",
]


def check(exercise_id: str, answer: Any, *, seconds: float = 10.0) -> Result:
    """Check an answer to an exercise.

    Parameters
    ----------
    exercise_id : str
        A key of `EXERCISES`.
    answer : callable, number, str or tuple
        The function that was to be written, or the value that was to be found.
    seconds : float
        Time for all calls of a function together; it is interrupted when they are over.

    Returns
    -------
    Result
        Whether the answer is right; or the smallest counterexample, and the hint for a mistake that
        was recognized. It prints as text, and shows as a card in a notebook.

    Raises
    ------
    KeyError
        If there is no such exercise.
    ValueError
        If `seconds` is not positive.
    ModuleNotFoundError
        If the exercise is about PyTorch, which is not installed.

    Notes
    -----
    An error in the function is part of the result. The function runs in a thread, with copies of
    the arguments; what it prints is kept, and the random number generators are left as they were.

    Examples
    --------
    >>> check("same_padding", lambda kernel_size, dilation: (kernel_size // 2, kernel_size // 2))
    ... # doctest: +ELLIPSIS
    not yet: same_padding
      same_padding(kernel_size=2, dilation=1): yours is (1, 1); right is (0, 1).
      Hint: ...
    """
    if exercise_id not in EXERCISES:
        raise KeyError(f"there is no exercise {exercise_id!r}; they are the keys of EXERCISES")
    if not seconds > 0:
        raise ValueError(f"seconds must be positive, got {seconds}")
    return check_answer(EXERCISES[exercise_id], answer, seconds)


def __getattr__(name: str) -> Callable[..., Result]:
    if name not in EXERCISES:
        raise AttributeError(f"module 'convlab.check' has no attribute {name!r}")
    return partial(check, name)


def __dir__() -> list[str]:
    return sorted([*globals(), *EXERCISES])
