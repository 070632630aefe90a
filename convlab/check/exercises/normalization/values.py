"""Values to work out: means and variances of a batch."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convlab.check.exercise import Chapter

chapter = Chapter("normalization")

_BATCH = np.array([[1.0, 9.0], [15.0, 7.0]])  # two images of two pixels


def _normalized(x: NDArray[np.float64], correction: int = 0, axis: int | None = None) -> Any:
    std = x.std(axis=axis, ddof=correction, keepdims=True)
    return (x - x.mean(axis=axis, keepdims=True)) / std


def _numbers(array: Any) -> tuple[float, ...]:
    return tuple(float(number) for number in np.ravel(array).round(9))


chapter.value(
    "normalize_by_hand",
    title="Normalize a batch",
    minutes=6,
    text="One channel, a batch of two images of two pixels each. Image 0 is `1 9`, image 1 `15 7`. "
    "They go through an `nn.BatchNorm2d(1)` in training mode, with the weight 10 and the bias 2. "
    "Give the four outputs, image 0 first. (Leave out the small eps.)",
    answer=_numbers(10 * _normalized(_BATCH) + 2),
    tolerance=0.02,
    hints=[
        "All four numbers belong to one channel. What is their mean, and what is the mean of the "
        "squared distances from it?",
        "Subtract the mean, divide by the standard deviation. Then multiply, and then add.",
    ],
    explanation="The mean is 8, the variance 25: the layer computes 10 · (x - 8) / 5 + 2.",
    mistakes=[
        (
            "affine_forgotten",
            _numbers(_normalized(_BATCH)),
            "So far it is right. Now the weight and the bias.",
        ),
        (
            "each_image_alone",
            _numbers(10 * _normalized(_BATCH, axis=1) + 2),
            "All four numbers of the channel share one mean, whatever their image and place.",
        ),
        (
            "unbiased",
            _numbers(10 * _normalized(_BATCH, correction=1) + 2),
            "The layer normalizes with the mean of the squares: divide by 4, not by 3.",
        ),
        (
            "variance_in_place_of_deviation",
            _numbers(10 * (_BATCH - 8) / 25 + 2),
            "Divide by the standard deviation, the root of the variance.",
        ),
        (
            "bias_before_weight",
            _numbers(10 * (_normalized(_BATCH) + 2)),
            "First multiply by the weight, then add the bias.",
        ),
        (
            "bias_forgotten",
            _numbers(10 * _normalized(_BATCH)),
            "The bias is missing: it is added in the end.",
        ),
        (
            "weight_forgotten",
            _numbers(_normalized(_BATCH) + 2),
            "The weight is missing: multiply by it before you add the bias.",
        ),
        (
            "weight_and_bias_exchanged",
            _numbers(2 * _normalized(_BATCH) + 10),
            "The weight 10 multiplies, the bias 2 is added.",
        ),
        (
            "not_divided",
            _numbers(10 * (_BATCH - 8) + 2),
            "Before the weight there is a division, by the standard deviation.",
        ),
        (
            "mean_not_subtracted",
            _numbers(10 * _BATCH / 5 + 2),
            "Subtract the mean before you divide.",
        ),
        (
            "squares_added_up",
            _numbers(10 * (_BATCH - 8) / 10 + 2),
            "The variance is the mean of the squares, so divide their sum by 4.",
        ),
        (
            "mean_distance",
            _numbers(10 * (_BATCH - 8) / 4 + 2),
            "The deviation is the root of the mean square. You take the mean distance.",
        ),
        (
            "mean_minus_number",
            _numbers(-10 * _normalized(_BATCH) + 2),
            "The mean is subtracted from each number, not the other way round.",
        ),
        (
            "multiplied_by_the_deviation",
            _numbers(10 * (_BATCH - 8) * 5 + 2),
            "Divide by the standard deviation. You multiply by it.",
        ),
        (
            "affine_only",
            _numbers(10 * _BATCH + 2),
            "In training mode, mean and variance are those of the batch.",
        ),
        ("mean_subtracted_only", _numbers(_BATCH - 8), "That is the first step. Now divide."),
        (
            "unbiased_affine_forgotten",
            _numbers(_normalized(_BATCH, correction=1)),
            "Divide the sum of the squares by 4, not by 3. Then come the weight and the bias.",
        ),
        (
            "relu",
            _numbers(np.maximum(10 * _normalized(_BATCH) + 2, 0)),
            "Nothing is cut off at zero: there is no ReLU in the layer.",
        ),
        (
            "image_by_image_order",
            _numbers((10 * _normalized(_BATCH) + 2).T),
            "The numbers are right, their order is not: image 0 first, then image 1.",
        ),
    ],
)

_MEAN, _VAR = 20, 6  # remembered


def _moved(mean: float, variance: float, share: float = 0.1) -> tuple[float, float]:
    """Return the running statistics after a batch with this mean and variance."""
    return (1 - share) * _MEAN + share * mean, (1 - share) * _VAR + share * variance


chapter.value(
    "running_by_hand",
    title="What the layer remembers",
    minutes=5,
    text="A layer with `momentum=0.1` remembers the mean 20 and the variance 6 of a channel. In "
    "training mode a batch arrives with the numbers `3 5 5 5 7` in this channel. Give the running "
    "mean and the running variance after that.",
    answer=_moved(5, 2),
    tolerance=0.001,
    hints=[
        "What are mean and variance of the batch? Careful: it remembers another variance than the "
        "one with which it normalizes.",
        "Nine tenths of the old number stay, one tenth of the new one comes in.",
    ],
    explanation="The squares of the distances add up to 8. The layer remembers 8/4, and normalizes "
    "with 8/5.",
    mistakes=[
        (
            "biased",
            _moved(5, 1.6),
            "For what it remembers, the layer divides the squares by one less than their number.",
        ),
        (
            "momentum_exchanged",
            _moved(5, 2, 0.9),
            "In this layer `momentum` is the share of the new.",
        ),
        (
            "momentum_exchanged_and_biased",
            _moved(5, 1.6, 0.9),
            "In this layer `momentum` is the share of the new.",
        ),
        ("new_layer", (0.5, 1.1), "This layer is not new: it remembers 20 and 6."),
        ("new_layer_biased", (0.5, 1.06), "This layer is not new: it remembers 20 and 6."),
        ("replaced", (5, 2), "The layer does not forget what it has met before this batch."),
        (
            "replaced_biased",
            (5, 1.6),
            "The layer does not forget what it has met before this batch.",
        ),
        ("added", (20.5, 6.2), "Only nine tenths of the old number stay."),
        ("added_biased", (20.5, 6.16), "Only nine tenths of the old number stay."),
        (
            "subtracted",
            (19.5, 5.8),
            "Nine tenths of the old stay, and a tenth of the new is added.",
        ),
        ("nothing_changes", (20, 6), "In training mode, every batch moves the running statistics."),
        ("averaged", (12.5, 4), "Old and new do not count alike here: `momentum` is 0.1."),
        ("old_only", (18, 5.4), "That stays of the old. A tenth of the new comes in."),
        ("new_only", (0.5, 0.2), "That comes in. How much of the old stays?"),
        ("variance_kept", (18.5, 6), "The variance moves as the mean does."),
        ("mean_kept", (20, 5.6), "The mean moves as the variance does."),
        (
            "deviation",
            _moved(5, math.sqrt(2)),
            "What is remembered is the variance, not the standard deviation.",
        ),
        (
            "biased_deviation",
            _moved(5, math.sqrt(1.6)),
            "What is remembered is the variance, not the standard deviation.",
        ),
        ("squares_added_up", _moved(5, 8), "8 is the sum of the squares. A variance divides it."),
        (
            "distances_from_the_running_mean",
            _moved(5, (17**2 + 3 * 15**2 + 13**2) / 5),
            "The variance of the batch is that around its own mean, 5.",
        ),
        (
            "distances_from_the_running_mean_unbiased",
            _moved(5, (17**2 + 3 * 15**2 + 13**2) / 4),
            "The variance of the batch is that around its own mean, 5.",
        ),
        ("exchanged", _moved(5, 2)[::-1], "First the mean, then the variance."),
        ("sum_of_batch", _moved(25, 2), "25 is the sum of the five numbers. And their mean?"),
    ],
)

chapter.value(
    "predict_batches_seen",
    title="Predict: how many batches it has seen",
    minutes=3,
    text="What does this print?",
    code="bn = nn.BatchNorm2d(3)\n"
    "with torch.no_grad():\n"
    "    for _ in range(4):\n"
    "        bn(torch.rand(8, 3, 5, 5))\n"
    "bn.eval()\n"
    "bn(torch.rand(8, 3, 5, 5))\n"
    "print(bn.num_batches_tracked.item())",
    answer=4,
    hints=[
        "Which of the two switches the layer to its running statistics, `no_grad` or `eval`?",
        "In training mode, every call moves the running statistics.",
    ],
    explanation="`torch.no_grad()` leaves the mode alone. Only `eval()` stops the statistics.",
    mistakes=[
        ("no_grad_stops", 0, "`torch.no_grad()` stops gradients. The statistics are none."),
        ("eval_counted", 5, "In eval mode the layer uses what it remembers, and changes nothing."),
        (
            "only_eval_counted",
            1,
            "In which mode does a new layer begin? What does eval mode do?",
        ),
        ("images_counted", 32, "It counts batches, not images."),
        ("images_and_eval_counted", 40, "It counts batches, not images, and none in eval mode."),
        ("channels", 3, "It counts batches. How often is the layer called in training mode?"),
        ("images_of_a_batch", 8, "It counts batches, not the images of one."),
    ],
)
