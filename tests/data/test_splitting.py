"""Setting images aside: the same share of every class, the same choice everywhere."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from convlab.data import load, split_validation, stratified_split

label_lists = st.lists(st.integers(0, 5), min_size=8, max_size=80)


@settings(max_examples=200)
@given(label_lists, st.floats(0.05, 0.95), st.integers(0, 2**40))
def test_every_image_is_in_one_part_and_every_class_gives_its_share(labels, fraction, seed):
    labels = np.array(labels)
    counts = np.bincount(labels)
    assume(any(count > 1 and count * fraction >= 0.5 for count in counts))
    kept, aside = stratified_split(labels, fraction, seed)
    assert sorted([*kept, *aside]) == list(range(len(labels)))
    assert (np.diff(kept) > 0).all()
    assert (np.diff(aside) > 0).all()
    for label, count in zip(*np.unique(labels, return_counts=True), strict=True):
        taken = (labels[aside] == label).sum()
        assert abs(taken - fraction * count) <= 0.5 or taken == count - 1
        assert taken < count


def test_the_same_seed_makes_the_same_choice_and_another_seed_another():
    labels = np.repeat(np.arange(10), 30)
    first, again, other = (stratified_split(labels, 0.2, seed)[1] for seed in (3, 3, 4))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_the_choice_is_known_forever():
    """These numbers must hold with any NumPy on any machine: who resumes a run relies on it."""
    _, aside = stratified_split(np.zeros(1000, np.uint8), 0.01, seed=7)
    assert aside.tolist() == FOREVER


FOREVER = [6, 32, 37, 114, 614, 680, 747, 865, 877, 923]


def test_any_image_can_be_chosen():
    seen = {int(i) for seed in range(40) for i in stratified_split([0] * 10, 0.3, seed)[1]}
    assert seen == set(range(10))


def test_the_validation_images_come_from_the_training_images_and_the_test_images_stay():
    digits = load("digits")
    parts = split_validation(digits, 0.1, seed=1)
    kept, aside = stratified_split(digits.train_labels, 0.1, seed=1)
    np.testing.assert_array_equal(parts.train_images, digits.train_images[kept])
    np.testing.assert_array_equal(parts.train_labels, digits.train_labels[kept])
    np.testing.assert_array_equal(parts.validation_images, digits.train_images[aside])
    np.testing.assert_array_equal(parts.validation_labels, digits.train_labels[aside])
    np.testing.assert_array_equal(parts.test_images, digits.test_images)
    assert parts.mean != digits.mean


def test_a_set_that_is_split_is_not_split_again():
    parts = split_validation(load("digits"), 0.1)
    with pytest.raises(ValueError, match="digits has 145 validation images already"):
        split_validation(parts, 0.1)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (([0, 1], 0.0, 0), ValueError, "fraction must be above 0 and below 1, got 0.0"),
        (([0, 1], 1, 0), ValueError, "fraction must be above 0 and below 1, got 1"),
        (([0, 1], float("nan"), 0), ValueError, "fraction must .* got nan"),
        (([0] * 20, 0.01, 0), ValueError, "0.01 of 20 images in 1 classes sets no image aside"),
        (([0.5, 1], 0.5, 0), TypeError, "labels must be integers, got float64"),
        (([[0, 1]], 0.5, 0), ValueError, r"labels must have the shape \(N,\), got \(1, 2\)"),
        (([0, 1], 0.5, -1), ValueError, "seed must be at least 0, got -1"),
        (([0, 1], 0.5, 1.5), TypeError, "seed must be an int"),
    ],
)
def test_what_cannot_be_split_is_refused(arguments, error, message):
    with pytest.raises(error, match=message):
        stratified_split(*arguments)
