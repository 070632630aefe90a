"""Fast training of image classifiers on CPUs and GPUs, with exact resuming.

`fit` trains a network to classify images, `evaluate` measures how good it is, and `TrainConfig`
gives the reason for each setting. Every random number of a run is a function of the seed and
of the step, so a run can be killed at any moment and continued to the same final weights.

Read ``loop.py`` first: `fit` calls everything else.

Examples
--------
>>> from convlab.data import load
>>> from convlab.models import LeNet5
>>> result = fit(LeNet5(), load("digits"), recipe("digits", "lenet5", epochs=1))
>>> result.test.accuracy > 0.5
True
"""

from convlab._require import require

require("torch", needed_by="convlab.training")

from convlab.training.config import TrainConfig, recipe
from convlab.training.errors import (
    CheckpointError,
    DeviceError,
    FolderInUse,
    Interrupted,
    NonFiniteLoss,
    WorkerLost,
)
from convlab.training.evaluation import Evaluation, confusion_matrix, evaluate, predict
from convlab.training.history import Epoch, FitResult, History
from convlab.training.loop import fit
from convlab.training.randomness import seed_everything
from convlab.training.rate_range import learning_rate_range

__all__ = [
    "CheckpointError",
    "DeviceError",
    "Epoch",
    "Evaluation",
    "FitResult",
    "FolderInUse",
    "History",
    "Interrupted",
    "NonFiniteLoss",
    "TrainConfig",
    "WorkerLost",
    "confusion_matrix",
    "evaluate",
    "fit",
    "learning_rate_range",
    "predict",
    "recipe",
    "seed_everything",
]
