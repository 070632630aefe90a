"""Exercises on normalization."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convlab.check.exercise import Arguments, Chapter, random_array

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
            "All four numbers of the channel share one mean, whichever image they are from.",
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
    ],
)

chapter.value(
    "running_by_hand",
    title="What the layer remembers",
    minutes=5,
    text="A layer with `momentum=0.1` remembers the mean 10 and the variance 4 of a channel. In "
    "training mode a batch arrives with the numbers `3 5 5 5 7` in this channel. Give the running "
    "mean and the running variance after that.",
    answer=(0.9 * 10 + 0.1 * 5, 0.9 * 4 + 0.1 * 2),
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
            (9.5, 0.9 * 4 + 0.1 * 1.6),
            "For what it remembers, the layer divides the squares by one less than their number.",
        ),
        (
            "momentum_exchanged",
            (5.5, 0.1 * 4 + 0.9 * 2),
            "In this layer the momentum is the share of the new.",
        ),
        (
            "momentum_exchanged_and_biased",
            (5.5, 0.1 * 4 + 0.9 * 1.6),
            "In this layer the momentum is the share of the new.",
        ),
        ("new_layer", (0.5, 1.1), "This layer is not new: it remembers 10 and 4."),
        ("replaced", (5, 2), "The layer does not forget what it has met before this batch."),
        ("added", (10.5, 4.2), "Only nine tenths of the old number stay."),
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
    ],
)


def _channels(random: Random) -> Iterator[Arguments]:
    """Yield maps and the parameters of a batch normalization, from the simplest on."""
    one, zero, tiny = np.ones(1), np.zeros(1), 1e-12
    yield np.array([0.0, 2, 4, 6]).reshape(1, 1, 1, 4), one, zero, tiny
    yield np.array([0.0, 6, 6, 8]).reshape(2, 1, 1, 2), one, zero, tiny
    yield np.array([0.0, 6, 6, 8]).reshape(2, 1, 1, 2), 3 * one, zero, tiny
    yield np.array([0.0, 6, 6, 8]).reshape(2, 1, 1, 2), one, zero + 1, tiny
    yield np.array([0.0, 6, 6, 8]).reshape(2, 1, 1, 2), 3 * one, zero + 1, 7.0
    for shape in ((2, 2, 1, 3), (2, 3, 2, 2)):
        maps = random_array(random, *shape, high=9)
        yield maps, np.ones(shape[1]), np.zeros(shape[1]), 0.5
        yield maps, random_array(random, shape[1]), random_array(random, shape[1]), 0.5
    for _ in range(12):
        channels = random.randint(1, 4)
        shape = random.randint(1, 3), channels, random.randint(1, 3), random.randint(2, 4)
        yield (
            random_array(random, *shape, high=9),
            random_array(random, channels),
            random_array(random, channels),
            random.choice([0.001, 0.25, 4.0]),
        )


@chapter.code(
    title="Batch normalization",
    minutes=12,
    text="Compute what `nn.BatchNorm2d` returns in training mode. `x` has the shape (N, C, H, W); "
    "`gamma`, its weight, and `beta`, its bias, have the shape (C,); `eps` is a float.",
    cases=_channels,
    imports="import numpy as np",
    hints=[
        "Which axes does the mean go over? One number per channel is left.",
        "`keepdims=True` keeps the axes, so that the mean can be subtracted from `x`.",
        "`gamma[:, None, None]` has the shape (C, 1, 1), which broadcasts to (N, C, H, W).",
    ],
    explanation="The axes (0, 2, 3) make it batch normalization. With (2, 3) it is instance "
    "normalization, with (1, 2, 3) layer normalization.",
)
def batch_norm(x, gamma, beta, eps):
    """Return the normalized maps."""
    mean = x.mean(axis=(0, 2, 3), keepdims=True)
    var = x.var(axis=(0, 2, 3), keepdims=True)
    normalized = (x - mean) / np.sqrt(var + eps)
    return gamma[:, None, None] * normalized + beta[:, None, None]


def _norm(x, gamma, beta, eps, axis=(0, 2, 3), ddof=0):
    """Return maps that are normalized over the given axes."""
    mean, var = x.mean(axis=axis, keepdims=True), x.var(axis=axis, keepdims=True, ddof=ddof)
    return gamma[:, None, None] * (x - mean) / np.sqrt(var + eps) + beta[:, None, None]


@batch_norm.mistake("Your mean is taken for each image alone. The images of a batch share it.")
def instance_norm(x, gamma, beta, eps):
    return _norm(x, gamma, beta, eps, axis=(2, 3))


@batch_norm.mistake("Channels do not share a mean, images do. Over which axes do you go?")
def layer_norm(x, gamma, beta, eps):
    return _norm(x, gamma, beta, eps, axis=(1, 2, 3))


@batch_norm.mistake("Each channel has its own mean. Yours goes over all channels.")
def one_mean_for_all(x, gamma, beta, eps):
    return _norm(x, gamma, beta, eps, axis=(0, 1, 2, 3))


@batch_norm.mistake("All places of a map share the mean: go over rows and columns, too.")
def mean_over_images_only(x, gamma, beta, eps):
    return _norm(x, gamma, beta, eps, axis=0)


@batch_norm.mistake("Your mean goes over the channels of each place. They do not share one here.")
def mean_over_channels_only(x, gamma, beta, eps):
    return _norm(x, gamma, beta, eps, axis=1)


@batch_norm.mistake("It normalizes with the plain mean of the squares. You divide by one less.")
def unbiased_variance(x, gamma, beta, eps):
    n = x[:, 0].size
    var = x.var(axis=(0, 2, 3), keepdims=True) * n / (n - 1)
    mean = x.mean(axis=(0, 2, 3), keepdims=True)
    return gamma[:, None, None] * (x - mean) / np.sqrt(var + eps) + beta[:, None, None]


@batch_norm.mistake("The eps stands under the root, beside the variance.")
def eps_outside_of_the_root(x, gamma, beta, eps):
    mean, std = x.mean(axis=(0, 2, 3), keepdims=True), x.std(axis=(0, 2, 3), keepdims=True)
    return gamma[:, None, None] * (x - mean) / (std + eps) + beta[:, None, None]


@batch_norm.mistake("Where is the eps? It prevents a division by 0.")
def eps_forgotten(x, gamma, beta, eps):
    with np.errstate(invalid="ignore", divide="ignore"):
        return _norm(x, gamma, beta, 0)


@batch_norm.mistake("Divide by the standard deviation, the root of the variance.")
def root_forgotten(x, gamma, beta, eps):
    mean, var = x.mean(axis=(0, 2, 3), keepdims=True), x.var(axis=(0, 2, 3), keepdims=True)
    return gamma[:, None, None] * (x - mean) / (var + eps) + beta[:, None, None]


@batch_norm.mistake("`std` is the root of the variance already. The eps is added to the variance.")
def root_of_deviation(x, gamma, beta, eps):
    mean, std = x.mean(axis=(0, 2, 3), keepdims=True), x.std(axis=(0, 2, 3), keepdims=True)
    return gamma[:, None, None] * (x - mean) / np.sqrt(std + eps) + beta[:, None, None]


@batch_norm.mistake("Subtract the mean before you divide.")
def mean_not_subtracted(x, gamma, beta, eps):
    var = x.var(axis=(0, 2, 3), keepdims=True)
    return gamma[:, None, None] * x / np.sqrt(var + eps) + beta[:, None, None]


@batch_norm.mistake("That is the normalization. Now multiply by `gamma`, and add `beta`.")
def affine_forgotten(x, gamma, beta, eps):
    return _norm(x, np.ones_like(gamma), np.zeros_like(beta), eps)


@batch_norm.mistake("`beta` is missing: it is added in the end.")
def beta_forgotten(x, gamma, beta, eps):
    return _norm(x, gamma, np.zeros_like(beta), eps)


@batch_norm.mistake("`gamma` is missing: multiply the normalized maps by it.")
def gamma_forgotten(x, gamma, beta, eps):
    return _norm(x, np.ones_like(gamma), beta, eps)


@batch_norm.mistake("`gamma` multiplies and `beta` is added, not the other way round.")
def gamma_and_beta_exchanged(x, gamma, beta, eps):
    return _norm(x, beta, gamma, eps)


@batch_norm.mistake("`beta` is added in the end, behind the multiplication by `gamma`.")
def beta_multiplied(x, gamma, beta, eps):
    return _norm(x, gamma, gamma * beta, eps)


@batch_norm.mistake("NumPy lays `gamma` along the last axis. It belongs to the channels.")
def gamma_along_the_columns(x, gamma, beta, eps):
    return gamma * _norm(x, np.ones_like(gamma), np.zeros_like(beta), eps) + beta


@batch_norm.mistake("Brackets: first subtract the mean from `x`, then multiply and divide.")
def brackets_forgotten(x, gamma, beta, eps):
    mean, var = x.mean(axis=(0, 2, 3), keepdims=True), x.var(axis=(0, 2, 3), keepdims=True)
    return gamma[:, None, None] * x - mean / np.sqrt(var + eps) + beta[:, None, None]


@batch_norm.mistake("The mean is subtracted, not added.")
def mean_added(x, gamma, beta, eps):
    mean, var = x.mean(axis=(0, 2, 3), keepdims=True), x.var(axis=(0, 2, 3), keepdims=True)
    return gamma[:, None, None] * (x + mean) / np.sqrt(var + eps) + beta[:, None, None]


@batch_norm.mistake("The mean is 0 now. For the variance 1 there is something to divide by.")
def not_divided(x, gamma, beta, eps):
    mean = x.mean(axis=(0, 2, 3), keepdims=True)
    return gamma[:, None, None] * (x - mean) + beta[:, None, None]


@batch_norm.mistake("Divide by the deviation. You multiply by it.")
def multiplied_by_deviation(x, gamma, beta, eps):
    mean, var = x.mean(axis=(0, 2, 3), keepdims=True), x.var(axis=(0, 2, 3), keepdims=True)
    return gamma[:, None, None] * (x - mean) * np.sqrt(var + eps) + beta[:, None, None]


@batch_norm.mistake("The variance is the mean of the squared distances from the mean.")
def squares_of_x(x, gamma, beta, eps):
    mean = x.mean(axis=(0, 2, 3), keepdims=True)
    squares = (x**2).mean(axis=(0, 2, 3), keepdims=True)
    return gamma[:, None, None] * (x - mean) / np.sqrt(squares + eps) + beta[:, None, None]


@batch_norm.mistake("The eps is added to the variance, before the root and the division.")
def eps_added_to_the_output(x, gamma, beta, eps):
    with np.errstate(invalid="ignore", divide="ignore"):
        return _norm(x, gamma, beta, 0) + eps


def _foldable(random: Random) -> Iterator[Arguments]:
    """Yield a weight, a bias and what a batch normalization holds, from the simplest on."""
    one, zero = np.ones(1), np.zeros(1)
    weight = np.array([[[[6.0, 2.0]]]])
    yield weight, zero, one, zero, zero, 4 * one, 0.0
    yield weight, zero, 3 * one, zero, zero, one, 0.0
    yield weight, 8 * one, one, zero, zero, 4 * one, 0.0
    yield weight, zero, one, zero, 8 * one, 4 * one, 0.0
    yield weight, zero, one, 5 * one, zero, 4 * one, 0.0
    yield weight, 2 * one, 3 * one, 5 * one, 8 * one, 4 * one, 0.0
    yield weight, 2 * one, 3 * one, 5 * one, 8 * one, 4 * one, 5.0
    for shape in ((2, 1, 1, 1), (2, 3, 1, 2), (3, 2, 2, 1), (3, 3, 3, 3)):
        kernels = shape[0]
        vectors = [random_array(random, kernels) for _ in range(4)]
        var = random_array(random, kernels, low=1, high=9)
        yield (random_array(random, *shape), *vectors, var, 0.25)
    for _ in range(15):
        kernels, channels, height, width = (random.randint(1, 4) for _ in range(4))
        vectors = [random_array(random, kernels) for _ in range(4)]
        var = random_array(random, kernels, low=0, high=9)
        weight = random_array(random, kernels, channels, height, width)
        yield weight, *vectors, var, random.choice([0.001, 0.5, 2.0])


@chapter.code(
    title="Fold batch normalization into the convolution",
    minutes=12,
    text="A convolution has the weight `w`, of the shape (O, C, kH, kW), and the bias `b`. Behind "
    "it stands a batch normalization in eval mode, with the weight `gamma`, the bias `beta`, the "
    "running mean `mean`, the running variance `var` (all of the shape (O,), as `b`) and `eps`. "
    "Return the pair `(w, b)` of the one convolution that computes the same.",
    cases=_foldable,
    imports="import numpy as np",
    hints=[
        "In eval mode each channel is multiplied by a fixed number. By which?",
        "What does the normalization make of the bias, which it meets as a part of every number?",
        "`scale[:, None, None, None]` has the shape (O, 1, 1, 1): a number for each kernel.",
    ],
    explanation="Multiplying a channel is multiplying its kernel, and the rest is bias. Fold for "
    "use only: what is folded has no statistics to train.",
)
def fold_batch_norm(w, b, gamma, beta, mean, var, eps):
    """Return the weight and the bias of the folded convolution."""
    scale = gamma / np.sqrt(var + eps)
    return w * scale[:, None, None, None], (b - mean) * scale + beta


@fold_batch_norm.mistake("The eps stands under the root, beside the variance.")
def fold_eps_outside_of_the_root(w, b, gamma, beta, mean, var, eps):
    scale = gamma / (np.sqrt(var) + eps)
    return w * scale[:, None, None, None], (b - mean) * scale + beta


@fold_batch_norm.mistake("Where is the eps? A small variance makes a difference.")
def fold_eps_forgotten(w, b, gamma, beta, mean, var, eps):
    with np.errstate(invalid="ignore", divide="ignore"):
        return fold_batch_norm.solution(w, b, gamma, beta, mean, var, 0)


@fold_batch_norm.mistake("Divide by the standard deviation, the root of the variance.")
def fold_root_forgotten(w, b, gamma, beta, mean, var, eps):
    scale = gamma / (var + eps)
    return w * scale[:, None, None, None], (b - mean) * scale + beta


@fold_batch_norm.mistake("The bias `b` is a part of what is normalized: scale it, too.")
def fold_bias_not_scaled(w, b, gamma, beta, mean, var, eps):
    scale = gamma / np.sqrt(var + eps)
    return w * scale[:, None, None, None], b - mean * scale + beta


@fold_batch_norm.mistake("The mean is subtracted before the division: scale it together with `b`.")
def fold_mean_not_scaled(w, b, gamma, beta, mean, var, eps):
    scale = gamma / np.sqrt(var + eps)
    return w * scale[:, None, None, None], b * scale - mean + beta


@fold_batch_norm.mistake("`b` and `mean` are divided by the deviation like the weight: scale them.")
def fold_nothing_but_weight_scaled(w, b, gamma, beta, mean, var, eps):
    scale = gamma / np.sqrt(var + eps)
    return w * scale[:, None, None, None], b - mean + beta


@fold_batch_norm.mistake("`beta` is added in the end, and nothing multiplies it.")
def fold_beta_scaled(w, b, gamma, beta, mean, var, eps):
    scale = gamma / np.sqrt(var + eps)
    return w * scale[:, None, None, None], (b - mean + beta) * scale


@fold_batch_norm.mistake("The normalization subtracts the mean. Is it in your bias?")
def fold_mean_forgotten(w, b, gamma, beta, mean, var, eps):
    return fold_batch_norm.solution(w, b, gamma, beta, np.zeros_like(mean), var, eps)


@fold_batch_norm.mistake("The convolution has a bias of its own. Is it in your sum?")
def fold_bias_forgotten(w, b, gamma, beta, mean, var, eps):
    return fold_batch_norm.solution(w, np.zeros_like(b), gamma, beta, mean, var, eps)


@fold_batch_norm.mistake("`beta` is missing: it is added in the end.")
def fold_beta_forgotten(w, b, gamma, beta, mean, var, eps):
    return fold_batch_norm.solution(w, b, gamma, np.zeros_like(beta), mean, var, eps)


@fold_batch_norm.mistake("`gamma` is missing: it belongs to the scale.")
def fold_gamma_forgotten(w, b, gamma, beta, mean, var, eps):
    return fold_batch_norm.solution(w, b, np.ones_like(gamma), beta, mean, var, eps)


@fold_batch_norm.mistake("The normalization divides by the deviation: `var` is not in your scale.")
def fold_variance_forgotten(w, b, gamma, beta, mean, var, eps):
    return w * gamma[:, None, None, None], (b - mean) * gamma + beta


@fold_batch_norm.mistake("The mean is subtracted, not added.")
def fold_mean_added(w, b, gamma, beta, mean, var, eps):
    return fold_batch_norm.solution(w, b, gamma, beta, -mean, var, eps)


@fold_batch_norm.mistake(
    "NumPy lays the scale along the last axis. It belongs to axis 0, the kernels."
)
def fold_along_the_columns(w, b, gamma, beta, mean, var, eps):
    scale = gamma / np.sqrt(var + eps)
    return w * scale, (b - mean) * scale + beta


@fold_batch_norm.mistake("Your scale lies along the channels that are read. It belongs to axis 0.")
def fold_along_the_channels(w, b, gamma, beta, mean, var, eps):
    scale = gamma / np.sqrt(var + eps)
    return w * scale[:, None, None], (b - mean) * scale + beta


@fold_batch_norm.mistake("The normalization divides the maps. So the weight is scaled as well.")
def fold_weight_not_scaled(w, b, gamma, beta, mean, var, eps):
    return w, fold_batch_norm.solution(w, b, gamma, beta, mean, var, eps)[1]


@fold_batch_norm.mistake("The normalization adds to the maps, so `beta` belongs to the bias.")
def fold_beta_in_the_weight(w, b, gamma, beta, mean, var, eps):
    scale = gamma / np.sqrt(var + eps)
    return w * scale[:, None, None, None] + beta[:, None, None, None], (b - mean) * scale


@fold_batch_norm.mistake("The mean is subtracted from the maps, not from the weight: it is bias.")
def fold_mean_in_the_weight(w, b, gamma, beta, mean, var, eps):
    scale = gamma / np.sqrt(var + eps)
    return (w - mean[:, None, None, None]) * scale[:, None, None, None], b * scale + beta


@fold_batch_norm.mistake("The bias changes, too: what does the normalization make of `b`?")
def fold_bias_unchanged(w, b, gamma, beta, mean, var, eps):
    return fold_batch_norm.solution(w, b, gamma, beta, mean, var, eps)[0], b


@fold_batch_norm.mistake("`gamma` is a part of the scale already: multiply by it once.")
def fold_gamma_twice(w, b, gamma, beta, mean, var, eps):
    scale = gamma / np.sqrt(var + eps)
    return w * scale[:, None, None, None], (b - mean) * scale * gamma + beta


@fold_batch_norm.mistake("The normalization divides by the deviation.")
def fold_multiplied_by_the_root(w, b, gamma, beta, mean, var, eps):
    scale = gamma * np.sqrt(var + eps)
    return w * scale[:, None, None, None], (b - mean) * scale + beta


@fold_batch_norm.mistake("The mean is subtracted from `b`, not the other way round.")
def fold_mean_minus_bias(w, b, gamma, beta, mean, var, eps):
    return fold_batch_norm.solution(w, -b, gamma, beta, -mean, var, eps)


@fold_batch_norm.mistake("`beta` is added, not subtracted.")
def fold_beta_subtracted(w, b, gamma, beta, mean, var, eps):
    return fold_batch_norm.solution(w, b, gamma, -beta, mean, var, eps)


@fold_batch_norm.mistake("The eps is added to the variance, before the root and the division.")
def fold_eps_added_to_the_scale(w, b, gamma, beta, mean, var, eps):
    with np.errstate(invalid="ignore", divide="ignore"):
        scale = gamma / np.sqrt(var) + eps
        return w * scale[:, None, None, None], (b - mean) * scale + beta


@fold_batch_norm.mistake("That is the weight. The bias is wanted, too: a pair.")
def fold_weight_only(w, b, gamma, beta, mean, var, eps):
    return fold_batch_norm.solution(w, b, gamma, beta, mean, var, eps)[0]


def _group_norm_forgets(answer: Any) -> str | None:
    """Return what is wrong with four biases that should matter before `nn.GroupNorm(2, 4)`."""
    biases = np.asarray(answer, dtype=float)
    if biases.shape != (4,) or not np.isfinite(biases).all():
        return "give four numbers, one for each channel"
    maps = np.array([[1.0, 2], [0, 5], [3, 3], [4, 0]])  # four channels of two places

    def normalized(maps: Any) -> Any:
        groups = maps.reshape(2, -1)
        return (groups - groups.mean(1, keepdims=True)) / groups.std(1, keepdims=True)

    same = np.allclose(normalized(maps), normalized(maps + biases[:, None]), atol=1e-6)
    return "the output is the same as with biases of 0" if same else None


chapter.search(
    "break_useless_bias",
    title="Break it: the bias that does nothing",
    minutes=5,
    text='Somebody says: "A normalization subtracts the mean, so the bias of the convolution '
    'before it does nothing." Behind a convolution with four kernels stands `nn.GroupNorm(2, 4)`. '
    "Give a list of four biases with which the output differs from that of four zeros.",
    objection=_group_norm_forgets,
    example=[0, 1, 0, 0],
    hints=[
        "Which channels share a mean here?",
        "A mean takes away what the channels of a group have in common.",
    ],
    explanation="Of the channels of a group only what they share is subtracted. With batch and "
    "instance normalization each channel has its own mean, and its bias does nothing.",
    mistakes=[
        ("all_equal", [1, 1, 1, 1], "All channels are shifted alike, and so are their means."),
        ("zeros", [0, 0, 0, 0], "Those are the four zeros themselves."),
        ("equal_in_groups", [1, 1, 2, 2], "Channels that share a mean are shifted alike here."),
        ("one_group", [1, 1, 0, 0], "Channels that share a mean are shifted alike here."),
    ],
)
