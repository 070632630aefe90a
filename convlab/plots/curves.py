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
        _finish(axis, title)
    handles: dict[str, Artist] = {}
    for axis in drawing.axes:
        for handle, name in zip(*axis.get_legend_handles_labels(), strict=True):
            handles.setdefault(name, handle)
    drawing.legend(list(handles.values()), list(handles), loc="outside upper center",
                   ncols=max(1, len(handles)), frameon=False, fontsize=9,
                   labelcolor=INK)  # fmt: skip
    return drawing


def _finish(axis: Axes, title: str) -> None:
    axis.set_xlabel("epoch", color=INK)
    axis.set_ylabel(title, color=INK)
    axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    axis.grid(color=LINE, alpha=0.25)
    axis.set_axisbelow(True)
    axis.spines[["top", "right"]].set_visible(False)
    axis.spines[["left", "bottom"]].set_color(LINE)
    axis.tick_params(colors=INK, labelsize=9)
