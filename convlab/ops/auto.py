"""Which method a convolution takes when nobody names one."""

from __future__ import annotations

from math import prod

LARGEST_TILE = 6  # of Winograd's, in rows and columns: larger ones round too much

# What it costs to move a number, in multiplications: how many a matrix product does in that
# time. A rough guess is enough, as the choices that matter differ by far more.
COLUMN = 15  # gather a number of a window
TILE = 40  # gather and transform a number of a Winograd tile, of the input or of the result
KERNEL = 20  # transform a number of a Winograd kernel
REREAD = 40  # and read it again for the products, which is all there is to do if tiles are few
BAND = 8  # multiply by a weight, and by the zeros beside it, in `depthwise`


def choose(
    images: int,
    weight_shape: tuple[int, int, int, int],
    out_size: tuple[int, int],
    stride: tuple[int, int],
    dilation: tuple[int, int],
    groups: int,
) -> str:
    """Name the method with the least work, counted in multiplications and moved numbers.

    ``"blocked"`` multiplies as often as the definition says and gathers each window;
    ``"winograd4"`` and ``"winograd2"`` multiply less, but transform tiles and kernels, so
    they want many channels and many tiles for each kernel; ``"depthwise"`` gathers less, but
    multiplies zeros. Winograd is a candidate with stride 1, kernels of 2 to 5 rows and columns,
    and tiles of at most 6 x 6. A dilated convolution is several, on every d-th row and column,
    and each of them reads all transformed kernels.

    Parameters
    ----------
    images : int
    weight_shape : (O, C / groups, kH, kW)
    out_size : (outH, outW)
    stride, dilation : pairs of ints
    groups : int

    Examples
    --------
    >>> choose(1, (64, 64, 3, 3), (56, 56), stride=(1, 1), dilation=(1, 1), groups=1)
    'winograd4'
    >>> choose(1, (64, 64, 3, 3), (28, 28), stride=(2, 2), dilation=(1, 1), groups=1)
    'blocked'
    """
    kernels, depth, k_h, k_w = weight_shape
    multiplications = images * prod(out_size) * prod(weight_shape)
    columns = images * prod(out_size) * depth * groups * k_h * k_w
    work = {"blocked": multiplications + COLUMN * columns}
    if depth == 1:
        work["depthwise"] = BAND * multiplications
    if stride == (1, 1) and min(k_h, k_w) > 1:
        for outputs in (2, 4):
            tile = (outputs + k_h - 1) * (outputs + k_w - 1)
            if max(k_h, k_w) + outputs - 1 > LARGEST_TILE:
                continue
            # A dilated convolution is one for each remainder of the rows and columns.
            tiles = images * prod(
                d * -(-size // (d * outputs)) for size, d in zip(out_size, dilation, strict=True)
            )
            work[f"winograd{outputs}"] = tile * (
                tiles * (kernels * depth + TILE * (depth * groups + kernels))
                + (KERNEL + REREAD * prod(dilation)) * kernels * depth
            )
    return min(work, key=work.__getitem__)
