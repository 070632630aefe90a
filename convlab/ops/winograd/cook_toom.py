"""Matrices of the Cook-Toom algorithm, on which Winograd's convolution is built."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from convlab.ops.geometry import Array

ONE = Fraction(1)

# Points at which the polynomials are evaluated, by the number of inputs of a tile; infinity is one
# more. Lavin and Gray (2016) take 0, 1, -1, 2, -2. As the transforms are matrix products anyway,
# other points cost nothing; these were found by a search, and round several times less.
POINTS = {
    3: "0 1",
    4: "0 1 -1",
    5: "1/2 -1/2 9/8 -9/8",
    6: "0 5/8 -5/8 3/2 -3/2",
    7: "0 1 -1 15/8 -15/8 1/4",
    8: "0 1/2 -1/2 1 -1 7/4 -7/4",
}

Matrices = tuple[Array, Array, Array]


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

    with `a` multiplications instead of ``outputs * kernel``. The idea, due to Toom and Cook: a
    polynomial of degree below `a` is determined by its values at `a` points, and the values of a
    product of polynomials are the products of their values. Transposed, the algorithm computes a
    correlation (Winograd, *Arithmetic Complexity of Computations*, 1980; Lavin and Gray, *Fast
    Algorithms for Convolutional Neural Networks*, 2016).

    Parameters
    ----------
    outputs, kernel : int
        At least 1.
    dtype : str
        Data type of the matrices.
    points : tuple of int or Fraction, optional
        ``a - 1`` different numbers at which the polynomials are evaluated; infinity is one more. By
        default, those in `POINTS`.

    Returns
    -------
    AT, G, BT : arrays, (outputs, a), (a, kernel), (a, a)
        Rounded to `dtype` from exact fractions; read-only, as they are shared.

    Raises
    ------
    ValueError
        If `points` is not given and `a` is above 8, or `points` are not ``a - 1`` different
        numbers.

    Examples
    --------
    >>> AT, G, BT = cook_toom(outputs=2, kernel=3)
    >>> d, g = np.array([1.0, 2.0, 3.0, 4.0]), np.array([1.0, 10.0, 100.0])
    >>> (AT @ ((G @ g) * (BT @ d))).tolist()  # 4 multiplications instead of 6
    [321.0, 432.0]
    """
    inputs = outputs + kernel - 1
    if 1 in (outputs, kernel):  # no multiplication can be saved
        AT = np.ones((1, inputs)) if outputs == 1 else np.eye(inputs)
        G = np.ones((inputs, 1)) if kernel == 1 else np.eye(inputs)
        return _read_only(dtype, AT, G, np.eye(inputs))
    if points is None and inputs not in POINTS:
        raise ValueError(
            f"no points are known for F({outputs}, {kernel}): its tiles have {inputs} inputs, and "
            f"at most {max(POINTS)} are supported"
        )
    points = tuple(map(Fraction, POINTS[inputs].split() if points is None else points))
    if len(points) != inputs - 1 or len(set(points)) != inputs - 1:
        raise ValueError(
            f"F({outputs}, {kernel}) needs {inputs - 1} different points, got {len(points)}: "
            f"{', '.join(map(str, points))}"
        )
    other_points = [[q for q in points if q != p] for p in points]
    # Lagrange's interpolation divides by the differences of the points: in G, once per kernel.
    divisors = [math.prod((p - q for q in points if q != p), start=ONE) for p in points]
    AT = _vandermonde(outputs, points, [ONE] * len(points)).T
    G = _vandermonde(kernel, points, divisors)
    BT = [[*_coefficients(others), 0] for others in other_points] + [_coefficients(points)]
    return _read_only(dtype, AT, G, np.array(BT, float))


def _vandermonde(columns: int, points: Sequence[Fraction], divisors: Sequence[Fraction]) -> Array:
    """Return the row ``[1, p, p^2, ...] / d`` for every point; at infinity ``[0, ..., 0, 1]``."""
    rows = [[p**e / d for e in range(columns)] for p, d in zip(points, divisors, strict=True)]
    return np.array([*rows, [0] * (columns - 1) + [1]], float)


def _coefficients(roots: Sequence[Fraction]) -> list[Fraction]:
    """Return the coefficients of ``(x - r1)(x - r2)...``, the constant term first."""
    polynomial = [ONE]
    for root in roots:
        times_x = [Fraction(0), *polynomial]
        times_root = [*(root * c for c in polynomial), Fraction(0)]
        polynomial = [a - b for a, b in zip(times_x, times_root, strict=True)]
    return polynomial


def _read_only(dtype: str, *matrices: Array) -> Matrices:
    AT, G, BT = (np.array(matrix, dtype, order="C") for matrix in matrices)
    for matrix in (AT, G, BT):
        matrix.flags.writeable = False
    return AT, G, BT
