"""Watch a model run: who is executing, and which operations.

Hooks on the modules tell who is executing, and a `TorchDispatchMode` sees every operation that
reaches PyTorch's kernels, however the code called it. So ``x + y``, ``torch.cat`` and
``F.max_pool2d`` inside a module's ``forward`` are seen as clearly as layers are, and nothing has
to be known of the module's class.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from convlab.summary.counting import multiply_accumulates
from convlab.summary.layers import Layer, LayerField
from convlab.summary.leaves import known_macs, known_sight
from convlab.summary.names import ACTIVATIONS, JOINS, WINDOWS, kind_of
from convlab.summary.tracker import Sight, Step, Tracker, storage, tensors_in


@dataclass
class _Row:
    """A layer that is being put together."""

    name: str
    kind: str
    call: int
    shape: tuple[int, ...] = ()
    parameters: set[int] = field(default_factory=set)
    macs: int | None = 0
    memory: int = 0
    sight: Sight = ()

    def returned(self, outputs: Sequence[Tensor], inputs: Sequence[Tensor]) -> None:
        """Note the shape and the new memory of what was returned."""
        if outputs:
            self.shape = tuple(outputs[0].shape)
        old = {storage(x) for x in inputs} - {None}
        new = {storage(x) or id(x): x for x in outputs if storage(x) not in old}
        self.memory = sum(x.numel() * x.element_size() for x in new.values())


@dataclass
class _Frame:
    """A module that is executing."""

    module: nn.Module
    name: str
    call: int
    first_row: int
    sights: list[Sight]
    inputs: list[Tensor]
    has_called: bool = False
    operations: Counter[str] = field(default_factory=Counter)


class Recorder(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Collects the layers of one run of a model.

    Parameters
    ----------
    model : nn.Module
        The model, which is about to run.
    tracker : Tracker
        Knows the inputs.
    """

    def __init__(self, model: nn.Module, tracker: Tracker) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._model = model
        self._tracker = tracker
        self._parameters = list(model.parameters())
        tracker.declare(self._parameters)
        self._names = {module: name for name, module in model.named_modules()}
        self._calls: Counter[nn.Module] = Counter()
        self._frames: list[_Frame] = []
        self._rows: list[_Row] = []

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Record what happens inside of the ``with`` statement; leave no hook behind."""
        with ExitStack() as stack:
            for module in self._names:
                if isinstance(module, torch.jit.ScriptModule):
                    continue  # takes no hooks; its operations are seen all the same
                before = module.register_forward_pre_hook(
                    self._enter, with_kwargs=True, prepend=True
                )
                stack.callback(before.remove)
                after = module.register_forward_hook(self._leave, with_kwargs=True)
                stack.callback(after.remove)
            if isinstance(self._model, torch.jit.ScriptModule):
                self._frames.append(_Frame(self._model, "", 1, 0, [], []))
            with self:
                yield

    @property
    def place(self) -> str:
        """Say which module is executing, for an error message."""
        if not self._frames:
            return "the model"
        frame = self._frames[-1]
        kind = type(frame.module).__name__
        shapes = ", ".join(str(tuple(x.shape)) for x in frame.inputs)
        name = f"layer {frame.name!r} ({kind})" if frame.name else f"the model itself ({kind})"
        return f"{name}, called with {shapes or 'no tensor'}"

    # The modules.

    def _enter(self, module: nn.Module, args: Any, kwargs: dict[str, Any]) -> None:
        if self._frames:
            self._frames[-1].has_called = True
        self._calls[module] += 1
        inputs = tensors_in([args, kwargs])
        sights = [self._tracker.of(x).sight for x in inputs]
        self._frames.append(
            _Frame(
                module, self._names[module], self._calls[module], len(self._rows), sights, inputs
            )
        )

    def _leave(self, module: nn.Module, args: Any, kwargs: dict[str, Any], output: Any) -> None:
        # A module that failed, and whose caller caught the error, never left.
        while self._frames[-1].module is not module:
            self._frames.pop()
        frame = self._frames.pop()
        rows = self._rows[frame.first_row :]
        if frame.has_called or (len(rows) > 1 and not _is_one_layer(module)):
            return
        outputs = tensors_in(output)
        row = _Row(frame.name, type(module).__name__, frame.call)
        row.returned(outputs, frame.inputs)
        row.parameters = {number for inner in rows for number in inner.parameters}
        counts = [inner.macs for inner in rows]
        row.macs = None if None in counts else sum(count or 0 for count in counts)
        if frame.inputs and outputs:
            macs = known_macs(module, frame.inputs[0])
            row.macs = row.macs if macs is None else macs
            sight = known_sight(module, frame.inputs[0], outputs[0], frame.sights[0])
            if sight is not None:
                self._tracker.overrule(outputs[0], sight)
        if outputs:
            row.sight = self._tracker.of(outputs[0]).sight
        self._rows[frame.first_row :] = [row]

    # The operations.

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Execute an operation and note it."""
        kwargs = kwargs or {}
        # Under `torch.inference_mode` operations arrive that are made of others, such as a linear
        # layer: look at the others.
        if torch._C._dispatch_has_kernel_for_dispatch_key(func.name(), "CompositeImplicitAutograd"):
            with self:
                return func.decompose(*args, **kwargs)
        result = func(*args, **kwargs)
        step = self._tracker.follow(func, args, kwargs, result)
        macs = multiply_accumulates(step.call, func, args, kwargs, result)
        if self._frames and step.call.outputs and self._is_row(step, macs):
            self._add(step, macs)
        return result

    def _is_row(self, step: Step, macs: int | None) -> bool:
        """Whether an operation is worth a row: see `convlab.summary.names`."""
        if macs or step.parameters:
            return True
        if not step.dependents:
            return False
        call = step.call
        if step.dependents > 1 and (call.pointwise or call.name in JOINS):
            return True
        fresh = storage(call.output) not in {storage(x) for x in call.tensors()} - {None}
        return call.name in WINDOWS or macs is None or (call.name in ACTIVATIONS and fresh)

    def _add(self, step: Step, macs: int | None) -> None:
        frame = self._frames[-1]
        kind = kind_of(step.call)
        frame.operations[kind] += 1
        count = frame.operations[kind]
        label = f"({kind})" if count == 1 else f"({kind} {count})"
        row = _Row(f"{frame.name} {label}".strip(), kind, frame.call)
        row.returned([step.call.output], step.call.tensors())
        row.parameters = set(step.parameters)
        row.macs = macs
        row.sight = self._tracker.of(step.call.output).sight
        self._rows.append(row)

    def layers(self, lengths: tuple[int, ...]) -> tuple[Layer, ...]:
        """Return what was recorded; a parameter counts in the first layer that uses it."""
        seen: set[int] = set()
        layers = []
        for row in self._rows:
            new = row.parameters - seen
            seen |= new
            layers.append(
                Layer(
                    row.name,
                    row.kind,
                    row.call,
                    row.shape,
                    sum(self._parameters[number].numel() for number in new),
                    row.macs,
                    row.memory,
                    LayerField.of(row.sight, lengths),
                )
            )
        return tuple(layers)


def _is_one_layer(module: nn.Module) -> bool:
    """Whether a module counts as one layer however many operations it executes.

    PyTorch's own layers do, and classes derived from them; a module of somebody's own shows what
    it does inside.
    """
    classes = [cls for cls in type(module).__mro__ if cls not in (nn.Module, object)]
    return any(cls.__module__.startswith(("torch.nn.", "convlab.nn")) for cls in classes)
