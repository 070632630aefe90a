"""Figures of matrices, windows and number formats show the numbers that they are given."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.colors import to_hex

from convlab import ops, plots, shapes
from convlab.plots.drawing import INPUT, PADDING, READ
from tests.plots.reading import cells, legend_labels, texts


def test_a_matrix_shows_every_number_in_reading_order():
    (ax,) = plots.matrices({"x": [[1, -2], [0.5, 4000]]}).axes
    assert texts(ax) == ["1", "\u22122", "0.5", "4000"]
    assert ax.get_title() == "x"


def test_highlighted_cells_are_those_of_the_box():
    (ax,) = plots.matrices({"x": np.zeros((4, 5))}, {"x": (1, 2, 2, 3)}).axes
    centres = {tuple(patch.get_center()) for patch in cells(ax, READ)}
    assert centres == {(column, row) for row in (1, 2) for column in (2, 3, 4)}


def test_highlighted_cells_can_be_those_of_a_mask():
    mask = np.eye(3, dtype=bool)
    (ax,) = plots.matrices({"x": np.zeros((3, 3))}, {"x": mask}).axes
    assert {tuple(patch.get_center()) for patch in cells(ax, READ)} == {(0, 0), (1, 1), (2, 2)}


def test_a_shaded_matrix_goes_from_dark_to_white():
    shaded, plain = plots.matrices({"a": [[-1, 0, 1]], "b": [[-1, 0, 1]]}, shaded=["a"]).axes
    greys = [patch.get_facecolor()[0] for patch in shaded.patches]
    assert greys == sorted(set(greys))
    assert greys[-1] == 1
    assert shaded.texts[0].get_color() == "white"
    assert len(cells(plain, INPUT)) == 3


def test_a_shaded_matrix_of_equal_numbers_is_mid_grey():
    (ax,) = plots.matrices({"a": [[5, 5]]}, shaded=["a"]).axes
    assert {patch.get_facecolor()[0] for patch in ax.patches} == {0.1 + 0.9 * 0.5}


def test_matrices_can_stand_in_several_rows():
    drawing = plots.matrices({name: np.zeros((2, 2)) for name in "abcde"}, columns=2)
    places = [ax.get_position() for ax in drawing.axes]
    assert len({round(place.y0, 3) for place in places}) == 3
    assert len({round(place.x0, 3) for place in places}) == 2


def test_signs_stand_between_the_matrices():
    axes = plots.matrices({"a": [[1]], "b": [[2]], "c": [[3]]}, signs="*=").axes
    assert [texts(ax) for ax in axes] == [["1", "*"], ["2", "="], ["3"]]


def test_a_sign_too_many_is_not_drawn():
    (ax,) = plots.matrices({"a": [[1]]}, signs="=").axes
    assert texts(ax) == ["1"]


@pytest.mark.parametrize(
    ("arguments", "starts", "padding", "dropped"),
    [
        ({"size": 7, "kernel_size": 3}, [0, 1, 2, 3, 4], 0, 0),
        ({"size": 8, "kernel_size": 3, "stride": 2}, [0, 2, 4], 0, 1),
        ({"size": 5, "kernel_size": 3, "padding": 1}, [0, 1, 2, 3, 4], 2, 0),
        ({"size": 7, "kernel_size": 3, "dilation": 2}, [0, 1, 2], 0, 0),
        ({"size": 6, "kernel_size": 4, "padding": "same"}, [0, 1, 2, 3, 4, 5], 3, 0),
    ],
)
def test_the_strip_shows_the_position_of_each_window(arguments, starts, padding, dropped):
    (ax,) = plots.window_positions(**arguments).axes
    read = cells(ax, READ)
    rows = sorted({patch.get_center()[1] for patch in read})
    found = [[p.get_center()[0] for p in read if p.get_center()[1] == row] for row in rows]
    step = arguments.get("dilation", 1)
    assert found == [[s + step * u for u in range(arguments["kernel_size"])] for s in starts]
    assert len(cells(ax, PADDING)) == padding
    assert sum(bool(patch.get_hatch()) for patch in ax.patches) == dropped
    assert f"{len(starts)} output" in ax.get_title()


@pytest.mark.parametrize(("size", "output_size"), [(10, 4), (6, 3), (3, 5)])
def test_adaptive_windows_are_those_of_the_pooling(size, output_size):
    (ax,) = plots.adaptive_positions(size, output_size).axes
    cells_of_row = {}
    for position, row in read_positions(ax):
        cells_of_row.setdefault(row, []).append(position)
    expected = [list(range(*window)) for window in shapes.adaptive_windows(size, output_size)]
    assert [cells_of_row[row] for row in sorted(cells_of_row)] == expected


def read_positions(ax):
    """Return the filled cells as (position, line), in drawing order."""
    return [tuple(patch.get_center()) for patch in cells(ax, READ)]


def test_the_size_of_the_output_is_drawn_for_each_stride():
    drawing = plots.output_sizes(range(3, 9), kernel_size=3, strides=(1, 3))
    (ax,) = drawing.axes
    for line, stride in zip(ax.lines, (1, 3), strict=True):
        assert line.get_xdata().tolist() == [3, 4, 5, 6, 7, 8]
        assert line.get_ydata().tolist() == [(n - 3) // stride + 1 for n in range(3, 9)]
    assert legend_labels(drawing) == ["stride 1", "stride 3"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([], 3, [1]), "nothing to draw: give at least one size"),
        (([5], 3, []), "nothing to draw: give at least one stride"),
        (([2], 3, [1]), "the kernel does not fit"),
    ],
)
def test_sizes_without_an_output_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        plots.output_sizes(*arguments)


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
    (ax,) = plots.window_alignments(
        {"": (before, size, after)}, kernel_size, stride, dilation, columns=1
    ).axes
    positions = np.arange(-before, size + after, dtype=float).reshape(1, 1, -1)
    kernels = np.eye(kernel_size).reshape(kernel_size, 1, 1, kernel_size)  # each reads one cell
    expected = ops.conv2d(positions, kernels, stride=(1, stride), dilation=(1, dilation))
    found = [position for position, _ in read_positions(ax)]
    assert found == expected[:, 0].T.ravel().tolist()


def test_windows_share_a_line_only_where_they_do_not_overlap():
    (ax,) = plots.window_alignments({"": (1, 8, 0)}, kernel_size=3, stride=2).axes
    found = read_positions(ax)
    assert len(set(found)) == len(found) == 3 * 4
    assert len({line for _, line in found}) == 2


def test_the_pixels_of_all_panels_are_aligned():
    axes = plots.window_alignments(
        {"a": (1, 5, 1), "b": (0, 8, 1), "c": (2, 6, 2)}, 3, columns=2
    ).axes
    assert len(axes) == 3
    assert len({ax.get_xlim() for ax in axes}) == 1
    for ax, size in zip(axes, (5, 8, 6), strict=True):
        pixels = {t.get_text(): t.get_position()[0] for t in ax.texts if t.get_text().isdigit()}
        assert pixels == {str(position): position for position in range(size)}


def test_every_bit_is_a_cell():
    (ax,) = plots.bit_fields({"a": (1, 5, 10), "b": (1, 2, 1)}).axes
    found = [(patch.get_center()[1], to_hex(patch.get_facecolor())) for patch in ax.patches]
    for row, bits in enumerate([(1, 5, 10), (1, 2, 1)]):
        colours = [INPUT, PADDING, READ]
        assert [found.count((row, colour)) for colour in colours] == list(bits)
    assert [text.get_text() for text in ax.texts] == ["5", "10"]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["a", "b"]


@pytest.mark.parametrize(
    ("draw", "error", "message"),
    [
        (lambda: plots.matrices({"x": [1, 2]}), ValueError, r"'x' must be .* shape \(2,\)"),
        (lambda: plots.matrices({"x": [[1]]}, {"y": (0, 0, 1, 1)}), ValueError, "'y'.*'x'"),
        (lambda: plots.matrices({"x": [[1]]}, shaded="y"), ValueError, "shaded .*'y'.*'x'"),
        (lambda: plots.matrices({}), ValueError, "nothing to draw"),
        (lambda: plots.window_positions(2, 5), ValueError, "spans 5 cells"),
        (lambda: plots.window_positions((2, 2), 1), TypeError, "size must be an int"),
        (lambda: plots.window_positions(5, (3, 5)), TypeError, "kernel_size must be an int"),
        (lambda: plots.window_positions(5, 3, padding=(1, 2)), TypeError, "padding must be an int"),
        (lambda: plots.window_positions(9, 3, dilation=(2, 2)), TypeError, "dilation must be an"),
        (lambda: plots.window_alignments({}, 3), ValueError, "nothing to draw"),
        (lambda: plots.window_alignments({"": (0, 2, 0)}, 3), ValueError, "kernel does not fit"),
        (
            lambda: plots.window_alignments({"": (0, 5, 0)}, 3, columns=0),
            ValueError,
            "columns must be at least 1",
        ),
        (
            lambda: plots.window_alignments({"": (0, 5, 0)}, 3, stride=0),
            ValueError,
            "stride must be at least 1",
        ),
        (lambda: plots.window_alignments({"": (0, 5, 0)}, (3, 3)), TypeError, "kernel_size must"),
        (lambda: plots.adaptive_positions(0, 2), ValueError, "at least 1"),
        (lambda: plots.bit_fields({}), ValueError, "nothing to draw"),
        (
            lambda: plots.bit_fields({"a": (1, 5)}),
            ValueError,
            r"'a' must have the bits of sign, exponent, fraction.* got \(1, 5\)",
        ),
        (lambda: plots.bit_fields({"a": (1, 0, 3)}), ValueError, "at least 1"),
    ],
)
def test_invalid_arguments_are_refused(draw, error, message):
    with pytest.raises(error, match=message):
        draw()
