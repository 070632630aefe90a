"""Figures of the book: matrices, windows, receptive fields, networks, measurements.

Every function draws arrays or numbers that you pass and returns a `Drawing`, a matplotlib figure
that displays itself at the end of a notebook cell; elsewhere, ``drawing.savefig("name.png")`` saves
it. Its ``axes``, one per panel and in the order of the panels, can be changed like those of any
figure. No figure stays open in pyplot.

Colours have the same meaning in every figure: `READ` is a cell that a window reads, `INK` is
for text, `LINE` for edges and grids.
"""

from convlab._require import require

require("matplotlib", needed_by="convlab.plots")

from convlab.plots.algorithms import fast_products
from convlab.plots.drawing import INK, LINE, READ, Drawing
from convlab.plots.gradients import backward_arrows
from convlab.plots.grids import (
    adaptive_positions,
    bit_fields,
    matrices,
    output_sizes,
    window_alignments,
    window_positions,
)
from convlab.plots.images import convolution_step, feature_maps, filters, images, kernel_slices
from convlab.plots.networks import (
    channel_connections,
    network,
    residual_block,
    stacked_bars,
)
from convlab.plots.performance import dots, speedup_against_operations, speedups
from convlab.plots.planes import batch_through_layer, kernel_blocks
from convlab.plots.receptive_fields import (
    receptive_field_coverage,
    receptive_field_growth,
    receptive_field_paths,
)
from convlab.plots.statistics import (
    batch_blocks,
    batch_planes,
    channel_histograms,
    confidence_intervals,
    histogram,
    layer_curves,
    running_statistics,
)
from convlab.plots.training import (
    confusion_heatmap,
    gradient_descent,
    loss_against_learning_rate,
    training_curves,
)

__all__ = [
    "INK",
    "LINE",
    "READ",
    "Drawing",
    "adaptive_positions",
    "backward_arrows",
    "batch_blocks",
    "batch_planes",
    "batch_through_layer",
    "bit_fields",
    "channel_connections",
    "channel_histograms",
    "confidence_intervals",
    "confusion_heatmap",
    "convolution_step",
    "dots",
    "fast_products",
    "feature_maps",
    "filters",
    "gradient_descent",
    "histogram",
    "images",
    "kernel_blocks",
    "kernel_slices",
    "layer_curves",
    "loss_against_learning_rate",
    "matrices",
    "network",
    "output_sizes",
    "receptive_field_coverage",
    "receptive_field_growth",
    "receptive_field_paths",
    "residual_block",
    "running_statistics",
    "speedup_against_operations",
    "speedups",
    "stacked_bars",
    "training_curves",
    "window_alignments",
    "window_positions",
]
