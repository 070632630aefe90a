"""What was expected beside what was measured."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter
from numpy.typing import ArrayLike, NDArray

from convlab.plots.drawing import DPI, DROPPED, INK, LINE, READ, Drawing, arrays_of

# Shape, colour and filling each tell the series apart, for print and for colour-blind readers.
STYLES: tuple[dict[str, Any], ...] = (
    {"color": DROPPED, "marker": "o", "linestyle": "-"},
    {"color": DROPPED, "marker": "o", "linestyle": ":", "markerfacecolor": "white"},
    {"color": "#2471a3", "marker": "s", "linestyle": "-"},
    {"color": "#2471a3", "marker": "s", "linestyle": ":", "markerfacecolor": "white"},
    {"color": READ, "marker": "^", "linestyle": "-"},
    {"color": READ, "marker": "^", "linestyle": ":", "markerfacecolor": "white"},
)


def cost_against_time(panels: Mapping[str, Mapping[str, ArrayLike]]) -> Drawing:
    """Draw how much time was saved over how much work was saved.

    Both axes are logarithmic, with the same scale in every panel. On the dashed line, a layer
    with a tenth of the operations takes a tenth of the time; below it, longer than that.
    Panels stand in pairs beside each other.

    Parameters
    ----------
    panels : mapping of str to mapping of str to array (n, 2)
        Per panel, its title; in it, per series, its name and its points: how many times fewer
        operations, how many times less time. At most six series in a panel; those of the
        same name look the same.

    Returns
    -------
    Drawing
        One axes per panel, with one line per series and the dashed one, and a legend.

    Raises
    ------
    ValueError
        If there is nothing to draw, a series is not an array (n, 2) of positive numbers, or a
        panel has more than six.

    Examples
    --------
    >>> drawing = cost_against_time({"my layer": {"at home": [[2, 1.8], [4, 2.9]]}})
    >>> [axes.get_title() for axes in drawing.axes]
    ['my layer']
    """
    if not panels:
        raise ValueError("nothing to draw: give at least one panel")
    checked = {title: _series(title, named) for title, named in panels.items()}
    names = list(dict.fromkeys(name for named in checked.values() for name in named))
    if len(names) > len(STYLES):
        raise ValueError(f"at most {len(STYLES)} series can be told apart, got {names}")
    styles = dict(zip(names, STYLES, strict=False))
    rows, columns = -(-len(panels) // 2), min(2, len(panels))
    drawing = Drawing(
        figsize=(2.9 * columns + 0.2, 2.8 * rows + 0.6), layout="constrained", dpi=DPI
    )
    axes = drawing.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    for unused in axes.flat[len(panels) :]:
        drawing.delaxes(unused)
    points = np.concatenate([array for named in checked.values() for array in named.values()])
    ends = min(1.0, points.min()), points.max()
    for axis, (title, named) in zip(drawing.axes, checked.items(), strict=True):
        _panel(axis, title, named, styles, ends)
    drawing.supylabel("times less time", fontsize=10, color=INK)
    drawing.supxlabel("times fewer operations", fontsize=10, color=INK)
    lines = {str(line.get_label()): line for axis in drawing.axes for line in axis.lines}
    if len(panels) < rows * columns:  # a place is free
        legend = drawing.legend(handles=list(lines.values()), loc="center")
        legend.set_bbox_to_anchor((0.77, 0.55 / rows))
    else:
        legend = drawing.legend(
            handles=list(lines.values()), loc="outside upper center", ncols=columns
        )
    legend.set_frame_on(False)
    return drawing


def _series(title: str, named: Mapping[str, ArrayLike]) -> dict[str, NDArray[Any]]:
    arrays = arrays_of(named)
    for name, array in arrays.items():
        if array.ndim != 2 or array.shape[1] != 2 or not len(array) or not (array > 0).all():
            raise ValueError(
                f"{name!r} in {title!r} must be an array (n, 2) of positive numbers, got shape "
                f"{array.shape}"
            )
    return arrays


def _panel(
    axis: Axes,
    title: str,
    named: Mapping[str, NDArray[Any]],
    styles: Mapping[str, dict[str, Any]],
    ends: tuple[float, float],
) -> None:
    axis.plot(ends, ends, color=INK, linestyle="--", linewidth=1, label="time as operations")
    for name, array in named.items():
        axis.plot(array[:, 0], array[:, 1], markersize=5, linewidth=1.2, label=name, **styles[name])
    axis.set_title(title, fontsize=10, color=INK)
    axis.set_xscale("log", base=2)
    axis.set_yscale("log", base=2)
    axis.grid(color=LINE, alpha=0.3)
    for direction in (axis.xaxis, axis.yaxis):
        direction.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.tick_params(labelsize=9, labelbottom=True)  # also where no panel stands below
