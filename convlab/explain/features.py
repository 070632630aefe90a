"""Causes of failing calls along the last axis: linear layers, recurrent ones, attention."""

from __future__ import annotations

from math import prod

from torch import Tensor

from convlab.explain.calls import Call
from convlab.explain.findings import Finding, has, product
from convlab.explain.trace import Tracer

_QKV = {"input": "query", "key": "key", "value": "value"}


def last_axis(x: Tensor, name: str, number: int, argument: str = "input") -> Finding | None:
    """Return the finding if the last axis of an argument has another length than the layer."""
    if x.dim() < 1 or x.shape[-1] == number:
        return None
    step = has(x, x.shape[-1], "features, its last axis", argument)
    return Finding("features", [step, f"{name} = {number}"])


def explain_linear(call: Call, tracer: Tracer) -> Finding | None:
    """Return the cause of a failing linear layer, which may lie behind a map."""
    x, weight = call.input, call["weight"]
    if x is None or not isinstance(weight, Tensor) or weight.dim() != 2 or x.dim() < 1:
        return None
    shape, in_features = tuple(x.shape), weight.shape[1]
    if shape[-1] == in_features:
        return None
    _, source = tracer.maps.get(id(x), (None, None))
    is_map = id(x) in tracer.maps and source is None
    if len(shape) > 2 and (is_map or prod(shape[1:]) == in_features):
        steps = [f"input: shape {shape} is a map; Linear computes along its last axis: {shape[-1]}"]
        steps.append(f"flattened, it has {product(shape[1:])} numbers per image")
        return Finding("missing_flatten", [*steps, f"in_features = {in_features}"])
    if source is not None and len(source) > 1 and shape[-1] in (prod(source[1:]), prod(source)):
        numbers = source[1:] if prod(source[1:]) == shape[-1] else source
        steps = [f"flattened from {tuple(source)}: {product(numbers)}"]
        if numbers is source and prod(source[1:]) == in_features:
            steps.append(f"the axis of the batch, {source[0]}, was flattened too")
        if len(source) == tracer.rank + 1 and prod(source) == in_features:
            steps += [f"an image without a batch: {product(source)} = in_features"]
            return Finding("missing_axis", steps)
        return Finding("linear_after_flatten", [*steps, f"in_features = {in_features}"])
    return last_axis(x, "in_features", in_features)


def explain_matmul(call: Call, tracer: Tracer) -> Finding | None:
    """Return the cause of a failing product of matrices."""
    x, other = call.input, call["other"]
    if x is None or not isinstance(other, Tensor) or x.dim() < 1 or other.dim() < 1:
        return None
    axis = max(other.dim() - 2, 0)
    if x.shape[-1] == other.shape[axis]:
        return None
    steps = [has(x, x.shape[-1], "numbers along its last axis")]
    steps.append(has(other, other.shape[axis], f"numbers along axis {axis}", "other"))
    return Finding("features", steps)


def explain_recurrent(call: Call, tracer: Tracer) -> Finding | None:
    """Return the cause of a failing cell of a recurrent layer."""
    x, weight = call.input, call["weight"]
    if x is None or not isinstance(weight, Tensor):
        return None
    return last_axis(x, "input_size", weight.shape[-1])


def explain_bilinear(call: Call, tracer: Tracer) -> Finding | None:
    """Return the cause of a failing bilinear layer."""
    x, second, weight = call.input, call["second"], call["weight"]
    if x is None or not isinstance(second, Tensor) or weight is None:
        return None
    return last_axis(x, "in1_features", weight.shape[1], "input1") or last_axis(
        second, "in2_features", weight.shape[2], "input2"
    )


def explain_attention(call: Call, tracer: Tracer) -> Finding | None:
    """Return the cause of a failing attention."""
    embed_dim = call["embed_dim"]
    if not isinstance(embed_dim, int):
        return None
    names = {"input": "query"} if call["use_separate_proj_weight"] else _QKV
    for argument, name in names.items():
        x = call[argument]
        if isinstance(x, Tensor) and x.dim() >= 2 and x.shape[-1] != embed_dim:
            return last_axis(x, "embed_dim", embed_dim, name)
    return None


def explain_layer_norm(call: Call, tracer: Tracer) -> Finding | None:
    """Return the cause of a failing normalization of the last axes."""
    x, normalized = call.input, tuple(call["normalized_shape"] or ())
    if x is None or not normalized or tuple(x.shape[-len(normalized) :]) == normalized:
        return None
    steps = [f"input: shape {tuple(x.shape)}", f"normalized_shape = {normalized}: its last axes"]
    return Finding("features", steps)
