"""Seeds derived from one seed, and the state of the shared random generators.

The order and the augmentation of the images have generators of their own, seeded by `derived_seed`.
Only the layers, such as dropout, draw from the shared generators, whose state a checkpoint stores.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch


def derived_seed(seed: int, purpose: str, index: int = 0) -> int:
    """Derive an independent seed, from 0 to 2**63 - 1, from the seed of the run.

    It depends on `purpose`, the use of the random numbers, and on `index`, the epoch, step or
    process.

    Examples
    --------
    >>> derived_seed(0, "order", 1) == derived_seed(0, "order", 1)
    True
    >>> derived_seed(0, "order", 1) == derived_seed(0, "order", 2)
    False
    """
    digest = hashlib.sha256(f"{seed}/{purpose}/{index}".encode()).digest()
    return int.from_bytes(digest[:8], "little") >> 1


def seed_everything(seed: int) -> None:
    """Seed the shared generators of Python, NumPy and PyTorch, on all devices; `seed` >= 0.

    Examples
    --------
    >>> seed_everything(3)
    >>> first = torch.rand(2)
    >>> seed_everything(3)
    >>> bool((torch.rand(2) == first).all())
    True
    """
    random.seed(seed)
    # Third-party layers may draw from NumPy's legacy global generator, so it is seeded too.
    np.random.seed(derived_seed(seed, "numpy") % 2**32)  # noqa: NPY002
    torch.manual_seed(seed)


def random_state() -> dict[str, Any]:
    """Return the state of the shared generators, in types that `weights_only` loading accepts.

    Examples
    --------
    >>> state = random_state()
    >>> first = torch.rand(2)
    >>> set_random_state(state)
    >>> bool((torch.rand(2) == first).all())
    True
    """
    algorithm, keys, position, has_gauss, gauss = np.random.get_state()  # noqa: NPY002
    numpy_keys = torch.from_numpy(np.asarray(keys, dtype=np.int64))
    return {
        "python": random.getstate(),
        "numpy": (algorithm, numpy_keys, int(position), int(has_gauss), float(gauss)),
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
    }


def set_random_state(state: Mapping[str, Any]) -> None:
    """Restore a state of the shared generators that `random_state` returned."""
    version, numbers, gauss_next = state["python"]
    random.setstate((version, tuple(numbers), gauss_next))
    algorithm, keys, position, has_gauss, gauss = state["numpy"]
    np.random.set_state(  # noqa: NPY002
        (algorithm, keys.numpy().astype(np.uint32), position, has_gauss, gauss)
    )
    torch.set_rng_state(state["torch"])
    if state["cuda"] and torch.cuda.is_available():
        torch.cuda.set_rng_state_all(state["cuda"])
