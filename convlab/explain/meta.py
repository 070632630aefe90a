"""Copies of models and inputs on the meta device: shapes and dtypes, without data."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from copy import deepcopy
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy
from torch.overrides import TorchFunctionMode

_HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")


def meta_tensor(tensor: Tensor) -> Tensor:
    """Return a tensor of the same shape, strides and dtype on the meta device."""
    copy = torch.empty_like(tensor, device="meta", requires_grad=False)
    if isinstance(tensor, nn.Parameter):
        return nn.Parameter(copy, requires_grad=tensor.requires_grad)
    return copy


class _MetaCopies(TorchFunctionMode):
    """Let `copy.deepcopy` return tensors on the meta device."""

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        if func is Tensor.__deepcopy__:
            return meta_tensor(args[0])
        return func(*args, **(kwargs or {}))


def meta_copy(model: nn.Module) -> tuple[nn.Module, list[tuple[Tensor, Tensor]]]:
    """Return a copy of a model without its data, and pairs of tensors (of the model, of the copy).

    Counters, such as that of the batches in a batch normalization, keep their values. Hooks that
    are not PyTorch's own are left out, since they may write to what is not in the copy.

    Raises what `copy.deepcopy` raises.
    """
    memo: dict[int, Any] = {}
    pairs = []
    for module in model.modules():
        for tensor in [*module._parameters.values(), *module._buffers.values()]:
            if tensor is None or id(tensor) in memo:
                continue
            if is_lazy(tensor):
                cls: Any = type(tensor)
                memo[id(tensor)] = cls(tensor.requires_grad, device="meta", dtype=tensor.dtype)
                continue
            counts = (
                tensor.dim() == 0 and not tensor.is_floating_point() and not tensor.is_complex()
            )
            if counts and tensor.device.type == "cpu":
                memo[id(tensor)] = tensor.detach().clone()
                continue
            memo[id(tensor)] = meta_tensor(tensor)
            pairs.append((tensor, memo[id(tensor)]))
        for name in _HOOKS:
            hooks = getattr(module, name, {})
            if hooks and not all(map(_is_of_torch, hooks.values())):
                kept = {key: hook for key, hook in hooks.items() if _is_of_torch(hook)}
                memo[id(hooks)] = type(hooks)(kept)
    # Keep the originals alive while their ids are keys.
    with _MetaCopies():
        copy = deepcopy(model, memo)
    return copy, pairs


def _package(hook: Callable[..., Any]) -> str:
    module = getattr(hook, "__module__", None) or type(hook).__module__
    return str(module).partition(".")[0]


def _is_of_torch(hook: Callable[..., Any]) -> bool:
    return _package(hook) == "torch"


def _is_harmless(hook: Callable[..., Any]) -> bool:
    """Return whether a hook runs in a copy, or only checks its input, as those of convlab do."""
    return _package(hook) in ("torch", "convlab")


def skipped_hooks(model: nn.Module) -> dict[str, bool]:
    """Return the paths of modules with hooks that `meta_copy` leaves out.

    The value is whether a hook runs before the module, and may change its input.
    """
    found = {}
    for path, module in model.named_modules():
        names = ("_forward_pre_hooks", "_forward_hooks")
        before, after = (getattr(module, name, {}).values() for name in names)
        if not all(map(_is_harmless, (*before, *after))):
            found[path] = not all(map(_is_harmless, before))
    return found


def is_shape(value: Any) -> bool:
    """Return whether a value is a shape: a tuple or list of ints, not empty."""
    return (
        isinstance(value, tuple | list)
        and len(value) > 0
        and all(isinstance(size, int) and not isinstance(size, bool) for size in value)
    )


def floating_dtype(model: nn.Module) -> torch.dtype:
    """Return the dtype of the first floating point parameter, or the default dtype."""
    dtypes = (x.dtype for x in model.parameters() if x.is_floating_point() or x.is_complex())
    return next(dtypes, torch.get_default_dtype())


def device_constructors() -> frozenset[Any]:
    """Return the functions that make a tensor and take the argument `device`."""
    from torch.utils._device import _device_constructors  # noqa: PLC0415  (private: may move)

    return frozenset(_device_constructors())


class MetaCall(NamedTuple):
    """A call that stays on the meta device, and the device that the original call names."""

    func: Any
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    device: torch.device | None


def to_meta(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> MetaCall:
    """Return a call that stays on the meta device, whatever device the original names."""
    name, meta = getattr(func, "__name__", ""), torch.device("meta")
    device = None
    if name in ("cuda", "cpu") and args and isinstance(args[0], Tensor):
        return MetaCall(Tensor.to, (args[0], meta), {}, torch.device(name))
    if name == "to" and args and isinstance(args[0], Tensor):
        device = next(filter(None, map(_device, args[1:])), None)
        args = tuple(meta if _device(x) else x for x in args)
    if kwargs.get("device") is not None:
        device = device or _device(kwargs["device"])
        kwargs = {**kwargs, "device": meta}
    return MetaCall(func, args, kwargs, device)


def _device(value: Any) -> torch.device | None:
    if isinstance(value, torch.device):
        return value
    return torch.device(value) if isinstance(value, str) else None


def unwrapped(module: nn.Module) -> nn.Module:
    """Return the module inside the wrappers of torch.compile and of parallel training."""
    wrappers = {"OptimizedModule": "_orig_mod", "DataParallel": "module"}
    wrappers["DistributedDataParallel"] = "module"
    while name := wrappers.get(type(module).__name__):
        inner = getattr(module, name, None)
        if not isinstance(inner, nn.Module):
            break
        module = inner
    return module


def first_tensor(values: Iterable[Any]) -> Tensor | None:
    """Return the first tensor among values."""
    return next((x for x in values if isinstance(x, Tensor)), None)
