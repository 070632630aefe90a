"""Grouped convolution: its weight without groups, and the channel shuffle."""

from __future__ import annotations

from typing import Any, SupportsIndex

import numpy as np
from numpy.typing import ArrayLike, NDArray

from convlab._validate import check_weight_shape, integer
from convlab.ops.checks import as_array, batch_of_images
from convlab.shapes import conv2d_channels_read


def ungrouped_weight(weight: ArrayLike, groups: SupportsIndex = 1) -> NDArray[Any]:
    """Convert the weight of a grouped convolution to that of an equivalent ordinary one.

    A kernel keeps its slices, and gets slices of zeros for the input channels of the other groups.
    As a matrix of kernels and channels, the result is block-diagonal.

    Parameters
    ----------
    weight : array, (O, C / groups, kH, kW)
        Of any dtype.
    groups : int
        Divides O.

    Returns
    -------
    array, (O, C, kH, kW)
        New, of the same dtype. ``conv2d(x, ungrouped_weight(w, groups))`` is
        ``conv2d(x, w, groups=groups)``, up to rounding, if `x` is finite: an infinity or NaN is
        also multiplied by the zeros, and makes the other groups NaN.

    Raises
    ------
    TypeError
        If `groups` is not an int, or `weight` cannot be read as an array.
    ValueError
        If `weight` does not have four axes, or a size of 0, or O is not divisible by `groups`.

    Examples
    --------
    >>> w = np.arange(1, 9).reshape(4, 2, 1, 1)
    >>> ungrouped_weight(w, groups=2)[:, :, 0, 0]
    array([[1, 2, 0, 0],
           [3, 4, 0, 0],
           [0, 0, 5, 6],
           [0, 0, 7, 8]])
    """
    w = as_array(weight, "weight")
    check_weight_shape(w.shape)
    groups = integer(groups, "groups", minimum=1)
    channels = w.shape[1] * groups
    ungrouped = np.zeros((w.shape[0], channels, *w.shape[2:]), w.dtype)
    for kernel, read in enumerate(conv2d_channels_read(channels, w.shape[0], groups)):
        ungrouped[kernel, read.start : read.stop] = w[kernel]
    return ungrouped


def channel_shuffle(input: ArrayLike, groups: SupportsIndex) -> NDArray[Any]:
    """Rearrange the channels so that each new group has channels of every old one.

    The first channels of all groups come first, then all second ones, and so on: if each group is a
    row of a table, the table is read column by column. Equivalent to ``torch.nn.ChannelShuffle``.
    Returns a new array of the same shape and dtype.

    Parameters
    ----------
    input : array, (N, C, H, W) or (C, H, W)
        Of any dtype.
    groups : int
        Divides C.

    Raises
    ------
    TypeError
        If `groups` is not an int, or `input` cannot be read as an array.
    ValueError
        If `input` has another number of axes or no pixels, or C is not divisible by `groups`.

    Notes
    -----
    Source: Zhang, Zhou, Lin, Sun, "ShuffleNet: An Extremely Efficient Convolutional Neural Network
    for Mobile Devices" (2018).

    Examples
    --------
    >>> channel_shuffle(np.arange(6).reshape(6, 1, 1), groups=2).ravel()
    array([0, 3, 1, 4, 2, 5])
    """
    x, unbatched = batch_of_images(as_array(input, "input"), "input")
    groups = integer(groups, "groups", minimum=1)
    images, channels, height, width = x.shape
    if channels % groups:
        raise ValueError(
            f"input of shape {x.shape} has {channels} channels, which is not divisible by "
            f"groups={groups}"
        )
    by_group = x.reshape(images, groups, channels // groups, height, width)
    # swapaxes returns a view; the copy moves the numbers.
    shuffled: NDArray[Any] = by_group.swapaxes(1, 2).copy().reshape(x.shape)
    return shuffled[0] if unbatched else shuffled
