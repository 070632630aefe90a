"""The comparison of drawings detects a changed number and ignores a rounding."""

import base64
import io

import matplotlib.image
import numpy as np
import pytest

from convlab import plots
from tests.book.pictures import difference, read_png


def encode(pixels):
    buffer = io.BytesIO()
    matplotlib.image.imsave(buffer, pixels, format="png")
    return base64.b64encode(buffer.getvalue()).decode()


def draw(numbers):
    return base64.b64encode(plots.matrices({"x": numbers})._repr_png_()).decode()


def test_the_same_drawing_agrees_with_itself():
    assert difference(draw([[1, 2], [3, 4]]), draw([[1, 2], [3, 4]])) is None


def test_one_changed_digit_is_detected():
    assert "of the pixels differ" in difference(draw([[1, 2], [3, 4]]), draw([[1, 2], [3, 5]]))


def test_a_changed_size_is_detected():
    assert "the stored picture is" in difference(draw([[1, 2]]), draw([[1, 2, 3]]))


def test_a_rounding_of_every_pixel_is_ignored():
    pixels = read_png(draw([[1, 2], [3, 4]]))[..., :3].copy()
    shifted = np.clip(pixels + np.where(pixels > 0.5, -0.02, 0.02), 0, 1)
    assert difference(encode(pixels), encode(shifted)) is None


@pytest.mark.parametrize("order", [1, -1])
def test_added_and_removed_ink_are_detected(order):
    empty = np.ones((40, 40, 3))
    drawn = empty.copy()
    drawn[:2, :2] = 0  # a share of 0.0025
    first, second = [encode(empty), encode(drawn)][::order]
    assert "of the pixels differ" in difference(first, second)
