"""Pencil numbers, predictions and a search on training."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from convlab.check.exercise import Chapter

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
            "by_the_probability",
            (0, 0, -2),
            "That is the gradient by the probability. The way goes on, through the softmax.",
        ),
        (
            "right_class_only",
            (0, 0, _SHARES[2] - 1),
            "The wrong classes get a gradient, too: how large are their probabilities?",
        ),
        (
            "wrong_classes_only",
            (_SHARES[0], _SHARES[1], 0),
            "The right class gets a gradient, too: its probability is not 1 yet.",
        ),
        ("minus_the_label", (0, 0, -1), "The label is subtracted. From what? From probabilities."),
        (
            "logits_less_label",
            (0, 0, math.log(2) - 1),
            "The 1 is subtracted from the probability, not from the logit.",
        ),
        ("no_exponentials", (0, 0, 0), "The softmax divides exponentials, not the logits."),
        ("logits", (0, 0, math.log(2)), "Those are the logits. First make probabilities of them."),
        (
            "divided_by_classes",
            _numbers((_SHARES - _RIGHT) / 3),
            "There is one image. Nothing is divided by the number of classes.",
        ),
        (
            "losses",
            _numbers(-np.log(_SHARES)),
            "Those are minus logarithms of probabilities. The gradient needs no logarithm.",
        ),
        (
            "logarithms",
            _numbers(np.log(_SHARES)),
            "Those are logarithms of probabilities. The gradient needs no logarithm.",
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
        ("rounded", 0.3, "Nearly. Give a fraction, or three digits."),
        ("without_curvature", 2, "2 belongs there. By what is it divided?"),
        ("factor_in_front", 3, "The border is the smaller the steeper the loss is."),
        (
            "place_of_the_minimum",
            5,
            "That is where the minimum is. The rate does not depend on it.",
        ),
        ("by_the_place", 2 / 5, "Where the minimum is does not count, only how steep the loss is."),
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
        ("share", 0.2, "That is the share that goes. What happens to the ones that stay?"),
        ("all_ones", 1000, "That is how many there are. How large is one that stays?"),
        ("all_dropped", 0, "The largest number is one that was not dropped."),
    ],
)


def _accuracy_follows(answer: Any) -> str | None:
    """Return what is wrong with two lists of probabilities that should disagree."""
    wanted = "give a pair of lists, with as many numbers each"
    try:
        first, second = (np.asarray(part, dtype=float) for part in answer)
    except (TypeError, ValueError):
        return wanted
    if first.ndim != 1 or first.shape != second.shape or not first.size:
        return wanted
    both = np.stack([first, second])
    if not ((both > 0) & (both <= 1)).all():
        return "each probability must be above 0 (or the loss is infinite), and at most 1"
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
