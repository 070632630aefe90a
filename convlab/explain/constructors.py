"""Causes of errors in the constructors of layers, and arguments with which they can be built."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from convlab.explain.findings import Finding, entries, not_integers, remainder

# By the argument that counts channels: the one that divides it.
_DIVISORS = {"num_channels": "num_groups", "embed_dim": "num_heads"}
# Arguments that must be an int; a normalized_shape may also hold several.
_INTEGERS = (
    "in_features", "out_features", "in1_features", "in2_features", "num_features", "num_channels",
    "num_embeddings", "embedding_dim", "embed_dim", "kdim", "vdim", "input_size", "hidden_size",
    "num_layers", "num_parameters",
)  # fmt: skip
_WINDOW = ("in_channels", "out_channels", "kernel_size", "stride", "padding", "dilation", "groups")
# To search for divisors.
_MOST_TRIED = 100_000


class Built(NamedTuple):
    """Why a layer cannot be built, and arguments with which it can, or an empty text."""

    finding: Finding
    fix: str


def explain_layer(arguments: Mapping[str, Any]) -> Built | None:
    """Return why a layer cannot be built with the arguments of its constructor, or None.

    Examples
    --------
    >>> explain_layer({"num_groups": 3, "num_channels": 8})  # doctest: +NORMALIZE_WHITESPACE
    Built(finding=Finding(cause='groups_do_not_divide',
          steps=['num_channels / num_groups = 8 / 3 leaves a remainder of 2']),
          fix='num_groups=2 or 4')
    >>> explain_layer({"in_features": 16.0, "out_features": 10}).fix
    'in_features=16'
    """
    if "in_channels" in arguments and "kernel_size" in arguments:
        finding = _of_convolution(arguments)
        return None if finding is None else Built(finding, _convolution_fix(finding, arguments))
    finding = _of_groups(arguments) or _of_integers(arguments)
    if finding is None:
        return None
    fixes = _integers(arguments, (*_INTEGERS, *_DIVISORS.values(), "normalized_shape"))
    for channels, groups in _DIVISORS.items():
        if isinstance(total := fixes.get(channels, arguments.get(channels)), int):
            number = fixes.get(groups, arguments.get(groups))
            if isinstance(number, int) and (number < 1 or total % number):
                fixes[groups] = _neighbours(total, number)
    return Built(finding, _text(fixes))


def _of_convolution(arguments: Mapping[str, Any]) -> Finding | None:
    if finding := not_integers({name: arguments.get(name) for name in _WINDOW}):
        return finding
    number, stride = arguments.get("groups"), arguments.get("stride", 1)
    for name in ("in_channels", "out_channels"):
        value = arguments.get(name)
        if isinstance(number, int) and isinstance(value, int) and number > 0 and value % number:
            step = remainder(f"{name} / groups = ", value, number)
            return Finding("groups_do_not_divide", [step])
    if arguments.get("padding") == "same" and any(x != 1 for x in entries(stride)):
        return Finding("same_with_stride", [f"padding = 'same', stride = {stride!r}"])
    return None


def _of_groups(arguments: Mapping[str, Any]) -> Finding | None:
    for channels, groups in _DIVISORS.items():
        total, number = arguments.get(channels), arguments.get(groups)
        if not isinstance(total, int | float) or not isinstance(number, int | float):
            continue
        if number < 1:
            return Finding("groups_do_not_divide", [f"{groups} = {number} must be at least 1"])
        if number == int(number) and total % number:
            step = remainder(f"{channels} / {groups} = ", total, number)
            return Finding("groups_do_not_divide", [step])
    return None


def _of_integers(arguments: Mapping[str, Any]) -> Finding | None:
    for name in (*_INTEGERS, *_DIVISORS.values(), "normalized_shape"):
        value = arguments.get(name, 0)
        if name in _DIVISORS.values() and isinstance(value, float) and value.is_integer():
            continue  # PyTorch takes it
        values = entries(value) if name == "normalized_shape" else (value,)
        if any(isinstance(x, float | complex | str | tuple) for x in values):
            return Finding("not_an_integer", [f"{name} = {value!r} is not an int"])
    return None


def _convolution_fix(finding: Finding, arguments: Mapping[str, Any]) -> str:
    fixes = _integers(arguments, _WINDOW)
    values = {name: fixes.get(name, arguments.get(name)) for name in _WINDOW}
    if finding.cause == "same_with_stride":
        kernels, dilations = entries(values["kernel_size"]), entries(values["dilation"] or 1)
        if all(isinstance(x, int) for x in (*kernels, *dilations)):
            dilations *= len(kernels) // len(dilations)
            pads = tuple(d * (k - 1) // 2 for k, d in zip(kernels, dilations, strict=True))
            return f"padding={_single(pads)}, or stride=1"
    before, after, number = (values[name] for name in ("in_channels", "out_channels", "groups"))
    if isinstance(number, int) and isinstance(before, int) and isinstance(after, int):
        common = math.gcd(before, after)
        if number < 1 or common % number:
            fixes["groups"] = _neighbours(common, number)
    return _text(fixes)


def _integers(arguments: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    """Return the arguments that hold floats, with ints in their place."""
    fixes = {}
    for name in names:
        numbers = entries(arguments.get(name))
        if any(isinstance(x, float) for x in numbers) and all(
            isinstance(x, int) or (isinstance(x, float) and math.isfinite(x)) for x in numbers
        ):
            fixes[name] = _single(tuple(int(x) for x in numbers))
    return fixes


def _neighbours(total: int, number: int) -> str:
    """Return the divisors on both sides of a number, the nearest; of a huge total, near ones."""
    small = range(1, min(math.isqrt(max(total, 0)), _MOST_TRIED) + 1)
    divisors = {d for n in small if total % n == 0 for d in (n, total // n)}
    below, above = [d for d in divisors if d < number], [d for d in divisors if d > number]
    neighbours = [*([max(below)] if below else []), *([min(above)] if above else [])]
    return " or ".join(map(str, neighbours))


def _single(numbers: tuple[Any, ...]) -> Any:
    """Return one number in place of several equal ones."""
    return numbers[0] if len(set(numbers)) == 1 else numbers


def _text(fixes: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={value}" for name, value in fixes.items() if value != "")
