"""Histograms, curves, intervals and planes show the numbers that they are given."""

import numpy as np
import pytest
from matplotlib.colors import to_hex

from convlab import plots
from convlab.plots.drawing import INK, READ
from tests.plots.reading import legend_labels


def lines(drawing):
    return {line.get_label(): line for line in drawing.axes[0].lines}


def test_the_bars_of_a_histogram_have_the_area_1():
    numbers = np.random.default_rng(0).normal(size=(30, 40))
    drawing = plots.histogram(numbers, {"density": ([-1, 1], [0.5, 0.5])}, bins=20)
    bars = drawing.axes[0].patches
    assert len(bars) == 20
    assert sum(bar.get_width() * bar.get_height() for bar in bars) == pytest.approx(1)
    assert list(lines(drawing)["density"].get_ydata()) == [0.5, 0.5]
    assert legend_labels(drawing) == ["1,200 numbers", "density"]


def test_each_network_is_a_line_over_its_layers_with_its_theory_dashed():
    measured = {"first": [1, 0.1, 0.01], "second": [3, 2]}
    drawing = plots.layer_curves(
        measured, {"first": [1.1, 0.1, 0.02]}, ylabel="size", xlabel="step"
    )
    first, theory, second, key = drawing.axes[0].lines
    for line, numbers in ((first, [1, 0.1, 0.01]), (theory, [1.1, 0.1, 0.02]), (second, [3, 2])):
        assert list(line.get_xdata()) == list(range(1, len(numbers) + 1))
        assert list(line.get_ydata()) == numbers
    assert (first.get_linestyle(), theory.get_linestyle()) == ("-", "--")
    assert first.get_color() == theory.get_color() != second.get_color()
    assert key.get_label() == "by theory"
    assert legend_labels(drawing) == ["first", "second", "by theory"]
    ax = drawing.axes[0]
    assert (ax.get_yscale(), ax.get_ylabel(), ax.get_xlabel()) == ("log", "size", "step")


def test_without_theory_the_legend_does_not_mention_it():
    assert legend_labels(plots.layer_curves({"only": [1, 2]})) == ["only"]


def test_histograms_show_the_share_of_each_channel_on_one_scale():
    first = np.array([0.0, 0.0, 0.0, 10.0, 10.0, 10.0, 10.0, 10.0]).reshape(1, 2, 2, 2)
    above, below = plots.channel_histograms({"a": first, "b": first / 10}, bins=10).axes
    shares = [list(np.round(line.get_ydata()[[0, -1]])) for line in above.lines]
    assert shares == [[75, 25], [0, 100]]
    assert [np.argmax(line.get_ydata()) for line in below.lines] == [0, 1]
    assert np.array_equal(above.lines[0].get_xdata(), np.arange(0.5, 10))
    assert [text.get_text() for text in above.get_legend().get_texts()] == [
        "channel 0",
        "channel 1",
    ]


def test_values_beyond_the_limits_are_counted_and_not_shown():
    values = np.array([0.0, 1.0, 1.0, 100.0]).reshape(1, 1, 2, 2)
    (ax,) = plots.channel_histograms({"x": values}, bins=2, limits=(0.0, 2.0)).axes
    assert list(ax.lines[0].get_ydata()) == [25, 50]


def test_a_batch_of_one_value_has_a_histogram():
    (ax,) = plots.channel_histograms({"x": np.full((1, 1, 1, 1), 3.0)}).axes
    assert ax.lines[0].get_ydata().max() == 100


def test_each_bar_goes_from_the_lowest_to_the_highest_value():
    drawing = plots.confidence_intervals({"a": (0.1, 0.2, 0.5), "b": (1, 1, 1)}, "share")
    (ax,) = drawing.axes
    (bars,) = ax.collections
    ends = [segment[:, 0].tolist() for segment in bars.get_segments()]
    assert ends == [pytest.approx([0.1, 0.5]), [1, 1]]
    assert ax.get_xlabel() == "share"
    assert ax.yaxis_inverted()


def plane_cells(ax):
    """Return whether each cell is coloured, by the (x, y) of its corner."""
    return {
        tuple(np.round(patch.get_xy(), 6)): to_hex(patch.get_facecolor()) == READ
        for patch in ax.patches
    }


def test_planes_colour_what_is_not_zero_in_reading_order():
    batch = np.random.default_rng(0).integers(-1, 2, (2, 3, 4, 5))
    (ax,) = plots.batch_planes({"x": batch}).axes
    drawn = plane_cells(ax)
    columns, rows = (sorted({corner[i] for corner in drawn}) for i in (0, 1))
    assert (len(columns), len(rows)) == (3 * 5, 2 * 4)
    table = np.array([[drawn[x, y] for x in columns] for y in rows])
    np.testing.assert_array_equal(table, np.block([list(image) for image in batch]) != 0)
    assert [text.get_text() for text in ax.texts] == [
        "image 0",
        "image 1",
        "channel",
        "0",
        "1",
        "2",
    ]


def test_one_cell_is_marked_with_a_dark_frame():
    (ax,) = plots.batch_planes({"x": np.zeros((2, 3, 4, 5))}, marked=(1, 2, 3, 4)).axes
    dark = [patch for patch in ax.patches if to_hex(patch.get_edgecolor()) == INK]
    corners = list(plane_cells(ax))
    assert [tuple(np.round(patch.get_xy(), 6)) for patch in dark] == [max(corners)]


def test_tables_stand_in_rows():
    axes = plots.batch_planes({str(n): np.zeros((1, 1, 2, 2)) for n in range(3)}, columns=2).axes
    assert [ax.get_title() for ax in axes] == ["0", "1", "2"]
    assert len({round(ax.get_position().y0, 3) for ax in axes}) == 2


def block_faces(ax):
    """Return whether each face is coloured, by the middle of its corners, rounded."""
    return {
        tuple(np.round(patch.get_xy()[:4].mean(axis=0), 6)): to_hex(patch.get_facecolor()) == READ
        for patch in ax.patches
    }


def test_a_block_shows_its_first_image_its_last_channel_and_its_first_places():
    batch = np.random.default_rng(0).integers(0, 2, (2, 3, 1, 7))  # seven places: boxes of 1 by 1
    (ax,) = plots.batch_blocks({"x": batch}).axes
    expected = {}
    for (n, c, _, p), value in np.ndenumerate(batch):
        if n == 0:
            expected[c + 0.5, -p - 0.5] = value != 0
        if c == 2:
            expected[3 + 0.55 * (n + 0.5), 0.55 * (n + 0.5) - p - 0.5] = value != 0
        if p == 0:
            expected[c + 0.5 + 0.55 * (n + 0.5), 0.55 * (n + 0.5)] = value != 0
    assert block_faces(ax) == {tuple(np.round(xy, 6)): value for xy, value in expected.items()}
    assert {text.get_text() for text in ax.texts} == {"channels", "places", "images"}


def test_the_faces_of_one_box_of_a_block_are_marked():
    (ax,) = plots.batch_blocks({"x": np.zeros((2, 3, 2, 2))}, marked=(0, 2, 0, 0)).axes
    assert sum(to_hex(patch.get_edgecolor()) == INK for patch in ax.patches) == 3


def test_statistics_are_dots_and_what_is_remembered_of_them_a_line():
    drawing = plots.running_statistics(
        {"mean": [4, 6], "variance": [1, 2]}, {"mean": [0.4, 1], "variance": [1, 1.1]}
    )
    for ax, ys in zip(drawing.axes, ([[4, 6], [0.4, 1]], [[1, 2], [1, 1.1]]), strict=True):
        assert [list(line.get_ydata()) for line in ax.lines] == ys
        assert [list(line.get_xdata()) for line in ax.lines] == [[1, 2]] * 2
        assert [line.get_linestyle() for line in ax.lines] == ["None", "-"]
    assert [ax.get_ylabel() for ax in drawing.axes] == ["mean", "variance"]
    assert legend_labels(drawing) == ["of the batch, for training mode", "running, for eval mode"]


@pytest.mark.parametrize(
    ("draw", "error", "message"),
    [
        (lambda: plots.batch_planes({}), ValueError, "nothing to draw"),
        (lambda: plots.batch_planes({"x": np.ones((2, 2))}), ValueError, r"'x' .* shape \(2, 2\)"),
        (
            lambda: plots.batch_planes({"x": np.ones((1, 2, 3, 4))}, marked=(0, 0, 3, 0)),
            ValueError,
            r"marked=\(0, 0, 3, 0\) lies outside 'x', whose shape is \(1, 2, 3, 4\)",
        ),
        (
            lambda: plots.batch_planes({"x": np.ones((1, 2, 3, 4))}, marked=(0, 0)),
            ValueError,
            r"marked=\(0, 0\)",
        ),
        (
            lambda: plots.batch_planes({"x": np.ones((1, 1, 1, 1))}, marked=(0.0, 0, 0, 0)),
            TypeError,
            "marked must be an int",
        ),
        (
            lambda: plots.batch_planes({"x": np.ones((1, 1, 1, 1))}, columns=0),
            ValueError,
            "columns .* got 0",
        ),
        (lambda: plots.batch_blocks({"x": np.ones(2)}), ValueError, r"'x' .* shape \(2,\)"),
        (lambda: plots.running_statistics({}, {}), ValueError, "nothing to draw"),
        (
            lambda: plots.running_statistics({"a": [1]}, {"b": [1]}),
            ValueError,
            r"the same names, got \['a'\] and \['b'\]",
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
        (lambda: plots.histogram([]), ValueError, "nothing to draw"),
        (
            lambda: plots.histogram([1], {"flat": ([1, 2], [1])}),
            ValueError,
            r"'flat' must have .* the same length, .* shapes \(2,\) and \(1,\)",
        ),
        (lambda: plots.layer_curves({}), ValueError, "nothing to draw"),
        (lambda: plots.layer_curves({"a": [1, 0]}), ValueError, "'a' must be .* minimum 0"),
        (lambda: plots.layer_curves({"a": []}), ValueError, r"'a' must be .* got shape \(0,\)"),
        (lambda: plots.layer_curves({"a": [[1]]}), ValueError, r"'a' must be .* shape \(1, 1\)"),
        (lambda: plots.layer_curves({"a": [1]}, {"b": [1]}), ValueError, r"\['b'\], .* \['a'\]"),
        (
            lambda: plots.layer_curves({"a": [1]}, {"a": [-1]}),
            ValueError,
            "'a' must be .* minimum -1",
        ),
        (lambda: plots.confidence_intervals({}), ValueError, "nothing to draw"),
        (
            lambda: plots.confidence_intervals({"a": (0.1, 0.6, 0.5)}),
            ValueError,
            "'a' must lie in its interval, 0.1 to 0.5, got 0.6",
        ),
        (
            lambda: plots.confidence_intervals({"a": (0.1, float("nan"), 0.5)}),
            ValueError,
            "'a' must lie .* got nan",
        ),
    ],
)
def test_invalid_arguments_are_refused(draw, error, message):
    with pytest.raises(error, match=message):
        draw()
