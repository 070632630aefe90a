"""Window arithmetic of convolution and pooling: sizes, padding, receptive fields, costs.

All functions compute with integers, without arrays or NumPy. The rest of the package uses these
functions and repeats none of their formulas.

The central idea: a window of ``kernel_size`` cells, ``dilation`` apart, *spans*
``dilation * (kernel_size - 1) + 1`` cells. It starts at the first cell of the padded input and
moves by ``stride`` cells as long as it fits. The output has one cell per position of the window.

Height and width are independent, so each argument is an int, for both of them, or a pair
``(height, width)``; returned sizes are pairs. Every function raises ``TypeError`` for an argument
of the wrong type and ``ValueError`` for a number out of range or an unknown string; the message
names the argument and the numbers. A section "Raises" lists what else is an error.

Sources: the documentation of ``torch.nn.Conv2d``, and Dumoulin and Visin, "A guide to convolution
arithmetic for deep learning" (2016).
"""

from convlab.shapes.channels import (
    conv2d_channels_read,
    conv2d_num_parameters,
    conv2d_weight_shape,
)
from convlab.shapes.conventions import (
    dilation_from_gaps,
    padding_from_onnx,
    padding_to_onnx,
    split_padding,
    tf_same_padding,
    tf_transposed_padding,
)
from convlab.shapes.convolution import (
    conv2d_dropped_border,
    conv2d_output_size,
    conv2d_padding,
    conv_transpose2d_output_size,
    dilated_kernel_size,
    same_padding,
)
from convlab.shapes.cost import conv2d_macs, conv_transpose2d_macs, linear_macs
from convlab.shapes.pooling import adaptive_output_size, adaptive_windows, pool2d_output_size
from convlab.shapes.receptive_field import (
    ReceptiveField,
    conv2d_receptive_field,
    path_counts,
    receptive_fields,
)

__all__ = [
    "ReceptiveField",
    "adaptive_output_size",
    "adaptive_windows",
    "conv2d_channels_read",
    "conv2d_dropped_border",
    "conv2d_macs",
    "conv2d_num_parameters",
    "conv2d_output_size",
    "conv2d_padding",
    "conv2d_receptive_field",
    "conv2d_weight_shape",
    "conv_transpose2d_macs",
    "conv_transpose2d_output_size",
    "dilated_kernel_size",
    "dilation_from_gaps",
    "linear_macs",
    "padding_from_onnx",
    "padding_to_onnx",
    "path_counts",
    "pool2d_output_size",
    "receptive_fields",
    "same_padding",
    "split_padding",
    "tf_same_padding",
    "tf_transposed_padding",
]
