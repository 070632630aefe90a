"""Multiply-accumulates by formula agree with PyTorch's counter, which counts each twice."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.utils.flop_counter import FlopCounterMode

from convlab import shapes

pairs = st.integers(1, 3) | st.tuples(st.integers(1, 3), st.integers(1, 3))
paddings = st.integers(0, 3) | st.tuples(st.integers(0, 3), st.integers(0, 3))


def counted(layer, x):
    with FlopCounterMode(display=False) as counter:
        layer(x)
    return counter.get_total_flops() // 2


@given(
    size=st.tuples(st.integers(7, 12), st.integers(7, 12)),
    channels=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    kernel=pairs,
    stride=pairs,
    padding=paddings | st.just("valid"),
    dilation=pairs,
    groups=st.integers(1, 3),
)
def test_a_convolution(size, channels, kernel, stride, padding, dilation, groups):
    into, out = (groups * count for count in channels)
    layer = torch.nn.Conv2d(into, out, kernel, stride, padding, dilation, groups)
    count = shapes.conv2d_macs(size, into, out, kernel, stride, padding, dilation, groups)
    assert count == counted(layer, torch.ones(1, into, *size))


@given(
    size=st.tuples(st.integers(7, 12), st.integers(7, 12)),
    channels=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    kernel=pairs,
    stride=pairs,
    padding=paddings,
    dilation=pairs,
    groups=st.integers(1, 3),
)
def test_a_transposed_convolution(size, channels, kernel, stride, padding, dilation, groups):
    into, out = (groups * count for count in channels)
    layer = torch.nn.ConvTranspose2d(
        into, out, kernel, stride, padding, groups=groups, dilation=dilation
    )
    count = shapes.conv_transpose2d_macs(
        size, into, out, kernel, stride, padding, 0, groups, dilation
    )
    assert count == counted(layer, torch.ones(1, into, *size))


@given(into=st.integers(1, 9), out=st.integers(1, 9), rows=st.integers(1, 9))
def test_a_fully_connected_layer(into, out, rows):
    layer = torch.nn.Linear(into, out)
    assert shapes.linear_macs(into, out, rows) == counted(layer, torch.ones(rows, into))


def test_same_padding_and_no_rows():
    assert shapes.conv2d_macs(8, 2, 3, 2, padding="same") == 8 * 8 * 3 * 2 * 4
    assert shapes.linear_macs(5, 6, rows=0) == 0


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: shapes.conv2d_macs(5, 3, 8, 7), ValueError, "the kernel does not fit"),
        (lambda: shapes.conv2d_macs(5, 3, 8, 3, groups=2), ValueError, "in_channels=3 is not"),
        (
            lambda: shapes.conv_transpose2d_macs(5, 4, 3, 3, groups=2),
            ValueError,
            "out_channels=3 is not divisible by groups=2",
        ),
        (
            lambda: shapes.conv_transpose2d_macs(1, 1, 1, 1, padding=1),
            ValueError,
            "padding=1 leaves nothing",
        ),
        (lambda: shapes.linear_macs(0, 3), ValueError, "in_features must be at least 1, got 0"),
        (lambda: shapes.linear_macs(3, 2.0), TypeError, "out_features must be an int"),
        (lambda: shapes.linear_macs(3, 3, -1), ValueError, "rows must be at least 0, got -1"),
    ],
)
def test_a_bad_argument_is_named_with_its_numbers(call, error, message):
    with pytest.raises(error, match=message):
        call()
