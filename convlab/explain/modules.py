"""Causes of errors that a module of PyTorch raises itself, before it calls a function."""

from __future__ import annotations

import inspect
from typing import Any

from torch import Tensor, nn

from convlab.explain.calls import describe
from convlab.explain.features import last_axis
from convlab.explain.findings import LAYOUTS, Finding, has, not_integers, number_of_axes
from convlab.shapes import conv_transpose2d_output_size

_LAYOUTS: dict[type[nn.Module], tuple[str, ...]] = {
    nn.BatchNorm1d: ("(N, C)", "(N, C, L)"),
    nn.BatchNorm2d: LAYOUTS[2][1:],
    nn.BatchNorm3d: LAYOUTS[3][1:],
    nn.InstanceNorm1d: LAYOUTS[1],
    nn.InstanceNorm2d: LAYOUTS[2],
    nn.InstanceNorm3d: LAYOUTS[3],
    nn.RNNBase: ("(L, features)", "(L, N, features)"),
}
# Arguments of layers that must be ints, or tuples of ints.
INTEGERS = (
    "kernel_size", "stride", "padding", "output_padding", "dilation", "groups", "output_size",
    "size", "upscale_factor", "downscale_factor", "num_groups", "num_heads", "start_dim", "end_dim",
)  # fmt: skip


def explain_module(
    module: Any, inputs: tuple[Any, ...], keywords: dict[str, Any]
) -> Finding | None:
    """Return the cause of an error that a module raises itself; None if it is not recognized."""
    finding = _signature(module, inputs, keywords)
    x = next(iter(inputs), None)
    if not isinstance(x, Tensor):
        return finding
    for cls, layouts in _LAYOUTS.items():
        if isinstance(module, cls):
            finding = finding or number_of_axes(x, type(module).__name__, layouts)
    if finding:
        return finding
    if isinstance(module, nn.modules.conv._ConvTransposeNd):
        requested = next(iter(inputs[1:]), keywords.get("output_size"))
        return _requested_size(module, x, requested)
    if isinstance(module, nn.modules.instancenorm._InstanceNorm):
        return _instance_norm(module, x)
    if isinstance(module, nn.RNNBase):
        return _recurrent(module, x)
    return None


def float_argument(module: nn.Module) -> Finding | None:
    """Return the finding if a layer of PyTorch has a float where it needs an int."""
    if not type(module).__module__.startswith("torch.nn."):
        return None
    return not_integers({name: getattr(module, name, None) for name in INTEGERS})


def _signature(
    module: nn.Module, inputs: tuple[Any, ...], keywords: dict[str, Any]
) -> Finding | None:
    """Return the finding if a module is called with too few arguments, or too many."""
    signature = inspect.signature(module.forward)
    try:
        signature.bind(*inputs, **keywords)
    except TypeError as error:
        step = f"{type(module).__name__}.forward({', '.join(signature.parameters)}): {error}"
        return Finding("unknown", [step, f"number of arguments: {len(inputs) + len(keywords)}"])
    return None


def _instance_norm(module: Any, x: Tensor) -> Finding | None:
    layouts = next(layouts for cls, layouts in _LAYOUTS.items() if isinstance(module, cls))
    channels = x.shape[-layouts[0].count(",") - 1]
    if channels == module.num_features:
        return None
    steps = [has(x, channels, "channels"), f"num_features = {module.num_features}"]
    return Finding("batchnorm_channels", steps)


def _recurrent(module: Any, x: Tensor) -> Finding | None:
    weight = next(module.parameters())
    if x.dtype != weight.dtype:
        steps = [f"input: {describe(x)}", f"weight: {describe(weight)}"]
        return Finding("dtype_mismatch" if x.is_floating_point() else "integer_image", steps)
    return last_axis(x, "input_size", module.input_size)


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
