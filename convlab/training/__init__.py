"""Training: loops that are fast, exact to resume, and run on one CPU, one GPU or many.

`fit` trains, `evaluate` tells how good the result is, `TrainConfig` says why each setting is as it
is. Every random number of a training is a function of the seed and of where the training stands,
so a training can be killed at any moment and continued to the same final weights.

Read ``loop.py`` first; it is the whole story. Each other file is one idea of it.

Examples
--------
>>> from convlab.data import load
>>> from convlab.models import MnistCNN
>>> result = fit(MnistCNN(), load("digits"), TrainConfig(epochs=1, crop=2, seed=1))
>>> result.test.accuracy > 0.5
True
"""

from convlab._require import require

require("torch", needed_by="convlab.training")

from convlab.training.batches import DeviceBatches, LoaderBatches, Normalization, batch_order
from convlab.training.checkpoint import CheckpointError
from convlab.training.config import TrainConfig
from convlab.training.confusion import confusion_matrix
from convlab.training.distributed import DeviceError, WorkerLost, World
from convlab.training.evaluation import Evaluation, evaluate, predict
from convlab.training.failures import NonFiniteLoss
from convlab.training.history import Epoch, History
from convlab.training.loop import fit
from convlab.training.optim import make_optimizer, parameter_groups
from convlab.training.randomness import seed_everything
from convlab.training.rate_range import learning_rate_range
from convlab.training.recipes import recipe
from convlab.training.result import FitResult
from convlab.training.schedule import learning_rate
from convlab.training.stopping import Interrupted
from convlab.training.store import FolderInUse

__all__ = [
    "CheckpointError",
    "DeviceBatches",
    "DeviceError",
    "Epoch",
    "Evaluation",
    "FitResult",
    "FolderInUse",
    "History",
    "Interrupted",
    "LoaderBatches",
    "NonFiniteLoss",
    "Normalization",
    "TrainConfig",
    "WorkerLost",
    "World",
    "batch_order",
    "confusion_matrix",
    "evaluate",
    "fit",
    "learning_rate",
    "learning_rate_range",
    "make_optimizer",
    "parameter_groups",
    "predict",
    "recipe",
    "seed_everything",
]
