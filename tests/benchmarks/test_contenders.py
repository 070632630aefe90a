"""Whoever is timed computes the same."""

import numpy as np
import pytest
import torch

from benchmarks.backward import prepare
from benchmarks.contenders import contenders
from benchmarks.layers import Layer
from benchmarks.peers import PEERS
from benchmarks.problems import make
from benchmarks.suites import GRAD_INPUT, GRAD_WEIGHT, GRADIENTS, SUITES, Case
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


def test_the_reference_comes_first_and_every_method_takes_part():
    for suite in ("resnet18", "ladder", "peers"):
        assert next(iter(forward(suite))) == "torch"
    assert {f"convlab {name}" for name in ("auto", *ops.METHODS)} <= set(forward("ladder"))
    assert set(forward("peers")) >= set(PEERS) | {"convlab auto"}


def test_the_exact_answer_is_pytorchs_in_float64():
    problem = make(Case(PLAIN, 2))
    x, w = torch.from_numpy(problem.x).double(), torch.from_numpy(problem.w).double()
    expected = torch.nn.functional.conv2d(x, w, stride=2, padding=1)
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
        torch.nn.functional.conv2d(x, w, bias, stride=2, padding=1).backward(g)
        wanted = {GRAD_INPUT: [x], GRAD_WEIGHT: [w], GRADIENTS: [x, w, bias]}[task]
        (contender,) = [c for c in contenders(SUITES["backward"], task) if c.name == memory_format]
        found = contender.prepare(problem)()
        for gradient, tensor, exact in zip(found, wanted, problem.expected, strict=True):
            np.testing.assert_allclose(gradient.numpy(), tensor.grad.numpy(), atol=1e-12)
            np.testing.assert_allclose(exact, tensor.grad.numpy(), atol=1e-12)


@pytest.mark.parametrize("task", [GRAD_INPUT, GRAD_WEIGHT, GRADIENTS])
def test_convlabs_gradients_are_right(task):
    problem = make(Case(PLAIN, 2, task=task))
    assert problem.error(prepare(problem)()) < 1e-5


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
    with pytest.raises(ValueError, match="2 results where 1 are expected"):
        problem.error((exact, exact))
