"""Where something is: the parts of a whole, as bars."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from convlab.plots.drawing import DPI, INK, LINE, Drawing

# As in the drawing of a network: convolutions blue, fully connected layers dark.
COLOURS = ("#6f9fc8", "#8c4a6b", "#cfe3b4", "#f0c987")


def shares(named: Mapping[str, Mapping[str, float]]) -> Drawing:
    """Draw one bar per whole, cut into its parts, in per cent.

    Parameters
    ----------
    named : mapping of str to mapping of str to number
        For the title of each bar, from top to bottom, the amount of each part. All bars
        have the same parts, at most four; the amounts are not negative.

    Returns
    -------
    Drawing
        One axes. A part of 8 % or more has its share written into it.

    Raises
    ------
    ValueError
        If there is nothing to draw, the parts differ from bar to bar, there are more than
        four, an amount is negative, or all amounts of a bar are zero.

    Examples
    --------
    >>> drawing = shares({"weights": {"convolution": 1, "fully connected": 3}})
    >>> [text.get_text() for text in drawing.axes[0].texts]
    ['25 %', '75 %']
    """
    bars = {title: dict(parts) for title, parts in named.items()}
    if not bars:
        raise ValueError("nothing to draw: give at least one title with its parts")
    names = list(next(iter(bars.values())))
    for title, parts in bars.items():
        if list(parts) != names:
            raise ValueError(f"{title!r} has the parts {list(parts)}, the first bar has {names}")
        if min(parts.values(), default=0) < 0 or not sum(parts.values()) > 0:
            raise ValueError(f"the parts of {title!r} must be amounts, not all 0, got {parts}")
    if len(names) > len(COLOURS):
        raise ValueError(f"at most {len(COLOURS)} parts have colours, got {len(names)}")
    percent = np.array([list(parts.values()) for parts in bars.values()], dtype=float)
    percent *= 100 / percent.sum(axis=1, keepdims=True)
    left = np.cumsum(percent, axis=1) - percent
    drawing = Drawing(figsize=(5.8, 0.32 * len(bars) + 0.75), layout="constrained", dpi=DPI)
    axis = drawing.subplots()
    for part, (name, colour) in enumerate(zip(names, COLOURS, strict=False)):
        axis.barh(range(len(bars)), percent[:, part], 0.72, left[:, part], label=name,
                  color=colour, edgecolor=LINE, linewidth=0.8)  # fmt: skip
        for bar in np.flatnonzero(percent[:, part] >= 8).tolist():
            axis.text(left[bar, part] + percent[bar, part] / 2, bar, f"{percent[bar, part]:.0f} %",
                      ha="center", va="center", fontsize=9,
                      color="white" if part == 1 else INK)  # fmt: skip
    axis.set(xlim=(0, 100), xlabel="per cent", yticks=range(len(bars)))
    axis.set_yticklabels(list(bars), fontsize=9)
    axis.tick_params(colors=INK)
    axis.invert_yaxis()
    axis.spines[["top", "right", "left"]].set_visible(False)
    drawing.legend(loc="outside upper center", ncols=len(names), fontsize=9, frameon=False)
    return drawing
