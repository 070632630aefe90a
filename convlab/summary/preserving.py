"""Leave a model as it was before it ran."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.grad_mode import _unsafe_preserve_version_counter

from convlab.summary.operation import storage, tensors_in


class Preserved:
    """The attributes and the tensors of a model, and of its inputs, before it runs.

    Memory is copied just before it is written, so that nothing is copied for most models.
    """

    def __init__(self, model: nn.Module, inputs: Iterable[Tensor]) -> None:
        self._modules = [(module, module.training) for module in model.modules()]
        # Of a dictionary such as that of the buffers, a copy of its entries.
        self._attributes = [
            (vars(module), [(k, v, _copy(v)) for k, v in vars(module).items()])
            for module, _ in self._modules
            if not isinstance(module, torch.jit.ScriptModule)
        ]
        tensors = {id(x): x for x in [*model.parameters(), *model.buffers(), *inputs]}
        for attributes, _ in self._attributes:
            tensors |= {id(x): x for x in tensors_in(attributes)}
        self._tensors = list(tensors.values())
        self._data = [(x, x.data) for x in self._tensors]
        self._gradients = [(x, x.grad) for x in self._tensors if x.is_leaf]
        gradients = [grad for _, grad in self._gradients if grad is not None]
        self._storages = {storage(x) for x in [*self._tensors, *gradients]} - {None}
        self._copies: dict[int, tuple[Any, Any]] = {}

    def keep(self, tensor: Tensor) -> None:
        """Copy the memory of a tensor, once, if a tensor of the model shares it."""
        memory = storage(tensor)
        if memory in self._storages and memory not in self._copies and not tensor.is_meta:
            assert memory is not None
            original: Any = tensor.untyped_storage()
            self._copies[memory] = original, original.clone()

    @contextmanager
    def evaluation_mode(self) -> Iterator[None]:
        """Put the model into evaluation mode; restore everything at the end of the block.

        The flags are set without `nn.Module.train`, in which some modules do work.
        """
        with ExitStack() as stack:
            for tensor in self._tensors:
                if not tensor.is_inference():
                    # A pending backward pass takes what was written, and restored, as unchanged.
                    stack.enter_context(_unsafe_preserve_version_counter(tensor))
            try:
                for module, _ in self._modules:
                    module.training = False
                yield
            finally:
                self._restore()

    def _restore(self) -> None:
        for module, mode in self._modules:
            module.training = mode
        for attributes, entries in self._attributes:
            attributes.clear()
            attributes.update((name, value) for name, value, _ in entries)
            for _, value, copy in entries:
                if isinstance(copy, list):
                    value[:] = copy
                elif copy is not None:
                    value.clear()
                    value.update(copy)
        for tensor, data in self._data:
            if storage(tensor) != storage(data) or tensor.shape != data.shape:
                tensor.data = data
        for tensor, gradient in self._gradients:
            tensor.grad = gradient
        for original, copy in self._copies.values():
            original.copy_(copy)


def _copy(value: Any) -> Any:
    """Return a copy of a container of a module, not of its entries; None for other values."""
    return value.copy() if type(value) in (dict, OrderedDict, set, list) else None
