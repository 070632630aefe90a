"""`adaptive_avg_pool2d` and `adaptive_max_pool2d` are those of `torch.nn.functional`."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional as F

from convlab.ops import adaptive_avg_pool2d, adaptive_max_pool2d, avg_pool2d, max_pool2d
from tests.ops.pooling_cases import FLOATS, adaptive_poolings, adaptive_torch, same_as_torch

NAN, INF = np.nan, np.inf
PHOTO = np.random.default_rng(0).normal(size=(2, 3, 9, 8))
AVG, MAX = adaptive_torch(F.adaptive_avg_pool2d), adaptive_torch(F.adaptive_max_pool2d)


@given(case=adaptive_poolings(valid=True))
def test_means_are_those_of_pytorch(case):
    assert same_as_torch(adaptive_avg_pool2d, AVG, case, exact=False)


@given(case=adaptive_poolings())
def test_adaptive_average_pooling_refuses_what_pytorch_refuses(case):
    same_as_torch(adaptive_avg_pool2d, AVG, case, exact=False)


@given(case=adaptive_poolings(valid=True), return_indices=st.booleans())
def test_maxima_and_indices_are_those_of_pytorch(case, return_indices):
    case["return_indices"] = return_indices
    assert same_as_torch(adaptive_max_pool2d, MAX, case, exact=True)


@given(case=adaptive_poolings(), return_indices=st.booleans())
def test_adaptive_max_pooling_refuses_what_pytorch_refuses(case, return_indices):
    case["return_indices"] = return_indices
    same_as_torch(adaptive_max_pool2d, MAX, case, exact=True)


def test_where_the_sizes_divide_the_windows_are_those_of_an_ordinary_pooling():
    np.testing.assert_array_equal(adaptive_max_pool2d(PHOTO, (3, 4)), max_pool2d(PHOTO, (3, 2)))
    np.testing.assert_array_equal(adaptive_avg_pool2d(PHOTO, (3, 4)), avg_pool2d(PHOTO, (3, 2)))


def test_one_output_per_channel_is_global_pooling():
    np.testing.assert_allclose(
        adaptive_avg_pool2d(PHOTO, 1)[..., 0, 0], PHOTO.mean((2, 3)), rtol=1e-12, atol=0
    )
    values, indices = adaptive_max_pool2d(PHOTO, 1, return_indices=True)
    flat = PHOTO.reshape(2, 3, -1)
    np.testing.assert_array_equal(values[..., 0, 0], flat.max(-1))
    np.testing.assert_array_equal(indices[..., 0, 0], flat.argmax(-1))


def test_none_keeps_the_size_of_the_input():
    np.testing.assert_array_equal(adaptive_avg_pool2d(PHOTO, (None, None)), PHOTO)
    assert adaptive_max_pool2d(PHOTO, (None, 2)).shape == (2, 3, 9, 2)


def test_an_output_larger_than_the_input_repeats_cells():
    x = np.array([[[1.0, 2.0]]])
    assert adaptive_max_pool2d(x, (1, 4)).ravel().tolist() == [1, 1, 2, 2]
    assert adaptive_avg_pool2d(x, (1, 3)).ravel().tolist() == [1, 1.5, 2]


@pytest.mark.parametrize(
    ("window", "index"),
    [([3, 5, 5, 5], 1), ([-INF] * 4, 0), ([NAN, 1, NAN, 9], 2), ([INF, INF, NAN, 0], 2)],
)
def test_the_first_of_equals_wins_and_the_last_nan(window, index):
    x = np.array(window, float).reshape(1, 2, 2)
    values, indices = adaptive_max_pool2d(x, 1, return_indices=True)
    theirs = F.adaptive_max_pool2d(torch.from_numpy(x), 1, return_indices=True)
    assert indices.item() == theirs[1].item() == index
    np.testing.assert_array_equal(values, theirs[0].numpy())


@pytest.mark.parametrize("dtype", FLOATS)
def test_the_dtype_is_kept(dtype):
    assert adaptive_avg_pool2d(PHOTO.astype(dtype), 2).dtype == dtype
    assert adaptive_max_pool2d(PHOTO.astype(dtype), 2).dtype == dtype


def test_a_sum_that_overflows_is_infinite_without_a_warning():
    x = np.full((1, 2, 2), 3e38, np.float32)
    assert F.adaptive_avg_pool2d(torch.from_numpy(x), 1).item() == INF
    assert adaptive_avg_pool2d(x, 1).item() == INF


def test_means_of_float32_are_accurate_to_one_part_in_a_million():
    x = np.random.default_rng(1).uniform(0.5, 1.5, (2, 3, 224, 224)).astype(np.float32)
    exact = x.astype(np.float64).mean((2, 3), keepdims=True)
    np.testing.assert_allclose(adaptive_avg_pool2d(x, 1), exact, rtol=1e-6, atol=0)


@pytest.mark.parametrize("pool", [adaptive_avg_pool2d, adaptive_max_pool2d])
def test_memory_layout_does_not_matter(pool):
    for x in (
        np.asfortranarray(PHOTO),
        PHOTO[:, :, ::-1, ::-1].copy()[:, :, ::-1, ::-1],
        np.repeat(PHOTO, 2, axis=3)[..., ::2],
    ):
        np.testing.assert_array_equal(pool(x, (4, 5)), pool(PHOTO, (4, 5)))
        assert pool(x, (4, 5)).flags.c_contiguous


def test_no_image_no_channel_or_no_output_is_allowed_where_pytorch_allows_it():
    for shape in ((0, 2, 4, 4), (1, 0, 4, 4), (0, 4, 4)):
        x = np.ones(shape)
        expected = F.adaptive_avg_pool2d(torch.from_numpy(x), (2, 3)).shape
        assert adaptive_avg_pool2d(x, (2, 3)).shape == tuple(expected)
    for shape in ((0, 2, 4, 4), (0, 4, 4)):
        x = np.ones(shape)
        expected = F.adaptive_max_pool2d(torch.from_numpy(x), (2, 3)).shape
        assert adaptive_max_pool2d(x, (2, 3)).shape == tuple(expected)
    assert adaptive_avg_pool2d(PHOTO, (0, 2)).shape == (2, 3, 0, 2)
    values, indices = adaptive_max_pool2d(PHOTO, 0, return_indices=True)
    assert values.shape == indices.shape == (2, 3, 0, 0)


WRONG = [
    ({"input": np.ones((4, 4))}, ValueError, r"input must be .* got 2 dimensions: \(4, 4\)"),
    ({"input": np.ones((1, 1, 1, 4, 4))}, ValueError, r"got 5 dimensions: \(1, 1, 1, 4, 4\)"),
    ({"input": np.ones((1, 0, 4))}, ValueError, r"shape \(1, 0, 4\).* height and width must"),
    ({"input": np.ones((1, 4, 4), int)}, TypeError, "dtype int64, .* take float16, float32 or"),
    ({"input": [[[1.0, 2.0], [3.0]]]}, TypeError, "input cannot be read as an array"),
    ({"output_size": -1}, ValueError, "output_size must be at least 0, got -1"),
    ({"output_size": (1, -2)}, ValueError, r"output_size\[1\] must be at least 0, got -2"),
    ({"output_size": (2,)}, ValueError, "output_size must be .* got 1 values"),
    ({"output_size": None}, TypeError, "output_size must be .* got NoneType"),
    ({"output_size": 2.5}, TypeError, "output_size must be .* got float 2.5"),
    ({"output_size": (None, True)}, TypeError, r"output_size\[1\] must be an int, got the bool"),
    ({"output_size": 2**40}, ValueError, r"output_size=1099511627776 is too large: .* \(1, 1, 10"),
    (
        {"output_size": 2**40, "input": np.ones((0, 1, 4, 4))},
        ValueError,
        r"output_size=1099511627776 .* shape \(0, 1, 1099511627776, 1099511627776\)",
    ),
]


@pytest.mark.parametrize("pool", [adaptive_avg_pool2d, adaptive_max_pool2d])
@pytest.mark.parametrize(("arguments", "error", "message"), WRONG)
def test_a_bad_argument_is_named_with_its_numbers(pool, arguments, error, message):
    with pytest.raises(error, match=message):
        pool(**{"input": np.ones((1, 1, 4, 4)), "output_size": 2} | arguments)


def test_max_pooling_of_a_batch_needs_a_channel():
    with pytest.raises(ValueError, match=r"shape \(1, 0, 4, 4\): .* channels, height"):
        adaptive_max_pool2d(np.ones((1, 0, 4, 4)), 2)
    with pytest.raises(RuntimeError):
        F.adaptive_max_pool2d(torch.ones(1, 0, 4, 4), 2)
