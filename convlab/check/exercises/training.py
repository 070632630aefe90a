"""Exercises on training."""

from __future__ import annotations

import math
from collections.abc import Iterator
from random import Random
from typing import TYPE_CHECKING, Any

import numpy as np

from convlab.check.exercise import Arguments, Chapter, random_array
from convlab.check.exercises._networks import chain, loss_and_weights, sgd

if TYPE_CHECKING:
    from torch.nn import functional as F

chapter = Chapter("training")

_POWERS = np.exp([0, 0, math.log(2)])
_SHARES = _POWERS / _POWERS.sum()
_RIGHT = np.array([0, 0, 1])


def _numbers(array: Any) -> tuple[float, ...]:
    return tuple(float(number) for number in np.round(array, 9))


chapter.value(
    "softmax_gradient",
    title="The gradient of the logits",
    minutes=5,
    text="A network has three classes and answers with the logits 0, 0 and ln 2. The last class is "
    "right. What is the gradient of the cross-entropy with respect to the three logits?",
    answer=_numbers(_SHARES - _RIGHT),
    tolerance=0.005,
    hints=[
        "What are the three exponentials, and what is their sum?",
        "The gradient is the list of probabilities, with 1 subtracted at the right class.",
    ],
    explanation="The probabilities are 1/4, 1/4 and 1/2. The wrong classes are pushed down by what "
    "they claimed, the right one is pulled up by what it lacks.",
    mistakes=[
        (
            "probabilities",
            _numbers(_SHARES),
            "Those are the probabilities. And the right class?",
        ),
        (
            "sign_turned",
            _numbers(_RIGHT - _SHARES),
            "A step goes against the gradient, and the right class must rise.",
        ),
        ("exponentials", (1, 1, 2), "Divide the exponentials by their sum; then one step is left."),
        (
            "exponentials_less_one",
            (1, 1, 1),
            "Probabilities add up to 1: divide the exponentials by their sum first.",
        ),
        (
            "first_class_right",
            _numbers(_SHARES - np.array([1, 0, 0])),
            "The last class is right, not the first.",
        ),
        (
            "one_subtracted_everywhere",
            _numbers(_SHARES - 1),
            "The 1 is subtracted at the right class only.",
        ),
        (
            "all_equal",
            _numbers(np.full(3, 1 / 3) - _RIGHT),
            "The logits are not equal, and so the probabilities are not.",
        ),
    ],
)

chapter.value(
    "rate_border",
    title="The largest learning rate",
    minutes=5,
    text="A loss is `L(w) = 3 * (w - 5)**2`. From which learning rate on does plain gradient "
    "descent no longer come closer to 5?",
    answer=2 / 6,
    tolerance=0.004,
    hints=[
        "The gradient is 6 * (w - 5). What does a step make of the distance w - 5?",
        "It multiplies it by 1 - 6 * rate. When is that as far from 0 as 1 is?",
    ],
    explanation="The border is 2 divided by the curvature, which is 6 here.",
    mistakes=[
        ("arrives_at_once", 1 / 6, "With this rate, one step arrives. How far can you go beyond?"),
        ("factor_2_forgotten", 2 / 3, "What is the slope of a square? The curvature is not 3."),
        ("factor_of_the_loss", 1 / 3 + 1 / 6, "By what does a step multiply the distance from 5?"),
        ("of_the_chapter", 0.25, "That belongs to the loss of the chapter. Here it is less steep."),
        ("curvature", 6, "That is the curvature. The border is the smaller the larger this is."),
        ("one", 1, "By what does a step multiply the distance from 5?"),
    ],
)

chapter.value(
    "predict_dropout",
    title="Predict: the largest number behind dropout",
    minutes=2,
    text="What does this print?",
    code="layer = nn.Dropout(0.2)\nprint(layer(torch.ones(1000)).max().item())",
    answer=1 / (1 - 0.2),
    hints=[
        "A fifth of the numbers become 0. What happens to the others, so that the mean stays?",
        "A new layer is in training mode.",
    ],
    explanation="What is left is multiplied by 1 / (1 - 0.2). In eval mode nothing happens.",
    mistakes=[
        ("unchanged", 1, "Then the mean would fall by a fifth. A new layer is in training mode."),
        ("multiplied_by_the_share", 0.8, "What is left becomes larger, so that the mean stays."),
        ("divided_by_p", 5, "0.2 is the share that goes. What stays is 0.8."),
        ("added", 1.2, "Four fifths are left, and must have the sum of all. By what to multiply?"),
        ("all_dropped", 0, "The largest number is one that was not dropped."),
    ],
)


def _answers(random: Random) -> Iterator[Arguments]:
    """Yield logits and labels, from the simplest on."""
    yield np.array([[0.0, 0.0]]), np.array([0])
    yield np.array([[0.0, 2.0]]), np.array([1])
    yield np.array([[0.0, 2.0]]), np.array([0])
    yield np.array([[0.0, 2.0, 1.0]]), np.array([2])
    yield np.array([[0.0, 2.0], [0.0, 2.0]]), np.array([1, 0])
    yield np.array([[0.0, 2.0, 1.0], [3.0, 0.0, 1.0]]), np.array([1, 2])
    for _ in range(20):
        count, classes = random.randint(1, 6), random.randint(2, 5)
        labels = np.array([random.randrange(classes) for _ in range(count)])
        yield random_array(random, count, classes), labels


@chapter.code(
    title="Cross-entropy",
    minutes=10,
    text="`logits` has the shape (N, K), a row for each image, and `labels` the shape (N,), with "
    "class numbers from 0 to K - 1. Return the cross-entropy, the mean over the images, as a "
    "float.",
    cases=_answers,
    imports="import numpy as np",
    hints=[
        "First the probabilities: exponentials, divided by their sum. The sum of which axis?",
        "`probabilities[np.arange(len(labels)), labels]` picks one number of each row.",
        "Minus the logarithm of what was picked, and the mean of that.",
    ],
    explanation="It asks only for the probability of the right class, and 1 there costs nothing.",
)
def cross_entropy(logits, labels):
    """Return the cross-entropy, the mean over the images."""
    powers = np.exp(logits)
    probabilities = powers / powers.sum(axis=1, keepdims=True)
    right = probabilities[np.arange(len(labels)), labels]
    return float(-np.log(right).mean())


def _softmax(logits, axis=1):
    return np.exp(logits) / np.exp(logits).sum(axis=axis, keepdims=True)


def _picked(array, labels):
    return array[np.arange(len(labels)), labels]


@cross_entropy.mistake("Each image has probabilities of its own, which add up to 1: along a row.")
def softmax_over_the_batch(logits, labels):
    return float(-np.log(_picked(_softmax(logits, axis=0), labels)).mean())


@cross_entropy.mistake("The exponentials of each row are divided by the sum of their own row.")
def softmax_over_all(logits, labels):
    return float(-np.log(_picked(_softmax(logits, axis=None), labels)).mean())


@cross_entropy.mistake("The softmax is applied once. Twice, and the probabilities become alike.")
def softmax_twice(logits, labels):
    return float(-np.log(_picked(_softmax(_softmax(logits)), labels)).mean())


@cross_entropy.mistake("The loss is a mean over the images, not a sum.")
def summed_over_images(logits, labels):
    return float(-np.log(_picked(_softmax(logits), labels)).sum())


@cross_entropy.mistake("The logarithm of a probability is negative. A loss is not.")
def minus_forgotten(logits, labels):
    return float(np.log(_picked(_softmax(logits), labels)).mean())


@cross_entropy.mistake("Those are probabilities. Where is the logarithm?")
def logarithm_forgotten(logits, labels):
    return float(-_picked(_softmax(logits), labels).mean())


@cross_entropy.mistake("Where is the logarithm? The loss of a certain, right answer is 0.")
def one_minus_probability(logits, labels):
    return float(1 - _picked(_softmax(logits), labels).mean())


@cross_entropy.mistake("The mean comes last: of the logarithms, not inside of the logarithm.")
def logarithm_of_the_mean(logits, labels):
    return float(-np.log(_picked(_softmax(logits), labels).mean()))


@cross_entropy.mistake("Divide the exponentials by their sum: probabilities add up to 1.")
def not_normalized(logits, labels):
    return float(-_picked(logits, labels).mean())


@cross_entropy.mistake("The logarithm is the natural one, `np.log`.")
def logarithm_to_base_2(logits, labels):
    return float(-np.log2(_picked(_softmax(logits), labels)).mean())


@cross_entropy.mistake("Only the right class counts, at the label. You go over all classes.")
def all_classes_summed(logits, labels):
    return float(-np.log(_softmax(logits)).sum(axis=1).mean())


@cross_entropy.mistake("Only the right class counts, at the label. You go over all classes.")
def all_classes_averaged(logits, labels):
    return float(-np.log(_softmax(logits)).mean())


@cross_entropy.mistake("Divide by the number of images, not by that of classes.")
def divided_by_classes(logits, labels):
    return float(-np.log(_picked(_softmax(logits), labels)).sum() / logits.shape[1])


@cross_entropy.mistake("One number for the batch: take the mean over the images.")
def one_loss_for_each_image(logits, labels):
    return -np.log(_picked(_softmax(logits), labels))


@cross_entropy.mistake("Divide each row by its own sum: `keepdims=True` keeps the axis of the sum.")
def softmax_without_keepdims(logits, labels):
    return float(-np.log(_picked(np.exp(logits) / np.exp(logits).sum(axis=1), labels)).mean())


@cross_entropy.mistake("`[:, labels]` takes these classes of every image. One of each is wanted.")
def every_label_of_every_image(logits, labels):
    return float(-np.log(_softmax(logits)[:, labels]).mean())


@cross_entropy.mistake("Logits are no probabilities yet: apply the softmax before the logarithm.")
def logarithm_of_logits(logits, labels):
    with np.errstate(invalid="ignore", divide="ignore"):
        return float(-np.log(_picked(logits, labels)).mean())


@cross_entropy.mistake("Softmax is not the sigmoid: the classes share a probability of 1.")
def sigmoid(logits, labels):
    return float(-np.log(_picked(1 / (1 + np.exp(-logits)), labels)).mean())


@cross_entropy.mistake("The right class counts, not the one with the largest probability.")
def largest_probability(logits, labels):
    return float(-np.log(_softmax(logits).max(axis=1)).mean())


@cross_entropy.mistake("Cross-entropy is minus the logarithm of a probability, not a square.")
def squared_distance(logits, labels):
    return float(((1 - _picked(_softmax(logits), labels)) ** 2).mean())


@cross_entropy.mistake("A larger logit means a larger probability: no minus in the exponential.")
def minus_in_the_exponential(logits, labels):
    return cross_entropy.solution(-logits, labels)


@cross_entropy.mistake("The logarithm is the natural one, `np.log`.")
def logarithm_to_base_10(logits, labels):
    return cross_entropy.solution(logits, labels) / math.log(10)


@cross_entropy.mistake("Only the probability of the right class counts, nothing of the others.")
def each_class_for_itself(logits, labels):
    right = np.eye(logits.shape[1])[labels] == 1
    shares = np.where(right, _softmax(logits), 1 - _softmax(logits))
    return float(-np.log(shares).sum(axis=1).mean())


@cross_entropy.mistake("Each image has a right class of its own: its label says which.")
def always_the_first_class(logits, labels):
    return float(-np.log(_softmax(logits)[:, 0]).mean())


@cross_entropy.mistake("Only the logarithm counts: it is not multiplied by the probability.")
def weighted_by_probability(logits, labels):
    right = _picked(_softmax(logits), labels)
    return float(-(right * np.log(right)).mean())


@cross_entropy.mistake("Only the right class counts, and without its probability as a factor.")
def entropy(logits, labels):
    return float(-(_softmax(logits) * np.log(_softmax(logits))).sum(axis=1).mean())


@cross_entropy.mistake("The loss is a mean over the images, not the largest of them.")
def largest_loss(logits, labels):
    return float(-np.log(_picked(_softmax(logits), labels)).max())


def _epochs(random: Random) -> Iterator[Arguments]:
    """Yield the mean losses of batches and the sizes of these, from the simplest on."""
    yield [2.0], [4]
    yield [1.0, 3.0], [4, 4]
    yield [1.0, 3.0], [4, 2]
    yield [1.0, 1.0, 4.0], [64, 64, 1]
    for _ in range(30):
        count = random.randint(1, 6)
        size = random.randint(1, 64)
        sizes = [size] * (count - 1) + [random.randint(1, size)]
        yield [random.randint(0, 40) / 8 for _ in sizes], sizes


@chapter.code(
    title="The loss of an epoch",
    minutes=4,
    text="`losses` holds the mean loss of each batch of an epoch, `batch_sizes` how many images "
    "each had, both lists. Return the mean loss over all images, a float.",
    cases=_epochs,
    hints=[
        "What is the sum of the losses of a batch of 4 images with the mean 2?",
        "`zip` goes through two lists together.",
    ],
    explanation="A mean times its number is a sum, and sums may be added. That is the "
    "`loss.item() * len(batch)` of the loop.",
)
def epoch_mean(losses, batch_sizes):
    """Return the mean loss over the images."""
    pairs = zip(losses, batch_sizes, strict=True)
    return sum(loss * size for loss, size in pairs) / sum(batch_sizes)


@epoch_mean.mistake("A short batch counts as much as a full one here. Weight it by its size.")
def mean_of_means(losses, batch_sizes):
    return sum(losses) / len(losses)


@epoch_mean.mistake("That is the sum over all images. How many are there?")
def not_divided(losses, batch_sizes):
    return sum(loss * size for loss, size in zip(losses, batch_sizes, strict=True))


@epoch_mean.mistake("You divide by the number of batches. The mean is one over images.")
def divided_by_batches(losses, batch_sizes):
    total = sum(loss * size for loss, size in zip(losses, batch_sizes, strict=True))
    return total / len(losses)


@epoch_mean.mistake("Each loss is a mean over its batch. Make a sum of it before you add.")
def means_over_images(losses, batch_sizes):
    return sum(losses) / sum(batch_sizes)


@epoch_mean.mistake("That is a sum of means. There is a mean over the images to take.")
def means_added(losses, batch_sizes):
    return sum(losses)


@epoch_mean.mistake("Not all batches are as large as the first one.")
def size_of_the_first(losses, batch_sizes):
    return sum(loss * batch_sizes[0] for loss in losses) / sum(batch_sizes)


@epoch_mean.mistake("The mean loss is rarely a whole number: `//` cuts the fraction off.")
def fraction_cut_off(losses, batch_sizes):
    total = sum(loss * size for loss, size in zip(losses, batch_sizes, strict=True))
    return total // sum(batch_sizes)


@epoch_mean.mistake("All batches count, not only the last one. What is inside of your loop?")
def last_batch_only(losses, batch_sizes):
    return losses[-1]


@epoch_mean.mistake("Add up all batches: only the last one is left (`=` or `+=`?).")
def last_sum_only(losses, batch_sizes):
    return losses[-1] * batch_sizes[-1] / sum(batch_sizes)


@epoch_mean.mistake("You return after the first batch: is the `return` inside of the loop?")
def first_sum_only(losses, batch_sizes):
    return losses[0] * batch_sizes[0] / sum(batch_sizes)


@epoch_mean.mistake("Not all batches are as large as the first one. How many images are there?")
def divided_by_full_batches(losses, batch_sizes):
    total = sum(loss * size for loss, size in zip(losses, batch_sizes, strict=True))
    return total / (batch_sizes[0] * len(losses))


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


def _accuracy_follows(answer: Any) -> str | None:
    """Return what is wrong with two lists of probabilities that should disagree."""
    first, second = (np.asarray(part, dtype=float) for part in answer)
    if first.ndim != 1 or first.shape != second.shape:
        return "give two lists with as many numbers each, a pair"
    both = np.stack([first, second])
    if not ((both > 0) & (both < 1)).all():
        return "each probability must be above 0 and below 1"
    losses, right = -np.log(both).mean(axis=1), (both > 0.5).sum(axis=1)
    if losses[0] < losses[1] and right[0] < right[1]:
        return None
    return (
        f"the losses are {losses[0]:.3f} and {losses[1]:.3f}, and {right[0]} and {right[1]} right"
    )


chapter.search(
    "break_loss_and_accuracy",
    title="Break it: a lower loss is a better network",
    minutes=8,
    text='Somebody says: "The network with the lower loss has more answers right." There are two '
    "classes, and an answer is right if its class got more than 0.5. Give a pair of lists with the "
    "probabilities that two networks gave to the right class of each image, such that the first "
    "network has the lower cross-entropy, and fewer right answers.",
    objection=_accuracy_follows,
    example=([0.4, 0.4, 0.9], [0.6, 0.6, 0.01]),
    hints=[
        "The accuracy does not see how wrong an answer is. The loss does.",
        "Let the first network be wrong by a little, and the second sure of one wrong answer.",
    ],
    explanation="The loss counts certainty, the accuracy counts right answers. In overfitting they "
    "part.",
    mistakes=[
        (
            "other_way_round",
            ([0.6, 0.6, 0.01], [0.4, 0.4, 0.9]),
            "Now the second one has the lower loss.",
        ),
        ("clearly_better", ([0.9, 0.9], [0.4, 0.4]), "Here the first is better in both respects."),
        ("both_right", ([0.9, 0.9], [0.6, 0.6]), "Both have the same number of right answers."),
    ],
)
