"""Geometry of a convolution: stride, padding, dilation and groups in one object."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from convlab._validate import IntOrPair, Padding, pair
from convlab.ops.checks import unwrap_one
from convlab.ops.padding import pad2d
from convlab.shapes import conv2d_output_size, conv2d_padding

Array = NDArray[Any]
Pair = tuple[int, int]
Sides = tuple[int, int, int, int]

NO_PADDING: Sides = (0, 0, 0, 0)


class Geometry(NamedTuple):
    """Stride, padding, dilation and groups of a convolution, all of them checked.

    Attributes
    ----------
    stride : (height, width)
    padding : (left, right, top, bottom)
        Zeros to add on each side.
    dilation : (height, width)
    groups : int

    Examples
    --------
    >>> Geometry(padding=(1, 1, 0, 0)).output_size((4, 4), kernel_size=(3, 3))
    (2, 4)
    """

    stride: Pair = (1, 1)
    padding: Sides = NO_PADDING
    dilation: Pair = (1, 1)
    groups: int = 1

    def padded_size(self, size: tuple[int, ...]) -> Pair:
        """Return the height and width of an image of that size with its padding."""
        left, right, top, bottom = self.padding
        return size[0] + top + bottom, size[1] + left + right

    def output_size(self, size: tuple[int, ...], kernel_size: tuple[int, ...]) -> Pair:
        """Return the height and width of the output for an image and a kernel of these sizes."""
        return _output_size(self.padded_size(size), kernel_size, self.stride, self.dilation)


# method(x, w, geometry) -> y, see `convlab.ops.methods`
Method = Callable[[Array, Array, Geometry], Array]


def with_padding_and_groups(method: Method) -> Method:
    """Decorate a method that supports neither padding nor groups: pad, then call it per group."""

    @functools.wraps(method)
    def padded_and_grouped(x: Array, w: Array, geometry: Geometry) -> Array:
        if any(geometry.padding):
            x = pad2d(x, geometry.padding)
        groups = geometry.groups
        geometry = geometry._replace(padding=NO_PADDING, groups=1)
        if groups == 1:
            return method(x, w, geometry)
        pairs = zip(np.split(x, groups, axis=1), np.split(w, groups), strict=True)
        return np.concatenate([method(x_g, w_g, geometry) for x_g, w_g in pairs], axis=1)

    return padded_and_grouped


def conv2d_geometry(
    size: tuple[int, ...],
    kernel_size: tuple[int, ...],
    stride: IntOrPair,
    padding: Padding,
    dilation: IntOrPair,
    groups: int,
) -> Geometry:
    """Check the arguments of a convolution and return them as a `Geometry`.

    A stride or dilation that is larger than the padded image is replaced by one that just leaves
    it: the result is the same, and no product of theirs exceeds the 64 bits of NumPy's strides.
    Errors are those of `convlab.shapes.conv2d_output_size`.

    Examples
    --------
    >>> conv2d_geometry((5, 5), (3, 3), stride=10**20, padding=1, dilation=1, groups=1)
    Geometry(stride=(8, 8), padding=(1, 1, 1, 1), dilation=(1, 1), groups=1)
    """
    strides = pair(unwrap_one(stride), "stride", minimum=1)
    dilations = pair(unwrap_one(dilation), "dilation", minimum=1)
    if not isinstance(padding, str):
        padding = pair(unwrap_one(padding), "padding", minimum=0)
    return _checked_geometry(size, kernel_size, strides, padding, dilations, groups)


# Cached, as a network uses the same geometry in every pass.
@functools.lru_cache(maxsize=1024)
def _checked_geometry(
    size: Pair, kernel_size: Pair, stride: Pair, padding: Padding, dilation: Pair, groups: int
) -> Geometry:
    conv2d_output_size(size, kernel_size, stride, padding, dilation)  # raises if it does not fit
    geometry = Geometry(padding=conv2d_padding(padding, kernel_size, stride, dilation))
    height, width = geometry.padded_size(size)
    return geometry._replace(
        stride=(min(stride[0], height + 1), min(stride[1], width + 1)),
        dilation=(min(dilation[0], height + 1), min(dilation[1], width + 1)),
        groups=groups,
    )


@functools.lru_cache(maxsize=1024)
def _output_size(padded_size: Pair, kernel_size: Pair, stride: Pair, dilation: Pair) -> Pair:
    return conv2d_output_size(padded_size, kernel_size, stride, 0, dilation)
