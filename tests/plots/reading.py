"""Read the texts, coloured cells and legends of a figure."""

from matplotlib.colors import to_hex


def texts(ax):
    return [text.get_text() for text in ax.texts]


def cells(ax, colour):
    return [patch for patch in ax.patches if to_hex(patch.get_facecolor()) == colour]


def legend_labels(drawing):
    """Return the labels of the only legend above the panels."""
    (legend,) = drawing.legends
    return [text.get_text() for text in legend.get_texts()]
