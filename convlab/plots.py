"""The drawings of the book: matrices with their numbers, pictures, windows on a strip.

Every function draws arrays or numbers that the caller brings, so a reader can put in a
layer of their own. What comes back is a `Drawing`, a matplotlib figure that shows itself
at the end of a notebook cell; elsewhere, ``drawing.savefig("name.png")`` keeps it. Its
``axes`` can be changed like those of any figure. Nothing is left behind in pyplot.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from convlab.shapes import (
    conv2d_dropped_border,
    conv2d_output_size,
    conv2d_padding,
    dilated_kernel_size,
    integer,
)

try:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.patches import Rectangle
except ImportError as error:
    raise ImportError(
        "convlab.plots draws with matplotlib, which is missing: pip install matplotlib"
    ) from error

__all__ = ["Drawing", "images", "kernels", "matrices", "windows"]

# One meaning, one colour, in every figure. They differ in lightness as well as in hue,
# so they stay apart in grey and for colour-blind readers.
INK = "#1f2933"
LINE = "#8a94a6"
INPUT = "#ffffff"
READ = "#f5b041"  # a cell that a window reads, and the output cell that it makes
PADDING = "#dfe4ea"
DROPPED = "#c0563f"
DPI = 144  # twice the resolution of the page, so that it stays sharp on dense screens

Box = tuple[int, int, int, int]


class Drawing(Figure):
    """A matplotlib figure that shows itself in a notebook.

    A plain figure does so only when pyplot made it and the inline backend is at work,
    and then twice if it is also the value of the cell.
    """

    def _repr_png_(self) -> bytes:
        buffer = io.BytesIO()
        self.savefig(buffer, format="png", bbox_inches="tight")
        return buffer.getvalue()


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
    arrays = _arrays(named)
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


def _arrays(named: Mapping[str, ArrayLike]) -> dict[str, NDArray[Any]]:
    if not named:
        raise ValueError("nothing to draw: give at least one title with its array")
    return {title: np.asarray(values) for title, values in named.items()}


def _matrix(axis: Axes, array: NDArray[Any], box: Box | None) -> None:
    rows, columns = array.shape
    axis.set(xlim=(-0.55, columns - 0.45), ylim=(rows - 0.45, -0.55), aspect="equal", anchor="C")
    axis.set_axis_off()
    row, column, box_rows, box_columns = box or (0, 0, 0, 0)
    for (i, j), number in np.ndenumerate(array):
        inside = row <= i < row + box_rows and column <= j < column + box_columns
        _cell(axis, j, i, READ if inside else INPUT)
        text = f"{number:g}" if abs(number) < 1000 else f"{number:.0f}"
        axis.text(j, i, text.replace("-", "\u2212"), ha="center", va="center", color=INK,
                  fontsize=11 if len(text) < 4 else 8)  # fmt: skip


def _cell(
    axis: Axes,
    x: float,
    y: float,
    colour: str,
    height: float = 1,
    edge: str = LINE,
    hatch: str | None = None,
) -> None:
    corner = x - 0.5, y - height / 2
    axis.add_patch(
        Rectangle(corner, 1, height, facecolor=colour, edgecolor=edge, linewidth=0.8, hatch=hatch)
    )


def images(named: Mapping[str, ArrayLike], columns: int = 3, symmetric: bool = False) -> Drawing:
    """Draw pictures in a row, or in several.

    Parameters
    ----------
    named : mapping of str to array, (H, W) or (H, W, 3)
        Title and pixels. Grey pictures are stretched each from its darkest to its
        lightest value; colours are uint8, or floats from 0 to 1.
    columns : int
        How many to put beside each other.
    symmetric : bool
        Draw grey pictures with 0 in the middle grey, so that negative values are dark
        and positive ones light: for the results of filters.

    Returns
    -------
    Drawing
        One axes per picture, in the order given.

    Raises
    ------
    ValueError
        If there is nothing to draw, or an array is neither (H, W) nor (H, W, 3).

    Examples
    --------
    >>> drawing = images({"dark to light": np.arange(6).reshape(2, 3)})
    >>> drawing.axes[0].images[0].get_array().shape
    (2, 3)
    """
    arrays = _arrays(named)
    columns = min(integer(columns, "columns", minimum=1), len(arrays))
    for title, array in arrays.items():
        if array.ndim != 2 and (array.ndim != 3 or array.shape[2] != 3):
            raise ValueError(f"{title!r} must be (H, W) or (H, W, 3), got shape {array.shape}")
    rows = -(-len(arrays) // columns)
    height, width = next(iter(arrays.values())).shape[:2]
    figure_width = 7.0
    panel = figure_width / columns
    drawing = Drawing(
        figsize=(figure_width, rows * (panel * height / width + 0.3)),
        layout="constrained",
        dpi=DPI,
    )
    axes = drawing.subplots(rows, columns, squeeze=False)
    for unused in axes.flat[len(arrays) :]:
        drawing.delaxes(unused)
    for axis, (title, array) in zip(drawing.axes, arrays.items(), strict=True):
        axis.set_axis_off()
        limit = (float(np.abs(array).max()) or 1.0) if symmetric else None
        axis.imshow(
            array,
            cmap="gray",
            vmin=None if limit is None else -limit,
            vmax=limit,
            interpolation="nearest",
        )
        axis.set_title(title, fontsize=10, color=INK)
    return drawing


def kernels(weight: ArrayLike) -> Drawing:
    """Draw the weight of a convolution: a row per kernel, a column per channel it reads.

    Parameters
    ----------
    weight : array, (O, C / groups, kH, kW)
        All slices share one colour scale: blue below zero, white at zero, red above.

    Returns
    -------
    Drawing
        O * C / groups axes, kernel by kernel, and the colour bar.

    Raises
    ------
    ValueError
        If `weight` is not four-dimensional.

    Examples
    --------
    >>> [axes.get_title() for axes in kernels(np.ones((2, 3, 3, 3))).axes[:3]]
    ['channel 0', 'channel 1', 'channel 2']
    """
    w = np.asarray(weight)
    if w.ndim != 4:
        raise ValueError(f"weight must be (out_channels, in_channels / groups, kH, kW), "
                         f"got shape {w.shape}")  # fmt: skip
    count, depth = w.shape[:2]
    limit = float(np.abs(w).max()) or 1.0
    drawing = Drawing(
        figsize=(0.95 * depth + 1.0, 0.95 * count + 0.4), layout="constrained", dpi=DPI
    )
    axes = drawing.subplots(count, depth, squeeze=False)
    for (o, c), axis in np.ndenumerate(axes):
        picture = axis.imshow(w[o, c], cmap="RdBu_r", vmin=-limit, vmax=limit)
        axis.set(xticks=[], yticks=[])
        if o == 0:
            axis.set_title(f"channel {c}", fontsize=9, color=INK)
        if c == 0:
            axis.set_ylabel(f"kernel {o}", fontsize=9, color=INK)
    drawing.colorbar(picture, ax=axes, shrink=min(1.0, 2.5 / count))
    return drawing


def windows(
    size: int,
    kernel_size: int,
    stride: int = 1,
    padding: int | Literal["same", "valid"] = 0,
    dilation: int = 1,
) -> Drawing:
    """Draw every place where the window stands, along one direction.

    The top strip is the padded input: numbered cells are pixels, grey ones padding, and
    the crossed ones at the end are never read. Each row below is one output cell, with
    the cells that it reads filled.

    Parameters
    ----------
    size, kernel_size, stride, padding, dilation
        One direction of a convolution, as ints (`padding` may be a string); see
        `convlab.shapes.conv2d_output_size`.

    Raises
    ------
    TypeError, ValueError
        As `convlab.shapes.conv2d_output_size` does.

    Examples
    --------
    >>> drawing = windows(size=6, kernel_size=3, stride=2, padding=1)
    >>> drawing.axes[0].get_title()
    '6 cells, kernel_size=3, stride=2, padding=1: 3 outputs'
    """
    size = integer(size, "size", minimum=1)
    kernel_size = integer(kernel_size, "kernel_size", minimum=1)
    stride = integer(stride, "stride", minimum=1)
    dilation = integer(dilation, "dilation", minimum=1)
    if not isinstance(padding, str):
        padding = integer(padding, "padding", minimum=0)
    count, _ = conv2d_output_size(size, kernel_size, stride, padding, dilation)
    dropped, _ = conv2d_dropped_border(size, kernel_size, stride, padding, dilation)
    _, _, before, after = conv2d_padding(padding, kernel_size, stride, dilation)
    extent, _ = dilated_kernel_size(kernel_size, dilation)
    total = before + size + after
    drawing = Drawing(
        figsize=(0.36 * (total + 3.2), 0.36 * (count + 2.2) + 0.3), layout="constrained", dpi=DPI
    )
    axis = drawing.subplots()
    for cell in range(total):
        pixel = before <= cell < before + size
        unread = cell >= total - dropped
        _cell(
            axis,
            cell,
            0,
            INPUT if pixel else PADDING,
            edge=DROPPED if unread else LINE,
            hatch="xxx" if unread else None,
        )
        if pixel and not unread:
            axis.text(cell, 0, str(cell - before), ha="center", va="center", color=INK, fontsize=9)
    for output in range(count):
        first, y = output * stride, output + 1.4
        axis.plot([first - 0.5, first + extent - 0.5], [y, y], color=LINE, linewidth=0.8, zorder=0)
        for cell in range(first, first + extent, dilation):
            _cell(axis, cell, y, READ, height=0.8)
        axis.text(total + 0.1, y, f"→ y[{output}]", va="center", color=INK, fontsize=9)
    axis.set(xlim=(-0.7, total + 2.4), ylim=(count + 1.2, -0.7), aspect="equal")
    axis.set_axis_off()
    options = {"stride": (stride, 1), "padding": (padding, 0), "dilation": (dilation, 1)}
    said = [f"{name}={value!r}" for name, (value, default) in options.items() if value != default]
    axis.set_title(
        f"{size} cells, {', '.join([f'kernel_size={kernel_size}', *said])}: "
        f"{count} output{'s' if count > 1 else ''}",
        fontsize=10,
        color=INK,
    )
    return drawing
