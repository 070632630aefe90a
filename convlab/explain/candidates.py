"""Changes to try: a text, and a function that makes the change."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from convlab.explain.calls import Call
from convlab.explain.explanation import Change
from convlab.explain.layers import LAYERS, change_layer, known_class
from convlab.explain.meta import is_shape
from convlab.explain.trace import Failure, Outcome


class Candidate(NamedTuple):
    """A text, and a change to try; None if only the author of the code can make it.

    One that is `last` comes after larger images.
    """

    text: str
    change: Change | None = None
    last: bool = False


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
    """A failing call, its run, and the indices of the inputs with the shape of the call's input."""

    call: Call | None
    outcome: Outcome
    failure: Failure
    indices: list[int]

    @property
    def path(self) -> str:
        """Path of the failing module."""
        return self.failure.path

    @property
    def layer(self) -> str:
        """The path as the beginning of a text."""
        return f"{self.path}: " if self.path else ""

    @property
    def x(self) -> Tensor | None:
        """The input of the call, or of the module where no call fails."""
        if self.call is not None and self.call.input is not None:
            return self.call.input
        first = next(iter(self.failure.inputs), None)
        return first if isinstance(first, Tensor) else None

    @property
    def is_map(self) -> bool:
        """Whether the input is the output of a convolution or pooling."""
        return id(self.x) in self.outcome.tracer.maps

    def on_input(self, text: str, function: Callable[[Tensor], Tensor]) -> Iterator[Candidate]:
        """Yield a change of the inputs of this shape, if there are any."""
        if self.indices:
            yield Candidate(text, change_inputs(function, self.indices))

    def on_layer(self, **changes: Any) -> Iterator[Candidate]:
        """Yield a change of arguments of the layer, or of the function that fails."""
        module, call = self.failure.module, self.call
        for name, value in changes.items():
            is_one = isinstance(value, tuple) and len({*value}) == 1
            if is_one and isinstance(getattr(module, name, None), int):
                changes[name] = value[0]
        text = ", ".join(f"{name}={value!r}" for name, value in changes.items())
        if known_class(module) is not None:
            yield Candidate(f"{self.layer}{text}", change_layer(self.path, **changes))
        elif isinstance(module, LAYERS):  # one that cannot be built again
            yield Candidate(f"{self.layer}{text}")
        elif call is not None and changes.keys() <= call.arguments.keys():
            yield Candidate(f"{self.layer}{call.name}(..., {text})")

    def on_last_layer(self, **changes: Any) -> Iterator[Candidate]:
        """Yield a change of arguments of the last layer that worked."""
        path = self.outcome.last_layer
        if path is not None:
            text = ", ".join(f"{name}={value!r}" for name, value in changes.items())
            yield Candidate(f"{path}: {text}", change_layer(path, **changes))
