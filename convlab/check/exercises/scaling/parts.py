"""A batch in parts."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import TYPE_CHECKING, Any

from convlab.check.exercise import Arguments, random_array
from convlab.check.exercises._networks import chain, loss_and_weights, sgd
from convlab.check.exercises.scaling.values import chapter

if TYPE_CHECKING:
    import torch
    from torch.nn import functional as F


def _parts(random: Random) -> Iterator[Arguments]:
    """Yield networks, images, labels, optimizers and sizes of parts, from the simplest on."""
    import torch
    from torch import nn

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        for count, size, old in (
            (2, 2, False),
            (2, 1, False),
            (4, 2, False),
            (4, 2, True),
            (3, 2, False),
            (5, 2, True),
            (7, 3, False),
            (3, 5, False),
        ):
            model = chain(nn.Linear(2, 3), old_gradients=old)
            images = torch.from_numpy(random_array(random, count, 2))
            yield model, images, torch.arange(count) % 3, sgd(model, 0.5), size


def _parts_and_weights(arguments: Arguments, returned: Any) -> Any:
    """Return the loss, the weights, and whether the parts were small enough."""
    model, *_, part_size = arguments
    found = loss_and_weights(arguments, returned)
    fits = "small parts" if model.most <= part_size else f"{model.most} images at a time"
    return None if found is None else (*found, fits)


@chapter.code(
    title="A batch in parts",
    minutes=15,
    text="Write `train_step` for a batch of which only `part_size` images fit into the memory at "
    "a time. Send it through `model` in parts, of which the last may be smaller. Move the weights "
    "once, by the gradient of the mean cross-entropy of the whole batch; old gradients may be "
    "there. Return that mean, from before the step, as a float.",
    cases=_parts,
    imports="import torch\nfrom torch.nn import functional as F",
    result=_parts_and_weights,
    hints=[
        "`backward()` adds to the gradients. Which call stands before the loop, and which after?",
        "`images.split(part_size)` makes the parts.",
        "`cross_entropy` is the mean over its part. Which share of the whole has the part?",
    ],
    explanation="The mean of the whole is the mean of its parts, weighted by their sizes; so is "
    "its gradient.",
)
def accumulate_step(model, images, labels, optimizer, part_size):
    """Move the weights once, and return the loss of the whole batch."""
    total = 0.0
    optimizer.zero_grad()
    for positions in torch.arange(len(images)).split(part_size):
        loss = F.cross_entropy(model(images[positions]), labels[positions])
        share = len(positions) / len(images)
        (loss * share).backward()
        total += loss.item() * share
    optimizer.step()
    return total


def _in_parts(arguments, share=None, zero=True, each="", report=None):
    """Make a step, with the loss of each part times `share(size of the part)`."""
    model, images, labels, optimizer, part_size = arguments
    total, share = 0.0, share or (lambda size: size / len(images))
    if zero:
        optimizer.zero_grad()
    for x, y in zip(images.split(part_size), labels.split(part_size), strict=True):
        if "zero" in each:
            optimizer.zero_grad()
        loss = F.cross_entropy(model(x), y)
        (loss * share(len(x))).backward()
        if "step" in each:
            optimizer.step()
        total += loss.item() * (report or (lambda size: size / len(images)))(len(x))
    if "step" not in each:
        optimizer.step()
    return total


def _one(size):
    return 1


@accumulate_step.mistake("The gradients of the parts add up. Which share has each of the mean?")
def parts_not_weighted(*arguments):
    return _in_parts(arguments, _one)


@accumulate_step.mistake("The losses and gradients of the parts are means. Which share has each?")
def parts_and_losses_not_weighted(*arguments):
    return _in_parts(arguments, _one, report=_one)


@accumulate_step.mistake("The gradients of the parts add up, but the whole is a mean of them.")
def parts_not_weighted_mean_returned(*arguments):
    count = -(-len(arguments[1]) // arguments[4])
    return _in_parts(arguments, _one, report=lambda size: 1 / count)


@accumulate_step.mistake("That is the right share for equal parts only. The last may be smaller.")
def parts_equally_weighted(*arguments):
    count = -(-len(arguments[1]) // arguments[4])
    return _in_parts(arguments, lambda size: 1 / count)


@accumulate_step.mistake("That is right for equal parts only. The last one may be smaller.")
def parts_and_losses_equally_weighted(*arguments):
    count = -(-len(arguments[1]) // arguments[4])
    return _in_parts(arguments, lambda size: 1 / count, report=lambda size: 1 / count)


@accumulate_step.mistake("That is the right share for full parts. The last one may be smaller.")
def full_parts_assumed(*arguments):
    share = arguments[4] / len(arguments[1])
    return _in_parts(arguments, lambda size: share, report=lambda size: share)


@accumulate_step.mistake("The loss of a part is a mean already. Which share has the part?")
def divided_by_all_images(*arguments):
    share = 1 / len(arguments[1])
    return _in_parts(arguments, lambda size: share, report=lambda size: share)


@accumulate_step.mistake("The loss of a part is a mean already. Which share has the part?")
def divided_by_part_size(*arguments):
    share = 1 / arguments[4]
    return _in_parts(arguments, lambda size: share, report=lambda size: share)


@accumulate_step.mistake("The gradient is that of the sum. Divide by the number of images, too.")
def gradient_of_the_sum(*arguments):
    return _in_parts(arguments, lambda size: size)


@accumulate_step.mistake("Move the weights once, when all parts have added their gradients.")
def step_for_each_part(*arguments):
    return _in_parts(arguments, _one, each="zero step")


@accumulate_step.mistake("Move the weights once, when all parts have added their gradients.")
def weighted_step_for_each_part(*arguments):
    return _in_parts(arguments, each="zero step")


@accumulate_step.mistake("Move the weights once: `step()` stands behind the loop.")
def step_inside_of_the_loop(*arguments):
    return _in_parts(arguments, each="step")


@accumulate_step.mistake("Only the last part counts: the gradients are cleared before each.")
def zeroed_for_each_part(*arguments):
    return _in_parts(arguments, each="zero")


@accumulate_step.mistake("Only the last part counts. Each has to add its gradients, once.")
def last_part_only(*arguments):
    return _in_parts(arguments, _one, each="zero")


@accumulate_step.mistake("Old gradients are still there. Clear them before the loop.")
def old_gradients_kept(*arguments):
    return _in_parts(arguments, zero=False)


@accumulate_step.mistake("So many images do not fit. Send them through the model in parts.")
def all_at_once(*arguments):
    return _in_parts((*arguments[:4], len(arguments[1])))


@accumulate_step.mistake("The last part may be smaller, but it counts.")
def rest_left_out(model, images, labels, optimizer, part_size):
    full = max(1, len(images) // part_size) * part_size
    return _in_parts(
        (model, images[:full], labels[:full], optimizer, part_size),
        lambda size: size / len(images),
        report=lambda size: size / len(images),
    )


@accumulate_step.mistake("The step is right. Return the mean loss of all images, not of one part.")
def loss_of_the_last_part(model, images, labels, optimizer, part_size):
    last = F.cross_entropy(model(images.split(part_size)[-1]), labels.split(part_size)[-1]).item()
    accumulate_step.solution(model, images, labels, optimizer, part_size)
    return last


@accumulate_step.mistake("The step is right. The losses of the parts are means: weight them, too.")
def losses_added(*arguments):
    return _in_parts(arguments, report=_one)


@accumulate_step.mistake("The step is right. But your mean counts a short part in full.")
def mean_of_the_losses(*arguments):
    count = -(-len(arguments[1]) // arguments[4])
    return _in_parts(arguments, report=lambda size: 1 / count)


@accumulate_step.mistake("The step is right. The weighted losses make the mean by adding up.")
def losses_divided_again(*arguments):
    count = -(-len(arguments[1]) // arguments[4])
    return _in_parts(arguments) / count


@accumulate_step.mistake("The gradients are there, but no weight has moved. Who moves them?")
def step_forgotten(*arguments):
    return _in_parts((*arguments[:3], sgd(arguments[0], 0.0), arguments[4]))


@accumulate_step.mistake("The step is right. Return the loss: without `return` it is None.")
def loss_not_returned(*arguments):
    _in_parts(arguments)


@accumulate_step.mistake("The loss still holds its record. Which method makes a number of it?")
def tensor_added_up(model, images, labels, optimizer, part_size):
    return images.new_tensor(
        accumulate_step.solution(model, images, labels, optimizer, part_size)
    ).requires_grad_()
