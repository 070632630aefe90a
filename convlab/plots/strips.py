"""Where a window stands, along one direction."""

from __future__ import annotations

from typing import Literal

from convlab._validate import integer
from convlab.plots.drawing import DPI, DROPPED, INK, INPUT, LINE, PADDING, READ, Drawing
from convlab.plots.drawing import cell as place_cell
from convlab.shapes import (
    conv2d_dropped_border,
    conv2d_output_size,
    conv2d_padding,
    dilated_kernel_size,
)


def windows(
    size: int,
    kernel_size: int,
    stride: int = 1,
    padding: int | Literal["same", "valid"] = 0,
    dilation: int = 1,
) -> Drawing:
    """Draw every place where the window stands, along one direction.

    The top strip is the padded input: numbered cells are pixels, grey ones padding, and
    the crossed ones at the end are never read. Each row below is one output cell, with
    the cells that it reads filled.

    Parameters
    ----------
    size, kernel_size, stride, padding, dilation
        One direction of a convolution, as ints (`padding` may be a string); see
        `convlab.shapes.conv2d_output_size`.

    Raises
    ------
    TypeError, ValueError
        As `convlab.shapes.conv2d_output_size` does.

    Examples
    --------
    >>> drawing = windows(size=6, kernel_size=3, stride=2, padding=1)
    >>> drawing.axes[0].get_title()
    '6 cells, kernel_size=3, stride=2, padding=1: 3 outputs'
    """
    size = integer(size, "size", minimum=1)
    kernel_size = integer(kernel_size, "kernel_size", minimum=1)
    stride = integer(stride, "stride", minimum=1)
    dilation = integer(dilation, "dilation", minimum=1)
    if not isinstance(padding, str):
        padding = integer(padding, "padding", minimum=0)
    count, _ = conv2d_output_size(size, kernel_size, stride, padding, dilation)
    dropped, _ = conv2d_dropped_border(size, kernel_size, stride, padding, dilation)
    _, _, before, after = conv2d_padding(padding, kernel_size, stride, dilation)
    extent, _ = dilated_kernel_size(kernel_size, dilation)
    total = before + size + after
    drawing = Drawing(
        figsize=(0.36 * (total + 3.2), 0.36 * (count + 2.2) + 0.3), layout="constrained", dpi=DPI
    )
    axis = drawing.subplots()
    for cell in range(total):
        pixel = before <= cell < before + size
        unread = cell >= total - dropped
        place_cell(
            axis,
            cell,
            0,
            INPUT if pixel else PADDING,
            edge=DROPPED if unread else LINE,
            hatch="xxx" if unread else None,
        )
        if pixel and not unread:
            axis.text(cell, 0, str(cell - before), ha="center", va="center", color=INK, fontsize=9)
    for output in range(count):
        first, y = output * stride, output + 1.4
        axis.plot([first - 0.5, first + extent - 0.5], [y, y], color=LINE, linewidth=0.8, zorder=0)
        for cell in range(first, first + extent, dilation):
            place_cell(axis, cell, y, READ, height=0.8)
        axis.text(total + 0.1, y, f"→ y[{output}]", va="center", color=INK, fontsize=9)
    axis.set(xlim=(-0.7, total + 2.4), ylim=(count + 1.2, -0.7), aspect="equal")
    axis.set_axis_off()
    options = {"stride": (stride, 1), "padding": (padding, 0), "dilation": (dilation, 1)}
    said = [f"{name}={value!r}" for name, (value, default) in options.items() if value != default]
    axis.set_title(
        f"{size} cells, {', '.join([f'kernel_size={kernel_size}', *said])}: "
        f"{count} output{'s' if count > 1 else ''}",
        fontsize=10,
        color=INK,
    )
    return drawing
