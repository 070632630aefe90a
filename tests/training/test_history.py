"""The history in memory, in its two files, and drawn."""

import csv
import json

import pytest

from convlab.training import Epoch, History


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


def test_files_are_made_anew_from_what_the_checkpoint_knows(tmp_path):
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
    with pytest.raises(ValueError, match="an epoch has no 'loss', but epoch, steps"):
        history.column("loss")


@pytest.mark.parametrize("validation", [None, 0.25])
def test_it_draws_itself(validation):
    history = History()
    with pytest.raises(ValueError, match="no epoch has ended yet"):
        history.plot()
    history.append(entry(1, validation))
    drawing = history.plot()
    names = {line.get_label() for axis in drawing.axes for line in axis.lines}
    assert names == {"training"} | ({"validation"} if validation else set())


def test_it_says_what_happened():
    assert str(entry(1, 0.25)) == (
        "epoch 1: training loss 2.0000, accuracy 50.00 %; validation loss 0.2500, "
        "accuracy 25.00 %; 2.0 s, 64 images/s"
    )
