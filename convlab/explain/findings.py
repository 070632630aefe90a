"""Causes with their arithmetic, and the sentences that several rules need."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import prod
from typing import Any, NamedTuple

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


def entries(value: Any) -> list[Any]:
    """Return the numbers of an argument, which is one, or several in a tuple or list."""
    return list(value) if isinstance(value, tuple | list) else [value]


def not_integers(arguments: Mapping[str, Any]) -> Finding | None:
    """Return the finding if one of the arguments, that must hold ints, does not.

    Examples
    --------
    >>> not_integers({"stride": (1, 2), "padding": "same", "kernel_size": 3.0})
    Finding(cause='not_an_integer', steps=['kernel_size = 3.0 is not an int'])
    """
    for name, value in arguments.items():
        is_text = name == "padding" and isinstance(value, str)
        if not is_text and any(isinstance(x, float | complex | str) for x in entries(value)):
            return Finding("not_an_integer", [f"{name} = {value!r} is not an int"])
    return None


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
