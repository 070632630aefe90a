"""Measure the images per second of training loops: ``python -m benchmarks.training``."""

from __future__ import annotations

import argparse
import datetime
import os
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks import machine
from benchmarks.loops.contenders import CONTENDERS, PLAIN
from benchmarks.loops.report import report
from benchmarks.loops.request import Request
from benchmarks.processes import ROOT, Progress, answers
from benchmarks.timing import spread
from convlab.results.store import rounded
from convlab.results.training import TRAININGS, Row, Skipped, Start, TrainingResult, save

QUICK_RESULTS = ROOT / "_build" / "benchmarks" / "training"
# Batches per epoch: some seconds of the plain loop on two cores; a GPU needs more for that.
STEPS = {"cpu": {"MnistCNN": 16, "SimpleCNN": 40}, "cuda": {"MnistCNN": 390, "SimpleCNN": 390}}
QUICK_STEPS = 8
PACKAGES = ("convlab", "numpy", "torch", "torchvision", "pillow", "lightning")
NOBODY = "torch alone"


def arguments(words: Sequence[str] | None = None) -> argparse.Namespace:
    """Parse and check the command line, and fill in the defaults."""
    parser = _parser()
    chosen = parser.parse_args(words)
    cores = machine.describe()["cores"]
    for name, usual, quick, minimum, maximum in (
        ("threads", min(2, cores), min(2, cores), 1, cores),
        ("rounds", 7, 2, 1, 1000),
        ("starts", 3, 1, 0, 1000),
        ("batch", 128, 128, 1, 4096),
    ):
        value = getattr(chosen, name)
        if value is None:
            setattr(chosen, name, quick if chosen.quick else usual)
        elif not minimum <= value <= maximum:
            parser.error(f"--{name} must be from {minimum} to {maximum}, got {value}")
    chosen.output = chosen.output or (QUICK_RESULTS if chosen.quick else TRAININGS)
    suitable = [name for name, who in CONTENDERS.items() if chosen.device in who.devices]
    wanted = {PLAIN, *(chosen.contender or suitable)}
    while missing := {CONTENDERS[name].base or name for name in wanted} - wanted:
        wanted |= missing
    if unsuitable := wanted - set(suitable):
        parser.error(f"{', '.join(sorted(unsuitable))}: not available on {chosen.device}")
    chosen.contender = tuple(name for name in CONTENDERS if name in wanted)
    return chosen


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.training", description=__doc__)
    add, networks = parser.add_argument, list(STEPS["cpu"])
    add("--network", nargs="+", choices=networks, default=networks, metavar="NAME",
        help=f"networks to train: {', '.join(networks)} (default: all)")  # fmt: skip
    add("--contender", nargs="+", choices=CONTENDERS, metavar="NAME",
        help=f"loops to measure, besides those they are compared with: "
             f"{', '.join(CONTENDERS)} (default: all that run on the device)")  # fmt: skip
    add("--device", choices=STEPS, default="cpu", help="device of the trainings (cpu)")
    add("--threads", type=int, metavar="N", help="threads of PyTorch (2, or 1 on a single core)")
    add("--batch", type=int, metavar="N", help="images per step (128)")
    add("--rounds", type=int, metavar="N", help="maximum number of timings (7)")
    add("--starts", type=int, metavar="N",
        help="new processes per contender, which measure its start; 0: none (3)")  # fmt: skip
    add("--quick", action="store_true", help="a few steps, two rounds: a test run")
    add("--output", type=Path, metavar="FOLDER", help="folder for the result "
        "(convlab/results/files/training; with --quick, _build/benchmarks/training)")  # fmt: skip
    return parser


def requests(chosen: argparse.Namespace) -> list[Request]:
    """Make one request per network."""
    steps = dict.fromkeys(chosen.network, QUICK_STEPS) if chosen.quick else STEPS[chosen.device]
    return [
        Request(
            network, chosen.contender, chosen.device, chosen.threads, chosen.batch,
            steps[network] * chosen.batch, chosen.rounds,
        )
        for network in chosen.network
    ]  # fmt: skip


def start(request: Request, name: str, count: int, environment: dict[str, str]) -> Start:
    """Measure the start-up of one contender in new processes."""
    one = Request(**{**vars(request), "contenders": (name,)})
    seconds: list[float] = []
    peaks: list[float] = []
    device_peaks: list[float] = []
    for _ in range(count):
        begun = time.time()
        (answer,) = answers("benchmarks.loops.fresh", one.to_json(), environment, name)
        seconds.append(answer["first_step"] - begun)
        peaks.append(answer["peak_mib"])
        device_peaks += [answer["device_peak_mib"]] if answer["device_peak_mib"] else []
    middle = spread(seconds)
    return Start(
        network=request.network, contender=name, device=request.device, threads=request.threads,
        batch=request.batch, images=request.count, seconds=rounded(middle.median),
        seconds_low=rounded(middle.low), seconds_high=rounded(middle.high), n=middle.n,
        peak_mib=rounded(spread(peaks).median),
        device_peak_mib=rounded(spread(device_peaks).median) if device_peaks else None,
    )  # fmt: skip


def measure(chosen: argparse.Namespace, progress: Progress) -> Iterator[TrainingResult]:
    """Measure the chosen contenders; yield the results so far after each network."""
    environment = machine.environments(os.environ, None)["natural"]
    rows: list[Row] = []
    starts: list[Start] = []
    skipped: list[Skipped] = []
    facts: dict[str, Any] = {}
    for request in requests(chosen):
        progress.begin(f"{request.network}:")
        worker = answers("benchmarks.loops.worker", request.to_json(), environment, request.network)
        for answer in worker:
            if "trained" in answer:
                progress.step(answer["trained"])
            elif "rows" in answer:
                rows += [Row(**row) for row in answer["rows"]]
                skipped += [Skipped(**entry) for entry in answer["skipped"]]
            else:
                facts = answer
        measured = [row.contender for row in rows if row.network == request.network]
        for name in (NOBODY, *measured) if chosen.starts else ():
            starts.append(start(request, name, chosen.starts, environment))
            progress.step(f"{name}, new processes")
        yield TrainingResult(
            device=chosen.device,
            created=datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
            quick=chosen.quick, machine=machine.describe(), versions=machine.versions(PACKAGES),
            rows=list(rows), starts=list(starts), skipped=list(skipped), **facts,
        )  # fmt: skip


def main(words: Sequence[str] | None = None) -> int:
    """Measure, store and print; return 1 if a contender failed."""
    chosen = arguments(words)
    rounds = sum(min(CONTENDERS[name].rounds, chosen.rounds) for name in chosen.contender)
    new = len(chosen.contender) + 1 if chosen.starts else 0
    progress = Progress((rounds + new) * len(chosen.network), sys.stderr)
    for result in measure(chosen, progress):
        path = save(result, chosen.output)
    progress.finish()
    print(report(result))
    print(f"Stored in {path}; python -m benchmarks.loops.report {path} prints it again.")
    return 1 if any("Error" in entry.reason for entry in result.skipped) else 0


if __name__ == "__main__":
    sys.exit(main())
