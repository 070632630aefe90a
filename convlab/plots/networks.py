"""Figures of the structure of networks: output shapes, channel connections, parts of a total."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import prod
from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Circle, Patch, Polygon

from convlab._validate import flag, integer
from convlab.ops import channel_shuffle
from convlab.plots.drawing import (
    INK,
    INPUT,
    LINE,
    READ,
    Drawing,
    cell,
    check_not_empty,
    legend_above,
    write,
)
from convlab.shapes import conv2d_channels_read

# Family of a layer: a part of its class name in lower case, and its colour. The colours differ in
# lightness, to be distinguishable in greyscale.
FAMILIES = {
    "convolution": ("conv", "#6f9fc8"),
    "pooling": ("pool", "#cfe3b4"),
    "fully connected": ("linear", "#8c4a6b"),
    "input": ("input", INPUT),
}
# Inches.
FIGURE_WIDTH = 4.4  # including the names; a phone shows it a little smaller
HEIGHT_PER_ROOT = 0.075  # of a box, for the square root of the side of a map
MAX_BOX_WIDTH = 1.8  # for the layer with the most channels
ROW_HEIGHT = 0.24  # of a line of text
# The same, of the drawing of a block with a skip connection.
BLOCK_WIDTH, BLOCK_HEIGHT, BAND_HEIGHT, TIP = 2.3, 0.32, 0.4, 0.09
SUM_RADIUS, SKIP_X, LEFT, RIGHT = 0.15, 1.62, -1.75, 2.95
BAND = "#e3ebf4"

# Light enough for dark digits. Neighbouring groups differ in lightness or in hue.
GROUP_COLOURS = (READ, "#5dade2", "#7dcea0", "#d98880", "#c39bd3", "#d4ac0d")
# Of the square of a channel, from one row to the next, and left for the titles; in channels.
CHANNEL_SIDE, ROW_GAP, TITLE_MARGIN = 0.7, 1.9, 1.4
CHANNEL_STEP, CHANNELS_WIDTH = 0.42, 4.8  # of a channel, and at most of a figure, in inches

# As in `network`: convolutions blue, fully connected layers dark.
PART_COLOURS = (FAMILIES["convolution"][1], FAMILIES["fully connected"][1], "#cfe3b4", "#f0c987")

Layer = tuple[str, str, tuple[int, ...]]
# For each channel, the groups of the first layer whose numbers it depends on.
Origins = list[frozenset[int]]


@dataclass
class _Box:
    """One layer, or several consecutive layers, in the drawing of a network."""

    name: str
    family: str
    shape: tuple[int, ...]
    last: str
    count: int = 1

    @property
    def plain_title(self) -> str:
        if self.family == "input":
            return self.name
        plural = "s" if self.count > 1 and self.family != "fully connected" else ""
        return f"{f'{self.count} ' if self.count > 1 else ''}{self.family}{plural}"

    @property
    def title(self) -> str:
        if self.count == 1 or self.last == self.name:
            return self.name
        parent = self.name.rpartition(".")[0] + "."
        return f"{self.name} to {self.last.removeprefix(parent)} ({self.count})"


def network(
    layers: Iterable[Layer | Mapping[str, Any]],
    depth: int | None = None,
    labels: Literal["name", "kind"] = "name",
) -> Drawing:
    """Draw the output shapes of a network, one box per layer, from top to bottom.

    A box is a view from the side: its height shows the side of the map, as a square root, its width
    the number of channels, as a cube root, so that 1 and 4096 fit on one page.

    Parameters
    ----------
    layers : iterable of (name, kind, shape), or of mappings
        In the order of the computation. The kind is the name of the layer's class, such as
        ``"Conv2d"``; the shape is that of the output without its batch, ``(C, H, W)`` or
        ``(features,)``. A mapping has ``"name"``, ``"kind"``, and as ``"output_shape"`` the
        shape with its batch, ``(N, C, H, W)`` or ``(N, features)``, as in
        ``summary(model, input).to_dict()["layers"]``.
        Convolutions, pooling and linear layers are drawn, and layers of the kind ``"Input"``.
    depth : int, optional
        Draw one box for all layers whose names begin with the same `depth` parts: with 1,
        ``layer1.0.conv1`` and ``layer1.1.conv2`` are ``layer1``, with the shape of the last
        output. Without it, neighbours of the same family and shape share a box, labelled with
        their number.
    labels : {"name", "kind"}
        Whether a box has the names of its layers, or says what they are: "3 convolutions".

    Raises
    ------
    TypeError, ValueError
        If a layer is neither such a mapping nor a triple, the shape of a layer to be drawn is
        invalid, `depth` is not an int or below 1, `labels` is none of the two, or there is nothing
        to draw.

    Examples
    --------
    >>> drawing = network([("image", "Input", (1, 28, 28)), ("conv", "Conv2d", (6, 28, 28)),
    ...                    ("relu", "ReLU", (6, 28, 28)), ("pool", "MaxPool2d", (6, 14, 14))])
    >>> [text.get_text() for text in drawing.axes[0].texts][:4]
    ['image', '1 × 28 × 28', 'conv', '6 × 28 × 28']
    """
    if labels not in ("name", "kind"):
        raise ValueError(f"labels must be 'name' or 'kind', got {labels!r}")
    boxes = _boxes([_layer(layer) for layer in layers], depth)
    check_not_empty(boxes, "convolution, pooling or linear layer")
    sides = [prod(box.shape[1:]) ** 0.5 for box in boxes]  # of a square map; 1 for a vector
    heights = [HEIGHT_PER_ROOT * side**0.5 for side in sides]
    scale = MAX_BOX_WIDTH / max(box.shape[0] for box in boxes) ** (1 / 3)
    rows = [max(height + 0.06, ROW_HEIGHT) for height in heights]
    drawing = Drawing(FIGURE_WIDTH, sum(rows) + 0.35, layout=None)
    ax = drawing.add_axes((0, 0, 1, 1))
    ax.set(xlim=(-FIGURE_WIDTH / 2, FIGURE_WIDTH / 2), ylim=(sum(rows) + 0.35, 0))
    ax.set_axis_off()
    top, margin = 0.0, MAX_BOX_WIDTH / 2 + 0.1
    for box, height, row in zip(boxes, heights, rows, strict=True):
        y, width = top + row / 2, scale * box.shape[0] ** (1 / 3)
        cell(ax, 0, y, FAMILIES[box.family][1], width, height)
        title = box.title if labels == "name" else box.plain_title
        write(ax, -margin, y, title, 10, ha="right")
        write(ax, margin, y, " × ".join(map(str, box.shape)), 10, ha="left")
        top += row
    shown = [family for family in FAMILIES if any(box.family == family for box in boxes)]
    handles = [Patch(facecolor=FAMILIES[f][1], edgecolor=LINE, label=f) for f in shown]
    style: dict[str, Any] = {"ncols": len(shown), "fontsize": 9, "frameon": False}
    spacing = {"columnspacing": 1.2, "handlelength": 1.2, "borderaxespad": 0}
    ax.legend(handles=handles, loc="lower center", **style, **spacing)
    return drawing


def _layer(layer: Layer | Mapping[str, Any]) -> Layer:
    """Convert a mapping or a triple to a triple."""
    if isinstance(layer, Mapping):
        if missing := {"name", "kind", "output_shape"} - set(layer):
            raise ValueError(f"a layer lacks the keys {sorted(missing)}, got {sorted(layer)}")
        return layer["name"], layer["kind"], tuple(layer["output_shape"])[1:]
    if isinstance(layer, str) or len(layer) != 3:
        raise TypeError(f"a layer must be (name, kind, shape), got {layer!r}")
    name, kind, shape = layer
    return name, kind, tuple(shape)


def _boxes(layers: Iterable[Layer], depth: int | None) -> list[_Box]:
    """Make the boxes of the layers to be drawn."""
    if depth is not None:
        depth = integer(depth, "depth", minimum=1)
    boxes: list[_Box] = []
    for name, kind, shape in layers:
        matching = (family for family, (part, _) in FAMILIES.items() if part in kind.lower())
        family = next(matching, None)
        if family is None:
            continue
        if len(shape) not in (1, 3) or min(shape) < 1:
            raise ValueError(
                f"the shape of {name!r} must be (C, H, W) or (features,), preceded by the batch "
                f"in a mapping, got {shape}"
            )
        title = name if depth is None else ".".join(name.split(".")[:depth])
        previous = boxes[-1] if boxes else None
        if previous and depth is not None and previous.name == title:
            previous.shape = shape
            previous.family = min(previous.family, family, key=list(FAMILIES).index)
        elif previous and depth is None and (previous.family, previous.shape) == (family, shape):
            previous.count, previous.last = previous.count + 1, name
        else:
            boxes.append(_Box(title, family, shape, title))
    return boxes


def residual_block(
    path: Sequence[tuple[str, tuple[int, ...]]],
    shape: tuple[int, ...],
    shortcut: Sequence[tuple[str, tuple[int, ...]]] = (),
) -> Drawing:
    """Draw a block with a skip connection, from top to bottom, with the shapes on its arrows.

    The input ``x`` takes two ways, through the layers of the path, ``f(x)``, and along the skip
    connection, also called shortcut. Both results are added, and a ReLU follows. The width of an
    arrow shows the number of channels.

    Parameters
    ----------
    path : sequence of (label, shape)
        The layers of the path and the shapes of their outputs, ``(C, H, W)``.
    shape : tuple
        The shape of the input.
    shortcut : sequence of (label, shape)
        The layers on the skip connection; by default none, and the input is added as it is.

    Raises
    ------
    ValueError
        If the path is empty, a shape is not ``(C, H, W)``, or what is added has two shapes.

    Examples
    --------
    >>> drawing = residual_block([("3x3", (8, 9, 9)), ("3x3", (8, 9, 9))], (8, 9, 9))
    >>> [text.get_text() for text in drawing.axes[0].texts if "x" in text.get_text()]
    ['x', '3x3', '3x3', 'f(x)', 'x + f(x)']
    """
    check_not_empty(path, "layer of the path")
    rows, skipped = [("", shape), *path], [("", shape), *shortcut]
    for label, size in (*rows, *skipped):
        if len(size) != 3 or min(size) < 1:
            raise ValueError(f"the shape of {label or 'the input'!r} must be (C, H, W), got {size}")
    if rows[-1][1] != skipped[-1][1]:
        raise ValueError(
            f"the path ends with shape {rows[-1][1]} and the skip connection with "
            f"{skipped[-1][1]}; they cannot be added"
        )
    scale = BLOCK_WIDTH / max(size[0] for _, size in rows)
    height = (len(path) + 1) * (BLOCK_HEIGHT + BAND_HEIGHT) + BAND_HEIGHT + 2 * SUM_RADIUS + 0.1
    drawing = Drawing(RIGHT - LEFT, height, layout=None)
    ax = drawing.add_axes((0, 0, 1, 1))
    ax.set(xlim=(LEFT, RIGHT), ylim=(height - 0.05, -0.05))
    ax.set_axis_off()
    _band(ax, 0, scale, shape)
    write(ax, LEFT + 0.3, BAND_HEIGHT / 2, "x", 11)
    y = BAND_HEIGHT
    for label, size in path:
        colour = FAMILIES["convolution"][1] if "×" in label or "conv" in label else INPUT
        cell(ax, 0, y + BLOCK_HEIGHT / 2, colour, BLOCK_WIDTH, BLOCK_HEIGHT)
        write(ax, 0, y + BLOCK_HEIGHT / 2, label, 10)
        _band(ax, y + BLOCK_HEIGHT, scale, size)
        y += BLOCK_HEIGHT + BAND_HEIGHT
    write(ax, LEFT + 0.3, y / 2, "f(x)", 11)
    middle = y + SUM_RADIUS
    _skip(ax, BAND_HEIGHT * 0.4, middle, scale * shape[0] / 2, skipped[1:])
    ax.add_patch(Circle((0, middle), SUM_RADIUS, facecolor=READ, edgecolor=INK, linewidth=1))
    write(ax, 0, middle, "+", 13)
    write(ax, LEFT + 0.3, middle, "sum" if shortcut else "x + f(x)", 11)
    end = middle + SUM_RADIUS
    cell(ax, 0, end + BLOCK_HEIGHT / 2, INPUT, BLOCK_WIDTH, BLOCK_HEIGHT)
    write(ax, 0, end + BLOCK_HEIGHT / 2, "ReLU", 10)
    _band(ax, end + BLOCK_HEIGHT, scale, rows[-1][1])
    return drawing


def _band(ax: Axes, top: float, scale: float, shape: tuple[int, ...]) -> None:
    """Draw an arrow downwards, as wide as there are channels, and write the shape on it."""
    half, bottom = scale * shape[0] / 2, top + BAND_HEIGHT
    corners = [(-half, top), (half, top), (half, bottom - TIP), (0, bottom), (-half, bottom - TIP)]
    ax.add_patch(Polygon(corners, facecolor=BAND, edgecolor=LINE, linewidth=0.8))
    write(ax, 0, top + (BAND_HEIGHT - TIP) / 2, " × ".join(map(str, shape)), 10)


def _skip(
    ax: Axes, top: float, bottom: float, start: float, layers: Sequence[tuple[str, tuple[int, ...]]]
) -> None:
    """Draw the skip connection on the right of the path, with its layers."""
    style: dict[str, Any] = {"color": INK, "linewidth": 1.8}
    ax.plot([start, SKIP_X, SKIP_X], [top, top, bottom], **style)
    arrow = {"arrowstyle": "-|>", **style, "shrinkA": 0, "shrinkB": 0}
    ax.annotate("", (SUM_RADIUS, bottom), (SKIP_X, bottom), arrowprops=arrow)
    write(ax, SKIP_X + 0.1, top + 0.25, "skip\nconnection", 10, ha="left", va="top")
    step = (bottom - top) / (len(layers) + 1)
    for number, (label, shape) in enumerate(layers, 1):
        y = top + number * step + 0.2
        cell(ax, SKIP_X + 0.45, y, FAMILIES["convolution"][1], 1.5, BLOCK_HEIGHT, zorder=3)
        write(ax, SKIP_X + 0.45, y, label, 10, zorder=4)
        below = y + BLOCK_HEIGHT / 2 + 0.16
        write(ax, SKIP_X + 0.1, below, " × ".join(map(str, shape)), 10, ha="left")


def channel_connections(
    channels: Sequence[int], groups: int | Sequence[int] = 1, shuffle: bool = False
) -> Drawing:
    """Draw which channels each kernel reads, through one convolution or several in a row.

    The top row is the input. Each group of the first layer has a colour, shared by every
    channel that depends on that group alone. A channel that depends on several groups is
    striped in their colours, and its connections are grey.

    Parameters
    ----------
    channels : sequence of at least two ints
        The channels of the input, and the output channels of each layer.
    groups : int or sequence of ints
        The groups of all layers, or of each.
    shuffle : bool
        Whether the channels are shuffled after each layer but the last, with its groups.

    Raises
    ------
    TypeError, ValueError
        If an argument has the wrong type, there is no layer, `groups` has another length than
        there are layers, or does not divide the channels.

    Examples
    --------
    >>> drawing = channel_connections((12, 6), groups=3)
    >>> [text.get_text() for text in drawing.axes[0].texts][-7:]
    ['output', '0', '1', '2', '3', '4', '5']
    """
    counts = [integer(count, "channels", minimum=1) for count in channels]
    layers = len(counts) - 1
    if layers < 1:
        raise ValueError(f"channels must hold the input and at least one output, got {counts}")
    layer_groups = list(groups) if isinstance(groups, Sequence) else [groups] * layers
    if len(layer_groups) != layers:
        raise ValueError(f"groups must be one int, or {layers} (one per layer), got {layer_groups}")
    reads = [
        conv2d_channels_read(in_channels, out_channels, g)
        for (in_channels, out_channels), g in zip(pairwise(counts), layer_groups, strict=True)
    ]
    rows = _channel_rows(reads, layer_groups, flag(shuffle, "shuffle"))
    width, height = max(counts), ROW_GAP * len(rows) + 1
    step = min(CHANNEL_STEP, CHANNELS_WIDTH / (width + TITLE_MARGIN))
    drawing = Drawing(step * (width + TITLE_MARGIN), step * height, layout=None)
    ax = drawing.add_axes((0, 0, 1, 1))
    ax.set(xlim=(-TITLE_MARGIN, width), ylim=(height - 0.5, -0.5), aspect="equal")
    ax.set_axis_off()
    group_size = counts[0] // layer_groups[0]
    origins: Origins = [frozenset([channel // group_size]) for channel in range(counts[0])]
    _draw_channels(ax, "input", 0, origins, width)
    for number, (title, sources) in enumerate(rows, 1):
        _draw_connections(ax, number, sources, origins, width)
        origins = [frozenset().union(*(origins[i] for i in source)) for source in sources]
        _draw_channels(ax, title, number, origins, width)
    return drawing


def _channel_rows(
    reads: list[list[range]], groups: Sequence[int], shuffle: bool
) -> list[tuple[str, list[Sequence[int]]]]:
    """Return the title of each row below the input, and the sources of its channels."""
    rows: list[tuple[str, list[Sequence[int]]]] = []
    for number, layer in enumerate(reads, 1):
        last = number == len(reads)
        rows.append(("output" if last else f"layer {number}", list(layer)))
        if shuffle and not last:
            order = channel_shuffle(np.arange(len(layer)).reshape(-1, 1, 1), groups[number - 1])
            rows.append(("shuffled", [[int(channel)] for channel in order.ravel()]))
    return rows


def _channel_x(channel: int, count: int, width: int) -> float:
    """Return the x of a channel; rows are spread over the width, with their groups aligned."""
    return (channel + 0.5) * width / count - 0.5


def _draw_channels(ax: Axes, title: str, number: int, origins: Origins, width: int) -> None:
    y = number * ROW_GAP
    write(ax, -0.9, y, title, 10, rotation=90)
    for channel, groups in enumerate(origins):
        x = _channel_x(channel, len(origins), width)
        stripe = CHANNEL_SIDE / len(groups)
        for position, group in enumerate(sorted(groups)):
            centre = x - CHANNEL_SIDE / 2 + (position + 0.5) * stripe
            colour = _group_colour({group})
            cell(ax, centre, y, colour, stripe, CHANNEL_SIDE, edgecolor="none", zorder=2)
        cell(ax, x, y, "none", CHANNEL_SIDE, CHANNEL_SIDE, edgecolor=INK, fill=False, zorder=3)
        write(ax, x, y, str(channel), 11, zorder=4)


def _draw_connections(
    ax: Axes, number: int, sources: list[Sequence[int]], origins: Origins, width: int
) -> None:
    y = (number - 1) * ROW_GAP + CHANNEL_SIDE / 2, number * ROW_GAP - CHANNEL_SIDE / 2
    for channel, source in enumerate(sources):
        for read in source:
            x = _channel_x(read, len(origins), width), _channel_x(channel, len(sources), width)
            ax.plot(x, y, color=_group_colour(origins[read]), linewidth=1.6, zorder=1)


def _group_colour(groups: set[int] | frozenset[int]) -> str:
    """Return the colour of a single group, or grey for several."""
    return GROUP_COLOURS[min(groups) % len(GROUP_COLOURS)] if len(groups) == 1 else LINE


def stacked_bars(bars: Mapping[str, Mapping[str, float]]) -> Drawing:
    """Draw one stacked bar per total, with its parts in per cent; those below 8 % are not labelled.

    A part that is called "fully connected" has the colour of such layers in `network`.

    Parameters
    ----------
    bars : mapping of str to mapping of str to number
        For the title of each bar, from top to bottom, the amount of each part. All bars have
        the same parts, at most four.

    Raises
    ------
    ValueError
        If there is nothing to draw, the parts differ from bar to bar, there are more than
        four, an amount is negative, or all amounts of a bar are zero.

    Examples
    --------
    >>> drawing = stacked_bars({"weights": {"convolution": 1, "fully connected": 3}})
    >>> [text.get_text() for text in drawing.axes[0].texts]
    ['25 %', '75 %']
    """
    check_not_empty(bars, "title with its parts")
    names = list(next(iter(bars.values())))
    for title, parts in bars.items():
        if list(parts) != names:
            raise ValueError(
                f"all bars must have the same parts, got {names} in the first and {list(parts)} "
                f"in {title!r}"
            )
        if min(parts.values(), default=0) < 0 or not sum(parts.values()) > 0:
            raise ValueError(
                f"the parts of {title!r} must be at least 0, and not all 0, got {dict(parts)}"
            )
    if len(names) > len(PART_COLOURS):
        raise ValueError(f"a bar must have at most {len(PART_COLOURS)} parts, got {len(names)}")
    amounts = np.array([list(parts.values()) for parts in bars.values()], dtype=float)
    percent = amounts * (100 / amounts.sum(axis=1, keepdims=True))  # (bars, parts)
    left = np.cumsum(percent, axis=1) - percent
    drawing = Drawing(4.8, 0.32 * len(bars) + 0.75)
    ax = drawing.subplots()
    y = range(len(bars))
    dark = PART_COLOURS[1]
    colours = list(PART_COLOURS)
    if "fully connected" in names:
        colours.remove(dark)
        colours.insert(names.index("fully connected"), dark)
    for part, (name, colour) in enumerate(zip(names, colours, strict=False)):
        style: dict[str, Any] = {"color": colour, "edgecolor": LINE, "linewidth": 0.8}
        ax.barh(y, percent[:, part], 0.72, left[:, part], label=name, **style)
        text_colour = "white" if colour == dark else INK
        for bar, (start, length) in enumerate(zip(left[:, part], percent[:, part], strict=True)):
            if length >= 8:
                write(ax, start + length / 2, bar, f"{length:.0f} %", 9, color=text_colour)
    ax.set(xlim=(0, 100), xlabel="per cent")
    ax.set_yticks(y, list(bars), fontsize=9)
    ax.tick_params(colors=INK)
    ax.invert_yaxis()
    ax.spines[["top", "right", "left"]].set_visible(False)
    legend_above(drawing, 2, labelcolor=None)
    return drawing
