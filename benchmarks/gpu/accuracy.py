"""Trainings of SimpleCNN and a ResNet on CIFAR-10 to a stated test accuracy, over several seeds.

The number of epochs follows from the time limit and from the speed of a short training before. The
target does not: a run that has too little time does not reach it, and says so.
"""

from __future__ import annotations

import dataclasses
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from torch import nn

from benchmarks.gpu.parts import Answers, reason
from benchmarks.gpu.request import Request
from benchmarks.gpu.store import AccuracyRow, Skipped
from convlab.data import Dataset, load, match_input
from convlab.models import BasicBlock, ResNet, SimpleCNN
from convlab.results.store import rounded
from convlab.training import TrainConfig, fit, recipe, seed_everything

CALIBRATION = 40  # steps per epoch of the short training
SPARE = 0.85  # share of the time that the epochs may take; set-up comes on top


def cifar_resnet(blocks: int = 2) -> nn.Module:
    """Return a ResNet for images of 32 x 32 with four stages: ResNet-18 with two blocks in each.

    Its first convolution is 3 x 3 with stride 1, and there is no max pooling, as in section 4.2 of
    He, Zhang, Ren and Sun (2016); blocks and widths are those for ImageNet.
    """
    model = ResNet(BasicBlock, (blocks,) * 4, num_classes=10)
    model.conv1 = nn.Conv2d(3, 64, 3, padding=1, bias=False)
    model.maxpool = nn.Identity()  # type: ignore[assignment]
    nn.init.kaiming_normal_(model.conv1.weight, mode="fan_out", nonlinearity="relu")
    return model


@dataclass(frozen=True)
class Goal:
    """A network, its settings, and the test accuracy that it is to reach.

    `share` is the part of the remaining time that its trainings may take, all seeds together.
    """

    name: str
    build: Callable[[], nn.Module]
    recipe: str | None  # name of the network in `convlab.training.recipe`
    settings: Mapping[str, Any]
    target: float
    epochs: tuple[int, int]  # at least and at most
    share: float


# The settings of the ResNet are the usual ones for batches of 512. They have not been tuned.
RESNET = {
    "batch_size": 512, "learning_rate": 0.4, "crop": 4, "precision": "bf16", "channels_last": True,
}  # fmt: skip
GOALS = (
    Goal("SimpleCNN", SimpleCNN, "simple-cnn", {}, 0.75, (5, 10), 0.3),
    Goal("ResNet-18 for 32 x 32", cifar_resnet, None, RESNET, 0.90, (5, 15), 1.0),
)


def accuracy(request: Request) -> Answers:
    """Train each network with each seed, as far as the time allows."""
    goals = simple, resnet = GOALS
    if request.data is not None:
        data = load("cifar10", request.data)
    else:
        data = match_input(load("digits"), (3, 32, 32))
        yield {"stand_in": "digits for CIFAR-10"}
    if request.rehearsal:
        yield {"stand_in": "32 images, one epoch and half of the ResNet's blocks for all of them"}
        data = first_images(data, 32, 16)
        goals = simple, dataclasses.replace(resnet, build=partial(cifar_resnet, blocks=1))
    # The accuracy after each epoch, which changes nothing in the training.
    data = dataclasses.replace(
        data, validation_images=data.test_images, validation_labels=data.test_labels
    )
    rows: list[dict[str, Any]] = []
    skipped: list[dict[str, Any]] = []
    for goal in goals:
        try:
            config, seeds, speed = planned(goal, data, request, goal.share * request.left)
            if seeds < request.seeds and not request.rehearsal:
                yield {"note": f"{goal.name}: time for {seeds} of {request.seeds} seeds"}
            for seed in range(seeds):
                found = trained(goal, data, dataclasses.replace(config, seed=seed), speed)
                rows.append(dataclasses.asdict(found))
                yield {"accuracy": rows, "skipped": skipped}
        except Exception as error:  # out of memory, a loss that is not finite, no time, ...
            entry = Skipped("accuracy", goal.name, reason(error))
            skipped.append(dataclasses.asdict(entry))
            yield {"accuracy": rows, "skipped": skipped}


def first_images(data: Dataset, train: int, test: int) -> Dataset:
    """Return a data set with only the first images."""
    return dataclasses.replace(
        data,
        train_images=data.train_images[:train], train_labels=data.train_labels[:train],
        test_images=data.test_images[:test], test_labels=data.test_labels[:test],
        validation_images=data.validation_images[:test],
        validation_labels=data.validation_labels[:test],
    )  # fmt: skip


def planned(
    goal: Goal, data: Dataset, request: Request, limit: float
) -> tuple[TrainConfig, int, float]:
    """Return the settings, the number of seeds, and the images per second of a short training.

    Where `limit` seconds are not enough for all seeds with the least number of epochs, there are
    fewer seeds. Raises TimeoutError if not even one fits.
    """
    settings = {**goal.settings, "device": request.device}
    if request.rehearsal:
        settings["batch_size"] = 16
    config = recipe(data.name, goal.recipe, **settings)
    marks = [time.monotonic()]
    few = first_images(data, CALIBRATION * config.batch_size, len(data.test_labels))
    short = fit(
        goal.build(), few, dataclasses.replace(config, epochs=2),
        progress=False, on_epoch=lambda epoch: marks.append(time.monotonic()),
    )  # fmt: skip
    speed = short.history[1].images_per_second  # the first epoch chooses the kernels
    evaluation = marks[2] - marks[1] - short.history[1].seconds
    epoch = len(data.train_labels) / speed + evaluation
    affordable = int(SPARE * (limit - (time.monotonic() - marks[0])) / epoch)
    least, most = (1, 1) if request.rehearsal else goal.epochs
    seeds = min(1 if request.rehearsal else request.seeds, affordable // least)
    if seeds < 1:
        raise TimeoutError(
            f"there is time for {max(0, affordable)} epochs of {epoch:.1f} s, fewer than {least}"
        )
    return dataclasses.replace(config, epochs=min(affordable // seeds, most)), seeds, speed


def trained(goal: Goal, data: Dataset, config: TrainConfig, speed: float) -> AccuracyRow:
    """Train once; `speed` is the expected one."""
    seed_everything(config.seed)
    start = time.monotonic()
    result = fit(goal.build(), data, config, progress=False)
    seconds = time.monotonic() - start
    elapsed, reached = 0.0, None
    for epoch in result.history:
        elapsed += epoch.seconds
        if reached is None and (epoch.validation_accuracy or 0.0) >= goal.target:
            reached = rounded(elapsed)
    assert result.test is not None
    default = TrainConfig()
    changed = {
        name: value
        for name, value in config.to_dict().items()
        if value != getattr(default, name) and name not in ("seed", "device", "epochs")
    }
    return AccuracyRow(
        network=goal.name, data=data.name, count=len(data.train_labels), seed=config.seed,
        settings=", ".join(f"{name}={value!r}" for name, value in changed.items()),
        epochs=config.epochs, expected_images_per_second=rounded(speed),
        images_per_second=rounded(
            statistics.median(epoch.images_per_second for epoch in result.history)
        ),
        target=goal.target, accuracy=result.test.accuracy, test_images=result.test.count,
        seconds_to_target=reached, training_seconds=rounded(elapsed), seconds=rounded(seconds),
    )  # fmt: skip
