"""Tests of `convlab check`: answers in files and notebooks, the list, hints, and the progress."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from convlab.check import EXERCISES
from convlab.check.answers import read_answers
from convlab.cli import main

RIGHT = """
import math

def span(kernel_size, dilation):
    return dilation * (kernel_size - 1) + 1

def output_size(size, kernel_size, stride, padding, dilation):
    return math.floor((size + 2 * padding - span(kernel_size, dilation)) / stride) + 1

count_places = 7
raise SystemExit("nothing but definitions runs")
"""


@pytest.fixture(autouse=True)
def state(tmp_path, monkeypatch):
    path = tmp_path / "state" / "exercises.json"
    monkeypatch.setenv("CONVLAB_STATE", str(path))
    return path


def check(capsys, *words, code=0):
    assert main(["check", *map(str, words)]) == code
    captured = capsys.readouterr()
    assert captured.err == ""
    return captured.out


def error(capsys, *words):
    with pytest.raises(SystemExit) as info:
        main(["check", *map(str, words)])
    assert info.value.code == 2
    message = capsys.readouterr().err
    assert message.count("\n") == 1
    return message


def written(tmp_path, text, name="answers.py"):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def notebook(tmp_path, *sources):
    cells = [
        {"cell_type": "code", "source": source.splitlines(keepends=True)} for source in sources
    ]
    cells.insert(0, {"cell_type": "markdown", "source": ["output_size = 5"]})
    return written(tmp_path, json.dumps({"cells": cells}), "answers.ipynb")


def test_right_answers_in_a_file(capsys, tmp_path, state):
    text = check(capsys, written(tmp_path, RIGHT))
    assert text.startswith("right: count_places\n")
    assert "right: output_size\n  Right in all" in text
    assert text.endswith("2 right, 0 not yet, 0 not begun\n")
    assert json.loads(state.read_text())["done"] == ["count_places", "output_size"]


def test_a_wrong_answer_sets_the_exit_code(capsys, tmp_path):
    path = written(tmp_path, "count_places = 6\nsize_by_hand = ...\n")
    text = check(capsys, path, code=1)
    assert "  6 is not right.\n  Hint: " in text
    assert text.endswith("0 right, 1 not yet, 1 not begun\n")


def test_a_notebook_with_magics_and_other_languages(capsys, tmp_path):
    path = notebook(
        tmp_path,
        "%matplotlib inline\n!pip list\nimport math",
        "%%bash\nfor x in 1; do echo; done",
        "math?",
        RIGHT.replace("count_places = 7", "count_places = 6"),
        "count_places = 7  # the last definition counts\ncheck.count_places(count_places)",
    )
    assert check(capsys, path).endswith("2 right, 0 not yet, 0 not begun\n")


def test_every_chapter_can_be_checked(capsys):
    book = Path(__file__).parents[2] / "book"
    for chapter in {exercise.chapter for exercise in EXERCISES.values()}:
        text = check(capsys, book / f"{chapter}.ipynb", code=1)
        count = sum(exercise.chapter == chapter for exercise in EXERCISES.values())
        assert text == f"0 right, 0 not yet, {count} not begun\n"


def test_only_what_an_answer_needs_runs(tmp_path):
    path = written(
        tmp_path,
        "import os\nfrom math import *\nos.environ['CONVLAB_RAN'] = '1'\nbase = 3\nbase += 4\n"
        "unused = 1 / 0\ncount_places = base\n",
    )
    assert read_answers(path, EXERCISES, seconds=10) == ({"count_places": 7}, {})
    assert "CONVLAB_RAN" not in os.environ


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("def f(:\n", "answers.py, line 1: "),
        ("count_places = 7\0", "answers.py"),
        ("x = " + "(" * 5000, "answers.py"),
        ("print('hello')", "there is no answer in"),
        ("while True:\n    count_places = 1\n", "took more than 10 s"),
    ],
)
def test_a_file_that_cannot_be_used(capsys, tmp_path, monkeypatch, text, words):
    if "while" in text:
        monkeypatch.setattr("convlab.cli.check._SECONDS", 0.2)
        words = "took more than 0.2 s: is there a loop without an end?"
    assert words in error(capsys, written(tmp_path, text))


def test_a_notebook_that_is_none(capsys, tmp_path):
    assert "is not a notebook: " in error(capsys, written(tmp_path, "[]", "a.ipynb"))
    path = notebook(tmp_path, "x = 1", "count_places = = 7")
    assert "answers.ipynb, cell 3, line 1: invalid syntax" in error(capsys, path)
    assert "No such file" in error(capsys, tmp_path / "missing.py")


def test_a_definition_that_fails_is_reported(capsys, tmp_path):
    text = check(capsys, written(tmp_path, "import no_such\ncount_places = no_such.x"), code=1)
    assert "not yet: count_places\n  Its definition raised NameError" in text


def test_the_list_shows_what_is_done(capsys, tmp_path):
    assert f"0 of {len(EXERCISES)} done" in check(capsys, "--list")
    check(capsys, written(tmp_path, RIGHT))
    text = check(capsys, "--list")
    for name, exercise in EXERCISES.items():
        line = next(line for line in text.splitlines() if f" {name} " in line)
        assert exercise.title in line
        assert f"{exercise.minutes} min" in line
        assert ("done" in line) == (name in ("count_places", "output_size"))
    assert check(capsys, "--reset") == "What was solved is forgotten.\n"
    assert f"0 of {len(EXERCISES)} done" in check(capsys, "--list")
    check(capsys, "--reset")


def test_hints_come_one_by_one(capsys):
    hints = EXERCISES["output_size"].hints
    for count in range(1, len(hints) + 1):
        text = check(capsys, "--hint", "output_size")
        assert all(f"{i}. {hint}\n" in text for i, hint in enumerate(hints[:count], start=1))
        assert text.count("\n") == count + 1
    assert "There are no more hints." in check(capsys, "--hint", "output_size")


@pytest.mark.parametrize(
    "words", [(), ("--watch",), ("--watch", "--list"), ("a.py", "--list"), ("--hint", "none")]
)
def test_wrong_arguments(capsys, words):
    error(capsys, *words)


@pytest.mark.parametrize(
    "content", ["", "[]", '{"done": 5, "hints": {}}', '{"done": [], "hints": 1}']
)
def test_a_broken_progress_counts_as_none(capsys, tmp_path, state, content):
    state.parent.mkdir()
    state.write_text(content)
    assert f"0 of {len(EXERCISES)} done" in check(capsys, "--list")
    check(capsys, written(tmp_path, RIGHT))
    assert f"2 of {len(EXERCISES)} done" in check(capsys, "--list")


def test_without_a_place_for_the_progress_the_answers_are_checked(capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("CONVLAB_STATE", str(written(tmp_path, "a file") / "state.json"))
    text = check(capsys, written(tmp_path, RIGHT))
    assert "2 right, 0 not yet" in text
    assert "The progress could not be kept in" in text


def test_watching_checks_again_after_a_change(tmp_path):
    path = written(tmp_path, "count_places = 6")
    command = [sys.executable, "-m", "convlab", "check", str(path), "--watch"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            for answer, words in (("= = 6", "invalid syntax"), ("= 7", "1 right"), (None, "")):
                lines = []
                while not (lines and "waiting for a change" in lines[-1]):
                    lines.append(process.stdout.readline())
                if answer is not None:
                    path.write_text(f"count_places {answer}")
                    os.utime(path, (time.time(), time.time() + len(words)))
                previous = "".join(lines)
        finally:
            process.terminate()
    assert "right: count_places" in previous
