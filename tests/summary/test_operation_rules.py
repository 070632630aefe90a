"""The field of every tensor covers exactly what the tensor depends on, or is unknown."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from torch import nn

from convlab.summary import summary
from tests.summary.dependence import check, is_regular, tracked
from tests.summary.networks import KINDS, WITHOUT_RULE, Block, networks

REGULAR = ("convolution", "pooling", "residual", "inception", "shuffle", "elementwise", "convlab")


@settings(max_examples=150)
@given(networks(kinds=REGULAR))
def test_networks_of_windows_and_branches_have_regular_fields(network):
    assert check(*network) == []
    model, channels, size = network
    image = torch.ones(1, channels, *size, dtype=torch.float64)
    results = tracked(model, [image], operations=False)
    assert all(is_regular(field) for _, fields in results for field in fields)


@settings(max_examples=150)
@given(networks())
def test_only_what_follows_an_operation_without_a_rule_is_unknown(network):
    unknown = check(*network)
    kinds = {name: name.partition(" ")[2] for name, _ in network[0].named_children()}
    without_rule = [name for name, kind in kinds.items() if kind in WITHOUT_RULE]
    after = list(kinds)[list(kinds).index(without_rule[0]) :] if without_rule else []
    assert set(unknown) <= set(after)


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_operation_alone(kind):
    @settings(max_examples=30)
    @given(networks(kinds=(kind,), most=2))
    def alone(network):
        unknown = check(*network)
        assert kind in WITHOUT_RULE or not unknown

    alone()


@pytest.mark.parametrize(
    "function",
    [
        lambda self, x: x.cumsum(2),
        lambda self, x: x[..., torch.tensor([2, 0, 1]), torch.tensor([0, 0, 1])],
        lambda self, x: x[..., torch.tensor([[2, 0, 1]])],
        lambda self, x: x[:, :, torch.tensor([True, False, True, True])],
        lambda self, x: x.index_select(2, x.argmax(2).flatten()),
        lambda self, x: x.view(1, 2, 2, 2, 4),
        lambda self, x: x.unfold(2, 3, 1),
        lambda self, x: x * x.max().item(),
        lambda self, x: x.roll(1),
        lambda self, x: x + x.mT,
        lambda self, x: x @ x.mT,
        lambda self, x: F.interpolate(x, scale_factor=2, mode="bicubic"),
        lambda self, x: F.pixel_shuffle(x.transpose(1, 2), 2),
        lambda self, x: F.scaled_dot_product_attention(x, x, x, is_causal=True),
        lambda self, x: F.grid_sample(x, torch.zeros(1, 4, 4, 2), align_corners=False),
    ],
)
def test_unsupported_operations_make_all_later_fields_unknown(function):
    model = nn.Sequential(Block(function), Block(lambda self, x: x.mean(-1)))
    for layer in summary(model, (2, 4, 4)).layers:
        field = layer.receptive_field
        assert field is None or None in field.size


def test_elementwise_operations_may_work_in_place():
    def forward(self, x):
        return torch.ops.aten.gelu_(self.conv(x)).abs_().sum(1)

    model = Block(forward, conv=nn.Conv2d(2, 2, 3))
    assert summary(model, (2, 9, 9)).layers[-1].receptive_field.size == (3, 3)


def test_a_view_in_place_makes_the_field_unknown():
    found = summary(Block(lambda self, x: x.mean(3).unsqueeze_(0).amax(3)), (2, 4, 4))
    assert [layer.receptive_field is None for layer in found.layers] == [False, True]


def test_an_enlarged_map_has_no_jump():
    for mode in ("nearest", "nearest-exact", "bilinear"):
        model = nn.Sequential(nn.Conv2d(1, 1, 3, 2, 1), nn.Upsample(scale_factor=2, mode=mode))
        field = summary(model, (1, 12, 12)).layers[-1].receptive_field
        assert field.size == ((5, 5) if mode == "bilinear" else (3, 3))
        assert (field.jump, field.start) == ((None, None), (-1, -1))


@pytest.mark.parametrize(
    "repeat",
    [
        lambda x: x.repeat_interleave(2, 2).repeat_interleave(2, 3),
        lambda x: x[:, :, :, None, :, None].expand(-1, -1, -1, 2, -1, 2).reshape(-1, 4, 12, 12),
        lambda x: x[:, :, None, :, None].expand(-1, -1, 2, -1, 2, -1).reshape(-1, 4, 12, 12),
        lambda x: torch.stack([x, x], 3).flatten(2, 3).repeat(1, 1, 1, 2),
        lambda x: x.tile(2, 2),
        lambda x: x.permute(0, 2, 3, 1).reshape(-1, 1, 6, 24),
    ],
)
def test_a_map_with_repeated_cells_has_no_jump(repeat):
    model = nn.Sequential(nn.Conv2d(1, 4, 3, 2, 1), Block(lambda self, x: repeat(x)), nn.ReLU())
    field = summary(model, (1, 12, 12)).layers[-1].receptive_field
    assert field.size == (3, 3)
    assert field.jump[1] is None
    assert field.start == (-1, -1)
    after = nn.Sequential(*model, nn.Conv2d(repeat(torch.ones(1, 4, 6, 6)).shape[1], 1, 2))
    assert check(after, 1, (12, 12)) == []


@pytest.mark.parametrize("layer", [nn.ReflectionPad2d, nn.ReplicationPad2d, nn.CircularPad2d])
def test_padding_of_an_enlarged_map_reads_the_cells_of_the_map(layer):
    edge = Block(lambda self, x: x[:, :, :3, -2:])
    assert check(nn.Sequential(nn.Upsample(scale_factor=2), layer(3), edge), 1, (5, 4)) == []


def test_the_cost_of_operations_with_a_field_that_multiply_is_not_0():
    fourier = summary(Block(lambda self, x: torch.fft.fft(x).real + x), (1, 4, 6))
    assert fourier.macs is None
    assert fourier.layers[-1].receptive_field.size == (1, 6)
    attention = Block(lambda self, x: F.scaled_dot_product_attention(x, x, x))
    assert summary(attention, input_size=(1, 2, 4, 6)).macs == 2 * 2 * 4 * 4 * 6


def test_selected_and_stacked_rows_keep_their_own_fields():
    rows = Block(lambda self, x: torch.stack([x[:, :, i] for i in (2, 0, 1)], 2))
    field = summary(nn.Sequential(nn.Conv2d(1, 1, 3), rows), (1, 6, 6)).layers[-1].receptive_field
    assert (field.size, field.jump, field.start) == ((3, 3), (None, 1), (2, 0))


def test_units_with_different_padding_may_all_cover_the_image():
    pooled = Block(lambda self, x: self.conv(x) + x.mean((2, 3), keepdim=True))
    pooled.conv = nn.Conv2d(1, 1, 3, padding=1)
    field = summary(pooled, (1, 4, 6)).layers[-1].receptive_field
    assert (field.size, field.jump, field.whole) == ((5, 7), (None, None), (True, True))


def test_tokens_have_the_jump_of_the_map():
    for cut in (lambda x: x.flatten(2).mT, lambda x: x.flatten(2), lambda x: x.flatten(1)):
        model = nn.Sequential(nn.Conv2d(1, 4, 4, 4), Block(lambda self, x, cut=cut: cut(x) + 1))
        field = summary(model, (1, 12, 12)).layers[-1].receptive_field
        assert (field.size, field.jump) == ((4, 4), (4, 4))


def test_writing_into_a_view_makes_the_whole_tensor_unknown():
    def forward(self, x):
        canvas = torch.zeros(1, 2, 6, 6)
        canvas[:, :, 1:5, 1:5] = x
        return self.conv(canvas)

    found = summary(Block(forward, conv=nn.Conv2d(2, 2, 3)), (2, 4, 4))
    assert found.layers[-1].receptive_field is None
    assert "?" in str(found)


def test_layers_independent_of_an_image_have_no_field():
    found = summary(nn.Sequential(nn.Linear(4, 3), nn.ReLU()), (1, 4))
    assert [layer.receptive_field for layer in found.layers] == [None, None]
    assert "field" not in str(found)
    assert "field" not in found._repr_html_()
    constant = summary(Block(lambda self, x: torch.ones(1, 2, 4, 4)), (2, 4, 4))
    assert constant.layers[-1].receptive_field is None


def test_a_branch_that_reads_only_padding_adds_nothing():
    up = nn.ConvTranspose2d(1, 1, 1, stride=2)  # every second row and column is empty
    model = nn.Sequential(up, Block(lambda self, x: self.a(x) + x[:, :, ::2, ::2]))
    model[1].a = nn.Sequential(nn.ZeroPad2d((1, 0, 1, 0)), nn.Conv2d(1, 1, 1, stride=2))
    field = summary(model, (1, 4, 4)).layers[-1].receptive_field
    assert (field.size, field.jump) == ((1, 1), (1, 1))


def test_a_part_that_reads_only_padding_hides_no_other_part():
    def forward(self, x):
        _, image = F.pad(x, (0, 0, 4, 0)).split(4, dim=2)
        return self.conv(image)

    field = summary(Block(forward, conv=nn.Conv2d(1, 1, 3)), (1, 4, 4)).layers[-1].receptive_field
    assert (field.size, field.start) == ((3, 3), (0, 0))


def test_a_map_of_one_cell_survives_a_shuffle():
    def shuffle(self, x):
        n, c, h, w = x.shape
        return x.view(n, 2, c // 2, h, w).transpose(1, 2).reshape(n, c, h, w)

    model = nn.Sequential(nn.MaxPool2d(4), Block(shuffle), nn.Conv2d(2, 2, 3, padding=1))
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


@pytest.mark.parametrize(
    "between",
    [
        lambda y: torch.distributions.Normal(y, 1.0).sample(),
        lambda y: torch.distributions.Laplace(y, 1.0).sample(),
        lambda y: torch.normal(y, 0.1),
        lambda y: torch.normal(0.0, y.abs()),
        lambda y: torch.poisson(y.abs()),
        lambda y: torch.empty_like(y).fill_(y.mean()),
        lambda y: torch.full_like(y, y.mean().item()),
        lambda y: torch.full(y.shape, y.mean().item()),
        lambda y: torch.tensor(y.mean().item()).expand(y.shape),
        lambda y: torch.zeros_like(y).add_(y.mean().item()),
        lambda y: torch.empty_like(y).normal_(y.mean().item()),
        lambda y: torch.zeros_like(y).copy_(y),
        lambda y: torch.zeros_like(y).index_copy_(2, torch.arange(y.shape[2]), y),
    ],
)
def test_values_drawn_or_filled_from_the_input_depend_on_it(between):
    model = Block(lambda self, x: self.b(between(self.a(x))), a=nn.Conv2d(3, 4, 3))
    model.b = nn.Conv2d(4, 2, 3)
    found = summary(model, (3, 10, 10))
    assert found.parameters_unused == 0
    assert (found.layers[-1].name, found.layers[-1].parameters) == ("b", 74)
    field = found.layers[-1].receptive_field
    assert field is None or field.size == (5, 5)


@pytest.mark.parametrize(
    "condition",
    [
        lambda y: bool(torch.isfinite(y).all()),
        lambda y: not torch.isnan(y).any().item(),
        lambda y: y.max() < 1e9,
        lambda y: torch.equal(y, y),
    ],
)
def test_a_condition_loses_no_field_unless_an_operation_computes_with_it(condition):
    def forward(self, x, scale):
        x = self.a(x)
        assert condition(x)
        return self.b(x * bool(condition(x)) if scale else x)

    for scale in (False, True):
        model = Block(lambda self, x, scale=scale: forward(self, x, scale), a=nn.Conv2d(3, 4, 3))
        model.b = nn.Conv2d(4, 4, 3)
        field = summary(model, (3, 8, 8)).layers[-1].receptive_field
        assert field is None if scale else (field.size, field.jump) == ((5, 5), (1, 1))
