"""The definition of the convolution as seven nested loops."""

from __future__ import annotations

import numpy as np

from convlab.ops.geometry import Array, Geometry, with_padding_and_groups


@with_padding_and_groups
def naive(x: Array, w: Array, geometry: Geometry) -> Array:
    r"""Compute the convolution with seven loops, one product at a time.

    For image `n`, kernel `o` and output cell `(i, j)`:

    .. math:: y_{noij} = \sum_{c,u,v} w_{ocuv} \, x_{n,c,\; i s_h + u d_h,\; j s_w + v d_w}

    The sum is a Python float, which is a float64, so with float32 arrays this method is more
    accurate than the others: with ``K = C * kH * kW`` numbers in a window, the error is at most
    ``6e-8 + K * 1.2e-16`` (float32) or ``K * 1.2e-16`` (float64) of the sum of ``|w| * |x|`` over
    the window, barring underflow. It needs no memory besides the result. Zeros in `w` are
    multiplied like any number, so infinity and NaN in a window always reach the output.

    Examples
    --------
    >>> x = np.arange(9.0).reshape(1, 1, 3, 3)
    >>> w = np.ones((1, 1, 2, 2))
    >>> naive(x, w, Geometry()).tolist()
    [[[[8.0, 12.0], [20.0, 24.0]]]]
    """
    images, channels = x.shape[:2]
    kernels, _, k_h, k_w = w.shape
    (s_h, s_w), (d_h, d_w) = geometry.stride, geometry.dilation
    out_h, out_w = geometry.output_size(x.shape[2:], w.shape[2:])
    y = np.empty((images, kernels, out_h, out_w), dtype=x.dtype)
    for n in range(images):
        for o in range(kernels):
            for i in range(out_h):
                for j in range(out_w):
                    total = 0.0
                    for c in range(channels):
                        for u in range(k_h):
                            row = i * s_h + u * d_h
                            for v in range(k_w):
                                column = j * s_w + v * d_w
                                pixel = float(x[n, c, row, column])
                                total += float(w[o, c, u, v]) * pixel
                    y[n, o, i, j] = total
    return y
