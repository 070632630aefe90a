"""Format the layers of a summary as a table, in plain text or HTML."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from convlab.summary.layers import Layer, LayerField

COLUMNS = ("layer", "kind", "output", "parameters", "macs", "memory", "field", "jump")
_TEXT_COLUMNS = 3  # aligned to the left; the others hold numbers
UNKNOWN = "?"
# A table in plain text has this width at most, as long as that leaves MIN_NAME_WIDTH characters for
# the name of a layer: longer names lose their middle.
MAX_WIDTH = 100
MIN_NAME_WIDTH = 16
MAX_KIND_WIDTH = 22


def text_table(
    title: str, layers: Sequence[Layer], totals: Sequence[str], with_fields: bool
) -> str:
    """Return a table in plain text: title, a row per layer, totals."""
    num_columns = len(COLUMNS) if with_fields else len(COLUMNS) - 2
    rows = [list(COLUMNS), *(_cells(layer) for layer in layers)]
    rows = [[row[0], shorten(row[1], MAX_KIND_WIDTH), *row[2:num_columns]] for row in rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    excess = sum(widths) + 2 * len(widths) - 2 - MAX_WIDTH
    if excess > 0:
        widths[0] = min(widths[0], max(MIN_NAME_WIDTH, widths[0] - excess))
    head, *lines = [
        "  ".join(
            shorten(cell, width).ljust(width) if column < _TEXT_COLUMNS else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
    rule = "-" * (sum(widths) + 2 * len(widths) - 2)
    return "\n".join([title, head, rule, *lines, rule, *totals])


def shorten(text: str, max_width: int) -> str:
    """Cut the middle out of a long text: ``features.…er17.conv2``."""
    if len(text) <= max_width:
        return text
    front = (max_width - 1) // 2
    return f"{text[:front]}…{text[front + 1 - max_width :]}"


# The colours are those of the surrounding page: of the book's theme if it has any, else of the
# text. The head sticks to the top and must cover what scrolls below it, so it takes the background
# of the book, of JupyterLab or of VS Code.
_BOX = "overflow-x:auto;max-width:100%;max-height:60em;overflow-y:auto"
_TABLE = "border-collapse:collapse;font-size:0.8em;font-variant-numeric:tabular-nums;margin:0"
_LINE = "border-bottom:1px solid var(--pst-color-border,rgba(128,128,128,0.4))"
_CELL = "padding:0.15em 0.4em;white-space:nowrap;background:transparent"
_BAR = (
    "display:block;height:0.2em;margin-left:auto;"
    "background:var(--pst-color-primary,currentColor);opacity:0.75"
)
_STICKY = (
    "position:sticky;top:0;background:var(--pst-color-background,"
    "var(--jp-layout-color0,var(--vscode-editor-background,Canvas)))"
)
_HTML_COLUMNS = {
    "macs": '<abbr title="multiply-accumulates">MACs</abbr>',
    "field": '<abbr title="receptive field">field</abbr>',
}


def html_table(
    title: str, layers: Sequence[Layer], totals: Sequence[str], with_fields: bool
) -> str:
    """Return a table in HTML with inline styles, independent of those of the page."""
    columns = [_HTML_COLUMNS.get(name, name) for name in COLUMNS[: None if with_fields else -2]]
    head = "".join(
        f'<th scope="col" style="{_style(i)};{_LINE};{_STICKY}">{column}</th>'
        for i, column in enumerate(columns)
    )
    numbers = [(layer.parameters, layer.macs or 0, layer.activation_bytes) for layer in layers]
    maxima = [max(column) for column in zip(*numbers, strict=True)]
    rows = "\n".join(
        _html_row(_cells(layer)[: len(columns)], of_layer, maxima)
        for layer, of_layer in zip(layers, numbers, strict=True)
    )
    title = escape(title)
    # The class is that of the tables of pandas, so that a theme styles both alike on a dark page.
    return (
        f'<div style="{_BOX}" tabindex="0" role="region" aria-label="Layers of {title}">\n'
        f'<table class="dataframe" style="{_TABLE}">\n'
        f'<caption style="caption-side:top;text-align:left">{title}</caption>\n'
        f"<thead><tr>{head}</tr></thead>\n"
        f"<tbody>\n{rows}\n</tbody></table></div>\n"
        f'<p style="font-size:0.85em">{"<br>".join(map(escape, totals))}</p>'
    )


def _html_row(cells: Sequence[str], numbers: Sequence[int], maxima: Sequence[int]) -> str:
    """Return a row; the three numbers have bars below them, relative to their column's maximum."""
    html = [escape(cell) for cell in cells]
    for i, (number, maximum) in enumerate(zip(numbers, maxima, strict=True), start=_TEXT_COLUMNS):
        width = 100 * number / max(maximum, 1)
        html[i] += f'<span aria-hidden="true" style="{_BAR};width:{width:.1f}%"></span>'
    name, *others = html
    first = f'<th scope="row" style="{_style(0)};{_LINE};font-weight:normal">{name}</th>'
    rest = (f'<td style="{_style(i)};{_LINE}">{cell}</td>' for i, cell in enumerate(others, 1))
    return f"<tr>{first}{''.join(rest)}</tr>"


def _style(column: int) -> str:
    return f"{_CELL};text-align:{'left' if column < _TEXT_COLUMNS else 'right'}"


def _cells(layer: Layer) -> list[str]:
    """Return the cells of a row, one per column."""
    repeated = f" #{layer.call}" if layer.call > 1 else ""
    return [
        (layer.name or "(model)") + repeated,
        layer.kind,
        format_shape(layer.output_shape),
        format_count(layer.parameters),
        format_count(layer.macs),
        format_bytes(layer.activation_bytes),
        *_format_field(layer.receptive_field),
    ]


def format_count(number: int | None) -> str:
    """Format a number with thousands separators; ``?`` if it is unknown."""
    return UNKNOWN if number is None else f"{number:,}"


def format_bytes(number: int) -> str:
    """Format a number of bytes in the largest fitting unit: ``3.0 MiB``."""
    if number < 1024:
        return f"{number} B"
    exponent = min((number.bit_length() - 1) // 10, 3)
    return f"{number / 1024**exponent:,.1f} {('KiB', 'MiB', 'GiB')[exponent - 1]}"


def format_shape(shape: Sequence[int]) -> str:
    """Format a shape: ``1x64x112x112``."""
    return "x".join(map(str, shape)) or "scalar"


def _format_field(field: LayerField | None) -> list[str]:
    """Format the size of a receptive field, such as ``435x227`` or ``whole``, and its jump."""
    if field is None:
        return [UNKNOWN, UNKNOWN]
    sizes = []
    for size, jump, whole in zip(field.size, field.jump, field.whole, strict=True):
        # Without a jump, the size is the maximum of the units.
        sign = "≤" if jump is None and size is not None else ""
        sizes.append("whole" if whole else sign + format_count(size))
    jumps = ["-"] if all(field.whole) else [format_count(jump) for jump in field.jump]
    return [texts[0] if len(set(texts)) == 1 else "x".join(texts) for texts in (sizes, jumps)]
