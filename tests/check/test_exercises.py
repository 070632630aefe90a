"""Tests of all exercises: the blank fails kindly, the solution passes, mistakes get their hints."""

import contextlib
import io
import json
import subprocess
import sys

import numpy as np
import pytest
import torch
from torch import nn

from convlab import check
from convlab.check import CHAPTERS, EXERCISES, CodeExercise, SearchExercise, ValueExercise

CODE = [name for name, exercise in EXERCISES.items() if isinstance(exercise, CodeExercise)]
VALUES = [name for name, exercise in EXERCISES.items() if not isinstance(exercise, CodeExercise)]
PREDICTIONS = [name for name in VALUES if getattr(EXERCISES[name], "code", "")]
MISTAKES = [(name, mistake.id) for name in EXERCISES for mistake in EXERCISES[name].mistakes]


def defined(source, name):
    namespace = {}
    exec(source, namespace)
    return namespace[name]


@pytest.mark.parametrize("name", EXERCISES)
def test_an_exercise_is_complete(name):
    exercise = EXERCISES[name]
    assert exercise.id == name
    assert name.isidentifier()
    assert exercise.chapter in CHAPTERS
    assert all([exercise.title, exercise.text, exercise.hints, exercise.explanation])
    assert 1 <= exercise.minutes <= 60
    ids = [mistake.id for mistake in exercise.mistakes]
    assert len(set(ids)) == len(ids) >= (5 if name in CODE else 2)
    hints = [mistake.hint for mistake in exercise.mistakes]
    assert all(hint.endswith((".", "?", "!")) for hint in [*hints, *exercise.hints])


@pytest.mark.parametrize("name", EXERCISES)
def test_without_an_answer_it_says_what_to_do(name):
    result = check.check(name, ...)
    assert (result.passed, result.is_blank) == (False, True)
    assert "replace the `...`" in result.message


@pytest.mark.parametrize("name", CODE)
def test_the_blank_fails_kindly(name):
    result = check.check(name, defined(EXERCISES[name].blank_source, name))
    assert (result.passed, result.is_blank, result.mistake) == (False, True, None)
    assert result.message == f"{name} returns nothing yet: replace the `...` by its body."


@pytest.mark.parametrize("name", CODE)
def test_the_shown_solution_is_right(name):
    result = check.check(name, defined(EXERCISES[name].solution_source, name))
    assert result, result
    assert EXERCISES[name].explanation in result.message


@pytest.mark.parametrize("name", VALUES)
def test_the_right_value_is_accepted(name):
    exercise = EXERCISES[name]
    right = exercise.example if isinstance(exercise, SearchExercise) else exercise.answer
    assert check.check(name, right)
    if isinstance(exercise, ValueExercise) and not exercise.choices:
        assert check.check(name, str(right))
        assert check.check(name, np.array(right))


@pytest.mark.parametrize(("name", "mistake"), MISTAKES)
def test_a_mistake_gets_its_own_hint(name, mistake):
    known = {entry.id: entry for entry in EXERCISES[name].mistakes}
    result = check.check(name, known[mistake].answer)
    assert (result.passed, result.is_blank) == (False, False)
    assert (result.mistake, result.hint) == (mistake, known[mistake].hint)


@pytest.mark.parametrize("name", PREDICTIONS)
def test_a_prediction_is_what_the_code_prints(name):
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        exec(EXERCISES[name].code, {"torch": torch, "nn": nn, "np": np})
    assert check.check(name, output.getvalue().strip())


def test_ids_are_unique_in_the_book():
    from importlib import import_module

    modules = [import_module(f"convlab.check.exercises.{chapter}") for chapter in CHAPTERS]
    assert sum(len(module.chapter.exercises) for module in modules) == len(EXERCISES)


def test_it_needs_numpy_only():
    code = (
        "import sys; sys.modules['torch'] = sys.modules['matplotlib'] = None\n"
        "from convlab import check\n"
        "print([bool(check.check(name, exercise.solution)) for name, exercise in "
        "check.EXERCISES.items() if not getattr(exercise, 'needs_torch', True)])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(json.loads(done.stdout.lower())) == {True}
