"""The drawings of the book: matrices with their numbers, pictures, windows on a strip.

Every function draws arrays or numbers that the caller brings, so a reader can put in a
layer of their own. What comes back is a `Drawing`, a matplotlib figure that shows itself
at the end of a notebook cell; elsewhere, ``drawing.savefig("name.png")`` keeps it. Its
``axes`` can be changed like those of any figure. Nothing is left behind in pyplot.

The colours have one meaning each in every figure: `READ` is a cell that a window reads, `PADDING`
and `DROPPED` cells are what they say, `INK` and `LINE` are for text and edges.
"""

from convlab._require import require

require("matplotlib", needed_by="convlab.plots")

from convlab.plots.alignments import alignments
from convlab.plots.comparison import cost_against_time
from convlab.plots.confusion import confusion_matrix
from convlab.plots.connections import connections
from convlab.plots.coverage import coverage, growth
from convlab.plots.curves import learning_rate_range, training_curves
from convlab.plots.descent import descent
from convlab.plots.drawing import DROPPED, INK, INPUT, LINE, PADDING, READ, Drawing
from convlab.plots.formats import bit_fields
from convlab.plots.grids import matrices
from convlab.plots.intervals import intervals
from convlab.plots.maps import feature_maps, filters
from convlab.plots.networks import network
from convlab.plots.normalization import channel_histograms, planes
from convlab.plots.paths import paths
from convlab.plots.pictures import images, kernels
from convlab.plots.shares import shares
from convlab.plots.signals import histogram, signals
from convlab.plots.speeds import speeds
from convlab.plots.strips import windows

__all__ = [
    "DROPPED",
    "INK",
    "INPUT",
    "LINE",
    "PADDING",
    "READ",
    "Drawing",
    "alignments",
    "bit_fields",
    "channel_histograms",
    "confusion_matrix",
    "connections",
    "cost_against_time",
    "coverage",
    "descent",
    "feature_maps",
    "filters",
    "growth",
    "histogram",
    "images",
    "intervals",
    "kernels",
    "learning_rate_range",
    "matrices",
    "network",
    "paths",
    "planes",
    "shares",
    "signals",
    "speeds",
    "training_curves",
    "windows",
]
