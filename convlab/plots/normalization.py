"""What normalization does to the channels of a batch, and which numbers share a mean."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from numpy.typing import ArrayLike, NDArray

from convlab._validate import integer
from convlab.plots.drawing import DPI, DROPPED, INK, INPUT, LINE, READ, Drawing, arrays_of

_GAP = 0.8  # between two planes, in cells
_LINES = ((INK, "-"), (DROPPED, "--"), (READ, "-"), (LINE, ":"))


def planes(
    named: Mapping[str, ArrayLike],
    marked: tuple[int, int, int, int] | None = None,
    columns: int = 2,
) -> Drawing:
    """Draw batches as tables of planes, a row per image and a column per channel.

    Every number is one small cell, coloured where the array is not 0. Give it what
    depends on what: the gradient of one output, for instance, is not 0 at those inputs
    that the output was computed from.

    Parameters
    ----------
    named : mapping of str to array, (N, C, H, W)
        Title and numbers of each batch.
    marked : (image, channel, row, column), optional
        One cell to mark with a dark frame, the same in every batch.
    columns : int
        How many tables to put beside each other.

    Returns
    -------
    Drawing
        One axes per batch, in the order given.

    Raises
    ------
    TypeError
        If `columns` or a position in `marked` is not an int.
    ValueError
        If there is nothing to draw, an array is not four-dimensional, or `marked` lies
        outside of one.

    Examples
    --------
    >>> batch = np.zeros((2, 3, 4, 4))
    >>> batch[:, 1] = 1  # the second channel of both images
    >>> drawing = planes({"batch norm": batch}, marked=(0, 1, 2, 2))
    >>> [axes.get_title() for axes in drawing.axes]
    ['batch norm']
    """
    arrays = arrays_of(named)
    for title, array in arrays.items():
        if array.ndim != 4:
            raise ValueError(f"{title!r} must be (N, C, H, W), got shape {array.shape}")
        if marked is not None:
            _check_marked(marked, title, array.shape)
    columns = min(integer(columns, "columns", minimum=1), len(arrays))
    rows = -(-len(arrays) // columns)
    widths, heights = zip(*(_extent(array.shape) for array in arrays.values()), strict=True)
    scale = min(0.16, 7.0 / (columns * (max(widths) + 6)))  # inches per cell
    drawing = Drawing(
        figsize=(scale * columns * (max(widths) + 6), rows * (scale * (max(heights) + 3) + 0.35)),
        layout="constrained",
        dpi=DPI,
    )
    axes = drawing.subplots(rows, columns, squeeze=False)
    for unused in axes.flat[len(arrays) :]:
        drawing.delaxes(unused)
    for axis, (title, array) in zip(drawing.axes, arrays.items(), strict=True):
        _table(axis, array != 0, marked)
        axis.set_title(title, fontsize=12, color=INK)
    return drawing


def channel_histograms(
    named: Mapping[str, ArrayLike], bins: int = 60, limits: tuple[float, float] | None = None
) -> Drawing:
    """Draw how the values of each channel are spread, one line per channel.

    Parameters
    ----------
    named : mapping of str to array, (N, C, H, W), with up to 4 channels
        Title and values of each batch. All share one scale, so that they can be compared.
    bins : int
        Into how many equal parts to divide the range that is shown.
    limits : (low, high), optional
        The range to show; else that of all values. What lies outside is counted, not shown.

    Returns
    -------
    Drawing
        One axes per batch, one below the other.

    Raises
    ------
    TypeError
        If `bins` is not an int.
    ValueError
        If there is nothing to draw, `limits` leave no range, or an array is not
        four-dimensional, is empty or has more than 4 channels, which nobody could tell apart.

    Examples
    --------
    >>> batch = np.arange(24.0).reshape(1, 2, 3, 4)
    >>> drawing = channel_histograms({"as it is": batch, "centred": batch - 11.5})
    >>> [len(axes.lines) for axes in drawing.axes]
    [2, 2]
    """
    arrays = arrays_of(named)
    bins = integer(bins, "bins", minimum=1)
    for title, array in arrays.items():
        if array.ndim != 4 or array.size == 0 or array.shape[1] > len(_LINES):
            raise ValueError(
                f"{title!r} must be (N, C, H, W) with 1 to {len(_LINES)} channels and at least one "
                f"value, got shape {array.shape}"
            )
    if limits is None:
        low = min(float(array.min()) for array in arrays.values())
        high = max(float(array.max()) for array in arrays.values())
        limits = low, high if high > low else low + 1
    if not limits[0] < limits[1]:
        raise ValueError(f"limits must be (low, high) with low below high, got {limits}")
    edges = np.linspace(*limits, bins + 1)
    drawing = Drawing(figsize=(5.6, 1.6 * len(arrays) + 0.4), layout="constrained", dpi=DPI)
    axes = drawing.subplots(len(arrays), squeeze=False, sharex=True)
    for axis, (title, array) in zip(axes[:, 0], arrays.items(), strict=True):
        for channel, (colour, style) in zip(range(array.shape[1]), _LINES, strict=False):
            counts, _ = np.histogram(array[:, channel], edges)
            axis.plot(
                (edges[:-1] + edges[1:]) / 2,
                100 * counts / array[:, channel].size,
                color=colour,
                linestyle=style,
                label=f"channel {channel}",
            )
        axis.set_title(title, fontsize=11, color=INK)
        axis.set_ylabel("% of values", fontsize=10, color=INK)
        axis.tick_params(labelsize=9, colors=INK)
        axis.spines[["top", "right"]].set_visible(False)
    axes[0, 0].legend(fontsize=9.5, frameon=False)
    axes[-1, 0].set_xlabel("value", fontsize=10, color=INK)
    return drawing


def _check_marked(marked: tuple[int, ...], title: str, shape: tuple[int, ...]) -> None:
    place = tuple(integer(index, "marked", minimum=0) for index in marked)
    if len(place) != 4 or any(i >= size for i, size in zip(place, shape, strict=False)):
        raise ValueError(f"marked={place} lies outside of {title!r}, whose shape is {shape}")


def _extent(shape: tuple[int, ...]) -> tuple[float, float]:
    """Width and height of a table, in cells."""
    count, channels, height, width = shape
    return channels * (width + _GAP), count * (height + _GAP)


def _table(axis: Axes, coloured: NDArray[Any], marked: tuple[int, int, int, int] | None) -> None:
    count, channels, height, width = coloured.shape
    across, down = _extent(coloured.shape)
    axis.set(xlim=(-0.3, across), ylim=(down, -0.3), aspect="equal")
    axis.set_axis_off()
    for (n, c, i, j), colour in np.ndenumerate(coloured):
        corner = c * (width + _GAP) + j, n * (height + _GAP) + i
        here = (n, c, i, j) == marked
        axis.add_patch(
            Rectangle(
                corner,
                1,
                1,
                facecolor=READ if colour else INPUT,
                edgecolor=INK if here else LINE,
                linewidth=2.2 if here else 0.5,
                zorder=3 if here else 1,
            )
        )
    style: dict[str, Any] = {"fontsize": 10.5, "color": INK}
    for n in range(count):
        middle = n * (height + _GAP) + height / 2
        axis.text(-0.6, middle, f"image {n}", ha="right", va="center", **style)
    axis.text(-0.6, down + 0.1, "channel", ha="right", va="top", **style)
    for c in range(channels):
        middle = c * (width + _GAP) + width / 2
        axis.text(middle, down + 0.1, str(c), ha="center", va="top", **style)
