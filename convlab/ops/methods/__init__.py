"""Ways to compute one and the same convolution.

A method is one function in one file, always with the same signature, so that two of
them can be read side by side:

    method(x, w, stride, dilation) -> y

`x` is ``(N, C, H, W)``, already padded; `w` is ``(O, C, kH, kW)``; stride and dilation
are pairs; `y` is ``(N, O, outH, outW)`` in the dtype of `x`. All arguments have been
checked, the kernel fits. Padding, groups and bias are the caller's business
(`convlab.ops.conv2d`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numpy.typing import NDArray

from convlab.ops.methods.naive import naive
from convlab.ops.methods.windows import windows

Array = NDArray[Any]
Method = Callable[[Array, Array, tuple[int, int], tuple[int, int]], Array]

BY_NAME: dict[str, Method] = {"naive": naive, "windows": windows}

__all__ = ["BY_NAME", "Method", "naive", "windows"]
