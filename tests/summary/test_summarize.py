"""A summary of a model: its inputs, totals and errors, and the state of the model afterwards."""

import json

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from convlab.summary import summary
from tests.summary.networks import Block


def test_inputs_of_the_size_of_the_image_have_its_field():
    def forward(self, image, other, condition):
        return self.conv(image) + other[:, :, 1:-1, 1:-1] + condition[:, :, None, None]

    model = Block(forward, conv=nn.Conv2d(2, 3, 3))
    inputs = torch.ones(1, 2, 6, 6), torch.ones(1, 3, 6, 6), torch.ones(1, 3)
    found = summary(model, inputs)
    assert found.input_shapes == ((1, 2, 6, 6), (1, 3, 6, 6), (1, 3))
    assert found.layers[-1].receptive_field.size == (3, 3)
    image = torch.ones(1, 3, 4, 4)
    twice = summary(Block(lambda self, x, y: x + y), (image, image))
    assert twice.layers[-1].receptive_field.size == (1, 1)


def test_shape_and_tensors_can_be_given_as_in_torchinfo():
    model, image = nn.Conv2d(2, 3, 3), torch.ones(1, 2, 6, 6)
    expected = summary(model, (2, 6, 6)).to_dict()
    for options in (
        {"input": (1, 2, 6, 6)}, {"input_size": (1, 2, 6, 6)}, {"input_size": image.shape},
        {"input": image}, {"input_data": image}, {"input_data": [image]},
    ):  # fmt: skip
        assert summary(model, **options).to_dict() == expected
    sequence = summary(nn.Conv1d(4, 8, 3), input_size=(2, 4, 9))
    assert sequence.input_shapes == ((2, 4, 9),)
    assert sequence.layers[0].receptive_field.size == (3,)
    assert summary(nn.Conv1d(4, 8, 3), (2, 4, 9)).to_dict() == sequence.to_dict()
    two = summary(nn.Bilinear(4, 5, 6), [(1, 4), (1, 5)])
    assert two.input_shapes == ((1, 4), (1, 5))
    with pytest.raises(TypeError, match="must hold tensors only, or ints only, got Tensor, None"):
        summary(nn.Bilinear(4, 5, 6), (torch.ones(1, 4), None))
    assert summary(nn.Identity(), input_size=(3,)).input_shapes == ((3,),)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "exactly one of input, input_size and input_data, got none of them"),
        ({"input": (1, 4, 4), "input_size": (1, 1, 4, 4)}, "got input and input_size"),
        ({"input_size": 3}, r"input_size must be a tuple of ints such as \(1, 3, .* got int 3"),
        ({"input_size": torch.ones(1, 4)}, "input_size must be a tuple of ints .* got Tensor"),
        ({"input_size": [torch.ones(1, 4)]}, r"input_size\[0\] must be an int, got Tensor"),
        ({"input_data": (1, 4, 4)}, "input_data must be a tensor or a tuple of tensors, got tuple"),
    ],
)
def test_the_error_names_an_invalid_input(options, message):
    with pytest.raises(TypeError, match=message):
        summary(nn.ReLU(), **options)


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
    assert (again["macs"], again["layers"][2]["macs"]) == (None, None)
    assert "multiply-accumulates: at least 648\n" in str(found)
    assert again["parameters"] == found.parameters
    assert again["input_shapes"] == [[1, 1, 8, 8]]
    assert again["activation_bytes"] == found.activation_bytes
