"""How many numbers a unit listens to, and how many listen to it."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import NamedTuple

from torch import Tensor

from convlab._validate import integer


class Fans(NamedTuple):
    """What enters and what leaves, counted in weights.

    Parameters
    ----------
    fan_in : int
        Products that are added up to one number of the output.
    fan_out : int
        Numbers of the output that one number of the input enters, for stride 1 and away
        from the border.
    """

    fan_in: int
    fan_out: int


def fans(weight: Tensor | Sequence[int], groups: int = 1) -> Fans:
    r"""Count the fans of a convolution or a linear layer.

    .. math::

        \text{fan\_in} = \frac{C_\text{in}}{\text{groups}} \cdot k_H \cdot k_W
        \qquad
        \text{fan\_out} = \frac{C_\text{out}}{\text{groups}} \cdot k_H \cdot k_W

    The number of input channels per group is the second axis of the weight, so the fan in is
    right whatever is said about groups. The number of kernels per group cannot be seen in
    the weight. ``torch.nn.init`` is never told, and takes `groups` for 1: its fan out of a
    grouped convolution is `groups` times too large.

    Parameters
    ----------
    weight : tensor or sequence of ints
        The weight, or its shape: ``(out_channels, in_channels / groups, kH, kW)`` for
        `Conv2d`, ``(out_features, in_features)`` for `Linear`.
    groups : int
        Of the convolution; divides ``out_channels``.

    Raises
    ------
    TypeError
        If a number is not an int.
    ValueError
        If the weight has fewer than two axes, or `groups` leaves a remainder.

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
            f"weight must have at least 2 axes, (out, in / groups, ...), to have fans; got the "
            f"shape {shape}: a bias or a normalization has none"
        )
    kernels, depth, *window = (
        integer(size, f"weight.shape[{axis}]", minimum=0) for axis, size in enumerate(shape)
    )
    if kernels % groups:
        raise ValueError(
            f"weight of shape {shape} has {kernels} kernels, which groups={groups} does not "
            f"divide: {kernels} / {groups} leaves a remainder of {kernels % groups}"
        )
    return Fans(depth * prod(window), kernels // groups * prod(window))
