"""Choice of the method for a convolution with ``method="auto"``."""

from __future__ import annotations

import functools
from math import prod

import numpy as np

from convlab.ops.geometry import Array, Geometry
from convlab.ops.methods.blocked import multiplies_rows

MAX_TILE = 6  # inputs of a Winograd tile, in each direction: larger ones round too much
MAX_RATIO = 64  # of the magnitudes of two windows that may share a Winograd tile
CHANNELS_PER_STEP = 4  # that are examined at a time

# Costs in units of one multiplication within a matrix product. Rough guesses are enough, as the
# choices that matter differ by far more.
COLUMN_COST = 15  # copy a number of a window into a column
TILE_COST = 40  # gather and transform a number of a Winograd tile, of the input or of the result
KERNEL_COST = 20  # transform a number of a Winograd kernel
KERNEL_READ_COST = 40  # read it for the products; dominates if there are few tiles
BAND_COST = 8  # multiply by a weight, and by the zeros beside it, in `depthwise`


@functools.lru_cache(maxsize=1024)
def choose(
    images: int,
    weight_shape: tuple[int, int, int, int],
    output_size: tuple[int, int],
    geometry: Geometry,
    prepacked: bool = False,
) -> str:
    """Return the name of the method with the least estimated work.

    ``"blocked"`` multiplies as often as the definition and gathers each window, or, with few
    kernels, each row of it; ``"winograd4"`` and ``"winograd2"`` multiply less, but transform tiles
    and kernels, so they pay off with many channels and many tiles per kernel; ``"depthwise"``
    gathers less, but multiplies zeros. Winograd is a candidate with stride 1, kernels of 2 to 5
    rows and columns, and tiles of at most 6 x 6. A dilated convolution is several, on every d-th
    row and column, and each of them reads all transformed kernels.

    `images` is the size of the batch, `weight_shape` is ``(O, C / groups, kH, kW)``. The padding of
    `geometry` does not matter, as `output_size` is given. With `prepacked`, the kernels are
    transformed already.

    Examples
    --------
    >>> choose(1, (64, 64, 3, 3), (56, 56), Geometry())
    'winograd4'
    >>> choose(1, (64, 64, 3, 3), (28, 28), Geometry(stride=(2, 2)))
    'blocked'
    """
    kernels, depth, k_h, k_w = weight_shape
    stride, _, dilation, groups = geometry
    multiplications = images * prod(output_size) * prod(weight_shape)
    column_numbers = images * prod(output_size) * depth * groups * k_h * k_w
    if multiplies_rows(weight_shape, output_size[1], dilation[0], groups):
        column_numbers //= k_h
    kernel_cost = 0 if prepacked else KERNEL_COST
    work = {"blocked": multiplications + COLUMN_COST * column_numbers}
    if depth == 1:
        work["depthwise"] = BAND_COST * multiplications
    if stride == (1, 1) and min(k_h, k_w) > 1:
        for outputs in (2, 4):
            if max(k_h, k_w) + outputs - 1 > MAX_TILE:
                continue
            tile_area = (outputs + k_h - 1) * (outputs + k_w - 1)
            # With dilation: a convolution for each remainder of the row and of the column.
            tiles = images * prod(
                d * -(-size // (d * outputs)) for size, d in zip(output_size, dilation, strict=True)
            )
            work[f"winograd{outputs}"] = tile_area * (
                tiles * (kernels * depth + TILE_COST * (depth * groups + kernels))
                + (kernel_cost + KERNEL_READ_COST * prod(dilation)) * kernels * depth
            )
    return min(work, key=work.__getitem__)


def suits_winograd(x: Array, kernel_size: tuple[int, ...], geometry: Geometry) -> bool:
    """Return whether the windows of each image have about the same magnitude.

    The rounding errors of a Winograd tile are those of the largest number in it, so they spoil a
    result of the same tile whose window holds much smaller numbers. The magnitude of a window is
    its largest absolute value; in an image, and a group of channels, that of one window may be at
    most `MAX_RATIO` times that of another. A window of zeros next to any other number is refused,
    also one that lies in the padding.

    `x` is (N, C, H, W), not yet padded; the stride is 1. A weight is examined likewise, with
    windows of one number: zeros of the padding or of the input may multiply all its large ones. The
    result is also False if `x` holds an infinity, NaN, or denormal numbers alone.

    Reads `x` twice for its largest number; then, for most inputs, four channels are enough to see
    that no window is too small. With the weight, this takes 2 to 7 % of the time of a convolution
    with 64 to 512 channels (float32, one thread), 3 to 10 % of its gradients', and 10 to 16 % with
    16 channels; of a single image of 16 x 24 x 24, 0.06 of 0.24 ms. In the tables of `benchmarks`,
    it is the difference of "convlab auto" and "convlab winograd4".

    Examples
    --------
    >>> x = np.ones((1, 16, 24, 24))
    >>> suits_winograd(x, (3, 3), Geometry())
    True
    >>> x[0, 5, 9, 9] = -9999
    >>> suits_winograd(x, (3, 3), Geometry())
    False
    """
    if x.size == 0:
        return True
    least = max(np.maximum.reduce(x, None), -np.minimum.reduce(x, None)) / MAX_RATIO
    if 0 < least < np.finfo(x.dtype).tiny:  # denormal numbers have fewer digits
        return False
    images, _, height, width = x.shape
    channels = x.reshape(images, geometry.groups, -1, height, width).transpose(2, 0, 1, 3, 4)
    # The largest absolute values of each pixel: (N, G, H, W), with the padding around it.
    left, _, top, _ = geometry.padding
    padded = np.zeros((images, geometry.groups, *geometry.padded_size((height, width))), x.dtype)
    pixels = padded[:, :, top : top + height, left : left + width]
    for first in range(0, len(channels), CHANNELS_PER_STEP):
        block = np.abs(channels[first : first + CHANNELS_PER_STEP], order="C")
        np.maximum(pixels, np.maximum.reduce(block), out=pixels)
        windows = _window_maxima(padded, kernel_size, geometry.dilation)
        if np.minimum.reduce(windows, None) >= least:
            return True
    smallest, largest = windows.min(axis=(2, 3)), pixels.max(axis=(2, 3))
    return bool(np.all(smallest >= largest / MAX_RATIO))


def _window_maxima(x: Array, kernel_size: tuple[int, ...], dilation: tuple[int, int]) -> Array:
    """Return the maximum of each window, for stride 1: (N, G, H, W) to (N, G, outH, outW)."""
    (k_h, k_w), (d_h, d_w) = kernel_size, dilation
    out_h, out_w = x.shape[2] - d_h * (k_h - 1), x.shape[3] - d_w * (k_w - 1)
    x = functools.reduce(np.maximum, [x[:, :, u * d_h :][:, :, :out_h] for u in range(k_h)])
    return functools.reduce(np.maximum, [x[..., v * d_w :][..., :out_w] for v in range(k_w)])
