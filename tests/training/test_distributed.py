"""Two processes on one CPU, started by torchrun: the training of one, and an end without a hang."""

import json
import os
import subprocess
import sys

import pytest
import torch

from convlab.training import WorkerLost, fit
from convlab.training.distributed import World, find_device, joined

PROGRAM = """
import os, signal, sys, torch
from torch import nn
from convlab.data import Dataset, load
from convlab.training import TrainConfig, fit, loop
torch.set_num_threads(1)
out, settings, fault = sys.argv[1:4]
whole = load("digits")
data = Dataset("few", whole.train_images[:100], whole.train_labels[:100], whole.test_images[:39],
               whole.test_labels[:39], whole.class_names)
torch.manual_seed(int(os.environ.get("RANK", "0")))  # DDP must make the first weights equal
if "RANK" not in os.environ or os.environ["RANK"] == "0":
    torch.manual_seed(0)
model = nn.Sequential(nn.Conv2d(1, 4, 3, stride=3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(),
                      nn.Linear(324, 16), nn.BatchNorm1d(16), nn.Linear(16, 10))
rank = int(os.environ.get("RANK", "0"))
exec(fault)
fit(model, data, TrainConfig(epochs=3, batch_size=16, crop=1, flip=True, device="cpu",
                             **eval(settings)), out=out, checkpoint_every=4)
"""
DIE = """
plain = loop._Training._train_step
def step(self, *a):
    plain(self, *a)
    if self.state.step == {step} and {who}: os.kill(os.getpid(), signal.{signal})
loop._Training._train_step = step
"""


def run(processes, out, settings="{}", fault="", program=PROGRAM):
    script = out.parent / "program.py"
    script.write_text(program)
    command = [sys.executable]
    if processes > 1:
        # --standalone finds a free port by itself.
        command += ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node",
                    str(processes)]  # fmt: skip
    return subprocess.run(
        [*command, str(script), str(out), settings, fault], capture_output=True, text=True,
        timeout=240, check=False, env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip


def weights(out):
    return torch.load(out / "model.pt", weights_only=True)


def result(out):
    return json.loads((out / "result.json").read_text())


def test_two_processes_train_as_one(tmp_path):
    for processes in (1, 2):
        done = run(processes, tmp_path / str(processes), "{'validation': 0.1}")
        assert done.returncode == 0, done.stderr
    one, two = (weights(tmp_path / name) for name in "12")
    # Sums in another order differ in the last digit, and every step makes that a little more.
    for name, value in one.items():
        torch.testing.assert_close(two[name], value, rtol=1e-3, atol=2e-3, msg=name)
    one, two = (result(tmp_path / name) for name in "12")
    assert two["test"]["count"] == one["test"]["count"] == 39  # does not divide by two
    assert two["test"]["correct"] == one["test"]["correct"]
    assert two["test"]["loss"] == pytest.approx(one["test"]["loss"], rel=1e-3)
    lines = [(tmp_path / name / "history.jsonl").read_text().splitlines() for name in "12"]
    assert len(lines[1]) == 3  # only one of the two wrote
    for ours, theirs in zip(*(map(json.loads, some) for some in lines), strict=True):
        assert ours["train_loss"] == pytest.approx(theirs["train_loss"], rel=1e-3)
        assert ours["train_accuracy"] == pytest.approx(theirs["train_accuracy"])


def test_a_dead_worker_ends_the_job_and_it_can_be_continued(tmp_path):
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    assert run(2, whole).returncode == 0
    done = run(2, killed, fault=DIE.format(step=9, who="rank == 1", signal="SIGKILL"))
    assert done.returncode != 0
    assert "SIGKILL" in done.stderr
    again = run(2, killed)
    assert again.returncode == 0, again.stderr
    for name, value in weights(whole).items():
        assert torch.equal(weights(killed)[name], value), name


def test_a_request_to_stop_is_agreed_on_and_saved(tmp_path):
    out = tmp_path / "stopped"
    # Only one process is asked; the other one must not be left waiting.
    done = run(2, out, fault=DIE.format(step=7, who="rank == 1", signal="SIGTERM"))
    assert done.returncode != 0
    assert "stopped after step 10 of 18; the state is saved in" in done.stderr
    assert (out / "checkpoint-00000010.pt").exists()


def test_one_process_does_not_continue_what_two_began(network, digits, quick, tmp_path):
    fit(network(), digits, quick(), out=tmp_path)
    path = tmp_path / "checkpoint-00000018.pt"
    saved = torch.load(path, weights_only=True)
    saved["identity"]["processes"] = 2
    torch.save(saved, path)
    with pytest.raises(ValueError, match="processes is 2 there and 1 here"):
        fit(network(), digits, quick(), out=tmp_path)


def test_alone_nothing_is_asked_of_others():
    with joined("cpu") as world:
        assert (world.rank, world.size) == (0, 1)
        assert world.everyones("me") == ["me"]
        assert world.of_first("me") == "me"
        assert world.highest_number(3) == 3
        assert world.wrap(model := torch.nn.Linear(1, 1)) is model


def test_the_shares_of_a_batch_are_disjoint_and_complete():
    parts = [World(rank, 4).part(12) for rank in range(4)]
    assert [position for part in parts for position in range(12)[part]] == list(range(12))


def test_what_the_library_says_of_a_lost_neighbour_becomes_a_sentence(monkeypatch):
    monkeypatch.setattr(torch.distributed, "is_initialized", lambda: True)
    monkeypatch.setattr(torch.distributed, "get_rank", lambda: 0)
    monkeypatch.setattr(torch.distributed, "get_world_size", lambda: 2)
    with pytest.raises(WorkerLost, match="another process of this job has ended"), joined("cpu"):
        raise RuntimeError("[gloo/tcp/pair.cc:553] Connection closed by peer [127.0.0.1]:4242")
    with pytest.raises(RuntimeError, match="something else"), joined("cpu"):
        raise RuntimeError("something else")


def test_automatic_choice_of_the_device():
    assert find_device("auto").type == ("cuda" if torch.cuda.is_available() else "cpu")
