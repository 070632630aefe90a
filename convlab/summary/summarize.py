"""From a model and the shape of its input to its summary."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from convlab._validate import integer
from convlab.summary.layers import Summary
from convlab.summary.recorder import Recorder
from convlab.summary.running import undisturbed
from convlab.summary.traces import Sees, Trace
from convlab.summary.tracker import Sight, Tracker

InputShape = Sequence[int] | Tensor | Sequence[Tensor]


def summary(
    model: nn.Module,
    input_shape: InputShape,
    *,
    dtype: torch.dtype | None = None,
    device: torch.device | str | None = None,
) -> Summary:
    """Run a model once and tell, layer by layer, what it makes of an image, and at what cost.

    Works on every ``nn.Module``, whatever its ``forward`` does: what is executed is watched, not
    what is declared. A module that runs twice has two entries; one that does not run has none.

    The receptive field follows the image through convolutions, poolings, sums and concatenations
    of branches, reshapes, normalizations and products of matrices. It is the theoretical one: the
    cells on which a unit *can* depend, all channels at its place taken together, and beyond the
    edge the cells of padding. A layer that reads only some channels of a concatenation is given the
    field of all of them, the one case in which a field can be larger than what is seen. Where an
    operation is not understood it is None, printed ``?``, and stays so until the end of the model.

    Parameters
    ----------
    model : nn.Module
        The model. It runs in evaluation mode and without gradients; its training flags, its
        buffers and the random numbers are as before when this returns or raises.
    input_shape : tuple of ints, tensor or tuple of tensors
        ``(C, H, W)``, to which a batch of one is added, or the whole shape with the batch first,
        such as ``(N, C, H, W)``, ``(N, features)`` or ``(N, C, D, H, W)``; the input is then
        filled with ones. Tensors are given to the model as they are, several as its positional
        arguments; the first must be the image.
    dtype : torch.dtype, optional
        Type of an input made from a shape; by default that of the model's first parameter.
    device : torch.device or str, optional
        Where an input made from a shape lies; by default where the model's first parameter does.

    Returns
    -------
    Summary
        The layers in the order of execution, and the totals.

    Raises
    ------
    TypeError
        If `model` is no ``nn.Module``, or `input_shape` neither ints nor tensors.
    ValueError
        If a size is below 1, fewer than two sizes are given, or the model has parameters whose
        shapes are not known before its first run (``nn.LazyConv2d``).
    RuntimeError
        If the model fails: the message says in which layer, and what it said itself.

    Notes
    -----
    Multiply-accumulates are those of convolutions, linear layers, matrix products and attention,
    as in the tables of torchvision, for the whole batch. The memory of the activations is that of
    the rows of the table; what passes in between, such as a sum with a constant, has no row.
    Numbers that leave PyTorch (``tensor.numpy()``) cannot be followed.

    Sources: Araujo, Norris and Sim, "Computing Receptive Fields of Convolutional Neural
    Networks", Distill (2019); the documentation of ``torch.utils._python_dispatch``.

    Examples
    --------
    >>> model = nn.Sequential(
    ...     nn.Conv2d(3, 8, 5, padding=2), nn.ReLU(inplace=True), nn.MaxPool2d(2),
    ...     nn.Flatten(), nn.Linear(8 * 16 * 16, 10))
    >>> found = summary(model, (3, 32, 32))
    >>> found.layers[2].name, found.layers[2].kind, found.layers[2].receptive_field.size
    ('2', 'MaxPool2d', (6, 6))
    >>> print(found)
    Sequential, input 1x3x32x32
    layer  kind       output     parameters     macs    memory  field  jump
    -----------------------------------------------------------------------
    0      Conv2d     1x8x32x32         608  614,400  32.0 KiB      5     1
    1      ReLU       1x8x32x32           0        0       0 B      5     1
    2      MaxPool2d  1x8x16x16           0        0   8.0 KiB      6     2
    3      Flatten    1x2048              0        0       0 B      6     2
    4      Linear     1x10           20,490   20,480      40 B  whole     -
    -----------------------------------------------------------------------
    parameters: 21,098 (82.4 KiB)
    multiply-accumulates: 634,880
    activations: 40.0 KiB
    """
    if not isinstance(model, nn.Module):
        raise TypeError(f"model must be an nn.Module, got {type(model).__name__}")
    if any(is_lazy(x) for x in [*model.parameters(), *model.buffers()]):
        raise ValueError("model has parameters without a shape (a lazy module): run it once before")
    inputs = _inputs(model, input_shape, dtype, device)
    tracker = Tracker(directions=max(inputs[0].dim() - 2, 0))
    for x in inputs:
        tracker.start(x, _first_sight(x, inputs[0], tracker))
    recorder = Recorder(model, tracker)
    try:
        with undisturbed(model), recorder.watching():
            model(*inputs)
    except Exception as error:
        raise RuntimeError(f"{type(error).__name__} in {recorder.place}: {error}") from error
    layers = recorder.layers(tuple(inputs[0].shape[2:]))
    parameters = list(model.parameters())
    total = sum(x.numel() for x in parameters)
    return Summary(
        type(model).__name__,
        tuple(tuple(x.shape) for x in inputs),
        layers,
        total,
        total - sum(layer.parameters for layer in layers),
        sum(x.numel() * x.element_size() for x in parameters),
    )


def _inputs(
    model: nn.Module,
    given: InputShape,
    dtype: torch.dtype | None,
    device: torch.device | str | None,
) -> list[Tensor]:
    """Return the arguments to call the model with."""
    if isinstance(given, Tensor):
        return [given]
    if not isinstance(given, Sequence) or isinstance(given, str) or not given:
        raise TypeError(
            f"input_shape must be a tuple of ints such as (3, 224, 224), a tensor or a tuple of "
            f"tensors, got {type(given).__name__} {given!r}"
        )
    values: list[Any] = list(given)
    if all(isinstance(value, Tensor) for value in values):
        # The same tensor given twice is two inputs.
        return [value if i == 0 else value.view_as(value) for i, value in enumerate(values)]
    shape = [integer(size, f"input_shape[{i}]", minimum=1) for i, size in enumerate(values)]
    if len(shape) < 2:
        raise ValueError(
            f"input_shape must be (C, H, W), or a whole shape with the batch first, such as "
            f"(N, C, H, W): got {tuple(shape)}"
        )
    first = next((x for x in model.parameters() if x.is_floating_point()), None)
    if first is not None:
        dtype, device = dtype or first.dtype, device or first.device
    return [torch.ones([1, *shape] if len(shape) == 3 else shape, dtype=dtype, device=device)]


def _first_sight(x: Tensor, image: Tensor, tracker: Tracker) -> Sight:
    """Return what an input sees: itself, if it has the size of the image."""
    if x.shape[2:] == image.shape[2:] and x.dim() == image.dim():
        return tuple(Trace.of_image(dim, x.shape[dim]) for dim in range(2, x.dim()))
    # Another map of another size has cells of its own; a vector or a number has none.
    return tracker.unknown if x.dim() > 2 else (Sees.NOTHING,) * tracker.directions
