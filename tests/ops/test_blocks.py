"""Blocks cover everything once; a strip is what padding the whole image would have given."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from convlab.ops.blocks import blocks, columns_at_once, copy_strip, part

counts = {
    "images": st.integers(0, 40),
    "rows": st.integers(1, 40),
    "per_row": st.integers(1, 40),
    "at_most": st.integers(1, 2000),
}


@given(**counts)
def test_every_row_of_every_image_is_in_one_block_and_they_come_in_order(
    images, rows, per_row, at_most
):
    covered = [
        (image, row)
        for some, band in blocks(images, rows, per_row, at_most)
        for image in range(some.start, some.stop)
        for row in range(band.start, band.stop)
    ]
    assert covered == list(np.ndindex(images, rows))


@given(**counts)
def test_a_block_is_small_enough_or_a_single_row_and_the_first_is_the_largest(
    images, rows, per_row, at_most
):
    sizes = [
        (some.stop - some.start, band.stop - band.start)
        for some, band in blocks(images, rows, per_row, at_most)
    ]
    for pictures, height in sizes:
        assert pictures * height * per_row <= at_most or (pictures, height) == (1, 1)
        assert pictures == 1 or height == rows
        assert pictures <= sizes[0][0]
        assert height <= sizes[0][1]


@given(**counts)
def test_there_are_no_more_blocks_than_there_must_be(images, rows, per_row, at_most):
    number = len(list(blocks(images, rows, per_row, at_most)))
    if rows * per_row < at_most:
        assert number == -(-images // (at_most // (rows * per_row)))
    else:
        assert number == images * -(-rows // max(1, at_most // per_row))


def test_parts_are_about_equal_instead_of_full_ones_and_a_crumb():
    bands = [rows.stop - rows.start for _, rows in blocks(1, rows=10, per_row=1, at_most=9)]
    assert bands == [5, 5]


@pytest.mark.parametrize(("window", "itemsize"), [(9, 4), (576, 4), (576, 8), (10**6, 8)])
def test_columns_fill_2_mib_but_there_are_at_least_512(window, itemsize):
    columns = columns_at_once(window, itemsize)
    size = columns * window * itemsize
    assert columns == 512 or 2 * 2**20 - window * itemsize < size <= 2 * 2**20
    assert columns >= 512


@given(
    height=st.integers(1, 6),
    width=st.integers(1, 6),
    sides=st.tuples(*[st.integers(0, 5)] * 4),
    first=st.integers(0, 20),
    rows=st.integers(1, 8),
    seed=st.integers(0, 99),
)
def test_a_strip_is_a_part_of_the_padded_image(height, width, sides, first, rows, seed):
    """Wherever it starts: above the image, inside, or where only padding is left."""
    left, right, top, bottom = sides
    x = np.random.default_rng(seed).uniform(1, 2, (2, 3, height, width))
    padded = np.pad(x, ((0, 0), (0, 0), (top, bottom + 40), (left, right)))
    strip = np.full((2, 3, rows, left + width + right), np.nan)
    copy_strip(x, strip, first - top, left)
    np.testing.assert_array_equal(strip, padded[:, :, first : first + rows])


def test_a_strip_may_be_narrower_than_the_padded_image():
    x = np.arange(1.0, 7.0).reshape(1, 1, 2, 3)
    strip = np.full((1, 1, 2, 3), np.nan)
    copy_strip(x, strip, first=0, left=1)
    assert strip[0, 0].tolist() == [[0, 1, 2], [0, 4, 5]]


def test_a_part_is_the_beginning_of_the_buffer_and_no_copy():
    buffer = np.arange(10.0)
    piece = part(buffer, 2, 3)
    assert piece.tolist() == [[0, 1, 2], [3, 4, 5]]
    piece[0, 0] = 7
    assert buffer[0] == 7
