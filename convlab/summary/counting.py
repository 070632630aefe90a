"""Count the multiply-accumulates of an operation of PyTorch."""

from __future__ import annotations

from math import prod

from torch.utils.flop_counter import flop_registry

from convlab.summary.operation import Operation

# The argument of each product with a vector whose elements are each multiplied once.
_VECTOR_PRODUCTS = {"mv": "self", "addmv": "mat", "dot": "self", "vdot": "self"}
# Operations with many multiplications inside and no formula.
_UNCOUNTED = {
    "mkldnn_rnn_layer", "_cudnn_rnn", "miopen_rnn", "lstm", "gru", "rnn_tanh", "rnn_relu",
    "_thnn_fused_lstm_cell", "_trilinear", "_cdist_forward", "_native_multi_head_attention",
    "_transformer_encoder_layer_fwd", "_fft_r2c", "_fft_c2c", "_fft_c2r", "_euclidean_dist",
    "_int_mm", "_sparse_addmm", "_addmm_activation", "addbmm",
}  # fmt: skip


def count_macs(operation: Operation) -> int | None:
    """Count the multiply-accumulates of one operation; None if their number is unknown.

    As is usual, only products of weights or matrices count, not elementwise ones. The formulas are
    those of ``torch.utils.flop_counter``, which counts a multiply-accumulate as two operations.
    """
    name = operation.name
    if "scaled_dot_product" in name:  # some versions of PyTorch have no formula for CPUs
        query, key, value = (operation[name] for name in ("query", "key", "value"))
        scores = prod(query.shape[:-1]) * key.shape[-2]
        return int(scores * (query.shape[-1] + value.shape[-1]))
    if name in _VECTOR_PRODUCTS:
        return int(operation[_VECTOR_PRODUCTS[name]].numel())
    formula = flop_registry.get(operation.func.overloadpacket)
    if formula is not None:
        flops = formula(*operation.args, **operation.kwargs, out_val=operation.result)
        return int(flops) // 2
    return None if name in _UNCOUNTED or "::" in name else 0
