"""Exercises on faster training and several devices."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import TYPE_CHECKING, Any

import numpy as np

from convlab.check.exercise import Arguments, Chapter, random_array
from convlab.check.exercises._networks import chain, loss_and_weights, sgd

if TYPE_CHECKING:
    import torch
    from torch.nn import functional as F

chapter = Chapter("scaling")

chapter.value(
    "variance_of_all",
    title="The variance of both shares",
    minutes=4,
    text="Two processes share a batch. One sees the numbers `2 4` of a channel, the other `8 10`. "
    "With which variance does batch normalization normalize if the processes agree?",
    answer=float(np.var([2, 4, 8, 10])),
    hints=[
        "What are the mean and the variance of each share?",
        "The variance of all is the mean of the variances, plus the variance of the means.",
    ],
    explanation="1 + 9: most of the variance lies between the shares, and each of them alone "
    "cannot see it.",
    mistakes=[
        ("mean_of_variances", 1, "The shares lie in different places, and this forgets it."),
        ("variance_of_means", 9, "Within each share the numbers differ, too."),
        ("sum_of_variances", 2, "The variances are averaged; then something else is added."),
        ("sum_and_between", 11, "The variances of the shares are averaged, not added up."),
        ("unbiased", 40 / 3, "It normalizes with the mean of the squares: divide by 4."),
        ("squares_added", 40, "That is the sum of the squares. The variance is their mean."),
        ("deviation", 10**0.5, "That is the standard deviation. Asked for is its square."),
    ],
)

chapter.value(
    "next_bfloat16",
    title="The next bfloat16",
    minutes=4,
    text="A bfloat16 has 7 bits of fraction. Which number follows after 16?",
    answer=16 * (1 + 2**-7),
    hints=[
        "How is 16 written, as 1.fraction times a power of 2?",
        "The fraction grows by 1/128. By how much does the number grow?",
    ],
    explanation="The numbers from 16 to 32 lie 1/8 apart: steps of 1/128, times the 16 in front.",
    mistakes=[
        ("next_to_1", 16 + 2**-7, "That is the distance next to 1. The power of 2 stretches it."),
        ("next_after_1", 1 + 2**-7, "That follows after 1. How is 16 written?"),
        ("float16", 16 * (1 + 2**-10), "That is a float16, with 10 bits of fraction."),
        ("tenths", 16.1, "The fraction has bits, so its steps are powers of 1/2."),
        ("one_bit_less", 16 * (1 + 2**-6), "Seven bits reach to 1/128. Which step is that?"),
        ("one_bit_more", 16 * (1 + 2**-8), "Seven bits reach to 1/128. Which step is that?"),
        ("whole_number", 17, "There are numbers between 16 and 17."),
    ],
)

chapter.value(
    "predict_strides",
    title="Predict: strides in memory",
    minutes=5,
    text="What does this print?",
    code="image = torch.zeros(2, 3, 4, 5).to(memory_format=torch.channels_last)\n"
    "print(image.stride())",
    answer=(3 * 4 * 5, 1, 5 * 3, 3),
    hints=[
        "Pixel by pixel: what lies next to the red number of a pixel in memory?",
        "How many numbers further is the next pixel of the row? The next row? The next image?",
    ],
    explanation="The axes stay (N, C, H, W); only the distances in memory differ.",
    mistakes=[
        ("contiguous", (60, 20, 5, 1), "Those are the strides of PyTorch's usual order."),
        ("axes_moved", (60, 15, 3, 1), "These distances are right. But the axes keep their order."),
        ("shape", (2, 3, 4, 5), "That is the shape. A stride is a distance in memory."),
        ("shape_moved", (2, 4, 5, 3), "That is a shape. A stride is a distance in memory."),
        ("columns_first", (60, 1, 3, 12), "A row is stored pixel by pixel: columns are closer."),
        ("row_without_channels", (60, 1, 5, 3), "The next row is 5 pixels further, of 3 numbers."),
    ],
)


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


def _scales(random: Random) -> Iterator[Arguments]:
    """Yield a factor, overflows and an interval, from the simplest on."""
    yield 1024.0, [False], 2
    yield 1024.0, [True], 2
    yield 1024.0, [False, False], 2
    yield 1024.0, [True, True], 2
    yield 1024.0, [False, False, False], 2
    yield 1024.0, [False, True, False], 2
    yield 1024.0, [False] * 4, 2
    yield 8.0, [], 3
    for _ in range(40):
        steps = [random.random() < 0.2 for _ in range(random.randint(1, 20))]
        yield 2.0 ** random.randint(0, 16), steps, random.randint(1, 5)


@chapter.code(
    title="The factor of the loss scaling",
    minutes=10,
    text="Follow the factor of a `GradScaler`. `overflows` is a list with a bool for each step, "
    "in order: whether a gradient overflowed. Where it did, the factor is halved. After "
    "`interval` good steps in a row it is doubled, and the count starts again. Return the factor "
    "after all steps.",
    cases=_scales,
    hints=[
        "Besides the factor, a number must be remembered from step to step.",
        "What happens to the count of good steps when a gradient overflows? And after doubling?",
    ],
    explanation="So the factor stays just below what overflows, without anyone choosing it.",
)
def loss_scale(factor, overflows, interval):
    """Return the factor after all steps."""
    good = 0
    for overflow in overflows:
        if overflow:
            factor, good = factor / 2, 0
        else:
            good += 1
        if good == interval:
            factor, good = factor * 2, 0
    return factor


def _scaled(factor, overflows, interval, down=0.5, up=2.0, restart=(True, True), late=0):
    """Follow the factor; `restart` of the count: after an overflow, after a doubling."""
    good = 0
    for overflow in overflows:
        if overflow:
            factor, good = factor * down, 0 if restart[0] else good
            continue
        good += 1
        if good == interval + late or (good > interval and not restart[1] and late == 0):
            factor, good = factor * up, 0 if restart[1] else good
    return factor


@loss_scale.mistake("An overflow ends the row of good steps: the count starts again.")
def scale_count_survives(factor, overflows, interval):
    return _scaled(factor, overflows, interval, restart=(False, True))


@loss_scale.mistake("After a doubling the count starts again. Yours goes on.")
def scale_count_goes_on(factor, overflows, interval):
    return _scaled(factor, overflows, interval, restart=(True, False))


@loss_scale.mistake("A single doubling is not the end: after it the count starts again.")
def scale_doubled_once(factor, overflows, interval):
    good = 0
    for overflow in overflows:
        good = 0 if overflow else good + 1
        factor = factor / 2 if overflow else factor * 2 if good == interval else factor
    return factor


@loss_scale.mistake("It is doubled after `interval` good steps in a row, not after each one.")
def scale_doubled_each_time(factor, overflows, interval):
    return _scaled(factor, overflows, 1)


@loss_scale.mistake("After many good steps the factor grows again.")
def scale_never_doubled(factor, overflows, interval):
    return _scaled(factor, overflows, interval, up=1.0)


@loss_scale.mistake("When a gradient overflows, the factor was too large: halve it.")
def scale_never_halved(factor, overflows, interval):
    return _scaled(factor, overflows, interval, down=1.0)


@loss_scale.mistake("You double too late: after `interval` good steps, not after one more.")
def scale_one_step_late(factor, overflows, interval):
    return _scaled(factor, overflows, interval, late=1)


@loss_scale.mistake("You double too early: after `interval` good steps.")
def scale_one_step_early(factor, overflows, interval):
    return _scaled(factor, overflows, interval, late=-1)


@loss_scale.mistake("It is the other way round: an overflow makes the factor smaller.")
def scale_turned(factor, overflows, interval):
    return _scaled(factor, overflows, interval, down=2.0, up=0.5)


@loss_scale.mistake("True in the list means that a gradient did overflow.")
def scale_condition_turned(factor, overflows, interval):
    return _scaled(factor, [not overflow for overflow in overflows], interval)


@loss_scale.mistake("A step with an overflow is no good step: do not count it.")
def scale_overflow_counted(factor, overflows, interval):
    good = 0
    for overflow in overflows:
        factor, good = (factor / 2, 1) if overflow else (factor, good + 1)
        if good == interval:
            factor, good = factor * 2, 0
    return factor


@loss_scale.mistake("A row of good steps is wanted: an overflow ends it, and is none of them.")
def scale_every_step_counted(factor, overflows, interval):
    for step, overflow in enumerate(overflows, 1):
        factor = (factor / 2 if overflow else factor) * (2 if step % interval == 0 else 1)
    return factor


@loss_scale.mistake("Doubling belongs into the loop: it may happen several times.")
def scale_doubled_at_the_end(factor, overflows, interval):
    good = 0
    for overflow in overflows:
        factor, good = (factor / 2, 0) if overflow else (factor, good + 1)
    return factor * 2 if good >= interval else factor


@loss_scale.mistake("Do the steps count from the first on? It takes a row without an overflow.")
def scale_steps_counted(factor, overflows, interval):
    for step, overflow in enumerate(overflows, 1):
        if overflow:
            factor = factor / 2
        elif step % interval == 0:
            factor = factor * 2
    return factor


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


def _is_held(number: Any) -> str | None:
    """Return what is wrong with a whole number that float16 should not be able to hold."""
    if isinstance(number, bool) or not isinstance(number, int):
        return "give a whole number"
    if abs(number) > 65504:
        return "float16 ends at 65,504"
    return "float16 holds it exactly" if int(np.float16(number)) == number else None


chapter.search(
    "break_float16",
    title="Break it: small whole numbers are exact",
    minutes=4,
    text='Somebody counts right answers in float16: "It ends at 65,504, and up to there whole '
    'numbers are exact." Give a whole number below 65,504 that float16 rounds to another one.',
    objection=_is_held,
    example=2049,
    hints=[
        "How far apart do the numbers lie, with 10 bits of fraction, next to 1? Next to 1,024?",
        "From which power of 2 on do they lie 2 apart?",
    ],
    explanation="Up to 2,048 all whole numbers are there, then every second one, from 4,096 on "
    "every fourth.",
    mistakes=[
        ("last_exact", 2048, "Up to here all are exact. Go one further."),
        ("even", 2050, "Here the numbers lie 2 apart. Which ones are left out?"),
        ("thousand", 1000, "Ten bits of fraction reach further than that."),
        ("power", 4096, "Powers of 2 are always exact."),
        ("largest", 65504, "That is the largest one, and exact."),
        ("too_large", 70000, "That is beyond the end. Look for a number that is rounded."),
    ],
)
