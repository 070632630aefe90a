"""Planes show what is not zero and where, histograms the share of each channel's values."""

import numpy as np
import pytest
from matplotlib.colors import to_hex

from convlab import plots
from convlab.plots import drawing


def cells(axis):
    """Read the drawn table back as {(x, y) of the corner: coloured or not}."""
    return {
        tuple(np.round(patch.get_xy(), 6)): to_hex(patch.get_facecolor()) == drawing.READ
        for patch in axis.patches
    }


def test_planes_colour_what_is_not_zero_in_reading_order():
    batch = np.random.default_rng(0).integers(-1, 2, (2, 3, 4, 5))
    (axis,) = plots.planes({"x": batch}).axes
    drawn = cells(axis)
    columns, rows = (sorted({corner[i] for corner in drawn}) for i in (0, 1))
    assert (len(columns), len(rows)) == (3 * 5, 2 * 4)
    table = np.array([[drawn[x, y] for x in columns] for y in rows])
    np.testing.assert_array_equal(table, np.block([list(image) for image in batch]) != 0)
    assert [text.get_text() for text in axis.texts] == [
        "image 0", "image 1", "channel", "0", "1", "2"
    ]  # fmt: skip


def test_one_cell_is_marked_with_a_dark_frame():
    (axis,) = plots.planes({"x": np.zeros((2, 3, 4, 5))}, marked=(1, 2, 3, 4)).axes
    dark = [patch for patch in axis.patches if to_hex(patch.get_edgecolor()) == drawing.INK]
    corners = list(cells(axis))
    assert [tuple(np.round(patch.get_xy(), 6)) for patch in dark] == [max(corners)]


def test_tables_stand_in_rows():
    axes = plots.planes({str(n): np.zeros((1, 1, 2, 2)) for n in range(3)}, columns=2).axes
    assert [axis.get_title() for axis in axes] == ["0", "1", "2"]
    assert len({round(axis.get_position().y0, 3) for axis in axes}) == 2


def test_histograms_show_the_share_of_each_channel_on_one_scale():
    first = np.array([0.0, 0.0, 0.0, 10.0, 10.0, 10.0, 10.0, 10.0]).reshape(1, 2, 2, 2)
    above, below = plots.channel_histograms({"a": first, "b": first / 10}, bins=10).axes
    shares = [list(np.round(line.get_ydata()[[0, -1]])) for line in above.lines]
    assert shares == [[75, 25], [0, 100]]
    assert [np.argmax(line.get_ydata()) for line in below.lines] == [0, 1]
    assert np.array_equal(above.lines[0].get_xdata(), np.arange(0.5, 10))
    assert [text.get_text() for text in above.get_legend().get_texts()] == [
        "channel 0", "channel 1"
    ]  # fmt: skip


def test_values_beyond_the_limits_are_counted_and_not_shown():
    values = np.array([0.0, 1.0, 1.0, 100.0]).reshape(1, 1, 2, 2)
    (axis,) = plots.channel_histograms({"x": values}, bins=2, limits=(0.0, 2.0)).axes
    assert list(axis.lines[0].get_ydata()) == [25, 50]


def test_a_batch_of_one_value_has_a_histogram():
    (axis,) = plots.channel_histograms({"x": np.full((1, 1, 1, 1), 3.0)}).axes
    assert axis.lines[0].get_ydata().max() == 100


@pytest.mark.parametrize(
    ("draw", "error", "message"),
    [
        (lambda: plots.planes({}), ValueError, "nothing to draw"),
        (lambda: plots.planes({"x": np.ones((2, 2))}), ValueError, r"'x' .* shape \(2, 2\)"),
        (
            lambda: plots.planes({"x": np.ones((1, 2, 3, 4))}, marked=(0, 0, 3, 0)),
            ValueError,
            r"marked=\(0, 0, 3, 0\) lies outside of 'x', whose shape is \(1, 2, 3, 4\)",
        ),
        (
            lambda: plots.planes({"x": np.ones((1, 2, 3, 4))}, marked=(0, 0)),
            ValueError,
            r"marked=\(0, 0\)",
        ),
        (
            lambda: plots.planes({"x": np.ones((1, 1, 1, 1))}, marked=(0.0, 0, 0, 0)),
            TypeError,
            "marked must be an int",
        ),
        (
            lambda: plots.planes({"x": np.ones((1, 1, 1, 1))}, columns=0),
            ValueError,
            "columns .* got 0",
        ),
        (lambda: plots.channel_histograms({}), ValueError, "nothing to draw"),
        (
            lambda: plots.channel_histograms({"x": np.ones((1, 5, 2, 2))}),
            ValueError,
            r"1 to 4 channels .* got shape \(1, 5, 2, 2\)",
        ),
        (
            lambda: plots.channel_histograms({"x": np.ones((0, 1, 2, 2))}),
            ValueError,
            r"at least one value, got shape \(0, 1, 2, 2\)",
        ),
        (
            lambda: plots.channel_histograms({"x": np.ones((1, 1, 2, 2))}, limits=(1, 1)),
            ValueError,
            r"limits must be \(low, high\) with low below high, got \(1, 1\)",
        ),
        (
            lambda: plots.channel_histograms({"x": np.ones((1, 1, 2, 2))}, bins=2.5),
            TypeError,
            "bins must be an int",
        ),
    ],
)
def test_what_cannot_be_drawn_is_refused(draw, error, message):
    with pytest.raises(error, match=message):
        draw()
