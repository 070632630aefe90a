"""Around grouped convolution: the ordinary weight that does the same, and the channel shuffle."""

from __future__ import annotations

from typing import Any, SupportsIndex

import numpy as np
from numpy.typing import ArrayLike, NDArray

from convlab._validate import integer
from convlab.ops.checks import as_array, batch_of_images
from convlab.shapes import conv2d_channels_read


def ungrouped_weight(weight: ArrayLike, groups: SupportsIndex = 1) -> NDArray[Any]:
    """Write the weight of a grouped convolution as that of an ordinary one.

    A kernel gets a slice for every input channel: its own ones, and zeros for the channels of
    the other groups. Seen as a matrix of kernels and channels, the result is block-diagonal.

    Parameters
    ----------
    weight : array, (O, C / groups, kH, kW)
        Of any dtype.
    groups : int
        Divides O.

    Returns
    -------
    array, (O, C, kH, kW)
        A new array of the same dtype. ``conv2d(x, ungrouped_weight(w, groups))`` is
        ``conv2d(x, w, groups=groups)``, up to rounding, as long as `x` is finite: an infinity
        or NaN meets the zeros, and spoils the channels of the other groups too.

    Raises
    ------
    TypeError
        If `groups` is not an int, or `weight` is no array.
    ValueError
        If `weight` does not have four axes without a size of 0, or O is not divisible by
        `groups`.

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
    if w.ndim != 4 or 0 in w.shape:
        raise ValueError(
            f"weight must be (out_channels, in_channels / groups, kH, kW) with no size of 0, "
            f"got shape {w.shape}"
        )
    groups = integer(groups, "groups", minimum=1)
    channels = w.shape[1] * groups
    whole = np.zeros((w.shape[0], channels, *w.shape[2:]), w.dtype)
    for kernel, read in enumerate(conv2d_channels_read(channels, w.shape[0], groups)):
        whole[kernel, read.start : read.stop] = w[kernel]
    return whole


def channel_shuffle(input: ArrayLike, groups: SupportsIndex) -> NDArray[Any]:
    """Deal the channels out anew, so that each new group gets channels of every old one.

    The first channels of all groups come first, then all second ones, and so on: with the
    channels of a group in a row of a table, the table is read column by column.

    Parameters
    ----------
    input : array, (N, C, H, W) or (C, H, W)
        Of any dtype.
    groups : int
        Divides C.

    Returns
    -------
    array
        A new array of the shape of `input`; no number is changed.

    Raises
    ------
    TypeError
        If `groups` is not an int, or `input` is no array.
    ValueError
        If `input` has another number of axes or no pixels, or C is not divisible by `groups`.

    References
    ----------
    Zhang, Zhou, Lin, Sun, "ShuffleNet: An Extremely Efficient Convolutional Neural Network for
    Mobile Devices" (2018). ``torch.nn.ChannelShuffle``.

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
    table = x.reshape(images, groups, channels // groups, height, width)
    # swapaxes only changes how the memory is read; the copy makes the new order real.
    shuffled: NDArray[Any] = table.swapaxes(1, 2).copy().reshape(x.shape)
    return shuffled[0] if unbatched else shuffled
