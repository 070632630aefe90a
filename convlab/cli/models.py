"""Find the model that a command line names."""

from __future__ import annotations

import difflib
import os
import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any

from convlab.cli.errors import CommandError


def find_model(name: str) -> tuple[Callable[..., Any], tuple[int, int, int] | None]:
    """Return the function that builds a model, and its usual input shape if it is known.

    The name is a key of `convlab.models.MODELS`, or ``package.module:callable``. Raises
    CommandError if there is no such model.

    Examples
    --------
    >>> find_model("lenet5")[1]
    (1, 28, 28)
    """
    from convlab.models import MODELS

    if name in MODELS:
        return MODELS[name].build, MODELS[name].input_shape
    if ":" not in name:
        close = difflib.get_close_matches(name, MODELS) or MODELS
        raise CommandError(
            f"there is no model {name!r}: choose from {', '.join(close)}, or name your own as "
            f"package.module:callable"
        )
    return _load(name), None


def _load(name: str) -> Callable[..., Any]:
    """Import ``package.module:callable``, also from the current folder.

    Returns a function for a model that is there already.
    """
    from torch import nn

    module_name, _, path = name.partition(":")
    if os.getcwd() not in sys.path and "" not in sys.path:
        sys.path.insert(0, os.getcwd())
    try:
        found: Any = import_module(module_name)
        for attribute in path.split("."):
            found = getattr(found, attribute)
    except (Exception, SystemExit) as error:
        raise CommandError(f"cannot import {name}: {describe_error(error)}") from error
    if isinstance(found, nn.Module):
        return lambda: found
    if not callable(found):
        raise CommandError(f"{name} must be callable, got {type(found).__name__}")
    build: Callable[..., Any] = found
    return build


def build_classifier(name: str, num_classes: int) -> Any:
    """Build the model that `name` names; one of `convlab.models` gets `num_classes` outputs.

    Raises CommandError if that fails, or if it is not a torch.nn.Module.
    """
    from torch import nn

    build, input_shape = find_model(name)
    try:
        model = build(num_classes=num_classes) if input_shape else build()
    except Exception as error:
        raise CommandError(f"{name}() raised {describe_error(error)}") from error
    if not isinstance(model, nn.Module):
        raise CommandError(f"{name}() must return a torch.nn.Module, got {type(model).__name__}")
    return model


def describe_error(error: BaseException) -> str:
    """Return the class and the message of an error.

    Examples
    --------
    >>> describe_error(ValueError("shapes differ"))
    'ValueError: shapes differ'
    """
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def find_dtype(name: str) -> Any:
    """Return the dtype of PyTorch with this name, or raise CommandError.

    Examples
    --------
    >>> find_dtype("int64")
    torch.int64
    """
    import torch

    dtype = vars(torch).get(name)
    if not isinstance(dtype, torch.dtype) or name.startswith("q"):  # quantized
        raise CommandError(
            f"--dtype must name a dtype of PyTorch such as float32 or int64, got {name!r}"
        )
    return dtype
