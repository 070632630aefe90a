"""Exercises on normalization behind a convolution."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

import numpy as np

from convlab.check.exercise import Arguments, Mistake, random_array
from convlab.check.exercises.normalization.values import chapter


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


def _known(hint, **answers):
    """Enter known mistakes that share a hint."""
    for name, answer in answers.items():
        fold_batch_norm.mistakes.append(Mistake(f"fold_{name}", hint, answer))


def _with(scale_of, bias_of=None):
    """Return a function that scales by something else, or makes another bias with the scale."""

    def answer(w, b, gamma, beta, mean, var, eps):
        with np.errstate(invalid="ignore", divide="ignore"):
            scale = scale_of(gamma, var, eps)
            bias = (b - mean) * scale + beta
            if bias_of is not None:
                bias = bias_of(b, gamma, beta, mean, scale)
            return w * scale[:, None, None, None], bias

    return answer


def _right_scale(gamma, var, eps):
    return gamma / np.sqrt(var + eps)


def _biased(bias_of):
    """Return a function that makes another bias of b, gamma, beta, mean and the scale."""
    return _with(_right_scale, bias_of)


_known(
    "The eps stands under the root, added to the variance, once.",
    eps_subtracted=_with(lambda gamma, var, eps: gamma / np.sqrt(np.maximum(var - eps, 0))),
    eps_squared=_with(lambda gamma, var, eps: gamma / np.sqrt(var + eps**2)),
    eps_multiplied=_with(lambda gamma, var, eps: gamma / np.sqrt(var * eps)),
    eps_as_least_variance=_with(lambda gamma, var, eps: gamma / np.sqrt(np.maximum(var, eps))),
    eps_twice=_with(lambda gamma, var, eps: gamma / (np.sqrt(var + eps) + eps)),
    eps_for_weight_only=lambda w, b, gamma, beta, mean, var, eps: (
        fold_batch_norm.solution(w, b, gamma, beta, mean, var, eps)[0],
        fold_eps_forgotten(w, b, gamma, beta, mean, var, eps)[1],
    ),
    eps_for_bias_only=lambda w, b, gamma, beta, mean, var, eps: (
        fold_eps_forgotten(w, b, gamma, beta, mean, var, eps)[0],
        fold_batch_norm.solution(w, b, gamma, beta, mean, var, eps)[1],
    ),
)
_known(
    "`var` is a variance: divide by its root. And the eps is added to it, below the root.",
    root_and_eps_forgotten=_with(lambda gamma, var, eps: gamma / var),
)
_known(
    "The scale is `gamma` over the deviation. Yours is another quotient.",
    scale_inverted=_with(lambda gamma, var, eps: np.sqrt(var + eps) / gamma),
    scale_multiplied_by_the_variance=_with(lambda gamma, var, eps: gamma * (var + eps)),
    gamma_below_the_root=_with(lambda gamma, var, eps: np.sqrt(np.abs(gamma) / (var + eps))),
    variance_squared=_with(lambda gamma, var, eps: gamma / (var**2 + eps)),
    gamma_divides=_with(lambda gamma, var, eps: 1 / (gamma * np.sqrt(var + eps))),
    gamma_squared=_with(lambda gamma, var, eps: gamma**2 / np.sqrt(var + eps)),
    gamma_added=_with(lambda gamma, var, eps: gamma + 1 / np.sqrt(var + eps)),
    scale_negative=_with(lambda gamma, var, eps: -gamma / np.sqrt(var + eps)),
)
_known(
    "Weight and bias have the same scale, `gamma` over the deviation. One of yours lacks a part.",
    gamma_not_in_the_bias=_with(
        _right_scale, lambda b, gamma, beta, mean, scale: (b - mean) * (scale / gamma) + beta
    ),
    gamma_not_in_the_weight=_with(
        lambda gamma, var, eps: 1 / np.sqrt(var + eps),
        lambda b, gamma, beta, mean, scale: (b - mean) * scale * gamma + beta,
    ),
    bias_not_divided=_biased(lambda b, gamma, beta, mean, scale: (b - mean) * gamma + beta),
    weight_not_divided=lambda w, b, gamma, beta, mean, var, eps: (
        w * gamma[:, None, None, None],
        fold_batch_norm.solution(w, b, gamma, beta, mean, var, eps)[1],
    ),
    weight_scaled_twice=lambda w, b, gamma, beta, mean, var, eps: (
        fold_batch_norm.solution(w, b, gamma, beta, mean, var, eps)[0]
        * _right_scale(gamma, var, eps)[:, None, None, None],
        fold_batch_norm.solution(w, b, gamma, beta, mean, var, eps)[1],
    ),
    bias_divided_by_the_scale=_biased(
        lambda b, gamma, beta, mean, scale: (b - mean) / scale + beta
    ),
    bias_scaled_twice=_biased(lambda b, gamma, beta, mean, scale: (b - mean) * scale**2 + beta),
)
_known(
    "The new bias is made of three: `b` and `mean`, both scaled, and `beta`. Something is missing.",
    bias_is_beta=_biased(lambda b, gamma, beta, mean, scale: beta),
    bias_plus_beta=_biased(lambda b, gamma, beta, mean, scale: b + beta),
    bias_scaled_only=_biased(lambda b, gamma, beta, mean, scale: b * scale),
    bias_of_mean_only=_biased(lambda b, gamma, beta, mean, scale: -mean * scale),
    bias_zero=_biased(lambda b, gamma, beta, mean, scale: 0 * b),
    bias_minus_mean=_biased(lambda b, gamma, beta, mean, scale: b - mean),
    beta_minus_mean=_biased(lambda b, gamma, beta, mean, scale: beta - mean),
    mean_and_beta_scaled=_biased(lambda b, gamma, beta, mean, scale: (beta - mean) * scale),
    bias_and_beta_scaled=_biased(lambda b, gamma, beta, mean, scale: (b + beta) * scale),
)
_known(
    "What stands on the scale: `b - mean`, both. And `beta` is added without it.",
    mean_and_bias_outside=_biased(
        lambda b, gamma, beta, mean, scale: b * scale + beta * scale - mean
    ),
    bias_outside_beta_inside=_biased(lambda b, gamma, beta, mean, scale: b + (beta - mean) * scale),
    bias_and_scale_added=_biased(lambda b, gamma, beta, mean, scale: b - mean + scale + beta),
)
_known(
    "The signs: `mean` is subtracted from `b`, and `beta` is added to what is scaled.",
    mean_added_unscaled=_biased(lambda b, gamma, beta, mean, scale: b * scale + mean + beta),
    mean_added_to_unscaled_bias=_biased(
        lambda b, gamma, beta, mean, scale: b + mean * scale + beta
    ),
    bias_subtracted=_biased(lambda b, gamma, beta, mean, scale: beta - (b + mean) * scale),
    beta_and_mean_negative=_biased(lambda b, gamma, beta, mean, scale: (b + mean) * scale - beta),
)
_known(
    "You exchange arguments: look at their order, `w, b, gamma, beta, mean, var, eps`.",
    beta_and_mean_exchanged=_biased(lambda b, gamma, beta, mean, scale: (b - beta) * scale + mean),
    gamma_and_beta_exchanged=lambda w, b, gamma, beta, mean, var, eps: fold_batch_norm.solution(
        w, b, beta, gamma, mean, var, eps
    ),
    mean_and_variance_exchanged=lambda w, b, gamma, beta, mean, var, eps: fold_batch_norm.solution(
        w, b, gamma, beta, var, np.abs(mean), eps
    ),
)
_known(
    "`mean` and `var` belong to the maps. The weight itself is not normalized, only scaled.",
    statistics_of_the_weight=lambda w, b, gamma, beta, mean, var, eps: fold_batch_norm.solution(
        w, b, gamma, beta, w.mean(axis=(1, 2, 3)), w.var(axis=(1, 2, 3)), eps
    ),
    weight_normalized=lambda w, b, gamma, beta, mean, var, eps: (
        fold_mean_in_the_weight(w, b, gamma, 0 * beta, mean, var, eps)[0]
        + beta[:, None, None, None],
        b,
    ),
    all_in_the_weight=lambda w, b, gamma, beta, mean, var, eps: (
        fold_mean_in_the_weight(w, b, gamma, 0 * beta, mean, var, eps)[0]
        + beta[:, None, None, None],
        fold_batch_norm.solution(w, b, gamma, beta, mean, var, eps)[1],
    ),
)
_known(
    "The weight of the convolution comes first, then the bias.",
    pair_exchanged=lambda w, b, gamma, beta, mean, var, eps: fold_batch_norm.solution(
        w, b, gamma, beta, mean, var, eps
    )[::-1],
)
_known(
    "That is the bias. The weight is wanted, too, and first: a pair.",
    bias_only=lambda w, b, gamma, beta, mean, var, eps: fold_batch_norm.solution(
        w, b, gamma, beta, mean, var, eps
    )[1],
)
_known(
    "The bias has one axis, (O,). Give the scale its further axes for the weight alone.",
    bias_with_four_axes=lambda w, b, gamma, beta, mean, var, eps: (
        fold_batch_norm.solution(w, b, gamma, beta, mean, var, eps)[0],
        (b - mean) * _right_scale(gamma, var, eps)[:, None, None, None] + beta,
    ),
    bias_as_column=lambda w, b, gamma, beta, mean, var, eps: (
        fold_batch_norm.solution(w, b, gamma, beta, mean, var, eps)[0],
        fold_batch_norm.solution(w, b, gamma, beta, mean, var, eps)[1][:, None],
    ),
    bias_of_four_axes=lambda w, b, gamma, beta, mean, var, eps: (
        fold_batch_norm.solution(w, b, gamma, beta, mean, var, eps)[0],
        fold_batch_norm.solution(w, b, gamma, beta, mean, var, eps)[1][:, None, None, None],
    ),
)
_known(
    "The weight keeps its shape, (O, C, kH, kW).",
    weight_flattened=lambda w, b, gamma, beta, mean, var, eps: (
        fold_batch_norm.solution(w, b, gamma, beta, mean, var, eps)[0].reshape(len(w), -1),
        fold_batch_norm.solution(w, b, gamma, beta, mean, var, eps)[1],
    ),
)
_known(
    "The scale belongs to axis 0 of the weight, the kernels: it needs three more axes behind it.",
    along_the_rows=lambda w, b, gamma, beta, mean, var, eps: (
        w * _right_scale(gamma, var, eps)[:, None],
        fold_batch_norm.solution(w, b, gamma, beta, mean, var, eps)[1],
    ),
    first_scale_for_all=lambda w, b, gamma, beta, mean, var, eps: (
        w * _right_scale(gamma, var, eps)[0],
        fold_batch_norm.solution(w, b, gamma, beta, mean, var, eps)[1],
    ),
)


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
    if not same:
        return None
    return (
        "the output is the same as with biases of 0, because channels 0 and 1 are shifted alike, "
        "and so are 2 and 3"
    )


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
        *(
            (f"one_group_{n}", biases, "Channels that share a mean are shifted alike here.")
            for n, biases in enumerate(([1, 1, 0, 0], [0, 0, 1, 1], [1, 1, -1, -1], [5, 5, 3, 3]))
        ),
        *(
            (f"all_equal_{n}", [n] * 4, "All channels are shifted alike, and so are their means.")
            for n in (-1, 2, 3, 5, 10, 100)
        ),
    ],
)
