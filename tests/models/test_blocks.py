"""The blocks compared with functional implementations."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from convlab.models import VGG16, ConvBlock, VGGBlock
from convlab.nn import redundant_biases


@pytest.mark.parametrize(("kernel_size", "stride"), [(3, 1), (1, 1), (5, 2), (7, 3)])
def test_a_conv_block_is_convolution_normalization_and_relu(kernel_size, stride):
    block, x = ConvBlock(4, 6, kernel_size, stride), torch.randn(3, 4, 9, 13)
    nn.init.uniform_(block.bn.weight, 0.5, 1.5)
    nn.init.uniform_(block.bn.bias, -1, 1)
    y = F.conv2d(x, block.conv.weight, stride=stride, padding=kernel_size // 2)
    y = (y - y.mean((0, 2, 3), keepdim=True)) / (y.var((0, 2, 3), correction=0) + 1e-5).sqrt()[
        :, None, None
    ]
    expected = (y * block.bn.weight[:, None, None] + block.bn.bias[:, None, None]).relu()
    torch.testing.assert_close(block(x), expected, rtol=1e-4, atol=1e-5)
    assert expected.shape == (3, 6, -(-9 // stride), -(-13 // stride))


def test_a_conv_block_has_three_named_layers_and_no_bias_in_the_convolution():
    block = ConvBlock(64, 128)
    assert [name for name, _ in block.named_children()] == ["conv", "bn", "relu"]
    assert list(dict(block.named_parameters())) == ["conv.weight", "bn.weight", "bn.bias"]
    assert not redundant_biases(block, torch.zeros(2, 64, 4, 4))


@pytest.mark.parametrize("num_convs", [1, 3])
def test_a_vgg_block_is_convolutions_with_relu_and_a_pooling(num_convs):
    block, x = VGGBlock(3, 8, num_convs), torch.randn(2, 3, 9, 14)
    convolutions = [layer for layer in block.block if isinstance(layer, nn.Conv2d)]
    y = x
    for layer in convolutions:
        y = F.conv2d(y, layer.weight, layer.bias, padding=1).relu()
    assert len(convolutions) == num_convs
    assert torch.equal(block(x), F.max_pool2d(y, 2))
    assert block(x).shape == (2, 8, 4, 7)


def test_five_vgg_blocks_are_the_features_of_vgg16():
    blocks, channels = [], 3
    for width, number in ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)):
        blocks.append(VGGBlock(channels, width, number))
        channels = width
    flat = nn.Sequential(*(layer for block in blocks for layer in block.block))
    with torch.device("meta"):
        features = VGG16().features
    assert [(n, t.shape) for n, t in flat.state_dict().items()] == [
        (n, t.shape) for n, t in features.state_dict().items()
    ]


@pytest.mark.parametrize(
    ("build", "error", "message"),
    [
        (lambda: ConvBlock(0, 8), ValueError, "in_channels must be at least 1, got 0"),
        (lambda: ConvBlock(8, 8.0), TypeError, "out_channels must be an int"),
        (lambda: ConvBlock(8, 8, 4), ValueError, "kernel_size must be odd, got 4: .* take 3 or 5"),
        (lambda: ConvBlock(8, 8, (3, 3)), TypeError, "kernel_size must be an int, got tuple"),
        (lambda: ConvBlock(8, 8, stride=0), ValueError, "stride must be at least 1, got 0"),
        (lambda: VGGBlock(-1, 8, 2), ValueError, "in_channels must be at least 1, got -1"),
        (lambda: VGGBlock(8, True, 2), TypeError, "out_channels must be an int"),
        (lambda: VGGBlock(8, 8, 0), ValueError, "num_convs must be at least 1, got 0"),
        (lambda: VGGBlock(8, 8, 1, batch_norm=1), TypeError, "batch_norm must be True or False"),
    ],
)
def test_invalid_arguments_are_refused(build, error, message):
    with pytest.raises(error, match=message):
        build()


def test_an_even_kernel_would_enlarge_the_image():
    assert nn.Conv2d(1, 1, 4, padding=4 // 2)(torch.zeros(1, 1, 6, 6)).shape[-1] == 7
