"""Training loop of most courses: PIL images, transforms, a DataLoader, `.item()` in each step."""

from __future__ import annotations

from typing import Any

import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms  # type: ignore[import-untyped]

from benchmarks.loops.task import LEARNING_RATE, MOMENTUM, WARMUP, WEIGHT_DECAY, Ended, Task


class Pictures(Dataset[tuple[Tensor, int]]):
    """Data set that converts bytes to a PIL image, then to a tensor, as torchvision does."""

    def __init__(self, task: Task) -> None:
        planes = task.data.train_images.transpose(0, 2, 3, 1)  # as pictures are stored
        self.pixels: NDArray[Any] = planes[..., 0] if planes.shape[-1] == 1 else planes
        self.labels = task.data.train_labels
        mirror = [transforms.RandomHorizontalFlip()] if task.flip else []
        self.transform = transforms.Compose(
            [*mirror, transforms.ToTensor(), transforms.Normalize(task.data.mean, task.data.std)]
        )

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        return self.transform(Image.fromarray(self.pixels[index])), int(self.labels[index])


def optimizer_and_schedule(
    model: nn.Module, total_steps: int
) -> tuple[torch.optim.Optimizer, torch.optim.lr_scheduler.LRScheduler]:
    """Return PyTorch's optimizer and schedule, for the plain loop and Lightning."""
    optimizer = torch.optim.SGD(
        model.parameters(), lr=LEARNING_RATE, momentum=MOMENTUM, nesterov=True,
        weight_decay=WEIGHT_DECAY,
    )  # fmt: skip
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr=LEARNING_RATE, total_steps=total_steps, pct_start=WARMUP,
        anneal_strategy="linear", cycle_momentum=False,
    )  # fmt: skip
    return optimizer, schedule


def train(task: Task, epochs: int, ended: Ended, *, workers: int = 0) -> None:
    """Train for some epochs."""
    device = torch.device(task.device)
    loader = DataLoader(Pictures(task), batch_size=task.batch, shuffle=True, num_workers=workers)
    model = task.model().to(device)
    criterion = nn.CrossEntropyLoss()
    optimizer, schedule = optimizer_and_schedule(model, epochs * len(loader))
    for _ in range(epochs):
        model.train()
        loss_sum, correct, count = 0.0, 0, 0
        for host_images, host_labels in loader:
            images, labels = host_images.to(device), host_labels.to(device)
            optimizer.zero_grad()
            outputs = model(images)
            loss = criterion(outputs, labels)
            loss.backward()
            optimizer.step()
            schedule.step()
            loss_sum += loss.item() * len(labels)
            correct += (outputs.argmax(dim=1) == labels).sum().item()
            count += len(labels)
        ended(loss_sum / count)
