"""Calls of PyTorch's functions, with their arguments by name."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor, nn

_WINDOW = "input kernel_size stride padding"
_SIGNATURES = {
    "conv": "input weight bias stride padding dilation groups",
    "conv_transpose": "input weight bias stride padding output_padding groups dilation",
    "linear": "input weight bias",
    "max_pool": f"{_WINDOW} dilation ceil_mode return_indices",
    "avg_pool": f"{_WINDOW} ceil_mode count_include_pad divisor_override",
    "lp_pool": "input norm_type kernel_size stride ceil_mode",
    "unfold": "input kernel_size dilation padding stride",
    "adaptive_pool": "input output_size",
    "batch_norm": "input running_mean running_var weight bias training momentum eps",
    "instance_norm": "input running_mean running_var weight bias use_input_stats momentum eps",
    "layer_norm": "input normalized_shape weight bias eps",
    "rms_norm": "input normalized_shape weight eps",
    "group_norm": "input num_groups weight bias eps",
    "prelu": "input weight",
    "bilinear": "input second weight bias",
    "pixel_shuffle": "input upscale_factor",
    "pixel_unshuffle": "input downscale_factor",
    "channel_shuffle": "input groups",
    "cat": "tensors dim",
    "stack": "tensors dim",
    "pad": "input pad mode value",
    "binary": "input other",
    "where": "condition input other",
    "matmul": "input other",
    "view": "input shape",
    "flatten": "input start_dim end_dim",
    "unflatten": "input dim sizes",
    "interpolate": "input size scale_factor mode",
    "embedding": "input weight",
    "one_hot": "input num_classes",
    "index": "input index",
    "select_indices": "input dim index",
    "cross_entropy": "input target weight size_average ignore_index reduce reduction",
    "pointwise_loss": "input target",
    "average": "input dim",
    "reduce": "input dim",
    "recurrent": "input hidden weight",
    "attention": "input key value embed_dim num_heads weight",
}
_NAMES = {
    "concat": "cat", "concatenate": "cat", "hstack": "cat", "reshape": "view",
    "mm": "matmul", "bmm": "matmul", "__getitem__": "index",
    **dict.fromkeys(("index_select", "gather", "scatter", "scatter_"), "select_indices"),
    "multi_head_attention_forward": "attention", "__matmul__": "matmul",
    "nll_loss": "cross_entropy",
    **dict.fromkeys(
        ("mean", "var", "std", "softmax", "softmin", "log_softmax", "glu"), "average",
    ),
    **dict.fromkeys(("sum", "amax", "amin", "argmax", "argmin", "cumsum"), "reduce"),
    **dict.fromkeys(("rnn_tanh_cell", "rnn_relu_cell", "lstm_cell", "gru_cell"), "recurrent"),
    **dict.fromkeys(
        ("binary_cross_entropy", "binary_cross_entropy_with_logits", "mse_loss", "l1_loss",
         "smooth_l1_loss", "huber_loss", "kl_div", "poisson_nll_loss", "soft_margin_loss",
         "multilabel_soft_margin_loss", "gaussian_nll_loss", "hinge_embedding_loss"),
        "pointwise_loss",
    ),
}  # fmt: skip
_WINDOWED = re.compile(
    r"_?(?:(adaptive)_)?(conv|conv_transpose|max_pool|avg_pool|lp_pool)([123])d(?:_with_indices)?"
)
_BINARY = re.compile(
    r"(?:__[ir]?)?(?:add|sub|mul|div|truediv|pow|remainder|maximum|minimum|eq|ne|lt|le|gt|ge)_{0,2}"
)
CONVOLUTIONS = ("conv", "conv_transpose")
POOLINGS = ("max_pool", "avg_pool", "lp_pool")


@dataclass(frozen=True)
class Call:
    """A call of a function.

    Attributes
    ----------
    kind : str
        One name for the forms of a function, such as ``"conv"`` for conv1d, conv2d and conv3d;
        empty for a function without a rule.
    name : str
        Name of the function.
    arguments : dict
        The arguments by name.
    rank : int
        Axes of the window of a convolution or pooling; 0 for other functions.
    function, args, kwargs : callable, tuple and dict
        The call itself.
    """

    kind: str
    name: str
    arguments: dict[str, Any]
    rank: int = 0
    function: Any = None
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Any:
        return self.arguments.get(name)

    @property
    def input(self) -> Tensor | None:
        """The first argument, if it is a tensor."""
        value = self.arguments.get("input")
        return value if isinstance(value, Tensor) else None

    def integers(self, name: str, default: int) -> tuple[int, ...]:
        """Return an argument as one int per axis of the window."""
        value = self.arguments.get(name)
        if value is None or value in ((), []):
            value = default
        numbers = tuple(value) if isinstance(value, tuple | list) else (value,)
        return numbers * self.rank if len(numbers) == 1 else numbers


def describe(tensor: Tensor) -> str:
    """Return shape and dtype of a tensor."""
    return f"shape {tuple(tensor.shape)}, {str(tensor.dtype).removeprefix('torch.')}"


def parse_call(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Call:
    """Return the call ``func(*args, **kwargs)``.

    Examples
    --------
    >>> import torch
    >>> call = parse_call(torch.conv2d, (torch.ones(3, 8, 8), torch.ones(4, 3, 3, 3)), {})
    >>> call.kind, call.rank, tuple(call["weight"].shape)
    ('conv', 2, (4, 3, 3, 3))
    """
    name = str(getattr(func, "__name__", ""))
    kind, rank = "", 0
    if match := _WINDOWED.fullmatch(name):
        kind, rank = "adaptive_pool" if match[1] else match[2], int(match[3])
    elif _BINARY.fullmatch(name):
        kind = "binary"
    elif func is not Tensor.unfold:
        kind = _NAMES.get(name, name if name in _SIGNATURES else "")
        rank = 2 if kind == "unfold" else 0
    names = _SIGNATURES[kind].split() if kind else [f"argument {i}" for i in range(len(args))]
    values = (args[0], args[1:]) if kind == "view" and len(args) > 2 else args
    arguments = dict(zip(names, values, strict=False)) | kwargs
    if kind in ("cat", "stack"):
        dim = arguments.get("dim", kwargs.get("axis"))
        arguments["dim"] = int(name == "hstack") if dim is None else dim
    return Call(kind, name, arguments, rank, func, args, kwargs)


def call_of_layer(module: nn.Module, args: tuple[Any, ...]) -> Call | None:
    """Return the call that a convolution layer makes with its arguments; None for other modules."""
    needed = ("weight", "in_channels", "kernel_size", "stride", "padding", "dilation", "groups")
    match = re.search(r"Conv(Transpose)?([123])d$", type(module).__name__)
    if not match or not all(hasattr(module, name) for name in needed) or not args:
        return None
    names = ("weight", "bias", "stride", "padding", "dilation", "groups", "output_padding")
    arguments = {name: getattr(module, name) for name in names if hasattr(module, name)}
    kind = "conv_transpose" if match[1] else "conv"
    return Call(kind, match[0], {"input": args[0], **arguments}, int(match[2]))
