"""Numbers with what is not known about them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from convlab.plots.drawing import DPI, INK, LINE, Drawing
from convlab.plots.signals import COLOURS


def intervals(named: Mapping[str, tuple[float, float, float]], quantity: str = "") -> Drawing:
    """Draw one bar per measurement, from the lowest to the highest value that it allows.

    Parameters
    ----------
    named : mapping of str to (low, value, high)
        Name of each measurement, from top to bottom, what was measured, and its interval.
    quantity : str
        What is measured, for the axis.

    Returns
    -------
    Drawing
        One axes.

    Raises
    ------
    ValueError
        If there is nothing to draw, or a value does not lie in its interval.

    Examples
    --------
    >>> drawing = intervals({"once": (0.5, 0.6, 0.9), "often": (0.58, 0.6, 0.62)})
    >>> [label.get_text() for label in drawing.axes[0].get_yticklabels()]
    ['once', 'often']
    """
    if not named:
        raise ValueError("nothing to draw: give at least one name with its interval")
    for name, (low, value, high) in named.items():
        if not low <= value <= high:
            raise ValueError(f"{name!r} is {value}, which does not lie from {low} to {high}")
    rows = np.array(list(named.values()), dtype=float)
    drawing = Drawing(figsize=(5.8, 0.34 * len(rows) + 0.8), layout="constrained", dpi=DPI)
    axis = drawing.subplots()
    places = np.arange(len(rows))
    reach = np.abs(rows[:, [0, 2]] - rows[:, [1]]).T
    axis.errorbar(rows[:, 1], places, xerr=reach, fmt="o", color=COLOURS[0], markersize=5,
                  capsize=4, linewidth=1.8)  # fmt: skip
    axis.set_yticks(places, list(named))
    axis.set_ylim(len(rows) - 0.5, -0.5)
    axis.set_xlabel(quantity, color=INK)
    axis.grid(axis="x", color=LINE, alpha=0.25)
    axis.set_axisbelow(True)
    axis.spines[["top", "right", "left"]].set_visible(False)
    axis.spines["bottom"].set_color(LINE)
    axis.tick_params(colors=INK, labelsize=9)
    axis.tick_params(axis="y", length=0)
    return drawing
