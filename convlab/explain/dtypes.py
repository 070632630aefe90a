"""Dtypes and devices of the tensors of a call."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from convlab.explain.calls import CONVOLUTIONS, Call, describe
from convlab.explain.findings import Finding
from convlab.explain.trace import Tracer
from convlab.explain.trials import is_dtype_refused, tensors_of

_WEIGHTED = (*CONVOLUTIONS, "linear", "recurrent", "attention")
_NORMS = ("batch_norm", "layer_norm", "group_norm")
_INDICES = (torch.int64, torch.int32)


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
    if x is None or x.numel() == 0:  # the CPU computes nothing, so it may take any dtype
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
    """Return the finding if the CPU does not compute a call with the dtypes of its tensors."""
    if not tracer.is_on_cpu(call) or not is_dtype_refused(call):
        return None
    tensors = tensors_of(call)
    steps = [f"argument: {describe(x)}" for x in tensors]
    steps.append(f"{call.name} does not take these dtypes on the CPU, and runs with float32")
    is_number = tensors[0].is_floating_point() or tensors[0].is_complex()
    return Finding("dtype_mismatch" if is_number else "integer_image", steps)
