"""Tests of ``python -m benchmarks.training``, its file and its tables."""

import dataclasses
import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.loops import fresh
from benchmarks.loops.contenders import CONTENDERS, PLAIN
from benchmarks.loops.report import main, report
from benchmarks.loops.request import Request
from benchmarks.training import NOBODY, PACKAGES, QUICK_RESULTS, ROOT, arguments, requests
from convlab.results import training as trainings
from convlab.results.training import (
    TRAININGS,
    Row,
    Skipped,
    Start,
    TrainingResult,
    load,
    quartiles,
    save,
)

ROW = Row(
    network="SimpleCNN", contender=PLAIN, base=None, change=None, precision="fp32", device="cpu",
    threads=2, batch=128, images=7680, images_per_second=2000.0, images_per_second_low=1900.0,
    images_per_second_high=2100.0, mean=2010.0, deviation=90.0, n=9, ratio=1.0, ratio_low=1.0,
    ratio_high=1.0, base_ratio=None, base_ratio_low=None, base_ratio_high=None, first_epoch=1800.0,
    first_epoch_ever=1500.0, rounds=[2000.0, 2020.0], others=0.01,
)  # fmt: skip
START = Start(
    network="SimpleCNN", contender=PLAIN, device="cpu", threads=2, batch=128, images=7680,
    seconds=3.25, seconds_low=3.0, seconds_high=3.5, n=3, peak_mib=612.0, device_peak_mib=None,
)  # fmt: skip
RESULT = TrainingResult(
    device="cpu", created="2020-01-01T00:00:00+00:00", quick=False,
    machine={"cpu": "Z80", "cores": 2}, accelerator=None,
    versions={"torch": "2.15", "lightning": None}, torch_kernels="AVX2", rows=[ROW], starts=[START],
    skipped=[Skipped("SimpleCNN", "Lightning", "lightning is not installed")],
)  # fmt: skip


def cells(text, head):
    """Return the cells of the row of a Markdown table that begins with `head`."""
    return [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in text.splitlines()
        if line.startswith(f"| {head} ")
    ]


@pytest.mark.slow
def test_a_quick_run_measures_stores_and_prints(tmp_path):
    words = ["--quick", "--threads", "1", "--batch", "16", "--network", "SimpleCNN",
             "--contender", PLAIN, "--rounds", "1", "--output", str(tmp_path)]  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.training", *words],
        cwd=ROOT, env=os.environ, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    stored = load(tmp_path / "cpu.json")
    assert [row.contender for row in stored.rows] == [PLAIN]
    assert [start.contender for start in stored.starts] == [NOBODY, PLAIN]
    assert stored.quick
    assert not stored.skipped
    assert (stored.rows[0].ratio, stored.rows[0].images, stored.rows[0].threads) == (1, 128, 1)
    nobody, plain = stored.starts
    assert min(nobody.seconds, plain.seconds) > 0
    assert plain.peak_mib > nobody.peak_mib > 50
    text = (tmp_path / "cpu.json").read_text()
    assert not any(secret in text for secret in (str(ROOT), str(Path.home()), platform.node()))
    assert "The numbers mean nothing" in done.stdout
    assert "| plain loop" in done.stdout
    assert "SimpleCNN:" in done.stderr


def test_the_first_step_is_noticed_in_this_process_too(monkeypatch):
    monkeypatch.setattr(fresh.torch, "set_num_threads", lambda threads: None)
    asked = Request("SimpleCNN", ("bare",), "cpu", 1, 16, 32, 1)
    told = fresh.first_training(asked)
    assert told["first_step"] > 1.7e9
    assert told["peak_mib"] > 50
    assert told["device_peak_mib"] is None
    alone = fresh.first_training(dataclasses.replace(asked, contenders=(NOBODY,)))
    assert alone["first_step"] > told["first_step"]


def test_all_contenders_for_the_device_are_measured_by_default():
    chosen = arguments([])
    assert chosen.output == TRAININGS
    assert chosen.contender == tuple(n for n, who in CONTENDERS.items() if "cpu" in who.devices)
    assert [request.network for request in requests(chosen)] == ["MnistCNN", "SimpleCNN"]
    assert all(request.count % request.batch == 0 for request in requests(chosen))
    assert "convlab fast" in arguments(["--device", "cuda"]).contender


def test_the_base_of_a_contender_is_measured_too():
    assert arguments(["--contender", "bare"]).contender == (PLAIN, "bare", "bare contiguous")


def test_quick_results_do_not_replace_full_ones():
    chosen = arguments(["--quick"])
    assert chosen.output == QUICK_RESULTS != TRAININGS
    assert (chosen.rounds, chosen.starts) == (2, 1)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--threads", "0"], "--threads must be from 1"),
        (["--threads", "100000"], "--threads must be from 1"),
        (["--rounds", "0"], "--rounds must be from 1 to 1000, got 0"),
        (["--starts", "-1"], "--starts must be from 0 to 1000, got -1"),
        (["--batch", "5000"], "--batch must be from 1 to 4096, got 5000"),
        (["--network", "SimpleRNN"], "SimpleCNN"),
        (["--contender", "convlab fp16"], "convlab fp16: not available on cpu"),
        (["--device", "abacus"], "abacus"),
    ],
)
def test_invalid_arguments_are_refused(words, said, capsys):
    with pytest.raises(SystemExit):
        arguments(words)
    assert said in capsys.readouterr().err


def test_a_stored_result_is_read_unchanged(tmp_path):
    path = save(RESULT, tmp_path)
    assert path == tmp_path / "cpu.json"
    assert load(path) == RESULT


def test_another_schema_is_refused(tmp_path):
    path = save(RESULT, tmp_path)
    text = path.read_text()
    path.write_text(text.replace('"schema": 1', '"schema": 0'))
    with pytest.raises(ValueError, match="has schema 0, expected 1"):
        load(path)
    path.write_text(text.replace('"peak_mib"', '"memory"'))
    with pytest.raises(ValueError, match="memory"):
        load(path)


def test_tables(tmp_path, capsys):
    fast = dataclasses.replace(
        ROW, contender="convlab bf16", base="convlab", change="precision='bf16'", precision="bf16",
        ratio=1.5, ratio_low=1.4, ratio_high=1.6, base_ratio=1.2, deviation=None, others=0.5,
    )  # fmt: skip
    text = report(dataclasses.replace(RESULT, rows=[ROW, fast]))
    speed, memory = cells(text, PLAIN)
    assert speed[1:8] == ["fp32", "2,000", "2,010 ± 90", "1.00", "1.00 to 1.00", "9", "-"]
    assert memory[1:] == ["3.2", "3.0 to 3.5", "3", "612", "-"]
    assert cells(text, "convlab bf16")[0][3:8] == ["2,010 ± -", "1.50", "1.40 to 1.60", "9", "1.20"]
    assert "Other processes kept up to 0.5 cores busy" in text
    assert "not measured: Lightning on SimpleCNN; lightning is not installed" in text
    main([str(save(RESULT, tmp_path))])
    assert "Z80, 2 cores" in capsys.readouterr().out


def test_a_gpu_is_named():
    gpu = dataclasses.replace(RESULT, device="cuda", accelerator={"name": "A GPU"})
    assert "Training on A GPU; Z80" in report(dataclasses.replace(gpu, quick=True))


def test_every_stored_result_can_be_read_and_is_not_a_quick_one():
    for path in TRAININGS.glob("*.json"):
        stored = load(path)
        assert stored.device == path.stem
        assert not stored.quick, f"{path.name} is a quick run"
        assert not stored.skipped
        assert set(stored.versions) == {"python", *PACKAGES}
        speed = {(row.network, row.contender): row for row in stored.rows}
        assert all(speed[network, PLAIN].ratio == 1 for network in ("MnistCNN", "SimpleCNN"))


def test_memory_of_a_gpu_is_measured(device, monkeypatch):
    monkeypatch.setattr(fresh.torch, "set_num_threads", lambda threads: None)
    told = fresh.first_training(Request("SimpleCNN", ("convlab",), device, 1, 16, 32, 1))
    assert (told["device_peak_mib"] or 0) > 0 if device == "cuda" else not told["device_peak_mib"]


def test_quartiles_are_those_of_the_chosen_contenders_from_slow_to_fast():
    def row(contender, *ratios, network="SimpleCNN"):
        low, median, high = ratios
        changes = {"ratio_low": low, "ratio": median, "ratio_high": high}
        return dataclasses.replace(ROW, contender=contender, network=network, **changes)

    rows = [row("bare", 2.0, 2.1, 2.2), row("convlab", 1.0, 1.5, 1.6), row("other", 1.0, 1.0, 1.0)]
    rows.append(row("bare", 1.0, 1.1, 1.2, network="MnistCNN"))
    found = quartiles(rows, "ratio", {"bare": "bare", "convlab": "ours"})
    assert found == {
        "MnistCNN": {"bare": (1.0, 1.1, 1.2)},
        "SimpleCNN": {"ours": (1.0, 1.5, 1.6), "bare": (2.0, 2.1, 2.2)},
    }
    assert [list(named) for named in found.values()] == [["bare"], ["ours", "bare"]]


def test_stored_trainings_are_read_by_their_device(tmp_path, monkeypatch):
    monkeypatch.setattr(trainings, "TRAININGS", tmp_path)
    save(RESULT, tmp_path)
    assert trainings.stored() == RESULT
