"""Gradients of layers with many channels by Winograd's algorithm: accuracy, infinity and NaN."""

import numpy as np
import pytest

from convlab.ops import conv2d, conv2d_backward
from convlab.ops.auto import choose
from convlab.ops.geometry import Geometry
from tests.ops.strategies import autograd

WIDE = [  # layers for which conv2d takes Winograd's algorithm
    {"channels": 64, "kernels": 64, "size": (40, 37), "kernel": (3, 3), "padding": 1},
    {"channels": 48, "kernels": 64, "size": (30, 33), "kernel": (3, 2), "padding": (0, 2)},
    {"channels": 128, "kernels": 96, "size": (30, 30), "kernel": (5, 5), "padding": "same"},
    {"channels": 128, "kernels": 128, "size": (40, 40), "kernel": (3, 3), "groups": 2},
]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("layer", WIDE)
@pytest.mark.parametrize("mode", ["zeros", "circular"])
def test_wide_layers_agree_with_autograd_within_the_stated_error(layer, dtype, mode):
    random = np.random.default_rng(0)
    groups, options = layer.get("groups", 1), {"stride": 1, "dilation": 1, "padding_mode": mode}
    options |= {"padding": layer.get("padding", 0), "groups": groups}
    shape = layer["kernels"], layer["channels"] // groups, *layer["kernel"]
    x = random.normal(size=(2, layer["channels"], *layer["size"])).astype(dtype)
    w = random.normal(size=shape).astype(dtype)
    g = random.normal(size=conv2d(x, w, **options).shape).astype(dtype)
    assert choose(2, shape, g.shape[2:], Geometry(groups=groups)).startswith("winograd")
    exact = autograd(g.astype(np.float64), x.astype(np.float64), w.astype(np.float64), **options)
    stated = "5e-6" if dtype == np.float32 else "5e-14"
    for ours, theirs in zip(conv2d_backward(g, x, w, **options)[:2], exact[:2], strict=True):
        assert np.abs(ours - theirs).max() <= float(stated) * np.abs(theirs).max()


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("place", ["gradient", "input"])
def test_wide_layers_do_not_spread_what_is_not_finite(value, place):
    x, w = np.ones((1, 64, 40, 40)), np.ones((64, 64, 3, 3))
    g = np.ones((1, 64, 38, 38))
    if place == "gradient":
        g[0, 3, 10, 10] = value
    else:
        x[0, 5, 0, 0] = value  # in the corner, where one weight alone sees it
    options = {"stride": 1, "padding": 0, "dilation": 1, "groups": 1, "padding_mode": "zeros"}
    for ours, theirs in zip(
        conv2d_backward(g, x, w, **options), autograd(g, x, w, **options), strict=True
    ):
        np.testing.assert_array_equal(np.isfinite(ours), np.isfinite(theirs))
