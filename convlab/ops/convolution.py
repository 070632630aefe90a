"""The convolution: one straight road. Check, pad, let a method compute, add the bias."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from convlab._validate import IntOrPair, Padding, pair
from convlab.ops.auto import choose
from convlab.ops.checks import check_memory, convolution_arrays, one_of, one_or_pair
from convlab.ops.methods import BY_NAME
from convlab.ops.padding import PADDING_MODES, pad2d
from convlab.shapes import conv2d_output_size, conv2d_padding

METHODS = tuple(BY_NAME)

Array = NDArray[Any]


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
) -> NDArray[Any]:
    """Slide every kernel over every image and sum the products.

    What deep learning calls a convolution, and mathematics a cross-correlation: the
    kernel is not flipped. Same arguments and results as
    ``torch.nn.functional.conv2d``; `padding_mode` is that of ``torch.nn.Conv2d``.

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
        Cells added on each of two opposite sides, at least 0. ``"valid"`` adds none;
        ``"same"`` as many as keep the size (stride 1 only), the odd one at the right or
        bottom.
    dilation : int or (height, width)
        Distance between neighbouring weights on the input; 1 is the ordinary kernel.
    groups : int
        Split input channels and kernels into this many blocks that ignore each other.
    padding_mode : "zeros", "reflect", "replicate" or "circular"
        What the added border holds; see `pad2d`.
    method : str
        One of `METHODS`, or ``"auto"`` for the one with the least work that can do the job.

        - ``"naive"``: seven loops, the definition; for reading and for tiny inputs.
        - ``"windows"``: a view of all windows and one contraction.
        - ``"im2col"``: all windows as the columns of one matrix product.
        - ``"blocked"``: the same, some columns at a time, so that they stay in cache.
        - ``"fft"``: a product of spectra; for very large kernels.
        - ``"winograd2"``, ``"winograd4"``: fewer multiplications, on tiles of 2x2 or 4x4
          results; stride 1 and kernels of up to 5x5.
        - ``"depthwise"``: products with a band of weights; one input channel per group.

    Returns
    -------
    array, (N, O, outH, outW) or (O, outH, outW)
        New, in the dtype of the input. The size is
        `convlab.shapes.conv2d_output_size`.

    Raises
    ------
    TypeError
        If an array is not float32 or float64, dtypes differ, or a number is not an int.
    ValueError
        If shapes or numbers do not belong together, an option is unknown, the kernel is
        larger than the padded input, or the method named cannot do this layer. The message
        names the argument and the numbers, or the method.

    Notes
    -----
    Stricter than PyTorch, which lets three odd cases pass: an input with 0 channels (its
    answer has 0 channels, not O), a height or width of 0 in an empty batch, and a negative
    padding, with which ``torch.nn.Conv2d`` crops the image if `padding_mode` is not
    ``"zeros"``. All are errors here.

    ``"auto"`` chooses among blocked, winograd2, winograd4 and depthwise. In float32 its error
    is at most ``5e-6`` of the largest result, with random numbers and up to 512 channels; in
    float64 ``5e-14``. What each method promises is in its own docstring
    (`convlab.ops.methods`). Each thread keeps up to 32 MiB of scratch memory between calls;
    `release_workspace` gives it back.

    Overflow, infinity and NaN follow IEEE 754 and raise no warning. The padded zeros
    are multiplied like any number, so an infinite weight over a zero gives NaN, also
    where a float32 kernel of PyTorch leaves out the border. Some methods spread infinity
    and NaN further than the windows that hold them; ``"auto"`` does not.

    Examples
    --------
    >>> image = np.array([[[1.0, 2.0, 3.0],
    ...                    [4.0, 5.0, 6.0]]])
    >>> left_to_right = np.array([[[[-1.0, 1.0]]]])
    >>> conv2d(image, left_to_right)
    array([[[1., 1.],
            [1., 1.]]])
    >>> conv2d(image, left_to_right, stride=0)
    Traceback (most recent call last):
    ValueError: stride must be at least 1, got 0
    """
    stride, padding, dilation = one_or_pair(stride), one_or_pair(padding), one_or_pair(dilation)
    x, w, b, groups, unbatched = convolution_arrays(input, weight, bias, groups)
    one_of(method, "method", ("auto", *METHODS))
    one_of(padding_mode, "padding_mode", PADDING_MODES)
    steps = pair(stride, "stride", 1), pair(dilation, "dilation", 1)
    try:
        border = padding if isinstance(padding, str) else pair(padding, "padding", 0)
        out_size, sides = _geometry(x.shape[2:], w.shape[2:], *steps, border)
    except ValueError:  # say the same in the numbers of the caller
        conv2d_output_size(x.shape[2:], w.shape[2:], stride, padding, dilation)
        raise
    left, right, top, bottom = sides
    padded = x.shape[2] + top + bottom, x.shape[3] + left + right
    most = len(x), max(x.shape[1], len(w)), *padded
    check_memory(most, x.itemsize, f"padding {sides} (left, right, top, bottom)")
    # A step that leaves the image is as good as any other that does.
    steps = _at_most(steps[0], padded), _at_most(steps[1], padded)

    if padding_mode != "zeros" and any(sides):
        x, sides = pad2d(x, sides, padding_mode), (0, 0, 0, 0)
    y = compute(x, w, *steps, sides, groups, out_size, method)
    if b is not None:
        with np.errstate(all="ignore"):
            y += b[:, None, None]
    return y[0] if unbatched else y


@functools.lru_cache(maxsize=1024)
def _geometry(
    size: tuple[int, int],
    kernel_size: tuple[int, int],
    stride: tuple[int, int],
    dilation: tuple[int, int],
    padding: Padding,
) -> tuple[tuple[int, int], tuple[int, int, int, int]]:
    """Give output size and padding, or raise. Remembered: a network asks the same each time."""
    return (
        conv2d_output_size(size, kernel_size, stride, padding, dilation),
        conv2d_padding(padding, kernel_size, stride, dilation),
    )


def _at_most(steps: tuple[int, int], size: tuple[int, int]) -> tuple[int, int]:
    return min(steps[0], size[0] + 1), min(steps[1], size[1] + 1)


def compute(
    x: Array,
    w: Array,
    stride: tuple[int, int],
    dilation: tuple[int, int],
    padding: tuple[int, int, int, int],
    groups: int,
    out_size: tuple[int, int],
    method: str,
) -> Array:
    """Convolve checked arrays, padded with zeros, by the method of that name.

    With ``"auto"``, a result with an infinity or NaN is believed only if no method but
    ``"blocked"`` made it: the others multiply numbers from outside of the window, so they
    spread such values, and Winograd's may overflow on the way. Then ``"blocked"`` computes it
    again, also where the squares of the result overflow, which only costs time.
    """
    name = method
    if method == "auto":
        name = choose(len(x), w.shape, out_size, stride, dilation, groups)
    with np.errstate(all="ignore"):
        y = BY_NAME[name](x, w, stride, padding, dilation, groups)
        if method == "auto" and name != "blocked" and not np.isfinite(np.vdot(y, y)):
            y = BY_NAME["blocked"](x, w, stride, padding, dilation, groups)
    return y
