"""Figures of measured times: dots, speedups with their quartiles, and over the operations saved."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter
from numpy.typing import ArrayLike, NDArray

from convlab.plots.drawing import (
    DROPPED,
    INK,
    LINE,
    READ,
    SERIES_COLOURS,
    Drawing,
    arrays_of,
    check_not_empty,
    grid_size,
    legend_above,
    lines_by_label,
    marker_style,
    panel_axes,
    style_chart,
    write,
)

# The series differ in marker, colour and fill, for print and for colour-blind readers.
STYLES: tuple[dict[str, Any], ...] = tuple(
    {"color": colour, "marker": marker, **line}
    for colour, marker in ((DROPPED, "o"), ("#2471a3", "s"), (READ, "^"))
    for line in ({"linestyle": "-"}, {"linestyle": ":", "markerfacecolor": "white"})
)


def speedups(panels: Mapping[str, Mapping[str, ArrayLike]], reference: str) -> Drawing:
    """Draw speedups over a reference, with their quartiles.

    A contender is a point at the median, also written at the right edge, and a line from quartile
    to quartile. Panels share one logarithmic axis, on which twice as fast is as far to the right of
    the dashed line as half as fast is to the left.

    Parameters
    ----------
    panels : mapping of str to mapping of str to array (3,)
        For the title of each panel and the name of each contender, from top to bottom, the lower
        quartile, the median and the upper quartile of its speedup.
    reference : str
        The name of the reference, which is the dashed line at 1.

    Raises
    ------
    ValueError
        If there is nothing to draw, or a contender does not have three positive numbers in
        ascending order.

    Examples
    --------
    >>> drawing = speedups({"LeNet5": {"compiled": [1.1, 1.25, 1.3]}}, "the plain loop")
    >>> [text.get_text() for text in drawing.axes[0].texts]
    ['1.25']
    """
    check_not_empty(panels, "panel")
    checked = {title: _quartiles(title, named) for title, named in panels.items()}
    sizes = [len(quartiles) for quartiles in checked.values()]
    drawing = Drawing(5.8, 0.3 * sum(sizes) + 0.42 * len(sizes) + 0.6)
    axes = panel_axes(drawing, len(sizes), sharex=True, height_ratios=sizes)
    for ax, (title, quartiles) in zip(axes, checked.items(), strict=True):
        _draw_speedups(ax, title, quartiles)
    ratios = [1.0, *np.concatenate([row for rows in checked.values() for row in rows.values()])]
    low, high = min(ratios), max(ratios)
    axes[-1].set_xlim(low / 1.06, high * 1.06)
    # Ticks at the powers of two, and between them as many as there is space for.
    ticks = (1.0,) if high > 8 * low else (1.0, 1.5) if high > 3 * low else (1.0, 1.25, 1.5, 1.75)
    axes[-1].xaxis.set_major_locator(LogLocator(base=2, subs=ticks))
    axes[-1].set_xlabel(f"times as fast as {reference}", fontsize=9.5, color=INK)
    return drawing


def _quartiles(title: str, named: Mapping[str, ArrayLike]) -> dict[str, NDArray[Any]]:
    arrays = {name: array.astype(float) for name, array in arrays_of(named).items()}
    for name, array in arrays.items():
        if array.shape != (3,) or not (array > 0).all() or not (np.diff(array) >= 0).all():
            raise ValueError(
                f"{name!r} in {title!r} must be three positive numbers in ascending order (lower "
                f"quartile, median, upper quartile), got {array.tolist()}"
            )
    return arrays


def _draw_speedups(ax: Axes, title: str, quartiles: Mapping[str, NDArray[Any]]) -> None:
    ax.axvline(1, color=INK, linestyle="--", linewidth=1)
    right_edge = {"transform": ax.get_yaxis_transform(), "ha": "left"}
    for y, (low, median, high) in enumerate(quartiles.values()):
        ax.plot([low, high], [y, y], color=LINE, linewidth=3, solid_capstyle="butt")
        ax.plot(median, y, "o", markersize=6, color=READ, markeredgecolor=INK)
        write(ax, 1.02, y, f"{median:.2f}", 9, **right_edge)
    ax.set_title(title, fontsize=10, color=INK, loc="left")
    ax.set_xscale("log", base=2)
    ax.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.grid(axis="x", color=LINE, alpha=0.3)
    ax.set_yticks(range(len(quartiles)), list(quartiles))
    ax.set_ylim(len(quartiles) - 0.4, -0.6)
    ax.tick_params(labelsize=9, colors=INK)
    ax.tick_params(axis="y", length=0)
    ax.spines[["top", "right", "left"]].set_visible(False)


def dots(
    panels: Mapping[str, Mapping[str, Mapping[str, float]]],
    xlabel: str,
    line: float | None = None,
) -> Drawing:
    """Draw positive numbers as dots on a logarithmic axis, one row per name.

    Parameters
    ----------
    panels : mapping of str to mapping of str to mapping of str to float
        For the title of each panel and the name of each row, from top to bottom, the number of
        each series. Series of the same name look the same; there are at most six names. Panels
        stand one above the other and share their axis.
    xlabel : str
        What the numbers are.
    line : float, optional
        Where to draw a dashed line.

    Raises
    ------
    ValueError
        If there is nothing to draw, a number is not positive, or there are more than six names
        of series.

    Examples
    --------
    >>> drawing = dots({"speed": {"loops": {"mine": 0.1}, "library": {"others": 80}}}, "GFLOP/s")
    >>> [label.get_text() for label in drawing.axes[0].get_yticklabels()]
    ['loops', 'library']
    """
    check_not_empty(panels, "panel")
    for title, rows in panels.items():
        check_not_empty(rows, f"row for {title!r}")
        for name, numbers in rows.items():
            if not numbers or min(numbers.values()) <= 0:
                raise ValueError(
                    f"{name!r} in {title!r} must have positive numbers, got {dict(numbers)}"
                )
    names = list(
        dict.fromkeys(
            series for rows in panels.values() for numbers in rows.values() for series in numbers
        )
    )
    if len(names) > len(SERIES_COLOURS):
        raise ValueError(f"there must be at most {len(SERIES_COLOURS)} series, got {names}")
    sizes = [len(rows) for rows in panels.values()]
    drawing = Drawing(5.0, 0.25 * sum(sizes) + 0.42 * len(sizes) + 0.9)
    axes = panel_axes(drawing, len(sizes), sharex=True, height_ratios=sizes)
    for ax, (title, rows) in zip(axes, panels.items(), strict=True):
        if line is not None:
            ax.axvline(line, color=INK, linestyle="--", linewidth=1)
        for index, series in enumerate(names):
            found = {y: row[series] for y, row in enumerate(rows.values()) if series in row}
            style = {**marker_style(index), "markersize": 6, "linestyle": "", "label": series}
            ax.plot(list(found.values()), list(found), **style)
        ax.set_title(title, fontsize=10, color=INK, loc="left")
        ax.set_xscale("log")
        style_chart(ax)
        ax.set_yticks(range(len(rows)), list(rows))
        ax.set_ylim(len(rows) - 0.4, -0.6)
    low, high = axes[-1].get_xlim()
    if high < 20 * low:  # less than a decade has too few ticks
        axes[-1].xaxis.set_major_locator(LogLocator(base=2, subs=(1.0, 1.5)))
        axes[-1].xaxis.set_minor_formatter(NullFormatter())
    axes[-1].xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axes[-1].set_xlabel(xlabel, fontsize=9.5, color=INK)
    if len(names) > 1:
        labelled = [entry for entry in lines_by_label(drawing) if entry.get_label() in names]
        legend_above(drawing, columns=3, handles=labelled)
    return drawing


def speedup_against_operations(panels: Mapping[str, Mapping[str, ArrayLike]]) -> Drawing:
    """Draw measured speedups over the factors by which the operations were reduced.

    Both axes are logarithmic, with the same scale in every panel. On the dashed line, a layer
    with a tenth of the operations takes a tenth of the time; below it, longer than that.

    Parameters
    ----------
    panels : mapping of str to mapping of str to array (n, 2)
        For the title of each panel and the name of each series, its points: how many times fewer
        operations, how many times less time. Series of the same name look the same; there are at
        most six names.

    Raises
    ------
    ValueError
        If there is nothing to draw, a series is not an array (n, 2) of positive numbers, or
        there are more than six names.

    Examples
    --------
    >>> drawing = speedup_against_operations({"my layer": {"CPU": [[2, 1.8], [4, 2.9]]}})
    >>> [axes.get_title() for axes in drawing.axes]
    ['my layer']
    """
    check_not_empty(panels, "panel")
    checked = {title: _points(title, named) for title, named in panels.items()}
    names = list(dict.fromkeys(name for series in checked.values() for name in series))
    if len(names) > len(STYLES):
        raise ValueError(f"panels must have at most {len(STYLES)} names of series, got {names}")
    styles = dict(zip(names, STYLES, strict=False))
    rows, columns = grid_size(len(panels), columns=2)
    drawing = Drawing(2.9 * columns + 0.2, 2.8 * rows + 0.6)
    axes = panel_axes(drawing, len(panels), columns, sharex=True, sharey=True)
    points = np.concatenate([array for series in checked.values() for array in series.values()])
    ends = min(1.0, points.min()), points.max()
    for ax, (title, series) in zip(axes, checked.items(), strict=True):
        ax.plot(ends, ends, color=INK, linestyle="--", linewidth=1, label="time as operations")
        for name, array in series.items():
            style = {"markersize": 5, "linewidth": 1.2, **styles[name]}
            ax.plot(array[:, 0], array[:, 1], label=name, **style)
        ax.set_title(title, fontsize=10, color=INK)
        ax.loglog(base=2)
        for axis in (ax.xaxis, ax.yaxis):
            axis.set_major_formatter(StrMethodFormatter("{x:g}"))
        ax.grid(color=LINE, alpha=0.3)
        ax.tick_params(labelsize=9, labelbottom=True)  # also where no panel stands below
    drawing.supylabel("times less time", fontsize=10, color=INK)
    drawing.supxlabel("times fewer operations", fontsize=10, color=INK)
    legend: dict[str, Any] = {"handles": lines_by_label(drawing), "frameon": False}
    if len(panels) < rows * columns:  # the place of one panel is free
        drawing.legend(loc="center", **legend).set_bbox_to_anchor((0.77, 0.55 / rows))
    else:
        drawing.legend(loc="outside upper center", ncols=columns, **legend)
    return drawing


def _points(title: str, named: Mapping[str, ArrayLike]) -> dict[str, NDArray[Any]]:
    arrays = arrays_of(named)
    for name, array in arrays.items():
        if array.ndim != 2 or array.shape[1] != 2 or not len(array) or not (array > 0).all():
            raise ValueError(
                f"{name!r} in {title!r} must be an array (n, 2) of positive numbers, got shape "
                f"{array.shape}"
            )
    return arrays
