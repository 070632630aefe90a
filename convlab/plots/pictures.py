"""Pictures: images, the results of filters, the weights of a layer."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from convlab._validate import integer
from convlab.plots.drawing import DPI, INK, Drawing, arrays_of


def images(named: Mapping[str, ArrayLike], columns: int = 3, symmetric: bool = False) -> Drawing:
    """Draw pictures in a row, or in several.

    Parameters
    ----------
    named : mapping of str to array, (H, W) or (H, W, 3)
        Title and pixels. Grey pictures are stretched each from its darkest to its
        lightest value; colours are uint8, or floats from 0 to 1.
    columns : int
        How many to put beside each other.
    symmetric : bool
        Draw grey pictures with 0 in the middle grey, so that negative values are dark
        and positive ones light: for the results of filters.

    Returns
    -------
    Drawing
        One axes per picture, in the order given.

    Raises
    ------
    ValueError
        If there is nothing to draw, or an array is neither (H, W) nor (H, W, 3).

    Examples
    --------
    >>> drawing = images({"dark to light": np.arange(6).reshape(2, 3)})
    >>> drawing.axes[0].images[0].get_array().shape
    (2, 3)
    """
    arrays = arrays_of(named)
    columns = min(integer(columns, "columns", minimum=1), len(arrays))
    for title, array in arrays.items():
        if array.ndim != 2 and (array.ndim != 3 or array.shape[2] != 3):
            raise ValueError(f"{title!r} must be (H, W) or (H, W, 3), got shape {array.shape}")
    rows = -(-len(arrays) // columns)
    height, width = next(iter(arrays.values())).shape[:2]
    figure_width = 7.0
    panel = figure_width / columns
    drawing = Drawing(
        figsize=(figure_width, rows * (panel * height / width + 0.3)),
        layout="constrained",
        dpi=DPI,
    )
    axes = drawing.subplots(rows, columns, squeeze=False)
    for unused in axes.flat[len(arrays) :]:
        drawing.delaxes(unused)
    for axis, (title, array) in zip(drawing.axes, arrays.items(), strict=True):
        axis.set_axis_off()
        limit = (float(np.abs(array).max()) or 1.0) if symmetric else None
        axis.imshow(
            array,
            cmap="gray",
            vmin=None if limit is None else -limit,
            vmax=limit,
            interpolation="nearest",
        )
        axis.set_title(title, fontsize=10, color=INK)
    return drawing


def kernels(weight: ArrayLike) -> Drawing:
    """Draw the weight of a convolution: a row per kernel, a column per channel it reads.

    Parameters
    ----------
    weight : array, (O, C / groups, kH, kW)
        All slices share one colour scale: blue below zero, white at zero, red above.

    Returns
    -------
    Drawing
        O * C / groups axes, kernel by kernel, and the colour bar.

    Raises
    ------
    ValueError
        If `weight` is not four-dimensional.

    Examples
    --------
    >>> [axes.get_title() for axes in kernels(np.ones((2, 3, 3, 3))).axes[:3]]
    ['channel 0', 'channel 1', 'channel 2']
    """
    w = np.asarray(weight)
    if w.ndim != 4:
        raise ValueError(f"weight must be (out_channels, in_channels / groups, kH, kW), "
                         f"got shape {w.shape}")  # fmt: skip
    count, depth = w.shape[:2]
    limit = float(np.abs(w).max()) or 1.0
    drawing = Drawing(
        figsize=(0.95 * depth + 1.0, 0.95 * count + 0.4), layout="constrained", dpi=DPI
    )
    axes = drawing.subplots(count, depth, squeeze=False)
    for (o, c), axis in np.ndenumerate(axes):
        picture = axis.imshow(w[o, c], cmap="RdBu_r", vmin=-limit, vmax=limit)
        axis.set(xticks=[], yticks=[])
        if o == 0:
            axis.set_title(f"channel {c}", fontsize=9, color=INK)
        if c == 0:
            axis.set_ylabel(f"kernel {o}", fontsize=9, color=INK)
    drawing.colorbar(picture, ax=axes, shrink=min(1.0, 2.5 / count))
    return drawing
