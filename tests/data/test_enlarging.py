"""The enlargement: PyTorch's bilinear interpolation, without its rounding errors."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.functional import interpolate

from convlab.data import enlarge


@settings(max_examples=200)
@given(st.integers(1, 9), st.integers(0, 30), st.integers(1, 1000), st.integers(0, 2**32 - 1))
def test_it_is_pytorchs_rounded_to_the_nearest_byte(small, more, white, seed):
    images = np.random.default_rng(seed).integers(0, white + 1, (3, small, small))
    ours = enlarge(images, small + more, white)
    exact = interpolate(
        torch.from_numpy(images * 255 / white)[:, None],
        size=(small + more, small + more),
        mode="bilinear",
        align_corners=False,
    )[:, 0]
    # Half a byte, and what floating-point arithmetic adds where a value lies right between two.
    assert np.abs(ours - exact.numpy()).max() <= 0.5 + 1e-9


def test_halves_are_rounded_upwards():
    assert enlarge(np.array([[[1]]]), 1, white=2).item() == 128  # 127.5


def test_an_image_of_the_right_size_is_only_brought_to_bytes():
    cells = np.arange(17)[:16].reshape(1, 4, 4)
    np.testing.assert_array_equal(enlarge(cells, 4, white=15), cells * 17)


def test_black_and_white_stay():
    for value, byte in ((0, 0), (16, 255)):
        enlarged = enlarge(np.full((1, 8, 8), value, np.uint8), 28, white=16)
        assert (enlarged == byte).all()


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((np.zeros((1, 2, 2)), 4, 1), TypeError, "images must be integers, got float64"),
        ((np.zeros((2, 2), int), 4, 1), ValueError, r"shape \(N, n, n\), got \(2, 2\)"),
        ((np.zeros((1, 2, 3), int), 4, 1), ValueError, r"got \(1, 2, 3\)"),
        ((np.zeros((1, 0, 0), int), 4, 1), ValueError, r"got \(1, 0, 0\)"),
        ((np.zeros((1, 4, 4), int), 3, 1), ValueError, "size must be at least 4, got 3"),
        ((np.zeros((1, 4, 4), int), 4.5, 1), TypeError, "size must be an int"),
        ((np.zeros((1, 4, 4), int), 4, 0), ValueError, "white must be at least 1, got 0"),
        ((np.full((1, 4, 4), 17), 8, 16), ValueError, "white=16, got values from 17 to 17"),
        ((np.full((1, 4, 4), -1), 8, 16), ValueError, "got values from -1 to -1"),
    ],
)
def test_what_cannot_be_enlarged_is_refused(arguments, error, message):
    with pytest.raises(error, match=message):
        enlarge(*arguments)
