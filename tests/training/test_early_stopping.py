"""Tests of early stopping and of the best weights, on validation losses made for the purpose."""

import json
import math
import signal
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from convlab.data import Dataset
from convlab.training import Interrupted, TrainConfig, evaluate, fit
from convlab.training.optim import learning_rate_at
from tests.training.helpers import during_step, weights

NAN = math.nan


class Planned(nn.Module):
    """A network whose validation loss after epoch i is `-log_softmax` of ``plan[i - 1]``.

    In eval mode it gives that number to class 0. It counts its steps in a buffer.
    """

    def __init__(self, net, plan, steps_per_epoch=6):
        super().__init__()
        self.net, self.plan, self.steps_per_epoch = net, plan, steps_per_epoch
        self.register_buffer("steps", torch.zeros((), dtype=torch.int64))

    def forward(self, images):
        logits = self.net(images)
        if self.training:
            self.steps += 1
            return logits
        planned = torch.zeros_like(logits)
        planned[:, 0] = self.plan[int(self.steps) // self.steps_per_epoch - 1]
        return planned


@pytest.fixture
def zeros(digits):
    """Return the digits with validation images of class 0."""
    return replace(
        digits, validation_images=digits.test_images,
        validation_labels=np.zeros_like(digits.test_labels),
    )  # fmt: skip


@pytest.fixture
def ten_epochs(quick):
    """Return a function that makes settings of a training run of ten epochs of six steps."""
    return lambda **more: quick(**{"epochs": 10, "restore_best_weights": True, **more})


SEQUENCES = [  # validation quality, patience; then: last epoch, best epoch
    ([1, 2, 3, 2, 2, 9, 9, 9, 9, 9], 2, 5, 3),
    ([1, 2, 1.5, 9, 9, 9, 9, 9, 9, 9], 1, 3, 2),
    ([1, 2, 1.5, 3, 2.5, 2.5, 9, 9, 9, 9], 2, 6, 4),
    ([1, 1, 1, 9, 9, 9, 9, 9, 9, 9], 2, 3, 1),
    ([NAN, 1, NAN, NAN, 9, 9, 9, 9, 9, 9], 2, 4, 2),
    ([NAN, NAN, NAN, 9, 9, 9, 9, 9, 9, 9], 3, 3, 3),
    ([-math.inf, 1, 0, 2, 1, 0, -1, 9, 9, 9], 3, 7, 4),
    ([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], 1, 10, 10),
    ([1, 2, 9, 4, 5, 6, 7, 8, 8, 8], None, 10, 3),
]


@pytest.mark.parametrize(("plan", "patience", "last", "best"), SEQUENCES)
def test_it_stops_and_returns_to_the_best_epoch(
    network, zeros, ten_epochs, tmp_path, plan, patience, last, best
):
    config = ten_epochs(patience=patience)
    result = fit(Planned(network(), plan), zeros, config, out=tmp_path)
    assert (len(result.history), result.epoch) == (last, best)
    assert result.model.steps == 6 * best
    assert result.validation.loss == pytest.approx(
        result.history[best - 1].validation_loss, nan_ok=True
    )
    # The weights are those of a run that ended there, with the same schedule.
    kept = []
    fit(
        model := Planned(network(), plan), zeros, config,
        on_epoch=lambda epoch: kept.append(weights(model)),
    )  # fmt: skip
    assert torch.equal(weights(result.model), kept[best - 1])
    saved = torch.load(tmp_path / "model.pt", weights_only=True)
    assert saved["steps"] == 6 * best
    assert json.loads((tmp_path / "result.json").read_text())["epoch"] == best
    rates = [learning_rate_at(6 * epoch - 1, 60, config) for epoch in range(1, last + 1)]
    assert result.history.column("learning_rate") == rates


def expected(plan, patience):
    """Return the last and the best epoch, counted as Keras and Lightning do; 0 for none."""
    lowest, best, waited = math.inf, 0, 0
    for epoch, quality in enumerate(plan, start=1):
        if -quality < lowest:
            lowest, best, waited = -quality, epoch, 0
        else:
            waited += 1
        if waited == patience:
            break
    return epoch, best


@given(
    plan=st.lists(st.sampled_from([-math.inf, -1, 0, 0.5, 1, 2, NAN]), min_size=1, max_size=9),
    patience=st.none() | st.integers(1, 4),
)
@settings(max_examples=30)
def test_any_sequence_of_validation_losses(plan, patience):
    pixels, labels = np.arange(64, dtype=np.uint8).reshape(16, 1, 2, 2), np.arange(16) % 2
    data = Dataset(
        "tiny", pixels, labels, pixels[:0], labels[:0], ("a", "b"), pixels, np.zeros_like(labels)
    )
    config = TrainConfig(
        epochs=len(plan), batch_size=16, patience=patience, restore_best_weights=True, device="cpu"
    )
    model = nn.Sequential(nn.Flatten(), nn.Linear(4, 2))
    result = fit(Planned(model, plan, steps_per_epoch=1), data, config)
    last, best = expected(plan, patience)
    assert len(result.history) == last
    assert result.epoch == int(result.model.steps) == (best or last)


def test_without_restoring_the_last_weights_are_kept(network, zeros, ten_epochs):
    config = ten_epochs(patience=2, restore_best_weights=False)
    result = fit(Planned(network(), SEQUENCES[0][0]), zeros, config)
    assert (len(result.history), result.epoch, int(result.model.steps)) == (5, 5, 30)
    assert result.history.best().epoch == 3


def test_the_test_images_are_evaluated_with_the_chosen_weights(network, digits, quick):
    config = quick(
        epochs=8, learning_rate=1.0, validation_fraction=0.3, patience=2, restore_best_weights=True
    )
    result = fit(network(), digits, config)
    assert result.epoch == result.history.best().epoch < len(result.history)
    assert result.validation.loss == result.history[result.epoch - 1].validation_loss
    assert result.validation.loss == min(result.history.column("validation_loss"))
    again = evaluate(
        result.model, digits.test_images, digits.test_labels, mean=result.mean, std=result.std
    )
    assert again == result.test


@pytest.mark.parametrize("step", [1, 8, 12, 14, 18, 20, 24, 27, 30])
@pytest.mark.parametrize("more", [{}, {"accumulation_steps": 2, "optimizer": "adam"}])
def test_a_resumed_run_has_the_same_bits(network, zeros, ten_epochs, tmp_path, step, more):
    """Interrupted in and after each epoch; the best one is the third, the last one the fifth."""
    config = ten_epochs(patience=2, learning_rate=0.01, **more)
    parts = config.accumulation_steps

    def planned(seed=0):
        return Planned(network(seed), SEQUENCES[0][0], 6 * parts)

    wanted = fit(planned(), zeros, config)
    assert (len(wanted.history), wanted.epoch) == (5, 3)
    model = during_step(planned(), step * parts, lambda: signal.raise_signal(signal.SIGTERM))
    with pytest.raises(Interrupted):
        fit(model, zeros, config, out=tmp_path)
    found = fit(planned(seed=1), zeros, config, out=tmp_path)
    assert torch.equal(weights(found.model), weights(wanted.model))
    assert (found.epoch, found.validation, found.test) == (
        wanted.epoch, wanted.validation, wanted.test,
    )  # fmt: skip
    for name in ("train_loss", "validation_loss"):
        assert found.history.column(name) == wanted.history.column(name)


@pytest.mark.parametrize("restore", [False, True])
def test_a_run_that_was_stopped_is_not_continued(network, zeros, ten_epochs, tmp_path, restore):
    config, plan = ten_epochs(patience=2, restore_best_weights=restore), SEQUENCES[0][0]
    first = fit(Planned(network(), plan), zeros, config, out=tmp_path)
    model = during_step(Planned(network(1), plan), 1, lambda: pytest.fail("a step was taken"))
    again = fit(model, zeros, config, out=tmp_path)
    assert torch.equal(weights(again.model), weights(first.model))
    assert (again.epoch, again.test, list(again.history)) == (
        first.epoch, first.test, list(first.history),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"patience": 3}, "patience=3 needs validation images: set validation_fraction"),
        ({"restore_best_weights": True}, "restore_best_weights=True needs validation images"),
    ],
)
def test_a_choice_needs_validation_images(network, digits, quick, setting, message):
    with pytest.raises(ValueError, match=message):
        fit(network(), digits, quick(**setting))
