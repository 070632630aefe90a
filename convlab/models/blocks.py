"""The rows of layers that convolutional networks repeat."""

from __future__ import annotations

from torch import Tensor, nn

from convlab._validate import flag, integer


class ConvBlock(nn.Module):
    """A convolution, batch normalization and ReLU, in this order.

    The padding is ``kernel_size // 2``, so with stride 1 the output has the size of the input. The
    convolution has no bias, which the normalization would cancel.

    Parameters
    ----------
    in_channels, out_channels : int
        Channels of the input and of the output.
    kernel_size : int
        Height and width of the kernel, odd: an even one would make the output one row larger than
        the input.
    stride : int
        Stride of the convolution.

    Raises
    ------
    TypeError, ValueError
        If an argument is not an int or below 1, or `kernel_size` is even.

    Examples
    --------
    >>> import torch
    >>> block = ConvBlock(64, 128)
    >>> block(torch.zeros(2, 64, 56, 56)).shape
    torch.Size([2, 128, 56, 56])
    >>> [name for name, parameter in block.named_parameters()]
    ['conv.weight', 'bn.weight', 'bn.bias']
    """

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: int = 3, stride: int = 1
    ) -> None:
        super().__init__()
        in_channels = integer(in_channels, "in_channels", minimum=1)
        out_channels = integer(out_channels, "out_channels", minimum=1)
        size = integer(kernel_size, "kernel_size", minimum=1)
        stride = integer(stride, "stride", minimum=1)
        if size % 2 == 0:
            raise ValueError(
                f"kernel_size must be odd, got {size}: with padding {size // 2} on each side the "
                f"output would be larger than the input; take {size - 1} or {size + 1}"
            )
        self.conv = nn.Conv2d(
            in_channels, out_channels, size, stride=stride, padding=size // 2, bias=False
        )
        self.bn = nn.BatchNorm2d(out_channels)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(N, in_channels, H, W)`` to ``(N, out_channels, ceil(H / stride), ...)``."""
        x = self.relu(self.bn(self.conv(x)))
        return x


class VGGBlock(nn.Module):
    """Convolutions of 3 x 3, each with a ReLU, and a max pooling that halves the image.

    Parameters
    ----------
    in_channels, out_channels : int
        Channels of the input, and of the output of every convolution.
    num_convs : int
        Number of convolutions.
    batch_norm : bool
        Whether a `BatchNorm2d` follows each convolution, which keeps its bias.

    Raises
    ------
    TypeError, ValueError
        If `batch_norm` is not a bool, or another argument is not an int or below 1.

    Examples
    --------
    >>> import torch
    >>> VGGBlock(3, 64, num_convs=2)(torch.zeros(1, 3, 224, 224)).shape
    torch.Size([1, 64, 112, 112])
    """

    def __init__(
        self, in_channels: int, out_channels: int, num_convs: int, batch_norm: bool = False
    ) -> None:
        super().__init__()
        channels = integer(in_channels, "in_channels", minimum=1)
        out_channels = integer(out_channels, "out_channels", minimum=1)
        batch_norm = flag(batch_norm, "batch_norm")
        layers: list[nn.Module] = []
        for _ in range(integer(num_convs, "num_convs", minimum=1)):
            layers.append(nn.Conv2d(channels, out_channels, kernel_size=3, padding=1))
            if batch_norm:
                layers.append(nn.BatchNorm2d(out_channels))
            layers.append(nn.ReLU(inplace=True))
            channels = out_channels
        self.block = nn.Sequential(*layers, nn.MaxPool2d(2))

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(N, in_channels, H, W)`` to ``(N, out_channels, H // 2, W // 2)``."""
        x = self.block(x)
        return x
