"""Tests of failures during a training: non-finite losses, signals, a full disk, wrong folders."""

import math
import multiprocessing
import os
import signal
import threading
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from convlab.training import (
    FolderInUse,
    Interrupted,
    NonFiniteLoss,
    fit,
)
from convlab.training.batches import DeviceBatches
from convlab.training.distributed import DistributedContext
from convlab.training.loop import StopRequest
from convlab.training.optim import learning_rate_at
from tests.training.helpers import during_step, weights


class Explosion(nn.Module):
    """Returns infinity for one image, and counts nothing."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(784, 10)
        self.calls = 0

    def forward(self, x):
        self.calls += self.training
        outputs = self.layer(x.flatten(1))
        return outputs * float("nan") if self.training and self.calls == 9 else outputs


@pytest.mark.parametrize("every", [None, 4])
def test_a_nonfinite_loss_is_named_and_never_saved(digits, quick, tmp_path, every):
    config = quick(epochs=3)  # 6 steps an epoch; the ninth call is step 8
    with pytest.raises(NonFiniteLoss) as raised:
        fit(Explosion(), digits, config, out=tmp_path, checkpoint_every=every)
    error = raised.value
    assert (error.step, error.epoch) == (8, 2)
    assert error.learning_rate == learning_rate_at(8, 18, config)
    assert error.positions == DeviceBatches(digits, config, DistributedContext()).positions(1, 2)
    newest = "checkpoint-00000008.pt" if every else "checkpoint-00000006.pt"
    assert error.checkpoint.name == newest
    assert f"step 8 (epoch 2, learning rate {error.learning_rate:.3g}" in str(error)
    assert newest in str(error)
    kept = torch.load(error.checkpoint, weights_only=True)["model"]
    assert all(value.isfinite().all() for value in kept.values())
    assert (tmp_path / "history.jsonl").read_text().count("\n") == 1


def test_without_a_folder_it_says_that_nothing_is_saved(digits, quick):
    with pytest.raises(NonFiniteLoss, match="no checkpoint was written before"):
        fit(Explosion(), digits, quick(epochs=2))


def test_nonfinite_weights_after_the_last_step_are_noticed(digits, quick):
    model = nn.Sequential(nn.Flatten(), nn.Linear(784, 10))
    with pytest.raises(NonFiniteLoss) as raised:
        fit(model, digits, quick(epochs=1, batch_size=100, learning_rate=1e38, momentum=0.0,
                                 weight_decay=1e38))  # fmt: skip
    assert raised.value.step == 0


def metrics(history):
    """Return the losses and accuracies of all epochs, which do not depend on the time."""
    return [(epoch.epoch, epoch.steps, epoch.train_loss, epoch.train_accuracy) for epoch in history]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("step", [1, 6, 8, 18])
def test_ctrl_c_saves_and_the_same_call_continues(network, digits, quick, tmp_path, step, number):
    """With the same weights at the end, and the same losses, also of an epoch that was cut."""
    whole = fit(network(), digits, quick())
    model = during_step(network(), step, lambda: signal.raise_signal(number))
    with pytest.raises(Interrupted, match=f"stopped after step {step} of 18; the state") as stopped:
        fit(model, digits, quick(), out=tmp_path)
    assert stopped.value.signal_number == number
    result = fit(network(seed=5), digits, quick(), out=tmp_path)
    assert torch.equal(weights(result.model), weights(whole.model))
    assert metrics(result.history) == metrics(whole.history)
    assert len(result.history) == 3


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_during_the_last_evaluation_is_not_lost(network, digits, quick, tmp_path, number):
    model = network()

    def act(module, inputs):
        if not module.training:
            signal.raise_signal(number)

    hook = model.register_forward_pre_hook(act)
    with pytest.raises(Interrupted, match="stopped after step 18 of 18; the state is saved"):
        fit(model, digits, quick(), out=tmp_path)
    hook.remove()
    files = [path.read_bytes() for path in sorted(tmp_path.iterdir())]
    assert fit(network(seed=5), digits, quick(), out=tmp_path).test.count == 40
    assert [path.read_bytes() for path in sorted(tmp_path.iterdir())] == files


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_the_workers_of_the_loader_too_is_no_failure(
    network, digits, quick, tmp_path, number
):
    """As a terminal sends Ctrl-C, and a queueing system its request to end."""
    config = quick(batches="loader", loader_workers=1)
    whole = weights(fit(network(), digits, config).model)

    def signal_all():
        children = multiprocessing.active_children()
        assert children
        for child in children:
            os.kill(child.pid, number)
        signal.raise_signal(number)

    with pytest.raises(Interrupted, match="stopped after step 2 of 18"):
        fit(during_step(network(), 2, signal_all), digits, config, out=tmp_path)
    assert torch.equal(weights(fit(network(), digits, config, out=tmp_path).model), whole)


@pytest.mark.usefixtures("ctrl_c")
def test_ctrl_c_without_a_folder_is_ctrl_c(network, digits, quick):
    model = during_step(network(), 2, lambda: signal.raise_signal(signal.SIGINT))
    with pytest.raises(KeyboardInterrupt) as stopped:
        fit(model, digits, quick())
    assert not isinstance(stopped.value, Interrupted)


def test_a_finished_training_is_not_repeated(network, digits, quick, tmp_path):
    first = fit(network(), digits, quick(), out=tmp_path)
    model = during_step(network(seed=3), 1, lambda: pytest.fail("a step was taken"))
    again = fit(model, digits, quick(), out=tmp_path)
    assert torch.equal(weights(first.model), weights(again.model))
    assert list(again.history) == list(first.history)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"epochs": 4}, "epochs is 3 there and 4 here"),
        ({"seed": 2, "flip": True}, "flip is False there and True here; seed is 0 there and 2"),
    ],
)
def test_another_training_is_not_continued(network, digits, quick, tmp_path, settings, words):
    fit(network(), digits, quick(), out=tmp_path)
    with pytest.raises(ValueError, match=f"holds another training run: {words}"):
        fit(network(), digits, quick(**settings), out=tmp_path)


def test_other_images_and_other_networks_are_refused(network, digits, quick, tmp_path):
    fit(network(), digits, quick(), out=tmp_path)
    other = replace(digits, train_images=np.flip(digits.train_images, 3).copy())
    with pytest.raises(ValueError, match="data is train 100/"):
        fit(network(), other, quick(), out=tmp_path)
    flat = replace(
        digits, train_images=digits.train_images.reshape(-1, 1, 14, 56),
        test_images=digits.test_images.reshape(-1, 1, 14, 56),
    )  # fmt: skip
    with pytest.raises(ValueError, match="data is train 100/"):
        fit(network(), flat, quick(), out=tmp_path)
    words = (
        r"parameters that differs is 0\.weight \(float32, \(4, 1, 3, 3\), trainable\) there and 1"
    )
    with pytest.raises(ValueError, match=words):
        fit(nn.Sequential(nn.Flatten(), nn.Linear(784, 10)), digits, quick(), out=tmp_path)


def full(*_, **__):
    raise OSError(28, "No space left on device")


def test_a_full_disk_leaves_the_last_checkpoint_and_nothing_half_written(
    network, digits, quick, tmp_path, monkeypatch
):
    whole = fit(network(), digits, quick())
    plain = torch.save

    def save(contents, file):
        plain(contents, file)
        if contents.get("step") == 12:
            full()

    monkeypatch.setattr(torch, "save", save)
    with pytest.raises(OSError, match=r"00000012.pt could not be written: No space left on device"):
        fit(network(), digits, quick(), out=tmp_path)
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"checkpoint-00000006.pt", "history.csv", "history.jsonl"}
    monkeypatch.undo()
    again = fit(network(), digits, quick(), out=tmp_path)
    assert torch.equal(weights(again.model), weights(whole.model))


def test_a_folder_belongs_to_one_training_at_a_time(network, digits, quick, tmp_path):
    def another(_):
        with pytest.raises(FolderInUse, match=r"another process is training into .*: wait"):
            fit(network(), digits, quick(), out=tmp_path)
        fit(network(), digits, quick(epochs=1), out=tmp_path / "another")

    fit(network(), digits, quick(epochs=1), out=tmp_path, on_epoch=another)
    fit(network(), digits, quick(epochs=1), out=tmp_path)  # it has been given back


@pytest.mark.parametrize("name", ["file", "file/a"])
def test_a_file_instead_of_a_folder(network, digits, quick, tmp_path, name):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match=f"{name} cannot be used as the output folder: "):
        fit(network(), digits, quick(), out=tmp_path / name)


def test_deleted_history_files_are_written_again(network, digits, quick, tmp_path):
    fit(network(), digits, quick(), out=tmp_path)
    before = (tmp_path / "history.csv").read_text()
    for path in tmp_path.glob("history.*"):
        path.unlink()
    fit(network(), digits, quick(), out=tmp_path)
    assert (tmp_path / "history.csv").read_text() == before


def test_a_resumed_training_fails_at_the_same_step(digits, quick, tmp_path):
    """The images of step 8 and its learning rate are the reason, not chance."""
    config = quick(learning_rate=1e4, epochs=3, momentum=0.0, label_smoothing=0.1)
    found = []
    for _ in range(2):
        torch.manual_seed(0)
        model = nn.Sequential(nn.Flatten(), nn.Linear(784, 30), nn.ReLU(), nn.Linear(30, 10))
        with pytest.raises(NonFiniteLoss) as raised:
            fit(model, digits, config, out=tmp_path, checkpoint_every=1)
        found.append((raised.value.step, raised.value.positions, raised.value.checkpoint))
    assert found[0] == found[1]
    assert found[0][2].name == f"checkpoint-{found[0][0]:08d}.pt"


def test_the_first_ctrl_c_is_recorded_and_the_second_raises():
    with StopRequest(active=True) as stop:
        signal.raise_signal(signal.SIGINT)
        assert stop.signal_number == signal.SIGINT
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


def test_repeated_shares_of_several_processes_are_allowed():
    with StopRequest(active=True, single_process=False) as stop:
        for _ in range(3):
            signal.raise_signal(signal.SIGINT)
        assert stop.signal_number == signal.SIGINT


@pytest.mark.parametrize("active", [True, False])
def test_the_flags_are_restored(active):
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    with StopRequest(active):
        assert (signal.getsignal(signal.SIGINT) != before[0]) == active
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


def test_in_another_thread_signals_keep_their_handlers():
    found = []

    def work():
        with StopRequest(active=True) as stop:
            found.append(stop.signal_number)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == [0]


IDENTITIES = {
    "other frozen layers": lambda model: model[0].requires_grad_(False),
    "other dtype": lambda model: model.double(),
    "other dtype of one parameter": lambda model: model[5].half(),
    "other dtype of a buffer": lambda model: model[1].register_buffer(
        "running_var", torch.ones(4, dtype=torch.float64)
    ),
    "a buffer that is not saved": lambda model: model[1].register_buffer(
        "running_var", torch.ones(4), persistent=False
    ),
    "one more buffer": lambda model: model.register_buffer("more", torch.ones(1)),
    "a shared parameter": lambda model: setattr(model[1], "bias", model[1].weight),
    "a layer in eval mode": lambda model: model[1].eval(),
}


@pytest.mark.parametrize("change", IDENTITIES.values(), ids=IDENTITIES.keys())
def test_the_identity_of_a_model(network, digits, quick, tmp_path, change):
    fit(network(), digits, quick(), out=tmp_path)
    change(model := network())
    with pytest.raises(ValueError, match=f"{tmp_path} holds another training"):
        fit(model, digits, quick(), out=tmp_path)


def test_another_frozen_parameter_of_the_same_shape(network, digits, quick, tmp_path):
    """Else it would be updated by the momentum of the other."""
    first, second = network(), network()
    first[1].bias.requires_grad_(False)
    second[1].weight.requires_grad_(False)
    fit(first, digits, quick(), out=tmp_path)
    with pytest.raises(ValueError, match=f"{tmp_path} holds another training"):
        fit(second, digits, quick(), out=tmp_path)


@pytest.mark.parametrize("precision", ["fp32", "fp16"])
def test_how_batches_are_loaded_is_not_part_of_the_identity(
    network, digits, quick, tmp_path, precision
):
    whole = weights(fit(network(), digits, quick(precision=precision)).model)
    loader = {"batches": "loader", "loader_workers": 1}
    model = during_step(network(), 8, lambda: signal.raise_signal(signal.SIGTERM))
    with pytest.raises(Interrupted):
        fit(model, digits, quick(precision=precision, **loader), out=tmp_path)
    result = fit(network(), digits, quick(precision=precision), out=tmp_path)
    assert torch.equal(weights(result.model), whole)


@pytest.mark.parametrize("keep", [1, 2])
def test_the_newest_good_checkpoint_is_never_removed(network, digits, quick, tmp_path, keep):
    whole = weights(fit(network(), digits, quick(), out=tmp_path, keep=3).model)
    for step in (12, 18):
        (tmp_path / f"checkpoint-{step:08d}.pt").write_bytes(b"half")

    def killed():
        raise SystemExit

    model = during_step(network(), 4, killed)  # of the steps from 6 on
    with pytest.warns(UserWarning, match="is truncated"), pytest.raises(SystemExit):
        fit(model, digits, quick(), out=tmp_path, keep=keep, checkpoint_every=1)
    taken = during_step(network(), 10, lambda: pytest.fail("steps were repeated"))
    with pytest.warns(UserWarning, match="is truncated"):
        result = fit(taken, digits, quick(), out=tmp_path, keep=keep)
    assert torch.equal(weights(result.model), whole)


def test_the_last_good_state_is_not_a_damaged_checkpoint(network, digits, quick, tmp_path):
    fit(network(), digits, quick(), out=tmp_path, keep=3)
    for step in (12, 18):
        (tmp_path / f"checkpoint-{step:08d}.pt").write_bytes(b"half")
    model = network()
    during_step(model, 2, lambda: nn.init.constant_(model[5].bias, math.nan))
    with (
        pytest.warns(UserWarning, match="is truncated"),
        pytest.raises(NonFiniteLoss, match=r"the last good state is .*checkpoint-00000006.pt"),
    ):
        fit(model, digits, quick(), out=tmp_path)
