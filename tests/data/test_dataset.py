"""What a data set promises, and what it refuses to be made of."""

import dataclasses
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convlab.data import Dataset
from convlab.data.dataset import mean_and_std


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
        ({"test_labels": np.zeros(2)}, TypeError, "test_labels must be .* integers, got float64"),
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
            "train_images holds no image|test_images are",
        ),
    ],
)
def test_parts_that_do_not_belong_together_are_refused(changes, error, message):
    with pytest.raises(error, match=message):
        dataset(**changes)
