"""Causes of failing calls, from the function, the shapes and the dtypes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import NoneType

import torch
from torch import Tensor
from torch.nn.parameter import is_lazy

from convlab.explain.axes import (
    explain_adaptive,
    explain_binary,
    explain_concatenation,
    explain_dim,
    explain_interpolate,
    explain_pad,
    explain_unflatten,
    explain_view,
)
from convlab.explain.calls import CONVOLUTIONS, POOLINGS, Call, call_of_layer, describe
from convlab.explain.channels import (
    explain_batch_norm,
    explain_group_norm,
    explain_instance_norm,
    explain_prelu,
    explain_shuffle,
    explain_unshuffle,
)
from convlab.explain.dtypes import tensors_differ
from convlab.explain.features import (
    explain_attention,
    explain_bilinear,
    explain_layer_norm,
    explain_linear,
    explain_matmul,
    explain_recurrent,
)
from convlab.explain.findings import Finding
from convlab.explain.losses import (
    check_loss,
    explain_cross_entropy,
    explain_pointwise_loss,
    index_range,
)
from convlab.explain.modules import explain_module, float_argument
from convlab.explain.trace import Failure, Tracer, WouldFail
from convlab.explain.windows import explain_bias, explain_types, explain_window


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
    message = " ".join(message.replace("(sparse_coo)", "").split())  # a wrong name of PyTorch
    steps = [f"{type(failure.error).__name__}: {message}"]
    call = failure.call
    values = list(failure.inputs) if call is None else list(call.arguments.values())
    if call is not None and call.name:
        steps.append(f"in a call of {call.name}")
    for value in values:
        for part in value if isinstance(value, tuple | list) else [value]:
            if isinstance(part, Tensor) and not is_lazy(part):
                steps.append(f"argument: {describe(part)}")
            elif not isinstance(part, Tensor | str | int | float | torch.dtype | NoneType):
                steps.append(f"argument: {type(part).__module__}.{type(part).__name__}")
    return steps


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


# Kinds of calls of which the meta device takes some that fail elsewhere.
_CHECKED = ("adaptive_pool", "average", "interpolate", "pixel_unshuffle")
_RULES: dict[str, Callable[[Call, Tracer], Finding | None]] = {
    **dict.fromkeys((*CONVOLUTIONS, *POOLINGS, "unfold"), _window),
    "adaptive_pool": explain_adaptive,
    "linear": explain_linear,
    "matmul": explain_matmul,
    "recurrent": explain_recurrent,
    "bilinear": explain_bilinear,
    "attention": explain_attention,
    "batch_norm": explain_batch_norm,
    "instance_norm": explain_instance_norm,
    "layer_norm": explain_layer_norm,
    "rms_norm": explain_layer_norm,
    "group_norm": explain_group_norm,
    "prelu": explain_prelu,
    "pixel_shuffle": explain_shuffle,
    "channel_shuffle": explain_shuffle,
    "pixel_unshuffle": explain_unshuffle,
    **dict.fromkeys(("average", "reduce", "flatten"), explain_dim),
    "unflatten": explain_unflatten,
    "interpolate": explain_interpolate,
    "cat": explain_concatenation,
    "stack": explain_concatenation,
    "binary": explain_binary,
    "where": explain_binary,
    "pad": explain_pad,
    "view": explain_view,
    "cross_entropy": explain_cross_entropy,
    "pointwise_loss": explain_pointwise_loss,
}
