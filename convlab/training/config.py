"""Every setting of a training run, each with the reason for its default."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np

CHOICES: dict[str, tuple[str, ...]] = {
    "optimizer": ("sgd", "adamw"),
    "schedule": ("one-cycle", "cosine", "constant"),
    "precision": ("fp32", "bf16", "fp16"),
    "batches": ("device", "loader"),
}


@dataclass(frozen=True)
class TrainConfig:
    """What to train, for how long, and how exactly. Nothing here says where files go.

    Two runs with equal settings, model and data make the same weights on the same machine.

    Parameters
    ----------
    epochs : int
        Passes over the training images, at least 1. 10: enough for the small networks here.
    batch_size : int
        Images per step, over all processes together. 128: small enough for many steps per
        epoch on small sets, large enough to keep a processor busy. The rest of an epoch that
        fills no batch is left out; every epoch has another order, so it is another rest.
    optimizer : {"sgd", "adamw"}
        SGD with Nesterov momentum stores one number per weight beside it, AdamW two.
    learning_rate : float
        The highest one of the schedule, above 0. 0.1 belongs to SGD with batch normalization;
        AdamW usually wants a much smaller one, such as 0.003.
    momentum : float
        Of SGD, and the first beta of AdamW; at least 0 and below 1. 0.9 averages the last ten
        gradients or so.
    weight_decay : float
        How strongly weights are pulled to 0, at least 0. Only matrices and kernels are: norms
        and biases have no scale that could grow.
    schedule : {"one-cycle", "cosine", "constant"}
        One cycle: up in a line, then down in a line to 0, which ends a short training well.
        Cosine: up in a line, then down along half a cosine.
    warmup : float
        Share of all steps in which the learning rate rises from nearly 0; from 0 up to 1, not
        1 itself. 0.25: until batch statistics mean something, large steps do harm.
    label_smoothing : float
        Share of each label that is spread over all classes; from 0 up to 1, not 1 itself. 0, so
        that the loss is the plain cross entropy.
    clip_norm : float, optional
        Longer gradients are shortened to this norm. None: batch normalization and the warm-up
        keep them short.
    flip : bool
        Mirror each image left to right with chance 1/2. False: a mirrored 3 is no 3.
    crop : int
        Shift each image by up to so many pixels in each direction; what enters is black.
    cutout : int
        Side in pixels of a square that is blanked in each image, 0 for none.
    validation : float
        Share of the training images held out to choose settings by; from 0 up to 1, not 1
        itself. 0: with settings that were chosen before, all images serve the training. The
        test images are looked at once, after the last step.
    precision : {"fp32", "bf16", "fp16"}
        Numbers in the forward pass. bf16 and fp16 are faster where the processor multiplies such
        numbers itself; fp16 scales the loss, so that small gradients do not vanish. fp32: it
        needs neither, and no other kind is as exact.
    tf32 : bool
        Let the GPU round the factors of products to 10 bits after the point. True: the noise
        of the batches is larger; False for comparisons digit by digit.
    channels_last : bool
        Keep the channels of a pixel side by side in memory, which the libraries and tensor cores
        want. False, since networks that flatten with ``view`` refuse that order; `recipe` turns
        it on for the small networks of the book, where it was measured to be faster.
    compile : bool
        Let `torch.compile` fuse the network. False: compiling takes seconds or more at the start,
        which short trainings do not earn back.
    batches : {"device", "loader"}
        "device" keeps all images on the device, as bytes, and cuts each batch out there.
        "loader" brings each batch from the host with a `DataLoader`, for sets that do not
        fit. Both make the same batches.
    loader_workers : int
        Processes that the loader starts, at least 0. 0: bytes in memory need no help.
    seed : int
        From it come all random numbers: the first weights (in `convlab train`), the order of
        the images, their augmentation, dropout. At least 0 and below 2**63.
    device : str
        "auto" takes a CUDA GPU if there is one, else the CPU.
    deterministic : bool
        Use only algorithms that give the same bits each time, on a GPU too, where they are
        slower. On a CPU nothing changes.

    Raises
    ------
    TypeError
        If a value has the wrong type.
    ValueError
        If it lies outside what is said above.

    Examples
    --------
    >>> TrainConfig(epochs=3).schedule
    'one-cycle'
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
    schedule: str = "one-cycle"
    warmup: float = 0.25
    label_smoothing: float = 0.0
    clip_norm: float | None = None
    flip: bool = False
    crop: int = 0
    cutout: int = 0
    validation: float = 0.0
    precision: str = "fp32"
    tf32: bool = True
    channels_last: bool = False
    compile: bool = False
    batches: str = "device"
    loader_workers: int = 0
    seed: int = 0
    device: str = "auto"
    deterministic: bool = False

    def __post_init__(self) -> None:
        self._without_numpy()
        for name, minimum in (("epochs", 1), ("batch_size", 1), ("crop", 0), ("cutout", 0),
                              ("loader_workers", 0), ("seed", 0)):  # fmt: skip
            _check_whole(name, getattr(self, name), minimum)
        if self.seed >= 2**63:
            raise ValueError(f"seed must be below 2**63, got {self.seed}")
        for name in ("momentum", "warmup", "label_smoothing", "validation"):
            value = _finite(name, getattr(self, name))
            if not 0 <= value < 1:
                raise ValueError(f"{name} must be at least 0 and below 1, got {value}")
        if _finite("learning_rate", self.learning_rate) <= 0:
            raise ValueError(f"learning_rate must be above 0, got {self.learning_rate}")
        if _finite("weight_decay", self.weight_decay) < 0:
            raise ValueError(f"weight_decay must be at least 0, got {self.weight_decay}")
        if self.clip_norm is not None and _finite("clip_norm", self.clip_norm) <= 0:
            raise ValueError(f"clip_norm must be above 0, or None, got {self.clip_norm}")
        for name in ("flip", "tf32", "channels_last", "compile", "deterministic"):
            if not isinstance(getattr(self, name), bool):
                raise TypeError(f"{name} must be True or False, got {getattr(self, name)!r}")
        for name, allowed in CHOICES.items():
            _check_choice(name, getattr(self, name), allowed)
        if not isinstance(self.device, str) or not self.device:
            raise TypeError(f"device must be a name such as 'cpu' or 'cuda', got {self.device!r}")
        if self.loader_workers and self.batches != "loader":
            raise ValueError(
                f"loader_workers is {self.loader_workers}, but batches='device' has no loader: "
                f"set batches='loader'"
            )

    def _without_numpy(self) -> None:
        """Turn NumPy's numbers into Python's, which can be written as JSON."""
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, np.generic):  # how a frozen dataclass writes its own fields
                object.__setattr__(self, field.name, value.item())

    def to_dict(self) -> dict[str, Any]:
        """Return the settings as plain values, for JSON.

        Examples
        --------
        >>> TrainConfig(epochs=3).to_dict()["epochs"]
        3
        """
        return asdict(self)

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """Return the names of all settings.

        Examples
        --------
        >>> TrainConfig.names()[:3]
        ('epochs', 'batch_size', 'optimizer')
        """
        return tuple(field.name for field in fields(cls))


def _check_whole(name: str, value: object, minimum: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{name} must be a whole number, got {value!r}")
    if value < minimum:
        raise ValueError(f"{name} must be at least {minimum}, got {value}")


def _finite(name: str, value: object) -> float:
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        raise TypeError(f"{name} must be a number, got {value!r}")
    if not math.isfinite(value):
        raise ValueError(f"{name} must be finite, got {value}")
    return float(value)


def _check_choice(name: str, value: object, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise ValueError(f"{name} must be one of {', '.join(allowed)}, got {value!r}")
