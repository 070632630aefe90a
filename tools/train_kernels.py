"""Train the small network whose kernels the chapter "Training a network" shows.

    python tools/train_kernels.py FOLDER [--epochs 14] [--seed 0] [--note TEXT] [--out FILE]

FOLDER is that of ``cifar10.npz`` as `convlab.data.load` reads it; without the file, CIFAR-10 is
downloaded there. The weights go to ``convlab/results/files/trained/cifar10-small.npz`` as
float16, which is in the repository already; this program documents its origin. It holds no image.
Its entry ``made`` says in JSON how it was made: settings, accuracies of the rounded weights,
versions, duration. On a single thread of a usual processor an epoch takes about a minute.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import platform
import time
from pathlib import Path

import numpy as np
import torch
from torch import nn

from convlab.data import load
from convlab.training import Epoch, TrainConfig, evaluate, fit, seed_everything

OUT = Path(__file__).parents[1] / "convlab" / "results" / "files" / "trained" / "cifar10-small.npz"


def network() -> nn.Sequential:
    """Return the network with new weights: four convolutions, for images (N, 3, 32, 32)."""
    return nn.Sequential(
        nn.Conv2d(3, 24, 7, padding=3, bias=False),  # 32 x 32
        nn.BatchNorm2d(24),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(24, 32, 3, padding=1, bias=False),  # 16 x 16
        nn.BatchNorm2d(32),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 3, padding=1, bias=False),  # 8 x 8
        nn.BatchNorm2d(64),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(64, 64, 3, padding=1, bias=False),  # 4 x 4
        nn.BatchNorm2d(64),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(64, 10),
    )


def main() -> None:
    """Train, round the weights, evaluate them on the test images, and write the file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", metavar="FOLDER", help="the folder of cifar10.npz")
    parser.add_argument("--epochs", type=int, default=14)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--note", default="", help="what is particular about the images")
    parser.add_argument("--out", type=Path, default=OUT)
    args = parser.parse_args()
    torch.set_num_threads(1)
    data = load("cifar10", args.folder)
    config = TrainConfig(
        epochs=args.epochs,
        batch_size=64,
        learning_rate=0.1,
        schedule="cosine",
        warmup_fraction=0.1,
        weight_decay=1e-3,  # pulls the noise out of the first kernels
        flip=True,
        crop=3,
        channels_last=True,
        seed=args.seed,
        device="cpu",
    )
    seed_everything(args.seed)
    start = time.perf_counter()
    model = fit(network(), data, config, on_epoch=report).model
    seconds = time.perf_counter() - start
    rounded = {
        name: value.half() if value.dtype == torch.float32 else value
        for name, value in model.state_dict().items()
    }
    model.load_state_dict(rounded)
    found = {
        part: evaluate(
            model,
            getattr(data, f"{part}_images"),
            getattr(data, f"{part}_labels"),
            mean=data.mean,
            std=data.std,
        )
        for part in ("train", "test")
    }
    made = {
        "program": "tools/train_kernels.py",
        "data": "CIFAR-10 (Krizhevsky, 2009)",
        "note": args.note,
        "images_sha256": hashlib.sha256(data.train_images.tobytes()).hexdigest(),
        "train_images": len(data.train_images),
        "test_images": found["test"].count,
        "test_correct": found["test"].correct,
        "test_accuracy": found["test"].accuracy,
        "test_loss": found["test"].loss,
        "train_accuracy": found["train"].accuracy,
        "mean": data.mean,
        "std": data.std,
        "class_names": data.class_names,
        "settings": config.to_dict(),
        "seconds": round(seconds),
        "versions": {
            "python": platform.python_version(),
            "numpy": np.__version__,
            "torch": torch.__version__,
        },
    }
    arrays = {name: value.numpy() for name, value in rounded.items()}
    args.out.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(args.out, made=json.dumps(made), **arrays)
    print(f"{args.out}: {args.out.stat().st_size:,} bytes, {found['test']}")


def report(epoch: Epoch) -> None:
    """Print one line about an epoch."""
    print(
        f"epoch {epoch.epoch}: loss {epoch.train_loss:.3f}, accuracy {epoch.train_accuracy:.3f}, "
        f"{epoch.seconds:.0f} s",
        flush=True,
    )


if __name__ == "__main__":
    main()
