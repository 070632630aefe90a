"""How fast each of several ways is, beside one of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter
from numpy.typing import ArrayLike, NDArray

from convlab.plots.drawing import DPI, INK, LINE, READ, Drawing, arrays_of


def speeds(panels: Mapping[str, Mapping[str, ArrayLike]], reference: str) -> Drawing:
    """Draw how many times as fast as the reference each way is, with its spread.

    Panels stand below each other on one logarithmic axis, so that twice as fast is as far to the
    right of the dashed line as half as fast is to the left.

    Parameters
    ----------
    panels : mapping of str to mapping of str to array (3,)
        Per panel, its title; in it, per way from top to bottom, its name and three ratios: the
        lower quartile, the median and the upper quartile.
    reference : str
        What the ratios compare with: the dashed line at 1.

    Returns
    -------
    Drawing
        One axes per panel, with a point and a line from quartile to quartile for each way, and
        the median written at the right edge.

    Raises
    ------
    ValueError
        If there is nothing to draw, or a way has not three positive numbers in rising order.

    Examples
    --------
    >>> drawing = speeds({"LeNet5": {"compiled": [1.1, 1.25, 1.3]}}, "the plain loop")
    >>> [text.get_text() for text in drawing.axes[0].texts]
    ['1.25']
    """
    if not panels:
        raise ValueError("nothing to draw: give at least one panel")
    checked = {title: _ratios(title, named) for title, named in panels.items()}
    sizes = [len(named) for named in checked.values()]
    drawing = Drawing(
        figsize=(5.8, 0.3 * sum(sizes) + 0.42 * len(sizes) + 0.6), layout="constrained", dpi=DPI
    )
    rows = drawing.subplots(len(sizes), 1, sharex=True, squeeze=False, height_ratios=sizes)
    for axis, (title, named) in zip(rows[:, 0], checked.items(), strict=True):
        _panel(axis, title, named)
    everything = np.concatenate([row for named in checked.values() for row in named.values()])
    low, high = min(1.0, everything.min()), max(1.0, everything.max())
    drawing.axes[-1].set_xlim(low / 1.06, high * 1.06)
    # As many marks as there is room for: powers of two, and what lies between them.
    between = (1.0,) if high > 8 * low else (1.0, 1.5) if high > 3 * low else (1.0, 1.25, 1.5, 1.75)
    drawing.axes[-1].xaxis.set_major_locator(LogLocator(base=2, subs=between))
    drawing.axes[-1].set_xlabel(f"times as fast as {reference}", fontsize=9.5, color=INK)
    return drawing


def _ratios(title: str, named: Mapping[str, ArrayLike]) -> dict[str, NDArray[Any]]:
    arrays = {name: array.astype(float) for name, array in arrays_of(named).items()}
    for name, array in arrays.items():
        if array.shape != (3,) or not (array > 0).all() or not (np.diff(array) >= 0).all():
            raise ValueError(
                f"{name!r} in {title!r} must be three positive numbers in rising order (lower "
                f"quartile, median, upper quartile), got {array.tolist()}"
            )
    return arrays


def _panel(axis: Axes, title: str, named: Mapping[str, NDArray[Any]]) -> None:
    axis.axvline(1, color=INK, linestyle="--", linewidth=1)
    for place, (low, middle, high) in enumerate(named.values()):
        axis.plot([low, high], [place, place], color=LINE, linewidth=3, solid_capstyle="butt")
        axis.plot(middle, place, "o", markersize=6, color=READ, markeredgecolor=INK)
        axis.text(1.02, place, f"{middle:.2f}", transform=axis.get_yaxis_transform(),
                  va="center", fontsize=9, color=INK)  # fmt: skip
    axis.set_title(title, fontsize=10, color=INK, loc="left")
    axis.set_xscale("log", base=2)
    axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.xaxis.set_minor_formatter(NullFormatter())
    axis.grid(axis="x", color=LINE, alpha=0.3)
    axis.set(yticks=range(len(named)), ylim=(len(named) - 0.4, -0.6))
    axis.set_yticklabels(list(named))
    axis.tick_params(labelsize=9, colors=INK)
    axis.spines[["top", "right", "left"]].set_visible(False)
    axis.tick_params(axis="y", length=0)
