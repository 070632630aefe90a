"""Forward hooks, which do not run without data: no result says more than is known without them."""

import pytest
import torch
from torch import nn

from convlab.explain import explain, explaining
from convlab.models import MODELS

X = torch.ones(2, 3, 8, 8)


def four_channels(module, inputs, output):
    return output[:, :4]


def six_channels(module, inputs):
    return torch.cat([inputs[0]] * 2, dim=1)


def network(channels):
    return nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Conv2d(channels, 4, 3))


def note_of(model):
    with pytest.raises(RuntimeError) as caught, explaining():
        model(X)
    (note,) = caught.value.__notes__
    return note


def test_a_hook_after_which_the_call_fails():
    model = network(8)
    model[0].register_forward_hook(four_channels)
    found = explain(model, X)
    assert (found.ok, found.output_shape, found.cause, found.layer) == (None, None, "unknown", "0")
    assert str(found).splitlines() == [
        "[unknown] 0 (Conv2d) could not be checked: not recognized",
        "  a forward hook of 0, which may change tensors, did not run; without it, the output has "
        "shape (2, 4, 4, 4)",
    ]
    note = note_of(model)
    assert note.startswith("convlab: [channels] 2 (Conv2d): ")
    assert "  input: shape (2, 4, 6, 6) has 4 channels\n" in note
    assert "  fix: 2: in_channels=4\n" in note


def test_a_hook_that_makes_the_call_run():
    model = network(4)
    model[0].register_forward_hook(four_channels)
    assert model(X).shape == (2, 4, 4, 4)
    found = explain(model, X)
    assert (found.ok, found.cause, found.layer) == (None, "channels", "2")
    assert found.steps[-1].startswith("a forward hook of 0, which may change tensors")


def test_the_numbers_of_a_note_are_those_after_the_hook():
    model = network(16)
    model[0].register_forward_hook(four_channels)
    note = note_of(model)
    assert "  input: shape (2, 4, 6, 6) has 4 channels\n" in note
    assert "has 8 channels" not in note


def test_a_hook_that_only_looks_leaves_cause_numbers_and_fix():
    model, seen = network(16), []
    before = note_of(model).splitlines()
    model[1].register_forward_hook(lambda module, inputs, output: seen.append(output.shape))
    lines = note_of(model).splitlines()
    assert seen == [(2, 8, 6, 6)]
    assert [line for line in before if line not in lines] == [
        "  last layer that worked: 1, output (2, 8, 6, 6)"
    ]
    assert set(lines) < set(before)


def test_a_hook_before_a_module():
    model = nn.Sequential(nn.Conv2d(6, 8, 3))
    model[0].register_forward_pre_hook(six_channels)
    assert model(X).shape == (2, 8, 6, 6)
    assert explain(model, X).ok is None
    model = nn.Sequential(nn.Conv2d(3, 8, 3))
    model[0].register_forward_pre_hook(six_channels)
    assert explain(model, X).ok is None
    assert "  input: shape (2, 6, 8, 8) has 6 channels\n" in note_of(model)
    model = nn.Sequential(nn.Sequential(nn.Conv2d(6, 8, 3)))
    model.register_forward_pre_hook(six_channels)
    assert model(X).shape == (2, 8, 6, 6)
    assert explain(model, X).ok is None


def test_a_hook_after_the_failing_module_does_not_matter():
    model = network(16)
    for module in (model, model[2]):
        module.register_forward_hook(four_channels)
    found = explain(model, X)
    assert (found.ok, found.cause, found.layer) == (False, "channels", "2")
    assert found.fixes[0].text == "2: in_channels=8"
    assert explain(nn.Sequential(nn.Conv2d(3, 8, 3), nn.Conv2d(8, 4, 3)), X).ok


@pytest.mark.parametrize("name", MODELS)
def test_the_hooks_of_our_models_only_check_the_image(name):
    model, shape = MODELS[name].build().eval(), (1, *MODELS[name].input_shape)
    found = explain(model, shape)
    assert (found.ok, found.output_shape) == (True, tuple(model(torch.zeros(shape)).shape))
