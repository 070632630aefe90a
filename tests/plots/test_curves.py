"""Curves of a training: the numbers drawn are the numbers given."""

import numpy as np
import pytest

from convlab.plots import training_curves


def test_loss_and_accuracy_stand_side_by_side_with_one_legend():
    drawing = training_curves(
        {"training": [2.0, 1.0, 0.5], "validation": [2.0, 1.5, 1.4]},
        {"training": [0.1, 0.5, 0.9]},
    )
    loss, accuracy = drawing.axes
    assert [line.get_label() for line in loss.lines] == ["training", "validation"]
    np.testing.assert_array_equal(loss.lines[0].get_xdata(), [1, 2, 3])
    np.testing.assert_allclose(accuracy.lines[0].get_ydata(), [10, 50, 90])
    assert loss.lines[0].get_color() == accuracy.lines[0].get_color()
    assert [text.get_text() for text in drawing.legends[0].get_texts()] == [
        "training", "validation",
    ]  # fmt: skip


def test_loss_alone():
    assert len(training_curves({"training": [1.0]}).axes) == 1


@pytest.mark.parametrize(
    ("loss", "message"),
    [
        ({}, "nothing to draw"),
        ({"training": []}, r"'training' must be a row of numbers, got shape \(0,\)"),
        ({"training": [[1.0]]}, r"got shape \(1, 1\)"),
    ],
)
def test_what_cannot_be_drawn(loss, message):
    with pytest.raises(ValueError, match=message):
        training_curves(loss)
