"""The laws from which weights are drawn: uniform or normal, and how wide."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

import torch
from torch import Generator, Tensor

from convlab._validate import integer

Distribution = Literal["uniform", "normal"]
Nonlinearity = Literal["linear", "sigmoid", "tanh", "relu", "leaky_relu", "selu"]


@dataclass(frozen=True)
class Law:
    """A distribution with mean 0.

    Parameters
    ----------
    distribution : "uniform" or "normal"
        Its form.
    std : float
        Its standard deviation.

    Examples
    --------
    >>> law = Law("uniform", std=0.5)
    >>> law.variance, round(law.bound, 4)
    (0.25, 0.866)
    >>> law.fill_(torch.empty(3, 4)).abs().max() < law.bound
    tensor(True)
    """

    distribution: Distribution
    std: float

    def __post_init__(self) -> None:
        _check_distribution(self.distribution)
        if not 0 <= self.std < math.inf:
            raise ValueError(f"std must be a finite number of at least 0, got {self.std}")

    @property
    def variance(self) -> float:
        """The square of the standard deviation."""
        return self.std**2

    @property
    def bound(self) -> float:
        """What no number exceeds: sqrt(3) times `std` for a uniform law, else infinity."""
        return math.sqrt(3.0) * self.std if self.distribution == "uniform" else math.inf

    def density(self, x: Tensor) -> Tensor:
        """Evaluate the density of the law at each number of `x`, for a `std` above 0."""
        if self.distribution == "uniform":
            return (x.abs() <= self.bound) / (2 * self.bound)
        return torch.exp(-0.5 * (x / self.std) ** 2) / (self.std * math.sqrt(2 * math.pi))

    def fill_(self, tensor: Tensor, generator: Generator | None = None) -> Tensor:
        """Draw every number of `tensor` anew, in place, and return it.

        The numbers come from `generator`, or from PyTorch's own, which ``torch.manual_seed``
        sets.
        """
        with torch.no_grad():
            if self.distribution == "uniform":
                return tensor.uniform_(-self.bound, self.bound, generator=generator)
            return tensor.normal_(0, self.std, generator=generator)


def calculate_gain(nonlinearity: Nonlinearity, param: float | None = None) -> float:
    r"""Say by how much to widen a law because of the nonlinearity behind the layer.

    A ReLU lets half of the mean square through, so the weights before it are drawn
    :math:`\sqrt 2` times wider. With a slope `a` for negative numbers it is
    :math:`\sqrt{2 / (1 + a^2)}`. The other values are conventions: 1 for ``"linear"`` and
    ``"sigmoid"``, 5/3 for ``"tanh"``, 3/4 for ``"selu"``.

    Parameters
    ----------
    nonlinearity : str
        One of ``"linear"``, ``"sigmoid"``, ``"tanh"``, ``"relu"``, ``"leaky_relu"`` and
        ``"selu"``.
    param : float, optional
        The slope of ``"leaky_relu"``, 0.01 by default. The others have none.

    Raises
    ------
    TypeError
        If `param` is not a number.
    ValueError
        If `nonlinearity` is another one.

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
        raise TypeError(f"the slope of 'leaky_relu' must be a number, got {slope!r}")
    return math.sqrt(2.0 / (1 + slope**2))


def kaiming_law(
    fan: int,
    nonlinearity: Nonlinearity = "relu",
    distribution: Distribution = "normal",
    a: float = 0,
) -> Law:
    r"""He's law, named after the author Kaiming He: variance ``gain**2 / fan``.

    With the fan in, the numbers keep their size on the way forward; with the fan out, the
    gradients keep theirs on the way back.

    Parameters
    ----------
    fan : int
        Fan in or fan out, at least 1; see `fans`.
    nonlinearity : str
        What follows the layer; see `calculate_gain`.
    distribution : "uniform" or "normal"
        The form; the variance is the same.
    a : float
        The slope of ``"leaky_relu"``.

    Raises
    ------
    TypeError, ValueError
        If an argument is of the wrong kind or out of range.

    Notes
    -----
    Source: He and others, "Delving Deep into Rectifiers" (2015).

    Examples
    --------
    >>> law = kaiming_law(fan=32)
    >>> law.distribution, law.std
    ('normal', 0.25)
    """
    fan = integer(fan, "fan", minimum=1)
    return Law(distribution, calculate_gain(nonlinearity, a) / math.sqrt(fan))


def xavier_law(
    fan_in: int, fan_out: int, gain: float = 1.0, distribution: Distribution = "uniform"
) -> Law:
    r"""Glorot's law, named after the author Xavier Glorot: variance ``2 / (fan_in + fan_out)``.

    A compromise between the way forward, which asks for ``1 / fan_in``, and the way back,
    which asks for ``1 / fan_out``.

    Parameters
    ----------
    fan_in, fan_out : int
        At least 1 together; see `fans`.
    gain : float
        Widens the law; see `calculate_gain`.
    distribution : "uniform" or "normal"
        The form; the variance is the same.

    Raises
    ------
    TypeError, ValueError
        If an argument is of the wrong kind or out of range.

    Notes
    -----
    Source: Glorot and Bengio, "Understanding the Difficulty of Training Deep Feedforward Neural
    Networks" (2010), equation 16.

    Examples
    --------
    >>> xavier_law(24, 8).std
    0.25
    """
    both = integer(fan_in, "fan_in", minimum=0) + integer(fan_out, "fan_out", minimum=0)
    if both == 0:
        raise ValueError("fan_in and fan_out must not both be 0")
    return Law(distribution, gain * math.sqrt(2.0 / both))


def default_law(fan_in: int) -> Law:
    r"""Return the law of a new ``Conv2d`` or ``Linear``: uniform up to ``1 / sqrt(fan_in)``.

    PyTorch writes it as He's uniform law for a leaky ReLU of slope ``sqrt(5)``, a slope that
    no network has. The gain is then :math:`\sqrt{1/3}`, so the variance is
    ``1 / (3 fan_in)``: six times less than He's law for ReLU.

    Parameters
    ----------
    fan_in : int
        At least 1; see `fans`.

    Raises
    ------
    TypeError, ValueError
        If `fan_in` is not an int, or below 1.

    Notes
    -----
    Source: ``reset_parameters`` of ``torch.nn.Linear`` and of the convolutions.

    Examples
    --------
    >>> round(default_law(fan_in=25).bound, 12)
    0.2
    >>> round(kaiming_law(fan=25).variance / default_law(fan_in=25).variance, 12)
    6.0
    """
    return kaiming_law(fan_in, "leaky_relu", "uniform", a=math.sqrt(5))


def _check_distribution(distribution: str) -> None:
    if distribution not in get_args(Distribution):
        raise ValueError(f"distribution must be 'uniform' or 'normal', got {distribution!r}")
