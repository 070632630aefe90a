"""``convlab summary``: list the layers of a model, which needs PyTorch."""

from __future__ import annotations

import argparse
import json

from convlab.cli.errors import CommandError
from convlab.cli.models import describe_error, find_dtype, find_model
from convlab.cli.shapes import parse_sizes

HELP = "list the layers of a model: shapes, parameters, cost, receptive fields"
EXAMPLES = """examples:
  convlab summary resnet18
  convlab summary vgg16 --input 3x64x64
  convlab summary torchvision.models:mobilenet_v2 --input 3x224x224 --json
  convlab summary resnet18 --depth 1
  convlab summary my_models:audio --input 1x16000
  convlab summary my_models:captions --input 1x3x64x64 --dtype float32 --input 1x20 --dtype int64"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    parser.add_argument(
        "model",
        help="a name such as resnet18, or package.module:callable, called without arguments",
    )
    parser.add_argument(
        "--input", action="append", type=parse_sizes, metavar="CxHxW",
        help="shape of the input, CxL for a 1-D model; a named model has a default; for several "
        "inputs, one --input each with the whole shape, batch included",
    )  # fmt: skip
    parser.add_argument(
        "--dtype", action="append",
        help="dtype of all inputs, or one --dtype each, such as float64 or int64; by default that "
        "of the parameters",
    )  # fmt: skip
    parser.add_argument(
        "--depth", type=int, metavar="N",
        help="show layers down to this depth: 1 for the children of the model",
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
    shapes = arguments.input or [own_shape]
    if None in shapes:
        raise CommandError(f"{arguments.model} needs --input, for example --input 3x224x224")
    dtypes = [find_dtype(name) for name in arguments.dtype or []]
    options = {"dtype": dtypes[0]} if len(dtypes) == 1 else {"dtypes": dtypes or None}
    try:
        model = build()
    except Exception as error:
        raise CommandError(f"{arguments.model}() raised {describe_error(error)}") from error
    try:
        found = summary(
            model, shapes if len(shapes) > 1 else shapes[0], depth=arguments.depth, **options
        )
    except (TypeError, ValueError, RuntimeError) as error:
        raise CommandError(str(error)) from error
    return json.dumps(found.to_dict(), indent=2) if arguments.json else str(found)
