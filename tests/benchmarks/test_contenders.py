"""Tests of the contenders: equal results, and layers that can be compared."""

import numpy as np
import pytest
import torch
from torch.nn.functional import conv2d

from benchmarks.contenders import Contender, contenders, factors, gradients, ungrouped
from benchmarks.layers import Layer
from benchmarks.measure import Setting, measure
from benchmarks.peers import PEERS
from benchmarks.problems import make
from benchmarks.suites import FORWARD, GRAD_INPUT, GRAD_WEIGHT, GRADIENTS, SEPARABLE, SUITES, Case
from benchmarks.timing import Clock, Plan
from convlab import ops

PLAIN = Layer(3, 4, 11, 3, stride=2, padding=1)
LAYERS = [
    PLAIN,
    Layer(2, 5, 9, 5, padding=2),
    Layer(4, 6, 12, 3, padding=2, dilation=2, groups=2),
    Layer(4, 4, 8, 3, padding=1, groups=4),
    Layer(3, 2, 7, 1),
]


def forward(suite):
    return {contender.name: contender for contender in contenders(SUITES[suite], "forward")}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: layer.name)
def test_all_contenders_compute_the_same_or_say_that_they_cannot(layer, dtype):
    problem = make(Case(layer, 2, dtype))
    done = set()
    for name, contender in forward("ladder").items():
        try:
            results = contender.prepare(problem)()
        except ValueError:
            continue
        done.add(name)
        assert problem.error(results) < {"float32": 1e-5, "float64": 1e-13}[dtype], name
    assert {"torch", "torch channels_last", "convlab auto", "convlab naive"} <= done
    if layer.groups == layer.dilation == 1:
        assert set(PEERS) - done == ({"jax"} if dtype == "float64" else set())


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_prepared_weights_give_the_same_results(dtype):
    problem = make(Case(Layer(16, 8, 11, 3, stride=2, padding=1, groups=2), 2, dtype))
    for name, contender in forward("prepacked").items():
        if dtype == "float64" and name in ("torch packed", "torch compiled"):
            with pytest.raises(ValueError, match="float64"):
                contender.prepare(problem)
            continue
        with torch.inference_mode():
            call = contender.prepare(problem)
            for results in (call(), call()):
                assert problem.error(results) < {"float32": 1e-5, "float64": 1e-13}[dtype], name


def test_the_reference_comes_first_and_every_method_takes_part():
    for suite in ("resnet18", "ladder", "peers", "prepacked"):
        assert next(iter(forward(suite))) == "torch"
    assert {f"convlab {name}" for name in ("auto", *ops.METHODS)} <= set(forward("ladder"))
    assert set(forward("peers")) >= set(PEERS) | {"convlab auto"}


def test_the_exact_answer_is_pytorchs_in_float64():
    problem = make(Case(PLAIN, 2))
    x, w = torch.from_numpy(problem.x).double(), torch.from_numpy(problem.w).double()
    expected = conv2d(x, w, stride=2, padding=1)
    np.testing.assert_array_equal(problem.expected[0], expected.numpy())
    assert problem.expected[0].dtype == np.float64
    assert problem.x.dtype == np.float32


@pytest.mark.parametrize("memory_format", ["torch", "torch channels_last"])
def test_gradients_are_those_of_autograd(memory_format):
    for task in (GRAD_INPUT, GRAD_WEIGHT, GRADIENTS):
        problem = make(Case(PLAIN, 2, "float64", task))
        x, w, g = (torch.from_numpy(array) for array in (problem.x, problem.w, problem.g))
        bias = torch.zeros(4, dtype=torch.float64, requires_grad=True)
        x.requires_grad_(), w.requires_grad_()
        conv2d(x, w, bias, stride=2, padding=1).backward(g)
        wanted = {GRAD_INPUT: [x], GRAD_WEIGHT: [w], GRADIENTS: [x, w, bias]}[task]
        (contender,) = [c for c in contenders(SUITES["backward"], task) if c.name == memory_format]
        found = contender.prepare(problem)()
        for gradient, tensor, exact in zip(found, wanted, problem.expected, strict=True):
            np.testing.assert_allclose(gradient.numpy(), tensor.grad.numpy(), atol=1e-12)
            np.testing.assert_allclose(exact, tensor.grad.numpy(), atol=1e-12)


@pytest.mark.parametrize("task", [GRAD_INPUT, GRAD_WEIGHT, GRADIENTS])
def test_convlabs_gradients_are_right(task):
    problem = make(Case(PLAIN, 2, task=task))
    assert problem.error(gradients(problem)()) < 1e-5


def test_a_peer_declines_what_it_was_not_written_for():
    for layer in (LAYERS[2], LAYERS[3]):
        with pytest.raises(ValueError, match="groups=1 and dilation=1"):
            PEERS["tensordot"].prepare(make(Case(layer, 1)))


def test_jax_declines_float64():
    with pytest.raises(ValueError, match=r"float64"):
        PEERS["jax"].prepare(make(Case(PLAIN, 1, "float64")))


@pytest.mark.parametrize("name", ["scipy correlate", "einsum"])
def test_a_part_is_the_beginning_of_the_whole(name):
    problem = make(Case(PLAIN, 3))
    part = problem.part(2, 3)
    results = PEERS[name].prepare(part)()
    assert results[0].shape == (2, 3, 6, 6)
    assert part.error(results) < 1e-6
    assert part.layer.flop(2) * 3 * 4 == problem.layer.flop(3) * 2 * 3


def test_an_error_is_relative_to_the_largest_result():
    problem = make(Case(PLAIN, 1))
    (exact,) = problem.expected
    off = exact.copy()
    off.flat[3] += 0.25 * np.abs(exact).max()
    assert problem.error((off,)) == pytest.approx(0.25)
    off.flat[3] = np.nan
    assert problem.error((off,)) == np.inf
    assert problem.error((exact[:, 1:],)) == np.inf
    with pytest.raises(ValueError, match="expected 1 results, got 2"):
        problem.error((exact, exact))


GROUPS = SUITES["groups"]
GROUP_CASES = [
    Case(Layer(6, 4, 9, 3, padding=1, groups=2), 2),
    Case(Layer(5, 5, 8, 3, stride=2, padding=1, groups=5), 1),
    Case(Layer(5, 7, 9, 3, padding=1), 2, task=SEPARABLE),
    Case(Layer(4, 4, 9, 3, stride=2, padding=1), 1, task=SEPARABLE),
]


def contenders_of(case):
    return {contender.name: contender for contender in contenders(GROUPS, case.task)}


@pytest.mark.parametrize("case", GROUP_CASES, ids=lambda case: f"{case.layer.name} {case.task}")
def test_grouped_and_ordinary_layers_compute_the_same(case):
    problem = make(case)
    for name, contender in contenders_of(case).items():
        results = contender.prepare(problem)()
        assert problem.error(results) < 1e-5, name
        channels_last = results[0].is_contiguous(memory_format=torch.channels_last)
        assert channels_last == name.endswith("channels_last"), name


def test_the_ordinary_layer_really_is_one():
    problem = ungrouped(make(GROUP_CASES[0]))
    assert problem.layer.groups == 1
    assert problem.w.shape == (4, 6, 3, 3)
    found = conv2d(torch.from_numpy(problem.x), torch.from_numpy(problem.w), padding=1)
    assert problem.error((found,)) < 1e-6


def test_a_separable_weight_is_factored_into_the_original_weights():
    w = make(GROUP_CASES[2]).w
    depthwise, pointwise = factors(w)
    assert depthwise.shape == (5, 1, 3, 3)
    assert pointwise.shape == (7, 5, 1, 1)
    np.testing.assert_allclose(pointwise * depthwise[:, 0], w, rtol=1e-4)
    for channel in range(5):
        assert np.linalg.matrix_rank(w[:, channel].reshape(7, 9), tol=1e-4) == 1


def test_operations_of_a_separable_layer_are_those_of_its_two_steps():
    # 2 images, 9x9 pixels; 5 channels of 3x3, then 7 kernels of 5 numbers
    assert GROUP_CASES[2].gflop * 1e9 == pytest.approx(2 * 2 * 81 * (5 * 9 + 7 * 5))
    # a stride leaves fewer pixels to the second step
    assert GROUP_CASES[3].gflop * 1e9 == pytest.approx(2 * 25 * (4 * 9 + 4 * 4))


def test_each_memory_format_has_its_own_reference():
    for case, name in ((GROUP_CASES[0], "grouped"), (GROUP_CASES[2], "separable")):
        references = {
            contender.name: contender.reference for contender in contenders_of(case).values()
        }
        assert references == {
            "torch": "torch",
            f"torch {name}": "torch",
            "torch channels_last": "torch channels_last",
            f"torch {name} channels_last": "torch channels_last",
        }
        assert next(iter(references)) == "torch"


@pytest.mark.slow
def test_a_ratio_is_taken_against_the_contenders_own_reference():
    time = [0.0]

    def contender(name, seconds, reference):
        def call():
            time[0] += seconds
            return (problem.expected[0].astype(np.float32),)

        return Contender(name, "torch", lambda _: call, reference=reference)

    problem = make(GROUP_CASES[0])
    entered = [
        contender("torch", 8.0, "torch"), contender("less", 2.0, "torch"),
        contender("other", 4.0, "other"), contender("less other", 2.0, "other"),
    ]  # fmt: skip
    clock = Clock("fake", lambda: time[0], sleep=lambda _: None)
    plan = Plan(slow=100.0, budget=20.0, least_rounds=1)
    rows, skipped = measure(GROUP_CASES[0], entered, Setting("natural", 1, clock, plan))
    assert skipped == []
    assert {row.contender: row.ratio for row in rows} == {
        "torch": 1.0, "less": 4.0, "other": 1.0, "less other": 2.0,
    }  # fmt: skip
    rounds = {row.contender: row.n for row in rows}
    assert rounds["torch"] == rounds["other"] == 7  # references are in every round


def test_the_suite_goes_up_to_one_channel_per_group_and_has_both_tasks():
    assert {case.task for case in GROUPS.cases} == {FORWARD, SEPARABLE}
    grouped = [case.layer for case in GROUPS.cases if case.task == FORWARD]
    assert {layer.groups for layer in grouped} >= {2, 4, 8, 16, 32}
    assert {layer.size for layer in grouped if layer.groups == layer.channels} == {56, 28, 14}
    assert all(case.layer.groups == 1 for case in GROUPS.cases if case.task == SEPARABLE)
