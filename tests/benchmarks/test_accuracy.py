"""Tests of the accuracy benchmark and its file."""

import json
import subprocess

import pytest

from benchmarks import accuracy

RIGHT = {"accuracy": 0.75, "correct": 3, "count": 4}


@pytest.fixture
def trainings(monkeypatch):
    """Replace ``convlab train``, and record its command lines."""
    asked = []

    def answer(command, env, **_):
        asked.append((command, env))
        folder = command[command.index("--out") + 1]
        with open(f"{folder}/result.json", "w", encoding="utf-8") as file:
            json.dump({"test": RIGHT}, file)
        with open(f"{folder}/history.jsonl", "w", encoding="utf-8") as file:
            file.write('{"seconds": 1.5}\n{"seconds": 1.0}\n')
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(subprocess, "run", answer)
    return asked


def test_each_seed_is_a_process_of_its_own(trainings, monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Haswell")
    accuracy.main(["--task", "lenet5/mnist", "--seeds", "3", "--epochs", "2", "--note", "half of "
                   "them", "--output", str(tmp_path)])  # fmt: skip
    assert [command[command.index("--seed") + 1] for command, _ in trainings] == ["0", "1", "2"]
    assert all("OPENBLAS_CORETYPE" not in env for _, env in trainings)
    stored = json.loads((tmp_path / "lenet5-mnist.json").read_text())
    assert (stored["task"], stored["note"]) == ("lenet5/mnist", "half of them")
    assert [run["seed"] for run in stored["runs"]] == [0, 1, 2]
    assert {key: stored["runs"][0][key] for key in RIGHT} == RIGHT
    assert stored["runs"][0]["training_seconds"] == 2.5
    assert "75.00 % of 4 test images (75.00 to 75.00, n = 3)" in capsys.readouterr().out


def test_a_training_that_fails_says_why(monkeypatch):
    monkeypatch.setattr(
        subprocess, "run", lambda command, **_: subprocess.CompletedProcess(command, 1, "", "full")
    )
    with pytest.raises(RuntimeError, match="failed: full"):
        accuracy.train("lenet5/digits", 0, 1)


@pytest.mark.parametrize("wrong", [["--task", "lenet5"], ["--seeds", "0"]])
def test_wrong_arguments_are_named(wrong, capsys):
    with pytest.raises(SystemExit):
        accuracy.main(wrong)
    assert wrong[0] in capsys.readouterr().err
