"""Window arithmetic of convolution: sizes, padding amounts, what floor drops.

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

from __future__ import annotations

from collections.abc import Sequence
from operator import index
from typing import Literal

__all__ = [
    "check_groups",
    "conv2d_dropped_border",
    "conv2d_num_parameters",
    "conv2d_output_size",
    "conv2d_padding",
    "conv2d_weight_shape",
    "dilated_kernel_size",
    "integer",
    "pair",
    "same_padding",
]

IntOrPair = int | Sequence[int]
Padding = IntOrPair | Literal["same", "valid"]


def integer(value: object, name: str, minimum: int) -> int:
    """Return `value` as an int of at least `minimum`.

    NumPy integers and zero-dimensional integer tensors count as integers; floats
    (even ``2.0``) and bools do not, as in PyTorch.

    Parameters
    ----------
    value : int
        The number to check.
    name : str
        What to call it in an error message.
    minimum : int
        The smallest value allowed.

    Raises
    ------
    TypeError
        If `value` is not an integer.
    ValueError
        If it is below `minimum`.

    Examples
    --------
    >>> integer(3, "groups", minimum=1)
    3
    >>> integer(0, "groups", minimum=1)
    Traceback (most recent call last):
    ValueError: groups must be at least 1, got 0
    """
    if isinstance(value, bool):
        raise TypeError(f"{name} must be an int, got the bool {value}")
    try:
        number = index(value)  # type: ignore[arg-type]  # index() itself is the check
    except TypeError:
        raise TypeError(f"{name} must be an int, got {type(value).__name__} {value!r}") from None
    if number < minimum:
        raise ValueError(f"{name} must be at least {minimum}, got {number}")
    return number


def pair(value: IntOrPair, name: str, minimum: int) -> tuple[int, int]:
    """Return `value` as a pair ``(height, width)`` of ints of at least `minimum`.

    Parameters
    ----------
    value : int or pair of ints
        One number for both directions, or one for each.
    name : str
        What to call it in an error message.
    minimum : int
        The smallest value allowed in either direction.

    Raises
    ------
    TypeError
        If `value` is neither an int nor a sequence of ints.
    ValueError
        If the sequence does not have two entries, or one is below `minimum`.

    Examples
    --------
    >>> pair(3, "kernel_size", minimum=1), pair((2, 3), "kernel_size", minimum=1)
    ((3, 3), (2, 3))
    >>> pair((1, 2, 3), "stride", minimum=1)
    Traceback (most recent call last):
    ValueError: stride must be an int or a pair (height, width), got 3 values: (1, 2, 3)
    """
    if isinstance(value, str) or not isinstance(value, Sequence):
        try:
            number = integer(value, name, minimum)
        except TypeError:
            raise TypeError(
                f"{name} must be an int or a pair of ints (height, width), "
                f"got {type(value).__name__} {value!r}"
            ) from None
        return number, number
    if len(value) != 2:
        raise ValueError(
            f"{name} must be an int or a pair (height, width), got {len(value)} values: {value!r}"
        )
    height, width = value
    return integer(height, f"{name}[0]", minimum), integer(width, f"{name}[1]", minimum)


def dilated_kernel_size(kernel_size: IntOrPair, dilation: IntOrPair = 1) -> tuple[int, int]:
    r"""Rows and columns that a dilated kernel spans, the skipped ones included.

    .. math:: \text{extent} = \text{dilation} \cdot (\text{kernel\_size} - 1) + 1

    Parameters
    ----------
    kernel_size : int or pair of ints
        Rows and columns of weights, at least 1.
    dilation : int or pair of ints
        Distance between neighbouring weights, in input cells; 1 is the ordinary kernel.

    Raises
    ------
    TypeError, ValueError
        As `pair` does, with minimum 1.

    Examples
    --------
    Nine weights that reach over 25 cells:

    >>> dilated_kernel_size(3, dilation=2)
    (5, 5)
    """
    k_h, k_w = pair(kernel_size, "kernel_size", minimum=1)
    d_h, d_w = pair(dilation, "dilation", minimum=1)
    return d_h * (k_h - 1) + 1, d_w * (k_w - 1) + 1


def same_padding(kernel_size: IntOrPair, dilation: IntOrPair = 1) -> tuple[int, int, int, int]:
    """Cells that ``padding="same"`` adds on each side: ``(left, right, top, bottom)``.

    Among `n` cells, a window that spans `e` of them has only ``n - (e - 1)`` places to
    stand, so ``e - 1`` cells are added per direction. When that number is odd (an even kernel, odd
    dilation), one side must get one more: PyTorch gives it to the right and the bottom.

    Parameters
    ----------
    kernel_size : int or pair of ints
        Rows and columns of weights, at least 1.
    dilation : int or pair of ints
        Distance between neighbouring weights, at least 1.

    Returns
    -------
    tuple of four ints
        In the order of ``torch.nn.functional.pad`` and `convlab.ops.pad2d`: the last
        axis first.

    Raises
    ------
    TypeError, ValueError
        As `pair` does, with minimum 1.

    Examples
    --------
    >>> same_padding(3)
    (1, 1, 1, 1)
    >>> same_padding(4)
    (1, 2, 1, 2)
    """
    extent_h, extent_w = dilated_kernel_size(kernel_size, dilation)
    top, left = (extent_h - 1) // 2, (extent_w - 1) // 2
    return left, extent_w - 1 - left, top, extent_h - 1 - top


def conv2d_padding(
    padding: Padding, kernel_size: IntOrPair, stride: IntOrPair = 1, dilation: IntOrPair = 1
) -> tuple[int, int, int, int]:
    """Cells that a convolution adds on each side: ``(left, right, top, bottom)``.

    Parameters
    ----------
    padding : int, pair of ints, "same" or "valid"
        A number is added on *both* sides: ``(1, 2)`` means one row above and one below,
        two columns left and two right. ``"valid"`` adds nothing, ``"same"`` what
        `same_padding` says.
    kernel_size, stride, dilation : int or pair of ints
        The rest of the layer, each at least 1. Numeric padding does not depend on them.

    Raises
    ------
    TypeError
        If an argument is of the wrong kind.
    ValueError
        If a number is too small, if the string is another one, or for ``"same"`` with a
        stride above 1: the output could not have the size of the input.

    Examples
    --------
    >>> conv2d_padding((1, 2), kernel_size=3)
    (2, 2, 1, 1)
    >>> conv2d_padding("same", kernel_size=2)
    (0, 1, 0, 1)
    >>> conv2d_padding("same", kernel_size=3, stride=2)
    Traceback (most recent call last):
    ValueError: padding='same' needs stride 1, got stride=(2, 2); give a number instead,
    for example padding=1
    """
    k_h, k_w = pair(kernel_size, "kernel_size", minimum=1)
    d_h, d_w = pair(dilation, "dilation", minimum=1)
    s_h, s_w = pair(stride, "stride", minimum=1)
    if isinstance(padding, str):
        if padding == "valid":
            return 0, 0, 0, 0
        if padding != "same":
            raise ValueError(
                f"padding must be an int, a pair of ints, 'same' or 'valid', got {padding!r}"
            )
        if (s_h, s_w) != (1, 1):
            half = d_h * (k_h - 1) // 2, d_w * (k_w - 1) // 2
            raise ValueError(
                f"padding='same' needs stride 1, got stride={(s_h, s_w)}; give a number "
                f"instead, for example padding={half[0] if half[0] == half[1] else half}"
            )
        return same_padding((k_h, k_w), (d_h, d_w))
    p_h, p_w = pair(padding, "padding", minimum=0)
    return p_w, p_w, p_h, p_h


def _steps(
    size: IntOrPair,
    kernel_size: IntOrPair,
    stride: IntOrPair,
    padding: Padding,
    dilation: IntOrPair,
) -> tuple[tuple[int, int], tuple[int, int]]:
    """For height and width: how often the window moves, and how many cells stay unread."""
    sizes = pair(size, "size", minimum=1)
    extents = dilated_kernel_size(kernel_size, dilation)
    left, right, top, bottom = conv2d_padding(padding, kernel_size, stride, dilation)
    strides = pair(stride, "stride", minimum=1)
    axes = []
    for axis, n, pads, extent, step in zip(
        ("height", "width"), sizes, ((top, bottom), (left, right)), extents, strides, strict=True
    ):
        room = n + sum(pads) - extent
        if room < 0:
            raise ValueError(
                f"the kernel does not fit: kernel_size={kernel_size} with dilation={dilation} "
                f"spans {extent} cells, but the {axis} of the input has {n} + {pads[0]} + "
                f"{pads[1]} of padding = {n + sum(pads)}; a padding of at least "
                f"{-(-(extent - n) // 2)} would make it fit"
            )
        axes.append(divmod(room, step))
    (moves_h, left_h), (moves_w, left_w) = axes
    return (moves_h, moves_w), (left_h, left_w)


def conv2d_output_size(
    size: IntOrPair,
    kernel_size: IntOrPair,
    stride: IntOrPair = 1,
    padding: Padding = 0,
    dilation: IntOrPair = 1,
) -> tuple[int, int]:
    r"""Height and width of what a convolution returns.

    .. math::

        \text{out} = \left\lfloor
        \frac{\text{size} + p_\text{before} + p_\text{after}
              - \text{dilation} (\text{kernel\_size} - 1) - 1}{\text{stride}}
        \right\rfloor + 1

    Parameters
    ----------
    size : int or pair of ints
        Height and width of the input, without padding, at least 1.
    kernel_size : int or pair of ints
        Rows and columns of weights, at least 1.
    stride : int or pair of ints
        Cells that the window moves at a time, at least 1.
    padding : int, pair of ints, "same" or "valid"
        Cells added on each side; see `conv2d_padding`.
    dilation : int or pair of ints
        Distance between neighbouring weights, at least 1.

    Returns
    -------
    tuple of two ints
        ``(height, width)`` of the output.

    Raises
    ------
    TypeError
        If an argument is of the wrong kind: a float, a bool, a string that means nothing.
    ValueError
        If a number is out of range, for ``"same"`` with a stride, or if the dilated
        kernel is larger than the padded input.

    Examples
    --------
    The first layer of ResNet:

    >>> conv2d_output_size(224, kernel_size=7, stride=2, padding=3)
    (112, 112)

    >>> conv2d_output_size((5, 3), kernel_size=4)
    Traceback (most recent call last):
    ValueError: the kernel does not fit: kernel_size=4 with dilation=1 spans 4 cells, but
    the width of the input has 3 + 0 + 0 of padding = 3; a padding of at least 1 would
    make it fit
    """
    (moves_h, moves_w), _ = _steps(size, kernel_size, stride, padding, dilation)
    return moves_h + 1, moves_w + 1


def conv2d_dropped_border(
    size: IntOrPair,
    kernel_size: IntOrPair,
    stride: IntOrPair = 1,
    padding: Padding = 0,
    dilation: IntOrPair = 1,
) -> tuple[int, int]:
    """Rows at the bottom and columns at the right that no window reaches.

    The window stops when one more step would carry it over the edge. What lies behind
    its last stand, the remainder of the division in `conv2d_output_size`, never enters
    the result. The padding is at the outside, so it is dropped first: with a padding of
    `p` and a dropped border of `r`, ``max(0, r - p)`` rows of real pixels are lost.

    Parameters
    ----------
    size, kernel_size, stride, padding, dilation
        As for `conv2d_output_size`.

    Returns
    -------
    tuple of two ints
        ``(rows, columns)``, counted in the padded input; each below the stride.

    Raises
    ------
    TypeError, ValueError
        As `conv2d_output_size` does.

    Examples
    --------
    ``(224 - 3) / 2`` leaves a remainder of 1, so the last row and column are ignored:

    >>> conv2d_dropped_border(224, kernel_size=3, stride=2)
    (1, 1)
    """
    _, dropped = _steps(size, kernel_size, stride, padding, dilation)
    return dropped


def check_groups(in_channels: int, out_channels: int, groups: int) -> None:
    """Refuse a number of groups that does not divide both channel counts.

    Parameters
    ----------
    in_channels, out_channels, groups : int
        Each at least 1.

    Raises
    ------
    TypeError
        If one is not an int.
    ValueError
        If one is below 1, or `groups` leaves a remainder.

    Examples
    --------
    >>> check_groups(12, 6, groups=3)
    >>> check_groups(12, 6, groups=4)
    Traceback (most recent call last):
    ValueError: out_channels=6 is not divisible by groups=4: every group takes the same
    number of channels, and 6 / 4 leaves a remainder of 2
    """
    integer(groups, "groups", minimum=1)
    for name, channels in (("in_channels", in_channels), ("out_channels", out_channels)):
        integer(channels, name, minimum=1)
        if channels % groups:
            raise ValueError(
                f"{name}={channels} is not divisible by groups={groups}: every group takes "
                f"the same number of channels, and {channels} / {groups} leaves a remainder "
                f"of {channels % groups}"
            )


def conv2d_weight_shape(
    in_channels: int, out_channels: int, kernel_size: IntOrPair, groups: int = 1
) -> tuple[int, int, int, int]:
    """Shape of the weight: ``(out_channels, in_channels / groups, kH, kW)``.

    Parameters
    ----------
    in_channels, out_channels : int
        Channels of the input and number of kernels, at least 1.
    kernel_size : int or pair of ints
        Rows and columns of weights, at least 1.
    groups : int
        Number of separate convolutions side by side; divides both channel counts.

    Raises
    ------
    TypeError, ValueError
        As `check_groups` and `pair` do.

    Examples
    --------
    >>> conv2d_weight_shape(12, 6, kernel_size=(3, 5), groups=3)
    (6, 4, 3, 5)
    """
    check_groups(in_channels, out_channels, groups)
    return (out_channels, in_channels // groups, *pair(kernel_size, "kernel_size", minimum=1))


def conv2d_num_parameters(
    in_channels: int,
    out_channels: int,
    kernel_size: IntOrPair,
    groups: int = 1,
    bias: bool = True,
) -> int:
    """Count the numbers that a convolution learns: its weight and one bias per kernel.

    Parameters
    ----------
    in_channels, out_channels, kernel_size, groups
        As for `conv2d_weight_shape`.
    bias : bool
        Whether the layer has a bias.

    Raises
    ------
    TypeError, ValueError
        As `conv2d_weight_shape` does.

    Examples
    --------
    64 kernels of 3 x 3 x 3 weights, and 64 biases:

    >>> conv2d_num_parameters(3, 64, kernel_size=3)
    1792
    """
    kernels, depth, k_h, k_w = conv2d_weight_shape(in_channels, out_channels, kernel_size, groups)
    return kernels * (depth * k_h * k_w + bool(bias))
