"""The digits in the package: scikit-learn's, split by a rule, the same bytes everywhere."""

import hashlib

import numpy as np
import sklearn.datasets

from convlab.data import enlarge, load
from convlab.data.digits import is_test, read_cells

CELLS, LABELS = read_cells()
DIGITS = load("digits")


def test_they_are_scikit_learns():
    original = sklearn.datasets.load_digits()
    np.testing.assert_array_equal(CELLS, original.images)
    np.testing.assert_array_equal(LABELS, original.target)
    assert CELLS.dtype == LABELS.dtype == np.uint8


def test_the_fifth_the_tenth_the_fifteenth_of_each_class_are_test_images():
    seen = dict.fromkeys(range(10), 0)
    for label, test in zip(LABELS.tolist(), is_test(LABELS), strict=True):
        seen[label] += 1
        assert test == (seen[label] % 5 == 0)


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


def test_an_image_fills_the_range_of_a_byte():
    assert (DIGITS.train_images.min(), DIGITS.train_images.max()) == (0, 255)
