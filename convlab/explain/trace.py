"""Run a copy of a model without data, and record where it fails."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from types import TracebackType
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves, tree_map

from convlab.explain.calls import CONVOLUTIONS, POOLINGS, Call, describe, parse_call
from convlab.explain.findings import Finding
from convlab.explain.meta import device_constructors, first_tensor, meta_tensor, to_meta
from convlab.explain.trials import (
    is_emptiness_refused,
    is_empty,
    run_on_cpu,
    runs_on_cpu,
    tensors_of,
)

# The axes of their results, or the numbers along them, are others than those of a map.
_NO_MAPS = {
    *("linear", "matmul", "attention", "recurrent", "bilinear", "embedding", "index"),
    *("permute", "transpose", "movedim", "moveaxis", "swapaxes", "swapdims"),
}


@dataclass
class Failure:
    """The state of a run when it failed.

    Attributes
    ----------
    path, module : str and Module
        The innermost module that runs.
    inputs, keywords : tuple and dict
        Its arguments.
    call : Call or None
        The function of PyTorch that fails; None if code of the module raises the error itself.
    error : Exception
        The error.
    """

    path: str
    module: nn.Module
    inputs: tuple[Any, ...]
    keywords: dict[str, Any]
    call: Call | None
    error: Exception


@dataclass
class Outcome:
    """A run: the output or the failure, the last layer that worked, and all modules that did."""

    tracer: Tracer
    output: Any = None
    failure: Failure | None = None
    last_layer: str | None = None
    last_shape: tuple[int, ...] | None = None
    finished: set[str] = field(default_factory=set)

    @property
    def output_shape(self) -> tuple[int, ...] | None:
        """Shape of the first tensor of the output."""
        tensor = first_tensor(tree_leaves(self.output))
        return None if tensor is None else tuple(tensor.shape)


class WouldFail(RuntimeError):
    """Raised where a call runs on the meta device, and fails on every other one."""

    def __init__(self, finding: Finding) -> None:
        super().__init__("; ".join(finding.steps))
        self.finding = finding


@dataclass(eq=False)
class Tracer(TorchFunctionMode):
    """Intercept the calls of PyTorch's functions, and remember where tensors come from.

    Attributes
    ----------
    check : callable
        Returns the cause if a call, which may run on the meta device, fails on other devices.
    devices : dict
        By the id of a tensor: the tensor, and the device of the tensor that it stands for.
    maps : dict
        By the id of a tensor: the tensor, and the shape of the map that was flattened to it, or
        None if it is a map itself.
    values : dict
        By the id of an input: it and the tensor that it stands for.
    rank : int
        Axes of the window of the first convolution or pooling; 0 if there is none.
    model_devices : set
        The devices of the model that the copy stands for.
    """

    check: Callable[[Tracer, Call], Finding | None]
    devices: dict[int, tuple[Tensor, torch.device]] = field(default_factory=dict)
    maps: dict[int, tuple[Tensor, tuple[int, ...] | None]] = field(default_factory=dict)
    values: dict[int, tuple[Tensor, Tensor]] = field(default_factory=dict)
    rank: int = 0
    model_devices: set[torch.device] = field(default_factory=set)
    failed: tuple[Exception, Call, bool] | None = None

    def __post_init__(self) -> None:
        super().__init__()
        self._constructors = device_constructors()

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        func, args, kwargs, target = to_meta(func, args, kwargs or {})
        if func in self._constructors and kwargs.get("device") is None:
            kwargs = {**kwargs, "device": torch.device("meta")}
        call = parse_call(func, args, kwargs)
        self.rank = self.rank or call.rank
        try:
            autocast = torch.is_autocast_enabled("cuda") or torch.is_autocast_enabled("cpu")
            finding = None if autocast else self._checked(call)
            if finding is not None:
                raise WouldFail(finding)
            result = self._run(call)
        except Exception as error:
            if self.failed is None or self.failed[0] is not error:
                self.failed = error, call, autocast
            raise
        if isinstance(result, Tensor):
            self._record(call, args, result, target)
        return result

    def is_on_cpu(self, call: Call) -> bool:
        """Return whether the tensors of a call stand for some on the CPU, as far as is known."""
        places = (self.devices.get(id(x)) for x in tensors_of(call))
        return {place[1].type for place in places if place is not None} <= {"cpu", "meta"}

    def _checked(self, call: Call) -> Finding | None:
        try:
            return self.check(self, call)
        except Exception:  # arguments of unusual types: left to the function
            return None

    def _run(self, call: Call) -> Any:
        """Run a call, also where only the meta device refuses it."""
        if is_empty(call) and self.is_on_cpu(call):
            return self._run_empty(call)
        try:
            return call.function(*call.args, **call.kwargs)
        except RuntimeError:
            # The meta device takes no class number with an axis for one prediction.
            if call.kind != "cross_entropy" or not runs_on_cpu(call):
                raise
            return meta_tensor(run_on_cpu(call))

    def _run_empty(self, call: Call) -> Any:
        """Run a call with axes of length 0, of which the meta device takes others."""
        try:
            expected = run_on_cpu(call)
        except Exception:
            if not is_emptiness_refused(call):
                raise
            steps = [f"argument: {describe(x)}" for x in tensors_of(call)]
            steps.append(f"{call.name} does not take an axis of length 0 here")
            raise WouldFail(Finding("empty_output", steps)) from None
        try:
            result = call.function(*call.args, **call.kwargs)
        except Exception:
            return tree_map(_meta, expected)
        is_other = isinstance(result, Tensor) and result.shape != expected.shape
        return meta_tensor(expected) if is_other else result

    def _record(
        self, call: Call, args: tuple[Any, ...], result: Tensor, target: torch.device | None
    ) -> None:
        leaves = [x for x in tree_leaves(args) if isinstance(x, Tensor)]
        source = leaves[0] if leaves else None
        # ``x.to(other)`` moves it, and ``x.to(dtype)`` does not.
        moves = target is not None or (call.name in ("to", "type_as") and len(leaves) > 1)
        if not moves and source is not None and id(source) in self.devices:
            target = self.devices[id(source)][1]
        # A device that is that of a tensor of the copy, meta, says nothing of the original. The
        # result may be the argument itself.
        self.devices.pop(id(result), None)
        if target is not None and target.type != "meta":
            self.devices[id(result)] = result, target
        if call.kind in (*CONVOLUTIONS, *POOLINGS, "adaptive_pool"):
            self.maps[id(result)] = result, None
        elif source is not None and not {call.kind, call.name} & _NO_MAPS:
            is_map, flattened = id(source) in self.maps, self.maps.get(id(source), (None, None))[1]
            if call.kind in ("view", "flatten") and source.dim() > result.dim():
                self.maps[id(result)] = result, flattened or tuple(source.shape)
            elif is_map and (
                result.shape == source.shape or (flattened is None and result.dim() == source.dim())
            ):
                self.maps[id(result)] = result, flattened


def _meta(value: Any) -> Any:
    return meta_tensor(value) if isinstance(value, Tensor) else value


def run(model: nn.Module, args: list[Any], kwargs: dict[str, Any], tracer: Tracer) -> Outcome:
    """Run a copy on the meta device, to which hooks are added."""
    outcome = Outcome(tracer)
    handled = sys.exc_info()[1]

    def leave(path: str, module: nn.Module, inputs: Any, output: Any) -> None:
        outcome.finished.add(path)
        tensor = first_tensor(tree_leaves(output))
        if tensor is not None and path and next(module.children(), None) is None:
            outcome.last_layer, outcome.last_shape = path, tuple(tensor.shape)

    handles = [
        module.register_forward_hook(partial(leave, path)) for path, module in model.named_modules()
    ]
    try:
        with torch.no_grad(), _eager(), tracer:
            outcome.output = model(*args, **kwargs)
    except Exception as error:  # the module's code may raise anything
        paths = {id(module): path for path, module in model.named_modules()}
        inner = [frame for frame in module_calls(error.__traceback__) if id(frame.module) in paths]
        last = inner[-1] if inner else ModuleCall(model, tuple(args), kwargs)
        failed = tracer.failed
        call = failed[1] if failed is not None and failed[0] is error else None
        path = paths[id(last.module)]
        outcome.failure = Failure(path, last.module, last.args, last.kwargs, call, error)
        _drop_frames(error, handled)
    for handle in handles:  # they hold the outcome
        handle.remove()
    return outcome


def _drop_frames(error: BaseException | None, handled: BaseException | None) -> None:
    """Drop the tracebacks, whose frames hold tensors, of an error and those that led to it.

    The one that was being handled before is not ours.
    """
    while error is not None and error is not handled and error.__traceback__ is not None:
        error.__traceback__ = None
        error = error.__cause__ or error.__context__


def _eager() -> AbstractContextManager[Any]:
    """Return a context in which nothing is compiled."""
    # What is not loaded compiles nothing; loading it takes seconds.
    if "torch._dynamo" not in sys.modules:
        return nullcontext()
    stance: AbstractContextManager[Any] = torch.compiler.set_stance("force_eager")
    return stance


class ModuleCall(NamedTuple):
    """A call of a module that is on the stack."""

    module: nn.Module
    args: tuple[Any, ...]
    kwargs: dict[str, Any]


def module_calls(traceback: TracebackType | None) -> Iterator[ModuleCall]:
    """Yield the calls of modules in a traceback, from the outermost to the innermost."""
    while traceback is not None:
        if traceback.tb_frame.f_code.co_name == "_call_impl":
            names = traceback.tb_frame.f_locals
            module = names.get("self")
            if isinstance(module, nn.Module):
                yield ModuleCall(module, tuple(names.get("args", ())), names.get("kwargs", {}))
        traceback = traceback.tb_next
