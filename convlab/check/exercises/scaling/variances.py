"""Exercise: one variance of several processes."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import numpy as np

from convlab.check.exercise import Arguments
from convlab.check.exercises.scaling.values import chapter


def _shares(random: Random) -> Iterator[Arguments]:
    """Yield means and variances of shares, from the simplest on."""
    yield [3.0], [4.0]
    yield [3.0, 3.0], [4.0, 10.0]
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


@joint_variance.mistake(
    "The parts lie in different places. That counts, and does not cancel out: squares do not."
)
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


@joint_variance.mistake("The distances of the means from their mean are squared.")
def distances_not_squared(means, variances):
    return float(np.mean(variances) + np.mean(np.abs(means - np.mean(means))))


@joint_variance.mistake("There may be any number of parts, also a single one. Not always two.")
def two_parts_assumed(means, variances):
    return (variances[0] + variances[1]) / 2 + ((means[0] - means[1]) / 2) ** 2


@joint_variance.mistake("Divide by the number of parts, which is not always 2.")
def divided_by_two(means, variances):
    return float(np.sum(variances) + len(means) * np.var(means)) / 2


@joint_variance.mistake("That is right for two parts at most. All means lie around a common one.")
def range_halved(means, variances):
    return float(np.mean(variances)) + ((max(means) - min(means)) / 2) ** 2


@joint_variance.mistake("So a later part counts more than an earlier one. All parts are equal.")
def joined_one_by_one(means, variances):
    mean, variance = means[0], variances[0]
    for m, v in zip(means[1:], variances[1:], strict=True):
        mean, variance = (mean + m) / 2, (variance + v) / 2 + ((mean - m) / 2) ** 2
    return variance


@joint_variance.mistake("The variances are given as such: do not square them.")
def variances_squared(means, variances):
    return float(np.mean(np.square(variances)) + np.var(means))


@joint_variance.mistake("The variances are averaged, not their roots.")
def deviations_averaged(means, variances):
    return float(np.mean(np.sqrt(variances)) ** 2 + np.var(means))


@joint_variance.mistake("The variances are averaged as they are, without a root.")
def roots_of_variances(means, variances):
    return float(np.mean(np.sqrt(variances)) + np.var(means))


@joint_variance.mistake("Means and variances are not of one kind: two terms are added in the end.")
def means_and_variances_in_one_list(means, variances):
    return float(np.var(means + variances))


@joint_variance.mistake("A mean and a variance are not added. What of the means counts?")
def variance_of_sums(means, variances):
    return float(np.var(np.add(means, variances)))


@joint_variance.mistake("All are divided by their number, not by one less.")
def all_unbiased(means, variances):
    total = sum(variances) + len(means) * float(np.var(means))
    return total / (len(means) - 1)


@joint_variance.mistake("All are divided by their number, not by one less.")
def all_unbiased_in_numpy(means, variances):
    total = np.sum(variances) + len(means) * np.var(means)
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(total / (len(means) - 1))


@joint_variance.mistake("The variances of the parts are divided by their number, not by one less.")
def unbiased_within(means, variances):
    return sum(variances) / (len(means) - 1) + float(np.var(means))


@joint_variance.mistake("The variance between the means is divided by their number, not one less.")
def unbiased_between_without_guard(means, variances):
    between = len(means) * float(np.var(means)) / (len(means) - 1)
    return float(np.mean(variances)) + between


@joint_variance.mistake("The variances of the parts are divided by their number once, not twice.")
def within_divided_twice(means, variances):
    return float(np.mean(variances) / len(means) + np.var(means))


@joint_variance.mistake("The variance of the means is a mean already: do not divide it again.")
def between_divided_twice(means, variances):
    return float(np.mean(variances) + np.var(means) / len(means))


@joint_variance.mistake("Both terms are means already: nothing is divided again.")
def both_divided_twice(means, variances):
    return joint_variance.solution(means, variances) / len(means)


@joint_variance.mistake("The mean is rarely a whole number: `//` cuts its fraction off.")
def mean_cut_off(means, variances):
    squares = np.square(np.subtract(means, np.sum(means) // len(means)))
    return float(np.mean(variances) + np.mean(squares))


@joint_variance.mistake("Nothing is cut off: `//` takes the fraction away.")
def result_cut_off(means, variances):
    return joint_variance.solution(means, variances) // 1


@joint_variance.mistake("All parts count, not only the one with the largest variance.")
def largest_variance(means, variances):
    return max(variances)


@joint_variance.mistake("That is the mean of the batch. Its variance is asked for.")
def mean_of_all(means, variances):
    return float(np.mean(means))


@joint_variance.mistake("The mean is squared, too, before it is subtracted.")
def mean_not_squared(means, variances):
    return float(np.mean(variances) + np.mean(np.square(means)) - np.mean(means))


@joint_variance.mistake("The square of the mean is subtracted, not that of the sum.")
def square_of_the_sum_subtracted(means, variances):
    return float(np.mean(variances) + np.mean(np.square(means)) - np.sum(means) ** 2)


@joint_variance.mistake("What is subtracted is the square of the mean, once: its sign is turned.")
def square_of_the_mean_added(means, variances):
    return float(np.mean(variances) + np.mean(np.square(means)) + np.mean(means) ** 2)


@joint_variance.mistake("Of the means, the variance is added. You have added their squared mean.")
def squared_mean_added(means, variances):
    return float(np.mean(variances) + np.mean(means) ** 2)


@joint_variance.mistake("How far is each mean from the mean of all, not from the first one?")
def distances_from_the_first(means, variances):
    return float(np.mean(variances) + np.mean(np.square(np.subtract(means, means[0]))))


@joint_variance.mistake("How far is each mean from the mean of all, not from its neighbour?")
def distances_of_neighbours(means, variances):
    return float(np.mean(variances) + np.sum(np.square(np.diff(means))) / len(means))


@joint_variance.mistake("What lies between the parts is missing, and all parts count.")
def first_variance(means, variances):
    return variances[0]


@joint_variance.mistake("The terms are added; no mean over the two is taken.")
def mean_of_both_terms(means, variances):
    return joint_variance.solution(means, variances) / 2


@joint_variance.mistake("All variances are averaged: only the last one is left (`=` or `+=`?).")
def last_variance_only(means, variances):
    return float(variances[-1] + np.var(means))


@joint_variance.mistake("The variances are averaged. What you take is the variance of them.")
def variance_of_variances_only(means, variances):
    return float(np.var(variances))


@joint_variance.mistake("The variances are averaged as they are, without a root.")
def root_of_mean_variance(means, variances):
    return float(np.sqrt(np.mean(variances)) + np.var(means))


@joint_variance.mistake("The variance of the means is a square already: do not square it again.")
def between_squared(means, variances):
    return float(np.mean(variances) + np.var(means) ** 2)


@joint_variance.mistake("The variances are averaged: their mean, not their median.")
def median_variance(means, variances):
    return float(np.median(variances) + np.var(means))


@joint_variance.mistake("The variances are averaged: their mean, not the largest one.")
def largest_variance_and_between(means, variances):
    return float(max(variances) + np.var(means))


@joint_variance.mistake("All parts count, in a mean, not only the one that lies furthest out.")
def furthest_part(means, variances):
    return float(np.max(np.add(variances, np.square(np.subtract(means, np.mean(means))))))


@joint_variance.mistake("The variances are averaged. You take the variance of them, too.")
def variance_of_both_lists(means, variances):
    return float(np.var(variances) + np.var(means))
