"""Changed copies of layers, and their exchange in a model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

_WINDOW = "kernel_size stride padding"
_CONV = f"in_channels out_channels {_WINDOW} dilation groups padding_mode"
_ARGUMENTS: dict[str, str] = {
    **{f"Conv{n}d": _CONV for n in (1, 2, 3)},
    **{f"ConvTranspose{n}d": f"{_CONV} output_padding" for n in (1, 2, 3)},
    **{f"MaxPool{n}d": f"{_WINDOW} dilation return_indices ceil_mode" for n in (1, 2, 3)},
    "AvgPool1d": f"{_WINDOW} ceil_mode count_include_pad",
    **{f"AvgPool{n}d": f"{_WINDOW} ceil_mode count_include_pad divisor_override" for n in (2, 3)},
    **{f"BatchNorm{n}d": "num_features eps momentum affine track_running_stats" for n in (1, 2, 3)},
    "Linear": "in_features out_features",
    "LayerNorm": "normalized_shape eps elementwise_affine",
    "GroupNorm": "num_groups num_channels eps affine",
}


def rebuild(layer: nn.Module, **changes: Any) -> nn.Module:
    """Return a new layer with changed arguments, and the old weights where they fit.

    The state of the random number generators is as before. Raises TypeError if the class of the
    layer is not one of PyTorch's that is known here.

    Examples
    --------
    >>> rebuild(nn.Conv2d(3, 8, 3, stride=2), in_channels=4)
    Conv2d(4, 8, kernel_size=(3, 3), stride=(2, 2))
    """
    cls: Any = layer.__class__
    names = _ARGUMENTS.get(cls.__name__)
    if names is None or cls.__module__.partition(".")[0] != "torch":
        raise TypeError(f"{cls.__name__} is not a layer of PyTorch that can be built again")
    arguments = {name: getattr(layer, name) for name in names.split()} | changes
    tensor = next(layer.parameters(), None)
    if "padding_mode" in arguments or "in_features" in arguments:
        arguments["bias"] = layer.bias is not None
    devices = []
    if tensor is not None:
        arguments |= {"device": tensor.device, "dtype": tensor.dtype}
        devices = [tensor.device] if tensor.device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        new: nn.Module = cls(**arguments)
    shapes = [[(key, x.shape) for key, x in m.state_dict().items()] for m in (layer, new)]
    if shapes[0] == shapes[1]:
        new.load_state_dict(layer.state_dict())
    new.train(layer.training)
    return new


def replace_layer(
    path: str, make: Callable[[nn.Module], nn.Module]
) -> Callable[[nn.Module, list[Any]], tuple[nn.Module, list[Any]]]:
    """Return a change that puts ``make(layer)`` in the place of the layer at a path."""

    def change(model: nn.Module, inputs: list[Any]) -> tuple[nn.Module, list[Any]]:
        if not path:
            return make(model), inputs
        parent_path, _, name = path.rpartition(".")
        parent = model.get_submodule(parent_path)
        setattr(parent, name, make(model.get_submodule(path)))
        return model, inputs

    return change


def change_layer(
    path: str, **changes: Any
) -> Callable[[nn.Module, list[Any]], tuple[nn.Module, list[Any]]]:
    """Return a change that builds the layer at a path again with other arguments."""
    return replace_layer(path, lambda layer: rebuild(layer, **changes))
