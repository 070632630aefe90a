"""Differences between a state_dict and a model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import nn

from convlab.explain.windows import Finding

_MAX_LINES = 5
# What wrappers for parallel training and compilation put before each key.
_PREFIXES = ("module.", "_orig_mod.", "model.")


def explain_state_dict(module: nn.Module, values: Mapping[str, Any]) -> Finding | None:
    """Return what is different between a state_dict and that of a module; None if nothing is.

    Examples
    --------
    >>> finding = explain_state_dict(nn.Linear(3, 2), {"module.weight": 0, "module.bias": 0})
    >>> finding.steps[-1]
    "without its prefix 'module.', every key fits"
    """
    own = module.state_dict()
    missing = [key for key in own if key not in values]
    unexpected = [key for key in values if key not in own]
    steps = [f"missing in the state_dict: {key}" for key in missing[:_MAX_LINES]]
    steps += _more(missing)
    steps += [f"not in the model: {key}" for key in unexpected[:_MAX_LINES]]
    steps += _more(unexpected)
    shapes = [
        f"{key}: shape {tuple(values[key].shape)}, in the model {tuple(value.shape)}"
        for key, value in own.items()
        if key in values and getattr(values[key], "shape", None) != getattr(value, "shape", None)
    ]
    steps += [*shapes[:_MAX_LINES], *_more(shapes)]
    for prefix in _PREFIXES:
        if missing and {f"{prefix}{key}" for key in own} == {*values}:
            steps.append(f"without its prefix {prefix!r}, every key fits")
        if missing and {key.removeprefix(prefix) for key in own} == {*values}:
            steps.append(f"with the prefix {prefix!r}, every key fits")
    return Finding("state_dict_mismatch", steps) if steps else None


def _more(keys: list[str]) -> list[str]:
    return [f"and {len(keys) - _MAX_LINES} more"] if len(keys) > _MAX_LINES else []
