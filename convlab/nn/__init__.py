"""The convolution layer for PyTorch, built from scratch, and what one does to such layers.

`Conv2d` is a drop-in for ``torch.nn.Conv2d`` that calls none of PyTorch's convolutions,
`conv2d` the function behind it, `replace_conv2d` puts it into a finished model.
"""

try:
    import torch  # noqa: F401
except ImportError as error:
    raise ImportError(
        "convlab.nn is made of PyTorch tensors, and torch is missing: pip install torch"
    ) from error

from convlab.nn.functional import InputError, conv2d
from convlab.nn.layer import Conv2d
from convlab.nn.replace import replace_conv2d

__all__ = ["Conv2d", "InputError", "conv2d", "replace_conv2d"]
