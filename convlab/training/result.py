"""What a training leaves behind."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from convlab.training.checkpoint import write_whole
from convlab.training.config import TrainConfig
from convlab.training.evaluation import Evaluation
from convlab.training.history import History


@dataclass(frozen=True)
class FitResult:
    """What came of a training.

    Parameters
    ----------
    model : nn.Module
        The one that was given, trained.
    history : History
        One entry per epoch.
    validation, test : Evaluation, optional
        Of the final weights; None where there are no such images.
    mean, std : tuple of float
        Of the training images, per channel: `evaluate` and `predict` need them for bytes.
    """

    model: nn.Module
    history: History
    validation: Evaluation | None
    test: Evaluation | None
    mean: tuple[float, ...]
    std: tuple[float, ...]

    def write(self, folder: Path, config: TrainConfig) -> None:
        """Write ``model.pt``, the weights, and ``result.json``, how good they are.

        Parameters
        ----------
        folder : Path
            Must exist.
        config : TrainConfig
            Stands in ``result.json`` too.
        """
        weights = {name: value.cpu() for name, value in self.model.state_dict().items()}
        write_whole(folder / "model.pt", lambda file: torch.save(weights, file))
        summary: dict[str, Any] = {"config": config.to_dict(), "mean": self.mean, "std": self.std}
        for name in ("validation", "test"):
            value = getattr(self, name)
            summary[name] = asdict(value) if value is not None else None
        text = json.dumps(summary, indent=2) + "\n"
        write_whole(folder / "result.json", lambda file: file.write(text.encode()))
