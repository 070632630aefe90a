"""Overlapping tiles of images and their transforms, block by block."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import as_strided

from convlab.ops.blocks import buffer_view, copy_padded_rows, split_into_blocks
from convlab.ops.geometry import Array
from convlab.ops.workspace import Allocate


class TilePlan(NamedTuple):
    """Blocks of tiles that are transformed and multiplied together."""

    m: int  # rows and columns of the output in a tile
    blocks: list[tuple[slice, slice]]  # images, tile rows
    tiles_per_row: int
    max_tiles: int  # in a block


def plan_tiles(
    images: int, output_size: tuple[int, ...], m: int, channels: int, kernels: int
) -> TilePlan:
    """Split outputs of m x m cells per tile into blocks.

    A block is small enough to stay in cache, and large enough for its products to pay off: they
    read all transformed kernels, whatever the number of tiles. So layers with many channels need
    larger blocks, and those with few can afford them.
    """
    tile_rows, tiles_per_row = (-(-size // m) for size in output_size)
    target = max(56, min(channels, kernels) // 2, 4096 // max(channels, kernels))
    blocks = list(split_into_blocks(images, tile_rows, tiles_per_row, target))
    largest_batch, largest_rows = blocks[0]
    max_tiles = largest_batch.stop * largest_rows.stop * tiles_per_row
    return TilePlan(m, blocks, tiles_per_row, max_tiles)


def transformed_tiles(
    x: Array,
    matrices: tuple[Array, Array],
    plan: TilePlan,
    padding: tuple[int, int],
    max_channels: int,
    allocate: Allocate,
) -> Iterator[tuple[slice, slice, Array, tuple[Array, Array]]]:
    r"""Yield the tiles of `x`, each transformed to :math:`P\, d\, Q^T`, block by block.

    Parameters
    ----------
    x : array, (N, C, H, W)
    matrices : arrays P, Q, (a_h, n_h) and (a_w, n_w)
        A tile has n_h x n_w cells and becomes a_h x a_w numbers.
    plan : TilePlan
        Neighbouring tiles are ``plan.m`` cells apart.
    padding : (left, top)
        Columns and rows of zeros before the image; after it, as many follow as the tiles need.
    max_channels : int
        Channels of the arrays that the caller writes to the yielded buffers, at least C.
    allocate : function
        As `workspace` provides.

    Yields
    ------
    images, tile_rows : slice, slice
        The block.
    V : array, (a_h * a_w, tiles, C)
        A matrix of tiles and channels for each position in the tile.
    buffer_1, buffer_2 : arrays
        Two flat buffers for the caller. V is at the beginning of the first, and both are
        overwritten for the next block.
    """
    (P, Q), (left, top), m, channels = matrices, padding, plan.m, x.shape[1]
    (a_h, n_h), (a_w, n_w) = P.shape, Q.shape
    strip_width = (plan.tiles_per_row - 1) * m + n_w
    max_images, max_rows = (block.stop for block in plan.blocks[0])
    max_strip_rows = max_images * channels * ((max_rows - 1) * m + n_h)  # of all channels
    tile_numbers = max(a_h, n_h) * max(a_w, n_w) * plan.max_tiles * max_channels
    buffer_size = max(tile_numbers, max_strip_rows * (strip_width + 1))
    buffer_1, buffer_2 = allocate(buffer_size), allocate(buffer_size)
    strip_buffer = allocate(max_strip_rows * strip_width)

    strip = strip_buffer  # of the block before, once there is one
    for batch, tile_rows in plan.blocks:
        images, rows = batch.stop - batch.start, tile_rows.stop - tile_rows.start
        tiles, first_row = images * rows * plan.tiles_per_row, tile_rows.start * m
        strip_height = (rows - 1) * m + n_h
        shared_rows = n_h - m if first_row else 0  # with the block above
        # Two copies move the channels last: with channels a multiple of 4 KiB apart, a single
        # one would use the same few cache lines for all of them.
        new_rows = buffer_view(
            buffer_2, images, channels, strip_height - shared_rows, strip_width + 1
        )
        copy_padded_rows(x[batch], new_rows, first_row - top + shared_rows, left)
        strip_above = strip
        strip = buffer_view(strip_buffer, images, strip_height, strip_width, channels)
        if shared_rows:
            strip[:, :shared_rows] = strip_above[:, -shared_rows:]
        strip[:, shared_rows:] = new_rows[..., :strip_width].transpose(0, 2, 3, 1)
        step_n, step_h, step_w, step_c = strip.strides
        tile_view = as_strided(
            strip,
            (n_h, n_w, images, rows, plan.tiles_per_row, channels),
            (step_h, step_w, step_n, m * step_h, m * step_w, step_c),
            writeable=False,
        )
        d = buffer_view(buffer_1, n_h, n_w, tiles * channels)
        np.copyto(d.reshape(tile_view.shape), tile_view)

        # P d: (a_h, n_h) @ (n_h, n_w * tiles * C)
        Pd = buffer_view(buffer_2, a_h, n_w, tiles * channels)
        np.matmul(P, d.reshape(n_h, -1), out=Pd.reshape(a_h, -1))
        # P d Q^T: (a_w, n_w) @ (a_h, n_w, tiles * C) = (a_h, a_w, tiles * C)
        V = buffer_view(buffer_1, a_h, a_w, tiles * channels)
        np.matmul(Q, Pd, out=V)
        yield batch, tile_rows, V.reshape(a_h * a_w, tiles, channels), (buffer_1, buffer_2)
