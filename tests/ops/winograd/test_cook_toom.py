"""Matrices of F(m, r): exactly a correlation, for every supported m and r."""

import itertools
import re
from fractions import Fraction

import numpy as np
import pytest

from convlab.ops.winograd.cook_toom import POINTS, cook_toom

SIZES = range(1, 9)
KNOWN = [(m, r) for m, r in itertools.product(SIZES, SIZES) if m + r - 1 <= 8]
WIDER = [(m, 1) for m in (9, 20)] + [(1, r) for r in (9, 20)]  # plain products, of any size


@pytest.mark.parametrize(("m", "r"), KNOWN + WIDER)
def test_the_matrices_are_exactly_those_of_a_correlation(m, r):
    """With the fractions that the numbers stand for: y_i takes g_j d_k where k = i + j only."""
    AT, G, BT = (
        [[Fraction(x).limit_denominator(10**6) for x in row] for row in matrix.tolist()]
        for matrix in cook_toom(m, r)
    )
    for i, j, k in itertools.product(range(m), range(r), range(m + r - 1)):
        products = range(m + r - 1)
        coefficient = sum((AT[i][a] * G[a][j] * BT[a][k] for a in products), start=Fraction(0))
        assert coefficient == (k == i + j)


@pytest.mark.parametrize(("m", "r"), KNOWN + WIDER)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_on_whole_numbers_it_gives_what_numpy_gives(m, r, dtype):
    random = np.random.default_rng(m * 10 + r)
    AT, G, BT = cook_toom(m, r, dtype)
    assert {AT.dtype, G.dtype, BT.dtype} == {np.dtype(dtype)}
    for _ in range(20):
        d = random.integers(-9, 10, m + r - 1).astype(dtype)
        g = random.integers(-9, 10, r).astype(dtype)
        answer = AT @ ((G @ g) * (BT @ d))
        expected = np.correlate(d, g, mode="valid")
        np.testing.assert_array_equal(answer.round(), expected)
        assert abs(answer - expected).max() <= 3000 * np.finfo(dtype).eps


@pytest.mark.parametrize(("m", "r"), KNOWN)
def test_it_multiplies_as_often_as_there_are_inputs(m, r):
    AT, G, BT = cook_toom(m, r)
    tile = m + r - 1
    assert (AT.shape, G.shape, BT.shape) == ((m, tile), (tile, r), (tile, tile))


@pytest.mark.parametrize(
    ("m", "r"), [(m, r) for m, r in itertools.product(range(2, 9), repeat=2) if m + r - 1 > 8]
)
def test_a_tile_of_more_than_8_inputs_is_refused_with_the_numbers(m, r):
    message = f"F({m}, {r}): its tiles have {m + r - 1} inputs, and at most 8 are supported"
    with pytest.raises(ValueError, match=re.escape(message)):
        cook_toom(m, r)


@pytest.mark.parametrize(
    "points", [(0, 1, 2), (Fraction(1, 3), -5, Fraction(22, 7)), (0, 1, -1)], ids=str
)
def test_any_distinct_points_work(points):
    AT, G, BT = cook_toom(2, 3, points=points)
    d, g = np.array([1.0, -2.0, 3.0, 5.0]), np.array([2.0, 7.0, -1.0])
    np.testing.assert_allclose(
        AT @ ((G @ g) * (BT @ d)), np.correlate(d, g, mode="valid"), rtol=0, atol=1e-10
    )


@pytest.mark.parametrize(
    ("points", "message"),
    [
        ((), "F(2, 3) needs 3 different points, got 0"),
        ((0, 1), "F(2, 3) needs 3 different points, got 2: 0, 1"),
        ((0, 1, 2, 3), "F(2, 3) needs 3 different points, got 4: 0, 1, 2, 3"),
        ((0, 1, 1), "F(2, 3) needs 3 different points, got 3: 0, 1, 1"),
    ],
)
def test_too_few_or_equal_points_are_refused(points, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        cook_toom(2, 3, points=points)


def test_with_custom_points_a_tile_may_be_larger():
    points = tuple(Fraction(n, 2) for n in range(-4, 5))
    AT, G, BT = cook_toom(5, 6, points=points)
    d, g = np.arange(10.0), np.arange(6.0)
    np.testing.assert_allclose(
        AT @ ((G @ g) * (BT @ d)), np.correlate(d, g, mode="valid"), rtol=1e-9
    )


def test_the_points_differ_from_each_other_and_there_is_one_less_than_inputs():
    for tile, points in POINTS.items():
        numbers = [Fraction(point) for point in points.split()]
        assert len(set(numbers)) == len(numbers) == tile - 1


def test_two_dimensions_are_one_after_the_other():
    random = np.random.default_rng(0)
    d, g = random.integers(-9, 10, (6, 4)), random.integers(-9, 10, (3, 3))
    (AT_h, G_h, BT_h), (AT_w, G_w, BT_w) = cook_toom(4, 3), cook_toom(2, 3)
    answer = AT_h @ ((G_h @ g @ G_w.T) * (BT_h @ d @ BT_w.T)) @ AT_w.T
    expected = [[(d[i : i + 3, j : j + 3] * g).sum() for j in range(2)] for i in range(4)]
    np.testing.assert_allclose(answer, expected, rtol=0, atol=1e-11)


@pytest.mark.parametrize(("m", "r"), [(4, 3), (1, 3), (3, 1)])
def test_the_matrices_are_cached_and_read_only(m, r):
    matrices = cook_toom(m, r)
    assert cook_toom(m, r) is matrices
    for matrix in matrices:
        with pytest.raises(ValueError, match="read-only"):
            matrix[0, 0] = 5
