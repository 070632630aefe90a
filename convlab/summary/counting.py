"""Count the multiply-accumulates of an operation of PyTorch."""

from __future__ import annotations

from math import prod

import torch
from torch._ops import OpOverload
from torch.utils.flop_counter import flop_registry

from convlab.summary.operation import Operation, tensors_in
from convlab.summary.operation_rules import PRODUCTS, rule_for

# Operations that multiply no matrices, besides those that are elementwise, return a view, or have
# a rule for their field that is not that of a product. A maximum, a sum or a mean of regions of
# an image multiplies by no weights, nor does the choice among boxes.
_WITHOUT_PRODUCTS = {
    "abs", "_aminmax", "arange", "as_strided_scatter", "bartlett_window", "bernoulli",
    "binary_cross_entropy", "binary_cross_entropy_with_logits", "bincount", "binomial",
    "blackman_window", "block_diag", "bucketize", "cauchy", "_chunk_cat", "col2im", "complex",
    "_copy_from", "copysign", "count_nonzero", "cudnn_grid_sampler", "dequantize", "diag_embed",
    "diagonal_scatter", "dist", "_efficientzerotensor", "eq", "exponential", "eye", "fft_fftfreq",
    "fft_rfftfreq", "fill", "floor_divide", "_functional_assert_async", "gather", "gcd", "ge",
    "gelu", "geometric", "glu", "gt", "hamming_window", "hann_window", "heaviside", "histc",
    "histogram", "huber_loss", "int_repr", "_is_all_true", "_is_any_true", "isin", "kaiser_window",
    "lcm", "le", "lift", "linspace", "log_normal", "logcumsumexp", "_logcumsumexp", "logspace",
    "lt", "masked_scatter", "masked_select", "_masked_softmax", "mish", "mkldnn_max_pool3d",
    "mse_loss", "multinomial", "nanmedian", "_native_batch_norm_legit_functional", "native_norm",
    "ne", "normal", "normal_functional", "_pack_padded_sequence", "_pin_memory", "pixel_shuffle",
    "pixel_unshuffle", "poisson", "polar", "put", "renorm", "repeat_interleave", "roll", "rot90",
    "rrelu_with_noise_functional", "rsub", "_sample_dirichlet", "scalar_tensor", "searchsorted",
    "segment_reduce", "select_scatter", "set", "slice_scatter", "smooth_l1_loss",
    "soft_margin_loss", "sparse_mask", "_sparse_sum", "_standard_gamma", "take",
    "_thnn_fused_gru_cell", "_thnn_fused_lstm_cell", "threshold", "to_mkldnn", "topk",
    "torchvision::nms", "trace", "_transform_bias_rescale_qkv", "unfold_backward", "uniform",
    "upsample_bicubic2d", "view_as_complex", "_weight_norm_interface", "xlogy", "zero",
}  # fmt: skip
_WITHOUT_PRODUCTS_PREFIXES = (
    "batch_norm_", "_coalesce", "cum", "embedding", "_embedding_bag", "empty", "fake_quantize_",
    "_fake_quantize_", "_foreach_", "fractional_max_pool", "full", "grid_sampler_",
    "_grid_sampler_2d", "index", "_index_put", "max_unpool", "new_", "nll_loss", "nonzero", "ones",
    "quantize_per_", "rand", "resize", "_resize", "scatter", "sparse_co", "_to_",
    "torchvision::ps_roi_", "torchvision::roi_", "tril", "triu", "_unique", "unique", "_unsafe_",
    "_upsample_bi", "zeros",
)  # fmt: skip
_COMPRESSED = {torch.sparse_csr, torch.sparse_csc, torch.sparse_bsr, torch.sparse_bsc}
# The argument of each product with a vector whose elements are each multiplied once.
_VECTOR_PRODUCTS = {"mv": "self", "addmv": "mat", "dot": "self", "vdot": "self"}
# Operations that do not have the formula of another one in every version of PyTorch.
_SAME_FORMULA = {
    "_int_mm": "mm", "_sparse_addmm": "addmm", "_addmm_activation": "addmm", "addbmm": "baddbmm",
}  # fmt: skip
# The matrices of a recurrent layer, all multiplied once at every step.
_RECURRENT = {
    "mkldnn_rnn_layer": ("weight0", "weight1"), "_cudnn_rnn": ("weight",),
    "miopen_rnn": ("weight",),
}  # fmt: skip


def count_macs(operation: Operation) -> int | None:
    """Count the multiply-accumulates of one operation; None if their number is unknown.

    As is usual, only products of weights or matrices count, not elementwise ones. The formulas are
    those of ``torch.utils.flop_counter``, which counts a multiply-accumulate as two operations.
    A product with one sparse matrix counts the elements that are stored. An operation that is
    neither known to multiply no matrices nor has a formula is unknown.
    """
    name, func = operation.name, operation.func
    rule = rule_for(operation)
    has_rule = rule is not None and rule not in PRODUCTS
    is_listed = name in _WITHOUT_PRODUCTS or (
        name.startswith(_WITHOUT_PRODUCTS_PREFIXES) and not name.endswith("_backward")
    )
    if has_rule or is_listed or not operation.outputs:
        return 0
    if not isinstance(func, OpOverload) or operation.is_nested:
        return None
    if func.is_view:
        return 0
    macs = _count_by_shapes(operation)
    packet = func.overloadpacket
    same = getattr(torch.ops.aten, _SAME_FORMULA[name]) if name in _SAME_FORMULA else packet
    formula = flop_registry.get(packet) or flop_registry.get(same)
    if macs is None and formula is not None:
        macs = int(formula(*operation.args, **operation.kwargs, out_val=operation.result)) // 2
    sparse = [x for x in operation.inputs if x.is_sparse or x.layout in _COMPRESSED]
    if not sparse or not macs:
        return macs
    values = sparse[0]._values() if sparse[0].is_sparse else sparse[0].values()
    return macs * values.numel() // sparse[0].numel() if len(sparse) == 1 else None


def _count_by_shapes(operation: Operation) -> int | None:
    """Count what has no formula in some versions of PyTorch; None for other operations."""
    name = operation.name
    if "scaled_dot_product" in name:
        query, key, value = (operation[name] for name in ("query", "key", "value"))
        scores = prod(query.shape[:-1]) * key.shape[-2]
        return int(scores * (query.shape[-1] + value.shape[-1]))
    if name in _VECTOR_PRODUCTS:
        return int(operation[_VECTOR_PRODUCTS[name]].numel())
    if name in _RECURRENT:
        steps = prod(operation["input"].shape[:-1])
        weights = [x for key in _RECURRENT[name] for x in tensors_in(operation[key])]
        return int(steps * sum(x.numel() for x in weights if x.dim() == 2))
    if name in ("_cdist_forward", "_euclidean_dist") and operation.arguments.get("p", 2) == 2:
        return operation.output.numel() * int(operation["x1"].shape[-1])
    if name == "affine_grid_generator":
        return operation.output.numel() * int(operation["theta"].shape[-1])
    return None
