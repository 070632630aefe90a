"""The sizes that `convlab.shapes` computes are those that PyTorch returns."""

import itertools
import math
import re

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from convlab import shapes
from convlab._validate import pair

sizes = st.integers(1, 12)
pairs = st.tuples


@st.composite
def layers(draw):
    """Draw the arguments of a layer, valid or not, as ints or pairs."""

    def one(low, high):
        number = st.integers(low, high)
        return draw(number | pairs(number, number))

    return {
        "kernel_size": one(1, 5),
        "stride": one(1, 4),
        "padding": draw(st.sampled_from(["same", "valid"])) if draw(st.booleans()) else one(0, 4),
        "dilation": one(1, 3),
    }


def torch_output_size(size, layer):
    """Return PyTorch's output size by running the layer (the device "meta" only uses a formula)."""
    return tuple(nn.Conv2d(1, 1, **layer)(torch.zeros(1, 1, *size)).shape[2:])


@given(size=pairs(sizes, sizes), layer=layers())
def test_output_size_is_that_of_pytorch_or_both_raise(size, layer):
    try:
        expected = torch_output_size(size, layer)
    except (RuntimeError, ValueError):
        with pytest.raises(ValueError, match=r"\d"):
            shapes.conv2d_output_size(size, **layer)
    else:
        assert shapes.conv2d_output_size(size, **layer) == expected


@given(size=pairs(sizes, sizes), layer=layers())
def test_exactly_the_dropped_border_is_never_read(size, layer):
    """The gradient of the padded input is nonzero where a window reads, with stride <= extent."""
    try:
        rows, columns = shapes.conv2d_dropped_border(size, **layer)
    except ValueError:
        return
    left, right, top, bottom = shapes.conv2d_padding(
        layer["padding"], layer["kernel_size"], layer["stride"], layer["dilation"]
    )
    padded = torch.zeros(1, 1, size[0] + top + bottom, size[1] + left + right, requires_grad=True)
    weight = torch.ones(1, 1, *pair(layer["kernel_size"], "kernel_size", 1))
    torch.nn.functional.conv2d(
        padded, weight, stride=layer["stride"], dilation=layer["dilation"]
    ).sum().backward()
    read = padded.grad[0, 0] > 0
    last_row = int(read.any(dim=1).nonzero().max())
    last_column = int(read.any(dim=0).nonzero().max())
    assert (read.shape[0] - 1 - last_row, read.shape[1] - 1 - last_column) == (rows, columns)


def test_the_pixels_lost_at_the_end_are_the_dropped_border_less_the_padding():
    """The formula in the docstring, against pixels that were marked and not found again."""
    settings = itertools.product(range(1, 6), range(1, 4), range(1, 8), range(4), range(1, 3))
    for size, kernel, stride, padding, dilation in settings:
        try:
            outputs, _ = shapes.conv2d_output_size(size, kernel, stride, padding, dilation)
        except ValueError:
            continue
        end = (outputs - 1) * stride + dilation * (kernel - 1) + 1  # of the last window
        lost = sum(padding + pixel >= end for pixel in range(size))
        dropped, _ = shapes.conv2d_dropped_border(size, kernel, stride, padding, dilation)
        assert lost == min(size, max(0, dropped - padding))


@given(
    kernel_size=pairs(st.integers(1, 6), st.integers(1, 6)),
    dilation=pairs(st.integers(1, 4), st.integers(1, 4)),
)
def test_same_padding_is_what_the_module_passes_to_pad(kernel_size, dilation):
    module = nn.Conv2d(1, 1, kernel_size, dilation=dilation, padding="same", device="meta")
    assert list(shapes.same_padding(kernel_size, dilation)) == list(
        module._reversed_padding_repeated_twice
    )


@pytest.mark.parametrize(
    ("size", "layer", "expected"),
    [
        (224, {"kernel_size": 3, "padding": 1}, (224, 224)),
        (224, {"kernel_size": 3, "stride": 2}, (111, 111)),
        (224, {"kernel_size": 3, "stride": 2, "padding": 1}, (112, 112)),
        (224, {"kernel_size": 7, "stride": 2, "padding": 3}, (112, 112)),
        (224, {"kernel_size": 11, "stride": 4, "padding": 2}, (55, 55)),
        ((5, 4), {"kernel_size": (2, 3)}, (4, 2)),
        (7, {"kernel_size": 3, "dilation": 2}, (3, 3)),
        (9, {"kernel_size": 4, "padding": "same"}, (9, 9)),
        (2, {"kernel_size": 5, "padding": "same", "dilation": 3}, (2, 2)),
        (9, {"kernel_size": 4, "padding": "valid", "stride": 2}, (3, 3)),
        (1, {"kernel_size": 1, "stride": 10**20, "dilation": 10**20}, (1, 1)),
    ],
)
def test_well_known_output_sizes(size, layer, expected):
    assert shapes.conv2d_output_size(size, **layer) == expected


def test_an_even_kernel_gets_the_odd_cell_at_the_right_and_the_bottom():
    assert shapes.same_padding((2, 5), dilation=(3, 2)) == (4, 4, 1, 2)


def test_a_number_pads_both_sides_and_a_pair_means_height_then_width():
    assert shapes.conv2d_padding(2, kernel_size=3) == (2, 2, 2, 2)
    assert shapes.conv2d_padding((1, 2), kernel_size=3) == (2, 2, 1, 1)
    assert shapes.conv2d_padding("valid", kernel_size=3, stride=2) == (0, 0, 0, 0)


def test_numpy_and_torch_integers_are_integers():
    assert shapes.conv2d_output_size(np.int64(8), np.int32(3), stride=torch.tensor(2)) == (3, 3)
    assert type(shapes.conv2d_output_size(np.int64(8), 3)[0]) is int


def test_torch_size_and_list_are_pairs():
    assert shapes.conv2d_output_size(torch.Size([8, 6]), [3, 3]) == (6, 4)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"size": 0}, ValueError, "size must be at least 1, got 0"),
        ({"size": (4, -1)}, ValueError, r"size\[1\] must be at least 1, got -1"),
        ({"size": 8.0}, TypeError, "size must be an int or a pair of ints .*, got float 8.0"),
        ({"size": (1, 2, 3)}, ValueError, r"size must be .* got 3 values: \(1, 2, 3\)"),
        ({"size": ()}, ValueError, r"size must be .* got 0 values"),
        ({"size": (8,)}, ValueError, r"size must be .* got 1 values"),
        ({"size": "8"}, TypeError, "size must be .* got str '8'"),
        ({"size": None}, TypeError, "size must be .* got NoneType None"),
        ({"size": {4, 5}}, TypeError, "size must be .* got set"),
        ({"size": b"45"}, TypeError, "size must be .* got bytes"),
        ({"size": range(4, 6)}, TypeError, "size must be .* got range"),
        ({"size": torch.tensor(2, device="meta")}, TypeError, "size must be .* got Tensor"),
        ({"size": (8, 8.5)}, TypeError, r"size\[1\] must be an int, got float 8.5"),
        ({"size": (8, (8, 8))}, TypeError, r"size\[1\] must be an int, got tuple"),
        ({"kernel_size": 0}, ValueError, "kernel_size must be at least 1, got 0"),
        ({"kernel_size": True}, TypeError, "kernel_size must be .* got bool True"),
        ({"stride": 0}, ValueError, "stride must be at least 1, got 0"),
        ({"stride": (1, 0)}, ValueError, r"stride\[1\] must be at least 1, got 0"),
        ({"dilation": 0}, ValueError, "dilation must be at least 1, got 0"),
        ({"padding": -1}, ValueError, "padding must be at least 0, got -1"),
        ({"padding": 0.5}, TypeError, "padding must be .* got float 0.5"),
        ({"padding": "full"}, ValueError, "padding must be .*'same' or 'valid', got 'full'"),
        ({"padding": "same", "stride": 2}, ValueError, r"needs stride 1, got stride=\(2, 2\)"),
        (
            {"padding": "same", "stride": (1, 2), "kernel_size": (3, 5)},
            ValueError,
            r"got stride=\(1, 2\); give a number instead, for example padding=\(1, 2\)",
        ),
        (
            {"padding": "same", "stride": 2, "kernel_size": 4},
            ValueError,
            r"got stride=\(2, 2\); give a number instead$",
        ),
        (
            {"size": (8, 4), "kernel_size": 3, "dilation": 2},
            ValueError,
            r"kernel_size=3 with dilation=2 spans 5 cells, but the width of the input has "
            r"4 \+ 0 \+ 0 of padding = 4; a padding of at least 1 would",
        ),
        (
            {"size": 2, "kernel_size": 9, "padding": 1},
            ValueError,
            r"spans 9 cells, but the height of the input has 2 \+ 1 \+ 1 of padding = 4; a "
            r"padding of at least 4 would",
        ),
    ],
)
def test_a_bad_argument_is_named_with_its_numbers(arguments, error, message):
    with pytest.raises(error, match=message):
        shapes.conv2d_output_size(**{"size": 8, "kernel_size": 3} | arguments)


def test_the_padding_that_an_error_suggests_is_the_smallest_that_works():
    for size in itertools.product(range(1, 5), range(1, 5)):
        for kernel_size in itertools.product(range(1, 9), range(5, 9)):
            with pytest.raises(ValueError, match="does not fit") as caught:
                shapes.conv2d_output_size(size, kernel_size)
            suggested = int(re.search(r"at least (\d+)", str(caught.value)).group(1))
            assert min(shapes.conv2d_output_size(size, kernel_size, padding=suggested)) >= 1
            with pytest.raises(ValueError, match="does not fit"):
                shapes.conv2d_output_size(size, kernel_size, padding=suggested - 1)


def test_the_padding_suggested_instead_of_same_divides_the_size_by_the_stride():
    for size, kernel_size, stride in itertools.product(range(1, 12), (1, 3, 5), range(2, 5)):
        with pytest.raises(ValueError, match="stride 1") as caught:
            shapes.conv2d_output_size(size, kernel_size, stride, "same")
        padding = int(re.search(r"padding=(\d+)", str(caught.value)).group(1))
        found = shapes.conv2d_output_size(size, kernel_size, stride, padding)
        assert found == (math.ceil(size / stride),) * 2


@pytest.mark.parametrize(
    ("kernel_size", "dilation", "expected"),
    [(3, 1, (3, 3)), ((2, 5), 2, (3, 9)), (1, 7, (1, 1)), (4, (3, 1), (10, 4))],
)
def test_a_dilated_kernel_reaches_from_its_first_weight_to_its_last(
    kernel_size, dilation, expected
):
    assert shapes.dilated_kernel_size(kernel_size, dilation) == expected


def int_or_pair(low, high):
    number = st.integers(low, high)
    return number | st.tuples(number, number)


def torch_transposed_size(size, kernel_size, **layer):
    """Run the layer: the device "meta" only uses a formula, and float32 accepts dilation 0."""
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
def test_transposed_output_size_is_that_of_pytorch_or_both_raise(size, kernel_size, layer):
    try:
        expected = torch_transposed_size(size, kernel_size, **layer)
    except RuntimeError:
        with pytest.raises(ValueError, match=r"\d"):
            shapes.conv_transpose2d_output_size(size, kernel_size, **layer)
    else:
        assert shapes.conv_transpose2d_output_size(size, kernel_size, **layer) == expected


@given(
    size=st.tuples(st.integers(1, 30), st.integers(1, 30)),
    kernel_size=int_or_pair(1, 5),
    stride=st.integers(1, 4),
    padding=int_or_pair(0, 4),
    dilation=int_or_pair(1, 3),
)
def test_exactly_one_output_padding_below_the_stride_restores_the_size_of_the_input(
    size, kernel_size, stride, padding, dilation
):
    try:
        small = shapes.conv2d_output_size(size, kernel_size, stride, padding, dilation)
    except ValueError:
        return

    def leads_back(extra):
        try:
            return size == shapes.conv_transpose2d_output_size(
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
def test_well_known_transposed_output_sizes(size, layer, expected):
    found = shapes.conv_transpose2d_output_size(size, **layer)
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
def test_a_bad_transposed_argument_is_named_with_its_numbers(arguments, error, message):
    with pytest.raises(error, match=message):
        shapes.conv_transpose2d_output_size(**{"size": 4, "kernel_size": 3} | arguments)


def test_the_padding_that_an_error_suggests_is_the_largest_that_leaves_something():
    for size, kernel_size, stride in itertools.product(range(1, 5), range(1, 5), range(1, 4)):
        with pytest.raises(ValueError, match="leaves nothing") as caught:
            shapes.conv_transpose2d_output_size(size, kernel_size, stride, padding=9)
        suggested = int(re.search(r"at most (\d+)", str(caught.value)).group(1))
        assert min(shapes.conv_transpose2d_output_size(size, kernel_size, stride, suggested)) >= 1
        with pytest.raises(ValueError, match="leaves nothing"):
            shapes.conv_transpose2d_output_size(size, kernel_size, stride, suggested + 1)
