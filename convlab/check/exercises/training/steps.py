"""Exercise: a step of training."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import TYPE_CHECKING, Any

from convlab.check.exercise import Arguments, random_array
from convlab.check.exercises._networks import chain, loss_and_weights, sgd
from convlab.check.exercises.training.values import chapter

if TYPE_CHECKING:
    import torch
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


@train_step.mistake(
    "No weight has moved. Which call makes gradients, which uses them, and in which order?"
)
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


@train_step.mistake(
    "If the error speaks of `grad`: `no_grad`, `detach`, `item` and `argmax` cut off what "
    "`backward()` follows."
)
def record_cut_off(model, images, labels, optimizer):
    with torch.no_grad():
        logits = model(images)
    return _stepped(optimizer, F.cross_entropy(logits, labels))


@train_step.mistake("`cross_entropy` takes the logits first, and then the labels.")
def logits_and_labels_exchanged(model, images, labels, optimizer):
    return _stepped(optimizer, F.cross_entropy(labels, model(images)))


@train_step.mistake("Send the whole batch through at once: one loss, and one step.")
def step_for_each_image(model, images, labels, optimizer):
    for image, label in zip(images, labels, strict=True):
        loss = train_step.solution(model, image[None], label[None], optimizer)
    return loss


@train_step.mistake("Send the whole batch through at once: one loss, and one step.")
def step_for_each_image_mean_returned(model, images, labels, optimizer):
    losses = [
        train_step.solution(model, image[None], label[None], optimizer)
        for image, label in zip(images, labels, strict=True)
    ]
    return sum(losses) / len(losses)


def _with_other_optimizer(name, rate):
    def other_optimizer(model, images, labels, optimizer):
        other = getattr(torch.optim, name)(model.parameters(), lr=rate)
        return train_step.solution(model, images, labels, other)

    other_optimizer.__name__ = f"{name}_with_{rate}"
    return other_optimizer


for _name, _rate in (
    ("SGD", 1.0),
    ("SGD", 0.1),
    ("SGD", 0.01),
    ("SGD", 0.001),
    ("Adam", 0.001),
    ("Adam", 0.01),
):
    train_step.mistake("The optimizer that is given moves the weights, with its own rate.")(
        _with_other_optimizer(_name, _rate)
    )


@train_step.mistake("The step is right. But `eval()` is for testing: leave the mode of the model.")
def mode_changed(model, images, labels, optimizer):
    model.eval()
    return train_step.solution(model, images, labels, optimizer)


@train_step.mistake("One call of `backward()` is enough: each adds to the gradients.")
def two_backwards(model, images, labels, optimizer):
    return _stepped(optimizer, 2 * F.cross_entropy(model(images), labels)) / 2


@train_step.mistake("`cross_entropy` takes logits, and applies the softmax itself.")
def softmax_over_the_batch(model, images, labels, optimizer):
    return _stepped(optimizer, F.cross_entropy(model(images).softmax(dim=0), labels))


@train_step.mistake("`cross_entropy` takes logits as they are, without a sigmoid.")
def sigmoid_before_the_loss(model, images, labels, optimizer):
    return _stepped(optimizer, F.cross_entropy(model(images).sigmoid(), labels))


@train_step.mistake("The classes share a probability of 1: the loss is `cross_entropy`.")
def each_class_for_itself(model, images, labels, optimizer):
    logits = model(images)
    targets = F.one_hot(labels, logits.shape[1]).to(logits.dtype)
    return _stepped(optimizer, F.binary_cross_entropy_with_logits(logits, targets))


@train_step.mistake("The images go into the model as they are.")
def images_scaled(model, images, labels, optimizer):
    return train_step.solution(model, images / 255, labels, optimizer)


@train_step.mistake("The mean comes from `cross_entropy`: do not divide by the batch again.")
def divided_by_batch_again(model, images, labels, optimizer):
    return _stepped(optimizer, F.cross_entropy(model(images), labels) / len(images))


@train_step.mistake("The weights are right. The loss is a mean already: no division by the batch.")
def returned_loss_divided(model, images, labels, optimizer):
    return train_step.solution(model, images, labels, optimizer) / len(images)


@train_step.mistake("Only one image of the batch moves the weights. Send all through the model.")
def first_image_only(model, images, labels, optimizer):
    return train_step.solution(model, images[:1], labels[:1], optimizer)


@train_step.mistake("Return the loss from before the step; and old gradients are still there.")
def loss_after_the_step_not_zeroed(model, images, labels, optimizer):
    gradient_not_zeroed(model, images, labels, optimizer)
    return F.cross_entropy(model(images), labels).item()


@train_step.mistake("The loss still holds its record, and old gradients are still there.")
def tensor_returned_not_zeroed(model, images, labels, optimizer):
    loss = F.cross_entropy(model(images), labels)
    loss.backward()
    optimizer.step()
    return loss


@train_step.mistake("The loss becomes a number too early: `backward()` needs the tensor.")
def number_before_backward(model, images, labels, optimizer):
    loss: Any = F.cross_entropy(model(images), labels).item()
    loss.backward()


@train_step.mistake("Return the loss, a number, not the logits.")
def logits_returned(model, images, labels, optimizer):
    logits = model(images)
    _stepped(optimizer, F.cross_entropy(logits, labels))
    return logits


@train_step.mistake("The weights move once: one loss, one `backward()`, one `step()`.")
def two_rounds(model, images, labels, optimizer):
    train_step.solution(model, images, labels, optimizer)
    return train_step.solution(model, images, labels, optimizer)


@train_step.mistake("Return the loss, a number, not the logits.")
def detached_logits_returned(model, images, labels, optimizer):
    logits = model(images)
    _stepped(optimizer, F.cross_entropy(logits, labels))
    return logits.detach().numpy()
