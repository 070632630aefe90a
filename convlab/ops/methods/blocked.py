"""im2col in blocks that are multiplied while they are still in the cache."""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import as_strided

from convlab.ops.blocks import buffer_view, columns_per_block, copy_padded_rows, split_into_blocks
from convlab.ops.geometry import Array, Geometry
from convlab.ops.methods.im2col import matrix_product
from convlab.ops.workspace import workspace

ROW_BLOCK_BYTES = 2**20  # of gathered rows: about the second-level cache
MIN_COPIES_SAVED = 1000  # per product of an output row
MIN_CELLS = 64  # of an output: images with fewer share a matrix product


def blocked(x: Array, w: Array, geometry: Geometry) -> Array:
    """Compute the convolution like `im2col`, a few output rows or small images at a time.

    The column matrix of a whole image is larger than the cache, so `im2col` writes it to slower
    memory and reads it back. Here a block of 2 MiB is written and multiplied before the next, and
    its product goes to its place in the output. The image is padded block by block as well.

    Where a row of the output has more cells than there are kernels in a group, the windows are
    gathered along the width only, and each row of the output is a product of its own.

    The extra memory is the block, 2 MiB or 512 columns or one row of the output, whichever is more;
    the strip of padded rows that it is copied from; and, where the output has fewer than 64 cells,
    so that several images share a product, this product. With a 1x1 kernel and no padding there are
    no blocks: the pixels are multiplied in place (with a stride, a copy of those that are read).
    Error, infinity and NaN are as with `im2col`.

    Examples
    --------
    >>> x = np.arange(9.0).reshape(1, 1, 3, 3)
    >>> w = np.ones((1, 1, 2, 2))
    >>> blocked(x, w, Geometry()).tolist()
    [[[[8.0, 12.0], [20.0, 24.0]]]]
    """
    (s_h, s_w), (left, _, top, _), (d_h, d_w), groups = geometry
    images, channels = x.shape[:2]
    kernels, _, k_h, k_w = w_shape = w.shape
    out_h, out_w = geometry.output_size(x.shape[2:], (k_h, k_w))
    y = np.empty((images, kernels, out_h, out_w), x.dtype)
    if images == 0:
        return y
    window_size, output_cells = channels * k_h * k_w, out_h * out_w  # windows of all groups
    kernels_per_group = kernels // groups
    w = w.reshape(groups, kernels_per_group, -1)  # (G, O / G, C / G * kH * kW)
    if (k_h, k_w) == (1, 1) and not any(geometry.padding):  # a window is a pixel: no copy needed
        pixels = x[:, :, ::s_h, ::s_w]  # (N, C, outH, outW)
        pixels = pixels.reshape(images, groups, channels // groups, output_cells)
        matrix_product(w, pixels, out=y.reshape(images, groups, kernels_per_group, output_cells))
        return y

    if multiplies_rows(w_shape, out_w, d_h, groups):
        _multiply_rows(x, w.reshape(w_shape), geometry, y)
        return y
    share_product = output_cells < MIN_CELLS  # one product for several images, or one for each
    _, padded_width = geometry.padded_size(x.shape[2:])
    max_cells = columns_per_block(window_size, x.itemsize)
    blocks = list(split_into_blocks(images, out_h, out_w, max_cells))
    max_images, max_rows = (block.stop for block in blocks[0])  # the first block is the largest
    max_strip_height = (max_rows - 1) * s_h + (k_h - 1) * d_h + 1
    with workspace(x.dtype) as allocate:
        strip_buffer = allocate(max_images * channels * max_strip_height * padded_width)
        column_buffer = allocate(window_size * max_images * max_rows * out_w)
        product_buffer = allocate(kernels * max_images * output_cells if share_product else 0)
        for batch, rows in blocks:
            # Images and output rows of the block, and the strip of padded images that they read.
            n, out_rows = batch.stop - batch.start, rows.stop - rows.start
            first_row, strip_height = rows.start * s_h, (out_rows - 1) * s_h + (k_h - 1) * d_h + 1
            strip = x[batch, :, first_row : first_row + strip_height]
            if any(geometry.padding):
                strip = buffer_view(strip_buffer, n, channels, strip_height, padded_width)
                copy_padded_rows(x[batch], strip, first_row - top, left)
            step_n, step_c, step_h, step_w = strip.strides
            windows = as_strided(
                strip,
                (n, channels, k_h, k_w, out_rows, out_w),
                (step_n, step_c, d_h * step_h, d_w * step_w, s_h * step_h, s_w * step_w),
                writeable=False,
            )
            if share_product:  # whole images, side by side in each row of the column matrix
                columns = buffer_view(column_buffer, channels, k_h, k_w, n, out_rows, out_w)
                np.copyto(columns, windows.transpose(1, 2, 3, 0, 4, 5))
                columns = columns.reshape(groups, window_size // groups, -1)  # (G, K, n * cells)
                product = buffer_view(product_buffer, groups, kernels_per_group, n * output_cells)
                matrix_product(w, columns, out=product)  # (G, O / G, n * cells)
                y[batch] = product.reshape(kernels, n, out_h, out_w).swapaxes(0, 1)
            else:
                columns = buffer_view(column_buffer, *windows.shape)
                np.copyto(columns, windows)
                columns = columns.reshape(n, groups, window_size // groups, -1)  # (n, G, K, cells)
                y_batch = y[batch].reshape(n, groups, kernels_per_group, output_cells)
                cells = slice(rows.start * out_w, rows.stop * out_w)
                matrix_product(w, columns, out=y_batch[..., cells])  # (n, G, O / G, cells)
    return y


def multiplies_rows(
    weight_shape: tuple[int, int, int, int], out_w: int, dilation: int, groups: int
) -> bool:
    """Return whether `blocked` computes one product per output row.

    Each product packs all kernels again, which pays off if they are fewer than its columns; the
    copies that it saves pay for its call. `dilation` is the vertical one.
    """
    kernels, depth, k_h, k_w = weight_shape
    copies_saved = (k_h - 1) * depth * k_w * out_w
    return dilation == 1 and kernels // groups < out_w and copies_saved >= MIN_COPIES_SAVED


def _multiply_rows(x: Array, w: Array, geometry: Geometry, y: Array) -> None:
    """Fill `y` with one product per output row, from windows that are gathered along the width.

    A pixel is copied ``kW`` times and not ``kH * kW`` times. The gathered rows that a row of the
    output reads follow each other in memory, so they are the columns of its product as they are,
    and belong to those of its neighbours too (MEC: Cho and Brand, "Memory-efficient Convolution for
    Deep Neural Network", 2017). The vertical dilation is 1.
    """
    (s_h, s_w), (left, _, top, _), (_, d_w), groups = geometry
    images, channels = x.shape[:2]
    kernels, depth, k_h, k_w = w.shape
    out_h, out_w = y.shape[2:]
    _, padded_width = geometry.padded_size(x.shape[2:])
    matrices = w.reshape(groups, -1, depth, k_h, k_w).transpose(0, 1, 3, 2, 4)
    matrices = np.ascontiguousarray(matrices).reshape(groups, 1, kernels // groups, -1)
    max_cells = ROW_BLOCK_BYTES // (channels * k_w * s_h * x.itemsize)
    blocks = list(split_into_blocks(images, out_h, out_w, max_cells))
    max_images, max_rows = (block.stop for block in blocks[0])  # the first block is the largest
    max_strip = max_images * channels * ((max_rows - 1) * s_h + k_h)
    with workspace(x.dtype) as allocate:
        strip_buffer = allocate(max_strip * padded_width)
        gathered_buffer = allocate(max_strip * k_w * out_w)
        for batch, rows in blocks:
            n, out_rows = batch.stop - batch.start, rows.stop - rows.start
            strip_height = (out_rows - 1) * s_h + k_h
            strip = buffer_view(strip_buffer, n, groups, depth, strip_height, padded_width)
            padded = strip.reshape(n, channels, strip_height, padded_width)
            copy_padded_rows(x[batch], padded, rows.start * s_h - top, left)
            step_n, step_g, step_c, step_h, step_w = strip.strides
            gathered = buffer_view(gathered_buffer, n, groups, strip_height, depth, k_w, out_w)
            windows = as_strided(
                strip,
                gathered.shape,
                (step_n, step_g, step_h, step_c, d_w * step_w, s_w * step_w),
                writeable=False,
            )
            np.copyto(gathered, windows)
            step_n, step_g, step_h, _, step_v, step_w = gathered.strides
            columns = as_strided(
                gathered,
                (n, groups, out_rows, k_h * depth * k_w, out_w),
                (step_n, step_g, s_h * step_h, step_v, step_w),
                writeable=False,
            )
            # (G, 1, O / G, K) @ (n, G, rows, K, outW) = (n, G, rows, O / G, outW)
            target = y[batch, :, rows].reshape(n, groups, kernels // groups, out_rows, out_w)
            matrix_product(matrices, columns, out=target.swapaxes(2, 3))
