"""Exercise: Winograd with four products."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations
from random import Random

from convlab.check.exercise import Arguments, Mistake, random_array
from convlab.check.exercises.algorithms.values import chapter


def _signals(random: Random) -> Iterator[Arguments]:
    """Yield four inputs and three weights, from the simplest on."""
    yield [1.0, 0.0, 0.0, 0.0], [1.0, 2.0, 3.0]
    yield [0.0, 1.0, 0.0, 0.0], [1.0, 2.0, 3.0]
    yield [0.0, 0.0, 1.0, 0.0], [1.0, 2.0, 3.0]
    yield [0.0, 0.0, 0.0, 1.0], [1.0, 2.0, 3.0]
    for _ in range(40):
        yield random_array(random, 4).tolist(), random_array(random, 3).tolist()


@chapter.code(
    title="F(2, 3) with four products",
    minutes=6,
    text="`d` are four inputs, `g` three weights, both lists. Return the two outputs as a pair, by "
    "Winograd's four products. (A check cannot see how often you multiply; you can.)",
    cases=_signals,
    hints=[
        "Write the four products of the chapter first: two share the inputs in the middle, and one "
        "mends each output.",
        "The first output adds three of the products. In the second, two are taken away.",
    ],
    explanation="Half sums of weights are made once, and serve all windows of all images.",
)
def winograd_pair(d, g):
    """Return the two outputs."""
    m1 = (d[0] - d[2]) * g[0]
    m2 = (d[1] + d[2]) * ((g[0] + g[1] + g[2]) / 2)
    m3 = (d[2] - d[1]) * ((g[0] - g[1] + g[2]) / 2)
    m4 = (d[1] - d[3]) * g[2]
    return m1 + m2 + m3, m2 - m3 - m4


def _products_of(d, g):
    """Return the four products."""
    m2 = (d[1] + d[2]) * (g[0] + g[1] + g[2]) / 2
    m3 = (d[2] - d[1]) * (g[0] - g[1] + g[2]) / 2
    return (d[0] - d[2]) * g[0], m2, m3, (d[1] - d[3]) * g[2]


def _enter(name, hint, change):
    """Enter the outputs that come out with other products, or with another sum of them."""

    def answer(d, g):
        return change(d, g, *_products_of(d, g))

    winograd_pair.mistakes.append(Mistake(name, hint, answer))


_HALVES = "The weights of the two middle products are half sums."
_enter("halves_forgotten", _HALVES, lambda d, g, a, b, c, e: (a + 2 * b + 2 * c, 2 * b - 2 * c - e))
_enter("half_forgotten_in_second", _HALVES, lambda d, g, a, b, c, e: (a + 2 * b + c, 2 * b - c - e))
_enter("half_forgotten_in_third", _HALVES, lambda d, g, a, b, c, e: (a + b + 2 * c, b - 2 * c - e))
_enter(
    "half_of_last_weight",
    "The whole sum of the weights is halved: set brackets.",
    lambda d, g, a, b, c, e: (
        a + (d[1] + d[2]) * (g[0] + g[1] + g[2] / 2) + (d[2] - d[1]) * (g[0] - g[1] + g[2] / 2),
        (d[1] + d[2]) * (g[0] + g[1] + g[2] / 2) - (d[2] - d[1]) * (g[0] - g[1] + g[2] / 2) - e,
    ),
)
_enter(
    "halves_rounded_down",
    "`//` rounds down. Half of 3 is 1.5.",
    lambda d, g, a, b, c, e: (a + b // 1 + c // 1, b // 1 - c // 1 - e),
)
_enter(
    "half_sums_rounded_down",
    "`//` rounds down. Half of 3 is 1.5.",
    lambda d, g, a, b, c, e: (
        a + (d[1] + d[2]) * (sum(g) // 2) + (d[2] - d[1]) * ((g[0] - g[1] + g[2]) // 2),
        (d[1] + d[2]) * (sum(g) // 2) - (d[2] - d[1]) * ((g[0] - g[1] + g[2]) // 2) - e,
    ),
)
_LAST = "The last product is (d1 - d3) g2, and is taken away: look at its sign."
_enter("last_product_added", _LAST, lambda d, g, a, b, c, e: (a + b + c, b - c + e))
_FIRST = "The first product is (d0 - d2) g0, and is added: look at its signs."
_enter("first_product_subtracted", _FIRST, lambda d, g, a, b, c, e: (b + c - a, b - c - e))
_enter(
    "inputs_of_first_product_added",
    _FIRST,
    lambda d, g, a, b, c, e: ((d[0] + d[2]) * g[0] + b + c, b - c - e),
)
_enter(
    "inputs_of_last_product_added",
    _LAST,
    lambda d, g, a, b, c, e: (a + b + c, b - c - (d[1] + d[3]) * g[2]),
)
_enter(
    "first_product_missing",
    "The first output lacks d0 g0, and has d2 g0 too much: mend it.",
    lambda d, g, a, b, c, e: (b + c, b - c - e),
)
_enter(
    "last_product_missing",
    "The second output lacks d3 g2, and has d1 g2 too much: mend it.",
    lambda d, g, a, b, c, e: (a + b + c, b - c),
)
_enter(
    "mends_missing",
    "Each of the two sums needs to be mended by a product: the first, and the last.",
    lambda d, g, a, b, c, e: (b + c, b - c),
)
_enter(
    "third_product_turned",
    "The third product is that of d2 - d1, in this order: look at its sign.",
    lambda d, g, a, b, c, e: (a + b - c, b + c - e),
)
_enter(
    "third_product_added_twice",
    "In the second output the third product is taken away.",
    lambda d, g, a, b, c, e: (a + b + c, b + c - e),
)
_enter(
    "third_product_subtracted_twice",
    "In the first output the third product is added.",
    lambda d, g, a, b, c, e: (a + b - c, b - c - e),
)
_enter(
    "second_product_subtracted",
    "In the second output, the second product is added, the third one taken away.",
    lambda d, g, a, b, c, e: (a + b + c, c - b - e),
)
_enter(
    "inputs_of_second_product_subtracted",
    "The second product takes the sum of the middle inputs, the third one their difference.",
    lambda d, g, a, b, c, e: (
        a + (d[1] - d[2]) * sum(g) / 2 + c,
        (d[1] - d[2]) * sum(g) / 2 - c - e,
    ),
)
_enter(
    "first_product_in_both",
    "The first product mends the first output only.",
    lambda d, g, a, b, c, e: (a + b + c, a + b - c - e),
)
_enter(
    "last_product_in_both",
    "The last product mends the second output only.",
    lambda d, g, a, b, c, e: (a + b + c - e, b - c - e),
)
_MENDING = "The first product has g0, the last one g2: the weights are not turned."
_enter(
    "last_product_with_first_weight",
    _MENDING,
    lambda d, g, a, b, c, e: (a + b + c, b - c - (d[1] - d[3]) * g[0]),
)
_enter(
    "first_product_with_last_weight",
    _MENDING,
    lambda d, g, a, b, c, e: ((d[0] - d[2]) * g[2] + b + c, b - c - e),
)
_enter(
    "weights_of_mends_exchanged",
    _MENDING,
    lambda d, g, a, b, c, e: ((d[0] - d[2]) * g[2] + b + c, b - c - (d[1] - d[3]) * g[0]),
)
_enter(
    "last_weight_subtracted",
    "In the third product, g1 alone is taken away; g2 is added.",
    lambda d, g, a, b, c, e: (
        a + b + c - (d[2] - d[1]) * g[2],
        b - c + (d[2] - d[1]) * g[2] - e,
    ),
)
_enter(
    "outputs_exchanged",
    "The two outputs have changed places.",
    lambda d, g, a, b, c, e: (b - c - e, a + b + c),
)
_enter(
    "products_returned",
    "Those are the four products. The two outputs are sums of them.",
    lambda d, g, a, b, c, e: (a, b, c, e),
)
_enter(
    "first_output_only",
    "Two outputs are asked for, as a pair.",
    lambda d, g, a, b, c, e: a + b + c,
)
_enter(
    "wrong_weight_subtracted",
    "In the third product, g1 is taken away, and g2 is added.",
    lambda d, g, a, b, c, e: (
        a + b + c + (d[2] - d[1]) * (g[1] - g[2]),
        b - c - (d[2] - d[1]) * (g[1] - g[2]) - e,
    ),
)
_enter(
    "inputs_of_third_product_added",
    "The second product takes the sum of the middle inputs, the third one d2 - d1.",
    lambda d, g, a, b, c, e: (
        a + b + (d[2] + d[1]) * (g[0] - g[1] + g[2]) / 2,
        b - (d[2] + d[1]) * (g[0] - g[1] + g[2]) / 2 - e,
    ),
)
_enter(
    "products_subtracted_in_first",
    "In the first output, three products are added.",
    lambda d, g, a, b, c, e: (a - b - c, b - c - e),
)
_enter(
    "first_output_twice",
    "The window of the second output begins one input later.",
    lambda d, g, a, b, c, e: (a + b + c, a + b + c),
)
_enter(
    "halves_forgotten_and_last_product_added",
    _HALVES,
    lambda d, g, a, b, c, e: (a + 2 * b + 2 * c, 2 * b - 2 * c + e),
)


def _sums_of(products):
    """Return the outputs that come of four products."""
    a, b, c, e = products
    return a + b + c, b - c - e


def _enter_product(name, hint, place, product):
    """Enter the outputs that come out with one product that is wrong."""

    def answer(d, g):
        products = list(_products_of(d, g))
        products[place] = product(d, g)
        return _sums_of(products)

    winograd_pair.mistakes.append(Mistake(name, hint, answer))


def _sum(g):
    return (g[0] + g[1] + g[2]) / 2


def _alternating(g):
    return (g[0] - g[1] + g[2]) / 2


_INPUTS = "Look at the inputs of the {} product: which two does it take?"
for _number, (_place, _right, _weight) in {
    "first": (0, (0, 2, -1), lambda g: g[0]),
    "second": (1, (1, 2, 1), _sum),
    "third": (2, (2, 1, -1), _alternating),
    "last": (3, (1, 3, -1), lambda g: g[2]),
}.items():
    for _one, _other in permutations(range(4), 2):
        _sign = _right[2]
        if {_one, _other} == set(_right[:2]) or (_sign > 0 and _one > _other):
            continue
        _enter_product(
            f"{_number}_product_of_{_one}_and_{_other}",
            _INPUTS.format(_number),
            _place,
            lambda d, g, one=_one, other=_other, sign=_sign, weight=_weight: (
                (d[one] + sign * d[other]) * weight(g)
            ),
        )

_enter(
    "neighbours_subtracted",
    "The first and the last product take inputs two apart: d0 - d2, and d1 - d3.",
    lambda d, g, a, b, c, e: _sums_of(((d[0] - d[1]) * g[0], b, c, (d[2] - d[3]) * g[2])),
)
_SECOND_WEIGHTS = "Look at the weights of the second product: all three are added, and halved."
_THIRD_WEIGHTS = "Look at the weights of the third product: g1 is taken away, g0 and g2 are added."
for _name, _signs in {
    "middle_weight_missing": (1, 0, 1),
    "last_weight_missing": (1, 1, 0),
    "first_weight_missing": (0, 1, 1),
    "middle_weight_negative": (1, -1, 1),
    "first_weight_negative": (-1, 1, 1),
    "middle_weight_only": (0, 1, 0),
    "all_negative": (-1, -1, -1),
}.items():
    for _number, _place, _hint in [
        ("second", 1, _SECOND_WEIGHTS),
        ("third", 2, _THIRD_WEIGHTS),
    ]:
        if (_number, _signs) != ("third", (1, -1, 1)):
            _enter_product(
                f"{_number}_product_{_name}",
                _hint,
                _place,
                lambda d, g, signs=_signs, place=_place: (
                    (d[1] + d[2] if place == 1 else d[2] - d[1])
                    * sum(sign * weight for sign, weight in zip(signs, g, strict=True))
                    / 2
                ),
            )
_enter_product(
    "second_product_last_weight_negative",
    _SECOND_WEIGHTS,
    1,
    lambda d, g: (d[1] + d[2]) * (g[0] + g[1] - g[2]) / 2,
)
_HALF = "Only the two middle products are halved, and only once."
_enter("halved_twice", _HALF, lambda d, g, a, b, c, e: _sums_of((a, b / 2, c / 2, e)))
_enter("all_halved", _HALF, lambda d, g, a, b, c, e: _sums_of((a / 2, b, c, e / 2)))
_enter("outputs_halved", _HALF, lambda d, g, a, b, c, e: ((a + b + c) / 2, (b - c - e) / 2))
_enter("divided_by_three", _HALVES, lambda d, g, a, b, c, e: _sums_of((a, b / 1.5, c / 1.5, e)))
_FIRST_OUTPUT = "The first output is the sum of the first three products."
_SECOND_OUTPUT = "The second output is the second product, less the third, less the last."
_enter("first_without_third", _FIRST_OUTPUT, lambda d, g, a, b, c, e: (a + b, b - c - e))
_enter("first_without_second", _FIRST_OUTPUT, lambda d, g, a, b, c, e: (a + c, b - c - e))
_enter("second_taken_from_first", _FIRST_OUTPUT, lambda d, g, a, b, c, e: (a - b + c, b - c - e))
_enter("four_in_first", _FIRST_OUTPUT, lambda d, g, a, b, c, e: (a + b + c + e, b - c - e))
_enter("second_without_third", _SECOND_OUTPUT, lambda d, g, a, b, c, e: (a + b + c, b - e))
_enter("second_without_second", _SECOND_OUTPUT, lambda d, g, a, b, c, e: (a + b + c, -c - e))
_enter("second_all_added", _SECOND_OUTPUT, lambda d, g, a, b, c, e: (a + b + c, b + c + e))
_enter("second_all_negative", _SECOND_OUTPUT, lambda d, g, a, b, c, e: (a + b + c, -b - c - e))
_enter("second_turned", _SECOND_OUTPUT, lambda d, g, a, b, c, e: (a + b + c, c + e - b))
_enter("second_from_first", _SECOND_OUTPUT, lambda d, g, a, b, c, e: (a + b + c, a - c - e))
_enter("second_of_first_two", _SECOND_OUTPUT, lambda d, g, a, b, c, e: (a + b + c, a - b - c))
_enter(
    "last_output_only",
    "Two outputs are asked for, as a pair.",
    lambda d, g, a, b, c, e: b - c - e,
)
_enter(
    "outputs_added",
    "Two outputs are asked for, as a pair.",
    lambda d, g, a, b, c, e: a + 2 * b - e,
)
_enter(
    "all_products_added",
    "The first output lacks the last product, and the second lacks the first.",
    lambda d, g, a, b, c, e: (a + b + c + e, a + b + c + e),
)
_enter(
    "three_outputs",
    "Two outputs are asked for: a window of three has two places in four inputs.",
    lambda d, g, a, b, c, e: (a + b + c, b - c - e, 0.0),
)

_enter_product("first_product_with_middle_weight", _MENDING, 0, lambda d, g: (d[0] - d[2]) * g[1])
_enter_product("last_product_with_middle_weight", _MENDING, 3, lambda d, g: (d[1] - d[3]) * g[1])
_BOTH_WEIGHTS = "The second product adds all three weights. In the third, g1 alone is taken away."
_enter(
    "weights_of_middle_products_exchanged",
    _BOTH_WEIGHTS,
    lambda d, g, a, b, c, e: _sums_of(
        (a, (d[1] + d[2]) * _alternating(g), (d[2] - d[1]) * _sum(g), e)
    ),
)
_enter(
    "last_weight_missing_in_both",
    _BOTH_WEIGHTS,
    lambda d, g, a, b, c, e: _sums_of(
        (a, (d[1] + d[2]) * (g[0] + g[1]) / 2, (d[2] - d[1]) * (g[0] - g[1]) / 2, e)
    ),
)
_enter(
    "middle_weight_missing_in_both",
    _BOTH_WEIGHTS,
    lambda d, g, a, b, c, e: _sums_of(
        (a, (d[1] + d[2]) * (g[0] + g[2]) / 2, (d[2] - d[1]) * (g[0] + g[2]) / 2, e)
    ),
)
