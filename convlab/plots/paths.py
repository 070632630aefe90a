"""From one output cell down to the input, layer by layer, along one direction."""

from __future__ import annotations

from collections.abc import Sequence

from convlab.plots.drawing import DPI, INK, INPUT, LINE, READ, Drawing, cell
from convlab.shapes import path_counts, receptive_fields
from convlab.shapes.receptive_field import WindowLayer

GAP = 2.2  # from one row of cells to the next, in cells


def paths(layers: Sequence[WindowLayer]) -> Drawing:
    """Draw the cells that one output cell depends on, layer by layer, and the paths there.

    The bottom row is the input, the top row the output cell. Filled cells are seen, white
    ones lie between them and are not. Each line is one weight of one window.

    Parameters
    ----------
    layers : sequence of (kernel_size, stride, dilation)
        As for `convlab.shapes.path_counts`, from the first layer to the last; where height
        and width differ, the width is drawn.

    Returns
    -------
    Drawing
        A single axes; in the input row, each cell shows the number of paths to the output.

    Raises
    ------
    TypeError, ValueError
        As `convlab.shapes.path_counts` does.

    Examples
    --------
    >>> drawing = paths([(3, 1, 2), (3, 1, 2)])
    >>> [text.get_text() for text in drawing.axes[0].texts][:9]
    ['1', '', '2', '', '3', '', '2', '', '1']
    """
    # Paths from the cells of every level, the input first, to the output cell.
    fields = [columns for _, columns in receptive_fields(layers)]
    levels = [path_counts(layers[depth:])[1] for depth in range(len(layers))] + [(1,)]
    width = len(levels[0])
    drawing = Drawing(
        figsize=(0.3 * (width + 5.5), 0.3 * (GAP * len(layers) + 1.4)),
        layout="constrained",
        dpi=DPI,
    )
    axis = drawing.subplots()
    # Each cell of a level stands over the middle of the input cells that it depends on.
    places = [
        [field.center + field.jump * unit for unit in range(len(counts))]
        for field, counts in zip(fields, levels, strict=True)
    ]
    for depth, counts in enumerate(levels):
        for x, count in zip(places[depth], counts, strict=True):
            cell(axis, x, depth * GAP, READ if count else INPUT)
            if depth == 0:
                axis.text(x, 0, str(count or ""), ha="center", va="center", color=INK,
                          fontsize=10 if count < 100 else 6)  # fmt: skip
    for depth, layer in enumerate(layers):
        stride = fields[depth + 1].jump // fields[depth].jump
        taps = [tap for tap, read in enumerate(path_counts([layer])[1]) if read]
        for output, (x, count) in enumerate(zip(places[depth + 1], levels[depth + 1], strict=True)):
            for tap in taps if count else ():
                axis.plot([places[depth][output * stride + tap], x],
                          [depth * GAP + 0.5, (depth + 1) * GAP - 0.5],
                          color=LINE, linewidth=0.8, zorder=0)  # fmt: skip
        axis.text(width + 0.1, (depth + 1) * GAP, _words(taps, stride),
                  va="center", color=INK, fontsize=10)  # fmt: skip
    axis.text(width + 0.1, 0, "input", va="center", color=INK, fontsize=10)
    axis.set(xlim=(-0.7, width + 5), ylim=(-0.8, GAP * len(layers) + 0.8), aspect="equal")
    axis.set_axis_off()
    return drawing


def _words(taps: Sequence[int], stride: int) -> str:
    words = [f"kernel {len(taps)}"]
    words += [f"stride {stride}"] if stride > 1 else []
    words += [f"dilation {taps[1]}"] if len(taps) > 1 and taps[1] > 1 else []
    return ", ".join(words)
