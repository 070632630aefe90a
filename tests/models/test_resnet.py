"""The residual networks match torchvision, and every block adds its input."""

import pytest
import torch
import torchvision
from torch import nn

from convlab import models
from convlab.models import BasicBlock, Bottleneck, ResNet, resnet18, resnet50

COUNTS = {
    "resnet18": 11_689_512,
    "resnet34": 21_797_672,
    "resnet50": 25_557_032,
    "resnet101": 44_549_160,
    "resnet152": 60_192_808,
}


@pytest.mark.parametrize("name", ["resnet18", "resnet34", "resnet50", "resnet101"])
def test_initial_weights_and_outputs_are_torchvisions(alike, name):
    alike(getattr(models, name), getattr(torchvision.models, name), [(2, 64, 64), (3, 75, 97)])


@pytest.mark.parametrize("name", COUNTS)
def test_names_shapes_and_counts_are_torchvisions(name):
    with torch.device("meta"):
        ours, theirs = getattr(models, name)(), getattr(torchvision.models, name)()
    assert [(k, v.shape) for k, v in ours.state_dict().items()] == [
        (k, v.shape) for k, v in theirs.state_dict().items()
    ]
    assert sum(p.numel() for p in ours.parameters()) == COUNTS[name]


@pytest.mark.parametrize("name", ["resnet18", "resnet50"])
def test_the_gradients_are_torchvisions(name):
    ours, theirs = getattr(models, name)(5), getattr(torchvision.models, name)(num_classes=5)
    theirs.load_state_dict(ours.state_dict())
    images, labels = torch.randn(4, 3, 64, 64), torch.tensor([0, 3, 1, 4])
    for model in (ours, theirs):
        nn.functional.cross_entropy(model(images), labels).backward()
    for (which, mine), other in zip(ours.named_parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(mine.grad, other.grad, rtol=1e-3, atol=1e-5, msg=which)
    for mine, other in zip(ours.buffers(), theirs.buffers(), strict=True):
        torch.testing.assert_close(mine, other)


@pytest.mark.parametrize("name", ["resnet18", "resnet50"])
def test_zero_init_residual_is_torchvisions(alike, name):
    alike(
        lambda: getattr(models, name)(zero_init_residual=True),
        lambda: getattr(torchvision.models, name)(zero_init_residual=True),
        [(2, 40, 40)],
    )


@pytest.mark.parametrize("build", [resnet18, resnet50])
def test_zero_init_residual_makes_blocks_the_identity(build):
    model = build(zero_init_residual=True)
    x = torch.rand(2, model.layer1[1].conv1.in_channels, 8, 8)
    assert torch.equal(model.layer1[1](x), x)
    assert not torch.equal(build().layer1[1](x), x)


@pytest.mark.parametrize("block", [BasicBlock, Bottleneck])
@pytest.mark.parametrize(("in_channels", "stride"), [(32, 1), (64, 2), (256, 1), (256, 2)])
def test_a_block_adds_its_input_which_fits(block, in_channels, stride):
    layer, x = block(in_channels, 64, stride).eval(), torch.randn(2, in_channels, 9, 12)
    nn.init.zeros_([m for n, m in layer.named_children() if n.startswith("bn")][-1].weight)
    identity = x if layer.downsample is None else layer.downsample(x)
    assert (layer.downsample is None) == (stride == 1 and in_channels == 64 * block.expansion)
    assert torch.equal(layer(x), identity.relu())
    assert layer(x).shape == (2, 64 * block.expansion, -(-9 // stride), -(-12 // stride))


def test_the_stride_of_a_bottleneck_is_in_its_middle():
    layer = Bottleneck(256, 128, stride=2)
    assert [c.stride[0] for c in (layer.conv1, layer.conv2, layer.conv3)] == [1, 2, 1]


def test_any_size_is_taken():
    with torch.no_grad():
        assert resnet18(10).eval()(torch.zeros(2, 3, 1, 3)).shape == (2, 10)


def test_a_custom_block_can_be_passed():
    class Wide(BasicBlock):
        pass

    model = ResNet(Wide, (1, 1, 1, 1), num_classes=3)
    assert isinstance(model.layer3[0], Wide)


@pytest.mark.parametrize(
    ("build", "error", "message"),
    [
        (lambda: resnet18(0), ValueError, "num_classes must be at least 1, got 0"),
        (lambda: ResNet(BasicBlock, (2, 2, 2)), ValueError, r"4 ints, .* got \(2, 2, 2\)"),
        (lambda: ResNet(BasicBlock, (2, 0, 2, 2)), ValueError, r"num_blocks\[1\] .* got 0"),
        (lambda: ResNet(BasicBlock, (2, 2.0, 2, 2)), TypeError, r"num_blocks\[1\]"),
        (lambda: resnet18(10, zero_init_residual=1), TypeError, "zero_init_residual must be True"),
    ],
)
def test_invalid_arguments_are_refused(build, error, message):
    with pytest.raises(error, match=message):
        build()


def test_the_keywords_are_those_of_most_courses():
    model = ResNet(block=BasicBlock, num_blocks=[2, 2, 2, 2], num_classes=10)
    assert model.state_dict().keys() == resnet18(10).state_dict().keys()
    assert BasicBlock(in_channels=3, out_channels=5, stride=2).conv2.out_channels == 5
