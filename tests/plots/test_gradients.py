"""The arrows of the backward pass are those of the forward pass, turned round."""

import numpy as np
import pytest
from matplotlib.colors import to_hex

from convlab import ops, plots
from convlab.plots.drawing import INK, READ
from tests.plots.reading import cells, texts


def numbers(ax):
    """Return the numbers in the cells, without names and weights."""
    return [float(text) for text in texts(ax) if text and text[0] not in "xy×"]


def dark_arrows(ax):
    """Return tail and tip of the arrows of the chosen input."""
    arrows = [text for text in ax.texts if getattr(text, "arrow_patch", None)]
    dark = [a for a in arrows if to_hex(a.arrow_patch.get_edgecolor()) == INK]
    return [(arrow.xyann, arrow.xy) for arrow in dark]


@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("position", [0, 2, 4])
def test_panels_show_the_numbers_of_the_convolution(position, stride):
    x, w = np.array([5.0, 1, 4, 2, 3]), np.array([2.0, 7])
    y = np.correlate(x, w)[::stride]
    g = 10.0 ** np.arange(y.size)
    forward, backward = plots.backward_arrows(x, w, g, position, stride).axes
    assert numbers(forward) == [*x, *y]
    image, kernel, grad = (row.reshape(1, 1, 1, -1) for row in (x, w, g))
    expected, _, _ = ops.conv2d_backward(grad, image, kernel, stride=(1, stride))
    assert numbers(backward) == [*expected.ravel(), *g]


def test_the_same_arrows_lead_back():
    forward, backward = plots.backward_arrows([1, 2, 3, 4], [1, 2], [1, 10, 100], 1).axes
    assert len(dark_arrows(forward)) == 2
    assert [(tip, tail) for tail, tip in dark_arrows(forward)] == dark_arrows(backward)
    assert [text for text in texts(backward) if "×" in text] == ["×2", "×1"]
    assert len(cells(backward, READ)) == 1 + 2
    assert backward.get_title() == "backward: x1 receives 1·2 + 10·1 = 12"


def test_an_input_that_no_window_reads_receives_nothing():
    forward, backward = plots.backward_arrows([1, 2, 3], [1], [1, 10], 1, stride=2).axes
    assert forward.get_title() == "forward: x1 enters no output"
    assert backward.get_title() == "backward: x1 receives nothing"
    assert dark_arrows(forward) == []


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (([[1]], [1], [1], 0), ValueError, "'x' must be a one-dimensional"),
        (([1, 2], [1], [1, 1], 2), ValueError, "position must be below 2"),
        (([1, 2], [1], [1, 1], -1), ValueError, "position must be at least 0"),
        (([1, 2], [1], [1, 1], 0.5), TypeError, "position must be an int"),
        (([1, 2], [1], [1], 0), ValueError, "grad_output"),
        (([1, 2], [1], [1, 1], 0, 0), ValueError, "stride"),
    ],
)
def test_invalid_arguments_are_refused(arguments, error, message):
    with pytest.raises(error, match=message):
        plots.backward_arrows(*arguments)
