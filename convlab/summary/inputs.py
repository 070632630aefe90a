"""The inputs of a model: make them from shapes, and find which of their axes are an image's."""

from __future__ import annotations

import re
import reprlib
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves

from convlab._validate import integer
from convlab.summary.axis_field import AxisField, TensorFields
from convlab.summary.operation import tensors_in_object
from convlab.summary.tracker import Tracker

# Classes with windows, such as ``ConvTranspose2d``, ``MaxPool1d``, ``ZeroPad2d``, by their names.
_WINDOW_CLASS = re.compile("(?:conv|transpose|pool|pad)([123])d$", re.IGNORECASE)


def given_arguments(name: str, value: Any) -> tuple[list[Any], dict[str, Any]]:
    """Return the positional and keyword arguments in the argument `name`, which holds tensors."""
    leaves = tree_leaves(value)
    if name == "input" and not all(isinstance(leaf, Tensor) for leaf in leaves):
        types = ", ".join(type(leaf).__name__ for leaf in leaves)
        raise TypeError(
            f"input must hold tensors only, or ints only, got {types}; "
            f"input_data and keyword arguments take other values too"
        )
    if isinstance(value, Tensor):
        return [value], {}
    if isinstance(value, Mapping) and tensors_in_object(value):
        return [], dict(value)
    if isinstance(value, list | tuple) and tensors_in_object(value):
        return list(value), {}
    raise TypeError(
        f"{name} must be a tensor, or a tuple or dictionary of arguments with at least one tensor, "
        f"got {type(value).__name__} {reprlib.repr(value)}"
    )


def make_inputs(
    model: nn.Module, name: str, value: Any, dtypes: Any, device: Any
) -> list[list[Tensor]]:
    """Return the inputs of the shape or shapes in the argument `name`, for each way to read it."""
    several = isinstance(value, list | tuple) and value and isinstance(value[0], list | tuple)
    named = {f"{name}[{i}]": shape for i, shape in enumerate(value)} if several else {name: value}
    shapes = [_checked_shape(*item) for item in named.items()]
    dtyped = (x for x in model.parameters() if x.is_floating_point() or x.is_complex())
    first = next(dtyped, None)
    if dtypes is None:
        dtypes = torch.get_default_dtype() if first is None else first.dtype
    if isinstance(dtypes, torch.dtype):
        dtypes = [dtypes] * len(shapes)
    if not isinstance(dtypes, list | tuple) or {*map(type, dtypes)} != {torch.dtype}:
        raise TypeError(
            f"dtype must be a torch.dtype, and dtypes a list of them, one per input, got {dtypes!r}"
        )
    if len(dtypes) != len(shapes):
        raise ValueError(
            f"dtypes must have one entry per input, of which there are {len(shapes)}, "
            f"got {len(dtypes)}"
        )
    if device is None and first is not None:
        device = first.device
    readings = [shapes]
    if name == "input" and not several:
        readings = [[shape] for shape in _possible_shapes(model, shapes[0], dtypes[0])]
    return [
        [_filled(*pair, device) for pair in zip(shapes, dtypes, strict=True)] for shapes in readings
    ]


def _checked_shape(name: str, value: Any) -> list[int]:
    """Return a shape as a list of ints; raise TypeError or ValueError if it is not one."""
    if not isinstance(value, Sequence) or isinstance(value, str) or not value:
        others = "(3, 224, 224), a tensor or a tuple of tensors"
        example = others if name == "input" else "(1, 3, 224, 224)"
        got = f"{type(value).__name__} {reprlib.repr(value)}"
        raise TypeError(f"{name} must be a tuple of ints such as {example}, got {got}")
    return [integer(size, f"{name}[{i}]", minimum=1) for i, size in enumerate(value)]


def _filled(shape: Sequence[int], dtype: torch.dtype, device: Any) -> Tensor:
    """Return ones; zeros if the numbers are integers, because these may be indices."""
    is_integer = not (dtype.is_floating_point or dtype.is_complex or dtype is torch.bool)
    make = torch.zeros if is_integer else torch.ones
    return make(tuple(shape), dtype=dtype, device=device)


def _possible_shapes(model: nn.Module, shape: list[int], dtype: torch.dtype) -> list[list[int]]:
    """Return the whole shapes that `shape` can stand for, the first that runs being right."""
    if len(shape) < 2:
        raise ValueError(
            f"input must be (C, H, W), or a whole shape with the batch first, such as "
            f"(N, C, H, W), got {tuple(shape)}"
        )
    rank, with_batch = _window_rank(model), [1, *shape]
    if len(shape) == 3 and rank == 1:  # (N, C, L), unless other operations take an image
        return [shape, with_batch]
    if len(shape) == 3:
        sequences = nn.RNNBase | nn.MultiheadAttention  # take (N, tokens, features)
        takes_sequences = any(isinstance(module, sequences) for module in model.modules())
        return [with_batch, shape] if rank is None and takes_sequences else [with_batch]
    # Models with 1-D or 3-D windows that add the channels themselves take (N, L) or (N, D, H, W).
    if rank in (1, 3) and len(shape) == rank + 1 and dtype.is_floating_point:
        return [with_batch, shape]
    return [shape]


def _window_rank(model: nn.Module) -> int | None:
    """Return the number of axes of the windows of a model: None if it has none, or they differ."""
    modules = list(model.modules())
    names = {cls.__name__ for module in modules for cls in type(module).__mro__}
    ranks = {int(match[1]) for match in map(_WINDOW_CLASS.search, names) if match}
    windows = [getattr(module, "kernel_size", None) for module in modules]  # of other classes
    ranks |= {len(window) for window in windows if isinstance(window, tuple)}
    return ranks.pop() if len(ranks) == 1 else None


def find_image(model: nn.Module, inputs: Sequence[Tensor]) -> tuple[Tensor, int]:
    """Return the first input with axes of an image, which are its last dimensions, and how many."""
    rank = _window_rank(model)
    for x in inputs:
        if rank is None and x.dim() > 3:
            return x, x.dim() - 2
        if rank is not None and x.dim() > rank:
            return x, max(rank, 2 if x.dim() > 3 else 1)
    # Three dimensions may be (C, H, W), (N, C, L) or (N, tokens, features).
    return inputs[0], 0


def input_fields(x: Tensor, image: Tensor, tracker: Tracker) -> TensorFields:
    """Return the fields of an input, which is an image if it has the size of the first image."""
    axes = range(image.dim() - len(tracker.unknown), image.dim())
    if x.dim() == image.dim() and all(x.shape[dim] == image.shape[dim] for dim in axes):
        return tuple(AxisField.of_image(dim, x.shape[dim]) for dim in axes)
    # The cells of a map of another size are not those of the image; vectors and scalars have none.
    return tracker.unknown if x.dim() > 2 or x.dim() == image.dim() else tracker.independent
