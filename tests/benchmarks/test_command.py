"""Tests of `python -m benchmarks`: arguments, a quick run, progress."""

import io
import json
import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.__main__ import QUICK_RESULTS, ROOT, answers, arguments
from benchmarks.processes import Progress, Request
from benchmarks.suites import DEFAULT, SUITES
from benchmarks.timing import QUICK
from convlab.results import FILES
from convlab.results.store import load


@pytest.mark.slow
def test_a_quick_run_measures_stores_and_prints(tmp_path):
    words = ["--suite", "smoke", "--quick", "--threads", "1", "--output", str(tmp_path)]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    environment.pop("OPENBLAS_CORETYPE", None)
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", *words],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (path,) = tmp_path.iterdir()
    stored = load(path)
    assert stored.quick
    assert [run.environment for run in stored.runs] == ["natural", "huge pages"]
    assert [run.variables for run in stored.runs] == [{}, {"THP_MEM_ALLOC_ENABLE": "1"}]
    assert stored.runs[0].sgemm["numpy"] > 0
    assert {pool["num_threads"] for pool in stored.runs[0].pools} == {1}

    forward = {row.contender: row for row in stored.rows if row.task == "forward"}
    assert "convlab auto" in done.stdout.split("## Against the faster of PyTorch")[1]
    assert {"torch", "torch channels_last", "convlab auto", "convlab naive"} <= set(forward)
    assert {"scipy correlate", "einsum", "einsum optimized", "tensordot"} <= set(forward)
    assert forward["torch"].ratio == 1
    assert {row.task for row in stored.rows} == {case.task for case in SUITES["smoke"].cases}
    assert {row.dtype for row in stored.rows} == {"float32", "float64"}
    assert not any(entry.wrong for entry in stored.skipped)

    text = path.read_text()
    assert str(ROOT) not in text
    assert str(Path.home()) not in text
    assert platform.node() not in text
    assert "| convlab auto" in done.stdout
    assert "smoke, 1 thread, natural" in done.stderr


def test_a_worker_that_fails_is_an_error():
    request = Request("small", "natural", 1, QUICK, quick=True)
    no_python = os.environ | {"PYTHONHOME": "nowhere"}
    with pytest.raises(RuntimeError, match="the worker for small failed with exit code 1"):
        list(answers(request, no_python))


def test_a_request_is_the_same_after_json():
    request = Request("small", "as found", 2, QUICK, quick=True)
    assert Request.from_json(request.to_json()) == request


def test_everything_is_measured_by_default():
    chosen = arguments([])
    assert tuple(chosen.suite) == DEFAULT
    assert set(SUITES) - set(DEFAULT) == {"smoke"}
    assert chosen.output == FILES
    assert chosen.threads[0] == 1


def test_quick_results_do_not_replace_full_ones():
    chosen = arguments(["--quick"])
    assert chosen.plan == QUICK
    assert chosen.output == QUICK_RESULTS != FILES


def test_fewer_rounds_than_the_least_are_possible():
    plan = arguments(["--rounds", "1"]).plan
    assert (plan.rounds, plan.least_rounds) == (1, 1)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--threads", "0"], "--threads must be from 1"),
        (["--threads", "1", "100000"], "--threads must be from 1"),
        (["--rounds", "0"], "--rounds must be at least 1, got 0"),
        (["--suite", "resnet19"], "resnet18"),
    ],
)
def test_invalid_arguments_are_refused(words, message, capsys):
    with pytest.raises(SystemExit):
        arguments(words)
    assert message in capsys.readouterr().err


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_progress_stays_on_one_line_of_a_terminal():
    stream, now = Terminal(), iter(range(0, 1000, 61))
    progress = Progress(4, stream, lambda: next(now))
    progress.begin("small:")
    progress.step("1>32 3x3 @28")
    progress.finish()
    text = stream.getvalue()
    assert "\n" not in text
    assert "1/4 2:02 small: 1>32 3x3 @28" in text
    assert max(len(part) for part in text.split("\r\x1b[K")) < 80


def test_progress_in_a_log_is_one_line_per_section():
    stream = io.StringIO()
    progress = Progress(4, stream, lambda: 0.0)
    progress.begin("small:")
    progress.step("1>32 3x3 @28")
    progress.finish()
    assert stream.getvalue() == "0:00 small:\n0:00 done\n"


def test_a_chapter_can_pick_a_number_in_a_few_lines(tmp_path, monkeypatch, capsys):
    path = ROOT / "benchmarks" / "README.md"
    code = path.read_text(encoding="utf-8").split("```python\n")[1].split("```")[0]
    json_like = {"rows": [{"contender": "convlab auto", "threads": 1, "environment": "natural",
                           "images": 1, "layer": "a", "ratio": 1.5}]}  # fmt: skip
    (tmp_path / "resnet18.json").write_text(json.dumps(json_like))
    monkeypatch.setattr("convlab.results.FILES", tmp_path)
    exec(code, {})
    assert capsys.readouterr().out.strip() == "a 1.50"
