"""Operations that put elements elsewhere and compute nothing."""

from __future__ import annotations

from collections.abc import Sequence

from convlab.summary.rules.calls import Axis, Call, rule, union_of
from convlab.summary.traces import Interval, Trace, UnknownError


@rule(
    "view", "_unsafe_view", "_reshape_alias", "view_copy", "_reshape_copy", "unsqueeze", "squeeze"
)
def reshape(call: Call, axis: Axis) -> Trace:
    """Keep the elements in their order."""
    x = call["self"]
    return axis.the(x).viewed(x.shape, call.output.shape)


@rule("permute", "transpose", "t")
def permute(call: Call, axis: Axis) -> Trace:
    """Give the dimensions other numbers."""
    rank = call["self"].dim()
    order = list(range(rank))
    if call.name == "permute":
        order = [dim % rank for dim in call["dims"]]
    elif rank > 1:
        a, b = (0, 1) if call.name == "t" else (call["dim0"] % rank, call["dim1"] % rank)
        order[a], order[b] = b, a
    return axis.the(call["self"]).moved(order.index)


@rule("expand")
def expand(call: Call, axis: Axis) -> Trace:
    """Repeat along dimensions of size 1, or new ones."""
    return axis.the(call["self"]).broadcast(call["self"].shape, call.output.shape)


@rule("repeat")
def repeat(call: Call, axis: Axis) -> Trace:
    """Repeat everything, along any dimension."""
    x, trace = call["self"], axis.the(call["self"])
    new = call.output.dim() - x.dim()
    trace = trace.moved(lambda dim: dim + new)
    if trace.dim is None:
        return trace
    length = x.shape[trace.dim - new]
    return trace.taken(length, [i % length for i in range(call.output.shape[trace.dim])])


def _select(call: Call, axis: Axis, dim: int, indices: Sequence[int | None]) -> Trace:
    x = call["self"]
    trace = axis.the(x)
    return trace.taken(x.shape[trace.dim], indices) if trace.dim == dim % x.dim() else trace


@rule("slice")
def take_slice(call: Call, axis: Axis) -> Trace:
    """Keep some of the elements along a dimension."""
    length = call["self"].shape[call["dim"]]
    kept = range(length)[slice(call["start"], call["end"], call["step"])]
    return _select(call, axis, call["dim"], kept)


@rule("select")
def take_one(call: Call, axis: Axis) -> Trace:
    """Keep one element along a dimension, which then is gone."""
    rank, dim = call["self"].dim(), call["dim"]
    kept = range(call["self"].shape[dim])[call["index"]]
    return _select(call, axis, dim, [kept]).reduced([dim], rank, keepdim=False)


@rule("unbind")
def unbind(call: Call, axis: Axis) -> list[Trace]:
    """Take a dimension apart."""
    rank, dim = call["self"].dim(), call["dim"]
    return [
        _select(call, axis, dim, [i]).reduced([dim], rank, keepdim=False)
        for i in range(len(call.outputs))
    ]


@rule("split", "split_with_sizes", "unsafe_split", "unsafe_split_with_sizes", "chunk")
def split(call: Call, axis: Axis) -> list[Trace]:
    """Cut along a dimension."""
    dim, start, traces = call["dim"], 0, []
    for part in call.outputs:
        traces.append(_select(call, axis, dim, range(start, start + part.shape[dim])))
        start += part.shape[dim]
    return traces


@rule("flip")
def flip(call: Call, axis: Axis) -> Trace:
    """Turn dimensions around."""
    x, trace = call["self"], axis.the(call["self"])
    if trace.dim not in [dim % x.dim() for dim in call["dims"]]:
        return trace
    length = x.shape[trace.dim]
    return trace.taken(length, range(length)[::-1])


@rule("roll")
def roll(call: Call, axis: Axis) -> Trace:
    """Move along dimensions, and in again at the other end."""
    x, trace = call["self"], axis.the(call["self"])
    if not call["dims"]:
        raise UnknownError("rolled as if it were flat")
    for shift, dim in zip(call["shifts"], call["dims"], strict=True):
        if dim % x.dim() == trace.dim:
            length = x.shape[dim]
            trace = trace.taken(length, [(i - shift) % length for i in range(length)])
    return trace


@rule("cat", "stack")
def cat(call: Call, axis: Axis) -> Trace:
    """Put side by side: along the carrier one after the other, else taken together."""
    tensors = [x for x in call["tensors"] if x.dim() == call["tensors"][-1].dim()]
    rank = call.output.dim()
    dim = call["dim"] % rank
    traces = [axis.of(x) for x in tensors]
    if call.name == "stack":
        moved = [trace and trace.moved(lambda d: d + (d >= dim)) for trace in traces]
        return union_of(moved, call.output.shape)
    if all(trace is None or trace.dim != dim for trace in traces):
        return union_of(traces, call.output.shape)
    units: list[Interval | None] = []
    for x, trace in zip(tensors, traces, strict=True):
        length = x.shape[dim]
        if trace is None:
            units += [None] * length
        elif trace.dim is None:
            units += [trace.hull()] * length
        elif trace.dim == dim:
            units += trace.spread(length).units()
        else:
            raise UnknownError("two dimensions walk along one direction")
    return Trace.along(dim, units)


@rule("as_strided")
def restride(call: Call, axis: Axis) -> Trace:
    """Look at the memory in another order, which is understood if all of it sees the same."""
    x, trace = call["self"], axis.the(call["self"])
    if trace.dim is not None or x.untyped_storage().nbytes() != x.numel() * x.element_size():
        raise UnknownError("other elements come into view")
    return trace
