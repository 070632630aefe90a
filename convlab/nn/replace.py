"""Put our layer into a finished model."""

from __future__ import annotations

import warnings
from typing import TypeVar

from torch import nn
from torch.nn.utils import parametrize

from convlab.nn.layer import Conv2d

ModelT = TypeVar("ModelT", bound=nn.Module)


def replace_conv2d(model: ModelT) -> ModelT:
    """Turn every ``torch.nn.Conv2d`` of a model into `convlab.nn.Conv2d`, in place.

    Only the class of each layer changes. Weights (the same ``Parameter`` objects, so an
    optimizer keeps working), names, hooks, layers shared between several places, training
    mode, dtype, device and parametrizations stay.

    Parameters
    ----------
    model : torch.nn.Module
        Any model; a single ``torch.nn.Conv2d`` too.

    Returns
    -------
    torch.nn.Module
        `model` itself.

    Raises
    ------
    TypeError
        If `model` is not a module.
    ValueError
        If it has a ``LazyConv2d`` that has not seen an input. Nothing is replaced then.

    Warns
    -----
    UserWarning
        If it has layers of a subclass of ``torch.nn.Conv2d``. They may compute something
        else, so they stay as they are; the message names them.

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
            f"{', '.join(lazy)}: a LazyConv2d learns its in_channels from its first input; "
            f"call the model once before replacing"
        )
    for name, layer in list(layers.items()):
        ours = _our_class(type(layer))
        if ours is not None:
            # PyTorch changes the class of a living layer in the same way, where a lazy one
            # becomes an ordinary one. Both classes keep the same attributes.
            layer.__class__ = ours  # type: ignore[assignment]
            del layers[name]
    if layers:
        kinds = ", ".join(f"{name or 'model'} ({type(m).__name__})" for name, m in layers.items())
        warnings.warn(f"subclasses of torch.nn.Conv2d stay as they are: {kinds}", stacklevel=2)
    return model


def _our_class(kind: type[nn.Module]) -> type[nn.Module] | None:
    """Name the class that a layer of class `kind` gets, or None if it keeps its own."""
    if kind is nn.Conv2d:
        return Conv2d
    if kind.__bases__ == (nn.Conv2d,) and kind.__module__ == parametrize.__name__:
        # What register_parametrization makes for each layer: Conv2d, with properties in place
        # of the parameters.
        own = {key: value for key, value in vars(kind).items() if not _is_slot(key)}
        return type(kind.__name__, (Conv2d,), own)
    return None


def _is_slot(name: str) -> bool:
    return name in ("__dict__", "__weakref__")
