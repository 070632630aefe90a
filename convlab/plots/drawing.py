"""Common parts of all figures: the self-displaying `Drawing`, colours, cells, axes and legends."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sized
from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from numpy.typing import ArrayLike, NDArray

from convlab._validate import integer

# Each colour has one meaning in every figure. They differ in lightness as well as in hue, so they
# can be distinguished in greyscale and by colour-blind readers.
INK = "#1f2933"  # text
LINE = "#8a94a6"  # edges, grids and connecting lines
INPUT = "#ffffff"  # an input cell
READ = "#f5b041"  # a cell that a window reads, and the output cell that it makes
PADDING = "#dfe4ea"  # a cell of padding
DROPPED = "#c0563f"  # a cell at the border that no window reads

# Series of one chart, in order of lightness, each with a marker and a line style of its own.
SERIES_COLOURS = ("#0b3c6f", "#b3492f", "#2f8f6b", "#8a6fc2", "#c58a00", "#5f6b7a")
SERIES_MARKERS = "os^Dv*"
SERIES_LINES = ("-", "--", ":")

DPI = 144  # twice the resolution of the page, to stay sharp on dense screens


class Drawing(Figure):
    """A matplotlib figure that displays itself in a notebook; width and height are in inches.

    A plain figure does so only if pyplot made it and the inline backend is active, and then
    twice if it is also the value of the cell. As text, it is the list of what is written in it.
    """

    def __init__(
        self, width: float, height: float, layout: Literal["constrained"] | None = "constrained"
    ) -> None:
        super().__init__(figsize=(width, height), dpi=DPI, layout=layout)

    def __repr__(self) -> str:
        panels = [
            " ".join(
                text.get_text().replace("\n", " ")
                for text in (ax.title, *ax.texts)
                if text.get_text() and text.get_visible()
            )
            for ax in self.axes
        ]
        return f"<Drawing: {' | '.join(filter(None, panels))}>" if any(panels) else "<Drawing>"

    def _repr_png_(self) -> bytes:
        buffer = io.BytesIO()
        self.savefig(buffer, format="png", bbox_inches="tight")
        return buffer.getvalue()


def check_not_empty(items: Sized, expected: str) -> None:
    """Raise a ValueError if there is nothing to draw."""
    if not len(items):
        raise ValueError(f"nothing to draw: give at least one {expected}")


def arrays_of(named: Mapping[str, ArrayLike]) -> dict[str, NDArray[Any]]:
    """Convert the values of a mapping to arrays, at least one."""
    check_not_empty(named, "title with its array")
    return {title: np.asarray(values) for title, values in named.items()}


def rows_of(named: Mapping[str, ArrayLike], positive: bool = False) -> dict[str, NDArray[Any]]:
    """Convert the values of a mapping to one-dimensional arrays of floats, at least one."""
    rows = {name: array.astype(float) for name, array in arrays_of(named).items()}
    for name, row in rows.items():
        if row.ndim != 1 or not row.size or (positive and not (row > 0).all()):
            smallest = f" and minimum {row.min():g}" if positive and row.size else ""
            raise ValueError(
                f"{name!r} must be a one-dimensional array of {'positive ' * positive}numbers, "
                f"got shape {row.shape}{smallest}"
            )
    return rows


def points_of(name: str, x: ArrayLike, y: ArrayLike) -> tuple[NDArray[Any], NDArray[Any]]:
    """Convert the coordinates of a curve to two one-dimensional arrays of the same length."""
    xs, ys = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    if xs.shape != ys.shape or xs.ndim != 1 or not xs.size:
        raise ValueError(
            f"{name!r} must have two one-dimensional arrays of the same length, at least 1, got "
            f"shapes {xs.shape} and {ys.shape}"
        )
    return xs, ys


def grid_size(count: int, columns: int) -> tuple[int, int]:
    """Return the rows and columns of a grid of `count` panels, at most `columns` wide."""
    columns = min(integer(columns, "columns", minimum=1), count)
    return -(-count // columns), columns


def panel_axes(drawing: Drawing, count: int, columns: int = 1, **options: Any) -> list[Axes]:
    """Add `count` axes in rows of `columns`; `options` go to `Figure.subplots`."""
    grid = drawing.subplots(-(-count // columns), columns, squeeze=False, **options)
    axes: list[Axes] = grid.ravel().tolist()
    for unused in axes[count:]:
        drawing.delaxes(unused)
    return axes[:count]


def cell(
    ax: Axes, x: float, y: float, colour: str, width: float = 1, height: float = 1, **style: Any
) -> None:
    """Draw a rectangle with its centre at (x, y)."""
    style = {"edgecolor": LINE, "linewidth": 0.8, **style}
    corner = x - width / 2, y - height / 2
    ax.add_patch(Rectangle(corner, width, height, facecolor=colour, **style))


def write(ax: Axes, x: float, y: float, text: str, fontsize: float, **style: Any) -> None:
    """Write text, by default with its centre at (x, y)."""
    style = {"ha": "center", "va": "center", "color": INK, **style}
    ax.text(x, y, text, fontsize=fontsize, **style)


def line_style(index: int) -> dict[str, Any]:
    """Return the style of a series without markers: colour and dashes."""
    colour = SERIES_COLOURS[index % len(SERIES_COLOURS)]
    return {"color": colour, "linestyle": SERIES_LINES[index % len(SERIES_LINES)]}


def marker_style(index: int) -> dict[str, Any]:
    """Return the style of a series with markers: colour and marker."""
    index %= len(SERIES_COLOURS)
    return {"color": SERIES_COLOURS[index], "marker": SERIES_MARKERS[index], "markersize": 4}


def style_chart(
    ax: Axes, xlabel: str = "", ylabel: str = "", grid: Literal["x", "both"] | None = "both"
) -> None:
    """Label a chart, and reduce its frame to two sides and a faint grid behind the data."""
    ax.set_xlabel(xlabel, color=INK)
    ax.set_ylabel(ylabel, color=INK)
    if grid:
        ax.grid(axis=grid, color=LINE, alpha=0.25)
        ax.set_axisbelow(True)
    ax.spines[:].set_color(LINE)
    ax.spines[["top", "right"]].set_visible(False)
    ax.tick_params(colors=INK, labelsize=9)


def legend_above(drawing: Drawing, columns: int = 2, **options: Any) -> None:
    """Add a legend above the panels."""
    options = {"fontsize": 9, "labelcolor": INK, **options}
    drawing.legend(loc="outside upper center", ncols=columns, frameon=False, **options)


def lines_by_label(drawing: Drawing) -> list[Line2D]:
    """Return one line for each label in any of the axes, for a common legend."""
    return list({str(line.get_label()): line for ax in drawing.axes for line in ax.lines}.values())
