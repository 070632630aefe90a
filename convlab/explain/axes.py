"""Causes of failing calls that combine tensors, or name, add and reshape axes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import zip_longest
from math import prod

from torch import Tensor

from convlab.explain.calls import Call
from convlab.explain.channels import explain_glu
from convlab.explain.findings import LAYOUTS, Finding, has, number_of_axes, product
from convlab.explain.trace import Tracer

_MODES = {"linear": 1, "bilinear": 2, "bicubic": 2, "trilinear": 3}


def explain_concatenation(call: Call, tracer: Tracer) -> Finding | None:
    """Return the cause of a failing concatenation."""
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


def explain_binary(call: Call, tracer: Tracer) -> Finding | None:
    """Return the cause of a failing operation of two terms, or of three."""
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


def explain_dim(call: Call, tracer: Tracer) -> Finding | None:
    """Return the finding if an argument names an axis that the input lacks."""
    x = call.input
    if x is None:
        return None
    for name in ("dim", "start_dim", "end_dim"):
        value = call[name]
        for dim in value if isinstance(value, tuple | list) else (value,):
            rank = max(x.dim(), 1)  # a number without axes is taken for one of one axis
            if type(dim) is int and not -rank <= dim < rank:
                steps = [has(x, x.dim(), "axes"), f"{name} = {dim} is not in {-rank} to {rank - 1}"]
                return Finding("missing_axis", steps)
    if call.name != "glu":
        return None
    return explain_glu(x, -1 if call["dim"] is None else call["dim"])


def explain_unflatten(call: Call, tracer: Tracer) -> Finding | None:
    """Return the cause of a failing split of an axis."""
    x, dim, sizes = call.input, call["dim"], call["sizes"] or call["unflattened_size"]
    if finding := explain_dim(call, tracer):
        return finding
    if x is None or not isinstance(dim, int) or not isinstance(sizes, tuple | list):
        return None
    fixed, size = [n for n in sizes if n != -1], x.shape[dim]
    if size == prod(fixed) or (len(fixed) < len(sizes) and size % prod(fixed) == 0):
        return None
    relation = "is not" if len(fixed) == len(sizes) else "does not divide"
    steps = [has(x, size, f"numbers along axis {dim}"), f"{product(fixed)} {relation} {size}"]
    return Finding("features" if dim % x.dim() == x.dim() - 1 else "unknown", steps)


def explain_view(call: Call, tracer: Tracer) -> Finding | None:
    """Return the cause of a failing view or reshape."""
    x, shape = call.input, call["shape"]
    sizes = tuple(shape) if isinstance(shape, tuple | list) else (shape,)
    if x is None or not all(isinstance(size, int) for size in sizes) or x.numel() == prod(sizes):
        return None
    numbers, first, last = prod(x.shape[1:]), sizes[0], sizes[-1]
    if len(sizes) == 2 and x.dim() > 2 and first in (-1, len(x)) and last > 0 and last != numbers:
        steps = [has(x, product(x.shape[1:]), "numbers per image"), f"{call.name} to {sizes}"]
        return Finding("linear_after_flatten", steps)
    fixed = [size for size in sizes if size != -1]
    relation = "is not" if len(fixed) == len(sizes) else "is not a multiple of"
    if x.numel() % prod(fixed) == 0 and len(fixed) < len(sizes):
        return None  # its strides do not allow it
    step = f"{call.name}: {product(x.shape)} numbers {relation} {product(fixed)}"
    return Finding("unknown", [f"input: shape {tuple(x.shape)}", step])


def explain_adaptive(call: Call, tracer: Tracer) -> Finding | None:
    """Return the cause of a failing adaptive pooling."""
    x = call.input
    averages_all = "avg" in call.name and {*call.integers("output_size", 0)} == {1}
    if x is None or averages_all:  # a mean, which takes any number of axes
        return None
    return number_of_axes(x, call.name, LAYOUTS[call.rank])


def explain_interpolate(call: Call, tracer: Tracer) -> Finding | None:
    """Return the cause of a failing interpolation."""
    x, mode = call.input, call["mode"] or "nearest"
    ranks = (_MODES[mode],) if mode in _MODES else LAYOUTS
    layouts = [LAYOUTS[rank][1] for rank in ranks]
    return None if x is None else number_of_axes(x, f"the mode {mode!r}", layouts)


def explain_pad(call: Call, tracer: Tracer) -> Finding | None:
    """Return the cause of a failing padding."""
    x, amounts, mode = call.input, call["pad"], call["mode"] or "constant"
    if x is None or not isinstance(amounts, tuple | list):
        return None
    if any(not isinstance(amount, int) for amount in amounts) or len(amounts) % 2:
        return None
    rank, constant = len(amounts) // 2, mode == "constant"
    name = f"a padding of {len(amounts)} numbers"
    if constant and x.dim() < rank:
        return Finding("missing_axis", [has(x, x.dim(), "axes"), f"{name} takes at least {rank}"])
    if not constant and rank in LAYOUTS and (found := number_of_axes(x, name, LAYOUTS[rank])):
        return found
    for axis in range(rank):
        size, (left, right) = x.shape[-1 - axis], amounts[2 * axis : 2 * axis + 2]
        if size + left + right < (0 if constant else 1):
            step = f"axis {x.dim() - 1 - axis}: {size} {left:+d} {right:+d} = {size + left + right}"
            return Finding("empty_output", [f"input: shape {tuple(x.shape)}", f"{step} cells"])
    return _copies_too_many(x, amounts, mode)


def _copies_too_many(x: Tensor, amounts: Sequence[int], mode: str) -> Finding | None:
    for position, amount in enumerate(amounts):
        size = x.shape[-1 - position // 2]
        if mode in ("reflect", "circular") and amount > size - (mode == "reflect"):
            rule = "less than" if mode == "reflect" else "at most"
            step = f"axis {x.dim() - 1 - position // 2}: padding = {amount} must be {rule} {size}"
            steps = [f"input: shape {tuple(x.shape)}, padding_mode = {mode!r}"]
            return Finding("padding_mode_too_large", [*steps, step])
    return None
