"""A confusion matrix shows its numbers, and tells right answers from mistakes by their colour."""

import numpy as np
import pytest
from matplotlib.colors import to_hex

from convlab.plots import confusion_matrix
from convlab.plots.confusion import RIGHT
from convlab.plots.drawing import DROPPED, INPUT

COUNTS = [[9, 0, 1], [2, 7, 0], [0, 0, 8]]


def test_each_number_but_zero_stands_in_its_cell():
    (axis,) = confusion_matrix(COUNTS, "abc").axes
    written = {(text.get_position()[1], text.get_position()[0]): text.get_text()
               for text in axis.texts}  # fmt: skip
    assert written == {(0, 0): "9", (0, 2): "1", (1, 0): "2", (1, 1): "7", (2, 2): "8"}
    assert (axis.get_xlabel(), axis.get_ylabel()) == ("answer", "label")
    assert [label.get_text() for label in axis.get_yticklabels()] == ["a", "b", "c"]


def test_right_answers_are_blue_and_the_commonest_mistake_is_the_reddest():
    (axis,) = confusion_matrix(COUNTS, "abc").axes
    cells = dict(zip(np.ndindex(3, 3), axis.patches, strict=True))
    assert {to_hex(cells[i, i].get_facecolor()) for i in range(3)} == {RIGHT}
    assert to_hex(cells[0, 1].get_facecolor()) == INPUT
    assert to_hex(cells[0, 2].get_facecolor()) == DROPPED
    assert cells[0, 2].get_alpha() < cells[1, 0].get_alpha() < 1


def test_long_names_are_turned():
    (axis,) = confusion_matrix(np.eye(2, dtype=int), ["airplane", "cat"]).axes
    assert axis.get_xticklabels()[0].get_rotation() == 45


@pytest.mark.parametrize(
    ("counts", "names", "message"),
    [
        ([[1, 2]], "a", r"square matrix of whole numbers from 0 on, got int64 of shape \(1, 2\)"),
        ([[0.5]], "a", "got float64"),
        ([[-1]], "a", "from 0 on"),
        (np.zeros((0, 0), int), "", "square matrix"),
        ([[1]], "ab", "1 classes need 1 names, got 2"),
    ],
)
def test_what_is_no_confusion_matrix(counts, names, message):
    with pytest.raises(ValueError, match=message):
        confusion_matrix(counts, names)
