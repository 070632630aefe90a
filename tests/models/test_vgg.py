"""The VGG networks match torchvision, with and without batch normalization."""

import pytest
import torch
import torchvision

from convlab.models import VGG, VGG11, VGG13, VGG16, VGG19

NETWORKS = {11: VGG11, 13: VGG13, 16: VGG16, 19: VGG19}


def theirs(depth, batch_norm):
    return getattr(torchvision.models, f"vgg{depth}{'_bn' * batch_norm}")


@pytest.mark.parametrize("batch_norm", [False, True])
@pytest.mark.parametrize("depth", NETWORKS)
def test_names_shapes_and_their_order_are_torchvisions(depth, batch_norm):
    with torch.device("meta"):
        ours = NETWORKS[depth](batch_norm=batch_norm).state_dict()
        expected = theirs(depth, batch_norm)().state_dict()
    assert [(k, v.shape, v.dtype) for k, v in ours.items()] == [
        (k, v.shape, v.dtype) for k, v in expected.items()
    ]


@pytest.mark.parametrize("batch_norm", [False, True])
@pytest.mark.parametrize("depth", NETWORKS)
def test_the_parameters_are_as_many_as_torchvision_publishes(depth, batch_norm):
    published = f"VGG{depth}{'_BN' * batch_norm}_Weights"
    meta = getattr(torchvision.models, published).DEFAULT.meta
    with torch.device("meta"):
        model = NETWORKS[depth](batch_norm=batch_norm)
    assert sum(p.numel() for p in model.parameters()) == meta["num_params"]


@pytest.mark.slow
@pytest.mark.parametrize(("depth", "batch_norm"), [(11, False), (13, True)])
def test_initial_weights_and_outputs_are_torchvisions(alike, depth, batch_norm):
    def ours():
        return NETWORKS[depth](num_classes=7, batch_norm=batch_norm)

    def expected():
        return theirs(depth, batch_norm)(num_classes=7)

    alike(ours, expected, [(2, 33, 47), (3, 32, 32), (1, 65, 50)])


@pytest.mark.parametrize("depth", NETWORKS)
def test_the_name_counts_the_layers_with_weights(depth):
    with torch.device("meta"):
        layers = [*NETWORKS[depth]().modules()]
    weighted = [m for m in layers if isinstance(m, torch.nn.Conv2d | torch.nn.Linear)]
    assert len(weighted) == depth


def test_the_map_halves_five_times():
    with torch.device("meta"):
        x, sizes = torch.empty(1, 3, 224, 224), []
        for layer in VGG16().features:
            x = layer(x)
            if isinstance(layer, torch.nn.MaxPool2d):
                sizes.append(x.shape[-1])
    assert sizes == [112, 56, 28, 14, 7]


@pytest.mark.parametrize(
    ("build", "error", "message"),
    [
        (lambda: VGG16(num_classes=0), ValueError, "num_classes must be at least 1, got 0"),
        (lambda: VGG16(dropout=-1), ValueError, "-1"),
        (lambda: VGG((1, 1, 2)), ValueError, r"5 ints, one per block, got \(1, 1, 2\)"),
        (lambda: VGG((1, 1, 0, 1, 1)), ValueError, "convolutions of a block .* got 0"),
        (lambda: VGG16(batch_norm="no"), TypeError, "batch_norm must be True or False"),
    ],
)
def test_invalid_arguments_are_refused(build, error, message):
    with torch.device("meta"), pytest.raises(error, match=message):
        build()


def test_an_image_of_31_pixels_is_too_small():
    with torch.device("meta"):
        model = VGG11()
        with pytest.raises(ValueError, match=r"VGG11 .* at least 32 x 32 pixels, got 31 x 40"):
            model(torch.empty(1, 3, 31, 40))
