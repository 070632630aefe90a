"""Rows of a summary: which layers and operations have one, and what it contains."""

import contextlib
import copy
import dataclasses
import warnings
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from convlab.summary import summary
from tests.summary.networks import Block


def rows(found):
    return [(layer.name, layer.kind) for layer in found.layers]


def test_functional_joins_and_windows_have_rows():
    model = Block(
        lambda self, x: torch.cat(
            [F.max_pool2d(self.conv(x), 2) + 1, F.avg_pool2d(x, 2)], 1
        ).relu(),
        conv=nn.Conv2d(2, 3, 3, padding=1),
    )
    found = summary(model, (2, 8, 8))
    assert rows(found) == [
        ("conv", "Conv2d"),
        ("(max_pool2d)", "max_pool2d"),
        ("(avg_pool2d)", "avg_pool2d"),
        ("(cat)", "cat"),
        ("(relu)", "relu"),
    ]
    assert [layer.receptive_field.size[0] for layer in found.layers] == [3, 4, 2, 4, 4]


def test_an_activation_in_place_has_no_row():
    model = Block(lambda self, x: F.relu(self.conv(x), inplace=True), conv=nn.Conv2d(2, 3, 3))
    assert rows(summary(model, (2, 8, 8))) == [("conv", "Conv2d")]


def test_the_second_use_of_an_operation_or_a_layer_is_numbered():
    block = Block(lambda self, x: self.conv(self.conv(x)) + x + x, conv=nn.Conv2d(2, 2, 1))
    found = summary(nn.Sequential(block), (2, 4, 4))
    assert rows(found) == [
        ("0.conv", "Conv2d"), ("0.conv", "Conv2d"), ("0 (add)", "add"), ("0 (add 2)", "add"),
    ]  # fmt: skip
    assert [layer.call for layer in found.layers] == [1, 2, 1, 1]
    assert [layer.parameters for layer in found.layers] == [6, 0, 0, 0]
    assert found.parameters == 6
    assert "0.conv #2" in str(found)


def test_shared_parameters_count_once_and_unused_ones_apart():
    shared = nn.Conv2d(2, 2, 1, bias=False)
    model = Block(lambda self, x: self.b(self.a(x)), a=shared, b=shared, head=nn.Linear(3, 4))
    found = summary(model, (2, 4, 4))
    assert (found.parameters, found.parameters_unused) == (4 + 16, 16)
    assert found.parameter_bytes == 80
    assert "of which 16 took no part in this run" in str(found)


def test_a_parameter_counts_where_it_is_first_combined_with_the_image():
    def forward(self, x):
        weight = self.weight - self.weight.mean(dim=(1, 2, 3), keepdim=True)
        return F.conv2d(x, weight * self.gain) * self.scale

    model = Block(
        forward,
        weight=nn.Parameter(torch.ones(4, 2, 3, 3)),
        gain=nn.Parameter(torch.ones(1)),
        scale=nn.Parameter(torch.ones(4, 1, 1)),
    )
    found = summary(model, (2, 5, 5))
    assert rows(found) == [("(conv2d)", "conv2d"), ("(mul)", "mul")]
    assert [layer.parameters for layer in found.layers] == [73, 4]


def test_memory_shared_with_inputs_is_not_counted():
    model = nn.Sequential(
        nn.Conv2d(1, 2, 1), nn.ReLU(inplace=True), nn.ReLU(), nn.Flatten(), nn.Identity(),
        Block(lambda self, x: (x, x[:, :3], x * 2)),
    )  # fmt: skip
    found = summary(model, (1, 4, 4))
    assert [layer.activation_bytes for layer in found.layers] == [128, 0, 128, 0, 0, 128]
    assert found.activation_bytes == 384
    assert summary(model.double(), (3, 1, 4, 4)).activation_bytes == 2 * 3 * 384
    assert summary(model, (1, 4, 4), dtype=torch.float64).layers[0].activation_bytes == 256


@pytest.mark.parametrize("mode", [torch.inference_mode, lambda: torch.autocast("cpu")])
def test_autograd_modes_inside_the_model_hide_no_operation(mode):
    def forward(self, x):
        with mode():
            return self.fc(F.relu(self.conv(x)).mT).flatten(1)

    model = Block(forward, conv=nn.Conv2d(2, 3, 3, padding="same"), fc=nn.Linear(5, 2))
    found = summary(model, (2, 5, 5))
    assert [layer.macs for layer in found.layers] == [5 * 5 * 3 * 2 * 9, 0, 3 * 5 * 5 * 2]
    assert [layer.receptive_field.size for layer in found.layers] == [(3, 3), (3, 3), (5 + 2, 3)]


def test_a_compiled_or_scripted_model_is_recorded_too():
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Conv2d(2, 1, 3))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        scripted = torch.jit.script(model)
        traced = torch.jit.trace(model, torch.ones(1, 1, 8, 8))
    for variant in (scripted, traced, nn.Sequential(scripted), torch.fx.symbolic_trace(model)):
        found = summary(variant, (1, 8, 8))
        assert (found.parameters, found.parameters_unused) == (39, 0)
        assert found.macs == summary(model, (1, 8, 8)).macs
        assert found.layers[-1].receptive_field.size == (5, 5)


def test_reparametrized_weights_belong_to_their_layer():
    layer = nn.utils.parametrizations.weight_norm(nn.Conv2d(1, 2, 3))
    found = summary(nn.Sequential(layer), (1, 8, 8))
    assert [(row.kind, row.parameters) for row in found.layers] == [
        ("_WeightNorm", 0), ("conv2d", 22),
    ]  # fmt: skip
    assert found.layers[1].receptive_field.size == (3, 3)


def test_a_model_that_catches_errors_of_its_layers_is_recorded():
    def forward(self, x):
        try:
            return self.wrong(x)
        except RuntimeError:
            return self.right(x)

    model = Block(forward, wrong=nn.Conv2d(3, 1, 1), right=nn.Conv2d(2, 1, 3))
    found = summary(model, (2, 8, 8))
    assert rows(found) == [("right", "Conv2d")]
    assert found.parameters_unused == 4


def test_operations_are_named_as_the_functions_that_users_call():
    def forward(self, x):
        x = F.conv_transpose2d(F.conv2d(x, self.weight), self.weight)
        return F.conv_transpose1d(x.flatten(2), self.weight.flatten(2))

    model = Block(forward, weight=nn.Parameter(torch.ones(2, 2, 3, 3)))
    kinds = [layer.kind for layer in summary(model, (2, 5, 5)).layers]
    assert kinds == ["conv2d", "conv_transpose2d", "conv_transpose1d"]


def test_the_cost_of_a_custom_operation_is_unknown():
    @torch.library.custom_op("convlab_tests::twice", mutates_args=())
    def twice(x: torch.Tensor) -> torch.Tensor:
        return 2 * x

    @torch.library.custom_op("convlab_tests::multiply_into", mutates_args={"out"})
    def multiply_into(x: torch.Tensor, out: torch.Tensor) -> None:
        out.copy_(x @ x)

    found = summary(Block(lambda self, x: twice(x) + x), (2, 5, 5))
    assert rows(found) == [("(twice)", "twice"), ("(add)", "add")]
    assert found.macs is None
    out = torch.zeros(1, 2, 5, 5)
    found = summary(Block(lambda self, x: (multiply_into(x, out), out + 1)[1]), (2, 5, 5))
    assert rows(found) == [("", "Block")]
    assert found.macs is None
    assert found.layers[0].receptive_field is None


class Stop(Exception):
    """Raised by a hook to stop a model early."""


def stop(*args):
    raise Stop


def catching(method):
    """Return a model whose first attempt fails; then it executes operations and a layer."""

    def forward(self, x):
        if method:
            getattr(self.inner[1], method)(stop)
        with contextlib.suppress(RuntimeError, Stop):
            self.inner(x)
        return self.last(F.max_pool2d(x, 2)) + 1

    wrong = nn.Sequential(nn.ReLU(), nn.Conv2d(2 if method else 3, 1, 1))
    inner = nn.Sequential(nn.Conv2d(2, 2, 1), wrong)
    return Block(forward, inner=inner, last=nn.Conv2d(2, 2, 1))


@pytest.mark.parametrize("method", [None, "register_forward_hook", "register_forward_pre_hook"])
@pytest.mark.parametrize("depth", [0, 1, 2])
def test_after_an_error_that_was_caught_operations_belong_to_their_module(method, depth):
    model, prefix = catching(method), ""
    for _ in range(depth):
        model, prefix = nn.Sequential(model), f"0.{prefix}"
    found = [row for row in rows(summary(model, (2, 8, 8))) if "inner.1" not in row[0]]
    pool = f"{prefix.rstrip('.')} (max_pool2d)".strip()
    assert found == [
        (f"{prefix}inner.0", "Conv2d"), (pool, "max_pool2d"), (f"{prefix}last", "Conv2d"),
    ]  # fmt: skip


def test_an_error_names_the_innermost_layer_that_failed():
    model = nn.Sequential(nn.ReLU(), nn.Sequential(nn.Conv2d(2, 2, 1), nn.Conv2d(5, 5, 1)))
    with pytest.raises(RuntimeError, match=r"in layer '1\.1' \(Conv2d\), called with \(1, 2"):
        summary(model, (2, 8, 8))

    def forward(self, x):
        with contextlib.suppress(RuntimeError):
            self.wrong(x)
        raise KeyError(str(self.right(x).shape))

    model = Block(forward, wrong=nn.Conv2d(3, 1, 1), right=nn.Conv2d(2, 2, 1))
    with pytest.raises(RuntimeError, match=r"in layer '0' \(Block\)"):
        summary(nn.Sequential(model), (2, 8, 8))


def test_what_runs_in_another_thread_is_unknown():
    def forward(self, x):
        with ThreadPoolExecutor(2) as pool:
            a, b = pool.map(lambda layer: layer(x), [self.a, self.b])
        return self.c(a + b)

    layers = {name: nn.Conv2d(2, 2, 3) for name in "abc"}
    found = summary(Block(forward, **layers), (2, 8, 8))
    by_name = {layer.name: (layer.parameters, layer.macs) for layer in found.layers}
    assert by_name == {"a": (38, None), "b": (38, None), "(add)": (0, 0), "c": (38, 16 * 36)}
    assert [layer.receptive_field for layer in found.layers] == [None] * 4
    assert (found.macs, found.parameters_unused) == (None, 0)


def test_a_module_that_is_a_generator_runs_when_its_values_are_taken():
    class Steps(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(2, 2, 3)

        def forward(self, x):
            y = self.conv(x)
            yield y
            yield y.relu()

    expected = [("steps.conv", "Conv2d"), ("(relu)", "relu"), ("(add)", "add")]
    model = Block(lambda self, x: torch.add(*self.steps(x)), steps=Steps())
    assert rows(summary(model, (2, 8, 8))) == expected
    assert rows(summary(Steps(), (2, 8, 8))) == [("conv", "Conv2d"), ("(relu)", "relu")]


@pytest.mark.parametrize("make", [copy.copy, copy.deepcopy])
def test_a_copy_of_a_layer_is_not_a_layer_of_the_model(make):
    model = Block(lambda self, x: make(self.conv)(x) + 1, conv=nn.Conv2d(2, 2, 3))
    found = summary(model, (2, 8, 8))
    assert (rows(found), found.parameters_unused) == ([("", "Block")], 0)


class Subclass(torch.Tensor):
    pass


def test_a_subclass_of_tensor_depends_on_what_it_wraps():
    conv = nn.Conv2d(2, 2, 3)
    conv.weight = nn.Parameter(torch.ones(2, 2, 3, 3).as_subclass(Subclass))
    for layer, x in (
        (conv, torch.ones(1, 2, 8, 8)),
        (nn.Conv2d(2, 2, 3), torch.ones(1, 2, 8, 8).as_subclass(Subclass)),
    ):
        model = Block(lambda self, x: F.relu(self.layer(x)), layer=layer)
        found = summary(model, x)
        assert rows(found) == [("layer", "Conv2d"), ("(relu)", "relu")]
        assert [row.receptive_field.size for row in found.layers] == [(3, 3), (3, 3)]


class Positions(nn.Module):
    def __init__(self):
        super().__init__()
        self.tokens, self.positions = nn.Embedding(50, 16), nn.Embedding(20, 16)

    def forward(self, ids):
        return self.tokens(ids) + self.positions(torch.arange(ids.shape[1]))


def test_a_layer_that_runs_on_constants_has_its_own_parameters():
    found = summary(Positions(), torch.zeros(1, 20, dtype=torch.long))
    assert {layer.name: layer.parameters for layer in found.layers} == {
        "tokens": 50 * 16, "positions": 20 * 16, "(add)": 0,
    }  # fmt: skip
    hyper = Block(
        lambda self, x: F.linear(x, self.make(self.code).view(3, 4)),
        make=nn.Sequential(nn.Linear(2, 5), nn.ReLU(), nn.Linear(5, 12)),
        code=nn.Parameter(torch.ones(2)),
    )
    rows = {layer.name: layer.parameters for layer in summary(hyper, (1, 4)).layers}
    assert (rows["make.0"], rows["make.2"], rows["(matmul)"]) == (15, 72, 2)


def test_what_is_returned_counts_as_used():
    model = Block(
        lambda self, x: {"y": self.fc(x), "scale": self.scale.exp()},
        fc=nn.Linear(4, 3), scale=nn.Parameter(torch.zeros(())),
    )  # fmt: skip
    found = summary(model, (2, 4))
    assert found.parameters_unused == 0
    assert [(layer.name, layer.parameters) for layer in found.layers] == [
        ("fc", 15), ("(returned)", 1),
    ]  # fmt: skip


class MadeInForward(nn.Module):
    def __init__(self, as_parameter):
        super().__init__()
        self.conv, self.fc, self.as_parameter = nn.Conv2d(3, 4, 3), None, as_parameter

    def forward(self, x):
        x = self.conv(x).flatten(1)
        if self.fc is None:
            weight = torch.ones(10, x.shape[1])
            self.fc = nn.Parameter(weight) if self.as_parameter else nn.Linear(x.shape[1], 10)
        return F.linear(x, self.fc) if self.as_parameter else self.fc(x)


@pytest.mark.parametrize("as_parameter", [False, True])
def test_layers_made_in_the_first_forward_are_listed(as_parameter):
    model = MadeInForward(as_parameter)
    for _ in range(2):
        found = summary(model, (3, 8, 8))
        assert found.layers[-1].name == ("(matmul)" if as_parameter else "fc")
        assert found.layers[-1].parameters == 1440 + 10 * (not as_parameter)
        assert found.parameters_unused == 0


class OwnCall(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight, self.fc = nn.Parameter(torch.ones(4, 3, 3, 3)), nn.Linear(6, 2)

    def __call__(self, x):
        return self.fc(F.conv2d(x, self.weight))


def test_a_model_with_its_own_call_is_recorded():
    found = summary(OwnCall(), (3, 8, 8))
    assert rows(found) == [("(conv2d)", "conv2d"), ("fc", "Linear")]
    assert (found.layers[0].macs, found.parameters_unused) == (3888, 0)


@dataclasses.dataclass
class Output:
    logits: torch.Tensor


@dataclasses.dataclass(slots=True)
class Nested:
    inner: Output
    name: str = "nested"


@pytest.mark.parametrize(
    "wrap",
    [
        lambda y: y,
        lambda y: {"y": y},
        Output,
        lambda y: [Nested(Output(y))],
        lambda y: torch.distributions.Normal(y, torch.ones_like(y), validate_args=False),
    ],
)
def test_outputs_inside_objects_are_found(wrap):
    head = Block(lambda self, x: wrap(x @ self.weight.T), weight=nn.Parameter(torch.ones(4, 8)))
    (layer,) = summary(nn.Sequential(head), (2, 8)).layers
    assert (layer.output_shape, layer.activation_bytes) == ((2, 4), 32)
    assert layer.parameters == 32


@pytest.mark.parametrize(
    ("cut", "expected"),
    [
        (lambda y: y.chunk(3, -1), 96),
        (lambda y: [y, y[:, :1]], 96),
        (lambda y: [y[:, :1], y], 96),
        (lambda y: [y.mT, y], 96),
        (lambda y: y[:, :1], 8),
        (lambda y: [y, y + 1], 192),
    ],
)
def test_parts_of_one_new_tensor_count_its_memory_once(cut, expected):
    parts = Block(lambda self, x: cut(F.linear(x, self.weight)), weight=torch.ones(12, 4))
    assert summary(nn.Sequential(parts), torch.ones(2, 4)).activation_bytes == expected
