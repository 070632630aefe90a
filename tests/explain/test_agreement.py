"""`explain` says of a layer what the layer does, also for axes of length 0 and odd arguments."""

import itertools

import numpy as np
import pytest
import torch
from torch import nn

from convlab.explain import explain, explaining

LONG, BYTE = torch.int64, torch.uint8
# fmt: off
LAYERS = [
    nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(3, 3, 3, groups=3), nn.Conv2d(3, 4, 3, padding="same"),
    nn.Conv2d(3, 4, 3, padding=1, padding_mode="reflect"), nn.ConvTranspose2d(3, 4, 3),
    nn.Conv1d(3, 4, 1), nn.Conv3d(3, 4, 1), nn.MaxPool2d(2), nn.AvgPool2d(2), nn.LPPool2d(2, 2),
    nn.MaxPool3d(1), nn.AdaptiveAvgPool2d(2), nn.AdaptiveAvgPool2d(1), nn.AdaptiveMaxPool2d(2),
    nn.BatchNorm2d(3), nn.BatchNorm2d(3).eval(), nn.BatchNorm1d(3), nn.InstanceNorm2d(3),
    nn.GroupNorm(3, 3), nn.LayerNorm(4), nn.LocalResponseNorm(3), nn.Flatten(), nn.Flatten(0),
    nn.Unflatten(1, (1, 3)), nn.Unflatten(1, (-1, 1)), nn.Linear(4, 2), nn.PReLU(3), nn.GLU(3),
    nn.Softmax(1), nn.Softmin(3), nn.LogSoftmax(3), nn.GELU(), nn.PixelShuffle(1),
    nn.PixelUnshuffle(2), nn.ChannelShuffle(3), nn.Upsample(scale_factor=2),
    nn.Upsample(scale_factor=2, mode="bilinear"), nn.Upsample(size=(3, 3), mode="area"),
    nn.UpsamplingNearest2d(scale_factor=2), nn.ZeroPad2d(1), nn.ReflectionPad2d(1),
    nn.ReplicationPad2d(1), nn.CircularPad2d(1), nn.Unfold(2),
    nn.Sequential(nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2)),
]
SHAPES = [
    (2, 3, 5, 4), (0, 3, 5, 4), (2, 0, 5, 4), (2, 3, 0, 4), (2, 3, 5, 0), (3, 5, 4), (0, 5, 4),
    (5, 4), (0, 4), (4,), (0,), (), (2, 3, 0, 4, 4), (0, 3, 2, 4, 4), (1, 3, 1, 1),
]
# fmt: on


def result(module, inputs):
    """Return whether a call runs, and the shape of its output."""
    try:
        return True, tuple(module(*inputs).shape)
    except Exception:  # of many types
        return False, None


def check(module, *inputs):
    """Compare the explanation with the call, and run its fixes; return the explanation."""
    found = explain(module, *inputs)
    assert (found.ok, found.output_shape) == result(module, inputs), (module, found)
    for fix in found.fixes:
        if fix.apply:
            model, changed = fix.apply(module, inputs)
            model(*changed)
    return found


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_a_layer_runs_where_the_explanation_says_so(shape):
    for module in LAYERS:
        check(module, torch.ones(shape))


MISSING, EXTRA, GROUPS = "missing_axis", "extra_axis", "groups_do_not_divide"
EMPTY, PADDING, FEATURES = "empty_output", "padding_mode_too_large", "features"
BATCH = "add the axis of the batch: x.unsqueeze(0)"
# fmt: off
CASES = [
    (nn.ReflectionPad2d(2), (3, 3, 1), PADDING, "padding=(0, 0, 2, 2)"),
    (nn.CircularPad3d(4), (1, 3, 3, 3), PADDING, "padding=(3, 3, 3, 3, 3, 3)"),
    (nn.ReflectionPad2d((5, 0, 0, 0)), (1, 3, 4, 4), PADDING, "padding=(3, 0, 0, 0)"),
    (nn.ReplicationPad2d(4), (3, 4), MISSING, BATCH),
    (nn.ConstantPad2d(1, 0), (3,), MISSING, BATCH),
    (nn.ZeroPad2d((-5, -5, 0, 0)), (1, 3, 4, 4), EMPTY, None),
    (nn.ConvTranspose1d(3, 4, 3), (1, 3, 0), EMPTY, None),
    (nn.ConvTranspose2d(2, 4, 2), (2, 0, 8, 8), "channels", None),
    (nn.ConvTranspose2d(2, 8, (1, 4), 2, (2, 0), (0, 2)), (2, 2, 2, 8), EMPTY,
     "padding=(1, 0); then output_padding=(0, 1)"),
    (nn.Softmax(4), (2, 3), MISSING, None),
    (nn.Flatten(), (3,), MISSING, BATCH),
    (nn.Flatten(1, 5), (3, 2), MISSING, None),
    (nn.Upsample(scale_factor=2, mode="bilinear"), (3, 4, 4), MISSING, BATCH),
    (nn.Upsample(scale_factor=2, mode="linear"), (1, 3, 4, 4), EXTRA, None),
    (nn.Upsample(scale_factor=2, mode="bilinear"), (1, 3, 0, 4), EMPTY, None),
    (nn.GLU(1), (2, 3), GROUPS, None),
    (nn.PReLU(4), (2,), "channels", "num_parameters=1"),
    (nn.Sequential(nn.Linear(5, 9), nn.Unflatten(1, (2, 4))), (3, 5), FEATURES,
     "0: out_features=8"),
    (nn.PixelUnshuffle(2), (1, 3, 5, 4), "unknown", None),
    (nn.BatchNorm2d(4), (2, 4, 8), MISSING, "BatchNorm1d(4), for 3 axes"),
    (nn.Conv3d(3, 8, 1), (1, 3, 9, 9), MISSING, "add the axis of the depth: x.unsqueeze(2)"),
    (nn.Conv3d(3, 8, 3), (2, 9, 3, 8, 8), "channels",
     "exchange the axes of the channels and of the time: x.transpose(1, 2)"),
    (nn.Conv3d(3, 8, 3), (1, 1, 8, 8, 8), "channels", "in_channels=1"),
    (nn.Conv1d(3, 8, 3), (1, 1, 9), "channels", "in_channels=1"),
    (nn.GroupNorm(2, 6), (1, 7, 4, 4), "channels", "num_groups=1, num_channels=7"),
    (nn.BatchNorm2d(16, affine=False), (2, 7, 4, 4), "batchnorm_channels", "num_features=7"),
    (nn.Unfold(3), (1, 2, 3, 4, 5), EXTRA, "make one axis of the first 2: x.flatten(0, 1)"),
    (nn.Sequential(nn.Conv2d(3, 8, 3), nn.Flatten(), nn.Linear(8, 2)), (2, 3, 9, 9),
     "linear_after_flatten",
     "average over each map before it is flattened: nn.AdaptiveAvgPool2d(1)"),
]
# A forgotten batch, which fails far behind the first layer.
UNBATCHED = [
    (nn.Sequential(nn.Conv1d(1, 8, 3), nn.BatchNorm1d(8)), (1, 99)),
    (nn.Sequential(nn.Conv2d(3, 8, 3), nn.GroupNorm(2, 8), nn.Conv2d(8, 8, 3)), (3, 32, 32)),
    (nn.Sequential(nn.Conv2d(3, 8, 3), nn.PReLU(8)), (3, 32, 32)),
]
FLOATS = [
    (nn.AvgPool2d(2.0), "kernel_size=2, stride=2"), (nn.PixelShuffle(2.0), "upscale_factor=2"),
    (nn.PixelUnshuffle(2.0), "downscale_factor=2"), (nn.AdaptiveAvgPool2d(2.5), "output_size=2"),
    (nn.AdaptiveMaxPool2d((2.0, None)), "output_size=(2, None)"),
    (nn.GroupNorm(2.0, 4), "num_groups=2"), (nn.ChannelShuffle(2.0), "groups=2"),
    (nn.ZeroPad2d(1.0), "padding=(1, 1, 1, 1)"), (nn.Flatten(1.0), "start_dim=1"),
]
ARGUMENTS = [
    (nn.Conv2d(4, 4, 3, padding=-1), "padding = (-1, -1) must be at least 0"),
    (nn.Conv2d(4, 4, 3, dilation=0), "dilation = (0, 0) must be at least 1"),
    (nn.Conv2d(4, 4, 3, stride=0), "stride = (0, 0) must be at least 1"),
    (nn.ConvTranspose2d(4, 4, 3, stride=0), "stride = (0, 0) must be at least 1"),
    (nn.MaxPool2d(2, dilation=0), "dilation = 0 must be at least 1"),
    (nn.AvgPool2d(2, padding=-1), "padding = -1 must be at least 0"),
    (nn.Conv2d(4, 8, (3, 3, 3)), "kernel_size = (3, 3, 3) has 3 numbers, conv2d takes 2"),
    (nn.Conv2d(4, 8, (3,)), "kernel_size = (3,) has 1 numbers, conv2d takes 2"),
    (nn.MaxPool2d((2, 2, 2), 1), "kernel_size = (2, 2, 2) has 3 numbers, max_pool2d takes 2"),
    (nn.Conv2d(4, 8, 3, padding=(1, 1, 1)), "padding = (1, 1, 1) has 3 numbers, conv2d takes 2"),
]
# fmt: on


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("module", "shape", "cause", "first"), CASES)
def test_a_layer_that_fails(module, shape, cause, first):
    found = check(module, torch.ones(shape))
    assert found.cause == cause
    assert (found.fixes[0].text if found.fixes else None) == first
    with pytest.raises(Exception) as caught, explaining():  # noqa: PT011  (of many types)
        module(torch.ones(shape))
    assert caught.value.__notes__[0].startswith(f"convlab: [{cause}] ")


@pytest.mark.parametrize(("module", "shape"), UNBATCHED)
def test_a_forgotten_batch_is_named_wherever_the_call_fails(module, shape):
    found = check(module, torch.ones(shape))
    assert (found.cause, found.layer) == (MISSING, "1")
    assert [fix.text for fix in found.fixes] == [BATCH]
    assert found.steps[-1] == f"the model gets {shape}, and runs with {(1, *shape)}: (N, C, ...)"


@pytest.mark.parametrize(("module", "text"), FLOATS)
def test_a_float_in_place_of_an_int(module, text):
    found = check(module, torch.ones(1, 4, 8, 8))
    assert (found.cause, found.fixes[0].text) == ("not_an_integer", text)


def test_a_number_of_heads_that_is_a_float():
    found = explain(nn.MultiheadAttention(8, 2.0), (5, 2, 8), (5, 2, 8), (5, 2, 8))
    assert (found.cause, found.steps) == ("not_an_integer", ("num_heads = 2.0 is not an int",))
    assert found.fixes[0].text == "num_heads=2"


@pytest.mark.parametrize(("module", "step"), ARGUMENTS)
def test_an_argument_that_a_window_does_not_take(module, step):
    found = check(module, torch.ones(1, 4, 8, 8))
    assert (found.ok, found.cause, found.steps[0]) == (False, "unknown", step)


@pytest.mark.parametrize(
    ("module", "inputs", "step"),
    [
        (nn.Conv2d(3, 4, 3), [], "Conv2d.forward(input): missing a required argument: 'input'"),
        (nn.ReLU(), [(2, 3), (2, 3)], "ReLU.forward(input): too many positional arguments"),
        (
            nn.CrossEntropyLoss(),
            [(2, 3)],
            "CrossEntropyLoss.forward(input, target): missing a required argument: 'target'",
        ),
    ],
)
def test_the_number_of_arguments(module, inputs, step):
    found = explain(module, *inputs)
    assert found.steps == (step, f"number of arguments: {len(inputs)}")


@pytest.mark.parametrize("loss", [nn.CrossEntropyLoss(), nn.NLLLoss()])
@pytest.mark.parametrize("classes", [0, 1, 3])
def test_class_numbers_of_one_prediction(loss, classes):
    for shape, target in itertools.product([(classes,), (2, classes)], [(), (1,), (2,)]):
        check(loss, torch.ones(shape), torch.zeros(target, dtype=LONG))


def test_dtypes_of_a_batch_without_images():
    for module in (nn.Softmax(1), nn.BatchNorm1d(4, affine=False).eval(), nn.Linear(4, 2)):
        check(module, torch.ones(0, 4, dtype=BYTE))


def test_arguments_that_are_no_tensors_are_named():
    for value, name in [(np.ones((1, 3, 9, 9)), "numpy.ndarray"), ({}, "builtins.dict")]:
        found = explain(nn.Conv2d(3, 4, 3), value)
        assert (found.ok, found.cause, found.steps[1]) == (False, "unknown", f"argument: {name}")


def test_messages_in_one_line_without_runs_of_spaces():
    (step, *_) = explain(nn.LocalResponseNorm(5), (3,)).steps
    assert step == "ValueError: Expected 3D or higher dimensionality input (got 1 dimensions)"


def test_a_model_on_several_devices_is_not_mended_by_its_inputs():
    found = explain(nn.Sequential(nn.Linear(8, 8), nn.Linear(8, 8).to("meta")), torch.ones(2, 8))
    assert (found.cause, found.layer) == ("device_mismatch", "1")
    (fix,) = found.fixes
    assert fix.text == "move the model to one device, and the inputs: model.to(device)"
    assert fix.apply is None


def test_the_fix_of_a_wrapped_model_is_applied_to_the_model():
    for module in (nn.DataParallel(nn.Conv2d(3, 8, 3)), torch.compile(nn.Conv2d(3, 8, 3))):
        x = torch.ones(1, 5, 8, 8)
        mended, inputs = explain(module, x).fixes[0].apply(module, (x,))
        assert mended(*inputs).shape == (1, 8, 6, 6)
