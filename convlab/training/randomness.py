"""Random numbers that can be had again.

What an image looks like in step 700 is a function of the seed and of 700 (`derived_seed`), not of
what was drawn before. Only what the layers draw by themselves, such as dropout, comes from the
generators that all code shares; `random_state` and `set_random_state` carry those through a
checkpoint.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch


def derived_seed(seed: int, purpose: str, number: int = 0) -> int:
    """Make a seed for one purpose out of the seed of the run.

    Parameters
    ----------
    seed : int
        Seed of the run.
    purpose : str
        What the numbers are for. Purposes get streams that have nothing to do with each other.
    number : int
        Counts what is drawn for the purpose: the epoch, the step, the process.

    Returns
    -------
    int
        From 0 up to 2**63 - 1.

    Examples
    --------
    >>> derived_seed(0, "order", 1) == derived_seed(0, "order", 1)
    True
    >>> derived_seed(0, "order", 1) == derived_seed(0, "order", 2)
    False
    """
    digest = hashlib.sha256(f"{seed}/{purpose}/{number}".encode()).digest()
    return int.from_bytes(digest[:8], "little") >> 1


def seed_everything(seed: int) -> None:
    """Seed the shared generators of Python, NumPy and PyTorch, on all devices.

    Parameters
    ----------
    seed : int
        At least 0.

    Examples
    --------
    >>> seed_everything(3)
    >>> first = torch.rand(2)
    >>> seed_everything(3)
    >>> bool((torch.rand(2) == first).all())
    True
    """
    random.seed(seed)
    # The layers of other people draw from the old global generator, so it is seeded too.
    np.random.seed(derived_seed(seed, "numpy") % 2**32)  # noqa: NPY002
    torch.manual_seed(seed)


def random_state() -> dict[str, Any]:
    """Return where the shared generators stand, in types that `weights_only` loading accepts.

    Examples
    --------
    >>> state = random_state()
    >>> first = torch.rand(2)
    >>> set_random_state(state)
    >>> bool((torch.rand(2) == first).all())
    True
    """
    algorithm, keys, position, has_gauss, gauss = np.random.get_state()  # noqa: NPY002
    return {
        "python": random.getstate(),
        "numpy": (
            algorithm, torch.from_numpy(np.asarray(keys, dtype=np.int64)), int(position),
            int(has_gauss), float(gauss),
        ),
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
    }  # fmt: skip


def set_random_state(state: Mapping[str, Any]) -> None:
    """Put the shared generators back to where they stood.

    Parameters
    ----------
    state : mapping
        What `random_state` returned.
    """
    version, numbers, gauss_next = state["python"]
    random.setstate((version, tuple(numbers), gauss_next))
    algorithm, keys, position, has_gauss, gauss = state["numpy"]
    np.random.set_state(  # noqa: NPY002
        (algorithm, keys.numpy().astype(np.uint32), position, has_gauss, gauss)
    )
    torch.set_rng_state(state["torch"])
    if state["cuda"] and torch.cuda.is_available():
        torch.cuda.set_rng_state_all(state["cuda"])
