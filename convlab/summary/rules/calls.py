"""One executed operation of PyTorch, as the rules see it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from convlab.summary.traces import Sees, Trace, UnknownError

# What a rule returns: one trace for the first output, or one for each.
Answer = Trace | list[Trace]


@dataclass(frozen=True)
class Call:
    """An operation, with its arguments by name and what it returned.

    Attributes
    ----------
    name : str
        Name without the namespace, and without the underscore of the in-place form: ``"add"``.
    pointwise : bool
        Whether PyTorch says that each output element depends on the inputs at its own place only.
    arguments : dict
        Every argument by the name that the operation's schema gives it, defaults filled in.
    outputs : list of tensors
        What was returned.
    """

    name: str
    pointwise: bool
    arguments: dict[str, Any]
    outputs: list[Tensor]

    def __getitem__(self, argument: str) -> Any:
        if argument not in self.arguments:
            raise UnknownError(f"this form of {self.name} has no argument {argument}")
        return self.arguments[argument]

    def tensors(self) -> list[Tensor]:
        """List the tensors among the arguments, those inside of lists too."""
        found: list[Tensor] = []
        for value in self.arguments.values():
            entries = value if isinstance(value, tuple | list) else [value]
            found += [entry for entry in entries if isinstance(entry, Tensor)]
        return found

    @property
    def output(self) -> Tensor:
        """The first of the outputs."""
        return self.outputs[0]


class Axis:
    """One direction of the image: what each tensor of a call sees along it."""

    def __init__(self, look: Callable[[Tensor], Trace | Sees]) -> None:
        self._look = look

    def of(self, tensor: Tensor | None) -> Trace | None:
        """Return a tensor's trace; None if it does not depend on the image.

        Raises
        ------
        UnknownError
            If it depends on it in an unknown way.
        """
        seen = Sees.NOTHING if tensor is None else self._look(tensor)
        if seen is Sees.UNKNOWN:
            raise UnknownError("an input sees nobody knows what")
        return seen if isinstance(seen, Trace) else None

    def the(self, tensor: Tensor) -> Trace:
        """Return the trace of a tensor that must have one for the rule to apply."""
        trace = self.of(tensor)
        if trace is None:
            raise UnknownError("only another input depends on the image")
        return trace


# From the operation and one direction to the trace of the output; UnknownError where it cannot say.
Rule = Callable[[Call, Axis], Answer]

RULES: dict[str, Rule] = {}


def rule(*names: str) -> Callable[[Rule], Rule]:
    """Register a rule for the operations of these names."""

    def register(function: Rule) -> Rule:
        RULES.update(dict.fromkeys(names, function))
        return function

    return register


def union_of(traces: Sequence[Trace | None], shape: Sequence[int]) -> Trace:
    """Return what any of the traces sees; at least one must be there."""
    known = [trace for trace in traces if trace is not None]
    if not known:
        raise UnknownError("no input depends on the image")
    union = known[0]
    for trace in known[1:]:
        union = union.union(trace, shape)
    return union
