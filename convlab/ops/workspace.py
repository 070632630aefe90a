"""Scratch memory that survives from one call to the next.

A fast method needs room for columns or tiles. Fresh memory comes from the operating
system page by page, and on a small layer those page faults take longer than the
convolution. So each thread keeps one buffer: bounded, grown to what the last call
needed, given back by `release_workspace`.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
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
        self.used = 0  # bytes handed out to the calls under way
        self.wanted = 0  # bytes that they asked for, also those that did not fit


_local = _Local()


@contextmanager
def workspace(dtype: DTypeLike) -> Iterator[Take]:
    """Lend arrays of one dtype until the end of the ``with`` block.

    Yields
    ------
    take : function
        ``take(2, 3)`` returns an array of that shape with anything in it. It is part of
        the thread's buffer while there is room, and fresh memory otherwise; either way it
        must not outlive the block. Blocks may be nested.

    Examples
    --------
    >>> with workspace(np.float32) as take:
    ...     columns = take(9, 100)
    >>> columns.shape, columns.dtype
    ((9, 100), dtype('float32'))
    """
    item = np.dtype(dtype)
    start = _local.used
    if start == 0:
        _local.wanted = 0

    def take(*shape: int) -> NDArray[Any]:
        size = math.prod(shape) * item.itemsize
        room = -(-size // ALIGNMENT) * ALIGNMENT
        _local.wanted += room
        if _local.used + room > _local.buffer.size:
            return np.empty(shape, item)
        piece = _local.buffer[_local.used : _local.used + size]
        _local.used += room
        return piece.view(item).reshape(shape)

    try:
        yield take
    finally:
        _local.used = start
        if start == 0 and _local.buffer.size < min(_local.wanted, LIMIT):
            _local.buffer = _aligned(min(_local.wanted, LIMIT))


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
    _local.buffer = np.empty(0, np.uint8)
