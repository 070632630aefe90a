"""Operations that compute: element by element, over whole dimensions, products of matrices."""

from __future__ import annotations

from torch import Tensor

from convlab.summary.rules.calls import Answer, Axis, Call, rule, union_of
from convlab.summary.traces import Trace, UnknownError


@rule("hardswish", "hardsigmoid", "masked_fill", "clone", "_to_copy", "contiguous", "alias",
      "detach", "lift_fresh", "native_dropout", "_prelu_kernel", "leaky_relu", "hardtanh", "prelu",
      "log_sigmoid_forward", "rrelu_with_noise", "channel_shuffle", "native_channel_shuffle",
      "nan_to_num", "softplus", "elu", "celu", "bernoulli")  # fmt: skip
def pointwise(call: Call, axis: Axis) -> Answer:
    """Each output depends on the inputs at its own place; also what PyTorch does not tag so."""
    return elementwise(call, axis)


def elementwise(call: Call, axis: Axis) -> Trace:
    """Return what the inputs see at the place of each output."""
    shape = call.output.shape
    traces = []
    for x in call.tensors():
        trace = axis.of(x)
        traces.append(trace and trace.broadcast(x.shape, shape))
    return union_of(traces, shape)


@rule("copy")
def copy(call: Call, axis: Axis) -> Trace:
    """Forget what was there before."""
    source = call["src"]
    return axis.the(source).broadcast(source.shape, call.output.shape)


@rule("glu")
def glu(call: Call, axis: Axis) -> Trace:
    """One half times a function of the other."""
    trace = axis.the(call["self"])
    if trace.dim == call["dim"] % call["self"].dim():
        raise UnknownError("the halves lie along the image")
    return trace


@rule("mean", "sum", "amax", "amin", "max", "min", "var", "std", "var_mean", "std_mean",
      "linalg_vector_norm", "norm", "logsumexp", "prod", "all", "any", "argmax", "argmin", "median",
      "nanmean", "nansum", "aminmax", "mode", "kthvalue")  # fmt: skip
def reduction(call: Call, axis: Axis) -> list[Trace]:
    """Everything along some dimensions."""
    if "other" in call.arguments:  # maximum of two tensors
        return [elementwise(call, axis)]
    rank = call["self"].dim()
    dims = call.arguments.get("dim")
    dims = [dims] if isinstance(dims, int) else list(dims or range(rank))
    keep = bool(call.arguments.get("keepdim", False))
    trace = axis.the(call["self"]).reduced(dims, rank, keep)
    return [trace] * len(call.outputs)


@rule("_softmax", "_log_softmax", "_safe_softmax", "sort", "topk")
def along_one_dimension(call: Call, axis: Axis) -> list[Trace]:
    """Each output may depend on everything along a dimension, which stays."""
    rank = call["self"].dim()
    trace = axis.the(call["self"]).reduced([call["dim"]], rank, keepdim=True)
    return [trace] * len(call.outputs)


@rule("native_layer_norm", "_fused_rms_norm")
def layer_norm(call: Call, axis: Axis) -> Trace:
    """Each output depends on everything along the last dimensions."""
    x = call["input"]
    dims = range(x.dim() - len(call["normalized_shape"]), x.dim())
    return _with_constants(call, axis, axis.the(x).reduced(dims, x.dim(), keepdim=True), x)


@rule("native_group_norm")
def group_norm(call: Call, axis: Axis) -> Trace:
    """Each output depends on all places of its group of channels."""
    x = call["input"]
    dims = range(1, x.dim())
    return _with_constants(call, axis, axis.the(x).reduced(dims, x.dim(), keepdim=True), x)


@rule("native_batch_norm", "_native_batch_norm_legit", "_native_batch_norm_legit_no_training",
      "cudnn_batch_norm", "miopen_batch_norm", "_batch_norm_no_update", "batch_norm_with_update",
      "_batch_norm_with_update")  # fmt: skip
def batch_norm(call: Call, axis: Axis) -> Trace:
    """Scale and shift each channel; by the whole image if no statistics are stored."""
    x = call["input"]
    trace = axis.the(x)
    if "no_training" not in call.name and call.arguments.get("training", True):
        dims = [dim for dim in range(x.dim()) if dim != 1]
        trace = trace.reduced(dims, x.dim(), keepdim=True)
    return _with_constants(call, axis, trace, x)


def _with_constants(call: Call, axis: Axis, trace: Trace, x: Tensor) -> Trace:
    """Refuse weights that depend on the image; how they do is not worth a rule."""
    if any(axis.of(other) is not None for other in call.tensors() if other is not x):
        raise UnknownError("the weights depend on the image")
    return trace


@rule("mm", "addmm", "bmm", "baddbmm", "mv", "addmv", "dot")
def product(call: Call, axis: Axis) -> Trace:
    """Rows meet columns: everything along the dimension that is summed over."""
    added = call.arguments.get("self") if call.name in ("addmm", "baddbmm", "addmv") else None
    names = next(
        pair
        for pair in (("mat1", "mat2"), ("batch1", "batch2"), ("mat", "vec"),
                     ("self", "mat2"), ("self", "vec"), ("self", "tensor"))
        if pair[0] in call.arguments and pair[1] in call.arguments
    )  # fmt: skip
    left, right = call[names[0]], call[names[1]]
    vector = right.dim() == 1
    shape = call.output.shape
    traces: list[Trace | None] = []
    if (trace := axis.of(left)) is not None:
        traces.append(trace.reduced([-1], left.dim(), keepdim=not vector))
    if (trace := axis.of(right)) is not None:
        traces.append(trace.reduced([-1 if vector else -2], right.dim(), keepdim=not vector))
    if added is not None and (trace := axis.of(added)) is not None:
        traces.append(trace.broadcast(added.shape, shape))
    return union_of(traces, shape)


@rule("_scaled_dot_product_flash_attention_for_cpu", "_scaled_dot_product_flash_attention",
      "_scaled_dot_product_efficient_attention", "_scaled_dot_product_cudnn_attention",
      "_scaled_dot_product_fused_attention_overrideable")  # fmt: skip
def attention(call: Call, axis: Axis) -> Trace:
    """Each query meets all keys and all values."""
    masks = (call.arguments.get("attn_mask"), call.arguments.get("attn_bias"))
    if call.arguments.get("is_causal") or any(mask is not None for mask in masks):
        raise UnknownError("a mask hides some of the keys")
    traces: list[Trace | None] = []
    for name, dims in (("query", [-1]), ("key", [-1, -2]), ("value", [-2])):
        if (trace := axis.of(call[name])) is not None:
            traces.append(trace.reduced(dims, call[name].dim(), keepdim=True))
    return union_of(traces, call.output.shape)
