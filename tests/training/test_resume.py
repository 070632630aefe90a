"""Tests of resuming after SIGKILL at any moment: the same bits at the end.

``CONVLAB_KILLS=30 python -m pytest tests/training/test_resume.py`` kills as often as one likes.
"""

import functools
import itertools
import json
import os
import random
import signal
import time

import pytest
import torch
from torch import nn

from convlab.training import CheckpointError, Interrupted, fit
from convlab.training.distributed import DistributedContext
from convlab.training.state import TrainState
from tests.training.helpers import during_step, weights

CODE = """
import os, signal, torch
from torch import nn
from convlab.data import Dataset, load
from convlab.training import History, TrainConfig, fit
torch.set_num_threads(1)
whole = load("digits")
data = Dataset("few", whole.train_images[:96], whole.train_labels[:96], whole.test_images[:20],
               whole.test_labels[:20], whole.class_names)
torch.manual_seed(0)
model = nn.Sequential(nn.Conv2d(1, 4, 3, stride=3), nn.BatchNorm2d(4), nn.ReLU(),
                      nn.Dropout(0.3), nn.Flatten(), nn.Linear(324, 10))
config = TrainConfig(epochs=12, batch_size=16, crop=1, flip=True, cutout=4, device="cpu",
                     validation_fraction=0.2, **{settings})
def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)
{fault}
fit(model, data, config, out={out!r}, checkpoint_every=3)
"""
KILLS = int(os.environ.get("CONVLAB_KILLS", "5"))
HARD = {"optimizer": "adamw", "learning_rate": 0.01, "precision": "bf16"}
EARLY = {
    "optimizer": "adam", "learning_rate": 0.01, "accumulation_steps": 2, "patience": 5,
    "restore_best_weights": True,
}  # fmt: skip


@pytest.fixture(scope="module")
def start(start):
    """Return a function that starts this training."""
    start("").join()  # from now on PyTorch is loaded

    def starter(out, settings=(), fault=""):
        fault = fault.replace("{out!r}", repr(str(out)))
        return start(CODE.format(out=str(out), settings=dict(settings), fault=fault))

    return starter


def finished(start, out, settings=()):
    process = start(out, settings)
    process.join()
    assert process.exitcode == 0
    return torch.load(out / "model.pt", weights_only=True)


@pytest.fixture(scope="module")
def whole(start, tmp_path_factory):
    """Return a function that trains to the end, once with each settings.

    It returns the weights, the metrics, and how many seconds it took.
    """

    @functools.cache
    def train(settings):
        out, began = tmp_path_factory.mktemp("whole"), time.perf_counter()
        found = finished(start, out, settings)
        return found, metrics(out), time.perf_counter() - began

    return lambda settings=(): train(tuple(dict(settings).items()))


def metrics(out):
    """Return the rows of its history without the times."""
    epochs = [json.loads(line) for line in (out / "history.jsonl").read_text().splitlines()]
    return [
        {name: value for name, value in epoch.items() if "second" not in name} for epoch in epochs
    ]


def assert_same_bits(found, wanted):
    assert found.keys() == wanted.keys()
    for name, value in wanted.items():
        assert torch.equal(found[name], value), name


@pytest.mark.parametrize("settings", [{}, HARD, EARLY], ids=["sgd", "adamw-bf16", "adam-early"])
def test_killed_at_random_moments(start, whole, tmp_path, settings):
    wanted, wanted_metrics, lasts = whole(settings)
    chance, killed = random.Random(0), 0
    folders = (tmp_path / str(number) for number in itertools.count())
    out = next(folders)
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
            out = next(folders)
    assert_same_bits(finished(start, out, settings), wanted)
    assert metrics(out) == wanted_metrics
    assert len(metrics(out)) == 12


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
plain = os.replace
os.replace = lambda a, b: (plain(a, b), die()) if "00000009" in str(b) else plain(a, b)
""",
    "between the history and its checkpoint": """
plain = History.append
def append(self, epoch):
    plain(self, epoch)
    if epoch.epoch == 2: die()
History.append = append
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
    "after the last step, before the result": """
def forward(module, images):
    if not module.training and os.path.exists({out!r} + "/checkpoint-00000048.pt"): die()
model.register_forward_pre_hook(forward)
""",
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
def test_killed_at_the_worst_moments(start, whole, tmp_path, fault):
    wanted, wanted_metrics, _ = whole()
    process = start(tmp_path / "killed", fault=fault)
    process.join()
    assert process.exitcode == -signal.SIGKILL
    assert_same_bits(finished(start, tmp_path / "killed"), wanted)
    assert metrics(tmp_path / "killed") == wanted_metrics
    assert not list((tmp_path / "killed").glob(".*"))  # nothing half-written


def test_a_truncated_checkpoint_is_skipped(network, digits, quick, tmp_path):
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
    network, digits, quick, tmp_path, device, precision
):
    config = quick(device=device, deterministic=True, precision=precision)
    wanted = fit(network(), digits, config).model.state_dict()
    model = during_step(network(), 8, lambda: signal.raise_signal(signal.SIGTERM))
    with pytest.raises(Interrupted):
        fit(model, digits, config, out=tmp_path)
    assert_same_bits(fit(network(), digits, config, out=tmp_path).model.state_dict(), wanted)


def test_the_loss_scale_and_the_time_are_restored(network, quick):
    old, new = (
        TrainState(network(), quick(precision="fp16"), DistributedContext(), 10) for _ in range(2)
    )
    old.scaler.load_state_dict({**old.scaler.state_dict(), "scale": 8.0})
    old.seconds = 1000.0
    new.load_state_dict(old.state_dict())
    assert new.scaler.get_scale() == 8.0
    assert new.seconds >= 1000


class Centered(nn.Module):
    """A network with a running mean that is in no state dict."""

    def __init__(self):
        super().__init__()
        self.register_buffer("mean", torch.zeros(1), persistent=False)
        self.net = nn.Sequential(nn.Flatten(), nn.Linear(784, 10))

    def forward(self, images):
        if self.training:
            self.mean.lerp_(images.mean().reshape(1) + 1, 0.3)
        return self.net(images - self.mean)


@pytest.mark.parametrize("best", [False, True])
def test_buffers_outside_the_state_dict_are_restored(digits, quick, tmp_path, best):
    """After a resumption, and with the best weights; after training, they are in no file."""
    config = quick(validation_fraction=0.2, restore_best_weights=best, learning_rate=0.3)

    def made():
        torch.manual_seed(0)
        return Centered()

    whole = fit(made(), digits, config)
    with pytest.raises(Interrupted):
        fit(during_step(made(), 7, lambda: signal.raise_signal(2)), digits, config, out=tmp_path)
    resumed = fit(made(), digits, config, out=tmp_path)
    assert torch.equal(resumed.model.mean, whole.model.mean)
    assert torch.equal(weights(resumed.model), weights(whole.model))
    assert resumed.validation.loss == resumed.history[resumed.epoch - 1].validation_loss
