"""Work saved beside time saved."""

import numpy as np
import pytest

from convlab import plots

POINTS = np.array([[2.0, 1.5], [8.0, 3.0]])


def test_a_series_is_a_line_through_its_points_beside_the_line_of_equals():
    (axis,) = plots.cost_against_time({"layer": {"here": POINTS}}).axes
    equal, here = axis.lines
    np.testing.assert_array_equal(here.get_xydata(), POINTS)
    np.testing.assert_array_equal(equal.get_xdata(), equal.get_ydata())
    assert equal.get_xdata()[0] == 1
    assert equal.get_xdata()[1] == 8
    assert (axis.get_xscale(), axis.get_yscale()) == ("log", "log")


def test_a_series_looks_the_same_in_every_panel_and_is_named_once():
    drawing = plots.cost_against_time(
        {"one": {"a": POINTS, "b": POINTS * 2}, "two": {"b": POINTS, "a": POINTS / 2}}
    )
    one, two = drawing.axes
    looks = [
        {line.get_label(): (line.get_color(), line.get_marker(), line.get_markerfacecolor(),
                            line.get_linestyle()) for line in axis.lines}
        for axis in (one, two)
    ]  # fmt: skip
    assert looks[0] == looks[1]
    assert looks[0]["a"] != looks[0]["b"]
    assert one.get_xlim() == two.get_xlim()
    (legend,) = drawing.legends
    assert [text.get_text() for text in legend.get_texts()] == ["time as operations", "a", "b"]


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_panels_stand_in_pairs_and_the_legend_hides_none_of_them(count):
    drawing = plots.cost_against_time({str(n): {"y": POINTS} for n in range(count)})
    assert drawing._repr_png_().startswith(b"\x89PNG")
    assert [axis.get_title() for axis in drawing.axes] == [str(n) for n in range(count)]
    assert len({round(axis.get_position().y0, 3) for axis in drawing.axes}) == (count + 1) // 2
    legend = drawing.legends[0].get_window_extent()
    assert not any(legend.overlaps(axis.get_window_extent()) for axis in drawing.axes)


@pytest.mark.parametrize(
    ("panels", "message"),
    [
        ({}, "nothing to draw"),
        ({"x": {}}, "nothing to draw"),
        ({"x": {"y": [1, 2]}}, r"'y' in 'x' must be .* got shape \(2,\)"),
        ({"x": {"y": np.ones((2, 3))}}, r"got shape \(2, 3\)"),
        ({"x": {"y": np.ones((0, 2))}}, r"got shape \(0, 2\)"),
        ({"x": {"y": [[1, 0]]}}, "positive"),
        ({"x": {str(n): POINTS for n in range(7)}}, "at most 6 series"),
    ],
)
def test_what_cannot_be_drawn_is_refused(panels, message):
    with pytest.raises(ValueError, match=message):
        plots.cost_against_time(panels)
