"""Figures of cells: matrices, windows along a dimension, their counts, bits of number formats."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike, NDArray

from convlab._validate import integer
from convlab.plots.drawing import (
    DROPPED,
    INK,
    INPUT,
    LINE,
    PADDING,
    READ,
    Drawing,
    arrays_of,
    cell,
    check_not_empty,
    grid_size,
    legend_above,
    marker_style,
    panel_axes,
    style_chart,
    write,
)
from convlab.shapes import (
    adaptive_windows,
    conv2d_dropped_border,
    conv2d_output_size,
    conv2d_padding,
    dilated_kernel_size,
)

BIT_FIELDS = {"sign": INPUT, "exponent": PADDING, "fraction": READ}

Box = tuple[int, int, int, int]


def matrices(
    arrays: Mapping[str, ArrayLike],
    highlight: Mapping[str, Box | ArrayLike] | None = None,
    signs: Sequence[str] = (),
    columns: int | None = None,
    shaded: Collection[str] = (),
) -> Drawing:
    """Draw small matrices side by side, with the number in each cell.

    Parameters
    ----------
    arrays : mapping of str to array (rows, columns)
        Title and numbers of each matrix, from left to right.
    highlight : mapping of str to (row, column, rows, columns), or to array of bool, optional
        For a title, the block of cells to colour, or an array of the matrix's shape that is true
        where a cell is to be coloured.
    signs : sequence of str, optional
        Signs to write after the matrices, for example ``["⋆", "="]``.
    columns : int, optional
        The number of matrices side by side; all, unless given.
    shaded : collection of str
        Titles of the matrices to draw in grey, each from its smallest number (dark) to its
        largest (white); one whose numbers are all the same is mid grey.

    Raises
    ------
    ValueError
        If there is nothing to draw, an array is not two-dimensional, or `highlight` or `shaded`
        has a title that `arrays` does not have.

    Examples
    --------
    >>> drawing = matrices({"x": [[1, 2], [3, 4]], "y": [[10]]}, {"x": (0, 0, 2, 2)}, "→")
    >>> [axes.get_title() for axes in drawing.axes]
    ['x', 'y']
    """
    checked, boxes = arrays_of(arrays), highlight or {}
    for title, array in checked.items():
        if array.ndim != 2:
            raise ValueError(f"{title!r} must be a matrix, got shape {array.shape}")
    for name, titles in {"highlight": boxes, "shaded": shaded}.items():
        if unknown := set(titles) - set(checked):
            raise ValueError(
                f"{name} has unknown titles {sorted(unknown)}, arrays has {list(checked)}"
            )
    rows, columns = grid_size(len(checked), len(checked) if columns is None else columns)
    shapes = [array.shape for array in checked.values()]
    widths = [max(shape[1] for shape in shapes[i::columns]) for i in range(columns)]
    heights = [max(shape[0] for shape in shapes[i * columns :][:columns]) for i in range(rows)]
    width, height = sum(widths) + 1.2 * (columns - 1), sum(heights) + 1.3 * (rows - 1)
    drawing = Drawing(0.42 * width, 0.42 * height + 0.35, layout=None)
    grid = {"wspace": 1.2 * columns / sum(widths), "hspace": 1.3 * rows / sum(heights)}
    ratios: dict[str, Any] = {"width_ratios": widths, "height_ratios": heights}
    axes = panel_axes(drawing, len(checked), columns, **ratios, gridspec_kw=grid)
    for ax, (title, array) in zip(axes, checked.items(), strict=True):
        inside = _inside(boxes.get(title, (0, 0, 0, 0)), array.shape)
        _draw_matrix(ax, array, inside, title in shaded)
        ax.set_title(title, fontsize=10, color=INK)
    for ax, shape, sign in zip(axes[:-1], shapes, signs, strict=False):
        size = 28 if sign == "⋆" else 15  # the star is a small glyph in the font
        write(ax, shape[1] + 0.1, shape[0] / 2 - 0.5, sign, size)
    return drawing


def _inside(block: Box | ArrayLike, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Return an array that is true for each cell of a block."""
    block = np.asarray(block)
    if block.ndim == 2:
        return np.broadcast_to(block.astype(bool), shape)
    top, left, rows, columns = block
    inside = np.zeros(shape, dtype=bool)
    inside[top : top + rows, left : left + columns] = True
    return inside


def _draw_matrix(
    ax: Axes, array: NDArray[Any], inside: NDArray[np.bool_], is_shaded: bool = False
) -> None:
    rows, columns = array.shape
    ax.set(xlim=(-0.55, columns - 0.45), ylim=(rows - 0.45, -0.55), aspect="equal", anchor="C")
    ax.set_axis_off()
    low, high = (float(array.min()), float(array.max())) if is_shaded else (0.0, 0.0)
    for (i, j), number in np.ndenumerate(array):
        lightness = (number - low) / (high - low) if high > low else 0.5
        colour = READ if inside[i, j] else INPUT
        dark = is_shaded and lightness < 0.4
        cell(ax, j, i, str(0.1 + 0.9 * lightness) if is_shaded else colour)
        text = f"{number:g}" if abs(number) < 1000 else f"{number:.0f}"
        size, ink = 11 if len(text) < 4 else 8, "white" if dark else INK
        write(ax, j, i, text.replace("-", "\u2212"), size, color=ink)


def window_positions(
    size: int,
    kernel_size: int,
    stride: int = 1,
    padding: int | Literal["same", "valid"] = 0,
    dilation: int = 1,
) -> Drawing:
    """Draw every position of the window along one dimension.

    The top strip is the padded input: numbered cells are pixels, grey ones padding, and the
    crossed ones at the end are never read. Each row below is one output cell, with the cells
    that it reads filled.

    Parameters
    ----------
    size, kernel_size, stride, padding, dilation
        One dimension of a convolution, as ints (`padding` may be a string); arguments and errors
        are those of `convlab.shapes.conv2d_output_size`.

    Examples
    --------
    >>> drawing = window_positions(size=6, kernel_size=3, stride=2, padding=1)
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
    padded_size = before + size + after
    drawing = Drawing(0.36 * (padded_size + 3.2), 0.36 * (count + 2.2) + 0.3)
    ax = drawing.subplots()
    _draw_strip(ax, (before, size, after), dropped=dropped)
    for output in range(count):
        y = output + 1.4
        _draw_window(ax, output * stride, y, kernel_size, dilation, height=0.8)
        write(ax, padded_size + 0.1, y, f"→ y[{output}]", 9, ha="left")
    ax.set(xlim=(-0.7, padded_size + 2.4), ylim=(count + 1.2, -0.7), aspect="equal")
    ax.set_axis_off()
    options = {"stride": (stride, 1), "padding": (padding, 0), "dilation": (dilation, 1)}
    title = f"{size} cells, kernel_size={kernel_size}"
    title += "".join(f", {name}={v!r}" for name, (v, default) in options.items() if v != default)
    ax.set_title(f"{title}: {count} output{'s' if count > 1 else ''}", fontsize=10, color=INK)
    return drawing


def output_sizes(sizes: Sequence[int], kernel_size: int, strides: Sequence[int]) -> Drawing:
    """Draw the size of the output over the size of the input, one staircase for each stride.

    Parameters
    ----------
    sizes : sequence of int
        The sizes of the input along one dimension.
    kernel_size : int
        The window, without padding or dilation.
    strides : sequence of int
        One for each staircase.

    Raises
    ------
    TypeError, ValueError
        If there is nothing to draw; else as `convlab.shapes.conv2d_output_size` does.

    Examples
    --------
    >>> drawing = output_sizes([5, 6, 7, 8], kernel_size=3, strides=[1, 2])
    >>> [line.get_ydata().tolist() for line in drawing.axes[0].lines]
    [[3, 4, 5, 6], [2, 2, 3, 3]]
    """
    check_not_empty(sizes, "size")
    check_not_empty(strides, "stride")
    drawing = Drawing(5.2, 3.2)
    ax = drawing.subplots()
    for index, stride in enumerate(strides):
        outputs = [conv2d_output_size(size, kernel_size, stride)[0] for size in sizes]
        options = {"where": "post", "linewidth": 1.4, **marker_style(index)}
        ax.step(sizes, outputs, label=f"stride {stride}", **options)
    style_chart(ax, "input size", "output size")
    ax.set_xticks(sizes)
    ax.yaxis.set_major_locator(MaxNLocator(integer=True))
    legend_above(drawing, columns=len(strides))
    return drawing


def window_alignments(
    strips: Mapping[str, tuple[int, int, int]],
    kernel_size: int,
    stride: int = 1,
    dilation: int = 1,
    columns: int = 2,
) -> Drawing:
    """Draw the positions of the windows for different paddings, with the pixels aligned.

    Each panel has the padded strip on top: numbered cells are pixels, grey ones padding. Below
    it are the windows, labelled with their output, on several lines if they overlap.

    Parameters
    ----------
    strips : mapping of str to (before, size, after)
        For each title, the cells of padding before the pixels, the pixels, and the padding after.
    kernel_size, stride, dilation : int
        One dimension of a convolution or of pooling; each at least 1.
    columns : int
        The number of panels side by side.

    Raises
    ------
    TypeError, ValueError
        As `convlab.shapes.conv2d_output_size` does for the padded strips, or if there is
        nothing to draw.

    Examples
    --------
    >>> strips = {"symmetric": (1, 8, 1), "SAME": (0, 8, 1)}
    >>> drawing = window_alignments(strips, kernel_size=3, stride=2)
    >>> [axes.get_title(loc="left") for axes in drawing.axes]
    ['symmetric', 'SAME']
    """
    check_not_empty(strips, "title with (before, size, after)")
    rows, columns = grid_size(len(strips), columns)
    kernel_size = integer(kernel_size, "kernel_size", minimum=1)
    stride = integer(stride, "stride", minimum=1)
    extent, _ = dilated_kernel_size(kernel_size, dilation)
    lines = -(-extent // stride)  # the number of windows that cover one cell
    left = max(before for before, _, _ in strips.values())
    right = max(size + after for _, size, after in strips.values())
    drawing = Drawing(0.3 * columns * (left + right + 1), 0.3 * rows * (lines + 3.4))
    axes = panel_axes(drawing, len(strips), columns)
    for ax, (title, (before, size, after)) in zip(axes, strips.items(), strict=True):
        _draw_strip(ax, (before, size, after), start=-before, fontsize=8)
        count, _ = conv2d_output_size(before + size + after, kernel_size, stride, 0, dilation)
        for output in range(count):
            start, y = output * stride - before, 1.4 + output % lines
            _draw_window(ax, start, y, kernel_size, dilation, height=0.75)
            write(ax, start + (extent - 1) / 2, y, f"y{output}", 8)
        ax.set(xlim=(-left - 0.7, right - 0.3), ylim=(lines + 1.1, -0.7), aspect="equal")
        ax.set_axis_off()
        ax.set_title(title, fontsize=9, color=INK, loc="left")
    return drawing


def adaptive_positions(size: int, output_size: int) -> Drawing:
    """Draw the windows of adaptive pooling along one dimension.

    The top strip is the input; the dotted lines cut it into equal parts, one for each output.
    Each row below is one output cell, with the cells that it reads filled.

    Parameters
    ----------
    size, output_size : int
        Cells of the input and of the output; errors are those of
        `convlab.shapes.adaptive_windows`.

    Examples
    --------
    >>> drawing = adaptive_positions(size=10, output_size=4)
    >>> drawing.axes[0].get_title()
    '10 cells, output_size=4'
    """
    windows = adaptive_windows(size, output_size)
    drawing = Drawing(0.36 * (size + 3.2), 0.36 * (output_size + 2.2) + 0.3)
    ax = drawing.subplots()
    _draw_strip(ax, (0, size, 0))
    for output, (start, end) in enumerate(windows):
        y = output + 1.4
        _draw_window(ax, start, y, end - start, dilation=1, height=0.8)
        write(ax, size + 0.1, y, f"→ y[{output}]", 9, ha="left")
    for cut in range(1, output_size):
        x = cut * size / output_size - 0.5
        ax.plot([x, x], [0.5, output_size + 0.9], color=INK, linestyle=":", linewidth=1.2)
    ax.set(xlim=(-0.7, size + 2.4), ylim=(output_size + 1.2, -0.7), aspect="equal")
    ax.set_axis_off()
    ax.set_title(f"{size} cells, output_size={output_size}", fontsize=10, color=INK)
    return drawing


def _draw_strip(
    ax: Axes, strip: tuple[int, int, int], start: int = 0, dropped: int = 0, fontsize: int = 9
) -> None:
    """Draw a padded input with its first cell at `start`, the last `dropped` cells crossed."""
    before, size, after = strip
    padded_size = before + size + after
    for position in range(padded_size):
        is_pixel = before <= position < before + size
        is_dropped = position >= padded_size - dropped
        colour = INPUT if is_pixel else PADDING
        edge, hatch = (DROPPED, "xxx") if is_dropped else (LINE, None)
        cell(ax, start + position, 0, colour, edgecolor=edge, hatch=hatch)
        if is_pixel and not is_dropped:
            write(ax, start + position, 0, str(position - before), fontsize)


def _draw_window(
    ax: Axes, start: int, y: float, kernel_size: int, dilation: int, height: float
) -> None:
    """Draw the cells that one window reads, connected by a line."""
    end = start + dilation * (kernel_size - 1)
    ax.plot([start, end], [y, y], color=LINE, linewidth=0.8, zorder=0)
    for x in range(start, end + 1, dilation):
        cell(ax, x, y, READ, height=height)


def bit_fields(formats: Mapping[str, Sequence[int]]) -> Drawing:
    """Draw number formats as rows of bits: the sign, the exponent and the fraction.

    The middle of each field of more than two bits shows their number.

    Parameters
    ----------
    formats : mapping of str to sequence of int (3,)
        For the name of each format, from top to bottom, the widths of the three fields in bits.

    Raises
    ------
    ValueError
        If there is nothing to draw, or a format does not have three fields of at least one bit.

    Examples
    --------
    >>> drawing = bit_fields({"bfloat16": (1, 8, 7)})
    >>> [text.get_text() for text in drawing.axes[0].texts]
    ['8', '7']
    """
    check_not_empty(formats, "format")
    for name, bits in formats.items():
        if len(bits) != len(BIT_FIELDS) or min(bits) < 1:
            raise ValueError(
                f"{name!r} must have the bits of {', '.join(BIT_FIELDS)}, each at least 1, "
                f"got {bits}"
            )
    total_bits = max(sum(bits) for bits in formats.values())
    drawing = Drawing(0.17 * total_bits + 1, 0.38 * len(formats) + 0.5)
    ax = drawing.subplots()
    for row, bits in enumerate(formats.values()):
        start = 0
        for width, colour in zip(bits, BIT_FIELDS.values(), strict=True):
            for x in range(start, start + width):
                cell(ax, x, row, colour, height=0.8)
            if width > 2:
                write(ax, start + (width - 1) / 2, row, str(width), 9, fontweight="bold")
            start += width
    ax.set(xlim=(-0.6, total_bits - 0.4), ylim=(len(formats) - 0.5, -0.5), xticks=[])
    ax.set_yticks(range(len(formats)), list(formats), fontsize=9, color=INK)
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    edge: dict[str, Any] = {"edgecolor": INK, "linewidth": 0.6}
    handles = [Patch(facecolor=colour, label=field, **edge) for field, colour in BIT_FIELDS.items()]
    legend_above(drawing, 3, handles=handles, labelcolor=None)
    return drawing
