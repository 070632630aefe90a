"""A bar on a terminal, silence elsewhere."""

import sys
from types import SimpleNamespace

from convlab.training.progress import watched


def test_in_a_test_it_is_silent(capsys):
    assert list(watched([1, 2], 2, 0, "epoch", None)) == [1, 2]
    assert capsys.readouterr() == ("", "")


def test_the_bar_is_told_where_it_starts(monkeypatch):
    seen = {}

    def bar(items, **options):
        seen.update(options)
        return items

    monkeypatch.setitem(sys.modules, "tqdm", SimpleNamespace(tqdm=bar))
    assert list(watched([1, 2], 5, 3, "epoch 1/2", True)) == [1, 2]
    assert (seen["total"], seen["initial"], seen["desc"]) == (5, 3, "epoch 1/2")


def test_without_tqdm_there_is_no_bar(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "tqdm", None)
    assert list(watched([1, 2], 2, 0, "epoch", True)) == [1, 2]
    assert capsys.readouterr().err == ""
