"""The layers that are measured: one table per network, and single layers of special kinds."""

from __future__ import annotations

from dataclasses import dataclass

from convlab.shapes import conv2d_output_size


@dataclass(frozen=True)
class Layer:
    """The settings of a convolution on square images; no batch, no bias.

    Parameters
    ----------
    channels, kernels : int
        Input and output channels.
    size : int
        Height and width of the input.
    kernel_size, stride, padding, dilation, groups : int
        As in ``torch.nn.Conv2d``, the same for both axes.

    Examples
    --------
    >>> Layer(3, 64, 224, 7, stride=2, padding=3).name
    '3>64 7x7 s2 @224'
    >>> Layer(6, 16, 14, 5).name  # padding is named where it does not keep the size
    '6>16 5x5 p0 @14'
    """

    channels: int
    kernels: int
    size: int
    kernel_size: int
    stride: int = 1
    padding: int = 0
    dilation: int = 1
    groups: int = 1

    @property
    def name(self) -> str:
        """The settings in short: channels>kernels, what is not usual, @size."""
        usual = self.dilation * (self.kernel_size - 1) // 2
        words = [f"{self.channels}>{self.kernels}", f"{self.kernel_size}x{self.kernel_size}"]
        words += [f"s{self.stride}"] if self.stride > 1 else []
        words += [f"p{self.padding}"] if self.padding != usual else []
        words += [f"d{self.dilation}"] if self.dilation > 1 else []
        words += [f"g{self.groups}"] if self.groups > 1 else []
        return " ".join([*words, f"@{self.size}"])

    @property
    def output_size(self) -> int:
        """Height and width of the output."""
        return conv2d_output_size(
            self.size, self.kernel_size, self.stride, self.padding, self.dilation
        )[0]

    @property
    def weight_shape(self) -> tuple[int, int, int, int]:
        """Shape of the weights, as PyTorch stores them."""
        return self.kernels, self.channels // self.groups, self.kernel_size, self.kernel_size

    def flop(self, images: int) -> int:
        """Count the operations of the definition, a multiplication and an addition per weight.

        A method that gets by with fewer is credited with all of them: its GFLOP/s say how fast
        a plain one would have to be to keep up.
        """
        window = self.channels // self.groups * self.kernel_size**2
        return 2 * images * self.kernels * self.output_size**2 * window


# Whole networks at 224x224: each distinct convolution, and how often it occurs. A test compares
# both tables with torchvision's models. (VGG's convolutions have a bias; here none has.)
RESNET18 = {
    Layer(3, 64, 224, 7, stride=2, padding=3): 1,
    Layer(64, 64, 56, 3, padding=1): 4,
    Layer(64, 128, 56, 3, stride=2, padding=1): 1,
    Layer(128, 128, 28, 3, padding=1): 3,
    Layer(64, 128, 56, 1, stride=2): 1,
    Layer(128, 256, 28, 3, stride=2, padding=1): 1,
    Layer(256, 256, 14, 3, padding=1): 3,
    Layer(128, 256, 28, 1, stride=2): 1,
    Layer(256, 512, 14, 3, stride=2, padding=1): 1,
    Layer(512, 512, 7, 3, padding=1): 3,
    Layer(256, 512, 14, 1, stride=2): 1,
}
VGG16 = {
    Layer(3, 64, 224, 3, padding=1): 1,
    Layer(64, 64, 224, 3, padding=1): 1,
    Layer(64, 128, 112, 3, padding=1): 1,
    Layer(128, 128, 112, 3, padding=1): 1,
    Layer(128, 256, 56, 3, padding=1): 1,
    Layer(256, 256, 56, 3, padding=1): 2,
    Layer(256, 512, 28, 3, padding=1): 1,
    Layer(512, 512, 28, 3, padding=1): 2,
    Layer(512, 512, 14, 3, padding=1): 3,
}

SMALL = (  # networks of a first course, on MNIST and CIFAR-10
    Layer(1, 32, 28, 3, padding=1),
    Layer(32, 64, 14, 3, padding=1),
    Layer(1, 6, 28, 5, padding=2),  # LeNet-5
    Layer(6, 16, 14, 5),
    Layer(3, 32, 32, 3, padding=1),
    Layer(16, 16, 32, 3, padding=1),
    Layer(32, 64, 16, 3, padding=1),
    Layer(64, 128, 8, 3, padding=1),
)
DEPTHWISE = (  # MobileNet: one kernel per channel
    Layer(32, 32, 112, 3, padding=1, groups=32),
    Layer(64, 64, 112, 3, stride=2, padding=1, groups=64),
    Layer(128, 128, 56, 3, padding=1, groups=128),
    Layer(512, 512, 14, 3, padding=1, groups=512),
)
OTHER = (
    Layer(96, 256, 27, 5, padding=2, groups=2),  # AlexNet in two halves
    Layer(128, 128, 56, 3, padding=1, groups=32),  # ResNeXt
    Layer(512, 512, 14, 3, padding=1, groups=32),
    Layer(256, 256, 28, 3, padding=2, dilation=2),  # DeepLab
    Layer(512, 512, 28, 3, padding=4, dilation=4),
    Layer(64, 256, 56, 1),  # ResNet-50
    Layer(256, 64, 56, 1),
    Layer(1024, 256, 14, 1),
    Layer(512, 2048, 7, 1),
    Layer(64, 192, 27, 5, padding=2),  # AlexNet
    Layer(3, 64, 224, 11, stride=4, padding=2),
    Layer(64, 64, 56, 7, padding=3),
)
# Channels and size of layers in the middle of a network, and into how many groups each is cut.
_SQUARE = ((64, 56), (128, 28), (256, 14))
GROUPED = tuple(
    Layer(channels, channels, size, 3, padding=1, groups=groups)
    for channels, size in _SQUARE
    for groups in (2, 4, 8, 16, 32, channels)
)
REPLACED = (  # by a depthwise and a 1x1 convolution
    *(Layer(channels, channels, size, 3, padding=1) for channels, size in _SQUARE),
    Layer(64, 128, 56, 3, padding=1),
)
LADDER = Layer(64, 64, 56, 3, padding=1)  # occurs four times in ResNet-18
TINY = Layer(2, 4, 9, 3, padding=1)
