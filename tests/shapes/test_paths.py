"""The counted paths are those that autograd finds when every weight is 1."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional as F

from convlab.shapes import ReceptiveField, path_counts, receptive_fields

numbers = st.integers(1, 3)
layers = st.lists(st.tuples(numbers, numbers, numbers), min_size=1, max_size=4)


def gradient_of_one_output(layers, height, width):
    """Run layers of ones on an input for which exactly one output cell exists."""
    pixels = torch.zeros(1, 1, height, width, dtype=torch.float64, requires_grad=True)
    y = pixels
    for kernel_size, stride, dilation in layers:
        size = kernel_size if isinstance(kernel_size, tuple) else (kernel_size,) * 2
        y = F.conv2d(y, torch.ones(1, 1, *size).double(), stride=stride, dilation=dilation)
    assert y.shape == (1, 1, 1, 1)
    y.sum().backward()
    return pixels.grad[0, 0]


@given(layers)
def test_the_counts_are_the_gradient_of_layers_of_ones(layers):
    rows, columns = path_counts(layers)
    expected = gradient_of_one_output(layers, len(rows), len(columns))
    torch.testing.assert_close(
        torch.outer(torch.tensor(rows), torch.tensor(columns)).double(), expected
    )


def test_height_and_width_may_differ():
    stack = [((3, 1), (2, 1), (1, 2)), ((2, 3), 1, (3, 1))]
    rows, columns = path_counts(stack)
    assert (len(rows), len(columns)) == (9, 3)
    expected = gradient_of_one_output(stack, 9, 3)
    assert torch.equal(torch.outer(torch.tensor(rows), torch.tensor(columns)).double(), expected)


@given(layers)
def test_there_are_as_many_paths_as_products_of_taps(layers):
    rows, _ = path_counts(layers)
    assert sum(rows) == math.prod(kernel_size for kernel_size, _, _ in layers)


@given(layers)
def test_there_is_a_count_for_each_cell_of_the_receptive_field(layers):
    rows, columns = receptive_fields(layers)[-1]
    assert [len(counts) for counts in path_counts(layers)] == [rows.size, columns.size]


@given(layers)
def test_every_layer_adds_to_what_the_ones_before_see(layers):
    fields = receptive_fields(layers)
    assert fields[0] == (ReceptiveField(), ReceptiveField())
    for number in range(1, len(layers) + 1):
        assert receptive_fields(layers[:number]) == fields[: number + 1]
        assert fields[number][0].jump == math.prod(stride for _, stride, _ in layers[:number])


def test_what_is_left_out_is_1():
    assert path_counts([(3,), (3, 2)]) == path_counts([(3, 1, 1), (3, 2, 1)])


@pytest.mark.parametrize(
    ("layers", "error", "message"),
    [
        ([], ValueError, "layers is empty"),
        ([(3,), 3], TypeError, r"layers\[1\] must be \(kernel_size, stride, dilation\), got int 3"),
        ([()], ValueError, r"layers\[0\] .* got 0 values"),
        ([(3, 1, 1, 1)], ValueError, r"layers\[0\] .* got 4 values: \(3, 1, 1, 1\)"),
        ([(0,)], ValueError, r"kernel_size of layers\[0\] must be at least 1, got 0"),
        ([(3, 1, 0)], ValueError, r"dilation of layers\[0\] must be at least 1, got 0"),
        ([(3, 1.5)], TypeError, r"stride of layers\[0\] must be an int"),
    ],
)
def test_what_is_no_stack_of_layers_is_refused(layers, error, message):
    for function in (path_counts, receptive_fields):
        with pytest.raises(error, match=message):
            function(layers)
