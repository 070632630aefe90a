"""Settings for the data sets of the book."""

from __future__ import annotations

from typing import Any

from convlab.training.config import TrainConfig

# Chosen on a part of the training images held out for it, never on test images.
# Digits lose their meaning in a mirror; photographs do not. A digit may stand two pixels beside
# the middle. Ten epochs are too few for a small network to need more variety than a mirror.
_BY_DATA: dict[str, dict[str, Any]] = {
    "digits": {"batch_size": 64, "crop": 2},
    "mnist": {"batch_size": 64, "crop": 2},
    "fashion-mnist": {"flip": True},
    "cifar10": {"flip": True},
}


def recipe(data: str, **settings: Any) -> TrainConfig:
    """Return the settings that suit a data set.

    Parameters
    ----------
    data : str
        Name of the data set; for an unknown one, the settings are those of `TrainConfig`.
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
    """
    return TrainConfig(**{**_BY_DATA.get(data, {}), **settings})
