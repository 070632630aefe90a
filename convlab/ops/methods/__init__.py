"""Methods that compute the same convolution in different ways.

A method is one function in one file, so that two of them can be read side by side:

    method(x, w, geometry) -> y

with `x` of shape ``(N, C, H, W)``, `w` of shape ``(O, C / groups, kH, kW)``, a
`convlab.ops.geometry.Geometry`, and `y` of shape ``(N, O, outH, outW)`` in the dtype of `x`. The
padding is with zeros. The arguments have been checked: the kernel fits, and no size but N is 0.

For the simple methods, a decorator pads the images and calls the method once per group. The fast
ones handle padding and groups themselves, as part of their speed comes from it.
"""

from __future__ import annotations

from functools import partial

from convlab.ops.geometry import Method
from convlab.ops.methods.blocked import blocked
from convlab.ops.methods.depthwise import depthwise
from convlab.ops.methods.fft import fft
from convlab.ops.methods.im2col import im2col
from convlab.ops.methods.naive import naive
from convlab.ops.methods.windows import windows
from convlab.ops.winograd import winograd

BY_NAME: dict[str, Method] = {
    "naive": naive,
    "windows": windows,
    "im2col": im2col,
    "blocked": blocked,
    "fft": fft,
    "winograd2": partial(winograd, outputs=2),
    "winograd4": partial(winograd, outputs=4),
    "depthwise": depthwise,
}
