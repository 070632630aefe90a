"""Compare an answer with the right one, and word the first difference."""

from __future__ import annotations

import math
from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

# Relative to the largest number; another order of summation makes a smaller difference. Where all
# numbers cancel out, the largest is rounding itself.
_TOLERANCE = {"float16": 1e-2, "float32": 1e-4, "float64": 1e-9}
_LEAST = 1e-3
_MAX_SHOWN = 24


def difference(given: Any, right: Any) -> str | None:
    """Return what is wrong with an answer in one sentence, or None if it is right.

    Types, shapes and dtypes are compared strictly; but a list passes for a tuple, and a tensor of
    PyTorch or nested lists pass for an array.

    Examples
    --------
    >>> difference([3, 4], (3, 4)) is None
    True
    >>> difference(2.5, 2)
    'yours is 2.5, a float; right is 2, an int'
    >>> difference(np.zeros((2, 3)), np.zeros((3, 2)))
    'yours has the shape (2, 3); right is (3, 2)'
    """
    if given is None and right is not None:
        return _state_both(given, right)
    if hasattr(given, "detach"):
        if given.requires_grad and not isinstance(right, np.ndarray):
            return "yours is a tensor that still holds its graph; .item() makes a number of it"
        given = given.detach().cpu().numpy()
    if isinstance(right, np.ndarray):
        return _compare_arrays(given, right)
    if isinstance(right, tuple | list):
        return _compare_sequences(given, right)
    if isinstance(given, np.ndarray | np.generic) and given.ndim == 0:
        given = given.item()
    return None if _same_value(given, right) else _state_both(given, right)


def _same_value(given: Any, right: Any) -> bool:
    if isinstance(right, bool | str) or not isinstance(right, Real):
        return type(given) is type(right) and bool(given == right)
    if isinstance(given, bool) or not isinstance(given, Real):
        return False
    if isinstance(right, Integral):
        return isinstance(given, Integral) and given == right
    both_nan = math.isnan(given) and math.isnan(right)
    return both_nan or math.isclose(given, right, rel_tol=1e-6, abs_tol=1e-12)


def _state_both(given: Any, right: Any) -> str:
    """Return a sentence with both values, and their types if these differ."""
    if given is None:
        return f"yours is None, as of a function without `return`; right is {show(right)}"
    if type(given) is type(right):
        return f"yours is {show(given)}; right is {show(right)}"
    return f"yours is {show(given)}, {_type(given)}; right is {show(right)}, {_type(right)}"


def _type(value: Any) -> str:
    name = type(value).__name__
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"


def _compare_sequences(given: Any, right: Sequence[Any]) -> str | None:
    if isinstance(given, np.ndarray) and given.ndim > 0:
        given = tuple(given)
    if not isinstance(given, tuple | list):
        return _state_both(given, right)
    if len(given) != len(right):
        entries = "1 entry" if len(given) == 1 else f"{len(given)} entries"
        return f"yours has {entries}; right are {len(right)}"
    for index, (one, other) in enumerate(zip(given, right, strict=True)):
        if found := difference(one, other):
            is_nested = isinstance(other, np.ndarray | tuple | list)
            only_types_differ = show(list(given)) == show(list(right))
            if not is_nested and not only_types_differ:
                return f"yours is {show(given)}; right is {show(right)}"
            return f"entry {index}: {found}"
    return None


def _compare_arrays(given: Any, right: NDArray[Any]) -> str | None:
    is_list = isinstance(given, tuple | list)
    try:
        array = np.asarray(given)
    except (ValueError, TypeError, RuntimeError):  # such as a tuple of tensors with a graph
        is_ragged = is_list and not any(hasattr(entry, "detach") for entry in given)
        kind = "of lists that differ in length" if is_ragged else "that is not an array"
        return f"yours is {_type(given)} {kind}; right is an array of shape {right.shape}"
    if array.dtype.kind not in "biufc" or (array.ndim == 0 and right.ndim > 0):
        return f"yours is {show(given)}, {_type(given)}; right is an array of shape {right.shape}"
    if array.shape != right.shape:
        return f"yours has the shape {array.shape}; right is {right.shape}"
    if array.dtype != right.dtype and not is_list:
        return f"yours has the dtype {array.dtype}; right is {right.dtype}"
    wrong = ~_close(array, right)
    if not wrong.any():
        return None
    index = tuple(int(i) for i in np.argwhere(wrong)[0])
    place = f"[{', '.join(map(str, index))}]"
    count = f"{int(wrong.sum())} of {wrong.size} elements differ; " if wrong.size > 1 else ""
    return f"{count}yours{place} is {show(array[index])}, right is {show(right[index])}"


def _close(given: NDArray[Any], right: NDArray[Any]) -> NDArray[np.bool_]:
    if right.dtype.kind != "f":
        return np.asarray(given == right)
    largest = float(np.max(np.abs(right[np.isfinite(right)]), initial=0))
    tolerance = _TOLERANCE.get(str(right.dtype), 1e-9) * max(largest, _LEAST)
    with np.errstate(invalid="ignore"):
        near = np.abs(given - right) <= tolerance
    return np.asarray(near | (given == right) | (np.isnan(given) & np.isnan(right)))


def show(value: Any) -> str:
    """Return a value as a learner would write it; of a large array, the shape.

    Examples
    --------
    >>> show(np.float64(0.1) * 3), show(np.arange(4.0).reshape(2, 2)), show((1, None))
    ('0.3', '[[0, 1], [2, 3]]', '(1, None)')
    """
    if hasattr(value, "detach"):
        value = value.detach().cpu().numpy()
    if isinstance(value, np.ndarray):
        if value.size > _MAX_SHOWN:
            return f"array of shape {value.shape}"
        return _show_nested(value.tolist())
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, tuple | list):
        text = ", ".join(map(show, value))
        comma = "," if isinstance(value, tuple) and len(value) == 1 else ""
        return f"[{text}]" if isinstance(value, list) else f"({text}{comma})"
    text = repr(value)
    return text if len(text) <= 200 else f"{text[:200]}..."


def _show_nested(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_show_nested, value))}]"
    return show(value)
