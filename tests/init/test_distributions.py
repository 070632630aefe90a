"""Distributions compared with PyTorch's gains, their own samples and their integrals."""

import math

import pytest
import torch
from torch import nn

from convlab.init import (
    WeightDistribution,
    calculate_gain,
    default_distribution,
    kaiming_distribution,
    xavier_distribution,
)


@pytest.mark.parametrize(
    ("nonlinearity", "param"),
    [("linear", None), ("sigmoid", None), ("tanh", None), ("relu", None), ("selu", None),
     ("leaky_relu", None), ("leaky_relu", 0), ("leaky_relu", 0.3), ("leaky_relu", math.sqrt(5))],
)  # fmt: skip
def test_gains_are_pytorchs(nonlinearity, param):
    assert calculate_gain(nonlinearity, param) == nn.init.calculate_gain(nonlinearity, param)


@pytest.mark.parametrize("slope", [0.0, 0.2, 1.0])
def test_the_gain_preserves_the_mean_square_after_a_leaky_relu(slope):
    torch.manual_seed(0)
    z = torch.randn(1_000_000, dtype=torch.double) * calculate_gain("leaky_relu", slope)
    assert nn.functional.leaky_relu(z, slope).square().mean() == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("family", ["uniform", "normal"])
@pytest.mark.parametrize("std", [0.01, 3.0])
def test_samples_and_density_have_the_standard_deviation(family, std):
    distribution, generator = WeightDistribution(family, std), torch.Generator().manual_seed(1)
    numbers = distribution.fill_(torch.empty(200_000, dtype=torch.double), generator)
    assert numbers.mean() == pytest.approx(0, abs=0.02 * std)
    assert numbers.std() == pytest.approx(std, rel=0.01)
    assert numbers.abs().max() <= distribution.bound
    x = torch.linspace(-8 * std, 8 * std, 200_001, dtype=torch.double)
    density = distribution.density(x)
    assert torch.trapezoid(density, x) == pytest.approx(1, rel=1e-3)
    assert torch.trapezoid(density * x**2, x) == pytest.approx(distribution.variance, rel=1e-3)


def test_a_normal_distribution_has_no_bound():
    assert kaiming_distribution(9).bound == math.inf


@pytest.mark.parametrize("fan_in", [1, 9, 27, 576, 25088])
def test_the_default_is_six_times_narrower_than_he_and_ends_at_one_over_the_root(fan_in):
    distribution = default_distribution(fan_in)
    assert distribution.family == "uniform"
    assert distribution.bound == pytest.approx(fan_in**-0.5, rel=1e-15)
    assert distribution.std == pytest.approx((3 * fan_in) ** -0.5, rel=1e-15)
    assert kaiming_distribution(fan_in).std / distribution.std == pytest.approx(6**0.5, rel=1e-15)


def test_distributions_are_values():
    assert xavier_distribution(3, 5) == xavier_distribution(5, 3)
    assert xavier_distribution(8, 8, gain=2**0.5).std == pytest.approx(kaiming_distribution(8).std)
    assert xavier_distribution(2, 6, family="normal") == WeightDistribution("normal", 0.5)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: WeightDistribution("gauss", 1.0),
            ValueError,
            "'uniform' or 'normal', got 'gauss'",
        ),
        (lambda: WeightDistribution("normal", -1.0), ValueError, "std .* at least 0, got -1"),
        (lambda: WeightDistribution("normal", math.nan), ValueError, "std .* got nan"),
        (lambda: kaiming_distribution(0), ValueError, "fan must be at least 1, got 0"),
        (lambda: kaiming_distribution(9.0), TypeError, "fan must be an int"),
        (lambda: kaiming_distribution(9, "gelu"), ValueError, "'leaky_relu', 'selu', got 'gelu'"),
        (lambda: kaiming_distribution(9, "leaky_relu", a=True), TypeError, "slope .* got True"),
        (lambda: kaiming_distribution(9, family="flat"), ValueError, "got 'flat'"),
        (lambda: calculate_gain("leaky_relu", "0.1"), TypeError, "slope .* got '0.1'"),
        (lambda: xavier_distribution(0, 0), ValueError, "must not both be 0"),
        (lambda: xavier_distribution(-1, 2), ValueError, "fan_in must be at least 0, got -1"),
        (lambda: default_distribution(0), ValueError, "fan must be at least 1, got 0"),
    ],
)
def test_invalid_arguments_are_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()
