"""Convolution and pooling of NumPy arrays.

Names, argument order, defaults and results are those of ``torch.nn.functional``, so a call written
for one works with the other. Where the two differ, the docstring says so.

Arrays are ``(N, C, H, W)``: images in the batch, channels, height, width; or ``(C, H, W)`` for a
single image.
"""

from convlab.ops.backward import conv2d_backward
from convlab.ops.convolution import METHODS, PrepackedConv2d, conv2d
from convlab.ops.groups import channel_shuffle, ungrouped_weight
from convlab.ops.layouts import (
    change_layout,
    depthwise_to_grouped,
    grouped_to_depthwise,
    turn_kernel,
)
from convlab.ops.padding import PADDING_MODES, pad2d, pad2d_backward
from convlab.ops.pooling import (
    adaptive_avg_pool2d,
    adaptive_max_pool2d,
    avg_pool2d,
    max_pool2d,
)
from convlab.ops.transposed import conv_transpose2d
from convlab.ops.workspace import release_workspace

__all__ = [
    "METHODS",
    "PADDING_MODES",
    "PrepackedConv2d",
    "adaptive_avg_pool2d",
    "adaptive_max_pool2d",
    "avg_pool2d",
    "change_layout",
    "channel_shuffle",
    "conv2d",
    "conv2d_backward",
    "conv_transpose2d",
    "depthwise_to_grouped",
    "grouped_to_depthwise",
    "max_pool2d",
    "pad2d",
    "pad2d_backward",
    "release_workspace",
    "turn_kernel",
    "ungrouped_weight",
]
