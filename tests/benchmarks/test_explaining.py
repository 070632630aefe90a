"""Tests of ``python -m benchmarks.explaining``: it measures, stores and prints."""

import dataclasses
import subprocess
import sys

import pytest

from benchmarks.explaining import BASE, CONTENDERS, RESULTS, load, main, report
from benchmarks.processes import ROOT


@pytest.mark.slow
def test_a_quick_run(tmp_path):
    words = [sys.executable, "-m", "benchmarks.explaining", "--quick", "--output", str(tmp_path)]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    result = load(tmp_path / "cpu.json")
    assert result.quick
    assert [row.contender for row in result.rows] == [*CONTENDERS] * 4
    for row in result.rows:
        assert row.n == 3
        assert row.us > 0
        assert (row.slowdown == 1) == (row.contender == BASE)
    assert [row.calls for row in result.rows[::3]][:2] == [0, 1]
    assert result.rows[-1].calls > result.rows[-4].calls > 1
    assert "The numbers mean nothing" in done.stdout


def test_the_stored_result(capsys):
    result = load(RESULTS / "cpu.json")
    assert not result.quick
    assert {row.contender for row in result.rows} == {*CONTENDERS}
    main(["--print"])
    assert capsys.readouterr().out.strip() == report(result)
    assert "Other processes" in report(dataclasses.replace(result, rows=result.rows[:1]))
