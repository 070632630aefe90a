"""2-D convolution: check the arguments, pad, run a method, add the bias."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from convlab._validate import IntOrPair, Padding
from convlab.ops.auto import choose, suits_winograd
from convlab.ops.checks import check_memory, convolution_arrays, one_of
from convlab.ops.geometry import NO_PADDING, Array, Geometry, conv2d_geometry
from convlab.ops.methods import BY_NAME
from convlab.ops.padding import PADDING_MODES, pad2d

METHODS = tuple(BY_NAME)


def conv2d(
    input: ArrayLike,
    weight: ArrayLike,
    bias: ArrayLike | None = None,
    stride: IntOrPair = 1,
    padding: Padding = 0,
    dilation: IntOrPair = 1,
    groups: int = 1,
    *,
    padding_mode: str = "zeros",
    method: str = "auto",
) -> Array:
    """Apply a 2-D convolution to a batch of images.

    Deep learning calls it a convolution, mathematics a cross-correlation: the kernel is not
    flipped. Same arguments and results as ``torch.nn.functional.conv2d``; `padding_mode` is that of
    ``torch.nn.Conv2d``.

    Parameters
    ----------
    input : array, (N, C, H, W) or (C, H, W)
        Images, float32 or float64. N may be 0, the other sizes not.
    weight : array, (O, C / groups, kH, kW)
        O kernels, same dtype as `input`.
    bias : array, (O,), optional
        One number per kernel, added to its whole output channel; same dtype.
    stride : int or (height, width)
        Cells that the window moves at a time, at least 1.
    padding : int, (height, width), "same" or "valid"
        Cells added on each of two opposite sides, at least 0. ``"valid"`` adds none; ``"same"`` as
        many as keep the size (stride 1 only), the odd one at the right or bottom.
    dilation : int or (height, width)
        Distance between neighbouring weights on the input; 1 is the ordinary kernel.
    groups : int
        Number of groups. Each group of kernels reads its own share of the input channels only.
    padding_mode : "zeros", "reflect", "replicate" or "circular"
        How the border is filled; see `pad2d`.
    method : str
        One of `METHODS`, or ``"auto"`` for the suitable one with the least work.

        - ``"naive"``: seven loops, the definition; for reading and for tiny inputs.
        - ``"windows"``: a view of all windows and one contraction.
        - ``"im2col"``: all windows as the columns of one matrix product.
        - ``"blocked"``: the same, a few columns at a time, so that they stay in cache.
        - ``"fft"``: a product of Fourier transforms; for very large kernels.
        - ``"winograd2"``, ``"winograd4"``: fewer multiplications, on tiles of 2x2 or 4x4
          results; stride 1 and kernels of up to 5x5.
        - ``"depthwise"``: products with a band of weights; one input channel per group.

    Returns
    -------
    array, (N, O, outH, outW) or (O, outH, outW)
        New, in the dtype of the input. The size is `convlab.shapes.conv2d_output_size`.

    Raises
    ------
    TypeError
        If an array is not float32 or float64, dtypes differ, or a number is not an int.
    ValueError
        If shapes or numbers do not match, an option is unknown, the kernel is larger than the
        padded input, or the method does not support this layer.

    Notes
    -----
    Stricter than PyTorch, which accepts three odd cases: an input with 0 channels (its output has 0
    channels, not O), a height or width of 0 in an empty batch, and a negative padding, with which
    ``torch.nn.Conv2d`` crops the image if `padding_mode` is not ``"zeros"``.

    ``"auto"`` chooses among blocked, winograd2, winograd4 and depthwise. In float32 its error is at
    most ``5e-6`` of the largest result, with random numbers and up to 512 channels; in float64
    ``5e-14``. Numbers outside of the window of a result do not increase its error by more than a
    factor of 64: Winograd's algorithm is used only if, in each image (and group of channels), the
    largest absolute values of any two windows differ by no more, and in each kernel those of any
    two positions. A window of zeros, in an image of other numbers or in the padding, is such a
    case, and so takes longer. What remains: where one input channel, or its weights, are larger
    than all others together, they round also the results in which zeros multiply them.
    The error bounds of each method are in its own docstring (`convlab.ops.methods`).
    Each thread keeps up to 32 MiB of scratch memory between calls; `release_workspace` frees it.

    Overflow, infinity and NaN follow IEEE 754 and raise no warning. The padded zeros are multiplied
    like any number, so an infinite weight over a zero gives NaN, even where a float32 kernel of
    PyTorch skips the border. Some methods spread infinity and NaN beyond the windows that contain
    them; ``"auto"`` does not.

    Examples
    --------
    >>> image = np.array([[[1.0, 2.0, 3.0],
    ...                    [4.0, 5.0, 6.0]]])
    >>> weight = np.array([[[[-1.0, 1.0]]]])
    >>> conv2d(image, weight)
    array([[[1., 1.],
            [1., 1.]]])
    >>> conv2d(image, weight, stride=0)
    Traceback (most recent call last):
    ValueError: stride must be at least 1, got 0
    """
    x, w, b, groups, unbatched = convolution_arrays(input, weight, bias, groups)
    one_of(method, "method", ("auto", *METHODS))
    one_of(padding_mode, "padding_mode", PADDING_MODES)
    geometry = conv2d_geometry(x.shape[2:], w.shape[2:], stride, padding, dilation, groups)
    largest = len(x), max(x.shape[1], len(w)), *geometry.padded_size(x.shape[2:])
    check_memory(largest, x.itemsize, f"padding {geometry.padding} (left, right, top, bottom)")

    if padding_mode != "zeros" and any(geometry.padding):
        x = pad2d(x, geometry.padding, padding_mode)
        geometry = geometry._replace(padding=NO_PADDING)
    with np.errstate(all="ignore"):
        y = _run(method, x, w, geometry)
        if b is not None:
            y += b[:, None, None]
    return y[0] if unbatched else y


def _run(method: str, x: Array, w: Array, geometry: Geometry) -> Array:
    """Convolve checked arrays with the named method, or for ``"auto"`` with the one `choose` names.

    All that `choose` names but ``"blocked"`` multiply numbers from outside of the window, so they
    spread infinity and NaN, and intermediate results of Winograd's algorithm may overflow. So if
    the result is not finite everywhere, ``"blocked"`` computes it again; also where only the
    squares of the result overflow, which costs time but changes nothing. Rounding errors spread
    likewise within Winograd's tiles, so numbers of very different size go to ``"blocked"`` at once.
    """
    if method != "auto":
        return BY_NAME[method](x, w, geometry)
    output_size = geometry.output_size(x.shape[2:], w.shape[2:])
    method = choose(len(x), w.shape, output_size, geometry)
    if method.startswith("winograd") and not (
        suits_winograd(w, (1, 1), Geometry()) and suits_winograd(x, w.shape[2:], geometry)
    ):
        method = "blocked"
    y = BY_NAME[method](x, w, geometry)
    if method != "blocked" and not np.isfinite(np.vdot(y, y)):
        y = BY_NAME["blocked"](x, w, geometry)
    return y
