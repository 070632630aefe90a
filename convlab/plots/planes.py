"""Figures of planes: the kernels of a convolution as blocks, a batch on its way through a layer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch
from numpy.typing import ArrayLike

from convlab._validate import flag, integer
from convlab.plots.drawing import INPUT, LINE, READ, Drawing, cell, write
from convlab.plots.networks import GROUP_COLOURS
from convlab.shapes import conv2d_output_size

# In cells: how far a plane stands behind another, and the sides of the squares in `kernel_blocks`
# (of the input, the kernels and the maps), without and with the parts.
PLANE_OFFSET = 0.9
BLOCK_SIDES, PART_SIDES = (6, 3, 4), (4, 2, 3)
# In `batch_through_layer`: the most images and the longest side, and the width of the layer.
MAX_IMAGES, MAX_SIDE, LAYER_WIDTH = 4, 8, 5.4


def kernel_blocks(in_channels: int, out_channels: int, parts: bool = False) -> Drawing:
    """Draw the kernels of a convolution as blocks: each reads all channels and makes one map.

    From left to right: the planes of the input, one behind the other, with a window coloured in
    each; the kernels, each with a slice for every plane; and the map that each makes.

    Parameters
    ----------
    in_channels, out_channels : int
        The planes of the input and the number of kernels, each from 1 to 6.
    parts : bool
        Whether to draw, before each map, the part that every slice makes, and that they and the
        bias are added. The window is then 2×2 cells, else 3×3.

    Raises
    ------
    TypeError, ValueError
        If a number is not an int, or not from 1 to 6, or `parts` is not a bool.

    Examples
    --------
    >>> drawing = kernel_blocks(3, 1)
    >>> [text.get_text() for text in drawing.axes[0].texts][::4]
    ['3 channels', '1 map']
    """
    counts = {"in_channels": in_channels, "out_channels": out_channels}
    for name, count in counts.items():
        if integer(count, name, minimum=1) > len(GROUP_COLOURS):
            raise ValueError(f"{name} must be at most {len(GROUP_COLOURS)}, got {count}")
    input_side, kernel_side, map_side = PART_SIDES if flag(parts, "parts") else BLOCK_SIDES
    depth = PLANE_OFFSET * (in_channels - 1)
    row = max(kernel_side + depth, map_side + depth * parts) + 1
    height = max(out_channels * row, input_side + depth + 1)
    gap = 1.8 if parts else 2.6
    kernel_x = input_side + depth + gap
    part_x = kernel_x + kernel_side + depth + gap
    map_x = part_x + (map_side + depth + 4.8 if parts else 0)
    scale, fontsize = (0.18, 13) if parts else (0.2, 11)  # inches per cell, points
    drawing = Drawing(scale * (map_x + map_side), scale * (height + 3), layout=None)
    ax = drawing.add_axes((0, 0, 1, 1))
    ax.set(xlim=(-0.1, map_x + map_side + 0.1), ylim=(-3, height), aspect="equal")
    ax.set_axis_off()
    middle = height / 2
    bottom = middle - (input_side + depth) / 2
    _draw_planes(ax, 0, bottom, [READ] * in_channels, input_side, kernel_side)
    write(ax, (input_side + depth) / 2, -1.5, _count(in_channels, "channel"), fontsize)
    write(ax, kernel_x - gap / 2, middle, "⋆", 30)
    for kernel in range(out_channels):
        colour = GROUP_COLOURS[kernel]
        centre = middle + ((out_channels - 1) / 2 - kernel) * row
        bottom = centre - (kernel_side + depth) / 2
        _draw_planes(ax, kernel_x, bottom, [colour] * in_channels, kernel_side, kernel_side)
        write(ax, part_x - gap / 2, centre, "→", 15)
        if parts:
            bottom = centre - (map_side + depth) / 2
            _draw_planes(ax, part_x, bottom, [colour] * in_channels, map_side, 1)
            write(ax, map_x - 3.2, centre, f"sum\n+ $b_{kernel}$", fontsize)
            write(ax, map_x - 0.9, centre, "→", 15)
        _draw_planes(ax, map_x, centre - map_side / 2, [colour], map_side, 1)
    slices = f"{_count(out_channels, 'kernel')}\nof {_count(in_channels, 'slice')}"
    write(ax, kernel_x + (kernel_side + depth) / 2, -1.5, slices, fontsize)
    if parts:
        words = f"{_count(in_channels, 'part')}\nfor each"
        write(ax, part_x + (map_side + depth) / 2, -1.5, words, fontsize)
    write(ax, map_x + map_side / 2, -1.5, _count(out_channels, "map"), fontsize)
    return drawing


def batch_through_layer(input_shape: Sequence[int], weight_shape: Sequence[int]) -> Drawing:
    """Draw a batch on its way through a convolution, with the axes of both arrays labelled.

    A row for each image: its channels on the left, one plane behind the other, its feature maps
    on the right. The box between them is the layer, of stride 1 and without padding; a window and
    the output cells that it makes are coloured in each image.

    Parameters
    ----------
    input_shape : (N, C, H, W)
        The batch: 1 to 4 images, of 1 to 6 channels and sides from 1 to 8.
    weight_shape : (C_out, C, kH, kW)
        The kernels, 1 to 6.

    Raises
    ------
    TypeError, ValueError
        If a shape does not have four ints, a number is out of its range, the two shapes have
        different numbers of channels, or the kernel is larger than the image.

    Examples
    --------
    >>> drawing = batch_through_layer((3, 1, 5, 4), (4, 1, 2, 3))
    >>> [text.get_text() for text in drawing.axes[0].texts][-9::3]
    ['image 0', 'image 1', 'image 2']
    """
    images, channels, *size = _four(input_shape, "input_shape")
    kernels, slices, *window = _four(weight_shape, "weight_shape")
    limits = {"N": (images, MAX_IMAGES), "C": (channels, len(GROUP_COLOURS))}
    limits |= {"C_out": (kernels, len(GROUP_COLOURS))}
    limits |= {"H": (size[0], MAX_SIDE), "W": (size[1], MAX_SIDE)}
    for name, (number, limit) in limits.items():
        if number > limit:
            raise ValueError(f"{name} must be at most {limit}, got {number}")
    if slices != channels:
        raise ValueError(f"input_shape has {channels} channels, weight_shape {slices} slices")
    output = conv2d_output_size((size[0], size[1]), (window[0], window[1]))
    return _draw_batch((images, channels, *size), (images, kernels, *output), window)


def _four(shape: Sequence[int], name: str) -> list[int]:
    """Check that a shape consists of four ints of at least 1."""
    if len(shape) != 4:
        raise ValueError(f"{name} must have four numbers, got {tuple(shape)}")
    return [integer(number, f"{name}[{i}]", minimum=1) for i, number in enumerate(shape)]


def _draw_batch(before: tuple[int, ...], after: tuple[int, ...], window: Sequence[int]) -> Drawing:
    (in_width, in_height), (out_width, out_height) = map(_stack_size, (before, after))
    row = max(in_height, out_height) + 1.4
    layer_x = in_width + 2
    out_x = layer_x + LAYER_WIDTH + 3.2
    height, width = before[0] * row, out_x + max(out_width, 4)
    drawing = Drawing(0.2 * (width + 4.1), 0.2 * (height + 4.8), layout=None)
    ax = drawing.add_axes((0, 0, 1, 1))
    ax.set(xlim=(-4, width + 0.1), ylim=(-1.6, height + 3.2), aspect="equal")
    ax.set_axis_off()
    corner, style = (layer_x, 0.5), "round,pad=0.1"
    box = FancyBboxPatch(corner, LAYER_WIDTH, height - 1, style, facecolor=INPUT, edgecolor=LINE)
    ax.add_patch(box)
    words = [_count(after[1], "kernel"), f"of {_count(before[1], 'slice')},"]
    words += [f"{window[0]} × {window[1]},", "the same", "for every", "image"]
    write(ax, layer_x + LAYER_WIDTH / 2, height / 2, "\n".join(words), 12)
    sides = (0.0, in_width, before, "in", window), (out_x, out_width, after, "out", [1, 1])
    for x, stack_width, shape, place, coloured in sides:
        images, channels, rows, columns = shape
        symbols = [rf"${name}_\mathrm{{{place}}}$" for name in "CHW"]
        title = f"$(N$, {', '.join(symbols)}$)$\n{shape}"
        write(ax, x + max(stack_width, 4) / 2, height + 1.7, title, 12)
        colours = GROUP_COLOURS if place == "out" else (READ,) * channels
        for image in range(images):
            centre = height - (image + 0.5) * row
            bottom = centre - (rows + PLANE_OFFSET * (channels - 1)) / 2
            _draw_planes(ax, x, bottom, colours[:channels], (rows, columns), coloured)
        write(ax, x + columns / 2, bottom - 0.8, f"{symbols[2]} = {columns}", 12)
        write(ax, x - 0.8, bottom + rows / 2, f"{symbols[1]} = {rows}", 12, rotation=90)
        if channels > 1:
            along: dict[str, Any] = {"ha": "left", "va": "bottom", "rotation": 45}
            label = f"{symbols[0]} = {channels}"
            write(ax, x - 0.2, bottom + rows + 0.2, label, 12, rotation_mode="anchor", **along)
    for image in range(before[0]):
        centre = height - (image + 0.5) * row
        write(ax, -2.6, centre, f"image {image}", 12, rotation=90)
        write(ax, layer_x - 1, centre, "→", 15)
        write(ax, layer_x + LAYER_WIDTH + 1, centre, "→", 15)
    return drawing


def _stack_size(shape: Sequence[int]) -> tuple[float, float]:
    """Return the width and height, in cells, of the planes of one image."""
    depth = PLANE_OFFSET * (shape[1] - 1)
    return shape[3] + depth, shape[2] + depth


def _count(number: int, name: str) -> str:
    return f"{number} {name}{'s' if number > 1 else ''}"


def _draw_planes(
    ax: Axes,
    left: float,
    bottom: float,
    colours: Sequence[str],
    size: ArrayLike,
    coloured: ArrayLike,
) -> None:
    """Draw planes one behind the other, each with `coloured` rows and columns at the top left.

    `size` and `coloured` are one int or a pair, rows and columns.
    """
    rows, columns = np.broadcast_to(size, 2)
    coloured_rows, coloured_columns = np.broadcast_to(coloured, 2)
    for plane, colour in reversed(list(enumerate(colours))):
        x, y = left + 0.5 + PLANE_OFFSET * plane, bottom + rows - 0.5 + PLANE_OFFSET * plane
        for i, j in np.ndindex(rows, columns):
            is_coloured = i < coloured_rows and j < coloured_columns
            cell(ax, x + j, y - i, colour if is_coloured else INPUT)
