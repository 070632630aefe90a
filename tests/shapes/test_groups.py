"""Which input channels a kernel reads."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from convlab.shapes import conv2d_channels_read


@given(st.integers(1, 5), st.integers(1, 4), st.integers(1, 4))
def test_these_are_the_channels_that_pytorchs_kernels_react_to(groups, depth, kernels):
    in_channels, out_channels = groups * depth, groups * kernels
    layer = torch.nn.Conv2d(in_channels, out_channels, 1, groups=groups, bias=False)
    torch.nn.init.ones_(layer.weight)
    each_channel = torch.eye(in_channels)[:, :, None, None]  # image i: only channel i is 1
    reacts = layer(each_channel)[:, :, 0, 0].T.detach()
    found = [row.nonzero().flatten().tolist() for row in reacts]
    assert found == [list(read) for read in conv2d_channels_read(in_channels, out_channels, groups)]


def test_without_groups_every_kernel_reads_every_channel():
    assert conv2d_channels_read(3, 2) == [range(3), range(3)]


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
        conv2d_channels_read(*arguments)
