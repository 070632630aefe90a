"""Winograd: transform tiles and kernels so that far fewer multiplications remain."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from convlab.ops.blocks import part
from convlab.ops.methods.cook_toom import cook_toom
from convlab.ops.methods.tiles import plan_tiles, transformed_tiles
from convlab.ops.padding import pad2d
from convlab.ops.workspace import Take, workspace
from convlab.shapes import conv2d_output_size

Array = NDArray[Any]

LARGEST_KERNEL = 5


def winograd(
    x: Array,
    w: Array,
    stride: tuple[int, int],
    padding: tuple[int, int, int, int],
    dilation: tuple[int, int],
    groups: int,
    *,
    outputs: int,
) -> Array:
    r"""Trade multiplications for additions, tile by tile.

    For a tile `d` of the input and a kernel `g`, with the matrices of `cook_toom`,

    .. math:: Y = A^T \Big[ \sum_c (G g_c G^T) \odot (B^T d_c B) \Big] A

    is a square of `outputs` x `outputs` results. A 3x3 kernel takes 36 multiplications for
    16 results with ``outputs=4``, and 16 for 4 with ``outputs=2``, where the definition
    takes 144 and 36. The products under the sum are matrix products over the channels, one
    for each position in the tile. The transforms are matrix products, too.

    All of it happens in blocks of tiles that stay in the cache, at least one row of them, so
    that the extra memory grows neither with the batch nor with the height of the image: the
    transformed kernels, ``a * a * C * O / groups ** 2`` numbers with ``a = outputs + k - 1``,
    and three buffers of a block. With dilation a padded copy of the input is added.

    Needs stride 1 and kernels of at most 5 rows and columns. A dilated convolution is done
    as ordinary ones, on every d-th row and column.

    Rounding errors are larger than those of a sum of products: with random numbers and up to
    512 channels at most ``5e-6`` (float32) or ``5e-14`` (float64) of the largest result for
    tiles of up to 6 x 6 inputs, ``5e-5`` or ``2e-13`` for larger ones. A large number also
    harms its neighbours in the same tile, and infinity or NaN in a tile makes all its
    results NaN or infinite.

    Raises
    ------
    ValueError
        If the stride is not 1 or the kernel is too large; the message names the method.

    Examples
    --------
    >>> x = np.arange(25.0).reshape(1, 1, 5, 5)
    >>> w = np.ones((1, 1, 3, 3))
    >>> winograd(x, w, (1, 1), (0, 0, 0, 0), (1, 1), 1, outputs=2).round(9)[0, 0].tolist()
    [[54.0, 63.0, 72.0], [99.0, 108.0, 117.0], [144.0, 153.0, 162.0]]
    """
    name, size = f"method 'winograd{outputs}'", w.shape[2:]
    if stride != (1, 1):
        raise ValueError(f"{name} needs stride 1, got stride={stride}")
    if max(size) > LARGEST_KERNEL:
        raise ValueError(f"{name} needs kernels of at most 5 x 5, got {size[0]} x {size[1]}")
    if dilation != (1, 1):
        x, padding = (pad2d(x, padding) if any(padding) else x), (0, 0, 0, 0)
    left, right, top, bottom = padding
    padded = x.shape[2] + top + bottom, x.shape[3] + left + right
    y = np.empty((len(x), len(w), *conv2d_output_size(padded, size, 1, 0, dilation)), x.dtype)
    if len(x) == 0:
        return y
    d_h, d_w = dilation
    parts = np.split(x, groups, 1), np.split(w, groups), np.split(y, groups, 1)
    for x_g, w_g, y_g in zip(*parts, strict=True):
        with workspace(x.dtype) as take:
            U = transformed_weight(w_g, outputs, take)
            for i in range(min(d_h, y.shape[2])):
                for j in range(min(d_w, y.shape[3])):
                    phase = slice(None), slice(None), slice(i, None, d_h), slice(j, None, d_w)
                    _tile_by_tile(x_g[phase], U, y_g[phase], outputs, size, (left, top))
    return y


def _tile_by_tile(
    x: Array, U: Array, y: Array, m: int, kernel_size: tuple[int, int], corner: tuple[int, int]
) -> None:
    """Fill `y`, the convolution of `x`, padded by `corner` on the left and top."""
    kernels, _, out_w = y.shape[1:]
    (AT_h, _, BT_h), (AT_w, _, BT_w) = (cook_toom(m, k, x.dtype.str) for k in kernel_size)
    a_h, a_w = len(BT_h), len(BT_w)
    channels = x.shape[1]
    plan = plan_tiles(len(x), y.shape[2:], m, channels, kernels)
    most = max(channels, kernels)
    with workspace(x.dtype) as take:
        tiles = transformed_tiles(x, (BT_h, BT_w), m, plan, corner, most, take)
        for batch, rows, V, (ping, pong) in tiles:
            # The multiplications: one product over the channels for each position in a tile.
            M = part(pong, a_h * a_w, kernels, V.shape[1])
            np.matmul(U.swapaxes(1, 2), V.swapaxes(1, 2), out=M)

            # Y = A^T M A. The second factor is applied from the right, which leaves the m
            # results of a tile row side by side, as the output wants them.
            half = part(ping, m, a_w, M[0].size)
            np.matmul(AT_h, M.reshape(a_h, -1), out=half.reshape(m, -1))
            Y = part(pong, m, M[0].size, m)
            np.matmul(half.swapaxes(1, 2), AT_w.T, out=Y)
            images = batch.stop - batch.start
            Y = Y.reshape(m, kernels, images, rows.stop - rows.start, -1)[..., :out_w]
            for u in range(m):
                cells = y[batch, :, rows.start * m + u : rows.stop * m : m]
                cells[...] = Y[u, :, :, : cells.shape[2]].swapaxes(0, 1)


def transformed_weight(w: Array, outputs: int, take: Take) -> Array:
    """Compute ``G g G^T`` of every kernel: (O, C, kH, kW) to (a_h * a_w, C, O).

    Some channels at a time, so that the three steps between stay in cache.
    """
    kernels, channels, k_h, k_w = w.shape
    _, G_h, _ = cook_toom(outputs, k_h, w.dtype.str)
    _, G_w, _ = cook_toom(outputs, k_w, w.dtype.str)
    a_h, a_w, area = len(G_h), len(G_w), k_h * k_w
    U = take(a_h, a_w, channels, kernels)
    some = min(32, channels)
    with workspace(w.dtype) as lend:
        staged = lend(kernels, some * area + 16)  # 16: rows a power of 2 apart share cache lines
        kernels_last, half = lend(area * some * kernels), lend(a_h * k_w * some * kernels)
        for first in range(0, channels, some):
            last = min(first + some, channels)
            count = last - first
            staged[:, : count * area] = w[:, first:last].reshape(kernels, -1)
            g = part(kernels_last, area, count, kernels)
            g[...] = staged[:, : count * area].reshape(kernels, count, area).transpose(2, 1, 0)
            rows = part(half, a_h, k_w, count * kernels)
            np.matmul(G_h, g.reshape(k_h, -1), out=rows.reshape(a_h, -1))
            np.matmul(G_w, rows, out=U[:, :, first:last].reshape(a_h, a_w, -1))
    return U.reshape(a_h * a_w, channels, kernels)
