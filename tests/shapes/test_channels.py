"""Groups, weight shape and parameter count are those of `nn.Conv2d`."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from convlab import shapes
from convlab._validate import check_groups


@given(
    groups=st.integers(1, 4),
    depth=st.integers(1, 4),
    kernels=st.integers(1, 4),
    kernel_size=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    bias=st.booleans(),
)
def test_weight_shape_and_parameter_count_are_those_of_the_module(
    groups, depth, kernels, kernel_size, bias
):
    channels = groups * depth, groups * kernels
    module = nn.Conv2d(*channels, kernel_size, groups=groups, bias=bias, device="meta")
    assert shapes.conv2d_weight_shape(*channels, kernel_size, groups) == tuple(module.weight.shape)
    assert shapes.conv2d_num_parameters(*channels, kernel_size, groups, bias) == sum(
        p.numel() for p in module.parameters()
    )


def test_small_numpy_integers_do_not_overflow():
    count = shapes.conv2d_num_parameters(np.int8(100), np.int8(100), np.int8(3), np.int8(1))
    assert count == 100 * 100 * 9 + 100
    assert type(count) is int
    assert all(type(n) is int for n in shapes.conv2d_weight_shape(np.int8(4), np.int8(4), 3))


@pytest.mark.parametrize(
    ("channels", "error", "message"),
    [
        ((4, 6, 4), ValueError, "out_channels=6 is not divisible by groups=4.* remainder of 2"),
        ((5, 6, 3), ValueError, "in_channels=5 is not divisible by groups=3.* remainder of 2"),
        ((0, 6, 1), ValueError, "in_channels must be at least 1, got 0"),
        ((4, 4, 0), ValueError, "groups must be at least 1, got 0"),
        ((4, 4, 2.0), TypeError, "groups must be an int, got float 2.0"),
        ((4, 4, True), TypeError, "groups must be an int, got the bool True"),
        ((4, 4, (2, 2)), TypeError, "groups must be an int, got tuple"),
    ],
)
def test_channels_and_groups_that_do_not_divide_are_refused(channels, error, message):
    with pytest.raises(error, match=message):
        check_groups(*channels)


@given(st.integers(1, 5), st.integers(1, 4), st.integers(1, 4))
def test_these_are_the_channels_that_pytorchs_kernels_react_to(groups, depth, kernels):
    in_channels, out_channels = groups * depth, groups * kernels
    layer = nn.Conv2d(in_channels, out_channels, 1, groups=groups, bias=False)
    nn.init.ones_(layer.weight)
    each_channel = torch.eye(in_channels)[:, :, None, None]  # image i: only channel i is 1
    reacts = layer(each_channel)[:, :, 0, 0].T.detach()
    found = [row.nonzero().flatten().tolist() for row in reacts]
    assert found == [
        list(read) for read in shapes.conv2d_channels_read(in_channels, out_channels, groups)
    ]


def test_without_groups_every_kernel_reads_every_channel():
    assert shapes.conv2d_channels_read(3, 2) == [range(3), range(3)]


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((12, 6, 4), ValueError, "out_channels=6 is not divisible by groups=4"),
        ((10, 6, 3), ValueError, "in_channels=10 is not divisible by groups=3"),
        ((4, 4, 0), ValueError, "groups must be at least 1, got 0"),
        ((4, 4, (2, 2)), TypeError, "groups must be an int, got tuple"),
    ],
)
def test_groups_that_do_not_fit_are_refused(arguments, error, message):
    with pytest.raises(error, match=message):
        shapes.conv2d_channels_read(*arguments)
