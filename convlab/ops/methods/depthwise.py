"""One kernel per channel: a band of weights makes a matrix product out of almost nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from convlab.ops.blocks import copy_strip, part
from convlab.ops.workspace import workspace
from convlab.shapes import conv2d_output_size

Array = NDArray[Any]

ROWS = 4  # of the output at a time: more would multiply more zeros, fewer make more products
BLOCK_BYTES = 2**20  # of the rows that are gathered at a time: about the second-level cache


def depthwise(
    x: Array,
    w: Array,
    stride: tuple[int, int],
    padding: tuple[int, int, int, int],
    dilation: tuple[int, int],
    groups: int,
) -> Array:
    """Compute four rows of a channel's output as one product of small matrices.

    With ``groups == C`` a window holds ``kH * kW`` numbers of one channel, and `im2col` would
    copy each pixel that often for a product of a single row. Here the windows are gathered
    along the width only, so each pixel is copied ``kW`` times. Along the height, a matrix
    does the work that holds the kernel once per output row, each time a stride further down:
    a band of weights in a field of zeros. The gathered rows of four output rows lie one
    behind the other, so the product reads them where they are, without another copy.

    It multiplies many zeros, and is still the fastest method here: in a matrix product they cost
    less than moving a number.

    Needs ``groups`` equal to the input channels; any number of kernels per channel. The extra
    memory is ``kW`` copies of as many channels as make 1 MiB, or of one, the padded
    channels under them, and the bands. The error is at most ``kH * kW * 6e-8`` (float32) or
    ``kH * kW * 1.2e-16`` (float64) of the sum of ``|w| * |x|`` over the window, short of
    underflow. An infinity or NaN meets the zeros of the band, and so reaches all four rows
    of its columns.

    Raises
    ------
    ValueError
        If `groups` is not the number of input channels; the message names the method.

    Examples
    --------
    >>> x = np.arange(18.0).reshape(1, 2, 3, 3)
    >>> w = np.array([[[[1.0, 1.0]]], [[[-1.0, 1.0]]]])
    >>> depthwise(x, w, (1, 1), (0, 0, 0, 0), (1, 1), 2)[0, :, 0].tolist()
    [[1.0, 3.0], [1.0, 1.0]]
    """
    images, channels, height, width = x.shape
    if groups != channels:
        raise ValueError(
            f"method 'depthwise' needs groups equal to the input channels: groups={groups}, "
            f"channels={channels}"
        )
    (s_h, s_w), (d_h, d_w), (left, right, top, bottom) = stride, dilation, padding
    (k_h, k_w), wide = w.shape[2:], width + left + right
    out_h, out_w = conv2d_output_size(
        (height + top + bottom, wide), (k_h, k_w), stride, 0, dilation
    )
    per_channel = len(w) // channels
    y = np.empty((images, channels, per_channel, out_h, out_w), x.dtype)

    high = (out_h - 1) * s_h + (k_h - 1) * d_h + 1  # rows that are read
    some = max(1, min(channels, BLOCK_BYTES // (high * k_w * out_w * x.itemsize)))
    with workspace(x.dtype) as take:
        bands = _bands(w.reshape(channels, per_channel, k_h, k_w), min(ROWS, out_h), s_h, d_h, take)
        strip, gathered = take(some * high * wide), take(some * high * k_w * out_w)
        for n in range(images):
            for c in range(0, channels, some):
                count = min(some, channels - c)
                padded = part(strip, 1, count, high, wide)
                copy_strip(x[n : n + 1, c : c + count], padded, -top, left)
                _, step_c, step_h, step_w = padded.strides
                windows = (count, high, k_w, out_w), (step_c, step_h, d_w * step_w, s_w * step_w)
                rows = part(gathered, *windows[0])
                np.copyto(rows, as_strided(padded, *windows, writeable=False))
                _multiply(bands[c : c + count], rows, y[n, c : c + count], s_h)
    return y.reshape(images, len(w), out_h, out_w)


def _bands(w: Array, rows: int, stride: int, dilation: int, take: Any) -> Array:
    """Put the kernels (C, M, kH, kW) into a field of zeros: (C, M, rows, rows read, kW)."""
    channels, per_channel, k_h, k_w = w.shape
    reach = (k_h - 1) * dilation + 1
    bands: Array = take(channels, per_channel, rows, (rows - 1) * stride + reach, k_w)
    bands[...] = 0
    for i in range(rows):
        bands[:, :, i, i * stride : i * stride + reach : dilation] = w
    return bands


def _multiply(bands: Array, gathered: Array, y: Array, stride: int) -> None:
    """Fill y, (C, M, outH, outW), from bands and rows: all full blocks at once, then the rest."""
    channels, per_channel, rows, reach, k_w = bands.shape
    out_h, out_w = y.shape[2:]
    step_c, step_h, step_v, step_w = gathered.strides
    for first, count in ((0, out_h // rows), (out_h - out_h % rows, 1)):
        high = min(rows, out_h - first)
        if high == 0:
            break
        read = reach - (rows - high) * stride
        block = as_strided(
            gathered[:, first * stride :],
            (channels, 1, count, read * k_w, out_w),
            (step_c, 0, rows * stride * step_h, step_v, step_w),
            writeable=False,
        )
        kernels = bands[:, :, None, :high, :read].reshape(channels, per_channel, 1, high, -1)
        target = y[:, :, first : first + count * high]
        np.matmul(kernels, block, out=target.reshape(channels, per_channel, count, high, out_w))
