"""Exercise: cross-entropy."""

from __future__ import annotations

import math
from collections.abc import Iterator
from random import Random

import numpy as np

from convlab.check.exercise import Arguments, random_array
from convlab.check.exercises.training.values import chapter


def _answers(random: Random) -> Iterator[Arguments]:
    """Yield logits and labels, from the simplest on."""
    yield np.array([[0.0, 0.0]]), np.array([0])
    yield np.array([[0.0, 2.0]]), np.array([1])
    yield np.array([[0.0, 2.0]]), np.array([0])
    yield np.array([[0.0, 2.0, 1.0]]), np.array([2])
    yield np.array([[0.0, 40.0]]), np.array([0])
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
    explanation="It asks only for the probability of the right class, and 1 there costs nothing. "
    "PyTorch subtracts the largest logit of each row first, so that no exponential overflows.",
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


@cross_entropy.mistake("The maximum is subtracted on one side only: in the sum, or for the label.")
def maximum_on_one_side(logits, labels):
    largest = logits.max(axis=1, keepdims=True)
    sums = np.log(np.exp(logits - largest).sum(axis=1))
    return float((sums - _picked(logits, labels)).mean())


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


@cross_entropy.mistake("The largest logit is not enough: it takes the exponentials of all classes.")
def largest_in_place_of_sum(logits, labels):
    return float((logits.max(axis=1) - _picked(logits, labels)).mean())


@cross_entropy.mistake("Classes count from 0: take the labels as they are.")
def labels_less_one(logits, labels):
    return cross_entropy.solution(logits, labels - 1)


@cross_entropy.mistake("Classes count from 0: take the labels as they are.")
def labels_plus_one(logits, labels):
    return cross_entropy.solution(logits, labels + 1)


@cross_entropy.mistake("The rows are images: first the number of the image, then its label.")
def picked_with_exchanged_axes(logits, labels):
    return float(-np.log(_softmax(logits)[labels, np.arange(len(labels))]).mean())


@cross_entropy.mistake("`[labels]` takes rows. Of each row, take the class at its label.")
def rows_at_labels(logits, labels):
    return float(-np.log(_softmax(logits)[labels]).mean())


@cross_entropy.mistake("A larger logit of the right class makes the loss smaller: a minus there.")
def logit_added(logits, labels):
    return float((np.log(np.exp(logits).sum(axis=1)) + _picked(logits, labels)).mean())


@cross_entropy.mistake("Where is the logarithm? It is taken of the sum of the exponentials, too.")
def logarithm_of_sum_forgotten(logits, labels):
    return float((np.exp(logits).sum(axis=1) - _picked(logits, labels)).mean())


@cross_entropy.mistake("Divide by the sum of the exponentials: probabilities add up to 1.")
def exponential_of_the_right_class(logits, labels):
    return float(-_picked(np.exp(logits), labels).mean())


@cross_entropy.mistake("Divide by the sum of the logits' exponentials, not by their number.")
def divided_by_number_of_classes(logits, labels):
    return float(-np.log(_picked(np.exp(logits), labels) / logits.shape[1]).mean())


def _capped(least):
    def capped(logits, labels):
        return float(-np.log(_picked(_softmax(logits), labels) + least).mean())

    capped.__name__ = f"capped_at_1e{round(math.log10(least))}"
    return capped


for _exponent in (5, 6, 7, 8, 9, 10, 12, 15, 16):
    cross_entropy.mistake(
        "A number added inside of the logarithm, or a clip, caps the loss: leave it out."
    )(_capped(10.0**-_exponent))


@cross_entropy.mistake("A mean over the images alone: you also divide by the number of classes.")
def divided_by_images_and_classes(logits, labels):
    return cross_entropy.solution(logits, labels) / logits.shape[1]


@cross_entropy.mistake("The loss is divided by the number of images once, not twice.")
def divided_by_images_twice(logits, labels):
    return cross_entropy.solution(logits, labels) / len(labels)


@cross_entropy.mistake("That is the share of right answers. The loss counts how sure they are.")
def accuracy(logits, labels):
    return float((logits.argmax(axis=1) == labels).mean())


@cross_entropy.mistake("That is the share of wrong answers. The loss counts how sure they are.")
def error_rate(logits, labels):
    return float((logits.argmax(axis=1) != labels).mean())


@cross_entropy.mistake("The right class counts. You take the probability of the other ones.")
def probability_of_the_others(logits, labels):
    with np.errstate(divide="ignore"):
        return float(-np.log(1 - _picked(_softmax(logits), labels)).mean())


@cross_entropy.mistake("Only the right class counts, nothing of the others; and no mean over them.")
def mean_of_each_class_for_itself(logits, labels):
    return each_class_for_itself(logits, labels) / logits.shape[1]


@cross_entropy.mistake("Softmax is not the sigmoid: the classes share a probability of 1.")
def sigmoid_of_each_class(logits, labels):
    right = np.eye(logits.shape[1])[labels] == 1
    shares = 1 / (1 + np.exp(np.where(right, -logits, logits)))
    return float(-np.log(shares).mean())


@cross_entropy.mistake("All images count. You return the loss of the last one.")
def last_image_only(logits, labels):
    return cross_entropy.solution(logits[-1:], labels[-1:])


@cross_entropy.mistake("All images count. You return the loss of the first one.")
def first_image_only(logits, labels):
    return cross_entropy.solution(logits[:1], labels[:1])


@cross_entropy.mistake("All images count. You leave the last one out.")
def last_image_left_out(logits, labels):
    losses = one_loss_for_each_image(logits, labels)
    return float(losses[:-1].sum() / len(losses))


@cross_entropy.mistake("Each image has a label of its own. You take the first label for all.")
def first_label_for_all(logits, labels):
    return cross_entropy.solution(logits, np.full_like(labels, labels[0]))


@cross_entropy.mistake("The mean over the images comes last, of their losses, not of the logits.")
def logits_averaged(logits, labels):
    return cross_entropy.solution(np.tile(logits.mean(axis=0), (len(logits), 1)), labels)


@cross_entropy.mistake(
    "The mean over the images comes last, of their losses, not of probabilities."
)
def probabilities_averaged(logits, labels):
    shares = np.tile(_softmax(logits).mean(axis=0), (len(logits), 1))
    return float(-np.log(_picked(shares, labels)).mean())


@cross_entropy.mistake("The logarithm is missing its minus, and the images their mean.")
def summed_without_minus(logits, labels):
    return -summed_over_images(logits, labels)


@cross_entropy.mistake("Softmax divides by the sum of the exponentials, not by their mean.")
def divided_by_mean(logits, labels):
    powers = np.exp(logits)
    return float(-np.log(_picked(powers / powers.mean(axis=1, keepdims=True), labels)).mean())


@cross_entropy.mistake("The exponentials of all classes belong to the sum, also of the right one.")
def right_class_not_in_the_sum(logits, labels):
    powers = np.exp(logits)
    right = _picked(powers, labels)
    return float(-np.log(right / (powers.sum(axis=1) - right)).mean())


@cross_entropy.mistake("The exponential of the mean loss is the perplexity. Leave it out.")
def perplexity(logits, labels):
    return float(np.exp(cross_entropy.solution(logits, labels)))


@cross_entropy.mistake("All images count: only the loss of the first is in your sum.")
def first_of_the_sum(logits, labels):
    return float(one_loss_for_each_image(logits, labels)[0] / len(labels))


@cross_entropy.mistake("All images count: only the last is left in your sum (`=` or `+=`?).")
def last_of_the_sum(logits, labels):
    return float(one_loss_for_each_image(logits, labels)[-1] / len(labels))


@cross_entropy.mistake("Each row gives one probability. You add up along a column.")
def summed_along_columns(logits, labels):
    right = np.eye(logits.shape[1])[labels]
    with np.errstate(divide="ignore"):
        return float(-np.log((right * _softmax(logits)).sum(axis=0)).mean())


@cross_entropy.mistake("The exponentials are those of e: `np.exp`.")
def powers_of_2(logits, labels):
    return cross_entropy.solution(logits * math.log(2), labels)


@cross_entropy.mistake("The logarithm is the natural one, `np.log`, without a division.")
def logarithm_to_base_of_classes(logits, labels):
    return cross_entropy.solution(logits, labels) / math.log(logits.shape[1])
