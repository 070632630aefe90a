"""Number formats, bit by bit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.patches import Patch

from convlab.plots.drawing import DPI, INK, INPUT, PADDING, READ, Drawing, cell

FIELDS = {"sign": INPUT, "exponent": PADDING, "fraction": READ}


def bit_fields(formats: Mapping[str, Sequence[int]]) -> Drawing:
    """Draw each format as a row of bits: the sign, the exponent and the fraction.

    Parameters
    ----------
    formats : mapping of str to sequence of int (3,)
        For the name of each format, from top to bottom, how many bits the three fields have.

    Returns
    -------
    Drawing
        One axes, with one cell for each bit, and the number of bits in the middle of each
        field that has more than two.

    Raises
    ------
    ValueError
        If there is nothing to draw, or a format has not three fields of at least one bit.

    Examples
    --------
    >>> drawing = bit_fields({"bfloat16": (1, 8, 7)})
    >>> [text.get_text() for text in drawing.axes[0].texts]
    ['8', '7']
    """
    if not formats:
        raise ValueError("nothing to draw: give at least one format")
    for name, bits in formats.items():
        if len(bits) != len(FIELDS) or min(bits) < 1:
            raise ValueError(
                f"{name!r} needs the bits of {', '.join(FIELDS)}, each at least 1, got {bits}"
            )
    widest = max(sum(bits) for bits in formats.values())
    drawing = Drawing(
        figsize=(0.17 * widest + 1, 0.38 * len(formats) + 0.5), layout="constrained", dpi=DPI
    )
    axis = drawing.subplots()
    for row, bits in enumerate(formats.values()):
        start = 0
        for width, colour in zip(bits, FIELDS.values(), strict=True):
            for place in range(start, start + width):
                cell(axis, place, row, colour, height=0.8)
            if width > 2:
                axis.text(start + (width - 1) / 2, row, str(width), ha="center", va="center",
                          fontsize=9, color=INK, fontweight="bold")  # fmt: skip
            start += width
    axis.set(xlim=(-0.6, widest - 0.4), ylim=(len(formats) - 0.5, -0.5), xticks=[])
    axis.set_yticks(range(len(formats)), list(formats), fontsize=9, color=INK)
    axis.tick_params(length=0)
    axis.spines[:].set_visible(False)
    handles = [Patch(facecolor=c, edgecolor=INK, linewidth=0.6, label=n) for n, c in FIELDS.items()]
    drawing.legend(
        handles=handles, loc="outside upper center", ncols=3, fontsize=9, frameon=False
    )  # fmt: skip
    return drawing
