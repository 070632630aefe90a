"""Values to work out: the chain rule along a row."""

from __future__ import annotations

from typing import Any

import numpy as np

from convlab.check.exercise import Chapter
from convlab.shapes import conv2d_output_size

chapter = Chapter("gradients")

_W, _X, _TARGET = 2, 5, 7
_ERROR = _W * _X - _TARGET
_GRADIENT = 2 * _ERROR * _X


def _step(gradient: float) -> tuple[float, float]:
    """Return a gradient of the weight, and the weight after the step."""
    return gradient, _W - 0.1 * gradient


chapter.value(
    "descent_step",
    title="One step downhill",
    minutes=4,
    text="A network of one weight answers `w * x`. Shown a 5, it should answer 7, and its loss is "
    "the square of the difference. The weight is 2. Give two numbers: the gradient of the weight, "
    "and the weight after a step with the learning rate 0.1.",
    answer=_step(_GRADIENT),
    hints=[
        "By how much does the loss change per unit of the answer? And the answer per unit of `w`?",
        "Multiply the two slopes. The step goes against the product, by a tenth of it.",
    ],
    explanation="Slopes along the way are multiplied. The answer was too large, so the weight "
    "falls.",
    mistakes=[
        (
            "input_forgotten",
            _step(2 * _ERROR),
            "That is the gradient of the answer. How much does the answer change with the weight?",
        ),
        (
            "factor_2_forgotten",
            _step(_ERROR * _X),
            "How steep is a square? The slope of d² is not d.",
        ),
        (
            "difference_only",
            _step(_ERROR),
            "That is the difference. The loss is its square, and the answer changes with `w`.",
        ),
        ("loss", _step(_ERROR**2), "That is the loss. The gradient is its slope."),
        ("loss_times_input", _step(_ERROR**2 * _X), "The loss is a square: what is its slope?"),
        ("loss_doubled", _step(2 * _ERROR**2), "The slope of d² is 2d. And how does d change?"),
        ("input", _step(_X), "That is how the answer changes with `w`. And the loss with it?"),
        (
            "weight_for_input",
            _step(2 * _ERROR * _W),
            "When `w` changes, by what is the change multiplied in `w * x`?",
        ),
        (
            "input_squared",
            _step(_GRADIENT * _X),
            "The slope of the loss is twice the difference. Multiply it by `x` once.",
        ),
        (
            "target_forgotten",
            _step(2 * _W * _X * _X),
            "The loss squares the difference from 7, not the answer.",
        ),
        ("sign_turned", (-_GRADIENT, 5), "The answer is too large: a larger `w` makes it worse."),
        (
            "sign_of_gradient_turned",
            (-_GRADIENT, -1),
            "The answer is too large: with a larger `w` the loss rises, so its slope is positive.",
        ),
        ("uphill", (_GRADIENT, 5), "A step along the gradient makes the loss larger."),
        ("rate_forgotten", (_GRADIENT, _W - 30), "The step is a tenth of the gradient."),
        (
            "rate_and_direction_forgotten",
            (_GRADIENT, _W + 30),
            "The step is a tenth of the gradient, and it leads against it.",
        ),
        ("step_in_place_of_weight", (_GRADIENT, 3), "That is the step. Where does it lead from 2?"),
        (
            "negative_step_in_place_of_weight",
            (_GRADIENT, -3),
            "That is the step. Where does it lead from 2?",
        ),
        ("rate_subtracted", (_GRADIENT, 1.9), "The step is the rate times the gradient."),
        (
            "weight_scaled",
            (_GRADIENT, 1.8),
            "The step is a tenth of the gradient, not a tenth of the weight.",
        ),
        ("exchanged", (-1, _GRADIENT), "First the gradient, then the new weight."),
    ],
)

_ARRIVING, _KERNEL = (2, 0, 5), (1, 3)


def _row(numbers: Any) -> tuple[int, ...]:
    return tuple(int(number) for number in numbers)


chapter.value(
    "gradient_of_a_row",
    title="The gradient of a row, by hand",
    minutes=5,
    text="The kernel `1 3` slides over a row of four pixels, one cell at a time. From the layer "
    "behind arrives the gradient of its three outputs, `2 0 5`. What is the gradient of the four "
    "pixels?",
    answer=_row(np.convolve(_ARRIVING, _KERNEL)),
    hints=[
        "Draw an arrow from each pixel to each output that it enters. Which weight belongs to it?",
        "Multiply along each arrow, and add where arrows meet. The first pixel has one arrow.",
    ],
    explanation="Each output sends its gradient back through the window through which it looked.",
    mistakes=[
        (
            "kernel_turned",
            _row(np.convolve(_ARRIVING, _KERNEL[::-1])),
            "The first pixel lies under the first weight of the first window only.",
        ),
        (
            "slid_forward",
            _row(np.correlate(_ARRIVING, _KERNEL)),
            "There are four pixels, and each one has entered at least one output.",
        ),
        (
            "turned_and_slid",
            _row(np.convolve(_ARRIVING, _KERNEL, "valid")),
            "There are four pixels. Those at the ends have entered one output each.",
        ),
        (
            "overlap_overwritten",
            (2, 0, 5, 15),
            "A pixel under two windows hears from both: add what meets.",
        ),
        (
            "first_window_kept",
            (2, 6, 0, 15),
            "A pixel under two windows hears from both: add what meets.",
        ),
        (
            "meeting_averaged",
            (2, 3, 2.5, 15),
            "What meets at a pixel is added. You take the mean.",
        ),
        (
            "weights_counted",
            (1, 4, 4, 3),
            "You add the weights. Each counts as much as the gradient of its output says.",
        ),
        ("last_pixel_forgotten", (2, 6, 5, 0), "The last pixel lies under the second weight."),
        ("three_pixels", (2, 6, 5), "There are four pixels. Under which window lies the last?"),
        ("first_pixel_forgotten", (0, 6, 5, 15), "The first pixel lies under the first weight."),
        (
            "weights_added_up",
            (8, 0, 20),
            "Each weight leads to another pixel, and there are four of them.",
        ),
        ("gradient_itself", (2, 0, 5), "What a pixel hears has passed a weight: multiply by it."),
        (
            "first_weight_only",
            (2, 0, 5, 0),
            "Both weights of a window send back: the second one to the next pixel.",
        ),
        (
            "second_weight_only",
            (0, 6, 0, 15),
            "Both weights of a window send back: the first one to the pixel under it.",
        ),
    ],
)

_PLACES = int(np.prod(conv2d_output_size((4, 7), 3)))

chapter.value(
    "predict_bias_gradient",
    title="Predict: backward, three times",
    minutes=3,
    text="What does this print?",
    code="layer = nn.Conv2d(1, 1, kernel_size=3)\n"
    "image = torch.ones(1, 1, 4, 7)\n"
    "for _ in range(3):\n"
    "    layer(image).sum().backward()\n"
    "print(layer.bias.grad.item())",
    answer=3 * _PLACES,
    hints=[
        "At how many places does the window stand? Each output rises with the bias.",
        "What does `backward()` do with a gradient that is there already?",
    ],
    explanation="`backward()` adds to `.grad`. That is why a loop calls `zero_grad()`.",
    mistakes=[
        ("not_added_up", _PLACES, "And what does the second `backward()` do with this number?"),
        ("twice", 2 * _PLACES, "How often is `backward()` called? And is the first one lost?"),
        ("pixels_counted", 3 * 28, "The bias enters each output once, and outputs are fewer."),
        ("pixels_once", 28, "Count outputs, not pixels. And `backward()` is called three times."),
        ("ones_added", 3, "The bias enters each output of the layer, not only one."),
        ("one", 1, "The bias enters every output, and `backward()` is called three times."),
        ("weight_times", 3 * 9, "You count weights. At how many places does the window stand?"),
        (
            "weights_once",
            9,
            "You count weights. At how many places does the window stand? And how often?",
        ),
        ("rows_kept", 3 * 4 * 5, "A window of 3 has fewer places than rows, without padding."),
        ("columns_kept", 3 * 2 * 7, "A window of 3 has fewer places than columns."),
        ("one_place_short", 3 * 4, "A window of 3 has 2 places on 4 rows. And on 7 columns?"),
        ("one_place_short_once", 4, "A window of 3 has 2 places on 4 rows. And on 7 columns?"),
        ("columns_only", 3 * 5, "The window moves across, and down as well."),
        ("rows_only", 3 * 2, "The window moves down, and across as well."),
        ("mean", 30 / 9, "`.sum()` adds up the outputs, and `backward()` the gradients."),
        ("gradient_cleared", 0, "Nothing clears the gradient here: no `zero_grad()` is called."),
    ],
)
