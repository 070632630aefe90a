"""Registry of the networks by their names on the command line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from torch import nn

from convlab.models.alexnet import AlexNet
from convlab.models.lenet import LeNet5
from convlab.models.resnet import resnet18, resnet34, resnet50, resnet101, resnet152
from convlab.models.small import MnistCNN, SimpleCNN
from convlab.models.vgg import VGG11, VGG13, VGG16, VGG19


@dataclass(frozen=True)
class ModelEntry:
    """A network's constructor and the shape of its usual input.

    Parameters
    ----------
    build : callable
        Returns the network; takes ``num_classes`` and the other arguments of the class.
    input_shape : tuple of three ints
        Channels, height and width of the images that the network was designed for.
    """

    build: Callable[..., nn.Module]
    input_shape: tuple[int, int, int]


CIFAR, MNIST, IMAGENET = (3, 32, 32), (1, 28, 28), (3, 224, 224)

MODELS: dict[str, ModelEntry] = {
    "simple-cnn": ModelEntry(SimpleCNN, CIFAR),
    "mnist-cnn": ModelEntry(MnistCNN, MNIST),
    "lenet5": ModelEntry(LeNet5, MNIST),
    "alexnet": ModelEntry(AlexNet, IMAGENET),
    "vgg11": ModelEntry(VGG11, IMAGENET),
    "vgg11-bn": ModelEntry(partial(VGG11, batch_norm=True), IMAGENET),
    "vgg13": ModelEntry(VGG13, IMAGENET),
    "vgg13-bn": ModelEntry(partial(VGG13, batch_norm=True), IMAGENET),
    "vgg16": ModelEntry(VGG16, IMAGENET),
    "vgg16-bn": ModelEntry(partial(VGG16, batch_norm=True), IMAGENET),
    "vgg19": ModelEntry(VGG19, IMAGENET),
    "vgg19-bn": ModelEntry(partial(VGG19, batch_norm=True), IMAGENET),
    "resnet18": ModelEntry(resnet18, IMAGENET),
    "resnet34": ModelEntry(resnet34, IMAGENET),
    "resnet50": ModelEntry(resnet50, IMAGENET),
    "resnet101": ModelEntry(resnet101, IMAGENET),
    "resnet152": ModelEntry(resnet152, IMAGENET),
}
