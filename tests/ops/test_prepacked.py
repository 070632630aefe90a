"""`PrepackedConv2d` computes what `conv2d` does, and transforms the kernels once."""

import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convlab.ops import METHODS, PrepackedConv2d, conv2d
from convlab.ops.auto import choose
from convlab.ops.geometry import Geometry
from tests.ops.strategies import convolutions


def outcome(function):
    """Return a result, or the type and the message of the error."""
    try:
        return function()
    except (TypeError, ValueError) as error:
        return type(error), str(error)


def assert_same(a, b):
    if isinstance(a, tuple):
        assert a == b
    else:
        assert a.dtype == b.dtype
        assert a.shape == b.shape
        assert a.tobytes() == b.tobytes()


@settings(max_examples=800)
@given(case=convolutions(), method=st.sampled_from(METHODS))
def test_results_and_errors_are_those_of_conv2d(case, method):
    x = case.pop("input")
    expected = outcome(lambda: conv2d(x, **case, method=method))

    def apply():
        layer = PrepackedConv2d(**case, method=method)
        return [layer(x), layer(x)]

    found = outcome(apply)
    for result in found if isinstance(found, list) else [found]:
        if isinstance(expected, tuple) and isinstance(result, tuple):
            assert result[0] is expected[0]  # of several mistakes, another may be reported first
        else:
            assert_same(result, expected)


def problem(kernels, depth, size, dtype=np.float32, groups=1):
    random = np.random.default_rng(0)
    x = random.standard_normal((2, depth * groups, size, size)).astype(dtype)
    return x, random.standard_normal((kernels, depth, 3, 3)).astype(dtype)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("groups", [1, 2])
def test_auto_is_one_of_the_methods_bit_for_bit(dtype, groups):
    # With so many kernels and so few tiles, `conv2d` does not transform them.
    x, w = problem(256, 256 // groups, 10, dtype, groups)
    layer = PrepackedConv2d(w, padding=1, groups=groups)
    output_size, geometry = (10, 10), Geometry(padding=(1, 1, 1, 1), groups=groups)
    method = choose(2, w.shape, output_size, geometry, prepacked=True)
    assert method.startswith("winograd")
    assert method != choose(2, w.shape, output_size, geometry)
    assert_same(layer(x), conv2d(x, w, padding=1, groups=groups, method=method))


def test_numbers_of_very_different_size_are_computed_without_winograd():
    x, w = problem(64, 64, 28)
    x[0, 3, 5, 5] = -1e9
    expected = conv2d(x, w, padding=1, method="blocked")
    assert_same(PrepackedConv2d(w, padding=1)(x), expected)
    x, w = problem(64, 64, 28)
    w[3, 5, 1, 1] = 1e9
    expected = conv2d(x, w, padding=1, method="blocked")
    assert_same(PrepackedConv2d(w, padding=1)(x), expected)


def test_infinity_and_nan_stay_in_their_windows():
    x, w = problem(64, 64, 28)
    layer = PrepackedConv2d(w, padding=1)
    x[0, 3, 5, 5], x[1, 0, 0, 0] = np.inf, np.nan
    assert_same(layer(x), conv2d(x, w, padding=1, method="blocked"))


def test_later_changes_of_the_arrays_do_not_matter():
    x, w = problem(64, 64, 28)
    bias = np.ones(64, np.float32)
    layer = PrepackedConv2d(w, bias, padding=1)
    before = layer(x)
    w[...], bias[...] = 0, 0
    assert_same(layer(x), before)


def test_memory_is_that_of_the_kernels():
    x, w = problem(64, 64, 28)
    layer = PrepackedConv2d(w, np.ones(64, np.float32), padding=1, method="winograd4")
    assert layer.nbytes == w.nbytes + 64 * 4
    layer(x)
    assert layer.nbytes == w.nbytes * (1 + 4) + 64 * 4
    small = PrepackedConv2d(w, padding=1, method="winograd2")
    small(x)
    assert small.nbytes * 9 == w.nbytes * (9 + 16)


def test_threads_may_share_it():
    x, w = problem(64, 64, 28)
    layer = PrepackedConv2d(w, padding=1)
    expected = PrepackedConv2d(w, padding=1)(x)
    with ThreadPoolExecutor(4) as pool:
        for result in pool.map(lambda _: layer(x), range(16)):
            assert_same(result, expected)


def test_it_can_be_pickled_and_printed():
    x, w = problem(8, 4, 9)
    layer = PrepackedConv2d(w, padding="same", method="winograd2")
    layer(x)
    assert_same(pickle.loads(pickle.dumps(layer))(x), layer(x))
    assert repr(layer) == (
        "PrepackedConv2d(4, 8, kernel_size=(3, 3), stride=(1, 1), padding='same', "
        "dilation=(1, 1), groups=1, padding_mode='zeros', method='winograd2')"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"stride": 0}, "stride must be at least 1, got 0"),
        ({"padding": "same", "stride": 2}, "stride"),
        ({"padding": -1}, "padding must be at least 0, got -1"),
        ({"groups": 3}, "out_channels=8 is not divisible by groups=3"),
        ({"bias": np.ones(7)}, r"shape \(8,\)"),
        ({"method": "fast"}, "method must be one of 'auto', .* got 'fast'"),
        ({"padding_mode": "zero"}, "padding_mode must be one of"),
        ({"method": "winograd4", "stride": 2}, r"needs stride 1, got stride=\(2, 2\)"),
    ],
)
def test_wrong_options_are_reported_when_it_is_made(arguments, message):
    with pytest.raises(ValueError, match=message):
        PrepackedConv2d(np.ones((8, 4, 3, 3)), **arguments)


def test_an_input_that_does_not_match_is_reported():
    layer = PrepackedConv2d(np.ones((8, 4, 3, 3)))
    with pytest.raises(ValueError, match="3 channels"):
        layer(np.ones((3, 9, 9)))
    with pytest.raises(TypeError, match="float32"):
        layer(np.ones((4, 9, 9), np.float32))
