"""The same pixels under windows that stand differently: one direction, several paddings."""

from __future__ import annotations

from collections.abc import Mapping

from matplotlib.axes import Axes

from convlab._validate import integer
from convlab.plots.drawing import DPI, INK, INPUT, LINE, PADDING, READ, Drawing
from convlab.plots.drawing import cell as place_cell
from convlab.shapes import conv2d_output_size, dilated_kernel_size


def alignments(
    named: Mapping[str, tuple[int, int, int]],
    kernel_size: int,
    stride: int = 1,
    dilation: int = 1,
    columns: int = 2,
) -> Drawing:
    """Draw where the windows stand under different paddings, the pixels one above the other.

    Each panel has the padded strip on top: numbered cells are pixels, grey ones padding.
    Below it are the windows, named after the output that they make; as soon as they would
    overlap they take turns on several lines.

    Parameters
    ----------
    named : mapping of str to (before, size, after)
        For each title, the cells of padding in front, the pixels, and the padding behind.
    kernel_size, stride, dilation : int
        One direction of a convolution, or of a pooling; each at least 1.
    columns : int
        How many panels to put beside each other.

    Returns
    -------
    Drawing
        One axes per panel, in the order given.

    Raises
    ------
    TypeError, ValueError
        As `convlab.shapes.conv2d_output_size` does for the padded strips, or if there is
        nothing to draw.

    Examples
    --------
    >>> drawing = alignments({"symmetric": (1, 8, 1), "SAME": (0, 8, 1)}, kernel_size=3, stride=2)
    >>> [axes.get_title(loc="left") for axes in drawing.axes]
    ['symmetric', 'SAME']
    """
    if not named:
        raise ValueError("nothing to draw: give at least one title with (before, size, after)")
    columns = min(integer(columns, "columns", minimum=1), len(named))
    stride = integer(stride, "stride", minimum=1)
    extent, _ = dilated_kernel_size(kernel_size, dilation)
    lines = -(-extent // stride)  # so many windows cover one cell
    first = max(before for before, _, _ in named.values())
    width = max(size + after for _, size, after in named.values())
    rows = -(-len(named) // columns)
    drawing = Drawing(
        figsize=(0.3 * columns * (first + width + 1), 0.3 * rows * (lines + 3.4)),
        layout="constrained",
        dpi=DPI,
    )
    axes = drawing.subplots(rows, columns, squeeze=False)
    for unused in axes.flat[len(named) :]:
        drawing.delaxes(unused)
    for axis, (title, strip) in zip(drawing.axes, named.items(), strict=True):
        _strip(axis, *strip)
        _windows(axis, strip, kernel_size, stride, dilation, lines)
        axis.set(xlim=(-first - 0.7, width - 0.3), ylim=(lines + 1.1, -0.7), aspect="equal")
        axis.set_axis_off()
        axis.set_title(title, fontsize=9, color=INK, loc="left")
    return drawing


def _strip(axis: Axes, before: int, size: int, after: int) -> None:
    """Draw the padded input, pixel 0 at 0."""
    for place in range(-before, size + after):
        pixel = 0 <= place < size
        place_cell(axis, place, 0, INPUT if pixel else PADDING)
        if pixel:
            axis.text(place, 0, str(place), ha="center", va="center", color=INK, fontsize=8)


def _windows(
    axis: Axes,
    strip: tuple[int, int, int],
    kernel_size: int,
    stride: int,
    dilation: int,
    lines: int,
) -> None:
    """Draw the cells that each window reads, and its number in the middle."""
    before, size, after = strip
    count, _ = conv2d_output_size(before + size + after, kernel_size, stride, 0, dilation)
    reach = dilation * (kernel_size - 1)
    for output in range(count):
        start, y = output * stride - before, 1.4 + output % lines
        axis.plot([start, start + reach], [y, y], color=LINE, linewidth=0.8, zorder=0)
        for place in range(start, start + reach + 1, dilation):
            place_cell(axis, place, y, READ, height=0.75)
        axis.text(
            start + reach / 2, y, f"y{output}", ha="center", va="center", color=INK, fontsize=8
        )
