"""Causes of errors that a module of PyTorch raises itself, before it calls a function."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from convlab.explain.dtypes import describe
from convlab.explain.windows import Finding
from convlab.shapes import conv_transpose2d_output_size

# The numbers of axes that layers take.
_RANKS: dict[type[nn.Module], tuple[int, ...]] = {
    nn.BatchNorm1d: (2, 3),
    nn.BatchNorm2d: (4,),
    nn.BatchNorm3d: (5,),
    nn.InstanceNorm1d: (2, 3),
    nn.InstanceNorm2d: (3, 4),
    nn.InstanceNorm3d: (4, 5),
    nn.RNNBase: (2, 3),
}


def explain_module(
    module: Any, inputs: tuple[Any, ...], keywords: dict[str, Any]
) -> Finding | None:
    """Return the cause of an error that a module raises itself; None if it is not recognized."""
    x = next(iter(inputs), None)
    if not isinstance(x, Tensor):
        return None
    for cls, allowed in _RANKS.items():
        if isinstance(module, cls) and x.dim() not in allowed:
            step = f"input: shape {tuple(x.shape)} has {x.dim()} axes"
            numbers = " or ".join(map(str, allowed))
            cause = "missing_axis" if x.dim() < min(allowed) else "extra_axis"
            return Finding(cause, [step, f"{type(module).__name__} takes {numbers}"])
    if isinstance(module, nn.modules.conv._ConvTransposeNd):
        requested = next(iter(inputs[1:]), keywords.get("output_size"))
        return _requested_size(module, x, requested)
    if isinstance(module, nn.modules.instancenorm._InstanceNorm):
        return _instance_norm(module, x)
    if isinstance(module, nn.RNNBase):
        return _recurrent(module, x)
    return None


def _instance_norm(module: Any, x: Tensor) -> Finding | None:
    ranks = next(ranks for cls, ranks in _RANKS.items() if isinstance(module, cls))
    channels = x.shape[-ranks[0]]
    if channels == module.num_features:
        return None
    steps = [f"input: shape {tuple(x.shape)} has {channels} channels"]
    return Finding("batchnorm_channels", [*steps, f"num_features = {module.num_features}"])


def _recurrent(module: Any, x: Tensor) -> Finding | None:
    weight = next(module.parameters())
    if x.dtype != weight.dtype:
        steps = [f"input: {describe(x)}", f"weight: {describe(weight)}"]
        return Finding("dtype_mismatch" if x.is_floating_point() else "integer_image", steps)
    if x.shape[-1] == module.input_size:
        return None
    steps = [f"input: shape {tuple(x.shape)} has {x.shape[-1]} features, its last axis"]
    return Finding("features", [*steps, f"input_size = {module.input_size}"])


def _requested_size(module: Any, x: Tensor, requested: Any) -> Finding | None:
    rank = len(module.kernel_size)
    if not isinstance(requested, tuple | list) or len(requested) not in (rank, x.dim()):
        return None
    steps = []
    for axis, size in enumerate(requested[-rank:]):
        window = (module.kernel_size, module.stride, module.padding, (0,) * rank, module.dilation)
        arguments = [x.shape[axis - rank], *(values[axis] for values in window)]
        least, _ = conv_transpose2d_output_size(*arguments)
        most = least + module.stride[axis] - 1
        if not least <= size <= most:
            steps.append(f"axis {axis} of output_size: {size} is not in {least} to {most}")
    return Finding("transposed_size", steps) if steps else None
