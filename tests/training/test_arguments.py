"""Tests of the argument checks of `fit` and `learning_rate_range`, before any computation."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader

from convlab.training import fit, learning_rate_range
from tests.training.helpers import weights

both = pytest.mark.parametrize("train", [fit, learning_rate_range])


@pytest.mark.parametrize("number", [0, -1])
def test_counts_of_checkpoints(network, digits, quick, number):
    with pytest.raises(ValueError, match=f"keep must be at least 1, got {number}"):
        fit(network(), digits, quick(), keep=number)
    with pytest.raises(ValueError, match=f"checkpoint_every must be at least 1, got {number}"):
        fit(network(), digits, quick(), checkpoint_every=number)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"out": ""}, ValueError, "out must be the path of a folder, got an empty one"),
        (
            {"out": "~nobody-has-this-name/x"},
            ValueError,
            "home folder in '~nobody-has",
        ),
        ({"out": 3}, TypeError, "out must be the path of a folder, got int"),
        ({"keep": 1.5}, TypeError, "keep must be an int, got float 1.5"),
        ({"checkpoint_every": "5"}, TypeError, "checkpoint_every must be an int, got str '5'"),
    ],
)
def test_invalid_arguments_for_files(network, digits, quick, arguments, error, message):
    with pytest.raises(error, match=message):
        fit(network(), digits, quick(), **arguments)


@both
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"model": nn.Flatten}, "model must be a torch.nn.Module, got the class Flatten"),
        ({"model": "cnn"}, "model must be a torch.nn.Module, got str"),
        ({"data": np.zeros(3)}, "data must be a Dataset, got ndarray: convlab.data.Dataset"),
        ({"data": (np.zeros(3), [1])}, "data must be a Dataset, got tuple: convlab.data.Dataset"),
        ({"data": DataLoader([1])}, "got DataLoader: .* a DataLoader .* is not accepted"),
        ({"config": {"epochs": 3}}, "config must be a TrainConfig, got dict"),
        ({"config": {}}, "config must be a TrainConfig, got dict"),
    ],
)
def test_arguments_of_wrong_types(network, digits, quick, train, arguments, message):
    with pytest.raises(TypeError, match=message):
        train(**{"model": network(), "data": digits, "config": quick(), **arguments})


@both
@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"crop": 28}, "crop must be below the images' 28 x 28 pixels, got 28"),
        ({"cutout": 29}, "cutout must be at most the images' 28 x 28 pixels, got 29"),
    ],
)
def test_augmentation_larger_than_the_image(network, digits, quick, train, settings, message):
    with pytest.raises(ValueError, match=message):
        train(network(), digits, quick(**settings))


class Answers(nn.Module):
    """Network that returns `way` of ten logits."""

    def __init__(self, way):
        super().__init__()
        self.layer, self.way = nn.Linear(784, 10), way

    def forward(self, x):
        return self.way(self.layer(x.flatten(1)))


@both
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
        (lambda y: y.argmax(1), TypeError, "must return floating-point values, got torch.int64"),
    ],
)
def test_outputs_that_do_not_fit_the_labels(digits, quick, train, way, error, message, tmp_path):
    model = Answers(way)
    before = weights(model)
    folder = {"out": tmp_path} if train is fit else {}
    with pytest.raises(error, match=message):
        train(model, digits, quick(), **folder)
    assert torch.equal(weights(model), before)  # not a step was made
    assert not list(tmp_path.glob("checkpoint-*"))


@both
def test_a_lazy_layer_needs_its_shape(digits, quick, train):
    with pytest.raises(ValueError, match=r"1\.weight of the model has no shape.*\(1, 1, 28, 28\)"):
        train(nn.Sequential(nn.Flatten(), nn.LazyLinear(10)), digits, quick())


@both
def test_weights_of_16_bits_have_no_precision_fp16(network, digits, quick, train):
    with pytest.raises(ValueError, match=r"needs weights of float32, got 0\.weight of float16"):
        train(network().half(), digits, quick(precision="fp16"))


@both
def test_labels_that_only_the_test_images_have_are_noticed_at_once(digits, quick, train):
    few = replace(
        digits, train_images=digits.train_images[:5], train_labels=digits.train_labels[:5]
    )
    assert few.train_labels.max() < 5
    with pytest.raises(ValueError, match="5 outputs for each image, but the labels go up to 9"):
        train(Answers(lambda y: y[:, :5]), few, quick())


def test_more_outputs_than_classes_are_allowed(digits, quick):
    model = nn.Sequential(nn.Flatten(), nn.Linear(784, 1000))
    assert fit(model, digits, quick(learning_rate=0.01)).test.accuracy > 0.3


@both
@pytest.mark.parametrize("name", ["cuda:99", "abacus", "meta"])
def test_a_device_that_does_not_exist(network, digits, quick, train, name):
    with pytest.raises(ValueError, match=f"device '{name}' cannot be used here"):
        train(network(), digits, quick(device=name))
