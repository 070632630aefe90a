"""Windows under several paddings stand where a convolution puts them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.colors import to_hex

from convlab import ops, plots
from convlab.plots import drawing


def read_cells(axis):
    """Return the filled cells as (place, line), in drawing order."""
    return [
        tuple(patch.get_center())
        for patch in axis.patches
        if to_hex(patch.get_facecolor()) == drawing.READ
    ]


@settings(max_examples=20)
@given(
    before=st.integers(0, 2),
    size=st.integers(6, 9),
    after=st.integers(0, 2),
    kernel_size=st.integers(1, 3),
    stride=st.integers(1, 3),
    dilation=st.integers(1, 2),
)
def test_each_window_covers_the_cells_that_the_convolution_reads(
    before, size, after, kernel_size, stride, dilation
):
    (axis,) = plots.alignments(
        {"": (before, size, after)}, kernel_size, stride, dilation, columns=1
    ).axes
    places = np.arange(-before, size + after, dtype=float).reshape(1, 1, -1)
    kernels = np.eye(kernel_size).reshape(kernel_size, 1, 1, kernel_size)  # each reads one cell
    expected = ops.conv2d(places, kernels, stride=(1, stride), dilation=(1, dilation))
    found = [place for place, _ in read_cells(axis)]
    assert found == expected[:, 0].T.ravel().tolist()


def test_windows_share_a_line_only_where_they_do_not_overlap():
    (axis,) = plots.alignments({"": (1, 8, 0)}, kernel_size=3, stride=2).axes
    cells = read_cells(axis)
    assert len(set(cells)) == len(cells) == 3 * 4
    assert len({line for _, line in cells}) == 2


def test_the_pixels_of_all_panels_stand_one_above_the_other():
    axes = plots.alignments({"a": (1, 5, 1), "b": (0, 8, 1), "c": (2, 6, 2)}, 3, columns=2).axes
    assert len(axes) == 3
    assert len({axis.get_xlim() for axis in axes}) == 1
    for axis, size in zip(axes, (5, 8, 6), strict=True):
        pixels = {t.get_text(): t.get_position()[0] for t in axis.texts if t.get_text().isdigit()}
        assert pixels == {str(place): place for place in range(size)}


def test_what_cannot_be_drawn_is_refused():
    with pytest.raises(ValueError, match="nothing to draw"):
        plots.alignments({}, 3)
    with pytest.raises(ValueError, match="kernel does not fit"):
        plots.alignments({"": (0, 2, 0)}, 3)
    with pytest.raises(ValueError, match="columns must be at least 1"):
        plots.alignments({"": (0, 5, 0)}, 3, columns=0)
    with pytest.raises(ValueError, match="stride must be at least 1"):
        plots.alignments({"": (0, 5, 0)}, 3, stride=0)
