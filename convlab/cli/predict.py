"""``convlab predict``: classify pictures with the network of a finished training run."""

from __future__ import annotations

import argparse
import json
import textwrap
from pathlib import Path
from typing import Any

from convlab._files import expand_home
from convlab._require import require
from convlab.cli.errors import CommandError
from convlab.cli.models import build_classifier
from convlab.cli.train import command_error

HELP = "classify pictures with a trained network"
EXAMPLES = """examples:
  convlab predict runs/a photo.jpg
  convlab predict runs/b letters/*.png --top 1 --json
  convlab predict runs/c scan.png --invert

Pictures are scaled until they just cover the images that the network was trained on, and their
middle is cut out. Digits, MNIST and Fashion-MNIST are white on black: --invert is for pictures that
are black on white."""

NEEDED = ("mean", "std", "image_shape", "class_names")  # entries of result.json


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    parser.add_argument("run_folder", metavar="run", help="the --out of a finished convlab train")
    parser.add_argument("pictures", nargs="+", metavar="picture", help="an image file")
    parser.add_argument(
        "--top", type=int, default=3, metavar="N", help="print the N most probable classes (3)"
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of lines")
    parser.add_argument("--invert", action="store_true", help="exchange black and white")
    parser.add_argument(
        "--model", metavar="NAME", help="the network, if the run was made by fit() in Python"
    )
    parser.add_argument(
        "--device", default="auto", metavar="NAME", help="cpu, cuda, ...; by default a GPU if any"
    )


def run(arguments: argparse.Namespace) -> str:
    """Return the most probable classes of each picture, a line each, or JSON.

    Raises CommandError if an argument is wrong, or the run or a picture cannot be used.
    """
    if arguments.top < 1:
        raise CommandError(f"--top must be at least 1, got {arguments.top}")
    try:
        require("convlab.training", needed_by="convlab predict")
    except ModuleNotFoundError as error:
        raise CommandError(str(error), code=1) from error
    try:
        predictions = _classify(arguments)
    except CommandError:
        raise
    except Exception as error:
        raise command_error(error) from error
    if arguments.json:
        return json.dumps(predictions, indent=2)
    return "\n".join(
        f"{entry['picture']}: "
        + ", ".join(f"{top['name']} {100 * top['probability']:.2f} %" for top in entry["classes"])
        for entry in predictions
    )


def _classify(arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """Return the path and the most probable classes of each picture."""
    import numpy as np

    from convlab.data import read_image
    from convlab.data.dataset import pad_images
    from convlab.training import predict
    from convlab.training.distributed import find_device

    folder = expand_home(arguments.run_folder)
    result = _read_result(folder)
    model = _load_model(folder, arguments.model or result.get("model"), result["class_names"])
    # The shape that the images had before they were padded for the network.
    source_shape = result.get("source_shape", result["image_shape"])
    images = np.stack([read_image(path, source_shape) for path in arguments.pictures])
    images = pad_images(255 - images if arguments.invert else images, result["image_shape"])
    model.to(find_device(arguments.device))
    logits = predict(model, images, mean=result["mean"], std=result["std"])
    if logits.ndim != 2 or logits.shape[1] < len(result["class_names"]):
        raise CommandError(
            f"the network returns {tuple(logits.shape)}, which is not a number for each picture "
            f"and each of {len(result['class_names'])} classes"
        )
    # A network may have more outputs than the run has classes.
    names = [*result["class_names"], *map(str, range(len(result["class_names"]), logits.shape[1]))]
    predictions = []
    for path, row in zip(arguments.pictures, logits.double().softmax(1), strict=True):
        if not bool(row.isfinite().all()):
            raise CommandError(f"the outputs of the network are not finite for {path}", code=1)
        classes = [
            {"name": names[position], "probability": row[position].item()}
            for position in row.topk(min(arguments.top, len(row))).indices.tolist()
        ]
        predictions.append({"picture": path, "classes": classes})
    return predictions


def _read_result(folder: Path) -> dict[str, Any]:
    """Read ``result.json``; raise CommandError if it is missing, damaged or lacks an entry."""
    if not folder.is_dir():
        raise CommandError(f"there is no folder {folder}")
    path = folder / "result.json"
    try:
        result = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        if any(folder.glob("checkpoint-*.pt")):
            reason = "start its convlab train command again to finish it"
            raise CommandError(
                f"the training run in {folder} is not finished: {reason}", code=1
            ) from None
        reason = "it is not the --out of a finished convlab train"
        raise CommandError(f"{folder} has no result.json: {reason}") from None
    except ValueError as error:
        raise CommandError(f"{path} is damaged: {error}", code=1) from error
    if not isinstance(result, dict) or not result.keys() >= set(NEEDED):
        reason = "it was written by an older version of convlab; train the network again"
        raise CommandError(f"{path} does not hold {', '.join(NEEDED)}: {reason}", code=1)
    return result


def _load_model(folder: Path, name: str | None, class_names: list[str]) -> Any:
    """Build the network, and load its weights."""
    from convlab.training.checkpoint import load_verified

    if name is None:
        raise CommandError(
            f"{folder / 'result.json'} does not name the network, since fit() was called from "
            f"Python: add --model NAME"
        )
    model = build_classifier(name, len(class_names))
    weights = load_verified(folder / "model.pt")
    try:
        model.load_state_dict(weights)
    except (RuntimeError, TypeError) as error:
        reason = textwrap.shorten(str(error), 300, placeholder=" ...")
        raise CommandError(
            f"{folder / 'model.pt'} does not fit {name}: {reason}", code=1
        ) from error
    return model
