"""Exercises on what layers do with the signal."""

from __future__ import annotations

import math
from collections.abc import Iterator
from random import Random
from typing import Any

import numpy as np

from convlab.check.exercise import Arguments, Mistake
from convlab.check.exercises.init.values import chapter


def _stacks(random: Random) -> Iterator[Arguments]:
    """Yield a mean square and layers, from the simplest on; the numbers are exact in float64."""
    yield 1.0, [(8, 0.5)]
    yield 3.0, [(8, 0.25)]
    yield 1.0, [(16, 0.5), (4, 0.5)]
    yield 5.0, []
    yield 1.0, [(4, 0.125)] * 20
    for _ in range(30):
        count = random.randint(1, 8)
        yield (
            float(random.randint(1, 9)),
            [(random.randint(1, 64), 2.0 ** -random.randint(1, 6)) for _ in range(count)],
        )


@chapter.code(
    title="Through a stack",
    minutes=7,
    text="A stack is a list of layers, each a convolution without bias and a ReLU. A layer is a "
    "tuple `(fan_in, std)`, where `std` is the standard deviation of its weights. Return the mean "
    "square to expect behind the last ReLU, for an input with the mean square `mean_square`.",
    cases=_stacks,
    hints=[
        "What does one layer do with the mean square? There are three factors.",
        "The output of a layer is the input of the next one.",
    ],
    explanation="The factors multiply. If each is a little below 1, the signal vanishes; if each "
    "is a little above, it explodes.",
)
def signal_after(mean_square, layers):
    """Return the mean square behind the last ReLU."""
    for fan_in, std in layers:
        mean_square = mean_square * fan_in * std**2 / 2
    return mean_square


@signal_after.mistake("The ReLU behind each layer drops half of the mean square.")
def signal_relu_forgotten(mean_square, layers):
    for fan_in, std in layers:
        mean_square = mean_square * fan_in * std**2
    return mean_square


@signal_after.mistake("The mean square of the weights is the square of their standard deviation.")
def signal_std_not_squared(mean_square, layers):
    for fan_in, std in layers:
        mean_square = mean_square * fan_in * std / 2
    return mean_square


@signal_after.mistake("The mean square of the weights is the square of `std`, not its root.")
def signal_root_of_std(mean_square, layers):
    for fan_in, std in layers:
        mean_square = mean_square * fan_in * math.sqrt(std) / 2
    return mean_square


@signal_after.mistake("There is a ReLU behind each layer, not only behind the last.")
def signal_one_relu(mean_square, layers):
    for fan_in, std in layers:
        mean_square = mean_square * fan_in * std**2
    return mean_square / 2


@signal_after.mistake("You return after the first layer: is the `return` inside of the loop?")
def signal_returned_in_the_loop(mean_square, layers):
    for fan_in, std in layers:
        return mean_square * fan_in * std**2 / 2
    return mean_square


@signal_after.mistake("Each layer reads what the layer before it leaves, not the input.")
def signal_every_layer_reads_the_input(mean_square, layers):
    last = mean_square
    for fan_in, std in layers:
        last = mean_square * fan_in * std**2 / 2
    return last


@signal_after.mistake("Each sum adds up `fan_in` products.")
def signal_fan_in_forgotten(mean_square, layers):
    for _, std in layers:
        mean_square = mean_square * std**2 / 2
    return mean_square


@signal_after.mistake("Larger weights make a larger signal: where is `std`?")
def signal_std_forgotten(mean_square, layers):
    for fan_in, _ in layers:
        mean_square = mean_square * fan_in / 2
    return mean_square


@signal_after.mistake("A layer multiplies the mean square of what enters it. Where is that?")
def signal_input_forgotten(mean_square, layers):
    for fan_in, std in layers:
        mean_square = fan_in * std**2 / 2
    return mean_square


@signal_after.mistake("A mean square is squared already: it enters as it is.")
def signal_squared_again(mean_square, layers):
    for fan_in, std in layers:
        mean_square = mean_square**2 * fan_in * std**2 / 2
    return mean_square


@signal_after.mistake("The ReLU leaves half of the mean square, not a quarter.")
def signal_quartered(mean_square, layers):
    for fan_in, std in layers:
        mean_square = mean_square * fan_in * std**2 / 4
    return mean_square


@signal_after.mistake("Each layer multiplies the mean square by a factor. It adds nothing.")
def signal_added(mean_square, layers):
    for fan_in, std in layers:
        mean_square = mean_square + fan_in * std**2 / 2
    return mean_square


@signal_after.mistake("The mean squares of `fan_in` products add up: multiply by it.")
def signal_divided_by_fan_in(mean_square, layers):
    for fan_in, std in layers:
        mean_square = mean_square * std**2 / fan_in / 2
    return mean_square


@signal_after.mistake("`fan_in` is a number of products. Only the weights are squared.")
def signal_fan_in_squared(mean_square, layers):
    for fan_in, std in layers:
        mean_square = mean_square * (fan_in * std) ** 2 / 2
    return mean_square


@signal_after.mistake("A mean square is asked for: there is no root to take.")
def signal_root_taken(mean_square, layers):
    return math.sqrt(signal_after.solution(mean_square, layers))


@signal_after.mistake("2 / fan_in is Kaiming's variance. Here the weights have their own.")
def signal_of_kaiming(mean_square, layers):
    for fan_in, _ in layers:
        mean_square = mean_square * 2 / fan_in
    return mean_square


@signal_after.mistake("A layer is `(fan_in, std)`, in this order.")
def signal_pair_exchanged(mean_square, layers):
    return signal_after.solution(mean_square, [layer[::-1] for layer in layers])


@signal_after.mistake("The ReLU halves the mean square. The root of 2 belongs to the deviation.")
def signal_relu_by_root(mean_square, layers):
    return signal_after.solution(mean_square, layers) * math.sqrt(2) ** len(layers)


@signal_after.mistake("One number is wanted, that behind the last layer.")
def signal_of_each_layer(mean_square, layers):
    return [signal_after.solution(mean_square, layers[: n + 1]) for n in range(len(layers))]


def _known(hint, **answers):
    """Enter known mistakes that share a hint."""
    for name, answer in answers.items():
        signal_after.mistakes.append(Mistake(f"signal_{name}", hint, answer))


def _by(factor):
    """Return a function that multiplies by another factor in each layer."""
    return lambda mean_square, layers: mean_square * math.prod(factor(*layer) for layer in layers)


def _factor(fan_in, std):
    return fan_in * std**2 / 2


_known(
    "Half of the mean square is left by each ReLU: divide by 2, exactly that.",
    doubled=_by(lambda n, std: n * std**2 * 2),
    third=_by(lambda n, std: n * std**2 / 3),
    squared_with_the_half=_by(lambda n, std: (n * std / 2) ** 2),
    std_halved=_by(lambda n, std: n * (std / 2) ** 2 / 2),
    halved_once_for_all_layers=lambda m, layers: (
        m * math.prod(n * std**2 for n, std in layers) / (2 * len(layers) or 1)
    ),
    first_relu_left=lambda m, layers: signal_after.solution(m, layers) * (2 if layers else 1),
    relu_drops_all=lambda m, layers: 0.0 if layers else m,
)
_known(
    "Both the fan in and `std` make the mean square: fan in as it is, `std` squared.",
    std_and_relu_forgotten=_by(lambda n, std: n),
    std_to_the_fourth=_by(lambda n, std: n * std**4 / 2),
    divided_by_std=_by(lambda n, std: n / std**2 / 2),
    root_of_fan_in=_by(lambda n, std: math.sqrt(n) * std**2 / 2),
    fan_in_and_square_forgotten=_by(lambda n, std: std / 2),
    relu_and_square_forgotten=_by(lambda n, std: n * std),
    fan_in_and_relu_forgotten=_by(lambda n, std: std**2),
    mean_of_products=_by(lambda n, std: std**2 / n),
    relu_forgotten_and_fan_in_squared=_by(lambda n, std: (n * std) ** 2),
)
_known(
    "The mean square is asked for, in every layer: there is no root to take.",
    of_deviations=_by(lambda n, std: math.sqrt(n) * std / math.sqrt(2)),
    of_deviations_halved=_by(lambda n, std: math.sqrt(n) * std / 2),
    of_deviations_without_relu=_by(lambda n, std: math.sqrt(n) * std),
    root_of_factor_halved=_by(lambda n, std: math.sqrt(n * std**2 / 2) / 2),
    root_of_the_input=lambda m, layers: math.sqrt(m) * math.prod(_factor(*one) for one in layers),
)
_known(
    "A mean square is squared already: it enters as it is.",
    input_squared=lambda m, layers: m**2 * math.prod(_factor(*one) for one in layers),
    result_squared=lambda m, layers: signal_after.solution(m, layers) ** 2,
)
_known(
    "All layers multiply what has entered the first one. Where is `mean_square`?",
    input_ignored=lambda m, layers: math.prod(_factor(*one) for one in layers),
    input_ignored_without_relu=lambda m, layers: math.prod(n * std**2 for n, std in layers),
)
_known(
    "The layers work one after the other: their factors are multiplied, not added.",
    factors_added=lambda m, layers: m * sum(_factor(*one) for one in layers),
    added_to_itself=lambda m, layers: m * math.prod(1 + _factor(*one) for one in layers),
    layers_added=lambda m, layers: sum(
        signal_after.solution(m, layers[: i + 1]) for i in range(len(layers))
    ),
    input_and_layers_added=lambda m, layers: sum(
        signal_after.solution(m, layers[:i]) for i in range(len(layers) + 1)
    ),
    factors_averaged=lambda m, layers: (
        m * sum(_factor(*one) for one in layers) / (len(layers) or 1)
    ),
    sums_of_settings=lambda m, layers: m * sum(n for n, _ in layers) * sum(s**2 for _, s in layers),
)
_known(
    "Every layer of the list counts: yours leaves out the last one, or the first.",
    without_the_last=lambda m, layers: signal_after.solution(m, layers[:-1]),
    without_the_first=lambda m, layers: signal_after.solution(m, layers[1:]),
)
_known(
    "The result is not divided by the number of layers: it is that behind the last one.",
    averaged_over_layers=lambda m, layers: signal_after.solution(m, layers) / (len(layers) or 1),
)
_known(
    "Without a layer nothing happens: the answer is `mean_square` itself.",
    nothing_for_no_layers=lambda m, layers: signal_after.solution(m, layers) if layers else 0.0,
    one_for_no_layers=lambda m, layers: signal_after.solution(m, layers) if layers else 1.0,
)
_known(
    "The weights have their own `std`. Xavier and Kaiming choose it, and here it is given.",
    of_lecun=_by(lambda n, std: 1 / n),
    of_kaiming_std=_by(lambda n, std: math.sqrt(2 / n) * std),
)


def _keeps_the_signal(answer: Any) -> str | None:
    """Return what is wrong with channels between which the signal should shrink."""
    numbers = np.asarray(answer)
    if numbers.shape != (2,) or numbers.dtype.kind != "i":
        return "give two ints, (in_channels, out_channels)"
    in_channels, out_channels = numbers.tolist()
    if in_channels < 1 or out_channels < 1:
        return "a layer has at least one channel"
    share = in_channels / out_channels  # fan_in * (2 / fan_out) / 2
    if share < 0.1:
        return None
    if share == 1:
        return "the mean square stays as it is, since the two modes are the same here"
    if share > 1:
        return f"the mean square grows, to {share:.4g} of what it was"
    return f"{share:.4g} of the mean square is left, and it must be less than 0.1"


chapter.search(
    "break_fan_out",
    title="Break it: always fan_out",
    minutes=5,
    text='Somebody fills every layer with `kaiming_normal_(weight, mode="fan_out")`: "Either mode '
    'keeps the size of the signal." Give a pair `(in_channels, out_channels)` for a 3×3 '
    "convolution behind which, after its ReLU, less than a tenth of the mean square is left.",
    objection=_keeps_the_signal,
    example=(3, 64),
    hints=[
        "The variance is now 2 / fan_out. What is fan_in times that, halved?",
        "The size of the kernel cancels. What is left is a ratio of channels.",
    ],
    explanation="The mean square is multiplied by in_channels / out_channels. That happens mostly "
    "in the first layer, so over a whole network either mode will do.",
    mistakes=[
        ("channels_kept", (64, 64), "With as many channels in as out, the two modes are the same."),
        ("explodes", (64, 3), "Here the signal grows. Which of the two must be larger?"),
        ("not_enough", (32, 64), "The signal shrinks, but not yet to a tenth."),
        ("doubled", (64, 128), "The signal shrinks, but not yet to a tenth."),
        ("from_rgb", (3, 16), "The signal shrinks, but not yet to a tenth."),
        ("a_tenth", (1, 10), "That is exactly a tenth, and less is wanted."),
        ("a_tenth_of_100", (10, 100), "That is exactly a tenth, and less is wanted."),
        ("rgb_reversed", (16, 3), "Here the signal grows. Which of the two must be larger?"),
        ("to_one", (64, 1), "Here the signal grows. Which of the two must be larger?"),
        ("one_to_one", (1, 1), "With as many channels in as out, the two modes are the same."),
    ],
)
