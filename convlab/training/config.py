"""Settings of a training run, and recipes for the data sets and networks of the book."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from convlab._validate import flag, integer

CHOICES: dict[str, tuple[str, ...]] = {
    "optimizer": ("sgd", "adam", "adamw"),
    "schedule": ("linear", "cosine", "constant"),
    "precision": ("fp32", "bf16", "fp16"),
    "batches": ("device", "loader"),
}


@dataclass(frozen=True)
class TrainConfig:
    """Settings of a training run.

    On one machine, two runs with equal settings, model and data give the same weights.

    Parameters
    ----------
    epochs : int
        Passes over the training images, at least 1. 10: enough for the small networks here.
    batch_size : int
        Images per step, at least 1; the number of processes must divide it. 128: small enough for
        many steps per epoch on small data sets, large enough to keep a processor busy. Images that
        do not fill a batch are left out, different ones in each epoch; with fewer images than
        that, all of them are one batch.
    optimizer : {"sgd", "adam", "adamw"}
        SGD with Nesterov momentum stores one number for each weight, Adam and AdamW two.
    learning_rate : float
        The highest one of the schedule, above 0. 0.1 suits SGD with batch normalization; Adam and
        AdamW usually need a much smaller one, such as 0.003.
    momentum : float
        Of SGD, and the first beta of Adam and AdamW; at least 0 and below 1. 0.9 averages roughly
        the last ten gradients.
    weight_decay : float
        How strongly matrices and kernels are pulled towards 0, at least 0; biases and normalization
        layers are not. SGD and Adam add ``weight_decay * weight`` to the gradient, which Adam then
        divides by its typical size, so that weights with large gradients decay less. AdamW
        subtracts ``learning_rate * weight_decay * weight`` from the weight itself.
    schedule : {"linear", "cosine", "constant"}
        How the learning rate changes after the warm-up: linearly to 0, which suits short runs, by
        half a cosine to 0, or not at all.
    warmup_fraction : float
        Fraction of all steps in which the learning rate rises linearly from nearly 0; at least 0
        and below 1. 0.25: large steps do harm until the batch statistics have settled.
    label_smoothing : float
        Fraction of each label that is spread over all classes; at least 0 and below 1. 0: the
        loss is the plain cross entropy. It must be 0 if `fit` is called with a `loss`.
    max_grad_norm : float, optional
        Gradients with a larger norm are scaled down to this one; above 0. None: no clipping,
        since batch normalization and the warm-up keep gradients small.
    flip : bool
        Flip each image left to right with probability 1/2. False: a mirrored 3 is not a 3.
    crop : int
        Shift each image by up to this many pixels in each direction, and fill with black; below
        the height and the width of the images.
    cutout : int
        Side in pixels of a square that is blanked in each image; 0 for none, and at most the height
        and the width. Its center is in the image, so it may extend beyond the edge.
    validation_fraction : float
        Fraction of the training images held out for choosing settings; at least 0 and below 1;
        without effect if the data set has validation images. 0: all images serve the training once
        the settings are chosen.
    precision : {"fp32", "bf16", "fp16"}
        Number format of the forward pass. bf16 and fp16 are faster on hardware that multiplies
        them directly; with fp16 the loss is scaled, so that small gradients do not vanish, and the
        weights must not be float16. An update with infinite gradients is then skipped: SGD waits
        for the device once per step to learn of them, Adam and AdamW do not. "fp32": the most
        accurate.
    tf32 : bool
        Let the GPU round the factors of products to 10 mantissa bits. True: the noise of the
        batches is larger.
    channels_last : bool
        Store the channels of a pixel side by side in memory, the faster format for most libraries
        and tensor cores. False, since networks that flatten with ``view`` reject it; `recipe`
        turns it on for the small networks of the book, where it was measured to be faster.
    compile : bool
        Let `torch.compile` fuse operations. False: compiling takes seconds or more at the start,
        too long for short runs.
    batches : {"device", "loader"}
        "device" keeps all images on the device, as bytes, and "loader" copies each batch from the
        host with a `DataLoader`, for data sets that do not fit. Both make the same batches.
    loader_workers : int
        Processes of the "loader", at least 0. 0: images in memory need none.
    seed : int
        Determines all random numbers: the initial weights (in `convlab train`), the order of
        the images, their augmentation, dropout. At least 0 and below 2**63.
    device : str
        "auto" chooses a CUDA GPU if there is one, else the CPU.
    deterministic : bool
        Use only algorithms that give the same bits each time, on a CPU too; some are slower. An
        operation without such an algorithm raises a RuntimeError.
    accumulation_steps : int
        Number of equal parts, at least 1, in which each process computes its share of a batch, one
        after the other, to save memory; it must divide the share. Their gradients are summed, so
        the result changes by rounding only, except that batch normalization takes the statistics
        of each part, and that random layers such as dropout may draw other numbers.
    patience : int, optional
        Stop after this many epochs in a row, at least 1, whose validation loss is not below the
        lowest one before; needs validation images. The learning rate still follows the schedule of
        all `epochs`, and the weights stay the last ones. None: never.
    restore_best_weights : bool
        At the end, return to the weights and buffers after the epoch with the lowest finite
        validation loss, the first one of several, or stay at the last ones if there is none; needs
        validation images. False: with a learning rate that falls to 0, the last weights are usually
        the best ones.

    Raises
    ------
    TypeError, ValueError
        If a value has the wrong type, or is out of its range.

    Examples
    --------
    >>> TrainConfig(epochs=3).schedule
    'linear'
    >>> TrainConfig(momentum=1.0)
    Traceback (most recent call last):
    ...
    ValueError: momentum must be at least 0 and below 1, got 1.0
    """

    epochs: int = 10
    batch_size: int = 128
    optimizer: str = "sgd"
    learning_rate: float = 0.1
    momentum: float = 0.9
    weight_decay: float = 5e-4
    schedule: str = "linear"
    warmup_fraction: float = 0.25
    label_smoothing: float = 0.0
    max_grad_norm: float | None = None
    flip: bool = False
    crop: int = 0
    cutout: int = 0
    validation_fraction: float = 0.0
    precision: str = "fp32"
    tf32: bool = True
    channels_last: bool = False
    compile: bool = False
    batches: str = "device"
    loader_workers: int = 0
    seed: int = 0
    device: str = "auto"
    deterministic: bool = False
    accumulation_steps: int = 1
    patience: int | None = None
    restore_best_weights: bool = False

    def __post_init__(self) -> None:
        own = vars(self)  # the dataclass is frozen
        # JSON cannot store NumPy scalars.
        own.update({name: v.item() for name, v in own.items() if isinstance(v, np.generic)})
        for name, minimum in {
            "epochs": 1, "batch_size": 1, "accumulation_steps": 1, "crop": 0, "cutout": 0,
            "loader_workers": 0, "seed": 0, **({} if self.patience is None else {"patience": 1}),
        }.items():  # fmt: skip
            own[name] = integer(own[name], name, minimum)
        if self.seed >= 2**63:
            raise ValueError(f"seed must be below 2**63, got {self.seed}")
        for name in ("momentum", "warmup_fraction", "label_smoothing", "validation_fraction"):
            value = self._finite(name)
            if not 0 <= value < 1:
                raise ValueError(f"{name} must be at least 0 and below 1, got {value}")
        if self._finite("learning_rate") <= 0:
            raise ValueError(f"learning_rate must be above 0, got {self.learning_rate}")
        if self._finite("weight_decay") < 0:
            raise ValueError(f"weight_decay must be at least 0, got {self.weight_decay}")
        if self.max_grad_norm is not None and self._finite("max_grad_norm") <= 0:
            raise ValueError(f"max_grad_norm must be above 0, or None, got {self.max_grad_norm}")
        for name in (
            "flip", "restore_best_weights", "tf32", "channels_last", "compile", "deterministic",
        ):  # fmt: skip
            flag(getattr(self, name), name)
        for name, allowed in CHOICES.items():
            if getattr(self, name) not in allowed:
                raise ValueError(
                    f"{name} must be one of {', '.join(allowed)}, got {getattr(self, name)!r}"
                )
        if not isinstance(self.device, str) or not self.device:
            raise TypeError(f"device must be a name such as 'cpu' or 'cuda', got {self.device!r}")
        if self.loader_workers and self.batches != "loader":
            raise ValueError(
                f"loader_workers={self.loader_workers} needs batches='loader'; "
                f"batches={self.batches!r} has no loader"
            )

    def _finite(self, name: str) -> float:
        """Return a setting as a float; raise TypeError or ValueError unless it is finite."""
        value = getattr(self, name)
        if not isinstance(value, (int, float)) or isinstance(value, bool):
            raise TypeError(f"{name} must be a number, got {type(value).__name__} {value!r}")
        if not math.isfinite(value):
            raise ValueError(f"{name} must be finite, got {value}")
        return float(value)

    def to_dict(self) -> dict[str, Any]:
        """Return the settings as plain values, for JSON.

        Examples
        --------
        >>> TrainConfig(epochs=3).to_dict()["epochs"]
        3
        """
        return asdict(self)


# The settings for SimpleCNN and MnistCNN on digits, MNIST and CIFAR-10, and for LeNet-5 on digits,
# were chosen on held-out training images, never on test images. The others are the usual ones for
# such images and networks, and have not been tuned.
# Digits are shifted and not flipped, since a flipped digit has no meaning. Photographs are flipped;
# in ten epochs a small network needs no further augmentation.
DATA_SETTINGS: dict[str, dict[str, Any]] = {
    "digits": {"batch_size": 64, "crop": 2},
    "mnist": {"batch_size": 64, "crop": 2},
    "fashion-mnist": {"flip": True},
    "cifar10": {"flip": True},
}
# Without normalization layers, training diverges at the usual learning rate in the first steps.
WITHOUT_NORMALIZATION = {"learning_rate": 0.01}
MODEL_SETTINGS: dict[str, dict[str, Any]] = {
    # `benchmarks.training` measures that both are faster with channels_last.
    "mnist-cnn": {"channels_last": True},
    # A small network underfits, so it is trained with large steps and many of them.
    "simple-cnn": {"learning_rate": 0.4, "batch_size": 64, "channels_last": True},
    "lenet5": {"learning_rate": 0.03, "batch_size": 16},
    "alexnet": WITHOUT_NORMALIZATION,
    **{f"vgg{depth}": WITHOUT_NORMALIZATION for depth in (11, 13, 16, 19)},
}
MANY_STEPS = {"batch_size": 16, "label_smoothing": 0.1}
PAIR_SETTINGS: dict[tuple[str, str], dict[str, Any]] = {
    ("simple-cnn", "digits"): MANY_STEPS,
    ("simple-cnn", "mnist"): MANY_STEPS,
    ("mnist-cnn", "mnist"): {"learning_rate": 0.03},
    ("simple-cnn", "cifar10"): {"learning_rate": 1.0, "weight_decay": 1e-4},
}


def recipe(data: str, model: str | None = None, **settings: Any) -> TrainConfig:
    """Return the settings recommended for a data set and a network.

    Parameters
    ----------
    data : str
        Name of the data set, as in `convlab.data.load`.
    model : str, optional
        Name of the network, as in `convlab.models.MODELS`. Unknown names change no default.
    **settings
        Settings of `TrainConfig`, which take precedence and raise its errors.

    Examples
    --------
    >>> recipe("digits").flip, recipe("cifar10").flip, recipe("cifar10", flip=False).flip
    (False, True, False)
    >>> recipe("cifar10").learning_rate, recipe("cifar10", "simple-cnn").learning_rate
    (0.1, 1.0)
    """
    recommended = {
        **DATA_SETTINGS.get(data, {}),
        **MODEL_SETTINGS.get(model or "", {}),
        **PAIR_SETTINGS.get((model or "", data), {}),
    }
    return TrainConfig(**{**recommended, **settings})
