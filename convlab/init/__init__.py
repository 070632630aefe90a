"""Where the weights begin: the laws, the functions that fill a weight, and what becomes of it.

Every law here has mean 0 and differs from the others in one number, its standard deviation,
which is chosen from how many numbers enter and leave a unit: its `fans`. The functions with
an underscore at the end of their name fill a tensor in place and return it. From the same
seed they make the same numbers as those of ``torch.nn.init``, bit for bit.

`signal` sends a batch through a network and says how large its numbers are behind each
layer; `predicted_mean_square` says what they should be.
"""

from convlab._require import require

require("torch", needed_by="convlab.init")

from convlab.init.fans import Fans, fans
from convlab.init.filling import (
    default_,
    kaiming_normal_,
    kaiming_uniform_,
    xavier_normal_,
    xavier_uniform_,
)
from convlab.init.laws import Law, calculate_gain, default_law, kaiming_law, xavier_law
from convlab.init.signals import LayerSignal, predicted_mean_square, signal

__all__ = [
    "Fans",
    "Law",
    "LayerSignal",
    "calculate_gain",
    "default_",
    "default_law",
    "fans",
    "kaiming_law",
    "kaiming_normal_",
    "kaiming_uniform_",
    "predicted_mean_square",
    "signal",
    "xavier_law",
    "xavier_normal_",
    "xavier_uniform_",
]
