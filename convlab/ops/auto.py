"""Choice of the method for a convolution with ``method="auto"``."""

from __future__ import annotations

import functools
from math import prod
from typing import Any

import numpy as np

from convlab.ops.geometry import Array, Geometry
from convlab.ops.padding import pad2d

MAX_TILE = 6  # inputs of a Winograd tile, in each direction: larger ones round too much
MAX_RATIO = 256  # of the largest numbers of two windows that may share a Winograd tile
MAX_SHARE = 0.1  # of the largest weight in the sum of all squares, likewise
SAMPLE_CHANNELS = 16  # whose pixels are examined first

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

    ``"blocked"`` multiplies as often as the definition and gathers each window; ``"winograd4"`` and
    ``"winograd2"`` multiply less, but transform tiles and kernels, so they pay off with many
    channels and many tiles per kernel; ``"depthwise"`` gathers less, but multiplies zeros. Winograd
    is a candidate with stride 1, kernels of 2 to 5 rows and columns, and tiles of at most 6 x 6. A
    dilated convolution is several, on every d-th row and column, and each of them reads all
    transformed kernels.

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
    most `MAX_RATIO` times that of another. A window of zeros next to any other number is refused.

    `x` is (N, C, H, W), not yet padded; the stride is 1. The result is also False if `x` holds an
    infinity or NaN. For most inputs, a few channels are enough to see that no window is too small.

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
    least = _largest(x) / MAX_RATIO
    by_group = x.reshape(len(x), geometry.groups, -1, *x.shape[2:])
    for channels in (by_group[:, :, :SAMPLE_CHANNELS], by_group):
        # (N, G, H, W): the largest absolute value of each pixel
        pixels = np.maximum(np.maximum.reduce(channels, 2), -np.minimum.reduce(channels, 2))
        if np.minimum.reduce(pixels, None) >= least:
            return True
        windows = _window_maxima(pixels, kernel_size, geometry)
        if np.minimum.reduce(windows, None) >= least:
            return True
    smallest, largest = windows.min(axis=(2, 3)), pixels.max(axis=(2, 3))
    return bool(np.all(smallest >= largest / MAX_RATIO))


def is_dominated(w: Array) -> bool:
    """Return whether a few weights are larger than all others together, in their squares.

    In a Winograd tile they round the results, too, at which they multiply zeros: of the padding, or
    of the input.

    Examples
    --------
    >>> is_dominated(np.ones((16, 16, 3, 3)))
    False
    """
    total = np.vdot(w, w)  # infinite if a square overflows
    return not _largest(w) ** 2 <= MAX_SHARE * total < np.inf


def _largest(x: Array) -> Any:
    return max(np.maximum.reduce(x, None), -np.minimum.reduce(x, None))


def _window_maxima(x: Array, kernel_size: tuple[int, ...], geometry: Geometry) -> Array:
    """Return the maximum of each window of the zero-padded `x`, for stride 1."""
    (k_h, k_w), (d_h, d_w) = kernel_size, geometry.dilation
    out_h, out_w = geometry.output_size(x.shape[2:], kernel_size)
    if any(geometry.padding):
        x = pad2d(x, geometry.padding)
    rows = [x[:, :, u * d_h : u * d_h + out_h] for u in range(k_h)]
    x = functools.reduce(np.maximum, rows)  # (N, G, outH, W)
    columns = [x[..., v * d_w : v * d_w + out_w] for v in range(k_w)]
    return functools.reduce(np.maximum, columns)
