"""Weight initialization: distributions, functions that fill a weight, and activation statistics.

Every distribution here has mean 0; its standard deviation follows from the `fans` of the layer.
The functions whose names end in an underscore fill a tensor in place. Under the same seed they draw
the same numbers as those of ``torch.nn.init``, bit for bit. Everywhere, an argument of the wrong
type raises a TypeError, and one out of range a ValueError.

`activation_stats` runs a batch through a network and measures the output of every layer;
`predicted_mean_square` computes what theory expects.
"""

from convlab._require import require

require("torch", needed_by="convlab.init")

from convlab.init.activations import LayerStats, activation_stats, predicted_mean_square
from convlab.init.distributions import (
    WeightDistribution,
    calculate_gain,
    default_distribution,
    kaiming_distribution,
    xavier_distribution,
)
from convlab.init.fans import Fans, fans
from convlab.init.filling import (
    default_,
    kaiming_normal_,
    kaiming_uniform_,
    xavier_normal_,
    xavier_uniform_,
)

__all__ = [
    "Fans",
    "LayerStats",
    "WeightDistribution",
    "activation_stats",
    "calculate_gain",
    "default_",
    "default_distribution",
    "fans",
    "kaiming_distribution",
    "kaiming_normal_",
    "kaiming_uniform_",
    "predicted_mean_square",
    "xavier_distribution",
    "xavier_normal_",
    "xavier_uniform_",
]
