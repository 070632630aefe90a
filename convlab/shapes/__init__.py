"""Window arithmetic of convolution and pooling: sizes, padding amounts, what floor drops.

Everything here is whole numbers; no arrays, no NumPy. It is the only place in the
package that knows these formulas: the operators, the drawings and the book all ask
here.

The one idea behind them: a window of ``kernel_size`` cells, ``dilation`` apart,
*spans* ``dilation * (kernel_size - 1) + 1`` cells. It starts at the first cell of the
padded input and moves ``stride`` cells at a time for as long as it fits. The output
has one cell for each place where it stood.

Height and width never interact, so each argument is an int, meaning the same for both,
or a pair ``(height, width)``. Sources: the documentation of ``torch.nn.Conv2d``, and
Dumoulin and Visin, "A guide to convolution arithmetic for deep learning" (2016).
"""

from convlab.shapes.adaptive import (
    OutputSize,
    adaptive_axes,
    adaptive_output_size,
    adaptive_windows,
)
from convlab.shapes.channels import conv2d_num_parameters, conv2d_weight_shape
from convlab.shapes.conventions import (
    dilation_from_gaps,
    onnx_padding,
    onnx_pads,
    split_padding,
    tf_same_padding,
    tf_transposed_padding,
)
from convlab.shapes.cost import conv2d_macs, conv_transpose2d_macs, linear_macs
from convlab.shapes.groups import conv2d_channels_read
from convlab.shapes.paths import WindowLayer, path_counts, receptive_fields
from convlab.shapes.pooling import PoolingAxis, pool2d_axes, pool2d_output_size
from convlab.shapes.receptive_field import (
    ReceptiveField,
    conv2d_receptive_field,
    transposed_cells,
)
from convlab.shapes.transposed import conv_transpose2d_output_size
from convlab.shapes.windows import (
    conv2d_dropped_border,
    conv2d_output_size,
    conv2d_padding,
    dilated_kernel_size,
    same_padding,
)

__all__ = [
    "OutputSize",
    "PoolingAxis",
    "ReceptiveField",
    "WindowLayer",
    "adaptive_axes",
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
    "onnx_padding",
    "onnx_pads",
    "path_counts",
    "pool2d_axes",
    "pool2d_output_size",
    "receptive_fields",
    "same_padding",
    "split_padding",
    "tf_same_padding",
    "tf_transposed_padding",
    "transposed_cells",
]
