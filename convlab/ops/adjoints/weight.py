"""Collect, for every weight, what it was multiplied with and how much that mattered."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from convlab.ops.adjoints.blocks import blocks
from convlab.shapes import dilated_kernel_size


def weight_gradient(
    g: NDArray[Any],
    x: NDArray[Any],
    kernel_size: tuple[int, int],
    stride: tuple[int, int],
    dilation: tuple[int, int],
    groups: int,
) -> NDArray[Any]:
    r"""Apply the adjoint of a convolution in its weight.

    .. math:: \bar w_{ocuv} = \sum_{n,i,j} g_{noij} \, x_{n,c,\; i s_h + u d_h,\; j s_w + v d_w}

    Seen from `x`, this is a convolution with `g` as the kernel, in which stride and
    dilation have changed places. It is computed as a product of matrices: `g` as
    ``(O, cells)`` times the windows as ``(cells, C * kH * kW)``, group by group and a block
    of cells at a time, so that the copied windows stay small.

    Parameters
    ----------
    g : array, (N, O, outH, outW)
    x : array, (N, C, H, W)
        Already padded.

    Returns
    -------
    array, (O, C / groups, kH, kW)

    Examples
    --------
    >>> x = np.arange(9.0).reshape(1, 1, 3, 3)
    >>> g = np.array([[[[1.0, 0.0], [0.0, 10.0]]]])
    >>> weight_gradient(g, x, (2, 2), (1, 1), (1, 1), 1)[0, 0]
    array([[40., 51.],
           [73., 84.]])
    """
    images, outs, out_h, out_w = g.shape
    depth = x.shape[1] // groups
    extent = dilated_kernel_size(kernel_size, dilation)
    every_window = sliding_window_view(x, extent, axis=(2, 3))
    seen = every_window[:, :, :: stride[0], :: stride[1], :: dilation[0], :: dilation[1]]
    by_place = seen.transpose(1, 4, 5, 0, 2, 3)  # (C, kH, kW, N, outH, outW)
    g = g.swapaxes(0, 1)
    length = depth * kernel_size[0] * kernel_size[1]
    w = np.zeros((groups, outs // groups, length), dtype=g.dtype)
    for some, rows in blocks(images, out_h, out_w, groups * length, few_images=True):
        columns = by_place[:, :, :, some, rows].reshape(groups, length, -1)
        given = g[:, some, rows].reshape(groups, outs // groups, -1)
        w += given @ columns.swapaxes(1, 2)
    return w.reshape(outs, depth, *kernel_size)
