"""The drawings of the book: matrices with their numbers, pictures, windows on a strip.

Every function draws arrays or numbers that the caller brings and returns the matplotlib
axes, so a reader can put in a layer of their own and change the result. In a notebook,
end the line with ``;`` to show the picture alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

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
    import matplotlib.pyplot as plt
    from matplotlib.axes import Axes
    from matplotlib.patches import Rectangle
except ImportError as error:
    raise ImportError(
        "convlab.plots draws with matplotlib, which is missing: pip install matplotlib"
    ) from error

__all__ = ["images", "kernels", "matrices", "windows"]

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


def matrices(
    named: Mapping[str, ArrayLike],
    highlight: Mapping[str, Box] | None = None,
    signs: Sequence[str] = (),
) -> NDArray[Any]:
    """Draw small matrices side by side, with the number in each cell.

    Parameters
    ----------
    named : mapping of str to array (rows, columns)
        Title and numbers of each matrix, from left to right.
    highlight : mapping of str to (row, column, rows, columns), optional
        For a title, the block of cells to colour.
    signs : sequence of str, optional
        What to write between one matrix and the next, for example ``["*", "="]``.

    Returns
    -------
    array of Axes
        One per matrix.

    Raises
    ------
    ValueError
        If an array is not two-dimensional, or `highlight` names a title that is not there.

    Examples
    --------
    >>> axes = matrices({"x": [[1, 2], [3, 4]], "y": [[10]]}, {"x": (0, 0, 2, 2)}, ["→"])
    >>> len(axes)
    2
    """
    arrays = {title: np.asarray(numbers) for title, numbers in named.items()}
    for title, array in arrays.items():
        if array.ndim != 2:
            raise ValueError(f"{title!r} must be a matrix, got shape {array.shape}")
    unknown = set(highlight or ()) - set(arrays)
    if unknown:
        raise ValueError(f"highlight names {sorted(unknown)}, the titles are {list(arrays)}")
    widths = [array.shape[1] for array in arrays.values()]
    height = max(array.shape[0] for array in arrays.values())
    _, axes = plt.subplots(
        1,
        len(arrays),
        figsize=(0.42 * (sum(widths) + 1.2 * (len(widths) - 1)), 0.42 * height + 0.35),
        width_ratios=widths,
        gridspec_kw={"wspace": 1.2 * len(widths) / sum(widths)},
        squeeze=False,
        dpi=DPI,
    )
    for position, (title, array) in enumerate(arrays.items()):
        axis = axes[0, position]
        _matrix(axis, array, (highlight or {}).get(title))
        axis.set_title(title, fontsize=10, color=INK)
        if position < len(signs):
            middle = array.shape[1] + 0.1
            axis.text(middle, array.shape[0] / 2 - 0.5, signs[position], fontsize=15, va="center",
                      ha="center", color=INK)  # fmt: skip
    return axes[0]  # type: ignore[no-any-return]


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


def _cell(axis: Axes, x: float, y: float, colour: str, height: float = 1, **style: Any) -> None:
    look = {"facecolor": colour, "edgecolor": LINE, "linewidth": 0.8} | style
    axis.add_patch(Rectangle((x - 0.5, y - height / 2), 1, height, **look))  # type: ignore[arg-type]


def images(
    named: Mapping[str, ArrayLike], columns: int = 3, symmetric: bool = False
) -> NDArray[Any]:
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
    array of Axes
        One per picture, in the order given.

    Raises
    ------
    ValueError
        If an array is neither (H, W) nor (H, W, 3).

    Examples
    --------
    >>> len(images({"dark to light": np.arange(6).reshape(2, 3)}))
    1
    """
    columns = min(integer(columns, "columns", minimum=1), len(named))
    arrays = {title: np.asarray(pixels) for title, pixels in named.items()}
    for title, array in arrays.items():
        if array.ndim != 2 and (array.ndim != 3 or array.shape[2] != 3):
            raise ValueError(f"{title!r} must be (H, W) or (H, W, 3), got shape {array.shape}")
    rows = -(-len(arrays) // columns)
    height, width = next(iter(arrays.values())).shape[:2]
    figure_width = 7.0
    panel = figure_width / columns
    _, axes = plt.subplots(
        rows,
        columns,
        figsize=(figure_width, rows * (panel * height / width + 0.3)),
        squeeze=False,
        layout="constrained",
        dpi=DPI,
    )
    for axis in axes.flat:
        axis.set_axis_off()
    for axis, (title, array) in zip(axes.flat, arrays.items(), strict=False):
        limit = float(np.abs(array).max()) if symmetric else None
        axis.imshow(
            array,
            cmap="gray",
            vmin=None if limit is None else -limit,
            vmax=limit,
            interpolation="nearest",
        )
        axis.set_title(title, fontsize=10, color=INK)
    return axes.ravel()[: len(arrays)]


def kernels(weight: ArrayLike) -> NDArray[Any]:
    """Draw the weight of a convolution: a row per kernel, a column per channel it reads.

    Parameters
    ----------
    weight : array, (O, C / groups, kH, kW)
        All slices share one colour scale: blue below zero, white at zero, red above.

    Returns
    -------
    array of Axes, (O, C / groups)

    Raises
    ------
    ValueError
        If `weight` is not four-dimensional.

    Examples
    --------
    >>> kernels(np.ones((2, 3, 3, 3))).shape
    (2, 3)
    """
    w = np.asarray(weight)
    if w.ndim != 4:
        raise ValueError(f"weight must be (out_channels, in_channels / groups, kH, kW), "
                         f"got shape {w.shape}")  # fmt: skip
    count, depth = w.shape[:2]
    limit = float(np.abs(w).max()) or 1.0
    figure, axes = plt.subplots(
        count,
        depth,
        figsize=(0.95 * depth + 1.0, 0.95 * count + 0.4),
        squeeze=False,
        layout="constrained",
        dpi=DPI,
    )
    for (o, c), axis in np.ndenumerate(axes):
        picture = axis.imshow(w[o, c], cmap="RdBu_r", vmin=-limit, vmax=limit)
        axis.set(xticks=[], yticks=[])
        if o == 0:
            axis.set_title(f"channel {c}", fontsize=9, color=INK)
        if c == 0:
            axis.set_ylabel(f"kernel {o}", fontsize=9, color=INK)
    figure.colorbar(picture, ax=axes, shrink=min(1.0, 2.5 / count))
    return axes


def windows(
    size: int,
    kernel_size: int,
    stride: int = 1,
    padding: int | str = 0,
    dilation: int = 1,
    axis: Axes | None = None,
) -> Axes:
    """Draw every place where the window stands, along one direction.

    The top strip is the padded input: numbered cells are pixels, grey ones padding, and
    the crossed ones at the end are never read. Each row below is one output cell, with
    the cells that it reads filled.

    Parameters
    ----------
    size, kernel_size, stride, padding, dilation
        One direction of a convolution, as ints (`padding` may be a string); see
        `convlab.shapes.conv2d_output_size`.
    axis : Axes, optional
        Where to draw; a new figure if missing.

    Raises
    ------
    TypeError, ValueError
        As `convlab.shapes.conv2d_output_size` does.

    Examples
    --------
    >>> ax = windows(size=6, kernel_size=3, stride=2, padding=1)
    >>> ax.get_title()
    '6 cells, kernel_size=3, stride=2, padding=1: 3 outputs'
    """
    size = integer(size, "size", minimum=1)
    stride = integer(stride, "stride", minimum=1)
    count, _ = conv2d_output_size(size, kernel_size, stride, padding, dilation)  # type: ignore[arg-type]
    dropped, _ = conv2d_dropped_border(size, kernel_size, stride, padding, dilation)  # type: ignore[arg-type]
    _, _, before, after = conv2d_padding(padding, kernel_size, stride, dilation)  # type: ignore[arg-type]
    extent, _ = dilated_kernel_size(kernel_size, dilation)
    total = before + size + after
    if axis is None:
        figsize = (0.36 * (total + 3.2), 0.36 * (count + 2.2) + 0.3)
        _, axis = plt.subplots(figsize=figsize, layout="constrained", dpi=DPI)
    for cell in range(total):
        pixel = before <= cell < before + size
        unread = cell >= total - dropped
        look: dict[str, Any] = {"hatch": "xxx", "edgecolor": DROPPED} if unread else {}
        _cell(axis, cell, 0, INPUT if pixel else PADDING, **look)
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
    return axis
