"""Each image counts once and the same, whatever the batches; the mode is eval, and put back."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from convlab.training import Evaluation, World, evaluate, predict


def logits_as_images(count, classes, seed=0):
    chance = np.random.default_rng(seed)
    images = chance.normal(size=(count, classes, 1, 1)).astype(np.float32)
    return images, chance.integers(0, classes, count)


@pytest.mark.parametrize("batch_size", [1, 4, 7, 23, 1000])
def test_loss_and_accuracy_are_means_over_images(batch_size):
    images, labels = logits_as_images(23, 5)
    found = evaluate(nn.Flatten(), images, labels, batch_size=batch_size)
    outputs = images[:, :, 0, 0].astype(np.float64)
    shares = np.exp(outputs) / np.exp(outputs).sum(1, keepdims=True)
    assert found.loss == pytest.approx(-np.log(shares[np.arange(23), labels]).mean(), rel=1e-5)
    assert found.correct == (outputs.argmax(1) == labels).sum()
    assert (found.count, found.accuracy) == (23, found.correct / 23)


@pytest.mark.parametrize("size", [1, 2, 3, 5])
def test_the_shares_of_several_processes_are_every_image_once(size, monkeypatch):
    images, labels = logits_as_images(23, 5)
    seen = []
    monkeypatch.setattr(World, "total", lambda self, values: seen.append(values) or values)
    for rank in range(size):
        evaluate(nn.Flatten(), images, labels, world=World(rank, size))
    whole = evaluate(nn.Flatten(), images, labels)
    loss, correct, count = sum(seen[:-1]).tolist()
    assert (correct, count) == (whole.correct, 23)
    assert loss / count == pytest.approx(whole.loss)


def test_a_process_without_any_image_takes_part(monkeypatch):
    monkeypatch.setattr(World, "total", lambda self, values: values + 1)
    images, labels = logits_as_images(2, 5)
    assert evaluate(nn.Flatten(), images, labels, world=World(2, 3)).count == 1


def test_the_documented_loop_counts_an_image_of_a_short_batch_twice():
    images, labels = logits_as_images(3, 5)
    right = evaluate(nn.Flatten(), images, labels).loss
    batches = [evaluate(nn.Flatten(), images[p], labels[p]).loss for p in (slice(2), slice(2, 3))]
    assert right == pytest.approx((2 * batches[0] + batches[1]) / 3)
    assert right != pytest.approx(sum(batches) / 2)


def test_layers_are_in_eval_mode_and_then_as_they_were(device):
    frozen = nn.BatchNorm2d(3).eval()
    model = nn.Sequential(nn.BatchNorm2d(3), frozen, nn.Dropout(0.9), nn.Flatten()).to(device)
    images = np.random.default_rng(0).normal(size=(8, 3, 2, 2)).astype(np.float32)
    first, again = predict(model, images), predict(model, images[:3])
    torch.testing.assert_close(first[:3], again)  # an answer does not depend on the other images
    assert [layer.training for layer in model] == [True, False, True, True]
    assert int(model[0].num_batches_tracked) == 0
    assert not first.requires_grad
    assert first.device.type == "cpu"


def test_bytes_are_normalized_as_in_training():
    pixels = np.array([[[[0, 255]]]], np.uint8)
    found = predict(nn.Flatten(), pixels, mean=[0.5], std=[0.25])
    torch.testing.assert_close(found, torch.tensor([[-2.0, 2.0]]))
    with pytest.raises(ValueError, match=r"images of bytes need mean=data\.mean"):
        predict(nn.Flatten(), pixels)
    with pytest.raises(ValueError, match="mean and std are for images of bytes"):
        predict(nn.Flatten(), pixels.astype(np.float32), mean=[0.5], std=[0.5])


@pytest.mark.parametrize(
    ("images", "labels", "error", "message"),
    [
        (np.zeros((2, 3)), [0, 1], ValueError, r"images must be \(N, C, H, W\)"),
        (np.zeros((0, 3, 1, 1)), [], ValueError, "no images to evaluate"),
        (np.zeros((2, 3, 1, 1)), [0], ValueError, r"2 images need labels of shape \(2,\)"),
        (np.zeros((2, 3, 1, 1), np.int64), [0, 1], TypeError, "uint8 or floating point"),
    ],
)
def test_what_cannot_be_evaluated(images, labels, error, message):
    with pytest.raises(error, match=message):
        evaluate(nn.Flatten(), images, labels)


def test_a_batch_has_images():
    with pytest.raises(ValueError, match="batch_size must be at least 1, got 0"):
        predict(nn.Flatten(), np.zeros((1, 1, 1, 1), np.float32), batch_size=0)


@given(count=st.integers(1, 2000), share=st.floats(0, 1))
def test_the_interval_is_that_of_scipy(count, share):
    from scipy import stats

    correct = round(share * count)
    low, high = Evaluation(0.0, correct / count, correct, count).interval()
    theirs = stats.binomtest(correct, count).proportion_ci(0.95, method="wilson")
    assert (low, high) == pytest.approx((theirs.low, theirs.high), abs=1e-6)
    assert 0 <= low <= correct / count + 1e-12
    assert correct / count - 1e-12 <= high <= 1


def test_it_says_what_it_found():
    text = str(Evaluation(0.25, 0.75, 3, 4))
    assert text == "75.00 % of 4 right (95 %: 30.1 to 95.4), loss 0.2500"
