"""The windows of poolings read every cell that they should, in order, and nothing else."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from convlab import shapes
from convlab.ops.window_reductions import PoolingWindows
from convlab.shapes.pooling import pooling_axes


def possible_windows():
    """Yield every valid pooling along one direction, with small numbers."""
    everything = itertools.product(
        range(1, 8), range(1, 5), range(1, 5), range(3), range(1, 4), [False, True]
    )
    for arguments in everything:
        try:
            axis, _ = pooling_axes(*arguments)
        except ValueError:
            continue
        yield arguments, PoolingWindows.of_pooling(axis)


def test_every_window_reads_its_cells_of_the_input_in_order_and_nothing_else():
    for (size, kernel, stride, padding, dilation, _), rows in possible_windows():
        read = [[] for _ in range(rows.outputs)]
        for places, cells in rows.reads:
            for place, cell in zip(range(rows.outputs)[places], range(size)[cells], strict=True):
                read[place].append(cell)
        for place, cells in enumerate(read):
            start = place * stride - padding
            window = [start + dilation * cell for cell in range(kernel)]
            assert cells == [cell for cell in window if 0 <= cell < size]
            not_before = [cell for cell in window if cell >= 0]
            if not_before:
                assert rows.first_cells[place] == not_before[0]


def test_cells_are_counted_with_the_padding_and_without_it():
    for (size, kernel, stride, padding, dilation, _), rows in possible_windows():
        if dilation > 1:
            continue
        for place in range(rows.outputs):
            window = range(place * stride - padding, place * stride - padding + kernel)
            assert rows.input_cells[place] == sum(0 <= cell < size for cell in window) > 0
            assert rows.padded_cells[place] == sum(cell < size + padding for cell in window)


@given(size=st.integers(1, 30), outputs=st.integers(0, 30))
def test_the_windows_of_an_adaptive_pooling_are_read_in_order(size, outputs):
    rows = PoolingWindows.of_adaptive_pooling(size, outputs)
    assert rows.outputs == outputs
    read = [[] for _ in range(outputs)]
    for places, cells in rows.reads:
        for place, cell in zip(range(outputs)[places], range(size)[cells], strict=True):
            read[place].append(cell)
    windows = shapes.adaptive_windows(size, outputs)
    assert read == [[*range(start, end)] for start, end in windows]
    assert rows.first_cells == tuple(start for start, _ in windows)
    assert rows.input_cells == rows.padded_cells == tuple(end - start for start, end in windows)
