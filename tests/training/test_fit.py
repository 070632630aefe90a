"""The loop: what it computes, what it writes, how it ends."""

import json
import multiprocessing
import os
import signal
import threading
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from convlab.training import (
    FolderInUse,
    Interrupted,
    NonFiniteLoss,
    TrainConfig,
    evaluate,
    fit,
    learning_rate,
    loop,
)
from convlab.training.batches import DeviceBatches
from convlab.training.distributed import World


def weights(model):
    return torch.cat(
        [value.detach().cpu().double().flatten() for value in model.state_dict().values()]
    )


def test_it_learns(network, digits, quick, device):
    result = fit(network(), digits, quick(epochs=12, device=device))
    assert result.test.accuracy > 0.5
    assert result.test.count == 40
    assert result.validation is None
    losses = result.history.column("train_loss")
    assert losses[-1] < losses[0] / 2
    assert not result.model.training


def test_it_is_the_plain_loop_of_a_textbook(network, digits, quick):
    """Without anything special, it makes the weights that ten lines make."""
    config = quick(epochs=2, label_smoothing=0.1, weight_decay=0.0, crop=0, clip_norm=0.5)
    result = fit(network(dropout=0.0), digits, config)
    model = network(dropout=0.0).train()
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0, momentum=0.9, nesterov=True)
    criterion = nn.CrossEntropyLoss(label_smoothing=0.1)
    batches = DeviceBatches(
        digits.train_images, digits.train_labels, digits.mean, digits.std, config, World()
    )
    step = 0
    for epoch in range(2):
        for images, labels in batches.epoch(epoch):
            optimizer.param_groups[0]["lr"] = learning_rate(step, 12, config)
            optimizer.zero_grad()
            criterion(model(images), labels).backward()
            nn.utils.clip_grad_norm_(model.parameters(), 0.5)
            optimizer.step()
            step += 1
    torch.testing.assert_close(weights(result.model), weights(model), rtol=1e-5, atol=1e-6)


def test_the_same_settings_make_the_same_bits_and_another_seed_others(network, digits, quick):
    first, again = (weights(fit(network(), digits, quick()).model) for _ in range(2))
    assert torch.equal(first, again)
    assert not torch.equal(first, weights(fit(network(), digits, quick(seed=1)).model))


def test_the_loader_trains_to_the_same_bits(network, digits, quick):
    ways = (quick(flip=True), quick(flip=True, batches="loader"))
    first, other = (weights(fit(network(), digits, config).model) for config in ways)
    assert torch.equal(first, other)


@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_short_numbers_learn_too(network, digits, quick, precision, optimizer, device):
    rate = 0.1 if optimizer == "sgd" else 0.01
    config = quick(
        epochs=12, precision=precision, optimizer=optimizer, learning_rate=rate, device=device,
        clip_norm=1.0, channels_last=True,
    )  # fmt: skip
    result = fit(network(), digits, config)
    assert result.test.accuracy > 0.5
    assert all(value.dtype == torch.float32 for value in result.model.parameters())


def test_compile_is_asked_for_the_forward_pass(network, digits, quick, monkeypatch):
    asked = []

    def compiled(model):
        asked.append(model)
        return model

    monkeypatch.setattr(torch, "compile", compiled)
    result = fit(network(), digits, quick(compile=True, epochs=1))
    assert asked == [result.model]


class Watch(TorchDispatchMode):
    """Fails when a number is read from the device: the processor would wait for it."""

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        assert "_local_scalar_dense" not in str(function), "a number was read in the step"
        return function(*args, **(kwargs or {}))


@pytest.mark.parametrize("settings", [{}, {"clip_norm": 1.0, "crop": 2, "flip": True, "cutout": 3}])
def test_nothing_in_a_step_waits_for_the_device(network, digits, quick, settings, monkeypatch):
    plain = loop._Training._train_step

    def watched(*arguments):
        with Watch():
            plain(*arguments)

    monkeypatch.setattr(loop._Training, "_train_step", watched)
    fit(network(), digits, quick(epochs=1, **settings))


def test_the_step_runs_where_cuda_refuses_to_wait(network, digits, quick, device, monkeypatch):
    plain = loop._Training._train_step

    def watched(*arguments):
        if device == "cuda":
            torch.cuda.set_sync_debug_mode("error")
        try:
            plain(*arguments)
        finally:
            if device == "cuda":
                torch.cuda.set_sync_debug_mode("default")

    monkeypatch.setattr(loop._Training, "_train_step", watched)
    result = fit(network(), digits, quick(epochs=1, device=device, clip_norm=1.0))
    assert len(result.history) == 1


def test_training_numbers_are_weighted_by_images(network, digits, quick):
    """With a learning rate of almost nothing they are those of the model itself."""
    config = quick(epochs=1, batch_size=25, crop=0, learning_rate=1e-12)
    model = network(dropout=0.0)
    for layer in model:
        if isinstance(layer, nn.BatchNorm2d):
            layer.momentum = 0.0  # its batch statistics play no role in eval mode then
    result = fit(model, digits, config)
    assert result.history[0].train_accuracy * 100 == pytest.approx(
        round(result.history[0].train_accuracy * 100)
    )
    assert result.history[0].steps == 4
    assert result.history[0].learning_rate == pytest.approx(1e-12 * 1 / 3)


def test_validation_images_come_from_the_training_images(network, digits, quick):
    result = fit(network(), digits, quick(validation=0.2))
    assert result.validation.count == 20
    assert result.history[-1].validation_loss == pytest.approx(result.validation.loss)
    assert result.history[-1].steps == 3 * (80 // 16)


def test_validation_images_that_are_there_are_used(network, digits, quick):
    ready = replace(
        digits, validation_images=digits.test_images, validation_labels=digits.test_labels
    )
    result = fit(network(), ready, quick(validation=0.2))
    assert result.validation == result.test


def test_the_test_images_decide_nothing(network, digits, quick):
    without = replace(
        digits, test_images=digits.test_images[:0], test_labels=digits.test_labels[:0]
    )
    first, other = (fit(network(), one, quick()) for one in (digits, without))
    assert torch.equal(weights(first.model), weights(other.model))
    assert other.test is None


def test_what_is_written(network, digits, quick, tmp_path):
    out = tmp_path / "runs" / "a"
    seen = []
    result = fit(network(), digits, quick(validation=0.1), out=out, on_epoch=seen.append)
    assert seen == list(result.history)
    assert sorted(path.name for path in out.iterdir()) == [
        "checkpoint-00000010.pt", "checkpoint-00000015.pt", "history.csv", "history.jsonl",
        "model.pt", "result.json",
    ]  # fmt: skip
    model = network(seed=1)
    model.load_state_dict(torch.load(out / "model.pt", weights_only=True))
    again = evaluate(
        model, digits.test_images, digits.test_labels, mean=result.mean, std=result.std
    )
    assert again == result.test
    written = json.loads((out / "result.json").read_text())
    assert TrainConfig(**written["config"]) == quick(validation=0.1)
    assert written["test"]["correct"] == result.test.correct


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
def test_a_loss_that_is_no_number_is_named_and_never_saved(digits, quick, tmp_path, every):
    config = quick(epochs=3)  # 6 steps an epoch; the ninth call is step 8
    with pytest.raises(NonFiniteLoss) as raised:
        fit(Explosion(), digits, config, out=tmp_path, checkpoint_every=every)
    error = raised.value
    assert (error.step, error.epoch) == (8, 2)
    assert error.learning_rate == learning_rate(8, 18, config)
    batches = DeviceBatches(
        digits.train_images, digits.train_labels, digits.mean, digits.std, config, World()
    )
    assert error.positions == batches.positions(1, 2)
    newest = "checkpoint-00000008.pt" if every else "checkpoint-00000006.pt"
    assert error.checkpoint.name == newest
    assert f"step 8 (epoch 2, learning rate {error.learning_rate:.3g}" in str(error)
    assert newest in str(error)
    kept = torch.load(error.checkpoint, weights_only=True)["model"]
    assert all(value.isfinite().all() for value in kept.values())
    assert (tmp_path / "history.jsonl").read_text().count("\n") == 1


def test_without_a_folder_it_says_that_nothing_is_kept(digits, quick):
    with pytest.raises(NonFiniteLoss, match="no checkpoint was written before"):
        fit(Explosion(), digits, quick(epochs=2))


def test_weights_that_a_last_step_spoilt_are_noticed(digits, quick):
    model = nn.Sequential(nn.Flatten(), nn.Linear(784, 10))
    with pytest.raises(NonFiniteLoss) as raised:
        fit(model, digits, quick(epochs=1, batch_size=100, learning_rate=1e38, momentum=0.0,
                                 weight_decay=1e38))  # fmt: skip
    assert raised.value.step == 0


def interrupt_at(step, monkeypatch, number=signal.SIGINT):
    plain = loop._Training._train_step

    def step_and_signal(self, *arguments):
        plain(self, *arguments)
        if self.state.step == step:
            signal.raise_signal(number)

    monkeypatch.setattr(loop._Training, "_train_step", step_and_signal)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("step", [1, 6, 8, 18])
def test_ctrl_c_saves_and_the_same_call_continues(
    network, digits, quick, tmp_path, monkeypatch, step, number
):
    whole = weights(fit(network(), digits, quick()).model)
    interrupt_at(step, monkeypatch, number)
    with pytest.raises(Interrupted, match=f"stopped after step {step} of 18; the state") as stopped:
        fit(network(), digits, quick(), out=tmp_path)
    assert stopped.value.signal_number == number
    monkeypatch.undo()
    result = fit(network(seed=5), digits, quick(), out=tmp_path)
    assert torch.equal(weights(result.model), whole)
    assert len(result.history) == 3


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_the_workers_of_the_loader_too_is_no_failure(
    network, digits, quick, tmp_path, monkeypatch, number
):
    """As a terminal sends Ctrl-C, and a queueing system its request to end."""
    config = quick(batches="loader", loader_workers=1)
    whole = weights(fit(network(), digits, config).model)
    plain = loop._Training._train_step

    def step_and_signal(self, *arguments):
        plain(self, *arguments)
        if self.state.step == 2:
            for child in multiprocessing.active_children():
                os.kill(child.pid, number)
            signal.raise_signal(number)

    monkeypatch.setattr(loop._Training, "_train_step", step_and_signal)
    with pytest.raises(Interrupted, match="stopped after step 2 of 18"):
        fit(network(), digits, config, out=tmp_path)
    monkeypatch.undo()
    assert torch.equal(weights(fit(network(), digits, config, out=tmp_path).model), whole)


@pytest.mark.usefixtures("ctrl_c")
def test_ctrl_c_without_a_folder_is_ctrl_c(network, digits, quick, monkeypatch):
    interrupt_at(2, monkeypatch)
    with pytest.raises(KeyboardInterrupt) as stopped:
        fit(network(), digits, quick())
    assert not isinstance(stopped.value, Interrupted)


def test_a_finished_training_is_not_repeated(network, digits, quick, tmp_path, monkeypatch):
    first = fit(network(), digits, quick(), out=tmp_path)
    monkeypatch.setattr(loop._Training, "_train_step", None)
    again = fit(network(seed=3), digits, quick(), out=tmp_path)
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
    with pytest.raises(ValueError, match=f"holds another training: {words}"):
        fit(network(), digits, quick(**settings), out=tmp_path)


def test_neither_with_other_images_nor_with_another_network(network, digits, quick, tmp_path):
    fit(network(), digits, quick(), out=tmp_path)
    other = replace(digits, train_images=np.flip(digits.train_images, 3).copy())
    with pytest.raises(ValueError, match="data is train 100/"):
        fit(network(), other, quick(), out=tmp_path)
    with pytest.raises(ValueError, match=r"model is Sequential .* there and Sequential .* here"):
        fit(nn.Sequential(nn.Flatten(), nn.Linear(784, 10)), digits, quick(), out=tmp_path)


@pytest.mark.parametrize("number", [0, -1])
def test_counts_of_checkpoints(network, digits, quick, number):
    with pytest.raises(ValueError, match=f"keep must be at least 1, got {number}"):
        fit(network(), digits, quick(), keep=number)
    with pytest.raises(ValueError, match=f"checkpoint_every must be at least 1, got {number}"):
        fit(network(), digits, quick(), checkpoint_every=number)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"model": nn.Flatten}, TypeError, "model must be a torch.nn.Module, got the class Flatt"),
        ({"model": "cnn"}, TypeError, "model must be a torch.nn.Module, got str"),
        ({"data": np.zeros(3)}, TypeError, "data must be a Dataset, got ndarray"),
        ({"config": {"epochs": 3}}, TypeError, "config must be a TrainConfig, got dict"),
        ({"out": ""}, ValueError, "out must be the path of a folder, got an empty one"),
        ({"out": 3}, TypeError, "out must be the path of a folder, got int"),
        ({"keep": 1.5}, TypeError, "keep must be an int, got float 1.5"),
        ({"checkpoint_every": "5"}, TypeError, "checkpoint_every must be an int, got str '5'"),
    ],
)
def test_what_is_no_training(network, digits, quick, arguments, error, message):
    whole = {"model": network(), "data": digits, "config": quick(), **arguments}
    with pytest.raises(error, match=message):
        fit(**whole)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"crop": 28}, "crop must be below the images' 28 x 28 pixels, got 28"),
        ({"cutout": 29}, "cutout must be at most the images' 28 x 28 pixels, got 29"),
    ],
)
def test_nothing_that_leaves_no_image(network, digits, quick, settings, message):
    with pytest.raises(ValueError, match=message):
        fit(network(), digits, quick(**settings))


class Answers(nn.Module):
    """Answers with what `way` makes of ten logits."""

    def __init__(self, way):
        super().__init__()
        self.layer, self.way = nn.Linear(784, 10), way

    def forward(self, x):
        return self.way(self.layer(x.flatten(1)))


@pytest.mark.parametrize(
    ("way", "error", "message"),
    [
        (lambda y: y[:, :5], ValueError, "has 5 outputs for each image, but the labels go up to 9"),
        (lambda y: (y, y), TypeError, "the model must return one Tensor, got tuple"),
        (
            lambda y: y[..., None],
            ValueError,
            r"logits \(N, classes\), here \(16, 10\), got \(16, 10",
        ),
        (lambda y: y[:5], ValueError, r"one row for each of 16 images, got \(5, 10\)"),
        (lambda y: y.argmax(1), TypeError, "the model must return floating point, got torch.int64"),
    ],
)
def test_outputs_that_do_not_suit_the_labels(digits, quick, way, error, message, tmp_path):
    model = Answers(way)
    before = weights(model)
    with pytest.raises(error, match=message):
        fit(model, digits, quick(), out=tmp_path)
    assert torch.equal(weights(model), before)  # not a step was made
    assert not list(tmp_path.glob("checkpoint-*"))


def test_labels_that_only_the_test_images_have_are_noticed_before_the_training(digits, quick):
    few = replace(
        digits, train_images=digits.train_images[:5], train_labels=digits.train_labels[:5]
    )
    assert few.train_labels.max() < 5
    with pytest.raises(ValueError, match="5 outputs for each image, but the labels go up to 9"):
        fit(Answers(lambda y: y[:, :5]), few, quick())


def test_more_outputs_than_classes_are_allowed(digits, quick):
    model = nn.Sequential(nn.Flatten(), nn.Linear(784, 1000))
    assert fit(model, digits, quick(learning_rate=0.01)).test.accuracy > 0.3


@pytest.mark.parametrize("kind", [torch.float64, torch.bfloat16])
def test_a_network_is_trained_in_the_type_of_its_weights(network, digits, quick, kind):
    config = quick(learning_rate=0.01)
    plain = fit(network(dropout=0.0), digits, config)
    other = fit(network(dropout=0.0).to(kind), digits, config)
    assert other.model[0].weight.dtype == kind
    tolerance = 1e-4 if kind == torch.float64 else 0.1
    assert other.test.loss == pytest.approx(plain.test.loss, rel=tolerance)


def test_layers_that_are_frozen_stay(network, digits, quick):
    model = network()
    model[0].requires_grad_(False)
    before = model[0].weight.clone()
    last = model[5].weight.clone()
    fit(model, digits, quick())
    assert torch.equal(model[0].weight, before)
    assert not torch.equal(model[5].weight, last)


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
        with pytest.raises(FolderInUse, match=r"another process trains into .* at this"):
            fit(network(), digits, quick(), out=tmp_path)
        fit(network(), digits, quick(epochs=1), out=tmp_path / "another")

    fit(network(), digits, quick(epochs=1), out=tmp_path, on_epoch=another)
    fit(network(), digits, quick(epochs=1), out=tmp_path)  # it has been given back


@pytest.mark.parametrize("name", ["file", "file/a"])
def test_a_folder_that_is_none(network, digits, quick, tmp_path, name):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match=f"{name} cannot be the folder of a training: "):
        fit(network(), digits, quick(), out=tmp_path / name)


def test_history_files_that_were_deleted_come_back(network, digits, quick, tmp_path):
    fit(network(), digits, quick(), out=tmp_path)
    before = (tmp_path / "history.csv").read_text()
    for path in tmp_path.glob("history.*"):
        path.unlink()
    fit(network(), digits, quick(), out=tmp_path)
    assert (tmp_path / "history.csv").read_text() == before


def test_what_failed_once_fails_at_the_same_step_again(digits, quick, tmp_path):
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


def test_a_device_that_is_not_there(network, digits, quick):
    for name in ("cuda:99", "abacus", "meta"):
        with pytest.raises(ValueError, match=f"device '{name}' cannot be used here"):
            fit(network(), digits, quick(device=name))


def test_it_runs_outside_the_main_thread(network, digits, quick, tmp_path):
    found = []
    thread = threading.Thread(
        target=lambda: found.append(fit(network(), digits, quick(epochs=1), out=tmp_path))
    )
    thread.start()
    thread.join()
    assert found[0].test.count == 40
