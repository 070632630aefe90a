"""AlexNet in a single column, without the split over two GPUs."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from convlab._validate import integer
from convlab.models.input_check import ExpectImages, smallest_input


class AlexNet(nn.Module):
    """The AlexNet of torchvision: 61,100,840 parameters for 1000 classes.

    For the single column, torchvision refers to Krizhevsky, "One weird trick for parallelizing
    convolutional neural networks" (2014). (A footnote there gives the fourth convolution 384
    kernels; but only with 256, as here, does the network have 0.2 % more parameters than that of
    2012, as the paper says.) The network that won ImageNet in 2012 (60,965,224 parameters)

    - has 96, 256, 384, 384 and 256 kernels; here 64, 192, 384, 256 and 256;
    - was split over two GPUs, so that its second, fourth and fifth convolution read half of
      the channels each: ``groups=2``; here all read all channels;
    - normalizes over neighbouring channels after the first two convolutions (local response
      normalization); here there is no normalization;
    - starts from weights of standard deviation 0.01, and from biases of 1 in the three split
      convolutions and the hidden linear layers, 0 elsewhere; here from PyTorch's default.

    Parameters
    ----------
    num_classes : int
        Number of outputs, at least 1.
    dropout : float
        Dropout probability before the first two linear layers.

    Raises
    ------
    TypeError, ValueError
        If `num_classes` is not an int or below 1, or `dropout` is not between 0 and 1; when
        called, if the input is not ``(N, 3, H, W)`` with at least 63 x 63 pixels.

    Notes
    -----
    ``state_dict``, initial weights for a seed, and outputs are those of torchvision's ``alexnet``.

    Examples
    --------
    >>> AlexNet(num_classes=5)(torch.zeros(2, 3, 224, 224)).shape
    torch.Size([2, 5])
    """

    def __init__(self, num_classes: int = 1000, dropout: float = 0.5) -> None:
        super().__init__()
        num_classes = integer(num_classes, "num_classes", minimum=1)
        self.features = nn.Sequential(
            nn.Conv2d(3, 64, kernel_size=11, stride=4, padding=2),  # 224 x 224 -> 55 x 55
            nn.ReLU(inplace=True),
            nn.MaxPool2d(kernel_size=3, stride=2),  # -> 27 x 27
            nn.Conv2d(64, 192, kernel_size=5, padding=2),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(kernel_size=3, stride=2),  # -> 13 x 13
            nn.Conv2d(192, 384, kernel_size=3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(384, 256, kernel_size=3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(256, 256, kernel_size=3, padding=1),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(kernel_size=3, stride=2),  # -> 6 x 6
        )
        self.avgpool = nn.AdaptiveAvgPool2d(6)  # also for images of other sizes
        self.classifier = nn.Sequential(
            nn.Dropout(dropout),
            nn.Linear(256 * 6 * 6, 4096),
            nn.ReLU(inplace=True),
            nn.Dropout(dropout),
            nn.Linear(4096, 4096),
            nn.ReLU(inplace=True),
            nn.Linear(4096, num_classes),
        )
        self.register_forward_pre_hook(ExpectImages(3, smallest_input(self.features)))

    def forward(self, x: Tensor) -> Tensor:
        """Map images ``(N, 3, H, W)`` to ``(N, num_classes)``."""
        x = self.avgpool(self.features(x))
        x = self.classifier(torch.flatten(x, 1))
        return x
