"""The exercise on residual blocks."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import numpy as np

from convlab.check.exercise import Arguments, Mistake, random_array
from convlab.check.exercises.architectures.values import chapter


def _blocks(random: Random) -> Iterator[Arguments]:
    """Yield an input and two matrices, from the simplest on."""
    one = np.array([[1.0]])
    yield np.array([2.0]), 0 * one, 0 * one
    yield np.array([-2.0, 0.5]), np.zeros((1, 2)), np.zeros((2, 1))
    yield np.array([2.0]), one, 3 * one
    yield np.array([2.0]), -one, 3 * one
    yield np.array([2.0, 0.5]), np.array([[1.0, 0]]), np.array([[-3.0], [0]])
    yield np.array([1.0, 2]), np.array([[1.0, 1]]), np.array([[1.0], [-4]])
    yield np.array([-2.0, 0.5]), np.array([[1.0, 0]]), np.array([[3.0], [0]])
    yield np.array([-2.0]), -one, 3 * one
    for _ in range(30):
        wide, narrow = random.randint(1, 4), random.randint(1, 4)
        x = np.append(random_array(random, wide, low=-3, high=9), 4.5)  # never all zeros
        w1 = np.hstack([random_array(random, narrow, wide), np.zeros((narrow, 1))])
        yield x, w1, np.vstack([random_array(random, wide, narrow, low=-1), np.zeros(narrow)])


@chapter.code(
    title="A residual block",
    minutes=6,
    text="Here the two layers of a residual block are matrices: `w1`, of the shape (m, n), is "
    "followed by a ReLU; then comes `w2`, of the shape (n, m). The input `x` has the shape (n,). "
    "Return the output of the block, with its skip connection and the last ReLU.",
    cases=_blocks,
    imports="import numpy as np",
    hints=[
        "What do the two layers make of `x`? `w @ x` multiplies a matrix by a vector.",
        "The skip connection adds the input. The last ReLU comes after that.",
        "`np.maximum(a, 0)` is a ReLU.",
    ],
    explanation="If both matrices are 0, the block hands on a positive `x` as it is.",
)
def residual_block(x, w1, w2):
    """Return the output of the block."""
    inside = np.maximum(w1 @ x, 0)
    return np.maximum(x + w2 @ inside, 0)


def _relu(x):
    return np.maximum(x, 0)


@residual_block.mistake("The input itself is missing: the skip connection adds it.")
def skip_forgotten(x, w1, w2):
    return _relu(w2 @ _relu(w1 @ x))


@residual_block.mistake("The last ReLU comes after the sum, not before.")
def relu_before_the_sum(x, w1, w2):
    return x + _relu(w2 @ _relu(w1 @ x))


@residual_block.mistake("Only the sum goes through the last ReLU. You cut off before it, too.")
def relu_before_and_after_the_sum(x, w1, w2):
    return _relu(x + _relu(w2 @ _relu(w1 @ x)))


@residual_block.mistake("Behind the sum stands a ReLU.")
def last_relu_forgotten(x, w1, w2):
    return x + w2 @ _relu(w1 @ x)


@residual_block.mistake("Between the two layers stands a ReLU.")
def inner_relu_forgotten(x, w1, w2):
    return _relu(x + w2 @ (w1 @ x))


@residual_block.mistake("There are two ReLUs: one between the layers, one behind the sum.")
def both_relus_forgotten(x, w1, w2):
    return x + w2 @ (w1 @ x)


@residual_block.mistake("What the layers make is added to the input, not subtracted.")
def subtracted(x, w1, w2):
    return _relu(x - w2 @ _relu(w1 @ x))


@residual_block.mistake("`x` is added as it is. Why a ReLU on the skip connection?")
def relu_on_the_skip(x, w1, w2):
    return _relu(_relu(x) + w2 @ _relu(w1 @ x))


@residual_block.mistake("The skip connection adds the input, it does not multiply by it.")
def multiplied(x, w1, w2):
    return _relu(x * (w2 @ _relu(w1 @ x)))


@residual_block.mistake("`w1` comes first, `w2` second.")
def matrices_exchanged(x, w1, w2):
    return _relu(x + w1 @ _relu(w2 @ x))


@residual_block.mistake("The matrix stands on the left of what it multiplies: `w2 @ ...`.")
def vector_on_the_left(x, w1, w2):
    return _relu(x + _relu(w1 @ x) @ w2)


@residual_block.mistake("The matrix stands on the left of what it multiplies: `w1 @ x`.")
def vectors_on_the_left(x, w1, w2):
    return _relu(x + _relu(x @ w1) @ w2)


@residual_block.mistake("`*` multiplies number by number. A matrix times a vector is `w1 @ x`.")
def not_a_matrix_product(x, w1, w2):
    return _relu(x + w2 @ _relu(w1 * x))


@residual_block.mistake("The input is added behind the second layer, and only there.")
def skip_inside(x, w1, w2):
    return _relu(w2 @ _relu(w1 @ x + x))


@residual_block.mistake("There are two layers: `w2` is missing.")
def second_layer_forgotten(x, w1, w2):
    return _relu(x + _relu(w1 @ x))


@residual_block.mistake("The input is added behind the second layer, and only there.")
def two_skips(x, w1, w2):
    return _relu(x + w2 @ _relu(w1 @ x + x))


def _known(hint, **answers):
    """Enter known mistakes that share a hint."""
    residual_block.mistakes.extend(Mistake(name, hint, answer) for name, answer in answers.items())


def _inside(x, w1, w2):
    """Return what the two layers make."""
    return w2 @ _relu(w1 @ x)


_known(
    "`x` enters the layers and the skip connection as it is: no ReLU stands in front of them.",
    relu_on_the_input=lambda x, w1, w2: residual_block.solution(_relu(x), w1, w2),
    relu_before_the_layers=lambda x, w1, w2: _relu(x + _inside(_relu(x), w1, w2)),
    preactivation=lambda x, w1, w2: x + _inside(_relu(x), w1, w2),
    relu_only_before_the_layers=lambda x, w1, w2: _relu(x + w2 @ (w1 @ _relu(x))),
)
_known(
    "One ReLU stands behind the sum. You cut off both numbers before you add them.",
    relus_before_the_sum=lambda x, w1, w2: _relu(x) + _relu(_inside(x, w1, w2)),
)
_known(
    "The skip connection hands on `x` as it is, and the ReLU comes after the sum.",
    relu_on_the_skip_alone=lambda x, w1, w2: _relu(x) + _inside(x, w1, w2),
)
_known(
    "The second layer has no ReLU of its own: the last one comes after the sum.",
    relu_before_the_sum_and_not_between=lambda x, w1, w2: x + _relu(w2 @ (w1 @ x)),
    relus_around_the_sum_and_not_between=lambda x, w1, w2: _relu(x + _relu(w2 @ (w1 @ x))),
)
_known(
    "Between the layers stands a ReLU: what is below 0 becomes 0. Yours does something else.",
    absolute_inside=lambda x, w1, w2: _relu(x + w2 @ np.abs(w1 @ x)),
    relu_turned_inside=lambda x, w1, w2: _relu(x + w2 @ np.minimum(w1 @ x, 0)),
    squared_inside=lambda x, w1, w2: _relu(x + w2 @ (w1 @ x) ** 2),
    one_or_zero_inside=lambda x, w1, w2: _relu(x + w2 @ (w1 @ x > 0)),
    leaky_inside=lambda x, w1, w2: _relu(x + w2 @ np.where(w1 @ x > 0, w1 @ x, 0.01 * (w1 @ x))),
    least_one_inside=lambda x, w1, w2: _relu(x + w2 @ np.maximum(w1 @ x, 1)),
    relu_on_the_first_weight=lambda x, w1, w2: _relu(x + w2 @ (_relu(w1) @ x)),
)
_known(
    "The last ReLU makes 0 of what is below 0, number by number. Yours does something else.",
    absolute_behind=lambda x, w1, w2: np.abs(x + _inside(x, w1, w2)),
    relu_turned_behind=lambda x, w1, w2: np.minimum(x + _inside(x, w1, w2), 0),
    largest_alone=lambda x, w1, w2: np.maximum((x + _inside(x, w1, w2)).max(), 0),
    leaky_behind=lambda x, w1, w2: np.where(
        x + _inside(x, w1, w2) > 0, x + _inside(x, w1, w2), 0.01 * (x + _inside(x, w1, w2))
    ),
    softmax_behind=lambda x, w1, w2: (
        np.exp(x + _inside(x, w1, w2)) / np.exp(x + _inside(x, w1, w2)).sum()
    ),
)
_known(
    "The input itself is missing, and the last ReLU, too.",
    skip_and_relu_forgotten=_inside,
)
_known(
    "The input itself is missing, and a ReLU between the layers.",
    skip_and_inner_relu_forgotten=lambda x, w1, w2: _relu(w2 @ (w1 @ x)),
    everything_forgotten=lambda x, w1, w2: w2 @ (w1 @ x),
)
_known(
    "What the layers make is missing: that is the skip connection alone.",
    skip_alone=lambda x, w1, w2: _relu(x),
    input_returned=lambda x, w1, w2: x,
)
_known(
    "That is the first layer. The second one and the skip connection come behind it.",
    first_layer_alone=lambda x, w1, w2: _relu(w1 @ x),
)
_known(
    "The layers work one after the other: `w2` reads what `w1` and the ReLU have made.",
    first_layer_forgotten=lambda x, w1, w2: _relu(x + w2 @ _relu(x)),
    second_layer_on_the_input=lambda x, w1, w2: _relu(x + w2 @ x),
    layers_side_by_side=lambda x, w1, w2: _relu(x + w1 @ x + w2 @ x),
)
_known(
    "The matrices stand as they are, `w1` first: nothing is transposed.",
    exchanged_and_transposed=lambda x, w1, w2: _relu(x + w1.T @ _relu(w2.T @ x)),
    first_transposed=lambda x, w1, w2: _relu(x + w2 @ _relu(w1.T @ x)),
    second_layer_like_the_first=lambda x, w1, w2: _relu(x + w1.T @ _relu(w1 @ x)),
)
_known(
    "Add the input to what the layers make of it, once each.",
    layers_added_twice=lambda x, w1, w2: _relu(2 * _inside(x, w1, w2)),
    input_twice=lambda x, w1, w2: _relu(2 * x + _inside(x, w1, w2)),
    layers_twice=lambda x, w1, w2: _relu(x + 2 * _inside(x, w1, w2)),
    averaged=lambda x, w1, w2: _relu(x + _inside(x, w1, w2)) / 2,
    larger_one=lambda x, w1, w2: _relu(np.maximum(x, _inside(x, w1, w2))),
    block_twice=lambda x, w1, w2: residual_block.solution(
        residual_block.solution(x, w1, w2), w1, w2
    ),
)
_known(
    "What the layers make is added to the input. You subtract the input from it.",
    input_subtracted=lambda x, w1, w2: _relu(_inside(x, w1, w2) - x),
)
_known(
    "The skip connection leads from the input to behind the second layer. Yours begins later.",
    skip_from_the_middle=lambda x, w1, w2: _relu(w2 @ (_relu(w1 @ x) + w1 @ x)),
    skip_of_the_first_layer=lambda x, w1, w2: _relu(_inside(x, w1, w2) + w1 @ x),
    skip_of_the_hidden=lambda x, w1, w2: _relu(_inside(x, w1, w2) + _relu(w1 @ x)),
)
_known(
    "The input is added number by number: the output has the shape of `x`, (n,).",
    concatenated=lambda x, w1, w2: _relu(np.concatenate([x, _inside(x, w1, w2)])),
    concatenated_behind=lambda x, w1, w2: _relu(np.concatenate([_inside(x, w1, w2), x])),
    concatenated_without_relu=lambda x, w1, w2: np.concatenate([x, _inside(x, w1, w2)]),
    added_up=lambda x, w1, w2: residual_block.solution(x, w1, w2).sum(),
    as_column=lambda x, w1, w2: residual_block.solution(x, w1, w2)[:, None],
    as_row=lambda x, w1, w2: residual_block.solution(x, w1, w2)[None],
    both_returned=lambda x, w1, w2: np.stack([x, _inside(x, w1, w2)]),
)
