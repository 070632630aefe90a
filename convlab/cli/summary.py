"""``convlab summary``: list the layers of a model, which needs PyTorch."""

from __future__ import annotations

import argparse
import json

from convlab.cli.errors import CommandError
from convlab.cli.models import describe_error, find_model
from convlab.cli.shapes import parse_sizes

HELP = "list the layers of a model: shapes, parameters, cost, receptive fields"
EXAMPLES = """examples:
  convlab summary resnet18
  convlab summary vgg16 --input 3x64x64
  convlab summary torchvision.models:mobilenet_v2 --input 3x224x224 --json"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    parser.add_argument(
        "model",
        help="a name such as resnet18, or package.module:callable, called without arguments",
    )
    parser.add_argument(
        "--input", type=parse_sizes, metavar="CxHxW",
        help="shape of the input; a named model has a default",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")


def run(arguments: argparse.Namespace) -> str:
    """Return the table, or JSON.

    Raises CommandError if PyTorch is missing, the model cannot be built, or it fails on the input.
    """
    try:
        from convlab.summary import summary
    except ImportError as error:
        raise CommandError(str(error), code=1) from error
    build, own_shape = find_model(arguments.model)
    shape = arguments.input or own_shape
    if shape is None:
        raise CommandError(f"{arguments.model} needs --input, for example --input 3x224x224")
    try:
        model = build()
    except Exception as error:
        raise CommandError(f"{arguments.model}() raised {describe_error(error)}") from error
    try:
        found = summary(model, shape)
    except (TypeError, ValueError, RuntimeError) as error:
        raise CommandError(str(error)) from error
    return json.dumps(found.to_dict(), indent=2) if arguments.json else str(found)
