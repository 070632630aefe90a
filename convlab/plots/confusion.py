"""Which class was taken for which."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.patches import Rectangle
from numpy.typing import ArrayLike

from convlab.plots.drawing import DPI, DROPPED, INK, INPUT, LINE, Drawing

RIGHT = "#cfe0f0"


def confusion_matrix(counts: ArrayLike, class_names: Sequence[str]) -> Drawing:
    """Draw how often each class was taken for each.

    Parameters
    ----------
    counts : whole numbers (K, K)
        Row: the right class. Column: the answer. `convlab.training.confusion_matrix` makes
        one. Right answers stand in blue on the diagonal; a mistake is the redder the more often
        it was made; nothing is written where nothing happened.
    class_names : sequence of str
        One for each class.

    Returns
    -------
    Drawing
        One axes.

    Raises
    ------
    ValueError
        If `counts` is no square matrix of whole numbers from 0 on, or there is not one name for
        each row.

    Examples
    --------
    >>> drawing = confusion_matrix([[9, 1], [0, 7]], ["cat", "dog"])
    >>> [text.get_text() for text in drawing.axes[0].texts]
    ['9', '1', '7']
    """
    matrix = np.asarray(counts)
    square = matrix.ndim == 2 and matrix.shape[0] == matrix.shape[1] > 0
    if not square or matrix.dtype.kind not in "iu" or (matrix < 0).any():
        raise ValueError(
            f"counts must be a square matrix of whole numbers from 0 on, got {matrix.dtype} of "
            f"shape {matrix.shape}"
        )
    size = len(matrix)
    if len(class_names) != size:
        raise ValueError(f"{size} classes need {size} names, got {len(class_names)}")
    side = min(0.42 * size + 1.1, 7.0)
    drawing = Drawing(figsize=(side, side - 0.1), layout="constrained", dpi=DPI)
    axis = drawing.subplots()
    most = max(1, int((matrix - np.diag(np.diag(matrix))).max()))
    for (row, column), number in np.ndenumerate(matrix):
        mistake = row != column and number > 0
        axis.add_patch(
            Rectangle(
                (column - 0.5, row - 0.5), 1, 1, edgecolor=LINE, linewidth=0.5,
                facecolor=RIGHT if row == column else DROPPED if mistake else INPUT,
                alpha=0.25 + 0.45 * number / most if mistake else None,
            )
        )  # fmt: skip
        if number:
            axis.text(column, row, f"{number}", ha="center", va="center", color=INK,
                      fontsize=10 if size <= 12 else 7)  # fmt: skip
    axis.set(xlim=(-0.5, size - 0.5), ylim=(size - 0.5, -0.5), aspect="equal")
    turned = max(map(len, class_names)) > 3
    axis.set_xticks(range(size), class_names, rotation=45 if turned else 0,
                    ha="right" if turned else "center")  # fmt: skip
    axis.set_yticks(range(size), class_names)
    axis.set_xlabel("answer", color=INK)
    axis.set_ylabel("label", color=INK)
    axis.tick_params(colors=INK, labelsize=9, length=0)
    axis.spines[:].set_color(LINE)
    return drawing
