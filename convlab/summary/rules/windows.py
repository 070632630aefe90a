"""Operations that slide windows: convolution, pooling, padding, interpolation."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, floor

import torch

from convlab.shapes import ReceptiveField, adaptive_windows
from convlab.shapes.receptive_field import transposed_cells
from convlab.summary.rules.calls import Axis, Call, rule, union_of
from convlab.summary.traces import Trace, UnknownError, cover


def per_direction(value: int | Sequence[int], rank: int) -> list[int]:
    """Return one number per direction, where PyTorch allows a single one for all."""
    listed = [value] if isinstance(value, int) else list(value)
    return listed * rank if len(listed) == 1 else listed


@rule("convolution", "_convolution", "convolution_overrideable", "cudnn_convolution")
def convolution(call: Call, axis: Axis) -> Trace:
    """Windows along the spatial dimensions, everything along the channels."""
    x, weight, bias = call["input"], call["weight"], call.arguments.get("bias")
    rank = weight.dim() - 2
    traces = [dynamic.collapsed() for dynamic in (axis.of(weight), axis.of(bias)) if dynamic]
    trace = axis.of(x)
    if trace is None:
        return union_of(traces, call.output.shape)
    direction = None if trace.dim is None else trace.dim - (x.dim() - rank)
    if direction is not None and direction < 0:
        if trace.dim != 0:  # the channels walk along the image: each output sees all of them
            if call.arguments.get("groups", 1) != 1:
                raise UnknownError("the channels walk along the image, in groups")
            trace = trace.collapsed()
    elif direction is not None:
        k, s, p, d = (
            per_direction(numbers, rank)[direction]
            for numbers in (
                weight.shape[2:], call["stride"], call["padding"], call["dilation"],
            )
        )  # fmt: skip
        dim = x.dim() - rank + direction
        sizes = x.shape[dim], call.output.shape[dim]
        move = transposed if call.arguments.get("transposed") else Trace.windowed
        trace = move(trace, *sizes, k, s, p, d)
    return union_of([trace, *traces], call.output.shape)


def transposed(
    trace: Trace, length: int, outputs: int, kernel: int, stride: int, padding: int, dilation: int
) -> Trace:
    """Return the trace after a transposed convolution along its dimension.

    Every output collects the cells that were put down on it, which differ from phase to phase.
    """
    if trace.dim is None:
        return trace
    whole = trace.spread(length)
    if isinstance(whole.field, ReceptiveField):
        phases = whole.field.transposed(kernel, stride, padding, dilation)
        fields = [phases[i % stride] for i in range(outputs)]
        cells = [field and field.cells(i // stride) for i, field in enumerate(fields)]
        return Trace.along(trace.dim, ((c.start, c.stop) if c else None for c in cells))
    units = []
    for output in range(outputs):
        reads = transposed_cells(output, kernel, stride, padding, dilation)
        units.append(cover(whole.field[cell] for cell in reads if 0 <= cell < length))
    return Trace.along(trace.dim, units)


@rule(*(f"{kind}_pool{n}d{rest}" for n in (1, 2, 3)
        for kind, rest in (("max", "_with_indices"), ("avg", ""))),
      "max_pool2d", "mkldnn_max_pool2d")  # fmt: skip
def pooling(call: Call, axis: Axis) -> list[Trace]:
    """Windows along the last dimensions."""
    x, trace = call["self"], axis.the(call["self"])
    rank = int(call.name.split("d")[0][-1]) if "mkldnn" not in call.name else 2
    direction = None if trace.dim is None else trace.dim - (x.dim() - rank)
    if direction is not None and direction >= 0 and trace.dim is not None:
        numbers = (
            call["kernel_size"], call["stride"] or call["kernel_size"], call["padding"],
            call.arguments.get("dilation", 1),
        )  # fmt: skip
        k, s, p, d = (per_direction(number, rank)[direction] for number in numbers)
        trace = trace.windowed(x.shape[trace.dim], call.output.shape[trace.dim], k, s, p, d)
    return [trace, trace]


@rule("_adaptive_avg_pool2d", "_adaptive_avg_pool3d", "adaptive_avg_pool1d",
      "mkldnn_adaptive_avg_pool2d", "adaptive_max_pool2d", "adaptive_max_pool3d")  # fmt: skip
def adaptive_pooling(call: Call, axis: Axis) -> list[Trace]:
    """Windows that fit the output: of equal size and distance if the sizes divide."""
    x, trace = call["self"], axis.the(call["self"])
    rank = int(call.name.split("d")[-2][-1])
    if trace.dim is not None and trace.dim >= x.dim() - rank:
        trace = adaptive(trace, x.shape[trace.dim], call.output.shape[trace.dim])
    return [trace, trace]


def adaptive(trace: Trace, length: int, outputs: int) -> Trace:
    """Return the trace after an adaptive pooling along its dimension."""
    if outputs == length:
        return trace
    if outputs == 1:
        return trace.collapsed()
    if length % outputs == 0:
        window = length // outputs
        return trace.windowed(length, outputs, window, window, 0, 1)
    return trace.cut(length, adaptive_windows(length, outputs))


@rule("constant_pad_nd", "reflection_pad1d", "reflection_pad2d", "reflection_pad3d",
      "replication_pad1d", "replication_pad2d", "replication_pad3d")  # fmt: skip
def padding(call: Call, axis: Axis) -> Trace:
    """Cells at the ends. They count as cells beyond the edge, whatever they repeat."""
    x = call["self"]
    trace = axis.the(x)
    amounts = call.arguments.get("pad") or call["padding"]
    behind = x.dim() - 1 - (trace.dim if trace.dim is not None else -x.dim())
    if trace.dim is None or 2 * behind >= len(amounts):
        return trace
    return trace.padded(x.shape[trace.dim], amounts[2 * behind], amounts[2 * behind + 1])


@rule("im2col")
def unfold(call: Call, axis: Axis) -> Trace:
    """Windows as columns: the last dimension holds them row by row."""
    x = call["self"]
    trace = axis.the(x)
    if trace.dim is None:
        return trace
    direction = trace.dim - (x.dim() - 2)
    if direction < 0:
        raise UnknownError("the channels walk along the image")
    counts = []
    for i in range(2):
        k, s, p, d = (call[name][i] for name in ("kernel_size", "stride", "padding", "dilation"))
        counts.append((x.shape[x.dim() - 2 + i] + 2 * p - d * (k - 1) - 1) // s + 1)
    k, s, p, d = (
        call[name][direction] for name in ("kernel_size", "stride", "padding", "dilation")
    )
    trace = trace.windowed(x.shape[trace.dim], counts[direction], k, s, p, d)
    rows = [*x.shape[:-2], *counts]
    return trace.viewed(rows, [*x.shape[:-2], counts[0] * counts[1]])


@rule(*(f"{kind}{n}d" for kind in ("upsample_nearest", "_upsample_nearest_exact")
        for n in (1, 2, 3)))  # fmt: skip
@rule("upsample_linear1d", "upsample_bilinear2d", "upsample_trilinear3d")
def interpolation(call: Call, axis: Axis) -> Trace:
    """Each output reads one cell, or the two cells beside its place."""
    x = call["self"]
    trace = axis.the(x)
    rank = x.dim() - 2
    if trace.dim is None or trace.dim < 2:
        return trace
    places = _interpolated_places(call, trace.dim - 2, rank)
    # A place within rounding of a cell takes it alone.
    windows = [(floor(place + 1e-4), ceil(place - 1e-4) + 1) for place in places]
    return trace.cut(x.shape[trace.dim], windows)


def _interpolated_places(call: Call, direction: int, rank: int) -> list[float]:
    """Ask PyTorch itself: interpolate the numbers of the cells."""
    length = call["self"].shape[2 + direction]
    names = ["scales"] if rank == 1 else ["scales_d", "scales_h", "scales_w"][-rank:]
    scale = call.arguments.get(names[direction])
    cells = torch.arange(length, dtype=torch.float64).reshape(1, 1, -1)
    size = [call.output.shape[2 + direction]]
    if "exact" in call.name:
        places = torch.ops.aten._upsample_nearest_exact1d(cells, size, scale)
    elif "nearest" in call.name:
        places = torch.ops.aten.upsample_nearest1d(cells, size, scale)
    else:
        places = torch.ops.aten.upsample_linear1d(cells, size, call["align_corners"], scale)
    return [float(place) for place in places.ravel()]


@rule("pixel_unshuffle")
def pixel_unshuffle(call: Call, axis: Axis) -> Trace:
    """Turn squares of cells into channels, which are taken together."""
    x, factor = call["self"], call["downscale_factor"]
    trace = axis.the(x)
    if trace.dim is None or trace.dim < x.dim() - 2:
        return trace
    length = x.shape[trace.dim]
    return trace.windowed(length, length // factor, factor, factor, 0, 1)


@rule("pixel_shuffle")
def pixel_shuffle(call: Call, axis: Axis) -> Trace:
    """Channels become a square of cells, which see what the one cell saw."""
    x, factor = call["self"], call["upscale_factor"]
    trace = axis.the(x)
    if trace.dim is None or trace.dim < x.dim() - 2:
        return trace
    length = x.shape[trace.dim]
    return trace.taken(length, [i // factor for i in range(length * factor)])
