"""The digits that are part of the package.

1,797 digits that 13 people wrote on forms, counted into 8 x 8 cells of values 0 to 16.

Source: E. Alpaydin and C. Kaynak (1998), Optical Recognition of Handwritten Digits, UCI Machine
Learning Repository, https://doi.org/10.24432/C50P49, licence CC BY 4.0: its test file, in its
order, which is also what ``sklearn.datasets.load_digits`` returns.
"""

from __future__ import annotations

from importlib.resources import files

import numpy as np

from convlab.data.catalogue import DATASETS
from convlab.data.dataset import Bytes, Dataset, Integers
from convlab.data.enlarging import enlarge

WHITE = 16  # each cell counts the inked ones among 4 x 4 dots of the scan
EVERY = 5


def read_cells() -> tuple[Bytes, Bytes]:
    """Read the digits as they were published.

    Returns
    -------
    cells : uint8 array (1797, 8, 8)
        Ink from 0 to 16.
    labels : uint8 array (1797,)
        The digit that was to be written.

    Examples
    --------
    >>> cells, labels = read_cells()
    >>> print(labels[0], cells[0, 3])
    0 [ 0  4 12  0  0  8  8  0]
    """
    with (
        files("convlab.data").joinpath("digits.npz").open("rb") as file,
        np.load(file, allow_pickle=False) as arrays,
    ):
        return arrays["images"], arrays["labels"]


def is_test(labels: Integers | Bytes) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    """Choose the test images: of each class every fifth, in the order of the file.

    No chance is in it, so that everybody has the same split forever, and every class and every
    stretch of the file has its share. The writers of the training and of the test images are
    the same people; a network that must read the hand of a stranger does worse.

    Examples
    --------
    >>> is_test(np.array([7, 7, 7, 1, 7, 7, 7]))
    array([False, False, False, False, False,  True, False])
    """
    chosen = np.zeros(len(labels), bool)
    for label in np.unique(labels):
        chosen[np.flatnonzero(labels == label)[EVERY - 1 :: EVERY]] = True
    return chosen


def load_digits() -> Dataset:
    """Read the digits, enlarged to 28 x 28, split into 1,442 for training and 355 for the test.

    Examples
    --------
    >>> load_digits().test_labels[:8]
    array([5, 0, 9, 8, 7, 1, 2, 6])
    """
    cells, labels = read_cells()
    entry = DATASETS["digits"]
    images = enlarge(cells, size=entry.image_shape[1], white=WHITE)[:, None]
    test = is_test(labels)
    return Dataset(
        name="digits",
        train_images=images[~test],
        train_labels=labels[~test].astype(np.int64),
        test_images=images[test],
        test_labels=labels[test].astype(np.int64),
        class_names=entry.class_names,
    )
