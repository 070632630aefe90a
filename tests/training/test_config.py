"""Every setting is checked, and its message names it and the number."""

import json

import numpy as np
import pytest

from convlab.training import TrainConfig


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
        ({"warmup": -0.1}, "warmup must be at least 0 and below 1, got -0.1"),
        ({"label_smoothing": 1}, "label_smoothing must be at least 0 and below 1, got 1"),
        ({"validation": 1.5}, "validation must be at least 0 and below 1, got 1.5"),
        ({"learning_rate": 0}, "learning_rate must be above 0, got 0"),
        ({"learning_rate": float("nan")}, "learning_rate must be finite, got nan"),
        ({"weight_decay": -1e-4}, "weight_decay must be at least 0, got -0.0001"),
        ({"clip_norm": 0.0}, "clip_norm must be above 0, or None, got 0.0"),
        ({"optimizer": "adam"}, "optimizer must be one of sgd, adamw, got 'adam'"),
        ({"schedule": "step"}, "schedule must be one of one-cycle, cosine, constant, got 'step'"),
        ({"precision": "int8"}, "precision must be one of fp32, bf16, fp16, got 'int8'"),
        ({"batches": "disk"}, "batches must be one of device, loader, got 'disk'"),
        ({"loader_workers": 2}, "loader_workers is 2, but batches='device' has no loader"),
    ],
)
def test_values_out_of_range(setting, message):
    with pytest.raises(ValueError, match=message):
        TrainConfig(**setting)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"epochs": 1.5}, "epochs must be a whole number, got 1.5"),
        ({"batch_size": True}, "batch_size must be a whole number, got True"),
        ({"learning_rate": "0.1"}, "learning_rate must be a number, got '0.1'"),
        ({"flip": 1}, "flip must be True or False, got 1"),
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
    config = TrainConfig(epochs=2, clip_norm=1.0, flip=True)
    assert TrainConfig(**config.to_dict()) == config
    assert set(config.to_dict()) == set(TrainConfig.names())


def test_numbers_of_numpy_become_plain_ones():
    config = TrainConfig(epochs=np.int64(3), learning_rate=np.float32(0.5), flip=np.bool_(True))
    assert [type(value) for value in (config.epochs, config.learning_rate, config.flip)] == [
        int, float, bool,
    ]  # fmt: skip
    assert json.loads(json.dumps(config.to_dict())) == config.to_dict()
