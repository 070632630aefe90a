"""Training with Lightning's `Trainer`.

Without logger, checkpoints, progress bar and summary, which cost time and are not the point.
"""

from __future__ import annotations

import logging
import warnings
from typing import Any

import lightning
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader, TensorDataset

from benchmarks.loops.plain import Pictures, optimizer_and_schedule
from benchmarks.loops.task import Ended, Task


class Classifier(lightning.LightningModule):
    """A network with its loss, optimizer and logged values."""

    def __init__(self, model: nn.Module, total_steps: int, flip: bool) -> None:
        super().__init__()
        self.model, self.total_steps, self.flip = model, total_steps, flip

    def training_step(self, batch: tuple[Tensor, Tensor], _: int) -> Tensor:
        """Compute the loss of one batch."""
        images, labels = batch
        if self.flip:
            mirrored = torch.rand(len(images), 1, 1, 1, device=images.device) < 0.5
            images = torch.where(mirrored, images.flip(3), images)
        outputs = self.model(images)
        loss = functional.cross_entropy(outputs, labels)
        accuracy = (outputs.argmax(dim=1) == labels).float().mean()
        self.log("loss", loss, on_step=False, on_epoch=True)
        self.log("accuracy", accuracy, on_step=False, on_epoch=True)
        return loss

    def configure_optimizers(self) -> Any:
        """Return the optimizer of the plain loop, and its schedule, which advances at each step."""
        optimizer, schedule = optimizer_and_schedule(self.model, self.total_steps)
        return [optimizer], [{"scheduler": schedule, "interval": "step"}]


class _Ends(lightning.Callback):
    def __init__(self, ended: Ended) -> None:
        self.ended = ended

    def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:
        self.ended(float(trainer.callback_metrics["loss"]))


def train(task: Task, epochs: int, ended: Ended, *, tensors: bool = False) -> None:
    """Train for some epochs.

    With `tensors`, the images are normalized once, kept in memory, and flipped a batch at a time;
    otherwise they are processed one by one as in the plain loop.
    """
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    pictures = TensorDataset(*_normalized(task)) if tensors else Pictures(task)
    loader: DataLoader[Any] = DataLoader(pictures, batch_size=task.batch, shuffle=True)
    module = Classifier(task.model(), epochs * len(loader), task.flip and tensors)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # advice about more workers, and about no logger
        trainer = lightning.Trainer(
            max_epochs=epochs, accelerator="gpu" if task.device == "cuda" else "cpu", devices=1,
            logger=False, enable_checkpointing=False, enable_progress_bar=False,
            enable_model_summary=False, callbacks=[_Ends(ended)],
        )  # fmt: skip
        trainer.fit(module, loader)


def _normalized(task: Task) -> tuple[Tensor, Tensor]:
    mean, std = (torch.tensor(v).reshape(1, -1, 1, 1) for v in (task.data.mean, task.data.std))
    pixels = torch.from_numpy(task.data.train_images)
    return (pixels / 255 - mean) / std, torch.from_numpy(task.data.train_labels)
