"""Conversion of padding and dilation from and to the conventions of other libraries.

PyTorch's integer padding is the same on both sides of an axis and independent of the size of the
image. Others give the total, name a rule whose result depends on the size, or list the sides in
another order. Here, all of them become ``(left, right, top, bottom)``, the order of
``torch.nn.functional.pad`` and `convlab.ops.pad2d`; after that the convolution itself needs no
padding.

Sources: "Notes on padding" in the documentation of ``tf.nn``; the operators ``Conv`` and
``ConvTranspose`` of the ONNX standard; Zhang, Lipton, Li and Smola, "Dive into Deep Learning",
section "Padding and Stride".
"""

from __future__ import annotations

from typing import Literal, SupportsIndex

from convlab._validate import IntOrPair, integer, pair
from convlab.shapes.convolution import dilated_kernel_size

Sides = tuple[int, int, int, int]
Extra = Literal["after", "before"]
AutoPad = Literal["NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID"]


def split_padding(total: IntOrPair, extra: Extra = "after") -> Sides:
    """Split a total padding between the sides: ``(left, right, top, bottom)``.

    Parameters
    ----------
    total : int or pair of ints
        Rows and columns added in all, both sides together, at least 0: the :math:`p_h` and
        :math:`p_w` of "Dive into Deep Learning", twice the padding of PyTorch.
    extra : "after" or "before"
        Side of the odd cell. ``"after"``: right and bottom, as in PyTorch, TensorFlow and the
        ``SAME_UPPER`` of ONNX. ``"before"``: left and top, as in ``SAME_LOWER`` and in "Dive into
        Deep Learning".

    Examples
    --------
    >>> split_padding(2)
    (1, 1, 1, 1)
    >>> split_padding((2, 3)), split_padding((2, 3), extra="before")
    ((1, 2, 1, 1), (2, 1, 1, 1))
    """
    if extra not in ("after", "before"):
        raise ValueError(f"extra must be 'after' or 'before', got {extra!r}")
    sides = []
    for amount in reversed(pair(total, "total", minimum=0)):  # the last axis comes first
        half, rest = amount // 2, amount - amount // 2
        sides += [half, rest] if extra == "after" else [rest, half]
    left, right, top, bottom = sides
    return left, right, top, bottom


def tf_same_padding(
    size: IntOrPair,
    kernel_size: IntOrPair,
    stride: IntOrPair = 1,
    dilation: IntOrPair = 1,
    extra: Extra = "after",
) -> Sides:
    r"""Return the ``SAME`` padding of TensorFlow, Keras and JAX: ``(left, right, top, bottom)``.

    The rule fixes the output size first, at :math:`\lceil \text{size} / \text{stride} \rceil`, and
    then adds the fewest cells with which that many windows fit:

    .. math::

        \text{total} = \max\bigl(0,\; (\lceil \text{size} / \text{stride} \rceil - 1)
        \cdot \text{stride} + \text{dilation} (\text{kernel\_size} - 1) + 1
        - \text{size}\bigr)

    With a stride above 1 the result changes with the size of the image, which no fixed ``padding=``
    of PyTorch does.

    Parameters
    ----------
    size, kernel_size, stride, dilation : int or pair of ints
        Size of the input, and window of the convolution or pooling, each at least 1.
    extra : "after" or "before"
        Side of the odd cell; ``"before"`` is the ``SAME_LOWER`` of JAX and ONNX.

    Examples
    --------
    A window of 3 with stride 2, on seven pixels and on eight:

    >>> tf_same_padding(7, kernel_size=3, stride=2)
    (1, 1, 1, 1)
    >>> tf_same_padding(8, kernel_size=3, stride=2)
    (0, 1, 0, 1)
    """
    sizes = pair(size, "size", minimum=1)
    extents = dilated_kernel_size(kernel_size, dilation)
    strides = pair(stride, "stride", minimum=1)
    total_h, total_w = (
        max(0, (-(-n // s) - 1) * s + extent - n)
        for n, s, extent in zip(sizes, strides, extents, strict=True)
    )
    return split_padding((total_h, total_w), extra)


def padding_from_onnx(
    size: IntOrPair,
    kernel_size: IntOrPair,
    stride: IntOrPair = 1,
    dilation: IntOrPair = 1,
    auto_pad: AutoPad = "NOTSET",
    pads: tuple[SupportsIndex, ...] | list[int] = (0, 0, 0, 0),
) -> Sides:
    """Return the padding of an ONNX ``Conv`` or pooling: ``(left, right, top, bottom)``.

    Parameters
    ----------
    size, kernel_size, stride, dilation : int or pair of ints
        Size of the input, and ``kernel_shape``, ``strides`` and ``dilations`` of the node.
    auto_pad : "NOTSET", "SAME_UPPER", "SAME_LOWER" or "VALID"
        ``NOTSET``: `pads`; the two ``SAME``: `tf_same_padding` with the odd cell after or before;
        ``VALID``: none.
    pads : four ints
        ``(top, left, bottom, right)``, each at least 0: first the beginnings of all axes, then the
        ends.

    Raises
    ------
    ValueError
        If `auto_pad` and `pads` both specify a padding, which the standard forbids.

    Examples
    --------
    >>> padding_from_onnx(8, kernel_size=3, pads=(0, 1, 2, 3))
    (1, 3, 0, 2)
    >>> padding_from_onnx(8, kernel_size=3, stride=2, auto_pad="SAME_LOWER")
    (1, 0, 1, 0)
    """
    if auto_pad not in ("NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID"):
        raise ValueError(
            f"auto_pad must be 'NOTSET', 'SAME_UPPER', 'SAME_LOWER' or 'VALID', got {auto_pad!r}"
        )
    top, left, bottom, right = _four(pads, "pads", "(top, left, bottom, right)")
    same = tf_same_padding(
        size, kernel_size, stride, dilation, "before" if auto_pad == "SAME_LOWER" else "after"
    )
    if auto_pad == "NOTSET":
        return left, right, top, bottom
    if any((top, left, bottom, right)):
        raise ValueError(
            f"auto_pad={auto_pad!r} and pads={(top, left, bottom, right)} cannot both be given: "
            f"pads requires auto_pad='NOTSET'"
        )
    return (0, 0, 0, 0) if auto_pad == "VALID" else same


def padding_to_onnx(padding: Sides) -> Sides:
    """Convert ``(left, right, top, bottom)`` to the ``pads`` of ONNX: (top, left, bottom, right).

    Examples
    --------
    >>> padding_to_onnx((1, 3, 0, 2))
    (0, 1, 2, 3)
    """
    left, right, top, bottom = _four(padding, "padding", "(left, right, top, bottom)")
    return top, left, bottom, right


def tf_transposed_padding(
    kernel_size: IntOrPair, stride: IntOrPair = 1, dilation: IntOrPair = 1
) -> tuple[Sides, tuple[int, int]]:
    r"""Return the cells that ``Conv2DTranspose(padding="same")`` of Keras removes and adds.

    Its output has exactly :math:`\text{size} \cdot \text{stride}` cells, which the convolution with
    ``SAME`` reduces to `size`. A transposed convolution without padding returns
    :math:`\text{extent} - \text{stride}` cells more, which are removed, the odd one at the end; or
    fewer, which are added at the end. All arguments are ints or pairs of ints, at least 1.

    Returns
    -------
    tuple
        ``(left, right, top, bottom)``, the rows and columns to remove from the output of
        ``conv_transpose2d(..., padding=0)``, and ``(height, width)``, its `output_padding`.

    Notes
    -----
    PyTorch's `padding` removes the same number of cells on both sides, and `output_padding` only
    adds cells at the end; where this function returns 0 before and 1 after, no pair of them is
    equivalent.

    Examples
    --------
    >>> tf_transposed_padding(kernel_size=3, stride=2)
    ((0, 1, 0, 1), (0, 0))
    >>> tf_transposed_padding(kernel_size=2, stride=3)
    ((0, 0, 0, 0), (1, 1))
    """
    extents = dilated_kernel_size(kernel_size, dilation)
    strides = pair(stride, "stride", minimum=1)
    surplus_h, surplus_w = (e - s for e, s in zip(extents, strides, strict=True))
    removed = split_padding((max(0, surplus_h), max(0, surplus_w)))
    return removed, (max(0, -surplus_h), max(0, -surplus_w))


def dilation_from_gaps(gaps: IntOrPair) -> tuple[int, int]:
    """Convert the number of cells left out between two weights to PyTorch's dilation.

    Where the gaps are counted (`gaps`, at least 0), the ordinary convolution has dilation 0.
    In PyTorch, TensorFlow, JAX and ONNX it has 1, the distance between neighbouring weights.

    Examples
    --------
    >>> dilation_from_gaps(0), dilation_from_gaps((1, 2))
    ((1, 1), (2, 3))
    """
    gap_h, gap_w = pair(gaps, "gaps", minimum=0)
    return gap_h + 1, gap_w + 1


def _four(value: tuple[SupportsIndex, ...] | list[int], name: str, order: str) -> Sides:
    """Return `value` as four ints of at least 0; `order` describes them in error messages."""
    if not isinstance(value, tuple | list):
        raise TypeError(f"{name} must be four ints {order}, got {type(value).__name__} {value!r}")
    if len(value) != 4:
        raise ValueError(f"{name} must be four ints {order}, got {len(value)} values: {value!r}")
    a, b, c, d = (integer(entry, f"{name}[{i}]", minimum=0) for i, entry in enumerate(value))
    return a, b, c, d
