"""Causes of failing calls along the axis of the channels: normalizations, PReLU, shuffles."""

from __future__ import annotations

from math import prod

from torch import Tensor

from convlab.explain.calls import Call
from convlab.explain.findings import Finding, has, product, remainder
from convlab.explain.trace import Tracer


def explain_batch_norm(call: Call, tracer: Tracer) -> Finding | None:
    """Return the cause of a failing batch normalization."""
    x = call.input
    features = next((v for v in (call["running_mean"], call["weight"]) if v is not None), None)
    if x is None or x.dim() < 2:
        return None
    if features is not None and features.shape[0] != x.shape[1]:
        steps = [has(x, x.shape[1], "channels"), f"num_features = {features.shape[0]}"]
        return Finding("batchnorm_channels", steps)
    values = (x.shape[0], *x.shape[2:])
    if call["training"] and prod(values) == 1:
        steps = [f"input: shape {tuple(x.shape)}, training"]
        steps.append(f"values per channel: {product(values)}")
        return Finding("batchnorm_single_value", steps)
    return None


def explain_instance_norm(call: Call, tracer: Tracer) -> Finding | None:
    """Return the cause of a failing instance normalization."""
    x = call.input
    if x is None or x.dim() < 3 or call["use_input_stats"] is False or prod(x.shape[2:]) != 1:
        return None
    steps = [f"input: shape {tuple(x.shape)}"]
    steps.append(f"values per image and channel: {product(x.shape[2:])}")
    return Finding("batchnorm_single_value", steps)


def explain_group_norm(call: Call, tracer: Tracer) -> Finding | None:
    """Return the cause of a failing group normalization."""
    x, weight, number = call.input, call["weight"], call["num_groups"]
    if x is None or x.dim() < 2 or not isinstance(number, int):
        return None
    channels = x.shape[1]
    if weight is not None and weight.shape[0] != channels:
        steps = [has(x, channels, "channels"), f"num_channels = {weight.shape[0]}"]
        return Finding("channels", steps)
    if number < 1 or channels % number == 0:
        return None
    step = remainder("channels / num_groups = ", channels, number)
    return Finding("groups_do_not_divide", [step])


def explain_prelu(call: Call, tracer: Tracer) -> Finding | None:
    """Return the cause of a failing PReLU."""
    x, weight = call.input, call["weight"]
    if x is None or not isinstance(weight, Tensor) or weight.dim() != 1:
        return None
    channels = prelu_channels(x)
    if weight.shape[0] in (1, channels):
        return None
    steps = [has(x, channels, "channels"), f"num_parameters = {weight.shape[0]}"]
    return Finding("channels", steps)


def prelu_channels(x: Tensor) -> int:
    """Return the number of channels that a PReLU sees."""
    return x.shape[1] if x.dim() > 1 else 1


def explain_shuffle(call: Call, tracer: Tracer) -> Finding | None:
    """Return the cause of a failing pixel shuffle or channel shuffle."""
    x, number = call.input, call["groups"] or call["upscale_factor"]
    if x is None or x.dim() < 3 or not isinstance(number, int) or number < 1:
        return None
    channels = x.shape[1] if call["groups"] else x.shape[-3]
    name = f"groups = {number}"
    if not call["groups"]:
        number, name = number**2, f"upscale_factor**2 = {number}**2 = {number**2}"
    if channels % number == 0:
        return None
    steps = [has(x, channels, "channels"), name, remainder("", channels, number)]
    return Finding("groups_do_not_divide", steps)


def explain_unshuffle(call: Call, tracer: Tracer) -> Finding | None:
    """Return the reason why a pixel unshuffle fails."""
    x, number = call.input, call["downscale_factor"]
    if x is None or x.dim() < 3 or not isinstance(number, int) or number < 1:
        return None
    names = {"height": x.shape[-2], "width": x.shape[-1]}
    steps = [
        remainder(f"{name} / downscale_factor = ", size, number)
        for name, size in names.items()
        if size % number
    ]
    return Finding("unknown", [f"input: shape {tuple(x.shape)}", *steps]) if steps else None


def explain_glu(x: Tensor, dim: int) -> Finding | None:
    """Return the finding if `glu` cannot halve an axis."""
    if x.dim() == 0 or x.shape[dim] % 2 == 0:
        return None
    steps = [f"input: shape {tuple(x.shape)}, of which glu halves axis {dim % x.dim()}"]
    return Finding("groups_do_not_divide", [*steps, remainder("", x.shape[dim], 2)])
