"""`max_pool2d` and `avg_pool2d` are those of `torch.nn.functional`."""

import re

import numpy as np
import pytest
import torch
from hypothesis import given
from torch.nn import functional as F

from convlab.ops import avg_pool2d, conv2d, max_pool2d
from tests.ops.pooling_cases import FLOATS, INTEGERS, avg_poolings, max_poolings, same_as_torch

NAN, INF = np.nan, np.inf
IMAGE = np.arange(1.0, 17.0).reshape(1, 1, 4, 4)
PHOTO = np.random.default_rng(0).normal(size=(2, 3, 9, 8))
LAYOUTS = [
    np.asfortranarray(PHOTO),
    PHOTO[:, :, ::-1, ::-1].copy()[:, :, ::-1, ::-1],
    np.repeat(PHOTO, 2, axis=3)[..., ::2],
    np.moveaxis(np.moveaxis(PHOTO, 1, -1).copy(), -1, 1),
    PHOTO.swapaxes(2, 3).copy().swapaxes(2, 3),
]


@given(case=max_poolings(valid=True))
def test_the_maximum_and_its_index_are_those_of_pytorch(case):
    same_as_torch(max_pool2d, F.max_pool2d, case, exact=True)


@given(case=max_poolings())
def test_max_pooling_refuses_what_pytorch_refuses(case):
    same_as_torch(max_pool2d, F.max_pool2d, case, exact=True)


@given(case=avg_poolings(valid=True))
def test_the_mean_is_that_of_pytorch(case):
    same_as_torch(avg_pool2d, F.avg_pool2d, case, exact=False)


@given(case=avg_poolings())
def test_average_pooling_refuses_what_pytorch_refuses(case):
    same_as_torch(avg_pool2d, F.avg_pool2d, case, exact=False)


def test_the_stride_is_the_size_of_the_kernel_unless_it_is_given():
    assert max_pool2d(IMAGE, 2).shape == (1, 1, 2, 2)
    assert max_pool2d(IMAGE, 2, stride=1).shape == (1, 1, 3, 3)
    for absent in (None, (), []):
        np.testing.assert_array_equal(avg_pool2d(IMAGE, (2, 3), absent), avg_pool2d(IMAGE, (2, 3)))


def test_one_call_runs_on_both_libraries():
    tensor = torch.from_numpy(IMAGE)
    values, indices = max_pool2d(IMAGE, 3, 2, 1, 1, True, True)
    expected = F.max_pool2d(tensor, 3, 2, 1, 1, True, True)
    np.testing.assert_array_equal(values, expected[0].numpy())
    np.testing.assert_array_equal(indices, expected[1].numpy())
    means = avg_pool2d(IMAGE, 3, 2, 1, True, False, 5)
    np.testing.assert_allclose(means, F.avg_pool2d(tensor, 3, 2, 1, True, False, 5).numpy())


@pytest.mark.parametrize(
    ("window", "value", "index"),
    [
        ([1, 3, 3, 3], 3, 1),
        ([0.0, -0.0, -1, -1], 0.0, 0),
        ([-0.0, 0.0, -1, -1], -0.0, 0),
        ([-INF, -INF, -INF, -INF], -INF, 0),
        ([-INF, -INF, -INF, 0], 0, 3),
        ([INF, INF, 1, 2], INF, 0),
        ([NAN, 1, 2, NAN], NAN, 3),
        ([INF, NAN, INF, 5], NAN, 1),
        ([NAN, NAN, NAN, NAN], NAN, 3),
    ],
)
def test_the_first_of_equals_wins_and_the_last_nan(window, value, index):
    x = np.array(window, float).reshape(1, 2, 2)
    values, indices = max_pool2d(x, 2, return_indices=True)
    theirs = F.max_pool2d(torch.from_numpy(x), 2, return_indices=True)
    assert indices.item() == theirs[1].item() == index
    np.testing.assert_array_equal(values.ravel(), [value])
    np.testing.assert_array_equal(theirs[0].numpy().ravel(), [value])
    assert np.signbit(values.item()) == np.signbit(theirs[0].item())
    np.testing.assert_array_equal(max_pool2d(x, 2), values)


def test_a_tie_goes_to_the_upper_row_before_the_left_column():
    x = np.zeros((1, 3, 3))
    x[0, 0, 2] = x[0, 1, 0] = 1
    assert max_pool2d(x, 3, return_indices=True)[1].item() == 2


def test_indices_are_positions_in_the_plane_without_padding():
    x = PHOTO[0]
    values, indices = max_pool2d(x, 3, stride=2, padding=1, return_indices=True)
    assert indices.dtype == np.int64
    flat = x.reshape(3, -1)
    np.testing.assert_array_equal(
        np.take_along_axis(flat, indices.reshape(3, -1), axis=1), values.reshape(3, -1)
    )


def test_padding_never_wins_not_even_among_negative_numbers():
    assert (max_pool2d(-IMAGE, 3, stride=1, padding=1) < 0).all()
    lowest = np.full((1, 2, 2), np.iinfo(np.int8).min, np.int8)
    values, indices = max_pool2d(lowest, 2, stride=1, padding=1, return_indices=True)
    assert (values == -128).all()
    assert indices[0].tolist() == [[0, 0, 1], [0, 0, 1], [2, 2, 3]]


def test_a_window_outside_of_the_input_agrees_with_pytorch():
    for x in (np.ones((1, 4, 4)), np.ones((1, 4, 4), np.int32)):
        ours = max_pool2d(x, 2, 1, 1, 5, return_indices=True)
        theirs = F.max_pool2d(torch.from_numpy(x), 2, 1, 1, 5, return_indices=True)
        assert [array.item() for array in ours] == [tensor.item() for tensor in theirs]


@pytest.mark.parametrize("dtype", INTEGERS + FLOATS)
def test_the_maximum_keeps_the_dtype(dtype):
    assert max_pool2d(IMAGE.astype(dtype), 2).dtype == dtype
    assert max_pool2d(IMAGE.astype(dtype), 2)[0, 0].tolist() == [[6, 8], [14, 16]]


def test_integers_too_large_for_a_float_are_still_compared_exactly():
    x = np.array([[[2**53, 2**53 + 1], [2**53 - 1, 2**53]]])
    values, indices = max_pool2d(x, 2, return_indices=True)
    assert (values.item(), indices.item()) == (2**53 + 1, 1)


def test_means_of_int64_are_rounded_towards_zero():
    x = np.array([[[-7, 0], [0, 0]], [[7, 0], [0, 0]]])
    assert avg_pool2d(x, 2).ravel().tolist() == [-1, 1]
    assert avg_pool2d(x, 2, divisor_override=-2).ravel().tolist() == [3, -3]
    assert avg_pool2d(np.full((1, 2, 2), 2**62), 2).item() == 0  # the sum wraps around
    # PyTorch 2.15 ends the whole process here.
    assert avg_pool2d(np.full((1, 1, 1), -(2**63)), 1, divisor_override=-1).item() == -(2**63)


def test_the_divisor_is_the_size_of_the_window_cropped_at_the_padding():
    ones = np.ones((1, 4, 4))
    settings = {"kernel_size": 3, "stride": 2, "padding": 1, "ceil_mode": True}
    with_padding = avg_pool2d(ones, **settings)
    assert (with_padding * 9)[0, 0].tolist() == [4, 6, 3]  # the last one: 2 x 1 of 3 x 2 cells
    assert with_padding[0, 2, 2] == 1 / 4
    assert (avg_pool2d(ones, count_include_pad=False, **settings) == 1).all()
    assert avg_pool2d(ones, divisor_override=1, **settings)[0].tolist() == [
        [4, 6, 2],
        [6, 9, 3],
        [2, 3, 1],
    ]


def test_average_pooling_is_a_convolution_of_each_channel_with_a_constant_kernel():
    kernel = np.full((3, 1, 2, 3), 1 / 6)
    ours = avg_pool2d(PHOTO, (2, 3), stride=2, padding=(1, 1))
    np.testing.assert_allclose(
        ours, conv2d(PHOTO, kernel, stride=2, padding=1, groups=3), rtol=0, atol=1e-12
    )


@pytest.mark.parametrize("size", [3, 56, 224])
def test_means_of_float32_are_accurate_to_one_part_in_a_million(size):
    x = np.random.default_rng(1).uniform(0.5, 1.5, (2, 3, size, size)).astype(np.float32)
    exact = x.astype(np.float64).mean((2, 3))
    np.testing.assert_allclose(avg_pool2d(x, size)[..., 0, 0], exact, rtol=1e-6, atol=0)


@pytest.mark.parametrize(("dtype", "huge"), [(np.float32, 3e38), (np.float64, 1e308)])
def test_a_sum_that_overflows_is_infinite_without_a_warning(dtype, huge):
    x = np.full((1, 2, 2), huge, dtype)
    assert F.avg_pool2d(torch.from_numpy(x), 2).item() == avg_pool2d(x, 2).item() == INF
    assert np.isnan(avg_pool2d(np.array([[[INF, -INF]]], dtype), (1, 2))).all()


def test_float16_is_summed_with_more_digits():
    x = np.full((1, 2, 2), 40000, np.float16)
    assert F.avg_pool2d(torch.from_numpy(x), 2).item() == avg_pool2d(x, 2).item() == 40000


@pytest.mark.parametrize("x", LAYOUTS)
def test_memory_layout_does_not_matter(x):
    plain = np.ascontiguousarray(PHOTO)
    for ours, wanted in zip(
        (*max_pool2d(x, 3, 2, 1, return_indices=True), avg_pool2d(x, 3, 2, 1), max_pool2d(x, 2)),
        (
            *max_pool2d(plain, 3, 2, 1, return_indices=True),
            avg_pool2d(plain, 3, 2, 1),
            max_pool2d(plain, 2),
        ),
        strict=True,
    ):
        np.testing.assert_array_equal(ours, wanted)
        assert ours.flags.c_contiguous


@pytest.mark.parametrize("pool", [max_pool2d, avg_pool2d])
def test_the_result_is_new_and_the_input_left_alone(pool):
    x = PHOTO.copy()
    x.flags.writeable = False
    answer = pool(x, 1)
    np.testing.assert_array_equal(answer, PHOTO)
    assert not np.shares_memory(answer, x)
    assert answer.flags.writeable


@pytest.mark.parametrize("pool", [max_pool2d, avg_pool2d])
def test_one_image_a_batch_and_an_empty_batch(pool):
    np.testing.assert_array_equal(pool(PHOTO[1], 2), pool(PHOTO, 2)[1])
    assert pool(PHOTO[:0], 2).shape == (0, 3, 4, 4)


def test_a_kernel_much_larger_than_the_input_costs_no_more_than_the_input():
    huge = {"kernel_size": 10**9, "stride": 1, "padding": 5 * 10**8}
    values, indices = max_pool2d(IMAGE, **huge, return_indices=True)
    assert values.shape == (1, 1, 5, 5)
    assert (values.max(), indices.max()) == (16, 15)
    assert avg_pool2d(IMAGE, **huge).shape == (1, 1, 5, 5)
    assert avg_pool2d(IMAGE.astype(int), **huge).max() == 0


WRONG = [
    ({"input": np.ones((4, 4))}, ValueError, r"input must be .* got 2 dimensions: \(4, 4\)"),
    ({"input": np.ones((1, 0, 4, 4))}, ValueError, r"input has shape \(1, 0, 4, 4\).*channels"),
    ({"input": np.ones((0, 4, 4))}, ValueError, r"input has shape \(0, 4, 4\)"),
    ({"input": np.ones((1, 1, 0, 4))}, ValueError, r"input has shape \(1, 1, 0, 4\)"),
    ({"input": np.ones((1, 4, 4), bool)}, TypeError, r"input has dtype bool, shape \(1, 4, 4\)"),
    ({"input": np.ones((1, 4, 4), complex)}, TypeError, "input has dtype complex128"),
    ({"input": np.ones((1, 4, 4), np.uint16)}, TypeError, "input has dtype uint16"),
    ({"input": [[[1.0, 2.0], [3.0]]]}, TypeError, "input cannot be read as an array"),
    ({"kernel_size": 0}, ValueError, "kernel_size must be at least 1, got 0"),
    ({"kernel_size": None}, TypeError, "kernel_size must be .* got NoneType"),
    ({"kernel_size": 5}, ValueError, "spans 5 cells, but the height .* = 4; .* at most 4"),
    ({"stride": 0}, ValueError, "stride must be at least 1, got 0"),
    ({"stride": (1, 2, 3)}, ValueError, "stride must be .* got 3 values"),
    ({"padding": 2}, ValueError, "padding=2 is more than half of kernel_size=2: at most 1"),
    ({"padding": ()}, ValueError, "padding must be .* got 0 values"),
    ({"ceil_mode": 0}, TypeError, "ceil_mode must be True or False, got int 0"),
]
ONLY_MAX = [
    ({"dilation": 0}, ValueError, "dilation must be at least 1, got 0"),
    ({"dilation": 4}, ValueError, "kernel_size=2 with dilation=4 spans 5 cells"),
]
ONLY_AVG = [
    ({"input": np.ones((1, 4, 4), np.int32)}, TypeError, "dtype int32, .* take int64, float16"),
    ({"count_include_pad": None}, TypeError, "count_include_pad must be True or False, got None"),
    ({"divisor_override": 0}, ValueError, "divisor_override must be .* other than 0 .* got 0"),
    ({"divisor_override": 2**63}, ValueError, "to 9223372036854775807, got 9223372036854775808"),
    ({"divisor_override": -(2**63) - 1}, ValueError, "at least -9223372036854775808, got -922"),
    ({"divisor_override": 2.0}, TypeError, "divisor_override must be an int, got float 2.0"),
    ({"divisor_override": True}, TypeError, "divisor_override must be an int, got the bool True"),
]


@pytest.mark.parametrize(
    ("pool", "theirs", "arguments", "error", "message"),
    [(max_pool2d, F.max_pool2d, *case) for case in WRONG + ONLY_MAX]
    + [(avg_pool2d, F.avg_pool2d, *case) for case in WRONG + ONLY_AVG],
)
def test_a_bad_argument_is_named_with_its_numbers_and_refused_by_pytorch_too(
    pool, theirs, arguments, error, message
):
    arguments = {"input": IMAGE, "kernel_size": 2} | arguments
    with pytest.raises(error) as caught:
        pool(**arguments)
    assert re.search(message, str(caught.value))
    if isinstance(arguments["input"], np.ndarray):
        arguments["input"] = torch.from_numpy(arguments["input"])
    with pytest.raises((RuntimeError, TypeError, ValueError, IndexError)):
        theirs(**arguments)
