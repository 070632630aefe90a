"""``convlab train``: train and evaluate a network, or continue an interrupted run."""

from __future__ import annotations

import argparse
import json
import os
import sys
import textwrap
import traceback
import warnings
from typing import Any

from convlab._files import atomic_write, expand_home
from convlab.cli.errors import CommandError, printable, rank
from convlab.cli.models import build_classifier, describe_error, find_model
from convlab.cli.shapes import parse_pair

HELP = "train a network on images, or continue an interrupted run"
EXAMPLES = """examples:
  convlab train mnist-cnn --data digits --epochs 10 --out runs/a
  convlab train simple-cnn --data cifar10 --device cuda --precision bf16 --out runs/b
  convlab train mypackage.nets:build --data digits --validation-fraction 0.2
  convlab train resnet18 --data pictures --image-size 64 --out runs/d
  torchrun --nproc-per-node 2 -m convlab train simple-cnn --data digits --out runs/c

A folder of pictures has a subfolder for each class, or the folders train, val and test with those
subfolders. Start the same command again to continue an interrupted run in --out."""

_INT, _FLOAT = {"type": int, "metavar": "N"}, {"type": float, "metavar": "X"}
_SWITCH = {"action": argparse.BooleanOptionalAction}

# Group -> option -> (arguments of add_argument, help). The names are those of TrainConfig, which
# gives the reasons for the defaults. "By recipe": `convlab.training.recipe` chooses.
OPTIONS: dict[str, dict[str, tuple[dict[str, Any], str]]] = {
    "duration": {
        "epochs": (_INT, "passes over the training images (default 10)"),
        "batch_size": (_INT, "images per step, over all processes (by recipe; else 128)"),
        "accumulation_steps": (_INT, "compute a batch in N parts, to save memory (1)"),
        "validation_fraction": (_FLOAT, "fraction of the training images held out (0)"),
        "patience": (_INT, "stop after N epochs without a lower validation loss (never)"),
        "restore_best_weights": (_SWITCH, "end with the weights of lowest validation loss (no)"),
        "seed": (_INT, "determines all random numbers (0)"),
    },
    "optimization": {
        "optimizer": ({"choices": ("sgd", "adam", "adamw")}, "rule of the updates (sgd)"),
        "learning_rate": (_FLOAT, "the highest one of the schedule (by recipe; else 0.1)"),
        "schedule": (
            {"choices": ("linear", "cosine", "constant")}, "how the learning rate falls (linear)"
        ),
        "warmup_fraction": (_FLOAT, "fraction of the steps in which the rate rises (0.25)"),
        "momentum": (_FLOAT, "of sgd; the first beta of adam and adamw (0.9)"),
        "weight_decay": (_FLOAT, "pull kernels and matrices towards 0 (0.0005)"),
        "label_smoothing": (_FLOAT, "fraction of each label spread over all classes (0)"),
        "max_grad_norm": (_FLOAT, "clip gradients to this norm (no clipping)"),
    },
    "augmentation": {
        "flip": (_SWITCH, "flip half of the images left to right (by recipe: not for digits)"),
        "crop": (_INT, "shift each image by up to N pixels (by recipe: 2 for digits, else 0)"),
        "cutout": (_INT, "blank a square of N x N pixels in each image (0)"),
    },
    "computation": {
        "device": ({"metavar": "NAME"}, "cpu, cuda, ...; auto: a GPU if there is one (auto)"),
        "precision": ({"choices": ("fp32", "bf16", "fp16")}, "format of the forward pass (fp32)"),
        "tf32": (_SWITCH, "round the factors of products to 10 bits on a GPU (yes)"),
        "channels_last": (_SWITCH, "store the channels of a pixel together (by recipe; else no)"),
        "compile": (_SWITCH, "let torch.compile fuse operations (no)"),
        "deterministic": (_SWITCH, "the same bits each time, on a GPU too (no)"),
        "batches": ({"choices": ("device", "loader")}, "where the images are kept (device)"),
        "loader_workers": (_INT, "processes of --batches loader (0)"),
    },
}  # fmt: skip


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    parser.add_argument(
        "model",
        help="a name such as mnist-cnn, or package.module:callable, called without arguments",
    )
    parser.add_argument(
        "--data", required=True, metavar="NAME",
        help="digits, mnist, fashion-mnist, cifar10, or a folder of pictures",
    )  # fmt: skip
    parser.add_argument(
        "--image-size", metavar="HxW", type=parse_pair,
        help="to which pictures of a folder are scaled (that of a named model; else 224)",
    )  # fmt: skip
    parser.add_argument(
        "--out", metavar="FOLDER",
        help="folder for checkpoints, history and weights; without it nothing is saved",
    )  # fmt: skip
    parser.add_argument(
        "--checkpoint-every", metavar="N", type=int,
        help="save after every N steps as well as after every epoch",
    )  # fmt: skip
    parser.add_argument("--keep", metavar="N", type=int, default=2, help="checkpoints to keep (2)")
    for title, options in OPTIONS.items():
        group = parser.add_argument_group(title)
        for name, (arguments, text) in options.items():
            group.add_argument(f"--{name.replace('_', '-')}", default=None, help=text, **arguments)


def run(arguments: argparse.Namespace) -> str:
    """Train, and return the evaluation of the network as text.

    Raises CommandError if an argument is wrong, something is missing, or the training fails;
    SystemExit after Ctrl-C (code 130) or SIGTERM (143), after a message on how to continue.
    """
    if "RANK" in os.environ:
        # PyTorch would warn in every process that all parameters get gradients (`wrap_model`). It
        # reads this variable when it is imported.
        os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")
    try:
        from convlab.training import Interrupted, fit, recipe
    except ImportError as error:
        raise CommandError(str(error), code=1) from error
    names = [name for options in OPTIONS.values() for name in options]
    settings = {name: value for name in names if (value := getattr(arguments, name)) is not None}
    try:
        config = recipe(arguments.data, arguments.model, **settings)
        loaded = _load_data(arguments)
        model, data = _model_and_data(arguments, loaded, config.seed)
        if not rank():
            _print_folder(data)
        with warnings.catch_warnings():
            warnings.simplefilter("always", UserWarning)
            warnings.showwarning = lambda message, *_, **__: _print_message(message)
            result = fit(
                model, data, config, out=arguments.out, keep=arguments.keep,
                checkpoint_every=arguments.checkpoint_every, on_epoch=_print_line,
            )  # fmt: skip
        if arguments.out and not rank():
            # `convlab predict` needs them.
            _add_to_result(arguments.out, model=arguments.model, source_shape=loaded.image_shape)
    except Interrupted as stopped:
        _print_message(stopped)
        raise SystemExit(128 + stopped.signal_number) from None
    except KeyboardInterrupt:
        hint = "start the same command again to continue" if arguments.out else "nothing is saved"
        _print_message(f"interrupted; {hint}")
        raise SystemExit(130) from None
    except CommandError:
        raise
    except Exception as error:
        raise command_error(error) from error
    if rank():
        return ""  # process 0 prints
    parts = {"validation": result.validation, "test": result.test}
    lines = [f"{part} images: {evaluation}" for part, evaluation in parts.items() if evaluation]
    if config.patience or config.restore_best_weights:
        lines.append(
            f"ended after epoch {len(result.history)} of {config.epochs}, with the weights of "
            f"epoch {result.epoch}"
        )
    if arguments.out:
        lines.append(f"the weights are in {os.path.join(arguments.out, 'model.pt')}")
    return "\n".join(lines)


def _load_data(arguments: argparse.Namespace) -> Any:
    """Load the images; the name of a data set is never that of a folder."""
    from convlab.data import DATASETS, load, load_folder

    name, size = arguments.data, arguments.image_size
    _, input_shape = find_model(arguments.model)
    if name in DATASETS:
        if size:
            raise CommandError(f"--image-size is for a folder of pictures: {name} has its own size")
        return load(name)
    if name and expand_home(name).is_dir():
        channels, *own_size = input_shape or (None, 224, 224)
        return load_folder(name, size or tuple(own_size), channels=channels)
    raise CommandError(
        f"there is no data set {name!r}, only {', '.join(DATASETS)}, and no folder of that name"
    )


def _print_folder(data: Any) -> None:
    """Print the number of images and the classes of a folder of pictures."""
    from convlab.data import DATASETS
    from convlab.data.folder import find_parts

    if data.name in DATASETS:
        return
    counts = repr(data).removeprefix(f"<Dataset {data.name!r}: ").removesuffix(">")
    class_names = textwrap.shorten(", ".join(data.class_names), 200, placeholder=" ...")
    line = f"{data.name}: {counts}: {class_names}"
    if len(find_parts(expand_home(data.name))) == 1 and len(data.test_labels):
        line += "; a fifth of each class is held out as test images"
    _print_line(line)


def _model_and_data(arguments: argparse.Namespace, data: Any, seed: int) -> tuple[Any, Any]:
    """Build the network, seeded, and convert the images to a shape that it takes."""
    from convlab.data import match_input
    from convlab.training import seed_everything

    _, input_shape = find_model(arguments.model)
    seed_everything(seed)
    model = build_classifier(arguments.model, len(data.class_names))
    channels, *size = data.image_shape
    if (input_shape is None and channels == 3) or _accepts(model, data):
        return model, data
    # Try with the channels of the network alone, then with its size too.
    usual_shape = input_shape or (3, *size)
    for shape in dict.fromkeys([(usual_shape[0], *size), usual_shape]):
        try:
            converted = match_input(data, shape)
        except ValueError as error:
            raise CommandError(str(error)) from error
        if _accepts(model, converted):
            return model, converted
    if input_shape is None:
        return model, data  # `fit` reports the error of the network
    raise CommandError(f"{arguments.model} does not accept images of {arguments.data}")


def _add_to_result(out: str, **entries: object) -> None:
    """Add entries to ``result.json``, which `fit` has written."""
    path = expand_home(out) / "result.json"
    contents = {**json.loads(path.read_text(encoding="utf-8")), **entries}
    atomic_write(path, lambda file: file.write(f"{json.dumps(contents, indent=2)}\n".encode()))


def _accepts(model: Any, data: Any) -> bool:
    """Return whether a model accepts the images, by trying one."""
    from convlab.training import predict

    try:
        predict(model, data.train_images[:1], mean=data.mean, std=data.std)
    except Exception:  # a network of the user may raise any
        return False
    return True


def _print_line(line: object) -> None:
    """Print a line, such as a completed epoch; if the output is closed, continue without it."""
    try:
        print(printable(str(line)), flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _print_message(message: object) -> None:
    """Print a message to standard error, in process 0."""
    if not rank():
        print(f"convlab train: {message}", file=sys.stderr)


def command_error(error: Exception) -> CommandError:
    """Convert an exception to a CommandError, with exit code 2 if an argument was the reason."""
    from convlab.data import DataError
    from convlab.training import CheckpointError, DeviceError, FolderInUse, NonFiniteLoss

    if isinstance(error, (CheckpointError, FolderInUse, NonFiniteLoss)):
        return CommandError(str(error), code=1)  # raised in all processes
    if isinstance(error, DeviceError):
        return CommandError(str(error), everywhere=False)
    if type(error).__module__.startswith(("torch._dynamo", "torch._inductor")):
        reason = str(error).split("Set TORCH")[0]  # what follows is for developers of PyTorch
        return CommandError(f"--compile does not work here: {reason}", 1, everywhere=False)
    if isinstance(error, (TypeError, ValueError)):
        return CommandError(str(error))
    if isinstance(error, (DataError, OSError, RuntimeError, ImportError)):
        return CommandError(str(error), 1, everywhere=False)
    # Unexpected, probably from the user's network: name the last line outside PyTorch.
    frames = traceback.extract_tb(error.__traceback__)
    last = [frame for frame in frames if f"{os.sep}torch{os.sep}" not in frame.filename][-1]
    return CommandError(f"{describe_error(error)} ({last.filename}, line {last.lineno})", 1, False)
