"""Conversion of images and weights between the memory layouts of different libraries.

A layout is a word with one letter per axis: ``N`` images, ``C`` channels, ``H`` and ``W`` height
and width; for weights ``O`` output channels and ``I`` input channels (of one group).

=====================  ==========  ==========================
library                images      weight
=====================  ==========  ==========================
PyTorch, ONNX          ``NCHW``    ``OIHW``
  transposed           ``NCHW``    ``IOHW``
TensorFlow, Keras      ``NHWC``    ``HWIO``
  transposed           ``NHWC``    ``HWOI``
  depthwise            ``NHWC``    ``HWCM``, see below
=====================  ==========  ==========================

Groups do not change the layouts: every library orders the output channels group by group. All
functions take arrays of any dtype, and return new ones of the same dtype; they raise ``TypeError``
for an argument that cannot be read as an array.

Sources: the documentation of ``torch.nn``, ``tf.nn``, ``keras.layers`` and
``jax.lax.conv_general_dilated``; the ONNX standard.
"""

from __future__ import annotations

from typing import Any, SupportsIndex

import numpy as np
from numpy.typing import ArrayLike, NDArray

from convlab._validate import integer
from convlab.ops.checks import as_array


def change_layout(array: ArrayLike, source: str, target: str) -> NDArray[Any]:
    """Move the axes of an image or a weight from one layout to another.

    Parameters
    ----------
    array : array
        Any dtype.
    source, target : str
        The letters of the axes, before and after: the same letters, each once. Any letters are
        allowed.

    Returns
    -------
    array
        New, contiguous in the new order (and writable, which the arrays of JAX are not).

    Raises
    ------
    TypeError
        If `array` cannot be read as an array, or a layout is not a string.
    ValueError
        If a letter appears twice, the letters of the two layouts differ, or their number is not
        that of the axes.

    Examples
    --------
    An RGB image from Keras to PyTorch, and a kernel of Keras:

    >>> change_layout(np.zeros((1, 224, 300, 3)), "NHWC", "NCHW").shape
    (1, 3, 224, 300)
    >>> change_layout(np.zeros((3, 5, 16, 32)), "HWIO", "OIHW").shape
    (32, 16, 3, 5)
    """
    x = as_array(array, "array")
    for name, layout in (("source", source), ("target", target)):
        if not isinstance(layout, str):
            raise TypeError(f"{name} must be a string such as 'NCHW', got {layout!r}")
        if len(set(layout)) != len(layout):
            raise ValueError(f"{name}={layout!r} repeats a letter: the letters must be distinct")
    if set(source) != set(target):
        raise ValueError(
            f"source={source!r} and target={target!r} must have the same letters: "
            f"{sorted(set(source) ^ set(target))} appear in only one of them"
        )
    if x.ndim != len(source):
        raise ValueError(
            f"source={source!r} names {len(source)} axes, but the array has {x.ndim}: {x.shape}"
        )
    return np.array(x.transpose([source.index(letter) for letter in target]), order="C")


def depthwise_to_grouped(weight: ArrayLike) -> NDArray[Any]:
    """Convert a depthwise kernel of Keras to a weight for ``conv2d(..., groups=C)``.

    Keras has separate axes for the channel `c` and the number `m` of its kernel; the output
    channels of both libraries are in the order ``c * M + m``.

    Parameters
    ----------
    weight : array, (kH, kW, C, M)
        The kernel of ``keras.layers.DepthwiseConv2D(depth_multiplier=M)`` or of
        ``tf.nn.depthwise_conv2d`` for images of C channels.

    Returns
    -------
    array, (C * M, 1, kH, kW)

    Raises
    ------
    ValueError
        If `weight` does not have four axes.

    Examples
    --------
    >>> depthwise_to_grouped(np.arange(6).reshape(1, 1, 3, 2)).ravel()
    array([0, 1, 2, 3, 4, 5])
    >>> depthwise_to_grouped(np.zeros((3, 5, 16, 2))).shape
    (32, 1, 3, 5)
    """
    w = change_layout(weight, "HWCM", "CMHW")
    return w.reshape(-1, 1, *w.shape[2:])


def grouped_to_depthwise(weight: ArrayLike, in_channels: SupportsIndex) -> NDArray[Any]:
    """Convert the weight of a depthwise convolution of PyTorch to a depthwise kernel of Keras.

    Parameters
    ----------
    weight : array, (C * M, 1, kH, kW)
        The weight of ``nn.Conv2d(C, C * M, ..., groups=C)``.
    in_channels : int
        C, at least 1. The shape of the weight does not determine it: six kernels are six channels,
        or three with two kernels each.

    Returns
    -------
    array, (kH, kW, C, M)

    Raises
    ------
    ValueError
        If the weight is not that of a depthwise convolution of that many channels.

    Examples
    --------
    >>> grouped_to_depthwise(np.zeros((32, 1, 3, 5)), in_channels=16).shape
    (3, 5, 16, 2)
    """
    w = as_array(weight, "weight")
    channels = integer(in_channels, "in_channels", minimum=1)
    if w.ndim != 4 or w.shape[1] != 1:
        raise ValueError(
            f"weight must be (out_channels, 1, kH, kW), one input channel per kernel, got {w.shape}"
        )
    if len(w) % channels:
        raise ValueError(
            f"weight of shape {w.shape} has {len(w)} kernels, which is not divisible by "
            f"in_channels={channels}: every channel has the same number of kernels"
        )
    return change_layout(w.reshape(channels, len(w) // channels, *w.shape[2:]), "CMHW", "HWCM")


def turn_kernel(weight: ArrayLike) -> NDArray[Any]:
    """Flip every kernel along both axes (rotate it by 180 degrees).

    This is the difference between cross-correlation, which deep learning libraries compute, and the
    convolution of mathematics (``scipy.signal.convolve2d``); also between the transposed
    convolution of most libraries and ``conv_transpose`` of JAX, which by default does not flip the
    kernel. The last two axes of `weight` are rows and columns; with fewer, it raises
    ``ValueError``.

    Examples
    --------
    >>> turn_kernel([[1, 2], [3, 4]])
    array([[4, 3],
           [2, 1]])
    """
    w = as_array(weight, "weight")
    if w.ndim < 2:
        raise ValueError(f"weight must have shape (..., kH, kW), got {w.shape}")
    return np.array(w[..., ::-1, ::-1], order="C")
