"""Leave a model as it was before it ran, and copy it."""

from __future__ import annotations

import random
from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from functools import partial
from operator import is_
from types import ModuleType
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.autograd.grad_mode import _unsafe_preserve_version_counter
from torch.overrides import TorchFunctionMode

ModuleT = TypeVar("ModuleT", bound=nn.Module)

_SIMPLE = (str, bytes, int, float, type(None))
_CONTAINERS = (dict, OrderedDict, defaultdict, list, set, deque)


@contextmanager
def preserve_model_state(model: nn.Module, training: bool | None = None) -> Iterator[None]:
    """Restore the training flag of every module, and every buffer, when the block ends.

    The flags are set to `training`, if given, without `nn.Module.train`, in which some modules do
    work. The block must not change parameters, which are not restored.

    Examples
    --------
    >>> norm = nn.BatchNorm2d(1).eval()
    >>> with preserve_model_state(norm, training=True):
    ...     _ = norm(torch.ones(2, 1, 1, 1))
    >>> norm.training, norm.running_mean.item()
    (False, 0.0)
    """
    state = ModelState(model, [module._buffers for module in model.modules()])
    for buffer in model.buffers():
        state.keep(buffer)
    with state.preserved(training):
        yield


class ModelState:
    """The training flags of a model before it runs, and what can be reached from `roots`.

    These are containers, the attributes of objects, tensors and random number generators. The
    memory of a tensor is copied only by `keep`, which must be called before it is written.
    """

    def __init__(self, model: nn.Module, roots: Iterable[Any]) -> None:
        self._modules = [(module, type(module), module.training) for module in model.modules()]
        self._undo: list[Callable[[], Any]] = []
        self._tensors: dict[int, Tensor] = {}
        self._copies: dict[int, tuple[Any, Any]] = {}
        reachable, visited = [*roots], set[int]()
        while reachable:
            value = reachable.pop()
            if not isinstance(value, _SIMPLE) and id(value) not in visited:
                visited.add(id(value))
                reachable += self._add(value)
        self._storages = {storage(x) for x in self._tensors.values()} - {None}

    def _add(self, value: Any) -> list[Any]:
        """Add one object; return those that it holds."""
        undo = self._undo.append
        if isinstance(value, Tensor):
            self._tensors[id(value)] = value
            gradient, hooks = value.grad if value.is_leaf else None, value._backward_hooks
            undo(partial(_restore_tensor, value, value.data, value.requires_grad, gradient, hooks))
            return [gradient, hooks, getattr(value, "__dict__", None)]
        if type(value) in _CONTAINERS:
            undo(partial(_restore_container, value, value.copy()))
            return _entries(value)
        if isinstance(value, tuple):
            return [*value]
        if isinstance(value, torch.Generator | np.random.RandomState):
            set_state: Any = value.set_state
            undo(partial(set_state, value.get_state()))
        elif isinstance(value, np.random.Generator):
            undo(partial(setattr, value.bit_generator, "state", value.bit_generator.state))
        elif isinstance(value, random.Random):
            undo(partial(value.setstate, value.getstate()))
        elif isinstance(value, torch.jit.ScriptModule):
            return [*value.parameters(), *value.buffers()]
        elif isinstance(value, nn.Module) or not (
            callable(value) or isinstance(value, type | ModuleType)
        ):
            return [getattr(value, "__dict__", None)]
        return []

    def keep(self, tensor: Tensor) -> None:
        """Copy the memory of a tensor, once, if one of the tensors shares it."""
        memory = storage(tensor)
        if memory is not None and memory in self._storages and memory not in self._copies:
            original = tensor.untyped_storage()
            if original.device.type != "meta":
                all_bytes = torch.empty(0, dtype=torch.uint8, device=original.device)
                all_bytes.set_(original)
                self._copies[memory] = all_bytes, all_bytes.clone()

    @contextmanager
    def preserved(self, training: bool | None = None) -> Iterator[None]:
        """Restore everything at the end of the block; set the flags to `training` in it, if given.

        A pending backward pass takes what was written, and restored, as unchanged.
        """
        versioned = tuple(x for x in self._tensors.values() if not x.is_inference())
        with _unsafe_preserve_version_counter(versioned):
            try:
                for module, _, mode in self._modules:
                    if training is not None and mode != training:
                        module.training = training
                yield
            finally:
                self._restore()

    def _restore(self) -> None:
        for undo in self._undo:
            undo()
        for module, cls, mode in self._modules:
            if type(module) is not cls:  # a parametrization was registered
                module.__class__ = cls
            if module.training != mode:
                module.training = mode
        for original, copy in self._copies.values():
            memory: Any = original.untyped_storage()
            if memory.nbytes() != copy.numel():
                memory.resize_(copy.numel())
            if not torch.equal(original, copy):
                memory.copy_(copy.untyped_storage())


def random_generators() -> list[Any]:
    """Return the global generators of Python, NumPy and PyTorch on each of its devices."""
    functions: tuple[Any, ...] = (random.getstate, np.random.get_state)
    own = [function.__self__ for function in functions]
    return [*own, torch.default_generator, *torch.cuda.default_generators]


def _entries(container: Any) -> list[Any]:
    return [*container, *container.values()] if isinstance(container, dict) else [*container]


def _restore_container(container: Any, copy: Any) -> None:
    now, before = _entries(container), _entries(copy)
    if len(now) != len(before) or not all(map(is_, now, before)):
        container.clear()
        (container.extend if isinstance(container, list | deque) else container.update)(copy)


def _restore_tensor(
    tensor: Tensor, data: Tensor, requires_grad: bool, gradient: Tensor | None, hooks: Any
) -> None:
    if layout(tensor) != layout(data):
        tensor.data = data
    if tensor.requires_grad != requires_grad:
        tensor.requires_grad_(requires_grad)
    if tensor.is_leaf:
        tensor.grad = gradient
    if tensor._backward_hooks is not hooks:
        tensor._backward_hooks = hooks


def layout(tensor: Tensor) -> Any:
    """Return memory, dtype and strides of a tensor: those of another with the same elements."""
    memory = storage(tensor)
    if memory is None or tensor.is_nested:
        return memory
    return memory, tensor.dtype, tensor.shape, tensor.stride(), tensor.storage_offset()


def storage(tensor: Tensor) -> int | None:
    """Return an identifier of the memory of a tensor; None if the tensor is sparse or opaque."""
    try:
        return int(tensor.untyped_storage()._cdata)
    except (NotImplementedError, RuntimeError):  # sparse and opaque tensors
        return None


def update_buffers(model: nn.Module, values: Mapping[str, Tensor]) -> None:
    """Copy values to the buffers of these names.

    A buffer that is equal is not written, because it may be one that cannot be (expanded). One that
    is missing or has another shape is a cache, which the model computes again.
    """
    with torch.no_grad():
        for name, buffer in model.named_buffers():
            value = values.get(name)
            if value is None or value.shape != buffer.shape:
                continue
            if not torch.equal(buffer.cpu(), value.cpu()):
                buffer.copy_(value)


class _DetachedCopies(TorchFunctionMode):
    """Let `copy.deepcopy` detach the tensors that an earlier forward pass computed.

    Of these, PyTorch refuses to make deep copies. A model keeps them as a stored feature map, or as
    a weight that a hook has computed.
    """

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        if func is Tensor.__deepcopy__ and not args[0].is_leaf:
            return args[0].detach().clone()
        return func(*args, **(kwargs or {}))


def copy_model(model: ModuleT, memo: dict[int, Any] | None = None) -> ModuleT:
    """Return a deep copy of a model, also after a forward pass; `memo` is that of `deepcopy`.

    Raises ValueError if the model cannot be copied.
    """
    try:
        with _DetachedCopies():
            return deepcopy(model, memo)
    except Exception as error:  # the module's code may raise anything
        raise ValueError(f"cannot copy {type(model).__name__} by copy.deepcopy: {error}") from error
