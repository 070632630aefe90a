"""Derive the field and the cost of a module from its attributes, not from its operations.

Circular padding is executed as copies of parts of the image, and the convolution of `convlab.nn`
as a product of matrices.
"""

from __future__ import annotations

from math import prod
from typing import Any

from torch import Tensor, nn

from convlab.nn import Conv2d
from convlab.shapes import conv2d_macs
from convlab.summary.axis_field import AxisField, Field, NoField, TensorFields
from convlab.summary.operation_rules import pad

_TORCH_CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
_CIRCULAR_PADS = (nn.CircularPad1d, nn.CircularPad2d, nn.CircularPad3d)


def module_macs(module: nn.Module, x: Tensor) -> int | None:
    """Count the multiply-accumulates of a module with input `x`; None to count its operations."""
    if type(module).forward is not Conv2d.forward:
        return None
    layer: Any = module
    return prod(x.shape[:-3]) * conv2d_macs(
        tuple(x.shape[-2:]), layer.in_channels, layer.out_channels, layer.kernel_size,
        layer.stride, layer.padding, layer.dilation, layer.groups,
    )  # fmt: skip


def module_fields(
    module: nn.Module, x: Tensor, output: Tensor, fields: TensorFields
) -> TensorFields | None:
    """Return the fields of the output, from those of `x`; None to keep those of the operations."""
    forward = type(module).forward
    if isinstance(module, _CIRCULAR_PADS) and forward is nn.CircularPad2d.forward:
        amounts: Any = module.padding
        return tuple(pad(f, x, amounts) if isinstance(f, AxisField) else f for f in fields)
    padded = module.padding_mode != "zeros" if isinstance(module, _TORCH_CONVOLUTIONS) else False
    if forward is Conv2d.forward or (
        padded and any(forward is cls.forward for cls in _TORCH_CONVOLUTIONS)
    ):
        return tuple(_convolved(field, x, output, module) for field in fields)
    return None


def _convolved(field: Field, x: Tensor, output: Tensor, layer: Any) -> Field:
    """Return the field of the output of a convolution."""
    if isinstance(field, NoField) or field.dim is None:
        return field
    axis = field.dim - (x.dim() - len(layer.kernel_size))
    if axis < 0:
        return NoField.UNKNOWN
    kernel, dilation = layer.kernel_size[axis], layer.dilation[axis]
    if layer.padding == "same":
        before = dilation * (kernel - 1) // 2
    else:
        before = 0 if layer.padding == "valid" else layer.padding[axis]
    lengths = x.shape[field.dim], output.shape[field.dim]
    return field.window(*lengths, kernel, layer.stride[axis], before, dilation)
