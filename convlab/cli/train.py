"""``convlab train``: a network trained, evaluated, stored, and continued after any interruption."""

from __future__ import annotations

import argparse
import os
import sys
import traceback
import warnings
from typing import Any

from convlab.cli.errors import CommandError, rank
from convlab.cli.models import describe_error, find_model

EXAMPLES = """examples:
  convlab train mnist-cnn --data digits --epochs 10 --out runs/a
  convlab train simple-cnn --data cifar10 --device cuda --precision bf16 --out runs/b
  convlab train mypackage.nets:build --data digits --validation 0.2
  torchrun --nproc-per-node 2 -m convlab train simple-cnn --data digits --out runs/c

Start the same command again to continue what was interrupted in --out."""

_INT, _FLOAT = {"type": int, "metavar": "N"}, {"type": float, "metavar": "X"}
_SWITCH = {"action": argparse.BooleanOptionalAction}

# Group -> option -> (how argparse reads it, what it means). The names are those of TrainConfig,
# which gives the reasons for the defaults. "By recipe": `convlab.training.recipe` knows what suits.
OPTIONS: dict[str, dict[str, tuple[dict[str, Any], str]]] = {
    "how long": {
        "epochs": (_INT, "passes over the training images (10)"),
        "batch_size": (_INT, "images per step, over all processes (by recipe; else 128)"),
        "validation": (_FLOAT, "share of the training images held out to choose settings by (0)"),
        "seed": (_INT, "all random numbers come from it (0)"),
    },
    "how to learn": {
        "optimizer": ({"choices": ("sgd", "adamw")}, "(sgd)"),
        "learning_rate": (_FLOAT, "the highest of the schedule (by recipe; else 0.1)"),
        "schedule": ({"choices": ("one-cycle", "cosine", "constant")}, "(one-cycle)"),
        "warmup": (_FLOAT, "share of the steps in which the learning rate rises (0.25)"),
        "momentum": (_FLOAT, "(0.9)"),
        "weight_decay": (_FLOAT, "of kernels and matrices only (0.0005)"),
        "label_smoothing": (_FLOAT, "share of each label spread over all classes (0)"),
        "clip_norm": (_FLOAT, "shorten longer gradients to this norm (none)"),
    },
    "what happens to the images": {
        "flip": (_SWITCH, "mirror half of them (by recipe: only where nobody reads)"),
        "crop": (_INT, "shift each by up to N pixels (by recipe: 2 for digits, else 0)"),
        "cutout": (_INT, "blank a square of N x N pixels in each (0)"),
    },
    "how to compute": {
        "device": ({"metavar": "NAME"}, "cpu, cuda, ...; auto takes a GPU if there is one (auto)"),
        "precision": ({"choices": ("fp32", "bf16", "fp16")}, "of the forward pass (fp32)"),
        "tf32": (_SWITCH, "round factors to 10 bits on a GPU (yes)"),
        "channels_last": (_SWITCH, "keep the channels of a pixel together (by recipe; else no)"),
        "compile": (_SWITCH, "let torch.compile fuse the network (no)"),
        "deterministic": (_SWITCH, "the same bits each time on a GPU too (no)"),
        "batches": ({"choices": ("device", "loader")}, "where the images are kept (device)"),
        "loader_workers": (_INT, "processes of the loader (0)"),
    },
}  # fmt: skip


def add(commands: Any) -> None:
    """Declare the command and its arguments."""
    parser = commands.add_parser(
        "train",
        help="train a network on images; continue where it was interrupted",
        description="Train a network on images, and say how many test images it gets right.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "model", help="a name such as mnist-cnn, or package.module:callable without arguments"
    )
    parser.add_argument(
        "--data", required=True, metavar="NAME", help="digits, mnist, fashion-mnist or cifar10"
    )
    parser.add_argument(
        "--out", metavar="FOLDER",
        help="for checkpoints, history and weights; without it nothing is stored",
    )  # fmt: skip
    parser.add_argument(
        "--checkpoint-every", metavar="N", type=int,
        help="save after every N steps too, besides after every epoch",
    )  # fmt: skip
    parser.add_argument("--keep", metavar="N", type=int, default=2, help="checkpoints to keep (2)")
    for title, options in OPTIONS.items():
        group = parser.add_argument_group(title)
        for name, (reading, meaning) in options.items():
            flag = "--" + name.replace("_", "-")
            group.add_argument(flag, default=None, help=meaning, **reading)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> str:
    """Train, and return how good the network is.

    Parameters
    ----------
    arguments : argparse.Namespace
        What `add` declared.

    Raises
    ------
    CommandError
        If an argument is wrong, something is missing, or the training cannot go on.
    SystemExit
        After Ctrl-C (code 130) or SIGTERM (143), with a line that says how to continue.
    """
    try:
        from convlab.training import Interrupted, fit, recipe  # noqa: PLC0415  (slow to load)
    except ImportError as error:
        raise CommandError(str(error), code=1) from error
    stopped: BaseException
    names = [name for options in OPTIONS.values() for name in options]
    given = {name: value for name in names if (value := getattr(arguments, name)) is not None}
    try:
        config = recipe(arguments.data, arguments.model, **given)
        model, data = _model_and_data(arguments, config.seed)
        with warnings.catch_warnings():
            warnings.simplefilter("always", UserWarning)
            warnings.showwarning = lambda message, *where, **more: _tell(message)
            result = fit(
                model, data, config, out=arguments.out, keep=arguments.keep,
                checkpoint_every=arguments.checkpoint_every, on_epoch=_say,
            )  # fmt: skip
    except Interrupted as stopped:
        _tell(stopped)
        raise SystemExit(128 + stopped.signal_number) from None
    except KeyboardInterrupt:
        kept = "start the same command again to continue" if arguments.out else "nothing is stored"
        _tell(f"interrupted; {kept}")
        raise SystemExit(130) from None
    except CommandError:
        raise
    except Exception as error:
        raise _in_words(error) from error
    if rank():
        return ""  # process 0 speaks for all
    lines = [
        f"{part} images: {found}"
        for part in ("validation", "test")
        if (found := getattr(result, part)) is not None
    ]
    if arguments.out:
        lines.append(f"the weights are in {os.path.join(arguments.out, 'model.pt')}")
    return "\n".join(lines)


def _model_and_data(arguments: argparse.Namespace, seed: int) -> tuple[Any, Any]:
    """Build the network, seeded, and bring the images to a shape that it takes."""
    from torch import nn  # noqa: PLC0415

    from convlab.data import load, match_input  # noqa: PLC0415
    from convlab.training import seed_everything  # noqa: PLC0415

    build, made_for = find_model(arguments.model)
    data = load(arguments.data)
    seed_everything(seed)
    try:
        model = build(num_classes=len(data.class_names)) if made_for else build()
    except Exception as error:
        raise CommandError(f"{arguments.model}() raised {describe_error(error)}") from error
    if not isinstance(model, nn.Module):
        raise CommandError(f"{arguments.model}() is no torch.nn.Module but {type(model).__name__}")
    if made_for is None or _takes(model, data):
        return model, data
    channels, height, width = made_for
    own_size = (channels, *data.image_shape[1:])
    for shape in (own_size, (channels, height, width)):
        try:
            fitting = match_input(data, shape)
        except ValueError as error:
            raise CommandError(str(error)) from error
        if _takes(model, fitting):
            return model, fitting
    raise CommandError(f"{arguments.model} takes no images of {arguments.data}")


def _takes(model: Any, data: Any) -> bool:
    """Try one image."""
    from convlab.training import predict  # noqa: PLC0415

    try:
        predict(model, data.train_images[:1], mean=data.mean, std=data.std)
    except (RuntimeError, ValueError):
        return False
    return True


def _say(line: object) -> None:
    """Print a line while the training runs. If nobody reads any more, train on in silence."""
    try:
        print(line, flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _tell(message: object) -> None:
    """Show a line for a person, besides the results; of several processes, one does."""
    if not rank():
        print(f"convlab train: {message}", file=sys.stderr)


def _in_words(error: Exception) -> CommandError:
    """Say what went wrong, and whether an argument was the reason (code 2)."""
    from convlab.data import DataError  # noqa: PLC0415
    from convlab.training import (  # noqa: PLC0415
        CheckpointError,
        DeviceError,
        FolderInUse,
        NonFiniteLoss,
    )

    if isinstance(error, (CheckpointError, FolderInUse, NonFiniteLoss)):
        return CommandError(str(error), code=1)  # these are raised in all processes
    if isinstance(error, DeviceError):
        return CommandError(str(error), everywhere=False)
    if type(error).__module__.startswith(("torch._dynamo", "torch._inductor")):
        reason = str(error).split("Set TORCH")[0]  # what follows is for those who mend PyTorch
        return CommandError(f"--compile does not work here: {reason}", 1, everywhere=False)
    if isinstance(error, (TypeError, ValueError)):
        return CommandError(str(error))
    if isinstance(error, (DataError, OSError, RuntimeError)):
        return CommandError(str(error), 1, everywhere=False)
    # Nothing else is expected. It may come from a network of one's own: say where from.
    steps = traceback.extract_tb(error.__traceback__)
    own = [step for step in steps if f"{os.sep}torch{os.sep}" not in step.filename]
    return CommandError(
        f"{describe_error(error)} ({own[-1].filename}, line {own[-1].lineno})", 1, False
    )
