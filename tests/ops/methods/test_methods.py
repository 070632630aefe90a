"""Accuracy, memory and spread of infinity and NaN of each method, as its docstring states."""

import re
import tracemalloc

import numpy as np
import pytest
import torch
from numpy.lib.stride_tricks import sliding_window_view

from convlab.ops import conv2d, release_workspace
from convlab.ops.geometry import Geometry
from convlab.ops.methods import BY_NAME, depthwise
from convlab.ops.methods.blocked import multiplies_rows

SINGLE, DOUBLE = "6e-8", "1.2e-16"  # half the distance from 1 to the next number, rounded up
SUMS = "naive", "windows", "im2col", "blocked"  # of products, in some order
TRANSFORMS = "winograd2", "winograd4", "fft"


def stated_error(name, dtype, window):
    """Return the documented bound of the error, relative to the sum of |w| * |x|."""
    if dtype == np.float64:
        return window * float(DOUBLE)
    return float(SINGLE) + window * float(DOUBLE) if name == "naive" else window * float(SINGLE)


def test_every_method_is_a_sum_or_a_transform_or_for_single_channels():
    assert {*SUMS, *TRANSFORMS, "depthwise"} == {*BY_NAME}


INPUTS = {
    "around zero": lambda random, shape: random.normal(size=shape),
    "all alike": lambda random, shape: np.full(shape, 0.1),
    "one large, many small": lambda random, shape: np.where(
        np.arange(np.prod(shape)).reshape(shape) == 0, 1.0, 2.0**-25
    ),
    "of every size": lambda random, shape: 10.0 ** random.uniform(-6, 6, shape),
}


def exact_windows(x, w, groups):
    """Return all products of every window, in extended precision: (O, outH, outW, K)."""
    kernels, depth, k_h, k_w = w.shape
    windows = sliding_window_view(x[0].astype(np.longdouble), (k_h, k_w), axis=(1, 2))
    windows = windows.reshape(groups, depth, *windows.shape[1:])[
        np.arange(kernels) * groups // kernels
    ]
    products = windows * w.astype(np.longdouble)[:, :, None, None]  # (O, C, outH, outW, kH, kW)
    return np.moveaxis(products, 1, 3).reshape(kernels, *windows.shape[2:4], -1)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", SUMS)
@pytest.mark.parametrize("kind", INPUTS)
@pytest.mark.parametrize(("channels", "width"), [(1, 4), (64, 4), (512, 4), (24, 12)])
def test_the_error_of_a_sum_is_within_the_stated_bound(name, dtype, kind, channels, width):
    """Measured against extended precision."""
    random = np.random.default_rng(1)
    x = INPUTS[kind](random, (1, channels, 4, width)).astype(dtype)
    w = random.choice([1.0, 0.3, -0.7], (8, channels, 3, 3)).astype(dtype)
    if kind == "all alike":
        w[:] = 1
    products = exact_windows(x, w, groups=1)
    error = np.abs(BY_NAME[name](x, w, Geometry())[0] - products.sum(axis=-1))
    assert (error / np.abs(products).sum(axis=-1)).max() <= stated_error(name, dtype, channels * 9)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("kind", INPUTS)
def test_the_error_of_depthwise_is_within_the_stated_bound(dtype, kind):
    random = np.random.default_rng(1)
    x = INPUTS[kind](random, (1, 30, 9, 9)).astype(dtype)
    w = random.choice([1.0, 0.3, -0.7], (60, 1, 3, 5)).astype(dtype)
    products = exact_windows(x, w, groups=30)
    answer = depthwise(x, w, Geometry(groups=30))[0]
    error = np.abs(answer - products.sum(axis=-1)) / np.abs(products).sum(axis=-1)
    assert error.max() <= stated_error("depthwise", dtype, 15)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", TRANSFORMS)
@pytest.mark.parametrize("kernel", [2, 3, 4, 5])
@pytest.mark.parametrize("channels", [1, 64, 512])
@pytest.mark.parametrize("signed", [False, True])
def test_the_error_of_a_transform_is_within_the_stated_bound(name, dtype, kernel, channels, signed):
    random = np.random.default_rng(2)
    x = (random.random((1, channels, 14, 14)) - 0.5 * signed).astype(dtype)
    w = (random.random((4, channels, kernel, kernel)) - 0.5 * signed).astype(dtype)
    exact = exact_windows(x, w, groups=1).sum(axis=-1)
    error = np.abs(BY_NAME[name](x, w, Geometry())[0] - exact).max()
    if name == "fft":
        largest = np.abs(x).max() * np.abs(w).sum(axis=(1, 2, 3)).max()
        stated = {np.float32: "2e-6", np.float64: "2e-14"}[dtype]
    else:
        largest = np.abs(exact).max()
        small = kernel + int(name[-1]) - 1 <= 6
        stated = {np.float32: ("5e-5", "5e-6"), np.float64: ("2e-13", "5e-14")}[dtype][small]
    assert error <= float(stated) * largest


@pytest.mark.parametrize("name", SUMS)
@pytest.mark.parametrize("kernels", [1, 2])
@pytest.mark.parametrize("size", [1, 3])
@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("kernel", [1, 3])
def test_zero_times_infinity_is_nan_in_every_shape(name, kernels, size, channels, kernel):
    """Also where the matrix product is a vector or a single number and BLAS takes a shortcut."""
    shape = (1, channels, size + kernel - 1, size + kernel - 1)
    zeros, infinite = np.zeros(shape), np.full(shape, np.inf)
    w_zeros = np.zeros((kernels, channels, kernel, kernel))
    with np.errstate(invalid="ignore"):
        assert np.isnan(BY_NAME[name](infinite, w_zeros, Geometry())).all()
        answer = BY_NAME[name](zeros, np.full_like(w_zeros, np.inf), Geometry())
        expected = torch.conv2d(torch.from_numpy(zeros), torch.from_numpy(w_zeros) + np.inf)
    np.testing.assert_array_equal(answer, expected.numpy())


@pytest.mark.parametrize("bad", [np.inf, -np.inf, np.nan])
@pytest.mark.parametrize("name", [*SUMS, *TRANSFORMS, "depthwise"])
def test_how_far_an_infinity_or_nan_spreads(name, bad):
    """Sums: the windows that hold it. Winograd: its tiles. Depthwise: 4 rows. FFT: all."""
    random = np.random.default_rng(3)
    x, w = random.normal(size=(1, 1, 22, 22)), random.normal(size=(1, 1, 3, 3))
    x[0, 0, 9, 9] = bad
    with np.errstate(invalid="ignore"):
        spoilt = ~np.isfinite(BY_NAME[name](x, w, Geometry())[0, 0])
    expected = np.zeros((20, 20), bool)
    tiles = {"winograd2": (2, 2), "winograd4": (4, 4), "fft": (20, 20), "depthwise": (4, 1)}
    m, n = tiles.get(name, (1, 1))
    for i, j in np.ndindex(20 // m, 20 // n):  # a tile of m x n results reads 2 inputs more
        if i * m <= 9 < i * m + m + 2 and j * n <= 9 < j * n + n + 2:
            expected[i * m : (i + 1) * m, j * n : (j + 1) * n] = True
    np.testing.assert_array_equal(spoilt, expected)


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("winograd2", {"stride": 2}, "method 'winograd2' needs stride 1, got stride=(2, 2)"),
        ("winograd4", {"stride": (1, 3)}, "method 'winograd4' needs stride 1, got stride=(1, 3)"),
        (
            "winograd4",
            {"weight": np.ones((4, 4, 6, 1))},
            "method 'winograd4' needs kernels of at most 5 x 5, got 6 x 1",
        ),
        (
            "depthwise",
            {"groups": 2, "weight": np.ones((4, 2, 3, 3))},
            "method 'depthwise' needs groups equal to the input channels: groups=2, channels=4",
        ),
    ],
)
@pytest.mark.parametrize("images", [0, 1])
def test_a_method_that_does_not_support_a_layer_names_itself(name, change, message, images):
    arguments = {"input": np.ones((images, 4, 8, 8)), "weight": np.ones((4, 4, 3, 3))} | change
    with pytest.raises(ValueError, match=re.escape(message)):
        conv2d(**arguments, method=name)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    ("channels", "size", "kernel", "groups"),
    [(64, 56, 3, 1), (128, 28, 3, 1), (256, 14, 3, 1), (512, 14, 3, 1), (64, 27, 5, 1),
     (128, 30, 2, 2), (40, 20, 3, 40)],
)  # fmt: skip
def test_auto_keeps_the_error_that_it_states(channels, size, kernel, groups, dtype):
    random = np.random.default_rng(4)
    x = random.normal(size=(2, channels, size, size)).astype(dtype)
    w = random.normal(size=(channels, channels // groups, kernel, kernel)).astype(dtype)
    exact = torch.conv2d(*(torch.from_numpy(a).double() for a in (x, w)), groups=groups).numpy()
    stated = {np.float32: "5e-6", np.float64: "5e-14"}[dtype]
    error = np.abs(conv2d(x, w, groups=groups) - exact).max()
    assert error <= float(stated) * np.abs(exact).max()


def peak_memory(name, x, w, groups=1, padding=(0, 0, 0, 0)):
    """Return the peak memory of a method beside its result, in bytes, from a cold start."""
    release_workspace()
    tracemalloc.start()
    answer = BY_NAME[name](x, w, Geometry(padding=padding, groups=groups))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak - answer.nbytes


@pytest.mark.parametrize(("channels", "size", "kernels", "k"), [(16, 40, 4, 3), (1, 200, 64, 1),
                                                                (2, 100, 64, 2)])  # fmt: skip
def test_windows_and_im2col_need_no_more_memory_than_they_state(channels, size, kernels, k):
    x, w = np.ones((1, channels, size, size)), np.ones((kernels, channels, k, k))
    outputs, window = (size - k + 1) ** 2, channels * k * k
    assert peak_memory("windows", x, w) <= outputs * max(window, kernels) * 8 + 100_000
    assert peak_memory("im2col", x, w) <= outputs * window * 8 + 100_000


# Layers whose windows "blocked" gathers along the width only: kernels are few, rows long.
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("images", [1, 5])
@pytest.mark.parametrize(
    ("shape", "weight_shape", "geometry"),
    [
        ((3, 30, 120), (8, 3, 7, 7), Geometry((2, 2), (3, 3, 3, 3))),
        ((8, 9, 61), (6, 4, 3, 5), Geometry((1, 2), (4, 1, 0, 2), (1, 2), 2)),
        ((16, 40, 300), (12, 16, 3, 3), Geometry((3, 1), (1, 2, 3, 0))),
        ((40, 12, 40), (20, 40, 12, 1), Geometry()),  # a single row
    ],
)
def test_products_of_rows_are_those_of_im2col(images, shape, weight_shape, geometry, dtype):
    random = np.random.default_rng(0)
    x = random.normal(size=(images, *shape)).astype(dtype)
    w = random.normal(size=weight_shape).astype(dtype)
    out_w = geometry.output_size(x.shape[2:], w.shape[2:])[1]
    assert multiplies_rows(weight_shape, out_w, geometry.dilation[0], geometry.groups)
    difference = BY_NAME["blocked"](x, w, geometry) - BY_NAME["im2col"](x, w, geometry)
    assert np.abs(difference).max() < 1e3 * np.finfo(dtype).eps
    x[0, 1, 5, 8] = np.nan
    blocked, im2col = (BY_NAME[name](x, w, geometry) for name in ("blocked", "im2col"))
    np.testing.assert_array_equal(np.isnan(blocked), np.isnan(im2col))
    assert 0 < np.isnan(blocked).sum() < blocked.size


def test_rows_are_products_where_there_are_fewer_kernels_than_columns():
    assert multiplies_rows((64, 3, 3, 3), 224, dilation=1, groups=1)
    assert not multiplies_rows((64, 3, 3, 3), 64, dilation=1, groups=1)
    assert multiplies_rows((128, 8, 3, 3), 65, dilation=1, groups=2)
    assert not multiplies_rows((64, 3, 3, 3), 224, dilation=2, groups=1)
    assert not multiplies_rows((8, 1, 3, 3), 100, dilation=1, groups=1)  # little is saved
    assert not multiplies_rows((8, 64, 1, 1), 224, dilation=1, groups=1)


def test_blocked_needs_the_same_memory_for_large_images():
    w = np.ones((8, 16, 3, 3), np.float32)
    small, large = (np.ones((1, 16, size, size), np.float32) for size in (128, 512))
    row_of_strip = 16 * 514 * 4 * 20
    assert peak_memory("blocked", small, w, padding=(1, 1, 1, 1)) <= 2 * 2**20 + row_of_strip
    assert peak_memory("blocked", large, w, padding=(1, 1, 1, 1)) <= 2 * 2**20 + row_of_strip


@pytest.mark.parametrize("images", [1, 8])
@pytest.mark.parametrize(("channels", "size"), [(64, 224), (256, 56), (256, 14)])
def test_winograd_needs_at_most_26_mib_up_to_256_channels(images, channels, size):
    x = np.ones((images, channels, size, size), np.float32)
    w = np.ones((channels, channels, 3, 3), np.float32)
    assert peak_memory("winograd4", x, w, padding=(1, 1, 1, 1)) <= 26 * 2**20


def test_depthwise_needs_little_memory():
    x, w = np.ones((4, 64, 56, 56), np.float32), np.ones((64, 1, 3, 3), np.float32)
    strip, bands = 2**20 // 2, 64 * 4 * 6 * 3 * 4
    assert peak_memory("depthwise", x, w, groups=64) <= 2**20 + strip + bands + 2**16


@pytest.mark.parametrize("dilation", [(1, 1), (1, 2)])
@pytest.mark.parametrize("name", BY_NAME)
def test_each_side_is_padded_by_its_own_amount(name, dilation):
    random = np.random.default_rng(4)
    x, w = random.normal(size=(2, 4, 7, 8)), random.normal(size=(4, 1, 3, 2))
    answer = BY_NAME[name](x, w, Geometry((1, 1), (0, 1, 2, 3), dilation, groups=4))
    padded = np.pad(x, [(0, 0), (0, 0), (2, 3), (0, 1)])
    expected = BY_NAME["naive"](padded, w, Geometry((1, 1), dilation=dilation, groups=4))
    np.testing.assert_allclose(answer, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", ["winograd2", "winograd4"])
def test_winograd_with_a_dilation_larger_than_the_output(name):
    random = np.random.default_rng(5)
    x, w = random.normal(size=(1, 2, 8, 11)), random.normal(size=(2, 2, 2, 3))
    geometry = Geometry(dilation=(6, 5))  # the output has 2 rows and 1 column
    np.testing.assert_allclose(
        BY_NAME[name](x, w, geometry), BY_NAME["naive"](x, w, geometry), rtol=0, atol=1e-12
    )
