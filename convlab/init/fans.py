"""Fan in and fan out of a convolution or linear layer."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import NamedTuple

from torch import Tensor

from convlab._validate import integer


class Fans(NamedTuple):
    """The fan in and fan out of a layer.

    Parameters
    ----------
    fan_in : int
        Number of products that are added to one element of the output.
    fan_out : int
        Number of output elements that one element of the input contributes to, for stride 1
        and away from the border.
    """

    fan_in: int
    fan_out: int


def fans(weight: Tensor | Sequence[int], groups: int = 1) -> Fans:
    r"""Compute fan in and fan out of a convolution or linear layer.

    .. math::

        \text{fan\_in} = \frac{C_\text{in}}{\text{groups}} \cdot k_H \cdot k_W
        \qquad
        \text{fan\_out} = \frac{C_\text{out}}{\text{groups}} \cdot k_H \cdot k_W

    The second axis of the weight holds the input channels per group, so only the fan out depends
    on `groups`. ``torch.nn.init`` assumes 1: its fan out of a grouped convolution is `groups` times
    too large.

    Parameters
    ----------
    weight : tensor or sequence of ints
        The weight, or its shape: ``(out_channels, in_channels / groups, kH, kW)`` for
        `Conv2d`, ``(out_features, in_features)`` for `Linear`.
    groups : int
        Groups of the convolution; divides ``out_channels``.

    Raises
    ------
    TypeError, ValueError
        If a number is not an int, the weight has fewer than two axes, or `groups` does not divide
        ``out_channels``.

    Examples
    --------
    >>> fans((64, 3, 3, 3))
    Fans(fan_in=27, fan_out=576)

    A depthwise convolution: each kernel has nine weights, and each channel one kernel.

    >>> fans((64, 1, 3, 3), groups=64)
    Fans(fan_in=9, fan_out=9)
    """
    groups = integer(groups, "groups", minimum=1)
    shape = tuple(weight.shape if isinstance(weight, Tensor) else weight)
    if len(shape) < 2:
        raise ValueError(
            f"weight must have at least 2 axes, (out, in / groups, ...), got shape {shape}: a "
            f"bias or the weight of a normalization has no fan in"
        )
    kernels, channels_per_group, *kernel_size = (
        integer(size, f"weight.shape[{axis}]", minimum=0) for axis, size in enumerate(shape)
    )
    if kernels % groups:
        raise ValueError(
            f"weight of shape {shape} has {kernels} kernels, which is not divisible by "
            f"groups={groups}: {kernels} / {groups} leaves a remainder of {kernels % groups}"
        )
    return Fans(channels_per_group * prod(kernel_size), kernels // groups * prod(kernel_size))
