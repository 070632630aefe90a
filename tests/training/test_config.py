"""Tests of the checks of settings, and of the recipes."""

import json
from dataclasses import fields

import numpy as np
import pytest

from convlab.data import DATASETS, load, match_input
from convlab.models import MODELS
from convlab.training import TrainConfig, fit, recipe, seed_everything
from convlab.training.config import DATA_SETTINGS, MODEL_SETTINGS, PAIR_SETTINGS


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"epochs": 0}, "epochs must be at least 1, got 0"),
        ({"batch_size": 0}, "batch_size must be at least 1, got 0"),
        ({"crop": -1}, "crop must be at least 0, got -1"),
        ({"cutout": -2}, "cutout must be at least 0, got -2"),
        ({"loader_workers": -1}, "loader_workers must be at least 0, got -1"),
        ({"seed": -1}, "seed must be at least 0, got -1"),
        ({"seed": 2**63}, "seed must be below 2\\*\\*63, got 9223372036854775808"),
        ({"momentum": 1.0}, "momentum must be at least 0 and below 1, got 1.0"),
        ({"warmup_fraction": -0.1}, "warmup_fraction must be at least 0 and below 1, got -0.1"),
        ({"label_smoothing": 1}, "label_smoothing must be at least 0 and below 1, got 1"),
        (
            {"validation_fraction": 1.5},
            "validation_fraction must be at least 0 and be",
        ),
        ({"learning_rate": 0}, "learning_rate must be above 0, got 0"),
        ({"learning_rate": float("nan")}, "learning_rate must be finite, got nan"),
        ({"weight_decay": -1e-4}, "weight_decay must be at least 0, got -0.0001"),
        ({"max_grad_norm": 0.0}, "max_grad_norm must be above 0, or None, got 0.0"),
        ({"accumulation_steps": 0}, "accumulation_steps must be at least 1, got 0"),
        ({"patience": 0}, "patience must be at least 1, got 0"),
        ({"optimizer": "lion"}, "optimizer must be one of sgd, adam, adamw, got 'lion'"),
        ({"schedule": "step"}, "schedule must be one of linear, cosine, constant, got 'step'"),
        ({"precision": "int8"}, "precision must be one of fp32, bf16, fp16, got 'int8'"),
        ({"batches": "disk"}, "batches must be one of device, loader, got 'disk'"),
        ({"loader_workers": 2}, "loader_workers=2 needs batches='loader'; batches='device' has no"),
    ],
)
def test_values_out_of_range(setting, message):
    with pytest.raises(ValueError, match=message):
        TrainConfig(**setting)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"epochs": 1.5}, "epochs must be an int, got float 1.5"),
        ({"batch_size": True}, "batch_size must be an int, got the bool True"),
        ({"learning_rate": "0.1"}, "learning_rate must be a number, got str '0.1'"),
        ({"accumulation_steps": None}, "accumulation_steps must be an int, got NoneType"),
        ({"patience": 2.0}, "patience must be an int, got float 2.0"),
        ({"flip": 1}, "flip must be True or False, got int 1"),
        ({"restore_best_weights": "yes"}, "restore_best_weights must be True or False, got str"),
        ({"device": None}, "device must be a name such as 'cpu' or 'cuda', got None"),
    ],
)
def test_values_of_a_wrong_type(setting, message):
    with pytest.raises(TypeError, match=message):
        TrainConfig(**setting)


def test_a_setting_cannot_be_changed_afterwards():
    with pytest.raises(AttributeError):
        TrainConfig().epochs = 3


def test_settings_survive_a_dictionary():
    config = TrainConfig(epochs=2, max_grad_norm=1.0, flip=True)
    assert TrainConfig(**config.to_dict()) == config
    assert set(config.to_dict()) == {field.name for field in fields(TrainConfig)}


def test_numpy_scalars_become_python_numbers():
    config = TrainConfig(epochs=np.int64(3), learning_rate=np.float32(0.5), flip=np.bool_(True))
    assert [type(value) for value in (config.epochs, config.learning_rate, config.flip)] == [
        int, float, bool,
    ]  # fmt: skip
    assert json.loads(json.dumps(config.to_dict())) == config.to_dict()


def test_unknown_names_get_the_default_settings():
    assert recipe("my own images") == recipe("my own images", "my.network:build") == TrainConfig()


def test_explicit_settings_take_precedence():
    assert recipe("digits", "simple-cnn", crop=0, batch_size=7).crop == 0
    assert recipe("digits", "simple-cnn", crop=0, batch_size=7).batch_size == 7


def test_the_settings_of_a_network_and_a_data_set_are_combined():
    config = recipe("cifar10", "simple-cnn")
    assert config.flip
    assert config.learning_rate > TrainConfig().learning_rate


def test_every_recipe_belongs_to_something_that_exists():
    assert set(DATA_SETTINGS) | {data for _, data in PAIR_SETTINGS} <= set(DATASETS)
    assert set(MODEL_SETTINGS) | {model for model, _ in PAIR_SETTINGS} <= set(MODELS)
    for data in DATASETS:
        for model in MODELS:
            assert recipe(data, model).epochs == TrainConfig().epochs


def test_recipes_do_not_flip_digits():
    assert not recipe("digits", "simple-cnn").flip
    assert not recipe("mnist").flip


@pytest.mark.slow
@pytest.mark.parametrize("name", ["simple-cnn", "mnist-cnn", "lenet5"])
def test_with_its_recipe_a_network_learns_the_digits(name):
    data, channels = load("digits"), MODELS[name].input_shape[0]
    seed_everything(0)
    model = MODELS[name].build()
    images = match_input(data, (channels, *data.image_shape[1:]))
    found = fit(model, images, recipe("digits", name, epochs=3, device="cpu"))
    # Guessing gets a tenth. How good they become in the end is measured by benchmarks.accuracy.
    assert found.test.accuracy > 0.95
