"""Cost of a layer in multiply-accumulates.

One multiply-accumulate is one product added to a sum. FLOPs in published tables are either this
number or twice as many, a product and an addition counted separately. Multiplications with the
zeros of the padding are counted, as is customary; adding the bias is not.

The formulas follow from the definitions of the layers: see the documentation of
``torch.nn.Conv2d``, ``torch.nn.ConvTranspose2d`` and ``torch.nn.Linear``.
"""

from __future__ import annotations

from math import prod

from convlab._validate import IntOrPair, Padding, check_groups, integer, pair
from convlab.shapes.channels import conv2d_weight_shape
from convlab.shapes.convolution import conv2d_output_size, conv_transpose2d_output_size


def conv2d_macs(
    size: IntOrPair,
    in_channels: int,
    out_channels: int,
    kernel_size: IntOrPair,
    stride: IntOrPair = 1,
    padding: Padding = 0,
    dilation: IntOrPair = 1,
    groups: int = 1,
) -> int:
    r"""Count the multiply-accumulates of a convolution, for one image.

    .. math::

        H_\text{out} \cdot W_\text{out} \cdot C_\text{out} \cdot
        \frac{C_\text{in}}{\text{groups}} \cdot k_H \cdot k_W

    Every number of the output is a sum of one product per weight of its kernel. `size` is the
    height and width of the input; the other arguments are those of ``torch.nn.Conv2d``.

    Examples
    --------
    The first layer of ResNet, and its 64 kernels split into 64 groups of one channel each:

    >>> conv2d_macs(224, 3, 64, kernel_size=7, stride=2, padding=3)
    118013952
    >>> conv2d_macs(56, 64, 64, kernel_size=3, padding=1, groups=64)
    1806336
    """
    kernels = conv2d_weight_shape(in_channels, out_channels, kernel_size, groups)
    return prod(conv2d_output_size(size, kernel_size, stride, padding, dilation)) * prod(kernels)


def conv_transpose2d_macs(
    size: IntOrPair,
    in_channels: int,
    out_channels: int,
    kernel_size: IntOrPair,
    stride: IntOrPair = 1,
    padding: IntOrPair = 0,
    output_padding: IntOrPair = 0,
    groups: int = 1,
    dilation: IntOrPair = 1,
) -> int:
    r"""Count the multiply-accumulates of a transposed convolution, for one image.

    .. math::

        H_\text{in} \cdot W_\text{in} \cdot C_\text{in} \cdot
        \frac{C_\text{out}}{\text{groups}} \cdot k_H \cdot k_W

    Every number of the input is multiplied by each weight of its kernel once, including those whose
    products `padding` removes; stride and dilation do not change the number of products. `size` is
    the height and width of the input; the other arguments are those of
    ``torch.nn.ConvTranspose2d``, in its order.

    Examples
    --------
    >>> conv_transpose2d_macs(14, 256, 128, kernel_size=2, stride=2)
    25690112
    """
    # Called only for its checks: the cost does not depend on the size of the output.
    conv_transpose2d_output_size(size, kernel_size, stride, padding, output_padding, dilation)
    in_channels, out_channels, groups = check_groups(in_channels, out_channels, groups)
    kernels = conv2d_weight_shape(out_channels, in_channels, kernel_size, groups)
    return prod(pair(size, "size", minimum=1)) * prod(kernels)


def linear_macs(in_features: int, out_features: int, rows: int = 1) -> int:
    """Count the multiply-accumulates of a fully connected layer.

    Parameters
    ----------
    in_features, out_features : int
        Numbers in an input and an output vector, at least 1.
    rows : int
        Number of vectors, at least 0.

    Examples
    --------
    The first fully connected layer of VGG is cheap compared with its convolutions:

    >>> linear_macs(512 * 7 * 7, 4096)
    102760448
    """
    return (
        integer(rows, "rows", minimum=0)
        * integer(in_features, "in_features", minimum=1)
        * integer(out_features, "out_features", minimum=1)
    )
