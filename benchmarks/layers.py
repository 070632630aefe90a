"""Tables of the measured layers: whole networks, and single layers with special settings."""

from __future__ import annotations

from dataclasses import dataclass

from convlab.shapes import conv2d_output_size


@dataclass(frozen=True)
class Layer:
    """The arguments of a convolution on square images, without batch size and bias.

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
    >>> Layer(6, 16, 14, 5).name  # the padding is named if it does not preserve the size
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
        """The arguments in short: channels>kernels, values other than the defaults, @size."""
        usual_padding = self.dilation * (self.kernel_size - 1) // 2
        parts = [f"{self.channels}>{self.kernels}", f"{self.kernel_size}x{self.kernel_size}"]
        parts += [f"s{self.stride}"] if self.stride > 1 else []
        parts += [f"p{self.padding}"] if self.padding != usual_padding else []
        parts += [f"d{self.dilation}"] if self.dilation > 1 else []
        parts += [f"g{self.groups}"] if self.groups > 1 else []
        return " ".join([*parts, f"@{self.size}"])

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
        """Count the multiplications and additions of the definition.

        A method that needs fewer is credited with all of them: its GFLOP/s are those that a
        direct convolution would need for the same time.
        """
        window = self.channels // self.groups * self.kernel_size**2
        return 2 * images * self.kernels * self.output_size**2 * window


# Whole networks at 224x224: each distinct convolution, and how often it occurs. A test compares
# both tables with torchvision's models. (The biases of VGG's convolutions are left out.)
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

SMALL = (  # introductory networks for MNIST and CIFAR-10
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
# Channels and size of layers in the middle of a network, each with several numbers of groups.
_SQUARE = ((64, 56), (128, 28), (256, 14))
GROUPED = tuple(
    Layer(channels, channels, size, 3, padding=1, groups=groups)
    for channels, size in _SQUARE
    for groups in (2, 4, 8, 16, 32, channels)
)
REPLACED = (  # compared with a depthwise and a 1x1 convolution
    *(Layer(channels, channels, size, 3, padding=1) for channels, size in _SQUARE),
    Layer(64, 128, 56, 3, padding=1),
)
LADDER = Layer(64, 64, 56, 3, padding=1)  # occurs four times in ResNet-18
TINY = Layer(2, 4, 9, 3, padding=1)
