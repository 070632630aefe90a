"""The loop: what it computes, what it writes, how it ends."""

import json
import threading
from dataclasses import replace

import pytest
import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from convlab.training import (
    TrainConfig,
    evaluate,
    fit,
    learning_rate,
    loop,
)
from convlab.training.batches import DeviceBatches
from convlab.training.distributed import World
from tests.training.trained import weights


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


def test_it_runs_outside_the_main_thread(network, digits, quick, tmp_path):
    found = []
    thread = threading.Thread(
        target=lambda: found.append(fit(network(), digits, quick(epochs=1), out=tmp_path))
    )
    thread.start()
    thread.join()
    assert found[0].test.count == 40
