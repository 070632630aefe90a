"""Modules whose attributes say more than the operations inside of them.

Circular padding copies pieces of the image to and fro, and a convolution written as a product of
matrices takes windows apart: to read the field off these operations is hard, to read it off
``kernel_size`` is not.
"""

from __future__ import annotations

from math import prod
from typing import Any

from torch import Tensor, nn

from convlab.nn import Conv2d
from convlab.shapes import conv2d_macs
from convlab.summary.traces import Sees, Trace
from convlab.summary.tracker import Seen, Sight

_TORCH = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
_CIRCULAR = (nn.CircularPad1d, nn.CircularPad2d, nn.CircularPad3d)


def _is_convolution(module: nn.Module) -> bool:
    """Whether a module computes what the attributes of a convolution say, and nothing else."""
    forward = type(module).forward
    plain = any(forward is cls.forward for cls in _TORCH) and module.padding_mode != "zeros"
    return plain or forward is Conv2d.forward


def known_macs(module: nn.Module, x: Tensor) -> int | None:
    """Return the multiply-accumulates by formula, or None to count the operations.

    Parameters
    ----------
    module : nn.Module
        The layer.
    x : tensor
        Its input.
    """
    if type(module).forward is not Conv2d.forward:
        return None
    layer: Any = module
    return prod(x.shape[:-3]) * conv2d_macs(
        tuple(x.shape[-2:]), layer.in_channels, layer.out_channels, layer.kernel_size,
        layer.stride, layer.padding, layer.dilation, layer.groups,
    )  # fmt: skip


def known_sight(module: nn.Module, x: Tensor, output: Tensor, sight: Sight) -> Sight | None:
    """Return what the output of a module sees, or None to follow the operations.

    Parameters
    ----------
    module : nn.Module
        The layer.
    x, output : tensor
        What went in and came out.
    sight : tuple
        What `x` saw.
    """
    if isinstance(module, _CIRCULAR) and type(module).forward is nn.CircularPad2d.forward:
        amounts = module.padding
        return tuple(_padded(seen, x, amounts) for seen in sight)
    if _is_convolution(module):
        return tuple(_windowed(seen, x, output, module) for seen in sight)
    return None


def _padded(seen: Seen, x: Tensor, amounts: tuple[int, ...]) -> Seen:
    if not isinstance(seen, Trace) or seen.dim is None:
        return Sees.UNKNOWN if isinstance(seen, tuple) else seen
    behind = 2 * (x.dim() - 1 - seen.dim)
    if behind >= len(amounts):
        return seen
    return seen.padded(x.shape[seen.dim], amounts[behind], amounts[behind + 1])


def _windowed(seen: Seen, x: Tensor, output: Tensor, layer: Any) -> Seen:
    if not isinstance(seen, Trace) or seen.dim is None:
        return Sees.UNKNOWN if isinstance(seen, tuple) else seen
    rank = len(layer.kernel_size)
    direction = seen.dim - (x.dim() - rank)
    if direction < 0:
        return Sees.UNKNOWN
    k, s, d = (numbers[direction] for numbers in (layer.kernel_size, layer.stride, layer.dilation))
    if layer.padding == "same":
        before = d * (k - 1) // 2
    else:
        before = 0 if layer.padding == "valid" else layer.padding[direction]
    return seen.windowed(x.shape[seen.dim], output.shape[seen.dim], k, s, before, d)
