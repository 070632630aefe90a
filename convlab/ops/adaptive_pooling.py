"""Adaptive pooling: the caller names the size of the output, the windows follow."""

from __future__ import annotations

from typing import Any, Literal, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from convlab.ops.checks import array_of, batch_of_images, check_memory
from convlab.ops.pooling import POOLED_FLOATS, cells_per_window, divide, sum_dtype
from convlab.ops.reductions import largest, largest_and_index, total
from convlab.shapes import OutputSize, PoolingAxis, adaptive_axes, adaptive_output_size

Array = NDArray[Any]


def adaptive_avg_pool2d(input: ArrayLike, output_size: OutputSize) -> Array:
    """Take means of as many windows as the output shall have cells.

    Same arguments and results as ``torch.nn.functional.adaptive_avg_pool2d``. With
    ``output_size=1`` it is global average pooling: one mean per channel.

    Parameters
    ----------
    input : array, (N, C, H, W) or (C, H, W)
        float16, float32 or float64. N and C may be 0, the others not.
    output_size : int or (height, width)
        Size of the output; None in place of one of the two keeps that of the input.

    Returns
    -------
    array, (N, C, outH, outW) or (C, outH, outW)
        New, in the dtype of the input. The windows are `convlab.shapes.adaptive_windows`.

    Raises
    ------
    TypeError
        If `input` is of another dtype, or `output_size` not made of ints and None.
    ValueError
        If `input` has another number of dimensions or no pixels, or `output_size` is
        negative or not a pair.

    Notes
    -----
    Accuracy and overflow are those of `avg_pool2d`. Stricter than PyTorch in one case: for
    ``output_size=1`` it takes the mean over the last two axes of an array of any number of
    dimensions, and of no pixels at all. Both are errors here.

    Examples
    --------
    >>> image = np.arange(9.0).reshape(1, 3, 3)
    >>> adaptive_avg_pool2d(image, 2)
    array([[[2., 3.],
            [5., 6.]]])
    >>> adaptive_avg_pool2d(image, (None, 1))
    array([[[1.],
            [4.],
            [7.]]])
    """
    x = array_of(input, "input", POOLED_FLOATS, "adaptive poolings")
    x, unbatched, rows, columns = _prepare(x, output_size, least_channels=0)
    counts = cells_per_window(rows.real, columns.real)
    with np.errstate(all="ignore"):
        y = divide(total(x, rows, columns, sum_dtype(x.dtype)), counts, x.dtype)
    return y[0] if unbatched else y


@overload
def adaptive_max_pool2d(
    input: ArrayLike, output_size: OutputSize, return_indices: Literal[False] = False
) -> Array: ...
@overload
def adaptive_max_pool2d(
    input: ArrayLike, output_size: OutputSize, return_indices: Literal[True]
) -> tuple[Array, Array]: ...
@overload
def adaptive_max_pool2d(
    input: ArrayLike, output_size: OutputSize, return_indices: bool = False
) -> Array | tuple[Array, Array]: ...
def adaptive_max_pool2d(
    input: ArrayLike, output_size: OutputSize, return_indices: bool = False
) -> Array | tuple[Array, Array]:
    """Take the largest number of as many windows as the output shall have cells.

    Same arguments and results as ``torch.nn.functional.adaptive_max_pool2d``.

    Parameters
    ----------
    input : array, (N, C, H, W) or (C, H, W)
        float16, float32 or float64. N may be 0; C only without N.
    output_size : int or (height, width)
        Size of the output; None in place of one of the two keeps that of the input.
    return_indices : bool
        Return also where each winner came from.

    Returns
    -------
    array, (N, C, outH, outW) or (C, outH, outW)
        New, in the dtype of the input; with `return_indices` a pair, as `max_pool2d`
        returns it.

    Raises
    ------
    TypeError
        If `input` is of another dtype, or `output_size` not made of ints and None.
    ValueError
        If `input` has another number of dimensions or no pixels, or `output_size` is
        negative or not a pair.

    Notes
    -----
    Equal numbers and NaN are treated as in `max_pool2d`.

    Examples
    --------
    >>> adaptive_max_pool2d(np.arange(9.0).reshape(1, 3, 3), 2)
    array([[[4., 5.],
            [7., 8.]]])
    """
    x = array_of(input, "input", POOLED_FLOATS, "adaptive poolings")
    least = 0 if x.ndim == 3 else 1  # as in PyTorch
    x, unbatched, rows, columns = _prepare(x, output_size, least)
    if return_indices:
        values, indices = largest_and_index(x, rows, columns)
        return (values[0], indices[0]) if unbatched else (values, indices)
    values = largest(x, rows, columns)
    return values[0] if unbatched else values


def _prepare(
    x: Array, output_size: OutputSize, least_channels: int
) -> tuple[Array, bool, PoolingAxis, PoolingAxis]:
    x, unbatched = batch_of_images(x, "input", least_channels)
    shape = (*x.shape[:2], *adaptive_output_size(x.shape[2:], output_size))
    check_memory(shape, 8, f"output_size={output_size}")
    return x, unbatched, *adaptive_axes(x.shape[2:], output_size)
