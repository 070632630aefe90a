"""Depthwise convolution as matrix products with banded matrices of weights."""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import as_strided

from convlab.ops.blocks import buffer_view, copy_padded_rows
from convlab.ops.geometry import Array, Geometry
from convlab.ops.workspace import Allocate, workspace

BAND_ROWS = 4  # of the output per product: more multiply more zeros, fewer need more products
BLOCK_BYTES = 2**20  # of the rows that are gathered at a time: about the second-level cache


def depthwise(x: Array, w: Array, geometry: Geometry) -> Array:
    """Compute a depthwise convolution, four output rows of a channel per matrix product.

    With ``groups == C`` a window holds ``kH * kW`` numbers of one channel, and `im2col` would
    copy each pixel that often for a product of a single row. Here the windows are gathered
    along the width only, so each pixel is copied ``kW`` times. The height is left to a banded
    matrix that holds the kernel once per output row, each time a stride further down, and zeros
    elsewhere. The gathered rows of four output rows follow each other in memory, so the product
    reads them without another copy. It multiplies many zeros, and is still the fastest method
    here: in a matrix product, a zero costs less than moving a number.

    Needs ``groups`` equal to the input channels, and otherwise raises ``ValueError``; there may be
    any number of kernels per channel. The extra memory is ``kW`` copies of as many channels as make
    1 MiB, or of one, the padded channels that they are copied from, and the bands. The error is at
    most ``kH * kW * 6e-8`` (float32) or ``kH * kW * 1.2e-16`` (float64) of the sum of ``|w| * |x|``
    over the window, barring underflow.
    An infinity or NaN is also multiplied by the zeros of the band, and so spreads over the four
    output rows of a product, within its columns.

    Examples
    --------
    >>> x = np.arange(18.0).reshape(1, 2, 3, 3)
    >>> w = np.array([[[[1.0, 1.0]]], [[[-1.0, 1.0]]]])
    >>> depthwise(x, w, Geometry(groups=2))[0, :, 0].tolist()
    [[1.0, 3.0], [1.0, 1.0]]
    """
    (s_h, _), (left, _, top, _), (d_h, _), groups = geometry
    images, channels = x.shape[:2]
    if groups != channels:
        raise ValueError(
            f"method 'depthwise' needs groups equal to the input channels: groups={groups}, "
            f"channels={channels}"
        )
    k_h, k_w = w.shape[2:]
    out_h, out_w = geometry.output_size(x.shape[2:], (k_h, k_w))
    multiplier = len(w) // channels  # kernels per channel, M below
    y = np.empty((images, channels, multiplier, out_h, out_w), x.dtype)

    rows_read = (out_h - 1) * s_h + (k_h - 1) * d_h + 1  # of the padded image
    _, padded_width = geometry.padded_size(x.shape[2:])
    channel_bytes = rows_read * k_w * out_w * x.itemsize
    channels_per_block = max(1, min(channels, BLOCK_BYTES // channel_bytes))
    with workspace(x.dtype) as allocate:
        kernels = w.reshape(channels, multiplier, k_h, k_w)
        bands = _bands(kernels, min(BAND_ROWS, out_h), geometry, allocate)
        padded_buffer = allocate(channels_per_block * rows_read * padded_width)
        gathered_buffer = allocate(channels_per_block * rows_read * k_w * out_w)
        for n in range(images):
            for first in range(0, channels, channels_per_block):
                last = min(first + channels_per_block, channels)
                padded = buffer_view(padded_buffer, 1, last - first, rows_read, padded_width)
                copy_padded_rows(x[n : n + 1, first:last], padded, -top, left)
                windows = _windows_along_width(padded[0], k_w, out_w, geometry)
                gathered = buffer_view(gathered_buffer, *windows.shape)
                np.copyto(gathered, windows)
                _multiply(bands[first:last], gathered, y[n, first:last], s_h)
    return y.reshape(images, len(w), out_h, out_w)


def _windows_along_width(padded: Array, k_w: int, out_w: int, geometry: Geometry) -> Array:
    """View padded channels, (C, rows, width), as windows of one row: (C, rows, kW, outW)."""
    channels, rows, _ = padded.shape
    step_c, step_h, step_w = padded.strides
    return as_strided(
        padded,
        (channels, rows, k_w, out_w),
        (step_c, step_h, geometry.dilation[1] * step_w, geometry.stride[1] * step_w),
        writeable=False,
    )


def _bands(w: Array, band_rows: int, geometry: Geometry, allocate: Allocate) -> Array:
    """Write the kernels, (C, M, kH, kW), into banded matrices: (C, M, band rows, rows read, kW).

    Row i of a band holds the kernel i strides further down, and zeros elsewhere.
    """
    channels, multiplier, k_h, k_w = w.shape
    stride, dilation = geometry.stride[0], geometry.dilation[0]
    extent = (k_h - 1) * dilation + 1
    bands = allocate(channels, multiplier, band_rows, (band_rows - 1) * stride + extent, k_w)
    bands[...] = 0
    for i in range(band_rows):
        bands[:, :, i, i * stride : i * stride + extent : dilation] = w
    return bands


def _multiply(bands: Array, gathered: Array, y: Array, stride: int) -> None:
    """Fill y, (C, M, outH, outW), with the products of bands and gathered rows.

    All full bands of output rows are computed at once, then the remaining rows of the image.
    """
    channels, multiplier, band_rows, band_height, k_w = bands.shape
    out_h, out_w = y.shape[2:]
    step_c, step_h, step_v, step_w = gathered.strides  # of (C, rows, kW, outW)
    remainder = out_h % band_rows
    for first, count in ((0, out_h // band_rows), (out_h - remainder, 1)):
        rows = min(band_rows, out_h - first)  # of the output, in each of `count` products
        if rows == 0:
            break
        rows_read = band_height - (band_rows - rows) * stride
        # (C, M, 1, rows, rows read * kW) @ (C, 1, count, rows read * kW, outW)
        matrices = bands[:, :, None, :rows, :rows_read]
        matrices = matrices.reshape(channels, multiplier, 1, rows, -1)
        columns = as_strided(
            gathered[:, first * stride :],
            (channels, 1, count, rows_read * k_w, out_w),
            (step_c, 0, band_rows * stride * step_h, step_v, step_w),
            writeable=False,
        )
        target = y[:, :, first : first + count * rows]  # (C, M, count * rows, outW)
        target = target.reshape(channels, multiplier, count, rows, out_w)
        np.matmul(matrices, columns, out=target)
