"""The networks of the book, in PyTorch, one family per file.

Each file is meant to be read from top to bottom: the layers in the order of the data, and in
the docstring where the network departs from the paper that it is named after. AlexNet, the
VGGs and the ResNets have torchvision's parameter names and shapes, so that weights travel in
both directions, and start from the same numbers under the same seed.

`MODELS` knows all of them by the names that a command line uses.

Examples
--------
>>> model = MODELS["lenet5"].build(num_classes=10)
>>> sum(parameter.numel() for parameter in model.parameters())
61706
>>> MODELS["lenet5"].input_shape
(1, 28, 28)
"""

from convlab._require import require

require("torch", needed_by="convlab.models")

from convlab.models.alexnet import AlexNet
from convlab.models.catalogue import MODELS, ModelEntry
from convlab.models.lenet import LeNet5
from convlab.models.resnet import (
    BasicBlock,
    Bottleneck,
    ResNet,
    resnet18,
    resnet34,
    resnet50,
    resnet101,
    resnet152,
)
from convlab.models.small import MnistCNN, SimpleCNN
from convlab.models.vgg import VGG, VGG11, VGG13, VGG16, VGG19

__all__ = [
    "MODELS",
    "VGG",
    "VGG11",
    "VGG13",
    "VGG16",
    "VGG19",
    "AlexNet",
    "BasicBlock",
    "Bottleneck",
    "LeNet5",
    "MnistCNN",
    "ModelEntry",
    "ResNet",
    "SimpleCNN",
    "resnet18",
    "resnet34",
    "resnet50",
    "resnet101",
    "resnet152",
]
