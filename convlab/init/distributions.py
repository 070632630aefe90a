"""Distributions of initial weights: Kaiming, Xavier, and the default of ``nn.Conv2d``."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

import torch
from torch import Generator, Tensor

from convlab._validate import integer

Family = Literal["uniform", "normal"]
Nonlinearity = Literal["linear", "sigmoid", "tanh", "relu", "leaky_relu", "selu"]


@dataclass(frozen=True)
class WeightDistribution:
    """A uniform or normal distribution with mean 0.

    Parameters
    ----------
    family : "uniform" or "normal"
    std : float
        Standard deviation; finite, at least 0. Invalid arguments raise a ValueError.

    Examples
    --------
    >>> distribution = WeightDistribution("uniform", std=0.5)
    >>> distribution.variance, round(distribution.bound, 4)
    (0.25, 0.866)
    >>> distribution.fill_(torch.empty(3, 4)).abs().max() < distribution.bound
    tensor(True)
    """

    family: Family
    std: float

    def __post_init__(self) -> None:
        if self.family not in get_args(Family):
            raise ValueError(f"family must be 'uniform' or 'normal', got {self.family!r}")
        if not 0 <= self.std < math.inf:
            raise ValueError(f"std must be a finite number of at least 0, got {self.std}")

    @property
    def variance(self) -> float:
        """The square of the standard deviation."""
        return self.std**2

    @property
    def bound(self) -> float:
        """The largest possible magnitude: sqrt(3) times `std` if uniform, else infinity."""
        return math.sqrt(3.0) * self.std if self.family == "uniform" else math.inf

    def density(self, x: Tensor) -> Tensor:
        """Evaluate the probability density at each element of `x`; `std` must not be 0."""
        if self.family == "uniform":
            return (x.abs() <= self.bound) / (2 * self.bound)
        return torch.exp(-0.5 * (x / self.std) ** 2) / (self.std * math.sqrt(2 * math.pi))

    def fill_(self, tensor: Tensor, generator: Generator | None = None) -> Tensor:
        """Fill `tensor` in place with random numbers and return it.

        They come from `generator`, by default PyTorch's own, which ``torch.manual_seed`` seeds.
        """
        with torch.no_grad():
            if self.family == "uniform":
                return tensor.uniform_(-self.bound, self.bound, generator=generator)
            return tensor.normal_(0, self.std, generator=generator)


def calculate_gain(nonlinearity: Nonlinearity, param: float | None = None) -> float:
    r"""Return the gain for a nonlinearity, a factor of the standard deviation.

    A ReLU halves the mean square, so the weights before it are drawn with a standard deviation
    :math:`\sqrt 2` times larger. For a leaky ReLU with the negative slope `a`, the factor is
    :math:`\sqrt{2 / (1 + a^2)}`. The other values are conventions: 1 for ``"linear"`` and
    ``"sigmoid"``, 5/3 for ``"tanh"``, 3/4 for ``"selu"``.

    Parameters
    ----------
    nonlinearity : "linear", "sigmoid", "tanh", "relu", "leaky_relu" or "selu"
        ValueError if it is none of these.
    param : float, optional
        Negative slope of ``"leaky_relu"``, 0.01 by default; ignored otherwise. TypeError if it
        is not a number.

    Notes
    -----
    Source: the documentation of ``torch.nn.init.calculate_gain``; He and others, "Delving Deep
    into Rectifiers" (2015), equations 10 and 15.

    Examples
    --------
    >>> calculate_gain("relu"), calculate_gain("leaky_relu", 1)
    (1.4142135623730951, 1.0)
    """
    fixed = {"linear": 1, "sigmoid": 1, "tanh": 5.0 / 3, "relu": math.sqrt(2.0), "selu": 3.0 / 4}
    if nonlinearity in fixed:
        return fixed[nonlinearity]
    if nonlinearity != "leaky_relu":
        raise ValueError(
            f"nonlinearity must be one of {', '.join(map(repr, get_args(Nonlinearity)))}, "
            f"got {nonlinearity!r}"
        )
    slope = 0.01 if param is None else param
    if isinstance(slope, bool) or not isinstance(slope, int | float):
        raise TypeError(f"the negative slope of 'leaky_relu' must be a number, got {slope!r}")
    return math.sqrt(2.0 / (1 + slope**2))


def kaiming_distribution(
    fan: int, nonlinearity: Nonlinearity = "relu", family: Family = "normal", a: float = 0
) -> WeightDistribution:
    """Return the distribution of Kaiming (He) initialization: variance ``gain**2 / fan``.

    With the fan in, activations keep their mean square in the forward pass; with the fan out,
    gradients keep theirs in the backward pass.

    Parameters
    ----------
    fan : int
        Fan in or fan out, at least 1; see `fans`.
    nonlinearity : str
        The nonlinearity that follows the layer; see `calculate_gain`.
    family : "uniform" or "normal"
        Does not change the variance.
    a : float
        Negative slope of ``"leaky_relu"``.

    Notes
    -----
    Source: He and others, "Delving Deep into Rectifiers" (2015).

    Examples
    --------
    >>> kaiming_distribution(fan=32)
    WeightDistribution(family='normal', std=0.25)
    """
    fan = integer(fan, "fan", minimum=1)
    return WeightDistribution(family, calculate_gain(nonlinearity, a) / math.sqrt(fan))


def xavier_distribution(
    fan_in: int, fan_out: int, gain: float = 1.0, family: Family = "uniform"
) -> WeightDistribution:
    """Return the distribution of Xavier (Glorot) initialization.

    The variance is ``gain**2 * 2 / (fan_in + fan_out)``, a compromise between the forward pass,
    which needs ``1 / fan_in``, and the backward pass, which needs ``1 / fan_out``.

    Parameters
    ----------
    fan_in, fan_out : int
        At least 0, and not both 0; see `fans`.
    gain : float
        Factor of the standard deviation; see `calculate_gain`.
    family : "uniform" or "normal"
        Does not change the variance.

    Notes
    -----
    Source: Glorot and Bengio, "Understanding the Difficulty of Training Deep Feedforward Neural
    Networks" (2010), equation 16.

    Examples
    --------
    >>> xavier_distribution(24, 8)
    WeightDistribution(family='uniform', std=0.25)
    """
    fan_sum = integer(fan_in, "fan_in", minimum=0) + integer(fan_out, "fan_out", minimum=0)
    if fan_sum == 0:
        raise ValueError("fan_in and fan_out must not both be 0")
    return WeightDistribution(family, gain * math.sqrt(2.0 / fan_sum))


def default_distribution(fan_in: int) -> WeightDistribution:
    r"""Return the default distribution of ``nn.Conv2d`` and ``nn.Linear`` weights.

    It is uniform from ``-1 / sqrt(fan_in)`` to ``1 / sqrt(fan_in)``. PyTorch calls it Kaiming
    uniform with ``a=sqrt(5)``, a negative slope that no network uses. The gain is then
    :math:`\sqrt{1/3}` and the variance ``1 / (3 fan_in)``, six times smaller than Kaiming
    initialization for ReLU.

    Parameters
    ----------
    fan_in : int
        At least 1, else TypeError or ValueError; see `fans`.

    Notes
    -----
    Source: ``reset_parameters`` of ``torch.nn.Linear`` and of the convolutions.

    Examples
    --------
    >>> round(default_distribution(fan_in=25).bound, 12)
    0.2
    >>> round(kaiming_distribution(25).variance / default_distribution(25).variance, 12)
    6.0
    """
    return kaiming_distribution(fan_in, "leaky_relu", "uniform", a=math.sqrt(5))
