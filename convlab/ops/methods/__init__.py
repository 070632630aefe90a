"""Ways to compute one and the same convolution.

A method is one function in one file, so that two of them can be read side by side. The
simple ones compute

    method(x, w, stride, dilation) -> y

with `x` of shape ``(N, C, H, W)``, already padded, `w` of shape ``(O, C, kH, kW)``, pairs for
stride and dilation, and `y` of shape ``(N, O, outH, outW)`` in the dtype of `x`. Padding and
groups are the caller's business. The fast ones take them over, because that is where
part of their speed comes from:

    method(x, w, stride, padding, dilation, groups) -> y

with the zeros to add on the (left, right, top, bottom). `BY_NAME` holds all methods in this
second form. All arguments have been checked, the kernel fits, no size but N is 0.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convlab.ops.methods.blocked import blocked
from convlab.ops.methods.depthwise import depthwise
from convlab.ops.methods.fft import fft
from convlab.ops.methods.im2col import im2col
from convlab.ops.methods.naive import naive
from convlab.ops.methods.windows import windows
from convlab.ops.methods.winograd import winograd
from convlab.ops.padding import pad2d

Array = NDArray[Any]
Pair = tuple[int, int]
Sides = tuple[int, int, int, int]
Method = Callable[[Array, Array, Pair, Sides, Pair, int], Array]


def padded_by_group(simple: Callable[[Array, Array, Pair, Pair], Array]) -> Method:
    """Wrap a simple method: pad first, then one ordinary convolution per group."""

    def method(
        x: Array, w: Array, stride: Pair, padding: Sides, dilation: Pair, groups: int
    ) -> Array:
        if any(padding):
            x = pad2d(x, padding)
        if groups == 1:
            return simple(x, w, stride, dilation)
        parts = zip(np.split(x, groups, axis=1), np.split(w, groups), strict=True)
        return np.concatenate([simple(*part, stride, dilation) for part in parts], axis=1)

    method.__doc__ = simple.__doc__
    return method


BY_NAME: dict[str, Method] = {
    "naive": padded_by_group(naive),
    "windows": padded_by_group(windows),
    "im2col": padded_by_group(im2col),
    "blocked": blocked,
    "fft": padded_by_group(fft),
    "winograd2": partial(winograd, outputs=2),
    "winograd4": partial(winograd, outputs=4),
    "depthwise": depthwise,
}

__all__ = [
    "BY_NAME",
    "Method",
    "blocked",
    "depthwise",
    "fft",
    "im2col",
    "naive",
    "windows",
    "winograd",
]
