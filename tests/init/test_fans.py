"""Fans compared with PyTorch and with the derivatives of the layer."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from convlab.init import fans

sizes = st.lists(st.integers(1, 6), min_size=2, max_size=5)


@given(sizes)
def test_without_groups_they_are_pytorchs(shape):
    expected = nn.init._calculate_fan_in_and_fan_out(torch.empty(shape))
    assert fans(shape) == expected
    assert fans(torch.empty(shape)) == expected


@pytest.mark.parametrize("groups", [1, 2, 4, 8])
def test_they_count_the_derivatives_that_are_not_zero(groups):
    layer = nn.Conv2d(8, 16, (3, 5), padding=(1, 2), groups=groups, bias=False)
    nn.init.ones_(layer.weight)
    image = torch.zeros(1, 8, 9, 9)
    slopes = torch.autograd.functional.jacobian(layer, image)  # (1, 16, 9, 9, 1, 8, 9, 9)
    entering = int((slopes[0, 3, 4, 4] != 0).sum())
    leaving = int((slopes[0, :, :, :, 0, 3, 4, 4] != 0).sum())
    assert fans(layer.weight, groups) == (entering, leaving)


def test_pytorchs_fan_out_of_a_grouped_convolution_is_too_large():
    weight = nn.Conv2d(64, 64, 3, groups=64).weight
    assert nn.init._calculate_fan_in_and_fan_out(weight) == (9, 64 * 9)
    assert fans(weight, groups=64) == (9, 9)


def test_an_empty_weight_has_fans():
    assert fans((4, 0, 3, 3)) == (0, 36)
    assert fans((0, 4, 3, 3)) == (36, 0)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((torch.empty(5),), ValueError, r"at least 2 axes.*shape \(5,\)"),
        (((),), ValueError, r"at least 2 axes.*shape \(\)"),
        (
            ((6, 2, 3, 3), 4),
            ValueError,
            r"6 kernels, which is not divisible by groups=4: .* remainder of 2",
        ),
        (((6, 2, 3, 3), 0), ValueError, "groups must be at least 1, got 0"),
        (((6, 2.5),), TypeError, r"weight.shape\[1\] must be an int"),
        (((6, -1),), ValueError, r"weight.shape\[1\] must be at least 0, got -1"),
    ],
)
def test_shapes_without_fans_are_refused(arguments, error, message):
    with pytest.raises(error, match=message):
        fans(*arguments)
