"""The VGG networks: 3 x 3 convolutions and five max pooling layers."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from convlab._validate import integer
from convlab.models.blocks import VGGBlock
from convlab.models.input_check import ExpectImages, smallest_input

WIDTHS = (64, 128, 256, 512, 512)


class VGG(nn.Module):
    """Five blocks of 3 x 3 convolutions and max pooling (`VGGBlock`), then three linear layers.

    The number in a network's name counts the layers with weights: `VGG16` has 13 convolutions
    and 3 linear layers. Differences from the paper:

    - the pooling to 7 x 7 before the linear layers, which does nothing for 224 x 224, allows
      images of other sizes (the paper turns the linear layers into convolutions instead);
    - `batch_norm` did not exist yet; with it, the convolutions keep their biases, as in
      torchvision, although the normalization cancels them;
    - convolutions are initialized by Kaiming normal with ``mode="fan_out"``, linear layers with
      standard deviation 0.01, biases with 0. The paper starts its deeper networks from the trained
      layers of the shallow one, or, according to a note, from Xavier initialization.

    Parameters
    ----------
    convolutions : sequence of five ints
        Convolutions in each block, at least 1. The blocks have 64, 128, 256, 512 and 512
        channels.
    num_classes : int
        Number of outputs, at least 1.
    batch_norm : bool
        Whether a `BatchNorm2d` follows each convolution.
    dropout : float
        Dropout probability before the last two linear layers.

    Raises
    ------
    TypeError, ValueError
        If an argument has the wrong type or is out of range; when called, if the input is not
        ``(N, 3, H, W)`` with at least 32 x 32 pixels.

    Notes
    -----
    ``state_dict``, initial weights for a seed, and outputs are those of torchvision. Source:
    Simonyan and Zisserman, "Very Deep Convolutional Networks for Large-Scale Image Recognition"
    (2015), table 1.

    Examples
    --------
    >>> with torch.device("meta"):  # shapes only
    ...     VGG((1, 1, 1, 1, 1), num_classes=5)(torch.empty(2, 3, 224, 224)).shape
    torch.Size([2, 5])
    """

    def __init__(
        self,
        convolutions: Sequence[int],
        num_classes: int = 1000,
        batch_norm: bool = False,
        dropout: float = 0.5,
    ) -> None:
        super().__init__()
        num_classes = integer(num_classes, "num_classes", minimum=1)
        if len(convolutions) != len(WIDTHS):
            raise ValueError(
                f"convolutions must be {len(WIDTHS)} ints, one per block, got {convolutions}"
            )
        layers: list[nn.Module] = []
        channels = 3
        for width, number in zip(WIDTHS, convolutions, strict=True):
            num_convs = integer(number, "convolutions of a block", minimum=1)
            layers += VGGBlock(channels, width, num_convs, batch_norm).block
            channels = width
        self.features = nn.Sequential(*layers)  # 224 x 224 -> 7 x 7
        self.avgpool = nn.AdaptiveAvgPool2d(7)
        self.classifier = nn.Sequential(
            nn.Linear(channels * 7 * 7, 4096),
            nn.ReLU(inplace=True),
            nn.Dropout(dropout),
            nn.Linear(4096, 4096),
            nn.ReLU(inplace=True),
            nn.Dropout(dropout),
            nn.Linear(4096, num_classes),
        )
        self.apply(_initialize)
        self.register_forward_pre_hook(ExpectImages(3, smallest_input(self.features)))

    def forward(self, x: Tensor) -> Tensor:
        """Map images ``(N, 3, H, W)`` to ``(N, num_classes)``."""
        x = self.avgpool(self.features(x))
        x = self.classifier(torch.flatten(x, 1))
        return x


def _initialize(layer: nn.Module) -> None:
    """Initialize a convolution or linear layer."""
    if isinstance(layer, nn.Conv2d):
        nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
    elif isinstance(layer, nn.Linear):
        nn.init.normal_(layer.weight, std=0.01)
    if isinstance(layer, nn.Conv2d | nn.Linear) and layer.bias is not None:
        nn.init.zeros_(layer.bias)


class _Configuration(VGG):
    """A VGG network whose class gives the number of convolutions in each block."""

    convolutions: tuple[int, ...]

    def __init__(
        self, num_classes: int = 1000, batch_norm: bool = False, dropout: float = 0.5
    ) -> None:
        super().__init__(self.convolutions, num_classes, batch_norm, dropout)


class VGG11(_Configuration):
    """Configuration A, 8 convolutions: 132,863,336 parameters. Arguments as for `VGG`."""

    convolutions = 1, 1, 2, 2, 2


class VGG13(_Configuration):
    """Configuration B, 10 convolutions: 133,047,848 parameters. Arguments as for `VGG`."""

    convolutions = 2, 2, 2, 2, 2


class VGG16(_Configuration):
    """Configuration D, 13 convolutions: 138,357,544 parameters. Arguments as for `VGG`."""

    convolutions = 2, 2, 3, 3, 3


class VGG19(_Configuration):
    """Configuration E, 16 convolutions: 143,667,240 parameters. Arguments as for `VGG`."""

    convolutions = 2, 2, 4, 4, 4
