"""A measurement and its interval, from end to end."""

import pytest

from convlab.plots import intervals


def test_each_bar_goes_from_the_lowest_to_the_highest_value():
    drawing = intervals({"a": (0.1, 0.2, 0.5), "b": (1, 1, 1)}, "share")
    (axis,) = drawing.axes
    (bars,) = axis.collections
    ends = [segment[:, 0].tolist() for segment in bars.get_segments()]
    assert ends == [pytest.approx([0.1, 0.5]), [1, 1]]
    assert axis.get_xlabel() == "share"
    assert axis.yaxis_inverted()


@pytest.mark.parametrize(
    ("named", "message"),
    [
        ({}, "nothing to draw"),
        ({"a": (0.1, 0.6, 0.5)}, "'a' is 0.6, which does not lie from 0.1 to 0.5"),
        ({"a": (0.1, float("nan"), 0.5)}, "'a' is nan"),
    ],
)
def test_what_is_no_interval(named, message):
    with pytest.raises(ValueError, match=message):
        intervals(named)
