"""Exercise: a batch in parts."""

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
    if model.most_runs > 2:  # a name may hold the loss of the part before
        fits = f"{model.most_runs} parts in memory at a time"
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


def _in_parts(arguments, share="right", report="right", zero="before", step="after"):
    """Make a step, with the loss of each part times `share`, of which `report` is added up."""
    model, images, labels, optimizer, part_size = arguments
    count, total = len(images), 0.0
    if zero == "before":
        optimizer.zero_grad()
    for x, y in zip(images.split(part_size), labels.split(part_size), strict=True):
        if zero == "each":
            optimizer.zero_grad()
        loss = F.cross_entropy(model(x), y)
        (loss * _SHARES[share](len(x), count, part_size)).backward()
        if step == "each":
            optimizer.step()
        total += loss.item() * _SHARES[report](len(x), count, part_size)
    if step == "after":
        optimizer.step()
    return total


_SHARES = {
    "right": lambda size, count, part_size: size / count,
    "whole": lambda size, count, part_size: 1,
    "equal": lambda size, count, part_size: 1 / -(-count // part_size),
    "floored": lambda size, count, part_size: 1 / (count // part_size),
    "full": lambda size, count, part_size: part_size / count,
    "one_image": lambda size, count, part_size: 1 / count,
    "one_of_part": lambda size, count, part_size: 1 / part_size,
    "size": lambda size, count, part_size: size,
    "turned": lambda size, count, part_size: count / size,
    "again": lambda size, count, part_size: size / count**2,
    "own": lambda size, count, part_size: 1 / size,
}
_GRADIENT_HINTS = {
    "whole": "The gradients of the parts add up. Which share has each of the mean?",
    "equal": "That is the right share for equal parts only. The last may be smaller.",
    "floored": "The last part may be smaller: it counts as a part, but with a smaller share.",
    "full": "That is the right share for full parts. The last one may be smaller.",
    "one_image": "The loss of a part is a mean already. Which share of all images has the part?",
    "one_of_part": "The loss of a part is a mean already. Which share of all images has it?",
    "size": "The gradient is that of the sum. Divide by the number of images, too.",
    "turned": "The share is the other way round: the images of the part, of all images.",
    "again": "The share is the size of the part by the number of all: divide by that once.",
    "own": "The loss of a part is divided by its size already. Which share of all images has it?",
}
_LOSS_HINTS = {
    "whole": "The step is right. The losses of the parts are means: weight them, too.",
    "equal": "The step is right. But your mean counts a short part in full.",
    "floored": "The step is right. But the last, smaller part is one of the parts, too.",
    "full": "The step is right. But a short last part counts with its own size.",
    "one_image": "The step is right. The losses are means: times its size, each is a sum.",
    "one_of_part": "The step is right. The returned losses are means: weight them by the sizes.",
    "size": "The step is right. You return the sum of the losses: divide by the number of images.",
    "turned": "The step is right. In the returned loss, the share is the other way round.",
    "again": "The step is right. The loss that you return is divided once too often.",
    "own": "The step is right. The loss of a part is divided by its size already.",
}


def _weighted(share, report):
    def weighted(*arguments):
        return _in_parts(arguments, share, report)

    weighted.__name__ = f"gradient_{share}_loss_{report}"
    return weighted


for _share, _hint in _GRADIENT_HINTS.items():
    for _report in ("right", _share, "equal") if _share == "whole" else ("right", _share):
        accumulate_step.mistake(_hint)(_weighted(_share, _report))
for _report, _hint in _LOSS_HINTS.items():
    accumulate_step.mistake(_hint)(_weighted("right", _report))


def _moved_often(share, report, zero):
    def moved_often(*arguments):
        return _in_parts(arguments, share, report, zero=zero, step="each")

    moved_often.__name__ = f"moved_often_{share}_{report}_{zero}"
    return moved_often


for _share, _report, _zero in (
    *(("whole", report, "each") for report in ("right", "whole", "equal", "size")),
    *(
        ("right", report, zero)
        for report in ("right", "whole", "equal")
        for zero in ("each", "before")
    ),
    *(("whole", report, "before") for report in ("right", "whole", "equal")),
):
    accumulate_step.mistake("Move the weights once, when all parts have added their gradients.")(
        _moved_often(_share, _report, _zero)
    )


def _last_only(share, report):
    def last_only(*arguments):
        return _in_parts(arguments, share, report, zero="each")

    last_only.__name__ = f"last_only_{share}_{report}"
    return last_only


for _share, _report in (
    ("right", "right"),
    ("whole", "right"),
    ("whole", "whole"),
    ("whole", "equal"),
    ("equal", "equal"),
):
    accumulate_step.mistake(
        "Only the last part moves the weights: is `zero_grad()` in the loop, or `backward()` "
        "behind it?"
    )(_last_only(_share, _report))


@accumulate_step.mistake("Only the first part counts. Go on: is something too far to the right?")
def first_part_only(model, images, labels, optimizer, part_size):
    first = images[:part_size], labels[:part_size]
    return _in_parts((model, *first, optimizer, part_size))


@accumulate_step.mistake("Only the first part counts. Go on: is something too far to the right?")
def first_part_with_its_share(model, images, labels, optimizer, part_size):
    share = len(images[:part_size]) / len(images)
    optimizer.zero_grad()
    loss = F.cross_entropy(model(images[:part_size]), labels[:part_size]) * share
    loss.backward()
    optimizer.step()
    return loss.item()


@accumulate_step.mistake("Old gradients are still there. Clear them before the loop.")
def old_gradients_kept(*arguments):
    return _in_parts(arguments, zero="never")


@accumulate_step.mistake("So many images do not fit. Send them through the model in parts.")
def all_at_once(*arguments):
    return _in_parts((*arguments[:4], len(arguments[1])))


@accumulate_step.mistake("`chunk` takes the number of parts, `split` the size of a part.")
def chunk_for_split(*arguments):
    return _in_parts((*arguments[:4], -(-len(arguments[1]) // arguments[4])))


@accumulate_step.mistake(
    "All parts stay in memory until `backward()`: call it for each, in the loop."
)
def one_backward(model, images, labels, optimizer, part_size):
    parts = zip(images.split(part_size), labels.split(part_size), strict=True)
    losses = [F.cross_entropy(model(x), y) * len(x) / len(images) for x, y in parts]
    optimizer.zero_grad()
    torch.stack(losses).sum().backward()
    optimizer.step()
    return torch.stack(losses).sum().item()


@accumulate_step.mistake("All answers together keep all maps: `backward()` belongs into the loop.")
def one_backward_equally_weighted(model, images, labels, optimizer, part_size):
    parts = list(zip(images.split(part_size), labels.split(part_size), strict=True))
    losses = [F.cross_entropy(model(x), y) / len(parts) for x, y in parts]
    optimizer.zero_grad()
    torch.stack(losses).sum().backward()
    optimizer.step()
    return torch.stack(losses).sum().item()


@accumulate_step.mistake("The last part may be smaller, but it counts.")
def rest_left_out(model, images, labels, optimizer, part_size):
    full = max(1, len(images) // part_size) * part_size
    return _in_parts((model, images[:full], labels[:full], optimizer, part_size))


@accumulate_step.mistake("The last part may be smaller, but it counts.")
def rest_left_out_but_counted(model, images, labels, optimizer, part_size):
    full = max(1, len(images) // part_size) * part_size
    loss = _in_parts((model, images[:full], labels[:full], sgd(model, 0.0), part_size))
    for parameter in model.parameters():
        parameter.grad *= min(full, len(images)) / len(images)
    optimizer.step()
    return loss * min(full, len(images)) / len(images)


def _last_loss(weighted, equally):
    def last_loss(model, images, labels, optimizer, part_size):
        x, y = images.split(part_size)[-1], labels.split(part_size)[-1]
        loss = F.cross_entropy(model(x), y).item()
        _in_parts((model, images, labels, optimizer, part_size), "equal" if equally else "right")
        share = 1 / -(-len(images) // part_size) if equally else len(x) / len(images)
        return loss * share if weighted else loss

    last_loss.__name__ = f"loss_of_the_last_part_{weighted}_{equally}"
    return last_loss


for _weight in (True, False):
    accumulate_step.mistake("The step is right. Return the loss of all images, not of one part.")(
        _last_loss(_weight, False)
    )
    accumulate_step.mistake(
        "Return the loss of all images, not of one part; a short one counts less."
    )(_last_loss(_weight, True))


@accumulate_step.mistake(
    "The step is right. Return the loss with which it was made, from before it."
)
def loss_after_the_step(model, images, labels, optimizer, part_size):
    accumulate_step.solution(model, images, labels, optimizer, part_size)
    return accumulate_step.solution(model, images, labels, sgd(model, 0.0), part_size)


@accumulate_step.mistake("The step is right. The weighted losses make the mean by adding up.")
def losses_divided_again(*arguments):
    count = -(-len(arguments[1]) // arguments[4])
    return _in_parts(arguments) / count


@accumulate_step.mistake("The gradients are there, but no weight has moved. Who moves them?")
def step_forgotten(*arguments):
    return _in_parts(arguments, step="never")


@accumulate_step.mistake("The step is right. Return the loss: without `return` it is None.")
def loss_not_returned(*arguments):
    _in_parts(arguments)


@accumulate_step.mistake("The loss still holds its record. Which method makes a number of it?")
def tensor_added_up(model, images, labels, optimizer, part_size):
    return images.new_tensor(
        accumulate_step.solution(model, images, labels, optimizer, part_size)
    ).requires_grad_()


@accumulate_step.mistake(
    "The step is right. But `eval()` is for testing: leave the mode of the model."
)
def mode_changed(model, images, labels, optimizer, part_size):
    model.eval()
    return accumulate_step.solution(model, images, labels, optimizer, part_size)


@accumulate_step.mistake("`cross_entropy` takes logits, and applies the softmax itself.")
def softmax_before_the_loss(model, images, labels, optimizer, part_size):
    total = 0.0
    optimizer.zero_grad()
    for positions in torch.arange(len(images)).split(part_size):
        loss = F.cross_entropy(model(images[positions]).softmax(dim=1), labels[positions])
        (loss * len(positions) / len(images)).backward()
        total += loss.item() * len(positions) / len(images)
    optimizer.step()
    return total
