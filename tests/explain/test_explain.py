"""What an explanation leaves alone, and calls that are unusual."""

import random
import sys
import threading
import warnings

import numpy as np
import pytest
import torch
import torch.nn.functional as F
import torchvision
from torch import nn

import convlab.nn
from convlab.explain import CAUSES, explain
from convlab.explain.calls import parse_call
from convlab.explain.dtypes import tensors_differ
from convlab.explain.trace import Tracer
from tests.explain.corpus import Functional, LeNet, ResidualNet, UNet


def test_a_call_that_runs_has_the_shape_of_its_output():
    found = explain(ResidualNet(), (2, 3, 16, 16))
    assert (found.ok, found.output_shape, found.cause, found.layer) == (True, (2, 10), None, None)
    assert str(found) == "The call runs: output shape (2, 10)"


@pytest.mark.parametrize("name", ["resnet18", "mobilenet_v3_small", "swin_t", "vit_b_16"])
def test_models_of_torchvision_run(name):
    with torch.device("meta"):
        model = getattr(torchvision.models, name)()
    assert explain(model, (2, 3, 224, 224)).output_shape == (2, 1000)


def test_nothing_of_the_model_changes():
    model = ResidualNet(padding=0).train()
    model.stem.eval()
    model.fc.weight.grad = torch.ones_like(model.fc.weight)
    state = {key: value.clone() for key, value in model.state_dict().items()}
    versions = [x._version for x in model.parameters()]
    explain(model, torch.ones(2, 3, 16, 16))
    explain(model, torch.ones(2, 3, 16, 16, dtype=torch.uint8))
    assert all(torch.equal(state[key], value) for key, value in model.state_dict().items())
    assert [x._version for x in model.parameters()] == versions
    assert torch.equal(model.fc.weight.grad, torch.ones_like(model.fc.weight))
    assert not model.stem.training
    assert model.fc.training
    for module in model.modules():
        assert not module._forward_hooks
        assert not module._forward_pre_hooks


def numpy_state():
    return np.random.get_state()[2]  # noqa: NPY002  (the generator that models use)


def test_the_random_number_generators_are_not_used():
    class Random(nn.Module):
        def forward(self, x):
            random.random()
            np.random.random()  # noqa: NPY002
            return F.dropout(x) + torch.rand(3)

    model = nn.Sequential(Random(), nn.Conv2d(4, 2, 1))
    states = torch.get_rng_state(), random.getstate(), numpy_state()
    found = explain(model, (1, 3, 3, 3))
    assert found.cause == "channels"
    assert torch.equal(torch.get_rng_state(), states[0])
    assert (random.getstate(), numpy_state()) == states[1:]
    found.fixes[0].apply(model, (torch.ones(1, 3, 3, 3),))
    assert torch.equal(torch.get_rng_state(), states[0])


def test_hooks_of_the_user_do_not_run():
    calls = []
    model = nn.Sequential(nn.Conv2d(3, 4, 3))
    model[0].register_forward_hook(lambda *args: calls.append(args))
    assert explain(model, (1, 3, 8, 8)).ok is None
    assert not calls
    assert len(model[0]._forward_hooks) == 1


def test_weights_that_a_hook_computes():
    model = nn.Sequential(nn.utils.parametrizations.weight_norm(nn.Conv2d(3, 4, 3)))
    assert explain(model, (1, 3, 8, 8)).output_shape == (1, 4, 6, 6)
    assert explain(model, (1, 5, 8, 8)).cause == "channels"


def test_a_large_model_is_not_computed():
    with torch.device("meta"):
        model = nn.Sequential(nn.Linear(10**6, 10**6), nn.Linear(10**5, 10))
    found = explain(model, (10**6, 10**6))
    assert (found.cause, found.layer) == ("features", "1")


def test_a_code_that_reads_values_is_undecided():
    model = Functional(lambda w, x: x if x.max() > 0 else w, 1)
    found = explain(model, torch.ones(2, 3))
    assert (found.ok, found.cause) == (None, "unknown")
    assert "could not be checked" in str(found)


def test_what_is_not_recognized_shows_the_facts():
    class Odd(nn.Module):
        def forward(self, x):
            raise ArithmeticError("seventeen")

    found = explain(nn.Sequential(nn.ReLU(), Odd()), (2, 3))
    assert (found.ok, found.cause, found.layer) == (False, "unknown", "1")
    assert found.steps == ("ArithmeticError: seventeen", "argument: shape (2, 3), float32")
    assert found.fixes == ()
    assert (found.last_layer, found.last_shape) == ("0", (2, 3))


def test_an_error_that_the_module_handles_is_not_explained():
    class Careful(nn.Module):
        def __init__(self):
            super().__init__()
            self.wrong, self.right = nn.Conv2d(1, 2, 3), nn.Conv2d(3, 2, 3)

        def forward(self, x):
            try:
                x = self.wrong(x)
            except RuntimeError:
                x = self.right(x)
            return x @ x.new_ones(7, 1)

    found = explain(Careful(), (1, 3, 8, 8))
    assert (found.layer, found.cause) == ("", "features")
    assert found.steps == (
        "input: shape (1, 2, 6, 6) has 6 numbers along its last axis",
        "other: shape (7, 1) has 7 numbers along axis 0",
    )


def test_tensors_that_a_module_creates_are_on_the_device_of_the_copy():
    def function(weight, x):
        mask = torch.ones(x.shape[-1], device="cpu")
        return (x * mask).to("cpu").cpu() @ weight

    assert explain(Functional(function, 4, 2), (3, 4)).output_shape == (3, 2)


def test_several_faults_are_mended_together():
    model = nn.Sequential(nn.Conv2d(4, 8, 3), nn.BatchNorm2d(9), nn.Flatten(), nn.Linear(9, 2))
    x = torch.ones(2, 3, 5, 5)
    fix = explain(model, x).fixes[0]
    assert fix.text == "0: in_channels=3; then 1: num_features=8; then 3: in_features=72"
    mended, inputs = fix.apply(model, (x,))
    assert mended(*inputs).shape == (2, 2)


def test_a_fix_of_shapes_returns_shapes():
    model = nn.Conv2d(3, 8, 3)
    _, inputs = explain(model, (1, 8, 8, 3)).fixes[0].apply(model, [(1, 8, 8, 3)])
    assert inputs == ((1, 3, 8, 8),)


def test_an_output_without_cells_depends_on_the_backend():
    layer = nn.ConvTranspose2d(3, 2, 3, padding=3)
    found = explain(layer, (1, 3, 4, 4))
    assert (found.ok, found.cause) == (None, "empty_output")
    assert "ConvTranspose2d may fail" in str(found)
    found = explain(layer, (1, 3, 4, 3))
    assert (found.ok, found.cause) == (False, "empty_output")


def test_the_padding_and_the_dilation_are_in_the_sum():
    found = explain(nn.Conv2d(3, 8, 3, padding=1, dilation=16), (1, 3, 30, 64))
    assert found.steps == (
        "height: the window spans dilation * (kernel_size - 1) + 1 = 16 * (3 - 1) + 1 = 33",
        "height: the input has size + 2 * padding = 30 + 2 * 1 = 32",
        "33 > 32: there is no output",
    )


def test_an_image_that_is_too_small_grows_to_the_smallest_size():
    model = nn.Sequential(nn.Conv2d(3, 4, 9), nn.MaxPool2d(2))
    text = [fix.text for fix in explain(model, (1, 3, 5, 5)).fixes]
    assert "an image of another size: F.interpolate(x, size=(10, 10))" in text


def test_an_image_of_the_size_that_a_linear_layer_was_made_for():
    model = LeNet(nn.Flatten())
    first, second = explain(model, (2, 1, 28, 28)).fixes
    assert first.text == "fc1: in_features=256"
    assert second.text == "an image of another size: F.interpolate(x, size=(32, 32))"


def test_the_layer_of_convlab_is_explained_too():
    found = explain(nn.Sequential(convlab.nn.Conv2d(3, 8, 3)), (1, 4, 9, 9))
    assert (found.cause, found.layer) == ("channels", "0")


def test_wrapped_models_have_the_paths_of_the_model():
    model = torch.compile(UNet(16))
    assert explain(model, (1, 3, 32, 32)).layer == "out"
    assert explain(nn.DataParallel(UNet(16)), (1, 3, 32, 32)).layer == "out"


def test_a_compiled_part_of_a_model():
    class Compiled(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(4, 4, 3)

        @torch.compile(backend="eager")
        def forward(self, x):
            return self.conv(x)

    part = torch.compile(nn.Conv2d(3, 4, 3), backend="eager")
    model = nn.Sequential(part, Compiled(), nn.Conv2d(5, 4, 3))
    found = explain(model, (1, 3, 8, 8))
    assert (found.cause, found.layer, found.last_shape) == ("channels", "2", (1, 4, 4, 4))


def test_inside_autocast_dtypes_are_not_a_cause():
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = explain(nn.Conv2d(3, 8, 3), torch.ones(1, 3, 8, 8, dtype=torch.bfloat16))
    assert found.ok is not False
    assert found.cause in (None, "unknown")


def test_a_shape_for_an_embedding_is_one_of_indices():
    model = nn.Sequential(nn.Embedding(10, 4), nn.Linear(5, 2))
    found = explain(model, (2, 7))
    assert (found.cause, found.layer) == ("features", "1")


def test_every_cause_is_described():
    assert all(CAUSES.values())
    assert "unknown" in CAUSES


def test_wrong_arguments():
    with pytest.raises(TypeError, match=r"module must be a torch\.nn\.Module, got function"):
        explain(F.relu, (1, 2))
    with pytest.raises(ValueError, match=r"at least 0, got \(1, -3\)"):
        explain(nn.ReLU(), (1, -3))


@pytest.mark.parametrize(
    "function",
    [
        lambda w, x: F.linear(x.to(w.device), w),
        lambda w, x: F.linear(x.to(w), w),
        lambda w, x: F.linear(x.type_as(w), w),
        lambda w, x: F.linear(torch.zeros(3, 4, device=x.device), w),
        lambda w, x: F.linear(torch.zeros_like(x), w),
        lambda w, x: F.linear(x.new_ones(3, 4), w),
    ],
)
def test_the_device_of_the_copy_is_not_that_of_the_model(function):
    assert explain(Functional(function, 2, 4), torch.ones(3, 4)).ok


def test_tensors_on_different_devices():
    tracer = Tracer(lambda *_: None)
    x, weight = torch.ones(2, 3, device="meta"), torch.ones(4, 3, device="meta")
    tracer.devices[id(x)] = x, torch.device("cpu")
    tracer.devices[id(weight)] = weight, torch.device("cuda", 0)
    finding = tensors_differ(tracer, parse_call(F.linear, (x, weight), {}))
    assert finding == ("device_mismatch", ["input: on cpu", "weight: on cuda:0"])


@pytest.mark.parametrize(
    ("move", "device"),
    [
        (lambda x: x.cuda(), torch.device("cuda")),
        (lambda x: x.cpu(), torch.device("cpu")),
        (lambda x: x.to("cuda:1"), torch.device("cuda", 1)),
        (lambda x: x.to(torch.float64), torch.device("cuda", 0)),
        (lambda x: x + 1, torch.device("cuda", 0)),
        (lambda x: x.to(x.device), None),  # meta, which stands for any
    ],
)
def test_the_device_that_a_tensor_stands_for(move, device):
    tracer = Tracer(lambda *_: None)
    x = torch.ones(2, 3, device="meta")
    tracer.devices[id(x)] = x, torch.device("cuda", 0)
    with tracer:
        moved = move(x)
    assert tracer.devices.get(id(moved), (moved, None))[1] == device


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA GPU")
def test_a_model_on_the_gpu_and_an_image_on_the_cpu():
    model, x = ResidualNet().cuda(), torch.ones(2, 3, 16, 16)
    found = explain(model, x)
    assert (found.cause, found.layer) == ("device_mismatch", "stem")
    mended, inputs = found.fixes[0].apply(model, (x,))
    assert mended(*inputs).device.type == "cuda"
    assert explain(model, x.cuda()).ok
    assert explain(model, x.shape).ok


def test_nothing_is_printed_while_a_call_is_explained(capfd):
    def function(weight, x):
        print("here")
        print("there", file=sys.stderr)
        warnings.warn("old", stacklevel=1)
        return F.linear(x, weight)

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert explain(Functional(function, 2, 4), (3, 5)).cause == "features"
    assert caught == []
    assert capfd.readouterr() == ("", "")


def test_what_other_threads_print_is_shown(capsys):
    def function(weight, x):
        thread = threading.Thread(target=print, args=("elsewhere",))
        thread.start()
        thread.join()
        print("here")
        return x

    assert explain(Functional(function, 2, 4), (3, 5)).ok
    assert capsys.readouterr().out == "elsewhere\n"
