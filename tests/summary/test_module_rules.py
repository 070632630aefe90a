"""Modules whose field and cost are computed from their attributes."""

from torch import nn

import convlab.nn
from convlab.summary import summary


def test_the_layers_of_this_package_are_layers():
    model = nn.Sequential(convlab.nn.Conv2d(4, 6, (3, 2), 2, (1, 0), groups=2), nn.ReLU())
    theirs = nn.Sequential(nn.Conv2d(4, 6, (3, 2), 2, (1, 0), groups=2), nn.ReLU())
    assert summary(model, (4, 9, 8)).layers == summary(theirs, (4, 9, 8)).layers


def test_circular_padding_is_read_from_the_module():
    for layer in (
        nn.Conv2d(1, 1, 3, padding=1, padding_mode="circular"),
        nn.Sequential(nn.CircularPad2d((1, 1, 1, 1)), nn.Conv2d(1, 1, 3)),
    ):
        field = summary(layer, (1, 6, 6)).layers[-1].receptive_field
        assert (field.size, field.jump, field.start) == ((3, 3), (1, 1), (-1, -1))
