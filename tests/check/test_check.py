"""Tests of `check`: what it says of answers, and what it suffers from the code of learners."""

import os
import random
import re
import signal
import sys
import threading
import time
import warnings

import numpy as np
import pytest
import torch

from convlab import check
from convlab.check import EXERCISES
from convlab.check.checking import check_answer
from convlab.check.comparing import difference, show
from convlab.check.exercise import Chapter
from convlab.check.parsing import parse_like

SIGNATURE = ("size", "kernel_size", "stride", "padding", "dilation")


def right_size(size, kernel_size, stride, padding, dilation):
    return (size + 2 * padding - dilation * (kernel_size - 1) - 1) // stride + 1


def answering(change):
    """Return a function that does something else before it gives the right answer."""

    def output_size(size, kernel_size, stride, padding, dilation):
        change()
        return right_size(size, kernel_size, stride, padding, dilation)

    return output_size


@pytest.mark.parametrize(
    "answer",
    [
        right_size,
        lambda n, k, s, p, d: len(range(0, n + 2 * p - d * (k - 1), s)),
        lambda *numbers: np.int64(right_size(*numbers)),
        lambda *numbers: np.array(right_size(*numbers)),
        lambda *numbers: torch.tensor(right_size(*numbers)),
        lambda n, k, s=1, p=0, d=1: int((n + 2 * p - d * (k - 1) - 1) / s) + 1,
    ],
)
def test_a_right_answer_in_another_style_passes(answer):
    assert check.output_size(answer)


@pytest.mark.parametrize(
    "answer",
    [
        lambda k, d: [d * (k - 1) // 2, d * (k - 1) - d * (k - 1) // 2],
        lambda k, d: np.array([d * (k - 1) // 2, (d * (k - 1) + 1) // 2]),
        lambda k, d: torch.Size([d * (k - 1) // 2, (d * (k - 1) + 1) // 2]),
    ],
)
def test_lists_arrays_and_tuples_pass_for_a_pair(answer):
    assert check.same_padding(answer)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (5, "must be a function, output_size(size, kernel_size, stride, padding, dilation)"),
        (lambda size: size, "yours does not allow it: too many positional arguments"),
        (lambda *_: 1 / 0, "raised ZeroDivisionError: division by zero"),
        (lambda *_: sys.exit(), "raised SystemExit"),
        (lambda *_: undefined, "raised NameError: name 'undefined' is not defined"),  # noqa: F821
        (lambda *_: "3", "yours is '3', a str; right is 3, an int"),
        (lambda *_: True, "yours is True, a bool; right is 3, an int"),
        (lambda *numbers: (right_size(*numbers),), "yours is (3,), a tuple; right is 3, an int"),
        (lambda *numbers: print(numbers), "yours is None, as of a function without `return`"),
        (lambda n, *_: None if n > 5 else 3, "as of a function without `return`; right is"),
    ],
)
def test_what_is_said_of_a_wrong_answer(answer, words):
    result = check.output_size(answer)
    assert not result
    assert words in result.message


def test_the_counterexample_is_the_simplest_wrong_case():
    def output_size(size, kernel_size, stride, padding, dilation):
        return right_size(size, kernel_size, stride, padding, dilation) + (dilation == 2)

    assert check.output_size(output_size).message == (
        "output_size(size=7, kernel_size=3, stride=1, padding=0, dilation=2): yours is 4; right "
        "is 3."
    )


def test_two_mistakes_at_once_get_the_hint_for_the_first():
    result = check.output_size(lambda n, k, s, p, d: n + p - d * (k - 1))
    assert result.mistake == "stride_forgotten"


def raising(error):
    def conv2d(x, w, b, stride, padding):
        if b is None:
            raise error
        return EXERCISES["conv2d"].solution(x, w, b, stride, padding)

    return conv2d


@pytest.mark.parametrize(
    ("error", "mistake"),
    [
        (TypeError("'NoneType' object is not subscriptable"), "bias_never_none"),
        (AttributeError("'NoneType' object has no attribute 'reshape'"), "bias_never_none"),
        (TypeError("conv2d() got multiple values for argument 'w'"), None),
    ],
)
def test_an_error_of_a_type_is_that_of_a_mistake_only_if_it_names_the_same_type(error, mistake):
    assert check.conv2d(raising(error)).mistake == mistake


def test_shapes_that_do_not_fit_are_recognized_in_code_for_pytorch():
    def conv2d_grouped(x, w, groups):
        return torch.conv2d(torch.tensor(x), torch.tensor(w))

    assert check.conv2d_grouped(conv2d_grouped).mistake == "depth_of_all_channels"


def test_an_answer_that_resembles_no_mistake_gets_no_hint():
    result = check.output_size(lambda *numbers: sum(numbers) + 100)
    assert (result.passed, result.mistake, result.hint) == (False, None, None)


def test_what_the_answer_printed_is_shown_with_the_counterexample(capsys):
    def output_size(size, kernel_size, stride, padding, dilation):
        print("size is", size)
        return 0

    assert check.output_size(output_size).message.endswith("\nIt printed: size is 5")
    assert capsys.readouterr().out == ""


def endless(*_):
    while True:
        pass


def endless_in_spite_of_exceptions(*_):
    while True:
        try:
            while True:
                pass
        except BaseException:
            pass


def endless_output(*_):
    while True:
        print("x" * 1000)


@pytest.mark.parametrize("answer", [endless, endless_in_spite_of_exceptions, endless_output])
def test_an_endless_loop_ends(answer):
    threads = threading.active_count()
    result = check.check("output_size", answer, seconds=0.3)
    assert "had not returned when the time was over: is there a loop without an end?" in (
        result.message
    )
    assert threading.active_count() == threads


def test_code_that_cannot_be_interrupted_is_left_behind():
    release = threading.Event()
    result = check.check("output_size", lambda *_: release.wait(), seconds=0.1)
    assert "had not returned" in result.message
    release.set()  # TooSlow is raised when it returns
    assert check.output_size(right_size)  # one check does not change the next


def test_recursion_without_an_end_is_reported():
    def output_size(*numbers):
        return output_size(*numbers)

    assert "raised RecursionError" in check.output_size(output_size).message


@pytest.mark.parametrize(
    ("change", "state"),
    [
        (lambda: random.seed(5), random.getstate),
        (lambda: np.random.seed(5), lambda: str(np.random.get_state())),  # noqa: NPY002
        (lambda: torch.manual_seed(5), lambda: torch.get_rng_state().tolist()),
        (lambda: torch.set_grad_enabled(False), torch.is_grad_enabled),
        (lambda: warnings.simplefilter("error"), lambda: list(warnings.filters)),
        (lambda: np.seterr(all="raise"), np.geterr),
        (lambda: print("x"), lambda: sys.stdout),
    ],
)
def test_the_surroundings_stay_as_they_were(change, state):
    before = state()
    assert check.output_size(answering(change))
    assert state() == before


def test_an_answer_cannot_change_the_cases():
    chapter = Chapter("test")

    @chapter.code(title="", minutes=1, text="", hints=[], cases=lambda _: [(np.ones(3),)])
    def total(x):
        return float(x.sum())

    def changing(x):
        x += 1
        return float(x.sum()) - 3

    assert check_answer(total, changing, seconds=10)
    assert check_answer(total, changing, seconds=10)


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs a Unix system")
def test_ctrl_c_interrupts_a_check():
    def interrupt():
        time.sleep(0.2)
        os.kill(os.getpid(), signal.SIGINT)

    before = threading.active_count()
    other = threading.Thread(target=interrupt)
    other.start()
    with pytest.raises(KeyboardInterrupt):
        check.output_size(endless)
    other.join()
    deadline = time.monotonic() + 10
    while threading.active_count() > before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert threading.active_count() == before


@pytest.mark.parametrize(
    ("answer", "example", "value"),
    [
        ("8, 4", (1, 2), (8, 4)),
        ("(8, 4)", (1, 2), (8, 4)),
        ([8, 4], (1, 2), (8, 4)),
        (np.array([8, 4]), (1, 2), (8, 4)),
        ((np.int64(8), 4.0), (1, 2), (8, 4)),
        (np.float32(16), 3, 16),
        ("4,098", 3, 4098),
        (torch.tensor([1.5, 2]), [3], [1.5, 2]),
        ("[1, 2], [3, 4]", ([1], [2]), ([1, 2], [3, 4])),
        ([(1, 2, 3), [4, 5, 6]], ((9, 1, 1), (1, 1, 3)), ((1, 2, 3), (4, 5, 6))),
    ],
)
def test_numbers_with_a_property_are_read_in_any_style(answer, example, value):
    assert parse_like(answer, example) == value
    assert type(parse_like(answer, example)) is type(value)


@pytest.mark.parametrize(
    ("answer", "example", "words"),
    [
        (5, (1, 2), "Give a tuple of 2 numbers; yours is 5."),
        ((1, 2, 3), (1, 2), "Give a tuple of 2 numbers; yours is (1, 2, 3)."),
        ([1, 2], 3, "Give a number; yours is [1, 2]."),
        (True, 3, "Give a number; yours is True."),
        ([1, 2], ([1], [2]), "Give a tuple of 2 lists of numbers; yours is [1, 2]."),
        ("eight", 3, "Type numbers only, with commas: 'eight' is not one."),
        (["a"], [1], "Give a list of numbers; yours is ['a']."),
    ],
)
def test_an_answer_of_another_form_is_told_the_form(answer, example, words):
    with pytest.raises(ValueError, match=re.escape(words)):
        parse_like(answer, example)


@pytest.mark.parametrize("name", [n for n, one in EXERCISES.items() if hasattr(one, "objection")])
@pytest.mark.parametrize("answer", [0, -1, 7.5, (), [1], (1, 2), (1, 2, 3), [[1, 2], [3]], "x", {}])
def test_what_has_a_property_may_be_any_nonsense(name, answer):
    result = check.check(name, answer)
    assert "Error" not in result.message


def test_arguments():
    with pytest.raises(KeyError, match="there is no exercise 'output'"):
        check.check("output", 3)
    with pytest.raises(ValueError, match="seconds must be positive, got 0"):
        check.check("output_size", right_size, seconds=0)
    with pytest.raises(AttributeError, match="has no attribute 'no_such_exercise'"):
        check.no_such_exercise  # noqa: B018


@pytest.mark.parametrize(
    ("given", "right", "words"),
    [
        (np.zeros((2, 3)), np.zeros((3, 2)), "yours has the shape (2, 3); right is (3, 2)"),
        (np.zeros(2, np.float32), np.zeros(2), "yours has the dtype float32; right is float64"),
        (3.0, np.zeros(2), "yours is 3, a float; right is an array of shape (2,)"),
        ([[1.0], [1.0, 2.0]], np.zeros(2), "yours is a list of lists that differ in length"),
        (
            np.array([1.0, 3.0]),
            np.array([1.0, 2.0]),
            "1 of 2 elements differ; yours[1] is 3",
        ),
        (np.array([1.0, np.nan]), np.array([1.0, 2.0]), "yours[1] is nan, right is 2"),
        ((1, 2), (1, 2, 3), "yours has 2 entries; right are 3"),
        ((1, 2), (1, 3), "yours is (1, 2); right is (1, 3)"),
        ((np.zeros(2), 1), (np.ones(2), 1), "entry 0: 2 of 2 elements differ; yours[0] is 0"),
        (torch.tensor(2.0, requires_grad=True), 2.0, "still holds its graph; .item()"),
        (2.1, 2.0, "yours is 2.1; right is 2"),
        ([1.0, 2.0], [1, 2], "entry 0: yours is 1, a float; right is 1, an int"),
        (None, np.zeros(2), "yours is None, as of a function without `return`"),
    ],
)
def test_the_first_difference(given, right, words):
    assert words in difference(given, right)


@pytest.mark.parametrize(
    ("given", "right"),
    [
        (torch.ones(2, dtype=torch.float64), np.ones(2)),
        ([[1.0, 2.0]], np.array([[1.0, 2.0]])),
        (np.array([1.0 + 1e-13, np.nan, np.inf]), np.array([1.0, np.nan, np.inf])),
        (np.float32(0.5), 0.5),
        (torch.tensor(0.5), 0.5),
        (3, 3.0),
        (np.array([[0, 2], [2, 4]]), [(0, 2), (2, 4)]),
        ("a", "a"),
    ],
)
def test_no_difference(given, right):
    assert difference(given, right) is None


def test_long_values_are_shown_short():
    assert show(np.zeros((5, 5))) == "array of shape (5, 5)"
    assert len(show("x" * 1000)) < 250


def test_a_result_is_a_card_in_a_notebook():
    html = check.count_places("<b>7</b>")._repr_html_()
    assert "<b>" not in html
    assert "Type numbers only" in html
    assert "Hint:" in check.count_places(6)._repr_html_()
    assert "Right: count_places" in check.count_places(7)._repr_html_()
