"""Tests of writing and reading results."""

import json

import pytest

from convlab.results import FILES
from convlab.results.store import load, rounded, save
from tests.benchmarks.samples import ROW, result, row


def test_a_stored_result_is_read_unchanged(tmp_path):
    original = result(ROW, row("convlab auto", 1.5))
    path = save(original, tmp_path / "new")
    assert path == tmp_path / "new" / "sample.json"
    assert load(path) == original


def test_rows_are_a_flat_table_one_line_each(tmp_path):
    path = save(result(ROW, row("convlab auto", 1.5)), tmp_path)
    lines = [line.strip(" ,") for line in path.read_text().splitlines()]
    assert sum(line.startswith('{"layer": "64>64 3x3 @56"') for line in lines) == 2
    for entry in json.loads(path.read_text())["rows"]:
        assert all(not isinstance(value, dict | list) for value in entry.values())


def test_an_older_result_stays_if_writing_fails(tmp_path, monkeypatch):
    path = save(result(ROW), tmp_path)
    before = path.read_bytes()
    with pytest.raises(ValueError, match="JSON"):
        save(result(row("convlab auto", 1.0, ms=float("nan"))), tmp_path)

    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("os.replace", interrupt)
    with pytest.raises(KeyboardInterrupt):
        save(result(ROW, ROW), tmp_path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_another_schema_is_refused(tmp_path):
    path = save(result(ROW), tmp_path)
    text = path.read_text()
    path.write_text(text.replace('"schema": 2', '"schema": 0'))
    with pytest.raises(ValueError, match="has schema 0, expected 2"):
        load(path)
    path.write_text(text.replace('"gflops"', '"speed"'))
    with pytest.raises(ValueError, match="speed"):
        load(path)
    path.write_text(text.replace('"rows"', '"lines"'))
    with pytest.raises(ValueError, match="rows"):
        load(path)


def test_four_digits_are_kept():
    assert [rounded(x) for x in (1234567.0, 0.00012345678, 2.0)] == [1235000.0, 0.0001235, 2.0]


def test_every_stored_result_can_be_read_and_is_not_a_quick_one():
    for path in FILES.glob("*.json"):
        stored = load(path)
        assert stored.suite == path.stem
        assert stored.rows
        assert not stored.quick, f"{path.name} is a quick run"
        assert not any(entry.wrong for entry in stored.skipped)
