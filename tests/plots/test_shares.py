"""Each bar is a whole, cut in proportion to its parts."""

import pytest

from convlab import plots


def test_the_parts_lie_end_to_end_and_fill_the_bar():
    (axis,) = plots.shares({"a": {"x": 1, "y": 3}, "b": {"x": 0, "y": 7}}).axes
    widths = [[patch.get_width() for patch in bars] for bars in axis.containers]
    starts = [[patch.get_x() for patch in bars] for bars in axis.containers]
    assert widths == [[25, 0], [75, 100]]
    assert starts == [[0, 0], [25, 0]]
    assert [label.get_text() for label in axis.get_yticklabels()] == ["a", "b"]


def test_small_parts_have_no_room_for_their_number():
    (axis,) = plots.shares({"a": {"x": 7, "y": 93}}).axes
    assert [text.get_text() for text in axis.texts] == ["93 %"]


@pytest.mark.parametrize(
    ("named", "message"),
    [
        ({}, "nothing to draw"),
        ({"a": {"x": 1}, "b": {"y": 1}}, "'b' has the parts"),
        ({"a": {"x": 1, "y": -1}}, "'a' must be amounts"),
        ({"a": {"x": 0}}, "not all 0"),
        ({"a": {}}, "not all 0"),
        ({"a": dict.fromkeys("vwxyz", 1)}, "at most 4 parts .* got 5"),
    ],
)
def test_what_is_no_whole_is_refused(named, message):
    with pytest.raises(ValueError, match=message):
        plots.shares(named)
