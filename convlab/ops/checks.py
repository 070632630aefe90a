"""What an operator accepts, asked once, before anything is computed.

A check returns its argument in the form that the rest of the code expects, or raises
``TypeError`` (the wrong kind of thing) or ``ValueError`` (the right kind, a wrong
number) with the name of the argument and the numbers that clash.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any, SupportsIndex, TypeVar, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from convlab._validate import check_groups, integer

T = TypeVar("T")

FLOATS = (np.dtype(np.float32), np.dtype(np.float64))


def as_array(value: ArrayLike, name: str) -> NDArray[Any]:
    """Return `value` as an array, or say which argument could not become one."""
    if isinstance(value, np.ma.MaskedArray):
        raise TypeError(
            f"{name} is a masked array of shape {value.shape}: its mask would be lost; fill it "
            f"first, with {name}.filled(0) for example"
        )
    try:
        return np.asarray(value)
    except Exception as error:  # a ragged list, a tensor with a graph, any failing __array__
        raise TypeError(f"{name} cannot be read as an array: {error}") from error


def array_of(
    value: ArrayLike, name: str, dtypes: Sequence[np.dtype[Any]], taker: str
) -> NDArray[Any]:
    """Return `value` as an array of one of `dtypes`; `taker` tells the message who asks."""
    array = as_array(value, name)
    if array.dtype not in dtypes:
        *others, last = map(str, dtypes)
        raise TypeError(
            f"{name} has dtype {array.dtype}, shape {array.shape}: {taker} take "
            f"{', '.join(others)} or {last}; convert it, for example with "
            f"numpy.asarray({name}, numpy.float32)"
        )
    return array


def float_array(value: ArrayLike, name: str) -> NDArray[Any]:
    """Return `value` as an array of float32 or float64."""
    return array_of(value, name, FLOATS, "convolutions")


def one_or_pair(value: T) -> T | int:
    """Turn ``(n,)`` into ``n``: PyTorch's functional form lets one entry stand for both.

    Anything else is passed on for `pair` to judge.
    """
    if isinstance(value, (tuple, list)) and len(value) == 1 and hasattr(value[0], "__index__"):
        return cast(int, value[0])
    return value


def one_of(value: str, name: str, options: Iterable[str]) -> str:
    """Return `value` if it is among `options`; the message lists them otherwise."""
    names = tuple(options)
    if not isinstance(value, str) or value not in names:
        raise ValueError(f"{name} must be one of {', '.join(map(repr, names))}, got {value!r}")
    return value


def batch_of_images(
    array: NDArray[Any], name: str, least_channels: int = 1
) -> tuple[NDArray[Any], bool]:
    """Return `array` as ``(N, C, H, W)``, and whether the batch axis had to be added."""
    if array.ndim not in (3, 4):
        raise ValueError(
            f"{name} must be (N, C, H, W) or, unbatched, (C, H, W); "
            f"got {array.ndim} dimensions: {array.shape}"
        )
    if 0 in array.shape[-2:] or array.shape[-3] < least_channels:
        raise ValueError(
            f"{name} has shape {array.shape}: the batch may be empty, but "
            f"{'channels, ' if least_channels else ''}height and width must be at least 1"
        )
    unbatched = array.ndim == 3
    return (array[None] if unbatched else array), unbatched


def same_dtype(array: NDArray[Any], name: str, other: NDArray[Any], other_name: str) -> None:
    """Refuse two arrays of different dtypes."""
    if array.dtype != other.dtype:
        raise TypeError(
            f"{name} has dtype {array.dtype} and {other_name} has dtype {other.dtype}: they must "
            f"agree"
        )


def check_memory(shape: tuple[int, ...], itemsize: int, cause: str) -> None:
    """Refuse an array that no machine could hold; `cause` names the argument to blame."""
    cells = math.prod(float(max(1, size)) for size in shape)  # an empty batch hides nothing
    if cells * itemsize > np.iinfo(np.intp).max:
        raise ValueError(
            f"{cause} is too large: it would make an array of shape {shape}, more than any "
            f"memory can hold"
        )


def convolution_arrays(
    input: ArrayLike,
    weight: ArrayLike,
    bias: ArrayLike | None,
    groups: SupportsIndex,
    transposed: bool = False,
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any] | None, int, bool]:
    """Check that input, weight, bias and groups of a convolution belong together.

    With `transposed`, the weight is ``(in_channels, out_channels / groups, kH, kW)``.

    Returns
    -------
    input, weight, bias, groups, unbatched
        The input always with its batch axis; `unbatched` tells whether it was added.
        `groups` as a plain int.
    """
    x = float_array(input, "input")
    w = float_array(weight, "weight")
    b = None if bias is None else float_array(bias, "bias")
    same_dtype(x, "input", w, "weight")
    if b is not None:
        same_dtype(x, "input", b, "bias")
    batch, unbatched = batch_of_images(x, "input")
    layout = "(out_channels, in_channels / groups, kH, kW)"
    if transposed:
        layout = "(in_channels, out_channels / groups, kH, kW)"
    if w.ndim != 4 or 0 in w.shape:
        raise ValueError(f"weight must be {layout} with no size of 0, got shape {w.shape}")
    groups = integer(groups, "groups", minimum=1)
    channels = batch.shape[1]
    outs = w.shape[1] * groups if transposed else w.shape[0]
    check_groups(channels, outs, groups)
    expected = w.shape[0] if transposed else w.shape[1] * groups
    if channels != expected:
        product = "" if transposed else f"{w.shape[1]} x {groups} = "
        reminder = f"; the weight of a transposed convolution is {layout}" if transposed else ""
        raise ValueError(
            f"input of shape {x.shape} has {channels} channels, but weight of shape {w.shape} "
            f"with groups={groups} expects {product}{expected}{reminder}"
        )
    if b is not None and b.shape != (outs,):
        raise ValueError(
            f"bias must hold one number per output channel, shape ({outs},) for weight of "
            f"shape {w.shape}{f' and groups={groups}' if transposed else ''}; got shape {b.shape}"
        )
    return batch, w, b, groups, unbatched
