"""Layers whose operations are not those of `torch.nn`: this package's, and circular padding."""

import pytest
import torch.nn.functional as F
from torch import nn

import convlab.nn
from convlab.summary import summary
from tests.summary.networks import Block


def test_the_layers_of_this_package_are_layers():
    model = nn.Sequential(convlab.nn.Conv2d(4, 6, (3, 2), 2, (1, 0), groups=2), nn.ReLU())
    theirs = nn.Sequential(nn.Conv2d(4, 6, (3, 2), 2, (1, 0), groups=2), nn.ReLU())
    assert summary(model, (4, 9, 8)).layers == summary(theirs, (4, 9, 8)).layers


def test_circular_padding_continues_the_image():
    conv = nn.Conv2d(1, 1, 3)
    for layer in (
        nn.Conv2d(1, 1, 3, padding=1, padding_mode="circular"),
        nn.Sequential(nn.CircularPad2d((1, 1, 1, 1)), conv),
        Block(lambda self, x: self.conv(F.pad(x, (1, 1, 1, 1), mode="circular")), conv=conv),
        Block(lambda self, x: self.conv(F.pad(x, (1, 1, 1, 1), "circular")), conv=conv),
    ):
        field = summary(layer, (1, 6, 6)).layers[-1].receptive_field
        assert (field.size, field.jump, field.start) == ((3, 3), (1, 1), (-1, -1))


class Twice:
    def _conv_forward(self, x, weight, bias):
        return super()._conv_forward(super()._conv_forward(x, weight, bias), weight, bias)


class TwiceOurs(Twice, convlab.nn.Conv2d):
    pass


class TwiceTheirs(Twice, nn.Conv2d):
    pass


@pytest.mark.parametrize(
    ("cls", "twice"), [(nn.Conv2d, TwiceTheirs), (convlab.nn.Conv2d, TwiceOurs)]
)
def test_a_layer_with_hooks_or_its_own_convolution_is_measured(cls, twice):
    def found(layer):
        result = summary(nn.Sequential(layer), (3, 12, 12))
        field = result.layers[-1].receptive_field
        return result.macs, field.size[0], field.jump[0], field.start[0]

    for mode, sides, pre, post in (
        ("zeros", 0, (1728, 6, 2, 0), (10800, 4, 2, 0)),
        ("circular", 1, (3888, 6, 2, -2), (15552, 4, 2, -1)),
    ):
        layer = cls(3, 4, 3, padding=sides, padding_mode=mode)
        handle = layer.register_forward_pre_hook(lambda _, args: F.avg_pool2d(args[0], 2))
        assert found(layer) == pre
        handle.remove()
        layer.register_forward_hook(lambda _, args, y: F.avg_pool2d(y, 2))
        assert found(layer) == post
    assert found(twice(3, 3, 3)) == (13284, 5, 1, 0)
    assert found(twice(3, 3, 3, padding=1, padding_mode="circular")) == (23328, 5, 1, -2)
