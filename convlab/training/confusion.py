"""Which class is taken for which."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def confusion_matrix(labels: Any, predictions: Any, classes: int) -> NDArray[np.int64]:
    """Count for each pair of classes how often the one was taken for the other.

    Parameters
    ----------
    labels : integers (N,)
        The right classes, from 0 to ``classes - 1``. An array, or a tensor on the CPU.
    predictions : integers (N,)
        What the network answered: of logits, ``logits.argmax(1)``.
    classes : int
        How many there are, at least 1.

    Returns
    -------
    int64 array (classes, classes)
        Row: the right class. Column: the answer. On the diagonal stand the right answers; a row
        adds up to the number of images of that class.

    Raises
    ------
    TypeError
        If labels or predictions are no whole numbers.
    ValueError
        If they differ in number or are not rows of classes, or `classes` is below 1.

    Examples
    --------
    >>> confusion_matrix(labels=[0, 0, 1, 2], predictions=[0, 2, 1, 2], classes=3)
    array([[1, 0, 1],
           [0, 1, 0],
           [0, 0, 1]])
    """
    if classes < 1:
        raise ValueError(f"classes must be at least 1, got {classes}")
    right = _checked("labels", labels, classes)
    answered = _checked("predictions", predictions, classes)
    if len(right) != len(answered):
        raise ValueError(f"{len(right)} labels need as many predictions, got {len(answered)}")
    pairs = np.bincount(right * classes + answered, minlength=classes * classes)
    return pairs.reshape(classes, classes).astype(np.int64)


def _checked(name: str, values: Any, classes: int) -> NDArray[np.int64]:
    row = np.asarray(values)
    if row.ndim != 1:
        raise ValueError(f"{name} must be a row of classes (N,), got shape {row.shape}")
    if not len(row):
        return row.astype(np.int64)
    if row.dtype.kind not in "iu":
        raise TypeError(f"{name} must be whole numbers, got {row.dtype}")
    wrong = row[(row < 0) | (row >= classes)]
    if len(wrong):
        raise ValueError(
            f"{name} holds {wrong[0]}, but there are {classes} classes, 0 to {classes - 1}"
        )
    return row.astype(np.int64)
