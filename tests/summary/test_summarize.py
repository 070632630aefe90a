"""A summary of a model: its totals, depth and errors, and the state of the model afterwards."""

import json

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from convlab.summary import summary
from tests.summary.networks import Block, networks


def test_the_model_is_not_changed():
    model = nn.Sequential(nn.Conv2d(2, 2, 3), nn.BatchNorm2d(2), nn.Dropout(), nn.ReLU())
    model.train()
    model[1].eval()
    model.register_buffer("count", torch.zeros(1))
    noisy = Block(lambda self, x: self.count.add_(1) * x + torch.rand(1), count=model.count)
    model.append(noisy)
    flags = [module.training for module in model.modules()]
    before = {name: value.clone() for name, value in model.state_dict().items()}
    state = torch.get_rng_state()
    first = summary(model, (2, 8, 8))
    assert torch.equal(torch.get_rng_state(), state)
    assert [module.training for module in model.modules()] == flags
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.modules())
    assert torch.is_grad_enabled()
    assert torch.backends.mha.get_fastpath_enabled()
    assert summary(model, (2, 8, 8)) == first


def test_a_failing_model_is_not_changed_and_the_error_names_the_layer():
    model = nn.Sequential(nn.Conv2d(2, 2, 3), nn.Sequential(nn.BatchNorm2d(2), nn.Conv2d(3, 2, 1)))
    model.train()
    message = (
        r"RuntimeError in layer '1.1' \(Conv2d\), called with \(1, 2, 6, 6\): "
        r".*expected input\[1, 2, 6, 6\] to have 3 channels"
    )
    with pytest.raises(RuntimeError, match=message) as raised:
        summary(model, (2, 8, 8))
    assert isinstance(raised.value.__cause__, RuntimeError)
    assert all(module.training for module in model.modules())
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.modules())
    with pytest.raises(RuntimeError, match=r"ZeroDivisionError in the model itself \(Block\)"):
        summary(Block(lambda self, x: 1 / 0), (2, 8, 8))


@pytest.mark.parametrize(
    ("model", "shape", "error", "message"),
    [
        (nn.ReLU, (1, 2, 2), TypeError, "model must be an nn.Module, got type"),
        (F.relu, (1, 2, 2), TypeError, "model must be an nn.Module, got"),
        (nn.ReLU(), 3, TypeError, "input must be a tuple of ints .* got int 3"),
        (nn.ReLU(), "3x2x2", TypeError, "input must be .* got str '3x2x2'"),
        (nn.ReLU(), (), TypeError, "input must be a tuple of ints"),
        (nn.ReLU(), (1, 2.0, 2), TypeError, r"input\[1\] must be an int, got float 2.0"),
        (nn.ReLU(), (1, 2, 0), ValueError, r"input\[2\] must be at least 1, got 0"),
        (nn.ReLU(), (5,), ValueError, r"input must be \(C, H, W\).* got \(5,\)"),
        (nn.LazyConv2d(3, 1), (1, 2, 2), ValueError, "lazy module"),
        (nn.Conv2d(3, 1, 1), (1, 2, 2), RuntimeError, r"in the model itself \(Conv2d\)"),
    ],
)
def test_the_error_names_an_invalid_argument(model, shape, error, message):
    with pytest.raises(error, match=message):
        summary(model, shape)


def test_the_dictionary_is_json_and_complete():
    transform = Block(lambda self, x: torch.fft.fft(x))
    found = summary(nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten(), transform), (1, 8, 8))
    again = json.loads(json.dumps(found.to_dict()))
    assert again["layers"][0] == {
        "name": "0",
        "kind": "Conv2d",
        "call": 1,
        "output_shape": [1, 2, 6, 6],
        "parameters": 20,
        "macs": 648,
        "activation_bytes": 288,
        "receptive_field": {"size": [3, 3], "jump": [1, 1], "start": [0, 0]},
    }
    assert (again["macs"], again["layers"][2]["macs"], again["macs_known"]) == (None, None, 648)
    assert "multiply-accumulates: at least 648\n" in str(found)
    assert again["parameters"] == found.parameters
    assert again["input_shapes"] == [[1, 1, 8, 8]]
    assert again["activation_bytes"] == found.activation_bytes


def in_containers(network):
    """Put the last block in a container that runs it, the others in one that does not run."""

    def forward(self, x):
        for block in self.blocks:
            x = block(x)
        return self.tail(x) + 1

    *blocks, last = network
    return Block(forward, blocks=nn.ModuleList(blocks), tail=nn.Sequential(last, nn.Tanh()))


def totals(found):
    numbers = found.to_dict()
    return {key: value for key, value in numbers.items() if key != "layers"}


@given(networks(), st.integers(0, 3))
def test_rows_down_to_a_depth_add_up_to_the_same_totals(network, depth):
    model, channels, size = network
    if not len(model):
        return
    model = in_containers(model)
    every, found = summary(model, (channels, *size)), summary(model, (channels, *size), depth=depth)
    assert totals(found) == totals(every)
    assert found.macs in (None, found.macs_known)
    assert all(layer.name.count(".") < depth or not layer.name for layer in found.layers)
    assert found.layers[-1].output_shape == every.layers[-1].output_shape
    assert found.layers[-1].receptive_field == every.layers[-1].receptive_field
    assert depth or len(found.layers) == 1


def test_a_row_at_the_depth_includes_what_runs_inside():
    inner = Block(
        lambda self, x: (self.b(self.a(x)) + x[..., 2:-2, 2:-2]).relu(),
        a=nn.Conv2d(2, 2, 3), b=nn.Conv2d(2, 2, 3),
    )  # fmt: skip
    fft = Block(lambda self, x: torch.fft.fft(x).real)
    model = nn.Sequential(nn.Conv2d(1, 2, 1), inner, nn.Sequential(fft, nn.Flatten()))
    every, found = summary(model, (1, 8, 8)), summary(model, (1, 8, 8), depth=1)
    assert [(layer.name, layer.kind) for layer in found.layers] == [
        ("0", "Conv2d"), ("1", "Block"), ("2", "Sequential"),
    ]  # fmt: skip
    assert [layer.name for layer in every.layers[1:5]] == ["1.a", "1.b", "1 (add)", "1 (relu)"]
    merged = found.layers[1]
    assert merged.macs == 36 * 36 + 16 * 36
    assert merged.parameters == 2 * 38
    assert merged.activation_bytes == sum(x.activation_bytes for x in every.layers[1:5])
    assert merged.output_shape == (1, 2, 4, 4)
    assert merged.receptive_field == every.layers[4].receptive_field
    assert found.layers[2].macs is None
    assert "at least 2,000\n" in str(found)
    assert summary(model, (1, 8, 8), depth=9) == every


def test_layers_of_a_container_that_does_not_run_have_a_row_where_they_follow_each_other():
    def forward(self, x):
        x = self.layers[1](self.layers[0](x))
        return self.layers[1](F.max_pool2d(x, 2))

    layers = nn.ModuleList([nn.Conv2d(2, 2, 3), nn.Conv2d(2, 2, 1)])
    found = summary(Block(forward, layers=layers), (2, 8, 8), depth=1)
    assert [(layer.name, layer.kind, layer.call) for layer in found.layers] == [
        ("layers", "ModuleList", 1), ("(max_pool2d)", "max_pool2d", 1), ("layers", "ModuleList", 2),
    ]  # fmt: skip
    assert [layer.parameters for layer in found.layers] == [38 + 6, 0, 0]
    assert [layer.output_shape for layer in found.layers] == [
        (1, 2, 6, 6), (1, 2, 3, 3), (1, 2, 3, 3),
    ]  # fmt: skip
    assert [layer.receptive_field.size[0] for layer in found.layers] == [3, 4, 4]


@pytest.mark.parametrize(("depth", "error"), [(-1, ValueError), ("1", TypeError), (1.0, TypeError)])
def test_the_depth_is_an_integer_of_at_least_0(depth, error):
    with pytest.raises(error, match="depth must be"):
        summary(nn.ReLU(), (1, 2, 2), depth=depth)


def test_frozen_parameters_are_counted_apart():
    shared = nn.Linear(3, 3)
    model = nn.Sequential(shared, shared, nn.Linear(3, 2))
    found = summary(model, (1, 3))
    assert (found.parameters, found.parameters_trainable) == (20, 20)
    assert "frozen" not in str(found)
    shared.requires_grad_(False)
    found = summary(model, (1, 3))
    assert (found.parameters, found.parameters_trainable) == (20, 8)
    assert found.to_dict()["parameters_trainable"] == 8
    assert "\nparameters: 20 (80 B)\nfrozen parameters: 12\n" in str(found)
    assert "<br>frozen parameters: 12<br>" in found._repr_html_()
