"""Changed copies of layers, and their exchange in a model."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from itertools import chain
from typing import Any

import torch
from torch import nn

# The layers of convlab take the arguments of those of PyTorch.
_PACKAGES = ("torch", "convlab")
_WINDOW = "kernel_size stride padding"
_CONV = f"in_channels out_channels {_WINDOW} dilation groups padding_mode"
_RECURRENT = "input_size hidden_size num_layers bias batch_first dropout bidirectional"
_ARGUMENTS: dict[str, str] = {
    **{f"Conv{n}d": _CONV for n in (1, 2, 3)},
    **{f"ConvTranspose{n}d": f"{_CONV} output_padding" for n in (1, 2, 3)},
    **{f"LPPool{n}d": "norm_type kernel_size stride ceil_mode" for n in (1, 2, 3)},
    "Unfold": "kernel_size dilation padding stride",
    **{f"MaxPool{n}d": f"{_WINDOW} dilation return_indices ceil_mode" for n in (1, 2, 3)},
    "AvgPool1d": f"{_WINDOW} ceil_mode count_include_pad",
    **{f"AvgPool{n}d": f"{_WINDOW} ceil_mode count_include_pad divisor_override" for n in (2, 3)},
    **{f"BatchNorm{n}d": "num_features eps momentum affine track_running_stats" for n in (1, 2, 3)},
    **{
        f"InstanceNorm{n}d": "num_features eps momentum affine track_running_stats"
        for n in (1, 2, 3)
    },
    "Linear": "in_features out_features",
    "Bilinear": "in1_features in2_features out_features",
    "PReLU": "num_parameters",
    **{f"Adaptive{kind}Pool{n}d": "output_size" for kind in ("Avg", "Max") for n in (1, 2, 3)},
    **{
        f"{kind}Pad{n}d": "padding"
        for kind in ("Reflection", "Replication", "Circular", "Zero")
        for n in (1, 2, 3)
    },
    "PixelShuffle": "upscale_factor",
    "PixelUnshuffle": "downscale_factor",
    "ChannelShuffle": "groups",
    "Flatten": "start_dim end_dim",
    "Fold": "output_size kernel_size dilation padding stride",
    "RNN": f"{_RECURRENT} nonlinearity",
    "LSTM": _RECURRENT,
    "GRU": _RECURRENT,
    "LayerNorm": "normalized_shape eps elementwise_affine",
    "RMSNorm": "normalized_shape eps elementwise_affine",
    "GroupNorm": "num_groups num_channels eps affine",
}

# Layers whose arguments are in their documentation, also where they cannot be built again.
LAYERS = (
    *(nn.modules.conv._ConvNd, nn.modules.batchnorm._NormBase, nn.Linear, nn.Bilinear),
    *(nn.LayerNorm, nn.GroupNorm, nn.RNNBase, nn.RNNCellBase, nn.MultiheadAttention),
)


def known_class(layer: nn.Module) -> Any:
    """Return the class of a layer that can be built again, that of PyTorch; None if there is none.

    A layer whose weight is computed, such as by `weight_norm`, cannot be built again.
    """
    if hasattr(layer, "parametrizations"):
        return None
    known = (cls for cls in type(layer).__mro__ if cls.__name__ in _ARGUMENTS)
    return next((cls for cls in known if cls.__module__.split(".")[0] in _PACKAGES), None)


def rebuild(layer: nn.Module, **changes: Any) -> nn.Module:
    """Return a new layer with changed arguments, and the old weights where they fit.

    Attributes and methods of a class that is derived from one of PyTorch's stay, and hooks do. The
    state of the random number generators is as before. Raises TypeError if the layer is not one
    that can be built again.

    Examples
    --------
    >>> rebuild(nn.Conv2d(3, 8, 3, stride=2), in_channels=4)
    Conv2d(4, 8, kernel_size=(3, 3), stride=(2, 2))
    """
    cls = known_class(layer)
    if cls is None:
        raise TypeError(f"{type(layer).__name__} is not a layer that can be built again")
    names = _ARGUMENTS[cls.__name__].split()
    arguments = {name: getattr(layer, name) for name in names} | changes
    tensor, devices = next(chain(layer.parameters(), layer.buffers()), None), []
    if tensor is not None:
        arguments |= {"device": tensor.device, "dtype": tensor.dtype}
        devices = [tensor.device] if tensor.device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        fresh: nn.Module = cls(**arguments)
    if fresh._parameters.keys() != layer._parameters.keys():
        raise TypeError(f"the parameters of {type(layer).__name__} are not those of {cls.__name__}")
    for name, value in layer._parameters.items():
        new_value = fresh._parameters[name]
        if value is None or new_value is None:
            fresh._parameters[name] = None  # such as a bias
        else:
            new_value.requires_grad_(value.requires_grad)
    shapes = [[(key, x.shape) for key, x in m.state_dict().items()] for m in (layer, fresh)]
    if shapes[0] == shapes[1]:
        fresh.load_state_dict(layer.state_dict())
    new = copy(layer)
    own = {name: value for name, value in vars(fresh).items() if not name.endswith("_hooks")}
    vars(new).update(own, training=layer.training)
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


def set_attribute(
    path: str, name: str, value: Any
) -> Callable[[nn.Module, list[Any]], tuple[nn.Module, list[Any]]]:
    """Return a change that sets an attribute of the layer at a path."""

    def change(model: nn.Module, inputs: list[Any]) -> tuple[nn.Module, list[Any]]:
        setattr(model.get_submodule(path), name, value)
        return model, inputs

    return change
