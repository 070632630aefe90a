"""Swap `convlab.nn.Conv2d` into an existing model."""

from __future__ import annotations

import warnings
from typing import TypeVar

from torch import nn
from torch.nn.utils import parametrize

from convlab.nn.layer import Conv2d

ModelT = TypeVar("ModelT", bound=nn.Module)


def replace_conv2d(model: ModelT) -> ModelT:
    """Replace every ``torch.nn.Conv2d`` of a model by `convlab.nn.Conv2d`, in place, and return it.

    Only the class of each layer changes. Weights (the same ``Parameter`` objects, so an
    optimizer keeps working), names, hooks, layers that the model uses under several names,
    training mode, dtype, device and parametrizations stay.

    Parameters
    ----------
    model : torch.nn.Module
        Any model, or a single ``torch.nn.Conv2d``.

    Raises
    ------
    TypeError, ValueError
        If `model` is not a module, or has an uninitialized ``LazyConv2d``. Nothing is replaced
        then.

    Warns
    -----
    UserWarning
        If layers of a subclass of ``torch.nn.Conv2d``, which may compute something else, are not
        replaced; the message names them.

    Examples
    --------
    >>> model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU())
    >>> type(replace_conv2d(model)[0])
    <class 'convlab.nn.layer.Conv2d'>
    """
    if not isinstance(model, nn.Module):
        raise TypeError(f"model must be a torch.nn.Module, got {type(model).__name__}")
    layers = {name: m for name, m in model.named_modules() if isinstance(m, nn.Conv2d)}
    lazy = [name or "model" for name, m in layers.items() if isinstance(m, nn.LazyConv2d)]
    if lazy:
        raise ValueError(
            f"{', '.join(lazy)}: a LazyConv2d gets its in_channels from its first input; "
            f"call the model once before replacing its layers"
        )
    for name, layer in list(layers.items()):
        replacement = _replacement_class(type(layer))
        if replacement is not None:
            # PyTorch assigns __class__ in the same way when a lazy layer becomes an ordinary
            # one. Both classes have the same attributes.
            layer.__class__ = replacement  # type: ignore[assignment]
            del layers[name]
    if layers:
        names = ", ".join(f"{name or 'model'} ({type(m).__name__})" for name, m in layers.items())
        warnings.warn(f"subclasses of torch.nn.Conv2d are not replaced: {names}", stacklevel=2)
    return model


def _replacement_class(cls: type[nn.Module]) -> type[nn.Module] | None:
    """Return the class that a layer of class `cls` gets, or None if it keeps its own."""
    if cls is nn.Conv2d:
        return Conv2d
    if cls.__bases__ == (nn.Conv2d,) and cls.__module__ == parametrize.__name__:
        # register_parametrization makes a class for each layer: Conv2d, with properties in place
        # of the parameters.
        slots = ("__dict__", "__weakref__")
        attributes = {key: value for key, value in vars(cls).items() if key not in slots}
        return type(cls.__name__, (Conv2d,), attributes)
    return None
