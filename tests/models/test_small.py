"""The small networks compared with functional implementations."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from convlab.models import MnistCNN, SimpleCNN


def normalize(x, bn):
    return F.batch_norm(x, bn.running_mean, bn.running_var, bn.weight, bn.bias)


def randomize_norms(model):
    """Randomize the normalizations, whose initial values hide mistakes."""
    for module in model.modules():
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            for tensor in (module.running_mean, module.running_var, module.weight, module.bias):
                nn.init.uniform_(tensor, 0.5, 1.5)
    return model.eval()


@pytest.mark.parametrize("size", [(32, 32), (4, 4), (13, 50)])
def test_the_simple_network_computes_what_the_functions_compute(size):
    model, x = randomize_norms(SimpleCNN(7)), torch.randn(3, 3, *size)
    h = normalize(F.conv2d(x, model.conv1.weight, padding=1), model.bn1).relu()
    h = F.max_pool2d(h, 2)
    h = normalize(F.conv2d(h, model.conv2.weight, padding=1), model.bn2).relu()
    h = F.max_pool2d(h, 2)
    h = normalize(F.conv2d(h, model.conv3.weight, padding=1), model.bn3).relu()
    expected = F.linear(h.mean((2, 3)), model.fc.weight, model.fc.bias)
    torch.testing.assert_close(model(x), expected)


def test_the_parameters_of_the_simple_network():
    model = SimpleCNN()
    assert list(dict(model.named_parameters())) == [
        "conv1.weight", "bn1.weight", "bn1.bias", "conv2.weight", "bn2.weight", "bn2.bias",
        "conv3.weight", "bn3.weight", "bn3.bias", "fc.weight", "fc.bias",
    ]  # fmt: skip
    assert [c.out_channels for c in (model.conv1, model.conv2, model.conv3)] == [16, 32, 64]
    assert sum(p.numel() for p in model.parameters()) == 24_346


@pytest.mark.parametrize("size", [(28, 28), (29, 31)])
def test_the_mnist_network_computes_what_the_functions_compute(size):
    model = randomize_norms(MnistCNN(7))
    x = h = torch.randn(3, 1, *size)
    layers = iter(model.features)
    for _ in range(2):
        for _ in range(2):
            h = F.conv2d(h, next(layers).weight, padding=1)
            h = normalize(h, next(layers)).relu()
            assert isinstance(next(layers), nn.ReLU)
        h = F.max_pool2d(h, 2)
        assert isinstance(next(layers), nn.MaxPool2d)
        assert next(layers).p == 0.25
    first, bn, _, dropout, last = model.classifier
    h = normalize(F.linear(h.flatten(1), first.weight), bn).relu()
    assert dropout.p == 0.5
    torch.testing.assert_close(model(x), F.linear(h, last.weight, last.bias))


def test_the_layers_of_the_mnist_network():
    model = MnistCNN()
    widths = [m.out_channels for m in model.modules() if isinstance(m, nn.Conv2d)]
    assert widths == [32, 32, 64, 64]
    assert sum(p.numel() for p in model.parameters()) == 468_138


@pytest.mark.parametrize("build", [SimpleCNN, MnistCNN])
def test_layers_before_batch_normalization_have_no_bias(build):
    layers = [m for m in build().modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    assert [layer.bias is None for layer in layers] == [True] * (len(layers) - 1) + [False]


@pytest.mark.parametrize(
    ("build", "size", "message"),
    [
        (SimpleCNN, (3, 32, 3), "SimpleCNN takes images of at least 4 x 4 pixels, got 32 x 3"),
        (MnistCNN, (1, 32, 32), "MnistCNN .* 28 x 28 and at most 31 x 31 pixels, got 32 x 32"),
        (MnistCNN, (1, 27, 28), "MnistCNN .* 28 x 28 and at most 31 x 31 pixels, got 27 x 28"),
        (MnistCNN, (3, 28, 28), r"\(N, 1, height, width\), got \(2, 3, 28, 28\)"),
    ],
)
def test_images_that_do_not_fit_are_refused(build, size, message):
    with pytest.raises(ValueError, match=message):
        build()(torch.zeros(2, *size))


@pytest.mark.parametrize("build", [SimpleCNN, MnistCNN])
def test_no_classes_are_refused(build):
    with pytest.raises(ValueError, match="num_classes must be at least 1, got 0"):
        build(0)
