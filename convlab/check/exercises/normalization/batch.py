"""The exercise on batch normalization."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from random import Random

import numpy as np

from convlab.check.exercise import Arguments, Mistake, random_array
from convlab.check.exercises.normalization.values import chapter


def _channels(random: Random) -> Iterator[Arguments]:
    """Yield maps and the parameters of a batch normalization, from the simplest on."""
    one, zero, tiny = np.ones(1), np.zeros(1), 1e-12
    yield np.array([0.0, 2, 4, 6]).reshape(1, 1, 1, 4), one, zero, tiny
    yield np.array([0.0, 6, 6, 8]).reshape(2, 1, 1, 2), one, zero, tiny
    yield np.array([0.0, 6, 6, 8]).reshape(2, 1, 1, 2), 3 * one, zero, tiny
    yield np.array([0.0, 6, 6, 8]).reshape(2, 1, 1, 2), one, zero + 1, tiny
    yield np.array([0.0, 6, 6, 8]).reshape(2, 1, 1, 2), 3 * one, zero + 1, 7.0
    yield np.array([1.0, 3]).reshape(1, 1, 1, 2), one, zero, 3.0
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


def _known(hint, **answers):
    """Enter known mistakes that share a hint."""
    batch_norm.mistakes.extend(Mistake(name, hint, answer) for name, answer in answers.items())


def _with(statistics):
    """Return a function that normalizes with another mean and another divisor."""

    def answer(x, gamma, beta, eps):
        with np.errstate(invalid="ignore", divide="ignore"):
            mean, divisor = statistics(x, eps)
            return gamma[:, None, None] * (x - mean) / divisor + beta[:, None, None]

    return answer


def _mean(x):
    return x.mean(axis=(0, 2, 3), keepdims=True)


def _var(x, ddof=0):
    return x.var(axis=(0, 2, 3), keepdims=True, ddof=ddof)


def _std(x, eps):
    return np.sqrt(_var(x) + eps)


# Mean and variance over the wrong axes.
_WRONG_AXES: dict[tuple[int, ...], str] = {
    **dict.fromkeys(
        [(2,), (3,)],
        "All places of all images share the mean: go over images, rows and columns.",
    ),
    **dict.fromkeys(
        [(0, 2), (0, 3)],
        "All places of a map share the mean: go over rows and columns, both.",
    ),
    **dict.fromkeys(
        [(0, 1), (1, 2), (1, 3), (0, 1, 2), (0, 1, 3)],
        "Which axis holds the channels? It stays: the axes are (N, C, H, W), counted from 0.",
    ),
}
for _axes, _hint in _WRONG_AXES.items():
    _known(_hint, **{f"mean_over_{''.join(map(str, _axes))}": partial(_norm, axis=_axes)})

_known(
    "In training mode, mean and variance are those of the batch, not the running statistics.",
    eval_mode=_with(lambda x, eps: (0, np.sqrt(1 + eps))),
    eval_mode_without_eps=_with(lambda x, eps: (0, 1)),
    running_statistics=_with(
        lambda x, eps: (0.1 * _mean(x), np.sqrt(0.9 + 0.1 * _var(x, ddof=1) + eps))
    ),
    running_statistics_of_biased=_with(
        lambda x, eps: (0.1 * _mean(x), np.sqrt(0.9 + 0.1 * _var(x) + eps))
    ),
)
_known(
    "The variance is the mean of the squares, not their sum.",
    squares_added_up=_with(lambda x, eps: (_mean(x), np.sqrt(_var(x) * x[:, 0].size + eps))),
    norm_of_the_distances=_with(lambda x, eps: (_mean(x), np.sqrt(_var(x) * x[:, 0].size) + eps)),
)
_known(
    "Divide the sum by the number of all values of a channel: images times rows times columns.",
    divided_by_images=_with(lambda x, eps: (_mean(x), np.sqrt(_var(x) * x[0, 0].size + eps))),
    divided_by_places=_with(lambda x, eps: (_mean(x), np.sqrt(_var(x) * len(x) + eps))),
    sum_for_mean=_with(lambda x, eps: (_mean(x) * x[:, 0].size, _std(x, eps))),
    mean_divided_by_images=_with(lambda x, eps: (_mean(x) * x[0, 0].size, _std(x, eps))),
    mean_divided_by_places=_with(lambda x, eps: (_mean(x) * len(x), _std(x, eps))),
)
_known(
    "The deviation is the root of the mean squared distance from the mean.",
    mean_distance=_with(
        lambda x, eps: (_mean(x), np.abs(x - _mean(x)).mean(axis=(0, 2, 3), keepdims=True) + eps)
    ),
    mean_distance_below_the_root=_with(
        lambda x, eps: (
            _mean(x),
            np.sqrt(np.abs(x - _mean(x)).mean(axis=(0, 2, 3), keepdims=True) + eps),
        )
    ),
    mean_not_squared=_with(
        lambda x, eps: (_mean(x), np.sqrt((x**2).mean((0, 2, 3), keepdims=True) - _mean(x) + eps))
    ),
    divided_by_range=_with(
        lambda x, eps: (_mean(x), np.ptp(x, axis=(0, 2, 3), keepdims=True) + eps)
    ),
    smallest_and_range=_with(
        lambda x, eps: (
            x.min(axis=(0, 2, 3), keepdims=True),
            np.ptp(x, axis=(0, 2, 3), keepdims=True) + eps,
        )
    ),
    divided_by_mean=_with(lambda x, eps: (_mean(x), _mean(x) + eps)),
    squared_variance=_with(lambda x, eps: (_mean(x), _var(x) ** 2 + eps)),
)
_known(
    "It normalizes with the plain mean of the squares. You divide by one less.",
    unbiased_and_eps_outside=_with(lambda x, eps: (_mean(x), np.sqrt(_var(x, ddof=1)) + eps)),
    unbiased_and_eps_forgotten=_with(lambda x, eps: (_mean(x), np.sqrt(_var(x, ddof=1)))),
)
_known(
    "Two things: divide by the root of the variance, and put the eps below this root.",
    root_and_eps_forgotten=_with(lambda x, eps: (_mean(x), _var(x))),
)
_known(
    "The eps is added to the variance, below the root, and nowhere else.",
    eps_as_least_variance=_with(lambda x, eps: (_mean(x), np.sqrt(np.maximum(_var(x), eps)))),
    eps_as_least_deviation=_with(lambda x, eps: (_mean(x), np.maximum(np.sqrt(_var(x)), eps))),
    eps_squared=_with(lambda x, eps: (_mean(x), np.sqrt(_var(x) + eps**2))),
    eps_multiplied=_with(lambda x, eps: (_mean(x), np.sqrt(_var(x) * eps))),
    eps_subtracted=_with(lambda x, eps: (_mean(x), np.sqrt(_var(x) - eps))),
    eps_twice=_with(lambda x, eps: (_mean(x), np.sqrt(_var(x) + eps) + eps)),
    eps_below_its_own_root=_with(lambda x, eps: (_mean(x), np.sqrt(_var(x)) + np.sqrt(eps))),
    eps_above_the_line=_with(lambda x, eps: (_mean(x) - eps, np.sqrt(_var(x)))),
    eps_subtracted_above_the_line=_with(lambda x, eps: (_mean(x) + eps, np.sqrt(_var(x)))),
    eps_above_and_below=_with(lambda x, eps: (_mean(x) - eps, _std(x, eps))),
)
_known(
    "The variance goes over the same axes as the mean: all but the channels.",
    variance_of_each_image=_with(
        lambda x, eps: (_mean(x), np.sqrt(x.var(axis=(2, 3), keepdims=True) + eps))
    ),
    variance_of_everything=_with(lambda x, eps: (_mean(x), np.sqrt(x.var() + eps))),
    mean_of_each_image=_with(lambda x, eps: (x.mean(axis=(2, 3), keepdims=True), _std(x, eps))),
    mean_of_everything=_with(lambda x, eps: (x.mean(), _std(x, eps))),
    mean_of_image_variances=_with(
        lambda x, eps: (
            _mean(x),
            np.sqrt(x.var(axis=(2, 3), keepdims=True).mean(axis=0, keepdims=True) + eps),
        )
    ),
)
_known(
    "The mean is subtracted from each number, not the other way round.",
    mean_minus_x=lambda x, gamma, beta, eps: _norm(x, -gamma, beta, eps),
)
_known(
    "`beta` is added, not subtracted.",
    beta_subtracted=lambda x, gamma, beta, eps: _norm(x, gamma, -beta, eps),
)
_known(
    "`gamma` multiplies what is normalized, once, as it is.",
    gamma_divides=lambda x, gamma, beta, eps: _norm(
        x, np.divide(1, gamma, where=gamma != 0, out=np.full_like(gamma, np.inf)), beta, eps
    ),
    gamma_plus_one=lambda x, gamma, beta, eps: _norm(x, 1 + gamma, beta, eps),
    gamma_squared=lambda x, gamma, beta, eps: _norm(x, gamma**2, beta, eps),
    gamma_added=lambda x, gamma, beta, eps: (
        _norm(x, np.ones_like(gamma), beta, eps) + gamma[:, None, None]
    ),
    gamma_multiplies_x_only=lambda x, gamma, beta, eps: (
        (gamma[:, None, None] * x - _mean(x)) / _std(x, eps) + beta[:, None, None]
    ),
    gamma_before_the_normalization=lambda x, gamma, beta, eps: batch_norm.solution(
        gamma[:, None, None] * x + beta[:, None, None], np.ones_like(gamma), 0 * beta, eps
    ),
    beta_above_the_line=lambda x, gamma, beta, eps: (
        (gamma[:, None, None] * (x - _mean(x)) + beta[:, None, None]) / _std(x, eps)
    ),
)
_known(
    "Nothing is cut off at zero: the ReLU is a layer of its own.",
    relu_behind=lambda x, gamma, beta, eps: np.maximum(batch_norm.solution(x, gamma, beta, eps), 0),
)
_known(
    "NumPy lays `gamma` along another axis. `[:, None, None]` puts it at the channels.",
    gamma_along_the_rows=lambda x, gamma, beta, eps: (
        gamma[:, None] * _norm(x, np.ones_like(gamma), 0 * beta, eps) + beta[:, None]
    ),
    gamma_along_the_images=lambda x, gamma, beta, eps: (
        gamma[:, None, None, None] * _norm(x, np.ones_like(gamma), 0 * beta, eps)
        + beta[:, None, None, None]
    ),
    first_gamma_for_all=lambda x, gamma, beta, eps: _norm(
        x, 0 * gamma + gamma[0], 0 * beta + beta[0], eps
    ),
)
_known(
    "Without `keepdims=True` the axes are gone, and NumPy lays the means along the last one.",
    mean_along_the_columns=lambda x, gamma, beta, eps: (
        gamma[:, None, None] * (x - x.mean((0, 2, 3))) / np.sqrt(x.var((0, 2, 3)) + eps)
        + beta[:, None, None]
    ),
    all_along_the_columns=lambda x, gamma, beta, eps: (
        gamma * (x - x.mean((0, 2, 3))) / np.sqrt(x.var((0, 2, 3)) + eps) + beta
    ),
    mean_alone_along_the_columns=lambda x, gamma, beta, eps: (
        gamma[:, None, None] * (x - x.mean((0, 2, 3))) / _std(x, eps) + beta[:, None, None]
    ),
)
_known(
    "Each channel is normalized, not only one of them.",
    first_channel_only=lambda x, gamma, beta, eps: np.concatenate(
        [batch_norm.solution(x, gamma, beta, eps)[:, :1], x[:, 1:]], axis=1
    ),
    other_channels_zero=lambda x, gamma, beta, eps: np.concatenate(
        [batch_norm.solution(x, gamma, beta, eps)[:, :1], 0 * x[:, 1:]], axis=1
    ),
    statistics_of_the_first_channel=_with(lambda x, eps: (_mean(x[:, :1]), _std(x[:, :1], eps))),
)
_known(
    "The maps keep their shape: (N, C, H, W).",
    channels_last=lambda x, gamma, beta, eps: np.moveaxis(
        batch_norm.solution(x, gamma, beta, eps), 1, -1
    ),
    channels_first=lambda x, gamma, beta, eps: np.moveaxis(
        batch_norm.solution(x, gamma, beta, eps), 1, 0
    ),
    flattened=lambda x, gamma, beta, eps: batch_norm.solution(x, gamma, beta, eps).reshape(
        len(x), -1
    ),
)
