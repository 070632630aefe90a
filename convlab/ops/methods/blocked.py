"""im2col in blocks: the columns are used up while they are still in the cache."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from convlab.ops.blocks import blocks, columns_at_once, copy_strip, part
from convlab.ops.methods.products import product
from convlab.ops.workspace import workspace
from convlab.shapes import conv2d_output_size

Array = NDArray[Any]

FEW_CELLS = 64  # of an output: too few for a matrix product of their own


def blocked(
    x: Array,
    w: Array,
    stride: tuple[int, int],
    padding: tuple[int, int, int, int],
    dilation: tuple[int, int],
    groups: int,
) -> Array:
    """Do as `im2col` does, a few rows of the output at a time, or a few small images.

    The column matrix of a whole image is larger than the cache, so `im2col` sends it to slower
    memory and back. Here a block of 2 MiB is written and multiplied before the next; its
    product lands in its place in the output. The image is padded block by block as well.

    The extra memory is the block, 2 MiB or 512 columns or one row of the output, whichever is
    more; the strip of padded rows under it; and, where the output has fewer than 64 cells,
    so that several images share a product, this product. With a 1x1 kernel and no padding
    there are no blocks: the pixels are multiplied where they are (with a stride, a copy of
    those that are read). Infinity, NaN and the error are as with `im2col`.

    Examples
    --------
    >>> x = np.arange(9.0).reshape(1, 1, 3, 3)
    >>> w = np.ones((1, 1, 2, 2))
    >>> blocked(x, w, (1, 1), (0, 0, 0, 0), (1, 1), 1).tolist()
    [[[[8.0, 12.0], [20.0, 24.0]]]]
    """
    (s_h, s_w), (d_h, d_w), (left, right, top, bottom) = stride, dilation, padding
    images, channels, height, width = x.shape
    kernels, _, k_h, k_w = w.shape
    wide = width + left + right
    out_h, out_w = conv2d_output_size(
        (height + top + bottom, wide), (k_h, k_w), stride, 0, dilation
    )
    y = np.empty((images, kernels, out_h, out_w), x.dtype)
    if images == 0:
        return y
    window, cells = channels * k_h * k_w, out_h * out_w
    grouped_w = w.reshape(groups, kernels // groups, -1)
    if (k_h, k_w) == (1, 1) and not any(padding):  # every window is a pixel: nothing to gather
        pixels = x[:, :, ::s_h, ::s_w].reshape(images, groups, channels // groups, cells)
        product(grouped_w, pixels, out=y.reshape(images, groups, kernels // groups, cells))
        return y

    merged = cells < FEW_CELLS  # several images in one product, or one product for each
    plan = list(blocks(images, out_h, out_w, columns_at_once(window, x.itemsize)))
    n, rows = (block.stop for block in plan[0])
    with workspace(x.dtype) as take:
        strip = take(n * channels * ((rows - 1) * s_h + (k_h - 1) * d_h + 1) * wide)
        columns = take(window * n * rows * out_w)
        products = take(kernels * n * cells if merged else 0)
        for batch, out_rows in plan:
            n, rows = batch.stop - batch.start, out_rows.stop - out_rows.start
            first, high = out_rows.start * s_h, (rows - 1) * s_h + (k_h - 1) * d_h + 1
            seen = x[batch, :, first : first + high]
            if any(padding):
                seen = part(strip, n, channels, high, wide)
                copy_strip(x[batch], seen, first - top, left)
            step_n, step_c, step_h, step_w = seen.strides
            windows = as_strided(
                seen,
                (n, channels, k_h, k_w, rows, out_w),
                (step_n, step_c, d_h * step_h, d_w * step_w, s_h * step_h, s_w * step_w),
                writeable=False,
            )
            if merged:  # whole images: side by side in each row of the column matrix
                block = part(columns, channels, k_h, k_w, n, rows, out_w)
                np.copyto(block, windows.transpose(1, 2, 3, 0, 4, 5))
                several = part(products, groups, kernels // groups, n * cells)
                product(grouped_w, block.reshape(groups, window // groups, -1), out=several)
                y[batch] = several.reshape(kernels, n, out_h, out_w).swapaxes(0, 1)
            else:
                block = part(columns, *windows.shape)
                np.copyto(block, windows)
                block = block.reshape(n, groups, window // groups, -1)
                target = y[batch].reshape(n, groups, kernels // groups, cells)
                place = slice(out_rows.start * out_w, out_rows.stop * out_w)
                product(grouped_w, block, out=target[..., place])
    return y
