"""Exercise: the loss of an epoch."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from convlab.check.exercise import Arguments
from convlab.check.exercises.training.values import chapter


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


@epoch_mean.mistake("All batches count, the last one, too.")
def last_batch_left_out(losses, batch_sizes):
    return epoch_mean.solution(losses[:-1], batch_sizes[:-1])


@epoch_mean.mistake("All images are counted, but the losses of the last batch are left out.")
def last_loss_left_out(losses, batch_sizes):
    return not_divided(losses[:-1], batch_sizes[:-1]) / sum(batch_sizes)


@epoch_mean.mistake("All batches count, the first one, too: its number is 0.")
def first_batch_left_out(losses, batch_sizes):
    return epoch_mean.solution(losses[1:], batch_sizes[1:])


@epoch_mean.mistake("All images are counted, but the losses of the first batch are left out.")
def first_loss_left_out(losses, batch_sizes):
    return not_divided(losses[1:], batch_sizes[1:]) / sum(batch_sizes)


@epoch_mean.mistake("You return the loss of the first batch. Go through all of them.")
def first_batch_only(losses, batch_sizes):
    return losses[0]


@epoch_mean.mistake("Each loss is a mean already. Multiply by the size, do not divide.")
def divided_by_sizes(losses, batch_sizes):
    return sum(loss / size for loss, size in zip(losses, batch_sizes, strict=True)) / len(losses)


@epoch_mean.mistake("Each loss is a mean already. Multiply by the size, do not divide.")
def divided_by_sizes_and_images(losses, batch_sizes):
    total = sum(loss / size for loss, size in zip(losses, batch_sizes, strict=True))
    return total / sum(batch_sizes)


@epoch_mean.mistake("Each loss is a mean already. Multiply by the size, do not divide.")
def divided_by_sizes_only(losses, batch_sizes):
    return sum(loss / size for loss, size in zip(losses, batch_sizes, strict=True))


@epoch_mean.mistake("So later batches count more than earlier ones. Add up, and divide at the end.")
def halved_each_time(losses, batch_sizes):
    mean = losses[0]
    for loss in losses[1:]:
        mean = (mean + loss) / 2
    return mean


@epoch_mean.mistake("So later batches count more than earlier ones. Add up, and divide at the end.")
def halved_each_time_from_0(losses, batch_sizes):
    mean = 0.0
    for loss in losses:
        mean = (mean + loss) / 2
    return mean


@epoch_mean.mistake("The division stands behind the loop, once: you divide again for each batch.")
def divided_in_the_loop(losses, batch_sizes):
    total, count = 0.0, 0
    for loss, size in zip(losses, batch_sizes, strict=True):
        count += size
        total = (total + loss * size) / count
    return total


def _rounded(digits):
    def rounded(losses, batch_sizes):
        return round(epoch_mean.solution(losses, batch_sizes), digits)

    rounded.__name__ = f"rounded_to_{digits}"
    return rounded


for _digits in (0, 1, 2, 3, 4):
    epoch_mean.mistake("Return the mean as it is, without rounding.")(_rounded(_digits))


@epoch_mean.mistake("All sizes multiply their own loss, not the sum of all losses.")
def sums_multiplied(losses, batch_sizes):
    return sum(losses) * sum(batch_sizes)


@epoch_mean.mistake("The sum over all images is divided by their number, not by a batch size.")
def divided_by_first_size(losses, batch_sizes):
    return not_divided(losses, batch_sizes) / batch_sizes[0]


@epoch_mean.mistake("The sum over all images is divided by their number, not by a batch size.")
def divided_by_last_size(losses, batch_sizes):
    return not_divided(losses, batch_sizes) / batch_sizes[-1]


@epoch_mean.mistake("Each batch has its own size. You take the last one for all.")
def size_of_the_last(losses, batch_sizes):
    return sum(losses) * batch_sizes[-1] / sum(batch_sizes)


@epoch_mean.mistake("The mean of all is asked for, not the smallest or the largest loss.")
def largest_loss(losses, batch_sizes):
    return max(losses)


@epoch_mean.mistake("The mean of all is asked for, not the smallest or the largest loss.")
def smallest_loss(losses, batch_sizes):
    return min(losses)


@epoch_mean.mistake("The mean over all images is asked for, not the median of the batches.")
def median_of_batches(losses, batch_sizes):
    ordered = sorted(losses)
    return (ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2


@epoch_mean.mistake("That is the number of images. Their losses are wanted.")
def number_of_images(losses, batch_sizes):
    return float(sum(batch_sizes))
