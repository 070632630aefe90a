"""A step of training."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import TYPE_CHECKING

from convlab.check.exercise import Arguments, random_array
from convlab.check.exercises._networks import chain, loss_and_weights, sgd
from convlab.check.exercises.training.values import chapter

if TYPE_CHECKING:
    from torch.nn import functional as F


def _steps(random: Random) -> Iterator[Arguments]:
    """Yield networks, images, labels and optimizers, from the simplest on."""
    import torch
    from torch import nn

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        for count, rate, momentum, old in (
            (1, 0.5, 0.0, False),
            (4, 0.5, 0.0, False),
            (4, 0.5, 0.0, True),
            (4, 0.1, 0.9, True),
        ):
            model = chain(nn.Linear(2, 3), old_gradients=old)
            images = torch.from_numpy(random_array(random, count, 2))
            yield model, images, torch.arange(count) % 3, sgd(model, rate, momentum)
        for old in (False, True, True):
            layers = nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(8, 4)
            model = chain(*layers, old_gradients=old)
            images = torch.from_numpy(random_array(random, 5, 1, 4, 4))
            labels = torch.tensor([random.randrange(4) for _ in images])
            yield model, images, labels, sgd(model, 0.25)


@chapter.code(
    title="One step of training",
    minutes=10,
    text="Write the inside of the training loop. `model` makes logits of `images`; the loss is the "
    "cross-entropy with `labels`; `optimizer` holds the parameters of the model, and these may "
    "still have gradients of an earlier step. Move the weights once, and return the loss from "
    "before the step, as a float.",
    cases=_steps,
    imports="import torch\nfrom torch.nn import functional as F",
    result=loss_and_weights,
    hints=[
        "Five lines: logits, loss, and three calls. In which order do the calls stand?",
        "`F.cross_entropy(logits, labels)` applies the softmax itself.",
        "`loss.item()` makes a Python number of the tensor.",
    ],
    explanation="The same lines train every network of this book.",
)
def train_step(model, images, labels, optimizer):
    """Move the weights once, and return the loss."""
    loss = F.cross_entropy(model(images), labels)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


@train_step.mistake("`backward()` adds to the gradients that are there. Clear them before it.")
def gradient_not_zeroed(model, images, labels, optimizer):
    loss = F.cross_entropy(model(images), labels)
    loss.backward()
    optimizer.step()
    return loss.item()


@train_step.mistake("No weight has moved. Which call makes gradients, and which one uses them?")
def not_moved(model, images, labels, optimizer):
    return F.cross_entropy(model(images), labels).item()


@train_step.mistake("`step()` moves the weights with what is in `.grad`. Which call puts it there?")
def old_gradient_used(model, images, labels, optimizer):
    loss = F.cross_entropy(model(images), labels)
    optimizer.step()
    return loss.item()


@train_step.mistake("`cross_entropy` takes logits, and applies the softmax itself.")
def softmax_before_the_loss(model, images, labels, optimizer):
    return _stepped(optimizer, F.cross_entropy(model(images).softmax(dim=1), labels))


def _stepped(optimizer, loss):
    """Make a step downhill."""
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


@train_step.mistake("The loss is a mean over the batch, which is what `cross_entropy` returns.")
def loss_summed(model, images, labels, optimizer):
    return _stepped(optimizer, F.cross_entropy(model(images), labels, reduction="sum"))


@train_step.mistake("The gradient must be that of the mean, too, not of the sum.")
def gradient_of_the_sum(model, images, labels, optimizer):
    summed = F.cross_entropy(model(images), labels, reduction="sum")
    return _stepped(optimizer, summed) / len(images)


@train_step.mistake("`nll_loss` wants logarithms of probabilities. `cross_entropy` takes logits.")
def nll_of_logits(model, images, labels, optimizer):
    return _stepped(optimizer, F.nll_loss(model(images), labels))


@train_step.mistake("`nll_loss` takes no logarithm itself. `cross_entropy` takes logits.")
def nll_of_softmax(model, images, labels, optimizer):
    return _stepped(optimizer, F.nll_loss(model(images).softmax(dim=1), labels))


@train_step.mistake("The logits go into the loss as they are, without a ReLU.")
def relu_before_the_loss(model, images, labels, optimizer):
    return _stepped(optimizer, F.cross_entropy(model(images).relu(), labels))


@train_step.mistake("The loss rises: the optimizer goes downhill by itself, without a minus.")
def uphill(model, images, labels, optimizer):
    return -_stepped(optimizer, -F.cross_entropy(model(images), labels))


@train_step.mistake("One call of `step()` is enough: each moves the weights.")
def two_steps(model, images, labels, optimizer):
    loss = train_step.solution(model, images, labels, optimizer)
    optimizer.step()
    return loss


@train_step.mistake("The weights are right. Return the loss, not the share of right answers.")
def accuracy_returned(model, images, labels, optimizer):
    right = model(images).argmax(dim=1) == labels
    train_step.solution(model, images, labels, optimizer)
    return right.double().mean().item()


@train_step.mistake("The weights are right. Now return the loss: without `return` it is None.")
def loss_not_returned(model, images, labels, optimizer):
    train_step.solution(model, images, labels, optimizer)


@train_step.mistake("Return the mean loss. The sum over the batch is for the loop to make.")
def sum_returned(model, images, labels, optimizer):
    return train_step.solution(model, images, labels, optimizer) * len(images)


@train_step.mistake("Return the loss with which the gradients were made, from before the step.")
def loss_after_the_step(model, images, labels, optimizer):
    train_step.solution(model, images, labels, optimizer)
    return F.cross_entropy(model(images), labels).item()


@train_step.mistake("The loss still holds its record. Which method makes a number of it?")
def tensor_returned(model, images, labels, optimizer):
    loss = F.cross_entropy(model(images), labels)
    _stepped(optimizer, loss)
    return loss


@train_step.mistake("For classes the loss is the cross-entropy, not a squared error.")
def squared_error(model, images, labels, optimizer):
    logits = model(images)
    targets = F.one_hot(labels, logits.shape[1]).to(logits.dtype)
    return _stepped(optimizer, F.mse_loss(logits, targets))
