"""Small images and small networks, on every available device."""

import multiprocessing

import numpy as np
import pytest
import torch
from torch import nn

from convlab.data import Dataset, load
from convlab.training import TrainConfig


@pytest.fixture(autouse=True)
def seeded():
    """Give layers the same initial weights in each test, whatever ran before."""
    torch.manual_seed(0)


@pytest.fixture(scope="session")
def digits():
    """Return a data set of 100 training and 40 test digits."""
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
    """Return a function that makes networks with all that makes exact resuming hard."""

    def make(seed=0, dropout=0.3):
        torch.manual_seed(seed)
        return nn.Sequential(
            nn.Conv2d(1, 4, 3, stride=3), nn.BatchNorm2d(4), nn.ReLU(), nn.Dropout(dropout),
            nn.Flatten(), nn.Linear(4 * 81, 10),
        )  # fmt: skip

    return make


@pytest.fixture
def quick():
    """Return a function that makes settings of short trainings."""

    def make(**settings):
        return TrainConfig(
            **{"epochs": 3, "batch_size": 16, "crop": 1, "device": "cpu", **settings}
        )

    return make


@pytest.fixture(scope="session")
def start():
    """Return a function that runs code in a new process with PyTorch already loaded."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["convlab.training", "convlab.data", "torch._dynamo"])

    def starter(code, **environment):
        head = f"import os; os.environ.update({environment!r})\n"
        process = context.Process(target=exec, args=(head + code, {}))
        process.start()
        return process

    return starter
