"""Every code example of the five documents, with `convlab` in PyTorch's place.

The documents are five Chinese articles about ``nn.Conv2d``, 000 to 004, that the book checks claim
by claim. Each function below does what one example does, in our own words, and compares with what
the document says is printed. Where the document is wrong, the title says so, and the function
compares with the right value and shows that the other is not.
"""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from convlab import models, ops, shapes
from convlab.data import Dataset, load
from convlab.nn import Conv2d, InputError, conv2d, redundant_biases, replace_conv2d
from convlab.training import TrainConfig, fit

EXAMPLES = {}


def example(title):
    """Register a function under the document and the section that it stands for."""

    def register(function):
        assert title not in EXAMPLES
        EXAMPLES[title] = function
        return function

    return register


@pytest.mark.parametrize("title", EXAMPLES)
def test_the_examples_of_the_documents(title):
    torch.manual_seed(0)
    EXAMPLES[title]()


def count(module):
    return sum(parameter.numel() for parameter in module.parameters())


def size(layer, *shape):
    with torch.no_grad():
        return tuple(layer(torch.randn(shape)).shape)


# 000: PyTorch and nn.Conv2d in detail


@example("000 section 5 shapes of weight and bias")
def _():
    layer = Conv2d(3, 16, 3)
    assert layer.weight.shape == (16, 3, 3, 3)
    assert layer.bias.shape == (16,)


@example("000 section 6 the simplified source, which would break 'same': a layer keeps the word")
def _():
    assert Conv2d(3, 16, 3, padding="same").padding == "same"
    layer, x = Conv2d(3, 16, 3, padding=1), torch.randn(2, 3, 8, 8)
    arguments = layer.stride, layer.padding, layer.dilation, layer.groups
    assert torch.equal(layer(x), conv2d(x, layer.weight, layer.bias, *arguments))
    with pytest.raises(InputError, match="padding"):
        conv2d(x, layer.weight, padding=tuple("same"))


@example("000 section 7 initialization: uniform, not normal with the deviation of He")
def _():
    weight, fan_in = Conv2d(64, 128, 3).weight.detach(), 64 * 9
    assert weight.abs().max() <= fan_in**-0.5
    assert weight.std() == pytest.approx((3 * fan_in) ** -0.5, rel=0.02)
    assert weight.std() < 0.5 * (2 / fan_in) ** 0.5


@example("000 section 8 (1) basic convolution")
def _():
    assert size(Conv2d(3, 16, kernel_size=3, stride=1, padding=1), 1, 3, 32, 32) == (1, 16, 32, 32)


@example("000 section 8 (2) convolution, activation, pooling")
def _():
    model = nn.Sequential(Conv2d(3, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2, 2))
    x = torch.randn(1, 3, 32, 32)
    y = model(x).detach()
    assert y.shape == (1, 16, 16, 16)
    maps = ops.conv2d(x, model[0].weight.detach(), model[0].bias.detach(), padding=1)
    np.testing.assert_allclose(ops.max_pool2d(np.maximum(maps, 0), 2, 2), y, atol=1e-5)


@example("000 section 8 (3) grouped convolution, of which it shows the depthwise case")
def _():
    layer = Conv2d(32, 32, 3, padding=1, groups=32)
    assert layer.weight.shape == (32, 1, 3, 3)
    assert size(layer, 1, 32, 8, 8) == (1, 32, 8, 8)
    assert count(layer) == 320


@example("000 section 8 (4) dilated convolution")
def _():
    assert size(Conv2d(16, 16, 3, dilation=2, padding=2), 1, 16, 20, 20) == (1, 16, 20, 20)


@example("000 section 9 (1) the size is kept by 'same', or by (k - 1) / 2 for odd kernels")
def _():
    for k in (1, 3, 5, 7):
        assert shapes.conv2d_output_size((9, 12), k, padding=(k - 1) // 2) == (9, 12)
    for k in (2, 3, 4):
        assert size(Conv2d(1, 1, k, padding="same"), 1, 1, 9, 12) == (1, 1, 9, 12)


@example("000 section 9 (2) no bias in a convolution before BatchNorm, not after it as it says")
def _():
    layer = Conv2d(64, 128, 3, bias=False)
    assert layer.bias is None
    with_bias, x = nn.Conv2d(64, 128, 3), torch.randn(2, 64, 5, 5)
    before = nn.Sequential(with_bias, nn.BatchNorm2d(128))
    assert list(redundant_biases(before, x).values()) == [128]
    after = nn.Sequential(nn.BatchNorm2d(64), with_bias)
    assert not redundant_biases(after, x)


@example("000 section 9 (3) number of parameters")
def _():
    assert count(Conv2d(3, 16, 3)) == shapes.conv2d_num_parameters(3, 16, 3) == 448


@example("000 section 9 (4) kernels to look at")
def _():
    kernels = Conv2d(3, 16, 3).weight.detach().cpu()
    assert kernels.shape == (16, 3, 3, 3)
    assert not kernels.requires_grad


@example("000 section 10 SimpleCNN")
def _():
    model = models.SimpleCNN(num_classes=10).eval()
    x = torch.randn(4, 3, 32, 32)
    expected = model(x)
    assert expected.shape == (4, 10)
    ours = replace_conv2d(model)
    assert sum(isinstance(layer, Conv2d) for layer in ours.modules()) == 3
    torch.testing.assert_close(ours(x), expected, rtol=1e-4, atol=1e-5)
    h = x
    for number, after in ((1, model.pool), (2, model.pool), (3, model.avgpool)):
        h = getattr(model, f"bn{number}")(getattr(model, f"conv{number}")(h))
        h = after(model.relu(h))
        assert h.shape == {1: (4, 16, 16, 16), 2: (4, 32, 8, 8), 3: (4, 64, 1, 1)}[number]
    # The document's convolutions have biases, which the normalizations cancel.
    assert count(model) + 16 + 32 + 64 == 24_458


# 001: nn.Conv2d and nn.functional.conv2d


@example("001 section 1.2.1 a layer without bias")
def _():
    layer = Conv2d(1, 1, kernel_size=(3, 3), stride=1, padding=0, bias=False)
    assert layer.bias is None
    assert layer.weight.shape == (1, 1, 3, 3)
    assert isinstance(layer.weight, nn.Parameter)


@example("001 section 1.2.1 weights and bias of one's own")
def _():
    layer = Conv2d(1, 1, kernel_size=(3, 3), bias=True)
    layer.bias = nn.Parameter(torch.zeros(layer.bias.size()))
    layer.weight = nn.Parameter(torch.ones(layer.weight.size()))
    assert torch.equal(layer(torch.ones(1, 1, 3, 3)), torch.full((1, 1, 1, 1), 9.0))


@example("001 section 1.2.2 attributes")
def _():
    layer, other = Conv2d(1, 1, (3, 3)), nn.Conv2d(1, 1, (3, 3))
    for name in ("in_channels", "out_channels", "kernel_size", "stride", "padding", "dilation",
                 "groups", "padding_mode"):  # fmt: skip
        assert getattr(layer, name) == getattr(other, name)
    assert (layer.weight.shape, layer.bias.shape) == (other.weight.shape, other.bias.shape)


@example("001 section 1.3 layer and function agree; the function has a gradient too")
def _():
    kernel = torch.tensor([[[[-0.0765, 0.1716, 0.2779], [-0.1685, -0.1217, 0.0160],
                             [0.1584, -0.2000, -0.2148]]]])  # fmt: skip
    layer, x = Conv2d(1, 1, (3, 3), bias=False), torch.randn(1, 1, 4, 4)
    layer.weight = nn.Parameter(kernel)
    first, second = layer(x), conv2d(x, kernel, None, stride=1, padding=0)
    assert first.shape == (1, 1, 2, 2)
    assert torch.equal(first, second)
    np.testing.assert_allclose(ops.conv2d(x, kernel), second, atol=1e-6)
    # The document compares a parameter with a tensor that nobody asked to differentiate.
    assert first.grad_fn is not None
    assert second.grad_fn is None
    assert conv2d(x, layer.weight).grad_fn is not None


@example("001 section 1.4 dilation: 1 is the ordinary convolution, not 0")
def _():
    x = torch.randn(1, 1, 7, 7)
    weight = torch.randn(1, 1, 3, 3)
    assert torch.equal(conv2d(x, weight, dilation=1), conv2d(x, weight))
    assert shapes.dilated_kernel_size(3, 1) == (3, 3)
    assert shapes.dilated_kernel_size(3, 2) == (5, 5)
    with pytest.raises(InputError, match="dilation must be at least 1, got 0"):
        conv2d(x, weight, dilation=0)


IMAGE = torch.tensor(
    [[3.0, 3, 2, 1, 0], [0, 0, 1, 3, 1], [3, 1, 2, 2, 3], [2, 0, 0, 2, 2], [2, 0, 0, 0, 1]]
).reshape(1, 1, 5, 5)
KERNEL = torch.tensor([[0.0, 1, 2], [2, 2, 0], [0, 1, 2]]).reshape(1, 1, 3, 3)


def by_hand(image, kernel, stride=1, padding=0):
    """Convolve one channel as the definition says, with loops over the windows."""
    padded = np.pad(image.numpy()[0, 0], padding)
    kernel = kernel.numpy()[0, 0]
    starts = [range(0, padded.shape[axis] - kernel.shape[axis] + 1, stride) for axis in (0, 1)]
    return [
        [float((padded[i : i + kernel.shape[0], j : j + kernel.shape[1]] * kernel).sum())
         for j in starts[1]] for i in starts[0]
    ]  # fmt: skip


@pytest.mark.parametrize("convolve", [conv2d, ops.conv2d])
@pytest.mark.parametrize(
    ("stride", "padding", "expected"),
    [
        pytest.param(1, 0, [[12, 12, 17], [10, 17, 19], [9, 6, 14]], id="001 section 2.1"),
        pytest.param(2, 1, [[6, 17, 3], [8, 17, 13], [6, 4, 4]], id="001 section 2.2"),
    ],
)
def test_001_numbers_behind_the_missing_pictures(convolve, stride, padding, expected):
    found = convolve(IMAGE, KERNEL, stride=stride, padding=padding)
    assert np.asarray(found)[0, 0].tolist() == expected
    assert by_hand(IMAGE, KERNEL, stride, padding) == expected


@example("001 section 2.3 two channels in, three out")
def _():
    layer = Conv2d(2, 3, kernel_size=3, stride=1, padding=0)
    assert layer.weight.shape == (3, 2, 3, 3)
    x = torch.randn(1, 2, 5, 5)
    assert layer(x).shape == (1, 3, 3, 3)
    parts = [conv2d(x[:, c : c + 1], layer.weight[:, c : c + 1]) for c in (0, 1)]
    torch.testing.assert_close(layer(x), sum(parts) + layer.bias.reshape(3, 1, 1))


@example("001 section 2.4 padding that keeps the size: the second formula, (2k + 1) // 2, does not")
def _():
    for k in (1, 3, 5):
        assert shapes.conv2d_output_size(9, k, padding=(k - 1) // 2) == (9, 9)
    for k in (2, 3, 4, 5):
        assert shapes.conv2d_output_size(9, k, padding=(2 * k + 1) // 2)[0] == 9 + k + 1


@example("001 comments (1) convolution as a function")
def _():
    x, layer = torch.randn(1, 1, 28, 28), Conv2d(1, 6, 5)
    assert conv2d(x, layer.weight, layer.bias, stride=1, padding=2).shape == (1, 6, 28, 28)


@example("001 comments (2) max pooling as a function")
def _():
    assert ops.max_pool2d(np.random.default_rng(0).normal(size=(1, 1, 28, 28)), kernel_size=2,
                          stride=2).shape == (1, 1, 14, 14)  # fmt: skip


@example("001 comments (3) and (4) ReLU and cross entropy, on what a network of ours returns")
def _():
    logits = models.LeNet5(num_classes=5)(torch.randn(3, 1, 28, 28))
    assert F.relu(logits).min() >= 0
    target = torch.tensor([1, 0, 4])
    mean = -logits.log_softmax(1)[range(3), target].mean()
    torch.testing.assert_close(F.cross_entropy(logits, target), mean)


# 002: nn.Conv2d in detail


@example("002 section 3 kernels of height 2 and width 3")
def _():
    layer, x = Conv2d(1, 4, (2, 3)), torch.randn(3, 1, 5, 4)
    assert layer(x).shape == (3, 4, 4, 2)
    assert layer.weight.shape == (4, 1, 2, 3)
    found = by_hand(x[1:2], layer.weight.detach()[3:])
    expected = layer(x)[1, 3] - layer.bias[3]
    np.testing.assert_allclose(found, expected.detach(), atol=1e-5)


# 003: convolutional networks in PyTorch


@example("003 the drawing of a 5x5 image and a 3x3 kernel")
def _():
    image = [[1.0, 1, 1, 0, 0], [0, 1, 1, 1, 0], [0, 0, 1, 1, 1], [0, 0, 1, 1, 0], [0, 1, 1, 0, 0]]
    kernel = [[1.0, 0, 1], [0, 1, 0], [1, 0, 1]]
    found = ops.conv2d([[image]], [[kernel]])
    assert found[0, 0].tolist() == [[4, 3, 4], [2, 4, 3], [2, 3, 4]]


@example("003 parameters of nn.Conv2d")
def _():
    layer = Conv2d(in_channels=3, out_channels=64, kernel_size=3, stride=1, padding=0, dilation=1,
                   groups=1, bias=True, padding_mode="zeros")  # fmt: skip
    assert (layer.weight.shape, layer.bias.shape) == ((64, 3, 3, 3), (64,))


@example("003 output sizes by hand: the second is 111, not 112")
def _():
    assert shapes.conv2d_output_size(224, 3, stride=1, padding=1) == (224, 224)
    assert shapes.conv2d_output_size(224, 3, stride=2, padding=0) == (111, 111)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        pytest.param({"kernel_size": 3, "stride": 1, "padding": 1}, 224, id="003 sizes, first"),
        pytest.param({"kernel_size": 3, "stride": 2, "padding": 1}, 112, id="003 sizes, second"),
        pytest.param({"kernel_size": 7, "stride": 2, "padding": 3}, 112, id="003 sizes, third"),
        pytest.param({"kernel_size": 3, "padding": "same"}, 224, id="003 padding same"),
        pytest.param({"kernel_size": 3, "padding": "valid"}, 222, id="003 padding valid"),
        pytest.param({"kernel_size": 3, "padding": 1, "dilation": 1}, 224, id="003 dilation 1"),
        pytest.param({"kernel_size": 3, "padding": 2, "dilation": 2}, 224, id="003 dilation 2"),
    ],
)
def test_003_shapes_of_64_maps_of_a_photograph(arguments, expected):
    assert size(Conv2d(3, 64, **arguments), 1, 3, 224, 224) == (1, 64, expected, expected)


@pytest.mark.parametrize(
    ("out_channels", "groups", "expected"),
    [
        pytest.param(128, 1, 73_856, id="003 ordinary"),
        pytest.param(128, 2, 36_992, id="003 two groups"),
        pytest.param(64, 64, 640, id="003 depthwise"),
    ],
)
def test_003_parameters_of_groups(out_channels, groups, expected):
    layer = Conv2d(64, out_channels, kernel_size=3, padding=1, groups=groups)
    assert count(layer) == expected
    assert size(layer, 1, 64, 56, 56) == (1, out_channels, 56, 56)


@pytest.mark.parametrize(
    ("pool", "arguments", "expected"),
    [
        pytest.param(ops.max_pool2d, (2, 2), 28, id="003 max pooling"),
        pytest.param(ops.max_pool2d, (3, 2, 1), 28, id="003 max pooling, overlapping"),
        pytest.param(ops.avg_pool2d, (2, 2), 28, id="003 average pooling"),
        pytest.param(ops.adaptive_avg_pool2d, ((1, 1),), 1, id="003 global average pooling"),
        pytest.param(ops.adaptive_max_pool2d, ((7, 7),), 7, id="003 adaptive max pooling"),
        pytest.param(ops.adaptive_avg_pool2d, ((7, 7),), 7, id="003 adaptive average pooling"),
    ],
)
def test_003_pooling(pool, arguments, expected):
    torch.manual_seed(0)
    x = torch.randn(1, 64, 56, 56)
    found = pool(x, *arguments)
    assert found.shape == (1, 64, expected, expected)
    np.testing.assert_allclose(found, getattr(F, pool.__name__)(x, *arguments), atol=1e-5)


@example("003 LeNet-5")
def _():
    model, x = models.LeNet5().eval(), torch.randn(1, 1, 28, 28)
    expected = model(x)
    assert expected.shape == (1, 10)
    torch.testing.assert_close(replace_conv2d(model)(x), expected, rtol=1e-4, atol=1e-5)
    assert count(model) == 61_706


@example("003 AlexNet")
def _():
    with torch.device("meta"):
        model = models.AlexNet()
        assert model(torch.empty(1, 3, 224, 224)).shape == (1, 1000)
    assert count(model) == 61_100_840


@example("003 VGGBlock and VGG16")
def _():
    with torch.device("meta"):
        x = torch.empty(1, 3, 224, 224)
        blocks = [models.VGGBlock(*row) for row in (
            (3, 64, 2), (64, 128, 2), (128, 256, 3), (256, 512, 3), (512, 512, 3))]  # fmt: skip
        assert nn.Sequential(*blocks)(x).shape == (1, 512, 7, 7)
        model = models.VGG16()
        assert model(x).shape == (1, 1000)
    assert [layer.weight.shape for block in blocks for layer in block.block
            if isinstance(layer, nn.Conv2d)] == [
        layer.weight.shape for layer in model.features if isinstance(layer, nn.Conv2d)
    ]  # fmt: skip
    assert count(model) == 138_357_544


@example("003 residual block")
def _():
    same = models.BasicBlock(64, 64)
    assert same.downsample is None
    assert size(same, 1, 64, 8, 8) == (1, 64, 8, 8)
    other = models.BasicBlock(in_channels=64, out_channels=128, stride=2)
    assert size(other, 1, 64, 8, 8) == (1, 128, 4, 4)
    assert other.downsample[0].kernel_size == (1, 1)


@example("003 ResNet-18")
def _():
    model = models.ResNet(models.BasicBlock, num_blocks=[2, 2, 2, 2], num_classes=10)
    assert size(model, 1, 3, 224, 224) == (1, 10)
    assert count(model) == count(models.resnet18(10)) == 11_181_642


@example("003 ConvBlock")
def _():
    block = models.ConvBlock(64, 128)
    assert next(iter(block.state_dict())) == "conv.weight"
    assert block.conv.bias is None
    with torch.device("meta"):
        assert size(models.ConvBlock(64, 128), 32, 64, 56, 56) == (32, 128, 56, 56)


@example("003 the network for MNIST: 28 to 31 pixels")
def _():
    assert size(models.MnistCNN(), 2, 1, 28, 28) == (2, 10)
    # With the biases of the document before its normalizations: 4 convolutions and a linear layer.
    assert count(models.MnistCNN()) + 32 + 32 + 64 + 64 + 128 == 468_458


@example("003 training with Adam")
def _():
    digits = load("digits")
    few = Dataset("like MNIST", digits.train_images[:130], digits.train_labels[:130],
                  digits.test_images[:10], digits.test_labels[:10], digits.class_names)  # fmt: skip
    config = TrainConfig(epochs=2, batch_size=64, learning_rate=0.001, optimizer="adam",
                         schedule="constant", warmup_fraction=0.0, weight_decay=0.0)  # fmt: skip
    history = fit(models.MnistCNN(), few, config).history
    assert [epoch.steps for epoch in history] == [2, 4]  # two images do not fill a batch
    assert history[1].train_loss < history[0].train_loss < 3


# 004: checking what conv2d computes, as sums of weights

ONE_CHANNEL = torch.tensor(
    [[[-0.0789, -0.1932, -0.0990], [0.1571, -0.1784, -0.2334], [0.0311, -0.2595, 0.2222]],
     [[-0.0703, -0.3159, -0.3295], [0.0723, 0.3019, 0.2649], [-0.2217, 0.0680, -0.0699]],
     [[-0.0736, -0.1608, 0.1905], [0.2738, 0.2758, -0.2776], [-0.0246, -0.1781, -0.0279]]],
)[:, None]  # fmt: skip
BIAS = torch.tensor([0.3255, -0.0044, 0.0733])
FIRST_OF_FOUR = torch.tensor(
    [[[-0.0803, 0.1473, -0.0762], [0.0284, -0.0050, -0.0246], [0.1438, 0.0955, -0.0500]],
     [[0.0716, 0.0062, -0.1472], [0.1793, 0.0543, -0.1764], [-0.1548, 0.1379, 0.1143]],
     [[-0.1741, -0.1790, -0.0053], [-0.0612, -0.1856, -0.0858], [-0.0553, 0.1621, -0.1822]]],
)[None]  # fmt: skip


@example("004 one channel: its numbers, up to the four digits that it prints")
def _():
    found = conv2d(torch.ones(1, 1, 5, 5), ONE_CHANNEL, BIAS)
    assert found.shape == (1, 3, 3, 3)
    expected = torch.tensor([-0.3065, -0.3046, 0.0710]).reshape(1, 3, 1, 1).expand_as(found)
    torch.testing.assert_close(found, expected, rtol=0, atol=5e-4)
    # The sum that it calls the same: -0.306573 with its rounded bias.
    assert (ONE_CHANNEL[0].sum() + 0.3255).item() == pytest.approx(-0.306573, abs=5e-4)


@example("004 one channel: ones are no unit matrix, and the check on ones proves nothing")
def _():
    total = ONE_CHANNEL.sum((1, 2, 3)) + BIAS
    ones, unit = torch.ones(1, 1, 5, 5), torch.eye(5)[None, None]
    flipped = ONE_CHANNEL.flip(2, 3)
    middle = [conv2d(x, w, BIAS)[0, :, 1, 1] for x in (ones, unit) for w in (ONE_CHANNEL, flipped)]
    torch.testing.assert_close(middle[0], total)
    torch.testing.assert_close(middle[1], total)  # a wrong kernel passes
    assert (middle[2] - total).abs().min() > 0.01  # the real unit matrix
    x = torch.randn(1, 1, 5, 5)
    assert (conv2d(x, ONE_CHANNEL) - conv2d(x, flipped)).abs().max() > 0.1


@example("004 three channels, four kernels: what is left of its numbers")
def _():
    layer = Conv2d(in_channels=3, out_channels=4, kernel_size=3, groups=1)
    assert (layer.weight.shape, layer.bias.shape) == ((4, 3, 3, 3), (4,))
    x = torch.ones(1, 3, 5, 5)
    out = layer(x)
    assert out.shape == (1, 4, 3, 3)
    total = layer.weight.sum((1, 2, 3)) + layer.bias
    torch.testing.assert_close(out, total.reshape(1, 4, 1, 1).expand_as(out))
    # The bias is cut off in the document; what output 0 leaves for it is within its bound.
    bias = -0.6390 - conv2d(x, FIRST_OF_FOUR)
    assert bias.abs().max() <= 27**-0.5
    assert FIRST_OF_FOUR.abs().max() <= 27**-0.5
