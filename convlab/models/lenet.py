"""A modern LeNet-5."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from convlab._validate import integer
from convlab.models.input_check import ExpectImages, smallest_input


class LeNet5(nn.Module):
    """A modern LeNet-5 for images of 28 x 28 pixels: 61,706 parameters.

    The layers have the sizes of the 1998 paper, but current operations. The paper has

    - images of 32 x 32; here MNIST's 28 x 28 with two zeros on each side, `padding=2`;
    - 2 x 2 averages with a learned factor and bias ("subsampling"), and a scaled tanh; here
      max pooling and ReLU;
    - a table that connects each of the 16 maps of C3 to 3, 4 or 6 of the 6 input maps, 1,516
      parameters; here each to all 6, 2,416 parameters;
    - distances to fixed bitmaps of the ten digits (RBF units) as output; here a linear layer,
      whose logits go to a cross-entropy loss.

    The paper's network has 60,000 trainable parameters.

    Parameters
    ----------
    num_classes : int
        Number of outputs; a TypeError if not an int, a ValueError if below 1.

    Notes
    -----
    Inputs other than ``(N, 1, H, W)`` with height and width from 28 to 31, which leave 1 x 1, raise
    a ValueError. Source: LeCun, Bottou, Bengio and Haffner, "Gradient-Based Learning Applied to
    Document Recognition" (1998), figure 2 and section II.B.

    Examples
    --------
    >>> LeNet5()(torch.zeros(2, 1, 28, 28)).shape
    torch.Size([2, 10])
    """

    def __init__(self, num_classes: int = 10) -> None:
        super().__init__()
        num_classes = integer(num_classes, "num_classes", minimum=1)
        self.features = nn.Sequential(
            nn.Conv2d(1, 6, kernel_size=5, padding=2),  # C1: 28 x 28
            nn.ReLU(),
            nn.MaxPool2d(2),  # S2: 14 x 14
            nn.Conv2d(6, 16, kernel_size=5),  # C3: 10 x 10
            nn.ReLU(),
            nn.MaxPool2d(2),  # S4: 5 x 5
            nn.Conv2d(16, 120, kernel_size=5),  # C5: 1 x 1
            nn.ReLU(),
        )
        self.classifier = nn.Sequential(
            nn.Linear(120, 84),  # F6
            nn.ReLU(),
            nn.Linear(84, num_classes),
        )
        smallest, too_large = (smallest_input(self.features, left) for left in (1, 2))
        self.register_forward_pre_hook(ExpectImages(1, smallest, too_large - 1))

    def forward(self, x: Tensor) -> Tensor:
        """Map images ``(N, 1, H, W)`` to ``(N, num_classes)``."""
        x = self.classifier(torch.flatten(self.features(x), 1))
        return x
