"""Operations that get a row of their own when a module's own code executes them, and their names.

Windows, joins of branches, products with weights, and activations that make a new tensor; not
what moves elements about, and not every sum with a constant.
"""

from __future__ import annotations

from convlab.summary.rules import Call

JOINS = {"cat", "stack"}
WINDOWS = {
    "convolution", "_convolution", "im2col", "col2im",
    *(f"max_pool{n}d_with_indices" for n in (1, 2, 3)),
    *(f"avg_pool{n}d" for n in (1, 2, 3)),
    *(f"_adaptive_avg_pool{n}d" for n in (2, 3)),
    *(f"adaptive_max_pool{n}d" for n in (2, 3)),
    *(f"{mode}_pad{n}d" for mode in ("reflection", "replication") for n in (1, 2, 3)),
    *(f"upsample_nearest{n}d" for n in (1, 2, 3)),
    *(f"_upsample_nearest_exact{n}d" for n in (1, 2, 3)),
    "upsample_linear1d", "upsample_bilinear2d", "upsample_bicubic2d", "upsample_trilinear3d",
    "_upsample_bilinear2d_aa", "_upsample_bicubic2d_aa",
    "constant_pad_nd", "mean", "amax", "native_layer_norm", "native_group_norm",
    "native_batch_norm", "pixel_shuffle", "pixel_unshuffle",
}  # fmt: skip
ACTIVATIONS = {
    "relu", "relu6", "gelu", "silu", "sigmoid", "tanh", "hardswish", "hardsigmoid", "hardtanh",
    "leaky_relu", "elu", "celu", "selu", "mish", "softplus", "log_sigmoid_forward",
    "_prelu_kernel", "glu", "_softmax", "_log_softmax", "_safe_softmax",
}  # fmt: skip
_OTHERS = {
    "addmm": "linear", "mm": "matmul", "bmm": "matmul", "baddbmm": "matmul", "mv": "matmul",
    "addmv": "linear", "dot": "matmul", "constant_pad_nd": "pad", "im2col": "unfold",
    "col2im": "fold", "log_sigmoid_forward": "logsigmoid", "_prelu_kernel": "prelu",
    "_safe_softmax": "softmax", "hardtanh": "hardtanh",
}  # fmt: skip


def kind_of(call: Call) -> str:
    """Return the name under which people know an operation.

    Parameters
    ----------
    call : Call
        The operation, executed.
    """
    name = call.name.split("::")[-1]
    if name in ("convolution", "_convolution"):
        rank = call["weight"].dim() - 2
        return f"conv_transpose{rank}d" if call["transposed"] else f"conv{rank}d"
    if name in _OTHERS:
        return _OTHERS[name]
    if "scaled_dot_product" in name:
        return "attention"
    if "upsample" in name:
        return "interpolate"
    if name.startswith(("reflection_pad", "replication_pad")):
        return "pad"
    for beginning in ("native_", "_"):
        name = name.removeprefix(beginning)
    return name.removesuffix("_with_indices")
