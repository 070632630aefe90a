"""``convlab summary``: a model layer by layer. Needs PyTorch."""

from __future__ import annotations

import argparse
import difflib
import json
import os
import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any

from convlab.cli.errors import CommandError
from convlab.cli.sizes import sizes

EXAMPLES = """examples:
  convlab summary resnet18
  convlab summary vgg16 --input 3x64x64
  convlab summary torchvision.models:mobilenet_v2 --input 3x224x224 --json"""


def add(commands: Any) -> None:
    """Declare the command and its arguments."""
    parser = commands.add_parser(
        "summary",
        help="a model layer by layer: shapes, parameters, cost, receptive field",
        description="List the layers of a model: shapes, parameters, cost, receptive field.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "model",
        help="a name such as resnet18, or package.module:callable, called without arguments",
    )
    parser.add_argument(
        "--input", type=sizes, metavar="CxHxW",
        help="shape of the input; for a name, by default that of the images it was made for",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> str:
    """Return the table, or JSON.

    Parameters
    ----------
    arguments : argparse.Namespace
        What `add` declared.

    Raises
    ------
    CommandError
        If PyTorch is missing, the model cannot be built, or it does not take the input.
    """
    try:
        from convlab.summary import summary  # noqa: PLC0415  (the other commands need no PyTorch)
    except ImportError as error:
        raise CommandError(str(error), code=1) from error
    build, own_shape = _find(arguments.model)
    shape = arguments.input or own_shape
    if shape is None:
        raise CommandError(f"{arguments.model} needs --input, for example --input 3x224x224")
    try:
        model = build()
    except Exception as error:
        raise CommandError(f"{arguments.model}() raised {_said(error)}") from error
    try:
        found = summary(model, shape)
    except (TypeError, ValueError, RuntimeError) as error:
        raise CommandError(str(error)) from error
    return json.dumps(found.to_dict(), indent=2) if arguments.json else str(found)


def _find(name: str) -> tuple[Callable[[], Any], tuple[int, ...] | None]:
    """Return what builds the model, and the input shape it was made for."""
    from convlab.models import MODELS  # noqa: PLC0415

    if name in MODELS:
        return MODELS[name].build, MODELS[name].input_shape
    if ":" not in name:
        close = difflib.get_close_matches(name, MODELS) or MODELS
        raise CommandError(
            f"there is no model {name!r}: choose from {', '.join(close)}, or give your own as "
            f"package.module:callable"
        )
    return _load(name), None


def _load(name: str) -> Callable[[], Any]:
    """Import what ``package.module:callable`` names, also from the current folder."""
    module_name, _, path = name.partition(":")
    if os.getcwd() not in sys.path and "" not in sys.path:
        sys.path.insert(0, os.getcwd())
    try:
        found: Any = import_module(module_name)
        for part in path.split("."):
            found = getattr(found, part)
    except Exception as error:
        raise CommandError(f"cannot import {name}: {_said(error)}") from error
    if not callable(found):
        raise CommandError(f"{name} is no callable but {type(found).__name__}")
    build: Callable[[], Any] = found
    return build


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
