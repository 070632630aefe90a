"""Checks of the arguments of the operators, made before anything is computed.

A check returns its argument in the form that the rest of the code expects, or raises ``TypeError``
or ``ValueError`` with the name of the argument and the numbers that do not match.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Sequence
from typing import Any, SupportsIndex, TypeVar, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from convlab._validate import check_channels, check_weight_shape

T = TypeVar("T")

FLOATS = (np.dtype(np.float32), np.dtype(np.float64))


def as_array(value: ArrayLike, name: str) -> NDArray[Any]:
    """Return `value` as an array, or raise an error that names the argument."""
    if isinstance(value, np.ma.MaskedArray):
        raise TypeError(
            f"{name} is a masked array of shape {value.shape}: its mask would be lost; fill it "
            f"first, for example with {name}.filled(0)"
        )
    try:
        return np.asarray(value)
    except Exception as error:  # a ragged list, a tensor with a graph, any failing __array__
        raise TypeError(f"{name} cannot be read as an array: {error}") from error


def array_of(
    value: ArrayLike, name: str, dtypes: Sequence[np.dtype[Any]], operators: str
) -> NDArray[Any]:
    """Return `value` as an array of one of `dtypes`; `operators` names those that need it."""
    array = as_array(value, name)
    if array.dtype not in dtypes:
        *others, last = map(str, dtypes)
        raise TypeError(
            f"{name} has dtype {array.dtype}, shape {array.shape}: {operators} take "
            f"{', '.join(others)} or {last}; convert it, for example with "
            f"numpy.asarray({name}, numpy.float32)"
        )
    return array


def float_array(value: ArrayLike, name: str) -> NDArray[Any]:
    """Return `value` as an array of float32 or float64."""
    return array_of(value, name, FLOATS, "convolutions")


def unwrap_one(value: T) -> T | int:
    """Convert ``(n,)``, which PyTorch's functions accept for height and width, to ``n``.

    Any other value is returned unchanged, to be checked by `pair`.
    """
    if isinstance(value, (tuple, list)) and len(value) == 1 and hasattr(value[0], "__index__"):
        return cast(int, value[0])
    return value


def one_of(value: str, name: str, options: Iterable[str]) -> str:
    """Return `value` if it is one of `options`; the error message lists them."""
    names = tuple(options)
    if not isinstance(value, str) or value not in names:
        raise ValueError(f"{name} must be one of {', '.join(map(repr, names))}, got {value!r}")
    return value


def batch_of_images(
    array: NDArray[Any], name: str, min_channels: int = 1
) -> tuple[NDArray[Any], bool]:
    """Return `array` as ``(N, C, H, W)``, and whether the batch axis had to be added."""
    if array.ndim not in (3, 4):
        raise ValueError(
            f"{name} must be (N, C, H, W) or, unbatched, (C, H, W); "
            f"got {array.ndim} dimensions: {array.shape}"
        )
    if 0 in array.shape[-2:] or array.shape[-3] < min_channels:
        raise ValueError(
            f"{name} has shape {array.shape}: the batch may be empty, but "
            f"{'channels, ' if min_channels else ''}height and width must be at least 1"
        )
    unbatched = array.ndim == 3
    return (array[None] if unbatched else array), unbatched


def check_same_dtype(array: NDArray[Any], name: str, other: NDArray[Any], other_name: str) -> None:
    """Check that two arrays have the same dtype."""
    if array.dtype != other.dtype:
        raise TypeError(
            f"{name} has dtype {array.dtype} and {other_name} has dtype {other.dtype}: they must "
            f"agree"
        )


def check_memory(shape: tuple[int, ...], itemsize: int, cause: str) -> None:
    """Check that an array of this shape is not too large to exist; `cause` names the argument."""
    numbers = math.prod(max(1, size) for size in shape)  # as for a batch that is not empty
    if numbers * itemsize > sys.maxsize:
        raise ValueError(
            f"{cause} is too large: it would need an array of shape {shape}, more than any "
            f"memory can hold"
        )


def convolution_arrays(
    input: ArrayLike,
    weight: ArrayLike,
    bias: ArrayLike | None,
    groups: SupportsIndex,
    transposed: bool = False,
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any] | None, int, bool]:
    """Check that input, weight, bias and groups of a convolution match.

    With `transposed`, the weight is ``(in_channels, out_channels / groups, kH, kW)``. Returns the
    three arrays, the input with a batch axis; `groups` as an int; and whether that axis was added.
    """
    x = float_array(input, "input")
    w = float_array(weight, "weight")
    b = None if bias is None else float_array(bias, "bias")
    check_same_dtype(x, "input", w, "weight")
    if b is not None:
        check_same_dtype(x, "input", b, "bias")
    batch, unbatched = batch_of_images(x, "input")
    check_weight_shape(w.shape, transposed)
    groups = check_channels(x.shape, w.shape, None if b is None else b.shape, groups, transposed)
    return batch, w, b, groups, unbatched
