"""Parts of a GPU run: the device, the tests marked ``gpu``, training loops, prepared inference.

Each part is a generator of answers: fields of `store.GpuResult` with the rows so far, and
``stand_in`` or ``note`` for the table of the parts.
"""

from __future__ import annotations

import copy
import dataclasses
import os
import re
import subprocess
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from benchmarks.gpu.request import Request
from benchmarks.gpu.store import InferenceRow, Outcome, Skipped
from benchmarks.loops.contenders import CONTENDERS, PLAIN
from benchmarks.loops.device import accelerator, wait
from benchmarks.loops.measure import Timing, interleave, row
from benchmarks.loops.task import Task
from benchmarks.processes import ROOT
from benchmarks.timing import Clock, Plan, Runner, ratios, seconds, spread
from benchmarks.timing import interleave as interleave_calls
from convlab.models import BasicBlock, ResNet
from convlab.nn import fold_model
from convlab.results.store import rounded

Answers = Iterator[dict[str, Any]]

BATCH = 128
# The plain loop reads about 6,000 images per second: some seconds per training.
STEPS, ROUNDS = 128, 5
NETWORKS: tuple[str, ...] = ("SimpleCNN", "MnistCNN")
# "convlab" and what differs from it in one setting; "bare" is the speed that it could reach.
TRAININGS = (
    PLAIN, "convlab", "convlab contiguous", "convlab bf16", "bare", "convlab compile",
    "convlab reduce-overhead",
)  # fmt: skip
# With the tests that compute on a GPU; other folders need packages that a GPU machine may lack.
TEST_PATHS = (
    "tests/nn", "tests/training", "tests/explain/test_explain.py", "tests/benchmarks/test_loops.py",
    "tests/benchmarks/test_training.py",
)  # fmt: skip

SMI_FIELDS = (
    "driver_version", "clocks.sm", "clocks.max.sm", "clocks.mem", "clocks.max.mem", "power.limit",
    "temperature.gpu", "persistence_mode", "compute_mode", "mig.mode.current",
)  # fmt: skip


def reason(error: BaseException) -> str:
    """Print the traceback, and return the class and the first line of an error."""
    traceback.print_exception(error)
    lines = str(error).strip().splitlines() or [""]
    return f"{type(error).__name__}: {lines[0]}"


def without_compiler(request: Request) -> Answers:
    """Let nothing be compiled in a rehearsal: it would take minutes."""
    if request.rehearsal:
        yield {"stand_in": "backend 'eager' for torch.compile's compiler and its CUDA graphs"}
        torch.compiler.set_stance(force_backend="eager")


def device(request: Request) -> Answers:
    """Describe the GPU, and measure its matrix products."""
    found = flags()
    if request.rehearsal:
        yield {"stand_in": "CPU for the GPU"}
    else:
        found |= (accelerator("cuda") or {}) | nvidia_smi(torch.cuda.get_device_properties(0).uuid)
    yield {"accelerator": found}
    size = 256 if request.rehearsal else 8192
    yield {"accelerator": found | {"gemm_tflops": _gemm_tflops(request.device, size)}}


def flags() -> dict[str, Any]:
    """Return the defaults of PyTorch that choose kernels; `fit` sets its own."""
    return {
        "matmul_allow_tf32": torch.backends.cuda.matmul.allow_tf32,
        "cudnn_allow_tf32": torch.backends.cudnn.allow_tf32,
        "cudnn_benchmark": torch.backends.cudnn.benchmark,
    }


def nvidia_smi(uuid: object) -> dict[str, str]:
    """Return driver, clocks and limits of a GPU; nothing is changed."""
    command = ["nvidia-smi", f"--id=GPU-{uuid}", f"--query-gpu={','.join(SMI_FIELDS)}",
               "--format=csv,noheader"]  # fmt: skip
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=10)
        values = [value.strip() for value in done.stdout.strip().split(",")]
        return dict(zip(SMI_FIELDS, values, strict=True))
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        return {"nvidia_smi": f"not read, {type(error).__name__}"}


def _gemm_tflops(device: str, size: int) -> dict[str, float]:
    """Measure square matrix products, in 10^12 operations per second."""
    rates = {}
    for name, dtype, precision in (
        ("fp32", torch.float32, "highest"),
        ("tf32", torch.float32, "high"),
        ("bf16", torch.bfloat16, "highest"),
    ):
        torch.set_float32_matmul_precision(precision)
        matrix = torch.randn(size, size, dtype=dtype, device=device)
        elapsed = timing_of(partial(torch.mm, matrix, matrix), device, least=0.1)
        rates[name] = rounded(2 * size**3 / elapsed / 1e12)
    return rates


def clock(device: str) -> Clock:
    """Return a clock that waits for the device before it is read."""

    def now() -> float:
        wait(device)
        return time.perf_counter()

    return Clock("wall clock, device synchronized", now)


def timing_of(call: Callable[[], object], device: str, least: float) -> float:
    """Time a call that has been called before: seconds per call, over at least `least` seconds."""
    call()
    expected = seconds(call, 3, clock(device))
    return seconds(call, max(1, int(least / expected)), clock(device))


def tests(request: Request) -> Answers:
    """Run the tests marked ``gpu``, and list those that do not pass."""
    if request.rehearsal:
        yield {"stand_in": "tests that skip themselves for tests on the GPU"}
    command = [sys.executable, "-m", "pytest", "-v", "-m", "gpu", "-p", "no:cacheprovider",
               "--continue-on-collection-errors", *TEST_PATHS]  # fmt: skip
    # A test may have started this run.
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST_")}
    environment["PYTHONUNBUFFERED"] = "1"
    counts: Counter[str] = Counter()
    found: dict[str, Outcome] = {}
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        encoding="utf-8", errors="replace",
    ) as process:  # fmt: skip
        assert process.stdout is not None
        for line in process.stdout:
            sys.stderr.write(line)
            outcome = read_outcome(line)
            if outcome is None:
                continue
            if outcome.name not in found:
                counts[outcome.outcome] += 1
            found[outcome.name] = outcome
            rows = [each for each in found.values() if each.outcome != "passed"]
            yield {"tests": [dataclasses.asdict(each) for each in rows],
                   "note": ", ".join(f"{n} {name}" for name, n in counts.items())}  # fmt: skip
    bad = sum(counts[name] for name in ("failed", "error", "xpassed"))
    if bad or process.returncode or not (counts["passed"] or request.rehearsal):
        yield {"error": f"pytest ended with exit code {process.returncode}"}


def read_outcome(line: str) -> Outcome | None:
    """Read a line of pytest's report, or of the summary at its end, which gives the reasons.

    Examples
    --------
    >>> read_outcome("tests/a.py::test_b[cuda] PASSED   [ 50%]")
    Outcome(name='tests/a.py::test_b[cuda]', outcome='passed', reason=None)
    >>> read_outcome("FAILED tests/a.py::test_b[cuda] - assert 1 == 2").reason
    'assert 1 == 2'
    """
    words = "PASSED|FAILED|ERROR|SKIPPED|XFAIL|XPASS"
    if match := re.match(rf"(tests/\S*::.*?) ({words})\b", line):
        name, word, cause = match[1], match[2], None
    elif match := re.match(r"(FAILED|ERROR) (tests/.*?)(?: - (.*))?$", line.rstrip()):
        word, name, cause = match.groups()
    else:
        return None
    return Outcome(name, {"XFAIL": "xfailed", "XPASS": "xpassed"}.get(word, word.lower()), cause)


def training(request: Request) -> Answers:
    """Measure the training loops, and what each setting changes."""
    steps, batch, rounds, networks = STEPS, BATCH, ROUNDS, NETWORKS
    if request.rehearsal:
        yield {"stand_in": "32 images per epoch and one network"}
        steps, batch, rounds, networks = 4, 8, 1, networks[:1]
    yield from without_compiler(request)
    rows: list[dict[str, Any]] = []
    skipped: list[dict[str, Any]] = []
    longest_round = 0.0
    for network in networks:
        if request.left < longest_round:
            yield {"note": f"no time left for {network}"}
            return
        task = Task(network, steps * batch, batch, request.device)
        contenders = [CONTENDERS[name] for name in TRAININGS]
        timings: dict[str, list[Timing]] = {}
        latest: dict[str, float] = {}  # seconds of the latest training of each contender
        begun = start = time.monotonic()
        for name, found in interleave(contenders, task, rounds):
            if isinstance(found, Timing):
                timings.setdefault(name, []).append(found)
            elif name == PLAIN:
                raise found  # nothing to compare with
            else:
                entry = Skipped("training", f"{name}, {network}", reason(found))
                skipped.append(dataclasses.asdict(entry))
            measured = [
                dataclasses.asdict(row(contender, timings, task, torch.get_num_threads()))
                for contender in contenders
                if contender.name in timings
            ]
            yield {"training": [*rows, *measured], "skipped": skipped}
            start, latest[name] = time.monotonic(), time.monotonic() - start
            if len(latest) == len(contenders):
                longest_round = longest_round or start - begun  # the first one compiles
                if request.left < 1.2 * max(latest.values()):
                    yield {"note": f"{network}: no time left for all {rounds} rounds"}
                    return
        rows += measured


@dataclass(frozen=True)
class Preparation:
    """A way to prepare a network for inference."""

    name: str
    fold: bool = False  # batch normalization into the convolutions
    channels_last: bool = False
    dtype: torch.dtype = torch.float32
    mode: str | None = None  # of torch.compile; "reduce-overhead" uses CUDA graphs

    @property
    def tolerance(self) -> float:
        """Largest error, relative to the largest output; TF32 rounds to 10 bits, bf16 to 7."""
        return 0.1 if self.dtype == torch.bfloat16 else 0.02

    def prepare(self, model: nn.Module) -> nn.Module:
        """Return a prepared copy of a network in evaluation mode."""
        layout = torch.channels_last if self.channels_last else torch.contiguous_format
        prepared = fold_model(model) if self.fold else copy.deepcopy(model)
        prepared.to(dtype=self.dtype, memory_format=layout)  # type: ignore[call-overload]
        if self.mode is not None:
            prepared = torch.compile(prepared, mode=self.mode, dynamic=False)  # type: ignore[assignment]
        return prepared

    def images(self, images: Tensor) -> Tensor:
        """Convert images to the format that the prepared network takes."""
        layout = torch.channels_last if self.channels_last else torch.contiguous_format
        return images.to(self.dtype).contiguous(memory_format=layout)


EAGER = Preparation("eager")
PREPARATIONS = (
    EAGER,
    Preparation("folded", fold=True),
    Preparation("channels_last", channels_last=True),
    Preparation("bf16", dtype=torch.bfloat16),
    Preparation("compiled", mode="default"),
    Preparation("reduce-overhead", mode="reduce-overhead"),
    Preparation("all of them", True, True, torch.bfloat16, "reduce-overhead"),
)


def inference(request: Request) -> Answers:
    """Measure ResNet-18 with random weights, prepared in several ways, each beside the eager one.

    The outputs of a prepared network are compared with the eager ones before it is timed.
    """
    size, batches, blocks = (32, (2,), 1) if request.rehearsal else (224, (1, 256), 2)
    if request.rehearsal:
        yield {"stand_in": "two images of 32 x 32 and half of the blocks for ResNet-18"}
    yield from without_compiler(request)
    torch.manual_seed(0)
    model = ResNet(BasicBlock, (blocks,) * 4)
    model = calibrated(model, torch.randn(16, 3, size, size)).to(request.device)
    rows: list[dict[str, Any]] = []
    skipped: list[dict[str, Any]] = []
    longest = 0.0
    # What does not compile comes first.
    for way in sorted(PREPARATIONS, key=lambda way: way.mode is not None):
        for batch in batches:
            what, start = f"{way.name}, batch of {batch}", time.monotonic()
            missing = "no time left" if request.left < 1.2 * longest else None
            if missing is None:
                images = torch.randn(batch, 3, size, size, device=request.device)
                try:
                    found = _compare(model, way, images, request.rehearsal)
                    rows.append(dataclasses.asdict(found))
                except Exception as error:  # out of memory, no compiler, wrong outputs, ...
                    missing = reason(error)
                torch.compiler.reset()
            if missing is not None:
                skipped.append(dataclasses.asdict(Skipped("inference", what, missing)))
            longest = max(longest, time.monotonic() - start)
            yield {"inference": rows, "skipped": skipped}


def calibrated(model: ResNet, images: Tensor) -> ResNet:
    """Set the statistics of the batch normalizations to those of some images; in eval mode."""
    for layer in model.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.momentum = None  # the running statistics become the mean over all batches
    with torch.no_grad():
        model.train()(images)
    return model.eval()


def _compare(model: nn.Module, way: Preparation, images: Tensor, quick: bool) -> InferenceRow:
    """Check the outputs of a prepared network, and time it beside the eager one."""
    device, now = images.device.type, clock(images.device.type).now
    plan = Plan(rounds=2 if quick else 7, least=1e-3 if quick else 0.1)
    with torch.inference_mode():
        prepared, converted = way.prepare(model), way.images(images)
        start = now()
        outputs = prepared(converted).float().clone()  # a CUDA graph overwrites its outputs
        first_call = now() - start
        expected = model(images)
        error = float((outputs - expected).abs().max() / expected.abs().max())
        if not error <= way.tolerance:
            raise ValueError(f"the error of the outputs is {error:.2g}, above {way.tolerance:g}")
        calls: Mapping[str, Callable[[], object]] = {
            EAGER.name: lambda: model(images), way.name: lambda: prepared(converted),
        }  # fmt: skip
        runners = [
            Runner(name, name, call, timing_of(call, device, least=plan.least))
            for name, call in calls.items()
        ]
        times = interleave_calls(runners, plan, clock(device), always=calls)
    own = times[way.name].warm
    middle, ratio = spread(own), spread(ratios(times[EAGER.name].warm, own))
    return InferenceRow(
        network="ResNet-18", size=images.shape[-1], batch=len(images), prepared=way.name,
        images_per_second=rounded(len(images) / middle.median), ms=rounded(1e3 * middle.median),
        ratio=rounded(ratio.median), ratio_low=rounded(ratio.low), ratio_high=rounded(ratio.high),
        n=ratio.n, error=rounded(error), tolerance=way.tolerance, first_call=rounded(first_call),
    )  # fmt: skip
