"""The sizes of transposed convolutions are those that PyTorch returns."""

import itertools
import re

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from convlab.shapes import conv2d_output_size, conv_transpose2d_output_size


def int_or_pair(low, high):
    number = st.integers(low, high)
    return number | st.tuples(number, number)


def torch_output_size(size, kernel_size, **layer):
    """Run the layer: on the device "meta" it would only calculate, in float32 take dilation 0."""
    image, weight = (torch.zeros(1, 1, *n, dtype=torch.float64) for n in (size, kernel_size))
    return tuple(torch.nn.functional.conv_transpose2d(image, weight, **layer).shape[2:])


@given(
    size=st.tuples(st.integers(1, 9), st.integers(1, 9)),
    kernel_size=st.tuples(st.integers(0, 4), st.integers(1, 4)),
    layer=st.fixed_dictionaries(
        {
            "stride": int_or_pair(0, 4),
            "padding": int_or_pair(-1, 4),
            "output_padding": int_or_pair(-1, 3),
            "dilation": int_or_pair(0, 3),
        }
    ),
)
def test_output_size_is_that_of_pytorch_or_both_refuse(size, kernel_size, layer):
    try:
        expected = torch_output_size(size, kernel_size, **layer)
    except RuntimeError:
        with pytest.raises(ValueError, match=r"\d"):
            conv_transpose2d_output_size(size, kernel_size, **layer)
    else:
        assert conv_transpose2d_output_size(size, kernel_size, **layer) == expected


@given(
    size=st.tuples(st.integers(1, 30), st.integers(1, 30)),
    kernel_size=int_or_pair(1, 5),
    stride=st.integers(1, 4),
    padding=int_or_pair(0, 4),
    dilation=int_or_pair(1, 3),
)
def test_exactly_one_output_padding_below_the_stride_leads_back_to_the_size_of_the_input(
    size, kernel_size, stride, padding, dilation
):
    try:
        small = conv2d_output_size(size, kernel_size, stride, padding, dilation)
    except ValueError:
        return

    def leads_back(extra):
        try:
            return size == conv_transpose2d_output_size(
                small, kernel_size, stride, padding, extra, dilation
            )
        except ValueError:  # the smallest of the sizes with this output may be 0 or less
            return False

    assert sum(map(leads_back, itertools.product(range(stride), repeat=2))) == 1


@pytest.mark.parametrize(
    ("size", "layer", "expected"),
    [
        (7, {"kernel_size": 4, "stride": 2, "padding": 1}, (14, 14)),
        (4, {"kernel_size": 3, "stride": 2, "padding": 1}, (7, 7)),
        (4, {"kernel_size": 3, "stride": 2, "padding": 1, "output_padding": 1}, (8, 8)),
        ((4, 1), {"kernel_size": (2, 5), "output_padding": (0, 1), "dilation": (1, 2)}, (5, 10)),
        (1, {"kernel_size": 1, "stride": 10**20}, (1, 1)),
        (np.int8(100), {"kernel_size": np.int8(2), "stride": torch.tensor(2)}, (200, 200)),
    ],
)
def test_output_sizes_that_people_look_up(size, layer, expected):
    found = conv_transpose2d_output_size(size, **layer)
    assert found == expected
    assert all(type(n) is int for n in found)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"size": 0}, ValueError, "size must be at least 1, got 0"),
        ({"size": (4, 4, 4)}, ValueError, r"size must be .* got 3 values: \(4, 4, 4\)"),
        ({"kernel_size": 0}, ValueError, "kernel_size must be at least 1, got 0"),
        ({"kernel_size": 2.0}, TypeError, "kernel_size must be .* got float 2.0"),
        ({"stride": 0}, ValueError, "stride must be at least 1, got 0"),
        ({"padding": -1}, ValueError, "padding must be at least 0, got -1"),
        ({"padding": "same"}, TypeError, "padding must be .* got str 'same'"),
        ({"output_padding": -1}, ValueError, "output_padding must be at least 0, got -1"),
        ({"dilation": (1, 0)}, ValueError, r"dilation\[1\] must be at least 1, got 0"),
        (
            {"output_padding": (0, 2), "stride": (3, 2)},
            ValueError,
            r"output_padding=2 .* the width has stride 2 and dilation 1, .* at most 1",
        ),
        (
            {"output_padding": 3, "stride": 2, "dilation": (3, 4)},
            ValueError,
            r"output_padding=3 .* the height has stride 2 and dilation 3, .* at most 2",
        ),
        (
            {"padding": 3},
            ValueError,
            r"padding=3 leaves nothing: with size=4, kernel_size=3, stride=1, dilation=1 and "
            r"output_padding=0 the height is 6 before 3 \+ 3 .* at most 2 would",
        ),
        ({"padding": (0, 5), "size": (9, 2)}, ValueError, "padding=5 .* the width is 4 before"),
    ],
)
def test_a_bad_argument_is_named_with_its_numbers(arguments, error, message):
    with pytest.raises(error, match=message):
        conv_transpose2d_output_size(**{"size": 4, "kernel_size": 3} | arguments)


def test_the_padding_that_an_error_suggests_is_the_largest_that_leaves_something():
    for size, kernel_size, stride in itertools.product(range(1, 5), range(1, 5), range(1, 4)):
        with pytest.raises(ValueError, match="leaves nothing") as caught:
            conv_transpose2d_output_size(size, kernel_size, stride, padding=9)
        suggested = int(re.search(r"at most (\d+)", str(caught.value)).group(1))
        assert min(conv_transpose2d_output_size(size, kernel_size, stride, suggested)) >= 1
        with pytest.raises(ValueError, match="leaves nothing"):
            conv_transpose2d_output_size(size, kernel_size, stride, suggested + 1)
