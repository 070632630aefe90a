"""A summary as a table on a page: in a notebook, or in the book."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from convlab.summary import wording

if TYPE_CHECKING:
    from convlab.summary.layers import Layer, Summary

# Colours are those of the page around: of the book's theme where it has any, else of the text.
_BOX = "overflow-x:auto;max-width:100%;max-height:60em;overflow-y:auto"
_TABLE = "border-collapse:collapse;font-size:0.8em;font-variant-numeric:tabular-nums;margin:0"
_LINE = "border-bottom:1px solid var(--pst-color-border,rgba(128,128,128,0.4))"
_CELL = "padding:0.15em 0.4em;white-space:nowrap;background:transparent"
_BAR = (
    "display:block;height:0.2em;margin-left:auto;"
    "background:var(--pst-color-primary,currentColor);opacity:0.75"
)
# The head stays in sight, so it must cover what scrolls below: the backgrounds of the book, of
# JupyterLab, of VS Code.
_STICKY = (
    "position:sticky;top:0;background:var(--pst-color-background,"
    "var(--jp-layout-color0,var(--vscode-editor-background,Canvas)))"
)
HEAD = (
    "layer", "kind", "output", "parameters", '<abbr title="multiply-accumulates">MACs</abbr>',
    "memory", '<abbr title="receptive field">field</abbr>', "jump",
)  # fmt: skip
_WORDS = 3  # columns of words; the others hold numbers


def render(summary: Summary) -> str:
    """Return the table as HTML, styled in place so that it needs nothing from the page.

    Parameters
    ----------
    summary : Summary
        What to write.
    """
    with_fields = bool(summary.image_size)
    head = HEAD if with_fields else HEAD[:-2]
    shapes = ", ".join(wording.shape(shape) for shape in summary.input_shapes)
    title = escape(f"{summary.model}, input {shapes}")
    most = [
        max((getattr(layer, name) or 0 for layer in summary.layers), default=0)
        for name in ("parameters", "macs", "activation_bytes")
    ]
    rows = "\n".join(_row(layer, most, len(head)) for layer in summary.layers)
    totals = "<br>".join(escape(line) for line in wording.totals(summary))
    # The class is that of pandas' tables: what a theme does for those on a dark page, it does here.
    return (
        f'<div style="{_BOX}" tabindex="0" role="region" aria-label="Layers of {title}">\n'
        f'<table class="dataframe" style="{_TABLE}">\n'
        f'<caption style="caption-side:top;text-align:left">{title}</caption>\n'
        f"<thead><tr>{''.join(map(_head, head, range(len(head))))}</tr></thead>\n"
        f"<tbody>\n{rows}\n</tbody></table></div>\n"
        f'<p style="font-size:0.85em">{totals}</p>'
    )


def _head(words: str, column: int) -> str:
    return f'<th scope="col" style="{_style(column)};{_LINE};{_STICKY}">{words}</th>'


def _style(column: int) -> str:
    return f"{_CELL};text-align:{'left' if column < _WORDS else 'right'}"


def _row(layer: Layer, most: list[int], columns: int) -> str:
    cells: Sequence[str] = (
        escape(layer.kind),
        wording.shape(layer.output_shape),
        wording.count(layer.parameters) + _bar(layer.parameters, most[0]),
        wording.count(layer.macs) + _bar(layer.macs, most[1]),
        wording.memory(layer.activation_bytes) + _bar(layer.activation_bytes, most[2]),
        wording.field(layer.receptive_field),
        wording.jump(layer.receptive_field),
    )
    name = escape(wording.name(layer))
    first = f'<th scope="row" style="{_style(0)};{_LINE};font-weight:normal">{name}</th>'
    others = "".join(
        f'<td style="{_style(column)};{_LINE}">{cell}</td>'
        for column, cell in enumerate(cells[: columns - 1], start=1)
    )
    return f"<tr>{first}{others}</tr>"


def _bar(part: int | None, most: int) -> str:
    """Draw a number below itself, beside the largest of its column."""
    width = 100 * (part or 0) / max(most, 1)
    return f'<span aria-hidden="true" style="{_BAR};width:{width:.1f}%"></span>'
