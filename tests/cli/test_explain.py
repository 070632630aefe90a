"""Tests of `convlab explain`: layers as text, models by name and by import, exit codes."""

import re
import subprocess
import sys

import pytest
import torch
from torch import nn

from convlab.cli import main
from convlab.cli.layer_text import LAYERS, build_layer, parse_layer
from convlab.explain import explain

# Arguments with which each layer can be built.
RANKS = {
    "Conv{}d": ((3, 8, 3), {"stride": 2, "padding": "valid", "padding_mode": "circular"}),
    "ConvTranspose{}d": ((3, 8, 3), {"stride": 2, "output_padding": 1, "bias": False}),
    "MaxPool{}d": ((3,), {"stride": 2, "ceil_mode": True}),
    "AvgPool{}d": ((2,), {"padding": 1}),
    "LPPool{}d": ((1.5, 2), {}),
    "AdaptiveMaxPool{}d": ((1,), {}),
    "AdaptiveAvgPool{}d": ((4,), {}),
    "BatchNorm{}d": ((4,), {"eps": 1e-5, "momentum": None}),
    "InstanceNorm{}d": ((4,), {"affine": True}),
    "Dropout{}d": ((0.25,), {}),
    "ZeroPad{}d": ((1,), {}),
    "ConstantPad{}d": ((1, -3.5), {}),
    "ReflectionPad{}d": ((1,), {}),
    "ReplicationPad{}d": ((1,), {}),
    "CircularPad{}d": ((1,), {}),
}
ARGUMENTS = {name.format(rank): value for name, value in RANKS.items() for rank in (1, 2, 3)} | {
    "Flatten": ((1, -1), {}),
    "Unflatten": ((1, (2, -1)), {}),
    "Linear": ((4, 2), {"bias": False}),
    "Bilinear": ((4, 3, 2), {}),
    "Embedding": ((10, 3), {"padding_idx": 0}),
    "MultiheadAttention": ((8, 2), {"batch_first": True}),
    "RNN": ((3, 4), {"nonlinearity": "relu"}),
    "LSTM": ((3, 4, 2), {"bidirectional": True}),
    "GRU": ((3, 4), {"num_layers": 2}),
    "RNNCell": ((3, 4), {}),
    "LSTMCell": ((3, 4), {}),
    "GRUCell": ((3, 4), {}),
    "GroupNorm": ((2, 8), {}),
    "LayerNorm": (([4, 8],), {"elementwise_affine": False}),
    "RMSNorm": ((8,), {}),
    "LocalResponseNorm": ((5,), {}),
    "Upsample": ((), {"scale_factor": (2.0, 3.0), "mode": "nearest-exact"}),
    "UpsamplingNearest2d": ((), {"size": (4, 4)}),
    "UpsamplingBilinear2d": ((), {"scale_factor": 2}),
    "PixelShuffle": ((2,), {}),
    "PixelUnshuffle": ((2,), {}),
    "ChannelShuffle": ((2,), {}),
    "Fold": (((4, 5), 2), {}),
    "Unfold": ((3,), {"padding": 1}),
    "PReLU": ((4,), {}),
    "Threshold": ((0.1, -20), {}),
    "Softmax": ((), {"dim": -1}),
    "LogSoftmax": ((1,), {}),
    "CrossEntropyLoss": ((), {"label_smoothing": 0.1, "reduction": "sum"}),
}


def run(capsys, *words):
    """Return the exit code, the output and the errors of the command."""
    try:
        code = main(["explain", *words])
    except SystemExit as ended:
        code = ended.code
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def as_text(name, arguments, keywords):
    """Write a layer as in a program."""
    words = [*map(repr, arguments), *(f"{key}={value!r}" for key, value in keywords.items())]
    return f"{name}({', '.join(words)})"


@pytest.mark.parametrize("name", sorted(LAYERS - {"Sequential"}))
def test_a_text_builds_the_layer_of_pytorch(name):
    arguments, keywords = ARGUMENTS.get(name, ((), {}))
    expected = getattr(nn, name)(*arguments, **keywords)
    text = as_text(name, arguments, keywords)
    for written in (text, f"  torch.nn.{text}, \n"):
        built = build_layer(parse_layer(written))
        assert repr(built) == repr(expected)
        shapes = [[(key, x.shape) for key, x in m.state_dict().items()] for m in (built, expected)]
        assert shapes[0] == shapes[1]
        assert all(x.is_meta for x in built.state_dict().values())


def test_every_name_of_the_tests_is_a_known_layer():
    assert set(ARGUMENTS) <= LAYERS


CALLS = {
    "Conv2d(3, 64, 7, stride=2, padding=3)": (nn.Conv2d(3, 64, 7, 2, 3), (1, 3, 224, 224)),
    "nn.Conv2d(3, 64, 7)": (nn.Conv2d(3, 64, 7), (1, 224, 224, 3)),
    "Conv2d(3, 8, 3, dilation=16)": (nn.Conv2d(3, 8, 3, dilation=16), (1, 3, 32, 32)),
    "Conv2d(3, 8, 3, stride=1.5)": (nn.Conv2d(3, 8, 3, stride=1.5), (1, 3, 32, 32)),
    "MaxPool2d(2, padding=2)": (nn.MaxPool2d(2, padding=2), (1, 3, 8, 8)),
    "BatchNorm2d(8)": (nn.BatchNorm2d(8), (1, 8, 1, 1)),
    "ReLU()": (nn.ReLU(), (5,)),
    "Embedding(10, 4)": (nn.Embedding(10, 4), (2, 7)),
    "Sequential()": (nn.Sequential(), (2, 7)),
    "Sequential(Conv2d(3, 4, 3), nn.Flatten(), Linear(4 * 30*30 - 1, 10))": (
        nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten(), nn.Linear(3599, 10)),
        (1, 3, 32, 32),
    ),
    "Sequential(\n ReLU(),\n Sequential(Conv2d(3, 8, (3, 5)), BatchNorm2d(9)),\n)": (
        nn.Sequential(nn.ReLU(), nn.Sequential(nn.Conv2d(3, 8, (3, 5)), nn.BatchNorm2d(9))),
        (2, 3, 16, 16),
    ),
}


@pytest.mark.parametrize("text", CALLS)
def test_the_output_is_that_of_explain(capsys, text):
    model, shape = CALLS[text]
    found = explain(model, shape)
    expected = (0 if found.ok else 1, f"{found}\n", "")
    assert run(capsys, text, "x".join(map(str, shape))) == expected
    assert run(capsys, text, str(shape)) == expected
    assert run(capsys, text, str([*shape])) == expected
    assert run(capsys, text, ",".join(map(str, shape))) == expected


def test_the_cases_above_run_and_fail():
    assert {explain(model, shape).ok for model, shape in CALLS.values()} == {True, False}


@pytest.mark.parametrize(
    ("text", "cause", "step"),
    [
        ("Conv2d(6, 8, 3, groups=4)", "groups_do_not_divide", "in_channels / groups = 6 / 4"),
        ("Conv1d(6, 8, 3, 2, padding='same')", "same_with_stride", r"stride = \(2,\)"),
        ("Conv2d(3, 8, 3.5)", "not_an_integer", r"kernel_size = \(3.5, 3.5\) is not an int"),
        ("Conv2d('3', 8, 3)", "not_an_integer", "in_channels = '3' is not an int"),
        (
            "Sequential(ReLU(), Sequential(Conv2d(6, 8, 3), Conv2d(8, 6, 3, groups=4)))",
            "groups_do_not_divide",
            r"(?s)out_channels .* layer 1.1: Conv2d\(8, 6, 3, groups=4\)",
        ),
    ],
)
def test_what_a_layer_does_not_allow_is_explained(capsys, text, cause, step):
    code, out, err = run(capsys, text, "1x6x8x8")
    assert (code, err) == (1, "")
    assert out.startswith(f"[{cause}] Conv")
    assert re.search(step, out)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Conv2d(3, 64)", "missing a required argument: 'kernel_size'; the arguments are in_cha"),
        ("Conv2d(3, 64, kernel=3)", "kernel_size, stride, padding, dilation, groups, bias"),
        ("Linear(3, 4, True, None, None, 1)", "too many positional arguments"),
        ("Conv2d(3, 64, 3, in_channels=3)", "multiple values for argument 'in_channels'"),
        ("Conv2d(3, 64, 3, padding=same)", "an argument 'same' is a string: put it in quotes"),
        ("Conv2d(3, 64, 3, stride=2, stride=2)", "Conv2d cannot take stride twice"),
        ("Conv2d(3, 64, 3, device='cpu')", "leave out device"),
        ("Conv2d(3, 64, 3, 1, 0, 1, 1, True, 'zeros', 'cuda')", "leave out device"),
        ("LSTM(3, 4, 1, True, False, 0.0, False, 0, 'cpu')", "leave out device"),
        ("RNN(3, 4, 1, 'tanh', True, False, 0.0, False, 0, 'cpu')", "leave out d"),
        ("GRU(3, 4, 1000000000)", "num_layers may be up to 100, got 1000000000"),
        ("Conv2d(-3, 64, 3)", r"Conv2d\(-3, 64, 3\) cannot be built: RuntimeError"),
        ("Conv2d(1000000000, 1000000000, 3)", "cannot be built: RuntimeError"),
        ("Dropout(2)", r"Dropout\(2\) cannot be built: ValueError"),
        ("Conv2D(3, 64, 3)", "there is no layer 'Conv2D': did you mean Conv2d"),
        ("torchvision.models.resnet18()", "a model of a module is named package.module:name"),
        ("ReLU", r"write ReLU with its arguments, ReLU\(...\)"),
        ("Sequential(ReLU)", r"write ReLU with its arguments, ReLU\(...\)"),
        ("Sequential(ReLU(), 3)", "expected a layer such as Conv2d.*, got '3'"),
        ("Sequential(a=ReLU())", "the arguments of a layer are numbers, .* got 'ReLU"),
        ("Sequential(a=3)", r"Sequential takes layers without names, got \['a'\]"),
        ("Conv2d(ReLU(), 3, 3)", "the arguments of a layer are numbers, .* got 'ReLU"),
        ("Conv2d(3, 64, 7, stride=2", "cannot read 'Conv2d.* as a layer: '\\(' was never closed"),
        ("Conv2d(3, 64, 3)  # stem", "a layer is written without '#'"),
        ("Conv2d(3, 64, 10000000000)", "a number may be up to 1000000000, got '10000000000'"),
        ("Conv2d(3, 64, 100000 * 100000)", "a number may be up to 1000000000, got '100000 \\* 1"),
        ("Conv2d(3, 64, 2**3)", r"only \+, -, \* and // compute ints, got '2\*\*3'"),
        ("Linear(8 // 0, 3)", r"only \+, -, \* and // compute ints, got '8 // 0'"),
        ("resnet19", "there is no model 'resnet19': choose from resnet"),
        ("nowhere:net", "cannot import nowhere:net: ModuleNotFoundError"),
        ("a b", "expected a layer such as Conv2d.*, or package.module:name, got 'a b'"),
    ],
)
def test_a_text_that_is_not_a_layer_is_one_line_and_exit_code_2(capsys, text, message):
    code, out, err = run(capsys, text, "1x3x8x8")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith("convlab explain: error: ")
    assert re.search(message, err)


@pytest.mark.parametrize(
    "shape",
    [
        *("", "x", "1x", "x1", "1xx2", "3.5", "1e3", "-1x3", "1x-3", "1x3x8x8x", "big", "1x\x003"),
        *("1x\uff13", "1_0", "9" * 5000, "1x" * 3000 + "1", "0x" + 20 * "1x" + "1", "\ud800"),
        *("1099511627777", "100000x100000x1000", "\n", "--", "-x", "1(2)3", "()", "[]", "1x2\n"),
    ],
)
def test_a_text_that_is_not_a_shape_is_one_line_and_exit_code_2(capsys, shape):
    code, out, err = run(capsys, "ReLU()", shape)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err[:-1].isprintable()
    assert len(err) < 400


def test_dtypes_and_evaluation(capsys):
    assert run(capsys, "Conv2d(3, 8, 3)", "1x3x8x8", "--dtype", "uint8")[1].startswith("[integer")
    assert run(capsys, "Conv2d(3, 8, 3)", "--dtype", "float32", "1x3x8x8")[0] == 0
    loss = ["CrossEntropyLoss()", "8x10", "8"]
    assert run(capsys, *loss)[1].startswith("[dtype_mismatch] CrossEntropyLoss")
    assert run(capsys, *loss, "--dtype", "float32", "--dtype", "int64")[0] == 0
    assert run(capsys, "BatchNorm2d(8)", "1x8x1x1")[0] == 1
    assert run(capsys, "BatchNorm2d(8)", "1x8x1x1", "--eval")[0] == 0
    for wrong in (["--dtype", "float31"], ["--dtype", "qint8"], ["--dtype", "float32"] * 3):
        code, out, err = run(capsys, *loss, *wrong)
        assert (code, out, err.count("\n")) == (2, "", 1)
        assert "--dtype" in err


def test_large_layers_and_inputs_take_no_memory(capsys):
    text = "Sequential(Linear(1000000, 1000000), Linear(1000000, 9))"
    assert run(capsys, text, "1000000x1000000")[:2] == (
        0,
        "The call runs: output shape (1000000, 9)\n",
    )
    assert run(capsys, "Conv2d(3, 1000000, 999)", "1x3x9999x9999")[0] == 0


MINE = """
import sys
import warnings
import torch

print("imported")

class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = torch.nn.Conv2d(3, 8, 3)
        self.fc = torch.nn.Linear(100, 2)
        warnings.warn("old")

    def forward(self, x, y=None):
        x = self.conv(x)
        print("after the convolution", x.shape)
        return self.fc(x.flatten(1))

net = Net()

class Ends(torch.nn.Module):
    def forward(self, x):
        sys.exit(3)

def broken():
    raise OSError("no weights here")
"""


@pytest.fixture
def mine(tmp_path, monkeypatch):
    """Write modules to the current folder, which is not on Python's path."""
    (tmp_path / "my_nets.py").write_text(MINE)
    (tmp_path / "my_script.py").write_text("import sys; sys.exit('usage')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry])
    yield
    sys.modules.pop("my_nets", None)


def test_a_class_and_a_model_are_imported(capsys, mine):
    for name in ("my_nets:Net", "my_nets:net"):
        for inputs in (["1x3x32x32"], ["1x3x32x32", "1x5"]):
            code, out, err = run(capsys, name, *inputs)
            assert (code, err) == (1, "")
            assert out.startswith("[linear_after_flatten] fc (Linear) fails")  # prints nothing else
            assert "\n  in_features = 100\n" in out
    assert run(capsys, "resnet18", "1x3x64x64")[:2] == (
        0,
        "The call runs: output shape (1, 1000)\n",
    )
    assert run(capsys, "torchvision.models:resnet18", "1x64x64x3")[1].startswith(
        "[channels_last_image] conv1 (Conv2d) fails"
    )


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("my_nets:broken", r"my_nets:broken\(\) raised OSError: no weights here"),
        ("my_nets:Ends", "my_nets:Ends raised SystemExit: 3"),
        ("my_nets:sys.exit", r"my_nets:sys.exit\(\) raised SystemExit$"),
        ("my_script:net", "cannot import my_script:net: SystemExit: usage"),
        ("builtins:dict", r"builtins:dict\(\) must return a torch.nn.Module, got dict"),
        ("my_nets:MISSING", "cannot import my_nets:MISSING: AttributeError"),
    ],
)
def test_a_module_without_a_model_is_one_line(capsys, mine, name, message):
    code, out, err = run(capsys, name, "1x3x8x8")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert re.search(message, err)


@pytest.mark.parametrize(
    ("words", "code", "out"),
    [
        (["Conv2d(3, 4, 3)", "1x3x8x8"], 0, "The call runs: output shape (1, 4, 6, 6)\n"),
        (["Linear(3, 0)", "5x3"], 0, "The call runs: output shape (5, 0)\n"),
        (["Linear(0, 3)", "5x1"], 1, "[features] Linear fails"),
        (["import os", "1x3"], 2, ""),
    ],
)
def test_as_a_program_nothing_else_is_printed(words, code, out):
    command = [sys.executable, "-W", "always", "-m", "convlab", "explain", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout[: len(out)]) == (code, out)
    assert done.stderr.count("\n") == (code == 2)


def test_the_state_of_the_random_numbers_is_kept(capsys):
    torch.manual_seed(0)
    before = torch.get_rng_state()
    run(capsys, "Sequential(Conv2d(3, 4, 3), Dropout(0.5), BatchNorm2d(5))", "1x3x8x8")
    assert torch.equal(torch.get_rng_state(), before)
