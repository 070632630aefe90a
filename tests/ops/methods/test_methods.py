"""Each method keeps what its docstring states: accuracy, memory, infinity and NaN."""

import tracemalloc

import numpy as np
import pytest
import torch

from convlab.ops.methods import BY_NAME

SINGLE, DOUBLE = "6e-8", "1.2e-16"  # half the distance from 1 to the next number, rounded up


def stated_error(name, dtype, window):
    """Error over the sum of |w| * |x|, for windows of that many numbers, as documented."""
    if dtype == np.float64:
        return window * float(DOUBLE)
    return float(SINGLE) + window * float(DOUBLE) if name == "naive" else window * float(SINGLE)


def test_the_docstrings_state_these_errors():
    assert f"``{SINGLE} + K * {DOUBLE}`` (float32) or ``K * {DOUBLE}``" in BY_NAME["naive"].__doc__
    assert f"``K * {SINGLE}`` (float32) or ``K * {DOUBLE}`` (float64)" in BY_NAME["windows"].__doc__


INPUTS = {
    "around zero": lambda random, shape: random.normal(size=shape),
    "all alike": lambda random, shape: np.full(shape, 0.1),
    "one large, many small": lambda random, shape: np.where(
        np.arange(np.prod(shape)).reshape(shape) == 0, 1.0, 2.0**-25
    ),
    "of every size": lambda random, shape: 10.0 ** random.uniform(-6, 6, shape),
}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", BY_NAME)
@pytest.mark.parametrize("kind", INPUTS)
@pytest.mark.parametrize("channels", [1, 64, 512])
def test_the_error_is_within_the_stated_bound(name, dtype, kind, channels):
    """Measured against extended precision."""
    random = np.random.default_rng(1)
    x = INPUTS[kind](random, (1, channels, 4, 4)).astype(dtype)
    w = random.choice([1.0, 0.3, -0.7], (8, channels, 3, 3)).astype(dtype)
    if kind == "all alike":
        w[:] = 1
    products = np.empty((8, 2, 2, channels * 9), np.longdouble)
    for o, i, j in np.ndindex(products.shape[:3]):
        window = x[0, :, i : i + 3, j : j + 3].astype(np.longdouble)
        products[o, i, j] = (window * w[o]).ravel()
    answer = BY_NAME[name](x, w, (1, 1), (1, 1))[0]
    error = np.abs(answer - products.sum(axis=-1)) / np.abs(products).sum(axis=-1)
    assert error.max() <= stated_error(name, dtype, channels * 9)


@pytest.mark.parametrize("name", BY_NAME)
@pytest.mark.parametrize("kernels", [1, 2])
@pytest.mark.parametrize("size", [1, 3])
@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("kernel", [1, 3])
def test_zero_times_infinity_is_nan_in_every_shape(name, kernels, size, channels, kernel):
    """Also where the matrix product is a vector or a single number and BLAS takes a short cut."""
    shape = (1, channels, size + kernel - 1, size + kernel - 1)
    zeros, infinite = np.zeros(shape), np.full(shape, np.inf)
    w_zeros = np.zeros((kernels, channels, kernel, kernel))
    with np.errstate(invalid="ignore"):
        assert np.isnan(BY_NAME[name](infinite, w_zeros, (1, 1), (1, 1))).all()
        answer = BY_NAME[name](zeros, np.full_like(w_zeros, np.inf), (1, 1), (1, 1))
        expected = torch.conv2d(torch.from_numpy(zeros), torch.from_numpy(w_zeros) + np.inf)
    np.testing.assert_array_equal(answer, expected.numpy())


@pytest.mark.parametrize(("channels", "size", "kernels", "k"), [(16, 40, 4, 3), (1, 200, 64, 1),
                                                                (2, 100, 64, 2)])  # fmt: skip
def test_windows_needs_no_more_memory_than_it_states(channels, size, kernels, k):
    x, w = np.ones((1, channels, size, size)), np.ones((kernels, channels, k, k))
    BY_NAME["windows"](x, w, (1, 1), (1, 1))
    tracemalloc.start()
    answer = BY_NAME["windows"](x, w, (1, 1), (1, 1))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    outputs = answer.shape[2] * answer.shape[3]
    stated = outputs * (channels * k * k + kernels) * 8
    assert peak <= answer.nbytes + stated + 100_000
