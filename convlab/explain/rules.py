"""Causes of failing calls, from the function, the shapes and the dtypes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import zip_longest
from math import prod
from typing import Any

import torch
from torch import Tensor, nn

from convlab.explain.calls import CONVOLUTIONS, POOLINGS, Call, call_of_layer
from convlab.explain.trace import Failure, Tracer, WouldFail
from convlab.explain.windows import Finding, explain_window
from convlab.shapes import conv_transpose2d_output_size

_WEIGHTED = (*CONVOLUTIONS, "linear", "recurrent", "attention")
_NORMS = ("batch_norm", "layer_norm", "group_norm")


def explain_failure(failure: Failure, tracer: Tracer) -> Finding:
    """Return the cause of a failure, ``"unknown"`` with the facts if it is not recognized."""
    call = failure.call
    by_tensors = None if call is None else tensors_differ(tracer, call)
    # These compare the dtypes before the shapes; others the other way round.
    if by_tensors and call is not None and call.kind in ("linear", "layer_norm"):
        return by_tensors
    finding = _of_convolution(failure, tracer)
    if finding is None and call is not None and call.kind in _RULES:
        finding = _RULES[call.kind](call, failure, tracer)
    elif finding is None and call is None:
        finding = _of_module(failure)
    return finding or by_tensors or Finding("unknown", _facts(failure))


def _of_convolution(failure: Failure, tracer: Tracer) -> Finding | None:
    """Return the cause if it is the input of a convolution layer, which may pad it itself."""
    call, own = failure.call, call_of_layer(failure.module, failure.inputs)
    pads = getattr(failure.module, "padding_mode", "zeros") != "zeros"
    if own is None or not (pads or call is None or not call.kind):
        return None
    if pads:  # whether the window fits, and the padding, is left to the function that fails
        own = replace(own, arguments={**own.arguments, "padding": "same", "stride": 1})
    return explain_window(own, id(own.input) in tracer.maps)


def _facts(failure: Failure) -> list[str]:
    message = str(failure.error).strip().partition("\n")[0]
    steps = [f"{type(failure.error).__name__}: {message}"]
    call = failure.call
    values = list(failure.inputs) if call is None else list(call.arguments.values())
    if call is not None and call.name:
        steps.append(f"in a call of {call.name}")
    for value in values:
        for tensor in value if isinstance(value, tuple | list) else [value]:
            if isinstance(tensor, Tensor):
                steps.append(f"argument: {describe(tensor)}")
    return steps


def describe(tensor: Tensor) -> str:
    """Return shape and dtype of a tensor."""
    return f"shape {tuple(tensor.shape)}, {str(tensor.dtype).removeprefix('torch.')}"


def check_tensors(tracer: Tracer, call: Call) -> str | None:
    """Return a message if a call fails for a reason that the meta device does not check."""
    finding = tensors_differ(tracer, call) or _range(tracer, call)
    if finding is None and call.kind in CONVOLUTIONS:
        finding = explain_window(call, id(call.input) in tracer.maps)
    if finding is None and call.kind == "cross_entropy":
        finding = _class_numbers(tracer, call)
    if finding is None and call.name == "binary_cross_entropy":
        finding = _pointwise_dtype(call)
    return None if finding is None else f"{finding.cause}: {'; '.join(finding.steps)}"


def tensors_differ(tracer: Tracer, call: Call) -> Finding | None:
    """Return the finding if the devices or dtypes of the tensors of a call do not fit."""
    x = call.input
    named = [(key, value) for key, value in call.arguments.items() if isinstance(value, Tensor)]
    placed = [(key, tracer.devices[id(v)][1]) for key, v in named if id(v) in tracer.devices]
    if call.kind in (*_WEIGHTED, *_NORMS, "matmul") and _differ([d for _, d in placed]):
        return Finding("device_mismatch", [f"{key}: on {device}" for key, device in placed])
    if x is None:
        return None
    weight = call["weight"] if isinstance(call["weight"], Tensor) else None
    if call.kind in _WEIGHTED or (call.kind in _NORMS and weight is not None):
        return _weight_dtype(call, x, weight)
    is_integer = not (x.is_floating_point() or x.is_complex())
    averages = call.kind in ("batch_norm", "adaptive_pool", "average") or (
        call.kind == "avg_pool" and x.dtype != torch.int64
    )
    averages &= call["dtype"] is None
    if is_integer and averages:
        step = f"input: {describe(x)}; {call.name} takes floating point numbers"
        return Finding("integer_image", [step])
    other = call["other"]
    if call.kind == "matmul" and isinstance(other, Tensor) and x.dtype != other.dtype:
        return Finding("dtype_mismatch", [f"input: {describe(x)}", f"other: {describe(other)}"])
    return None


def _differ(devices: list[torch.device]) -> bool:
    """Return whether devices differ; one without an index may be each of its type."""
    if len({device.type for device in devices}) > 1:
        return True
    return len({device.index for device in devices} - {None}) > 1


def _weight_dtype(call: Call, x: Tensor, weight: Any) -> Finding | None:
    if weight is None or x.dtype == weight.dtype:
        return None
    low = (torch.float16, torch.bfloat16)
    if call.kind in _NORMS and weight.dtype == torch.float32 and x.dtype in low:
        return None  # computed in float32
    steps = [f"input: {describe(x)}", f"weight: {describe(weight)}"]
    is_number = x.is_floating_point() or x.is_complex()
    return Finding("dtype_mismatch" if is_number else "integer_image", steps)


def _window(call: Call, failure: Failure, tracer: Tracer) -> Finding | None:
    return explain_window(call, id(call.input) in tracer.maps)


def _adaptive(call: Call, failure: Failure, tracer: Tracer) -> Finding | None:
    x = call.input
    if x is None or x.dim() > call.rank:
        return None
    step = f"input: shape {tuple(x.shape)} has {x.dim()} axes"
    return Finding("missing_axis", [step, f"{call.name} takes {call.rank + 1} or {call.rank + 2}"])


def _linear(call: Call, failure: Failure, tracer: Tracer) -> Finding | None:
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
        product = " * ".join(map(str, shape[1:]))
        steps.append(f"flattened, it has {product} = {prod(shape[1:])} numbers per image")
        return Finding("missing_flatten", [*steps, f"in_features = {in_features}"])
    if source is not None and len(source) > 1 and len(shape) == 2:
        numbers = source[1:] if prod(source[1:]) == shape[1] else source
        product = " * ".join(map(str, numbers))
        steps = [f"flattened from {tuple(source)}: {product} = {prod(numbers)}"]
        if len(source) == 3 and prod(source) == in_features:
            whole = " * ".join(map(str, source))
            steps += [f"an image without a batch: {whole} = {in_features} = in_features"]
            return Finding("missing_axis", steps)
        return Finding("linear_after_flatten", [*steps, f"in_features = {in_features}"])
    steps = [f"input: shape {shape} has {shape[-1]} features, its last axis"]
    return Finding("features", [*steps, f"in_features = {in_features}"])


def _attention(call: Call, failure: Failure, tracer: Tracer) -> Finding | None:
    x, embed_dim = call.input, call["embed_dim"]
    if x is None or x.dim() < 2 or not isinstance(embed_dim, int) or x.shape[-1] == embed_dim:
        return None
    steps = [f"query: shape {tuple(x.shape)} has {x.shape[-1]} features, its last axis"]
    return Finding("features", [*steps, f"embed_dim = {embed_dim}"])


def _batch_norm(call: Call, failure: Failure, tracer: Tracer) -> Finding | None:
    x = call.input
    features = next((v for v in (call["running_mean"], call["weight"]) if v is not None), None)
    if x is None or x.dim() < 2:
        return None
    shape = tuple(x.shape)
    values = prod(shape) // max(1, shape[1])
    if features is not None and features.shape[0] != shape[1]:
        steps = [f"input: shape {shape} has {shape[1]} channels"]
        return Finding("batchnorm_channels", [*steps, f"num_features = {features.shape[0]}"])
    if call["training"] and values == 1:
        product = " * ".join(map(str, (shape[0], *shape[2:])))
        return Finding(
            "batchnorm_single_value",
            [f"input: shape {shape}, training", f"values per channel: {product} = 1"],
        )
    return None


def _layer_norm(call: Call, failure: Failure, tracer: Tracer) -> Finding | None:
    x, normalized = call.input, tuple(call["normalized_shape"] or ())
    if x is None or not normalized or tuple(x.shape[-len(normalized) :]) == normalized:
        return None
    steps = [f"input: shape {tuple(x.shape)}", f"normalized_shape = {normalized}: its last axes"]
    return Finding("features", steps)


def _group_norm(call: Call, failure: Failure, tracer: Tracer) -> Finding | None:
    x, weight, number = call.input, call["weight"], call["num_groups"]
    if x is None or x.dim() < 2 or not isinstance(number, int):
        return None
    channels = x.shape[1]
    if weight is not None and weight.shape[0] != channels:
        steps = [f"input: shape {tuple(x.shape)} has {channels} channels"]
        return Finding("channels", [*steps, f"num_channels = {weight.shape[0]}"])
    if number < 1 or channels % number == 0:
        return None
    step = f"channels / num_groups = {channels} / {number} leaves a remainder of"
    return Finding("groups_do_not_divide", [f"{step} {channels % number}"])


def _concatenation(call: Call, failure: Failure, tracer: Tracer) -> Finding | None:
    tensors, dim = call["tensors"], call["dim"]
    if not isinstance(tensors, tuple | list) or not isinstance(dim, int):
        return None
    if not all(isinstance(x, Tensor) for x in tensors) or len(tensors) < 2:
        return None
    steps = [f"tensor {i}: shape {tuple(x.shape)}" for i, x in enumerate(tensors)]
    # cat skips tensors of shape (0,).
    shapes = [tuple(x.shape) for x in tensors if call.kind == "stack" or x.shape != (0,)]
    rank = len(shapes[0]) if shapes else 0
    if len({len(shape) for shape in shapes}) > 1:
        return Finding("concat_shapes", [*steps, "the numbers of axes differ"])
    joined = dim % rank if call.kind == "cat" and rank else None
    for axis in range(rank):
        sizes = [shape[axis] for shape in shapes]
        if axis != joined and len(set(sizes)) > 1:
            numbers = " != ".join(map(str, dict.fromkeys(sizes)))
            return Finding("concat_shapes", [*steps, f"dim = {dim}, but axis {axis}: {numbers}"])
    return None


def _binary(call: Call, failure: Failure, tracer: Tracer) -> Finding | None:
    x, other = call.input, call["other"]
    if x is None or not isinstance(other, Tensor):
        return None
    shapes = tuple(x.shape), tuple(other.shape)
    rank = max(map(len, shapes))
    pairs = zip_longest(*(reversed(shape) for shape in shapes), fillvalue=1)
    for axis, (a, b) in enumerate(pairs, start=1):
        if a != b and 1 not in (a, b):
            steps = [f"{call.name.strip('_')}: shapes {shapes[0]} and {shapes[1]}"]
            return Finding("skip_connection_shapes", [*steps, f"axis {rank - axis}: {a} != {b}"])
    return None


def _pad(call: Call, failure: Failure, tracer: Tracer) -> Finding | None:
    x, amounts, mode = call.input, call["pad"], call["mode"]
    if x is None or not isinstance(amounts, tuple | list) or mode not in ("reflect", "circular"):
        return None
    if any(not isinstance(amount, int) for amount in amounts) or len(amounts) > 2 * x.dim() - 2:
        return None
    for position, amount in enumerate(amounts):
        size = x.shape[-1 - position // 2]
        if amount > size - (mode == "reflect"):
            rule = "less than" if mode == "reflect" else "at most"
            step = f"axis {x.dim() - 1 - position // 2}: padding = {amount} must be {rule} {size}"
            steps = [f"input: shape {tuple(x.shape)}, padding_mode = {mode!r}"]
            return Finding("padding_mode_too_large", [*steps, step])
    return None


def _view(call: Call, failure: Failure, tracer: Tracer) -> Finding | None:
    x, shape = call.input, call["shape"]
    if x is None or not isinstance(shape, tuple | list) or len(shape) != 2 or x.dim() < 3:
        return None
    if not all(isinstance(size, int) for size in shape) or shape[1] < 1:
        return None
    numbers = prod(x.shape[1:])
    if numbers == shape[1] or shape[0] not in (-1, x.shape[0]):
        return None
    product = " * ".join(map(str, x.shape[1:]))
    steps = [f"input: shape {tuple(x.shape)} has {product} = {numbers} numbers per image"]
    return Finding("linear_after_flatten", [*steps, f"{call.name} to {tuple(shape)}"])


def _embedding(call: Call, failure: Failure, tracer: Tracer) -> Finding | None:
    x = call.input
    if x is None or x.dtype in (torch.int64, torch.int32):
        return None
    return Finding("dtype_mismatch", [f"input: {describe(x)}; an embedding takes int64 or int32"])


def _cross_entropy(call: Call, failure: Failure, tracer: Tracer) -> Finding | None:
    return _class_numbers(tracer, call)


def _class_numbers(tracer: Tracer, call: Call) -> Finding | None:
    x, target = call.input, call["target"]
    if x is None or not isinstance(target, Tensor) or x.dim() < 1:
        return None
    expected = tuple(x.shape[:1] + x.shape[2:]) if x.dim() > 1 else ()
    steps = [f"input: {describe(x)}", f"target: {describe(target)}"]
    if tuple(target.shape) == expected:
        if target.dtype not in (torch.int64, torch.uint8):
            return Finding("dtype_mismatch", [*steps, "class numbers must be int64"])
        return _range(tracer, call)
    if target.shape == x.shape and target.is_floating_point() and call.name == "cross_entropy":
        return None  # probabilities
    return Finding("target_shape", [*steps, f"class numbers have shape {expected}"])


def _range(tracer: Tracer, call: Call) -> Finding | None:
    """Return the finding if a target of a classification is known, and out of range."""
    x, target = call.input, call["target"]
    if call.kind != "cross_entropy" or x is None or id(target) not in tracer.values:
        return None
    values = tracer.values[id(target)][1]
    if values.dtype not in (torch.int64, torch.uint8) or values.device.type == "meta":
        return None
    ignored = -100 if call["ignore_index"] is None else call["ignore_index"]
    kept = values[values != ignored]
    classes = x.shape[1] if x.dim() > 1 else x.shape[0]
    if kept.numel() == 0 or (int(kept.min()) >= 0 and int(kept.max()) < classes):
        return None
    steps = [f"input: shape {tuple(x.shape)}: classes 0 to {classes - 1}"]
    return Finding("target_range", [*steps, f"target: {int(kept.min())} to {int(kept.max())}"])


def _pointwise_loss(call: Call, failure: Failure, tracer: Tracer) -> Finding | None:
    x, target = call.input, call["target"]
    if x is None or not isinstance(target, Tensor):
        return None
    steps = [f"input: {describe(x)}", f"target: {describe(target)}"]
    if x.shape != target.shape:
        return Finding("target_shape", [*steps, "both must have the same shape"])
    return _pointwise_dtype(call) if call.name.startswith("binary") else None


def _pointwise_dtype(call: Call) -> Finding | None:
    x, target = call.input, call["target"]
    if x is None or not isinstance(target, Tensor) or x.dtype == target.dtype:
        return None
    steps = [f"input: {describe(x)}", f"target: {describe(target)}"]
    return Finding("dtype_mismatch", [*steps, "the target must have the dtype of the input"])


_RULES: dict[str, Callable[[Call, Failure, Tracer], Finding | None]] = {
    **dict.fromkeys((*CONVOLUTIONS, *POOLINGS), _window),
    "adaptive_pool": _adaptive,
    "linear": _linear,
    "attention": _attention,
    "batch_norm": _batch_norm,
    "layer_norm": _layer_norm,
    "group_norm": _group_norm,
    "cat": _concatenation,
    "stack": _concatenation,
    "binary": _binary,
    "pad": _pad,
    "view": _view,
    "embedding": _embedding,
    "cross_entropy": _cross_entropy,
    "pointwise_loss": _pointwise_loss,
}


def _of_module(failure: Failure) -> Finding | None:
    """Return the cause of an error that a module of PyTorch raises before it calls a function."""
    module, x = failure.module, next(iter(failure.inputs), None)
    if not isinstance(x, Tensor) or isinstance(failure.error, WouldFail):
        return None
    ranks = {nn.BatchNorm1d: (2, 3), nn.BatchNorm2d: (4,), nn.BatchNorm3d: (5,)}
    for cls, allowed in ranks.items():
        if isinstance(module, cls) and x.dim() not in allowed:
            step = f"input: shape {tuple(x.shape)} has {x.dim()} axes"
            numbers = " or ".join(map(str, allowed))
            cause = "missing_axis" if x.dim() < min(allowed) else "extra_axis"
            return Finding(cause, [step, f"{type(module).__name__} takes {numbers}"])
    if isinstance(module, nn.modules.conv._ConvTransposeNd):
        requested = next(iter(failure.inputs[1:]), failure.keywords.get("output_size"))
        return _requested_size(module, x, requested)
    return None


def _requested_size(module: Any, x: Tensor, requested: Any) -> Finding | None:
    rank = len(module.kernel_size)
    if not isinstance(requested, tuple | list) or len(requested) not in (rank, x.dim()):
        return None
    steps = []
    for axis, size in enumerate(requested[-rank:]):
        window = (module.kernel_size, module.stride, module.padding, (0,) * rank, module.dilation)
        arguments = [x.shape[axis - rank], *(values[axis] for values in window)]
        least, _ = conv_transpose2d_output_size(*arguments)
        most = least + module.stride[axis] - 1
        if not least <= size <= most:
            steps.append(f"axis {axis} of output_size: {size} is not in {least} to {most}")
    return Finding("transposed_size", steps) if steps else None
