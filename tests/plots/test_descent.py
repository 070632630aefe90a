"""The steps of a weight lie on the curve of its loss."""

import numpy as np
import pytest

from convlab.plots import descent


def test_each_path_lies_on_the_curve_in_a_panel_of_its_own():
    drawing = descent(np.square, {"short": [3, 1], "long": [3, -3, 3]}, limits=(-4, 4))
    assert [axis.get_title() for axis in drawing.axes] == ["short", "long"]
    for axis, path in zip(drawing.axes, ([3, 1], [3, -3, 3]), strict=True):
        curve, steps = axis.lines
        np.testing.assert_allclose(curve.get_ydata(), np.square(curve.get_xdata()))
        np.testing.assert_array_equal(steps.get_xdata(), path)
        np.testing.assert_array_equal(steps.get_ydata(), np.square(path))
        assert axis.get_xlim() == (-4, 4)
    assert drawing.axes[0].get_ylim() == drawing.axes[1].get_ylim()


@pytest.mark.parametrize(
    ("paths", "limits", "message"),
    [
        ({}, (0, 1), "nothing to draw"),
        ({"a": []}, (0, 1), r"'a' must be a row of weights, got shape \(0,\)"),
        ({"a": [[1]]}, (0, 1), r"got shape \(1, 1\)"),
        ({"a": [1]}, (1, 1), r"limits must ascend, got \(1, 1\)"),
    ],
)
def test_what_is_no_descent(paths, limits, message):
    with pytest.raises(ValueError, match=message):
        descent(np.square, paths, limits)
