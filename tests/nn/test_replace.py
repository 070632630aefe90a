"""`replace_conv2d` changes the class of layers, but no results."""

import copy

import pytest
import torch
import torchvision
from torch import nn
from torch.nn.utils.parametrizations import weight_norm

from convlab.nn import Conv2d, replace_conv2d


def classes(model):
    return [type(m) for m in model.modules() if isinstance(m, nn.Conv2d | Conv2d)]


# Between them: 7x7 with stride, bottlenecks, groups, depthwise, 1x1, concatenation, 5x5, shuffles.
@pytest.mark.parametrize(
    "name",
    ["resnet18", "resnext50_32x4d", "mobilenet_v3_small", "squeezenet1_1", "shufflenet_v2_x0_5"],
)
def test_a_network_of_torchvision_gives_the_same_logits(name):
    torch.manual_seed(0)
    model = torchvision.models.get_model(name).eval()
    x = torch.randn(2, 3, 96, 96)
    with torch.no_grad():
        expected = model(x)
        count = len(classes(model))
        assert replace_conv2d(model) is model
        assert classes(model) == [Conv2d] * count
        answer = model(x)
    torch.testing.assert_close(answer, expected, rtol=0, atol=1e-5 * float(expected.abs().max()))


def test_training_goes_on_with_the_same_optimizer():
    torch.manual_seed(0)
    twins = [nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 2, 3)).double()]
    twins.append(copy.deepcopy(twins[0]))
    optimizers = [torch.optim.Adam(model.parameters(), lr=0.01) for model in twins]
    replace_conv2d(twins[0])
    x = torch.randn(5, 3, 8, 8, dtype=torch.float64)
    for model, optimizer in zip(twins, optimizers, strict=True):
        for _ in range(5):
            optimizer.zero_grad()
            model(x).square().mean().backward()
            optimizer.step()
    torch.testing.assert_close(twins[0].state_dict(), twins[1].state_dict())


def test_weights_hooks_sharing_and_modes_are_kept():
    shared = nn.Conv2d(3, 3, 3, padding=1).eval()
    shared.weight.requires_grad_(False)
    calls = []
    shared.register_forward_hook(lambda *_: calls.append(1))
    model = nn.ModuleList([shared, nn.Sequential(shared)])
    weight = shared.weight
    replace_conv2d(model)
    assert model[0] is model[1][0] is shared
    assert type(shared) is Conv2d
    assert shared.weight is weight
    assert (shared.training, weight.requires_grad) == (False, False)
    shared(torch.zeros(1, 3, 4, 4))
    assert calls == [1]


def test_a_single_layer_is_a_model():
    layer = nn.Conv2d(3, 4, 3, padding="same", padding_mode="reflect")
    x = torch.randn(1, 3, 6, 6)
    expected = layer(x)
    assert type(replace_conv2d(layer)) is Conv2d
    torch.testing.assert_close(layer(x), expected)


def test_replacing_twice_changes_nothing():
    model = replace_conv2d(nn.Sequential(nn.Conv2d(3, 4, 3)))
    layer = model[0]
    assert replace_conv2d(model)[0] is layer


def test_parametrized_layers_are_replaced_and_their_copies_are_not():
    layer = weight_norm(nn.Conv2d(3, 4, 3))
    twin = copy.deepcopy(layer)
    x = torch.randn(1, 3, 6, 6)
    expected = layer(x)
    replace_conv2d(layer)
    assert isinstance(layer, Conv2d)
    assert not isinstance(layer, nn.Conv2d)
    assert isinstance(twin, nn.Conv2d)
    for answer in (layer(x), twin(x), copy.deepcopy(layer)(x)):
        torch.testing.assert_close(answer, expected)
    assert list(layer.state_dict()) == list(twin.state_dict())


class Standardized(nn.Conv2d):
    """A convolution that subtracts the mean from its weight."""

    def forward(self, input):
        return self._conv_forward(input, self.weight - self.weight.mean(), self.bias)


def test_subclasses_stay_and_are_named():
    model = nn.Sequential(nn.Conv2d(1, 1, 1), Standardized(1, 1, 3))
    with pytest.warns(UserWarning, match=r"are not replaced: 1 \(Standardized\)"):
        replace_conv2d(model)
    assert classes(model) == [Conv2d, Standardized]


def test_a_lazy_layer_is_refused_before_anything_is_replaced():
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.LazyConv2d(4, 3))
    with pytest.raises(ValueError, match=r"^1: a LazyConv2d .* call the model once"):
        replace_conv2d(model)
    assert type(model[0]) is nn.Conv2d
    model(torch.zeros(1, 1, 8, 8))
    assert classes(replace_conv2d(model)) == [Conv2d, Conv2d]


def test_only_modules_are_models():
    with pytest.raises(TypeError, match=r"model must be a torch\.nn\.Module, got list"):
        replace_conv2d([nn.Conv2d(1, 1, 1)])
