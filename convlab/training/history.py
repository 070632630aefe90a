"""What happened in each epoch: kept, written while the training runs, drawn."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convlab.training.checkpoint import write_whole

if TYPE_CHECKING:
    from convlab.plots import Drawing


@dataclass(frozen=True)
class Epoch:
    """One pass over the training images.

    Parameters
    ----------
    epoch : int
        Counted from 1.
    steps : int
        Steps done since the start of the training.
    learning_rate : float
        Of the last step.
    train_loss, train_accuracy : float
        Over the images as the network saw them: augmented, in train mode, while it changed. They
        show that something is learned, and are no measure of how good the network is. The loss is
        the one that is made small: with label smoothing it cannot come near 0.
    validation_loss, validation_accuracy : float, optional
        In eval mode, after the epoch; None without validation images.
    seconds : float
        For the training alone.
    images_per_second : float
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
    """All epochs so far.

    Parameters
    ----------
    folder : Path, optional
        Each epoch is appended there to ``history.csv`` and, one JSON object a line, to
        ``history.jsonl`` as soon as it ends.
    epochs : sequence of mapping
        Epochs that came before, as `to_list` returns them.

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
            # A process may have died between a line here and its checkpoint, or within a line.
            # What counts is the checkpoint, so the files are made anew from it.
            rows = "".join(_csv_line(asdict(epoch).values()) for epoch in self._epochs)
            head = _csv_line(field.name for field in fields(Epoch))
            _write(folder / "history.csv", head + rows)
            _write(folder / "history.jsonl", "".join(map(_json_line, self._epochs)))

    def append(self, epoch: Epoch) -> None:
        """Add an epoch, also to the files."""
        self._epochs.append(epoch)
        if self._folder is not None:
            for name, line in (
                ("history.csv", _csv_line(asdict(epoch).values())),
                ("history.jsonl", _json_line(epoch)),
            ):
                with open(self._folder / name, "a", encoding="utf-8", newline="") as file:
                    file.write(line)

    def to_list(self) -> list[dict[str, Any]]:
        """Return plain values, for a checkpoint or for JSON."""
        return [asdict(epoch) for epoch in self._epochs]

    def column(self, name: str) -> list[Any]:
        """Return one number of each epoch.

        Raises
        ------
        ValueError
            If an epoch has no such number.
        """
        names = [field.name for field in fields(Epoch)]
        if name not in names:
            raise ValueError(f"an epoch has no {name!r}, but {', '.join(names)}")
        return [getattr(epoch, name) for epoch in self._epochs]

    def plot(self) -> Drawing:
        """Draw loss and accuracy over the epochs (`convlab.plots.training_curves`).

        Raises
        ------
        ValueError
            If there is no epoch yet.
        """
        from convlab.plots import training_curves  # noqa: PLC0415  (training needs no matplotlib)

        if not self._epochs:
            raise ValueError("nothing to draw: no epoch has ended yet")
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

    def __iter__(self) -> Iterator[Epoch]:
        return iter(self._epochs)


def _csv_line(values: Any) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(values)
    return line.getvalue()


def _json_line(epoch: Epoch) -> str:
    return json.dumps(asdict(epoch)) + "\n"


def _write(path: Path, text: str) -> None:
    write_whole(path, lambda file: file.write(text.encode()))
