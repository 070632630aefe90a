"""Sizes on the way back: what a transposed convolution returns."""

from __future__ import annotations

from convlab._validate import IntOrPair, pair


def conv_transpose2d_output_size(
    size: IntOrPair,
    kernel_size: IntOrPair,
    stride: IntOrPair = 1,
    padding: IntOrPair = 0,
    output_padding: IntOrPair = 0,
    dilation: IntOrPair = 1,
) -> tuple[int, int]:
    r"""Height and width of what a transposed convolution returns.

    .. math::

        \text{out} = (\text{size} - 1) \cdot \text{stride} - 2 \cdot \text{padding}
        + \text{dilation} (\text{kernel\_size} - 1) + \text{output\_padding} + 1

    It is `conv2d_output_size` solved for its input. A convolution with a stride gives
    several input sizes the same output size; `output_padding` says which of them to
    return to.

    Parameters
    ----------
    size : int or pair of ints
        Height and width of the input, at least 1.
    kernel_size : int or pair of ints
        Rows and columns of weights, at least 1.
    stride : int or pair of ints
        Cells between the places where two neighbouring input cells are put down, at least 1.
    padding : int or pair of ints
        Cells *cut off* on each side of the output, at least 0: the padding of the
        convolution that this one goes back through.
    output_padding : int or pair of ints
        Rows and columns more at the bottom and the right, at least 0 and smaller than the stride
        or the dilation.
    dilation : int or pair of ints
        Distance between neighbouring weights, at least 1.

    Returns
    -------
    tuple of two ints
        ``(height, width)`` of the output.

    Raises
    ------
    TypeError
        If an argument is of the wrong kind; there is no ``"same"`` here.
    ValueError
        If a number is out of range, or the padding cuts everything off.

    Notes
    -----
    Source: the documentation of ``torch.nn.ConvTranspose2d``, and section 4 of Dumoulin
    and Visin, "A guide to convolution arithmetic for deep learning" (2016).

    Examples
    --------
    >>> conv_transpose2d_output_size(4, kernel_size=3, stride=2, padding=1)
    (7, 7)
    >>> conv_transpose2d_output_size(4, kernel_size=3, stride=2, padding=1, output_padding=1)
    (8, 8)
    >>> conv_transpose2d_output_size(4, kernel_size=3, stride=2, output_padding=2)
    Traceback (most recent call last):
    ValueError: output_padding=2 is too large: it must be smaller than the stride or the
    dilation, and the height has stride 2 and dilation 1, which allows at most 1
    """
    arguments = [
        pair(value, name, minimum)
        for value, name, minimum in (
            (size, "size", 1),
            (kernel_size, "kernel_size", 1),
            (stride, "stride", 1),
            (padding, "padding", 0),
            (output_padding, "output_padding", 0),
            (dilation, "dilation", 1),
        )
    ]
    height, width = (
        _length(axis, *numbers)
        for axis, numbers in zip(("height", "width"), zip(*arguments, strict=True), strict=True)
    )
    return height, width


def _length(
    axis: str, size: int, kernel_size: int, stride: int, padding: int, extra: int, dilation: int
) -> int:
    """Return the output's size along one axis, or raise with the numbers of that axis."""
    most = max(stride, dilation) - 1
    if extra > most:
        raise ValueError(
            f"output_padding={extra} is too large: it must be smaller than the stride or the "
            f"dilation, and the {axis} has stride {stride} and dilation {dilation}, which allows "
            f"at most {most}"
        )
    whole = (size - 1) * stride + dilation * (kernel_size - 1) + 1 + extra
    if whole <= 2 * padding:
        raise ValueError(
            f"padding={padding} leaves nothing: with size={size}, kernel_size={kernel_size}, "
            f"stride={stride}, dilation={dilation} and output_padding={extra} the {axis} is "
            f"{whole} before {padding} + {padding} are cut off; a padding of at most "
            f"{(whole - 1) // 2} would leave something"
        )
    return whole - 2 * padding
