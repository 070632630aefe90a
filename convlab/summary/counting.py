"""Count the multiply-accumulates of an operation of PyTorch."""

from __future__ import annotations

from math import prod

import torch
from torch._ops import OpOverload
from torch.utils.flop_counter import flop_registry

from convlab.summary.operation import Operation, tensors_in
from convlab.summary.operation_rules import PRODUCTS, rule_for

# First letters of the operations that multiply no matrices, besides those that read no tensor, are
# elementwise, return a view, or have a rule for their field that is not that of a product. A
# maximum, a sum or a mean of regions of an image multiplies by no weights, nor does the choice
# among boxes.
_WITHOUT_PRODUCTS = (
    "_aminmax", "as_strided_scatter", "batch_norm_", "binary_cross_entropy", "bincount",
    "binomial", "block_diag", "bucketize", "_chunk_cat", "_coalesce", "col2im", "count_nonzero",
    "cudnn_grid_sampler", "cum", "dequantize", "diag", "dist", "embedding", "_embedding_bag",
    "fake_quantize_", "_fake_quantize_", "fill", "floor_divide", "_foreach_",
    "fractional_max_pool", "gather", "grid_sampler_", "_grid_sampler_2d", "hist", "huber_loss",
    "index", "_index_put", "int_repr", "_is_a", "isin", "lift", "logcumsumexp", "_logcumsumexp",
    "masked_", "_masked_softmax", "max_unpool", "mkldnn_max_pool3d", "mse_loss", "multinomial",
    "nanmedian", "nll_loss", "nonzero", "_pack_padded_sequence", "poisson", "put",
    "quantize_per_", "renorm", "repeat_interleave", "resize", "_resize", "rot90",
    "_sample_dirichlet", "scatter", "searchsorted", "segment_reduce", "select_scatter", "set",
    "slice_scatter", "smooth_l1_loss", "soft_margin_loss", "sparse_co", "sparse_mask",
    "_sparse_sum", "_standard_gamma", "take", "_thnn_fused_", "_to_", "to_mkldnn", "topk",
    "torchvision::nms", "torchvision::ps_roi_", "torchvision::roi_", "trace",
    "_transform_bias_rescale_qkv", "tril", "triu", "_unique", "unique", "_unsafe_",
    "_upsample_bi", "upsample_bicubic2d", "view_as_complex", "_weight_norm_interface",
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
    has_rule = rule not in (None, *PRODUCTS) and not name.startswith("_fft_")
    is_listed = name.startswith(_WITHOUT_PRODUCTS) and not name.endswith(("_backward", "_mm"))
    reads_nothing = not operation.read and "::" not in name
    if has_rule or is_listed or reads_nothing or not operation.outputs:
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
