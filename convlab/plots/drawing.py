"""What every drawing of the book shares: the figure that shows itself, the colours, the cell."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import ArrayLike, NDArray

# One meaning, one colour, in every figure. They differ in lightness as well as in hue,
# so they stay apart in grey and for colour-blind readers.
INK = "#1f2933"
LINE = "#8a94a6"
INPUT = "#ffffff"
READ = "#f5b041"  # a cell that a window reads, and the output cell that it makes
PADDING = "#dfe4ea"
DROPPED = "#c0563f"
DPI = 144  # twice the resolution of the page, so that it stays sharp on dense screens


class Drawing(Figure):
    """A matplotlib figure that shows itself in a notebook.

    A plain figure does so only when pyplot made it and the inline backend is at work,
    and then twice if it is also the value of the cell.
    """

    def _repr_png_(self) -> bytes:
        buffer = io.BytesIO()
        self.savefig(buffer, format="png", bbox_inches="tight")
        return buffer.getvalue()


def arrays_of(named: Mapping[str, ArrayLike]) -> dict[str, NDArray[Any]]:
    """Make arrays of what the caller named, and refuse an empty mapping."""
    if not named:
        raise ValueError("nothing to draw: give at least one title with its array")
    return {title: np.asarray(values) for title, values in named.items()}


def cell(
    axis: Axes,
    x: float,
    y: float,
    colour: str,
    height: float = 1,
    edge: str = LINE,
    hatch: str | None = None,
) -> None:
    """Draw one cell with its centre at (x, y), one unit wide."""
    corner = x - 0.5, y - height / 2
    axis.add_patch(
        Rectangle(corner, 1, height, facecolor=colour, edgecolor=edge, linewidth=0.8, hatch=hatch)
    )
