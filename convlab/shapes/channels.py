"""Channels of a convolution: groups, shape of the weight, number of parameters."""

from __future__ import annotations

from math import prod

from convlab._validate import IntOrPair, check_groups, pair


def conv2d_weight_shape(
    in_channels: int, out_channels: int, kernel_size: IntOrPair, groups: int = 1
) -> tuple[int, int, int, int]:
    """Return the shape of the weight: ``(out_channels, in_channels / groups, kH, kW)``.

    Parameters
    ----------
    in_channels, out_channels : int
        Channels of the input and number of kernels, at least 1.
    kernel_size : int or pair of ints
        Rows and columns of weights, at least 1.
    groups : int
        Number of groups; divides both channel counts.

    Examples
    --------
    >>> conv2d_weight_shape(12, 6, kernel_size=(3, 5), groups=3)
    (6, 4, 3, 5)
    """
    in_channels, out_channels, groups = check_groups(in_channels, out_channels, groups)
    return (out_channels, in_channels // groups, *pair(kernel_size, "kernel_size", minimum=1))


def conv2d_num_parameters(
    in_channels: int,
    out_channels: int,
    kernel_size: IntOrPair,
    groups: int = 1,
    bias: bool = True,
) -> int:
    """Count the parameters of a convolution: its weight and, with `bias`, one number per kernel.

    The other arguments are those of `conv2d_weight_shape`.

    Examples
    --------
    64 kernels of 3 x 3 x 3 weights, and 64 biases:

    >>> conv2d_num_parameters(3, 64, kernel_size=3)
    1792
    """
    kernels, *kernel_shape = conv2d_weight_shape(in_channels, out_channels, kernel_size, groups)
    return kernels * (prod(kernel_shape) + bool(bias))


def conv2d_channels_read(in_channels: int, out_channels: int, groups: int = 1) -> list[range]:
    """List, for each kernel of a convolution, the input channels that it reads.

    Input and output channels are split into `groups` blocks of neighbouring channels. Kernel ``o``
    belongs to group ``o // (out_channels / groups)`` and reads the ``in_channels / groups`` input
    channels of that group. The arguments are those of `conv2d_weight_shape`.

    Examples
    --------
    >>> conv2d_channels_read(12, 6, groups=3)[2]
    range(4, 8)
    >>> [list(channels) for channels in conv2d_channels_read(4, 4, groups=4)]
    [[0], [1], [2], [3]]
    """
    in_channels, out_channels, groups = check_groups(in_channels, out_channels, groups)
    channels_per_group, kernels_per_group = in_channels // groups, out_channels // groups
    starts = [o // kernels_per_group * channels_per_group for o in range(out_channels)]
    return [range(start, start + channels_per_group) for start in starts]
