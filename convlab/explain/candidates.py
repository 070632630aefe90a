"""Changes to try: a text, and a function that makes the change."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from convlab.explain.calls import Call
from convlab.explain.explanation import Change
from convlab.explain.layers import change_layer
from convlab.explain.meta import is_shape
from convlab.explain.trace import Failure


class Candidate(NamedTuple):
    """A text, and a change to try; None if only the author of the code can make it."""

    text: str
    change: Change | None = None


def change_inputs(function: Callable[[Tensor], Tensor], indices: list[int] | None = None) -> Change:
    """Return a change of the inputs with these indices, by default of all; shapes stay shapes."""

    def apply(value: Any) -> Any:
        if is_shape(value):
            return tuple(function(torch.empty(tuple(value), device="meta")).shape)
        return function(value) if isinstance(value, Tensor) else value

    def change(model: nn.Module, inputs: list[Any]) -> tuple[nn.Module, list[Any]]:
        return model, [
            apply(value) if indices is None or index in indices else value
            for index, value in enumerate(inputs)
        ]

    return change


class Context(NamedTuple):
    """A failing call, the inputs of the model with the shape of its input, the last layer."""

    call: Call | None
    failure: Failure
    indices: list[int]
    last_layer: str | None

    @property
    def path(self) -> str:
        """Path of the failing module."""
        return self.failure.path

    @property
    def layer(self) -> str:
        """The path as the beginning of a text."""
        return f"{self.path}: " if self.path else ""

    def on_input(self, text: str, function: Callable[[Tensor], Tensor]) -> Iterator[Candidate]:
        """Yield a change of the inputs of this shape, if there are any."""
        if self.indices:
            yield Candidate(text, change_inputs(function, self.indices))

    def on_layer(self, **changes: Any) -> Candidate:
        """Return a change of arguments of the layer."""
        text = ", ".join(f"{name}={value!r}" for name, value in changes.items())
        return Candidate(f"{self.layer}{text}", change_layer(self.path, **changes))
