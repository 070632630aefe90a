"""A summary as a table in plain text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from convlab.summary import wording

if TYPE_CHECKING:
    from convlab.summary.layers import Summary

# A table is at most this wide, as long as names of SHORTEST_NAME characters allow it: longer names
# lose their middle.
WIDTH = 100
SHORTEST_NAME = 16
LONGEST_KIND = 22


def render(summary: Summary) -> str:
    """Return the table.

    Parameters
    ----------
    summary : Summary
        What to write.
    """
    with_fields = bool(summary.image_size)
    head = ["layer", "kind", "output", "parameters", "macs", "memory"]
    rows = [
        [
            wording.name(layer),
            shortened(layer.kind, LONGEST_KIND),
            wording.shape(layer.output_shape),
            wording.count(layer.parameters),
            wording.count(layer.macs),
            wording.memory(layer.activation_bytes),
            wording.field(layer.receptive_field),
            wording.jump(layer.receptive_field),
        ]
        for layer in summary.layers
    ]
    if with_fields:
        head += ["field", "jump"]
    else:
        rows = [row[:-2] for row in rows]
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
    excess = sum(widths) + 2 * len(widths) - 2 - WIDTH
    if excess > 0:
        longest = max(SHORTEST_NAME, widths[0] - excess)
        rows = [[shortened(row[0], longest), *row[1:]] for row in rows]
        widths[0] = min(widths[0], longest)
    lines = [_line(head, widths), "-" * (sum(widths) + 2 * len(widths) - 2)]
    lines += [_line(row, widths) for row in rows]
    shapes = ", ".join(wording.shape(shape) for shape in summary.input_shapes)
    return "\n".join(
        [f"{summary.model}, input {shapes}", *lines, lines[1], *wording.totals(summary)]
    )


def shortened(text: str, longest: int) -> str:
    """Cut the middle out of a long text.

    Examples
    --------
    >>> shortened("features.denseblock3.denselayer17.conv2", 20)
    'features.…er17.conv2'
    """
    if len(text) <= longest:
        return text
    front = (longest - 1) // 2
    return f"{text[:front]}…{text[front + 1 - longest :]}"


def _line(cells: list[str], widths: list[int]) -> str:
    """Put words to the left and numbers to the right."""
    words = 3
    parts = [
        cell.ljust(width) if i < words else cell.rjust(width)
        for i, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ]
    return "  ".join(parts).rstrip()
