"""Activation statistics compared with direct computation and with theory."""

import pytest
import torch
from torch import nn

from convlab import init
from convlab.init import activation_stats, predicted_mean_square


def stack(depth, channels=64, *, bias=False, norm=False):
    layers = []
    for _ in range(depth):
        layers.append(
            nn.Conv2d(channels, channels, 3, padding=1, padding_mode="circular", bias=bias)
        )
        if norm:
            layers.append(nn.BatchNorm2d(channels))
        layers.append(nn.ReLU())
    return nn.Sequential(*layers)


def test_every_layer_is_measured_in_the_order_of_the_calls():
    torch.manual_seed(0)
    model, x = nn.Sequential(nn.Conv2d(2, 3, 3), nn.Sequential(nn.ReLU(inplace=True))), None
    x = torch.randn(4, 2, 6, 6)
    conv, relu = activation_stats(model, x)
    expected = model[0](x)
    assert (conv.name, conv.kind, relu.name, relu.kind) == ("0", "Conv2d", "1.0", "ReLU")
    for found, numbers in ((conv, expected), (relu, expected.relu())):
        assert found.mean == pytest.approx(numbers.mean().item(), rel=1e-4)
        assert found.variance == pytest.approx(numbers.var(correction=0).item(), rel=1e-4)
        assert found.mean_square == pytest.approx(numbers.square().mean().item(), rel=1e-4)
        assert found.mean_square == pytest.approx(found.variance + found.mean**2)
        rest = (numbers - numbers.mean(0)).norm() / numbers.norm()
        assert found.image_share == pytest.approx(rest.item(), rel=1e-4)


def test_a_layer_that_is_used_twice_appears_twice_and_lists_are_networks():
    relu = nn.ReLU()
    found = activation_stats([relu, nn.Conv2d(1, 1, 1), relu], torch.randn(2, 1, 3, 3))
    assert [(s.name, s.kind) for s in found] == [("0", "ReLU"), ("1", "Conv2d"), ("0", "ReLU")]


def test_the_image_share_of_equal_images_is_0():
    x = torch.randn(1, 3, 8, 8).expand(5, 3, 8, 8)
    assert all(s.image_share < 1e-6 for s in activation_stats(stack(2, 3), x))
    assert activation_stats(nn.Identity(), x[:1])[0].image_share == 0
    assert activation_stats(nn.Identity(), torch.zeros(2, 3))[0].image_share == 0


def test_the_image_share_of_opposite_images_is_1():
    x = torch.randn(1, 3, 8, 8)
    assert activation_stats(nn.Identity(), torch.cat([x, -x]))[0].image_share == pytest.approx(1)


def test_the_network_is_not_changed():
    model = stack(2, 4, norm=True)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    activation_stats(model, torch.randn(3, 4, 8, 8) + 5)
    assert model.training
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())
    assert not any(layer._forward_hooks for layer in model.modules())
    model(torch.randn(3, 4, 8, 8) + 5)
    assert not torch.equal(before["1.running_mean"], model[1].running_mean)


def test_the_input_and_the_random_numbers_are_not_changed():
    torch.manual_seed(0)
    x, after = -torch.ones(2, 3, 4, 4), torch.random.get_rng_state()
    activation_stats([nn.ReLU(inplace=True), nn.Dropout()], x)
    assert torch.equal(x, -torch.ones(2, 3, 4, 4))
    assert torch.equal(torch.random.get_rng_state(), after)


def test_the_hooks_are_removed_even_if_the_network_fails():
    model = stack(1, 4)
    with pytest.raises(RuntimeError, match="channels"):
        activation_stats(model, torch.randn(1, 3, 8, 8))
    assert not any(layer._forward_hooks for layer in model.modules())


def test_layers_that_do_not_return_a_tensor_are_skipped():
    found = activation_stats(nn.LSTM(3, 4), torch.randn(2, 5, 3))
    assert found == []


@pytest.mark.parametrize("fill", [init.kaiming_normal_, init.default_, nn.init.xavier_uniform_])
@pytest.mark.parametrize("bias", [False, True])
def test_theory_is_right_on_average_over_the_draws(fill, bias):
    torch.manual_seed(0)
    ratios = torch.zeros(8)
    x = torch.randn(2, 64, 8, 8)
    for _ in range(20):
        model = stack(4, bias=bias)
        for layer in model[::2]:
            fill(layer.weight)
        found = torch.tensor([s.mean_square for s in activation_stats(model, x)])
        ratios += found / torch.tensor(predicted_mean_square(model, x)) / 20
    torch.testing.assert_close(ratios, torch.ones(8), rtol=0, atol=0.08)


def test_theory_knows_leaky_relus_linear_layers_and_normalizations():
    torch.manual_seed(0)
    layers = [nn.Conv2d(64, 96, 1), nn.BatchNorm2d(96), nn.LeakyReLU(0.3), nn.Conv2d(96, 48, 1)]
    nn.init.uniform_(layers[1].weight, 0.5, 2)
    nn.init.uniform_(layers[1].bias, -0.5, 0.5)
    x = 7 * torch.randn(8, 64, 12, 12)
    found = [s.mean_square for s in activation_stats(layers, x)]
    assert predicted_mean_square(layers, x) == pytest.approx(found, rel=0.2)
    linear = nn.Linear(400, 300)
    (found,) = activation_stats(linear, x := torch.randn(200, 400))
    assert predicted_mean_square([linear], x) == pytest.approx([found.mean_square], rel=0.1)
    assert predicted_mean_square([nn.BatchNorm2d(3, affine=False)], 12) == [1]


def test_zero_padding_lowers_the_mean_square():
    torch.manual_seed(0)
    model = stack(1)
    zeros = nn.Conv2d(64, 64, 3, padding=1, bias=False)
    zeros.load_state_dict(model[0].state_dict())
    x = torch.randn(50, 64, 3, 3)
    with_border, without = activation_stats(zeros, x)[0], activation_stats(model[0], x)[0]
    # Of 9 cells, 4 corners see 4 of 9 cells, 4 edges 6, the middle all: 49 / 81.
    assert with_border.mean_square / without.mean_square == pytest.approx(49 / 81, rel=0.05)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: activation_stats(nn.ReLU(), torch.empty(0, 3)),
            r"must not be empty, got shape \(0, 3\)",
        ),
        (lambda: predicted_mean_square([nn.MaxPool2d(2)], 1.0), "MaxPool2d.* cannot be predicted"),
        (lambda: predicted_mean_square([nn.BatchNorm2d(2).eval()], 1.0), "training mode"),
    ],
)
def test_unsupported_layers_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
