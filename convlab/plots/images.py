"""Pictures of arrays: images, the weights of a layer, and its feature maps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from numpy.typing import ArrayLike, NDArray

from convlab._validate import integer
from convlab.ops import conv2d
from convlab.plots.drawing import (
    INK,
    LINE,
    READ,
    Drawing,
    arrays_of,
    cell,
    grid_size,
    panel_axes,
    write,
)

Scale = Literal["common", "each"]


def images(
    pictures: Mapping[str, ArrayLike],
    columns: int = 3,
    symmetric: bool = False,
    scale: Scale = "each",
    width: float = 7.0,
) -> Drawing:
    """Draw pictures with their titles in a grid.

    Parameters
    ----------
    pictures : mapping of str to array, (H, W) or (H, W, 3)
        Title and pixels. Grey pictures are stretched from their darkest to their lightest value;
        colours are uint8, or floats from 0 to 1.
    columns : int
        The number of pictures side by side.
    symmetric : bool
        Draw grey pictures with 0 in the middle grey, negative values darker and positive ones
        lighter, for example the results of filters.
    scale : {'each', 'common'}
        With ``'each'``, every grey picture is stretched by itself; with ``'common'``, a number
        has the same grey in all of them.
    width : float
        Of the whole figure, in inches. Where a page scales figures down, the titles of a narrow
        one stay larger.

    Raises
    ------
    ValueError
        If there is nothing to draw, an array is neither (H, W) nor (H, W, 3), or `scale` is
        invalid.

    Examples
    --------
    >>> drawing = images({"dark to light": np.arange(6).reshape(2, 3)})
    >>> drawing.axes[0].images[0].get_array().shape
    (2, 3)
    """
    arrays = arrays_of(pictures)
    rows, columns = grid_size(len(arrays), columns)
    for title, array in arrays.items():
        if array.ndim != 2 and (array.ndim != 3 or array.shape[2] != 3):
            raise ValueError(f"{title!r} must be (H, W) or (H, W, 3), got shape {array.shape}")
    _check_scale(scale)
    greys = [array for array in arrays.values() if array.ndim == 2]
    pixel_rows, pixel_columns = next(iter(arrays.values())).shape[:2]
    drawing = Drawing(width, rows * (width / columns * pixel_rows / pixel_columns + 0.3))
    axes = panel_axes(drawing, len(arrays), columns)
    for ax, (title, array) in zip(axes, arrays.items(), strict=True):
        scaled = greys if scale == "common" and greys else [array]
        low, high = (float(limit([limit(one) for one in scaled])) for limit in (np.min, np.max))
        if symmetric:
            high = max(-low, high) or 1.0
            low = -high
        ax.imshow(array, cmap="gray", vmin=low, vmax=high, interpolation="nearest")
        ax.set_axis_off()
        ax.set_title(title, fontsize=10, color=INK)
    return drawing


def convolution_step(image: ArrayLike, kernel: ArrayLike, row: int, column: int) -> Drawing:
    """Draw how one cell of a feature map comes about: window, products, sum, and the whole map.

    Parameters
    ----------
    image : array (H, W)
        A grey picture.
    kernel : array (kH, kW)
        The weights of one kernel, stride 1, no padding.
    row, column : int
        The cell of the feature map, and the upper left corner of the window.

    Raises
    ------
    ValueError
        If an array is not two-dimensional, or the map has no such cell.

    Examples
    --------
    >>> image = np.arange(30).reshape(5, 6)
    >>> drawing = convolution_step(image, [[-1, 1]], row=2, column=3)
    >>> drawing.axes[3].get_title()
    'the sum, 1, in the feature map'
    """
    pixels, weights = np.asarray(image), np.asarray(kernel)
    for name, array in (("image", pixels), ("kernel", weights)):
        if array.ndim != 2:
            raise ValueError(f"{name} must be two-dimensional, got shape {array.shape}")
    feature_map = conv2d(pixels[None, None] * 1.0, weights[None, None] * 1.0)[0, 0]
    row, column = integer(row, "row", minimum=0), integer(column, "column", minimum=0)
    rows, columns = feature_map.shape
    if row >= rows or column >= columns:
        raise ValueError(f"cell ({row}, {column}) is outside the feature map of {rows}x{columns}")
    height, width = weights.shape
    window = pixels[row : row + height, column : column + width]
    ratio = pixels.shape[0] / pixels.shape[1]
    drawing = Drawing(6.4, 6.4 * ratio + 0.8)
    axes = drawing.subplots(2, 2).ravel()
    for ax, array, corner, box in (
        (axes[0], pixels, (column, row), (width, height)),
        (axes[3], feature_map, (column, row), (1, 1)),
    ):
        limit = None if array is pixels else (float(np.abs(array).max()) or 1.0)
        low = None if limit is None else -limit
        ax.imshow(array, cmap="gray", vmin=low, vmax=limit, interpolation="nearest")
        frame = Rectangle((corner[0] - 0.5, corner[1] - 0.5), *box, fill=False)
        frame.set(edgecolor=READ, linewidth=2.5)
        ax.add_patch(frame)
    darkest, lightest = float(pixels.min()), float(pixels.max())
    for (i, j), pixel in np.ndenumerate(window):
        brightness = (pixel - darkest) / ((lightest - darkest) or 1.0)
        cell(axes[1], j, i, f"{brightness:.3f}")
        write(axes[1], j, i, f"{pixel:g}", 12, color="black" if brightness > 0.5 else "white")
        weight = f"({weights[i, j]:g})" if weights[i, j] < 0 else f"{weights[i, j]:g}"
        cell(axes[2], j, i, READ)
        write(axes[2], j, i, f"{pixel:g} · {weight}".replace("-", "\u2212"), 11)
    for ax in axes[1:3]:
        ax.set(xlim=(-0.6, width - 0.4), ylim=(height - 0.4, -0.6), aspect="equal")
    total = f"{feature_map[row, column]:g}".replace("-", "\u2212")
    titles = (
        "a window on a picture",
        "what it sees",
        "times the weights of the kernel",
        f"the sum, {total}, in the feature map",
    )
    for ax, title in zip(axes, titles, strict=True):
        ax.set_axis_off()
        ax.set_title(title, fontsize=10, color=INK)
    return drawing


def kernel_slices(weight: ArrayLike) -> Drawing:
    """Draw all slices of the weight of a convolution, a row per kernel, a column per channel.

    Parameters
    ----------
    weight : array, (O, C / groups, kH, kW)
        All slices share one colour scale: blue below zero, white at zero, red above.

    Raises
    ------
    ValueError
        If `weight` is not four-dimensional.

    Examples
    --------
    >>> drawing = kernel_slices(np.ones((2, 3, 3, 3)))
    >>> [axes.get_title() for axes in drawing.axes[:3]]
    ['channel 0', 'channel 1', 'channel 2']
    """
    w = np.asarray(weight)
    if w.ndim != 4:
        raise ValueError(
            f"weight must be (out_channels, in_channels / groups, kH, kW), got shape {w.shape}"
        )
    out_channels, in_channels = w.shape[:2]
    limit = float(np.abs(w).max()) or 1.0
    drawing = Drawing(0.95 * in_channels + 1.0, 0.95 * out_channels + 0.4)
    axes = panel_axes(drawing, out_channels * in_channels, in_channels)
    for index, ax in enumerate(axes):
        kernel, channel = divmod(index, in_channels)
        picture = ax.imshow(w[kernel, channel], cmap="RdBu_r", vmin=-limit, vmax=limit)
        ax.set(xticks=[], yticks=[])
        if kernel == 0:
            ax.set_title(f"channel {channel}", fontsize=9, color=INK)
        if channel == 0:
            ax.set_ylabel(f"kernel {kernel}", fontsize=9, color=INK)
    drawing.colorbar(picture, ax=axes, shrink=min(1.0, 2.5 / out_channels))
    return drawing


def filters(
    weight: ArrayLike, columns: int = 8, scale: Scale = "common", channel: int | None = None
) -> Drawing:
    """Draw each kernel of a first layer as a small picture, with 0 in middle grey.

    A weight of 0 becomes the middle grey, and the largest absolute value black or white. (A stretch
    from the smallest weight to the largest would put 0 at another grey in every layer.)

    Parameters
    ----------
    weight : array, (O, C, kH, kW)
        Kernels that read red, green and blue (C = 3) are drawn in colour, those that read one
        channel in grey. Of a layer: ``layer.weight.detach()``.
    columns : int
        The number of kernels side by side.
    scale : {'common', 'each'}
        Whether the largest absolute value is that of all kernels, or of each kernel.
    channel : int, optional
        Draw this slice of every kernel, in grey; for layers that read any number of channels.
        `convlab.plots.kernel_slices` draws all slices of a few kernels.

    Raises
    ------
    ValueError
        If `weight` is not four-dimensional, is empty or holds NaN or infinity, has neither 1 nor 3
        input channels while `channel` is None, or another argument is invalid.

    Examples
    --------
    >>> weight = np.zeros((2, 3, 5, 5))
    >>> weight[0, 0], weight[1, 2] = 1, -2  # red, and the opposite of blue
    >>> drawing = filters(weight)
    >>> drawing.axes[0].images[0].get_array()[0, 0].tolist()
    [0.75, 0.5, 0.5]
    """
    w = _finite(weight, "weight", 4, "(out_channels, in_channels, kH, kW)").astype(float)
    _check_scale(scale)
    if channel is not None:
        channel = integer(channel, "channel", minimum=0)
        if channel >= w.shape[1]:
            raise ValueError(f"channel must be below in_channels={w.shape[1]}, got {channel}")
        w = w[:, channel : channel + 1]
    if w.shape[1] not in (1, 3):
        raise ValueError(
            f"weight must have 1 or 3 input channels, got {w.shape[1]}: select one with channel=, "
            "or use convlab.plots.kernel_slices"
        )
    limits = np.abs(w).max(axis=(1, 2, 3), keepdims=True)  # (O, 1, 1, 1)
    limits = np.full_like(limits, limits.max()) if scale == "common" else limits
    pictures = 0.5 + w / (2 * np.where(limits > 0, limits, 1.0))  # (O, C, kH, kW)
    # Colours last; a single channel has no dimension of its own.
    pictures = pictures.transpose(0, 2, 3, 1) if w.shape[1] == 3 else pictures[:, 0]
    drawing, axes = _picture_grid(len(w), w.shape[2] / w.shape[3], columns)
    for number, (ax, picture) in enumerate(zip(axes, pictures, strict=True)):
        ax.imshow(picture, cmap="gray", vmin=0.0, vmax=1.0, interpolation="nearest")
        _add_title(ax, str(number))
    return drawing


def feature_maps(array: ArrayLike, columns: int = 4, scale: Scale = "common") -> Drawing:
    """Draw the channels of a feature map as a grid of pictures.

    Maps without negative numbers, such as the output of a ReLU, are drawn from black (zero) to
    white, others in blue (negative), white (zero) and red (positive).

    Parameters
    ----------
    array : array, (C, H, W)
        The output of a layer for one image. Of a tensor: ``maps[0].detach()``.
    columns : int
        The number of maps side by side.
    scale : {'common', 'each'}
        With ``'common'``, a number has the same colour in all maps, and a colour bar shows
        which. With ``'each'``, every map has its own scale, which shows the content of weak ones;
        its largest absolute value is printed above it.

    Raises
    ------
    ValueError
        If `array` is not (C, H, W), is empty or holds NaN or infinity, or another argument is
        invalid.

    Examples
    --------
    >>> maps = np.array([[[0, 1], [2, 3]], [[0, 0], [0, 9]]])
    >>> drawing = feature_maps(maps, scale="each")
    >>> [axes.images[0].get_clim() for axes in drawing.axes]
    [(0.0, 3.0), (0.0, 9.0)]
    """
    maps = _finite(array, "array", 3, "(C, H, W)")
    _check_scale(scale)
    common = scale == "common"
    signed = bool((maps < 0).any())
    limits = np.abs(maps).max(axis=(1, 2)).astype(float)  # (C,)
    ratio = maps.shape[1] / maps.shape[2]
    drawing, axes = _picture_grid(len(maps), ratio, columns, extra_width=0.6 if common else 0.0)
    for channel, ax in enumerate(axes):
        limit = (limits.max() if common else limits[channel]) or 1.0  # all zeros: any scale will do
        cmap, vmin = ("RdBu_r", -limit) if signed else ("gray", 0.0)
        picture = ax.imshow(maps[channel], cmap, vmin=vmin, vmax=limit, interpolation="nearest")
        largest = "" if common else f": {'±' if signed else ''}{limits[channel]:.2g}"
        _add_title(ax, f"{channel}{largest}")
    if common:
        drawing.colorbar(picture, ax=axes, shrink=0.8, aspect=30, pad=0.02)
    return drawing


def _finite(array: ArrayLike, name: str, ndim: int, shape: str) -> NDArray[Any]:
    values = np.asarray(array)
    if values.ndim != ndim or not values.size:
        raise ValueError(f"{name} must be {shape} and not empty, got shape {values.shape}")
    if not np.isfinite(values).all():
        raise ValueError(f"{name} must be finite, but contains NaN or infinity")
    return values


def _check_scale(scale: str) -> None:
    if scale not in ("common", "each"):
        raise ValueError(f"scale must be 'common' or 'each', got {scale!r}")


def _picture_grid(
    count: int, ratio: float, columns: int, extra_width: float = 0.0
) -> tuple[Drawing, list[Axes]]:
    """Make axes for `count` pictures whose height is `ratio` times their width."""
    rows, columns = grid_size(count, columns)
    width = min(6.5 / columns, 2.2)  # inches, of one picture
    drawing = Drawing(columns * width + extra_width, rows * (width * ratio + 0.26))
    return drawing, panel_axes(drawing, count, columns)


def _add_title(ax: Axes, title: str) -> None:
    ax.set(xticks=[], yticks=[])
    ax.spines[:].set_color(LINE)
    ax.set_title(title, fontsize=10, color=INK, pad=3)
