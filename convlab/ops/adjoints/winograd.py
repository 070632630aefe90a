"""The weight's gradient with few multiplications: Winograd's algorithm, transposed."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from convlab.ops.methods.cook_toom import cook_toom
from convlab.ops.methods.tiles import plan_tiles, transformed_tiles
from convlab.ops.workspace import workspace


def winograd_weight_gradient(
    g: NDArray[Any],
    x: NDArray[Any],
    kernel_size: tuple[int, int],
    padding: tuple[int, int],
    outputs: int,
) -> NDArray[Any]:
    r"""Compute what `weight_gradient` does, for stride 1, on tiles of outputs.

    Forwards, a tile of the result is :math:`A^T [(G w G^T) \odot (B^T d B)] A`, linear in
    `w`. Its adjoint takes the factors in the opposite order, and sums over all tiles:

    .. math:: \bar w = G^T \Big[ \sum_{\text{tiles}}
        (A \, \bar y \, A^T) \odot (B^T d B) \Big] G

    The products under the sum are matrix products over the tiles, for all pairs of an
    output and an input channel.

    Parameters
    ----------
    g : array, (N, O, outH, outW)
    x : array, (N, C, H, W)
        Not padded.
    kernel_size : (kH, kW)
    padding : (left, top)
    outputs : int
        Rows and columns of a tile of `g`.

    Returns
    -------
    array, (O, C, kH, kW)

    Notes
    -----
    With random numbers, the error is at most ``5e-6`` (float32) or ``5e-14`` (float64) of the
    largest result, for tiles of up to 6 x 6. Infinity and NaN spread.

    Examples
    --------
    >>> x = np.arange(9.0).reshape(1, 1, 3, 3)
    >>> g = np.array([[[[1.0, 0.0], [0.0, 10.0]]]])
    >>> winograd_weight_gradient(g, x, (2, 2), (0, 0), outputs=2)[0, 0].round(9)
    array([[40., 51.],
           [73., 84.]])
    """
    (kernels, out_h, out_w), channels = g.shape[1:], x.shape[1]
    (AT_h, G_h, BT_h), (AT_w, G_w, BT_w) = (cook_toom(outputs, k, x.dtype.str) for k in kernel_size)
    (a_h, k_h), (a_w, k_w) = G_h.shape, G_w.shape
    plan = plan_tiles(len(x), (out_h, out_w), outputs, channels, kernels)
    with workspace(x.dtype) as take:
        total = take(a_h, a_w, kernels, channels)
        total[...] = 0
        term = take(a_w, kernels, channels)
        tiles_of_g = transformed_tiles(g, (AT_h.T, AT_w.T), outputs, plan, (0, 0), kernels, take)
        tiles_of_x = transformed_tiles(x, (BT_h, BT_w), outputs, plan, padding, channels, take)
        for (_, _, from_g, _), (_, _, from_x, _) in zip(tiles_of_g, tiles_of_x, strict=True):
            E = from_g.reshape(a_h, a_w, -1, kernels).swapaxes(2, 3)
            V = from_x.reshape(a_h, a_w, -1, channels)
            for row in range(a_h):  # one row of the tile at a time keeps `term` small
                total[row] += np.matmul(E[row], V[row], out=term)
        half = G_h.T @ total.reshape(a_h, -1)
        w = (G_w.T @ half.reshape(k_h, a_w, -1)).reshape(k_h, k_w, kernels, channels)
    return np.ascontiguousarray(w.transpose(2, 3, 0, 1))
