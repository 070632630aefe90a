"""The exercise on the gradient of the bias."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from random import Random

import numpy as np

from convlab.check.exercise import Arguments, Mistake, random_array
from convlab.check.exercises.gradients.values import chapter


def _arriving(random: Random) -> Iterator[Arguments]:
    """Yield gradients of an output, from the simplest on."""
    for shape in ((1, 1, 2, 2), (1, 2, 2, 3), (2, 1, 2, 2), (2, 3, 2, 2)):
        yield (random_array(random, *shape),)
    for _ in range(20):
        yield (random_array(random, *(random.randint(1, 4) for _ in range(4))),)


@chapter.code(
    title="The gradient of the bias",
    minutes=3,
    text="`grad_output` is the gradient of the output of a convolution, an array of the shape "
    "(N, O, H, W). Return the gradient of the bias, of the shape (O,).",
    cases=_arriving,
    imports="import numpy as np",
    hints=[
        "Which outputs rise when the bias of kernel 0 rises by one?",
        "`array.sum(axis=...)` takes several axes as a tuple.",
    ],
    explanation="A bias is added everywhere, so it collects from everywhere: all images, all "
    "places.",
)
def grad_bias(grad_output):
    """Return the gradient of the bias, of shape (O,)."""
    return grad_output.sum(axis=(0, 2, 3))


def _known(hint, **answers):
    """Enter known mistakes that share a hint."""
    grad_bias.mistakes.extend(Mistake(name, hint, answer) for name, answer in answers.items())


_AXES = "Which axis holds the kernels? The axes are (N, O, H, W), counted from 0."
_PLACES_TOO = "A bias is added at every place of the map: add over rows and columns, too."

# Summed over the wrong axes.
for _axes, _hint in {
    (2, 3): "Each image of the batch pulls at the same bias: add over the images, too.",
    (0, 1, 2, 3): "Each kernel has a bias of its own: one axis must stay.",
    (0,): _PLACES_TOO,
    (0, 2): _PLACES_TOO,
    (0, 3): _PLACES_TOO,
    (2,): "A bias is one number for a kernel: add over images, rows and columns.",
    (3,): "A bias is one number for a kernel: add over images, rows and columns.",
    **dict.fromkeys([(1,), (0, 1), (1, 2), (1, 3), (0, 1, 2), (0, 1, 3), (1, 2, 3)], _AXES),
}.items():
    _known(_hint, **{f"bias_axes_{''.join(map(str, _axes))}": partial(np.sum, axis=_axes)})


def _averaged(axes):
    """Return a function that takes means over these axes, and adds up over the others."""
    return lambda grad: grad_bias.solution(grad) / np.prod([grad.shape[axis] for axis in axes])


_known(
    "The chain rule adds where arrows meet. A mean divides.",
    bias_mean=_averaged((0, 2, 3)),
    bias_mean_over_places=_averaged((2, 3)),
    bias_mean_over_rows=_averaged((2,)),
    bias_mean_over_columns=_averaged((3,)),
)
_known(
    "The chain rule adds over the images. A mean divides by their number.",
    bias_mean_over_images=_averaged((0,)),
)
_known(
    "You divide by the number of kernels. Nothing is shared out among them.",
    bias_divided_by_kernels=_averaged((1,)),
)
_known(
    "All images of the batch count, not only the first.",
    bias_of_the_first_image=lambda grad: grad_bias.solution(grad[:1]),
)
_known(
    "Does your sum go over all images? Only the last one is left (`=` or `+=`?).",
    bias_of_the_last_image=lambda grad: grad_bias.solution(grad[-1:]),
)
_known(
    "Your sum leaves out an image: where does the loop over the batch begin, and where end?",
    bias_without_the_first_image=lambda grad: grad_bias.solution(grad[1:]),
    bias_without_the_last_image=lambda grad: grad_bias.solution(grad[:-1]),
)
_known(
    "Your sum leaves out places: each row and each column of the map counts.",
    bias_of_the_first_place=lambda grad: grad_bias.solution(grad[:, :, :1, :1]),
    bias_of_the_last_place=lambda grad: grad_bias.solution(grad[:, :, -1:, -1:]),
    bias_of_the_last_place_of_all=lambda grad: grad[-1, :, -1, -1],
    bias_of_the_first_row=lambda grad: grad_bias.solution(grad[:, :, :1]),
    bias_of_the_last_row=lambda grad: grad_bias.solution(grad[:, :, -1:]),
    bias_of_the_first_column=lambda grad: grad_bias.solution(grad[:, :, :, :1]),
    bias_of_the_last_column=lambda grad: grad_bias.solution(grad[:, :, :, -1:]),
    bias_without_borders=lambda grad: grad_bias.solution(grad[:, :, 1:-1, 1:-1]),
    bias_without_the_first_row=lambda grad: grad_bias.solution(grad[:, :, 1:]),
    bias_without_the_last_row=lambda grad: grad_bias.solution(grad[:, :, :-1]),
    bias_without_the_first_column=lambda grad: grad_bias.solution(grad[:, :, :, 1:]),
    bias_without_the_last_column=lambda grad: grad_bias.solution(grad[:, :, :, :-1]),
    bias_of_the_diagonal=lambda grad: np.trace(grad, axis1=2, axis2=3).sum(axis=0),
)
_known(
    "The numbers are right, but a bias has a single axis, (O,).",
    bias_axes_kept=lambda grad: grad.sum(axis=(0, 2, 3), keepdims=True),
    bias_axes_of_a_map=lambda grad: grad.sum(axis=(0, 2, 3))[:, None, None],
    bias_as_row=lambda grad: grad.sum(axis=(0, 2, 3))[None],
    bias_as_column=lambda grad: grad.sum(axis=(0, 2, 3))[:, None],
)
_known(
    "The outputs rise by one each. But what is each rise worth? That is `grad_output`.",
    bias_of_ones=lambda grad: np.full(grad.shape[1], float(grad[:, 0].size)),
    bias_of_ones_of_a_map=lambda grad: np.full(grad.shape[1], float(grad[0, 0].size)),
    bias_of_ones_of_the_batch=lambda grad: np.full(grad.shape[1], float(len(grad))),
    bias_one=lambda grad: np.ones(grad.shape[1]),
)
_known(
    "All images pull at the same bias: add over the batch.",
    bias_in_one_row=lambda grad: grad.sum(axis=(2, 3)).ravel(),
)
_known(
    "`reshape` mixes images and kernels. Name the axes of the sum instead.",
    bias_reshaped=lambda grad: grad.reshape(grad.shape[1], -1).sum(axis=1),
    bias_reshaped_to_columns=lambda grad: grad.reshape(-1, grad.shape[1]).sum(axis=0),
)
_known(
    "The bias is added, so the gradients are added as they are: without a minus.",
    bias_negative=lambda grad: -grad_bias.solution(grad),
)
_known(
    "The gradients are added as they are, with their signs.",
    bias_of_absolutes=lambda grad: grad_bias.solution(np.abs(grad)),
    bias_of_squares=lambda grad: grad_bias.solution(grad**2),
)
_known(
    "Arrows that meet are added. You take one of them: the largest.",
    bias_maximum=lambda grad: grad.max(axis=(0, 2, 3)),
)
_known(
    "What arrives at a bias is a sum. Yours adds up to each kernel what the ones before it have.",
    bias_accumulated=lambda grad: grad_bias.solution(grad).cumsum(),
)
_known(
    "Make the zeros without `dtype=int`: a gradient is a float.",
    bias_of_ints=lambda grad: grad_bias.solution(grad).astype(int),
)
_known(
    "Nothing is added to your zeros: does the loop run, and does it change them?",
    bias_zero=lambda grad: 0 * grad_bias.solution(grad),
)
