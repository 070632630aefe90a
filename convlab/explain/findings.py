"""Causes with their arithmetic, and the sentences that several rules need."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import prod
from typing import NamedTuple

from torch import Tensor

# What layers with a window of so many axes take: an input without a batch, and one with a batch.
LAYOUTS = {
    1: ("(C, L)", "(N, C, L)"),
    2: ("(C, H, W)", "(N, C, H, W)"),
    3: ("(C, D, H, W)", "(N, C, D, H, W)"),
}


class Finding(NamedTuple):
    """A cause, and the arithmetic that shows it."""

    cause: str
    steps: list[str]


def has(x: Tensor, number: int | str, noun: str, argument: str = "input") -> str:
    """Return the line that says of what a tensor has how many.

    Examples
    --------
    >>> import torch
    >>> has(torch.ones(1, 3), 3, "channels"), has(torch.ones(1, 3), 1, "channels")
    ('input: shape (1, 3) has 3 channels', 'input: shape (1, 3) has 1 channel')
    """
    singular = "axis" if noun == "axes" else noun.replace("channels", "channel")
    return f"{argument}: shape {tuple(x.shape)} has {number} {singular if number == 1 else noun}"


def product(sizes: Iterable[int]) -> str:
    """Return a product with its factors.

    Examples
    --------
    >>> product((3, 4)), product((5,))
    ('3 * 4 = 12', '5')
    """
    factors = tuple(sizes)
    text = " * ".join(map(str, factors))
    return text if len(factors) == 1 else f"{text} = {prod(factors)}"


def remainder(name: str, number: float, divisor: float) -> str:
    """Return the line about a number that another one does not divide.

    Examples
    --------
    >>> remainder("channels / groups = ", 6, 4)
    'channels / groups = 6 / 4 leaves a remainder of 2'
    """
    return f"{name}{number} / {divisor} leaves a remainder of {number % divisor}"


def number_of_axes(x: Tensor, name: str, layouts: Sequence[str]) -> Finding | None:
    """Return the finding if a tensor has another number of axes than each of the layouts."""
    allowed = [layout.count(",") + 1 for layout in layouts]
    if x.dim() in allowed:
        return None
    steps = [has(x, x.dim(), "axes"), f"{name} takes {' or '.join(layouts)}"]
    return Finding("missing_axis" if x.dim() < min(allowed) else "extra_axis", steps)
