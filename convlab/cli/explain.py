"""``convlab explain``: tell why a call of a layer or a model fails, and what makes it run."""

from __future__ import annotations

import argparse
import io
import re
import warnings
from contextlib import redirect_stdout
from math import prod
from typing import Any

from convlab.cli.errors import CheckFailed, CommandError
from convlab.cli.layer_text import build_layer, is_layer_text, parse_layer, shortened
from convlab.cli.models import describe_error, find_dtype, find_model
from convlab.cli.shapes import parse_sizes

HELP = "explain why a call of a layer or a model fails, and what makes it run"
EXAMPLES = """examples:
  convlab explain "Conv2d(3, 64, 7, stride=2, padding=3)" 1x3x224x224
  convlab explain "Sequential(Conv2d(3, 8, 3), Flatten(), Linear(7200, 10))" 1x3x32x32
  convlab explain "CrossEntropyLoss()" 8x10 8 --dtype float32 --dtype int64
  convlab explain torchvision.models:resnet18 1x224x224x3
  convlab explain my_models:net 1x3x64x64 1x20

Nothing large is computed. A layer's text is parsed and never evaluated; package.module:name is
imported, as Python's import does, and called without arguments if it is not a model itself.

exit status: 0 if the call runs, 1 if it fails or that could not be found out, 2 with one line if an
argument of this command is wrong."""

_MAX_AXES, _MAX_NUMBERS = 16, 2**40
_NAME = re.compile(r"[\w.-]{1,200}(:[\w.]{1,200})?")
_SHAPE = re.compile(r"[0-9]{1,15}(x[0-9]{1,15})*")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    parser.add_argument(
        "model",
        help="a layer of torch.nn with its arguments, or a Sequential(...) of them; a name such as "
        "resnet18; or package.module:name, a model or a callable that returns one",
    )
    parser.add_argument(
        "input", nargs="+", type=parse_shape, metavar="NxCxHxW",
        help="shape of an input, batch included; one for each argument of the call",
    )  # fmt: skip
    parser.add_argument(
        "--dtype", action="append",
        help="dtype of all inputs, or one --dtype each, such as float64 or int64; by default that "
        "of the parameters",
    )  # fmt: skip
    parser.add_argument(
        "--eval", action="store_true", help="call the model after model.eval(), not in training"
    )


def parse_shape(text: str) -> tuple[int, ...]:
    """Parse a shape, also as PyTorch prints it; raise argparse.ArgumentTypeError for other texts.

    Examples
    --------
    >>> parse_shape("1x3x224x224"), parse_shape("torch.Size([1, 3, 224, 224])")
    ((1, 3, 224, 224), (1, 3, 224, 224))
    """
    plain = text.strip(" ").removeprefix("torch.Size")
    plain = re.sub(" *[,×X] *", "x", plain.strip("()[] ").removesuffix(","))
    if not _SHAPE.fullmatch(plain):
        raise argparse.ArgumentTypeError(
            f"expected whole numbers with an x between them, such as 1x3x224x224, got "
            f"{shortened(text)}"
        )
    shape = parse_sizes(plain)
    if len(shape) > _MAX_AXES or prod(shape) > _MAX_NUMBERS:
        raise argparse.ArgumentTypeError(
            f"expected at most {_MAX_AXES} axes and {_MAX_NUMBERS} numbers, got {shortened(text)}"
        )
    return shape


def run(arguments: argparse.Namespace) -> str:
    """Return the output shape if the call runs.

    Raises CheckFailed with the explanation if it does not, and CommandError if PyTorch is missing
    or the model cannot be built.
    """
    text = arguments.model
    layer = parse_layer(text) if is_layer_text(text) else None
    if layer is None and not _NAME.fullmatch(text):
        raise CommandError(
            f"expected a layer such as Conv2d(3, 64, 7, stride=2, padding=3), or the name of a "
            f"model, or package.module:name, got {shortened(text)}"
        )
    try:
        from convlab.explain import explain
    except ImportError as error:
        raise CommandError(str(error), code=1) from error
    inputs = _inputs(arguments.input, arguments.dtype or [])
    # Modules may print when they are imported, and layers without cells warn.
    with redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = build_layer(layer) if layer else _model(text)
    if arguments.eval:
        model.eval()
    try:
        found = explain(model, *inputs)
    except (Exception, SystemExit) as error:
        raise CommandError(f"{text} raised {describe_error(error)}") from error
    if not found.ok:
        raise CheckFailed(str(found))
    return str(found)


def _inputs(shapes: list[tuple[int, ...]], names: list[str]) -> list[Any]:
    """Return shapes; tensors without data if dtypes are named."""
    import torch

    if not names:
        return list(shapes)
    if len(names) not in (1, len(shapes)):
        raise CommandError(
            f"--dtype is given once, or once for each of {len(shapes)} inputs, got {len(names)}"
        )
    dtypes = [find_dtype(name) for name in names]
    dtypes = dtypes * len(shapes) if len(dtypes) == 1 else dtypes
    return [
        torch.empty(shape, dtype=dtype, device="meta")
        for shape, dtype in zip(shapes, dtypes, strict=True)
    ]


def _model(name: str) -> Any:
    """Build the model of this name."""
    from torch import nn

    build, _ = find_model(name)
    try:
        model = build()
    except (Exception, SystemExit) as error:
        raise CommandError(f"{name}() raised {describe_error(error)}") from error
    if not isinstance(model, nn.Module):
        raise CommandError(f"{name}() must return a torch.nn.Module, got {type(model).__name__}")
    return model
