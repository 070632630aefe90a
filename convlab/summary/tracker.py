"""Track which tensors depend on the input of a model, and their receptive fields."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from torch import Tensor, nn
from torch.utils.weak import WeakTensorKeyDictionary

from convlab._model_state import layout, storage
from convlab.summary.axis_field import Field, NoField, TensorFields, UnknownFieldError
from convlab.summary.operation import InputFields, Operation
from convlab.summary.operation_rules import rule_for


@dataclass(frozen=True)
class TensorInfo:
    """The dependences of a tensor: on the input of the model, and on each axis of the image."""

    depends_on_input: bool
    fields: TensorFields
    # What it was computed from, by number, as long as it does not depend on the input.
    parameters: frozenset[int] = frozenset()


class Tracker:
    """The `TensorInfo` of every tensor that is alive.

    The image has `num_axes` axes: 2 for height and width, 0 for a model without an image.
    """

    def __init__(self, num_axes: int) -> None:
        self.unknown: TensorFields = (NoField.UNKNOWN,) * num_axes
        self.independent: TensorFields = (NoField.INDEPENDENT,) * num_axes
        self._numbers: dict[Tensor, int] = {}  # of the parameters
        # Maps a living tensor to its TensorInfo and its memory; PyTorch leaves the class untyped.
        self._infos: Any = WeakTensorKeyDictionary()
        # What was last found about a tensor in a memory.
        self._in_memory: dict[int, TensorInfo] = {}
        # Whether a number was read from a tensor (`item()`): later numbers may be computed from it.
        # A truth value, such as that of ``assert isfinite(x).all()``, only steers the code: it
        # counts once an operation computes with it.
        # The size of a tensor whose shape depends on the input makes all later fields unknown.
        self._number_was_read = self._truth_was_read = self._size_was_read = False

    def add_parameter(self, parameter: Tensor) -> None:
        """Add a parameter, which gets the next of the numbers 0, 1, 2, ..."""
        number = self._numbers.setdefault(parameter, len(self._numbers))
        self._store(parameter, TensorInfo(False, self.independent, frozenset([number])))

    def numbers(self, parameters: Iterable[Tensor]) -> frozenset[int]:
        """Return the numbers of those parameters that were added."""
        return frozenset(self._numbers[x] for x in parameters if x in self._numbers)

    def set_fields(self, tensor: Tensor, fields: TensorFields) -> None:
        """Set the fields of a tensor that depends on the input of the model."""
        self._store(tensor, TensorInfo(True, fields))

    def _store(self, tensor: Tensor, info: TensorInfo) -> None:
        memory = storage(tensor)
        self._infos[tensor] = info, memory
        if memory is not None:
            self._in_memory[memory] = info

    def info(self, tensor: Tensor) -> TensorInfo:
        """Return the `TensorInfo` of a tensor; one that is new to the tracker is a constant."""
        info, memory = self._infos.get(tensor, (None, None))
        if info is None or memory != storage(tensor):
            # New, or its data were replaced (``tensor.data = other``), not by an operation: all
            # that is known are other tensors in the same memory.
            shared = self._in_memory.get(storage(tensor) or 0, TensorInfo(False, self.independent))
            if info is None and isinstance(tensor, nn.Parameter):  # made while the model runs
                self.add_parameter(tensor)
                info, _ = self._infos[tensor]
            parameters = shared.parameters | (info.parameters if info else frozenset())
            fields = self.unknown if shared.depends_on_input else self.independent
            info = TensorInfo(shared.depends_on_input, fields, parameters)
            if type(tensor) not in (Tensor, nn.Parameter) and storage(tensor) is not None:
                # A subclass can wrap a tensor that was computed.
                own = layout(tensor)
                same = (known for x, (known, _) in self._infos.items() if layout(x) == own)
                info = next(same, info)
            self._store(tensor, info)
        assert isinstance(info, TensorInfo)
        return info

    def read(self, tensor: Tensor) -> None:
        """Note that the model reads numbers from a tensor, from which it may compute others."""
        self._number_was_read |= self.info(tensor).depends_on_input

    def record(self, operation: Operation) -> tuple[int, frozenset[int]]:
        """Derive the `TensorInfo` of the tensors that an operation returned or wrote into.

        Return how many different arguments depend on the input of the model, and if any does, the
        parameters among the others, by number.
        """
        inputs = {id(x): x for x in operation.read}
        may_contain_read_value = self._may_contain_read_value(operation)
        infos = [self.info(x) for x in inputs.values()]
        parameters = frozenset[int]().union(*(info.parameters for info in infos))
        num_inputs = sum(info.depends_on_input for info in infos)
        if num_inputs and isinstance(operation.result, bool):
            self._truth_was_read = True
        elif num_inputs and isinstance(operation.result, int | float | complex):
            self._number_was_read = True
        elif any(self.info(x).depends_on_input for x in operation.sizing):
            self._size_was_read = True
        if num_inputs or may_contain_read_value:
            num_inputs = max(num_inputs, 1)
            by_axis = [self._axis_fields(operation, axis) for axis in range(len(self.unknown))]
            by_output = zip(*by_axis, strict=True) if by_axis else [()] * len(operation.outputs)
            outputs = [TensorInfo(True, fields) for fields in by_output]
            written = TensorInfo(True, self.unknown)
        else:
            outputs = [TensorInfo(False, self.independent, parameters)] * len(operation.outputs)
            written = TensorInfo(False, self.independent)
        for tensor, info in zip(operation.outputs, outputs, strict=True):
            self._set(tensor, info)
        for tensor in operation.written:
            if not any(tensor is output for output in operation.outputs):
                self._set(tensor, written)
        return num_inputs, parameters if num_inputs else frozenset()

    def _may_contain_read_value(self, operation: Operation) -> bool:
        """Return whether an operation computes with a number that may depend on the input."""
        if self._number_was_read:
            tensors = [x for x in operation.inputs if not isinstance(x, nn.Parameter)]
            return bool(operation.numbers) or any(x not in self._infos for x in tensors)
        return self._truth_was_read and any(isinstance(x, bool) for x in operation.numbers)

    def _set(self, tensor: Tensor, info: TensorInfo) -> None:
        if isinstance(tensor, nn.Parameter) and not info.depends_on_input:  # still a parameter
            info = replace(info, parameters=info.parameters | self.info(tensor).parameters)
        old, memory = self._infos.get(tensor, (None, None))
        self._store(tensor, info)
        if old is not None and old != info and (old.depends_on_input or info.depends_on_input):
            # Written in place: views of the same memory changed too, in an unknown place.
            for other in [x for x in self._infos if x is not tensor and storage(x) == memory]:
                self.set_fields(other, self.unknown)

    def _axis_fields(self, operation: Operation, axis: int) -> list[Field]:
        """Return the field of each output along one axis, by the rule for the operation."""
        count = len(operation.outputs)
        if not count:
            return []
        fields = {id(x): self.info(x).fields[axis] for x in operation.inputs}
        was_read = self._number_was_read or self._size_was_read
        if was_read or self._may_contain_read_value(operation) or operation.is_nested:
            return [NoField.UNKNOWN] * count
        if all(field is NoField.INDEPENDENT for field in fields.values()):
            return [NoField.INDEPENDENT] * count
        rule = rule_for(operation)
        known: list[Field] = []
        if rule is not None:
            with suppress(UnknownFieldError):
                result = rule(operation, InputFields(fields))
                known = result if isinstance(result, list) else [result]
        return (known + [NoField.UNKNOWN] * count)[:count]
