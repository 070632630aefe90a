"""Blocks cover everything once; a strip is part of the padded image."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from convlab.ops.blocks import buffer_view, columns_per_block, copy_padded_rows, split_into_blocks

counts = {
    "images": st.integers(0, 40),
    "rows": st.integers(1, 40),
    "cells_per_row": st.integers(1, 40),
    "max_cells": st.integers(1, 2000),
}


@given(**counts)
def test_every_row_of_every_image_is_in_one_block_and_they_come_in_order(
    images, rows, cells_per_row, max_cells
):
    covered = [
        (image, row)
        for batch, band in split_into_blocks(images, rows, cells_per_row, max_cells)
        for image in range(batch.start, batch.stop)
        for row in range(band.start, band.stop)
    ]
    assert covered == list(np.ndindex(images, rows))


@given(**counts)
def test_a_block_is_small_enough_or_a_single_row_and_the_first_is_the_largest(
    images, rows, cells_per_row, max_cells
):
    sizes = [
        (batch.stop - batch.start, band.stop - band.start)
        for batch, band in split_into_blocks(images, rows, cells_per_row, max_cells)
    ]
    for pictures, height in sizes:
        assert pictures * height * cells_per_row <= max_cells or (pictures, height) == (1, 1)
        assert pictures == 1 or height == rows
        assert pictures <= sizes[0][0]
        assert height <= sizes[0][1]


@given(**counts)
def test_there_are_as_few_blocks_as_possible(images, rows, cells_per_row, max_cells):
    number = len(list(split_into_blocks(images, rows, cells_per_row, max_cells)))
    if rows * cells_per_row < max_cells:
        assert number == -(-images // (max_cells // (rows * cells_per_row)))
    else:
        assert number == images * -(-rows // max(1, max_cells // cells_per_row))


def test_blocks_are_of_about_equal_size():
    bands = [
        rows.stop - rows.start
        for _, rows in split_into_blocks(1, rows=10, cells_per_row=1, max_cells=9)
    ]
    assert bands == [5, 5]


@pytest.mark.parametrize(("window", "itemsize"), [(9, 4), (576, 4), (576, 8), (10**6, 8)])
def test_columns_fill_2_mib_but_there_are_at_least_512(window, itemsize):
    columns = columns_per_block(window, itemsize)
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
    copy_padded_rows(x, strip, first - top, left)
    np.testing.assert_array_equal(strip, padded[:, :, first : first + rows])


def test_a_strip_may_be_narrower_than_the_padded_image():
    x = np.arange(1.0, 7.0).reshape(1, 1, 2, 3)
    strip = np.full((1, 1, 2, 3), np.nan)
    copy_padded_rows(x, strip, first_row=0, left=1)
    assert strip[0, 0].tolist() == [[0, 1, 2], [0, 4, 5]]


def test_a_view_is_the_beginning_of_the_buffer_and_no_copy():
    buffer = np.arange(10.0)
    piece = buffer_view(buffer, 2, 3)
    assert piece.tolist() == [[0, 1, 2], [3, 4, 5]]
    piece[0, 0] = 7
    assert buffer[0] == 7
