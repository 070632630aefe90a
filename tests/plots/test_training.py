"""Curves of a training and its confusion matrix show the numbers that they are given."""

import numpy as np
import pytest
from matplotlib.colors import to_hex

from convlab import plots
from convlab.plots.drawing import DROPPED, INPUT
from convlab.plots.training import CORRECT
from tests.plots.reading import legend_labels

COUNTS = [[9, 0, 1], [2, 7, 0], [0, 0, 8]]


def test_loss_and_accuracy_stand_side_by_side_with_one_legend():
    drawing = plots.training_curves(
        {"training": [2.0, 1.0, 0.5], "validation": [2.0, 1.5, 1.4]},
        {"training": [0.1, 0.5, 0.9]},
    )
    loss, accuracy = drawing.axes
    assert [line.get_label() for line in loss.lines] == ["training", "validation"]
    np.testing.assert_array_equal(loss.lines[0].get_xdata(), [1, 2, 3])
    np.testing.assert_allclose(accuracy.lines[0].get_ydata(), [10, 50, 90])
    assert loss.lines[0].get_color() == accuracy.lines[0].get_color()
    assert legend_labels(drawing) == ["training", "validation"]


def test_the_loss_can_be_drawn_alone():
    assert len(plots.training_curves({"training": [1.0]}).axes) == 1


def test_the_range_of_learning_rates_is_drawn_up_to_twice_the_first_loss():
    drawing = plots.loss_against_learning_rate(
        {"a": ([0.1, 1], [2.5, 90.0]), "b": ([0.1, 1], [2.0, 1.0])}
    )
    (ax,) = drawing.axes
    assert [line.get_label() for line in ax.lines] == ["a", "b"]
    np.testing.assert_array_equal(ax.lines[0].get_ydata(), [2.5, 90])
    assert (ax.get_xscale(), ax.get_ylim()) == ("log", (0, 5))
    assert legend_labels(drawing) == ["a", "b"]


def test_each_path_lies_on_the_curve_in_a_panel_of_its_own():
    drawing = plots.gradient_descent(
        np.square, {"short": [3, 1], "long": [3, -3, 3]}, limits=(-4, 4)
    )
    assert [ax.get_title() for ax in drawing.axes] == ["short", "long"]
    for ax, path in zip(drawing.axes, ([3, 1], [3, -3, 3]), strict=True):
        curve, steps, *_ = ax.lines
        np.testing.assert_allclose(curve.get_ydata(), np.square(curve.get_xdata()))
        np.testing.assert_array_equal(steps.get_xdata(), path)
        np.testing.assert_array_equal(steps.get_ydata(), np.square(path))
        assert ax.get_xlim() == (-4, 4)
    assert drawing.axes[0].get_ylim() == drawing.axes[1].get_ylim()


def test_a_descent_shows_its_start_its_direction_and_its_end():
    drawing = plots.gradient_descent(
        np.square, {"jumps": [3, -2, -2.01], "still": [1]}, limits=(-4, 4)
    )
    assert legend_labels(drawing) == ["start", "end"]
    for ax, ends in zip(drawing.axes, ([3, -2.01], [1, 1]), strict=True):
        assert [float(line.get_xdata()[0]) for line in ax.lines[2:]] == ends
        assert [line.get_marker() for line in ax.lines[2:]] == ["o", "s"]
    (arrow,) = drawing.axes[0].texts  # the second step has no room for one
    assert arrow.xy[0] < arrow.xyann[0]
    assert not drawing.axes[1].texts


def test_each_number_but_zero_stands_in_its_cell():
    (ax,) = plots.confusion_heatmap(COUNTS, "abc").axes
    written = {
        (text.get_position()[1], text.get_position()[0]): text.get_text() for text in ax.texts
    }
    assert written == {(0, 0): "9", (0, 2): "1", (1, 0): "2", (1, 1): "7", (2, 2): "8"}
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("answer", "label")
    assert [label.get_text() for label in ax.get_yticklabels()] == ["a", "b", "c"]


def test_correct_answers_are_blue_and_the_commonest_mistake_is_the_reddest():
    (ax,) = plots.confusion_heatmap(COUNTS, "abc").axes
    cells = dict(zip(np.ndindex(3, 3), ax.patches, strict=True))
    assert {to_hex(cells[i, i].get_facecolor()) for i in range(3)} == {CORRECT}
    assert to_hex(cells[0, 1].get_facecolor()) == INPUT
    assert to_hex(cells[0, 2].get_facecolor()) == DROPPED
    assert cells[0, 2].get_alpha() < cells[1, 0].get_alpha() < 1


def test_long_names_are_rotated():
    (ax,) = plots.confusion_heatmap(np.eye(2, dtype=int), ["airplane", "cat"]).axes
    assert ax.get_xticklabels()[0].get_rotation() == 45


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (lambda: plots.training_curves({}), "nothing to draw"),
        (
            lambda: plots.training_curves({"a": []}),
            r"'a' must be .* array of numbers, got shape \(0,\)",
        ),
        (lambda: plots.training_curves({"a": [[1.0]]}), r"got shape \(1, 1\)"),
        (lambda: plots.loss_against_learning_rate({}), "nothing to draw"),
        (
            lambda: plots.loss_against_learning_rate({"a": ([0.1], [1.0, 2.0])}),
            r"'a' must have .* the same length, .* shapes \(1,\) and \(2,\)",
        ),
        (lambda: plots.loss_against_learning_rate({"a": ([], [])}), "at least 1"),
        (
            lambda: plots.loss_against_learning_rate({"a": ([0.0, 1.0], [1.0, 2.0])}),
            "learning rates must be positive, got 0 in 'a'",
        ),
        (lambda: plots.gradient_descent(np.square, {}, (0, 1)), "nothing to draw"),
        (lambda: plots.gradient_descent(np.square, {"a": []}, (0, 1)), r"'a' must .* shape \(0,\)"),
        (lambda: plots.gradient_descent(np.square, {"a": [[1]]}, (0, 1)), r"got shape \(1, 1\)"),
        (lambda: plots.gradient_descent(np.square, {"a": [1]}, (1, 1)), r"limits .* got \(1, 1\)"),
        (
            lambda: plots.confusion_heatmap([[1, 2]], "a"),
            r"square matrix of non-negative ints, got int64 of shape \(1, 2\)",
        ),
        (lambda: plots.confusion_heatmap([[0.5]], "a"), "got float64"),
        (lambda: plots.confusion_heatmap([[-1]], "a"), "non-negative .* minimum -1"),
        (lambda: plots.confusion_heatmap(np.zeros((0, 0), int), ""), "square matrix"),
        (lambda: plots.confusion_heatmap([[1]], "ab"), "class_names must have length 1, got 2"),
    ],
)
def test_invalid_arguments_are_refused(draw, message):
    with pytest.raises(ValueError, match=message):
        draw()
