"""Tests of the digits in the package: source, split, and enlargement in integers."""

import hashlib

import numpy as np
import sklearn.datasets
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.functional import interpolate

from convlab.data import load
from convlab.data.digits import enlarge, is_test, read_cells

CELLS, LABELS = read_cells()
DIGITS = load("digits")


def test_the_digits_are_those_of_scikit_learn():
    original = sklearn.datasets.load_digits()
    np.testing.assert_array_equal(CELLS, original.images)
    np.testing.assert_array_equal(LABELS, original.target)
    assert CELLS.dtype == LABELS.dtype == np.uint8


def test_the_fifth_the_tenth_the_fifteenth_of_each_class_are_test_images():
    counts = dict.fromkeys(range(10), 0)
    for label, test in zip(LABELS.tolist(), is_test(LABELS), strict=True):
        counts[label] += 1
        assert test == (counts[label] % 5 == 0)


def test_training_and_test_images_together_are_all_digits_in_their_order():
    test = is_test(LABELS)
    images = enlarge(CELLS, 28, white=16)[:, None]
    np.testing.assert_array_equal(DIGITS.train_images, images[~test])
    np.testing.assert_array_equal(DIGITS.test_images, images[test])
    np.testing.assert_array_equal(DIGITS.train_labels, LABELS[~test])
    np.testing.assert_array_equal(DIGITS.test_labels, LABELS[test])
    assert (len(DIGITS.train_labels), len(DIGITS.test_labels)) == (1442, 355)
    assert np.bincount(DIGITS.test_labels).tolist() == [35, 36, 35, 36, 36, 36, 36, 35, 34, 36]


def test_no_test_image_is_a_training_image_too():
    trained = {image.tobytes() for image in DIGITS.train_images}
    assert not trained & {image.tobytes() for image in DIGITS.test_images}


def test_the_bytes_are_the_same_on_every_machine():
    digest = hashlib.sha256(DIGITS.train_images.tobytes() + DIGITS.test_images.tobytes())
    assert digest.hexdigest() == FINGERPRINT


FINGERPRINT = "ba152889a8791d3f5162bd12648a78992f6db4d1879bbf99565100b279b107d6"


def test_an_image_uses_the_whole_range_of_a_byte():
    assert (DIGITS.train_images.min(), DIGITS.train_images.max()) == (0, 255)


# --- the enlargement: PyTorch's bilinear interpolation, without its rounding errors ---------------


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
