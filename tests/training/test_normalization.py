"""Tests of a training with mean and standard deviation that were given."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from convlab.data import Dataset
from convlab.training import TrainConfig, evaluate, fit
from convlab.training.batches import make_batches
from convlab.training.distributed import DistributedContext


@pytest.mark.parametrize("batches", ["device", "loader"])
def test_batches_are_normalized_by_them(digits, batches):
    given = replace(digits, mean=(0.25,), std=(0.125,))
    config = TrainConfig(batch_size=10, batches=batches)
    plain, other = (
        next(make_batches(data, config, DistributedContext()).epoch(0)) for data in (digits, given)
    )
    pixels = plain[0].double() * digits.std[0] + digits.mean[0]
    torch.testing.assert_close(other[0].double(), (pixels - 0.25) / 0.125, atol=1e-5, rtol=0)


def test_the_result_and_the_identity_of_a_run_hold_them(digits, tmp_path):
    given = replace(digits, mean=(0.25,), std=(0.125,))
    config = TrainConfig(epochs=1, device="cpu")

    def train(data):
        torch.manual_seed(0)
        return fit(nn.Sequential(nn.Flatten(), nn.Linear(784, 10)), data, config, out=tmp_path)

    result = train(given)
    assert (result.mean, result.std) == ((0.25,), (0.125,))
    test = evaluate(result.model, given.test_images, given.test_labels, mean=(0.25,), std=(0.125,))
    assert test.loss == pytest.approx(result.test.loss, rel=1e-6)
    written = json.loads((tmp_path / "result.json").read_text())
    assert (written["mean"], written["std"]) == ([0.25], [0.125])
    assert written["image_shape"] == [1, 28, 28]
    assert written["class_names"] == list(digits.class_names)
    assert train(given).test == result.test
    for other in (digits, replace(given, std=(0.5,))):
        with pytest.raises(ValueError, match=r"data is .* mean \[0\.25\] std \[0\.125\] there"):
            train(other)


def test_a_constant_channel_is_0_everywhere():
    images = np.random.default_rng(0).integers(0, 255, (48, 4, 8, 8)).astype(np.uint8)
    images[:, 3] = 255
    labels = np.arange(48) % 3
    data = Dataset("with alpha", images, labels, images[:9], labels[:9], ("a", "b", "c"))
    inputs, _ = next(make_batches(data, TrainConfig(), DistributedContext()).epoch(0))
    passed = replace(data, mean=data.mean, std=data.std)
    again, _ = next(make_batches(passed, TrainConfig(), DistributedContext()).epoch(0))
    assert data.std[3] == 0
    assert torch.equal(inputs, again)
    assert inputs[:, :3].std() == pytest.approx(1, abs=0.01)
    assert inputs[:, 3].abs().max() == 0
    model = nn.Sequential(nn.Flatten(), nn.Linear(256, 3))
    assert fit(model, data, TrainConfig(epochs=1, device="cpu")).test.count == 9
