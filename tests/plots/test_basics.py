"""The drawings show the numbers they were given, and refuse what they cannot draw."""

import importlib
import re
import sys

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_hex

from convlab import plots
from convlab.plots import drawing


def texts(axis):
    return [text.get_text() for text in axis.texts]


def cells(axis, colour):
    return [patch for patch in axis.patches if to_hex(patch.get_facecolor()) == colour]


def test_a_matrix_shows_every_number_in_reading_order():
    (axis,) = plots.matrices({"x": [[1, -2], [0.5, 4000]]}).axes
    assert texts(axis) == ["1", "\u22122", "0.5", "4000"]
    assert axis.get_title() == "x"


def test_highlighted_cells_are_those_of_the_box():
    (axis,) = plots.matrices({"x": np.zeros((4, 5))}, {"x": (1, 2, 2, 3)}).axes
    centres = {tuple(patch.get_center()) for patch in cells(axis, drawing.READ)}
    assert centres == {(column, row) for row in (1, 2) for column in (2, 3, 4)}


def test_signs_stand_between_the_matrices():
    axes = plots.matrices({"a": [[1]], "b": [[2]], "c": [[3]]}, signs="*=").axes
    assert [texts(axis) for axis in axes] == [["1", "*"], ["2", "="], ["3"]]


def test_pictures_keep_their_pixels_and_fill_rows():
    named = {f"picture {number}": np.full((2, 3), number) for number in range(5)}
    axes = plots.images(named, columns=2).axes
    assert [axis.get_title() for axis in axes] == list(named)
    assert [axis.images[0].get_array().max() for axis in axes] == [0, 1, 2, 3, 4]
    rows = {round(axis.get_position().y0, 3) for axis in axes}
    assert len(rows) == 3


def test_symmetric_pictures_have_zero_in_the_middle():
    (axis,) = plots.images({"x": np.array([[-1.0, 0.0, 3.0]])}, symmetric=True).axes
    assert axis.images[0].get_clim() == (-3, 3)


def test_a_symmetric_picture_of_zeros_is_the_middle_grey():
    (axis,) = plots.images({"x": np.zeros((2, 2))}, symmetric=True).axes
    assert axis.images[0].get_clim() == (-1, 1)


def test_a_sign_too_many_is_not_drawn():
    (axis,) = plots.matrices({"a": [[1]]}, signs="=").axes
    assert texts(axis) == ["1"]


def test_kernels_are_rows_and_channels_columns_on_one_scale():
    weight = np.random.default_rng(0).normal(size=(2, 3, 4, 5))
    *slices, _colour_bar = plots.kernels(weight).axes
    for axis, numbers in zip(slices, weight.reshape(6, 4, 5), strict=True):
        np.testing.assert_array_equal(axis.images[0].get_array(), numbers)
    assert {axis.images[0].get_clim() for axis in slices} == {
        (-np.abs(weight).max(), np.abs(weight).max())
    }


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
def test_the_strip_shows_where_each_window_stands(arguments, starts, padding, dropped):
    (axis,) = plots.windows(**arguments).axes
    read = cells(axis, drawing.READ)
    rows = sorted({patch.get_center()[1] for patch in read})
    found = [[p.get_center()[0] for p in read if p.get_center()[1] == row] for row in rows]
    step = arguments.get("dilation", 1)
    assert found == [[s + step * u for u in range(arguments["kernel_size"])] for s in starts]
    assert len(cells(axis, drawing.PADDING)) == padding
    assert sum(bool(patch.get_hatch()) for patch in axis.patches) == dropped
    assert f"{len(starts)} output" in axis.get_title()


def test_a_drawing_shows_itself_and_leaves_nothing_in_pyplot():
    strip = plots.windows(4, 2)
    assert strip._repr_png_().startswith(b"\x89PNG")
    assert plt.get_fignums() == []


@pytest.mark.parametrize(
    ("draw", "error", "message"),
    [
        (lambda: plots.matrices({"x": [1, 2]}), ValueError, r"'x' must be .* shape \(2,\)"),
        (lambda: plots.matrices({"x": [[1]]}, {"y": (0, 0, 1, 1)}), ValueError, "'y'.*'x'"),
        (lambda: plots.images({"x": np.ones((2, 2, 4))}), ValueError, r"shape \(2, 2, 4\)"),
        (lambda: plots.images({"x": np.ones((2, 2))}, columns=0), ValueError, "columns .* got 0"),
        (lambda: plots.images({}), ValueError, "nothing to draw"),
        (lambda: plots.matrices({}), ValueError, "nothing to draw"),
        (lambda: plots.kernels(np.ones((3, 3))), ValueError, r"got shape \(3, 3\)"),
        (lambda: plots.windows(2, 5), ValueError, "spans 5 cells"),
        (lambda: plots.windows((2, 2), 1), TypeError, "size must be an int"),
        (lambda: plots.windows(5, (3, 5)), TypeError, "kernel_size must be an int"),
        (lambda: plots.windows(5, 3, padding=(1, 2)), TypeError, "padding must be an int"),
        (lambda: plots.windows(9, 3, dilation=(2, 2)), TypeError, "dilation must be an int"),
    ],
)
def test_what_cannot_be_drawn_is_refused(draw, error, message):
    with pytest.raises(error, match=message):
        draw()


def test_without_matplotlib_the_error_says_how_to_get_it(monkeypatch):
    for name in [name for name in sys.modules if name.startswith("convlab.plots")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    message = 'convlab.plots needs matplotlib, which is not installed: pip install "convlab-book'
    with pytest.raises(ImportError, match=re.escape(message)):
        importlib.import_module("convlab.plots")


def test_the_colours_are_at_hand():
    for name in ("READ", "INPUT", "PADDING", "DROPPED", "INK", "LINE"):
        assert getattr(plots, name) == getattr(drawing, name)
