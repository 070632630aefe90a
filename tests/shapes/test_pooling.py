"""The windows that `convlab.shapes.pooling` lays out are those of PyTorch's poolings."""

import itertools
import re

import numpy as np
import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st
from torch.nn import functional as F

from convlab import shapes


@st.composite
def poolings(draw):
    """Draw the arguments of a max pooling, valid or not, as ints or pairs."""

    def one(low, high):
        number = st.integers(low, high)
        return draw(number | st.tuples(number, number))

    low = draw(st.sampled_from([1, 1, 1, 0, -1]))
    return {
        "kernel_size": one(low, 5),
        "stride": draw(st.sampled_from([None, (), []])) if draw(st.booleans()) else one(low, 5),
        "padding": one(min(0, low), 2),
        "dilation": one(low, 3),
        "ceil_mode": draw(st.booleans()),
    }


@given(size=st.tuples(st.integers(1, 12), st.integers(1, 12)), pooling=poolings())
def test_output_size_is_that_of_pytorch_or_both_refuse(size, pooling):
    try:
        expected = tuple(F.max_pool2d(torch.zeros(1, *size), **pooling).shape[1:])
    except RuntimeError:
        with pytest.raises(ValueError, match=r"\d"):
            shapes.pool2d_output_size(size, **pooling)
    else:
        assert shapes.pool2d_output_size(size, **pooling) == expected


def possible_windows():
    """Every valid pooling along one direction, with small numbers."""
    everything = itertools.product(
        range(1, 8), range(1, 5), range(1, 5), range(3), range(1, 4), [False, True]
    )
    for arguments in everything:
        try:
            rows, _ = shapes.pool2d_axes(*arguments)
        except ValueError:
            continue
        yield arguments, rows


def test_every_window_reads_its_cells_of_the_input_in_order_and_nothing_else():
    for (size, kernel, stride, padding, dilation, _), rows in possible_windows():
        read = [[] for _ in range(rows.outputs)]
        for places, cells in rows.steps:
            for place, cell in zip(range(rows.outputs)[places], range(size)[cells], strict=True):
                read[place].append(cell)
        for place, cells in enumerate(read):
            start = place * stride - padding
            window = [start + dilation * cell for cell in range(kernel)]
            assert cells == [cell for cell in window if 0 <= cell < size]
            not_before = [cell for cell in window if cell >= 0]
            if not_before:
                assert rows.first[place] == not_before[0]


def test_cells_are_counted_with_the_padding_and_without_it():
    for (size, kernel, stride, padding, dilation, _), rows in possible_windows():
        if dilation > 1:
            continue
        for place in range(rows.outputs):
            window = range(place * stride - padding, place * stride - padding + kernel)
            assert rows.real[place] == sum(0 <= cell < size for cell in window) > 0
            assert rows.padded[place] == sum(cell < size + padding for cell in window)


def test_ceil_mode_adds_at_most_one_window_and_starts_none_behind_the_input():
    for (size, kernel, stride, padding, dilation, ceil_mode), rows in possible_windows():
        assert (rows.outputs - 1) * stride - padding < size
        span = dilation * (kernel - 1) + 1
        if ceil_mode and span <= size + 2 * padding:
            floor, _ = shapes.pool2d_output_size(size, kernel, stride, padding, dilation)
            assert rows.outputs - floor in (0, 1)


@pytest.mark.parametrize(
    ("size", "pooling", "expected"),
    [
        (224, {"kernel_size": 2}, (112, 112)),
        (112, {"kernel_size": 3, "stride": 2, "padding": 1}, (56, 56)),
        (55, {"kernel_size": 3, "stride": 2}, (27, 27)),
        (5, {"kernel_size": 2}, (2, 2)),
        (5, {"kernel_size": 2, "ceil_mode": True}, (3, 3)),
        (5, {"kernel_size": 2, "stride": 3, "padding": 1, "ceil_mode": True}, (2, 2)),
        ((7, 6), {"kernel_size": (3, 2), "stride": ()}, (2, 3)),
        (2, {"kernel_size": 5, "ceil_mode": True}, (1, 1)),
        (10**18, {"kernel_size": 10}, (10**17, 10**17)),
        (4, {"kernel_size": 1, "stride": 2**31 - 1, "dilation": 2**31 - 1}, (1, 1)),
    ],
)
def test_output_sizes_that_people_look_up(size, pooling, expected):
    assert shapes.pool2d_output_size(size, **pooling) == expected


def test_without_ceil_mode_the_size_is_that_of_a_convolution():
    for (*arguments, ceil_mode), rows in possible_windows():
        if not ceil_mode:
            assert shapes.conv2d_output_size(*arguments)[0] == rows.outputs


def test_numpy_and_torch_integers_are_integers():
    size = shapes.pool2d_output_size(np.int64(8), np.int8(3), torch.tensor(2), np.uint8(1))
    assert size == (4, 4)
    assert type(size[0]) is int


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"size": 0}, ValueError, "size must be at least 1, got 0"),
        ({"size": 8.0}, TypeError, "size must be .* got float 8.0"),
        ({"kernel_size": 0}, ValueError, "kernel_size must be at least 1, got 0"),
        ({"kernel_size": (1, 2, 3)}, ValueError, r"kernel_size must be .* got 3 values"),
        ({"kernel_size": 2**31}, ValueError, "kernel_size must be at most 2147483647, got 2147"),
        ({"stride": 0}, ValueError, "stride must be at least 1, got 0"),
        ({"stride": (1, -2)}, ValueError, r"stride\[1\] must be at least 1, got -2"),
        ({"stride": 2**40}, ValueError, "stride must be at most 2147483647, got 1099511627776"),
        ({"stride": "2"}, TypeError, "stride must be .* got str '2'"),
        ({"padding": -1}, ValueError, "padding must be at least 0, got -1"),
        ({"padding": None}, TypeError, "padding must be .* got NoneType"),
        ({"padding": "same"}, TypeError, "padding must be .* got str 'same'"),
        ({"padding": 2**31}, ValueError, "padding must be at most 2147483647"),
        ({"padding": 2}, ValueError, "padding=2 is more than half of kernel_size=3: at most 1"),
        (
            {"padding": (1, 2), "kernel_size": (2, 3), "dilation": 3},
            ValueError,
            r"padding=\(1, 2\) is more than half of kernel_size=\(2, 3\): at most 1 is allowed, "
            "whatever the dilation",
        ),
        ({"dilation": 0}, ValueError, "dilation must be at least 1, got 0"),
        ({"dilation": 2**31}, ValueError, "dilation must be at most 2147483647"),
        ({"ceil_mode": 1}, TypeError, "ceil_mode must be True or False, got int 1"),
        ({"ceil_mode": None}, TypeError, "ceil_mode must be True or False, got NoneType None"),
        (
            {"size": (9, 3), "dilation": 2, "padding": (0, 0)},
            ValueError,
            r"no window fits: kernel_size=3 with dilation=2 spans 5 cells, but the width of the "
            r"input has 3 \+ 0 \+ 0 of padding = 3; .* it may span at most 3",
        ),
        (
            {"size": 2, "kernel_size": 7, "stride": 2, "padding": 1, "ceil_mode": True},
            ValueError,
            r"height of the input has 2 \+ 1 \+ 1 of padding = 4; with ceil_mode=True and "
            r"stride=2 it may span at most 5",
        ),
    ],
)
def test_a_bad_argument_is_named_with_its_numbers(arguments, error, message):
    with pytest.raises(error, match=message):
        shapes.pool2d_output_size(**{"size": 8, "kernel_size": 3} | arguments)


@given(
    size=st.integers(1, 6),
    stride=st.integers(1, 5),
    padding=st.integers(0, 1),
    dilation=st.integers(1, 3),
    ceil_mode=st.booleans(),
)
@example(size=1, stride=5, padding=1, dilation=1, ceil_mode=True)
def test_the_span_that_an_error_allows_is_the_largest_that_works(
    size, stride, padding, dilation, ceil_mode
):
    def works(kernel):
        try:
            return shapes.pool2d_output_size(size, kernel, stride, padding, dilation, ceil_mode)
        except ValueError:
            return None

    with pytest.raises(ValueError, match="no window fits") as caught:
        shapes.pool2d_output_size(size, 20, stride, padding, dilation, ceil_mode)
    most = int(re.search(r"at most (\d+)", str(caught.value)).group(1))
    kernels = range(max(1, 2 * padding), 20)
    spans = [dilation * (kernel - 1) + 1 for kernel in kernels]
    assert [bool(works(kernel)) for kernel in kernels] == [span <= most for span in spans]
