"""Images cut into small overlapping tiles, and each tile transformed: half of Winograd."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from convlab.ops.methods.blocks import blocks, copy_strip, part
from convlab.ops.workspace import Take

Array = NDArray[Any]


class Plan(NamedTuple):
    """How the tiles of a batch are done: `across` in a row, some rows or images at a time."""

    blocks: list[tuple[slice, slice]]  # of images, of tile rows
    across: int
    most: int  # tiles in a block, at most


def plan_tiles(images: int, out_size: tuple[int, int], m: int, channels: int, kernels: int) -> Plan:
    """Cut results of m x m cells per tile into blocks.

    A block is so small that it stays in cache and so large that its products pay: they read
    all transformed kernels, whatever the number of tiles. So wide layers want larger blocks,
    and narrow ones can afford them.
    """
    down, across = (-(-size // m) for size in out_size)
    at_once = max(56, min(channels, kernels) // 2, 4096 // max(channels, kernels))
    plan = list(blocks(images, down, across, at_once))
    batch, rows = plan[0]
    return Plan(plan, across, batch.stop * rows.stop * across)


def transformed_tiles(
    x: Array,
    matrices: tuple[Array, Array],
    m: int,
    plan: Plan,
    corner: tuple[int, int],
    channels: int,
    take: Take,
) -> Iterator[tuple[slice, slice, Array, tuple[Array, Array]]]:
    r"""Yield the tiles of `x`, each transformed to :math:`P\, d\, Q^T`, block by block.

    Parameters
    ----------
    x : array, (N, C, H, W)
    matrices : arrays P, Q, (a_h, n_h) and (a_w, n_w)
        A tile has n_h x n_w cells and becomes a_h x a_w numbers.
    m : int
        From one tile to the next, in cells.
    plan : Plan
    corner : (left, top)
        Columns and rows of zeros to imagine before the image; after it, as many as the
        tiles reach.
    channels : int
        Of the widest array that the caller wants to put into a buffer, at least C.
    take : function
        Lends scratch memory; see `workspace`.

    Yields
    ------
    images, rows : slice, slice
        The block, in images and tile rows.
    V : array, (a_h * a_w, tiles, C)
        A position in the tile is a matrix of tiles and channels.
    ping, pong : arrays
        Two flat buffers for the caller. V is at the beginning of `ping`, and both are used
        again for the next block.
    """
    (P, Q), (left, top), depth = matrices, corner, x.shape[1]
    (a_h, n_h), (a_w, n_w) = P.shape, Q.shape
    wide = (plan.across - 1) * m + n_w
    images, rows = (block.stop for block in plan.blocks[0])
    room = images * depth * ((rows - 1) * m + n_h)
    strip, pixels = take(room * (wide + 1)), take(room * wide)
    ping, pong = (take(max(a_h, n_h) * max(a_w, n_w) * plan.most * channels) for _ in "VM")

    X = pixels  # the block before, channels last; there is none yet
    for batch, tile_rows in plan.blocks:
        images, rows = batch.stop - batch.start, tile_rows.stop - tile_rows.start
        tiles, first = images * rows * plan.across, tile_rows.start * m
        high = (rows - 1) * m + n_h
        known = n_h - m if first else 0  # rows shared with the block above
        # Two copies put the channels last: from planes a multiple of 4 KiB apart, one
        # would squeeze all channels through the same few cache lines.
        S = part(strip, images, depth, high - known, wide + 1)
        copy_strip(x[batch], S, first - top + known, left)
        above, X = X, part(pixels, images, high, wide, depth)
        if known:
            X[:, :known] = above[:, -known:]
        X[:, known:] = S[..., :wide].transpose(0, 2, 3, 1)
        s_n, s_h, s_w, s_c = X.strides
        tiles_of_x = as_strided(
            X,
            (n_h, n_w, images, rows, plan.across, depth),
            (s_h, s_w, s_n, m * s_h, m * s_w, s_c),
            writeable=False,
        )
        D = part(ping, n_h, n_w, tiles * depth)
        np.copyto(D.reshape(tiles_of_x.shape), tiles_of_x)

        half = part(pong, a_h, n_w, tiles * depth)
        np.matmul(P, D.reshape(n_h, -1), out=half.reshape(a_h, -1))
        V = part(ping, a_h, a_w, tiles * depth)
        np.matmul(Q, half, out=V)
        yield batch, tile_rows, V.reshape(a_h * a_w, tiles, depth), (ping, pong)
