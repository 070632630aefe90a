"""Failures raised by real modules: each gets its cause, its layer, and fixes that run."""

from functools import cache

import pytest
import torch

from convlab.explain import explain
from tests.explain.corpus import CASES, NETWORKS, PLAIN, TORCHVISION, build

# Without a fix that can be applied: the author's code must change.
ONLY_IN_CODE = {
    "no-rows", "cross-entropy-batch",
    "residual-inner-norm", "attention", "functional-groups",
    "functional-cat", "functional-cat-ranks", "lenet-view", "second-size", "resnet-shortcut",
}  # fmt: skip


@cache
def explanation(name):
    model, inputs = build(name)
    return explain(model, *inputs)


def test_the_corpus_is_large():
    assert len(CASES) == len(PLAIN) + len(NETWORKS) + len(TORCHVISION)
    assert len(CASES) >= 90


# The large networks take seconds.
NAMES = [
    pytest.param(name, marks=pytest.mark.slow) if name.startswith("densenet") else name
    for name in CASES
]


@pytest.mark.parametrize("name", NAMES)
def test_the_layer_and_the_cause_are_named(name):
    _, _, cause, layer = CASES[name]
    model, inputs = build(name)
    with pytest.raises(Exception):  # noqa: B017, PT011  (of many types)
        model(*inputs)
    found = explanation(name)
    assert (found.cause, found.layer, found.ok) == (cause, layer, False)
    assert found.output_shape is None
    assert found.steps
    assert f"[{cause}]" in str(found)


@pytest.mark.parametrize("name", NAMES)
def test_a_fix_makes_the_call_run(name):
    model, inputs = build(name)
    before = {key: value.clone() for key, value in model.state_dict().items()}
    copies = [x.clone() for x in inputs]
    structure = repr(model)
    applicable = [fix for fix in explanation(name).fixes if fix.apply]
    assert bool(applicable) == (name not in ONLY_IN_CODE)
    for fix in applicable:
        mended, changed = fix.apply(model, inputs)
        assert mended is not model
        mended(*changed)
    assert repr(model) == structure
    assert all(torch.equal(model.state_dict()[key], value) for key, value in before.items())
    assert all(torch.equal(x, copy) for x, copy in zip(inputs, copies, strict=True))


@pytest.mark.parametrize("name", [*PLAIN, *NETWORKS])
def test_shapes_stand_for_tensors(name):
    _, given, cause, layer = CASES[name]
    model, _ = build(name)
    found = explain(model, *given)
    assert (found.cause, found.layer) == (cause, layer)
