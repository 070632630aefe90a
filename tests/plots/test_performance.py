"""Speedups are drawn at their medians, or over the operations saved."""

import numpy as np
import pytest

from convlab import plots
from tests.plots.reading import legend_labels

QUARTILES = {"A": {"x": [1.5, 2, 2.5], "y": [0.4, 0.5, 0.5]}, "B": {"x": [1, 1, 1]}}
POINTS = np.array([[2.0, 1.5], [8.0, 3.0]])


def test_each_contender_has_a_point_at_its_median_between_its_quartiles():
    first, second = plots.speedups(QUARTILES, "before").axes
    dashed, *lines = first.lines
    assert list(dashed.get_xdata()) == [1, 1]
    assert [list(line.get_xdata()) for line in lines] == [[1.5, 2.5], [2], [0.4, 0.5], [0.5]]
    assert [text.get_text() for text in first.texts] == ["2.00", "0.50"]
    assert [label.get_text() for label in first.get_yticklabels()] == ["x", "y"]
    assert first.yaxis_inverted()
    assert (first.get_title(loc="left"), second.get_title(loc="left")) == ("A", "B")


def test_all_panels_share_a_logarithmic_axis_that_holds_every_number():
    drawing = plots.speedups(QUARTILES, "before")
    low, high = drawing.axes[0].get_xlim()
    assert drawing.axes[1].get_xlim() == (low, high)
    assert low < 0.4
    assert high > 2.5
    assert {ax.get_xscale() for ax in drawing.axes} == {"log"}
    assert drawing.axes[-1].get_xlabel() == "times as fast as before"


def test_the_line_at_one_is_visible_where_all_are_faster():
    (ax,) = plots.speedups({"A": {"x": [3, 4, 5]}}, "before").axes
    assert ax.get_xlim()[0] < 1


def test_a_series_is_a_line_through_its_points_beside_the_line_of_equals():
    (ax,) = plots.speedup_against_operations({"layer": {"here": POINTS}}).axes
    equal, here = ax.lines
    np.testing.assert_array_equal(here.get_xydata(), POINTS)
    np.testing.assert_array_equal(equal.get_xdata(), equal.get_ydata())
    assert equal.get_xdata()[0] == 1
    assert equal.get_xdata()[1] == 8
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")


def test_a_series_looks_the_same_in_every_panel_and_is_named_once():
    drawing = plots.speedup_against_operations(
        {"one": {"a": POINTS, "b": POINTS * 2}, "two": {"b": POINTS, "a": POINTS / 2}}
    )
    one, two = drawing.axes
    looks = [
        {
            line.get_label(): (
                line.get_color(),
                line.get_marker(),
                line.get_markerfacecolor(),
                line.get_linestyle(),
            )
            for line in ax.lines
        }
        for ax in (one, two)
    ]
    assert looks[0] == looks[1]
    assert looks[0]["a"] != looks[0]["b"]
    assert one.get_xlim() == two.get_xlim()
    assert legend_labels(drawing) == ["time as operations", "a", "b"]


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_panels_stand_in_pairs_and_the_legend_hides_none_of_them(count):
    drawing = plots.speedup_against_operations({str(n): {"y": POINTS} for n in range(count)})
    assert drawing._repr_png_().startswith(b"\x89PNG")
    assert [ax.get_title() for ax in drawing.axes] == [str(n) for n in range(count)]
    assert len({round(ax.get_position().y0, 3) for ax in drawing.axes}) == (count + 1) // 2
    legend = drawing.legends[0].get_window_extent()
    assert not any(legend.overlaps(ax.get_window_extent()) for ax in drawing.axes)


DOTS = {
    "one": {"first": {"mine": 0.5, "yours": 2.0}, "second": {"yours": 1.0}},
    "two": {"third": {"mine": 4.0}},
}


def test_each_number_is_a_dot_in_the_row_of_its_name():
    drawing = plots.dots(DOTS, "ratio", line=1)
    one, two = drawing.axes
    points = [
        {line.get_label(): line.get_xydata().tolist() for line in ax.lines[1:]} for ax in (one, two)
    ]
    assert points == [
        {"mine": [[0.5, 0]], "yours": [[2.0, 0], [1.0, 1]]},
        {"mine": [[4.0, 0]], "yours": []},
    ]
    assert [label.get_text() for label in one.get_yticklabels()] == ["first", "second"]
    assert one.yaxis_inverted()
    assert one.get_xlim() == two.get_xlim()
    assert one.get_xscale() == "log"
    assert [list(ax.lines[0].get_xdata()) for ax in (one, two)] == [[1, 1], [1, 1]]
    assert two.get_xlabel() == "ratio"
    assert legend_labels(drawing) == ["mine", "yours"]


def test_dots_of_one_series_need_no_legend_and_no_line():
    drawing = plots.dots({"": {"a": {"x": 0.001}, "b": {"x": 100.0}}}, "speed")
    assert drawing.legends == []
    assert len(drawing.axes[0].lines) == 1
    assert drawing._repr_png_().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("panels", "message"),
    [
        ({}, "at least one panel"),
        ({"A": {}}, "at least one row for 'A'"),
        ({"A": {"x": {}}}, "'x' in 'A' must have positive numbers"),
        ({"A": {"x": {"y": 0}}}, "got {'y': 0}"),
        ({"A": {"x": {str(n): 1 for n in range(7)}}}, "at most 6 series"),
    ],
)
def test_invalid_dots_are_refused(panels, message):
    with pytest.raises(ValueError, match=message):
        plots.dots(panels, "speed")


@pytest.mark.parametrize(
    ("panels", "message"),
    [
        ({}, "at least one panel"),
        ({"A": {}}, "nothing to draw"),
        ({"A": {"x": [1, 2]}}, r"'x' in 'A' must be three .* got \[1.0, 2.0\]"),
        ({"A": {"x": [2, 1, 3]}}, "ascending order"),
        ({"A": {"x": [0, 1, 3]}}, "positive"),
    ],
)
def test_invalid_quartiles_are_refused(panels, message):
    with pytest.raises(ValueError, match=message):
        plots.speedups(panels, "before")


@pytest.mark.parametrize(
    ("panels", "message"),
    [
        ({}, "nothing to draw"),
        ({"x": {}}, "nothing to draw"),
        ({"x": {"y": [1, 2]}}, r"'y' in 'x' must be .* got shape \(2,\)"),
        ({"x": {"y": np.ones((2, 3))}}, r"got shape \(2, 3\)"),
        ({"x": {"y": np.ones((0, 2))}}, r"got shape \(0, 2\)"),
        ({"x": {"y": [[1, 0]]}}, "positive"),
        ({"x": {str(n): POINTS for n in range(7)}}, "at most 6 names"),
    ],
)
def test_invalid_points_are_refused(panels, message):
    with pytest.raises(ValueError, match=message):
        plots.speedup_against_operations(panels)
