"""How a weight walks down a curve."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike, NDArray

from convlab.plots.drawing import DPI, INK, LINE, Drawing, arrays_of
from convlab.plots.signals import COLOURS, MARKERS

WIDTH = 2.3  # inches of one panel


def descent(
    loss: Callable[[NDArray[np.float64]], ArrayLike],
    paths: Mapping[str, ArrayLike],
    limits: tuple[float, float],
) -> Drawing:
    """Draw the steps of one weight on the curve of its loss.

    Parameters
    ----------
    loss : callable
        Takes an array of weights and returns the loss for each.
    paths : mapping of str to array (steps + 1,)
        Per panel its title, and the weight before the first step, after it, and so on.
    limits : (float, float)
        From which weight to which one to draw. Steps beyond them leave the picture.

    Returns
    -------
    Drawing
        One axes per path, all with the same scales.

    Raises
    ------
    ValueError
        If there is nothing to draw, a path is not a row of numbers, or the limits do not ascend.

    Examples
    --------
    >>> drawing = descent(np.square, {"slowly": [4, 2, 1, 0.5]}, limits=(-5, 5))
    >>> drawing.axes[0].lines[1].get_ydata()
    array([16.  ,  4.  ,  1.  ,  0.25])
    """
    rows = arrays_of(paths)
    low, high = limits
    if not low < high:
        raise ValueError(f"limits must ascend, got {limits}")
    drawing = Drawing(figsize=(WIDTH * len(rows) + 0.4, 2.6), layout="constrained", dpi=DPI)
    axes = drawing.subplots(1, len(rows), sharex=True, sharey=True, squeeze=False)[0]
    places = np.linspace(low, high, 201)
    heights = np.asarray(loss(places), dtype=float)
    for axis, (title, row) in zip(axes, rows.items(), strict=True):
        if row.ndim != 1 or not row.size:
            raise ValueError(f"{title!r} must be a row of weights, got shape {row.shape}")
        path = row.astype(float)
        axis.plot(places, heights, color=LINE, linewidth=1.4)
        axis.plot(path, np.asarray(loss(path), dtype=float), color=COLOURS[1],
                  marker=MARKERS[0], markersize=4, linewidth=1.0)  # fmt: skip
        axis.set(xlim=limits, ylim=(-0.04 * heights.max(), 1.04 * heights.max()))
        axis.set_title(title, fontsize=10, color=INK)
        axis.set_xlabel("weight", color=INK)
        axis.xaxis.set_major_locator(MaxNLocator(4, integer=True))
        axis.spines[["top", "right"]].set_visible(False)
        axis.spines[["left", "bottom"]].set_color(LINE)
        axis.tick_params(colors=INK, labelsize=9)
    axes[0].set_ylabel("loss", color=INK)
    return drawing
