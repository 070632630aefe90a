"""Short convolutions with fewer multiplications: the matrices behind Winograd's method."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

ONE = Fraction(1)

# Where the polynomials are evaluated, for tiles of 3, 4, ... inputs; infinity is one point
# more. Textbooks take 0, 1, -1, 2, -2. As the transforms are matrix products anyway, unusual
# points cost nothing, and these, found by a search, round several times less.
POINTS = {
    3: (Fraction(0), Fraction(1)),
    4: (Fraction(0), Fraction(1), Fraction(-1)),
    5: (Fraction(1, 2), Fraction(-1, 2), Fraction(9, 8), Fraction(-9, 8)),
    6: (Fraction(0), Fraction(5, 8), Fraction(-5, 8), Fraction(3, 2), Fraction(-3, 2)),
    7: (Fraction(0), ONE, -ONE, Fraction(15, 8), Fraction(-15, 8), Fraction(1, 4)),
    8: (*(Fraction(n, 2) for n in (0, 1, -1, 2, -2)), Fraction(7, 4), Fraction(-7, 4)),
}

Matrices = tuple[NDArray[Any], NDArray[Any], NDArray[Any]]


@functools.lru_cache(maxsize=64)
def cook_toom(
    outputs: int,
    kernel: int,
    dtype: str = "float64",
    points: tuple[int | Fraction, ...] | None = None,
) -> Matrices:
    r"""Return the matrices of the algorithm F(outputs, kernel).

    With ``a = outputs + kernel - 1`` they compute, for `a` inputs `d` and a kernel `g`,

    .. math:: y = A^T \left[ (G g) \odot (B^T d) \right], \qquad y_i = \sum_j g_j d_{i+j}

    with `a` multiplications instead of ``outputs * kernel``. The idea: a polynomial of
    degree below `a` is fixed by its values at `a` points, and where polynomials are
    multiplied, their values are. That is Toom's and Cook's; turned around (transposed) it
    computes a correlation (Winograd, *Arithmetic Complexity of Computations*, 1980; Lavin
    and Gray, *Fast Algorithms for Convolutional Neural Networks*, 2016).

    Parameters
    ----------
    outputs, kernel : int
        At least 1.
    dtype : str
        Of the matrices.
    points : tuple of int or Fraction, optional
        ``a - 1`` different numbers, where the polynomials are evaluated; infinity is one
        more. `POINTS` if not given.

    Returns
    -------
    AT, G, BT : arrays, (outputs, a), (a, kernel), (a, a)
        Rounded to `dtype` from exact fractions; read-only, as they are shared.

    Raises
    ------
    ValueError
        If there are no points for so large a tile, `a` above 8, or not ``a - 1`` different
        ones are given.

    Examples
    --------
    >>> AT, G, BT = cook_toom(outputs=2, kernel=3)
    >>> d, g = np.array([1.0, 2.0, 3.0, 4.0]), np.array([1.0, 10.0, 100.0])
    >>> (AT @ ((G @ g) * (BT @ d))).tolist()  # 4 multiplications instead of 6
    [321.0, 432.0]
    """
    tile = outputs + kernel - 1
    if 1 in (outputs, kernel):  # nothing to save: plain products
        at = np.ones((1, tile)) if outputs == 1 else np.eye(tile)
        g = np.ones((tile, 1)) if kernel == 1 else np.eye(tile)
        return _as(dtype, at, g, np.eye(tile))
    if points is None and tile not in POINTS:
        raise ValueError(
            f"no points are known for F({outputs}, {kernel}): its tiles have {tile} inputs, at "
            f"most {max(POINTS)} can be done"
        )
    points = tuple(map(Fraction, POINTS[tile] if points is None else points))
    if len(points) != tile - 1 or len(set(points)) != tile - 1:
        raise ValueError(
            f"F({outputs}, {kernel}) needs {tile - 1} different points, got {len(points)}: "
            f"{', '.join(map(str, points))}"
        )
    others = [[q for q in points if q != p] for p in points]
    # Lagrange's division by the distances between the points, once and for all in the kernel.
    distances = [
        math.prod((p - q for q in rest), start=ONE) for p, rest in zip(points, others, strict=True)
    ]
    at = _values(outputs, points, [ONE] * len(points)).T
    g = _values(kernel, points, distances)
    bt = [[*_coefficients(rest), 0] for rest in others] + [_coefficients(points)]
    return _as(dtype, at, g, np.array(bt, float))


def _values(degrees: int, points: Sequence[Fraction], over: Sequence[Fraction]) -> NDArray[Any]:
    """Give ``1, p, p^2, ...``, divided, for every point; at infinity the top degree counts."""
    rows = [[p**e / d for e in range(degrees)] for p, d in zip(points, over, strict=True)]
    return np.array([*rows, [0] * (degrees - 1) + [1]], float)


def _coefficients(roots: Sequence[Fraction]) -> list[Fraction]:
    """Multiply out ``(x - r1)(x - r2)...``, constant term first."""
    poly = [ONE]
    for root in roots:
        times_x, times_root = [Fraction(0), *poly], [*(root * c for c in poly), Fraction(0)]
        poly = [a - b for a, b in zip(times_x, times_root, strict=True)]
    return poly


def _as(dtype: str, *matrices: NDArray[Any]) -> Matrices:
    at, g, bt = (np.array(matrix, dtype, order="C") for matrix in matrices)
    for matrix in (at, g, bt):
        matrix.flags.writeable = False
    return at, g, bt
