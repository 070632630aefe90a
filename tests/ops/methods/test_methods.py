"""Each method meets the accuracy that its docstring states."""

import numpy as np
import pytest

from convlab.ops.methods import BY_NAME

# As in the docstrings: error over the sum of |w| * |x| of the window, by dtype.
STATED = {
    "naive": {np.float32: 1e-7, np.float64: 1e-12},
    "windows": {np.float32: 2e-6, np.float64: 1e-12},
}


def test_every_method_states_an_accuracy():
    assert STATED.keys() == BY_NAME.keys()
    for name, bounds in STATED.items():
        for bound in bounds.values():
            assert f"{bound:.0e}".replace("e-0", "e-") in BY_NAME[name].__doc__


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", BY_NAME)
@pytest.mark.parametrize("spread", [0, 6])
def test_the_error_is_within_the_stated_bound(name, dtype, spread):
    """Measured against extended precision, for numbers alike and of very different size."""
    random = np.random.default_rng(1)
    scale = 10.0 ** random.uniform(-spread, spread, (2, 512, 4, 4))
    x = (random.normal(size=(2, 512, 4, 4)) * scale).astype(dtype)
    w = random.normal(size=(2, 512, 3, 3)).astype(dtype)
    exact = np.empty((2, 2, 2, 2), np.longdouble)
    bound = np.empty_like(exact)
    for n, o, i, j in np.ndindex(exact.shape):
        window = x[n, :, i : i + 3, j : j + 3].astype(np.longdouble)
        exact[n, o, i, j] = (window * w[o]).sum()
        bound[n, o, i, j] = np.abs(window * w[o]).sum()
    error = np.abs(BY_NAME[name](x, w, (1, 1), (1, 1)) - exact) / bound
    assert error.max() <= STATED[name][dtype]
