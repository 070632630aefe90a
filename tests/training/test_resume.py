"""SIGKILL at any moment, the same call again: the same bits at the end.

``CONVLAB_KILLS=30 python -m pytest tests/training/test_resume.py`` kills as often as one likes.
"""

import os
import random
import signal
import time

import pytest
import torch

from convlab.training import CheckpointError, fit

CODE = """
import os, signal, torch
from torch import nn
from convlab.data import Dataset, load
from convlab.training import TrainConfig, checkpoint, fit, history, loop
torch.set_num_threads(1)
whole = load("digits")
data = Dataset("few", whole.train_images[:96], whole.train_labels[:96], whole.test_images[:20],
               whole.test_labels[:20], whole.class_names)
torch.manual_seed(0)
model = nn.Sequential(nn.Conv2d(1, 4, 3, stride=3), nn.BatchNorm2d(4), nn.ReLU(),
                      nn.Dropout(0.3), nn.Flatten(), nn.Linear(324, 10))
config = TrainConfig(epochs=12, batch_size=16, crop=1, flip=True, cutout=4, device="cpu",
                     validation=0.2, **{settings})
def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)
{fault}
fit(model, data, config, out={out!r}, checkpoint_every=3)
"""
KILLS = int(os.environ.get("CONVLAB_KILLS", "5"))
HARD = {"optimizer": "adamw", "learning_rate": 0.01, "precision": "bf16"}


@pytest.fixture
def start(start):
    """Return a starter of this training."""

    def starter(out, settings=(), fault=""):
        return start(CODE.format(out=str(out), settings=dict(settings), fault=fault))

    return starter


def finished(start, out, settings=()):
    process = start(out, settings)
    process.join()
    assert process.exitcode == 0
    return torch.load(out / "model.pt", weights_only=True)


def assert_same_bits(found, wanted):
    assert found.keys() == wanted.keys()
    for name, value in wanted.items():
        assert torch.equal(found[name], value), name


@pytest.mark.parametrize("settings", [{}, HARD], ids=["sgd", "adamw-bf16"])
def test_killed_at_random_moments(start, tmp_path, settings):
    wanted = finished(start, tmp_path / "whole", settings)
    began = time.perf_counter()
    finished(start, tmp_path / "timed", settings)
    lasts = time.perf_counter() - began
    chance, out, killed = random.Random(0), tmp_path / "killed", 0
    while killed < KILLS:
        process = start(out, settings)
        process.join(timeout=chance.uniform(0, lasts))
        process.kill()
        process.join()
        if process.exitcode == -signal.SIGKILL:
            killed += 1
        else:  # it came to the end before: from the start again
            assert process.exitcode == 0
            assert_same_bits(torch.load(out / "model.pt", weights_only=True), wanted)
            out = tmp_path / f"killed-{killed}"
    assert_same_bits(finished(start, out, settings), wanted)
    assert (out / "history.jsonl").read_text().count("\n") == 12


FAULTS = {
    "within the checkpoint": """
def half(whole, file):
    if whole.get("step", 0) > 7:
        file.write(b"PK" + bytes(1000)); file.flush(); die()
    plain(whole, file)
plain, torch.save = torch.save, half
""",
    "before it gets its name": """
plain = os.replace
os.replace = lambda a, b: die() if "00000009" in str(b) else plain(a, b)
""",
    "after it got its name": """
plain = checkpoint.save
checkpoint.save = lambda *a: (plain(*a), die()) if a[1] == 9 else plain(*a)
""",
    "between the history and its checkpoint": """
plain = history.History.append
def append(self, epoch):
    plain(self, epoch)
    if epoch.epoch == 2: die()
history.History.append = append
""",
    "within an update of the weights": """
plain = torch.optim.SGD.step
def update(self, *a):
    plain(self, *a)
    update.count += 1
    if update.count == 8: die()
update.count = 0
torch.optim.SGD.step = update
""",
    "after the last step, before the result": "loop._Training.result = die",
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
def test_killed_at_the_worst_moments(start, tmp_path, fault):
    wanted = finished(start, tmp_path / "whole")
    process = start(tmp_path / "killed", fault=fault)
    process.join()
    assert process.exitcode == -signal.SIGKILL
    assert_same_bits(finished(start, tmp_path / "killed"), wanted)
    assert not [p for p in os.listdir(tmp_path / "killed") if p.endswith("unfinished")]


def test_a_truncated_checkpoint_is_passed_over(network, digits, quick, tmp_path):
    whole = fit(network(), digits, quick(), out=tmp_path).model.state_dict()
    newest = tmp_path / "checkpoint-00000018.pt"
    newest.write_bytes(newest.read_bytes()[:5000])
    with pytest.warns(UserWarning, match=r"00000018.pt is truncated .*; the one before it is used"):
        again = fit(network(seed=4), digits, quick(), out=tmp_path)
    assert_same_bits(again.model.state_dict(), whole)


def test_if_all_are_truncated_it_ends(network, digits, quick, tmp_path):
    fit(network(), digits, quick(), out=tmp_path)
    for path in tmp_path.glob("checkpoint-*.pt"):
        path.write_bytes(b"")
    with pytest.raises(CheckpointError, match="no checkpoint in"):
        fit(network(), digits, quick(), out=tmp_path)


@pytest.mark.parametrize("precision", ["fp32", "fp16"])
def test_on_every_device_the_resumed_bits_are_the_same(
    network, digits, quick, tmp_path, device, precision, monkeypatch
):
    from convlab.training import Interrupted, loop

    config = quick(device=device, deterministic=True, precision=precision)
    wanted = fit(network(), digits, config).model.state_dict()
    plain = loop._Training._train_step

    def stopping(self, *arguments):
        plain(self, *arguments)
        if self.state.step == 8:
            signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr(loop._Training, "_train_step", stopping)
    with pytest.raises(Interrupted):
        fit(network(), digits, config, out=tmp_path)
    monkeypatch.undo()
    assert_same_bits(fit(network(), digits, config, out=tmp_path).model.state_dict(), wanted)
