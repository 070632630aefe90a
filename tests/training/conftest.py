"""Small images and small networks, on every device that is there."""

import multiprocessing

import numpy as np
import pytest
import torch
from torch import nn

from convlab.data import Dataset, load
from convlab.training import TrainConfig


@pytest.fixture(autouse=True)
def seeded():
    """Layers draw the same first weights in each test, however many tests came before."""
    torch.manual_seed(0)


@pytest.fixture(scope="session")
def digits():
    """A hundred real digits to learn from, forty to be tested on."""
    whole = load("digits")
    return Dataset(
        "few digits", whole.train_images[:100], whole.train_labels[:100],
        whole.test_images[:40], whole.test_labels[:40], whole.class_names,
    )  # fmt: skip


@pytest.fixture
def random_images():
    chance = np.random.default_rng(0)
    return (
        chance.integers(0, 256, (23, 3, 6, 5), dtype=np.uint8),
        chance.integers(0, 4, 23),
    )


@pytest.fixture
def network():
    """Return a maker of networks with everything that makes exactness hard."""

    def make(seed=0, dropout=0.3):
        torch.manual_seed(seed)
        return nn.Sequential(
            nn.Conv2d(1, 4, 3, stride=3), nn.BatchNorm2d(4), nn.ReLU(), nn.Dropout(dropout),
            nn.Flatten(), nn.Linear(4 * 81, 10),
        )  # fmt: skip

    return make


@pytest.fixture
def quick():
    """Return a maker of settings for trainings of a moment."""

    def make(**settings):
        return TrainConfig(
            **{"epochs": 3, "batch_size": 16, "crop": 1, "device": "cpu", **settings}
        )

    return make


@pytest.fixture(scope="session")
def start():
    """Return a starter of processes that run a text, and have PyTorch loaded already."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["convlab.training", "convlab.data", "torch._dynamo"])

    def starter(code, **environment):
        head = f"import os; os.environ.update({environment!r})\n"
        process = context.Process(target=exec, args=(head + code, {}))
        process.start()
        return process

    return starter
