"""History, result and progress bar of a training run."""

from __future__ import annotations

import csv
import io
import json
import math
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import torch
from torch import nn

from convlab._files import atomic_write
from convlab.training.config import TrainConfig
from convlab.training.evaluation import Evaluation

if TYPE_CHECKING:
    from convlab.plots import Drawing

Item = TypeVar("Item")


@dataclass(frozen=True)
class Epoch:
    """Results of one pass over the training images.

    Parameters
    ----------
    epoch : int
        Counted from 1.
    steps : int
        Steps since the start of the training run.
    learning_rate : float
        The learning rate of the last step.
    train_loss, train_accuracy : float
        Means over the images as the network was trained on them: augmented, in train mode, while
        its weights changed. The loss is the one that is minimized, with label smoothing.
    validation_loss, validation_accuracy : float, optional
        In eval mode, after the epoch, without label smoothing; None without validation images.
    seconds, images_per_second : float
        Of the training alone.
    """

    epoch: int
    steps: int
    learning_rate: float
    train_loss: float
    train_accuracy: float
    validation_loss: float | None
    validation_accuracy: float | None
    seconds: float
    images_per_second: float

    def __str__(self) -> str:
        text = (
            f"epoch {self.epoch}: training loss {self.train_loss:.4f}, "
            f"accuracy {100 * self.train_accuracy:.2f} %"
        )
        if self.validation_loss is not None and self.validation_accuracy is not None:
            text += (
                f"; validation loss {self.validation_loss:.4f}, "
                f"accuracy {100 * self.validation_accuracy:.2f} %"
            )
        return f"{text}; {self.seconds:.1f} s, {self.images_per_second:,.0f} images/s"


class History(Sequence[Epoch]):
    """Sequence of the completed epochs, also written to files.

    It starts with `epochs`, as `to_list` returns them. Each epoch is appended to ``history.csv``
    and, one JSON object per line, ``history.jsonl`` in `folder`, if there is one.

    Examples
    --------
    >>> history = History()
    >>> history.append(Epoch(1, 8, 0.1, 2.0, 0.5, None, None, 1.0, 1024.0))
    >>> print(history[-1])
    epoch 1: training loss 2.0000, accuracy 50.00 %; 1.0 s, 1,024 images/s
    >>> history.column("train_loss")
    [2.0]
    """

    def __init__(
        self, folder: Path | None = None, epochs: Sequence[Mapping[str, Any]] = ()
    ) -> None:
        self._epochs = [Epoch(**epoch) for epoch in epochs]
        self._folder = folder
        if folder is not None:
            # Both files are rewritten from the checkpoint: a killed process may have left a
            # partial line, or an epoch without a checkpoint.
            header = _csv_line(field.name for field in fields(Epoch))
            rows = "".join(_csv_line(asdict(epoch).values()) for epoch in self._epochs)
            _write_text(folder / "history.csv", header + rows)
            _write_text(folder / "history.jsonl", "".join(map(_json_line, self._epochs)))

    def append(self, epoch: Epoch) -> None:
        """Add an epoch, also to the files; raise OSError if one cannot be written."""
        self._epochs.append(epoch)
        if self._folder is not None:
            for name, line in (
                ("history.csv", _csv_line(asdict(epoch).values())),
                ("history.jsonl", _json_line(epoch)),
            ):
                path = self._folder / name
                try:
                    with path.open("a", encoding="utf-8", newline="") as file:
                        file.write(line)
                except OSError as error:
                    raise OSError(
                        f"{path} could not be written: {error.strerror or error}"
                    ) from error

    def to_list(self) -> list[dict[str, Any]]:
        """Return the epochs as plain values, for a checkpoint or for JSON."""
        return [asdict(epoch) for epoch in self._epochs]

    def column(self, name: str) -> list[Any]:
        """Return one field of all epochs; raise ValueError if `Epoch` has no such field."""
        names = [field.name for field in fields(Epoch)]
        if name not in names:
            raise ValueError(f"name must be one of {', '.join(names)}, got {name!r}")
        return [getattr(epoch, name) for epoch in self._epochs]

    def best(self) -> Epoch | None:
        """Return the first epoch with the lowest finite validation loss, or None without any."""
        losses = [
            (epoch.validation_loss, epoch.epoch)
            for epoch in self._epochs
            if epoch.validation_loss is not None and math.isfinite(epoch.validation_loss)
        ]
        return self._epochs[min(losses)[1] - 1] if losses else None

    def plot(self) -> Drawing:
        """Draw loss and accuracy over the epochs (`convlab.plots.training_curves`).

        Raises ValueError if no epoch has ended.
        """
        from convlab.plots import training_curves  # noqa: PLC0415  (training needs no matplotlib)

        if not self._epochs:
            raise ValueError("there is nothing to draw: no epoch has ended yet")
        loss = {"training": self.column("train_loss")}
        accuracy = {"training": self.column("train_accuracy")}
        if self._epochs[0].validation_loss is not None:
            loss["validation"] = self.column("validation_loss")
            accuracy["validation"] = self.column("validation_accuracy")
        return training_curves(loss, accuracy)

    def __len__(self) -> int:
        return len(self._epochs)

    def __getitem__(self, index: Any) -> Any:
        return self._epochs[index]


@dataclass(frozen=True)
class FitResult:
    """Result of a training run.

    Parameters
    ----------
    model : nn.Module
        The argument of `fit`, trained, without `torch.compile` or `DataParallel` around it.
    history : History
        The completed epochs.
    validation, test : Evaluation, optional
        Of the weights of the model; None where there are no such images.
    mean, std : tuple of float
        Of the data set, per channel: `evaluate` and `predict` need them for bytes.
    epoch : int
        The epoch after which the model had these weights: the last one, or, with
        ``restore_best_weights``, the best one.
    image_shape : tuple of three ints
        Channels, height and width of the images.
    class_names : tuple of str
        One name for each class.
    """

    model: nn.Module
    history: History
    validation: Evaluation | None
    test: Evaluation | None
    mean: tuple[float, ...]
    std: tuple[float, ...]
    epoch: int
    image_shape: tuple[int, int, int]
    class_names: tuple[str, ...]

    def write(self, folder: Path, config: TrainConfig) -> None:
        """Write ``model.pt`` (the weights) and ``result.json`` to an existing folder.

        The second holds the settings and the attributes other than `model` and `history`. To use
        both with a `model` of the same class::

            result = json.loads(Path(folder, "result.json").read_text())
            model.load_state_dict(torch.load(Path(folder, "model.pt")))
            image = convlab.data.read_image("cat.png", result["image_shape"])
            logits = predict(model, image[None], mean=result["mean"], std=result["std"])
        """
        weights = {
            name: value.cpu() if isinstance(value, torch.Tensor) else value  # an extra state
            for name, value in self.model.state_dict().items()
        }
        atomic_write(folder / "model.pt", lambda file: torch.save(weights, file))
        contents = {
            "config": config.to_dict(),
            "mean": self.mean,
            "std": self.std,
            "epoch": self.epoch,
            "image_shape": self.image_shape,
            "class_names": [str(name) for name in self.class_names],
            "validation": self.validation and asdict(self.validation),
            "test": self.test and asdict(self.test),
        }
        _write_text(folder / "result.json", _to_json(contents, indent=2) + "\n")


def progress_bar(
    items: Iterable[Item], total: int, initial: int, description: str, show: bool | None
) -> Iterator[Item]:
    """Yield items, and show a progress bar if tqdm is installed.

    `initial` of the `total` items were processed earlier. If `show` is None, the bar is shown only
    if standard error is a terminal.

    Examples
    --------
    >>> list(progress_bar("ab", total=3, initial=1, description="epoch 1", show=False))
    ['a', 'b']
    """
    if show is None:
        show = sys.stderr.isatty()
    if show:
        try:
            tqdm = import_module("tqdm").tqdm
        except ImportError:
            show = False
    if not show:
        yield from items
        return
    yield from tqdm(items, total=total, initial=initial, desc=description, unit="step", leave=False)


def _csv_line(values: Iterable[Any]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(values)
    return line.getvalue()


def _json_line(epoch: Epoch) -> str:
    return _to_json(asdict(epoch)) + "\n"


def _to_json(value: Any, indent: int | None = None) -> str:
    """Return JSON, which has no NaN and no infinity: they become null."""

    def finite(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: finite(item) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [finite(item) for item in value]
        return None if isinstance(value, float) and not math.isfinite(value) else value

    return json.dumps(finite(value), indent=indent, allow_nan=False)


def _write_text(path: Path, text: str) -> None:
    atomic_write(path, lambda file: file.write(text.encode()))
