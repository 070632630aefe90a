"""Images brought to another shape: every pixel is found again."""

import numpy as np
import pytest

from convlab.data import load, match_input, split_validation

DIGITS = split_validation(load("digits"), 0.1)
PARTS = ("train", "validation", "test")


@pytest.mark.parametrize("shape", [(3, 32, 32), (1, 32, 32), (3, 28, 28), (1, 28, 31), (3, 33, 40)])
def test_the_old_image_stands_in_the_middle_of_a_black_one_in_every_channel(shape):
    matched = match_input(DIGITS, shape)
    assert matched.image_shape == shape
    top, left = (shape[1] - 28) // 2, (shape[2] - 28) // 2
    for part in PARTS:
        old, new = getattr(DIGITS, f"{part}_images"), getattr(matched, f"{part}_images")
        np.testing.assert_array_equal(
            getattr(matched, f"{part}_labels"), getattr(DIGITS, f"{part}_labels")
        )
        for channel in range(shape[0]):
            middle = new[:, channel, top : top + 28, left : left + 28]
            np.testing.assert_array_equal(middle, old[:, 0])
        assert new.sum(dtype=np.int64) == shape[0] * old.sum(dtype=np.int64)


def test_images_that_have_the_shape_are_left_alone():
    assert match_input(DIGITS, (1, 28, 28)) is DIGITS


def test_the_mean_counts_the_black_frame():
    mean = match_input(DIGITS, (3, 56, 28)).mean
    assert mean == pytest.approx([DIGITS.mean[0] / 2] * 3, rel=1e-15)


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((2, 28, 28), "digits has images of 1 channels, .* takes 2"),
        ((1, 27, 28), "digits has images of 28 x 28 pixels, .* 27 x 28"),
        ((3, 32, 16), "28 x 28 pixels, .* 32 x 16"),
    ],
)
def test_what_would_lose_pixels_or_invent_channels_is_refused(shape, message):
    with pytest.raises(ValueError, match=message):
        match_input(DIGITS, shape)


def test_colours_are_not_thrown_away():
    with pytest.raises(ValueError, match=r"3 channels, .* takes 1"):
        match_input(match_input(DIGITS, (3, 32, 32)), (1, 32, 32))
