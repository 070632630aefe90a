"""Scratch memory that survives from one call to the next.

A fast method needs room for columns or tiles. Fresh memory comes from the operating
system page by page, and on a small layer those page faults take longer than the
convolution. So each thread keeps one buffer: bounded, grown to what the last call
needed, given back by `release_workspace`.
"""

from __future__ import annotations

import math
import threading
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

LIMIT = 32 * 2**20  # bytes that one thread keeps between calls, at most
ALIGNMENT = 64  # bytes: a cache line, and the widest vector register

Take = Callable[..., NDArray[Any]]


class _Local(threading.local):
    """What one thread keeps."""

    def __init__(self) -> None:
        self.buffer = np.empty(0, np.uint8)
        self.outermost: Callable[[], workspace | None] = _nobody  # the block that holds all others
        self.used = 0  # bytes of the buffer that are lent
        self.asked = 0  # bytes that are lent, also those that did not fit
        self.wanted = 0  # the most that was lent at a time


def _nobody() -> None:
    """Stand for a reference to a block that has ended."""


class workspace:
    """Lend arrays of one dtype until the end of the ``with`` block.

    ``take(2, 3)`` returns an array of that shape with anything in it. It is part of the
    thread's buffer while there is room, and fresh memory otherwise; either way it must not
    outlive the block. Blocks may be nested.

    A class, not a generator: a generator that was interrupted ends when it is collected,
    and would give memory back that a later call has in use by then.

    Examples
    --------
    >>> with workspace(np.float32) as take:
    ...     columns = take(9, 100)
    >>> columns.shape, columns.dtype
    ((9, 100), dtype('float32'))
    """

    def __init__(self, dtype: DTypeLike) -> None:
        self.item = np.dtype(dtype)

    def __enter__(self) -> Take:
        if _local.outermost() is None:  # also if it was interrupted before it could end
            # Not when the last call ended: its arrays were still there, and would have counted
            # twice.
            if _local.buffer.size < min(_local.wanted, LIMIT):
                _local.buffer = _aligned(min(_local.wanted, LIMIT))
            _local.used = _local.asked = _local.wanted = 0
            _local.outermost = weakref.ref(self)
        self.before = _local.used, _local.asked
        return self.take

    def __exit__(self, *error: object) -> None:
        _local.used, _local.asked = self.before
        if _local.outermost() is self:
            _local.outermost = _nobody

    def take(self, *shape: int) -> NDArray[Any]:
        """Lend an array of this shape."""
        size = math.prod(shape) * self.item.itemsize
        room = -(-size // ALIGNMENT) * ALIGNMENT
        if room <= LIMIT:  # what can never fit shall not make the buffer grow
            _local.asked += room
            _local.wanted = max(_local.wanted, _local.asked)
        if _local.used + room > _local.buffer.size:
            return np.empty(shape, self.item)
        piece = _local.buffer[_local.used : _local.used + size]
        _local.used += room
        return piece.view(self.item).reshape(shape)


_local = _Local()


def _aligned(size: int) -> NDArray[np.uint8]:
    memory = np.empty(size + ALIGNMENT, np.uint8)
    skip = -memory.ctypes.data % ALIGNMENT
    return memory[skip : skip + size]


def release_workspace() -> None:
    """Give back the scratch memory that this thread keeps between calls, 32 MiB at most.

    The next call takes what it needs anew. There is nothing to release in threads that
    have ended.

    Examples
    --------
    >>> release_workspace()
    """
    _local.buffer, _local.wanted = np.empty(0, np.uint8), 0
