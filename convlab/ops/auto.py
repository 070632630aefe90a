"""Choice of the method for a convolution with ``method="auto"``."""

from __future__ import annotations

import functools
from math import prod

from convlab.ops.geometry import Geometry

MAX_TILE = 6  # inputs of a Winograd tile, in each direction: larger ones round too much

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
) -> str:
    """Return the name of the method with the least estimated work.

    ``"blocked"`` multiplies as often as the definition and gathers each window; ``"winograd4"`` and
    ``"winograd2"`` multiply less, but transform tiles and kernels, so they pay off with many
    channels and many tiles per kernel; ``"depthwise"`` gathers less, but multiplies zeros. Winograd
    is a candidate with stride 1, kernels of 2 to 5 rows and columns, and tiles of at most 6 x 6. A
    dilated convolution is several, on every d-th row and column, and each of them reads all
    transformed kernels.

    `images` is the size of the batch, `weight_shape` is ``(O, C / groups, kH, kW)``. The padding of
    `geometry` does not matter, as `output_size` is given.

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
                + (KERNEL_COST + KERNEL_READ_COST * prod(dilation)) * kernels * depth
            )
    return min(work, key=work.__getitem__)
