"""The windows of adaptive pooling are those of PyTorch."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional as F

from convlab import shapes


@given(size=st.integers(1, 20), outputs=st.integers(0, 25))
def test_windows_are_the_cells_that_get_a_gradient(size, outputs):
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
def test_windows_cover_everything_and_their_lengths_differ_by_at_most_one(size, outputs):
    windows = shapes.adaptive_windows(size, outputs)
    assert sorted({cell for start, end in windows for cell in range(start, end)}) == [*range(size)]
    lengths = [end - start for start, end in windows]
    assert max(lengths) - min(lengths) <= 1
    if size % outputs == 0:
        assert lengths == [size // outputs] * outputs


@given(size=st.integers(1, 30), outputs=st.integers(0, 30))
def test_the_steps_of_an_operator_read_each_window_in_order(size, outputs):
    rows, columns = shapes.adaptive_axes((size, 1), (outputs, None))
    assert (rows.outputs, columns.outputs) == (outputs, 1)
    read = [[] for _ in range(outputs)]
    for places, cells in rows.steps:
        for place, cell in zip(range(outputs)[places], range(size)[cells], strict=True):
            read[place].append(cell)
    windows = shapes.adaptive_windows(size, outputs)
    assert read == [[*range(start, end)] for start, end in windows]
    assert rows.first == tuple(start for start, _ in windows)
    assert rows.real == rows.padded == tuple(end - start for start, end in windows)


def test_the_size_is_what_was_asked_for_and_none_keeps_it():
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
        ("adaptive_axes", (9, (1, "2")), TypeError, r"output_size\[1\] must be .* got str '2'"),
        ("adaptive_windows", (0, 1), ValueError, "size must be at least 1, got 0"),
        ("adaptive_windows", (5, -1), ValueError, "outputs must be at least 0, got -1"),
        ("adaptive_windows", (5, 1.5), TypeError, "outputs must be an int, got float 1.5"),
    ],
)
def test_a_bad_argument_is_named_with_its_numbers(function, arguments, error, message):
    with pytest.raises(error, match=message):
        getattr(shapes, function)(*arguments)
