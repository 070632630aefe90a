"""`convlab.ops.conv2d` is `torch.nn.functional.conv2d`."""

import re
import warnings

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from convlab.ops import METHODS, conv2d
from convlab.ops.auto import choose
from convlab.ops.geometry import Geometry
from tests.ops.strategies import convolutions, torch_conv2d

TOLERANCE = {np.dtype(np.float64): 1e-10, np.dtype(np.float32): 1e-5}
IMAGE = np.arange(1.0, 17.0).reshape(1, 1, 4, 4)
KERNEL = np.arange(1.0, 10.0).reshape(1, 1, 3, 3)
# "depthwise" takes one input channel per group only.
ANY_GROUPS = [method for method in METHODS if method != "depthwise"]
# Methods that add up the products of a window and nothing else.
SUMS = [name for name in METHODS if not name.startswith(("winograd", "fft", "depthwise"))]


def assert_close(actual, expected):
    assert actual.shape == expected.shape
    assert actual.dtype == expected.dtype
    np.testing.assert_allclose(actual, expected, rtol=0, atol=TOLERANCE[expected.dtype])


# About six in ten of these are convolutions that PyTorch can do: more than 700 comparisons.
@settings(max_examples=1200)
@given(case=convolutions(valid_only=True), method=st.sampled_from(METHODS))
def test_every_method_agrees_with_pytorch(case, method):
    try:
        expected = torch_conv2d(**case)
    except (RuntimeError, ValueError):  # does not fit, too wide a border, 'same' with a stride
        with pytest.raises(ValueError, match=r"\d"):
            conv2d(**case, method=method)
    else:
        if supports(method, case):
            actual = conv2d(**case, method=method)
            if has_large_tiles(method, case):
                # What the method states for tiles of more than 6 x 6 inputs in float32.
                bound = 5e-5 * max(1, np.max(np.abs(expected), initial=0))
                np.testing.assert_allclose(actual, expected, rtol=0, atol=bound)
            else:
                assert_close(actual, expected)
        else:
            with pytest.raises(ValueError, match=f"method '{method}' needs"):
                conv2d(**case, method=method)


def has_large_tiles(method, case):
    """Return whether Winograd's algorithm uses tiles of more than 6 x 6 inputs, in float32."""
    is_float32 = case["weight"].dtype == np.float32
    return is_float32 and method == "winograd4" and max(case["weight"].shape[2:]) > 3


def supports(method, case):
    """Return whether a method supports this layer; only Winograd and depthwise have limits."""
    if method.startswith("winograd"):
        return np.max(case["stride"]) == 1 and max(case["weight"].shape[2:]) <= 5
    return method != "depthwise" or case["weight"].shape[1] == 1


@given(case=convolutions())
def test_what_pytorch_rejects_is_rejected_with_the_numbers(case):
    try:
        expected = torch_conv2d(**case)
    except (RuntimeError, ValueError, TypeError):
        with pytest.raises((ValueError, TypeError), match=r"\d"):
            conv2d(**case)
    else:
        assert_close(conv2d(**case), expected)


def test_one_call_runs_on_both_libraries():
    x, w = IMAGE.astype(np.float32), KERNEL.astype(np.float32)
    arguments = (None, 2, 1, 1, 1)
    ours = conv2d(x, w, *arguments)
    theirs = torch.nn.functional.conv2d(torch.from_numpy(x), torch.from_numpy(w), *arguments)
    np.testing.assert_array_equal(ours, theirs.numpy())


@pytest.mark.parametrize("method", METHODS)
def test_the_kernel_is_not_flipped(method):
    impulse = np.zeros((1, 5, 5))
    impulse[0, 2, 2] = 1
    answer = conv2d(impulse, KERNEL, method=method)
    np.testing.assert_allclose(answer[0], KERNEL[0, 0, ::-1, ::-1], rtol=1e-12)


@pytest.mark.parametrize("method", ANY_GROUPS)
def test_an_output_channel_is_the_sum_over_input_channels_plus_one_bias(method):
    x = np.array([[[1.0]], [[10.0]]])
    w = np.array([[[[1.0]], [[2.0]]], [[[3.0]], [[4.0]]]])
    answer = conv2d(x, w, bias=np.array([100.0, 200.0]), method=method)
    np.testing.assert_allclose(answer.ravel(), [1 + 20 + 100, 3 + 40 + 200], rtol=1e-12)


@pytest.mark.parametrize("method", METHODS)
def test_groups_are_independent(method):
    x = np.ones((2, 3, 3))
    x[1] = np.nan
    answer = conv2d(x, np.ones((2, 1, 2, 2)), groups=2, method=method)
    np.testing.assert_allclose(answer[0], 4, rtol=1e-12)
    assert np.isnan(answer[1]).all()


@pytest.mark.parametrize("method", ["auto", *ANY_GROUPS])
@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("k", [1, 3])
def test_an_empty_batch_gives_an_empty_batch(method, groups, k):
    x, w = np.ones((0, 2, 5, 5)), np.ones((4, 2 // groups, k, k))
    answer = conv2d(x, w, groups=groups, method=method)
    assert answer.shape == (0, 4, 6 - k, 6 - k)


@pytest.mark.parametrize("method", ANY_GROUPS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_result_is_new_contiguous_and_of_the_inputs_dtype(method, dtype):
    x, w = np.ones((2, 3, 4, 5), dtype), np.ones((2, 3, 1, 1), dtype)
    before = x.copy(), w.copy()
    answer = conv2d(x, w, bias=np.ones(2, dtype), method=method)
    assert answer.dtype == dtype
    assert answer.flags.c_contiguous
    assert answer.flags.writeable
    assert not np.shares_memory(answer, x)
    np.testing.assert_array_equal(x, before[0])
    np.testing.assert_array_equal(w, before[1])


@pytest.mark.parametrize("method", ["auto", *METHODS])
@pytest.mark.parametrize("kernel_size", [1, 2])
@pytest.mark.parametrize("stride", [1, 2])
def test_the_result_is_contiguous_whatever_the_layout_of_the_input(method, kernel_size, stride):
    """Also where a single product is the result, as NumPy gives that the layout of `x`."""
    if method.startswith("winograd"):
        stride = 1
    w = np.ones((6, 1, kernel_size, kernel_size))
    for size in ((2, 3, 4, 5), (2, 3, 4, 2), (1, 3, 4, 5)):
        fortran = np.asfortranarray(np.ones(size))
        channels_last = np.moveaxis(np.ones((size[0], *size[2:], 3)), -1, 1)
        for x in (fortran, channels_last):
            assert conv2d(x, w, stride=stride, groups=3, method=method).flags.c_contiguous


@pytest.mark.parametrize("method", ANY_GROUPS)
def test_memory_layout_of_the_arguments_does_not_matter(method):
    random = np.random.default_rng(0)
    x, w = random.normal(size=(2, 4, 9, 8)), random.normal(size=(3, 4, 3, 2))
    expected = conv2d(x, w)
    layouts = [
        (np.asfortranarray(x), np.asfortranarray(w)),
        (x[:, :, ::-1, ::-1].copy()[:, :, ::-1, ::-1], w[::-1].copy()[::-1]),
        (np.repeat(x, 2, axis=3)[..., ::2], np.repeat(w, 3, axis=0)[::3]),
        (np.moveaxis(np.moveaxis(x, 1, -1).copy(), -1, 1), w),
    ]
    for strided_x, strided_w in layouts:
        np.testing.assert_allclose(
            conv2d(strided_x, strided_w, method=method), expected, rtol=0, atol=1e-12
        )


def test_a_broadcast_input_and_a_read_only_one_are_fine():
    x = np.broadcast_to(np.float64(2.0), (1, 4, 4))
    assert not x.flags.writeable
    assert (conv2d(x, np.ones((1, 1, 3, 3)), padding="valid") == 18).all()


@pytest.mark.parametrize("method", ["auto", *SUMS])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_value_that_is_not_finite_reaches_its_windows_and_no_other(method, value):
    x = np.ones((1, 7, 7))
    x[0, 0, 3] = value
    answer = conv2d(x, np.ones((1, 1, 3, 3)), method=method)[0]
    expected = torch.conv2d(torch.from_numpy(x), torch.ones(1, 1, 3, 3, dtype=torch.float64))
    np.testing.assert_array_equal(answer, expected[0].numpy())
    assert not np.isfinite(answer[0, 1:4]).any()
    assert (answer[1:] == 9).all()


@pytest.mark.parametrize("method", ["auto", *SUMS])
def test_overflow_is_infinity_without_a_warning(method):
    huge = np.full((1, 3, 3), 3e38, np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        answer = conv2d(huge, np.full((1, 1, 3, 3), 2, np.float32), method=method)
        infinite = np.full((1, 1, 3, 3), np.inf, np.float32)
        inf_over_padding = conv2d(huge, infinite, padding=1, method=method)
    assert answer.item() == np.inf
    assert np.isnan(inf_over_padding[0, 0, 0])


def test_a_sequence_of_one_stands_for_both_directions_as_in_pytorch():
    options = {"stride": (2,), "padding": [1], "dilation": (2,)}
    expected = torch.conv2d(*map(torch.from_numpy, (IMAGE, KERNEL)), **options)
    np.testing.assert_array_equal(conv2d(IMAGE, KERNEL, **options), expected.numpy())


@pytest.mark.parametrize("groups", [np.uint8(3), np.int64(3), torch.tensor(3), torch.tensor([3])])
@pytest.mark.parametrize("method", ANY_GROUPS)
def test_groups_may_be_any_kind_of_integer(groups, method):
    random = np.random.default_rng(0)
    x, w = random.normal(size=(1, 300, 3, 3)), random.normal(size=(3, 100, 1, 1))
    expected = torch.conv2d(torch.from_numpy(x), torch.from_numpy(w), groups=3)
    np.testing.assert_allclose(conv2d(x, w, groups=groups, method=method), expected, atol=1e-10)


@pytest.mark.parametrize("method", ["auto", *SUMS, "fft"])
def test_huge_strides_and_dilations_do_not_overflow(method):
    answer = conv2d(IMAGE, KERNEL[..., 1:2, :1], stride=10**20, dilation=10**20, method=method)
    np.testing.assert_allclose(answer, [[[[4.0]]]], rtol=1e-12)


# Shapes for which "auto" takes Winograd's algorithm, float32 so that an overflow is near.
WIDE = np.ones((1, 64, 24, 24), np.float32), np.full((64, 64, 3, 3), 0.5, np.float32)


def test_auto_takes_winograd_for_the_wide_layer_of_the_next_tests():
    assert choose(1, (64, 64, 3, 3), (22, 22), Geometry()) == "winograd4"


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("where", ["input", "weight"])
def test_auto_does_not_spread_what_is_not_finite(value, where):
    x, w = WIDE[0].copy(), WIDE[1].copy()
    if where == "input":
        x[0, 5, 9, 9] = value
    else:
        w[7, 5, 1, 1] = value
    expected = torch.conv2d(*map(torch.from_numpy, (x, w))).numpy()
    np.testing.assert_allclose(conv2d(x, w), expected, rtol=1e-5)
    assert 0 < np.isfinite(expected).sum() < expected.size


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_auto_does_not_spread_in_a_depthwise_layer(value):
    x, w = np.ones((1, 8, 24, 24)), np.ones((8, 1, 3, 3))
    assert choose(1, w.shape, (22, 22), Geometry(groups=8)) == "depthwise"
    x[0, 5, 9, 9] = value
    expected = torch.conv2d(*map(torch.from_numpy, (x, w)), groups=8).numpy()
    np.testing.assert_array_equal(conv2d(x, w, groups=8), expected)


def test_auto_does_not_overflow_where_the_result_is_finite():
    x, w = WIDE[0] * np.float32(1e38), WIDE[1] * np.float32(1e-3)
    transformed = conv2d(x, w, method="winograd4")
    assert not np.isfinite(transformed).all()
    np.testing.assert_allclose(conv2d(x, w), 64 * 9 * 0.5e-3 * 1e38, rtol=1e-5)


def test_nested_lists_of_floats_are_arrays():
    assert conv2d([[[1.0, 2.0]]], [[[[1.0, 1.0]]]]).tolist() == [[[3.0]]]


class Unreadable:
    """Array-like object whose conversion fails."""

    def __array__(self, *arguments, **options):
        raise LookupError("no numbers")


WRONG = [
    # the arrays
    ({"input": np.ones((4, 4))}, ValueError, r"input must be \(N, C, H, W\) or.*\(4, 4\)"),
    ({"input": np.ones((1, 1, 1, 4, 4))}, ValueError, r"got 5 dimensions: \(1, 1, 1, 4, 4\)"),
    ({"input": np.ones((1, 0, 4, 4))}, ValueError, r"shape \(1, 0, 4, 4\).*at least 1"),
    ({"input": np.ones((1, 1, 0, 4)), "padding": 2}, ValueError, r"shape \(1, 1, 0, 4\)"),
    ({"input": np.ones((1, 2, 4, 4))}, ValueError, r"has 2 channels.*expects 1 x 1 = 1"),
    ({"input": np.ones((1, 1, 4, 4), int)}, TypeError, r"input has dtype int64, shape \(1, 1"),
    ({"input": IMAGE.astype(np.float16)}, TypeError, "input has dtype float16"),
    ({"input": IMAGE.astype(complex)}, TypeError, "input has dtype complex128"),
    ({"input": IMAGE.astype(np.float32)}, TypeError, "float32 and weight has dtype float64"),
    ({"input": [[[1.0, 2.0], [3.0]]]}, TypeError, "input cannot be read as an array"),
    ({"input": None}, TypeError, "input has dtype object"),
    ({"input": np.ma.masked_array(IMAGE, IMAGE > 3)}, TypeError, r"input is a masked array.*mask"),
    ({"input": Unreadable()}, TypeError, "input cannot be read as an array: no numbers"),
    ({"input": torch.ones(1, 1, 4, 4, requires_grad=True)}, TypeError, "input cannot be read"),
    ({"weight": np.ones((1, 3, 3))}, ValueError, r"weight must be .* got shape \(1, 3, 3\)"),
    ({"weight": np.ones((1, 1, 0, 3))}, ValueError, r"weight must be .* \(1, 1, 0, 3\)"),
    ({"weight": np.ones((0, 1, 3, 3))}, ValueError, r"weight must be .* \(0, 1, 3, 3\)"),
    ({"weight": KERNEL.astype(np.float32)}, TypeError, "weight has dtype float32"),
    ({"weight": np.ones((1, 1, 5, 3))}, ValueError, r"spans 5 cells, but the height .* = 4"),
    ({"weight": np.ones((1, 1, 3, 5))}, ValueError, r"spans 5 cells, but the width .* = 4"),
    ({"bias": np.ones(2)}, ValueError, r"shape \(1,\) for weight .* got shape \(2,\)"),
    ({"bias": np.ones((1, 1))}, ValueError, r"got shape \(1, 1\)"),
    ({"bias": np.float64(1)}, ValueError, r"got shape \(\)"),
    ({"bias": np.ones(1, np.float32)}, TypeError, "bias has dtype float32"),
    # the numbers
    ({"stride": 0}, ValueError, "stride must be at least 1, got 0"),
    ({"stride": (1, 2, 3)}, ValueError, r"stride .* got 3 values: \(1, 2, 3\)"),
    ({"stride": ()}, ValueError, r"stride .* got 0 values"),
    ({"stride": 1.0}, TypeError, "stride .* got float 1.0"),
    ({"stride": True}, TypeError, "stride .* got bool True"),
    ({"stride": "1"}, TypeError, "stride .* got str '1'"),
    ({"stride": None}, TypeError, "stride .* got NoneType None"),
    ({"stride": np.array([1, 1])}, TypeError, "stride .* got ndarray"),
    ({"padding": -1}, ValueError, "padding must be at least 0, got -1"),
    ({"padding": (1, 1, 1, 1)}, ValueError, "padding .* got 4 values"),
    ({"padding": "SAME"}, ValueError, "'same' or 'valid', got 'SAME'"),
    ({"padding": "same", "stride": 2}, ValueError, r"stride=\(2, 2\)"),
    ({"padding": None}, TypeError, "padding .* got NoneType"),
    ({"padding": ("same",)}, ValueError, r"padding .* got 1 values: \('same',\)"),
    ({"padding": 10**30}, ValueError, r"padding \(10{30}, .* array of shape \(1, 1, 20{29}4"),
    ({"padding": 2**62}, ValueError, r"padding .* more than any memory can hold"),
    ({"padding": "same", "dilation": 10**10}, ValueError, r"padding .* more than any memory"),
    ({"stride": b"\x01\x02"}, TypeError, r"stride .* got bytes"),
    ({"stride": ((1, 2),)}, ValueError, r"stride .* got 1 values: \(\(1, 2\),\)"),
    ({"stride": range(1, 3)}, TypeError, r"stride .* got range"),
    ({"stride": torch.ones(2, dtype=int)}, TypeError, r"stride .* got Tensor"),
    ({"stride": torch.tensor(2, device="meta")}, TypeError, r"stride .* got Tensor"),
    ({"dilation": 0}, ValueError, "dilation must be at least 1, got 0"),
    ({"dilation": 2}, ValueError, "dilation=2 spans 5 cells"),
    ({"dilation": (1, 2.5)}, TypeError, r"dilation\[1\] must be an int, got float 2.5"),
    ({"groups": 0}, ValueError, "groups must be at least 1, got 0"),
    ({"groups": 2}, ValueError, "in_channels=1 is not divisible by groups=2"),
    ({"groups": (1, 1)}, TypeError, "groups must be an int, got tuple"),
    ({"groups": None}, TypeError, "groups must be an int, got NoneType"),
    # the options
    ({"padding_mode": "symmetric"}, ValueError, "padding_mode must be one .*'symmetric'"),
    ({"padding_mode": ["zeros"]}, ValueError, r"padding_mode must be one of .*\['zeros'\]"),
    ({"padding_mode": "reflect", "padding": 4}, ValueError, r"height is 4, .* at most 3"),
    ({"padding_mode": "circular", "padding": 5}, ValueError, r"height is 4, .* at most 4"),
    ({"method": "magic"}, ValueError, "method must be one of 'auto', .*'magic'"),
    ({"method": None}, ValueError, "method must be one of 'auto', .*None"),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "error", "message"), WRONG)
def test_a_wrong_argument_is_named_with_its_numbers(arguments, error, message):
    with pytest.raises(error, match=message) as caught:
        conv2d(**{"input": IMAGE, "weight": KERNEL} | arguments)
    (name, *_) = arguments
    words = {"dilation": "dilation", "weight": "weight|kernel", "padding_mode": "padding"}
    assert re.search(words.get(name, name), str(caught.value))


def test_a_mistake_in_two_arguments_reports_one_of_them_and_computes_nothing():
    with pytest.raises(ValueError, match="groups"):
        conv2d(IMAGE, KERNEL, groups=7, padding_mode="nonsense")


def test_padding_mode_and_method_are_keyword_only():
    with pytest.raises(TypeError, match="positional"):
        conv2d(IMAGE, KERNEL, None, 1, 0, 1, 1, "zeros")
