"""Spreads and signals are drawn as they were given."""

import numpy as np
import pytest

from convlab import plots


def lines(drawing):
    return {line.get_label(): line for line in drawing.axes[0].lines}


def names(drawing):
    return [text.get_text() for text in drawing.legends[0].get_texts()]


def test_the_bars_of_a_histogram_have_the_area_1():
    numbers = np.random.default_rng(0).normal(size=(30, 40))
    drawing = plots.histogram(numbers, {"law": ([-1, 1], [0.5, 0.5])}, bins=20)
    bars = drawing.axes[0].patches
    assert len(bars) == 20
    assert sum(bar.get_width() * bar.get_height() for bar in bars) == pytest.approx(1)
    assert list(lines(drawing)["law"].get_ydata()) == [0.5, 0.5]
    assert names(drawing) == ["1,200 numbers", "law"]


def test_each_network_is_a_line_over_its_layers_with_its_theory_dashed():
    measured = {"first": [1, 0.1, 0.01], "second": [3, 2]}
    drawing = plots.signals(measured, {"first": [1.1, 0.1, 0.02]}, quantity="size", place="step")
    first, theory, second, key = drawing.axes[0].lines
    for line, numbers in ((first, [1, 0.1, 0.01]), (theory, [1.1, 0.1, 0.02]), (second, [3, 2])):
        assert list(line.get_xdata()) == list(range(1, len(numbers) + 1))
        assert list(line.get_ydata()) == numbers
    assert (first.get_linestyle(), theory.get_linestyle()) == ("-", "--")
    assert first.get_color() == theory.get_color() != second.get_color()
    assert key.get_label() == "by theory"
    assert names(drawing) == ["first", "second", "by theory"]
    axis = drawing.axes[0]
    assert (axis.get_yscale(), axis.get_ylabel(), axis.get_xlabel()) == ("log", "size", "step")


def test_without_theory_the_legend_does_not_speak_of_it():
    assert names(plots.signals({"only": [1, 2]})) == ["only"]


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (lambda: plots.histogram([]), "holds no numbers"),
        (lambda: plots.histogram([1], {"law": ([1, 2], [1])}), r"'law' has x of shape \(2,\)"),
        (lambda: plots.signals({}), "nothing to draw"),
        (lambda: plots.signals({"a": [1, 0]}), "'a' must be .* smallest number of 0"),
        (lambda: plots.signals({"a": []}), r"'a' must be .* got shape \(0,\)"),
        (lambda: plots.signals({"a": [[1]]}), r"'a' must be .* got shape \(1, 1\)"),
        (lambda: plots.signals({"a": [1]}, {"b": [1]}), r"\['b'\], measured are \['a'\]"),
        (lambda: plots.signals({"a": [1]}, {"a": [-1]}), "'a' must be .* smallest number of -1"),
    ],
)
def test_what_cannot_be_drawn_is_refused(draw, message):
    with pytest.raises(ValueError, match=message):
        draw()
