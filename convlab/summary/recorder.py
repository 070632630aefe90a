"""Record the layers of one run of a model: hooks on its modules, and every operation executed."""

from __future__ import annotations

import re
import warnings
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import compress
from threading import get_ident
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.module import register_module_forward_pre_hook
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode, _disable_current_modes

from convlab._model_state import ModelState, storage
from convlab.shapes import ReceptiveField
from convlab.summary.axis_field import AxisField, Field, TensorFields
from convlab.summary.counting import count_macs
from convlab.summary.layers import Layer, LayerField
from convlab.summary.operation import Operation, tensors_in_object
from convlab.summary.operation_rules import pad
from convlab.summary.tracker import Tracker

# Operations that get a row of their own if the code of a module executes them, besides products
# with weights: joins of branches, windows, normalizations, activations that return a new tensor.
_JOINS = {"cat", "stack"}
_LAYERS = re.compile(
    "im2col|col2im|pixel_|mean$|amax$|native_(layer|group|batch)_norm$|(avg|max)_pool|_?adaptive_"
    "|(constant|reflection|replication)_pad|_?upsample_"
)
_ACTIVATIONS = re.compile(
    "relu|relu6|gelu|silu|sigmoid|tanh|hardswish|hardsigmoid|hardtanh|leaky_relu|elu|celu|selu"
    "|mish|softplus|log_sigmoid_forward|_prelu_kernel|glu|_(log_|safe_)?softmax"
)
# Names of operations that are not those of the functions that users call.
_KINDS = {
    "addmm|addmv": "linear", "mm|bmm|baddbmm|mv|dot": "matmul", "im2col": "unfold",
    "col2im": "fold", "log_sigmoid_forward": "logsigmoid", "_prelu_kernel": "prelu",
    "_safe_softmax": "softmax", ".*scaled_dot_product.*": "attention",
    "_?upsample.*": "interpolate", "(constant|reflection|replication)_pad.*": "pad",
}  # fmt: skip
# Functions that read numbers from a tensor without an operation.
_READING = {
    getattr(torch.Tensor, name)
    for name in ("tolist", "numpy", "__array__", "__dlpack__", "__deepcopy__", "__reduce_ex__")
}


@dataclass
class _Row:
    """A layer under construction."""

    name: str
    kind: str
    call: int
    shape: tuple[int, ...] = ()
    parameters: frozenset[int] = frozenset()
    macs: int | None = 0
    activation_bytes: int = 0
    fields: TensorFields = ()

    def add_up(self, rows: Sequence[_Row]) -> None:
        """Take over the parameters, the cost and the memory of several rows together."""
        self.parameters = frozenset[int]().union(*(row.parameters for row in rows))
        known = [row.macs for row in rows if row.macs is not None]
        self.macs = sum(known) if len(known) == len(rows) else None
        self.activation_bytes = sum(row.activation_bytes for row in rows)

    def set_outputs(self, outputs: Sequence[Tensor], inputs: Sequence[Tensor]) -> None:
        """Store the shape of the first output, and the memory that no input shares.

        One output counts its own elements; several parts of one new tensor count its memory.
        """
        if outputs:
            self.shape = _shape(outputs[0])
        old = {storage(x) for x in inputs} - {None}
        new: defaultdict[int, dict[int, Tensor]] = defaultdict(dict)
        for x in outputs:
            if storage(x) not in old:
                new[storage(x) or id(x)][id(x)] = x
        self.activation_bytes = 0
        for parts in new.values():
            *others, x = parts.values()
            own = x.numel() * x.element_size()
            self.activation_bytes += x.untyped_storage().nbytes() if others else own


@dataclass
class _ModuleCall:
    """A module that is running."""

    module: nn.Module
    name: str
    number: int
    first_row: int
    inputs: list[Tensor]
    has_submodule_calls: bool = False
    has_returned: bool = False
    operations: Counter[str] = field(default_factory=Counter)


class Recorder(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Record the layers of one run of a model, and in a tracker the fields of all tensors."""

    supports_higher_order_operators = True

    def __init__(
        self, model: nn.Module, tracker: Tracker, state: ModelState | None = None,
        depth: int | None = None,
    ) -> None:  # fmt: skip
        super().__init__()  # type: ignore[no-untyped-call]
        self._model, self._tracker, self._state, self._depth = model, tracker, state, depth
        self.macs_known = 0
        for parameter in model.parameters():
            tracker.add_parameter(parameter)
        self._names = {module: name for name, module in model.named_modules()}
        self._hooks = ExitStack()
        self._num_calls: Counter[nn.Module] = Counter()
        # Operations of a model that runs no hooks (a `ScriptModule`, or a class with its own
        # `__call__`) belong to this first call.
        self._running = [_ModuleCall(model, "", 1, 0, [])]
        self._failed: _ModuleCall | None = None
        self._thread = get_ident()
        self._rows: list[_Row] = []

    @contextmanager
    def recording(self) -> Iterator[None]:
        """Record what runs inside the ``with`` block; remove all hooks at its end."""
        with self._hooks, warnings.catch_warnings():
            # Of `torch.compile`, which calls the hook below once more, to no effect.
            warnings.filterwarnings("ignore", ".*global hooks on modules")
            for module in self._names:
                self._add_hooks(module)
            handle = register_module_forward_pre_hook(self._enter_new)
            self._hooks.callback(handle.remove)
            # A compiled function runs as it is written; attention does not run in a fused kernel
            # while there is a mode for functions.
            with torch.compiler.set_stance("force_eager"), self, _Functions(self._tracker):
                yield

    @property
    def location(self) -> str:
        """The module that has failed or is running, for an error message."""
        call = self._failed or self._running[-1]
        kind = type(call.module).__name__
        shapes = ", ".join(str(_shape(x)) for x in call.inputs)
        name = f"layer {call.name!r} ({kind})" if call.name else f"the model itself ({kind})"
        return f"{name}, called with {shapes or 'no tensor'}"

    def _add_hooks(self, module: nn.Module) -> None:
        """Register the hooks of a module."""
        if isinstance(module, torch.jit.ScriptModule):
            return  # takes no hooks; its operations are recorded nevertheless
        for handle in (
            module.register_forward_pre_hook(self._enter, with_kwargs=True, prepend=True),
            module.register_forward_hook(self._merge_rows),
            module.register_forward_hook(self._leave, always_call=True),
        ):
            self._hooks.callback(handle.remove)

    def _enter_new(self, module: nn.Module, args: Any) -> None:
        """Add a layer that the model has made while it runs."""
        if module not in self._names:
            names = {module: name for name, module in self._model.named_modules()}
            if module in names:
                self._names[module] = names[module]
                self._add_hooks(module)
                self._enter(module, args, {})

    def _enter(self, module: nn.Module, args: Any, kwargs: dict[str, Any]) -> None:
        """Add a module that starts to run."""
        if not self._is_followed(module):
            return
        self._running[-1].has_submodule_calls = True
        self._failed = None
        self._num_calls[module] += 1
        inputs = tensors_in_object([args, kwargs])
        name, number = self._names[module], self._num_calls[module]
        self._running.append(_ModuleCall(module, name, number, len(self._rows), inputs))

    def _leave(self, module: nn.Module, args: Any, output: Any) -> None:
        """Remove a module that has returned, or raised an error, from those that are running."""
        if self._running[-1].module is module and self._is_followed(module):
            call = self._running.pop()
            self._failed = None if call.has_returned else self._failed or call

    def _is_followed(self, module: nn.Module) -> bool:
        """Return whether a module is one of the model, and not a copy, and runs in this thread."""
        return module in self._names and get_ident() == self._thread

    def _merge_rows(self, module: nn.Module, args: Any, output: Any) -> None:
        """Replace the rows of a layer's operations by one row when it returns."""
        if not self._is_followed(module):
            self._add_unknown(module, output)
            return
        if module not in [call.module for call in self._running]:  # its hooks were removed
            return
        while self._running[-1].module is not module:  # left by an error that is no `Exception`
            self._running.pop()
        call = self._running[-1]
        call.has_returned = True
        rows = self._rows[call.first_row :]
        is_generator = isinstance(output, Iterator)  # has not run yet
        has_inner = call.has_submodule_calls or (len(rows) > 1 and not _is_one_layer(module))
        is_deepest = self._depth is not None and _depth(call.name) >= self._depth
        if is_generator or (has_inner and not is_deepest):
            return
        outputs = tensors_in_object(output)
        infos = [self._tracker.info(x) for x in outputs]
        kept = [info.depends_on_input for info in infos]
        outputs = list(compress(outputs, kept)) or outputs  # constants are no activations
        row = _Row(call.name, type(module).__name__, call.number)
        row.set_outputs(outputs, call.inputs)
        if outputs:
            row.fields = self._tracker.info(outputs[0]).fields
        memory = row.activation_bytes
        row.add_up(rows)
        if not has_inner:
            row.activation_bytes = memory
            own = self._tracker.numbers(module.parameters())
            row.parameters = row.parameters.union(*(info.parameters & own for info in infos))
        self._rows[call.first_row :] = [row]

    def _add_unknown(self, module: nn.Module, output: Any) -> None:
        """Add a row for a module that ran in another thread, where its operations are not seen."""
        if module in self._names:
            self._num_calls[module] += 1
            name, kind = self._names[module], type(module).__name__
            parameters = self._tracker.numbers(module.parameters(recurse=False))
            row = _Row(name, kind, self._num_calls[module], (), parameters, macs=None)
            outputs = tensors_in_object(output)
            row.set_outputs(outputs, [])
            for x in outputs:
                self._tracker.set_fields(x, self._tracker.unknown)
            self._rows.append(row)

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Execute an operation and record it."""
        kwargs = kwargs or {}
        operation = Operation(func, args, kwargs)
        # Under `torch.inference_mode` composite operations such as a linear layer arrive undivided:
        # record the operations that they are made of.
        if operation.is_composite and not types and not operation.is_nested:
            with self:
                return func.decompose(*args, **kwargs)
        if self._state is not None:
            for tensor in operation.written:
                self._state.keep(tensor)
        operation.run()
        num_inputs, parameters = self._tracker.record(operation)
        macs = count_macs(operation)
        self.macs_known += macs or 0
        if _has_row(operation, num_inputs, parameters, macs):
            self._add_row(operation, parameters, macs)
        return operation.result

    def _add_row(self, operation: Operation, parameters: frozenset[int], macs: int | None) -> None:
        """Add a row for an operation that the code of a module executes."""
        call = self._running[-1]
        kind = _kind(operation)
        call.operations[kind] += 1
        count = call.operations[kind]
        label = f"({kind})" if count == 1 else f"({kind} {count})"
        fields = self._tracker.info(operation.output).fields
        name = f"{call.name} {label}".strip()
        row = _Row(name, kind, call.number, parameters=parameters, macs=macs, fields=fields)
        row.set_outputs([operation.output], operation.inputs)
        self._rows.append(row)

    def add_outputs(self, output: Any) -> None:
        """Add a row for parameters that the model returns without using them for anything else."""
        if isinstance(output, Iterator):
            output = list(output)
        used = frozenset[int]().union(*(row.parameters for row in self._rows))
        for x in tensors_in_object(output):
            parameters = self._tracker.info(x).parameters - used
            if parameters:
                row = _Row("(returned)", "parameter", 1, _shape(x), parameters)
                row.fields = self._tracker.independent
                self._rows.append(row)
                used |= parameters

    def layers(self, image_size: Sequence[int]) -> tuple[Layer, ...]:
        """Return the recorded layers; a parameter counts in the first layer that uses it."""
        own = [*self._model.parameters()]  # not those of layers that are not part of the model
        sizes = {number: x.numel() for x in own for number in self._tracker.numbers([x])}
        layers = []
        for row in self._rows_to_depth():
            parameters = sum(sizes.pop(number, 0) for number in row.parameters)
            field = _layer_field(row.fields, row.shape, image_size)
            costs = parameters, row.macs, row.activation_bytes
            layers.append(Layer(row.name, row.kind, row.call, row.shape, *costs, field))
        return tuple(layers)

    def _rows_to_depth(self) -> list[_Row]:
        """Return the rows, with one for consecutive layers of a container that does not run.

        Such a container, an ``nn.ModuleList``, never returns, so its layers have rows until now.
        """
        rows: list[_Row] = []
        stretches: Counter[str] = Counter()
        for row in self._rows:
            if self._depth is None or _depth(row.name) <= self._depth:
                rows.append(row)
                continue
            name = ".".join(row.name.split(".")[: self._depth])
            if not rows or rows[-1].name != name:
                stretches[name] += 1
                kind = type(self._model.get_submodule(name)).__name__
                rows.append(_Row(name, kind, stretches[name]))
            rows[-1].add_up([rows[-1], row])
            rows[-1].shape, rows[-1].fields = row.shape, row.fields
        return rows


class _Functions(TorchFunctionMode):
    """Follow functions that are executed without operations, or as many that have no rule.

    Circular padding, also inside layers, is executed as copies of parts of the image.
    """

    def __init__(self, tracker: Tracker) -> None:
        super().__init__()
        self._tracker = tracker

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Run a function; note numbers that it reads; set the fields after a circular padding."""
        kwargs = kwargs or {}
        if func in _READING:
            self._tracker.read(args[0])
        result = func(*args, **kwargs)
        if func is nn.functional.pad and "circular" in (*args[2:3], kwargs.get("mode")):
            x, amounts = [*args, *(kwargs[key] for key in ("input", "pad")[len(args) :])][:2]
            info = self._tracker.info(x)
            if info.depends_on_input:
                with _disable_current_modes():
                    fields = [
                        pad(f, x, amounts, lambda y: func(y, amounts, mode="circular"))
                        if isinstance(f, AxisField)
                        else f
                        for f in info.fields
                    ]
                self._tracker.set_fields(result, tuple(fields))
        return result


def _depth(name: str) -> int:
    """Return how deep the module with a dotted name lies; the model itself has depth 0."""
    return name.count(".") + (not name.startswith("(") if name else 0)


def _shape(tensor: Tensor) -> tuple[int, ...]:
    return () if tensor.is_nested else tuple(tensor.shape)


def _is_one_layer(module: nn.Module) -> bool:
    """Return whether a module counts as one layer however many operations it executes.

    Layers of PyTorch and classes derived from them do; other modules show their operations.
    """
    classes = [cls for cls in type(module).__mro__ if cls not in (nn.Module, object)]
    return any(cls.__module__.startswith(("torch.nn.", "convlab.nn")) for cls in classes)


def _has_row(
    operation: Operation, num_inputs: int, parameters: frozenset[int], macs: int | None
) -> bool:
    """Return whether an operation gets a row of its own."""
    name = operation.name
    if not operation.outputs:
        return False
    if macs != 0 or parameters or (num_inputs > 1 and (operation.pointwise or name in _JOINS)):
        return True
    if not num_inputs:
        return False
    is_new = storage(operation.output) not in {storage(x) for x in operation.inputs} - {None}
    return bool(_LAYERS.match(name) or (_ACTIVATIONS.fullmatch(name) and is_new))


def _kind(operation: Operation) -> str:
    """Return the name of the Python function that an operation implements."""
    name = operation.name.split("::")[-1]
    if name in ("convolution", "_convolution"):
        rank = operation["weight"].dim() - 2
        return f"conv_transpose{rank}d" if operation["transposed"] else f"conv{rank}d"
    known = (kind for pattern, kind in _KINDS.items() if re.fullmatch(pattern, name))
    return next(known, re.sub("^(native_)?_?|_with_indices$", "", name))


def _layer_field(
    fields: TensorFields, shape: Sequence[int], image_size: Sequence[int]
) -> LayerField | None:
    """Return the receptive field of a layer; None if it is unknown along every axis."""
    known = [field for field in fields if isinstance(field, AxisField)]
    if not known:
        return None
    pairs = zip(fields, image_size, strict=True)
    columns = [_size_jump_start_whole(field, length, known, shape) for field, length in pairs]
    return LayerField(*map(tuple, zip(*columns, strict=True)))


def _is_repeated(dim: int | None, fields: Sequence[AxisField], shape: Sequence[int]) -> bool:
    """Return whether a dimension repeats units, besides holding one or several axes packed in one.

    The channels may be packed there too, as in the rows of a flattened image.
    """
    if dim is None:
        return False
    length = 1
    for packed in sorted((f for f in fields if f.dim == dim), key=lambda f: f.inner_size):
        if packed.inner_size != length:
            return True
        length *= packed.num_units
    return dim > 1 and shape[dim] != length


def _size_jump_start_whole(
    field: Field, length: int, fields: Sequence[AxisField], shape: Sequence[int]
) -> tuple[int | None, int | None, int | None, bool]:
    """Return the numbers of a layer along an axis of this length; no jump if units are repeated."""
    if not isinstance(field, AxisField):
        return None, None, None, False
    regular = isinstance(field.units, ReceptiveField)  # all units have the same size
    intervals = [field.interval(unit) for unit in range(1 if regular else field.num_units)]
    size = max(interval[1] - interval[0] for interval in intervals if interval is not None)
    is_regular = not _is_repeated(field.dim, fields, shape)
    jump = field.units.jump if isinstance(field.units, ReceptiveField) and is_regular else None
    return size, jump, intervals[0] and intervals[0][0], not jump and field.covers(length)
