"""Functions that fill a weight, with the names, arguments and numbers of ``torch.nn.init``."""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Generator, Tensor

from convlab.init.fans import fans
from convlab.init.laws import Distribution, Law, Nonlinearity, default_law, kaiming_law, xavier_law

Mode = Literal["fan_in", "fan_out"]


def default_(
    weight: Tensor, bias: Tensor | None = None, *, generator: Generator | None = None
) -> None:
    """Fill a weight, and a bias, as ``nn.Conv2d`` and ``nn.Linear`` do when they are made.

    Both are uniform, from ``-1 / sqrt(fan_in)`` to ``1 / sqrt(fan_in)``. The weight is drawn
    first, in the order of its axes even if it lies in memory in another one (channels last),
    so that the numbers depend on the seed alone.

    Parameters
    ----------
    weight : tensor (out, in / groups, ...)
        Of two or more axes; filled in place.
    bias : tensor (out,), optional
        Filled in place.
    generator : torch.Generator, optional
        Where the numbers come from; PyTorch's own by default.

    Raises
    ------
    ValueError
        If the weight has fewer than two axes.

    Notes
    -----
    A weight without numbers stays as it is (PyTorch warns about it); where nothing enters, so
    that the fan in is 0, the bias becomes 0.

    Examples
    --------
    >>> layer = torch.nn.Conv2d(4, 8, 3)
    >>> default_(layer.weight, layer.bias)
    >>> bool(layer.weight.abs().max() <= 1 / 6)
    True
    """
    fan_in = fans(weight).fan_in
    if weight.numel():
        _fill_in_order(default_law(fan_in), weight, generator)
    if bias is not None:
        # Not the law's own bound, which may differ from this in the last bit.
        bound = 1 / math.sqrt(fan_in) if fan_in else 0
        with torch.no_grad():
            bias.uniform_(-bound, bound, generator=generator)


def _fill_in_order(law: Law, weight: Tensor, generator: Generator | None) -> None:
    """Draw in the order of the axes, whatever the order in memory."""
    if weight.is_contiguous():
        law.fill_(weight, generator)
        return
    ordered = torch.empty_like(weight, memory_format=torch.contiguous_format)
    with torch.no_grad():
        weight.copy_(law.fill_(ordered, generator))


def kaiming_normal_(
    tensor: Tensor,
    a: float = 0,
    mode: Mode = "fan_in",
    nonlinearity: Nonlinearity = "leaky_relu",
    generator: Generator | None = None,
    *,
    groups: int = 1,
) -> Tensor:
    """Fill a weight by He's normal law; see `kaiming_law`.

    Parameters
    ----------
    tensor : tensor (out, in / groups, ...)
        Of two or more axes; filled in place. One without numbers stays as it is.
    a : float
        Slope of the ReLU behind the layer for negative numbers; only for ``"leaky_relu"``,
        which with 0 is the same as ``"relu"``.
    mode : "fan_in" or "fan_out"
        What is to keep its size: the numbers on the way forward or the gradients on the way
        back.
    nonlinearity : str
        What follows the layer; see `calculate_gain`.
    generator : torch.Generator, optional
        Where the numbers come from; PyTorch's own by default.
    groups : int
        Of the convolution. It matters for ``mode="fan_out"``; ``torch.nn.init`` does not have
        it, which is to say 1.

    Returns
    -------
    tensor
        `tensor`, with the numbers that ``torch.nn.init.kaiming_normal_`` would have drawn.

    Raises
    ------
    TypeError, ValueError
        If an argument is of the wrong kind or none of those named.

    Examples
    --------
    >>> weight = kaiming_normal_(torch.empty(64, 64, 3, 3), mode="fan_out")
    >>> round(float(weight.std() * 288**0.5), 1)  # the law says sqrt(2 / 576)
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
    """Fill a weight by He's uniform law; arguments and errors as for `kaiming_normal_`.

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
    """Fill a weight by Glorot's normal law; see `xavier_law`.

    Parameters
    ----------
    tensor : tensor (out, in / groups, ...)
        Of two or more axes; filled in place. One without numbers stays as it is.
    gain : float
        Widens the law; see `calculate_gain`.
    generator : torch.Generator, optional
        Where the numbers come from; PyTorch's own by default.
    groups : int
        Of the convolution; ``torch.nn.init`` does not have it, which is to say 1.

    Returns
    -------
    tensor
        `tensor`, with the numbers that ``torch.nn.init.xavier_normal_`` would have drawn.

    Raises
    ------
    TypeError, ValueError
        If an argument is of the wrong kind or out of range.

    Examples
    --------
    >>> xavier_normal_(torch.empty(4, 2)).shape
    torch.Size([4, 2])
    """
    return _xavier_(tensor, "normal", gain, generator, groups)


def xavier_uniform_(
    tensor: Tensor, gain: float = 1.0, generator: Generator | None = None, *, groups: int = 1
) -> Tensor:
    """Fill a weight by Glorot's uniform law; arguments and errors as for `xavier_normal_`.

    Examples
    --------
    >>> weight = xavier_uniform_(torch.empty(4, 2))
    >>> bool(weight.abs().max() <= 1)
    True
    """
    return _xavier_(tensor, "uniform", gain, generator, groups)


def _kaiming_(
    tensor: Tensor,
    distribution: Distribution,
    a: float,
    mode: Mode,
    nonlinearity: Nonlinearity,
    generator: Generator | None,
    groups: int,
) -> Tensor:
    both = fans(tensor, groups)
    if mode not in ("fan_in", "fan_out"):
        raise ValueError(f"mode must be 'fan_in' or 'fan_out', got {mode!r}")
    if not tensor.numel():
        return tensor
    law = kaiming_law(getattr(both, mode), nonlinearity, distribution, a)
    return law.fill_(tensor, generator)


def _xavier_(
    tensor: Tensor,
    distribution: Distribution,
    gain: float,
    generator: Generator | None,
    groups: int,
) -> Tensor:
    both = fans(tensor, groups)
    if not tensor.numel():
        return tensor
    return xavier_law(*both, gain, distribution).fill_(tensor, generator)
