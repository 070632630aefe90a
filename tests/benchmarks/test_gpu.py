"""Tests of ``python -m benchmarks.gpu``: its rehearsal, its file, failures, time limits."""

import dataclasses
import json
import os
import platform
import re
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from benchmarks.gpu import __main__ as command
from benchmarks.gpu import accuracy, parts, trace, worker
from benchmarks.gpu.report import report
from benchmarks.gpu.request import Request
from benchmarks.gpu.store import (
    AccuracyRow,
    GpuResult,
    InferenceRow,
    Outcome,
    Part,
    ProfileRow,
    Skipped,
    load,
    save,
)
from benchmarks.loops.contenders import CONTENDERS
from benchmarks.processes import ROOT, answers
from convlab.data import load as load_data
from convlab.data import match_input
from convlab.models import BasicBlock, ResNet
from convlab.training import TrainConfig
from tests.benchmarks.test_training import ROW as TRAINING

PROFILE = ProfileRow(
    network="SimpleCNN", contender="convlab", batch=128, steps=32, step_ms=2.0, profiled_ms=4.0,
    operator_ms=3.0, launch_ms=1.5, wait_ms=0.1, device_ms=1.0, operators=400.0, launches=150.0,
    kernels=160.0,
)  # fmt: skip
ACCURACY = AccuracyRow(
    network="SimpleCNN", data="cifar10", count=50000, seed=0, settings="flip=True", epochs=10,
    expected_images_per_second=90000.0, images_per_second=91000.0, target=0.75, accuracy=0.7654,
    test_images=10000, seconds_to_target=4.5, training_seconds=5.5, seconds=6.5,
)  # fmt: skip
INFERENCE = InferenceRow(
    network="ResNet-18", size=224, batch=256, prepared="folded", images_per_second=12345.0, ms=20.7,
    ratio=1.25, ratio_low=1.2, ratio_high=1.3, n=7, error=1e-5, tolerance=0.02, first_call=0.5,
)  # fmt: skip
RESULT = GpuResult(
    created="2020-01-01T00:00:00+00:00", rehearsal=False, minutes=8.0, note="compressed images",
    machine={"cpu": "Z80", "cores": 2}, versions={"torch": "2.15", "triton": None},
    accelerator={"name": "A GPU", "driver_version": "1.2", "gemm_tflops": {"fp32": 50.0}},
    parts=[Part("tests", "failed", "1 passed, 1 failed", 60.0, 100.0)],
    tests=[Outcome("tests/a.py::test_b[cuda]", "failed", "assert 1 == 2")],
    profile=[PROFILE], accuracy=[ACCURACY], inference=[INFERENCE],
    skipped=[Skipped("training", "convlab compile, SimpleCNN", "RuntimeError: no Triton")],
)  # fmt: skip


def request(part="device", seconds=1000.0, rehearsal=True, seeds=2):
    return Request(part, time.time() + seconds, rehearsal, None, seeds)


def chosen(*words):
    return command.arguments(["--rehearse", "--out", "x.json", *words])


def statuses(result):
    return {part.name: part.status for part in result.parts}


def processes_with(text):
    """List the running processes with a text in their environment, on Linux."""
    found = []
    for environment in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError):  # ended meanwhile, or of another user
            found += [environment.parent.name] * (text.encode() in environment.read_bytes())
    return found


@pytest.fixture(autouse=True)
def compiled_as_before():
    """Undo what a rehearsal in this process changes."""
    yield
    torch.compiler.set_stance("default")
    torch.set_float32_matmul_precision("highest")


@pytest.mark.slow
def test_a_rehearsal_runs_every_part(tmp_path):
    path = tmp_path / "new" / "gpu.json"
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.gpu", "--rehearse", "--minutes", "20",
         "--out", str(path)],
        cwd=ROOT, env={**os.environ, "CONVLAB_DATA": str(tmp_path)}, capture_output=True,
        text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    result = load(path)
    assert statuses(result) == dict.fromkeys(command.SHARES, "stand-in")
    assert result.rehearsal
    assert not result.skipped
    assert {test.outcome for test in result.tests} == {"skipped"}
    assert [row.contender for row in result.training] == list(parts.TRAININGS)
    assert [row.contender for row in result.profile] == list(trace.PROFILED)
    assert [row.network for row in result.accuracy] == [goal.name for goal in accuracy.GOALS]
    assert {row.prepared for row in result.inference} == {way.name for way in parts.PREPARATIONS}
    for row in result.profile:
        assert row.operators > 50
        assert (row.launch_ms, row.wait_ms, row.device_ms, row.kernels) == (None,) * 4
    for text in ("The numbers mean nothing", "digits for CIFAR-10", "CPU for the GPU",
                 "backend 'eager'", "no times of a device"):  # fmt: skip
        assert text in done.stdout
    stored = path.read_text()
    assert not any(secret in stored for secret in (str(ROOT), str(Path.home()), platform.node()))
    assert command.main(["--print", str(path)]) == 0


@pytest.mark.slow
def test_a_signal_ends_the_part_too_and_leaves_a_valid_file(tmp_path):
    path = tmp_path / "gpu.json"
    words = [sys.executable, "-m", "benchmarks.gpu", "--rehearse", "--part", "device", "tests",
             "--minutes", "20", "--out", str(path)]  # fmt: skip
    marked = {**os.environ, "CONVLAB_MARK": str(path)}
    with subprocess.Popen(words, cwd=ROOT, env=marked, stderr=subprocess.DEVNULL) as process:
        # The command, the process of the part, and pytest; other systems do not show them.
        least = 3 if sys.platform == "linux" else 0
        while not (
            path.exists()
            and load(path).parts[1].status == "failed"
            and len(processes_with(str(path))) >= least
        ):
            assert process.poll() is None
            time.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 128 + signal.SIGTERM
    for _ in range(100):
        if not processes_with(str(path)):
            break
        time.sleep(0.05)
    assert processes_with(str(path)) == []
    result = load(path)
    assert statuses(result) == {"device": "stand-in", "tests": "failed"}
    assert result.parts[1].note == "the run ended during this part"
    assert result.accelerator


def test_a_failing_part_is_recorded_and_the_others_go_on(tmp_path):
    def run(asked, limit):
        if asked.part == "device":
            yield {"accelerator": {"name": "A GPU"}}
            raise RuntimeError("the worker for device failed with exit code -11")
        if asked.part == "tests":
            yield {"tests": [dataclasses.asdict(RESULT.tests[0])], "note": "1 failed"}
            yield {"error": "pytest ended with exit code 1"}
        elif asked.part == "training":
            yield {"skipped": [dataclasses.asdict(RESULT.skipped[0])]}
        elif asked.part == "profile":
            yield {"profile": [dataclasses.asdict(PROFILE)], "skipped": []}
            raise TimeoutError("the worker for profile was stopped after 9 s")
        else:
            yield {"stand_in": "a for b"}
            yield {"stand_in": "c for d"}

    *_, result = command.measure(chosen(), run)
    assert statuses(result) == {
        "device": "failed", "tests": "failed", "training": "done", "profile": "failed",
        "accuracy": "stand-in", "inference": "stand-in",
    }  # fmt: skip
    notes = [part.note for part in result.parts]
    assert notes[0] == "RuntimeError: the worker for device failed with exit code -11"
    assert notes[1] == "pytest ended with exit code 1; 1 failed"
    assert notes[2] is None
    assert notes[3] == "TimeoutError: the worker for profile was stopped after 9 s"
    assert notes[4] == "a for b; c for d"
    assert result.accelerator == {"name": "A GPU"}
    assert result.tests == RESULT.tests
    assert result.profile == [PROFILE]
    assert result.skipped == RESULT.skipped
    assert load(save(result, tmp_path / "gpu.json")) == result


def test_time_that_a_part_leaves_goes_to_the_others_and_what_is_left_out_says_so(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    asked = command.arguments(["--out", "x.json", "--minutes", "5"])
    clock = [0.0]
    limits = []

    def run(asked, limit):
        limits.append(limit)
        clock[0] += {"device": 4.0, "training": limit, "accuracy": 290.0}.get(asked.part, 10.0)
        yield {}

    *_, result = command.measure(asked, run, now=lambda: clock[0])
    assert statuses(result) == {**dict.fromkeys(command.SHARES, "done"), "inference": "skipped"}
    assert result.parts[-1].note == "no time left"
    total = sum(command.SHARES.values())
    assert limits[0] == pytest.approx(300 * 40 / total)
    assert limits[1] == pytest.approx(296 * 100 / (total - 40))
    assert limits[4] == pytest.approx((286 - limits[2] - 10) * 110 / 170)


def test_a_run_that_is_killed_leaves_what_it_has(tmp_path):
    def run(asked, limit):
        yield {"profile": [dataclasses.asdict(PROFILE)]}
        if asked.part == "training":
            raise KeyboardInterrupt

    path = tmp_path / "gpu.json"
    asked = chosen("--part", "profile", "device", "training")
    with suppress(KeyboardInterrupt):
        for result in command.measure(asked, run):
            save(result, path)
    left = load(path)
    assert statuses(left) == {"device": "done", "training": "failed", "profile": "skipped"}
    assert left.profile == [PROFILE]
    assert left.parts[1].note == "the run ended during this part"
    assert left.parts[2].note == "the run ended before"


def test_a_worker_is_killed_at_its_time_limit_with_all_that_it_started():
    sleep = "import subprocess; subprocess.run(['sleep', '60'])"
    start = time.monotonic()
    with pytest.raises(TimeoutError, match="the worker for sleeping was stopped after 1 s"):
        list(answers("timeit", sleep, dict(os.environ), "sleeping", limit=1))
    assert time.monotonic() - start < 30


def test_a_worker_says_why_a_part_fails(monkeypatch, capsys):
    def fails(asked):
        yield {"note": "begun"}
        raise torch.OutOfMemoryError("CUDA out of memory.\nTried to allocate")

    monkeypatch.setitem(worker.PARTS, "device", fails)
    monkeypatch.setattr(worker.torch, "set_num_threads", lambda threads: None)
    *_, last = worker.work(request())
    assert last == {"error": "OutOfMemoryError: CUDA out of memory."}
    assert "Tried to allocate" in capsys.readouterr().err
    assert Request.from_json(request("tests", 1e9).to_json()).part == "tests"


def test_without_a_gpu_one_line_says_so(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(SystemExit) as ended:
        command.main(["--out", str(tmp_path / "gpu.json")])
    assert ended.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "PyTorch finds no CUDA GPU here; --rehearse runs what a CPU can" in line
    assert not list(tmp_path.iterdir())


def test_a_gpu_gets_eight_minutes_and_real_data(monkeypatch, tmp_path):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setenv("CONVLAB_DATA", str(tmp_path))
    (tmp_path / "cifar10.npz").touch()
    asked = command.arguments(["--out", str(command.FILES / "gpu" / "a.json")])
    assert (asked.minutes, asked.data, asked.seeds) == (8, str(tmp_path), 3)
    assert asked.part == list(command.SHARES)
    assert command.arguments(["--out", "a", "--data", str(tmp_path)]).data == str(tmp_path)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "one of --out and --print is needed"),
        (["--out", "a", "--print", "b"], "one of --out and --print is needed"),
        (["--rehearse", "--out", str(command.FILES / "gpu" / "a.json")], "--out must not be in"),
        (["--rehearse", "--out", "a", "--data", "/nowhere"], "there is no cifar10.npz in /nowhere"),
        (["--rehearse", "--out", "a", "--seeds", "0"], "--seeds must be at least 1, got 0"),
        (["--rehearse", "--out", "a", "--minutes", "0"], "--minutes must be above 0, got 0"),
        (["--rehearse", "--out", "a", "--part", "lunch"], "lunch"),
    ],
)
def test_invalid_arguments_are_refused(words, message, capsys):
    with pytest.raises(SystemExit) as ended:
        command.arguments(words)
    assert ended.value.code == 2
    assert message in capsys.readouterr().err


def event(category, name, start, duration):
    return {"ph": "X", "cat": category, "name": name, "ts": start, "dur": duration}


def test_a_step_is_split_into_launches_waiting_and_computation():
    events = [
        event("cpu_op", "aten::conv2d", 0.0, 1000.0),
        event("cpu_op", "aten::cudnn_convolution", 100.0, 800.0),  # inside the one before
        event("cuda_runtime", "cudaLaunchKernel", 200.0, 100.0),
        event("cuda_driver", "cuLaunchKernelEx", 220.0, 50.0),  # inside the one before
        event("cuda_runtime", "cudaGraphLaunch", 1200.0, 200.0),
        event("cuda_runtime", "cudaMemcpyAsync", 1500.0, 100.0),
        event("cuda_runtime", "cudaDeviceSynchronize", 2000.0, 600.0),
        event("cuda_runtime", "cudaStreamIsCapturing", 2700.0, 9.0),
        event("kernel", "sgemm", 300.0, 1000.0),
        event("kernel", "relu", 800.0, 1000.0),  # half of it on another stream meanwhile
        event("gpu_memcpy", "Memcpy DtoH", 2000.0, 500.0),
        event("gpu_user_annotation", "Optimizer.step#SGD.step", 0.0, 9000.0),
        event("user_annotation", "Optimizer.step#SGD.step", 0.0, 9000.0),
        {"ph": "i", "name": "Iteration Start", "ts": 0.0},
        {"ph": "M", "name": "process_name"},
    ]
    assert trace.split(events, steps=2, gpu=True) == {
        "operator_ms": 0.5, "operators": 1, "launch_ms": 0.2, "wait_ms": 0.3, "device_ms": 1.0,
        "launches": 1.5, "kernels": 1,
    }  # fmt: skip
    with pytest.raises(RuntimeError, match="the profiler has recorded no kernel"):
        trace.split(events[:8], steps=2, gpu=True)


def test_the_third_epoch_is_profiled(monkeypatch):
    class Profiler:
        running = False

        def start(self):
            self.running = True

        def stop(self):
            self.running = False

        def export_chrome_trace(self, path):
            Path(path).write_text(json.dumps({"traceEvents": [event("cpu_op", "a", 0, 1)]}))

    profiler = Profiler()
    monkeypatch.setattr(trace, "profile", lambda activities: profiler)
    running = []

    def train(task, epochs, ended):
        for epoch in range(epochs):
            running.append(profiler.running)
            if task.fails and epoch == 2:
                raise OSError("no memory")
            ended(1.0)

    task = SimpleNamespace(device="cpu", fails=False)
    plain, profiled, events = trace.record(train, task)
    assert running == [False, False, True]
    assert min(plain, profiled) >= 0
    assert len(events) == 1
    task.fails = True
    with pytest.raises(OSError, match="no memory"):
        trace.record(train, task)
    assert not profiler.running


def test_every_test_on_the_gpu_is_run():
    marked = re.compile(r"mark\.gpu|^def test_\w+\((\w+, )*device\b", re.MULTILINE)
    files = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "tests").rglob("test_*.py")
        if marked.search(path.read_text(encoding="utf-8")) and path != Path(__file__)
    }
    assert len(files) > 5
    assert {name for name in files if not name.startswith(parts.TEST_PATHS)} == set()


class Pytest:
    """A pytest whose tests fail."""

    text = """collecting ... collected 5 items
tests/nn/test_a.py::test_b[cuda] PASSED [ 20%]
tests/nn/test_a.py::test_b[cuda-a b] FAILED [ 40%]
tests/nn/test_a.py::test_c[cuda] SKIPPED (no) [ 60%]
tests/nn/test_a.py::test_d[cuda] ERROR [ 80%]
SKIPPED [1] tests/nn/test_a.py:3: no
ERROR tests/nn/test_z.py - ModuleNotFoundError: No module named 'z'
FAILED tests/nn/test_a.py::test_b[cuda-a b] - assert 1 == 2
"""
    returncode = 1

    def __init__(self, *_, **__):
        self.stdout = iter(self.text.splitlines(keepends=True))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass


def test_a_test_that_does_not_pass_is_listed(monkeypatch):
    monkeypatch.setattr(parts.subprocess, "Popen", Pytest)
    *_, rows, error = parts.tests(request(rehearsal=False))
    assert rows["note"] == "1 passed, 1 failed, 1 skipped, 2 error"
    name = "tests/nn/test_a.py::test_"
    assert [Outcome(**row) for row in rows["tests"]] == [
        Outcome(name + "b[cuda-a b]", "failed", "assert 1 == 2"),
        Outcome(name + "c[cuda]", "skipped", None),
        Outcome(name + "d[cuda]", "error", None),
        Outcome("tests/nn/test_z.py", "error", "ModuleNotFoundError: No module named 'z'"),
    ]
    assert error == {"error": "pytest ended with exit code 1"}


def test_tests_that_are_all_skipped_have_tested_nothing(monkeypatch):
    monkeypatch.setattr(parts.subprocess, "Popen", Pytest)
    monkeypatch.setattr(Pytest, "text", "tests/a.py::test_b SKIPPED (needs a CUDA GPU) [100%]\n")
    monkeypatch.setattr(Pytest, "returncode", 0)
    *_, last = parts.tests(request(rehearsal=False))
    assert last == {"error": "pytest ended with exit code 0"}
    *_, last = parts.tests(request())
    assert "error" not in last


def test_clocks_are_read_where_nvidia_smi_is(monkeypatch):
    values = [f"value {number}" for number in range(len(parts.SMI_FIELDS))]
    text = ", ".join(values) + "\n"

    def answer(words, **_):
        assert words[1] == "--id=GPU-abc"
        return subprocess.CompletedProcess(words, 0, text)

    monkeypatch.setattr(parts.subprocess, "run", answer)
    assert parts.nvidia_smi("abc") == dict(zip(parts.SMI_FIELDS, values, strict=True))
    text = "N/A\n"
    assert parts.nvidia_smi("abc") == {"nvidia_smi": "not read, ValueError"}


def test_each_variant_of_the_training_changes_one_setting():
    base = CONTENDERS["convlab"].settings
    variants = [CONTENDERS[name] for name in parts.TRAININGS if name.startswith("convlab ")]
    changed = [{key: value for key, value in variant.settings.items() if base.get(key) != value}
               for variant in variants]  # fmt: skip
    assert changed == [
        {"channels_last": False}, {"precision": "bf16"}, {"compile": True},
        {"mode": "reduce-overhead"},
    ]  # fmt: skip


def test_a_training_that_fails_is_listed_and_the_others_are_measured(monkeypatch):
    def timings(contenders, task, rounds):
        for contender in contenders:
            if contender.name == "convlab compile":
                yield contender.name, RuntimeError("no Triton\nmuch more")
            else:
                yield contender.name, parts.Timing(1.0, 2.0, (2.0, 1.0), 0.0)

    monkeypatch.setattr(parts, "interleave", timings)
    *_, last = parts.training(request())
    assert len(last["training"]) == len(parts.TRAININGS) - 1
    assert last["skipped"] == [
        {"part": "training", "what": "convlab compile, SimpleCNN",
         "reason": "RuntimeError: no Triton"},
    ]  # fmt: skip


def test_a_preparation_changes_one_thing():
    for way in parts.PREPARATIONS[1:-1]:
        changed = [
            field.name
            for field in dataclasses.fields(way)
            if getattr(way, field.name) != getattr(parts.EAGER, field.name)
        ]
        assert len(changed) == 2, way.name  # one of them is the name


def test_a_network_with_wrong_outputs_is_not_timed(monkeypatch):
    class Wrong(parts.Preparation):
        def prepare(self, model):
            prepared = super().prepare(model)
            prepared.fc.weight.data *= 1.1
            return prepared

    monkeypatch.setattr(parts, "PREPARATIONS", (parts.EAGER, Wrong("wrong")))
    *_, last = parts.inference(request())
    assert [row["prepared"] for row in last["inference"]] == ["eager"]
    (skipped,) = last["skipped"]
    assert skipped["what"] == "wrong, batch of 2"
    assert re.fullmatch(r"ValueError: the error of the outputs is 0\.\d+, above 0.02",
                        skipped["reason"])  # fmt: skip


def test_without_time_nothing_is_compared():
    *_, last = parts.inference(request(seconds=-1.0))
    assert last["inference"] == []
    assert {entry["reason"] for entry in last["skipped"]} == {"no time left"}


def test_folding_changes_the_statistics_that_calibration_has_set():
    torch.manual_seed(0)
    images = torch.randn(4, 3, 32, 32)
    model = parts.calibrated(ResNet(BasicBlock, (1, 1, 1, 1)), images)
    assert not model.training
    assert not torch.allclose(model.bn1.running_var, torch.ones(64), rtol=0.1)
    folded = parts.Preparation("folded", fold=True).prepare(model)
    assert isinstance(folded.bn1, nn.Identity)
    torch.testing.assert_close(folded(images), model(images), rtol=1e-3, atol=1e-4)


def test_as_many_epochs_and_seeds_as_the_time_allows(monkeypatch):
    data = match_input(load_data("digits"), (3, 32, 32))
    asked = []

    def fit(model, images, config, progress, on_epoch):
        asked.append((len(images.train_labels), config.epochs))
        clock[0] += 1.0
        on_epoch(None)
        clock[0] += 0.5  # 0.2 of them for the evaluation
        on_epoch(None)
        epoch = SimpleNamespace(images_per_second=1442.0, seconds=0.3)
        return SimpleNamespace(history=[epoch, epoch])

    clock = [0.0]
    monkeypatch.setattr(accuracy, "fit", fit)
    monkeypatch.setattr(accuracy.time, "monotonic", lambda: clock[0])
    goal = accuracy.Goal("tiny", lambda: None, None, {"batch_size": 10}, 0.9, (5, 15), 1.0)
    # 1.5 s are gone; an epoch takes 1.2 s.
    found = {}
    for limit in (21.5, 1000.0, 15.0):
        config, seeds, speed = accuracy.planned(goal, data, request(rehearsal=False), limit)
        assert (config.device, speed) == ("cuda", 1442.0)
        found[limit] = seeds, config.epochs
    assert found == {21.5: (2, 7), 1000.0: (2, 15), 15.0: (1, 9)}
    assert asked == [(400, 2)] * 3
    with pytest.raises(TimeoutError, match=r"time for 3 epochs of 1\.2 s, fewer than 5"):
        accuracy.planned(goal, data, request(rehearsal=False), 7.0)


def test_the_time_to_the_target_is_that_of_the_first_epoch_which_reaches_it(monkeypatch):
    data = match_input(load_data("digits"), (3, 32, 32))
    epochs = [
        SimpleNamespace(seconds=2.0, validation_accuracy=share, images_per_second=10.0)
        for share in (0.5, 0.91, 0.89, 0.95)
    ]
    test = SimpleNamespace(accuracy=0.95, count=355)
    monkeypatch.setattr(
        accuracy, "fit", lambda *_, **__: SimpleNamespace(history=epochs, test=test)
    )
    goal = accuracy.Goal("tiny", lambda: None, None, {}, 0.9, (5, 15), 1.0)
    config = TrainConfig(epochs=4, crop=2, seed=3, device="cpu")
    row = accuracy.trained(goal, data, config, 11.0)
    assert (row.seconds_to_target, row.training_seconds, row.accuracy) == (4.0, 8.0, 0.95)
    assert (row.settings, row.seed, row.epochs) == ("crop=2", 3, 4)
    missed = accuracy.trained(dataclasses.replace(goal, target=0.99), data, config, 11.0)
    assert missed.seconds_to_target is None


def test_the_resnet_keeps_the_size_of_small_images():
    model = accuracy.cifar_resnet(blocks=1)
    shapes = []
    model.layer1.register_forward_pre_hook(lambda layer, inputs: shapes.append(inputs[0].shape))
    assert model(torch.zeros(1, 3, 32, 32)).shape == (1, 10)
    assert shapes == [(1, 64, 32, 32)]


def test_tables():
    text = report(RESULT)
    assert "# A GPU; Z80, 2 cores" in text
    assert "driver_version: 1.2" in text
    assert "Matrix products, TFLOP/s: fp32 50" in text
    assert "rehearsal" not in text
    for cells in (
        ["convlab", "2", "4", "3", "1.5", "0.1", "1", "25 %", "400", "150", "160"],
        ["SimpleCNN, cifar10", "0", "10", "91,000", "75.0", "76.54", "4.5", "5.5", "6.5"],
        ["folded", "12,345", "20.7", "1.25", "1.20 to 1.30", "7", "1.0e-05", "0.02", "0.5"],
        ["tests", "failed", "60.0", "100"],
    ):
        pattern = r" *\| *".join(re.escape(cell) for cell in cells)
        assert re.search(rf"\| *{pattern} *\|", text), cells
    assert "- failed: tests/a.py::test_b[cuda]; assert 1 == 2" in text
    assert "- not measured: training, convlab compile, SimpleCNN; RuntimeError: no Triton" in text
    assert "- tests: 1 passed, 1 failed" in text
    assert "- SimpleCNN: flip=True" in text
    assert "- compressed images" in text


def test_every_stored_result_can_be_read_and_is_no_rehearsal():
    for path in (command.FILES / "gpu").glob("*.json"):
        stored = load(path)
        assert not stored.rehearsal, f"{path.name} is a rehearsal"
        assert stored.accelerator
        assert stored.accelerator["name"]


def test_the_chapter_reads_a_stored_result(tmp_path, capsys):
    notebook = json.loads((ROOT / "book" / "scaling.ipynb").read_text(encoding="utf-8"))
    sources = ["".join(cell["source"]) for cell in notebook["cells"]]
    (source,) = (text for text in sources if '(FILES / "gpu")' in text and "print(" in text)
    exec(source, {"json": json, "FILES": tmp_path})
    assert capsys.readouterr().out == "measured on a GPU: nothing yet\n"
    result = dataclasses.replace(RESULT, training=[TRAINING])
    save(result, tmp_path / "gpu" / "sample.json")
    exec(source, {"json": json, "FILES": tmp_path})
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert lines == [
        "measured on a GPU: sample",
        "A GPU",
        "SimpleCNN plain loop 2,000 images/s, 1.00 times the plain loop",
        "SimpleCNN convlab 150 launches a step, device busy 25% of it",
        "SimpleCNN cifar10, seed 0: 76.54% after 6 s",
    ]
