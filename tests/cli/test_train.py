"""`convlab train`: from the words of a person to a trained network, and every way to end."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import torch

from convlab import data as rooms
from convlab.cli import main, train
from convlab.data import Dataset
from convlab.training import TrainConfig, loop


@pytest.fixture(autouse=True)
def few_digits(monkeypatch):
    """A tenth of the digits, so that a training takes a moment."""
    plain = rooms.load

    def load(name):
        whole = plain(name)
        return Dataset(
            name, whole.train_images[:128], whole.train_labels[:128],
            whole.test_images[:40], whole.test_labels[:40], whole.class_names,
        )  # fmt: skip

    monkeypatch.setattr(rooms, "load", load)


def said(capsys, *words):
    assert main(["train", *map(str, words)]) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    return captured.out


def refused(capsys, *words, code=2):
    with pytest.raises(SystemExit) as ended:
        main(["train", *map(str, words)])
    assert ended.value.code == code
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    return error


def test_a_training_from_start_to_end(capsys, tmp_path):
    out = tmp_path / "runs" / "a"
    words = ["lenet5", "--data", "digits", "--epochs", 2, "--out", out, "--device", "cpu"]
    lines = said(capsys, *words).splitlines()
    assert [line.split(":")[0] for line in lines[:3]] == ["epoch 1", "epoch 2", "test images"]
    assert lines[-1] == f"the weights are in {out / 'model.pt'}"
    weights = torch.load(out / "model.pt", weights_only=True)
    again = said(capsys, *words).splitlines()  # it is finished: only the result is said again
    assert again == lines[2:]
    after = torch.load(out / "model.pt", weights_only=True)
    assert all(torch.equal(weights[name], after[name]) for name in weights)


def test_every_setting_can_be_given(capsys, tmp_path):
    settings = {
        "epochs": 1, "batch_size": 32, "validation": 0.25, "seed": 3, "optimizer": "adamw",
        "learning_rate": 0.01, "schedule": "cosine", "warmup": 0.1, "momentum": 0.8,
        "weight_decay": 0.01, "label_smoothing": 0.1, "clip_norm": 2.0, "flip": True, "crop": 1,
        "cutout": 3, "device": "cpu", "precision": "bf16", "tf32": False, "channels_last": True,
        "compile": False, "deterministic": True, "batches": "loader",
        "loader_workers": 1,
    }  # fmt: skip
    assert set(settings) == set(TrainConfig.names())
    words = []
    for name, value in settings.items():
        flag = name.replace("_", "-")
        if isinstance(value, bool):
            words.append(f"--{flag}" if value else f"--no-{flag}")
        else:
            words += [f"--{flag}", value]
    text = said(capsys, "lenet5", "--data", "digits", "--out", tmp_path, *words)
    assert "validation images: " in text
    assert json.loads((tmp_path / "result.json").read_text())["config"] == settings


@pytest.mark.parametrize("model", ["simple-cnn", "mnist-cnn"])
def test_images_are_brought_to_what_the_network_takes(capsys, model):
    text = said(capsys, model, "--data", "digits", "--epochs", 1, "--device", "cpu")
    assert "of 40 right" in text


def test_a_network_of_ones_own(capsys, tmp_path, monkeypatch):
    (tmp_path / "mynets.py").write_text(
        "from torch import nn\n"
        "def build(): return nn.Sequential(nn.Flatten(), nn.Linear(784, 10))\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    text = said(capsys, "mynets:build", "--data", "digits", "--epochs", 1, "--device", "cpu")
    assert "test images: " in text


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["lenet"], "the following arguments are required: --data"),
        (["lenet", "--data", "digits"], "there is no model 'lenet': choose from"),
        (["lenet5", "--data", "letters"], "there is no data set 'letters', only digits"),
        (["lenet5", "--data", "digits", "--epochs", "0"], "epochs must be at least 1, got 0"),
        (["lenet5", "--data", "digits", "--epochs", "few"], "invalid int value: 'few'"),
        (["lenet5", "--data", "digits", "--optimizer", "adam"], "invalid choice: 'adam'"),
        (["lenet5", "--data", "digits", "--device", "abacus"], "device 'abacus' cannot be used"),
        (["lenet5", "--data", "digits", "--keep", "0"], "keep must be at least 1, got 0"),
        (["lenet5", "--data", "digits", "--momentum", "1"], "momentum must be at least 0 and"),
        (["os:getcwd", "--data", "digits"], "os:getcwd() is no torch.nn.Module but str"),
        (["os:nothing", "--data", "digits"], "cannot import os:nothing"),
    ],
)
def test_a_wrong_argument_is_one_line(capsys, words, message):
    assert message in refused(capsys, *words)


def test_a_folder_with_another_training(capsys, tmp_path):
    words = ["lenet5", "--data", "digits", "--out", tmp_path, "--device", "cpu", "--epochs"]
    said(capsys, *words, 1)
    assert "epochs is 1 there and 2 here" in refused(capsys, *words, 2)


def test_a_folder_that_cannot_be_made(capsys, tmp_path):
    (tmp_path / "file").write_text("")
    words = ["lenet5", "--data", "digits", "--epochs", 1, "--device", "cpu"]
    assert "file" in refused(capsys, *words, "--out", tmp_path / "file" / "a", code=1)


def test_a_loss_that_is_no_number_is_one_line(capsys):
    error = refused(
        capsys, "lenet5", "--data", "digits", "--epochs", 1, "--learning-rate", 1e30,
        "--warmup", 0, "--device", "cpu", code=1,
    )  # fmt: skip
    assert "the loss is not finite in step" in error


def test_a_damaged_checkpoint_is_told_in_a_line(capsys, tmp_path):
    words = ["lenet5", "--data", "digits", "--out", tmp_path, "--device", "cpu", "--epochs", 2]
    said(capsys, *map(str, words))
    newest = max(tmp_path.glob("checkpoint-*.pt"))
    newest.write_bytes(newest.read_bytes()[:1000])
    assert main(["train", *map(str, words)]) == 0
    error = capsys.readouterr().err
    assert error.startswith(f"convlab train: {newest} is truncated")
    assert error.count("\n") == 1


@pytest.mark.parametrize("with_folder", [True, False])
def test_ctrl_c_says_how_to_continue(capsys, tmp_path, monkeypatch, with_folder):
    plain = loop._Training._train_step

    def step(self, *arguments):
        plain(self, *arguments)
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(loop._Training, "_train_step", step)
    words = ["lenet5", "--data", "digits", "--device", "cpu"]
    words += ["--out", tmp_path] if with_folder else []
    error = refused(capsys, *words, code=130)
    if with_folder:
        assert "stopped after step 1 of 20; the state is saved in" in error
        assert "start the same command again to continue" in error
    else:
        assert error == "convlab train: interrupted; nothing is stored\n"


def test_nobody_reads_any_more(monkeypatch, tmp_path):
    calls = []

    def closed(*words, **options):
        raise BrokenPipeError

    monkeypatch.setattr("builtins.print", closed)
    monkeypatch.setattr(os, "dup2", lambda *numbers: calls.append(numbers))
    with open(tmp_path / "out", "w", encoding="utf-8") as file:
        monkeypatch.setattr(sys, "stdout", file)
        train._say("epoch 1")
    assert len(calls) == 1


def test_in_a_terminal_of_its_own_killed_and_continued(tmp_path):
    """The command as typed; the tenth of the digits is not used here."""
    command = [sys.executable, "-m", "convlab", "train", "lenet5", "--data", "digits", "--epochs",
               "3", "--device", "cpu", "--checkpoint-every", "5"]  # fmt: skip
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    subprocess.run([*command, "--out", whole], check=True, capture_output=True)
    process = subprocess.Popen([*command, "--out", killed], stdout=subprocess.DEVNULL)
    while process.poll() is None and not list(killed.glob("checkpoint-*.pt")):
        time.sleep(0.01)
    process.kill()
    process.wait()
    subprocess.run([*command, "--out", killed], check=True, capture_output=True)
    one, other = (torch.load(out / "model.pt", weights_only=True) for out in (whole, killed))
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_two_processes_speak_with_one_voice(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2",
         "-m", "convlab", "train", "simple-cnn", "--data", "digits", "--epochs", "1", "--device",
         "cpu", "--out", tmp_path],
        capture_output=True, text=True, check=False, env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("epoch 1: ") == 1
    assert done.stdout.count("of 355 right") == 1
    assert np.isfinite(json.loads((tmp_path / "result.json").read_text())["test"]["loss"])
