"""Tests of `Dataset`: its checks, split and conversion."""

import dataclasses
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from convlab.data import Dataset, load, match_input, split_validation
from convlab.data.dataset import PARTS, check_labels, mean_and_std

DIGITS = split_validation(load("digits"), 0.1)


def dataset(**changes):
    random = np.random.default_rng(0)
    parts = {
        "name": "tiny",
        "train_images": random.integers(0, 256, (6, 3, 4, 5), dtype=np.uint8),
        "train_labels": np.array([0, 1, 2, 0, 1, 2]),
        "test_images": random.integers(0, 256, (2, 3, 4, 5), dtype=np.uint8),
        "test_labels": np.array([2, 0]),
        "class_names": ("a", "b", "c"),
    }
    return Dataset(**{**parts, **changes})


@settings(max_examples=60)
@given(
    st.tuples(*[st.integers(1, 4)] * 4), st.integers(0, 2**32 - 1), st.sampled_from([2, 17, 256])
)
def test_mean_and_deviation_are_those_of_all_pixels_of_a_channel(shape, seed, values):
    images = np.random.default_rng(seed).integers(0, values, shape).astype(np.uint8)
    mean, std = mean_and_std(images)
    scaled = images / 255
    np.testing.assert_allclose(mean, scaled.mean(axis=(0, 2, 3)), rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(std, scaled.std(axis=(0, 2, 3)), rtol=1e-12, atol=1e-9)


def test_the_mean_is_the_nearest_float_to_the_true_one_however_many_images_there_are():
    images = np.random.default_rng(1).integers(0, 256, (1203, 2, 5, 7), dtype=np.uint8)
    for channel, mean in enumerate(mean_and_std(images)[0]):
        pixels = images[:, channel].astype(int)
        assert mean == float(Fraction(int(pixels.sum()), 255 * pixels.size))


def test_mean_and_deviation_belong_to_the_training_images():
    data = dataset()
    assert (data.mean, data.std) == mean_and_std(data.train_images)
    white = dataclasses.replace(data, test_images=np.full_like(data.test_images, 255))
    assert white.mean == data.mean


IMAGENET = {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)}


def test_given_mean_and_deviation_are_kept():
    data = dataset(**IMAGENET)
    labels = np.arange(20) % 2
    many = dataclasses.replace(
        data, train_images=np.zeros((20, 3, 4, 5), np.uint8), train_labels=labels
    )
    for other in (data, many, split_validation(many, 0.5), match_input(data, (3, 9, 9))):
        assert {"mean": other.mean, "std": other.std} == IMAGENET


def test_given_mean_and_deviation_of_gray_images_count_for_each_channel_of_the_input():
    digits = dataclasses.replace(DIGITS, mean=np.array([0.25]), std=[2])
    assert (digits.mean, digits.std) == ((0.25,), (2.0,))
    matched = match_input(digits, (3, 28, 28))
    assert (matched.mean, matched.std) == ((0.25,) * 3, (2.0,) * 3)


def test_mean_and_deviation_that_were_not_given_are_those_of_the_new_images():
    data = dataset()
    assert data.mean != (0, 0, 0)  # computed before it is replaced
    black = dataclasses.replace(data, train_images=np.zeros_like(data.train_images))
    assert (black.mean, black.std) == ((0, 0, 0), (0, 0, 0))
    given = dataclasses.replace(data, mean=data.mean, std=data.std)
    black = dataclasses.replace(given, train_images=np.zeros_like(data.train_images))
    assert (black.mean, black.std) == (data.mean, data.std)
    assert dataclasses.replace(given, std=(1, 1, 1)).mean == data.mean
    assert dataclasses.replace(black, mean=(0, 0, 0), std=(0, 0, 0)).std == (0, 0, 0)
    with pytest.raises(ValueError, match="mean must hold one number per channel, 1, got 3"):
        dataclasses.replace(
            given, **{f"{part}_images": getattr(given, f"{part}_images")[:, :1] for part in PARTS}
        )


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"mean": (0.5,) * 3}, ValueError, "given together, but std is None"),
        ({"std": (0.5,) * 3}, ValueError, "given together, but mean is None"),
        ({"mean": 0.5}, TypeError, "mean must be a sequence of 3 numbers, one per channel, got 0"),
        ({"mean": ("a", "b", "c")}, TypeError, "mean must be a sequence of 3 numbers"),
        ({"mean": (0.5,)}, ValueError, r"mean must hold one number per channel, 3, got 1: \(0.5,"),
        ({"std": (0.5,) * 4}, ValueError, "std must hold one number per channel, 3, got 4"),
        ({"mean": (0, 0, np.nan)}, ValueError, "mean must hold finite numbers, got .*nan"),
        ({"std": (1, 1, np.inf)}, ValueError, "std must hold finite numbers, got .*inf"),
        ({"std": (1, -1, 1)}, ValueError, r"std must hold numbers of at least 0, got \(1.0, -1.0"),
    ],
)
def test_given_mean_and_deviation_are_checked(changes, error, message):
    whole = changes if len(changes) == 1 and "given" in message else {**IMAGENET, **changes}
    with pytest.raises(error, match=message):
        dataset(**whole)


def test_labels_become_int64():
    data = dataset(train_labels=np.array([0, 1, 2, 0, 1, 2], np.uint8))
    assert data.train_labels.dtype == data.test_labels.dtype == np.int64


def test_without_validation_images_that_part_is_empty_and_of_the_same_shape():
    data = dataset()
    assert data.validation_images.shape == (0, 3, 4, 5) == (0, *data.image_shape)
    assert data.validation_images.dtype == np.uint8
    assert data.validation_labels.shape == (0,)


def test_it_cannot_be_changed_and_says_what_it_is():
    data = dataset()
    with pytest.raises(dataclasses.FrozenInstanceError):
        data.train_images = data.test_images
    assert repr(data) == (
        "<Dataset 'tiny': 6 training, 0 validation and 2 test images of 3 x 4 x 5, 3 classes>"
    )


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"train_images": [[1]]}, TypeError, "train_images must be .* uint8, got list"),
        ({"test_images": np.zeros((2, 3, 4, 5))}, TypeError, "test_images .* uint8, got float64"),
        (
            {"train_images": np.zeros((6, 4, 5), np.uint8)},
            ValueError,
            r"train_images must have the shape \(N, C, H, W\), got \(6, 4, 5\)",
        ),
        ({"test_labels": np.zeros(2)}, TypeError, "test_labels must be integers, got float64"),
        ({"test_labels": np.zeros(2, bool)}, TypeError, "integers, got bool"),
        ({"test_labels": [0, 1]}, TypeError, "integers, got list"),
        ({"test_labels": np.zeros((2, 1), int)}, ValueError, r"shape \(N,\), got \(2, 1\)"),
        ({"test_labels": np.zeros(3, int)}, ValueError, "test_images holds 2 images, .* 3 labels"),
        ({"test_labels": np.array([0, 3])}, ValueError, "test_labels holds 3, but .* 3 classes"),
        ({"test_labels": np.array([-1, 0])}, ValueError, "test_labels holds -1"),
        (
            {"test_images": np.zeros((2, 1, 4, 5), np.uint8)},
            ValueError,
            r"test_images are \(1, 4, 5\) and those of train_images \(3, 4, 5\)",
        ),
        (
            {"train_images": np.zeros((0, 3, 4, 5), np.uint8), "train_labels": np.zeros(0, int)},
            ValueError,
            "train_images must hold|test_images are",
        ),
    ],
)
def test_inconsistent_parts_are_refused(changes, error, message):
    with pytest.raises(error, match=message):
        dataset(**changes)


@pytest.mark.parametrize(
    ("labels", "error", "message"),
    [
        ([1, 2], TypeError, "labels must be a NumPy array of integers, got list"),
        (np.array([1.0]), TypeError, "labels must be integers, got float64"),
        (np.array([[1]]), ValueError, r"labels must have the shape \(N,\), got \(1, 1\)"),
        (np.array([1, -2]), ValueError, "labels must be at least 0, got -2"),
    ],
)
def test_labels_of_an_unknown_number_of_classes_are_checked_too(labels, error, message):
    with pytest.raises(error, match=message):
        check_labels(labels, "labels")


# --- the split ------------------------------------------------------------------------------------


def numbered(labels):
    """Make a data set whose training images contain their own index."""
    labels = np.asarray(labels)
    index = np.arange(len(labels), dtype="<u2").view(np.uint8).reshape(-1, 1, 1, 2)
    classes = tuple(str(label) for label in range(max(labels) + 1))
    return Dataset("numbered", index, labels, index[:1], labels[:1], classes)


def split(labels, fraction, seed):
    """Split, and return the indices of the training and of the validation images."""
    parts = split_validation(numbered(labels), fraction, seed)
    images = (parts.train_images, parts.validation_images)
    return tuple(part.view("<u2").ravel().tolist() for part in images)


@settings(max_examples=200)
@given(
    st.lists(st.integers(0, 5), min_size=8, max_size=80),
    st.floats(0.05, 0.95),
    st.integers(0, 2**40),
)
def test_every_image_is_in_one_part_and_every_class_gives_its_share(labels, fraction, seed):
    labels = np.array(labels)
    counts = np.bincount(labels)
    assume(any(count > 1 and count * fraction >= 0.5 for count in counts))
    kept, moved = split(labels, fraction, seed)
    assert sorted(kept + moved) == list(range(len(labels)))
    assert kept == sorted(kept)
    assert moved == sorted(moved)
    for label, count in zip(*np.unique(labels, return_counts=True), strict=True):
        taken = (labels[moved] == label).sum()
        assert abs(taken - fraction * count) <= 0.5 or taken == count - 1
        assert taken < count


def test_images_and_labels_stay_together_and_the_test_images_stay():
    labels = np.repeat([0, 1, 2], 20)
    data = numbered(labels)
    parts = split_validation(data, 0.25, seed=1)
    for part in ("train", "validation"):
        indices = getattr(parts, f"{part}_images").view("<u2").ravel()
        np.testing.assert_array_equal(getattr(parts, f"{part}_labels"), labels[indices])
    np.testing.assert_array_equal(parts.test_images, data.test_images)
    assert parts.mean == mean_and_std(parts.train_images)[0] != data.mean


def test_the_same_seed_makes_the_same_choice_and_another_seed_another():
    labels = np.repeat(np.arange(10), 30)
    first, again, other = (split(labels, 0.2, seed)[1] for seed in (3, 3, 4))
    assert first == again != other


def test_the_choice_never_changes():
    """Resuming a training relies on it, with any NumPy on any machine."""
    _, moved = split([0] * 1000, 0.01, seed=7)
    assert moved == [6, 32, 37, 114, 614, 680, 747, 865, 877, 923]


def test_any_image_can_be_chosen():
    chosen = {index for seed in range(40) for index in split([0] * 10, 0.3, seed)[1]}
    assert chosen == set(range(10))


def test_a_data_set_is_split_only_once():
    with pytest.raises(ValueError, match="digits already has 145 validation images"):
        split_validation(DIGITS, 0.1)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (([0, 1], 0.0, 0), ValueError, "fraction must be above 0 and below 1, got 0.0"),
        (([0, 1], 1, 0), ValueError, "fraction must be above 0 and below 1, got 1"),
        (([0, 1], float("nan"), 0), ValueError, "fraction must .* got nan"),
        (([0] * 20, 0.01, 0), ValueError, "0.01 of 20 images in 1 classes moves no image"),
        (([0, 1], 0.5, -1), ValueError, "seed must be at least 0, got -1"),
        (([0, 1], 0.5, 1.5), TypeError, "seed must be an int"),
    ],
)
def test_invalid_arguments_of_the_split_are_refused(arguments, error, message):
    with pytest.raises(error, match=message):
        split(*arguments)


# --- images converted to another shape: every pixel is kept ---------------------------------------


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


def test_images_that_have_the_shape_are_not_changed():
    assert match_input(DIGITS, (1, 28, 28)) is DIGITS


def test_the_mean_counts_the_black_padding():
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
def test_a_lossy_conversion_is_refused(shape, message):
    with pytest.raises(ValueError, match=message):
        match_input(DIGITS, shape)


def test_colors_are_not_converted_to_gray():
    with pytest.raises(ValueError, match=r"3 channels, .* takes 1"):
        match_input(match_input(DIGITS, (3, 32, 32)), (1, 32, 32))
