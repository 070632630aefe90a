"""A summary of a model: what is a layer, what is counted, and that nothing is left behind."""

import json
import warnings

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

import convlab.nn
from convlab.summary import summary
from tests.summary.networks import networks


class Function(nn.Module):
    """A module of somebody's own: a function, and the layers and parameters it uses."""

    def __init__(self, function, **members):
        super().__init__()
        self.function = function
        for name, member in members.items():
            setattr(self, name, member)

    def forward(self, *args):
        return self.function(self, *args)


def rows(found):
    return [(layer.name, layer.kind) for layer in found.layers]


@settings(max_examples=100)
@given(networks())
def test_cost_and_parameters_are_those_that_pytorch_counts(found):
    model, channels, size = found
    counted = summary(model, (2, channels, *size))
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        model(torch.ones(2, channels, *size))
    ours = [layer for layer in counted.layers if "ours" in layer.kind]
    assert not ours
    assert counted.macs == counter.get_total_flops() // 2
    assert counted.parameters == sum(p.numel() for p in model.parameters())


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (nn.Conv1d(4, 6, 3, groups=2), (2, 4, 9)),
        (nn.Conv3d(2, 3, (1, 2, 3), padding=1), (2, 2, 4, 5, 6)),
        (nn.ConvTranspose1d(4, 6, 3, stride=2), (2, 4, 9)),
        (nn.ConvTranspose3d(2, 3, 2, stride=2), (1, 2, 3, 3, 3)),
        (nn.Linear(7, 3), (5, 7)),
        (nn.MultiheadAttention(8, 2, batch_first=True), (2, 5, 8)),
        (nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), (2, 5, 8)),
    ],
)
def test_other_ranks_and_attention_cost_what_pytorch_counts(layer, shape):
    x = torch.ones(shape)
    call = (x, x, x) if isinstance(layer, nn.MultiheadAttention) else (x,)
    found = summary(layer, call)
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        layer(*call)
    assert found.macs == counter.get_total_flops() // 2
    assert found.parameters == sum(p.numel() for p in layer.parameters())
    assert found.parameters_unused == 0


def test_joins_and_windows_that_are_code_have_rows_of_their_own():
    model = Function(
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
    block = Function(lambda self, x: self.conv(self.conv(x)) + x + x, conv=nn.Conv2d(2, 2, 1))
    found = summary(nn.Sequential(block), (2, 4, 4))
    assert rows(found) == [
        ("0.conv", "Conv2d"), ("0.conv", "Conv2d"), ("0 (add)", "add"), ("0 (add 2)", "add"),
    ]  # fmt: skip
    assert [layer.call for layer in found.layers] == [1, 2, 1, 1]
    assert [layer.parameters for layer in found.layers] == [6, 0, 0, 0]
    assert found.parameters == 6
    assert "0.conv #2" in str(found)


def test_parameters_that_are_shared_or_not_used_are_counted_once_or_apart():
    shared = nn.Conv2d(2, 2, 1, bias=False)
    model = Function(lambda self, x: self.b(self.a(x)), a=shared, b=shared, head=nn.Linear(3, 4))
    found = summary(model, (2, 4, 4))
    assert (found.parameters, found.parameters_unused) == (4 + 16, 16)
    assert found.parameter_bytes == 80
    assert "of which 16 took no part in this run" in str(found)


def test_a_parameter_belongs_to_the_layer_where_it_meets_the_image():
    def forward(self, x):
        weight = self.weight - self.weight.mean(dim=(1, 2, 3), keepdim=True)
        return F.conv2d(x, weight * self.gain) * self.scale

    model = Function(
        forward,
        weight=nn.Parameter(torch.ones(4, 2, 3, 3)),
        gain=nn.Parameter(torch.ones(1)),
        scale=nn.Parameter(torch.ones(4, 1, 1)),
    )
    found = summary(model, (2, 5, 5))
    assert rows(found) == [("(conv2d)", "conv2d"), ("(mul)", "mul")]
    assert [layer.parameters for layer in found.layers] == [73, 4]


def test_memory_is_that_of_what_is_new():
    model = nn.Sequential(
        nn.Conv2d(1, 2, 1), nn.ReLU(inplace=True), nn.ReLU(), nn.Flatten(), nn.Identity(),
        Function(lambda self, x: (x, x[:, :3], x * 2)),
    )  # fmt: skip
    found = summary(model, (1, 4, 4))
    assert [layer.activation_bytes for layer in found.layers] == [128, 0, 128, 0, 0, 128]
    assert found.activation_bytes == 384
    assert summary(model.double(), (3, 1, 4, 4)).activation_bytes == 2 * 3 * 384
    assert summary(model, (1, 4, 4), dtype=torch.float64).layers[0].activation_bytes == 256


@pytest.mark.parametrize("mode", [torch.inference_mode, lambda: torch.autocast("cpu")])
def test_what_the_model_switches_on_itself_hides_nothing(mode):
    def forward(self, x):
        with mode():
            return self.fc(F.relu(self.conv(x)).mT).flatten(1)

    model = Function(forward, conv=nn.Conv2d(2, 3, 3, padding="same"), fc=nn.Linear(5, 2))
    found = summary(model, (2, 5, 5))
    assert [layer.macs for layer in found.layers] == [5 * 5 * 3 * 2 * 9, 0, 3 * 5 * 5 * 2]
    assert [layer.receptive_field.size for layer in found.layers] == [(3, 3), (3, 3), (5 + 2, 3)]


def test_a_compiled_or_scripted_model_is_seen_too():
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


def test_the_layers_of_this_package_are_layers():
    model = nn.Sequential(convlab.nn.Conv2d(4, 6, (3, 2), 2, (1, 0), groups=2), nn.ReLU())
    theirs = nn.Sequential(nn.Conv2d(4, 6, (3, 2), 2, (1, 0), groups=2), nn.ReLU())
    assert summary(model, (4, 9, 8)).layers == summary(theirs, (4, 9, 8)).layers


def test_circular_padding_is_read_off_the_module():
    for layer in (
        nn.Conv2d(1, 1, 3, padding=1, padding_mode="circular"),
        nn.Sequential(nn.CircularPad2d((1, 1, 1, 1)), nn.Conv2d(1, 1, 3)),
    ):
        field = summary(layer, (1, 6, 6)).layers[-1].receptive_field
        assert (field.size, field.jump, field.start) == ((3, 3), (1, 1), (-1, -1))


@pytest.mark.parametrize(
    "function",
    [
        lambda self, x: x.cumsum(2),
        lambda self, x: x[..., torch.tensor([2, 0, 1])],
        lambda self, x: x.view(1, 2, 2, 2, 4),
        lambda self, x: x.unfold(2, 3, 1),
        lambda self, x: x * x.max().item(),
        lambda self, x: F.pad(x, (1, 1, 1, 1), mode="circular"),
        lambda self, x: torch.fft.fft(x).real,
        lambda self, x: F.grid_sample(x, torch.zeros(1, 4, 4, 2), align_corners=False),
    ],
)
def test_what_is_not_understood_is_unknown_and_stays_so(function):
    model = nn.Sequential(Function(function), Function(lambda self, x: x.mean(-1)))
    for layer in summary(model, (2, 4, 4)).layers:
        field = layer.receptive_field
        assert field is None or None in field.size


def test_what_is_written_into_a_part_of_a_tensor_makes_the_whole_unknown():
    def forward(self, x):
        canvas = torch.zeros(1, 2, 6, 6)
        canvas[:, :, 1:5, 1:5] = x
        return self.conv(canvas)

    found = summary(Function(forward, conv=nn.Conv2d(2, 2, 3)), (2, 4, 4))
    assert found.layers[-1].receptive_field is None
    assert "?" in str(found)


def test_what_sees_nothing_or_takes_no_image_has_no_field():
    found = summary(nn.Sequential(nn.Linear(4, 3), nn.ReLU()), (1, 4))
    assert [layer.receptive_field for layer in found.layers] == [None, None]
    assert "field" not in str(found)
    assert "field" not in found._repr_html_()
    constant = summary(Function(lambda self, x: torch.ones(1, 2, 4, 4)), (2, 4, 4))
    assert constant.layers[-1].receptive_field is None


def test_several_inputs_share_the_image_or_have_none():
    def forward(self, image, other, condition):
        return self.conv(image) + other[:, :, 1:-1, 1:-1] + condition[:, :, None, None]

    model = Function(forward, conv=nn.Conv2d(2, 3, 3))
    inputs = torch.ones(1, 2, 6, 6), torch.ones(1, 3, 6, 6), torch.ones(1, 3)
    found = summary(model, inputs)
    assert found.input_shapes == ((1, 2, 6, 6), (1, 3, 6, 6), (1, 3))
    assert found.layers[-1].receptive_field.size == (3, 3)
    image = torch.ones(1, 3, 4, 4)
    twice = summary(Function(lambda self, x, y: x + y), (image, image))
    assert twice.layers[-1].receptive_field.size == (1, 1)


def test_a_branch_that_looks_at_nothing_but_padding_adds_nothing():
    up = nn.ConvTranspose2d(1, 1, 1, stride=2)  # every second row and column is empty
    model = nn.Sequential(up, Function(lambda self, x: self.a(x) + x[:, :, ::2, ::2]))
    model[1].a = nn.Sequential(nn.ZeroPad2d((1, 0, 1, 0)), nn.Conv2d(1, 1, 1, stride=2))
    field = summary(model, (1, 4, 4)).layers[-1].receptive_field
    assert (field.size, field.jump) == ((1, 1), (1, 1))


def test_a_map_of_one_cell_survives_a_shuffle():
    def shuffle(self, x):
        n, c, h, w = x.shape
        return x.view(n, 2, c // 2, h, w).transpose(1, 2).reshape(n, c, h, w)

    model = nn.Sequential(nn.MaxPool2d(4), Function(shuffle), nn.Conv2d(2, 2, 3, padding=1))
    field = summary(model, (2, 4, 4)).layers[-1].receptive_field
    assert (field.size, field.start) == ((4, 4), (0, 0))


def test_height_and_width_may_differ():
    found = summary(nn.Conv2d(1, 1, (3, 5), (2, 1), (1, 0)), (1, 9, 9))
    field = found.layers[0].receptive_field
    assert field.to_dict() == {"size": [3, 5], "jump": [2, 1], "start": [-1, 0]}
    assert "3x5   2x1" in str(found)
    found = summary(nn.AdaptiveAvgPool2d((1, 4)), (1, 9, 11))
    field = found.layers[0].receptive_field
    assert (field.size, field.jump, field.start) == ((9, 4), (0, None), (0, 0))
    assert field.whole == (True, False)
    assert "wholex≤4   0x?" in str(found)


def test_the_model_is_left_as_it_was():
    model = nn.Sequential(nn.Conv2d(2, 2, 3), nn.BatchNorm2d(2), nn.Dropout(), nn.ReLU())
    model.train()
    model[1].eval()
    model.register_buffer("count", torch.zeros(1))
    noisy = Function(lambda self, x: self.count.add_(1) * x + torch.rand(1), count=model.count)
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


def test_a_model_that_fails_is_left_as_it_was_and_names_the_layer():
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
    with pytest.raises(RuntimeError, match=r"ZeroDivisionError in the model itself \(Function\)"):
        summary(Function(lambda self, x: 1 / 0), (2, 8, 8))


def test_a_model_that_catches_errors_of_its_layers_is_understood():
    def forward(self, x):
        try:
            return self.wrong(x)
        except RuntimeError:
            return self.right(x)

    model = Function(forward, wrong=nn.Conv2d(3, 1, 1), right=nn.Conv2d(2, 1, 3))
    found = summary(model, (2, 8, 8))
    assert rows(found) == [("right", "Conv2d")]
    assert found.parameters_unused == 4


@pytest.mark.parametrize(
    ("model", "shape", "error", "message"),
    [
        (nn.ReLU, (1, 2, 2), TypeError, "model must be an nn.Module, got type"),
        (F.relu, (1, 2, 2), TypeError, "model must be an nn.Module, got"),
        (nn.ReLU(), 3, TypeError, "input_shape must be a tuple of ints .* got int 3"),
        (nn.ReLU(), "3x2x2", TypeError, "input_shape must be .* got str '3x2x2'"),
        (nn.ReLU(), (), TypeError, "input_shape must be a tuple of ints"),
        (nn.ReLU(), (1, 2.0, 2), TypeError, r"input_shape\[1\] must be an int, got float 2.0"),
        (nn.ReLU(), (1, 2, 0), ValueError, r"input_shape\[2\] must be at least 1, got 0"),
        (nn.ReLU(), (5,), ValueError, r"input_shape must be \(C, H, W\).* got \(5,\)"),
        (nn.LazyConv2d(3, 1), (1, 2, 2), ValueError, "lazy module"),
        (nn.Conv2d(3, 1, 1), (1, 2, 2), RuntimeError, r"in the model itself \(Conv2d\)"),
    ],
)
def test_a_wrong_argument_is_named(model, shape, error, message):
    with pytest.raises(error, match=message):
        summary(model, shape)


def test_the_dictionary_is_json_and_says_all():
    found = summary(nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten(), nn.LSTM(72, 3)), (1, 8, 8))
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
    assert again["parameters"] == found.parameters
    assert again["input_shapes"] == [[1, 1, 8, 8]]
    assert again["activation_bytes"] == found.activation_bytes


def test_the_table_fits_a_screen_and_the_page_is_safe():
    name = "a_rather_long_name_for_a_block_of_a_network"
    inner = nn.Sequential()
    inner.add_module(name, nn.Conv2d(1, 64, 3))
    outer = nn.Sequential()
    outer.add_module(name, inner)
    found = summary(outer, (1, 224, 224))
    assert all(len(line) <= 100 for line in str(found).splitlines())
    assert "…" in str(found)
    page = found._repr_html_()
    assert f"{name}.{name}" in page
    assert 'scope="col"' in page
    assert 'scope="row"' in page
    assert 'tabindex="0"' in page
    strange = type("A<b>", (nn.ReLU,), {})
    assert "A&lt;b&gt;" in summary(strange(), (1, 2, 2))._repr_html_()
