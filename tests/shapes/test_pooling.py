"""Sizes of poolings and windows of adaptive pooling are those of PyTorch."""

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
def test_output_size_is_that_of_pytorch_or_both_raise(size, pooling):
    try:
        expected = tuple(F.max_pool2d(torch.zeros(1, *size), **pooling).shape[1:])
    except RuntimeError:
        with pytest.raises(ValueError, match=r"\d"):
            shapes.pool2d_output_size(size, **pooling)
    else:
        assert shapes.pool2d_output_size(size, **pooling) == expected


def possible_poolings():
    """Yield every valid pooling along one direction, with small numbers, and its windows."""
    everything = itertools.product(
        range(1, 8), range(1, 5), range(1, 5), range(3), range(1, 4), [False, True]
    )
    for arguments in everything:
        try:
            outputs, _ = shapes.pool2d_output_size(*arguments)
        except ValueError:
            continue
        yield arguments, outputs


def test_ceil_mode_adds_at_most_one_window_and_starts_none_behind_the_input():
    for (size, kernel, stride, padding, dilation, ceil_mode), outputs in possible_poolings():
        assert (outputs - 1) * stride - padding < size
        span = dilation * (kernel - 1) + 1
        if ceil_mode and span <= size + 2 * padding:
            floor, _ = shapes.pool2d_output_size(size, kernel, stride, padding, dilation)
            assert outputs - floor in (0, 1)


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
def test_well_known_output_sizes(size, pooling, expected):
    assert shapes.pool2d_output_size(size, **pooling) == expected


def test_without_ceil_mode_the_size_is_that_of_a_convolution():
    for (*arguments, ceil_mode), outputs in possible_poolings():
        if not ceil_mode:
            assert shapes.conv2d_output_size(*arguments)[0] == outputs


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
    limit = int(re.search(r"at most (\d+)", str(caught.value)).group(1))
    kernels = range(max(1, 2 * padding), 20)
    spans = [dilation * (kernel - 1) + 1 for kernel in kernels]
    assert [bool(works(kernel)) for kernel in kernels] == [span <= limit for span in spans]


@given(size=st.integers(1, 20), outputs=st.integers(0, 25))
def test_adaptive_windows_are_the_cells_that_get_a_gradient(size, outputs):
    row = torch.zeros(1, 1, size, requires_grad=True)
    answer = F.adaptive_avg_pool2d(row, (1, outputs))
    expected = []
    for place in range(outputs):
        (gradient,) = torch.autograd.grad(answer[0, 0, place], row, retain_graph=True)
        read = gradient[0, 0].nonzero().ravel()
        expected.append((int(read[0]), int(read[-1]) + 1))
        assert len(read) == expected[-1][1] - expected[-1][0]
    assert shapes.adaptive_windows(size, outputs) == expected


@given(size=st.integers(1, 60), outputs=st.integers(1, 60))
def test_adaptive_windows_cover_everything_and_their_lengths_differ_by_at_most_one(size, outputs):
    windows = shapes.adaptive_windows(size, outputs)
    assert sorted({cell for start, end in windows for cell in range(start, end)}) == [*range(size)]
    lengths = [end - start for start, end in windows]
    assert max(lengths) - min(lengths) <= 1
    if size % outputs == 0:
        assert lengths == [size // outputs] * outputs


def test_the_adaptive_size_is_the_requested_one_and_none_keeps_that_of_the_input():
    assert shapes.adaptive_output_size((9, 7), 3) == (3, 3)
    assert shapes.adaptive_output_size((9, 7), [2, 12]) == (2, 12)
    assert shapes.adaptive_output_size((9, 7), (None, 1)) == (9, 1)
    assert shapes.adaptive_output_size(9, (None, None)) == (9, 9)
    assert shapes.adaptive_output_size(9, 0) == (0, 0)
    assert shapes.adaptive_output_size(np.int64(9), np.int8(4)) == (4, 4)


@pytest.mark.parametrize(
    ("function", "arguments", "error", "message"),
    [
        ("adaptive_output_size", (0, 1), ValueError, "size must be at least 1, got 0"),
        ("adaptive_output_size", (9, -1), ValueError, "output_size must be at least 0, got -1"),
        ("adaptive_output_size", (9, (None, -2)), ValueError, r"output_size\[1\] .* got -2"),
        ("adaptive_output_size", (9, (2,)), ValueError, "output_size must be .* got 1 values"),
        ("adaptive_output_size", (9, (1, 2, 3)), ValueError, "output_size .* got 3 values"),
        ("adaptive_output_size", (9, None), TypeError, "output_size must be .* got NoneType"),
        ("adaptive_output_size", (9, 2.0), TypeError, "output_size must be .* got float 2.0"),
        ("adaptive_output_size", (9, (True, 2)), TypeError, r"output_size\[0\] .* bool True"),
        ("adaptive_output_size", (9, (1, "2")), TypeError, r"output_size\[1\] .* got str '2'"),
        ("adaptive_windows", (0, 1), ValueError, "size must be at least 1, got 0"),
        ("adaptive_windows", (5, -1), ValueError, "outputs must be at least 0, got -1"),
        ("adaptive_windows", (5, 1.5), TypeError, "outputs must be an int, got float 1.5"),
    ],
)
def test_a_bad_adaptive_argument_is_named_with_its_numbers(function, arguments, error, message):
    with pytest.raises(error, match=message):
        getattr(shapes, function)(*arguments)
