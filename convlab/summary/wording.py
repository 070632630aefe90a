"""How the numbers of a summary are written: in the plain table and on the page alike."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from convlab.summary.layers import Layer, LayerField, Summary

UNKNOWN = "?"


def count(number: int | None) -> str:
    """Write a number with its thousands apart, or ``?``."""
    return UNKNOWN if number is None else f"{number:,}"


def memory(number: int) -> str:
    """Write a number of bytes in the unit that fits.

    Examples
    --------
    >>> memory(512), memory(3 * 2**20)
    ('512 B', '3.0 MiB')
    """
    if number < 1024:
        return f"{number} B"
    size = float(number)
    for unit in ("KiB", "MiB", "GiB"):
        size /= 1024
        if size < 1024 or unit == "GiB":
            break
    return f"{size:,.1f} {unit}"


def shape(sizes: Sequence[int]) -> str:
    """Write a shape.

    Examples
    --------
    >>> shape((1, 64, 112, 112))
    '1x64x112x112'
    """
    return "x".join(str(size) for size in sizes) or "scalar"


def name(layer: Layer) -> str:
    """Write the name of a layer, and which call of it this is."""
    again = f" #{layer.call}" if layer.call > 1 else ""
    return (layer.name or "(model)") + again


def field(receptive_field: LayerField | None) -> str:
    """Write the size of a receptive field: ``435``, ``435x227``, ``whole`` or ``?``."""
    if receptive_field is None:
        return UNKNOWN
    if all(receptive_field.whole):
        return "whole"
    words = []
    for size, jump, whole in zip(
        receptive_field.size, receptive_field.jump, receptive_field.whole, strict=True
    ):
        if whole:
            words.append("whole")
        elif size is None:
            words.append(UNKNOWN)
        else:  # without a jump, the units see differently many cells
            words.append(f"{size:,}" if jump is not None else f"≤{size:,}")
    return words[0] if len(set(words)) == 1 else "x".join(words)


def jump(receptive_field: LayerField | None) -> str:
    """Write the jump of a receptive field: ``32``, ``32x16`` or ``?``."""
    if receptive_field is None:
        return UNKNOWN
    if all(receptive_field.whole):
        return "-"
    words = [count(number) for number in receptive_field.jump]
    return words[0] if len(set(words)) == 1 else "x".join(words)


def totals(summary: Summary) -> list[str]:
    """Write the totals, one sentence a line."""
    unused = summary.parameters_unused
    lines = [
        f"parameters: {count(summary.parameters)} ({memory(summary.parameter_bytes)})"
        + (f", of which {count(unused)} took no part in this run" if unused else ""),
        f"multiply-accumulates: {count(summary.macs)}",
        f"activations: {memory(summary.activation_bytes)}",
    ]
    return lines
