"""A layer that does less stands beside an ordinary one that computes the same."""

import numpy as np
import pytest
import torch
from torch.nn.functional import conv2d

from benchmarks.contenders import Contender, contenders
from benchmarks.layers import Layer
from benchmarks.measure import Setting, measure
from benchmarks.problems import make
from benchmarks.structures import factors, ungrouped
from benchmarks.suites import FORWARD, SEPARABLE, SUITES, Case
from benchmarks.timing import Clock, Plan

SUITE = SUITES["groups"]
CASES = [
    Case(Layer(6, 4, 9, 3, padding=1, groups=2), 2),
    Case(Layer(5, 5, 8, 3, stride=2, padding=1, groups=5), 1),
    Case(Layer(5, 7, 9, 3, padding=1), 2, task=SEPARABLE),
    Case(Layer(4, 4, 9, 3, stride=2, padding=1), 1, task=SEPARABLE),
]


def named(case):
    return {contender.name: contender for contender in contenders(SUITE, case.task)}


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.layer.name} {case.task}")
def test_all_contenders_compute_the_same(case):
    problem = make(case)
    for name, contender in named(case).items():
        results = contender.prepare(problem)()
        assert problem.error(results) < 1e-5, name
        channels_last = results[0].is_contiguous(memory_format=torch.channels_last)
        assert channels_last == name.endswith("channels_last"), name


def test_the_ordinary_layer_really_is_one():
    problem = ungrouped(make(CASES[0]))
    assert problem.layer.groups == 1
    assert problem.w.shape == (4, 6, 3, 3)
    found = conv2d(torch.from_numpy(problem.x), torch.from_numpy(problem.w), padding=1)
    assert problem.error((found,)) < 1e-6


def test_a_separable_weight_is_a_product_and_comes_apart_again():
    w = make(CASES[2]).w
    depthwise, pointwise = factors(w)
    assert depthwise.shape == (5, 1, 3, 3)
    assert pointwise.shape == (7, 5, 1, 1)
    np.testing.assert_allclose(pointwise * depthwise[:, 0], w, rtol=1e-4)
    for channel in range(5):
        assert np.linalg.matrix_rank(w[:, channel].reshape(7, 9), tol=1e-4) == 1


def test_operations_of_a_separable_layer_are_those_of_its_two_steps():
    # 2 images, 9x9 pixels; 5 channels of 3x3, then 7 kernels of 5 numbers
    assert CASES[2].gflop * 1e9 == pytest.approx(2 * 2 * 81 * (5 * 9 + 7 * 5))
    # a stride leaves fewer pixels to the second step
    assert CASES[3].gflop * 1e9 == pytest.approx(2 * 25 * (4 * 9 + 4 * 4))


def test_each_memory_format_has_its_own_reference():
    for case, name in ((CASES[0], "grouped"), (CASES[2], "separable")):
        references = {contender.name: contender.reference for contender in named(case).values()}
        assert references == {
            "torch": "torch",
            f"torch {name}": "torch",
            "torch channels_last": "torch channels_last",
            f"torch {name} channels_last": "torch channels_last",
        }
        assert next(iter(references)) == "torch"


def test_a_ratio_is_taken_against_the_contenders_own_reference():
    time = [0.0]

    def contender(name, seconds, reference):
        def call():
            time[0] += seconds
            return (problem.expected[0].astype(np.float32),)

        return Contender(name, "torch", lambda _: call, reference=reference)

    problem = make(CASES[0])
    entered = [
        contender("torch", 8.0, "torch"), contender("less", 2.0, "torch"),
        contender("other", 4.0, "other"), contender("less other", 2.0, "other"),
    ]  # fmt: skip
    clock = Clock("fake", lambda: time[0], sleep=lambda _: None)
    plan = Plan(slow=100.0, budget=20.0, least_rounds=1)
    rows, skipped = measure(CASES[0], entered, Setting("natural", 1, clock, plan))
    assert skipped == []
    assert {row.contender: row.ratio for row in rows} == {
        "torch": 1.0, "less": 4.0, "other": 1.0, "less other": 2.0,
    }  # fmt: skip
    rounds = {row.contender: row.n for row in rows}
    assert rounds["torch"] == rounds["other"] == 7  # references are in every round


def test_the_suite_goes_up_to_one_channel_per_group_and_has_both_tasks():
    assert {case.task for case in SUITE.cases} == {FORWARD, SEPARABLE}
    grouped = [case.layer for case in SUITE.cases if case.task == FORWARD]
    assert {layer.groups for layer in grouped} >= {2, 4, 8, 16, 32}
    assert {layer.size for layer in grouped if layer.groups == layer.channels} == {56, 28, 14}
    assert all(case.layer.groups == 1 for case in SUITE.cases if case.task == SEPARABLE)
