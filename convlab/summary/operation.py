"""Represent one executed PyTorch operation, and the fields of its inputs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

import torch
from torch import Tensor, nn
from torch._C import _dispatch_has_kernel_for_dispatch_key, parse_schema
from torch._ops import OperatorBase, OpOverload

from convlab.summary.axis_field import AxisField, Field, NoField, UnknownFieldError

# Operations that overwrite the argument ``self``, or take only its shape from it.
_SELF_NOT_READ = re.compile(
    ".*_like|new_.*|zero|fill|copy|sym_size|uniform|(log_)?normal|exponential|random|geometric|cauchy"
)
# Types in a schema that a number which an operation computes with can have.
_NUMBERS = {"number", "float", "Tensor"}
# Arguments of a batch normalization.
STATISTICS = ("running_mean", "running_var")


class Operation:
    """An operation ``result = func(*args, **kwargs)``, with its arguments by name.

    Attributes
    ----------
    name : str
        Name of the operation, without the underscore of an in-place form: ``"add"``; with its
        namespace if that is not ``aten``.
    pointwise : bool
        Whether each output element depends on the inputs at its own place only.
    arguments : dict
        Every argument by its name in the schema of the operation, defaults included.
    inputs, written, outputs : list of tensors
        The tensors in the arguments, those that it writes into, and those in the result; if there
        are none, those written.
    read : list of tensors
        The inputs without one whose values do not matter: it is overwritten, or gives a shape.
    """

    def __init__(self, func: OperatorBase, args: Any, kwargs: dict[str, Any]) -> None:
        self.func, self.args, self.kwargs = func, args, kwargs
        self.result: Any = None
        self.outputs: list[Tensor] = []
        # A higher-order operator, such as `torch.cond`, has no schema.
        own = getattr(func, "_schema", None)
        self.schema = schema = own or parse_schema(f"higher_order::{func}() -> ()")
        namespace, name = schema.name.split("::")
        if schema.is_mutable and not name.startswith("_"):
            name = name.removesuffix("_")
        self.name = name if namespace == "aten" else schema.name
        self.arguments: dict[str, Any] = {} if schema.arguments else {"args": [args, kwargs]}
        for position, argument in enumerate(schema.arguments):
            value = kwargs.get(argument.name, argument.default_value)
            self.arguments[argument.name] = args[position] if position < len(args) else value
        # Not all batch normalizations declare that they update their statistics.
        is_update = not re.search("_no_|functional|backward", name)
        is_update &= bool(self.arguments.get("training", True))
        written = [
            self.arguments[argument.name]
            for argument in schema.arguments
            if (is_update if argument.name in STATISTICS else _is_written(argument))
        ]
        self.written = tensors_in(written)
        self.pointwise = _is_pointwise(func, self.name)
        self.inputs = tensors_in(list(self.arguments.values()))
        skipped = ("self", "input") if _SELF_NOT_READ.fullmatch(self.name) else ()
        self.read = tensors_in([v for key, v in self.arguments.items() if key not in skipped])

    def run(self) -> None:
        """Execute the operation."""
        self.result = self.func(*self.args, **self.kwargs)
        self.outputs = tensors_in(self.result) or self.written

    @property
    def numbers(self) -> list[int | float | bool]:
        """The numbers with which it computes, other than defaults; sizes and indices are none."""
        return [
            self.arguments[argument.name]
            for argument in self.schema.arguments
            if str(argument.type).removeprefix("Optional[").rstrip("]") in _NUMBERS
            and isinstance(self.arguments[argument.name], int | float)
            and self.arguments[argument.name] != argument.default_value
        ]

    def __getitem__(self, argument: str) -> Any:
        if argument not in self.arguments:
            raise UnknownFieldError(f"this overload of {self.name} has no argument {argument}")
        return self.arguments[argument]

    @property
    def sizing(self) -> list[Tensor]:
        """The inputs on whose values the shape of an output depends."""
        if torch.Tag.dynamic_output_shape not in getattr(self.func, "tags", ()):
            return []
        if self.name == "index":
            return [x for x in tensors_in(self["indices"]) if x.dtype in (torch.bool, torch.uint8)]
        return self.inputs

    @property
    def is_composite(self) -> bool:
        """Whether PyTorch implements it by other operations alone."""
        name = ".".join(filter(None, (self.schema.name, self.schema.overload_name)))
        return isinstance(self.func, OpOverload) and _dispatch_has_kernel_for_dispatch_key(
            name, "CompositeImplicitAutograd"
        )

    @property
    def is_nested(self) -> bool:
        """Whether it computes with nested tensors, which have no shape."""
        return any(x.is_nested for x in (*self.inputs, *self.outputs))

    @property
    def output(self) -> Tensor:
        """The first of the outputs."""
        return self.outputs[0]


class InputFields:
    """The fields of the inputs of an operation along one axis of the image, by tensor ``id``."""

    def __init__(self, fields: Mapping[int, Field]) -> None:
        self._fields = fields

    def get(self, tensor: Tensor | None) -> AxisField | None:
        """Return the field of a tensor that is not unknown; None if independent of the image."""
        field = NoField.INDEPENDENT if tensor is None else self._fields[id(tensor)]
        if field is NoField.UNKNOWN:
            raise UnknownFieldError("the field of an input is unknown")
        return field if isinstance(field, AxisField) else None

    def require(self, tensor: Tensor) -> AxisField:
        """Return the field of a tensor that must depend on the image for a rule to apply."""
        field = self.get(tensor)
        if field is None:
            raise UnknownFieldError("only another input depends on the image")
        return field


@cache
def _is_pointwise(func: Any, name: str) -> bool:
    if torch.Tag.pointwise in getattr(func, "tags", ()):
        return True
    # Some in-place forms lack the tag.
    form = getattr(getattr(torch.ops.aten, name, None), getattr(func, "_overloadname", ""), None)
    return torch.Tag.pointwise in getattr(form, "tags", ())


def _is_written(argument: torch.Argument) -> bool:
    return argument.alias_info is not None and argument.alias_info.is_write


def tensors_in(value: Any) -> list[Tensor]:
    """List the tensors in nested tuples, lists and dictionaries."""
    if isinstance(value, Tensor):
        return [value]
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, tuple | list):
        return [tensor for entry in value for tensor in tensors_in(entry)]
    return []


def tensors_in_object(value: Any, visited: set[int] | None = None) -> list[Tensor]:
    """List the tensors in containers and objects such as a dataclass or a distribution, nested."""
    if isinstance(value, Tensor):
        return [value]
    visited = set() if visited is None else visited
    if id(value) in visited or isinstance(value, type | nn.Module | str) or callable(value):
        return []
    visited.add(id(value))
    entries = list(value.values()) if isinstance(value, Mapping) else []
    entries += value if isinstance(value, tuple | list | set | frozenset) else []
    entries += getattr(value, "__dict__", {}).values()
    slots = getattr(type(value), "__slots__", ())
    entries += [
        getattr(value, slot, None) for slot in ([slots] if isinstance(slots, str) else slots)
    ]
    return [tensor for entry in entries for tensor in tensors_in_object(entry, visited)]
