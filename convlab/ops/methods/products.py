"""The matrix product that im2col is made of."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def product(kernels: Array, columns: Array, out: Array | None = None) -> Array:
    """Multiply matrices, (..., O, K) by (..., K, L), also where K is 1.

    BLAS may leave out a multiplication by a single 0, and with it the NaN that
    0 * infinity is. NumPy's own product does not.
    """
    if kernels.shape[-1] == 1:
        return np.multiply(kernels, columns, out=out, order="C")
    return np.matmul(kernels, columns, out=out)
