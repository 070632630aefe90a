"""Exercises: task, blank, solution, and wrong solutions with their hints.

The exercises of a chapter stand in one module of `convlab.check.exercises`. There, a `Chapter`
collects them: functions that are decorated with `Chapter.code` are solutions, and those decorated
with `CodeExercise.mistake` are wrong ones.
"""

from __future__ import annotations

import ast
import inspect
import math
import textwrap
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convlab._require import require

Arguments = tuple[Any, ...]
Function = Callable[..., Any]


@dataclass(frozen=True)
class Mistake:
    """A wrong answer that learners are known to give.

    Attributes
    ----------
    id : str
        Name of the mistake, unique in its exercise.
    hint : str
        A sentence that leads towards the right answer.
    answer : callable or value
        The wrong function, or the wrong value.
    """

    id: str
    hint: str
    answer: Any


@dataclass(frozen=True, kw_only=True, eq=False)
class Exercise:
    """What exercises of all kinds have.

    Attributes
    ----------
    id : str
        Name, unique in the book; for a function to write, its name.
    chapter : str
        Name of the chapter's page.
    title : str
        Heading.
    minutes : int
        Time that a learner may need.
    text : str
        The task, in Markdown.
    hints : sequence of str
        Hints on demand, from the first nudge to the last step.
    explanation : str
        What to take away, in Markdown; shown with the solution, and after success.
    mistakes : list of Mistake
        Known wrong answers.
    """

    id: str
    chapter: str
    title: str
    minutes: int
    text: str
    hints: Sequence[str]
    explanation: str = ""
    mistakes: list[Mistake] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True, eq=False)
class CodeExercise(Exercise):
    """A function to write.

    Attributes
    ----------
    solution : callable
        A right function.
    cases : callable
        ``cases(random)`` yields the arguments of each call that a check makes, the simplest first.
    imports : str
        Imports that the function needs, one a line. Those of PyTorch stand in the module of the
        exercise only below ``if TYPE_CHECKING``, so that other exercises need NumPy alone.
    result : callable, optional
        Makes of the arguments after the call, and of what was returned, the value to compare. By
        default it is what was returned.
    """

    solution: Function
    cases: Callable[[Random], Iterable[Arguments]]
    imports: str = ""
    result: Callable[[Arguments, Any], Any] | None = None

    def mistake(self, hint: str) -> Callable[[Function], Function]:
        """Return a decorator that enters a function as a known wrong solution."""

        def enter(function: Function) -> Function:
            self.mistakes.append(Mistake(function.__name__, hint, function))
            return function

        return enter

    @property
    def needs_torch(self) -> bool:
        """Whether the exercise is about PyTorch."""
        return "torch" in self.imports

    def load_imports(self) -> None:
        """Run the imports in the module of the exercise."""
        if self.needs_torch:
            require("torch", needed_by=f"the exercise {self.id}")
            exec(self.imports, self.solution.__globals__)

    @property
    def parameters(self) -> list[str]:
        """Names of the parameters of the function."""
        return list(inspect.signature(self.solution).parameters)

    @property
    def solution_source(self) -> str:
        """Source of the solution, with its imports."""
        return self._with_imports(_source(self.solution))

    @property
    def blank_source(self) -> str:
        """Source of the solution with ``...`` in place of the body, with its imports."""
        source = _source(self.solution)
        function = ast.parse(source).body[0]
        assert isinstance(function, ast.FunctionDef)
        first = function.body[0]
        documented = ast.get_docstring(function) is not None
        lines = source.splitlines()[: first.end_lineno if documented else first.lineno - 1]
        return self._with_imports("\n".join([*lines, "    ..."]))

    def _with_imports(self, source: str) -> str:
        return f"{self.imports}\n\n\n{source}" if self.imports else source


@dataclass(frozen=True, kw_only=True, eq=False)
class ValueExercise(Exercise):
    """A value to work out with a pencil, or what a piece of code prints.

    Attributes
    ----------
    answer : int, float, tuple of these, or str
        The right answer: numbers, row by row, or one of the `choices`.
    choices : sequence of str
        Possible answers, if the learner is to choose.
    tolerance : float
        Largest difference of a number from the right one.
    code : str
        Code whose output is to be predicted, in a prediction.
    """

    answer: int | float | str | tuple[int | float, ...]
    choices: Sequence[str] = ()
    tolerance: float = 0.0
    code: str = ""

    @property
    def numbers(self) -> tuple[int | float, ...]:
        """The numbers of the answer; empty if it is chosen."""
        if isinstance(self.answer, str):
            return ()
        return self.answer if isinstance(self.answer, tuple) else (self.answer,)


@dataclass(frozen=True, kw_only=True, eq=False)
class SearchExercise(Exercise):
    """A value to find that has a property, such as an input on which a function is wrong.

    Attributes
    ----------
    objection : callable
        ``objection(answer)`` returns None for a right answer, and otherwise what is wrong with it.
    example : value
        A right answer.
    """

    objection: Callable[[Any], str | None]
    example: Any


def random_array(random: Random, *shape: int, low: int = -3, high: int = 3) -> NDArray[np.float64]:
    """Return an array of random whole numbers, with which sums are exact in any order.

    Examples
    --------
    >>> random_array(Random(0), 2, 3).tolist()
    [[3.0, 0.0, 3.0], [0.0, -3.0, -1.0]]
    """
    numbers = [random.randint(low, high) for _ in range(math.prod(shape))]
    return np.array(numbers, dtype=np.float64).reshape(shape)


class Chapter:
    """The exercises of a chapter, in their order.

    Parameters
    ----------
    name : str
        Name of the chapter's page.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.exercises: dict[str, Exercise] = {}

    def code(
        self, *, cases: Callable[[Random], Iterable[Arguments]], **about: Any
    ) -> Callable[[Function], CodeExercise]:
        """Return a decorator that makes of a solution an exercise with the name of the function."""

        def enter(solution: Function) -> CodeExercise:
            exercise = CodeExercise(
                id=solution.__name__, chapter=self.name, solution=solution, cases=cases, **about
            )
            self._enter(exercise)
            return exercise

        return enter

    def value(self, id: str, *, mistakes: Sequence[tuple[str, Any, str]], **about: Any) -> None:
        """Enter a value to work out; a mistake is an id, a wrong value, and a hint."""
        known = [Mistake(name, hint, value) for name, value, hint in mistakes]
        self._enter(ValueExercise(id=id, chapter=self.name, mistakes=known, **about))

    def search(self, id: str, *, mistakes: Sequence[tuple[str, Any, str]], **about: Any) -> None:
        """Enter a value to find; a mistake is an id, a wrong value, and a hint."""
        known = [Mistake(name, hint, value) for name, value, hint in mistakes]
        self._enter(SearchExercise(id=id, chapter=self.name, mistakes=known, **about))

    def _enter(self, exercise: Exercise) -> None:
        if exercise.id in self.exercises:
            raise ValueError(f"the chapter {self.name} has two exercises {exercise.id!r}")
        self.exercises[exercise.id] = exercise


def _source(function: Function) -> str:
    """Return the source of a function without its decorators."""
    source = textwrap.dedent(inspect.getsource(function))
    definition = ast.parse(source).body[0]
    return "\n".join(source.splitlines()[definition.lineno - 1 :])
