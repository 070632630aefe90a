"""Numbers that change while a network learns."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike

from convlab.plots.drawing import DPI, INK, LINE, Drawing, arrays_of
from convlab.plots.signals import COLOURS, MARKERS


def training_curves(
    loss: Mapping[str, ArrayLike], accuracy: Mapping[str, ArrayLike] | None = None
) -> Drawing:
    """Draw loss, and accuracy if there is one, over the epochs.

    Parameters
    ----------
    loss : mapping of str to array (epochs,)
        For each set of images its name and its loss after the first, second, ... epoch.
    accuracy : mapping of str to array (epochs,), optional
        The same for the share of right answers, from 0 to 1; drawn in percent.

    Returns
    -------
    Drawing
        One or two axes side by side. A name has the same colour and marker in both.

    Raises
    ------
    ValueError
        If there is nothing to draw, or an array is not a row of at least one number.

    Examples
    --------
    >>> drawing = training_curves({"training": [2.0, 1.0]}, {"training": [0.3, 0.6]})
    >>> [axis.get_ylabel() for axis in drawing.axes]
    ['loss', 'accuracy in %']
    """
    panels = [("loss", arrays_of(loss), 1)]
    if accuracy is not None:
        panels.append(("accuracy in %", arrays_of(accuracy), 100))
    names = list(dict.fromkeys(name for _, rows, _ in panels for name in rows))
    width = 3.6 * len(panels) if len(panels) > 1 else 5.2
    drawing = Drawing(figsize=(width, 3.2), layout="constrained", dpi=DPI)
    for axis, (title, rows, unit) in zip(
        drawing.subplots(1, len(panels), squeeze=False)[0], panels, strict=True
    ):
        for name, row in rows.items():
            if row.ndim != 1 or not row.size:
                raise ValueError(f"{name!r} must be a row of numbers, got shape {row.shape}")
            style = names.index(name) % len(COLOURS)
            axis.plot(
                np.arange(1, row.size + 1), unit * row.astype(float), color=COLOURS[style],
                marker=MARKERS[style], markersize=4, linewidth=1.4, label=name,
            )  # fmt: skip
        _finish(axis, "epoch", title)
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    handles: dict[str, Artist] = {}
    for axis in drawing.axes:
        for handle, name in zip(*axis.get_legend_handles_labels(), strict=True):
            handles.setdefault(name, handle)
    drawing.legend(list(handles.values()), list(handles), loc="outside upper center",
                   ncols=max(1, len(handles)), frameon=False, fontsize=9,
                   labelcolor=INK)  # fmt: skip
    return drawing


def learning_rate_range(named: Mapping[str, tuple[ArrayLike, ArrayLike]]) -> Drawing:
    """Draw the loss over the learning rate, as a range test finds it.

    Parameters
    ----------
    named : mapping of str to (rates, losses)
        For each network its name, learning rates above 0, and the loss at each:
        what `convlab.training.learning_rate_range` returns. Losses above twice the largest first
        one leave the picture.

    Returns
    -------
    Drawing
        One axes, with the rates on a logarithmic scale.

    Raises
    ------
    ValueError
        If there is nothing to draw, a rate is not above 0, or rates and losses are not two rows
        of one length.

    Examples
    --------
    >>> drawing = learning_rate_range({"mine": ([0.01, 0.1, 1.0], [2.3, 1.2, 9.0])})
    >>> drawing.axes[0].get_xscale(), float(drawing.axes[0].get_ylim()[1])
    ('log', 4.6)
    """
    curves = {}
    for name, (rates, losses) in named.items():
        x, y = np.asarray(rates, dtype=float), np.asarray(losses, dtype=float)
        if x.shape != y.shape or x.ndim != 1 or not x.size:
            raise ValueError(
                f"{name!r} has rates of shape {x.shape} and losses of shape {y.shape}: two rows "
                f"of one length are needed"
            )
        if not (x > 0).all():
            raise ValueError(f"{name!r} has a learning rate of {x.min()}; all must be above 0")
        curves[name] = x, y
    if not curves:
        raise ValueError("nothing to draw: give at least one name with its rates and losses")
    drawing = Drawing(figsize=(5.2, 3.4), layout="constrained", dpi=DPI)
    axis = drawing.subplots()
    for position, (name, (x, y)) in enumerate(curves.items()):
        axis.plot(x, y, color=COLOURS[position % len(COLOURS)], linewidth=1.4, label=name,
                  linestyle=("-", "--", ":")[position % 3])  # fmt: skip
    axis.set_xscale("log")
    axis.set_ylim(0, 2 * max(float(y[0]) for _, y in curves.values()))
    _finish(axis, "learning rate", "loss of the batch")
    drawing.legend(loc="outside upper center", ncols=2, frameon=False, fontsize=9, labelcolor=INK)
    return drawing


def _finish(axis: Axes, x: str, y: str) -> None:
    axis.set_xlabel(x, color=INK)
    axis.set_ylabel(y, color=INK)
    axis.grid(color=LINE, alpha=0.25)
    axis.set_axisbelow(True)
    axis.spines[["top", "right"]].set_visible(False)
    axis.spines[["left", "bottom"]].set_color(LINE)
    axis.tick_params(colors=INK, labelsize=9)
