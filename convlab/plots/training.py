"""Figures of training: learning curves, learning rates, gradient descent, confusion matrices."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike, NDArray

from convlab.plots.drawing import (
    DROPPED,
    INK,
    INPUT,
    LINE,
    SERIES_COLOURS,
    Drawing,
    cell,
    check_not_empty,
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

CORRECT = "#cfe0f0"  # the diagonal of a confusion matrix


def training_curves(
    loss: Mapping[str, ArrayLike], accuracy: Mapping[str, ArrayLike] | None = None
) -> Drawing:
    """Draw the loss, and optionally the accuracy, over the epochs.

    A name has the same colour and marker in both panels.

    Parameters
    ----------
    loss : mapping of str to array (epochs,)
        For the name of each set of images, its loss after each epoch.
    accuracy : mapping of str to array (epochs,), optional
        The same for the accuracy, from 0 to 1; drawn in per cent.

    Raises
    ------
    ValueError
        If there is nothing to draw, or an array is empty or not one-dimensional.

    Examples
    --------
    >>> drawing = training_curves({"training": [2.0, 1.0]}, {"training": [0.3, 0.6]})
    >>> [axes.get_ylabel() for axes in drawing.axes]
    ['loss', 'accuracy in %']
    """
    panels = [("loss", rows_of(loss), 1)]
    if accuracy is not None:
        panels.append(("accuracy in %", rows_of(accuracy), 100))
    names = list(dict.fromkeys(name for _, rows, _ in panels for name in rows))
    drawing = Drawing(5.2 if accuracy is None else 7.2, 3.2)
    axes = panel_axes(drawing, len(panels), len(panels))
    for ax, (ylabel, rows, factor) in zip(axes, panels, strict=True):
        for name, row in rows.items():
            epochs, style = np.arange(1, row.size + 1), marker_style(names.index(name))
            ax.plot(epochs, factor * row, linewidth=1.4, label=name, **style)
        style_chart(ax, "epoch", ylabel)
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    lines = lines_by_label(drawing)
    legend_above(drawing, len(lines), handles=lines)
    return drawing


def loss_against_learning_rate(curves: Mapping[str, tuple[ArrayLike, ArrayLike]]) -> Drawing:
    """Draw the loss over the learning rate, as a learning rate range test measures it.

    The scale of the rates is logarithmic; that of the losses ends at twice the largest first loss.

    Parameters
    ----------
    curves : mapping of str to (rates, losses)
        For the name of each network, positive learning rates and the loss at each, as
        `convlab.training.learning_rate_range` returns them.

    Raises
    ------
    ValueError
        If there is nothing to draw, a rate is not positive, or rates and losses are not two
        one-dimensional arrays of the same length.

    Examples
    --------
    >>> drawing = loss_against_learning_rate({"mine": ([0.01, 0.1, 1.0], [2.3, 1.2, 9.0])})
    >>> drawing.axes[0].get_xscale(), float(drawing.axes[0].get_ylim()[1])
    ('log', 4.6)
    """
    check_not_empty(curves, "name with its rates and losses")
    points = {name: points_of(name, *rates_losses) for name, rates_losses in curves.items()}
    drawing = Drawing(5.2, 3.4)
    ax = drawing.subplots()
    for index, (name, (rates, losses)) in enumerate(points.items()):
        if not (rates > 0).all():
            raise ValueError(f"learning rates must be positive, got {rates.min():g} in {name!r}")
        ax.plot(rates, losses, linewidth=1.4, label=name, **line_style(index))
    ax.set_xscale("log")
    ax.set_ylim(0, 2 * max(float(losses[0]) for _, losses in points.values()))
    style_chart(ax, "learning rate", "loss of the batch")
    legend_above(drawing)
    return drawing


def gradient_descent(
    loss: Callable[[NDArray[np.float64]], ArrayLike],
    paths: Mapping[str, ArrayLike],
    limits: tuple[float, float],
) -> Drawing:
    """Draw the steps of gradient descent for a single weight on the curve of its loss.

    A ring marks the start and a square the end; arrows show the direction of the longer steps.

    Parameters
    ----------
    loss : callable
        Takes an array of weights and returns the loss for each.
    paths : mapping of str to array (steps + 1,)
        Per panel, its title, and the weight before the first step and after each.
    limits : (low, high)
        The range of weights to draw. Steps beyond it are cut off.

    Raises
    ------
    ValueError
        If there is nothing to draw, a path is empty or not one-dimensional, or the limits do
        not ascend.

    Examples
    --------
    >>> drawing = gradient_descent(np.square, {"slow": [4, 2, 1, 0.5]}, limits=(-5, 5))
    >>> drawing.axes[0].lines[1].get_ydata()
    array([16.  ,  4.  ,  1.  ,  0.25])
    """
    rows = rows_of(paths)
    low, high = limits
    if not low < high:
        raise ValueError(f"limits must be (low, high) with low below high, got {limits}")
    columns = min(2, len(rows))
    drawing = Drawing(2.9 * columns + 0.3, 2.4 * -(-len(rows) // columns) + 0.4)
    axes = panel_axes(drawing, len(rows), columns, sharex=True, sharey=True)
    weights = np.linspace(low, high, 201)
    heights = np.asarray(loss(weights), dtype=float)
    colour = SERIES_COLOURS[1]
    for ax, (title, path) in zip(axes, rows.items(), strict=True):
        ax.plot(weights, heights, color=LINE, linewidth=1.4)
        losses = np.asarray(loss(path), dtype=float)
        ax.plot(path, losses, linewidth=1.0, color=colour, marker="o", markersize=3)
        _draw_arrows(ax, np.stack([path, losses], axis=1), (high - low, heights.max()))
        ends = {"start": (0, "o", "white"), "end": (-1, "s", colour)}
        for label, (index, marker, face) in ends.items():
            style: dict[str, Any] = {"marker": marker, "markersize": 8, "linestyle": ""}
            style.update(color=colour, markerfacecolor=face, label=label)
            ax.plot(path[index], losses[index], **style)
        style_chart(ax, "weight", grid=None)
        ax.set(xlim=limits, ylim=(-0.06 * heights.max(), 1.04 * heights.max()))
        ax.set_title(title, fontsize=11, color=INK)
        ax.xaxis.set_major_locator(MaxNLocator(4, integer=True))
        ax.label_outer()
    for ax in axes[::columns]:
        ax.set_ylabel("loss", color=INK)
    legend_above(drawing, handles=axes[0].lines[-2:])
    return drawing


def _draw_arrows(ax: Axes, points: NDArray[Any], size: tuple[float, float]) -> None:
    """Draw an arrowhead in the middle of each step (from a point to the next) that has room.

    `points` are (steps + 1, 2), and `size` is the width and the height of the panel.
    """
    colour = SERIES_COLOURS[1]
    style = {"arrowstyle": "-|>", "color": colour, "mutation_scale": 10, "shrinkA": 0, "shrinkB": 0}
    for step, length in enumerate(np.linalg.norm(np.diff(points, axis=0) / size, axis=1)):
        if length < 0.12:
            continue
        tail, tip = ((1 - t) * points[step] + t * points[step + 1] for t in (0.4, 0.62))
        ax.annotate("", xy=tip, xytext=tail, arrowprops=style, annotation_clip=True)


def confusion_heatmap(counts: ArrayLike, class_names: Sequence[str]) -> Drawing:
    """Draw a confusion matrix with its counts.

    Correct answers are blue, on the diagonal; mistakes are red, the more frequent the stronger.
    Zeros are not written.

    Parameters
    ----------
    counts : ints (K, K)
        Row: the label. Column: the answer. As `convlab.training.confusion_matrix` returns it.
    class_names : sequence of str
        One for each class.

    Raises
    ------
    ValueError
        If `counts` is not a square matrix of non-negative ints, or `class_names` has another
        length.

    Examples
    --------
    >>> drawing = confusion_heatmap([[9, 1], [0, 7]], ["cat", "dog"])
    >>> [text.get_text() for text in drawing.axes[0].texts]
    ['9', '1', '7']
    """
    matrix = np.asarray(counts)
    is_square = matrix.ndim == 2 and matrix.shape[0] == matrix.shape[1] > 0
    if not is_square or matrix.dtype.kind not in "iu" or (matrix < 0).any():
        raise ValueError(
            f"counts must be a square matrix of non-negative ints, got {matrix.dtype} of shape "
            f"{matrix.shape}" + (f" and minimum {matrix.min()}" if matrix.size else "")
        )
    size = len(matrix)
    if len(class_names) != size:
        raise ValueError(f"class_names must have length {size}, got {len(class_names)}")
    width = min(0.42 * size + 1.1, 7.0)
    drawing = Drawing(width, width - 0.1)
    ax = drawing.subplots()
    most_mistakes = max(1, int((matrix - np.diag(np.diag(matrix))).max()))
    for (row, column), count in np.ndenumerate(matrix):
        colour, alpha = (CORRECT if row == column else INPUT), None
        if row != column and count > 0:
            colour, alpha = DROPPED, 0.25 + 0.45 * count / most_mistakes
        cell(ax, column, row, colour, linewidth=0.5, alpha=alpha)
        if count:
            write(ax, column, row, str(count), 10 if size <= 12 else 7)
    ax.set(xlim=(-0.5, size - 0.5), ylim=(size - 0.5, -0.5), aspect="equal")
    is_long = max(map(len, class_names)) > 3
    rotation, alignment = (45, "right") if is_long else (0, "center")
    ax.set_xticks(range(size), class_names, rotation=rotation, ha=alignment)
    ax.set_yticks(range(size), class_names)
    ax.set_xlabel("answer", color=INK)
    ax.set_ylabel("label", color=INK)
    ax.tick_params(colors=INK, labelsize=9, length=0)
    ax.spines[:].set_color(LINE)
    return drawing
