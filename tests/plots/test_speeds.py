"""Points at the medians, lines from quartile to quartile, one axis for all panels."""

import pytest

from convlab import plots

RATIOS = {"A": {"x": [1.5, 2, 2.5], "y": [0.4, 0.5, 0.5]}, "B": {"x": [1, 1, 1]}}


def test_each_way_has_a_point_at_its_median_between_its_quartiles():
    first, second = plots.speeds(RATIOS, "before").axes
    dashed, *lines = first.lines
    assert list(dashed.get_xdata()) == [1, 1]
    assert [list(line.get_xdata()) for line in lines] == [[1.5, 2.5], [2], [0.4, 0.5], [0.5]]
    assert [text.get_text() for text in first.texts] == ["2.00", "0.50"]
    assert [label.get_text() for label in first.get_yticklabels()] == ["x", "y"]
    assert first.yaxis_inverted()
    assert (first.get_title(loc="left"), second.get_title(loc="left")) == ("A", "B")


def test_all_panels_share_a_logarithmic_axis_that_holds_every_number():
    drawing = plots.speeds(RATIOS, "before")
    low, high = drawing.axes[0].get_xlim()
    assert drawing.axes[1].get_xlim() == (low, high)
    assert low < 0.4
    assert high > 2.5
    assert {axis.get_xscale() for axis in drawing.axes} == {"log"}
    assert drawing.axes[-1].get_xlabel() == "times as fast as before"


def test_the_line_at_one_is_seen_where_all_are_faster():
    (axis,) = plots.speeds({"A": {"x": [3, 4, 5]}}, "before").axes
    assert axis.get_xlim()[0] < 1


@pytest.mark.parametrize(
    ("panels", "message"),
    [
        ({}, "at least one panel"),
        ({"A": {}}, "nothing to draw"),
        ({"A": {"x": [1, 2]}}, r"'x' in 'A' must be three .* got \[1.0, 2.0\]"),
        ({"A": {"x": [2, 1, 3]}}, "rising order"),
        ({"A": {"x": [0, 1, 3]}}, "positive"),
    ],
)
def test_what_has_no_spread_is_refused(panels, message):
    with pytest.raises(ValueError, match=message):
        plots.speeds(panels, "before")
