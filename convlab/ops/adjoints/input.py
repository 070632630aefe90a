"""Send the gradient of every output cell back through its window."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from convlab.ops.adjoints.blocks import blocks
from convlab.ops.convolution import conv2d
from convlab.ops.padding import pad2d


def input_gradient(
    g: NDArray[Any],
    w: NDArray[Any],
    size: tuple[int, int],
    sides: tuple[int, int, int, int],
    stride: tuple[int, int],
    dilation: tuple[int, int],
    groups: int,
) -> NDArray[Any]:
    r"""Apply the adjoint of a zero-padded convolution in its input.

    .. math:: \bar x_{ncab} = \sum_o \sum_{\substack{i s_h + u d_h - p_t = a \\
                                                     j s_w + v d_w - p_l = b}}
              w_{ocuv} \, g_{noij}

    Parameters
    ----------
    g : array, (N, O, outH, outW)
    w : array, (O, C / groups, kH, kW)
    size : (height, width)
        Of the input, without its padding, which is the size of the answer.
    sides : (left, right, top, bottom)
        The padding of the convolution.

    Returns
    -------
    array, (N, C, height, width)

    Notes
    -----
    Two roads. With stride 1 the answer is itself a convolution, of `g` with the flipped
    kernel, and goes through `conv2d`. Otherwise, `_scatter`. It is taken as well when a
    padding is so wide that `g` would have to be cropped; when the input has few channels and
    the output many, since its buffer has the channels of the input; and when a weight
    is not finite, since in a convolution it would meet the zeros around `g`, and make a
    NaN of a product that does not exist.

    Examples
    --------
    >>> g, w = np.ones((1, 1, 2, 2)), np.array([[[[1.0, 2.0, 3.0]]]])
    >>> input_gradient(g, w, (2, 4), (0, 0, 0, 0), (1, 1), (1, 1), 1)[0, 0]
    array([[1., 3., 5., 3.],
           [1., 3., 5., 3.]])
    """
    reach_h, reach_w = (d * (k - 1) for d, k in zip(dilation, w.shape[2:], strict=True))
    left, _, top, _ = sides
    before = reach_h - top, reach_w - left
    after = size[0] - g.shape[2] + top, size[1] - g.shape[3] + left
    few_channels = w.shape[1] * 4 <= w.shape[0] // groups
    if stride != (1, 1) or min(before + after) < 0 or few_channels or not np.isfinite(w).all():
        return _scatter(g, w, size, (top, left), stride, dilation, groups)
    both = min(before[0], after[0]), min(before[1], after[1])
    if before != after:
        rest = (before[1] - both[1], after[1] - both[1], before[0] - both[0], after[0] - both[0])
        g = pad2d(g, rest)
    return conv2d(g, _turned(w, groups), None, 1, both, dilation, groups)


def _turned(w: NDArray[Any], groups: int) -> NDArray[Any]:
    """Turn each kernel by 180 degrees, and let input and output channels change places."""
    outs, ins, k_h, k_w = w.shape
    by_group = w.reshape(groups, outs // groups, ins, k_h, k_w)[..., ::-1, ::-1]
    turned: NDArray[Any] = by_group.swapaxes(1, 2).reshape(-1, outs // groups, k_h, k_w)
    return turned


def _scatter(
    g: NDArray[Any],
    w: NDArray[Any],
    size: tuple[int, int],
    padding: tuple[int, int],
    stride: tuple[int, int],
    dilation: tuple[int, int],
    groups: int,
) -> NDArray[Any]:
    """Weight every output's gradient with the whole kernel, and add it where its window was.

    One matrix product per block gives each output cell a window of numbers ("columns");
    then, for each of the kH * kW places in the window, one strided addition puts that
    number of every window where it belongs ("col2im").
    """
    images, _, out_h, out_w = g.shape
    outs, ins, k_h, k_w = w.shape
    kernels = w.reshape(groups, outs // groups, ins * k_h * k_w).swapaxes(1, 2)
    x = np.zeros((images, groups * ins, *size), dtype=g.dtype)
    for some, rows in blocks(images, out_h, out_w, groups * ins * k_h * k_w):
        height = rows.stop - rows.start
        given = g[some, :, rows].reshape(-1, groups, outs // groups, height * out_w)
        # With one output channel in a group nothing is summed: a plain product is faster.
        columns = kernels * given if outs == groups else kernels @ given
        columns = columns.reshape(-1, groups * ins, k_h, k_w, height, out_w)
        for u in range(k_h):
            to_rows, from_rows = _meeting(
                u * dilation[0] - padding[0] + rows.start * stride[0], stride[0], height, size[0]
            )
            for v in range(k_w):
                to_columns, from_columns = _meeting(
                    v * dilation[1] - padding[1], stride[1], out_w, size[1]
                )
                x[some, :, to_rows, to_columns] += columns[:, :, u, v, from_rows, from_columns]
    return x


def _meeting(first: int, step: int, count: int, size: int) -> tuple[slice, slice]:
    """Where ``first, first + step, ...`` (`count` of them) lie within ``range(size)``.

    Returns the slice of ``range(size)`` that they hit and the slice of those that hit.
    """
    start = max(0, -(first // step))
    stop = min(count, (size - 1 - first) // step + 1)
    if start >= stop:
        return slice(0, 0), slice(0, 0)
    low = first + start * step
    return slice(low, low + (stop - start - 1) * step + 1, step), slice(start, stop)
