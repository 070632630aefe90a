"""Curves of a training: the numbers drawn are the numbers given."""

import numpy as np
import pytest

from convlab.plots import learning_rate_range, training_curves


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


def test_the_range_of_learning_rates_is_drawn_up_to_twice_the_first_loss():
    drawing = learning_rate_range({"a": ([0.1, 1], [2.5, 90.0]), "b": ([0.1, 1], [2.0, 1.0])})
    (axis,) = drawing.axes
    assert [line.get_label() for line in axis.lines] == ["a", "b"]
    np.testing.assert_array_equal(axis.lines[0].get_ydata(), [2.5, 90])
    assert (axis.get_xscale(), axis.get_ylim()) == ("log", (0, 5))
    assert [text.get_text() for text in drawing.legends[0].get_texts()] == ["a", "b"]


@pytest.mark.parametrize(
    ("named", "message"),
    [
        ({}, "nothing to draw"),
        ({"a": ([0.1], [1.0, 2.0])}, r"'a' has rates of shape \(1,\) and losses of shape \(2,\)"),
        ({"a": ([], [])}, "two rows"),
        ({"a": ([0.0, 1.0], [1.0, 2.0])}, "'a' has a learning rate of 0.0; all must be above 0"),
    ],
)
def test_what_is_no_range_of_learning_rates(named, message):
    with pytest.raises(ValueError, match=message):
        learning_rate_range(named)
