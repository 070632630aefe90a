"""Receptive fields are the cells on which a unit depends, path counts the gradients of ones."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from convlab import shapes
from convlab.shapes import ReceptiveField, path_counts, receptive_fields

windows = st.fixed_dictionaries(
    {
        "kernel_size": st.integers(1, 5),
        "stride": st.integers(1, 3),
        "padding": st.integers(0, 3),
        "dilation": st.integers(1, 3),
    }
)
fields = st.builds(ReceptiveField, st.integers(1, 9), st.integers(0, 5), st.integers(-9, 9))


def through(layers):
    field = ReceptiveField()
    for layer in layers:
        field = field.window(*layer)
    return field


# kernel, stride, padding of every layer with a window before the classifier.
LENET = [(5, 1), (2, 2), (5, 1), (2, 2), (5, 1)]
ALEXNET = [(11, 4, 2), (3, 2), (5, 1, 2), (3, 2), *[(3, 1, 1)] * 3, (3, 2)]
VGG16 = [
    layer for convolutions in (2, 2, 3, 3, 3) for layer in [*[(3, 1, 1)] * convolutions, (2, 2)]
]
RESNET18 = [(7, 2, 3), (3, 2, 1), *[(3, 1, 1)] * 4] + 3 * [(3, 2, 1), *[(3, 1, 1)] * 3]


@pytest.mark.parametrize(
    ("layers", "size", "jump"),
    [(LENET, 32, 4), (ALEXNET, 195, 32), (VGG16, 212, 32), (RESNET18, 435, 32)],
)
def test_the_sizes_of_well_known_networks(layers, size, jump):
    field = through(layers)
    assert (field.size, field.jump) == (size, jump)


def dependence(layers, length):
    """Return the first and last cell that each unit of a stack of convolutions depends on."""
    x = torch.ones(1, 1, length, dtype=torch.float64, requires_grad=True)
    y = x
    for layer in layers:
        weight = torch.ones(1, 1, layer["kernel_size"], dtype=torch.float64)
        rest = {name: layer[name] for name in ("stride", "padding", "dilation")}
        y = torch.nn.functional.conv1d(y, weight, **rest)
    ranges = []
    for unit in y[0, 0]:
        (gradient,) = torch.autograd.grad(unit, x, retain_graph=True)
        cells = gradient[0, 0].nonzero().ravel()
        ranges.append((int(cells[0]), int(cells[-1])) if len(cells) else None)
    return ranges


@given(layers=st.lists(windows, min_size=1, max_size=3))
def test_the_field_is_what_the_units_in_the_middle_depend_on(layers):
    field = ReceptiveField()
    for layer in layers:
        field = field.window(**layer)
    length = field.size + 2 * field.jump + 2 * max(0, -field.start)
    for unit, dependent in enumerate(dependence(layers, length)):
        cells = field.cells(unit)
        if cells.start >= 0 and cells.stop <= length:
            assert dependent == (cells[0], cells[-1])
        elif dependent:  # beyond the edge it reads padding, which depends on nothing
            assert cells.start <= dependent[0] <= dependent[1] < cells.stop


@given(first=fields, second=fields, unit=st.integers(-5, 50))
def test_a_union_covers_the_fields_of_both_branches(first, second, unit):
    second = ReceptiveField(second.size, first.jump, second.start)
    both = first.union(second).cells(unit)
    ranges = [first.cells(unit), second.cells(unit)]
    assert both.start == min(r.start for r in ranges)
    assert both.stop == max(r.stop for r in ranges)
    assert first.union(second) == second.union(first)


@settings(max_examples=200)
@given(layer=windows, first=windows, length=st.integers(1, 8), output_padding=st.integers(0, 2))
def test_a_transposed_convolution_has_one_field_per_phase(layer, first, length, output_padding):
    names = ("kernel_size", "stride", "padding", "dilation")
    kernel, stride, padding, dilation = (layer[name] for name in names)
    extra = min(output_padding, max(stride, dilation) - 1)
    outputs = (length - 1) * stride - 2 * padding + dilation * (kernel - 1) + 1 + extra
    if outputs < 1:
        return
    x = torch.ones(1, 1, length, dtype=torch.float64, requires_grad=True)
    y = torch.nn.functional.conv_transpose1d(
        x, torch.ones(1, 1, kernel, dtype=torch.float64),
        stride=stride, padding=padding, dilation=dilation, output_padding=extra,
    )  # fmt: skip
    phases = ReceptiveField().transposed(**layer)
    after = ReceptiveField().window(**first).transposed(**layer)
    assert len(phases) == len(after) == stride
    for place, unit in enumerate(y[0, 0]):
        (gradient,) = torch.autograd.grad(unit, x, retain_graph=True)
        dependent = gradient[0, 0].nonzero().ravel().tolist()
        field = phases[place % stride]
        if field is None:
            assert not dependent
            continue
        cells = field.cells(place // stride)
        assert {cells[0], cells[-1]} & set(range(length)) <= set(dependent) <= set(cells)
        # Through another layer: that layer's window around each of these cells.
        before = ReceptiveField().window(**first)
        wider = after[place % stride].cells(place // stride)
        assert (wider.start, wider.stop) == (
            before.cells(cells[0]).start,
            before.cells(cells[-1]).stop,
        )


def test_height_and_width_are_independent():
    rows, columns = shapes.conv2d_receptive_field((3, 4), (1, 2), (0, 1), (2, 1))
    assert rows == ReceptiveField(5, 1, 0)
    assert columns == ReceptiveField(4, 2, -1)
    again = shapes.conv2d_receptive_field(2, padding="same", before=(rows, columns))
    assert again == (ReceptiveField(6, 1, 0), ReceptiveField(6, 2, -1))


def test_the_center_lies_between_the_cells_and_moves_by_the_jump():
    field = ReceptiveField(size=4, jump=3, start=-1)
    assert field.center == 0.5
    for unit in range(5):
        cells = field.cells(unit)
        assert (cells[0] + cells[-1]) / 2 == field.center + unit * field.jump


def test_after_a_global_pooling_all_units_have_the_same_field():
    whole = ReceptiveField(size=32, jump=0, start=0)
    assert whole.window(3, stride=2, padding=1, dilation=4) == whole
    assert whole.union(ReceptiveField(3, 0, -1)) == ReceptiveField(33, 0, -1)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: ReceptiveField(0), ValueError, "size must be at least 1, got 0"),
        (lambda: ReceptiveField(1, -1), ValueError, "jump must be at least 0, got -1"),
        (lambda: ReceptiveField(1, 1, 0.5), TypeError, "start must be an int, got float 0.5"),
        (lambda: ReceptiveField().window(0), ValueError, "kernel_size must be at least 1, got 0"),
        (lambda: ReceptiveField().window(3, 0), ValueError, "stride must be at least 1, got 0"),
        (lambda: ReceptiveField().window(3, 1, -1), ValueError, "padding must be .* got -1"),
        (lambda: ReceptiveField().window(3, 1, 1, 0), ValueError, "dilation must be .* got 0"),
        (lambda: ReceptiveField().window((3, 3)), TypeError, "kernel_size must be an int"),
        (lambda: ReceptiveField().transposed(2, 0), ValueError, "stride must be .* got 0"),
        (lambda: ReceptiveField().cells(1.0), TypeError, "unit must be an int"),
        (
            lambda: ReceptiveField(1, 2).union(ReceptiveField(1, 4)),
            ValueError,
            "the branches have jumps of 2 and 4 input cells",
        ),
        (lambda: shapes.conv2d_receptive_field(3, 2, "same"), ValueError, "needs stride 1"),
    ],
)
def test_a_bad_argument_is_named_with_its_numbers(call, error, message):
    with pytest.raises(error, match=message):
        call()


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
def test_the_fields_of_a_stack_begin_with_those_of_its_first_layers(layers):
    fields = receptive_fields(layers)
    assert fields[0] == (ReceptiveField(), ReceptiveField())
    for number in range(1, len(layers) + 1):
        assert receptive_fields(layers[:number]) == fields[: number + 1]
        assert fields[number][0].jump == math.prod(stride for _, stride, _ in layers[:number])


def test_omitted_stride_and_dilation_are_1():
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
def test_an_invalid_stack_of_layers_is_rejected(layers, error, message):
    for function in (path_counts, receptive_fields):
        with pytest.raises(error, match=message):
            function(layers)
