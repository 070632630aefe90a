"""What a layer sees and what it looks for: feature maps and the kernels of a first layer."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike, NDArray

from convlab._validate import integer
from convlab.plots.drawing import DPI, INK, LINE, Drawing

Scale = Literal["common", "each"]
WIDTH = 6.5  # inches


def feature_maps(array: ArrayLike, columns: int = 4, scale: Scale = "common") -> Drawing:
    """Draw the channels of a feature map as a grid of pictures.

    Maps without negative numbers, as they come from a ReLU, are drawn from black (zero) to
    white. Others are drawn in blue (negative), white (zero) and red (positive).

    Parameters
    ----------
    array : array, (C, H, W)
        What came out of a layer, for one image. Of a tensor: ``maps[0].detach()``.
    columns : int
        How many maps to put beside each other.
    scale : {'common', 'each'}
        With ``'common'``, one number has one colour in all maps, and a bar says which: weak
        channels look weak. With ``'each'``, every map has a scale of its own, which shows
        what is in the weak ones; its largest absolute value stands above it.

    Returns
    -------
    Drawing
        One axes per channel, in their order, and the colour bar if the scale is common.

    Raises
    ------
    ValueError
        If `array` is not (C, H, W), is empty, holds NaN or infinity, `columns` is below 1,
        or `scale` is another word.

    Examples
    --------
    >>> maps = np.array([[[0, 1], [2, 3]], [[0, 0], [0, 9]]])
    >>> [axes.images[0].get_clim() for axes in feature_maps(maps, scale="each").axes]
    [(0.0, 3.0), (0.0, 9.0)]
    """
    maps = _finite(array, "array", 3, "(C, H, W)")
    _check_scale(scale)
    limits = np.abs(maps).max(axis=(1, 2)).astype(float)
    signed = bool((maps < 0).any())
    drawing, axes = _grid(len(maps), maps.shape[1] / maps.shape[2], columns, scale == "common")
    for channel, axis in enumerate(axes):
        limit = limits.max() if scale == "common" else limits[channel]
        limit = limit or 1.0  # a map of zeros: any scale will do
        picture = axis.imshow(
            maps[channel],
            cmap="RdBu_r" if signed else "gray",
            vmin=-limit if signed else 0.0,
            vmax=limit,
            interpolation="nearest",
        )
        extent = "" if scale == "common" else f": {'±' if signed else ''}{limits[channel]:.2g}"
        _title(axis, f"{channel}{extent}")
    if scale == "common":
        drawing.colorbar(picture, ax=axes, shrink=0.8, aspect=30, pad=0.02)
    return drawing


def filters(
    weight: ArrayLike, columns: int = 8, scale: Scale = "common", channel: int | None = None
) -> Drawing:
    """Draw the kernels of a first layer as small pictures around the middle grey.

    Weights are positive and negative, pixels are not: a weight of 0 becomes the middle grey,
    and the largest absolute value black or white. (A stretch from the smallest weight to
    the largest would put 0 at another grey in every layer.) The weights stay as they are.

    Parameters
    ----------
    weight : array, (O, C, kH, kW)
        Kernels that read red, green and blue (C = 3) are drawn in colour, those that read
        one channel in grey. Of a layer: ``layer.weight.detach()``.
    columns : int
        How many kernels to put beside each other.
    scale : {'common', 'each'}
        Whether the largest absolute value is that of all kernels, or of each for itself.
    channel : int, optional
        Draw this slice of every kernel, in grey; for layers that read any number of
        channels. `convlab.plots.kernels` draws all slices of a few kernels.

    Returns
    -------
    Drawing
        One axes per kernel, in their order.

    Raises
    ------
    ValueError
        If `weight` is not four-dimensional, is empty, holds NaN or infinity, reads neither 1
        nor 3 channels while no `channel` is given, `channel` does not exist, `columns` is
        below 1, or `scale` is another word.

    Examples
    --------
    >>> weight = np.zeros((2, 3, 5, 5))
    >>> weight[0, 0], weight[1, 2] = 1, -2  # red, and the opposite of blue
    >>> filters(weight).axes[0].images[0].get_array()[0, 0].tolist()
    [0.75, 0.5, 0.5]
    """
    w = _finite(weight, "weight", 4, "(out_channels, in_channels, kH, kW)").astype(float)
    _check_scale(scale)
    if channel is not None:
        channel = integer(channel, "channel", minimum=0)
        if channel >= w.shape[1]:
            raise ValueError(f"channel must be below {w.shape[1]}, which the kernels read, "
                             f"got {channel}")  # fmt: skip
        w = w[:, channel : channel + 1]
    if w.shape[1] not in (1, 3):
        raise ValueError(
            f"kernels that read {w.shape[1]} channels have no colours: "
            "name one with channel=, or use convlab.plots.kernels"
        )
    limits = np.abs(w).max(axis=(1, 2, 3), keepdims=True)
    limits = np.full_like(limits, limits.max()) if scale == "common" else limits
    pictures = (0.5 + w / (2 * np.where(limits > 0, limits, 1.0))).transpose(0, 2, 3, 1)
    drawing, axes = _grid(len(w), w.shape[2] / w.shape[3], columns, bar=False)
    for number, axis in enumerate(axes):
        picture = pictures[number] if w.shape[1] == 3 else pictures[number, :, :, 0]
        axis.imshow(picture, cmap="gray", vmin=0.0, vmax=1.0, interpolation="nearest")
        _title(axis, str(number))
    return drawing


def _finite(array: ArrayLike, name: str, ndim: int, shape: str) -> NDArray[Any]:
    values = np.asarray(array)
    if values.ndim != ndim or not values.size:
        raise ValueError(f"{name} must be {shape}, none of them 0, got shape {values.shape}")
    if not np.isfinite(values).all():
        raise ValueError(f"{name} holds NaN or infinity, which has no colour")
    return values


def _check_scale(scale: str) -> None:
    if scale not in ("common", "each"):
        raise ValueError(f"scale must be 'common' or 'each', got {scale!r}")


def _grid(count: int, ratio: float, columns: int, bar: bool) -> tuple[Drawing, list[Axes]]:
    """Make axes for `count` pictures whose height is `ratio` times their width."""
    columns = min(integer(columns, "columns", minimum=1), count)
    rows = -(-count // columns)
    panel = min(WIDTH / columns, 2.2)
    size = columns * panel + (0.6 if bar else 0.0), rows * (panel * ratio + 0.26)
    drawing = Drawing(figsize=size, layout="constrained", dpi=DPI)
    axes = drawing.subplots(rows, columns, squeeze=False).ravel().tolist()
    for unused in axes[count:]:
        drawing.delaxes(unused)
    return drawing, axes[:count]


def _title(axis: Axes, title: str) -> None:
    axis.set(xticks=[], yticks=[])
    axis.spines[:].set_color(LINE)
    axis.set_title(title, fontsize=10, color=INK, pad=3)
