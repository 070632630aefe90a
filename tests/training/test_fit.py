"""Tests of the results and files of `fit`."""

import copy
import json
import math
import os
import threading
import time
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel

from convlab.training import TrainConfig, evaluate, fit, learning_rate_range
from convlab.training.batches import DeviceBatches, make_batches
from convlab.training.distributed import DistributedContext
from convlab.training.loop import train_step
from convlab.training.optim import learning_rate_at
from convlab.training.state import TrainState
from tests.training.helpers import during_step, weights


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


@pytest.mark.parametrize("parts", [2, 4, 16])
def test_the_parts_of_a_batch_make_the_step_of_the_whole(digits, quick, parts):
    """In float64; dropout and batch normalization would see the parts."""

    def make():
        torch.manual_seed(0)
        layers = (nn.Conv2d(1, 4, 3, stride=3), nn.ReLU(), nn.Flatten(), nn.Linear(324, 10))
        return nn.Sequential(*layers).double()

    more = {"max_grad_norm": 0.5, "label_smoothing": 0.1, "flip": True}
    whole, config = quick(**more), quick(accumulation_steps=parts, **more)
    sizes = set()
    model = make()
    model.register_forward_pre_hook(
        lambda model, inputs: sizes.add(len(inputs[0])) if model.training else None
    )
    one, other = fit(make(), digits, whole), fit(model, digits, config)
    assert sizes == {16 // parts}
    torch.testing.assert_close(weights(other.model), weights(one.model), rtol=1e-10, atol=1e-12)
    for name in ("train_loss", "train_accuracy", "learning_rate", "steps"):
        assert other.history.column(name) == pytest.approx(one.history.column(name), rel=1e-10)
    losses = [learning_rate_range(make(), digits, c, steps=9)[1] for c in (whole, config)]
    np.testing.assert_allclose(*losses, rtol=1e-10)


def test_the_summed_gradient_is_that_of_the_mean_loss(digits, quick):
    def make():
        torch.manual_seed(0)
        return nn.Sequential(nn.Flatten(), nn.Linear(784, 10)).double()

    state, batches = prepared(make(), digits, quick(accumulation_steps=4))
    images, labels = next(batches)
    train_step(state, images, labels, learning_rate=0.1)
    model = make()
    errors = model(images.double()).softmax(1) - nn.functional.one_hot(labels, 10)
    wanted = errors.T @ images.double().flatten(1) / 16  # by hand
    torch.testing.assert_close(state.model[1].weight.grad, wanted)


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
        max_grad_norm=1.0, channels_last=True, accumulation_steps=2,
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


def test_the_seconds_of_an_epoch_are_its_own(network, digits, quick):
    history = fit(during_step(network(), 2, lambda: time.sleep(0.5)), digits, quick()).history
    assert history[0].seconds > 0.5 > history[1].seconds
    assert history[0].images_per_second == pytest.approx(96 / history[0].seconds)


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


def frozen_norm():
    model = nn.Sequential(nn.Conv2d(1, 4, 3, stride=3), nn.BatchNorm2d(4), nn.Flatten())
    return nn.Sequential(*model.requires_grad_(False).eval(), nn.Linear(324, 10))


class FreezesItself(nn.Module):
    """A network whose `train` keeps its normalization in eval mode."""

    def __init__(self):
        super().__init__()
        self.net = frozen_norm().train()

    def forward(self, images):
        return self.net(images)

    def train(self, mode=True):
        super().train(mode)
        self.net[1].eval()
        return self


@pytest.mark.parametrize("make", [frozen_norm, FreezesItself])
def test_layers_in_eval_mode_stay_there(make, digits, quick):
    """Also if a callback changes the mode."""
    model = make()
    before = {name: value.clone() for name, value in model.named_buffers()}
    fit(model, digits, quick(), on_epoch=lambda _: model.train())
    learning_rate_range(model, digits, quick(), steps=3)
    for name, value in model.named_buffers():
        assert torch.equal(value, before[name])


def test_a_model_in_eval_mode_is_trained_as_one_in_train_mode(network, digits, quick):
    one, two = (fit(model, digits, quick()).model for model in (network(), network().eval()))
    assert torch.equal(weights(one), weights(two))


def test_a_network_that_skips_layers_is_trained(digits, quick):
    class Skips(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.middle, self.last = (
                nn.Linear(784, 16), nn.Linear(16, 16), nn.Linear(16, 10)
            )  # fmt: skip

        def forward(self, images):
            values = self.first(images.flatten(1))
            if not self.training or torch.rand(()) < 0.5:
                values = self.middle(values)
            return self.last(values)

    for seed in range(4):
        assert len(fit(Skips(), digits, quick(seed=seed, learning_rate=0.01)).history) == 3


@pytest.mark.parametrize(
    "wrap",
    [
        lambda model: torch.compile(model, backend="eager"),
        nn.DataParallel,
        lambda model: torch.compile(nn.DataParallel(model), backend="eager"),
    ],
)
def test_the_weights_of_a_wrapped_model_have_its_own_names(wrap, digits, quick, tmp_path):
    def make():
        torch.manual_seed(0)
        return nn.Sequential(nn.Flatten(), nn.Linear(784, 10))

    plain = fit(make(), digits, quick()).model
    fit(wrap(make()), digits, quick(), out=tmp_path)
    found = make()
    found.load_state_dict(torch.load(tmp_path / "model.pt", weights_only=True))
    assert torch.equal(weights(found), weights(plain))
    fit(make(), digits, quick(), out=tmp_path)  # the same training


@pytest.mark.parametrize(
    ("wrap", "name"),
    [
        (lambda model: nn.Sequential(torch.compile(model)), "model.0 is wrapped in OptimizedM"),
        (AveragedModel, "model is wrapped in AveragedModel"),
    ],
)
def test_other_wrappers_are_refused(wrap, name, network, digits, quick):
    for train in (fit, learning_rate_range):
        with pytest.raises(ValueError, match=name):
            train(wrap(network()), digits, quick())


def test_nan_becomes_null_in_json(digits, quick, tmp_path):
    """The network is not finite in eval mode alone."""

    class Broken(nn.Sequential):
        def forward(self, images):
            return super().forward(images if self.training else images / 0)

    def refuse(word):
        pytest.fail(f"{word} is not JSON")

    model = Broken(nn.Flatten(), nn.Linear(784, 10))
    result = fit(model, digits, quick(validation_fraction=0.2), out=tmp_path)
    assert result.test.correct == 0
    for line in (tmp_path / "history.jsonl").read_text().splitlines():
        assert json.loads(line, parse_constant=refuse)["validation_loss"] is None
    found = json.loads((tmp_path / "result.json").read_text(), parse_constant=refuse)
    assert found["test"]["loss"] is None


class Counts(nn.Module):
    """A network that counts its calls in its extra state."""

    def __init__(self, kind=int):
        super().__init__()
        self.net, self.calls, self.kind = nn.Sequential(nn.Flatten(), nn.Linear(784, 10)), 0, kind

    def forward(self, images):
        self.calls += 1
        return self.net(images)

    def get_extra_state(self):
        return {"calls": self.kind(self.calls)}

    def set_extra_state(self, state):
        self.calls = int(state["calls"])


@pytest.mark.parametrize("kind", [int, float, torch.tensor, str])
def test_extra_states_are_saved_and_restored(kind, digits, quick, tmp_path):
    wanted = fit(Counts(kind), digits, quick(), out=tmp_path).model.calls
    saved = torch.load(tmp_path / "model.pt", weights_only=True)
    assert int(saved["_extra_state"]["calls"]) == wanted
    (model := Counts()).load_state_dict(saved)
    assert model.calls == wanted
    again = fit(Counts(kind), digits, quick(), out=tmp_path).model
    assert again.calls > wanted - len(digits.test_labels)


def test_an_extra_state_that_cannot_be_restored_is_named_at_once(digits, quick, tmp_path):
    model = nn.Sequential(nn.Identity(), Counts(Fraction))
    with pytest.raises(TypeError, match=r"1\._extra_state holds more than tensors, numbers and"):
        fit(model, digits, quick(), out=tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_tilde_is_the_home_folder(network, digits, quick, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    fit(network(), digits, quick(), out="~/runs/a")
    assert [path.name for path in tmp_path.iterdir()] == ["home"]
    assert (tmp_path / "home" / "runs" / "a" / "model.pt").exists()


def test_the_folder_stays_the_same_if_the_current_one_changes(
    network, digits, quick, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    fit(network(), digits, quick(), out="run", on_epoch=lambda _: os.chdir(elsewhere))
    assert not list(elsewhere.iterdir())
    assert (tmp_path / "run" / "model.pt").exists()


class Views(nn.Module):
    """A network that flattens with `view`, and has dropout."""

    def __init__(self):
        super().__init__()
        self.conv, self.linear = nn.Conv2d(1, 4, 3), nn.Linear(4 * 26 * 26, 10)

    def forward(self, images):
        found = nn.functional.dropout(self.conv(images), 0.5, self.training)
        return self.linear(found.view(len(images), -1))


@pytest.mark.parametrize("settings", [{"crop": 0}, {"crop": 2}, {"crop": 0, "batches": "loader"}])
def test_gray_images_have_no_other_layout_by_their_strides(digits, quick, settings):
    """With one channel, NumPy calls arrays of several strides contiguous."""
    found = []
    for strides in ((784, 1, 28, 1), (784, 784, 28, 1), (784, 28, 28, 1)):
        train, test = (
            np.lib.stride_tricks.as_strided(np.ascontiguousarray(images), strides=strides)
            for images in (digits.train_images, digits.test_images)
        )
        data = replace(digits, train_images=train, test_images=test)
        torch.manual_seed(0)
        found.append(fit(Views(), data, quick(learning_rate=0.01, **settings)))
    for result in found[1:]:
        assert torch.equal(weights(result.model), weights(found[0].model))
        assert result.test == found[0].test


@pytest.mark.parametrize("batches", ["device", "loader"])
def test_read_only_images(network, digits, quick, batches):
    """Such as those of a file that numpy.memmap has opened; PyTorch warns of them."""
    images = digits.train_images.copy()
    images.flags.writeable = False
    data = replace(digits, train_images=images, test_images=images[:40])
    torch.set_warn_always(True)
    try:
        result = fit(network(), data, quick(batches=batches, crop=0))
    finally:
        torch.set_warn_always(False)
    wanted = fit(network(), digits, quick(batches=batches, crop=0))
    assert torch.equal(weights(result.model), weights(wanted.model))


@pytest.mark.filterwarnings("ignore:.*is deprecated:FutureWarning")
def test_a_scripted_network_is_trained(digits, quick):
    plain = nn.Sequential(nn.Flatten(), nn.Linear(784, 10))
    scripted = torch.jit.script(copy.deepcopy(plain))
    found = [weights(fit(model, digits, quick()).model) for model in (plain, scripted)]
    torch.testing.assert_close(*found)


def test_a_constant_channel_is_no_reason_to_fail(digits, quick):
    images = np.repeat(digits.train_images, 2, axis=1)
    images[:, 1] = 255
    data = replace(digits, train_images=images, test_images=images[:40])
    model = nn.Sequential(nn.Flatten(), nn.Linear(1568, 10))
    assert math.isfinite(fit(model, data, quick()).test.loss)
