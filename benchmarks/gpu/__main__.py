"""Measure everything on one NVIDIA GPU, store it part by part, and print tables."""

from __future__ import annotations

import argparse
import dataclasses
import datetime
import os
import signal
import sys
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, NoReturn

import torch

from benchmarks import machine, processes
from benchmarks.gpu.report import report
from benchmarks.gpu.request import Request
from benchmarks.gpu.store import TABLES, GpuResult, Part, load, save
from benchmarks.processes import Progress
from convlab.data.cache import cache_folder
from convlab.results import FILES
from convlab.results.store import rounded

PACKAGES = ("convlab", "numpy", "torch", "torchvision", "triton", "pillow", "pytest")
# The parts in their order, and the share of each in the time. Time that a part leaves goes to the
# ones after it; in a rehearsal, each may take all that is left. The device comes first, as it is
# quick and the first to fail; the profile follows the training, whose compiled code it finds in
# the cache.
SHARES = {
    "device": 40, "tests": 100, "training": 140, "profile": 50, "accuracy": 110, "inference": 60,
}  # fmt: skip
LEAST = 10.0  # seconds below which a part is not started
Run = Callable[[Request, float], Iterator[dict[str, Any]]]


def arguments(words: Sequence[str] | None = None) -> argparse.Namespace:
    """Parse and check the command line, and fill in the defaults."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu", description=__doc__)
    add = parser.add_argument
    add("--out", type=Path, metavar="FILE", help="file for the result, which is replaced")
    add(
        "--print", type=Path, metavar="FILE", help="print the tables of a file, and do nothing else"
    )
    add("--data", type=Path, metavar="FOLDER", help="folder with cifar10.npz as convlab.data "
        "stores it ($CONVLAB_DATA, or the cache; without the file, digits stand in)")  # fmt: skip
    add("--note", default="", help="a remark on the images, stored with the result")
    add("--part", nargs="+", choices=SHARES, default=list(SHARES), metavar="NAME",
        help=f"parts to run: {', '.join(SHARES)} (all)")  # fmt: skip
    add("--seeds", type=int, default=3, metavar="N", help="trainings of each network (3)")
    add("--minutes", type=float, metavar="M", help="time limit (8; of a rehearsal 2)")
    add("--rehearse", action="store_true", help="run all that a CPU can, with tiny sizes, and with "
        "stand-ins for the rest")  # fmt: skip
    chosen = parser.parse_args(words)
    if (chosen.out is None) == (chosen.print is None):
        parser.error("one of --out and --print is needed")
    if chosen.print is not None:
        return chosen
    if chosen.seeds < 1:
        parser.error(f"--seeds must be at least 1, got {chosen.seeds}")
    if chosen.minutes is None:
        chosen.minutes = 2.0 if chosen.rehearse else 8.0
    if not 0 < chosen.minutes < 1e6:
        parser.error(f"--minutes must be above 0, got {chosen.minutes}")
    if chosen.rehearse and FILES in chosen.out.resolve().parents:
        parser.error(f"--out must not be in {FILES} with --rehearse, got {chosen.out}")
    if not chosen.rehearse and not torch.cuda.is_available():
        text = "PyTorch finds no CUDA GPU here; --rehearse runs what a CPU can"
        parser.exit(2, f"{parser.prog}: error: {text}\n")
    folder = chosen.data or cache_folder()
    found = (folder / "cifar10.npz").is_file()
    if chosen.data is not None and not found:
        parser.error(f"--data: there is no cifar10.npz in {folder}")
    chosen.data = str(folder.resolve()) if found else None
    chosen.part = [name for name in SHARES if name in chosen.part]
    return chosen


def run_worker(request: Request, limit: float) -> Iterator[dict[str, Any]]:
    """Run one part in a process that is killed after `limit` seconds, and yield its answers."""
    environment = machine.environments(os.environ, None)["natural"]
    if request.rehearsal:
        environment["CUDA_VISIBLE_DEVICES"] = ""  # a rehearsal is the same on every machine
    module, text = "benchmarks.gpu.worker", request.to_json()
    yield from processes.answers(module, text, environment, request.part, limit)


def measure(
    chosen: argparse.Namespace,
    run: Run = run_worker,
    now: Callable[[], float] = time.time,
    show: Callable[[str], object] = lambda name: None,
) -> Generator[GpuResult, None, None]:
    """Run the parts one after the other, and yield the result so far after every change."""
    end = now() + 60 * chosen.minutes
    result = GpuResult(
        created=datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        rehearsal=chosen.rehearse, minutes=chosen.minutes, note=chosen.note,
        machine=machine.describe(), versions=machine.versions(PACKAGES),
        parts=[Part(name, "skipped", "the run ended before", 0.0, 0.0) for name in chosen.part],
    )  # fmt: skip
    yield result
    for position, name in enumerate(chosen.part):
        start = now()
        limit = end - start
        if not chosen.rehearse:
            limit *= SHARES[name] / sum(SHARES[each] for each in chosen.part[position:])
        part = Part(name, "failed", "the run ended during this part", 0.0, rounded(limit))
        if limit < LEAST:
            part = Part(name, "skipped", "no time left", 0.0, rounded(max(0.0, limit)))
        result = _with_part(result, position, part)
        yield result
        if part.status == "skipped":
            continue
        show(name)
        error, note, stand_ins = None, "", []
        request = Request(name, start + limit, chosen.rehearse, chosen.data, chosen.seeds)
        others = result.skipped
        try:
            for answer in run(request, limit):
                fields = {key: _rows(key, value) for key, value in answer.items() if key in FIELDS}
                if "skipped" in fields:
                    fields["skipped"] = others + fields["skipped"]
                result = dataclasses.replace(result, **fields)
                stand_ins += [answer["stand_in"]] if "stand_in" in answer else []
                note, error = answer.get("note", note), answer.get("error", error)
                if fields:
                    yield result
        except (RuntimeError, OSError, ValueError) as failure:  # those of `answers`
            error = f"{type(failure).__name__}: {failure}"
        status = "failed" if error else "stand-in" if stand_ins else "done"
        remarks = "; ".join(text for text in (error, note, *stand_ins) if text)
        part = Part(name, status, remarks or None, rounded(now() - start), rounded(limit))
        result = _with_part(result, position, part)
        yield result


FIELDS = {"accelerator", *TABLES} - {"parts"}


def _rows(key: str, value: Any) -> Any:
    return [TABLES[key](**row) for row in value] if key in TABLES else value


def _with_part(result: GpuResult, position: int, part: Part) -> GpuResult:
    parts = [*result.parts[:position], part, *result.parts[position + 1 :]]
    return dataclasses.replace(result, parts=parts)


def _end(number: int, frame: object) -> NoReturn:
    """Turn a signal into an exception, so that the process of the part is killed."""
    sys.exit(128 + number)


def main(words: Sequence[str] | None = None) -> int:
    """Measure, store and print; return 1 if a part failed."""
    chosen = arguments(words)
    if chosen.print is not None:
        print(report(load(chosen.print)))
        return 0
    signal.signal(signal.SIGTERM, _end)
    progress = Progress(len(chosen.part), sys.stderr)
    with closing(measure(chosen, show=lambda name: progress.begin(f"{name}:"))) as results:
        for result in results:
            save(result, chosen.out)
    progress.finish()
    print(report(result))
    print(f"Stored in {chosen.out}; python -m benchmarks.gpu --print {chosen.out} prints it again.")
    return 1 if any(part.status == "failed" for part in result.parts) else 0


if __name__ == "__main__":
    sys.exit(main())
