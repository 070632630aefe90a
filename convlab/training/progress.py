"""A bar while someone watches; nothing in a file, a pipe or a test."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from importlib import import_module
from typing import TypeVar

Item = TypeVar("Item")


def watched(
    items: Iterable[Item], total: int, done: int, words: str, show: bool | None
) -> Iterator[Item]:
    """Yield the items, and show on a terminal how far it is.

    Parameters
    ----------
    items : iterable
        What is still to come.
    total, done : int
        How many there are in all, and how many came before.
    words : str
        What stands before the bar.
    show : bool, optional
        None: only if standard error is a terminal. The bar is tqdm's; where tqdm is not installed
        there is none.

    Examples
    --------
    >>> list(watched("ab", total=3, done=1, words="epoch 1", show=False))
    ['a', 'b']
    """
    if show is None:
        show = sys.stderr.isatty()
    if show:
        try:
            bar = import_module("tqdm").tqdm
        except ImportError:
            show = False
    if not show:
        yield from items
        return
    yield from bar(items, total=total, initial=done, desc=words, unit="step", leave=False)
