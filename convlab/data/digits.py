"""The data set ``"digits"``: 1,797 handwritten digits that are part of the package.

They were written on forms by 13 people, scanned, and reduced to 8 x 8 cells of values 0 to 16.

Source: E. Alpaydin and C. Kaynak (1998), Optical Recognition of Handwritten Digits, UCI Machine
Learning Repository, https://doi.org/10.24432/C50P49, license CC BY 4.0: its test file, in its
order, which is also what ``sklearn.datasets.load_digits`` returns.
"""

from __future__ import annotations

from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convlab.data.dataset import Bytes, Dataset

CLASS_NAMES = tuple("0123456789")
SIZE = 28  # height and width of the enlarged images, those of MNIST
WHITE = 16  # each cell is the number of inked ones among 4 x 4 dots of the scan
TEST_EVERY = 5


def load_digits() -> Dataset:
    """Read the digits, enlarged to 28 x 28, split into 1,442 training and 355 test images.

    Examples
    --------
    >>> load_digits().test_labels[:8]
    array([5, 0, 9, 8, 7, 1, 2, 6])
    """
    cells, labels = read_cells()
    images = enlarge(cells, SIZE, WHITE)[:, None]
    test = is_test(labels)
    return Dataset("digits", images[~test], labels[~test], images[test], labels[test], CLASS_NAMES)


def read_cells() -> tuple[Bytes, Bytes]:
    """Read the published digits: uint8 cells ``(1797, 8, 8)`` from 0 to 16, and labels ``(1797,)``.

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


def is_test(labels: NDArray[Any]) -> NDArray[np.bool_]:
    """Choose the test images: every fifth of each class, in the order of the file.

    The split is not random, and every class and every part of the file contributes. The same
    people wrote the training and the test images; a network is less accurate on digits of others.

    Examples
    --------
    >>> is_test(np.array([7, 7, 7, 1, 7, 7, 7]))
    array([False, False, False, False, False,  True, False])
    """
    chosen = np.zeros(len(labels), bool)
    for label in np.unique(labels):
        chosen[np.flatnonzero(labels == label)[TEST_EVERY - 1 :: TEST_EVERY]] = True
    return chosen


def enlarge(images: Bytes, size: int, white: int) -> Bytes:
    r"""Enlarge square images by bilinear interpolation, in integer arithmetic.

    The images, uint8 ``(N, n, n)`` from 0 to `white`, become ``(N, size, size)`` from 0 to 255, as
    by ``torch.nn.functional.interpolate(..., mode="bilinear", align_corners=False)``: the center of
    row :math:`i` of the large image lies at row

    .. math:: \frac{(2 i + 1) \cdot n}{2 \cdot \text{size}} - \frac{1}{2}

    of the small one, the result is a weighted mean of the nearest neighbors, and the outermost
    pixels continue beyond the edge. The weights are integers in units of
    :math:`1 / (2 \cdot \text{size})`, so the bytes are the same on every machine; only the last
    step rounds, to the nearest byte, halves upwards.

    Examples
    --------
    >>> enlarge(np.array([[[0, 4], [4, 4]]], np.uint8), size=4, white=4)
    array([[[  0,  64, 191, 255],
            [ 64, 112, 207, 255],
            [191, 207, 239, 255],
            [255, 255, 255, 255]]], dtype=uint8)
    """
    weights = _interpolation_weights(images.shape[1], size)
    sums = weights @ images.astype(np.int64) @ weights.T  # (N, size, size)
    white_sum = white * (2 * size) ** 2
    enlarged: Bytes = ((2 * 255 * sums + white_sum) // (2 * white_sum)).astype(np.uint8)
    return enlarged


def _interpolation_weights(small: int, large: int) -> NDArray[np.int64]:
    """Return the weight of each small row in each large row, (large, small), times 2 * large."""
    unit = 2 * large
    weights = np.zeros((large, small), np.int64)
    for row in range(large):
        position = min(max((2 * row + 1) * small - large, 0), (small - 1) * unit)
        above, remainder = divmod(position, unit)
        weights[row, above] += unit - remainder
        weights[row, min(above + 1, small - 1)] += remainder
    return weights
