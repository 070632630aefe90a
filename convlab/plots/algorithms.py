"""Figures of algorithms that compute sums of products with fewer multiplications."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike, NDArray

from convlab.plots.drawing import INK, INPUT, LINE, READ, Drawing, cell, write

BOX, SIDE = 4.6, 0.75  # width of the box of a product, side of the square of a number
COLUMNS = 0.0, 4.0, 8.0  # the centres of inputs, products and outputs
SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


def fast_products(
    input_matrix: ArrayLike, factors: Sequence[str], output_matrix: ArrayLike
) -> Drawing:
    """Draw how an algorithm such as Winograd's makes outputs of inputs with few products.

    The inputs d are on the left, the products m in the middle, the outputs y on the right. A line
    says that a number is added; a dashed one that it is subtracted.

    Parameters
    ----------
    input_matrix : array (products, inputs)
        1, 0 or −1: the sum of inputs that each product multiplies.
    factors : sequence of str
        What each product multiplies this sum by.
    output_matrix : array (outputs, products)
        1, 0 or −1: the sum of products that each output is.

    Raises
    ------
    ValueError
        If the shapes do not belong together, or a coefficient is not 1, 0 or −1.

    Examples
    --------
    >>> drawing = fast_products([[1, 0], [1, 1]], ["a", "b"], [[1, -1]])
    >>> [text.get_text() for text in drawing.axes[0].texts]
    ['d₀', 'd₁', 'm₁ = d₀ · a', 'm₂ = (d₀ + d₁) · b', 'y₀']
    """
    before, after = np.asarray(input_matrix), np.asarray(output_matrix)
    count = len(factors)
    if before.ndim != 2 or after.ndim != 2 or not len(before) == count == after.shape[1]:
        raise ValueError(
            f"expected matrices (products, inputs) and (outputs, products) and a factor per "
            f"product, got {before.shape}, {after.shape} and {count} factors"
        )
    if not np.isin(before, (-1, 0, 1)).all() or not np.isin(after, (-1, 0, 1)).all():
        raise ValueError("coefficients must be 1, 0 or -1")
    rows = max(before.shape[1], count, len(after))
    drawing = Drawing(5.1, 0.52 * rows + 0.1, layout=None)
    ax = drawing.add_axes((0, 0, 1, 1))
    ax.set(xlim=(-0.6, COLUMNS[2] + 0.6), ylim=(rows - 0.4, -0.6))
    ax.set_axis_off()
    places = [_places(n, rows) for n in (before.shape[1], count, len(after))]
    left, right = BOX / 2, SIDE / 2
    _connect(ax, before, (COLUMNS[0] + right, COLUMNS[1] - left), (places[0], places[1]))
    _connect(ax, after, (COLUMNS[1] + left, COLUMNS[2] - right), (places[1], places[2]))
    for name, x, ys in (("d", COLUMNS[0], places[0]), ("y", COLUMNS[2], places[2])):
        for index, y in enumerate(ys):
            cell(ax, x, y, READ if name == "y" else INPUT, SIDE, SIDE, zorder=2)
            if name == "d":
                write(ax, x, y, _name("d", index), 11, zorder=3)
    for index, (y, factor) in enumerate(zip(places[1], factors, strict=True)):
        cell(ax, COLUMNS[1], y, INPUT, BOX, SIDE, zorder=2)
        text = f"{_name('m', index + 1)} = {_sum(before[index])} · {factor}"
        write(ax, COLUMNS[1], y, text, 10, zorder=3)
    for index, y in enumerate(places[2]):
        write(ax, COLUMNS[2], y, _name("y", index), 11, zorder=3)
    return drawing


def _places(count: int, rows: int) -> NDArray[np.float64]:
    """Return the y of `count` boxes, spread evenly over the rows."""
    return (np.arange(count) + 0.5) * rows / count - 0.5


def _name(letter: str, index: int) -> str:
    return letter + str(index).translate(SUBSCRIPTS)


def _sum(coefficients: NDArray[np.float64]) -> str:
    """Write a sum of inputs, the positive ones first, in brackets if there are several."""
    order = sorted(np.flatnonzero(coefficients), key=lambda index: -coefficients[index])
    terms = [("+" if coefficients[i] > 0 else "−", _name("d", int(i))) for i in order]
    text = " ".join(part for term in terms for part in term).removeprefix("+ ")
    return f"({text})" if len(terms) > 1 else text.replace("− ", "−")


def _connect(
    ax: Axes,
    matrix: NDArray[np.float64],
    x: tuple[float, float],
    places: tuple[NDArray[np.float64], NDArray[np.float64]],
) -> None:
    for target, source in np.argwhere(matrix):
        negative = matrix[target, source] < 0
        y = places[0][source], places[1][target]
        colour, dashes = (INK, "--") if negative else (LINE, "-")
        ax.plot(x, y, color=colour, linestyle=dashes, linewidth=1.4, zorder=1)
