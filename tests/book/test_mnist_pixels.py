"""Check the stored counts from which the chapter on training computes 0.1307 and 0.3081."""

import json
import math
import runpy

import pytest

from tests.book.book_files import ROOT

STORED = json.loads((ROOT / "book" / "trained" / "mnist-pixels.json").read_text(encoding="utf-8"))
# Mean and deviation that are published for the 60,000 training and the 10,000 test images.
TRAIN = 33.318421449829934, 78.56748998339798
TEST = 33.791224489795916, 79.17246322228644


def mean_and_std(pixels, total, squares):
    return total / pixels, math.sqrt(pixels * squares - total**2) / pixels


def test_the_counted_test_images_have_the_published_mean_and_deviation():
    counts = STORED["test"]["histogram"]
    assert len(counts) == 256
    assert sum(counts) == 10_000 * 28 * 28
    sums = [sum(v**power * n for v, n in enumerate(counts)) for power in (0, 1, 2)]
    assert mean_and_std(*sums) == pytest.approx(TEST, rel=1e-14)


def test_the_sums_of_the_training_images_have_the_published_mean_and_deviation():
    train = STORED["train"]
    sums = [train["pixels"], train["sum"], train["sum_of_squares"]]
    assert train["pixels"] == 60_000 * 28 * 28
    assert mean_and_std(*sums) == pytest.approx(TRAIN, rel=1e-14)
    assert [round(number / 255, 4) for number in mean_and_std(*sums)] == [0.1307, 0.3081]
    # The next whole numbers have another mean and deviation: the sums are the only ones.
    assert mean_and_std(sums[0], sums[1] + 1, sums[2])[0] != pytest.approx(TRAIN[0], rel=1e-14)
    assert mean_and_std(sums[0], sums[1], sums[2] + 1)[1] != pytest.approx(TRAIN[1], rel=1e-13)


def test_numbers_that_no_pixels_have_are_refused():
    sums = runpy.run_path(str(ROOT / "tools" / "mnist_pixels.py"))["sums"]
    assert sums(*TEST, 10_000 * 28 * 28)[0] == 264_923_200
    with pytest.raises(ValueError, match="no 10 whole numbers"):
        sums(0.1307, 0.3081, 10)
