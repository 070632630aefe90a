"""Minimal fast training loop, without data set, logging or configuration.

Scripts that compete for seconds look like this. All images lie on the device, as the numbers that
the network takes; it is what the others could reach.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from benchmarks.loops.task import LEARNING_RATE, MOMENTUM, WARMUP, WEIGHT_DECAY, Ended, Task

_TYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


def train(
    task: Task, epochs: int, ended: Ended, *, channels_last: bool = False,
    precision: str = "fp32", compile: bool = False,
) -> None:  # fmt: skip
    """Train for some epochs; half precision excludes the weights of normalization layers."""
    device, dtype = torch.device(task.device), _TYPES[precision]
    layout = torch.channels_last if channels_last else torch.contiguous_format
    shape = (1, -1, 1, 1)
    mean, std = (
        torch.tensor(v, device=device).reshape(shape) for v in (task.data.mean, task.data.std)
    )
    pixels = torch.from_numpy(task.data.train_images).to(device)
    images = ((pixels / 255 - mean) / std).to(dtype).contiguous(memory_format=layout)
    labels = torch.from_numpy(task.data.train_labels).to(device)

    model = task.model().to(device, dtype)
    model = model.to(memory_format=layout)
    for layer in model.modules():
        if isinstance(layer, (nn.BatchNorm1d, nn.BatchNorm2d)):
            layer.float()
    called = model.train()
    if compile:
        torch.compiler.reset()
        called = torch.compile(model)  # type: ignore[assignment]
    optimizer = torch.optim.SGD(
        model.parameters(), lr=LEARNING_RATE, momentum=MOMENTUM, nesterov=True,
        weight_decay=WEIGHT_DECAY, foreach=device.type == "cuda",  # as `convlab.training`
    )  # fmt: skip
    total, step = epochs * task.steps, 0
    with torch.backends.cudnn.flags(enabled=True, benchmark=True, allow_tf32=True):
        for _ in range(epochs):
            order = torch.randperm(task.count, device=device)
            for taken in order.reshape(task.steps, task.batch):
                batch = images[taken]
                if task.flip:
                    mirrored = torch.rand(task.batch, 1, 1, 1, device=device) < 0.5
                    batch = torch.where(mirrored, batch.flip(3), batch)
                batch = batch.contiguous(memory_format=layout)
                loss = functional.cross_entropy(called(batch).float(), labels[taken])
                optimizer.zero_grad(set_to_none=True)
                loss.backward()  # type: ignore[no-untyped-call]
                step += 1
                done = step / total
                rate = LEARNING_RATE * min(done / WARMUP, (1 - done) / (1 - WARMUP))
                for group in optimizer.param_groups:
                    group["lr"] = rate
                optimizer.step()
            ended(loss.item())
