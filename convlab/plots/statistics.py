"""Figures of statistics: distributions, curves per layer, confidence intervals, batches."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Polygon
from numpy.typing import ArrayLike, NDArray

from convlab._validate import integer
from convlab.plots.drawing import (
    DROPPED,
    INK,
    INPUT,
    LINE,
    READ,
    SERIES_COLOURS,
    Drawing,
    arrays_of,
    cell,
    check_not_empty,
    grid_size,
    legend_above,
    line_style,
    lines_by_label,
    marker_style,
    panel_axes,
    points_of,
    rows_of,
    style_chart,
    write,
)

CHANNEL_LINES = ((INK, "-"), (DROPPED, "--"), (READ, "-"), (LINE, ":"))
PLANE_GAP = 0.8  # between two planes, in cells


def histogram(
    values: ArrayLike,
    curves: Mapping[str, tuple[ArrayLike, ArrayLike]] | None = None,
    bins: int = 60,
) -> Drawing:
    """Draw a histogram of values, with probability densities to compare it with.

    Parameters
    ----------
    values : array
        The values, of any shape. The area of their bars is 1.
    curves : mapping of str to (x, density), optional
        Names and points of lines to draw over the bars.
    bins : int
        Number of bars, at least 1.

    Raises
    ------
    ValueError
        If `values` is empty, or `x` and density of a curve differ in length or are empty.

    Examples
    --------
    >>> drawing = histogram([0.1, 0.2, 0.2], {"flat": ([0, 1], [1, 1])}, bins=4)
    >>> drawing.axes[0].get_ylabel()
    'density'
    """
    numbers = np.asarray(values, dtype=float).ravel()
    check_not_empty(numbers, "value")
    drawing = Drawing(5.2, 3.0)
    ax = drawing.subplots()
    ax.hist(numbers, bins=bins, density=True, color=READ, label=f"{numbers.size:,} numbers")
    for index, (name, (x, density)) in enumerate((curves or {}).items()):
        style = line_style(index)
        ax.plot(*points_of(name, x, density), linewidth=1.8, label=name, **style)
    style_chart(ax, ylabel="density", grid="x")
    legend_above(drawing)
    return drawing


def channel_histograms(
    batches: Mapping[str, ArrayLike], bins: int = 60, limits: tuple[float, float] | None = None
) -> Drawing:
    """Draw the distribution of the values of each channel, one line per channel.

    Parameters
    ----------
    batches : mapping of str to array, (N, C, H, W), with up to 4 channels
        Title and values of each batch. All share one scale, so that they can be compared.
    bins : int
        The number of equal parts of the range.
    limits : (low, high), optional
        The range to show; by default that of all values. The percentages include values outside.

    Raises
    ------
    TypeError, ValueError
        If there is nothing to draw, `bins` is not an int, `limits` do not ascend, or an array is
        not four-dimensional, is empty, or has more than 4 channels.

    Examples
    --------
    >>> batch = np.arange(24.0).reshape(1, 2, 3, 4)
    >>> drawing = channel_histograms({"raw": batch, "centred": batch - 11.5})
    >>> [len(axes.lines) for axes in drawing.axes]
    [2, 2]
    """
    arrays = arrays_of(batches)
    bins = integer(bins, "bins", minimum=1)
    for title, array in arrays.items():
        if array.ndim != 4 or array.size == 0 or array.shape[1] > len(CHANNEL_LINES):
            raise ValueError(
                f"{title!r} must be (N, C, H, W) with 1 to {len(CHANNEL_LINES)} channels and at "
                f"least one value, got shape {array.shape}"
            )
    if limits is None:
        low = min(float(array.min()) for array in arrays.values())
        high = max(float(array.max()) for array in arrays.values())
        limits = low, high if high > low else low + 1
    if not limits[0] < limits[1]:
        raise ValueError(f"limits must be (low, high) with low below high, got {limits}")
    edges = np.linspace(*limits, bins + 1)
    centres = (edges[:-1] + edges[1:]) / 2
    drawing = Drawing(5.6, 1.6 * len(arrays) + 0.4)
    axes = panel_axes(drawing, len(arrays), sharex=True)
    for ax, (title, array) in zip(axes, arrays.items(), strict=True):
        for channel, (colour, style) in zip(range(array.shape[1]), CHANNEL_LINES, strict=False):
            values = array[:, channel]
            percent = 100 * np.histogram(values, edges)[0] / values.size
            ax.plot(centres, percent, color=colour, linestyle=style, label=f"channel {channel}")
        ax.set_title(title, fontsize=11, color=INK)
        ax.set_ylabel("% of values", fontsize=10, color=INK)
        ax.tick_params(labelsize=9, colors=INK)
        ax.spines[["top", "right"]].set_visible(False)
    axes[0].legend(fontsize=9.5, frameon=False)
    axes[-1].set_xlabel("value", fontsize=10, color=INK)
    return drawing


def layer_curves(
    measured: Mapping[str, ArrayLike],
    predicted: Mapping[str, ArrayLike] | None = None,
    ylabel: str = "mean square",
    xlabel: str = "layer",
) -> Drawing:
    """Draw a statistic over the layers of several networks, on a logarithmic scale.

    Parameters
    ----------
    measured : mapping of str to array (layers,)
        Name of each network, and the positive number measured after each layer.
    predicted : mapping of str to array (layers,), optional
        Theoretical values for some or all of these names; drawn dashed.
    ylabel, xlabel : str
        The labels of the axes.

    Raises
    ------
    ValueError
        If there is nothing to draw, an array is not one-dimensional and positive, or
        `predicted` has a name that `measured` does not have.

    Examples
    --------
    >>> drawing = layer_curves({"halving": [1, 0.5, 0.25]}, {"halving": [1, 0.5, 0.25]})
    >>> drawing.axes[0].get_yscale()
    'log'
    """
    rows = rows_of(measured, positive=True)
    theory = rows_of(predicted, positive=True) if predicted else {}
    if unknown := set(theory) - set(rows):
        raise ValueError(
            f"predicted has unknown names {sorted(unknown)}, measured has {list(rows)}"
        )
    drawing = Drawing(5.2, 3.8)
    ax = drawing.subplots()
    dashed: dict[str, Any] = {"linewidth": 1.8, "linestyle": "--"}
    for index, (name, row) in enumerate(rows.items()):
        style = marker_style(index)
        ax.plot(np.arange(1, row.size + 1), row, linewidth=1.2, label=name, **style)
        if name in theory:
            layers = np.arange(1, theory[name].size + 1)
            ax.plot(layers, theory[name], color=style["color"], zorder=1, **dashed)
    if theory:
        ax.plot([], [], color=LINE, label="by theory", **dashed)
    ax.set_yscale("log")
    style_chart(ax, xlabel, ylabel)
    legend_above(drawing)
    return drawing


def confidence_intervals(
    intervals: Mapping[str, tuple[float, float, float]], xlabel: str = ""
) -> Drawing:
    """Draw measured values with their confidence intervals, one row each.

    Parameters
    ----------
    intervals : mapping of str to (low, value, high)
        Name of each measurement, from top to bottom, its value and the ends of its interval.
    xlabel : str
        The quantity that was measured.

    Raises
    ------
    ValueError
        If there is nothing to draw, or a value does not lie in its interval.

    Examples
    --------
    >>> drawing = confidence_intervals({"once": (0.5, 0.6, 0.9), "often": (0.58, 0.6, 0.62)})
    >>> [label.get_text() for label in drawing.axes[0].get_yticklabels()]
    ['once', 'often']
    """
    check_not_empty(intervals, "name with its interval")
    for name, (low, value, high) in intervals.items():
        if not low <= value <= high:
            raise ValueError(f"{name!r} must lie in its interval, {low} to {high}, got {value}")
    low, value, high = np.array(list(intervals.values()), dtype=float).T
    drawing = Drawing(5.8, 0.34 * len(value) + 0.8)
    ax = drawing.subplots()
    y = np.arange(len(value))
    style: dict[str, Any] = {"fmt": "o", "markersize": 5, "capsize": 4, "linewidth": 1.8}
    ax.errorbar(value, y, xerr=(value - low, high - value), color=SERIES_COLOURS[0], **style)
    ax.set_yticks(y, list(intervals))
    ax.set_ylim(len(value) - 0.5, -0.5)
    style_chart(ax, xlabel, grid="x")
    ax.spines["left"].set_visible(False)
    ax.tick_params(axis="y", length=0)
    return drawing


def batch_planes(
    batches: Mapping[str, ArrayLike],
    marked: tuple[int, int, int, int] | None = None,
    columns: int = 2,
) -> Drawing:
    """Draw batches as tables of planes, a row per image and a column per channel.

    Every number is a small cell, coloured where the array is not 0, such as the gradient of one
    output at the inputs from which it was computed.

    Parameters
    ----------
    batches : mapping of str to array, (N, C, H, W)
        Title and numbers of each batch.
    marked : (image, channel, row, column), optional
        One cell to mark with a thick frame, the same in every batch.
    columns : int
        The number of tables side by side.

    Raises
    ------
    TypeError, ValueError
        If there is nothing to draw, an array is not four-dimensional, `marked` lies outside of
        one, or a number is not an int.

    Examples
    --------
    >>> batch = np.zeros((2, 3, 4, 4))
    >>> batch[:, 1] = 1  # the second channel of both images
    >>> drawing = batch_planes({"batch norm": batch}, marked=(0, 1, 2, 2))
    >>> [axes.get_title() for axes in drawing.axes]
    ['batch norm']
    """
    arrays = _batches_of(batches, marked)
    rows, columns = grid_size(len(arrays), columns)
    widths, heights = zip(*(_table_size(array.shape) for array in arrays.values()), strict=True)
    width, height = columns * (max(widths) + 6), max(heights) + 3
    scale = min(0.16, 7.0 / width)  # inches per cell
    drawing = Drawing(scale * width, rows * (scale * height + 0.35))
    axes = panel_axes(drawing, len(arrays), columns)
    for ax, (title, array) in zip(axes, arrays.items(), strict=True):
        _draw_table(ax, array != 0, marked)
        ax.set_title(title, fontsize=12, color=INK)
    return drawing


def batch_blocks(
    batches: Mapping[str, ArrayLike],
    marked: tuple[int, int, int, int] | None = None,
    columns: int = 2,
) -> Drawing:
    """Draw batches as blocks of small boxes: channels, places and images are the three edges.

    Every number is a box, coloured where the array is not 0. Three faces of a block can be seen:
    the first image in front, the first place on top, and the last channel on the right.

    Parameters
    ----------
    batches : mapping of str to array, (N, C, H, W)
        Title and numbers of each batch. The places of a channel are drawn in one column.
    marked : (image, channel, row, column), optional
        One number to mark with a thick frame, the same in every batch, if it is on a face.
    columns : int
        The number of blocks side by side.

    Raises
    ------
    TypeError, ValueError
        If there is nothing to draw, an array is not four-dimensional, `marked` lies outside of
        one, or a number is not an int.

    Examples
    --------
    >>> batch = np.zeros((2, 3, 2, 2))
    >>> batch[:, 2] = 1  # the last channel of both images
    >>> drawing = batch_blocks({"batch norm": batch}, marked=(0, 2, 0, 0))
    >>> [axes.get_title() for axes in drawing.axes]
    ['batch norm']
    """
    arrays = _batches_of(batches, marked)
    rows, columns = grid_size(len(arrays), columns)
    drawing = Drawing(2.7 * columns, 2.7 * rows)
    axes = panel_axes(drawing, len(arrays), columns)
    for ax, (title, array) in zip(axes, arrays.items(), strict=True):
        _draw_block(ax, array != 0, marked)
        ax.set_title(title, fontsize=12, color=INK)
    return drawing


def _draw_block(
    ax: Axes, coloured: NDArray[np.bool_], marked: tuple[int, int, int, int] | None
) -> None:
    images, channels, places = *coloured.shape[:2], math.prod(coloured.shape[2:])
    box, depth = np.array([1.0, -7 / places]), np.array([0.55, 0.55])
    position = None
    if marked is not None:
        position = *marked[:2], marked[2] * coloured.shape[3] + marked[3]
    image, channel, place = np.eye(3)
    for index, is_coloured in np.ndenumerate(coloured.reshape(images, channels, places)):
        n, c, p = index
        for is_visible, first, second, shift in (
            (n == 0, channel, place, 0 * image),
            (c == channels - 1, image, place, channel),
            (p == 0, channel, image, 0 * place),
        ):
            if not is_visible:
                continue
            corner = np.array(index) + shift
            corners = np.array([corner, corner + first, corner + first + second, corner + second])
            points = corners[:, :1] * depth + corners[:, 1:] * box
            edge, width, zorder = (INK, 2.2, 3) if index == position else (LINE, 0.7, 1)
            colour = READ if is_coloured else INPUT
            style: dict[str, Any] = {"edgecolor": edge, "linewidth": width, "zorder": zorder}
            ax.add_patch(Polygon(points, facecolor=colour, joinstyle="round", **style))
    right, top = channels + images * depth[0], images * depth[1]
    ax.set(xlim=(-0.8, right + 0.4), ylim=(-8.0, top + 0.2), aspect="equal")
    ax.set_axis_off()
    write(ax, channels / 2, -7.2, "channels", 10.5, va="top")
    write(ax, -0.2, -3.5, "places", 10.5, ha="right", rotation=90)
    x, y = images / 2 * depth + np.array([channels + 0.25, -7.0])
    write(ax, x, y, "images", 10.5, ha="left", va="top", rotation=45, rotation_mode="anchor")


def running_statistics(
    seen: Mapping[str, ArrayLike], remembered: Mapping[str, ArrayLike]
) -> Drawing:
    """Draw what a normalization sees in each batch, and what it remembers, a panel per statistic.

    Parameters
    ----------
    seen : mapping of str to array (steps,)
        Name of each statistic, such as the mean, and its value in each batch; drawn as dots.
    remembered : mapping of str to array (steps,)
        For the same names, the running value after each batch; drawn as a line.

    Raises
    ------
    ValueError
        If there is nothing to draw, an array is empty or not one-dimensional, or the names differ.

    Examples
    --------
    >>> drawing = running_statistics({"mean": [5, 5, 5]}, {"mean": [0.5, 0.95, 1.36]})
    >>> [axes.get_ylabel() for axes in drawing.axes]
    ['mean']
    """
    dots, lines = rows_of(seen), rows_of(remembered)
    if list(dots) != list(lines):
        raise ValueError(
            f"seen and remembered must have the same names, got {list(dots)} and {list(lines)}"
        )
    drawing = Drawing(5.2, 1.7 * len(dots) + 0.6)
    axes = panel_axes(drawing, len(dots), sharex=True)
    for ax, (name, row) in zip(axes, dots.items(), strict=True):
        steps = np.arange(1, row.size + 1)
        style: dict[str, Any] = {"markersize": 4, "linestyle": "none", "color": SERIES_COLOURS[1]}
        ax.plot(steps, row, marker="o", label="of the batch, for training mode", **style)
        steps = np.arange(1, lines[name].size + 1)
        colour = SERIES_COLOURS[0]
        ax.plot(steps, lines[name], linewidth=2, color=colour, label="running, for eval mode")
        style_chart(ax, ylabel=name)
    axes[-1].set_xlabel("batch", color=INK)
    legend_above(drawing, handles=lines_by_label(drawing))
    return drawing


def _batches_of(
    batches: Mapping[str, ArrayLike], marked: tuple[int, int, int, int] | None
) -> dict[str, NDArray[Any]]:
    arrays = arrays_of(batches)
    for title, array in arrays.items():
        if array.ndim != 4:
            raise ValueError(f"{title!r} must be (N, C, H, W), got shape {array.shape}")
        if marked is not None:
            _check_marked(marked, title, array.shape)
    return arrays


def _check_marked(marked: tuple[int, ...], title: str, shape: tuple[int, ...]) -> None:
    position = tuple(integer(index, "marked", minimum=0) for index in marked)
    if len(position) != 4 or any(i >= size for i, size in zip(position, shape, strict=False)):
        raise ValueError(f"marked={position} lies outside {title!r}, whose shape is {shape}")


def _table_size(shape: tuple[int, ...]) -> tuple[float, float]:
    """Return the width and height of a table, in cells."""
    images, channels, height, width = shape
    return channels * (width + PLANE_GAP), images * (height + PLANE_GAP)


def _draw_table(
    ax: Axes, coloured: NDArray[np.bool_], marked: tuple[int, int, int, int] | None
) -> None:
    images, channels, height, width = coloured.shape
    table_width, table_height = _table_size(coloured.shape)
    ax.set(xlim=(-0.3, table_width), ylim=(table_height, -0.3), aspect="equal")
    ax.set_axis_off()
    for index, is_coloured in np.ndenumerate(coloured):
        n, c, i, j = index
        x, y = c * (width + PLANE_GAP) + j + 0.5, n * (height + PLANE_GAP) + i + 0.5
        edge, linewidth, zorder = (INK, 2.2, 3) if index == marked else (LINE, 0.5, 1)
        colour = READ if is_coloured else INPUT
        cell(ax, x, y, colour, edgecolor=edge, linewidth=linewidth, zorder=zorder)
    for n in range(images):
        middle = n * (height + PLANE_GAP) + height / 2
        write(ax, -0.6, middle, f"image {n}", 10.5, ha="right")
    write(ax, -0.6, table_height + 0.1, "channel", 10.5, ha="right", va="top")
    for c in range(channels):
        middle = c * (width + PLANE_GAP) + width / 2
        write(ax, middle, table_height + 0.1, str(c), 10.5, va="top")
