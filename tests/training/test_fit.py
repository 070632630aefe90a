"""Tests of the results and files of `fit`."""

import json
import threading
from dataclasses import replace

import pytest
import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from convlab.training import TrainConfig, evaluate, fit
from convlab.training.batches import DeviceBatches, make_batches
from convlab.training.distributed import DistributedContext
from convlab.training.loop import train_step
from convlab.training.optim import learning_rate_at
from convlab.training.state import TrainState
from tests.training.helpers import weights


def prepared(model, data, config):
    """Return the arguments of `train_step`: a state, and the batches of one epoch."""
    context = DistributedContext(device=torch.device(config.device))
    state = TrainState(model, config, context, num_classes=10)
    state.model.train()
    return state, make_batches(data, config, context).epoch(0)


def test_it_learns(network, digits, quick, device):
    result = fit(network(), digits, quick(epochs=12, device=device))
    assert result.test.accuracy > 0.5
    assert result.test.count == 40
    assert result.validation is None
    losses = result.history.column("train_loss")
    assert losses[-1] < losses[0] / 2
    assert not result.model.training


def test_it_is_the_plain_loop_of_a_textbook(network, digits, quick):
    """It makes the weights, losses and accuracies that ten lines make."""
    config = quick(epochs=2, label_smoothing=0.1, weight_decay=0.0, crop=0, max_grad_norm=0.5)
    result = fit(network(dropout=0.0), digits, config)
    model = network(dropout=0.0).train()
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0, momentum=0.9, nesterov=True)
    criterion = nn.CrossEntropyLoss(label_smoothing=0.1)
    batches = DeviceBatches(digits, config, DistributedContext())
    step = 0
    for epoch in range(2):
        loss_sum = correct = 0
        for images, labels in batches.epoch(epoch):  # six batches of 16, of 100 images
            optimizer.param_groups[0]["lr"] = learning_rate_at(step, 12, config)
            optimizer.zero_grad()
            logits = model(images)
            loss = criterion(logits, labels)
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 0.5)
            optimizer.step()
            step += 1
            loss_sum += 16 * loss.item()
            correct += int((logits.argmax(1) == labels).sum())
        assert result.history[epoch].train_loss == pytest.approx(loss_sum / 96, rel=1e-5)
        assert result.history[epoch].train_accuracy == correct / 96
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
def test_16_bit_trainings_learn(network, digits, quick, precision, optimizer, device):
    rate = 0.1 if optimizer == "sgd" else 0.01
    config = quick(
        epochs=12, precision=precision, optimizer=optimizer, learning_rate=rate, device=device,
        max_grad_norm=1.0, channels_last=True,
    )  # fmt: skip
    result = fit(network(), digits, config)
    assert result.test.accuracy > 0.5
    assert all(value.dtype == torch.float32 for value in result.model.parameters())


def test_compile_is_applied_to_the_forward_pass(network, digits, quick, monkeypatch):
    asked = []

    def compiled(model):
        asked.append(model)
        return model

    monkeypatch.setattr(torch, "compile", compiled)
    result = fit(network(), digits, quick(compile=True, epochs=1))
    assert asked == [result.model]


class Watch(TorchDispatchMode):
    """Fail if a number is read from the device, for which the CPU would wait."""

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        assert "_local_scalar_dense" not in str(function), "a number was read in the step"
        return function(*args, **(kwargs or {}))


CLIPPED = {"max_grad_norm": 1.0, "crop": 2, "flip": True, "cutout": 3}


@pytest.mark.parametrize("settings", [{}, CLIPPED])
def test_nothing_in_a_step_waits_for_the_device(network, digits, quick, settings):
    state, batches = prepared(network(), digits, quick(**settings))
    for images, labels in batches:
        with Watch():
            train_step(state, images, labels, learning_rate=0.1)
    assert state.step == 6


def test_the_step_runs_where_cuda_refuses_to_wait(network, digits, quick, device):
    state, batches = prepared(network(), digits, quick(device=device, max_grad_norm=1.0))
    for images, labels in batches:
        if device == "cuda":
            torch.cuda.set_sync_debug_mode("error")
        try:
            train_step(state, images, labels, learning_rate=0.1)
        finally:
            if device == "cuda":
                torch.cuda.set_sync_debug_mode("default")
    assert state.step == 6


def test_a_step_returns_the_sum_of_the_losses_before_its_update(digits, quick):
    model = nn.Sequential(nn.Flatten(), nn.Linear(784, 10))
    state, batches = prepared(model, digits, quick(label_smoothing=0.2))
    images, labels = next(batches)
    logits = model(images).detach().double()
    # By hand: 0.8 of the label's share, and 0.2 spread over the ten classes.
    minus_log = logits.exp().sum(1).log()[:, None] - logits
    losses = 0.8 * minus_log[torch.arange(16), labels] + 0.2 * minus_log.mean(1)
    found = train_step(state, images, labels, learning_rate=0.1)
    assert found.item() == pytest.approx(losses.sum().item(), rel=1e-5)
    assert not found.requires_grad


@pytest.mark.parametrize("batch_size", [1, 25, 100])
def test_training_numbers_are_means_over_the_images(digits, quick, batch_size):
    """With a learning rate of almost nothing they are those of the model itself."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(784, 10))
    config = quick(epochs=2, batch_size=batch_size, crop=0, learning_rate=1e-12)
    wanted = evaluate(
        model, digits.train_images, digits.train_labels, mean=digits.mean, std=digits.std
    )
    assert 0 < wanted.correct < 100
    for epoch in fit(model, digits, config).history:
        assert epoch.train_loss == pytest.approx(wanted.loss, rel=1e-5)
        assert epoch.train_accuracy == wanted.accuracy
        assert epoch.steps == epoch.epoch * (100 // batch_size)


def test_the_learning_rate_of_an_epoch_is_that_of_its_last_step(network, digits, quick):
    history = fit(network(), digits, quick(epochs=1, batch_size=25)).history
    assert history[0].learning_rate == pytest.approx(0.1 / 3)


def test_validation_images_come_from_the_training_images(network, digits, quick):
    result = fit(network(), digits, quick(validation_fraction=0.2))
    assert result.validation.count == 20
    assert result.history[-1].validation_loss == pytest.approx(result.validation.loss)
    assert result.history[-1].steps == 3 * (80 // 16)


def test_validation_images_that_are_there_are_used(network, digits, quick):
    ready = replace(
        digits, validation_images=digits.test_images, validation_labels=digits.test_labels
    )
    result = fit(network(), ready, quick(validation_fraction=0.2))
    assert result.validation == result.test


def test_the_test_images_decide_nothing(network, digits, quick):
    without = replace(
        digits, test_images=digits.test_images[:0], test_labels=digits.test_labels[:0]
    )
    first, other = (fit(network(), one, quick()) for one in (digits, without))
    assert torch.equal(weights(first.model), weights(other.model))
    assert other.test is None


def test_the_files_of_a_training(network, digits, quick, tmp_path):
    out = tmp_path / "runs" / "a"
    seen = []
    result = fit(network(), digits, quick(validation_fraction=0.1), out=out, on_epoch=seen.append)
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
    assert TrainConfig(**written["config"]) == quick(validation_fraction=0.1)
    assert written["test"]["correct"] == result.test.correct


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_a_network_is_trained_in_the_dtype_of_its_weights(network, digits, quick, dtype):
    config = quick(learning_rate=0.01)
    plain = fit(network(dropout=0.0), digits, config)
    other = fit(network(dropout=0.0).to(dtype), digits, config)
    assert other.model[0].weight.dtype == dtype
    tolerance = 1e-4 if dtype == torch.float64 else 0.1
    assert other.test.loss == pytest.approx(plain.test.loss, rel=tolerance)


def test_layers_that_are_frozen_stay(network, digits, quick):
    model = network()
    model[0].requires_grad_(False)
    before = model[0].weight.clone()
    last = model[5].weight.clone()
    fit(model, digits, quick())
    assert torch.equal(model[0].weight, before)
    assert not torch.equal(model[5].weight, last)


def test_it_runs_outside_the_main_thread(network, digits, quick, tmp_path):
    found = []
    thread = threading.Thread(
        target=lambda: found.append(fit(network(), digits, quick(epochs=1), out=tmp_path))
    )
    thread.start()
    thread.join()
    assert found[0].test.count == 40


def test_a_batch_larger_than_the_data_is_all_images(network, digits, quick):
    exact, larger = (
        weights(fit(network(), digits, quick(batch_size=size)).model) for size in (100, 128)
    )
    assert torch.equal(exact, larger)


def test_the_history_has_the_learning_rate_of_the_last_step(network, digits, quick):
    config = quick(epochs=2)  # of six steps each
    history = fit(network(), digits, config).history
    expected = [learning_rate_at(step, 12, config) for step in (5, 11)]
    assert history.column("learning_rate") == expected


@pytest.mark.parametrize("keep", [1, 3])
def test_that_many_checkpoints_are_kept(network, digits, quick, tmp_path, keep):
    fit(network(), digits, quick(epochs=2), out=tmp_path, keep=keep, checkpoint_every=2)
    assert len(list(tmp_path.glob("checkpoint-*.pt"))) == keep
