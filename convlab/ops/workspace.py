"""Scratch memory that is kept from one call to the next.

A fast method needs memory for columns or tiles. An allocator that returns large blocks to the
operating system pays for each page of the next one. So each thread keeps one buffer: bounded, grown
to what the last call needed, freed by `release_workspace`.

Without it, the layers of ResNet-18 and VGG-16 took 1.2 to 1.4 times as long where glibc returned
all large blocks (``MALLOC_MMAP_THRESHOLD_`` set; float32, one thread), and 1.00 to 1.03 times with
its default, which learns to keep blocks of up to 32 MiB.
"""

from __future__ import annotations

import math
import threading
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

MAX_BYTES = 32 * 2**20  # kept by a thread between calls
ALIGNMENT = 64  # bytes: a cache line, and the widest vector register

Allocate = Callable[..., NDArray[Any]]  # from the sizes of an array


class _ThreadState(threading.local):
    """Buffer of one thread, and how much of it is in use."""

    def __init__(self) -> None:
        self.buffer = np.empty(0, np.uint8)
        self.outermost: Callable[[], workspace | None] = lambda: None  # a weak reference
        self.used = 0  # bytes of the buffer in use
        self.requested = 0  # bytes in use, with those that did not fit into the buffer
        self.peak = 0  # the largest value of `requested` so far


class workspace:
    """Context manager that allocates uninitialized arrays of one dtype from the thread's buffer.

    ``allocate(2, 3)`` returns an array of that shape. It is part of the thread's buffer while that
    has space, and fresh memory otherwise; either way it must not be used after the block. Blocks
    may be nested.

    A class, not a generator: a generator that was interrupted ends when it is garbage-collected,
    and would then free memory that a later call uses.

    Examples
    --------
    >>> with workspace(np.float32) as allocate:
    ...     columns = allocate(9, 100)
    >>> columns.shape, columns.dtype
    ((9, 100), dtype('float32'))
    """

    def __init__(self, dtype: DTypeLike) -> None:
        self.dtype = np.dtype(dtype)

    def __enter__(self) -> Allocate:
        if _local.outermost() is None:  # or it was interrupted and garbage-collected
            # The buffer grows here and not in `__exit__`, where the arrays of the block still
            # exist: old and new buffer would take memory at the same time.
            if _local.buffer.size < min(_local.peak, MAX_BYTES):
                _local.buffer = _aligned(min(_local.peak, MAX_BYTES))
            _local.used = _local.requested = _local.peak = 0
            _local.outermost = weakref.ref(self)
        self.before = _local.used, _local.requested
        return self.allocate

    def __exit__(self, *error: object) -> None:
        _local.used, _local.requested = self.before
        if _local.outermost() is self:
            _local.outermost = lambda: None

    def allocate(self, *shape: int) -> NDArray[Any]:
        """Return an uninitialized array of this shape."""
        size = math.prod(shape) * self.dtype.itemsize
        aligned_size = -(-size // ALIGNMENT) * ALIGNMENT
        if aligned_size <= MAX_BYTES:  # larger arrays never fit: the buffer need not grow for them
            _local.requested += aligned_size
            _local.peak = max(_local.peak, _local.requested)
        if _local.used + aligned_size > _local.buffer.size:
            return np.empty(shape, self.dtype)
        start = _local.used
        _local.used += aligned_size
        return _local.buffer[start : start + size].view(self.dtype).reshape(shape)


_local = _ThreadState()


def _aligned(size: int) -> NDArray[np.uint8]:
    memory = np.empty(size + ALIGNMENT, np.uint8)
    offset = -memory.ctypes.data % ALIGNMENT
    return memory[offset : offset + size]


def release_workspace() -> None:
    """Free the scratch memory that this thread keeps between calls, 32 MiB at most.

    The next call allocates what it needs. Threads that have ended keep no memory.

    Examples
    --------
    >>> release_workspace()
    """
    _local.buffer, _local.peak = np.empty(0, np.uint8), 0
