"""ResNet: residual blocks and the networks built from them."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from convlab._validate import flag, integer
from convlab.models.input_check import ExpectImages


def _convolution(in_channels: int, out_channels: int, size: int, stride: int = 1) -> nn.Conv2d:
    """Return a padded convolution without bias, which batch normalization would cancel."""
    return nn.Conv2d(in_channels, out_channels, size, stride=stride, padding=size // 2, bias=False)


def _shortcut(
    in_channels: int,
    out_channels: int,
    stride: int,
) -> nn.Sequential | None:
    """Return a projection of a block's input to the shape of its output, if they differ."""
    if stride == 1 and in_channels == out_channels:
        return None
    return nn.Sequential(
        _convolution(in_channels, out_channels, 1, stride),
        nn.BatchNorm2d(out_channels),
    )


class BasicBlock(nn.Module):
    """Two 3 x 3 convolutions with a shortcut connection.

    Parameters
    ----------
    in_channels : int
        Channels of the input.
    out_channels : int
        Channels of both convolutions, and of the output.
    stride : int
        Stride of the first convolution. If it is not 1, or `in_channels` and `out_channels`
        differ, the input passes a 1 x 1 convolution (`downsample`) before it is added.

    Examples
    --------
    >>> BasicBlock(64, 128, stride=2)(torch.zeros(1, 64, 56, 56)).shape
    torch.Size([1, 128, 28, 28])
    """

    expansion = 1  # output channels for each of `out_channels`; see `Bottleneck`

    def __init__(self, in_channels: int, out_channels: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = _convolution(in_channels, out_channels, 3, stride)
        self.bn1 = nn.BatchNorm2d(out_channels)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = _convolution(out_channels, out_channels, 3)
        self.bn2 = nn.BatchNorm2d(out_channels)
        self.downsample = _shortcut(in_channels, out_channels, stride)

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(N, in_channels, H, W)`` to ``(N, out_channels, ceil(H / stride), ...)``."""
        y: Tensor = self.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        y += x if self.downsample is None else self.downsample(x)
        y = self.relu(y)
        return y


class Bottleneck(nn.Module):
    """A 1 x 1, a 3 x 3 and a 1 x 1 convolution with a shortcut connection.

    The first reduces the number of channels for the second. The stride is in the 3 x 3
    convolution, as in torchvision (known as v1.5). The paper has it in the first 1 x 1, which then
    ignores three quarters of its input.

    Parameters
    ----------
    in_channels : int
        Channels of the input.
    channels : int
        Channels of the 3 x 3 convolution. The output has four times as many.
    stride : int
        Stride of the 3 x 3 convolution; see `BasicBlock`.

    Examples
    --------
    >>> Bottleneck(256, 128, stride=2)(torch.zeros(1, 256, 56, 56)).shape
    torch.Size([1, 512, 28, 28])
    """

    expansion = 4  # output channels for each of `channels`

    def __init__(self, in_channels: int, channels: int, stride: int = 1) -> None:
        super().__init__()
        out_channels = channels * self.expansion
        self.conv1 = _convolution(in_channels, channels, 1)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = _convolution(channels, channels, 3, stride)
        self.bn2 = nn.BatchNorm2d(channels)
        self.conv3 = _convolution(channels, out_channels, 1)
        self.bn3 = nn.BatchNorm2d(out_channels)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = _shortcut(in_channels, out_channels, stride)

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(N, in_channels, H, W)`` to ``(N, 4 channels, ceil(H / stride), ...)``."""
        y: Tensor = self.relu(self.bn1(self.conv1(x)))
        y = self.relu(self.bn2(self.conv2(y)))
        y = self.bn3(self.conv3(y))
        y += x if self.downsample is None else self.downsample(x)
        y = self.relu(y)
        return y


class ResNet(nn.Module):
    """A residual network: a 7 x 7 convolution, four stages of blocks, and a linear layer.

    Differences from the paper: see `Bottleneck`; and the shortcuts that change the shape are
    1 x 1 convolutions in every network (the paper's option B).

    Parameters
    ----------
    block : type
        `BasicBlock`, `Bottleneck` or another class with an attribute `expansion`, called as
        ``block(in_channels, channels, stride)``.
    num_blocks : sequence of four ints
        Number of blocks in each stage, at least 1.
    num_classes : int
        Number of outputs, at least 1.
    zero_init_residual : bool
        Whether to initialize the weight of the last normalization of each block with 0, so
        that the block starts as the identity (Goyal and others, 2017).

    Raises
    ------
    TypeError, ValueError
        If an argument has the wrong type or is out of range; when called, if the input is not
        ``(N, 3, H, W)``, of any size.

    Notes
    -----
    ``state_dict``, initial weights for a seed, and outputs are those of torchvision. Source: He,
    Zhang, Ren and Sun, "Deep Residual Learning for Image Recognition" (2016), table 1.

    Examples
    --------
    >>> ResNet(BasicBlock, (1, 1, 1, 1), num_classes=5)(torch.zeros(2, 3, 64, 64)).shape
    torch.Size([2, 5])
    """

    def __init__(
        self,
        block: type[BasicBlock | Bottleneck],
        num_blocks: Sequence[int],
        num_classes: int = 1000,
        zero_init_residual: bool = False,
    ) -> None:
        super().__init__()
        num_classes = integer(num_classes, "num_classes", minimum=1)
        zero_init_residual = flag(zero_init_residual, "zero_init_residual")
        if len(num_blocks) != 4:
            raise ValueError(f"num_blocks must be 4 ints, one per stage, got {num_blocks}")
        depths = [integer(n, f"num_blocks[{i}]", minimum=1) for i, n in enumerate(num_blocks)]
        self.conv1 = _convolution(3, 64, 7, stride=2)  # 224 x 224 -> 112 x 112
        self.bn1 = nn.BatchNorm2d(64)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(kernel_size=3, stride=2, padding=1)  # -> 56 x 56
        expansion = block.expansion
        self.layer1 = _stage(block, depths[0], 64, 64, stride=1)
        self.layer2 = _stage(block, depths[1], 64 * expansion, 128, stride=2)  # -> 28 x 28
        self.layer3 = _stage(block, depths[2], 128 * expansion, 256, stride=2)  # -> 14 x 14
        self.layer4 = _stage(block, depths[3], 256 * expansion, 512, stride=2)  # -> 7 x 7
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(512 * expansion, num_classes)
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
            elif zero_init_residual and isinstance(layer, BasicBlock):
                nn.init.zeros_(layer.bn2.weight)
            elif zero_init_residual and isinstance(layer, Bottleneck):
                nn.init.zeros_(layer.bn3.weight)
        self.register_forward_pre_hook(ExpectImages(3))

    def forward(self, x: Tensor) -> Tensor:
        """Map images ``(N, 3, H, W)`` to ``(N, num_classes)``."""
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        x = self.fc(torch.flatten(self.avgpool(x), 1))
        return x


def _stage(
    block: type[BasicBlock | Bottleneck], depth: int, in_channels: int, channels: int, stride: int
) -> nn.Sequential:
    """Return a sequence of blocks with the same width; the first changes the shape."""
    out_channels = channels * block.expansion
    rest = (block(out_channels, channels) for _ in range(depth - 1))
    return nn.Sequential(block(in_channels, channels, stride), *rest)


def resnet18(num_classes: int = 1000, zero_init_residual: bool = False) -> ResNet:
    """`ResNet` of 2, 2, 2, 2 basic blocks: 11,689,512 parameters."""
    return ResNet(BasicBlock, (2, 2, 2, 2), num_classes, zero_init_residual)


def resnet34(num_classes: int = 1000, zero_init_residual: bool = False) -> ResNet:
    """`ResNet` of 3, 4, 6, 3 basic blocks: 21,797,672 parameters."""
    return ResNet(BasicBlock, (3, 4, 6, 3), num_classes, zero_init_residual)


def resnet50(num_classes: int = 1000, zero_init_residual: bool = False) -> ResNet:
    """`ResNet` of 3, 4, 6, 3 bottlenecks: 25,557,032 parameters."""
    return ResNet(Bottleneck, (3, 4, 6, 3), num_classes, zero_init_residual)


def resnet101(num_classes: int = 1000, zero_init_residual: bool = False) -> ResNet:
    """`ResNet` of 3, 4, 23, 3 bottlenecks: 44,549,160 parameters."""
    return ResNet(Bottleneck, (3, 4, 23, 3), num_classes, zero_init_residual)


def resnet152(num_classes: int = 1000, zero_init_residual: bool = False) -> ResNet:
    """`ResNet` of 3, 8, 36, 3 bottlenecks: 60,192,808 parameters."""
    return ResNet(Bottleneck, (3, 8, 36, 3), num_classes, zero_init_residual)
