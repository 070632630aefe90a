"""Figures of the backward pass: the arrows of each product, forward and back."""

from __future__ import annotations

from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from convlab._validate import integer
from convlab.ops import conv2d, conv2d_backward
from convlab.plots.drawing import INK, INPUT, LINE, READ, Drawing, cell, panel_axes, rows_of, write

ROW_GAP = 2.4  # from the inputs to the outputs, in cells
Point = tuple[float, float]


def backward_arrows(
    x: ArrayLike,
    kernel: ArrayLike,
    grad_output: ArrayLike,
    position: int,
    stride: int = 1,
) -> Drawing:
    """Draw which outputs an input enters, forward, and what they send back to it, backward.

    The upper panel is the forward pass along one dimension, without padding: the input, an arrow
    for each product, the output. The lower panel has the same arrows in the other direction,
    between the gradients. The arrows of the chosen input are dark, with their weight beside them.

    Parameters
    ----------
    x : array (size,)
        The input, of one channel.
    kernel : array (kernel_size,)
        The weights.
    grad_output : array (output size,)
        The gradient of the output.
    position : int
        The index of the chosen input.
    stride : int
        Cells from one window to the next.

    Raises
    ------
    TypeError, ValueError
        If one of the arrays is not one-dimensional, `position` is not an index of `x`, or as
        `convlab.ops.conv2d_backward` does.

    Examples
    --------
    >>> drawing = backward_arrows([1, 2, 3], [1, 10], [1, 2], position=1)
    >>> [axes.get_title() for axes in drawing.axes]
    ['forward: x1 enters y0, y1', 'backward: x1 receives 1·10 + 2·1 = 12']
    """
    rows = rows_of({"x": x, "kernel": kernel, "grad_output": grad_output})
    image, w, g = (row.reshape(1, 1, 1, -1) for row in rows.values())
    position = integer(position, "position", minimum=0)
    if position >= image.size:
        raise ValueError(f"position must be below {image.size}, the size of x, got {position}")
    y = conv2d(image, w, stride=(1, stride))
    grad_x, _, _ = conv2d_backward(g, image, w, stride=(1, stride))
    weights, count = rows["kernel"], y.size
    entered = {i: position - i * stride for i in range(count)}  # output: index of its weight
    entered = {i: u for i, u in entered.items() if 0 <= u < len(weights)}
    names = ", ".join(f"y{i}" for i in entered) or "no output"
    terms = " + ".join(f"{_short(g.flat[i])}·{_short(weights[u])}" for i, u in entered.items())
    received = f"{terms} = {_short(grad_x.flat[position])}" if terms else "nothing"
    drawing = Drawing(0.62 * (image.size + 1), 0.62 * 2 * (ROW_GAP + 2.6))
    places = [i * stride + (len(weights) - 1) / 2 for i in range(count)]  # below their windows
    panels = [
        (f"forward: x{position} enters {names}", image, y),
        (f"backward: x{position} receives {received}", grad_x, g),
    ]
    for ax, (title, above, below) in zip(panel_axes(drawing, 2), panels, strict=True):
        for i, place in enumerate(places):
            for u, weight in enumerate(weights):
                start, end = (i * stride + u, 0.5), (place, ROW_GAP - 0.5)
                label = f"×{_short(weight)}" if entered.get(i) == u else ""
                _draw_arrow(ax, start, end, label, is_back=above is grad_x)
        for j, number in enumerate(above.flat):
            _draw_number(ax, (j, 0), number, f"x{j}", -0.8, j == position)
        for i, number in enumerate(below.flat):
            _draw_number(ax, (places[i], ROW_GAP), number, f"y{i}", 0.8, i in entered)
        ax.set_title(title, fontsize=10, color=INK)
        ax.set(xlim=(-0.7, image.size - 0.3), ylim=(ROW_GAP + 1.1, -1.1), aspect="equal")
        ax.set_axis_off()
    return drawing


def _draw_arrow(ax: Axes, start: Point, end: Point, label: str, is_back: bool) -> None:
    """Draw an arrow from the input to the output, or back; without a label it is faint."""
    colour = INK if label else LINE
    style = {"arrowstyle": "-|>", "color": colour, "linewidth": 1.6 if label else 0.6}
    tail, tip = (end, start) if is_back else (start, end)
    ax.annotate("", tip, tail, arrowprops={**style, "shrinkA": 0, "shrinkB": 0})
    if label:
        x, y = (start[0] + end[0]) / 2, (start[1] + end[1]) / 2
        box = {"facecolor": "white", "edgecolor": "none", "pad": 1}
        write(ax, x, y, label, 10, bbox=box)


def _draw_number(
    ax: Axes, centre: Point, number: float, name: str, offset: float, is_chosen: bool
) -> None:
    cell(ax, *centre, READ if is_chosen else INPUT)
    write(ax, *centre, _short(number), 11)
    write(ax, centre[0], centre[1] + offset, name, 9)


def _short(number: float) -> str:
    return f"{number:g}".replace("-", "\u2212")
