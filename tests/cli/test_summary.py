"""Tests of `convlab summary`, with models by name and by import."""

import json
import sys

import pytest

from convlab.cli import main
from convlab.models import MODELS
from convlab.summary import summary

MINE = """
import torch

def net():
    return torch.nn.Conv2d(1, 2, 3)

def audio():
    return torch.nn.Conv1d(2, 4, 3)

class Pair(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.words = torch.nn.Sequential(torch.nn.Embedding(1, 3), torch.nn.Flatten())
        self.out = torch.nn.Linear(3, 2)

    def forward(self, x, ids):
        return self.out(x) + self.out(self.words(ids))

def broken():
    raise OSError("no weights here")

class Holder:
    net = torch.nn.ReLU

number = 3
ready = net()
"""


@pytest.fixture
def mine(tmp_path, monkeypatch):
    """Write a module to the current folder, which is not on Python's path."""
    (tmp_path / "my_networks.py").write_text(MINE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry])
    yield
    sys.modules.pop("my_networks", None)


def test_a_named_model_has_an_input_shape(capsys):
    assert main(["summary", "lenet5"]) == 0
    assert capsys.readouterr().out == f"{summary(MODELS['lenet5'].build(), (1, 28, 28))}\n"


def test_json_is_the_dictionary(capsys):
    assert main(["summary", "simple-cnn", "--json", "--input", "2x3x48x40"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found == summary(MODELS["simple-cnn"].build(), (2, 3, 48, 40)).to_dict()
    assert found["input_shapes"] == [[2, 3, 48, 40]]


def test_a_callable_is_imported(capsys, mine):
    assert main(["summary", "my_networks:net", "--input", "1x8x8"]) == 0
    assert "Conv2d, input 1x1x8x8" in capsys.readouterr().out
    assert main(["summary", "my_networks:Holder.net", "--input", "1x8x8"]) == 0
    assert main(["summary", "my_networks:ready", "--input", "1x8x8"]) == 0
    assert main(["summary", "torch.nn:Identity", "--input", "1x8x8", "--json"]) == 0


def test_models_of_sequences(capsys, mine):
    for shape, shown in (("2x50", "1x2x50"), ("3x2x50", "3x2x50")):
        assert main(["summary", "my_networks:audio", "--input", shape]) == 0
        assert capsys.readouterr().out.startswith(f"Conv1d, input {shown}\n")


def test_several_inputs_with_a_dtype_each(capsys, mine):
    inputs = ["--input", "5x3", "--input", "5x1"]
    words = ["summary", "my_networks:Pair", *inputs, "--dtype", "float32", "--dtype", "int64"]
    assert main(words) == 0
    assert "Pair, input 5x3, 5x1\n" in capsys.readouterr().out
    assert main(["summary", "torch.nn:ReLU", "--input", "5x3", "--dtype", "float64"]) == 0
    assert "activations: 120 B\n" in capsys.readouterr().out


def test_layers_down_to_a_depth(capsys, mine):
    words = ["summary", "resnet18", "--input", "3x64x64", "--json", "--depth", "1"]
    assert main(words) == 0
    found = json.loads(capsys.readouterr().out)
    children = dict(MODELS["resnet18"].build().named_children())
    assert [layer["name"] for layer in found["layers"]] == [*children]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["resnet"], "there is no model 'resnet': choose from resnet"),
        (["xyz"], "choose from simple-cnn, .* package.module:callable"),
        (["my_networks:net"], "my_networks:net needs --input"),
        (["nowhere:net", "--input", "3"], "cannot import nowhere:net: ModuleNotFoundError"),
        (["my_networks:no", "--input", "3"], "cannot import my_networks:no: AttributeError"),
        (["my_networks:number", "--input", "3"], "my_networks:number must be callable, got int"),
        (["my_networks:broken", "--input", "3"], r"broken\(\) raised OSError: no weights here"),
        (["builtins:dict", "--input", "1x8x8"], "model must be an nn.Module, got dict"),
        (["my_networks:net", "--input", "3x8x8"], r"RuntimeError in the model itself \(Conv2d\)"),
        (["my_networks:net", "--input", "8"], r"input must be \(C, H, W\)"),
        (["my_networks:net", "--input", "1x0x8"], r"input\[1\] must be at least 1, got 0"),
        (["lenet5", "--input", "big"], "expected whole numbers"),
        (["lenet5", "--dtype", "float31"], "--dtype must name .* float32 or int64, got 'float31'"),
        (["lenet5", "--dtype", "ones"], "--dtype must name a dtype of PyTorch .* got 'ones'"),
        (["lenet5", *["--dtype", "float32"] * 2], "one entry per input, of which there are 1, got"),
        (["lenet5", "--depth", "-1"], "depth must be at least 0, got -1"),
        ([], "the following arguments are required: model"),
    ],
)
def test_a_wrong_argument_is_one_line_and_exit_code_2(capsys, mine, words, message):
    import re

    with pytest.raises(SystemExit) as ended:
        main(["summary", *words])
    assert ended.value.code == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("convlab summary: error: ")
    assert captured.err.count("\n") == 1
    assert re.search(message, captured.err)
