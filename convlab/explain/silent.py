"""Rules for mistakes that raise no error, each of which tells the mistake from legitimate use.

A rule looks at the arguments of one call of a function of PyTorch: at shapes, and at the names of
the nodes of the autograd graph, which say what made a tensor. It computes nothing, and keeps
nothing alive. Where autograd records nothing (``torch.no_grad``), and inside a compiled function,
the rules about predictions find nothing.
"""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Callable, Iterator
from itertools import zip_longest
from types import FrameType
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from convlab.explain.book import section
from convlab.explain.calls import Call, parse_call

# What a mistake means, in a few words.
MISTAKES: dict[str, str] = {
    "softmax_before_cross_entropy": "the loss applies the activation that the model ends with",
    "target_broadcasts": "the target of a loss is expanded to another shape",
    "maps_broadcast": "the difference of prediction and target expands both",
    "batch_as_channels": "a batch of grey images is taken for one image",
}


class SilentMistakeWarning(UserWarning):
    """Warning of a mistake in the reader's code that PyTorch computes without an error.

    `explaining` issues it, in the name of the reader's line. The text begins with ``convlab:`` and
    has the key of `MISTAKES` in brackets, the shapes, the cure, and the address of the section of
    the book.
    """


class Mistake(NamedTuple):
    """A silent mistake: a key of `MISTAKES`, the numbers that show it, and the cure."""

    name: str
    steps: list[str]
    cure: str

    def __str__(self) -> str:
        lines = [f"convlab: [{self.name}] {MISTAKES[self.name]}"]
        lines += [f"  {step}" for step in self.steps]
        return "\n".join([*lines, f"  cure: {self.cure}", f"  book: {section(self.name)}"])


Rule = Callable[[Call], "Mistake | None"]
Shape = tuple[int, ...]

# These state that the target has the shape of the input, and PyTorch warns at most in its own name.
_SAME_SHAPE = ("mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss")
_LAYERS = {"Addmm", "Addmv", "Mm", "Mv", "Linear", "Convolution", "MkldnnConvolution"}
_POINTWISE = {
    "Abs", "Add", "Clamp", "ClampMin", "Clone", "CudnnBatchNorm", "Div", "Elu", "Exp", "Gelu",
    "Hardsigmoid", "Hardtanh", "LeakyRelu", "Log", "LogSigmoid", "Mul", "NativeBatchNorm",
    "NativeDropout", "Neg", "Relu", "Sigmoid", "Silu", "Softplus", "Sub", "Tanh", "ToCopy",
}  # fmt: skip
_RESHAPE = {"View", "Squeeze", "Select", "Slice", "ReshapeAlias"}
_LAYOUT = _RESHAPE | {
    "Alias", "Clone", "Permute", "T", "ToCopy", "Transpose", "UnsafeView", "Unsqueeze",
}  # fmt: skip
_MAX_NODES = 32


def softmax_before_loss(call: Call) -> Mistake | None:
    """Find the output of a softmax in ``cross_entropy``, which applies ``log_softmax`` itself.

    The softmax must be along the axis of the classes; casts, copies, transposes and views that keep
    this axis may follow it. Legitimate are a softmax that is scaled, one whose logarithm is taken,
    since ``log_softmax`` before ``cross_entropy`` changes nothing, a softmax as the target, and
    ``nll_loss`` of a softmax, which is the expected accuracy.
    """
    x = call.input
    if x is None or x.dim() == 0:
        return None
    axis = 1 if x.dim() > 1 else 0
    if not _is_softmax(x, axis):
        return None
    classes = x.shape[axis]
    least = math.log(1 + (classes - 1) / math.e)
    return Mistake(
        "softmax_before_cross_entropy",
        [
            f"input: shape {tuple(x.shape)}, the output of a softmax: from 0 to 1",
            "cross_entropy takes the logarithm of the softmax of its input",
            f"the loss of a certain, right answer: log(1 + {classes - 1} / e) = {least:.2f}, not 0",
        ],
        "give cross_entropy the scores, without a softmax",
    )


def sigmoid_before_loss(call: Call) -> Mistake | None:
    """Find the output of a sigmoid in a loss "with logits", which applies one itself.

    Casts, copies, views and slices may follow the sigmoid. Legitimate is a sigmoid as the target,
    one that is scaled or shifted, and ``binary_cross_entropy``.
    """
    x = call.input
    kinds = () if x is None else (kind for kind, _ in _nodes(x))
    if x is None or next((kind for kind in kinds if kind not in _LAYOUT), "") != "Sigmoid":
        return None
    return Mistake(
        "softmax_before_cross_entropy",
        [
            f"input: shape {tuple(x.shape)}, the output of a sigmoid: from 0 to 1",
            "binary_cross_entropy_with_logits takes the sigmoid of its input",
            f"the loss of a certain, right 1: log(1 + 1 / e) = {math.log(1 + 1 / math.e):.2f}, "
            f"of a 0: log(2) = {math.log(2):.2f}, not 0",
        ],
        "give binary_cross_entropy_with_logits the scores, without a sigmoid",
    )


def target_broadcasts(call: Call) -> Mistake | None:
    """Find a loss whose target and input have different shapes, which broadcast.

    Both are expanded, such as (32, 1) and (32,) to (32, 32); or one of them is, in a loss that
    states that their shapes are equal. Legitimate are a single number as the target,
    ``reduction="none"``, which keeps a table of pairs, and an axis that was made for broadcasting
    by ``unsqueeze``, ``None``, ``view`` or a transpose.
    """
    x, target = call.input, call["target"]
    if x is None or type(target) not in (Tensor, nn.Parameter) or x.shape == target.shape:
        return None
    if call["reduction"] == "none" or call["reduce"] is False:
        return None
    if min(x.numel(), target.numel()) < 2 or _has_made_axes(x) or _has_made_axes(target):
        return None
    if not _both_expand(x.shape, target.shape) and call.name not in _SAME_SHAPE:
        return None
    expanded = _broadcast(x.shape, target.shape)
    return Mistake(
        "target_broadcasts",
        [
            f"{call.name}: input of shape {tuple(x.shape)}, target of shape {tuple(target.shape)}",
            f"broadcast, both have shape {expanded}: {math.prod(expanded)} differences, not "
            f"{max(x.numel(), target.numel())}",
        ],
        _cure(x, target),
    )


def maps_broadcast(call: Call) -> Mistake | None:
    """Find a difference of a prediction and its target, in a loss by hand, that expands both.

    One operand is the output of a layer, also after activations, the other one is data. One has an
    axis of length 1 that the other lacks, such as (32, 1) and (32,), or (8, 1, 64, 64) and
    (8, 64, 64); or they are maps such as 30x1 and 1x30, of four axes or more.

    The difference alone is no mistake: `explaining` warns if its square or absolute value, and
    nothing else, is averaged or summed over all axes, and names the line of the difference.
    Legitimate are therefore costs of all pairs, distances to centres and bins, thresholds and
    margins. So are a row minus a column; outer sums of data, of parameters, or of two outputs; axes
    that were made for broadcasting, as in `target_broadcasts`; and all that the ``forward`` of a
    module with parameters computes. The code of PyTorch, such as that of its distributions, is left
    alone too.
    """
    x, other = call.input, call["other"]
    if x is None or type(other) not in (Tensor, nn.Parameter):
        return None
    if x.requires_grad == other.requires_grad or not _both_expand(x.shape, other.shape):
        return None
    prediction, target = (x, other) if x.requires_grad else (other, x)
    if not _lacks_an_axis(x.shape, other.shape) and not _are_row_and_column(x.shape, other.shape):
        return None
    related = prediction.untyped_storage().data_ptr() == target.untyped_storage().data_ptr()
    if related or _has_made_axes(target) or not _is_prediction(prediction) or _is_in_a_model():
        return None
    expanded = _broadcast(x.shape, other.shape)
    return Mistake(
        "maps_broadcast",
        [
            f"prediction: shape {tuple(prediction.shape)}, target: shape {tuple(target.shape)}",
            f"the difference has shape {expanded}: {math.prod(expanded)} numbers, not "
            f"{prediction.numel()}",
        ],
        _cure(prediction, target),
    )


def is_distance(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    """Return whether a call computes the absolute value or the square of its first argument."""
    name = _bare_name(func)
    if name in ("abs", "absolute", "square"):
        return True
    other = args[1] if len(args) > 1 else kwargs.get("exponent", kwargs.get("other"))
    if name == "mul":
        return other is args[0]
    return name == "pow" and isinstance(other, int | float) and other == 2


def is_total(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    """Return whether a call computes the mean or the sum of all elements."""
    return _bare_name(func) in ("mean", "sum") and len(args) < 2 and kwargs.keys() <= {"input"}


def _bare_name(func: Any) -> str:
    return str(getattr(func, "__name__", "")).strip("_")


def _lacks_an_axis(first: Shape, second: Shape) -> bool:
    """Return whether one shape is the other one without one axis of length 1."""
    less, more = sorted((tuple(first), tuple(second)), key=len)
    return any(n == 1 and more[:i] + more[i + 1 :] == less for i, n in enumerate(more))


def _are_row_and_column(first: Shape, second: Shape) -> bool:
    """Return whether two shapes of at least four axes differ in the order of the last two."""
    one, two = tuple(first), tuple(second)
    return len(one) == len(two) > 3 and (*one[:-2], one[-1], one[-2]) == two


def batch_as_channels(shape: Shape) -> Mistake:
    """Return the mistake of a two-dimensional convolution of a batch (N, H, W) of grey images.

    A convolution takes three axes as one image (C, H, W), and nothing in the shape tells N from C.
    So the batch must be known as one: a ``DataLoader`` without worker processes has stacked it in
    the block, of items that have a number each, such as a label; and since then it has been
    converted, moved or scaled at most. All other inputs of three axes are taken for images, such as
    neighbouring slices of a volume.
    """
    return Mistake(
        "batch_as_channels",
        [
            f"input: shape {shape}, {shape[0]} items that a DataLoader has stacked",
            f"without an axis of the channels, it is one image of {shape[0]} channels",
        ],
        "add the axis of the channels, x.unsqueeze(1), with in_channels=1",
    )


RULES: dict[Any, Rule] = {
    F.cross_entropy: softmax_before_loss,
    F.binary_cross_entropy_with_logits: sigmoid_before_loss,
    **dict.fromkeys(
        (F.mse_loss, F.l1_loss, F.smooth_l1_loss, F.huber_loss, F.poisson_nll_loss, F.kl_div,
         F.gaussian_nll_loss, F.hinge_embedding_loss), target_broadcasts,
    ),
    **dict.fromkeys(
        (Tensor.sub, torch.sub, Tensor.subtract, torch.subtract, Tensor.__rsub__, torch.rsub),
        maps_broadcast,
    ),
}  # fmt: skip


def find_mistake(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Mistake | None:
    """Return the silent mistake in a call, which has run, or None.

    Examples
    --------
    >>> scores = torch.zeros(8, 10, requires_grad=True)
    >>> mistake = find_mistake(F.cross_entropy, (scores.softmax(1), torch.arange(8)), {})
    >>> print(mistake.steps[-1])
    the loss of a certain, right answer: log(1 + 9 / e) = 1.46, not 0
    """
    rule = RULES[func]
    if rule is maps_broadcast and len(args) == 2 and not kwargs:
        arguments = {"input": args[0], "other": args[1]}
        call = Call("binary", func.__name__, arguments)
    else:
        call = parse_call(func, args, kwargs)
        if not call.kind:
            names = ("input", "target")
            call = Call("loss", call.name, dict(zip(names, args, strict=False)) | kwargs)
    if type(call.input) not in (Tensor, nn.Parameter):
        return None
    return rule(call)


def _nodes(x: Tensor) -> Iterator[tuple[str, Any]]:
    """Yield the kinds of the nodes that made a tensor, and the nodes, from the last one back."""
    node = x.grad_fn
    for _ in range(_MAX_NODES):
        if node is None:
            return
        yield re.sub(r"Backward\d*$", "", node.name()), node
        earlier = [n for n, _ in node.next_functions if n is not None]
        node = next((n for n in earlier if n.next_functions), earlier[0] if earlier else None)


def _is_softmax(x: Tensor, axis: int) -> bool:
    """Return whether a tensor is a softmax along an axis, also through changes of its layout."""
    rank = x.dim()
    for kind, node in _nodes(x):
        if kind == "Softmax":
            return bool(_signed(node._saved_dim) % rank == axis)
        if kind in ("View", "UnsafeView", "ReshapeAlias"):
            shape = node._saved_self_sym_sizes
            if axis != rank - 1 or not shape or shape[-1] != node._input_metadata[0].shape[-1]:
                return False
            rank = len(shape)
            axis = rank - 1
        elif kind in ("T", "Transpose"):
            dims = (0, 1) if kind == "T" else (node._saved_dim0, node._saved_dim1)
            first, second = (_signed(dim) % rank for dim in dims)
            axis = {first: second, second: first}.get(axis, axis)
        elif kind == "Permute":
            axis = _signed(node._saved_dims[axis]) % rank
        elif kind not in ("ToCopy", "Clone"):
            return False
    return False


def _signed(number: int) -> int:
    """Return an axis that autograd may store as an unsigned number of 64 bits."""
    return number - 2**64 if number >= 2**63 else number


def _is_prediction(x: Tensor) -> bool:
    """Return whether a tensor is the output of a layer, also after activations.

    Axes may have been removed since, and none made.
    """
    for kind, node in _nodes(x):
        if kind in _LAYERS:
            return True
        if kind in _RESHAPE:
            if len(node._input_metadata[0].shape) > len(node._saved_self_sym_sizes):
                return False
        elif kind not in _POINTWISE and kind != "UnsafeView":  # of a linear layer of three axes
            return False
    return False


def _has_made_axes(x: Tensor) -> bool:
    """Return whether a tensor was given an axis, or transposed, for example by ``x[:, None]``."""
    if next((kind for kind, _ in _nodes(x)), "") in ("Unsqueeze", "T", "Transpose", "Permute"):
        return True
    base = x._base
    if base is None or x.dim() < base.dim():
        return False
    # Each axis of a slice has at most the length of that of its base.
    return x.dim() > base.dim() or any(a > b for a, b in zip(x.shape, base.shape, strict=True))


def _is_in_a_model() -> bool:
    """Return whether a module with parameters is being called, or the code is PyTorch's own."""
    frame: FrameType | None = sys._getframe(1)
    own = ("convlab.explain", "torch.overrides", "torch._tensor")
    while frame is not None and str(frame.f_globals.get("__name__")).startswith(own):
        frame = frame.f_back
    if frame is None or str(frame.f_globals.get("__name__")).startswith("torch."):
        return True
    while frame is not None:
        if frame.f_code.co_name == "_call_impl":
            module = frame.f_locals.get("self")
            if isinstance(module, nn.Module) and next(module.parameters(), None) is not None:
                return True
        frame = frame.f_back
    return False


def _both_expand(first: Shape, second: Shape) -> bool:
    """Return whether each of two shapes that broadcast is expanded by the other."""
    return _broadcast(first, second) not in (tuple(first), tuple(second))


def _broadcast(first: Shape, second: Shape) -> Shape:
    """Return the shape that two shapes broadcast to."""
    pairs = zip_longest(reversed(first), reversed(second), fillvalue=1)
    return tuple(b if a == 1 else a for a, b in pairs)[::-1]


def _cure(prediction: Tensor, target: Tensor) -> str:
    if prediction.numel() == target.numel():
        return f"give the target the shape of the prediction: .reshape({tuple(prediction.shape)})"
    return "give the target the shape of the prediction"
