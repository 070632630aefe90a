"""Fill weights in place, with the names, arguments and random numbers of ``torch.nn.init``."""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Generator, Tensor

from convlab.init.distributions import (
    Family,
    Nonlinearity,
    WeightDistribution,
    default_distribution,
    kaiming_distribution,
    xavier_distribution,
)
from convlab.init.fans import fans

Mode = Literal["fan_in", "fan_out"]


def default_(
    weight: Tensor, bias: Tensor | None = None, *, generator: Generator | None = None
) -> None:
    """Fill a weight and a bias with the default values of ``nn.Conv2d`` and ``nn.Linear``.

    Both are uniform, from ``-1 / sqrt(fan_in)`` to ``1 / sqrt(fan_in)``. The weight is drawn
    first, in the order of its axes whatever its memory format, so that the numbers depend on
    the seed alone. An empty weight is left as it is; if the fan in is 0, the bias becomes 0.

    Parameters
    ----------
    weight : tensor (out, in / groups, ...)
        Of two or more axes, else ValueError; filled in place.
    bias : tensor (out,), optional
        Filled in place.
    generator : torch.Generator, optional
        Source of the random numbers; PyTorch's default generator by default.

    Examples
    --------
    >>> layer = torch.nn.Conv2d(4, 8, 3)
    >>> default_(layer.weight, layer.bias)
    >>> bool(layer.weight.abs().max() <= 1 / 6)
    True
    """
    fan_in = fans(weight).fan_in
    if weight.numel():
        _fill_in_axis_order(default_distribution(fan_in), weight, generator)
    if bias is not None:
        # The distribution's own bound may differ from this in the last bit.
        bound = 1 / math.sqrt(fan_in) if fan_in else 0
        with torch.no_grad():
            bias.uniform_(-bound, bound, generator=generator)


def _fill_in_axis_order(
    distribution: WeightDistribution, weight: Tensor, generator: Generator | None
) -> None:
    """Draw in the order of the axes, whatever the memory format."""
    if weight.is_contiguous():
        distribution.fill_(weight, generator)
        return
    contiguous = torch.empty_like(weight, memory_format=torch.contiguous_format)
    with torch.no_grad():
        weight.copy_(distribution.fill_(contiguous, generator))


def kaiming_normal_(
    tensor: Tensor,
    a: float = 0,
    mode: Mode = "fan_in",
    nonlinearity: Nonlinearity = "leaky_relu",
    generator: Generator | None = None,
    *,
    groups: int = 1,
) -> Tensor:
    """Fill a weight from the Kaiming normal distribution, and return it.

    It gets the numbers that ``torch.nn.init.kaiming_normal_`` would draw; for the distribution, see
    `kaiming_distribution`.

    Parameters
    ----------
    tensor : tensor (out, in / groups, ...)
        Of two or more axes; filled in place. An empty tensor is left as it is.
    a : float
        Negative slope of the leaky ReLU that follows the layer; only for ``"leaky_relu"``,
        which with 0 is the same as ``"relu"``.
    mode : "fan_in" or "fan_out"
        Whether to preserve the size of the activations in the forward pass or of the gradients
        in the backward pass.
    nonlinearity : str
        The nonlinearity that follows the layer; see `calculate_gain`.
    generator : torch.Generator, optional
        Source of the random numbers; PyTorch's default generator by default.
    groups : int
        Groups of the convolution, for ``mode="fan_out"``; not an argument of ``torch.nn.init``.

    Examples
    --------
    >>> weight = kaiming_normal_(torch.empty(64, 64, 3, 3), mode="fan_out")
    >>> round(float(weight.std() * 288**0.5), 1)  # expected: sqrt(2 / 576)
    1.0
    """
    return _kaiming_(tensor, "normal", a, mode, nonlinearity, generator, groups)


def kaiming_uniform_(
    tensor: Tensor,
    a: float = 0,
    mode: Mode = "fan_in",
    nonlinearity: Nonlinearity = "leaky_relu",
    generator: Generator | None = None,
    *,
    groups: int = 1,
) -> Tensor:
    """Fill a weight from the Kaiming uniform distribution, with the arguments of `kaiming_normal_`.

    Examples
    --------
    >>> weight = kaiming_uniform_(torch.empty(8, 6, 1, 1))
    >>> bool(weight.abs().max() <= 1)
    True
    """
    return _kaiming_(tensor, "uniform", a, mode, nonlinearity, generator, groups)


def xavier_normal_(
    tensor: Tensor, gain: float = 1.0, generator: Generator | None = None, *, groups: int = 1
) -> Tensor:
    """Fill a weight from the Xavier normal distribution, and return it.

    It gets the numbers that ``torch.nn.init.xavier_normal_`` would draw; for the distribution, see
    `xavier_distribution`.

    Parameters
    ----------
    tensor : tensor (out, in / groups, ...)
        Of two or more axes; filled in place. An empty tensor is left as it is.
    gain : float
        Factor of the standard deviation; see `calculate_gain`.
    generator, groups
        As for `kaiming_normal_`.

    Examples
    --------
    >>> xavier_normal_(torch.empty(4, 2)).shape
    torch.Size([4, 2])
    """
    return _xavier_(tensor, "normal", gain, generator, groups)


def xavier_uniform_(
    tensor: Tensor, gain: float = 1.0, generator: Generator | None = None, *, groups: int = 1
) -> Tensor:
    """Fill a weight from the Xavier uniform distribution, with the arguments of `xavier_normal_`.

    Examples
    --------
    >>> weight = xavier_uniform_(torch.empty(4, 2))
    >>> bool(weight.abs().max() <= 1)
    True
    """
    return _xavier_(tensor, "uniform", gain, generator, groups)


def _kaiming_(
    tensor: Tensor,
    family: Family,
    a: float,
    mode: Mode,
    nonlinearity: Nonlinearity,
    generator: Generator | None,
    groups: int,
) -> Tensor:
    fan_in, fan_out = fans(tensor, groups)
    if mode not in ("fan_in", "fan_out"):
        raise ValueError(f"mode must be 'fan_in' or 'fan_out', got {mode!r}")
    if not tensor.numel():
        return tensor
    fan = fan_in if mode == "fan_in" else fan_out
    return kaiming_distribution(fan, nonlinearity, family, a).fill_(tensor, generator)


def _xavier_(
    tensor: Tensor, family: Family, gain: float, generator: Generator | None, groups: int
) -> Tensor:
    fan_in, fan_out = fans(tensor, groups)
    if not tensor.numel():
        return tensor
    return xavier_distribution(fan_in, fan_out, gain, family).fill_(tensor, generator)
