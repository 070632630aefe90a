"""2-D convolution: check the arguments, pad, run a method, add the bias."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from convlab._validate import IntOrPair, Padding, check_weight_shape, integer, pair
from convlab.ops.auto import choose, suits_winograd
from convlab.ops.checks import (
    check_memory,
    convolution_arrays,
    float_array,
    one_of,
    unwrap_one,
)
from convlab.ops.geometry import NO_PADDING, Array, Geometry, conv2d_geometry
from convlab.ops.methods import BY_NAME
from convlab.ops.padding import PADDING_MODES, pad2d
from convlab.ops.winograd import check_winograd, transform_weight, winograd
from convlab.shapes import conv2d_padding

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
    arrays = convolution_arrays(input, weight, bias, groups)
    one_of(method, "method", ("auto", *METHODS))
    one_of(padding_mode, "padding_mode", PADDING_MODES)
    return _convolve(arrays, stride, padding, dilation, padding_mode, method, None)


class PrepackedConv2d:
    """2-D convolution by fixed weights, which are transformed once and not in every call.

    ``PrepackedConv2d(weight, bias, ...)(input)`` is ``conv2d(input, weight, bias, ...)``, for the
    layers of a network whose weights do not change any more. With the same method, the results are
    the same bit for bit. Winograd's algorithm transforms the kernels first, which takes longer than
    the convolution itself if there are many of them and the images are small; here it does so in
    the first call. `conv2d` therefore avoids it for such layers, and ``"auto"`` here does not.

    Parameters
    ----------
    weight, bias, stride, padding, dilation, groups, padding_mode, method
        As for `conv2d`. The arrays are copied: later changes of them do not matter.

    Attributes
    ----------
    nbytes : int
        Memory that it holds: weight, bias, and the transformed kernels of the methods used so far.
        For 3x3 kernels these are 16/9 of the weight (``"winograd2"``) or 4 times the weight
        (``"winograd4"``).

    Raises
    ------
    TypeError, ValueError
        As `conv2d`: for the weight and the options when it is made, for the input when it is
        called.

    Notes
    -----
    It may be called from several threads.

    Examples
    --------
    >>> layer = PrepackedConv2d(np.ones((8, 4, 3, 3)), padding=1)
    >>> layer(np.ones((4, 5, 5)))[0, 2]
    array([24., 36., 36., 36., 24.])
    """

    def __init__(
        self,
        weight: ArrayLike,
        bias: ArrayLike | None = None,
        stride: IntOrPair = 1,
        padding: Padding = 0,
        dilation: IntOrPair = 1,
        groups: int = 1,
        *,
        padding_mode: str = "zeros",
        method: str = "auto",
    ) -> None:
        w = float_array(weight, "weight")
        check_weight_shape(w.shape)
        # An empty batch of the smallest images that the kernel fits.
        channels = w.shape[1] * integer(groups, "groups", minimum=1)
        empty = np.empty((0, channels, 1, 1), w.dtype)
        _, w, b, self.groups, _ = convolution_arrays(empty, w, bias, groups)
        self.method = one_of(method, "method", ("auto", *METHODS))
        self.padding_mode = one_of(padding_mode, "padding_mode", PADDING_MODES)
        self.weight = np.array(w, order="C")
        self.bias = None if b is None else b.copy()
        self.stride = pair(unwrap_one(stride), "stride", minimum=1)
        self.dilation = pair(unwrap_one(dilation), "dilation", minimum=1)
        self.padding: Padding = padding
        if not isinstance(padding, str):
            self.padding = pair(unwrap_one(padding), "padding", minimum=0)
        conv2d_padding(self.padding, w.shape[2:], self.stride, self.dilation)  # "same", stride 2
        if self.method.startswith("winograd"):
            check_winograd(w.shape[2:], self.stride, int(method[-1]))
        self._transformed: dict[str, list[Array]] = {}

    def __call__(self, input: ArrayLike) -> Array:
        """Apply the convolution to images, (N, C, H, W) or (C, H, W), as `conv2d` does."""
        arrays = convolution_arrays(input, self.weight, self.bias, self.groups)
        return _convolve(
            arrays, self.stride, self.padding, self.dilation, self.padding_mode, self.method, self
        )

    def __repr__(self) -> str:
        out_channels, depth, *kernel_size = self.weight.shape
        options = ("stride", "padding", "dilation", "groups", "padding_mode", "method")
        listed = ", ".join(f"{name}={getattr(self, name)!r}" for name in options)
        return (
            f"PrepackedConv2d({depth * self.groups}, {out_channels}, "
            f"kernel_size={tuple(kernel_size)}, {listed})"
        )

    @property
    def nbytes(self) -> int:
        """Bytes of the weight, the bias and the transformed kernels."""
        transformed = [U for of_method in self._transformed.values() for U in of_method]
        arrays = [self.weight, *transformed] + ([] if self.bias is None else [self.bias])
        return sum(array.nbytes for array in arrays)

    @cached_property
    def suits_winograd(self) -> bool:
        """Whether the weights have about the same magnitude, as Winograd's algorithm needs."""
        with np.errstate(all="ignore"):
            return _suits_winograd(self.weight)

    def transformed(self, method: str) -> list[Array]:
        """Return the kernels of each group as ``"winograd2"`` or ``"winograd4"`` needs them."""
        if method not in self._transformed:
            self._transformed[method] = transform_weight(self.weight, int(method[-1]), self.groups)
        return self._transformed[method]


def _convolve(
    arrays: tuple[Array, Array, Array | None, int, bool],
    stride: IntOrPair,
    padding: Padding,
    dilation: IntOrPair,
    padding_mode: str,
    method: str,
    prepacked: PrepackedConv2d | None,
) -> Array:
    """Pad checked arrays, convolve them and add the bias."""
    x, w, b, groups, unbatched = arrays
    geometry = conv2d_geometry(x.shape[2:], w.shape[2:], stride, padding, dilation, groups)
    largest = len(x), max(x.shape[1], len(w)), *geometry.padded_size(x.shape[2:])
    check_memory(largest, x.itemsize, f"padding {geometry.padding} (left, right, top, bottom)")

    if padding_mode != "zeros" and any(geometry.padding):
        x = pad2d(x, geometry.padding, padding_mode)
        geometry = geometry._replace(padding=NO_PADDING)
    with np.errstate(all="ignore"):
        y = _run(method, x, w, geometry, prepacked)
        if b is not None:
            y += b[:, None, None]
    return y[0] if unbatched else y


def _run(
    method: str, x: Array, w: Array, geometry: Geometry, prepacked: PrepackedConv2d | None
) -> Array:
    """Convolve checked arrays with the named method, or for ``"auto"`` with the one `choose` names.

    All that `choose` names but ``"blocked"`` multiply numbers from outside of the window, so they
    spread infinity and NaN, and intermediate results of Winograd's algorithm may overflow. So if
    the result is not finite everywhere, ``"blocked"`` computes it again; also where only the
    squares of the result overflow, which costs time but changes nothing. Rounding errors spread
    likewise within Winograd's tiles, so numbers of very different size go to ``"blocked"`` at once.
    """
    if method != "auto":
        return _run_named(method, x, w, geometry, prepacked)
    output_size = geometry.output_size(x.shape[2:], w.shape[2:])
    method = choose(len(x), w.shape, output_size, geometry, prepacked is not None)
    if method.startswith("winograd") and not (
        (_suits_winograd(w) if prepacked is None else prepacked.suits_winograd)
        and suits_winograd(x, w.shape[2:], geometry)
    ):
        method = "blocked"
    y = _run_named(method, x, w, geometry, prepacked)
    if method != "blocked" and not np.isfinite(np.vdot(y, y)):
        y = BY_NAME["blocked"](x, w, geometry)
    return y


def _suits_winograd(w: Array) -> bool:
    """Return whether the weights of each kernel have about the same magnitude."""
    return suits_winograd(w, (1, 1), Geometry())


def _run_named(
    method: str, x: Array, w: Array, geometry: Geometry, prepacked: PrepackedConv2d | None
) -> Array:
    if prepacked is None or not method.startswith("winograd"):
        return BY_NAME[method](x, w, geometry)
    transformed = prepacked.transformed(method)
    return winograd(x, w, geometry, outputs=int(method[-1]), transformed=transformed)
