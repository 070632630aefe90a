"""`conv_transpose2d` is `torch.nn.functional.conv_transpose2d`, and the adjoint of `conv2d`."""

import re
import warnings

import numpy as np
import pytest
import torch
from hypothesis import given, settings

from convlab.ops import conv2d, conv_transpose2d
from tests.ops.strategies import convolutions, torch_conv_transpose2d, transposed_convolutions

TOLERANCE = {np.dtype(np.float64): 1e-10, np.dtype(np.float32): 1e-5}
ROW = np.array([[[1.0, 10.0]]])
KERNEL = np.array([[[[1.0, 2.0, 3.0]]]])


def assert_close(actual, expected):
    assert actual.shape == expected.shape
    assert actual.dtype == expected.dtype
    np.testing.assert_allclose(actual, expected, rtol=0, atol=TOLERANCE[expected.dtype])


@settings(max_examples=1200)
@given(case=transposed_convolutions(valid_only=True))
def test_it_agrees_with_pytorch(case):
    try:
        expected = torch_conv_transpose2d(**case)
    except RuntimeError:  # nothing is left, or too large an output_padding
        with pytest.raises(ValueError, match=r"\d"):
            conv_transpose2d(**case)
    else:
        assert_close(conv_transpose2d(**case), expected)


@given(case=transposed_convolutions())
def test_what_pytorch_rejects_is_rejected_with_the_numbers(case):
    try:
        expected = torch_conv_transpose2d(**case)
    except (RuntimeError, ValueError, TypeError):
        with pytest.raises((ValueError, TypeError), match=r"\d"):
            conv_transpose2d(**case)
    else:
        assert_close(conv_transpose2d(**case), expected)


@given(case=convolutions(valid_only=True))
def test_it_is_the_adjoint_of_the_convolution(case):
    """The sum of conv2d(x) * g is that of x * conv_transpose2d(g), for every g."""
    case["input"], case["weight"] = (case[n].astype(np.float64) for n in ("input", "weight"))
    case.update(bias=None, padding_mode="zeros")
    if isinstance(case["padding"], str):
        case["padding"] = 0
    try:
        y = conv2d(**case)
    except ValueError:
        return
    x = case["input"]
    g = np.random.default_rng(0).normal(size=y.shape)
    options = {name: case[name] for name in ("stride", "padding", "dilation", "groups")}
    for extra in np.ndindex(3, 3):
        try:
            back = conv_transpose2d(g, case["weight"], output_padding=extra, **options)
        except ValueError:
            continue
        if back.shape == x.shape:
            np.testing.assert_allclose((y * g).sum(), (x * back).sum(), atol=1e-9)
            return
    raise AssertionError("no output_padding leads back to the size of the input")


def test_one_call_runs_on_both_libraries_groups_before_dilation():
    random = np.random.default_rng(0)
    x, w, b = random.normal(size=(2, 4, 5, 6)), random.normal(size=(4, 3, 3, 2)), np.ones(6)
    arguments = ((2, 3), (1, 0), (1, 2), 2, (2, 3))
    theirs = torch.nn.functional.conv_transpose2d(*map(torch.from_numpy, (x, w, b)), *arguments)
    assert_close(conv_transpose2d(x, w, b, *arguments), theirs.numpy())


def test_each_input_cell_adds_a_scaled_kernel_and_overlaps_are_summed():
    assert conv_transpose2d(ROW, KERNEL).tolist() == [[[1, 2 + 10, 3 + 20, 30]]]
    assert conv_transpose2d(ROW, KERNEL, stride=3).tolist() == [[[1, 2, 3, 10, 20, 30]]]


def test_padding_crops_and_output_padding_extends_at_the_end():
    cut = conv_transpose2d(ROW, KERNEL, stride=(1, 2), padding=(0, 1))
    back = conv_transpose2d(ROW, KERNEL, stride=(1, 2), padding=(0, 1), output_padding=(0, 1))
    assert cut.tolist() == [[[2, 13, 20]]]
    assert back.tolist() == [[[2, 13, 20, 30]]]


def test_where_no_kernel_reaches_there_is_the_bias():
    answer = conv_transpose2d(ROW, KERNEL, np.array([0.5]), stride=(1, 4), output_padding=(0, 1))
    assert answer.tolist() == [[[1.5, 2.5, 3.5, 0.5, 10.5, 20.5, 30.5, 0.5]]]


def test_padding_may_cut_off_every_kernel_so_that_only_output_padding_is_left():
    options = {"padding": 1, "output_padding": 2, "dilation": 3}
    x, w = np.ones((1, 1, 1, 1)), np.ones((1, 1, 1, 1))
    assert_close(
        conv_transpose2d(x, w, None, **options), torch_conv_transpose2d(x, w, None, **options)
    )


@pytest.mark.parametrize("groups", [1, 2])
def test_an_empty_batch_gives_an_empty_batch(groups):
    for stride in (1, 2):
        answer = conv_transpose2d(np.ones((0, 2, 5, 5)), np.ones((2, 3, 3, 3)), None, stride,
                                  groups=groups)  # fmt: skip
        assert answer.shape == (0, 3 * groups, *((7, 7) if stride == 1 else (11, 11)))


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_result_is_new_contiguous_and_of_the_inputs_dtype(dtype, stride):
    x, w = np.ones((2, 3, 4, 5), dtype), np.ones((3, 2, 1, 1), dtype)
    answer = conv_transpose2d(x, w, np.ones(2, dtype), stride)
    assert answer.dtype == dtype
    assert answer.flags.c_contiguous
    assert answer.flags.writeable
    assert not np.shares_memory(answer, x)
    assert (x == 1).all()
    assert (w == 1).all()


@pytest.mark.parametrize("stride", [1, 2])
def test_memory_layout_of_the_arguments_does_not_matter(stride):
    random = np.random.default_rng(0)
    x, w = random.normal(size=(2, 4, 9, 8)), random.normal(size=(4, 3, 3, 2))
    expected = conv_transpose2d(x, w, stride=stride)
    layouts = [
        (np.asfortranarray(x), np.asfortranarray(w)),
        (x[:, :, ::-1, ::-1].copy()[:, :, ::-1, ::-1], w[::-1].copy()[::-1]),
        (np.repeat(x, 2, axis=3)[..., ::2], np.repeat(w, 3, axis=0)[::3]),
        (np.moveaxis(np.moveaxis(x, 1, -1).copy(), -1, 1), w),
    ]
    for strided_x, strided_w in layouts:
        answer = conv_transpose2d(strided_x, strided_w, stride=stride)
        np.testing.assert_allclose(answer, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_value_that_is_not_finite_reaches_where_its_kernel_lies_and_nowhere_else(value, stride):
    x, w = np.ones((1, 2, 5, 5)), np.ones((2, 1, 3, 3))
    x[0, 1, 2, 3] = value
    expected = torch_conv_transpose2d(x, w, None, stride=stride)
    np.testing.assert_array_equal(conv_transpose2d(x, w, stride=stride), expected)
    w[0, 0, 1, 0] = value
    x[0, 1, 2, 3] = 1
    expected = torch_conv_transpose2d(x, w, None, stride=stride)
    np.testing.assert_array_equal(conv_transpose2d(x, w, stride=stride), expected)


@pytest.mark.parametrize("stride", [1, 2])
def test_overflow_is_infinity_without_a_warning(stride):
    huge = np.full((1, 1, 3, 3), 3e38, np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        answer = conv_transpose2d(huge, 2 * np.ones((1, 1, 2, 2), np.float32), stride=stride)
        nans = conv_transpose2d(0 * huge, np.inf * huge, stride=stride)
    assert (answer == np.inf).all()
    assert np.isnan(nans).all()


def test_a_sequence_of_one_stands_for_both_directions_as_in_pytorch():
    options = {"stride": (2,), "padding": [1], "output_padding": (1,), "dilation": (2,)}
    x, w = np.ones((1, 1, 3, 3)), np.ones((1, 1, 3, 3))
    assert_close(
        conv_transpose2d(x, w, None, **options), torch_conv_transpose2d(x, w, None, **options)
    )


@pytest.mark.parametrize("groups", [np.uint8(3), np.int64(3), torch.tensor(3)])
def test_groups_may_be_any_kind_of_integer(groups):
    random = np.random.default_rng(0)
    x, w = random.normal(size=(1, 3, 3, 3)), random.normal(size=(3, 100, 1, 1))
    assert_close(
        conv_transpose2d(x, w, groups=groups), torch_conv_transpose2d(x, w, None, groups=3)
    )


IMAGE, WEIGHT = np.ones((1, 2, 3, 3)), np.ones((2, 1, 3, 3))
WRONG = [
    # the arrays
    ({"input": np.ones((3, 3))}, ValueError, r"input must be \(N, C, H, W\) or.*\(3, 3\)"),
    ({"input": np.ones((1, 2, 0, 3))}, ValueError, r"input has shape \(1, 2, 0, 3\).*at least 1"),
    ({"input": np.ones((1, 2, 3, 3), int)}, TypeError, r"input has dtype int64, shape \(1, 2"),
    ({"input": IMAGE.astype(np.float32)}, TypeError, "float32 and weight has dtype float64"),
    ({"input": np.ones((1, 3, 3, 3))}, ValueError,
     r"input of shape \(1, 3, 3, 3\) has 3 channels, but weight of shape \(2, 1, 3, 3\) with "
     r"groups=1 expects 2; .* is \(in_channels, out_channels / groups, kH, kW\)"),
    ({"weight": np.ones((1, 2, 3, 3))}, ValueError,
     r"has 2 channels, but weight of shape \(1, 2, 3, 3\) .* expects 1; .* \(in_channels, out"),
    ({"weight": np.ones((2, 3, 3))}, ValueError,
     r"weight must be \(in_channels, out_channels / groups, kH, kW\) .* got shape \(2, 3, 3\)"),
    ({"weight": np.ones((2, 0, 3, 3))}, ValueError, r"weight .* size of 0, .* \(2, 0, 3, 3\)"),
    ({"bias": np.ones(2)}, ValueError,
     r"shape \(1,\) for weight of shape \(2, 1, 3, 3\) and groups=1; got shape \(2,\)"),
    ({"bias": np.ones(1), "groups": 2}, ValueError, r"bias .* shape \(2,\) .* got shape \(1,\)"),
    ({"bias": np.ones(1, np.float32)}, TypeError, "bias has dtype float32"),
    # the numbers
    ({"stride": 0}, ValueError, "stride must be at least 1, got 0"),
    ({"stride": 1.5}, TypeError, "stride must be .* got float 1.5"),
    ({"padding": -1}, ValueError, "padding must be at least 0, got -1"),
    ({"padding": "same"}, TypeError, "padding must be .* got str 'same'"),
    ({"padding": 3}, ValueError, "padding=3 leaves nothing: .* the height is 5 before"),
    ({"output_padding": 1}, ValueError, "output_padding=1 .* stride 1 and dilation 1, .* most 0"),
    ({"output_padding": (1, 2), "stride": 2}, ValueError, "output_padding=2 .* the width"),
    ({"output_padding": None}, TypeError, "output_padding must be .* got NoneType"),
    ({"dilation": 0}, ValueError, "dilation must be at least 1, got 0"),
    ({"groups": 0}, ValueError, "groups must be at least 1, got 0"),
    ({"groups": 3}, ValueError, "in_channels=2 is not divisible by groups=3"),
    ({"groups": "2"}, TypeError, "groups must be an int, got str '2'"),
    ({"stride": 10**20}, ValueError,
     r"stride=10{20} with dilation=1 is too large: .* shape \(1, 1, 20{19}3, 20{19}3\)"),
    ({"dilation": 2**62}, ValueError, r"dilation=4611686018427387904 is too large: .* any memory"),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "error", "message"), WRONG)
def test_a_wrong_argument_is_named_with_its_numbers(arguments, error, message):
    with pytest.raises(error, match=message) as caught:
        conv_transpose2d(**{"input": IMAGE, "weight": WEIGHT} | arguments)
    assert re.search(next(iter(arguments)), str(caught.value))
