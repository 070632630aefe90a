"""`convlab.nn.Conv2d` compared with `torch.nn.Conv2d`."""

import copy
import inspect
import io
import pickle

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn.utils import prune

from convlab.nn import Conv2d, InputError
from tests.ops.strategies import MODES, int_or_pair

SETTINGS = [
    {},
    {"stride": 2, "padding": 3},
    {"kernel_size": (3, 2), "padding": "same", "dilation": (1, 2)},
    {"padding": "valid", "stride": (2, 1), "bias": False},
    {"groups": 2, "padding": (2, 1), "padding_mode": "reflect"},
    {"groups": 4, "dilation": 2, "padding": 2, "padding_mode": "circular"},
    {"padding": "same", "padding_mode": "replicate", "kernel_size": 4},
]


def both(**options):
    """Build both layers with the same seed."""
    arguments = {"in_channels": 4, "out_channels": 8, "kernel_size": 3} | options
    layers = []
    for cls in (Conv2d, nn.Conv2d):
        torch.manual_seed(0)
        layers.append(cls(**arguments))
    return layers


@st.composite
def arguments(draw):
    groups = draw(st.integers(1, 3))
    same = draw(st.booleans())
    return {
        "in_channels": groups * draw(st.integers(1, 3)),
        "out_channels": groups * draw(st.integers(1, 3)),
        "kernel_size": draw(int_or_pair(1, 4)),
        "stride": 1 if same else draw(int_or_pair(1, 3)),
        "padding": "same" if same else draw(st.just("valid") | int_or_pair(0, 3)),
        "dilation": draw(int_or_pair(1, 3)),
        "groups": groups,
        "bias": draw(st.booleans()),
        "padding_mode": draw(st.sampled_from(MODES)),
        "dtype": draw(st.sampled_from([None, torch.float32, torch.float64, torch.bfloat16])),
    }


PUBLIC = ("in_channels", "out_channels", "kernel_size", "stride", "padding", "dilation")
PUBLIC += ("groups", "padding_mode", "transposed", "output_padding", "training")


@settings(max_examples=300)
@given(options=arguments())
def test_attributes_repr_state_and_initial_weights_are_the_same(options):
    ours, theirs = both(**options)
    for name in (*PUBLIC, "_reversed_padding_repeated_twice"):
        assert getattr(ours, name) == pytest.approx(getattr(theirs, name)), name
        assert type(getattr(ours, name)) is type(getattr(theirs, name)) or name.startswith("_")
    assert vars(ours).keys() == vars(theirs).keys()
    assert repr(ours) == repr(theirs)
    mine, other = ours.state_dict(), theirs.state_dict()
    assert list(mine) == list(other)
    for name, tensor in mine.items():
        assert tensor.dtype == other[name].dtype
        assert torch.equal(tensor, other[name]), name


def test_the_constructor_takes_the_same_arguments():
    ours, theirs = (inspect.signature(cls).parameters for cls in (Conv2d, nn.Conv2d))
    assert list(ours) == list(theirs)
    for name, parameter in ours.items():
        assert parameter.default == theirs[name].default, name
        assert parameter.kind == theirs[name].kind, name


@pytest.mark.parametrize("options", SETTINGS, ids=str)
def test_results_and_gradients_are_the_same(options, device):
    ours, theirs = (layer.to(device, torch.float64) for layer in both(**options))
    x = torch.randn(3, 4, 9, 8, dtype=torch.float64, device=device)
    answers = []
    for layer in (ours, theirs):
        leaf = x.clone().requires_grad_()
        y = layer(leaf)
        (y**2).sum().backward()
        answers.append([y, leaf.grad, *(p.grad for p in layer.parameters())])
    torch.testing.assert_close(*answers, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("options", SETTINGS, ids=str)
def test_ten_steps_of_training_end_at_the_same_weights(options):
    x = torch.randn(3, 4, 9, 8, dtype=torch.float64)
    layers = both(**options, dtype=torch.float64)
    for layer in layers:
        optimizer = torch.optim.SGD(layer.parameters(), lr=0.1, momentum=0.9)
        for _ in range(10):
            optimizer.zero_grad()
            layer(x).square().mean().backward()
            optimizer.step()
    torch.testing.assert_close(*(layer.state_dict() for layer in layers))


def test_weights_load_strictly_both_ways():
    ours, theirs = Conv2d(4, 8, 3), nn.Conv2d(4, 8, 3)
    x = torch.randn(2, 4, 9, 8)
    ours.load_state_dict(theirs.state_dict(), strict=True)
    torch.testing.assert_close(ours(x), theirs(x))
    ours.reset_parameters()
    theirs.load_state_dict(ours.state_dict(), strict=True)
    torch.testing.assert_close(ours(x), theirs(x))


def test_weights_in_channels_last_are_drawn_in_the_same_order():
    ours, contiguous = both()  # PyTorch 2.9 and older draw channels last in the order of the memory
    ours.to(memory_format=torch.channels_last)
    for layer in (ours, contiguous):
        torch.manual_seed(5)
        layer.reset_parameters()
    assert torch.equal(ours.weight, contiguous.weight)
    assert torch.equal(ours.bias, contiguous.bias)


@pytest.mark.parametrize(
    "copied",
    [copy.deepcopy, lambda layer: pickle.loads(pickle.dumps(layer)), "torch"],
    ids=["deepcopy", "pickle", "torch.save"],
)
def test_copies_compute_the_same_and_share_nothing(copied):
    layer = Conv2d(4, 8, 3, padding="same", padding_mode="circular", groups=2)
    if copied == "torch":
        file = io.BytesIO()
        torch.save(layer, file)
        file.seek(0)
        twin = torch.load(file, weights_only=False)
    else:
        twin = copied(layer)
    x = torch.randn(2, 4, 9, 8)
    assert repr(twin) == repr(layer)
    assert torch.equal(twin(x), layer(x))
    assert twin.weight.data_ptr() != layer.weight.data_ptr()


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16, torch.float16])
def test_the_dtype_of_the_layer_is_that_of_the_result(dtype):
    ours, theirs = both(padding=1, dtype=dtype)
    x = torch.randn(2, 4, 9, 8).to(dtype)
    y = ours(x)
    assert y.dtype == dtype
    torch.testing.assert_close(y, theirs(x))


def test_on_the_meta_device_shapes_are_computed_and_nothing_else():
    layer = Conv2d(4, 8, 3, stride=2, device="meta")
    y = layer(torch.empty(2, 4, 9, 8, device="meta"))
    assert (y.device.type, y.shape) == ("meta", (2, 8, 4, 3))


def test_attributes_can_be_changed_later():
    ours, theirs = both()
    for layer in (ours, theirs):
        layer.stride, layer.padding = (2, 2), (1, 1)
    x = torch.randn(2, 4, 9, 8)
    torch.testing.assert_close(ours(x), theirs(x))


def test_pytorchs_tools_see_the_same_function():
    layer, x = Conv2d(4, 8, 3, padding=1), torch.randn(2, 4, 9, 8)
    expected = layer(x)
    traced = torch.fx.symbolic_trace(nn.Sequential(layer, nn.ReLU()))
    torch.testing.assert_close(traced(x), expected.relu())
    for dynamic in (False, True):
        torch.compiler.reset()
        compiled = torch.compile(layer, fullgraph=True, dynamic=dynamic, backend="eager")
        torch.testing.assert_close(compiled(x), expected)
    dims = {0: torch.export.Dim("n"), 2: torch.export.Dim("h"), 3: torch.export.Dim("w")}
    exported = torch.export.export(layer, (x,), dynamic_shapes=(dims,)).module()
    other = torch.randn(5, 4, 12, 11)
    torch.testing.assert_close(exported(other), layer(other))
    torch.testing.assert_close(torch.func.vmap(layer)(x[:, None])[:, 0], expected)


def test_hooks_and_pruning_work():
    layer = Conv2d(4, 8, 3)
    seen = []
    layer.register_forward_hook(lambda module, args, output: seen.append(output.shape))
    prune.l1_unstructured(layer, "weight", amount=0.5)
    layer(torch.randn(1, 4, 5, 5))
    assert seen == [(1, 8, 3, 3)]
    assert (layer.weight == 0).sum() == layer.weight.numel() // 2


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"groups": 3}, ValueError, "in_channels=4 is not divisible by groups=3"),
        ({"groups": 0}, ValueError, "groups must be at least 1, got 0"),
        ({"groups": (1, 2)}, TypeError, "groups must be an int, got tuple"),
        ({"in_channels": 0}, ValueError, "in_channels must be at least 1, got 0"),
        ({"out_channels": 8.0}, TypeError, "out_channels must be an int, got float"),
        ({"kernel_size": 0}, ValueError, "kernel_size must be at least 1, got 0"),
        ({"kernel_size": (3, 3, 3)}, ValueError, "kernel_size .* got 3 values"),
        ({"stride": 0}, ValueError, "stride must be at least 1, got 0"),
        ({"dilation": 0}, ValueError, "dilation must be at least 1, got 0"),
        ({"padding": -1}, ValueError, "padding must be at least 0, got -1"),
        ({"padding": 1.0}, TypeError, "padding must be .* got float 1.0"),
        ({"padding": "full"}, ValueError, "'full'"),
        ({"padding": "same", "stride": 2}, ValueError, "stride"),
        ({"padding_mode": "symmetric"}, ValueError, "'replicate'.*got 'symmetric'"),
    ],
    ids=str,
)
def test_the_constructor_refuses(options, error, message):
    with pytest.raises(error, match=message):
        Conv2d(**({"in_channels": 4, "out_channels": 8, "kernel_size": 3} | options))


def test_a_wrong_image_is_refused_at_the_call():
    with pytest.raises(InputError, match="has 3 channels, but weight"):
        Conv2d(4, 8, 3)(torch.zeros(1, 3, 9, 9))
