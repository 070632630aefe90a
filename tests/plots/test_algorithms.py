"""An algorithm's products stand between its inputs and outputs; dashed lines subtract."""

import numpy as np
import pytest

from convlab import plots
from convlab.ops.winograd import cook_toom
from convlab.plots.drawing import READ
from tests.plots.reading import cells, texts

INPUTS = [[1, 0, -1, 0], [0, 1, 1, 0], [0, -1, 1, 0], [0, 1, 0, -1]]
OUTPUTS = [[1, 1, 1, 0], [0, 1, -1, -1]]


def test_each_product_says_what_it_multiplies():
    (ax,) = plots.fast_products(INPUTS, ["a", "b", "c", "e"], OUTPUTS).axes
    assert texts(ax) == [
        "d₀", "d₁", "d₂", "d₃",
        "m₁ = (d₀ − d₂) · a", "m₂ = (d₁ + d₂) · b", "m₃ = (d₂ − d₁) · c", "m₄ = (d₁ − d₃) · e",
        "y₀", "y₁",
    ]  # fmt: skip
    assert len(cells(ax, READ)) == 2


def test_a_line_adds_and_a_dashed_line_subtracts():
    (ax,) = plots.fast_products(INPUTS, "abce", OUTPUTS).axes
    lines = [line.get_linestyle() for line in ax.lines]
    coefficients = np.concatenate([np.ravel(INPUTS), np.ravel(OUTPUTS)])
    assert lines.count("-") == (coefficients == 1).sum()
    assert lines.count("--") == (coefficients == -1).sum()


def test_the_scheme_of_winograd_can_be_drawn_and_a_single_minus_has_no_brackets():
    output, _, inputs = cook_toom(2, 3)
    assert len(plots.fast_products(inputs, "abcd", output).axes) == 1
    (ax,) = plots.fast_products([[-1]], ["g"], [[1]]).axes
    assert texts(ax)[1] == "m₁ = −d₀ · g"


@pytest.mark.parametrize(
    ("inputs", "factors", "outputs", "message"),
    [
        ([[1, 0]], "ab", [[1]], "a factor per product"),
        ([1, 0], "ab", [[1, 1]], r"\(2,\)"),
        ([[1]], "a", [[1, 1]], "a factor per product"),
        ([[2]], "a", [[1]], "1, 0 or -1"),
        ([[1]], "a", [[0.5]], "1, 0 or -1"),
    ],
)
def test_what_does_not_belong_together_is_refused(inputs, factors, outputs, message):
    with pytest.raises(ValueError, match=message):
        plots.fast_products(inputs, factors, outputs)
