"""Dtypes and devices of the tensors of a call."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn.parameter import is_lazy
from torch.utils._pytree import tree_leaves, tree_map

from convlab.explain.calls import CONVOLUTIONS, Call
from convlab.explain.trace import Tracer
from convlab.explain.windows import Finding

_WEIGHTED = (*CONVOLUTIONS, "linear", "recurrent", "attention")
_NORMS = ("batch_norm", "layer_norm", "group_norm")
_INDICES = (torch.int64, torch.int32)
# Sizes of the tensors with which a call is tried.
_SMALL = 16


def describe(tensor: Tensor) -> str:
    """Return shape and dtype of a tensor."""
    return f"shape {tuple(tensor.shape)}, {str(tensor.dtype).removeprefix('torch.')}"


def tensors_differ(tracer: Tracer, call: Call) -> Finding | None:
    """Return the finding if the devices or dtypes of the tensors of a call do not fit."""
    return _devices(tracer, call) or _dtypes(call) or _not_implemented(tracer, call)


def _devices(tracer: Tracer, call: Call) -> Finding | None:
    named = [(key, value) for key, value in call.arguments.items() if isinstance(value, Tensor)]
    placed = [(key, tracer.devices[id(v)][1]) for key, v in named if id(v) in tracer.devices]
    if call.kind in (*_WEIGHTED, *_NORMS, "matmul") and _differ([d for _, d in placed]):
        return Finding("device_mismatch", [f"{key}: on {device}" for key, device in placed])
    return None


def _dtypes(call: Call) -> Finding | None:
    x, weight, other, index = call.input, call["weight"], call["other"], call["index"]
    if x is None:
        return None
    if call.kind in _WEIGHTED or (call.kind in _NORMS and isinstance(weight, Tensor)):
        return _weight_dtype(call, x, weight)
    is_integer = not (x.is_floating_point() or x.is_complex())
    averages = call.kind in ("batch_norm", "instance_norm", "adaptive_pool", "average") or (
        call.kind == "avg_pool" and x.dtype != torch.int64
    )
    if is_integer and averages and call["dtype"] is None:
        step = f"input: {describe(x)}; {call.name} takes floating point numbers"
        return Finding("integer_image", [step])
    if call.kind == "matmul" and isinstance(other, Tensor) and x.dtype != other.dtype:
        return Finding("dtype_mismatch", [f"input: {describe(x)}", f"other: {describe(other)}"])
    indices = {"embedding": x, "select_indices": index}.get(call.kind)
    if isinstance(indices, Tensor) and indices.dtype not in _INDICES:
        step = f"indices: {describe(indices)}; {call.name} takes int64 or int32"
        return Finding("dtype_mismatch", [step])
    return None


def _differ(devices: list[torch.device]) -> bool:
    """Return whether devices differ; one without an index may be each of its type."""
    if len({device.type for device in devices}) > 1:
        return True
    return len({device.index for device in devices} - {None}) > 1


def _weight_dtype(call: Call, x: Tensor, weight: Any) -> Finding | None:
    if not isinstance(weight, Tensor) or x.dtype == weight.dtype:
        return None
    low = (torch.float16, torch.bfloat16)
    if call.kind in _NORMS and weight.dtype == torch.float32 and x.dtype in low:
        return None  # computed in float32
    steps = [f"input: {describe(x)}", f"weight: {describe(weight)}"]
    is_number = x.is_floating_point() or x.is_complex()
    return Finding("dtype_mismatch" if is_number else "integer_image", steps)


def _not_implemented(tracer: Tracer, call: Call) -> Finding | None:
    """Return the finding if the CPU does not compute a call with the dtypes of its tensors.

    The meta device computes more. Therefore the call is tried with small tensors on the CPU: the
    dtypes are the cause if it fails with them, and runs with floating point numbers.
    """
    leaves = tree_leaves((call.args, call.kwargs))
    tensors = [x for x in leaves if isinstance(x, Tensor)]
    if any(map(callable, leaves)) or any(map(_is_unusual, tensors)) or call.name.startswith("__g"):
        return None
    devices = {tracer.devices[id(x)][1].type for x in tensors if id(x) in tracer.devices}
    dtypes = [x.dtype for x in tensors]
    if devices - {"cpu"} or set(dtypes) <= {torch.float32} or set(dtypes) <= {torch.float64}:
        return None
    first, floating = tensors[0], next((d for d in dtypes if d.is_floating_point), torch.float32)
    others = [{id(x): torch.float32 for x in tensors}, {id(first): floating}]
    if _runs_small(call, {}) or not any(_runs_small(call, other) for other in others):
        return None
    steps = [f"argument: {describe(x)}" for x in tensors]
    steps.append(f"{call.name} does not take these dtypes on the CPU, and runs with float32")
    is_number = first.is_floating_point() or first.is_complex()
    return Finding("dtype_mismatch" if is_number else "integer_image", steps)


def _is_unusual(x: Tensor) -> bool:
    return is_lazy(x) or x.layout != torch.strided or x.is_quantized or x.is_nested


def _runs_small(call: Call, dtypes: dict[int, torch.dtype]) -> bool:
    """Return whether a call runs with small tensors on the CPU, some of them of other dtypes."""

    def small(value: Any) -> Any:
        if not isinstance(value, Tensor):
            return value
        sizes = [min(size, _SMALL) for size in value.shape]
        return torch.ones(sizes, dtype=dtypes.get(id(value), value.dtype))

    args, kwargs = tree_map(small, (call.args, call.kwargs))
    try:
        call.function(*args, **kwargs)
    except Exception:  # of any type
        return False
    return True


def runs_on_cpu(call: Call) -> bool:
    """Return whether a call that fails on the meta device runs with small tensors on the CPU."""
    tensors = [x for x in tree_leaves((call.args, call.kwargs)) if isinstance(x, Tensor)]
    if not tensors or any(_is_unusual(x) or max(x.shape, default=0) > _SMALL for x in tensors):
        return False
    return _runs_small(call, {})
