"""Tests of what `check` says of wrong functions that are in no catalogue of mistakes."""

import numpy as np
import pytest

from convlab import check
from convlab.check import EXERCISES
from convlab.check.checking import check_answer
from convlab.check.exercise import Chapter
from convlab.check.recognition import cases_of, localize

TOTALS = Chapter("test")


@TOTALS.code(
    title="",
    minutes=1,
    text="",
    hints=[],
    cases=lambda _: [([1], 1), ([1, 2], 1), ([3, 4], 1), ([5], 2), ([1, 2, 3], 2), ([4, 5], 3)],
)
def total(numbers, factor):
    """Return the sum of the numbers, times the factor."""
    return sum(numbers) * factor


@total.mistake("The factor stands once before each number.")
def factor_squared(numbers, factor):
    return sum(numbers) * factor**2


def returns_nothing(numbers, factor):
    sum(numbers) * factor


def prints(numbers, factor):
    print(sum(numbers) * factor)


def returns_early(numbers, factor):
    found = 0
    for number in numbers:
        found += number * factor
        return found


def returns_floats(numbers, factor):
    return sum(numbers) * float(factor)


@pytest.mark.parametrize(
    ("answer", "mistake", "words"),
    [
        (returns_nothing, "return_forgotten", "is there a `return`?"),
        (prints, "printed_instead_of_returned", "`return` gives it to the caller"),
        (returns_early, "return_inside_of_a_loop", "ends in its first turn"),
        (returns_floats, "float_returned", "return an int"),
    ],
)
def test_mistakes_of_programming_are_recognized_in_any_exercise(answer, mistake, words):
    result = check_answer(total, answer, seconds=10)
    assert (result.passed, result.is_blank, result.mistake) == (False, False, mistake)
    assert words in result.hint


def test_a_return_inside_of_a_loop_that_is_right_is_no_mistake():
    def right(numbers, factor):
        for _ in numbers:
            if numbers:
                return sum(numbers) * factor

    assert check_answer(total, right, seconds=10)


@pytest.mark.parametrize("body", ["...", "pass", "'''Only a docstring.'''", "return None"])
def test_a_body_that_does_nothing_is_a_blank(body):
    space = {}
    exec(f"def total(numbers, factor):\n    {body}", space)
    assert check_answer(total, space["total"], seconds=10).is_blank


def test_a_value_that_is_always_the_same_is_an_answer():
    result = check_answer(total, lambda numbers, factor: 7, seconds=10)
    assert (result.is_blank, result.message) == (
        False,
        "total(numbers=[1], factor=1): yours is 7; right is 1.",
    )


def test_the_argument_that_decides_is_named():
    result = check_answer(total, lambda numbers, factor: sum(numbers), seconds=10)
    assert (result.mistake, result.hint) == (
        None,
        "It is right in all 3 cases with `factor=1`, and wrong in 3 of the 3 others.",
    )


def test_no_argument_is_named_if_none_decides():
    assert localize(total, range(len(cases_of(total)))) is None
    assert localize(total, [1, 4]) is None  # two lists of different lengths, two factors


def test_of_two_mistakes_the_one_that_shows_alone_is_a_guess():
    """With one entry, the answer has all results of the mistake; with more, another one too."""

    def answer(numbers, factor):
        return sum(numbers) * factor**2 - (len(numbers) > 2)

    result = check_answer(total, answer, seconds=10)
    assert result.mistake == "factor_squared"
    assert result.hint == "Perhaps: The factor stands once before each number."


def test_a_mistake_that_explains_a_few_cases_is_not_named():
    def answer(size, kernel_size, stride, padding, dilation):
        right = EXERCISES["output_size"].solution(size, kernel_size, stride, padding, dilation)
        return right + (size % 3)

    assert check.output_size(answer).mistake is None


def test_a_right_answer_that_changes_its_arguments_gets_a_remark():
    def changing(numbers, factor):
        numbers.append(0)
        return sum(numbers) * factor

    result = check_answer(total, changing, seconds=10)
    assert result
    assert result.message == (
        "Right in all 6 cases; but `numbers` of the caller is changed: work on a copy."
    )

    def fold_batch_norm(w, b, gamma, beta, mean, var, eps):
        b -= mean
        factor = gamma / np.sqrt(var + eps)
        return w * factor[:, None, None, None], b * factor + beta

    result = check.fold_batch_norm(fold_batch_norm)
    assert result, result
    assert "`b` of the caller is changed" in result.message


@pytest.mark.parametrize("name", [n for n, one in EXERCISES.items() if hasattr(one, "cases")])
def test_no_two_arguments_of_a_case_are_the_same_array(name):
    EXERCISES[name].load_imports()
    for arguments in cases_of(EXERCISES[name]):
        arrays = [one for one in arguments if isinstance(one, np.ndarray)]
        for i, one in enumerate(arrays):
            assert not any(np.shares_memory(one, other) for other in arrays[:i])
