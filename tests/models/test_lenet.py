"""The layers and output of LeNet-5."""

import pytest
import torch
from torch.nn import functional as F

from convlab.models import LeNet5


def test_the_maps_have_the_sizes_of_the_paper():
    model, x, sizes = LeNet5(), torch.randn(2, 1, 28, 28), []
    for layer in model.features:
        x = layer(x)
        if not isinstance(layer, torch.nn.ReLU):
            sizes.append(tuple(x.shape[1:]))
    assert sizes == [(6, 28, 28), (6, 14, 14), (16, 10, 10), (16, 5, 5), (120, 1, 1)]


def test_its_parameters_are_counted_layer_by_layer():
    model = LeNet5()
    counts = [
        sum(p.numel() for p in m.parameters())
        for m in model.modules()
        if isinstance(m, torch.nn.Conv2d | torch.nn.Linear)
    ]
    assert counts == [156, 2416, 48120, 10164, 850]
    assert sum(counts) == 61_706


def test_the_network_of_1998_had_60_000_parameters():
    """Check the number in the docstring, with the sparse connections of C3 in table I."""
    c3 = 6 * (3 * 25 + 1) + 9 * (4 * 25 + 1) + 1 * (6 * 25 + 1)
    assert c3 == 1516
    assert 156 + 6 * 2 + c3 + 16 * 2 + 48_120 + 10_164 == 60_000


def test_it_computes_what_the_functions_compute():
    model, x = LeNet5(7), torch.randn(3, 1, 28, 28)
    state = model.state_dict()
    h = F.max_pool2d(F.conv2d(F.pad(x, (2,) * 4), *layer(state, "features.0")).relu(), 2)
    h = F.max_pool2d(F.conv2d(h, *layer(state, "features.3")).relu(), 2)
    h = F.conv2d(h, *layer(state, "features.6")).relu().reshape(3, 120)
    h = F.linear(h, *layer(state, "classifier.0")).relu()
    torch.testing.assert_close(model(x), F.linear(h, *layer(state, "classifier.2")))


def layer(state, name):
    return state[f"{name}.weight"], state[f"{name}.bias"]


@pytest.mark.parametrize("size", [28, 29, 30, 31])
def test_sizes_that_shrink_to_one_pixel_are_taken(size):
    assert LeNet5()(torch.zeros(1, 1, size, 59 - size)).shape == (1, 10)


@pytest.mark.parametrize("size", [27, 32])
def test_other_sizes_are_refused_by_name(size):
    message = (
        rf"LeNet5 takes images of at least 28 x 28 and at most 31 x 31 pixels, got 28 x {size}"
    )
    with pytest.raises(ValueError, match=message):
        LeNet5()(torch.zeros(1, 1, 28, size))


def test_no_classes_are_refused():
    with pytest.raises(ValueError, match="num_classes must be at least 1, got -1"):
        LeNet5(-1)
