"""Measure the time of `convlab.explain.explaining` where nothing fails.

    python -m benchmarks.explaining            # two minutes, stored in convlab/results/files
    python -m benchmarks.explaining --quick    # a test run, stored in _build/
    python -m benchmarks.explaining --print    # print what is stored

The same code runs without a block, in a block without warnings, and in a block with them, in turn,
in one process with one thread.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import json
import os
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import partial
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from tabulate import tabulate
from torch.overrides import TorchFunctionMode

from benchmarks.libraries import torch_kernels
from benchmarks.machine import Others, describe, environments, versions
from benchmarks.processes import ROOT, answers
from benchmarks.timing import Plan, Runner, clock_for, estimate, interleave, spread
from convlab.explain import explaining
from convlab.models import MnistCNN, resnet18
from convlab.results import FILES
from convlab.results.store import read, rounded, write

RESULTS = FILES / "explaining"
QUICK_RESULTS = ROOT / "_build" / "benchmarks" / "explaining"
SCHEMA = 1
BASE = "no block"
CONTENDERS: dict[str, Callable[[], contextlib.AbstractContextManager[object]]] = {
    BASE: contextlib.nullcontext,
    "without warnings": partial(explaining, warn=False),
    "with warnings": explaining,
}


@dataclass(frozen=True)
class Row:
    """Times of one case in one contender; of each number the median and the quartiles.

    `slowdown` is *time of this contender / time without a block*, and `extra_us` the difference,
    both taken round by round.
    """

    case: str
    contender: str
    calls: int  # of PyTorch's functions from Python, which the watch sees
    us: float  # microseconds per run of the case
    us_low: float
    us_high: float
    slowdown: float
    slowdown_low: float
    slowdown_high: float
    extra_us: float
    n: int  # rounds
    others: float | None  # cores kept busy by other processes meanwhile; None where unknown


@dataclass(frozen=True)
class ExplainingResult:
    """Everything measured."""

    created: str  # UTC, ISO 8601
    quick: bool  # True: a test run; the numbers mean nothing
    machine: dict[str, Any]
    versions: dict[str, str | None]
    torch_kernels: str
    rows: list[Row]
    schema: int = SCHEMA


def cases() -> dict[str, Callable[[], object]]:
    """Return the code of each case."""
    torch.manual_seed(0)
    one, other = torch.rand(3), torch.rand(3)
    small, digit = MnistCNN().eval(), torch.rand(1, 1, 28, 28)
    model, images, labels = resnet18(num_classes=10), torch.rand(8, 3, 32, 32), torch.arange(8)
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3, momentum=0.9)

    def forward() -> None:
        with torch.inference_mode():
            small(digit)

    def step() -> None:
        optimizer.zero_grad()
        torch.autograd.backward(F.cross_entropy(model(images), labels))
        optimizer.step()

    return {
        "nothing": lambda: None,
        "one sum of 3 numbers": lambda: one + other,
        "MnistCNN, one image": forward,
        "training step of ResNet-18, 8 images of 32x32": step,
    }


class Counter(TorchFunctionMode):
    """Count the calls of PyTorch's functions."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        self.count += 1
        return func(*args, **(kwargs or {}))


def measure(rounds: int) -> list[Row]:
    """Measure all cases in this process."""
    torch.set_num_threads(1)
    clock = clock_for(1)
    plan = Plan(rounds=rounds, least_rounds=rounds, least=5e-3)
    rows = []
    for case, code in cases().items():
        counter: Any = Counter()
        with counter:
            code()

        def run(
            block: Callable[[], contextlib.AbstractContextManager[object]],
            code: Callable[[], object] = code,
        ) -> None:
            with block():
                code()

        calls = {name: partial(run, block) for name, block in CONTENDERS.items()}
        runners = [Runner(name, name, call, estimate(call, clock)) for name, call in calls.items()]
        with Others() as others:
            times = interleave(runners, plan, clock, always=calls)
        base = times[BASE].warm
        for name in calls:
            own = times[name].warm
            time = spread([1e6 * seconds for seconds in own])
            slowdown = spread([a / b for a, b in zip(own, base, strict=True)])
            extra = statistics.median(1e6 * (a - b) for a, b in zip(own, base, strict=True))
            rows.append(Row(
                case=case, contender=name, calls=counter.count,
                us=rounded(time.median), us_low=rounded(time.low), us_high=rounded(time.high),
                slowdown=rounded(slowdown.median), slowdown_low=rounded(slowdown.low),
                slowdown_high=rounded(slowdown.high), extra_us=rounded(extra), n=slowdown.n,
                others=others.cores,
            ))  # fmt: skip
    return rows


def report(result: ExplainingResult) -> str:
    """Return the table of a result, as Markdown."""
    lines = ["# The time of explaining where nothing fails", ""]
    if result.quick:
        lines += ["**A test run. The numbers mean nothing.**", ""]
    table = [
        [
            row.case, row.contender, row.calls, f"{row.us:,.1f}", f"{row.slowdown:.3f}",
            f"{row.slowdown_low:.3f} to {row.slowdown_high:.3f}", f"{row.extra_us:,.1f}", row.n,
        ]
        for row in result.rows
    ]  # fmt: skip
    heads = ["", "", "calls", "µs", "slowdown", "quartiles", "extra µs", "n"]
    lines += [str(tabulate(table, heads, tablefmt="github", disable_numparse=True)), ""]
    busy = max((row.others or 0.0 for row in result.rows), default=0.0)
    lines.append(f"Other processes kept up to {busy:.1f} cores busy. {result.created}")
    return "\n".join(lines)


def load(path: Path) -> ExplainingResult:
    """Read a result, as `convlab.results.store.read` does."""
    return read(path, ExplainingResult, SCHEMA, {"rows": Row})


def main(words: Sequence[str] | None = None) -> None:
    """Measure, store and print."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.explaining", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--quick", action="store_true", help="three rounds: a test run")
    parser.add_argument("--output", type=Path, metavar="FOLDER", help="folder for the result")
    parser.add_argument("--print", action="store_true", help="print the stored result")
    parser.add_argument(
        "--measure", type=int, metavar="ROUNDS",
        help="measure in this process, and print the rows as JSON",
    )  # fmt: skip
    chosen = parser.parse_args(words)
    if chosen.measure:
        rows = [dataclasses.asdict(row) for row in measure(chosen.measure)]
        print(json.dumps({"rows": rows, "torch_kernels": torch_kernels()}))
        return
    folder = chosen.output or (QUICK_RESULTS if chosen.quick else RESULTS)
    path = folder / "cpu.json"
    if not chosen.print:
        # No variable of the caller shall change threads or kernels.
        plain = environments(os.environ, None)["natural"]
        request = f"--measure={3 if chosen.quick else 101}"
        (answer,) = answers("benchmarks.explaining", request, plain, "explaining")
        result = ExplainingResult(
            created=datetime.now(timezone.utc).isoformat(timespec="seconds"),
            quick=chosen.quick, machine=describe(), versions=versions(("convlab", "torch")),
            torch_kernels=answer["torch_kernels"],
            rows=[Row(**row) for row in answer["rows"]],
        )  # fmt: skip
        write(dataclasses.asdict(result), path)
    print(report(load(path)))


if __name__ == "__main__":
    main()
