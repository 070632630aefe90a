"""Two small networks with batch normalization, for CIFAR-10 and MNIST."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from convlab._validate import integer
from convlab.models.blocks import ConvBlock
from convlab.models.input_check import ExpectImages, smallest_input


class SimpleCNN(nn.Module):
    """Three convolutions and one linear layer, for CIFAR-10: 24,346 parameters.

    Each convolution is followed by a `BatchNorm2d`, which would cancel a bias, so the
    convolutions have none. The average over all positions at the end allows images ``(N, 3, H, W)``
    of any size from 4 x 4 pixels; other inputs raise a ValueError.

    Parameters
    ----------
    num_classes : int
        Number of outputs; a TypeError if not an int, a ValueError if below 1.

    Examples
    --------
    >>> SimpleCNN()(torch.zeros(2, 3, 32, 32)).shape
    torch.Size([2, 10])
    """

    def __init__(self, num_classes: int = 10) -> None:
        super().__init__()
        num_classes = integer(num_classes, "num_classes", minimum=1)
        self.conv1 = nn.Conv2d(3, 16, kernel_size=3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        self.conv2 = nn.Conv2d(16, 32, kernel_size=3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(32)
        self.conv3 = nn.Conv2d(32, 64, kernel_size=3, padding=1, bias=False)
        self.bn3 = nn.BatchNorm2d(64)
        self.relu = nn.ReLU()
        self.pool = nn.MaxPool2d(2)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(64, num_classes)
        self.register_forward_pre_hook(
            ExpectImages(3, smallest_input([self.conv1, self.pool, self.conv2, self.pool]))
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map images ``(N, 3, H, W)`` to ``(N, num_classes)``."""
        x = self.pool(self.relu(self.bn1(self.conv1(x))))  # 32 x 32 -> 16 x 16
        x = self.pool(self.relu(self.bn2(self.conv2(x))))  # -> 8 x 8
        x = self.avgpool(self.relu(self.bn3(self.conv3(x))))  # -> 1 x 1
        x = self.fc(torch.flatten(x, 1))
        return x


class MnistCNN(nn.Module):
    """Four convolutions and two linear layers, for MNIST: 468,138 parameters.

    Two blocks of two convolutions, with 32 and 64 channels, and max pooling. All but the last
    layer are followed by batch normalization and have no bias. Each block ends with `Dropout2d`,
    which drops whole channels, since neighbouring pixels are correlated; a `Dropout` precedes the
    last layer. Inputs other than ``(N, 1, H, W)`` with height and width from 28 to 31, which leave
    7 x 7, raise a ValueError.

    Parameters
    ----------
    num_classes : int
        As for `SimpleCNN`.

    Examples
    --------
    >>> MnistCNN()(torch.zeros(2, 1, 28, 28)).shape
    torch.Size([2, 10])
    """

    def __init__(self, num_classes: int = 10) -> None:
        super().__init__()
        num_classes = integer(num_classes, "num_classes", minimum=1)
        self.features = nn.Sequential(
            *_block(1, 32),  # 28 x 28 -> 14 x 14
            *_block(32, 64),  # -> 7 x 7
        )
        self.classifier = nn.Sequential(
            nn.Linear(64 * 7 * 7, 128, bias=False),
            nn.BatchNorm1d(128),
            nn.ReLU(),
            nn.Dropout(0.5),
            nn.Linear(128, num_classes),
        )
        smallest, too_large = (smallest_input(self.features, left) for left in (7, 8))
        self.register_forward_pre_hook(ExpectImages(1, smallest, too_large - 1))

    def forward(self, x: Tensor) -> Tensor:
        """Map images ``(N, 1, H, W)`` to ``(N, num_classes)``."""
        x = self.classifier(torch.flatten(self.features(x), 1))
        return x


def _block(in_channels: int, out_channels: int) -> list[nn.Module]:
    return [
        *ConvBlock(in_channels, out_channels).children(),
        *ConvBlock(out_channels, out_channels).children(),
        nn.MaxPool2d(2),
        nn.Dropout2d(0.25),
    ]
