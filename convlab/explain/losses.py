"""Causes of failing losses, and of indices out of range."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from convlab.explain.calls import Call, describe
from convlab.explain.findings import Finding
from convlab.explain.trace import Tracer


def check_loss(tracer: Tracer, call: Call) -> Finding | None:
    """Return the cause if a loss fails for a reason that the meta device does not check."""
    if call.kind == "cross_entropy":
        return explain_cross_entropy(call, tracer)
    if call.name == "binary_cross_entropy":
        return _same_dtype(call) or _probabilities(tracer, call)
    return None


def explain_cross_entropy(call: Call, tracer: Tracer) -> Finding | None:
    """Return the cause of a failing loss of a classification."""
    x, target = call.input, call["target"]
    if x is None or not isinstance(target, Tensor) or x.dim() < 1:
        return None
    expected = class_shape(x)
    steps = [f"input: {describe(x)}", f"target: {describe(target)}"]
    if not x.is_floating_point() and target.is_floating_point():
        steps.append("the prediction holds integers, and the target floating point numbers")
        return Finding("dtype_mismatch", [*steps, "loss(input, target): are they exchanged?"])
    # One class number may have an axis, but for cross_entropy two shapes (1,) are probabilities.
    has_axis = x.dim() == 1 and target.shape == (1,)
    has_axis = has_axis and (call.name == "nll_loss" or x.shape != target.shape)
    if tuple(target.shape) == expected or has_axis:
        if target.dtype not in (torch.int64, torch.uint8):
            return Finding("dtype_mismatch", [*steps, "class numbers must be int64"])
        return _class_range(tracer, call)
    if target.shape == x.shape and target.is_floating_point() and call.name == "cross_entropy":
        return None  # probabilities
    return Finding("target_shape", [*steps, f"class numbers have shape {expected}"])


def class_shape(x: Tensor) -> tuple[int, ...]:
    """Return the shape of the class numbers for a prediction."""
    return tuple(x.shape[:1] + x.shape[2:]) if x.dim() > 1 else ()


def known_targets(tracer: Tracer, call: Call) -> Tensor | None:
    """Return the class numbers of a loss that are not ignored, if they are known."""
    values = _known(tracer, call["target"])
    if values is None or values.dtype not in (torch.int64, torch.uint8):
        return None
    return values[values != (-100 if call["ignore_index"] is None else call["ignore_index"])]


def _class_range(tracer: Tracer, call: Call) -> Finding | None:
    x, kept = call.input, known_targets(tracer, call)
    if x is None or kept is None:
        return None
    classes = x.shape[1] if x.dim() > 1 else x.shape[0]
    if 0 in (classes, kept.numel()) or (int(kept.min()) >= 0 and int(kept.max()) < classes):
        return None
    steps = [f"input: shape {tuple(x.shape)}: classes 0 to {classes - 1}"]
    return Finding("target_range", [*steps, f"target: {int(kept.min())} to {int(kept.max())}"])


def explain_pointwise_loss(call: Call, tracer: Tracer) -> Finding | None:
    """Return the cause of a failing loss of equal shapes."""
    x, target = call.input, call["target"]
    if x is None or not isinstance(target, Tensor):
        return None
    is_strict = call.name.startswith("binary")
    if x.shape == target.shape if is_strict else _broadcast(x, target):
        return _same_dtype(call) if is_strict else None
    steps = [f"input: {describe(x)}", f"target: {describe(target)}"]
    return Finding("target_shape", [*steps, "both must have the same shape"])


def _broadcast(x: Tensor, other: Tensor) -> bool:
    sizes = zip(reversed(x.shape), reversed(other.shape), strict=False)
    return all(a == b or 1 in (a, b) for a, b in sizes)


def _same_dtype(call: Call) -> Finding | None:
    x, target = call.input, call["target"]
    if x is None or not isinstance(target, Tensor) or x.dtype == target.dtype:
        return None
    steps = [f"input: {describe(x)}", f"target: {describe(target)}"]
    return Finding("dtype_mismatch", [*steps, "the target must have the dtype of the input"])


def _probabilities(tracer: Tracer, call: Call) -> Finding | None:
    for name in ("input", "target"):
        values = _known(tracer, call[name])
        if values is None or values.numel() == 0:
            continue
        least, most = float(values.min()), float(values.max())
        if least < 0 or most > 1:
            step = f"{name}: {least:g} to {most:g}; binary_cross_entropy takes 0 to 1"
            return Finding("target_range" if name == "target" else "unknown", [step])
    return None


def index_range(tracer: Tracer, call: Call) -> Finding | None:
    """Return the finding if indices are known, and out of range."""
    for name, values, least, size in _indices(tracer, call):
        if values.numel() and (int(values.min()) < least or int(values.max()) >= size):
            steps = [f"{name}: {int(values.min())} to {int(values.max())}"]
            return Finding("unknown", [*steps, f"{call.name} takes {least} to {size - 1}"])
    return None


def _indices(tracer: Tracer, call: Call) -> list[tuple[str, Tensor, int, int]]:
    """Return names and values of known indices, and the first and the number of those allowed."""
    x, values = call.input, _known(tracer, call.input)
    weight = call["weight"]
    if call.kind == "embedding" and values is not None and isinstance(weight, Tensor):
        return [("indices", values, 0, weight.shape[0])]
    if call.kind == "one_hot" and values is not None:
        number = call["num_classes"]
        return [] if number in (None, -1) else [("class numbers", values, 0, number)]
    if x is None or call.kind not in ("select_indices", "index"):
        return []
    if call.kind == "select_indices":
        dim, values = call["dim"], _known(tracer, call["index"])
        is_valid = isinstance(dim, int) and -x.dim() <= dim < x.dim()
        return [("index", values, 0, x.shape[dim])] if values is not None and is_valid else []
    index = call["index"]
    items = index if isinstance(index, tuple) else (index,)
    found = []
    for axis, item in enumerate(items[: x.dim()]):
        if item is None or item is Ellipsis or isinstance(item, bool):
            break
        values = _known(tracer, item)
        if values is None and isinstance(item, list) and all(type(n) is int for n in item):
            values = torch.tensor(item, dtype=torch.int64)
        if values is not None and values.dtype in (torch.int64, torch.int32):
            found.append((f"index of axis {axis}", values, -x.shape[axis], x.shape[axis]))
    return found


def _known(tracer: Tracer, value: Any) -> Tensor | None:
    """Return the values of a tensor, if it is an input."""
    values = tracer.values.get(id(value), (None, None))[1]
    return None if values is None or values.device.type == "meta" else values
