"""Common convolutions without PyTorch: SciPy, NumPy and JAX, each in its shortest usual form."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from scipy import signal

from benchmarks.problems import Array, Call, Problem

# A convolution without groups or dilation: (padded x, w, stride) -> y
Plain = Callable[[Array, Array, int], Array]


@dataclass(frozen=True)
class Peer:
    """A contender that is not part of convlab; see `contenders.Contender`."""

    library: str
    prepare: Callable[[Problem], Call]
    divisible: str


def correlate(x: Array, w: Array, stride: int) -> Array:
    """Correlate channel by channel with SciPy and add up; a stride discards results."""

    def one(image: Array, kernel: Array) -> Array:
        planes = zip(image, kernel, strict=True)
        y: Array = np.sum([signal.correlate(*pair, mode="valid") for pair in planes], axis=0)
        return y

    y = np.stack([[one(image, kernel) for kernel in w] for image in x])
    return y[:, :, ::stride, ::stride]


def windows_of(x: Array, w: Array, stride: int) -> Array:
    """Return a view of all windows, (N, C, outH, outW, kH, kW)."""
    return sliding_window_view(x, w.shape[2:], axis=(2, 3))[:, :, ::stride, ::stride]


def einsum(x: Array, w: Array, stride: int) -> Array:
    """Convolve by `numpy.einsum`, which loops over the indices."""
    y: Array = np.einsum("ncijuv,ocuv->noij", windows_of(x, w, stride), w)
    return y


def einsum_optimized(x: Array, w: Array, stride: int) -> Array:
    """Convolve by `numpy.einsum` with `optimize`, which finds a matrix product."""
    y: Array = np.einsum("ncijuv,ocuv->noij", windows_of(x, w, stride), w, optimize=True)
    return y


def tensordot(x: Array, w: Array, stride: int) -> Array:
    """Convolve by one matrix product for the whole batch."""
    y: Array = np.tensordot(windows_of(x, w, stride), w, axes=((1, 4, 5), (1, 2, 3)))
    return np.moveaxis(y, -1, 1)


def im2col(x: Array, w: Array, stride: int) -> Array:
    """Convolve by one matrix product per image, with a window in each column."""
    windows = windows_of(x, w, stride)
    out_h, out_w = windows.shape[2:4]
    y = np.empty((len(x), len(w), out_h, out_w), x.dtype)
    for image, output in zip(windows, y, strict=True):
        columns = image.transpose(0, 3, 4, 1, 2).reshape(w[0].size, -1)  # (C kH kW, outH outW)
        output[...] = (w.reshape(len(w), -1) @ columns).reshape(output.shape)
    return y


def _plain(function: Plain) -> Callable[[Problem], Call]:
    def prepare(problem: Problem) -> Call:
        layer, x, w = problem.layer, problem.x, problem.w
        if layer.groups > 1 or layer.dilation > 1:
            raise ValueError("supports only groups=1 and dilation=1")
        border = ((0, 0), (0, 0), *[(layer.padding, layer.padding)] * 2)
        return lambda: (function(np.pad(x, border), w, layer.stride),)

    return prepare


def jax(problem: Problem) -> Call:
    """Compile JAX's convolution for the CPU.

    Raises
    ------
    ValueError
        If JAX is not installed, or the arrays are float64, which it converts to float32.
    """
    try:
        library: Any = importlib.import_module("jax")
    except ImportError as error:
        raise ValueError("jax is not installed") from error
    if problem.x.dtype == np.float64:
        raise ValueError("jax converts float64 to float32")
    layer = problem.layer
    compute = library.jit(
        lambda x, w: library.lax.conv_general_dilated(
            x,
            w,
            window_strides=(layer.stride, layer.stride),
            padding=[(layer.padding, layer.padding)] * 2,
            rhs_dilation=(layer.dilation, layer.dilation),
            feature_group_count=layer.groups,
            dimension_numbers=("NCHW", "OIHW", "NCHW"),
        )
    )
    arrays = library.numpy.asarray(problem.x), library.numpy.asarray(problem.w)
    compute(*arrays).block_until_ready()  # compiles, once per shape
    return lambda: (compute(*arrays).block_until_ready(),)


PEERS = {
    "scipy correlate": Peer("numpy", _plain(correlate), "kernels"),
    "einsum": Peer("numpy", _plain(einsum), "kernels"),
    "tensordot": Peer("numpy", _plain(tensordot), ""),
    "einsum optimized": Peer("numpy", _plain(einsum_optimized), ""),
    "im2col per image": Peer("numpy", _plain(im2col), ""),
    "jax": Peer("jax", jax, ""),
}
