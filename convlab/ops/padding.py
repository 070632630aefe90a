"""Padding of images with zeros, reflected, replicated or circular borders, and its gradient."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from convlab._validate import IntOrPair, integer, pair
from convlab.ops.checks import (
    as_array,
    batch_of_images,
    check_memory,
    float_array,
    one_of,
    unwrap_one,
)

# PyTorch's names of the padding modes, and those of `numpy.pad`.
PADDING_MODES: dict[str, Literal["constant", "reflect", "edge", "wrap"]] = {
    "zeros": "constant",
    "reflect": "reflect",
    "replicate": "edge",
    "circular": "wrap",
}


def pad2d(input: ArrayLike, padding: IntOrPair, mode: str = "zeros") -> NDArray[Any]:
    """Pad images on all four sides.

    Parameters
    ----------
    input : array, (N, C, H, W) or (C, H, W)
        Any dtype.
    padding : int, (pH, pW) or (left, right, top, bottom)
        Cells to add, at least 0: on every side; above and below, then left and right; or on each
        side separately, in the order of ``torch.nn.functional.pad``.
    mode : str
        How the border is filled. For a row ``a b c d`` and two cells on each side:

        - ``"zeros"``: ``0 0 | a b c d | 0 0``
        - ``"reflect"``: ``c b | a b c d | c b``; the cell at the edge is not repeated
        - ``"replicate"``: ``a a | a b c d | d d``
        - ``"circular"``: ``c d | a b c d | a b``

    Returns
    -------
    array
        New, of the same dtype: (N, C, H + top + bottom, W + left + right), or without N.

    Raises
    ------
    TypeError
        If `padding` does not consist of ints.
    ValueError
        If `mode` is unknown, a padding is negative or larger than any memory, the input is not 3-
        or 4-dimensional or has no pixels, or the border needs pixels that do not exist:
        ``"reflect"`` needs a padding below the size, ``"circular"`` at most the size.

    Notes
    -----
    With four numbers, the results are those of ``torch.nn.functional.pad``, where ``"zeros"`` is
    ``"constant"``. The names here are those of ``torch.nn.Conv2d(padding_mode=...)``, and so is the
    meaning of one or two numbers. (``torch.nn.functional.pad`` takes two numbers for left and
    right, and crops if they are negative.)

    Examples
    --------
    >>> row = np.arange(1, 5).reshape(1, 1, 4)
    >>> pad2d(row, (0, 2), mode="reflect")
    array([[[3, 2, 1, 2, 3, 4, 3, 2]]])
    """
    x = as_array(input, "input")
    batch_of_images(x, "input")
    one_of(mode, "mode", PADDING_MODES)
    left, right, top, bottom = sides = _four_sides(padding)
    check_border(x.shape, sides, mode, "input")
    padded = (*x.shape[:-2], x.shape[-2] + top + bottom, x.shape[-1] + left + right)
    check_memory(padded, x.itemsize, f"padding {sides} (left, right, top, bottom)")
    widths = [(0, 0)] * (x.ndim - 2) + [(top, bottom), (left, right)]
    return np.pad(x, widths, mode=PADDING_MODES[mode])


def pad2d_backward(grad_output: ArrayLike, padding: IntOrPair, mode: str = "zeros") -> NDArray[Any]:
    """Compute the gradient of `pad2d` with respect to its input.

    The border is cropped, and unless it consists of zeros, its gradients are added to those of the
    pixels that it copies. This is the adjoint of `pad2d`: for all arrays,
    ``(pad2d(x, ...) * g).sum() == (x * pad2d_backward(g, ...)).sum()``. The result is a new array.
    Overflow, infinity and NaN follow IEEE 754 and raise no warning.

    Parameters
    ----------
    grad_output : array, (N, C, H, W) or (C, H, W)
        The gradient of the result of `pad2d`, border included; float32 or float64.
    padding, mode
        As for `pad2d`.

    Raises
    ------
    TypeError
        If `grad_output` is not float32 or float64, or `padding` does not consist of ints.
    ValueError
        If `pad2d` cannot return an image of this shape, because the border leaves no pixel or is
        too wide for the mode; or as `pad2d` does.

    Examples
    --------
    >>> grad_output = np.array([[[1.0, 10.0, 100.0, 1000.0, 10000.0]]])
    >>> pad2d_backward(grad_output, (0, 1), "zeros")
    array([[[  10.,  100., 1000.]]])
    >>> pad2d_backward(grad_output, (0, 1), "replicate")
    array([[[   11.,   100., 11000.]]])
    """
    g = float_array(grad_output, "grad_output")
    batch_of_images(g, "grad_output")
    one_of(mode, "mode", PADDING_MODES)
    left, right, top, bottom = sides = _four_sides(padding)
    size = g.shape[-2] - top - bottom, g.shape[-1] - left - right
    if min(size) < 1:
        raise ValueError(
            f"padding {sides} (left, right, top, bottom) leaves no pixel of grad_output of shape "
            f"{g.shape}: its last two sizes must be at least {top + bottom + 1} and "
            f"{left + right + 1}"
        )
    check_border((*g.shape[:-2], *size), sides, mode, "the unpadded image")
    with np.errstate(all="ignore"):
        rows = _pad_backward(np.moveaxis(g, -2, 0), top, bottom, mode)  # (H, N, C, W + ...)
        x = _pad_backward(np.moveaxis(rows, -1, 0), left, right, mode)  # (W, H, N, C)
    return np.ascontiguousarray(np.moveaxis(x, (0, 1), (-1, -2)))


def _pad_backward(g: NDArray[Any], before: int, after: int, mode: str) -> NDArray[Any]:
    """Crop a border along the first axis, and add it to the cells that it copies."""
    size = len(g) - before - after
    first, last = g[:before], g[before + size :]
    x: NDArray[Any] = g[before : before + size].copy()
    if mode == "reflect":
        x[1 : before + 1] += first[::-1]
        x[size - 1 - after : size - 1] += last[::-1]
    elif mode == "replicate":
        x[0] += first.sum(axis=0)
        x[-1] += last.sum(axis=0)
    elif mode == "circular":
        x[size - before :] += first
        x[:after] += last
    return x


def check_border(
    shape: tuple[int, ...], sides: tuple[int, int, int, int], mode: str, image: str
) -> None:
    """Check that an image of this shape has the pixels that the border copies."""
    left, right, top, bottom = sides
    for axis, size, before, after in (
        ("height", shape[-2], top, bottom),
        ("width", shape[-1], left, right),
    ):
        # A reflection leaves out the cell at the edge; a circular border repeats the image once.
        available = {"reflect": size - 1, "circular": size}.get(mode)
        if available is not None and max(before, after) > available:
            raise ValueError(
                f"padding of {before} and {after} is too large for {mode!r}: with "
                f"{image} of shape {shape} the {axis} is {size}, which allows at most {available}"
            )


def _four_sides(padding: IntOrPair) -> tuple[int, int, int, int]:
    if not isinstance(padding, tuple | list) or len(padding) in (1, 2):
        p_h, p_w = pair(unwrap_one(padding), "padding", minimum=0)
        return p_w, p_w, p_h, p_h
    if len(padding) != 4:
        raise ValueError(
            f"padding must be an int, (height, width) or (left, right, top, bottom), got "
            f"{len(padding)} values: {padding!r}"
        )
    left, right, top, bottom = (integer(p, f"padding[{i}]", 0) for i, p in enumerate(padding))
    return left, right, top, bottom
