"""Accuracy of the networks with the settings of `convlab.training.recipe`, over several seeds.

    python -m benchmarks.accuracy                              # the digits in the package
    python -m benchmarks.accuracy --task simple-cnn/cifar10    # needs the data; see convlab.data

Each training is a new process of ``convlab train``; each seed gives other initial weights and
another order of the images. The settings were chosen on held-out training images, not on these
test images.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from benchmarks.machine import Others, describe, environments, versions
from convlab.results import FILES
from convlab.results.store import rounded, write

RESULTS = FILES / "accuracy"
PACKAGES = ("convlab", "numpy", "torch", "torchvision")
DEFAULT_TASKS = ("simple-cnn/digits", "mnist-cnn/digits")


@dataclass(frozen=True)
class Trained:
    """Result of one training."""

    task: str  # "model/data"
    seed: int
    accuracy: float  # share of the test images
    correct: int
    count: int  # test images
    epochs: int
    training_seconds: float  # inside the epochs
    seconds: float  # of the whole process: start, training, evaluation, files
    others: float | None  # cores kept busy by other processes meanwhile; None where unknown


def train(task: str, seed: int, epochs: int) -> Trained:
    """Train once, in a new process.

    Raises
    ------
    RuntimeError
        If the training fails; with its error output.
    """
    model, data = task.split("/")
    with tempfile.TemporaryDirectory() as folder:
        command = [
            sys.executable, "-m", "convlab", "train", model, "--data", data,
            "--epochs", str(epochs), "--seed", str(seed), "--out", folder,
        ]  # fmt: skip
        start = time.perf_counter()
        # No variable of the caller shall change threads or kernels.
        plain = environments(os.environ, None)["natural"]
        with Others() as others:
            done = subprocess.run(command, env=plain, capture_output=True, text=True, check=False)
        seconds = time.perf_counter() - start
        if done.returncode:
            raise RuntimeError(f"{' '.join(command[1:])} failed: {done.stderr}")
        result: dict[str, Any] = json.loads(Path(folder, "result.json").read_text("utf-8"))
        lines = Path(folder, "history.jsonl").read_text("utf-8").splitlines()
    history = [json.loads(line) for line in lines]
    test = result["test"]
    return Trained(
        task, seed, test["accuracy"], test["correct"], test["count"],
        epochs, rounded(sum(epoch["seconds"] for epoch in history)), rounded(seconds),
        others.cores,
    )  # fmt: skip


def summarize(task: str, runs: Sequence[Trained]) -> str:
    """Summarize the trainings of a task in one line.

    Examples
    --------
    >>> runs = [Trained("a/b", seed, right / 100, right, 100, 10, 2.0, 5.0, 0.0)
    ...         for seed, right in enumerate((98, 99))]
    >>> print(summarize("a/b", runs))
    a/b: 98.50 % of 100 test images (98.00 to 99.00, n = 2), 2.0 s of training, 5.0 s in all
    """
    shares = [100 * run.accuracy for run in runs]
    training, whole = (
        statistics.median(getattr(run, name) for run in runs)
        for name in ("training_seconds", "seconds")
    )
    return (
        f"{task}: {statistics.fmean(shares):.2f} % of {runs[0].count:,} test images "
        f"({min(shares):.2f} to {max(shares):.2f}, n = {len(runs)}), {training:.1f} s of training, "
        f"{whole:.1f} s in all"
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Train, print and store."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.accuracy", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument(
        "--task", nargs="+", default=DEFAULT_TASKS, metavar="MODEL/DATA",
        help="network and data set (%(default)s)",
    )  # fmt: skip
    parser.add_argument("--seeds", type=int, default=5, metavar="N", help="seeds 0 to N - 1 (5)")
    parser.add_argument(
        "--epochs", type=int, default=10, metavar="N", help="epochs of each training (10)"
    )
    parser.add_argument("--note", default="", help="a remark on the images, stored with the result")
    parser.add_argument("--output", type=Path, default=RESULTS, metavar="FOLDER")
    chosen = parser.parse_args(arguments)
    for task in chosen.task:
        if task.count("/") != 1:
            parser.error(f"--task takes MODEL/DATA, got {task!r}")
    if chosen.seeds < 1:
        parser.error(f"--seeds must be at least 1, got {chosen.seeds}")
    for task in chosen.task:
        runs = []
        for seed in range(chosen.seeds):
            runs.append(train(task, seed, chosen.epochs))
            print(f"{task}, seed {seed}: {100 * runs[-1].accuracy:.2f} %", flush=True)
        print(summarize(task, runs), flush=True)
        found = {
            "task": task,
            "note": chosen.note,
            "created": datetime.now(timezone.utc).isoformat(timespec="seconds"),
            "machine": describe(),
            "versions": versions(PACKAGES),
            "runs": [dataclasses.asdict(run) for run in runs],
        }
        write(found, chosen.output / f"{task.replace('/', '-')}.json")


if __name__ == "__main__":
    main()
