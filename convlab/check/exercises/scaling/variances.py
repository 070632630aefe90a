"""One variance of several processes."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import numpy as np

from convlab.check.exercise import Arguments
from convlab.check.exercises.scaling.values import chapter


def _shares(random: Random) -> Iterator[Arguments]:
    """Yield means and variances of shares, from the simplest on."""
    yield [3.0], [4.0]
    yield [3.0, 3.0], [4.0, 6.0]
    yield [3.0, 5.0], [0.0, 0.0]
    yield [2.0, 6.0], [1.0, 3.0]
    yield [0.0, 3.0, 6.0], [1.0, 1.0, 4.0]
    for _ in range(30):
        count = random.randint(1, 5)
        means = [float(random.randint(-5, 5)) for _ in range(count)]
        yield means, [float(random.randint(0, 9)) for _ in range(count)]


@chapter.code(
    title="One variance of several",
    minutes=6,
    text="Several processes share a batch in equal parts. `means` and `variances`, both lists, "
    "have the mean and the variance of each part, the latter divided by the number of its "
    "members. Return the variance of the whole batch, in the same sense, as a float.",
    cases=_shares,
    imports="import numpy as np",
    hints=[
        "What is missing in the mean of the variances?",
        "How far apart do the parts lie? Their means have a variance, too.",
    ],
    explanation="Processes that exchange only their variances forget that their shares lie in "
    "different places.",
)
def joint_variance(means, variances):
    """Return the variance of all parts together."""
    return float(np.mean(variances) + np.var(means))


@joint_variance.mistake("The parts lie in different places. That makes the whole vary more.")
def mean_of_variances(means, variances):
    return float(np.mean(variances))


@joint_variance.mistake("Within the parts the numbers vary, too.")
def variance_of_means(means, variances):
    return float(np.var(means))


@joint_variance.mistake("The variances of the parts are averaged, not added up.")
def sum_of_variances(means, variances):
    return float(np.sum(variances) + np.var(means))


@joint_variance.mistake("The variances are averaged, not added. And how far apart are the parts?")
def sum_of_variances_only(means, variances):
    return float(np.sum(variances))


@joint_variance.mistake("The variance between the means is divided by their number, not one less.")
def unbiased_between(means, variances):
    between = np.var(means, ddof=1) if len(means) > 1 else 0.0
    return float(np.mean(variances) + between)


@joint_variance.mistake("The means differ by their variance, not by its root.")
def deviation_between(means, variances):
    return float(np.mean(variances) + np.std(means))


@joint_variance.mistake("What is added is the variance of the means, not their mean.")
def mean_of_means_added(means, variances):
    return float(np.mean(variances) + np.mean(means))


@joint_variance.mistake("How far are the means from their mean? Subtract it before you square.")
def squares_of_means_added(means, variances):
    return float(np.mean(variances) + np.mean(np.square(means)))


@joint_variance.mistake("What lies between the parts is added, not subtracted.")
def between_subtracted(means, variances):
    return float(np.mean(variances) - np.var(means))


@joint_variance.mistake("You take the variance of the variances. That of the means is meant.")
def variance_of_variances(means, variances):
    return float(np.mean(variances) + np.var(variances))


@joint_variance.mistake("Take the mean of the squared distances of the means, not their sum.")
def distances_summed(means, variances):
    return float(np.mean(variances) + len(means) * np.var(means))


@joint_variance.mistake("The mean over the parts is missing: divide by their number.")
def not_divided(means, variances):
    return float(np.sum(variances) + len(means) * np.var(means))


@joint_variance.mistake("The two parts of the variance are added, not multiplied.")
def parts_multiplied(means, variances):
    return float(np.mean(variances) * np.var(means))


@joint_variance.mistake("A variance is a mean of squares. How large are those of the distances?")
def range_of_means_added(means, variances):
    return float(np.mean(variances) + max(means) - min(means))


@joint_variance.mistake("That is the standard deviation. The variance is asked for.")
def deviation_returned(means, variances):
    return float(np.sqrt(joint_variance.solution(means, variances)))
