"""A PyTorch convolution layer built from scratch, and tools for models with convolutions.

`Conv2d` is a drop-in for ``torch.nn.Conv2d`` that calls none of PyTorch's convolutions, and
`conv2d` is its functional form; `replace_conv2d` swaps the layer into an existing model.
`fold_conv_bn` and `fold_model` fold batch normalization into the convolution before it;
`redundant_biases` finds the biases that a following batch normalization cancels.
"""

from convlab._require import require

require("torch", needed_by="convlab.nn")

from convlab.nn.folding import fold_conv_bn, fold_model, redundant_biases
from convlab.nn.functional import InputError, conv2d
from convlab.nn.layer import Conv2d
from convlab.nn.replace import replace_conv2d

__all__ = [
    "Conv2d",
    "InputError",
    "conv2d",
    "fold_conv_bn",
    "fold_model",
    "redundant_biases",
    "replace_conv2d",
]
