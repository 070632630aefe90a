"""The convolution layer for PyTorch, built from scratch, and what one does to such layers.

`Conv2d` is a drop-in for ``torch.nn.Conv2d`` that calls none of PyTorch's convolutions,
`conv2d` the function behind it, `replace_conv2d` puts it into a finished model.
`fold_batch_norm` and `fold_batch_norms` put batch normalization into the convolution before
it, `redundant_biases` finds the biases that batch normalization makes useless.
"""

from convlab._require import require

require("torch", needed_by="convlab.nn")

from convlab.nn.folding import fold_batch_norm, fold_batch_norms, redundant_biases
from convlab.nn.functional import InputError, conv2d
from convlab.nn.layer import Conv2d
from convlab.nn.replace import replace_conv2d

__all__ = [
    "Conv2d",
    "InputError",
    "conv2d",
    "fold_batch_norm",
    "fold_batch_norms",
    "redundant_biases",
    "replace_conv2d",
]
