"""Which channel goes where: layers as rows of channels, connections as lines."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from convlab._validate import flag, integer
from convlab.ops import channel_shuffle
from convlab.plots.drawing import DPI, INK, LINE, READ, Drawing
from convlab.shapes import conv2d_channels_read

# Light enough for dark digits on them. Neighbouring groups differ in lightness or in hue.
GROUPS = (READ, "#5dade2", "#7dcea0", "#d98880", "#c39bd3", "#d4ac0d")
SIDE, STEP = 0.7, 1.9  # of a channel's square, and from one row to the next
# Where the numbers of a channel came from: the groups of the first layer.
Origins = list[frozenset[int]]


def connections(
    channels: Sequence[int], groups: int | Sequence[int] = 1, shuffle: bool = False
) -> Drawing:
    """Draw which channels each kernel reads, through one convolution or several in a row.

    Each group of the first layer has a colour, and its numbers keep that colour on their way.
    A channel made from several groups is striped in their colours; what reads it is grey.

    Parameters
    ----------
    channels : sequence of at least two ints
        The channels of the input, and those that come out of each layer.
    groups : int or sequence of ints
        The groups of all layers, or of each.
    shuffle : bool
        Whether the channels are shuffled between one layer and the next, with the groups of
        the first of the two.

    Returns
    -------
    Drawing
        A single axes. The input is its top row.

    Raises
    ------
    TypeError
        If a number is not an int, or `shuffle` is not a bool.
    ValueError
        If there is no layer, the numbers of layers disagree, or `groups` does not divide the
        channels.

    Examples
    --------
    >>> drawing = connections((12, 6), groups=3)
    >>> [text.get_text() for text in drawing.axes[0].texts][-7:]
    ['output', '0', '1', '2', '3', '4', '5']
    """
    counts = [integer(count, "channels", minimum=1) for count in channels]
    layers = len(counts) - 1
    if layers < 1:
        raise ValueError(f"channels must name the input and at least one output, got {counts}")
    each = list(groups) if isinstance(groups, Sequence) else [groups] * layers
    if len(each) != layers:
        raise ValueError(f"{layers} layers need {layers} numbers of groups, got {each}")
    reads = [
        conv2d_channels_read(fed, made, g)
        for (fed, made), g in zip(pairwise(counts), each, strict=True)
    ]
    rows, sources = _rows(reads, each, flag(shuffle, "shuffle"))
    width = max(counts)
    height = STEP * (len(rows) - 1) + 1
    drawing = Drawing(figsize=(0.42 * (width + 3.4), 0.42 * height), dpi=DPI)
    axis = drawing.add_axes((0, 0, 1, 1))
    axis.set(xlim=(-3.4, width), ylim=(height - 0.5, -0.5), aspect="equal")
    axis.set_axis_off()
    # Made from what the input was made from: the input's own group, of the first layer.
    depth = counts[0] // each[0]
    origins: Origins = [frozenset([channel // depth]) for channel in range(counts[0])]
    _row(axis, rows[0], 0, origins, width)
    for number, (title, source) in enumerate(zip(rows[1:], sources, strict=True), 1):
        _lines(axis, number, source, origins, width)
        origins = [frozenset().union(*(origins[i] for i in read)) for read in source]
        _row(axis, title, number, origins, width)
    return drawing


def _rows(
    reads: list[list[range]], groups: Sequence[int], shuffle: bool
) -> tuple[list[str], list[list[list[int]]]]:
    """Name the rows; for each but the first, list for each channel what it is made from."""
    titles, sources = ["input"], []
    for number, layer in enumerate(reads, 1):
        last = number == len(reads)
        titles.append("output" if last else f"layer {number}")
        sources.append([list(read) for read in layer])
        if shuffle and not last:
            order = channel_shuffle(np.arange(len(layer)).reshape(-1, 1, 1), groups[number - 1])
            titles.append("shuffled")
            sources.append([[int(channel)] for channel in order.ravel()])
    return titles, sources


def _x(channel: int, count: int, width: int) -> float:
    """Spread the channels of a row over the whole width, so that groups lie below each other."""
    return (channel + 0.5) * width / count - 0.5


def _row(axis: Axes, title: str, number: int, origins: Origins, width: int) -> None:
    y = number * STEP
    axis.text(-1.1, y, title, ha="right", va="center", fontsize=10, color=INK)
    for channel, groups in enumerate(origins):
        x = _x(channel, len(origins), width)
        stripe = SIDE / len(groups)
        for position, group in enumerate(sorted(groups)):
            corner = x - SIDE / 2 + position * stripe, y - SIDE / 2
            axis.add_patch(Rectangle(corner, stripe, SIDE, facecolor=_colour({group}), zorder=2))
        frame = Rectangle((x - SIDE / 2, y - SIDE / 2), SIDE, SIDE, fill=False, zorder=3)
        frame.set(edgecolor=INK, linewidth=0.8)
        axis.add_patch(frame)
        axis.text(x, y, str(channel), ha="center", va="center", fontsize=9, color=INK, zorder=4)


def _lines(axis: Axes, number: int, source: list[list[int]], origins: Origins, width: int) -> None:
    top, bottom = (number - 1) * STEP + SIDE / 2, number * STEP - SIDE / 2
    for channel, read in enumerate(source):
        for fed in read:
            ends = _x(fed, len(origins), width), _x(channel, len(source), width)
            axis.plot(ends, (top, bottom), color=_colour(origins[fed]), linewidth=1.6, zorder=1)


def _colour(groups: set[int] | frozenset[int]) -> str:
    """Give a group its colour; grey stands for a mixture."""
    return GROUPS[min(groups) % len(GROUPS)] if len(groups) == 1 else LINE
