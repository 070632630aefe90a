"""AlexNet matches torchvision."""

import pytest
import torch
import torchvision

from convlab.models import AlexNet


def test_it_matches_torchvision(alike):
    alike(AlexNet, torchvision.models.alexnet, [(1, 224, 224), (2, 63, 63), (3, 97, 75)])


def test_its_parameters_are_counted():
    with torch.device("meta"):
        assert sum(p.numel() for p in AlexNet().parameters()) == 61_100_840


def test_the_network_of_2012_had_fewer_parameters():
    """Check the number in the docstring: 96-256-384-384-256 kernels, groups=2 in three layers."""
    layers = [(96, 3, 11), (256, 48, 5), (384, 256, 3), (384, 192, 3), (256, 192, 3)]
    convolutions = sum(out * (depth * size * size + 1) for out, depth, size in layers)
    linear = sum(out * (depth + 1) for out, depth in [(4096, 9216), (4096, 4096), (1000, 4096)])
    assert convolutions + linear == 60_965_224


def test_the_maps_have_the_sizes_in_the_comments():
    sizes = []
    with torch.device("meta"):
        x = torch.empty(1, 3, 224, 224)
        for layer in AlexNet().features:
            x = layer(x)
            sizes.append(tuple(x.shape[1:]))
    assert [sizes[i] for i in (0, 2, 5, 12)] == [
        (64, 55, 55), (64, 27, 27), (192, 13, 13), (256, 6, 6)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"num_classes": 0}, ValueError, "num_classes must be at least 1, got 0"),
        ({"num_classes": 10.0}, TypeError, "num_classes must be an int"),
        ({"dropout": 1.5}, ValueError, r"1\.5"),
    ],
)
def test_invalid_arguments_are_refused(options, error, message):
    with torch.device("meta"), pytest.raises(error, match=message):
        AlexNet(**options)


def test_an_image_of_62_pixels_is_too_small():
    with torch.device("meta"):
        model = AlexNet().eval()
        assert model(torch.empty(1, 3, 63, 63)).shape == (1, 1000)
        with pytest.raises(ValueError, match=r"AlexNet .* at least 63 x 63 pixels, got 100 x 62"):
            model(torch.empty(1, 3, 100, 62))
