"""Collect, for every weight, what it was multiplied with and how much that mattered."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from convlab.ops.adjoints.winograd import winograd_weight_gradient
from convlab.ops.auto import choose
from convlab.ops.blocks import blocks, columns_at_once
from convlab.ops.padding import pad2d
from convlab.shapes import dilated_kernel_size

WINOGRAD = {"winograd2": 2, "winograd4": 4}  # outputs of a tile, in rows and columns


def weight_gradient(
    g: NDArray[Any],
    x: NDArray[Any],
    kernel_size: tuple[int, int],
    sides: tuple[int, int, int, int],
    stride: tuple[int, int],
    dilation: tuple[int, int],
    groups: int,
) -> NDArray[Any]:
    r"""Apply the adjoint of a zero-padded convolution in its weight.

    .. math:: \bar w_{ocuv} = \sum_{n,i,j} g_{noij} \, x_{n,c,\; i s_h + u d_h,\; j s_w + v d_w}

    Seen from `x`, padded, this is a convolution with `g` as the kernel, in which stride and
    dilation have changed places.

    Parameters
    ----------
    g : array, (N, O, outH, outW)
    x : array, (N, C, H, W)
        Not yet padded.
    sides : (left, right, top, bottom)
        The padding of the convolution.

    Returns
    -------
    array, (O, C / groups, kH, kW)

    Notes
    -----
    Two roads: where `conv2d` would choose Winograd's algorithm, and the dilation is 1, its adjoint
    is the faster one here as well. If it makes an infinity or NaN it is not believed, since it
    spreads them. Otherwise, and for all other layers, `_product_with_windows`.

    Examples
    --------
    >>> x = np.arange(9.0).reshape(1, 1, 3, 3)
    >>> g = np.array([[[[1.0, 0.0], [0.0, 10.0]]]])
    >>> weight_gradient(g, x, (2, 2), (0, 0, 0, 0), (1, 1), (1, 1), 1)[0, 0]
    array([[40., 51.],
           [73., 84.]])
    """
    shape = g.shape[1], x.shape[1] // groups, *kernel_size
    method = choose(len(x), shape, (g.shape[2], g.shape[3]), stride, dilation, groups)
    if method in WINOGRAD and dilation == (1, 1):
        left, _, top, _ = sides
        parts = zip(np.split(g, groups, 1), np.split(x, groups, 1), strict=True)
        w = np.concatenate(
            [
                winograd_weight_gradient(*part, kernel_size, (left, top), WINOGRAD[method])
                for part in parts
            ]
        )
        if np.isfinite(np.vdot(w, w)):
            return w
    padded = pad2d(x, sides) if any(sides) else x
    return _product_with_windows(g, padded, kernel_size, stride, dilation, groups)


def _product_with_windows(
    g: NDArray[Any],
    x: NDArray[Any],
    kernel_size: tuple[int, int],
    stride: tuple[int, int],
    dilation: tuple[int, int],
    groups: int,
) -> NDArray[Any]:
    """Multiply `g` as ``(O, cells)`` with the windows as ``(cells, C * kH * kW)``.

    Group by group and a block of cells at a time, so that the copied windows stay small.
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
    for some, rows in blocks(images, out_h, out_w, columns_at_once(groups * length, g.itemsize)):
        columns = by_place[:, :, :, some, rows].reshape(groups, length, -1)
        given = g[:, some, rows].reshape(groups, outs // groups, -1)
        w += given @ columns.swapaxes(1, 2)
    return w.reshape(outs, depth, *kernel_size)
