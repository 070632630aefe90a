"""Rules that derive the fields of an operation's outputs from those of its inputs.

An operation without a rule makes its outputs unknown, and so does a rule that raises
`UnknownFieldError`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from math import ceil, floor
from typing import Any

import torch
from torch import Tensor

from convlab.shapes import ReceptiveField, adaptive_windows, conv2d_output_size
from convlab.shapes.receptive_field import transposed_cells
from convlab.summary.axis_field import AxisField, Field, Interval, NoField, UnknownFieldError
from convlab.summary.operation import STATISTICS, InputFields, Operation, tensors_in

# From an operation and the fields of its inputs along one axis to the field of its first output,
# or of each.
Rule = Callable[[Operation, InputFields], Field | list[Field]]

_RULES: dict[str, Rule] = {}


def rule_for(operation: Operation) -> Rule | None:
    """Return the rule of an operation, or None."""
    return _RULES.get(operation.name) or (elementwise if operation.pointwise else None)


def _rule(*names: str) -> Callable[[Rule], Rule]:
    """Register a rule for the operations of these names."""

    def register(function: Rule) -> Rule:
        _RULES.update(dict.fromkeys(names, function))
        return function

    return register


def _union(fields: Iterable[Field | None], shape: Sequence[int]) -> Field:
    """Return the field of a tensor of this shape that depends on what any of the fields covers."""
    union: Field = NoField.INDEPENDENT
    for field in fields:
        if isinstance(field, AxisField):
            union = field.union(union, shape) if isinstance(union, AxisField) else field
    return union


# Operations that compute: element by element, over whole dimensions, products of matrices. Those
# listed for the first rule are not tagged as pointwise by PyTorch.


@_rule(
    "hardswish", "hardsigmoid", "masked_fill", "clone", "_to_copy", "contiguous", "alias",
    "detach", "lift_fresh", "native_dropout", "_prelu_kernel", "leaky_relu", "hardtanh", "prelu",
    "log_sigmoid_forward", "rrelu_with_noise", "nan_to_num", "softplus", "elu", "celu", "bernoulli",
    "normal", "complex", "polar", "_conj", "expand", "copy", "rsub",
)  # fmt: skip
def elementwise(operation: Operation, fields: InputFields) -> Field:
    """Elementwise operation: each output depends on the inputs at its own place."""
    shape = operation.output.shape
    inputs = [(fields.get(x), x.shape) for x in operation.read]
    return _union([field and field.broadcast(old, shape) for field, old in inputs], shape)


@_rule("embedding", "view_as_real")
def new_last_dimension(operation: Operation, fields: InputFields) -> Field:
    """Embedding, or real and imaginary part: each element gives several, in a new dimension."""
    if fields.get(operation.arguments.get("weight")) is not None:
        raise UnknownFieldError("the rows that the indices select depend on the image")
    return fields.require(operation.arguments.get("indices", operation.inputs[0]))


@_rule(
    "mean", "sum", "amax", "amin", "max", "min", "var", "std", "var_mean", "std_mean",
    "linalg_vector_norm", "norm", "logsumexp", "prod", "all", "any", "argmax", "argmin", "median",
    "nanmean", "nansum", "aminmax", "mode", "kthvalue",
)  # fmt: skip
def reduction(operation: Operation, fields: InputFields) -> Field | list[Field]:
    """Reduction: each output depends on all elements along some dimensions."""
    if "other" in operation.arguments:  # maximum of two tensors
        return elementwise(operation, fields)
    x, dims = operation["self"], operation.arguments.get("dim")
    dims = [dims] if isinstance(dims, int) else dims or range(x.dim())
    keepdim = bool(operation.arguments.get("keepdim", False))
    return [fields.require(x).reduce(dims, x.dim(), keepdim)] * len(operation.outputs)


@_rule("_softmax", "_log_softmax", "_safe_softmax", "sort", "_fft_r2c", "_fft_c2c", "_fft_c2r")
def along_dimensions(operation: Operation, fields: InputFields) -> list[Field]:
    """Softmax, sort or Fourier transform: each output depends on all along some dimensions."""
    x, dims = operation["self"], operation["dim"]
    dims = [dims] if isinstance(dims, int) else dims
    return [fields.require(x).reduce(dims, x.dim(), keepdim=True)] * len(operation.outputs)


@_rule(
    "native_layer_norm", "_fused_rms_norm", "native_group_norm", "native_batch_norm",
    "_native_batch_norm_legit", "_native_batch_norm_legit_no_training", "cudnn_batch_norm",
    "miopen_batch_norm", "_batch_norm_no_update", "batch_norm_with_update",
    "_batch_norm_with_update",
)  # fmt: skip
def normalization(operation: Operation, fields: InputFields) -> Field:
    """Layer, group or batch normalization: each output depends on all that share its statistics."""
    x, name = operation["input"], operation.name
    uses_batch = "_no_" not in name and operation.arguments.get("training", True)
    used = ("weight", "bias", *(() if uses_batch else STATISTICS))
    if any(fields.get(operation.arguments.get(argument)) for argument in used):
        raise UnknownFieldError("the weights of the normalization depend on the image")
    dims: Sequence[int] = [dim for dim in range(x.dim()) if dim != 1 and uses_batch]
    if name in ("native_layer_norm", "_fused_rms_norm"):
        dims = range(-len(operation["normalized_shape"]), 0)
    elif name == "native_group_norm":
        dims = range(1, x.dim())
    field = fields.require(x)
    return field.reduce(dims, x.dim(), keepdim=True) if dims else field


@_rule("mm", "addmm", "bmm", "baddbmm", "mv", "addmv", "dot")
def matrix_product(operation: Operation, fields: InputFields) -> Field:
    """Matrix product: each output depends on a row of one matrix and a column of the other."""
    has_summand = operation.name in ("addmm", "baddbmm", "addmv")
    *summand, left, right = list(operation.arguments.values())[: 3 if has_summand else 2]
    rows, columns = fields.get(left), fields.get(right)
    shape, vector = operation.output.shape, right.dim() == 1
    union = [
        rows and rows.reduce([-1], left.dim(), keepdim=not vector),
        columns and columns.reduce([-1 if vector else -2], right.dim(), keepdim=not vector),
    ]
    added = [(fields.get(x), x.shape) for x in summand]
    return _union([*union, *(field and field.broadcast(old, shape) for field, old in added)], shape)


@_rule(
    *(f"_scaled_dot_product_{kind}_attention" for kind in ("flash", "efficient", "cudnn")),
    "_scaled_dot_product_flash_attention_for_cpu",
)
def attention(operation: Operation, fields: InputFields) -> Field:
    """Attention: each output depends on its query, and on all keys and values."""
    if operation["is_causal"]:
        raise UnknownFieldError("each output depends on the keys up to its own place")
    shape, reduced = operation.output.shape, {"query": [-1], "key": [-2, -1], "value": [-2]}
    inputs = [(operation[name], dims) for name, dims in reduced.items()]
    inputs += [(operation.arguments.get(name), [-1]) for name in ("attn_mask", "attn_bias")]
    known = [(x, dims, fields.get(x)) for x, dims in inputs]
    moved = (f and f.reduce(dims, x.dim(), True).broadcast(x.shape, shape) for x, dims, f in known)
    return _union(moved, shape)


# Operations with windows: convolution, pooling, padding, unfolding.


@_rule("convolution", "_convolution", "convolution_overrideable", "cudnn_convolution")
def convolution(operation: Operation, fields: InputFields) -> Field:
    """Convolution: each output depends on a window of the image, and on all channels."""
    x, weight, bias = operation["input"], operation["weight"], operation.arguments.get("bias")
    kernel_size = weight.shape[2:]
    field: Field | None = fields.get(x)
    if isinstance(field, AxisField):
        if field.dim == x.dim() - len(kernel_size) - 1:
            if operation.arguments.get("groups", 1) != 1:
                raise UnknownFieldError("channels in groups follow an axis of the image")
            field = field.merged()
        else:
            field = _slide(operation, x, field, len(kernel_size), kernel_size, operation["stride"])
    dynamic = (fields.get(weight), fields.get(bias))
    merged = [weights and weights.merged() for weights in dynamic]
    return _union([field, *merged], operation.output.shape)


@_rule(
    *(f"max_pool{rank}d_with_indices" for rank in (1, 2, 3)),
    *(f"avg_pool{rank}d" for rank in (1, 2, 3)),
    "max_pool2d", "mkldnn_max_pool2d",
)  # fmt: skip
def pooling(operation: Operation, fields: InputFields) -> list[Field]:
    """Pooling: each output depends on a window along the last dimensions."""
    x, kernel_size = operation["self"], operation["kernel_size"]
    stride = operation["stride"] or kernel_size
    rank = _pooling_rank(operation)
    return [_slide(operation, x, fields.require(x), rank, kernel_size, stride)] * 2


def _pooling_rank(operation: Operation) -> int:
    return int(operation.name.split("_pool")[1][0])


def _slide(
    operation: Operation, x: Tensor, field: AxisField, rank: int,
    kernel_size: int | Sequence[int], stride: int | Sequence[int],
) -> Field:  # fmt: skip
    """Return the field after windows along the last `rank` dimensions of `x`."""
    axis = -1 if field.dim is None else field.dim - (x.dim() - rank)
    if field.dim is None or axis < 0:
        return field
    get = operation.arguments.get
    arguments = kernel_size, stride, get("padding", 0), get("dilation", 1)
    listed = [[value] if isinstance(value, int) else value for value in arguments]
    window = [values[0] if len(values) == 1 else values[axis] for values in listed]
    length, outputs = x.shape[field.dim], operation.output.shape[field.dim]
    if operation.arguments.get("transposed"):
        return field.gather(length, (transposed_cells(i, *window) for i in range(outputs)))
    return field.window(length, outputs, *window)


@_rule(
    "_adaptive_avg_pool2d", "_adaptive_avg_pool3d", "adaptive_avg_pool1d",
    "mkldnn_adaptive_avg_pool2d", "adaptive_max_pool2d", "adaptive_max_pool3d",
)  # fmt: skip
def adaptive_pooling(operation: Operation, fields: InputFields) -> list[Field]:
    """Adaptive pooling: windows of several sizes if the size of the output does not divide."""
    x = operation["self"]
    field = fields.require(x)
    if field.dim is None or field.dim < x.dim() - _pooling_rank(operation):
        return [field, field]
    length, outputs = x.shape[field.dim], operation.output.shape[field.dim]
    if outputs == length:
        return [field, field]
    return [field.gather(length, (range(*w) for w in adaptive_windows(length, outputs)))] * 2


@_rule(
    "constant_pad_nd",
    *(f"{mode}_pad{rank}d" for mode in ("reflection", "replication") for rank in (1, 2, 3)),
)
def padding(operation: Operation, fields: InputFields) -> Field:
    """Constant, reflection or replication padding: the new cells lie beyond the edge."""
    x, (_, *arguments) = operation["self"], operation.args
    is_constant = operation.name == "constant_pad_nd"
    function = None if is_constant else lambda y: operation.func(y, *arguments)
    return pad(fields.require(x), x, arguments[0], function)


def pad(
    field: AxisField, x: Tensor, amounts: Sequence[int], function: Callable[[Tensor], Any] | None
) -> Field:
    """Return the field after a padding given as for ``F.pad``, the last dimension first.

    Regular units continue beyond the edge; others are read where the function reads them, which
    is None if it pads with a constant.
    """
    if field.dim is None or field.dim < x.dim() - len(amounts) // 2:
        return field
    first = 2 * (x.dim() - 1 - field.dim)
    before, length = amounts[first], x.shape[field.dim]
    outputs = before + length + amounts[first + 1]
    field = field.unpacked(length)
    if function is None or isinstance(field.units, ReceptiveField):
        return field.window(length, outputs, 1, 1, before, 1)
    return _moved(field, x.shape, function)[0]


@_rule("glu")
def gated_linear_unit(operation: Operation, fields: InputFields) -> Field:
    """Gated linear unit: each output depends on a number in both halves of a dimension."""
    x, field = operation["self"], fields.require(operation["self"])
    if field.dim is None or field.dim != operation["dim"] % x.dim():
        return field
    half = x.shape[field.dim] // 2
    return field.window(2 * half, half, 2, 1, 0, half)


@_rule("pixel_unshuffle")
def pixel_unshuffle(operation: Operation, fields: InputFields) -> Field:
    """Inverse of a pixel shuffle: each output is one of a window."""
    x, factor = operation["self"], operation["downscale_factor"]
    field = fields.require(x)
    if field.dim == x.dim() - 3:
        raise UnknownFieldError("the channels follow an axis of the image")
    return _slide(operation, x, field, 2, factor, factor)


@_rule("im2col")
def unfold(operation: Operation, fields: InputFields) -> Field:
    """Unfolding: the last dimension of the output holds the windows row by row."""
    x = operation["self"]
    field = fields.require(x)
    if field.dim is None:
        return field
    axis = field.dim - (x.dim() - 2)
    if axis < 0:
        raise UnknownFieldError("the channels follow an axis of the image")
    names = ("kernel_size", "stride", "padding", "dilation")
    arguments = [tuple(operation[name]) for name in names]
    counts = conv2d_output_size(tuple(x.shape[-2:]), *arguments)
    window = (values[axis] for values in arguments)
    moved = field.window(x.shape[field.dim], counts[axis], *window)
    if isinstance(moved, NoField):
        return moved
    if moved.dim is None:
        return moved
    return replace(moved, dim=x.dim() - 2, inner_size=1 if axis else counts[1])


@_rule(
    *(f"upsample_nearest{rank}d" for rank in (1, 2, 3)),
    *(f"_upsample_nearest_exact{rank}d" for rank in (1, 2, 3)),
    "upsample_linear1d", "upsample_bilinear2d", "upsample_trilinear3d",
)  # fmt: skip
def interpolation(operation: Operation, fields: InputFields) -> Field:
    """Interpolation: each output depends on the nearest cell, or on the two around its place."""
    x = operation["self"]
    field = fields.require(x)
    if field.dim is None or field.dim < 2:
        return field
    length, outputs = x.shape[field.dim], operation.output.shape[field.dim]
    scales = [value for name, value in operation.arguments.items() if name.startswith("scales")]
    scale = scales[field.dim - 2]
    # Interpolated, the indices of the cells are the places of the outputs.
    indices = torch.arange(length, dtype=torch.float64, device="cpu").reshape(1, 1, -1)
    aten = torch.ops.aten
    if "linear" in operation.name:
        places = aten.upsample_linear1d(indices, [outputs], operation["align_corners"], scale)
    else:
        places = getattr(aten, f"{operation.name[:-2]}1d")(indices, [outputs], scale)
    # A place within rounding of a cell depends on that cell alone.
    places = places.ravel().tolist()
    return field.gather(length, ((floor(p + 1e-4), ceil(p - 1e-4)) for p in places))


# The rules of operations that multiply: their cost is not 0.
PRODUCTS = {matrix_product, attention, convolution}


# Operations that move elements and compute nothing.


@_rule(
    "view", "_unsafe_view", "_reshape_alias", "view_copy", "_reshape_copy", "unsqueeze", "squeeze",
    "permute", "transpose", "t", "slice", "select", "unbind", "split", "split_with_sizes",
    "unsafe_split", "unsafe_split_with_sizes", "chunk", "flip", "repeat", "roll", "index",
    "index_select", "channel_shuffle", "native_channel_shuffle", "pixel_shuffle",
)  # fmt: skip
def movement(operation: Operation, fields: InputFields) -> list[Field]:
    """Movement of elements: the operation moves the numbers of their units alike."""
    x, func = operation["self"], operation.func
    others = [y for y in operation.inputs if y is not x]
    known = [y.dtype == torch.int64 and y.dim() == 1 and not y.is_meta for y in others]
    if len(others) > 1 or not all(known) or any(map(fields.get, others)):
        raise UnknownFieldError("the indices are not those of one dimension, or not known")
    if "dtype" in operation.arguments or torch.Tag.inplace_view in getattr(func, "tags", ()):
        raise UnknownFieldError("elements are split or joined, or the shape before is not known")
    device = others[0].device if others else "cpu"
    args, kwargs = operation.args[1:], operation.kwargs
    field = fields.require(x)
    if field.dim is None:
        return [field] * len(operation.outputs)
    return _moved(field, x.shape, lambda numbers: func(numbers.to(device), *args, **kwargs))


def _moved(
    field: AxisField, shape: Sequence[int], function: Callable[[Tensor], Any]
) -> list[Field]:
    """Return the fields of what a function, which moves elements, makes of a tensor."""
    assert field.dim is not None, "a dimension has units"
    indices = torch.arange(shape[field.dim], dtype=torch.float32, device="cpu")
    numbers = indices.div(field.inner_size, rounding_mode="floor") % field.num_units
    numbers = numbers.view(-1, *[1] * (len(shape) - 1 - field.dim)).expand(shape)
    try:
        results = function(numbers)
    except RuntimeError:  # the strides of the tensor itself allow a view
        results = function(numbers.contiguous())
    return [_field_of(result, field) for result in tensors_in(results)]


def _field_of(numbers: Tensor, field: AxisField) -> Field:
    """Return the field of elements that are those of the units of `field` with these numbers."""
    if not numbers.numel():
        return NoField.INDEPENDENT
    shape, strides = numbers.shape, numbers.stride()
    dims = [dim for dim, size in enumerate(shape) if size > 1 and strides[dim]]
    dims = [dim for dim in dims if bool((numbers != numbers.narrow(dim, 0, 1)).any())]
    if len(dims) > 1:
        raise UnknownFieldError("several dimensions follow the same axis of the image")
    dim = dims[0] if dims else 0
    line = numbers[tuple(slice(None) if d == dim else 0 for d in range(len(shape)))]
    units = list(map(int, line.reshape(-1).tolist()))
    inner_size = next((i for i, unit in enumerate(units) if unit != units[0]), len(units))
    packed = [i // inner_size % field.num_units for i in range(len(units))]
    if dims and units == packed and len(units) % (inner_size * field.num_units) == 0:
        return replace(field, dim=dim, inner_size=inner_size)
    return AxisField.from_intervals(dim, map(field.interval, units))


@_rule("as_strided")
def as_strided(operation: Operation, fields: InputFields) -> Field:
    """Change of strides, as by the global pooling of a tensor in channels-last format."""
    x = operation["self"]
    field = fields.require(x)
    if field.dim is not None or x.untyped_storage().nbytes() != x.numel() * x.element_size():
        raise UnknownFieldError("elements with other fields may take part")
    return field


@_rule("cat", "stack")
def cat(operation: Operation, fields: InputFields) -> Field:
    """Concatenation: tensors one after the other along a dimension, at the same places else."""
    shape = operation.output.shape
    dim, is_stack = operation["dim"] % len(shape), operation.name == "stack"
    tensors = [x for x in operation["tensors"] if x.dim() == operation["tensors"][-1].dim()]
    joined = [fields.get(x) for x in tensors]
    if is_stack:
        joined = [
            replace(f, dim=f.dim + 1) if f and f.dim is not None and f.dim >= dim else f
            for f in joined
        ]
    if all(field is None or field.dim != dim for field in joined):
        union = _union(joined, shape)
        # Parts whose elements all have one field, such as rows one by one, may lie side by side.
        if union in joined or any(field and field.dim is not None for field in joined):
            return union
    intervals: list[Interval | None] = []
    for x, field in zip(tensors, joined, strict=True):
        if field is not None and field.dim not in (None, dim):
            raise UnknownFieldError("two dimensions follow the same axis of the image")
        length = 1 if is_stack else x.shape[dim]
        intervals += [None] * length if field is None else field.intervals(length)
    return AxisField.from_intervals(dim, intervals)
