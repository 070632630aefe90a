"""One kernel per channel: no channels to sum over, so no matrix product; shifts instead."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from convlab.ops.workspace import workspace
from convlab.shapes import conv2d_output_size

Array = NDArray[Any]

BLOCK_BYTES = 96 * 2**10  # of one padded plane block; three such fit into a second-level cache


def depthwise(
    x: Array,
    w: Array,
    stride: tuple[int, int],
    padding: tuple[int, int, int, int],
    dilation: tuple[int, int],
    groups: int,
) -> Array:
    """Add up shifted copies of each channel, one for every weight.

    With ``groups == C`` a window holds ``kH * kW`` numbers of one channel. A matrix product
    over so few has nothing to gain; the work is moving data. So the padded channel is
    written once, as long rows that follow each other without a gap. A step to the right
    or down is then the same step everywhere in one flat array, and each weight costs one
    multiplication and one addition of whole arrays. What the shifts drag over the end of
    a row lands in columns that are cut off. With a stride, the rows and columns with the
    same remainder are put together first.

    Needs ``groups`` equal to the input channels, any number of kernels per channel. The
    extra memory is a few channels: three arrays of 96 KiB or one padded plane each. The sum
    runs over the weights in order; its error is at most ``kH * kW * 6e-8`` (float32) or
    ``kH * kW * 1.2e-16`` (float64) of the sum of ``|w| * |x|`` over the window, short of
    underflow. Infinity and NaN reach each output whose window holds them.

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
    k_h, k_w = w.shape[2:]
    per_channel = len(w) // channels
    padded = height + top + bottom, width + left + right
    out_h, out_w = conv2d_output_size(padded, (k_h, k_w), stride, 0, dilation)
    y = np.empty((images, channels, per_channel, out_h, out_w), x.dtype)

    high, wide = -(-padded[0] // s_h), -(-padded[1] // s_w)  # of the planes of one remainder
    length = out_h * wide - (wide - out_w)  # from the first result to the last, gaps included
    some = max(1, min(channels, BLOCK_BYTES // (high * wide * s_h * s_w * x.itemsize)))
    with workspace(x.dtype) as take:
        planes, sums, terms = (
            take(s_h, s_w, some, high, wide),
            take(some, out_h * wide),
            take(some, length),
        )
        planes[...] = 0
        flat = planes.reshape(s_h, s_w, some, high * wide)
        for n in range(images):
            for c in range(0, channels, some):
                count = min(some, channels - c)
                _scatter(x[n, c : c + count], planes[:, :, :count], (s_h, s_w), (left, top))
                for kernel in range(per_channel):
                    weights = w.reshape(channels, per_channel, k_h, k_w)[c : c + count, kernel]
                    total, term = sums[:count, :length], terms[:count]
                    for u in range(k_h):
                        for v in range(k_w):
                            shift = u * d_h // s_h * wide + v * d_w // s_w
                            plane = flat[u * d_h % s_h, v * d_w % s_w, :count]
                            seen = plane[:, shift : shift + length]
                            start = u == v == 0
                            np.multiply(seen, weights[:, u, v, None], out=total if start else term)
                            if not start:
                                total += term
                    rows = sums[:count].reshape(count, out_h, wide)
                    y[n, c : c + count, kernel] = rows[:, :, :out_w]
    return y.reshape(images, -1, out_h, out_w)


def _scatter(x: Array, planes: Array, stride: tuple[int, int], corner: tuple[int, int]) -> None:
    """Put each row and column of `x`, padded, into the plane of its remainder."""
    (s_h, s_w), (left, top) = stride, corner
    for i in range(s_h):
        for j in range(s_w):
            from_h, from_w = (i - top) % s_h, (j - left) % s_w  # first row, column of x there
            cells = x[:, from_h::s_h, from_w::s_w]
            h, w = (from_h + top) // s_h, (from_w + left) // s_w
            planes[i, j, :, h : h + cells.shape[1], w : w + cells.shape[2]] = cells
