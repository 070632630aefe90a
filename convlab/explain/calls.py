"""Calls of PyTorch's functions, with their arguments by name."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

_WINDOW = "input kernel_size stride padding"
_SIGNATURES = {
    "conv": "input weight bias stride padding dilation groups",
    "conv_transpose": "input weight bias stride padding output_padding groups dilation",
    "linear": "input weight bias",
    "max_pool": f"{_WINDOW} dilation ceil_mode return_indices",
    "avg_pool": f"{_WINDOW} ceil_mode count_include_pad divisor_override",
    "adaptive_pool": "input output_size",
    "batch_norm": "input running_mean running_var weight bias training momentum eps",
    "layer_norm": "input normalized_shape weight bias eps",
    "group_norm": "input num_groups weight bias eps",
    "cat": "tensors dim",
    "stack": "tensors dim",
    "pad": "input pad mode value",
    "binary": "input other",
    "matmul": "input other",
    "view": "input shape",
    "flatten": "input start_dim end_dim",
    "embedding": "input weight",
    "cross_entropy": "input target weight size_average ignore_index reduce reduction",
    "pointwise_loss": "input target",
    "average": "input",
    "recurrent": "input hidden weight",
    "attention": "input key value embed_dim num_heads weight",
}
_NAMES = {
    "concat": "cat", "concatenate": "cat", "reshape": "view", "mm": "matmul", "bmm": "matmul",
    "multi_head_attention_forward": "attention", "__matmul__": "matmul",
    "nll_loss": "cross_entropy",
    **dict.fromkeys(
        ("mean", "var", "std", "softmax", "log_softmax", "glu", "instance_norm"), "average",
    ),
    **dict.fromkeys(("rnn_tanh_cell", "rnn_relu_cell", "lstm_cell", "gru_cell"), "recurrent"),
    **dict.fromkeys(
        ("binary_cross_entropy", "binary_cross_entropy_with_logits", "mse_loss", "l1_loss",
         "smooth_l1_loss", "huber_loss"), "pointwise_loss",
    ),
}  # fmt: skip
_WINDOWED = re.compile(
    r"_?(?:(adaptive)_)?(conv|conv_transpose|max_pool|avg_pool)([123])d(?:_with_indices)?"
)
_BINARY = re.compile(r"(?:__[ir]?)?(?:add|sub|mul|div|truediv)_{0,2}")
CONVOLUTIONS = ("conv", "conv_transpose")
POOLINGS = ("max_pool", "avg_pool")


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
    """

    kind: str
    name: str
    arguments: dict[str, Any]
    rank: int = 0

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
        if value is None or value == ():
            value = default
        numbers = tuple(value) if isinstance(value, tuple | list) else (value,)
        return numbers * self.rank if len(numbers) == 1 else numbers


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
    rank = 0
    if match := _WINDOWED.fullmatch(name):
        kind, rank = "adaptive_pool" if match[1] else match[2], int(match[3])
    elif _BINARY.fullmatch(name):
        kind = "binary"
    else:
        kind = _NAMES.get(name, name if name in _SIGNATURES else "")
    if kind == "view" and len(args) > 2:
        args = (args[0], args[1:])
    names = _SIGNATURES[kind].split() if kind else [f"argument {i}" for i in range(len(args))]
    arguments = dict(zip(names, args, strict=False)) | kwargs
    if kind in ("cat", "stack"):
        dim = arguments.get("dim", kwargs.get("axis"))
        arguments["dim"] = 0 if dim is None else dim
    return Call(kind, name, arguments, rank)


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
