"""Causes of failing calls, from the function, the shapes and the dtypes."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from itertools import zip_longest
from math import prod

from torch import Tensor

from convlab.explain.calls import CONVOLUTIONS, POOLINGS, Call, call_of_layer, describe
from convlab.explain.dtypes import tensors_differ
from convlab.explain.losses import (
    check_loss,
    explain_cross_entropy,
    explain_pointwise_loss,
    index_range,
)
from convlab.explain.modules import explain_module, float_argument
from convlab.explain.trace import Failure, Tracer, WouldFail
from convlab.explain.windows import (
    Finding,
    explain_bias,
    explain_types,
    explain_window,
    number_of_axes,
)


def explain_failure(failure: Failure, tracer: Tracer) -> Finding:
    """Return the cause of a failure, ``"unknown"`` with the facts if it is not recognized."""
    call = failure.call
    by_tensors = None if call is None else tensors_differ(tracer, call)
    # These compare the dtypes before the shapes; others the other way round.
    if by_tensors and call is not None and call.kind in ("linear", "layer_norm"):
        return by_tensors
    finding = _of_convolution(failure, tracer)
    if finding is None and call is not None and call.kind in _RULES:
        finding = _RULES[call.kind](call, tracer)
    elif finding is None and call is None and not isinstance(failure.error, WouldFail):
        finding = explain_module(failure.module, failure.inputs, failure.keywords)
    if finding is None and isinstance(failure.error, WouldFail):
        finding = failure.error.finding
    if finding is None and isinstance(failure.error, TypeError):
        finding = float_argument(failure.module)
    return finding or by_tensors or Finding("unknown", facts(failure))


def _of_convolution(failure: Failure, tracer: Tracer) -> Finding | None:
    """Return the cause if it is the input of a convolution layer, which may pad it itself."""
    call, own = failure.call, call_of_layer(failure.module, failure.inputs)
    pads = getattr(failure.module, "padding_mode", "zeros") != "zeros"
    if own is None or not (pads or call is None or not call.kind):
        return None
    if pads and (finding := explain_types(own)):
        return finding
    if pads:  # whether the window fits, and the padding, is left to the function that fails
        own = replace(own, arguments={**own.arguments, "padding": "same", "stride": 1})
    return explain_window(own, id(own.input) in tracer.maps)


def facts(failure: Failure) -> list[str]:
    """Return the message of the error, and the function and the tensors of the call."""
    message = str(failure.error).strip().partition("\n")[0]
    steps = [f"{type(failure.error).__name__}: {' '.join(message.split())}"]
    call = failure.call
    values = list(failure.inputs) if call is None else list(call.arguments.values())
    if call is not None and call.name:
        steps.append(f"in a call of {call.name}")
    for value in values:
        for tensor in value if isinstance(value, tuple | list) else [value]:
            if isinstance(tensor, Tensor):
                steps.append(f"argument: {describe(tensor)}")
    return steps + _numbers_of_view(call)


def _numbers_of_view(call: Call | None) -> list[str]:
    """Return the line that counts the numbers of a tensor and those of the shape asked for."""
    if call is None or call.kind != "view" or call.input is None:
        return []
    x, shape = call.input, call["shape"]
    sizes = list(shape) if isinstance(shape, tuple | list) else [shape]
    if not all(isinstance(size, int) for size in sizes) or x.numel() == prod(sizes):
        return []
    given = f"{' * '.join(map(str, x.shape))} = {x.numel()}"
    fixed = [size for size in sizes if size != -1]
    wanted = f"{' * '.join(map(str, fixed))} = {prod(fixed)}"
    relation = "is not a multiple of" if -1 in sizes else "is not"
    return [f"{call.name}: {given} numbers {relation} {wanted}"]


def check_call(tracer: Tracer, call: Call) -> Finding | None:
    """Return the cause if a call fails for a reason that the meta device does not check."""
    if finding := tensors_differ(tracer, call) or index_range(tracer, call):
        return finding
    if call.kind in CONVOLUTIONS:
        return explain_window(call, id(call.input) in tracer.maps) or explain_bias(call)
    if call.kind in _CHECKED:
        return _RULES[call.kind](call, tracer)
    return check_loss(tracer, call)


def _window(call: Call, tracer: Tracer) -> Finding | None:
    return explain_window(call, id(call.input) in tracer.maps)


def _adaptive(call: Call, tracer: Tracer) -> Finding | None:
    x = call.input
    return None if x is None else number_of_axes(x, call.name, (call.rank + 1, call.rank + 2))


def _linear(call: Call, tracer: Tracer) -> Finding | None:
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
    if source is not None and len(source) > 1 and shape[-1] in (prod(source[1:]), prod(source)):
        numbers = source[1:] if prod(source[1:]) == shape[-1] else source
        product = " * ".join(map(str, numbers))
        steps = [f"flattened from {tuple(source)}: {product} = {prod(numbers)}"]
        if numbers is source and prod(source[1:]) == in_features:
            steps.append(f"the axis of the batch, {source[0]}, was flattened too")
        if len(source) == tracer.rank + 1 and prod(source) == in_features:
            whole = " * ".join(map(str, source))
            steps += [f"an image without a batch: {whole} = {in_features} = in_features"]
            return Finding("missing_axis", steps)
        return Finding("linear_after_flatten", [*steps, f"in_features = {in_features}"])
    return _last_axis("input", x, "in_features", in_features)


def _matmul(call: Call, tracer: Tracer) -> Finding | None:
    x, other = call.input, call["other"]
    if x is None or not isinstance(other, Tensor) or x.dim() < 1 or other.dim() < 1:
        return None
    axis = max(other.dim() - 2, 0)
    if x.shape[-1] == other.shape[axis]:
        return None
    steps = [f"input: shape {tuple(x.shape)} has {x.shape[-1]} numbers along its last axis"]
    steps.append(f"other: shape {tuple(other.shape)} has {other.shape[axis]} along axis {axis}")
    return Finding("features", steps)


def _recurrent(call: Call, tracer: Tracer) -> Finding | None:
    x, weight = call.input, call["weight"]
    if x is None or not isinstance(weight, Tensor) or x.dim() < 1:
        return None
    return _last_axis("input", x, "input_size", weight.shape[-1])


def _bilinear(call: Call, tracer: Tracer) -> Finding | None:
    x, second, weight = call.input, call["second"], call["weight"]
    if (
        x is None
        or not isinstance(second, Tensor)
        or weight is None
        or min(x.dim(), second.dim()) < 1
    ):
        return None
    return _last_axis("input1", x, "in1_features", weight.shape[1]) or _last_axis(
        "input2", second, "in2_features", weight.shape[2]
    )


def _attention(call: Call, tracer: Tracer) -> Finding | None:
    embed_dim = call["embed_dim"]
    if not isinstance(embed_dim, int):
        return None
    names = {"input": "query"} if call["use_separate_proj_weight"] else _QKV
    for argument, name in names.items():
        x = call[argument]
        if isinstance(x, Tensor) and x.dim() >= 2 and x.shape[-1] != embed_dim:
            return _last_axis(name, x, "embed_dim", embed_dim)
    return None


_QKV = {"input": "query", "key": "key", "value": "value"}


def _last_axis(argument: str, x: Tensor, name: str, number: int) -> Finding | None:
    """Return the finding if the last axis of an argument has another length than the layer."""
    if x.shape[-1] == number:
        return None
    steps = [f"{argument}: shape {tuple(x.shape)} has {x.shape[-1]} features, its last axis"]
    return Finding("features", [*steps, f"{name} = {number}"])


def _batch_norm(call: Call, tracer: Tracer) -> Finding | None:
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
        counted = "1" if product == "1" else f"{product} = 1"
        steps = [f"input: shape {shape}, training", f"values per channel: {counted}"]
        return Finding("batchnorm_single_value", steps)
    return None


def _instance_norm(call: Call, tracer: Tracer) -> Finding | None:
    x = call.input
    if x is None or x.dim() < 3 or call["use_input_stats"] is False or prod(x.shape[2:]) != 1:
        return None
    product = " * ".join(map(str, x.shape[2:]))
    steps = [f"input: shape {tuple(x.shape)}", f"values per image and channel: {product} = 1"]
    return Finding("batchnorm_single_value", steps)


def _layer_norm(call: Call, tracer: Tracer) -> Finding | None:
    x, normalized = call.input, tuple(call["normalized_shape"] or ())
    if x is None or not normalized or tuple(x.shape[-len(normalized) :]) == normalized:
        return None
    steps = [f"input: shape {tuple(x.shape)}", f"normalized_shape = {normalized}: its last axes"]
    return Finding("features", steps)


def _group_norm(call: Call, tracer: Tracer) -> Finding | None:
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


def _prelu(call: Call, tracer: Tracer) -> Finding | None:
    x, weight = call.input, call["weight"]
    if x is None or not isinstance(weight, Tensor) or weight.dim() != 1:
        return None
    channels = x.shape[1] if x.dim() > 1 else 1
    if weight.shape[0] in (1, channels):
        return None
    steps = [f"input: shape {tuple(x.shape)} has {channels} channels"]
    return Finding("channels", [*steps, f"num_parameters = {weight.shape[0]}"])


def _shuffle(call: Call, tracer: Tracer) -> Finding | None:
    x, number = call.input, call["groups"] or call["upscale_factor"]
    if x is None or x.dim() < 3 or not isinstance(number, int) or number < 1:
        return None
    channels = x.shape[1] if call["groups"] else x.shape[-3]
    name = f"groups = {number}"
    if not call["groups"]:
        number, name = number**2, f"upscale_factor**2 = {number}**2 = {number**2}"
    if channels % number == 0:
        return None
    steps = [f"input: shape {tuple(x.shape)} has {channels} channels", name]
    step = f"{channels} / {number} leaves a remainder of {channels % number}"
    return Finding("groups_do_not_divide", [*steps, step])


def _unshuffle(call: Call, tracer: Tracer) -> Finding | None:
    x, number = call.input, call["downscale_factor"]
    if x is None or x.dim() < 3 or not isinstance(number, int) or number < 1:
        return None
    names = {"height": x.shape[-2], "width": x.shape[-1]}
    steps = [
        f"{name} / downscale_factor = {size} / {number} leaves a remainder of {size % number}"
        for name, size in names.items()
        if size % number
    ]
    return Finding("unknown", [f"input: shape {tuple(x.shape)}", *steps]) if steps else None


def _dim(call: Call, tracer: Tracer) -> Finding | None:
    """Return the finding if an argument names an axis that the input lacks."""
    x = call.input
    if x is None:
        return None
    for name in ("dim", "start_dim", "end_dim"):
        value = call[name]
        for dim in value if isinstance(value, tuple | list) else (value,):
            if type(dim) is int and x.dim() and not -x.dim() <= dim < x.dim():
                steps = [f"input: shape {tuple(x.shape)} has {x.dim()} axes"]
                steps.append(f"{name} = {dim} is not in {-x.dim()} to {x.dim() - 1}")
                return Finding("missing_axis", steps)
    return _glu(call) if call.name == "glu" else None


def _glu(call: Call) -> Finding | None:
    x, dim = call.input, -1 if call["dim"] is None else call["dim"]
    if x is None or x.dim() == 0 or x.shape[dim] % 2 == 0:
        return None
    size = x.shape[dim]
    steps = [f"input: shape {tuple(x.shape)}, of which glu halves axis {dim % x.dim()}"]
    return Finding("groups_do_not_divide", [*steps, f"{size} / 2 leaves a remainder of 1"])


def _unflatten(call: Call, tracer: Tracer) -> Finding | None:
    x, dim, sizes = call.input, call["dim"], call["sizes"] or call["unflattened_size"]
    if finding := _dim(call, tracer):
        return finding
    if x is None or not isinstance(dim, int) or not isinstance(sizes, tuple | list):
        return None
    fixed, size = [n for n in sizes if n != -1], x.shape[dim]
    if size == prod(fixed) or (len(fixed) < len(sizes) and size % prod(fixed) == 0):
        return None
    relation = "is not" if len(fixed) == len(sizes) else "does not divide"
    step = f"{' * '.join(map(str, fixed))} = {prod(fixed)} {relation} {size}"
    cause = "features" if dim % x.dim() == x.dim() - 1 else "unknown"
    return Finding(cause, [f"input: shape {tuple(x.shape)} has {size} along axis {dim}", step])


def _interpolate(call: Call, tracer: Tracer) -> Finding | None:
    x, mode = call.input, call["mode"] or "nearest"
    axes = {"linear": (3,), "bilinear": (4,), "bicubic": (4,), "trilinear": (5,)}
    return None if x is None else number_of_axes(x, f"{mode} mode", axes.get(mode, (3, 4, 5)))


def _concatenation(call: Call, tracer: Tracer) -> Finding | None:
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


def _binary(call: Call, tracer: Tracer) -> Finding | None:
    terms = [call[name] for name in ("condition", "input", "other")]
    tensors = [x for x in terms if isinstance(x, Tensor)]
    for position, other in enumerate(tensors[1:]):
        for x in tensors[: position + 1]:
            if finding := _broadcast(call, tuple(x.shape), tuple(other.shape)):
                return finding
    return None


def _broadcast(call: Call, shape: tuple[int, ...], other: tuple[int, ...]) -> Finding | None:
    name = call.name.strip("_")
    steps = [f"{name}: shapes {shape} and {other}"]
    rank = max(len(shape), len(other))
    for axis, (a, b) in enumerate(zip_longest(shape[::-1], other[::-1], fillvalue=1), start=1):
        if a != b and 1 not in (a, b):
            return Finding("skip_connection_shapes", [*steps, f"axis {rank - axis}: {a} != {b}"])
        in_place = call.name.startswith("__i") or re.fullmatch("[a-z].*[a-z]_", call.name)
        if in_place and b not in (a, 1):
            step = f"axis {rank - axis}: the result of {b} does not fit into the first term, {a}"
            return Finding("skip_connection_shapes", [*steps, step])
    return None


def _pad(call: Call, tracer: Tracer) -> Finding | None:
    x, amounts, mode = call.input, call["pad"], call["mode"] or "constant"
    if x is None or not isinstance(amounts, tuple | list):
        return None
    if any(not isinstance(amount, int) for amount in amounts) or len(amounts) % 2:
        return None
    rank, constant = len(amounts) // 2, mode == "constant"
    allowed = range(max(rank, 1), max(rank, x.dim()) + 1) if constant else (rank + 1, rank + 2)
    if finding := number_of_axes(x, f"padding of {len(amounts)} numbers", allowed):
        return finding
    for axis in range(rank):
        size, (left, right) = x.shape[-1 - axis], amounts[2 * axis : 2 * axis + 2]
        if size + left + right < (0 if constant else 1):
            step = f"axis {x.dim() - 1 - axis}: {size} {left:+d} {right:+d} = {size + left + right}"
            return Finding("empty_output", [f"input: shape {tuple(x.shape)}", f"{step} cells"])
    for position, amount in enumerate(amounts):
        size = x.shape[-1 - position // 2]
        if mode in ("reflect", "circular") and amount > size - (mode == "reflect"):
            rule = "less than" if mode == "reflect" else "at most"
            step = f"axis {x.dim() - 1 - position // 2}: padding = {amount} must be {rule} {size}"
            steps = [f"input: shape {tuple(x.shape)}, padding_mode = {mode!r}"]
            return Finding("padding_mode_too_large", [*steps, step])
    return None


def _view(call: Call, tracer: Tracer) -> Finding | None:
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


# Kinds of calls of which the meta device takes some that fail elsewhere.
_CHECKED = ("adaptive_pool", "average", "interpolate", "pixel_unshuffle")
_RULES: dict[str, Callable[[Call, Tracer], Finding | None]] = {
    **dict.fromkeys((*CONVOLUTIONS, *POOLINGS, "unfold"), _window),
    "adaptive_pool": _adaptive,
    "linear": _linear,
    "matmul": _matmul,
    "recurrent": _recurrent,
    "bilinear": _bilinear,
    "attention": _attention,
    "batch_norm": _batch_norm,
    "instance_norm": _instance_norm,
    "layer_norm": _layer_norm,
    "rms_norm": _layer_norm,
    "group_norm": _group_norm,
    "prelu": _prelu,
    "pixel_shuffle": _shuffle,
    "channel_shuffle": _shuffle,
    "pixel_unshuffle": _unshuffle,
    **dict.fromkeys(("average", "reduce", "flatten"), _dim),
    "unflatten": _unflatten,
    "interpolate": _interpolate,
    "cat": _concatenation,
    "stack": _concatenation,
    "binary": _binary,
    "where": _binary,
    "pad": _pad,
    "view": _view,
    "cross_entropy": explain_cross_entropy,
    "pointwise_loss": explain_pointwise_loss,
}
