"""Settings for the data sets and networks of the book."""

from __future__ import annotations

from typing import Any

from convlab.training.config import TrainConfig

# What concerns SimpleCNN and MnistCNN on digits, MNIST and CIFAR-10, and LeNet-5 on digits, was
# chosen on a part of the training images held out for it, never on test images. The rest is
# what is usual for such images and networks; nobody has tuned it.
# Digits lose their meaning in a mirror; photographs do not. A digit may stand two pixels beside
# the middle. Ten epochs are too few for a small network to need more variety than a mirror.
_BY_DATA: dict[str, dict[str, Any]] = {
    "digits": {"batch_size": 64, "crop": 2},
    "mnist": {"batch_size": 64, "crop": 2},
    "fashion-mnist": {"flip": True},
    "cifar10": {"flip": True},
}
# Without normalization the usual learning rate breaks a network in the first steps.
_GENTLE = {"learning_rate": 0.01}
_BY_MODEL: dict[str, dict[str, Any]] = {
    # Both are computed faster with the channels side by side: `benchmarks.training` measures it.
    "mnist-cnn": {"channels_last": True},
    # A small network underfits: large steps, and many of them.
    "simple-cnn": {"learning_rate": 0.4, "batch_size": 64, "channels_last": True},
    "lenet5": {"learning_rate": 0.03, "batch_size": 16},
    "alexnet": _GENTLE,
    **{f"vgg{depth}": _GENTLE for depth in (11, 13, 16, 19)},
}
_MANY_STEPS = {"batch_size": 16, "label_smoothing": 0.1}
_BY_BOTH: dict[tuple[str, str], dict[str, Any]] = {
    ("simple-cnn", "digits"): _MANY_STEPS,
    ("simple-cnn", "mnist"): _MANY_STEPS,
    ("mnist-cnn", "mnist"): {"learning_rate": 0.03},
    ("simple-cnn", "cifar10"): {"learning_rate": 1.0, "weight_decay": 1e-4},
}


def recipe(data: str, model: str | None = None, **settings: Any) -> TrainConfig:
    """Return the settings that suit a data set and a network.

    Parameters
    ----------
    data : str
        Name of the data set; for an unknown one, the settings are those of `TrainConfig`.
    model : str, optional
        Name of the network, as in `convlab.models.MODELS`; unknown ones change nothing.
    **settings
        What shall be different, by the names of `TrainConfig`.

    Raises
    ------
    TypeError, ValueError
        As `TrainConfig` does.

    Examples
    --------
    >>> recipe("digits").flip, recipe("cifar10").flip, recipe("cifar10", flip=False).flip
    (False, True, False)
    >>> recipe("cifar10").learning_rate, recipe("cifar10", "simple-cnn").learning_rate
    (0.1, 1.0)
    """
    known = {
        **_BY_DATA.get(data, {}),
        **_BY_MODEL.get(model or "", {}),
        **_BY_BOTH.get((model or "", data), {}),
    }
    return TrainConfig(**{**known, **settings})
