"""Small matrices with the number in each cell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike, NDArray

from convlab.plots.drawing import DPI, INK, INPUT, READ, Drawing, arrays_of, cell

Box = tuple[int, int, int, int]


def matrices(
    named: Mapping[str, ArrayLike],
    highlight: Mapping[str, Box] | None = None,
    signs: Sequence[str] = (),
) -> Drawing:
    """Draw small matrices side by side, with the number in each cell.

    Parameters
    ----------
    named : mapping of str to array (rows, columns)
        Title and numbers of each matrix, from left to right.
    highlight : mapping of str to (row, column, rows, columns), optional
        For a title, the block of cells to colour.
    signs : sequence of str, optional
        What to write between one matrix and the next, for example ``["⋆", "="]``.

    Returns
    -------
    Drawing
        One axes per matrix.

    Raises
    ------
    ValueError
        If there is nothing to draw, an array is not two-dimensional, or `highlight` names a
        title that is not there.

    Examples
    --------
    >>> drawing = matrices({"x": [[1, 2], [3, 4]], "y": [[10]]}, {"x": (0, 0, 2, 2)}, "→")
    >>> [axes.get_title() for axes in drawing.axes]
    ['x', 'y']
    """
    arrays = arrays_of(named)
    for title, array in arrays.items():
        if array.ndim != 2:
            raise ValueError(f"{title!r} must be a matrix, got shape {array.shape}")
    unknown = set(highlight or ()) - set(arrays)
    if unknown:
        raise ValueError(f"highlight names {sorted(unknown)}, the titles are {list(arrays)}")
    widths = [array.shape[1] for array in arrays.values()]
    height = max(array.shape[0] for array in arrays.values())
    gaps = 1.2 * (len(widths) - 1)
    drawing = Drawing(figsize=(0.42 * (sum(widths) + gaps), 0.42 * height + 0.35), dpi=DPI)
    axes = drawing.subplots(
        ncols=len(arrays),
        squeeze=False,
        width_ratios=widths,
        gridspec_kw={"wspace": 1.2 * len(widths) / sum(widths)},
    )
    for position, (title, array) in enumerate(arrays.items()):
        axis = axes[0, position]
        _matrix(axis, array, (highlight or {}).get(title))
        axis.set_title(title, fontsize=10, color=INK)
        if position < min(len(signs), len(arrays) - 1):
            middle = array.shape[1] + 0.1
            size = 28 if signs[position] == "⋆" else 15  # a small glyph in the font
            axis.text(middle, array.shape[0] / 2 - 0.5, signs[position], fontsize=size,
                      va="center", ha="center", color=INK)  # fmt: skip
    return drawing


def _matrix(axis: Axes, array: NDArray[Any], box: Box | None) -> None:
    rows, columns = array.shape
    axis.set(xlim=(-0.55, columns - 0.45), ylim=(rows - 0.45, -0.55), aspect="equal", anchor="C")
    axis.set_axis_off()
    row, column, box_rows, box_columns = box or (0, 0, 0, 0)
    for (i, j), number in np.ndenumerate(array):
        inside = row <= i < row + box_rows and column <= j < column + box_columns
        cell(axis, j, i, READ if inside else INPUT)
        text = f"{number:g}" if abs(number) < 1000 else f"{number:.0f}"
        axis.text(j, i, text.replace("-", "\u2212"), ha="center", va="center", color=INK,
                  fontsize=11 if len(text) < 4 else 8)  # fmt: skip
