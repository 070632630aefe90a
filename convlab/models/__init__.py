"""LeNet-5, AlexNet, VGG, ResNet and two small networks in PyTorch, one family per file.

The docstrings list the differences from the papers. AlexNet, VGG and ResNet have the parameter
names and shapes of torchvision, so weights can be exchanged in both directions, and under the same
seed the same initial weights. `MODELS` maps the names used on the command line to the networks.

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
from convlab.models.blocks import ConvBlock, VGGBlock
from convlab.models.lenet import LeNet5
from convlab.models.registry import MODELS, ModelEntry
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
    "ConvBlock",
    "LeNet5",
    "MnistCNN",
    "ModelEntry",
    "ResNet",
    "SimpleCNN",
    "VGGBlock",
    "resnet18",
    "resnet34",
    "resnet50",
    "resnet101",
    "resnet152",
]
