"""Which pixels an output cell depends on, and how many it takes to see far."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

# Before matplotlib itself: where that is missing, this one says how to get it.
from convlab.plots.drawing import DPI, DROPPED, INK, INPUT, LINE, READ, Drawing

# isort: split
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.ticker import MaxNLocator

from convlab._validate import integer
from convlab.shapes import path_counts, receptive_fields
from convlab.shapes.receptive_field import WindowLayer

# From few paths to many; white stays for the cells that are never seen.
SEEN = LinearSegmentedColormap.from_list(
    "seen", ["#fbe7c2", READ, "#a3540b", "#4a1d04"]
).with_extremes(bad=INPUT)
CURVES = ((INK, "o"), ("#b9770e", "s"), (DROPPED, "^"), ("#2874a6", "D"), ("#7d3c98", "v"))


def coverage(
    named: Mapping[str, Sequence[WindowLayer] | NDArray[Any]],
    columns: int = 3,
    numbers: bool = False,
) -> Drawing:
    """Draw which pixels one output cell depends on, and how strongly.

    White cells are never seen. The others are the darker the more paths lead from them to
    the output, each panel on its own scale. Cells have the same size in all panels, so
    that the receptive fields can be compared; a row is as high as its largest panel.

    Parameters
    ----------
    named : mapping of str to layers, or to an array (rows, columns)
        For each title, either a list of ``(kernel_size, stride, dilation)`` from the first
        layer to the last, whose paths are counted by `convlab.shapes.path_counts`; or an
        array of numbers of at least 0, such as the absolute gradient of an output cell.
    columns : int
        How many panels to put beside each other, at least 1.
    numbers : bool
        Write the number into each cell that is seen: for small windows.

    Returns
    -------
    Drawing
        One axes per title; below it, how many cells are seen, and for counts, the most paths,
        if that is more than one.

    Raises
    ------
    TypeError
        If a layer or `columns` is of the wrong kind, see `convlab.shapes.path_counts`.
    ValueError
        If there is nothing to draw, an array is not two-dimensional, or empty, or has
        negative numbers, infinities or NaN; for layers, as `path_counts` does.

    Examples
    --------
    Three layers that read every second cell, and never see the others:

    >>> drawing = coverage({"three layers, dilation 2": [(3, 1, 2)] * 3})
    >>> print(drawing.axes[0].get_xlabel())
    49 of 169 cells
    up to 49 paths
    """
    if not named:
        raise ValueError("nothing to draw: give at least one title with its layers or array")
    columns = min(integer(columns, "columns", minimum=1), len(named))
    panels = {title: _numbers(title, what) for title, what in named.items()}
    width = max(array.shape[1] for array in panels.values())
    each = [array.shape[0] for array in panels.values()]
    heights = [max(each[first : first + columns]) for first in range(0, len(each), columns)]
    rows = len(heights)
    # Wide enough for the words, and not so wide that they vanish on a phone.
    room = min(6.5 / columns, 4.0)
    side = min(room / (width + 0.5), 0.42 if numbers else 0.22)
    drawing = Drawing(
        figsize=(columns * max(side * width + 0.2, 1.5), side * sum(heights) + 0.85 * rows),
        layout="constrained",
        dpi=DPI,
    )
    axes = drawing.subplots(rows, columns, squeeze=False, height_ratios=heights)
    for unused in axes.flat[len(panels) :]:
        drawing.delaxes(unused)
    for place, (axis, (title, array)) in enumerate(zip(drawing.axes, panels.items(), strict=True)):
        _panel(axis, array, heights[place // columns], width)
        if numbers:
            _write(axis, array)
        axis.set_title(title, fontsize=10, color=INK)
    return drawing


def _numbers(title: str, what: Sequence[WindowLayer] | ArrayLike) -> NDArray[Any]:
    if isinstance(what, list | tuple):
        rows, columns = path_counts(what)
        # Python's whole numbers have no end; floats reach far enough for a picture.
        along = [np.array([float(count) for count in counts]) for counts in (rows, columns)]
        return np.outer(*along)
    array = np.asarray(what)
    if array.ndim != 2 or array.size == 0:
        raise ValueError(f"{title!r} must be layers or a matrix, got shape {array.shape}")
    if not (np.isfinite(array).all() and (array >= 0).all()):
        raise ValueError(
            f"{title!r} must hold numbers of at least 0, got {array.min():g} to {array.max():g}; "
            f"of a gradient, take the absolute value"
        )
    return array


def _panel(axis: Axes, array: NDArray[Any], height: int, width: int) -> None:
    rows, columns = array.shape
    seen = int((array > 0).sum())
    most = float(array.max())
    flat = most > 0 and array[array > 0].min() == most
    axis.pcolormesh(
        np.arange(columns + 1) - 0.5,
        np.arange(rows + 1) - 0.5,
        np.ma.masked_equal(array, 0),
        cmap=SEEN,
        vmin=0,
        vmax=3 * most if flat else most or 1.0,  # nothing to tell apart: one middle shade
        edgecolors=LINE,
        linewidth=0.5 if max(rows, columns) <= 40 else 0,
    )
    middle_y, middle_x = (rows - 1) / 2, (columns - 1) / 2
    axis.set(
        xlim=(middle_x - width / 2 - 0.1, middle_x + width / 2 + 0.1),
        ylim=(middle_y + height / 2 + 0.1, middle_y - height / 2 - 0.1),
        aspect="equal",
        xticks=[],
        yticks=[],
    )
    axis.spines[:].set_visible(False)
    paths = f"\nup to {most:,.0f} paths" if most == round(most) > 1 else ""
    axis.set_xlabel(f"{seen:,} of {array.size:,} cells{paths}", fontsize=9, color=INK)


def _write(axis: Axes, array: NDArray[Any]) -> None:
    most = float(array.max())
    for (row, column), number in np.ndenumerate(array):
        if number:
            axis.text(column, row, f"{number:g}", ha="center", va="center", fontsize=9,
                      color=INPUT if number > 0.6 * most > 0.6 else INK)  # fmt: skip


def growth(named: Mapping[str, Sequence[WindowLayer]]) -> Drawing:
    """Draw how the receptive field grows from layer to layer, one curve per stack.

    Parameters
    ----------
    named : mapping of str to layers
        For each name, a list of ``(kernel_size, stride, dilation)`` from the first layer to
        the last; where height and width differ, the width is drawn.

    Returns
    -------
    Drawing
        One axes with the number of layers to the right and the cells seen upwards; the
        curves start at 1, the pixel itself.

    Raises
    ------
    TypeError, ValueError
        If there is nothing to draw, or more than five curves; for layers, as
        `convlab.shapes.path_counts` does.

    Examples
    --------
    >>> drawing = growth({"dilation 1, 2, 4": [(3, 1, 1), (3, 1, 2), (3, 1, 4)]})
    >>> [int(size) for size in drawing.axes[0].lines[0].get_ydata()]
    [1, 3, 7, 15]
    """
    if not 1 <= len(named) <= len(CURVES):
        raise ValueError(f"growth draws 1 to {len(CURVES)} curves, got {len(named)}")
    drawing = Drawing(figsize=(6.0, 3.2), layout="constrained", dpi=DPI)
    axis = drawing.subplots()
    for (name, layers), (colour, marker) in zip(named.items(), CURVES, strict=False):
        sizes = [columns.size for _, columns in receptive_fields(layers)]
        axis.plot(range(len(sizes)), sizes, color=colour, marker=marker, label=name)
        axis.annotate(str(sizes[-1]), (len(sizes) - 1, sizes[-1]), xytext=(7, -3),
                      textcoords="offset points", fontsize=9, color=colour)  # fmt: skip
    axis.set_xlabel("layers", color=INK)
    axis.set_ylabel("receptive field, cells", color=INK)
    axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    axis.spines[["top", "right"]].set_visible(False)
    axis.legend(frameon=False)
    return drawing
