"""Rows of a summary: which layers and operations have one, and what it contains."""

import dataclasses
import warnings

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

    found = summary(Block(lambda self, x: twice(x) + x), (2, 5, 5))
    assert rows(found) == [("(twice)", "twice"), ("(add)", "add")]
    assert found.macs is None


def test_after_an_error_that_a_layer_caught_operations_belong_to_their_module():
    def catch(self, x):
        try:
            return self.wrong(x)
        except RuntimeError:
            return self.right(x)

    inner = Block(catch, wrong=nn.Conv2d(3, 1, 1), right=nn.Conv2d(2, 2, 1))
    found = summary(Block(lambda self, x: self.inner(x) + x, inner=inner), (2, 8, 8))
    assert rows(found) == [("inner.right", "Conv2d"), ("(add)", "add")]


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
