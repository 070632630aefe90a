"""Differences between a state_dict and a model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

from torch import nn

from convlab._model_state import copy_model
from convlab.explain.explanation import Fix
from convlab.explain.findings import Finding

_MAX_LINES = 5
# What wrappers for parallel training and compilation put before each key.
_PREFIXES = ("module.", "_orig_mod.", "model.")
# Keys under which training programs save the state_dict of the model, beside others.
_WITHIN = ("state_dict", "model_state_dict", "model")


class Differences(NamedTuple):
    """Keys of the model that are missing, keys that it does not have, and keys of other shapes."""

    missing: list[str]
    unexpected: list[str]
    shapes: list[str]


def differences(module: nn.Module, values: Mapping[str, Any]) -> Differences:
    """Return the keys in which a state_dict and that of a module differ."""
    own = module.state_dict()
    return Differences(
        [key for key in own if key not in values],
        [key for key in values if key not in own],
        [
            key
            for key, value in own.items()
            if key in values
            and getattr(values[key], "shape", None) != getattr(value, "shape", None)
        ],
    )


def explain_state_dict(module: nn.Module, values: Mapping[str, Any]) -> Finding | None:
    """Return what is different between a state_dict and that of a module; None if nothing is.

    Examples
    --------
    >>> finding = explain_state_dict(nn.Linear(3, 2), {"module.weight": 0, "module.bias": 0})
    >>> finding.steps[-1]
    "without its prefix 'module.', every key fits"
    """
    own = module.state_dict()
    missing, unexpected, shapes = differences(module, values)
    steps = [f"missing in the state_dict: {key}" for key in missing[:_MAX_LINES]]
    steps += _more(missing)
    steps += [f"not in the model: {key}" for key in unexpected[:_MAX_LINES]]
    steps += _more(unexpected)
    steps += [
        f"{key}: shape {tuple(values[key].shape)}, in the model {tuple(own[key].shape)}"
        for key in shapes[:_MAX_LINES]
    ]
    steps += _more(shapes)
    for prefix in _PREFIXES:
        if missing and {f"{prefix}{key}" for key in own} == {*values}:
            steps.append(f"without its prefix {prefix!r}, every key fits")
        if missing and {key.removeprefix(prefix) for key in own} == {*values}:
            steps.append(f"with the prefix {prefix!r}, every key fits")
    return Finding("state_dict_mismatch", steps) if steps else None


def state_dict_fixes(module: nn.Module, values: Mapping[str, Any]) -> list[Fix]:
    """Return changes of a state_dict after which the module loads it.

    ``fix.apply(module, state_dict)`` returns a copy of the module, with the values loaded, and the
    changed state_dict in a tuple.

    Examples
    --------
    >>> layer = nn.Linear(3, 2)
    >>> values = {f"module.{key}": value for key, value in layer.state_dict().items()}
    >>> fix = state_dict_fixes(layer, values)[0]
    >>> fix.text
    "remove the prefix 'module.' of the keys"
    >>> list(fix.apply(layer, values)[1][0])
    ['weight', 'bias']
    """
    changes: dict[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {}
    for key in _WITHIN:
        if isinstance(values.get(key), Mapping):
            changes[f"load what the key {key!r} holds: values[{key!r}]"] = partial(_at, key)
    for prefix in _PREFIXES:
        changes[f"remove the prefix {prefix!r} of the keys"] = partial(_without, prefix)
        changes[f"add the prefix {prefix!r} to the keys"] = partial(_with, prefix)
    for text, change in changes.items():
        if not any(differences(module, change(values))):
            return [Fix(text, _loading(change, strict=True))]
    missing, unexpected, shapes = differences(module, values)
    if len(missing) + len(shapes) >= len(module.state_dict()) / 2:
        return []
    other = {*unexpected, *shapes}
    names = ", ".join([*missing, *shapes][:_MAX_LINES] + _more([*missing, *shapes]))
    text = f"leave {names} as they are: drop what does not fit, load_state_dict(..., strict=False)"

    def kept(values: Mapping[str, Any]) -> dict[str, Any]:
        return {key: value for key, value in values.items() if key not in other}

    return [Fix(text, _loading(kept, strict=False))]


def _at(key: str, values: Mapping[str, Any]) -> dict[str, Any]:
    return dict(values[key])


def _without(prefix: str, values: Mapping[str, Any]) -> dict[str, Any]:
    return {key.removeprefix(prefix): value for key, value in values.items()}


def _with(prefix: str, values: Mapping[str, Any]) -> dict[str, Any]:
    return {prefix + key: value for key, value in values.items()}


def _loading(
    change: Callable[[Mapping[str, Any]], dict[str, Any]], strict: bool
) -> Callable[[nn.Module, Any], tuple[nn.Module, tuple[Any, ...]]]:
    def apply(module: nn.Module, values: Any) -> tuple[nn.Module, tuple[Any, ...]]:
        new, changed = copy_model(module), change(values)
        new.load_state_dict(changed, strict=strict)
        return new, (changed,)

    return apply


def _more(keys: list[str]) -> list[str]:
    return [f"and {len(keys) - _MAX_LINES} more"] if len(keys) > _MAX_LINES else []
