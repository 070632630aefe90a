"""Tests of the history, its two files and its plot, and of the progress bar."""

import csv
import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from convlab.training import Epoch, History
from convlab.training.history import progress_bar


def entry(number, validation=None):
    return Epoch(number, 8 * number, 0.1, 2.0 / number, 0.5, validation, validation, 2.0, 64.0)


def test_files_grow_by_a_line_with_each_epoch(tmp_path):
    history = History(tmp_path)
    for number in (1, 2):
        history.append(entry(number))
        with open(tmp_path / "history.csv", newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        lines = (tmp_path / "history.jsonl").read_text().splitlines()
        assert len(rows) == len(lines) == number
        assert [json.loads(line) for line in lines] == history.to_list()
        assert float(rows[-1]["train_loss"]) == 2.0 / number
        assert rows[-1]["validation_loss"] == ""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
@pytest.mark.parametrize("name", ["history.csv", "history.jsonl"])
def test_a_full_disk_is_reported_with_the_name_of_the_file(tmp_path, name):
    history = History(tmp_path)
    (tmp_path / name).unlink()
    (tmp_path / name).symlink_to("/dev/full")
    with pytest.raises(OSError, match=f"{name} could not be written: No space left on device"):
        history.append(entry(1))


def test_files_are_rewritten_from_the_checkpoint(tmp_path):
    history = History(tmp_path)
    history.append(entry(1))
    known = history.to_list()
    history.append(entry(2))
    with open(tmp_path / "history.jsonl", "a", encoding="utf-8") as file:
        file.write('{"epoch": 3, "st')  # the process died within a line
    again = History(tmp_path, known)
    again.append(entry(2))
    assert list(again) == list(history)
    assert (tmp_path / "history.jsonl").read_text().count("\n") == 2
    assert (tmp_path / "history.csv").read_text().count("\n") == 3


def test_a_column():
    history = History()
    for number in (1, 2):
        history.append(entry(number))
    assert history.column("train_loss") == [2.0, 1.0]
    assert len(history[:1]) == 1
    with pytest.raises(ValueError, match=r"name must be one of epoch, steps, .*, got 'loss'"):
        history.column("loss")


@pytest.mark.parametrize("validation", [None, 0.25])
def test_it_is_drawn(validation):
    history = History()
    with pytest.raises(ValueError, match="no epoch has ended yet"):
        history.plot()
    history.append(entry(1, validation))
    drawing = history.plot()
    names = {line.get_label() for axis in drawing.axes for line in axis.lines}
    assert names == {"training"} | ({"validation"} if validation else set())


def test_the_text_of_an_epoch():
    assert str(entry(1, 0.25)) == (
        "epoch 1: training loss 2.0000, accuracy 50.00 %; validation loss 0.2500, "
        "accuracy 25.00 %; 2.0 s, 64 images/s"
    )


def test_there_is_no_bar_outside_a_terminal(capsys):
    assert list(progress_bar([1, 2], 2, 0, "epoch", None)) == [1, 2]
    assert capsys.readouterr() == ("", "")


def test_the_bar_starts_at_the_initial_step(monkeypatch):
    seen = {}

    def bar(items, **options):
        seen.update(options)
        return items

    monkeypatch.setitem(sys.modules, "tqdm", SimpleNamespace(tqdm=bar))
    assert list(progress_bar([1, 2], 5, 3, "epoch 1/2", True)) == [1, 2]
    assert (seen["total"], seen["initial"], seen["desc"]) == (5, 3, "epoch 1/2")


def test_without_tqdm_there_is_no_bar(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "tqdm", None)
    assert list(progress_bar([1, 2], 2, 0, "epoch", True)) == [1, 2]
    assert capsys.readouterr().err == ""
