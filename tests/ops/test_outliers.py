"""With ``method="auto"``, a large number changes no result whose window does not hold it."""

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from convlab.ops import conv2d, conv2d_backward, conv_transpose2d
from convlab.ops.auto import choose, suits_winograd
from convlab.ops.geometry import Geometry

LARGE = [-9999.0, 1e6, 1e9, 1e15, -1e25]
# Of the sum of the absolute products of a result. An ordinary sum rounds less, Winograd's algorithm
# about as much.
TOLERANCE = {np.float32: 2e-5, np.float64: 5e-14}


def agrees(answer, exact, absolute):
    """Return whether each result is within the rounding of its own products.

    Results whose own products exceed the range of the dtype, such as 1e50 in float32, are infinite
    or NaN by the definition, and are not compared.
    """
    tolerance = TOLERANCE[answer.dtype.type]
    overflows = absolute > np.finfo(answer.dtype).max
    return bool(np.all((np.abs(answer - exact) <= tolerance * absolute) | overflows))


def convolution(x, w, g, arguments):
    return conv2d(x, w, **arguments)


def transposed(x, w, g, arguments):
    return conv_transpose2d(x, w, **arguments)


def grad_input(x, w, g, arguments):
    """The gradient of a convolution whose output is `x`, and whose weight is `w`."""
    image = np.zeros(transposed(x, w, g, arguments).shape, x.dtype)
    return conv2d_backward(x, image, w, **arguments)[0]


def grad_weight(x, w, g, arguments):
    """The gradient of a convolution of `x`; `w` gives the shape."""
    return conv2d_backward(g, x, w, **arguments)[1]


def reference(function, *arrays, arguments):
    """Compute in float64, by PyTorch."""
    x, w, g = (torch.from_numpy(a.astype(np.float64)) for a in arrays)
    if function is grad_weight:
        return torch.nn.grad.conv2d_weight(x, w.shape, g, **arguments).numpy()
    convolve = F.conv2d if function is convolution else F.conv_transpose2d
    return convolve(x, w, **arguments).numpy()


PLACES = ["input", "weight", "gradient", "pixel", "row", "image", "zeros"]
PLACES += ["position", "kernel", "denormal"]


@pytest.mark.parametrize("function", [convolution, transposed, grad_input, grad_weight])
@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from([np.float32, np.float64]),
    st.sampled_from(LARGE),
    st.sampled_from(PLACES),
    st.fixed_dictionaries({"padding": st.integers(0, 3), "groups": st.integers(1, 2)}),
    st.integers(0, 2**32 - 1),
)
@example(np.float32, 1e9, "input", {"padding": 0, "groups": 1}, 0)  # at the edge
def test_each_result_has_the_rounding_of_its_own_window(
    function, dtype, large, where, arguments, seed
):
    random = np.random.default_rng(seed)
    channels = 32 * arguments["groups"]
    x = random.normal(size=(2, channels, 24, 21)).astype(dtype)
    w = random.normal(size=(channels, 32, 3, 3)).astype(dtype)
    out_h, out_w = (size - 2 + 2 * arguments["padding"] for size in x.shape[2:])
    g = random.normal(size=(2, channels, out_h, out_w)).astype(dtype)
    geometry = Geometry(groups=arguments["groups"])
    assert choose(2, w.shape, (out_h, out_w), geometry).startswith("winograd")
    n, c, d, i, j = (random.integers(size) for size in (2, channels, 32, 18, 15))
    i, j = (random.choice([0, index]) for index in (i, j))  # the corner and the edges, too
    if where == "zeros":
        x[n], g[n] = 0, 0
    if where in ("input", "zeros"):
        x[n, c, i, j] = large
    elif where == "weight":
        w[c, d, min(i, 2), min(j, 2)] = large
    elif where == "position":
        w[:, :, min(i, 2), min(j, 2)] = large
    elif where == "kernel":
        w[c] /= large  # one number is as large as those of the other kernels
        w[c, d, min(i, 2), min(j, 2)] = 1
    elif where == "denormal":
        w *= 1000 * np.finfo(dtype).smallest_subnormal
        x *= 1e20
    elif where == "gradient":
        g[n, c, i, j] = large
    elif where == "pixel":
        x[n, :, i, j] = g[n, :, i, j] = large
    elif where == "row":
        x[n, :, i] = g[n, :, i] = large
    else:
        x[n, :, : 21 - i % 4] = large  # only few ordinary rows are left
    answer = function(x, w, g, arguments)
    exact = reference(function, x, w, g, arguments=arguments)
    absolute = reference(function, *map(np.abs, (x, w, g)), arguments=arguments)
    assert agrees(answer, exact, absolute)


@pytest.mark.parametrize("method", ["winograd2", "winograd4"])
def test_the_check_notices_what_a_named_winograd_method_spoils(method):
    random = np.random.default_rng(0)
    x = random.normal(size=(1, 24, 24, 24)).astype(np.float32)
    w = random.normal(size=(24, 24, 3, 3)).astype(np.float32)
    x[0, 5, 9, 9] = 1e9
    exact, absolute = (
        conv2d(f(x).astype(np.float64), f(w).astype(np.float64), method="im2col")
        for f in (np.asarray, np.abs)
    )
    assert not agrees(conv2d(x, w, method=method), exact, absolute)
    assert agrees(conv2d(x, w), exact, absolute)


ORDINARY = {
    "normal": lambda random, shape: random.normal(size=shape),
    "uniform": lambda random, shape: random.uniform(size=shape),
    "after a ReLU": lambda random, shape: np.maximum(random.normal(size=shape), 0),
    "sparse": lambda random, shape: random.normal(size=shape) * (random.uniform(size=shape) < 0.1),
    "images of different brightness": lambda random, shape: (
        random.normal(size=shape) * 1000.0 ** np.arange(shape[0])[:, None, None, None]
    ),
    "an image of zeros": lambda random, shape: (
        random.normal(size=shape) * (np.arange(shape[0]) > 0)[:, None, None, None]
    ),
    "an empty batch": lambda random, shape: np.ones((0, *shape[1:])),
}


@pytest.mark.parametrize("draw", ORDINARY.values(), ids=ORDINARY)
@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("dilation", [1, 2])
def test_ordinary_images_suit_winograd(draw, groups, dilation):
    x = draw(np.random.default_rng(0), (3, 64, 28, 26))
    geometry = Geometry(padding=(1, 1, 1, 1), dilation=(dilation,) * 2, groups=groups)
    assert suits_winograd(x, (3, 3), geometry)


@pytest.mark.parametrize("value", [1e6, -1e6, np.inf, np.nan])
def test_outliers_in_any_group_and_channel_do_not_suit_winograd(value):
    for channel in (0, 20, 63):
        x = np.ones((3, 64, 28, 26))
        x[1, channel, 7, 25] = value
        assert not suits_winograd(x, (3, 3), Geometry(padding=(1, 1, 1, 1), groups=2))
