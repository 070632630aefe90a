"""Calls that are tried with small tensors on the CPU, since the meta device computes more."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

import torch
from torch import Tensor
from torch.nn.parameter import is_lazy
from torch.utils._pytree import tree_leaves, tree_map

from convlab.explain.calls import Call

_OF_INDICES = ("cross_entropy", "embedding", "select_indices", "index")
# Sizes of the tensors with which a call is tried, their numbers, and the other arguments.
_SMALL, _MAX_NUMBERS, _MAX_ARGUMENT = 16, 2**20, 64


def tensors_of(call: Call) -> list[Tensor]:
    """Return the tensors among the arguments of a call, also those in lists."""
    return [x for x in tree_leaves((call.args, call.kwargs)) if isinstance(x, Tensor)]


def is_dtype_refused(call: Call) -> bool:
    """Return whether the CPU refuses a call for the dtypes of its tensors.

    It then fails with small tensors of these dtypes, and runs with floating point numbers.
    """
    tensors = tensors_of(call)
    dtypes = [x.dtype for x in tensors]
    if set(dtypes) <= {torch.float32} or set(dtypes) <= {torch.float64} or not _can_try(call):
        return False
    floating = next((d for d in dtypes if d.is_floating_point), torch.float32)
    others = [{id(x): torch.float32 for x in tensors}, {id(tensors[0]): floating}]
    return not _runs(call, {}, _small) and any(_runs(call, other, _small) for other in others)


def runs_on_cpu(call: Call) -> bool:
    """Return whether a call that fails on the meta device runs with small tensors on the CPU."""
    tensors = tensors_of(call)
    if not tensors or any(_is_unusual(x) or max(x.shape, default=0) > _SMALL for x in tensors):
        return False
    return _runs(call, {}, _small)


def is_empty(call: Call) -> bool:
    """Return whether a tensor of a call has no numbers, and the call can be tried as it is."""
    if call.name.startswith("__") or not _can_try(call):
        return False
    numbers = [x.numel() for x in tensors_of(call)]
    return 0 in numbers and sum(numbers) <= _MAX_NUMBERS


def run_on_cpu(call: Call) -> Any:
    """Return the result of a call with tensors of ones on the CPU; raise what it raises."""
    return _run(call, {}, int)


def is_emptiness_refused(call: Call) -> bool:
    """Return whether a call that fails with axes of length 0 runs with axes of another length.

    Where its result may be large, it is not tried.
    """
    numbers = [x for x in tree_leaves((call.args, call.kwargs)) if isinstance(x, int | float)]
    if any(abs(number) > _MAX_ARGUMENT for number in numbers):
        return False
    return _runs(call, {}, lambda size: size or 2) or _runs(call, {}, lambda size: size or _SMALL)


def _can_try(call: Call) -> bool:
    """Return whether a call has no functions and no unusual tensors among its arguments."""
    leaves = tree_leaves((call.args, call.kwargs))
    unusual = any(_is_unusual(x) for x in leaves if isinstance(x, Tensor))
    return not unusual and not any(map(callable, leaves)) and not call.name.startswith("__g")


def _is_unusual(x: Tensor) -> bool:
    return is_lazy(x) or x.layout != torch.strided or x.is_quantized or x.is_nested


def _run(call: Call, dtypes: dict[int, torch.dtype], sizes: Callable[[int], int]) -> Any:
    """Run a call with tensors of ones on the CPU, of other sizes and some of other dtypes."""

    def ones(value: Any) -> Any:
        if not isinstance(value, Tensor):
            return value
        dtype = dtypes.get(id(value), value.dtype)
        shape = [*map(sizes, value.shape)]
        if prod(shape) > _MAX_NUMBERS:
            raise MemoryError(f"the shape {shape} is too large for a trial")
        fill = torch.zeros if call.kind in _OF_INDICES and dtype == torch.int64 else torch.ones
        return fill(shape, dtype=dtype)

    args, kwargs = tree_map(ones, (call.args, call.kwargs))
    return call.function(*args, **kwargs)


def _runs(call: Call, dtypes: dict[int, torch.dtype], sizes: Callable[[int], int]) -> bool:
    try:
        _run(call, dtypes, sizes)
    except Exception:  # of any type
        return False
    return True


def _small(size: int) -> int:
    return min(size, _SMALL)
