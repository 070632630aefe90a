"""Sizes of convolutions and transposed convolutions: padding, output, dropped border."""

from __future__ import annotations

from convlab._validate import IntOrPair, Padding, pair


def dilated_kernel_size(kernel_size: IntOrPair, dilation: IntOrPair = 1) -> tuple[int, int]:
    r"""Return the rows and columns that a dilated kernel spans, the skipped ones included.

    .. math:: \text{extent} = \text{dilation} \cdot (\text{kernel\_size} - 1) + 1

    Parameters
    ----------
    kernel_size : int or pair of ints
        Rows and columns of weights, at least 1.
    dilation : int or pair of ints
        Distance between neighbouring weights, in input cells; 1 is the ordinary kernel.

    Examples
    --------
    Nine weights that span 5 x 5 cells:

    >>> dilated_kernel_size(3, dilation=2)
    (5, 5)
    """
    k_h, k_w = pair(kernel_size, "kernel_size", minimum=1)
    d_h, d_w = pair(dilation, "dilation", minimum=1)
    return d_h * (k_h - 1) + 1, d_w * (k_w - 1) + 1


def same_padding(kernel_size: IntOrPair, dilation: IntOrPair = 1) -> tuple[int, int, int, int]:
    """Return the cells that ``padding="same"`` adds: ``(left, right, top, bottom)``.

    Among `n` cells, a window that spans `e` of them has only ``n - (e - 1)`` positions, so
    ``e - 1`` cells are added per direction. When that number is odd (an even kernel, odd dilation),
    one side must get one more: PyTorch adds it at the right and the bottom. The order of the result
    is that of ``torch.nn.functional.pad`` and `convlab.ops.pad2d`: the last axis first. The
    arguments are those of `dilated_kernel_size`.

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
    """Return the cells that a convolution adds on each side: ``(left, right, top, bottom)``.

    Parameters
    ----------
    padding : int, pair of ints, "same" or "valid"
        A number is added on *both* sides: ``(1, 2)`` means one row above and one below, two columns
        left and two right. ``"valid"`` adds nothing, ``"same"`` the cells of `same_padding`.
    kernel_size, stride, dilation : int or pair of ints
        The window, each at least 1. Numeric padding does not depend on them.

    Raises
    ------
    ValueError
        For ``"same"`` with a stride above 1: the output could not have the size of the input.

    Examples
    --------
    >>> conv2d_padding((1, 2), kernel_size=3)
    (2, 2, 1, 1)
    >>> conv2d_padding("same", kernel_size=2)
    (0, 1, 0, 1)
    >>> conv2d_padding("same", kernel_size=3, stride=2)
    Traceback (most recent call last):
    ValueError: padding='same' needs stride 1, got stride=(2, 2); give a number instead,
    for example padding=1 for a size of ceil(size / stride)
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
            advice = "give a number instead"
            if d_h * (k_h - 1) % 2 == 0 and d_w * (k_w - 1) % 2 == 0:
                half = d_h * (k_h - 1) // 2, d_w * (k_w - 1) // 2
                number = half[0] if half[0] == half[1] else half
                advice += f", for example padding={number} for a size of ceil(size / stride)"
            raise ValueError(f"padding='same' needs stride 1, got stride={(s_h, s_w)}; {advice}")
        return same_padding((k_h, k_w), (d_h, d_w))
    p_h, p_w = pair(padding, "padding", minimum=0)
    return p_w, p_w, p_h, p_h


def _window_moves(
    size: IntOrPair,
    kernel_size: IntOrPair,
    stride: IntOrPair,
    padding: Padding,
    dilation: IntOrPair,
) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return how often the window moves, and how many cells it never reaches, in each direction."""
    sizes = pair(size, "size", minimum=1)
    extents = dilated_kernel_size(kernel_size, dilation)
    left, right, top, bottom = conv2d_padding(padding, kernel_size, stride, dilation)
    paddings = (top, bottom), (left, right)
    free = [n + sum(p) - e for n, p, e in zip(sizes, paddings, extents, strict=True)]
    if min(free) < 0:
        axis = 0 if free[0] < 0 else 1
        n, (before, after) = sizes[axis], paddings[axis]
        kernel = pair(kernel_size, "kernel_size", minimum=1)[axis]
        enough = max(-(-(e - n) // 2) for n, e in zip(sizes, extents, strict=True))
        raise ValueError(
            f"the kernel does not fit: kernel_size={kernel} with "
            f"dilation={pair(dilation, 'dilation', minimum=1)[axis]} spans {extents[axis]} cells, "
            f"but the {('height', 'width')[axis]} of the input has {n} + {before} + {after} of "
            f"padding = {n + before + after}; a padding of at least {enough} would make it fit"
        )
    s_h, s_w = pair(stride, "stride", minimum=1)
    (moves_h, dropped_h), (moves_w, dropped_w) = divmod(free[0], s_h), divmod(free[1], s_w)
    return (moves_h, moves_w), (dropped_h, dropped_w)


def conv2d_output_size(
    size: IntOrPair,
    kernel_size: IntOrPair,
    stride: IntOrPair = 1,
    padding: Padding = 0,
    dilation: IntOrPair = 1,
) -> tuple[int, int]:
    r"""Return the height and width of the output of a convolution.

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
        Distance between neighbouring positions of the window, at least 1.
    padding : int, pair of ints, "same" or "valid"
        Cells added on each side; see `conv2d_padding`.
    dilation : int or pair of ints
        Distance between neighbouring weights, at least 1.

    Raises
    ------
    TypeError
        If an argument has the wrong type, such as a float or a bool.
    ValueError
        If a number is out of range, `padding` is another string, for ``"same"`` with a stride above
        1, or if the dilated kernel is larger than the padded input.

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
    (moves_h, moves_w), _ = _window_moves(size, kernel_size, stride, padding, dilation)
    return moves_h + 1, moves_w + 1


def conv2d_dropped_border(
    size: IntOrPair,
    kernel_size: IntOrPair,
    stride: IntOrPair = 1,
    padding: Padding = 0,
    dilation: IntOrPair = 1,
) -> tuple[int, int]:
    """Count the rows at the bottom and the columns at the right that no window reaches.

    The window stops where one more step would move it past the edge. The cells behind its last
    position, the remainder of the division in `conv2d_output_size` and so fewer than the stride, do
    not contribute to the result. They are counted in the padded input, where the padding is
    outermost and dropped first: with a padding of `p` and a dropped border of `r`,
    ``min(size, max(0, r - p))`` rows of pixels are lost. The arguments are those of
    `conv2d_output_size`.

    Examples
    --------
    ``(224 - 3) / 2`` leaves a remainder of 1, so the last row and column are ignored:

    >>> conv2d_dropped_border(224, kernel_size=3, stride=2)
    (1, 1)
    """
    _, dropped = _window_moves(size, kernel_size, stride, padding, dilation)
    return dropped


def conv_transpose2d_output_size(
    size: IntOrPair,
    kernel_size: IntOrPair,
    stride: IntOrPair = 1,
    padding: IntOrPair = 0,
    output_padding: IntOrPair = 0,
    dilation: IntOrPair = 1,
) -> tuple[int, int]:
    r"""Return the height and width of the output of a transposed convolution.

    .. math::

        \text{out} = (\text{size} - 1) \cdot \text{stride} - 2 \cdot \text{padding}
        + \text{dilation} (\text{kernel\_size} - 1) + \text{output\_padding} + 1

    It is `conv2d_output_size` solved for its input. A convolution with a stride gives several input
    sizes the same output size; `output_padding` selects one of them.

    Parameters
    ----------
    size, kernel_size, dilation : int or pair of ints
        As for `conv2d_output_size`, each at least 1.
    stride : int or pair of ints
        Distance between the kernels of two neighbouring input cells, at least 1.
    padding : int or pair of ints
        Cells *removed* on each side of the output, at least 0: the padding of the convolution that
        this one is the transpose of. ``"same"`` is not supported.
    output_padding : int or pair of ints
        Rows and columns added at the bottom and the right, at least 0 and smaller than the stride
        or the dilation.

    Raises
    ------
    ValueError
        If the padding removes the whole output.

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
    arguments = (
        pair(size, "size", 1),
        pair(kernel_size, "kernel_size", 1),
        pair(stride, "stride", 1),
        pair(padding, "padding", 0),
        pair(output_padding, "output_padding", 0),
        pair(dilation, "dilation", 1),
    )
    height, width = zip(*arguments, strict=True)
    return _transposed_length("height", *height), _transposed_length("width", *width)


def _transposed_length(
    axis: str,
    size: int,
    kernel_size: int,
    stride: int,
    padding: int,
    output_padding: int,
    dilation: int,
) -> int:
    """Return the size of the output along one axis, or raise with the numbers of that axis."""
    max_output_padding = max(stride, dilation) - 1
    if output_padding > max_output_padding:
        raise ValueError(
            f"output_padding={output_padding} is too large: it must be smaller than the stride or "
            f"the dilation, and the {axis} has stride {stride} and dilation {dilation}, which "
            f"allows at most {max_output_padding}"
        )
    unpadded = (size - 1) * stride + dilation * (kernel_size - 1) + 1 + output_padding
    if unpadded <= 2 * padding:
        raise ValueError(
            f"padding={padding} leaves nothing: with size={size}, kernel_size={kernel_size}, "
            f"stride={stride}, dilation={dilation} and output_padding={output_padding} the {axis} "
            f"is {unpadded} before {padding} + {padding} are cut off; a padding of at most "
            f"{(unpadded - 1) // 2} would leave something"
        )
    return unpadded - 2 * padding
