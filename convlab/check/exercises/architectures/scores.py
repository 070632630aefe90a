"""The exercise on the head of a network."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from random import Random

import numpy as np

from convlab.check.exercise import Arguments, Mistake, random_array
from convlab.check.exercises.architectures.values import chapter


def _maps(random: Random) -> Iterator[Arguments]:
    """Yield maps, a weight and a bias, from the simplest on."""
    maps = np.array([1.0, 3, 5, 7, 0, 0, 0, 8]).reshape(1, 2, 2, 2)
    yield maps, np.array([[1.0, 10]]), np.zeros(1)
    yield maps[:, :1], np.array([[2.0]]), np.array([10.0])
    yield maps[:, :1], np.array([[2.0], [1]]), np.zeros(2)
    yield maps.reshape(2, 1, 2, 2), np.array([[1.0]]), np.zeros(1)
    yield maps, np.array([[1.0, 10], [-1, 2]]), np.array([3.0, 4])
    for size in (2, 2, 4):  # wrong axes do not raise here
        yield (
            random_array(random, size, size, size, size),
            random_array(random, size, size),
            random_array(random, size),
        )
    for _ in range(25):
        images, channels, classes = (random.randint(1, 4) for _ in range(3))
        height, width = random.choice([1, 2, 4]), random.choice([1, 2, 4])  # the means are exact
        yield (
            random_array(random, images, channels, height, width),
            random_array(random, classes, channels),
            random_array(random, classes),
        )


@chapter.code(
    title="From maps to scores",
    minutes=7,
    text="`maps`, of the shape (N, C, H, W), are the last maps of a network such as a ResNet. "
    "Behind them come a global average pooling and a linear layer with the weight `w`, of the "
    "shape (K, C), and the bias `b`, of the shape (K,). Return the scores, of the shape (N, K).",
    cases=_maps,
    imports="import numpy as np",
    hints=[
        "What does global average pooling leave of each map?",
        "Each score is a sum over the channels, each mean times its weight. And the bias.",
    ],
    explanation="No size of the maps stands in `w`, so images of any size will do.",
)
def mean_head(maps, w, b):
    """Return the scores of the images."""
    means = maps.mean(axis=(2, 3))
    return means @ w.T + b


def _known(hint, **answers):
    """Enter known mistakes that share a hint."""
    mean_head.mistakes.extend(Mistake(name, hint, answer) for name, answer in answers.items())


def _pooled(pool):
    """Return a function with another pooling in front of the linear layer."""
    return lambda maps, w, b: pool(maps) @ w.T + b


def _means(maps):
    return maps.mean(axis=(2, 3))


# The mean over the wrong axes.
_WRONG_AXES: dict[tuple[int, ...], str] = {
    **dict.fromkeys(
        [(2,), (3,)], "The mean goes over rows and columns: one number is left of each map."
    ),
    **dict.fromkeys(
        [(1, 2, 3), (1, 2), (1, 3), (1,)],
        "Each map has a mean of its own: the mean must not go over the channels, axis 1.",
    ),
    **dict.fromkeys(
        [(0, 2, 3), (0, 2), (0, 3), (0,)],
        "Each image has scores of its own: the mean must not go over the batch, axis 0.",
    ),
    (0, 1): "The mean goes over rows and columns, the axes 2 and 3 (counted from 0).",
}
for _axes, _hint in _WRONG_AXES.items():
    _known(
        _hint, **{f"mean_over_{''.join(map(str, _axes))}": _pooled(partial(np.mean, axis=_axes))}
    )

_known(
    "Global average pooling takes the mean of each map, not the sum.",
    sum_of_maps=_pooled(lambda maps: maps.sum(axis=(2, 3))),
)
_known(
    "Divide the sum of a map by the number of its cells, rows times columns.",
    divided_by_rows=_pooled(lambda maps: maps.sum(axis=(2, 3)) / maps.shape[2]),
    divided_by_columns=_pooled(lambda maps: maps.sum(axis=(2, 3)) / maps.shape[3]),
    divided_by_images_too=_pooled(lambda maps: _means(maps) / len(maps)),
    divided_by_channels=_pooled(lambda maps: maps.sum(axis=(2, 3)) / maps.shape[1]),
    divided_by_rows_and_columns_added=_pooled(
        lambda maps: maps.sum(axis=(2, 3)) / (maps.shape[2] + maps.shape[3])
    ),
    divided_by_everything=_pooled(lambda maps: maps.sum(axis=(2, 3)) / maps.size),
)
_known(
    "You divide by the channels as well: each map has its mean, and a score adds up the channels.",
    divided_by_channels_too=_pooled(lambda maps: _means(maps) / maps.shape[1]),
)
_known(
    "It is an average pooling: the mean of each map, not its largest number.",
    largest_of_maps=_pooled(lambda maps: maps.max(axis=(2, 3))),
)
_known(
    "It is an average pooling: the mean of each map.",
    median_of_maps=_pooled(lambda maps: np.median(maps, axis=(2, 3))),
    smallest_of_maps=_pooled(lambda maps: maps.min(axis=(2, 3))),
    root_mean_square=_pooled(lambda maps: np.sqrt((maps**2).mean(axis=(2, 3)))),
    mean_square=_pooled(lambda maps: (maps**2).mean(axis=(2, 3))),
    mean_size=_pooled(lambda maps: np.abs(maps).mean(axis=(2, 3))),
    middle_of_range=_pooled(lambda maps: (maps.max(axis=(2, 3)) + maps.min(axis=(2, 3))) / 2),
    mean_of_row_maxima=_pooled(lambda maps: maps.max(axis=3).mean(axis=2)),
)
_known(
    "Of each map the mean of all cells is taken, not one cell, a row or a column.",
    first_cells=_pooled(lambda maps: maps[:, :, 0, 0]),
    last_cells=_pooled(lambda maps: maps[:, :, -1, -1]),
    middle_cells=_pooled(lambda maps: maps[:, :, maps.shape[2] // 2, maps.shape[3] // 2]),
    first_rows=_pooled(lambda maps: maps[:, :, 0].mean(axis=2)),
    last_rows=_pooled(lambda maps: maps[:, :, -1].mean(axis=2)),
    first_columns=_pooled(lambda maps: maps[:, :, :, 0].mean(axis=2)),
    last_columns=_pooled(lambda maps: maps[:, :, :, -1].mean(axis=2)),
)
_known(
    "Nothing is cut off at zero: no ReLU stands between the maps and the scores, nor behind them.",
    head_with_relu=lambda maps, w, b: np.maximum(mean_head.solution(maps, w, b), 0),
    relu_on_the_means=_pooled(lambda maps: np.maximum(_means(maps), 0)),
    relu_on_the_maps=_pooled(lambda maps: _means(np.maximum(maps, 0))),
)
_known(
    "The bias of the linear layer is missing.",
    head_bias_forgotten=lambda maps, w, b: _means(maps) @ w.T,
)
_known(
    "The bias is added to the scores, as it is.",
    head_bias_subtracted=lambda maps, w, b: _means(maps) @ w.T - b,
    head_bias_twice=lambda maps, w, b: _means(maps) @ w.T + 2 * b,
    head_bias_multiplied=lambda maps, w, b: _means(maps) @ w.T * b,
    head_bias_in_one_number=lambda maps, w, b: _means(maps) @ w.T + b.sum(),
    head_first_bias=lambda maps, w, b: _means(maps) @ w.T + b[0],
)
_known(
    "The bias is added behind the multiplication by the weight, one number for each score.",
    head_bias_on_the_weight=lambda maps, w, b: _means(maps) @ (w + b[:, None]).T,
    head_bias_too_early=lambda maps, w, b: (_means(maps) + b) @ w.T,
    head_bias_scaled=lambda maps, w, b: mean_head.solution(maps, w, b * w.sum(axis=1)),
)
_known(
    "The scores have the shape (N, K): `b` belongs to the last axis as it is, so add it so.",
    head_bias_as_column=lambda maps, w, b: _means(maps) @ w.T + b[:, None],
)
_known(
    "The scores are right; but images come first, the shape is (N, K).",
    scores_transposed=lambda maps, w, b: mean_head.solution(maps, w, b).T,
)
_known(
    "The means have the shape (N, C) and the weight (K, C): the product is `means @ w.T`.",
    head_weight_on_the_left=lambda maps, w, b: w @ _means(maps) + b,
    head_weight_on_the_left_of_transposed=lambda maps, w, b: w @ _means(maps).T + b,
    head_weight_on_the_left_transposed=lambda maps, w, b: w.T @ _means(maps) + b,
)
_known(
    "The weight is (out, in): each score has a row of it, so transpose it, `w.T`.",
    head_not_transposed=lambda maps, w, b: _means(maps) @ w + b,
    head_reshaped=lambda maps, w, b: _means(maps) @ w.reshape(w.shape[::-1]) + b,
)
_known(
    "A score is a sum over the channels: a product of matrices, `@`.",
    head_multiplied=lambda maps, w, b: _means(maps) * w + b,
    head_not_summed=lambda maps, w, b: _means(maps)[:, None] * w + b[:, None],
)
_known(
    "A score adds up the products of all channels: it is not their mean, nor the largest.",
    head_largest_product=lambda maps, w, b: (_means(maps)[:, None] * w).max(axis=2) + b,
    head_all_averaged=lambda maps, w, b: mean_head.solution(maps, w, b) / w.shape[1],
)
_known(
    "Each channel has a weight of its own.",
    weights_ignored=lambda maps, w, b: _means(maps).sum(axis=1, keepdims=True) + b,
    first_weights_only=lambda maps, w, b: _means(maps) @ (0 * w + w[:, :1]).T + b,
    first_channel_only=lambda maps, w, b: _means(maps)[:, :1] @ w[:, :1].T + b,
)
_known(
    "Each image has scores of its own. The first one's are in all rows, or the mean of all.",
    scores_of_the_first_image=lambda maps, w, b: mean_head.solution(0 * maps + maps[:1], w, b),
    scores_of_the_last_image=lambda maps, w, b: mean_head.solution(0 * maps + maps[-1:], w, b),
    same_mean_for_all_images=lambda maps, w, b: mean_head.solution(
        0 * maps + maps.mean(axis=0), w, b
    ),
)
_known(
    "Each map has a mean of its own: yours is taken over all channels.",
    mean_over_channels=lambda maps, w, b: mean_head.solution(
        0 * maps + maps.mean(axis=1, keepdims=True), w, b
    ),
    one_mean_for_each_image=_pooled(lambda maps: maps.mean(axis=(1, 2, 3))[:, None]),
    mean_of_everything=lambda maps, w, b: mean_head.solution(0 * maps + maps.mean(), w, b),
)
_known(
    "The scores are logits. Nothing makes probabilities of them here.",
    head_with_softmax=lambda maps, w, b: _softmax(mean_head.solution(maps, w, b)),
    head_with_softmax_over_images=lambda maps, w, b: _softmax(mean_head.solution(maps, w, b).T).T,
    head_with_log_softmax=lambda maps, w, b: np.log(_softmax(mean_head.solution(maps, w, b))),
    head_with_sigmoid=lambda maps, w, b: 1 / (1 + np.exp(-mean_head.solution(maps, w, b))),
    head_with_tanh=lambda maps, w, b: np.tanh(mean_head.solution(maps, w, b)),
)
_known(
    "`@` fits if one number is left of each map, so that the means have the shape (N, C), and if "
    "the weight is transposed, `w.T`.",
    maps_flattened=_pooled(lambda maps: maps.reshape(len(maps), -1)),
)
_known(
    "Of each map one number is left: average it.",
    linear_on_each_cell=lambda maps, w, b: np.einsum("nchw,kc->nkhw", maps, w) + b[:, None, None],
)
_known(
    "Rows and columns are gone behind the pooling: leave `keepdims` out.",
    pooled_axes_kept=_pooled(lambda maps: maps.mean(axis=(2, 3), keepdims=True)),
    scores_with_axes=lambda maps, w, b: mean_head.solution(maps, w, b)[:, :, None, None],
)
_known(
    "Return the scores of all classes, not the number of the best, nor its score.",
    best_class=lambda maps, w, b: mean_head.solution(maps, w, b).argmax(axis=1),
    best_score=lambda maps, w, b: mean_head.solution(maps, w, b).max(axis=1),
    sum_of_scores=lambda maps, w, b: mean_head.solution(maps, w, b).sum(axis=1),
)
_known(
    "Those are the means of the maps. The linear layer comes behind them.",
    means_alone=lambda maps, w, b: _means(maps),
)


def _softmax(scores):
    return np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
