"""How many multiply-accumulates an operation of PyTorch executes."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

import torch
from torch import Tensor
from torch.utils.flop_counter import flop_registry

from convlab.shapes import conv2d_macs, conv_transpose2d_macs, linear_macs
from convlab.summary.rules import Call

# Much is multiplied inside of these, and no formula of PyTorch says how much.
_UNCOUNTED = {
    "mkldnn_rnn_layer", "_cudnn_rnn", "miopen_rnn", "lstm", "gru", "rnn_tanh", "rnn_relu",
    "_thnn_fused_lstm_cell", "_trilinear", "_cdist_forward", "_native_multi_head_attention",
    "_transformer_encoder_layer_fwd", "_fft_r2c", "_fft_c2c", "_fft_c2r",
}  # fmt: skip


def multiply_accumulates(
    call: Call, func: torch._ops.OpOverload, args: Any, kwargs: dict[str, Any], result: Any
) -> int | None:
    """Count the multiply-accumulates of one call.

    Only products of weights or matrices count, as everywhere: not the elementwise ones, not
    those of a pooling.

    Returns
    -------
    int or None
        None if they cannot be told.
    """
    count = _COUNTS.get("attention" if "scaled_dot_product" in call.name else call.name)
    if count is not None:
        return count(call)
    if call.name in _UNCOUNTED or "::" in call.name:
        return None
    formula = flop_registry.get(func.overloadpacket)
    return 0 if formula is None else int(formula(*args, **kwargs, out_val=result)) // 2


def _product(call: Call) -> int:
    left = call["mat1"] if call.name == "addmm" else call["self"]
    return _linear(left, call["mat2"])


def _products(call: Call) -> int:
    first, second = ("self", "mat2") if call.name == "bmm" else ("batch1", "batch2")
    return int(call[first].shape[0]) * _linear(call[first], call[second])


def _product_with_vector(call: Call) -> int:
    return int((call["mat"] if call.name == "addmv" else call["self"]).numel())


def _attention(call: Call) -> int:
    query, value = call["query"], call["value"]
    rows, inner, keys = prod(query.shape[:-1]), query.shape[-1], value.shape[-2]
    return linear_macs(inner, keys, rows) + linear_macs(keys, value.shape[-1], rows)


def _linear(left: Tensor, right: Tensor) -> int:
    rows, inner = left.shape[-2:]
    columns = right.shape[-1]
    return linear_macs(inner, columns, rows) if inner and columns else 0


def _convolution(call: Call) -> int:
    x, weight, groups = call["input"], call["weight"], call["groups"]
    if call.output.numel() == 0:
        return 0
    if weight.dim() != 4:  # the same sums along one direction or three
        summed = x if call["transposed"] else call.output
        return int(summed.numel() * prod(weight.shape[1:]))
    into = weight.shape[0] if call["transposed"] else weight.shape[1] * groups
    out = weight.shape[1] * groups if call["transposed"] else weight.shape[0]
    stride, padding = call["stride"], call["padding"]
    size, kernel_size, dilation = tuple(x.shape[2:]), tuple(weight.shape[2:]), call["dilation"]
    if call["transposed"]:
        extra = call["output_padding"]
        return len(x) * conv_transpose2d_macs(
            size, into, out, kernel_size, stride, padding, extra, groups, dilation
        )
    return len(x) * conv2d_macs(size, into, out, kernel_size, stride, padding, dilation, groups)


_COUNTS: dict[str, Callable[[Call], int]] = {
    "convolution": _convolution,
    "_convolution": _convolution,
    "mm": _product,
    "addmm": _product,
    "bmm": _products,
    "baddbmm": _products,
    "mv": _product_with_vector,
    "addmv": _product_with_vector,
    "dot": _product_with_vector,
    "attention": _attention,
}
