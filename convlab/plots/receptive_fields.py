"""Figures of receptive fields: the pixels that an output depends on, their growth, their paths."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike, NDArray

from convlab._validate import IntOrPair
from convlab.plots.drawing import (
    DROPPED,
    INK,
    INPUT,
    LINE,
    READ,
    Drawing,
    cell,
    check_not_empty,
    grid_size,
    panel_axes,
    write,
)
from convlab.shapes import path_counts, receptive_fields

WindowLayer = Sequence[IntOrPair]  # (kernel_size, stride, dilation), the last two optional

# From few paths to many; cells that are not read stay white.
PATH_COLOURS = LinearSegmentedColormap.from_list(
    "paths", ["#fbe7c2", READ, "#a3540b", "#4a1d04"]
).with_extremes(bad=INPUT)
CURVE_STYLES = ((INK, "o"), ("#b9770e", "s"), (DROPPED, "^"), ("#2874a6", "D"), ("#7d3c98", "v"))
ROW_GAP = 2.2  # from one row of cells to the next, in cells


def receptive_field_coverage(
    panels: Mapping[str, Sequence[WindowLayer] | NDArray[Any]],
    columns: int = 3,
    numbers: bool = False,
) -> Drawing:
    """Draw which pixels one output cell depends on, and how strongly.

    White cells have no influence. The others are the darker the more paths lead from them to
    the output, each panel on its own scale. Cells have the same size in all panels. Below each
    panel are the number of cells that are not white and, for counts above 1, the maximum.

    Parameters
    ----------
    panels : mapping of str to layers, or to an array (rows, columns)
        For each title, either a list of ``(kernel_size, stride, dilation)`` from the first
        layer to the last, whose paths are counted by `convlab.shapes.path_counts`; or an array
        of non-negative numbers, such as the absolute gradient of an output cell.
    columns : int
        The number of panels side by side, at least 1.
    numbers : bool
        Write its number into each cell that is not white; for small windows.

    Raises
    ------
    TypeError, ValueError
        If there is nothing to draw, an array is not two-dimensional, is empty, or has negative
        numbers, infinities or NaN, or `columns` is invalid; for layers, as `path_counts` does.

    Examples
    --------
    >>> drawing = receptive_field_coverage({"three layers, dilation 2": [(3, 1, 2)] * 3})
    >>> print(drawing.axes[0].get_xlabel())
    49 of 169 cells
    up to 49 paths
    """
    check_not_empty(panels, "title with its layers or array")
    rows, columns = grid_size(len(panels), columns)
    arrays = {title: _path_array(title, content) for title, content in panels.items()}
    panel_width = max(array.shape[1] for array in arrays.values())
    heights = [array.shape[0] for array in arrays.values()]
    row_heights = [max(heights[row * columns : (row + 1) * columns]) for row in range(rows)]
    # Wide enough for the labels, but not so wide that they become too small on a phone.
    side = min(min(6.5 / columns, 4.0) / (panel_width + 0.5), 0.42 if numbers else 0.22)
    width = columns * max(side * panel_width + 0.2, 1.5)
    drawing = Drawing(width, side * sum(row_heights) + 0.85 * rows)
    axes = panel_axes(drawing, len(arrays), columns, height_ratios=row_heights)
    for index, (ax, (title, array)) in enumerate(zip(axes, arrays.items(), strict=True)):
        _draw_coverage(ax, array, row_heights[index // columns], panel_width)
        if numbers:
            _write_numbers(ax, array)
        ax.set_title(title, fontsize=10, color=INK)
    return drawing


def _path_array(title: str, content: Sequence[WindowLayer] | ArrayLike) -> NDArray[Any]:
    """Return the numbers to colour: the paths through layers, or the array itself."""
    if isinstance(content, list | tuple):
        # Counts are Python ints of any size; floats are precise enough for colours.
        rows, columns = (np.array(list(map(float, counts))) for counts in path_counts(content))
        return np.outer(rows, columns)
    array = np.asarray(content)
    if array.ndim != 2 or array.size == 0:
        raise ValueError(f"{title!r} must be layers or a matrix, got shape {array.shape}")
    if not (np.isfinite(array).all() and (array >= 0).all()):
        raise ValueError(
            f"{title!r} must hold finite numbers of at least 0, got {array.min():g} to "
            f"{array.max():g}; of a gradient, take the absolute value"
        )
    return array


def _draw_coverage(ax: Axes, array: NDArray[Any], height: int, width: int) -> None:
    """Draw one panel in the middle of `height` times `width` cells."""
    rows, columns = array.shape
    largest = float(array.max())
    uniform = largest > 0 and array[array > 0].min() == largest
    x, y = np.arange(columns + 1) - 0.5, np.arange(rows + 1) - 0.5  # of the edges
    vmax = 3 * largest if uniform else largest or 1.0  # uniform: one middle shade
    linewidth = 0.5 if max(rows, columns) <= 40 else 0
    style: dict[str, Any] = {"cmap": PATH_COLOURS, "edgecolors": LINE, "linewidth": linewidth}
    ax.pcolormesh(x, y, np.ma.masked_equal(array, 0), vmin=0, vmax=vmax, **style)
    middle_y, middle_x = (rows - 1) / 2, (columns - 1) / 2
    xlim = middle_x - width / 2 - 0.1, middle_x + width / 2 + 0.1
    ylim = middle_y + height / 2 + 0.1, middle_y - height / 2 - 0.1
    ax.set(xlim=xlim, ylim=ylim, aspect="equal", xticks=[], yticks=[])
    ax.spines[:].set_visible(False)
    paths = f"\nup to {largest:,.0f} paths" if largest == round(largest) > 1 else ""
    label = f"{np.count_nonzero(array):,} of {array.size:,} cells{paths}"
    ax.set_xlabel(label, fontsize=9, color=INK)


def _write_numbers(ax: Axes, array: NDArray[Any]) -> None:
    threshold = 0.6 * float(array.max())
    for (row, column), number in np.ndenumerate(array):
        if number:
            colour = INPUT if number > threshold > 0.6 else INK
            write(ax, column, row, f"{number:g}", 9, color=colour)


def receptive_field_growth(stacks: Mapping[str, Sequence[WindowLayer]]) -> Drawing:
    """Draw the growth of the receptive field from layer to layer, one curve per stack.

    The size is in cells. Every curve starts at 1, the pixel itself.

    Parameters
    ----------
    stacks : mapping of str to layers
        For each name, the layers as for `receptive_field_paths`.

    Raises
    ------
    TypeError, ValueError
        If there is nothing to draw, or more than five curves; for layers, as
        `convlab.shapes.path_counts` does.

    Examples
    --------
    >>> drawing = receptive_field_growth({"dilation 1, 2, 4": [(3, 1, 1), (3, 1, 2), (3, 1, 4)]})
    >>> [int(size) for size in drawing.axes[0].lines[0].get_ydata()]
    [1, 3, 7, 15]
    """
    if not 1 <= len(stacks) <= len(CURVE_STYLES):
        raise ValueError(
            f"the number of stacks must be from 1 to {len(CURVE_STYLES)}, got {len(stacks)}"
        )
    drawing = Drawing(6.0, 3.2)
    ax = drawing.subplots()
    for (name, layers), (colour, marker) in zip(stacks.items(), CURVE_STYLES, strict=False):
        sizes = [columns.size for _, columns in receptive_fields(layers)]
        ax.plot(range(len(sizes)), sizes, color=colour, marker=marker, label=name)
        style: dict[str, Any] = {"xytext": (7, -3), "textcoords": "offset points", "fontsize": 9}
        ax.annotate(str(sizes[-1]), (len(sizes) - 1, sizes[-1]), color=colour, **style)
    ax.set_xlabel("layers", color=INK)
    ax.set_ylabel("receptive field, cells", color=INK)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(frameon=False)
    return drawing


def receptive_field_paths(layers: Sequence[WindowLayer]) -> Drawing:
    """Draw the paths from one output cell to the input, layer by layer, along one dimension.

    The top row is the output cell, the bottom row the input, with the number of paths from each
    cell to the output, which depends on the filled cells only. Each line is one weight of one
    window.

    Parameters
    ----------
    layers : sequence of (kernel_size, stride, dilation)
        From the first layer to the last; where height and width differ, the width is drawn.
        Errors are those of `convlab.shapes.path_counts`.

    Examples
    --------
    >>> drawing = receptive_field_paths([(3, 1, 2), (3, 1, 2)])
    >>> [text.get_text() for text in drawing.axes[0].texts][:9]
    ['1', '', '2', '', '3', '', '2', '', '1']
    """
    # Per level, the input first: its cells in units of the input, their paths to the output.
    fields = [columns for _, columns in receptive_fields(layers)]
    levels = [path_counts(layers[depth:])[1] for depth in range(len(layers))] + [(1,)]
    width = len(levels[0])
    drawing = Drawing(0.3 * (width + 5.5), 0.3 * (ROW_GAP * len(layers) + 1.4))
    ax = drawing.subplots()
    # Each cell stands over the middle of the input cells that it depends on.
    centres = [
        [field.center + field.jump * position for position in range(len(counts))]
        for field, counts in zip(fields, levels, strict=True)
    ]
    for depth, counts in enumerate(levels):
        for x, count in zip(centres[depth], counts, strict=True):
            cell(ax, x, depth * ROW_GAP, READ if count else INPUT)
            if depth == 0:
                write(ax, x, 0, str(count or ""), 10 if count < 100 else 6)
    for depth, layer in enumerate(layers):
        y = depth * ROW_GAP + 0.5, (depth + 1) * ROW_GAP - 0.5
        stride = fields[depth + 1].jump // fields[depth].jump
        taps = [tap for tap, is_read in enumerate(path_counts([layer])[1]) if is_read]
        outputs = zip(centres[depth + 1], levels[depth + 1], strict=True)
        for output, (x, count) in enumerate(outputs):
            for tap in taps if count else ():
                read_x = centres[depth][output * stride + tap]
                ax.plot([read_x, x], y, color=LINE, linewidth=0.8, zorder=0)
        write(ax, width + 0.1, (depth + 1) * ROW_GAP, _layer_label(taps, stride), 10, ha="left")
    write(ax, width + 0.1, 0, "input", 10, ha="left")
    ax.set(xlim=(-0.7, width + 5), ylim=(-0.8, ROW_GAP * len(layers) + 0.8), aspect="equal")
    ax.set_axis_off()
    return drawing


def _layer_label(taps: Sequence[int], stride: int) -> str:
    label = f"kernel {len(taps)}" + (f", stride {stride}" if stride > 1 else "")
    return label + (f", dilation {taps[1]}" if len(taps) > 1 and taps[1] > 1 else "")
