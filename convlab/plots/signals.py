"""Sizes of numbers: how they are spread, and what becomes of them from layer to layer."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike, NDArray

from convlab.plots.drawing import DPI, INK, LINE, READ, Drawing, arrays_of

# In this order of lightness, so that they stay apart in grey; each with a marker of its own.
COLOURS = ("#0b3c6f", "#b3492f", "#2f8f6b", "#8a6fc2", "#c58a00", "#5f6b7a")
MARKERS = "os^Dv*"


def histogram(
    values: ArrayLike,
    curves: Mapping[str, tuple[ArrayLike, ArrayLike]] | None = None,
    bins: int = 60,
) -> Drawing:
    """Draw how numbers are spread, with the densities they might have been drawn from.

    Parameters
    ----------
    values : array
        The numbers, of any shape. The area of their bars is 1.
    curves : mapping of str to (x, density), optional
        Names and points of lines to draw over the bars.
    bins : int
        Number of bars, at least 1.

    Raises
    ------
    ValueError
        If there are no numbers, or `x` and density of a curve differ in length.

    Examples
    --------
    >>> drawing = histogram([0.1, 0.2, 0.2], {"flat": ([0, 1], [1, 1])}, bins=4)
    >>> drawing.axes[0].get_ylabel()
    'density'
    """
    numbers = np.asarray(values, dtype=float).ravel()
    if not numbers.size:
        raise ValueError("nothing to draw: values holds no numbers")
    drawing = Drawing(figsize=(5.2, 3.0), layout="constrained", dpi=DPI)
    axis = drawing.subplots()
    axis.hist(numbers, bins=bins, density=True, color=READ, label=f"{numbers.size:,} numbers")
    for position, (name, (x, density)) in enumerate((curves or {}).items()):
        points, heights = np.asarray(x, dtype=float), np.asarray(density, dtype=float)
        if points.shape != heights.shape or points.ndim != 1:
            raise ValueError(
                f"curve {name!r} has x of shape {points.shape} and densities of shape "
                f"{heights.shape}: two rows of one length are needed"
            )
        axis.plot(points, heights, color=COLOURS[position % len(COLOURS)],
                  linestyle=("-", "--", ":")[position % 3], linewidth=1.8, label=name)  # fmt: skip
    axis.set_ylabel("density", color=INK)
    _finish(drawing, axis, "x")
    return drawing


def signals(
    measured: Mapping[str, ArrayLike],
    predicted: Mapping[str, ArrayLike] | None = None,
    quantity: str = "mean square",
    place: str = "layer",
) -> Drawing:
    """Draw a number for each layer of several networks, on a logarithmic scale.

    Parameters
    ----------
    measured : mapping of str to array (layers,)
        Name of each network and what was measured behind its first, second, ... layer:
        numbers above 0.
    predicted : mapping of str to array (layers,), optional
        For some of these names, what theory says; drawn dashed.
    quantity, place : str
        What is measured, and where: the labels of the axes.

    Returns
    -------
    Drawing
        One axes.

    Raises
    ------
    ValueError
        If there is nothing to draw, an array is not a row of numbers above 0, or
        `predicted` has a name that was not measured.

    Examples
    --------
    >>> drawing = signals({"halving": [1, 0.5, 0.25]}, {"halving": [1, 0.5, 0.25]})
    >>> drawing.axes[0].get_yscale()
    'log'
    """
    rows, theory = arrays_of(measured), arrays_of(predicted) if predicted else {}
    unknown = set(theory) - set(rows)
    if unknown:
        raise ValueError(f"predicted names {sorted(unknown)}, measured are {list(rows)}")
    drawing = Drawing(figsize=(5.2, 3.8), layout="constrained", dpi=DPI)
    axis = drawing.subplots()
    for position, (name, row) in enumerate(rows.items()):
        style = position % len(COLOURS)
        axis.plot(_layers(row, name), row, color=COLOURS[style], marker=MARKERS[style],
                  markersize=4, linewidth=1.2, label=name)  # fmt: skip
        if name in theory:
            axis.plot(_layers(theory[name], name), theory[name], color=COLOURS[style],
                      linewidth=1.8, linestyle="--", zorder=1)  # fmt: skip
    if theory:
        axis.plot([], [], color=LINE, linewidth=1.8, linestyle="--", label="by theory")
    axis.set_yscale("log")
    axis.set_xlabel(place, color=INK)
    axis.set_ylabel(quantity, color=INK)
    _finish(drawing, axis, "both")
    return drawing


def _layers(row: NDArray[np.generic], name: str) -> NDArray[np.int_]:
    """Count the layers from 1, provided that every value has a logarithm."""
    if row.ndim != 1 or not row.size or not (np.asarray(row, dtype=float) > 0).all():
        raise ValueError(
            f"{name!r} must be a row of numbers above 0, for a logarithmic scale; "
            f"got shape {row.shape}"
            + (f" with a smallest number of {row.min()}" if row.size else "")
        )
    return np.arange(1, row.size + 1)


def _finish(drawing: Drawing, axis: Axes, grid: str) -> None:
    """Put the names above the picture, where they hide nothing, and a quiet grid behind it."""
    axis.grid(axis=grid, color=LINE, alpha=0.25)  # type: ignore[arg-type]
    axis.set_axisbelow(True)
    axis.spines[["top", "right"]].set_visible(False)
    axis.spines[["left", "bottom"]].set_color(LINE)
    axis.tick_params(colors=INK, labelsize=9)
    drawing.legend(loc="outside upper center", ncols=2, frameon=False, fontsize=9, labelcolor=INK)
