"""Convolution and weight gradient with Winograd's algorithm, on tiles of the output."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from convlab.ops.blocks import buffer_view
from convlab.ops.geometry import NO_PADDING, Array, Geometry
from convlab.ops.padding import pad2d
from convlab.ops.winograd.cook_toom import cook_toom
from convlab.ops.winograd.tiles import plan_tiles, transformed_tiles
from convlab.ops.workspace import Allocate, workspace

MAX_KERNEL = 5  # rows and columns
WEIGHT_CHANNELS = 32  # input channels whose weights are transformed at a time


def winograd(
    x: Array,
    w: Array,
    geometry: Geometry,
    *,
    outputs: int,
    transformed: Sequence[Array] | None = None,
) -> Array:
    r"""Compute the convolution on tiles, with fewer multiplications and more additions.

    For a tile `d` of the input and a kernel `g`, with the matrices of `cook_toom`,

    .. math:: Y = A^T \Big[ \sum_c (G g_c G^T) \odot (B^T d_c B) \Big] A

    is a square of `outputs` x `outputs` results. A 3x3 kernel takes 36 multiplications for 16
    results with ``outputs=4``, and 16 for 4 with ``outputs=2``, where the definition takes 144 and
    36. The products under the sum are matrix products over the channels, one for each position in
    the tile. The transforms are matrix products, too.

    The computation proceeds in blocks of tiles that stay in the cache, at least one row of them, so
    the extra memory does not grow with the batch or the height of the image: it is the transformed
    kernels, ``a * a * C * O / groups ** 2`` numbers with ``a = outputs + k - 1``, and three buffers
    of a block; with dilation also a padded copy of the input.

    Needs stride 1 and kernels of at most 5 rows and columns, and otherwise raises ``ValueError``. A
    dilated convolution is computed as several ordinary ones, on every d-th row and column.
    `transformed` is what `transform_weight` returned for the same `w`, `outputs` and groups.

    Rounding errors are larger than those of a sum of products: with random numbers and up to 512
    channels at most ``5e-6`` (float32) or ``5e-14`` (float64) of the largest result for tiles of up
    to 6 x 6 inputs, ``5e-5`` or ``2e-13`` for larger ones. A large number also increases the error
    of its neighbours in the same tile, and infinity or NaN in a tile makes all its results NaN or
    infinite.

    Examples
    --------
    >>> x = np.arange(25.0).reshape(1, 1, 5, 5)
    >>> w = np.ones((1, 1, 3, 3))
    >>> winograd(x, w, Geometry(), outputs=2).round(9)[0, 0].tolist()
    [[54.0, 63.0, 72.0], [99.0, 108.0, 117.0], [144.0, 153.0, 162.0]]
    """
    kernel_size = w.shape[2:]
    check_winograd(kernel_size, geometry.stride, outputs)
    y = np.empty((len(x), len(w), *geometry.output_size(x.shape[2:], kernel_size)), x.dtype)
    if len(x) == 0:
        return y
    padding, (d_h, d_w), groups = geometry.padding, geometry.dilation, geometry.groups
    if geometry.dilation != (1, 1):
        x, padding = (pad2d(x, padding) if any(padding) else x), NO_PADDING
    left, _, top, _ = padding
    per_group = np.split(x, groups, 1), np.split(w, groups), np.split(y, groups, 1)
    for group, (x_g, w_g, y_g) in enumerate(zip(*per_group, strict=True)):
        with workspace(x.dtype) as allocate:
            if transformed is None:
                U = _transformed_weight(w_g, outputs, allocate)
            else:
                U = transformed[group]
            for i in range(min(d_h, y.shape[2])):
                for j in range(min(d_w, y.shape[3])):
                    phase = slice(None), slice(None), slice(i, None, d_h), slice(j, None, d_w)
                    _convolve_tiles(x_g[phase], U, y_g[phase], outputs, kernel_size, (left, top))
    return y


def check_winograd(kernel_size: tuple[int, ...], stride: tuple[int, int], outputs: int) -> None:
    """Raise ValueError unless the stride is 1 and the kernel has at most 5 rows and columns."""
    name = f"method 'winograd{outputs}'"
    if stride != (1, 1):
        raise ValueError(f"{name} needs stride 1, got stride={stride}")
    if max(kernel_size) > MAX_KERNEL:
        k_h, k_w = kernel_size
        raise ValueError(f"{name} needs kernels of at most 5 x 5, got {k_h} x {k_w}")


def transform_weight(w: Array, outputs: int, groups: int) -> list[Array]:
    """Transform the kernels of each group once, for many calls of `winograd`.

    `w` is (O, C / groups, kH, kW); each result is (a_h * a_w, C / groups, O / groups), with ``a =
    outputs + k - 1``.
    """

    def allocate(*shape: int) -> Array:
        return np.empty(shape, w.dtype)

    return [_transformed_weight(w_g, outputs, allocate) for w_g in np.split(w, groups)]


def _convolve_tiles(
    x: Array, U: Array, y: Array, m: int, kernel_size: tuple[int, ...], padding: tuple[int, int]
) -> None:
    """Fill `y` with the convolution of `x`, padded by (left, top), and the transformed kernels."""
    channels, (kernels, _, out_w) = x.shape[1], y.shape[1:]
    (AT_h, _, BT_h), (AT_w, _, BT_w) = (cook_toom(m, k, x.dtype.str) for k in kernel_size)
    a_h, a_w = len(BT_h), len(BT_w)
    plan = plan_tiles(len(x), y.shape[2:], m, channels, kernels)
    max_channels = max(channels, kernels)
    with workspace(x.dtype) as allocate:
        tiles = transformed_tiles(x, (BT_h, BT_w), plan, padding, max_channels, allocate)
        for batch, tile_rows, V, (buffer_1, buffer_2) in tiles:
            # The multiplications: one product over the channels for each position in a tile,
            # (O, C) @ (C, tiles) = (O, tiles).
            M = buffer_view(buffer_2, a_h * a_w, kernels, V.shape[1])
            np.matmul(U.swapaxes(1, 2), V.swapaxes(1, 2), out=M)

            # Y = A^T M A. The second factor is applied from the right, which leaves the m
            # results of a tile row side by side, as in the output.
            ATM = buffer_view(buffer_1, m, a_w, M[0].size)
            np.matmul(AT_h, M.reshape(a_h, -1), out=ATM.reshape(m, -1))
            Y = buffer_view(buffer_2, m, M[0].size, m)
            np.matmul(ATM.swapaxes(1, 2), AT_w.T, out=Y)
            images, rows = batch.stop - batch.start, tile_rows.stop - tile_rows.start
            Y = Y.reshape(m, kernels, images, rows, -1)[..., :out_w]
            for u in range(m):  # row u of every tile
                y_rows = y[batch, :, tile_rows.start * m + u : tile_rows.stop * m : m]
                y_rows[...] = Y[u, :, :, : y_rows.shape[2]].swapaxes(0, 1)


def _transformed_weight(w: Array, outputs: int, allocate: Allocate) -> Array:
    """Compute ``G g G^T`` of every kernel: (O, C, kH, kW) to (a_h * a_w, C, O).

    A few channels at a time, so that the intermediate results stay in cache.
    """
    kernels, channels, k_h, k_w = w.shape
    _, G_h, _ = cook_toom(outputs, k_h, w.dtype.str)
    _, G_w, _ = cook_toom(outputs, k_w, w.dtype.str)
    a_h, a_w, k_area = len(G_h), len(G_w), k_h * k_w
    U = allocate(a_h, a_w, channels, kernels)
    max_count = min(WEIGHT_CHANNELS, channels)
    with workspace(w.dtype) as allocate_inner:
        # 16 more numbers in a row: rows a power of 2 apart would share cache lines.
        contiguous = allocate_inner(kernels, max_count * k_area + 16)
        g_buffer = allocate_inner(k_area * max_count * kernels)
        Gg_buffer = allocate_inner(a_h * k_w * max_count * kernels)
        for first in range(0, channels, max_count):
            last = min(first + max_count, channels)
            count = last - first
            block = contiguous[:, : count * k_area]
            block[...] = w[:, first:last].reshape(kernels, -1)
            g = buffer_view(g_buffer, k_area, count, kernels)
            g[...] = block.reshape(kernels, count, k_area).transpose(2, 1, 0)
            # G g: (a_h, kH) @ (kH, kW * count * O)
            Gg = buffer_view(Gg_buffer, a_h, k_w, count * kernels)
            np.matmul(G_h, g.reshape(k_h, -1), out=Gg.reshape(a_h, -1))
            # G g G^T: (a_w, kW) @ (a_h, kW, count * O) = (a_h, a_w, count * O)
            np.matmul(G_w, Gg, out=U[:, :, first:last].reshape(a_h, a_w, -1))
    return U.reshape(a_h * a_w, channels, kernels)


def winograd_grad_weight(
    g: Array, x: Array, kernel_size: tuple[int, ...], padding: tuple[int, int], outputs: int
) -> Array:
    r"""Compute the gradient with respect to the weight for stride 1, on tiles of outputs.

    In the forward pass, a tile of the result is :math:`A^T [(G w G^T) \odot (B^T d B)] A`, linear
    in `w`. Its adjoint takes the factors in the opposite order, and sums over all tiles:

    .. math:: \bar w = G^T \Big[ \sum_{\text{tiles}}
        (A \, \bar y \, A^T) \odot (B^T d B) \Big] G

    The products under the sum are matrix products over the tiles, for all pairs of an output and an
    input channel. With random numbers, the error is at most ``5e-6`` (float32) or ``5e-14``
    (float64) of the largest result, for tiles of up to 6 x 6. Infinity and NaN spread.

    `g` is (N, O, outH, outW), `x` (N, C, H, W) without its padding, (left, top), and the result
    (O, C, kH, kW). A tile has `outputs` x `outputs` cells of `g`.
    """
    (kernels, *out_size), channels = g.shape[1:], x.shape[1]
    (AT_h, G_h, BT_h), (AT_w, G_w, BT_w) = (cook_toom(outputs, k, x.dtype.str) for k in kernel_size)
    (a_h, k_h), (a_w, k_w) = G_h.shape, G_w.shape
    plan = plan_tiles(len(x), tuple(out_size), outputs, channels, kernels)
    A, BT = (AT_h.T, AT_w.T), (BT_h, BT_w)
    with workspace(x.dtype) as allocate:
        total = allocate(a_h, a_w, kernels, channels)
        total[...] = 0
        product = allocate(a_w, kernels, channels)
        tiles_of_g = transformed_tiles(g, A, plan, (0, 0), kernels, allocate)
        tiles_of_x = transformed_tiles(x, BT, plan, padding, channels, allocate)
        for (_, _, E, _), (_, _, V, _) in zip(tiles_of_g, tiles_of_x, strict=True):
            E_transposed = E.reshape(a_h, a_w, -1, kernels).swapaxes(2, 3)  # (.., O, tiles)
            V_by_row = V.reshape(a_h, a_w, -1, channels)  # (a_h, a_w, tiles, C)
            for row in range(a_h):  # one row of the tile at a time keeps `product` small
                total[row] += np.matmul(E_transposed[row], V_by_row[row], out=product)
        GT_total = G_h.T @ total.reshape(a_h, -1)  # (kH, a_w * O * C)
        w = G_w.T @ GT_total.reshape(k_h, a_w, -1)  # (kH, kW, O * C)
    return np.ascontiguousarray(w.reshape(k_h, k_w, kernels, channels).transpose(2, 3, 0, 1))
