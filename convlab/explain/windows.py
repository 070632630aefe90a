"""Causes of failing convolutions and poolings, from their shapes and arguments."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from convlab.explain.calls import Call
from convlab.explain.findings import (
    LAYOUTS,
    Finding,
    entries,
    has,
    not_integers,
    number_of_axes,
    remainder,
)
from convlab.shapes import conv_transpose2d_output_size, dilated_kernel_size

AXES = {1: ("length",), 2: ("height", "width"), 3: ("depth", "height", "width")}


class Axis(NamedTuple):
    """Arguments of a window along one axis, and its extent."""

    name: str
    size: int
    kernel: int
    stride: int
    padding: int
    dilation: int
    extent: int
    output_padding: int = 0

    @property
    def padded(self) -> int:
        """Number of cells with the padding of both sides."""
        return self.size + 2 * self.padding

    @property
    def transposed(self) -> int:
        """Number of cells that a transposed convolution has before its padding is cut off."""
        return (self.size - 1) * self.stride + self.extent + self.output_padding


def window_axes(call: Call) -> list[Axis]:
    """Return the arguments of the window along each axis; all must be ints."""
    assert call.input is not None
    sizes = call.input.shape[-call.rank :]
    if call["weight"] is None:
        kernels = call.integers("kernel_size", 1)
        strides = call.integers("stride", 0)
        strides = kernels if not any(strides) else strides
    else:
        kernels, strides = tuple(call["weight"].shape[2:]), call.integers("stride", 1)
    is_text = isinstance(call["padding"], str)
    paddings = (0,) * call.rank if is_text else call.integers("padding", 0)
    dilations = call.integers("dilation", 1)
    extents = [dilated_kernel_size(k, d)[0] for k, d in zip(kernels, dilations, strict=True)]
    added = call.integers("output_padding", 0)
    numbers = (sizes, kernels, strides, paddings, dilations, extents, added)
    return [Axis(*axis) for axis in zip(AXES[call.rank], *numbers, strict=True)]


def explain_window(call: Call, is_map: bool = False) -> Finding | None:
    """Return the cause of a failing convolution or pooling; None if it is not recognized.

    `is_map` tells that the input is the output of another one, whose channels are not last.
    """
    if call.input is None:
        return None
    finding = explain_types(call) or _axes(call, is_map) or _groups_and_channels(call, is_map)
    if finding := finding or _same_with_stride(call):
        return finding
    steps = _irregular(call)
    if steps:
        return Finding("unknown", steps)
    if has_no_cells(call):
        steps = [f"input: {tuple(call.input.shape)} has an axis without cells"]
        return Finding("empty_output", steps)
    axes = window_axes(call)
    return next(filter(None, map(_axis_rule(call), axes)), None)


def has_no_cells(call: Call) -> bool:
    """Return whether the input of a window has an axis of length 0."""
    return call.input is not None and 0 in call.input.shape[-call.rank :]


def _arguments(call: Call) -> dict[str, Any]:
    names = ("kernel_size", "stride", "padding", "dilation", "groups", "output_padding")
    arguments = {name: call[name] for name in names if call[name] is not None}
    return {name: value for name, value in arguments.items() if not isinstance(value, str)}


def _irregular(call: Call) -> list[str]:
    """Return a line for each argument with a number that is too small, or too many of them."""
    steps, weight, rank = [], call["weight"], call.rank
    arguments = _arguments(call)
    if weight is not None:
        arguments = {"kernel_size": tuple(weight.shape[2:])} | arguments
    for name, value in arguments.items():
        least, numbers = int(name not in ("padding", "output_padding")), entries(value)
        if any(number < least for number in numbers):
            steps.append(f"{name} = {value!r} must be at least {least}")
        stands_for_all = len(numbers) == 1 and (weight is None or name != "kernel_size")
        if numbers and len(numbers) != rank and not stands_for_all:
            steps.append(f"{name} = {value!r} has {len(numbers)} numbers, {call.name} takes {rank}")
    return steps


def explain_types(call: Call) -> Finding | None:
    """Return the finding if an argument of a window is not an int."""
    return not_integers(_arguments(call))


def expected_channels(call: Call) -> int | None:
    """Return the number of input channels of a convolution; None for a pooling."""
    weight = call["weight"]
    if weight is None:
        return None
    return int(weight.shape[0] if call.kind == "conv_transpose" else weight.shape[1] * groups(call))


def groups(call: Call) -> int:
    """Return the number of groups of a convolution."""
    return 1 if call["groups"] is None else int(call["groups"])


def _axes(call: Call, is_map: bool) -> Finding | None:
    assert call.input is not None
    shape, rank, expected = tuple(call.input.shape), call.rank, expected_channels(call)
    if finding := number_of_axes(call.input, call.name, LAYOUTS[rank]):
        return finding
    if len(shape) == rank + 1 and expected not in (None, shape[0]):
        if shape[-1] == expected and not is_map:
            return _channels_last(shape, call, expected)
        if expected == 1 or (rank == 3 and shape[1] == expected):
            steps = [has(call.input, shape[0], "channels if it is read without a batch")]
            return Finding("missing_axis", [*steps, f"in_channels = {expected}"])
    return None


def _channels_last(shape: tuple[int, ...], call: Call, expected: int | None) -> Finding:
    axis = len(shape) - call.rank - 1
    return Finding(
        "channels_last_image",
        [
            f"{call.name} takes the channels at axis {axis} of the input: {shape[axis]}",
            f"in_channels = {expected} is the size of the last axis: shape {shape}",
        ],
    )


def _groups_and_channels(call: Call, is_map: bool) -> Finding | None:
    weight, expected = call["weight"], expected_channels(call)
    if weight is None or call.input is None:
        return None
    shape, number = tuple(call.input.shape), groups(call)
    if number < 1 or len(shape) not in (call.rank + 1, call.rank + 2):
        return None
    transposed = call.kind == "conv_transpose"
    if weight.shape[0] % number:
        name = "in_channels" if transposed else "out_channels"
        step = remainder(f"{name} / groups = ", weight.shape[0], number)
        return Finding("groups_do_not_divide", [step])
    channels = shape[-call.rank - 1]
    if channels == expected:
        return None
    # A map whose width happens to be the expected number is not an image with its channels last.
    looks_last = expected in range(1, 5) or call.rank == 1 or shape[-3] == shape[-2] != shape[-1]
    if shape[-1] == expected and looks_last and not is_map:
        return _channels_last(shape, call, expected)
    per_group = f" = {weight.shape[1]} per group * {number} groups" if number > 1 else ""
    return Finding(
        "channels",
        [
            has(call.input, channels, "channels"),
            f"in_channels = {expected}{'' if transposed else per_group}",
            f"{channels} != {expected}",
        ],
    )


def explain_bias(call: Call) -> Finding | None:
    """Return the finding if the bias of a convolution has another length than its output."""
    bias, weight = call["bias"], call["weight"]
    if bias is None or weight is None or weight.dim() != call.rank + 2:
        return None
    out_channels = (
        weight.shape[1] * groups(call) if call.kind == "conv_transpose" else weight.shape[0]
    )
    if tuple(bias.shape) == (out_channels,):
        return None
    return Finding("unknown", [f"bias: shape {tuple(bias.shape)}, out_channels = {out_channels}"])


def _same_with_stride(call: Call) -> Finding | None:
    if call["padding"] == "same" and any(stride != 1 for stride in call.integers("stride", 1)):
        return Finding("same_with_stride", [f"padding = 'same', stride = {call['stride']}"])
    return None


def _axis_rule(call: Call) -> Callable[[Axis], Finding | None]:
    if call.kind == "conv_transpose":
        return _transposed
    if call.kind == "conv":
        return _no_rule if call["padding"] == "same" else _kernel_fits
    return _kernel_fits if call.kind == "unfold" else _pooling


def _no_rule(axis: Axis) -> Finding | None:
    return None


def extent_steps(axis: Axis) -> list[str]:
    """Return the lines that derive the extent of the window and the padded size along an axis."""
    extent = f"kernel_size = {axis.kernel}"
    if axis.dilation > 1:
        extent = f"dilation * (kernel_size - 1) + 1 = {axis.dilation} * ({axis.kernel} - 1) + 1"
        extent += f" = {axis.extent}"
    padded = f"size + 2 * padding = {axis.size} + 2 * {axis.padding} = {axis.padded}"
    return [f"{axis.name}: the window spans {extent}", f"{axis.name}: the input has {padded}"]


def _kernel_fits(axis: Axis) -> Finding | None:
    if axis.extent <= axis.padded:
        return None
    steps = [*extent_steps(axis), f"{axis.extent} > {axis.padded}: there is no output"]
    return Finding("kernel_larger_than_input", steps)


def _pooling(axis: Axis) -> Finding | None:
    if axis.padding <= axis.kernel // 2:
        return _kernel_fits(axis)
    half = f"kernel_size // 2 = {axis.kernel} // 2 = {axis.kernel // 2}"
    return Finding("pool_padding", [f"{axis.name}: padding = {axis.padding} > {half}"])


def _transposed(axis: Axis) -> Finding | None:
    window = (axis.size, axis.kernel, axis.stride)
    try:
        conv_transpose2d_output_size(*window, axis.padding, axis.output_padding, axis.dilation)
    except ValueError as error:
        too_large = axis.output_padding >= max(axis.stride, axis.dilation)
        # The message is about a map with two equal axes, of which it names the first.
        step = str(error).replace("height", axis.name)
        return Finding("transposed_size" if too_large else "empty_output", [step])
    return None


def output_may_be_empty(call: Call) -> bool:
    """Return whether a transposed convolution has an output of exactly 0 cells along an axis.

    Some backends of PyTorch return it, others raise an error. A negative number is always an error.
    """
    if call.kind != "conv_transpose" or has_no_cells(call):
        return False
    return min(axis.transposed - 2 * axis.padding for axis in window_axes(call)) == 0
