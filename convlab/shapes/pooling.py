"""Where the windows of a pooling stand: sizes, cells read, cells counted.

Pooling slides a window as a convolution does, with three habits of its own: the stride
is the kernel's size unless it is given, the padding is at most half of the kernel, and
``ceil_mode`` lets the last window reach over the edge.
"""

from __future__ import annotations

from typing import NamedTuple

from convlab._validate import IntOrPair, flag, pair
from convlab.shapes.windows import dilated_kernel_size

# PyTorch hands these numbers on as C ints; they also keep every product below 2**63.
LARGEST = 2**31 - 1


# Some windows, and for each of them one cell of the input.
Step = tuple[slice, slice]


class PoolingAxis(NamedTuple):
    """All windows of a pooling along one direction, ready for an operator.

    Attributes
    ----------
    outputs : int
        How many windows there are.
    steps : tuple of (slice, slice)
        Pairs ``(windows, cells)``: a group of windows, and for each of them one cell of
        the input that it reads. Taken in order, every window meets its cells from the
        first to the last. Padding is in no pair, since it holds nothing to read.
    first : tuple of ints
        Per window, the first of its cells that is not padding before the input.
    real : tuple of ints
        Per window, how many cells of the input it spans, for dilation 1.
    padded : tuple of ints
        The same, with the padding included.
    """

    outputs: int
    steps: tuple[Step, ...]
    first: tuple[int, ...]
    real: tuple[int, ...]
    padded: tuple[int, ...]


def pool2d_output_size(
    size: IntOrPair,
    kernel_size: IntOrPair,
    stride: IntOrPair | None = None,
    padding: IntOrPair = 0,
    dilation: IntOrPair = 1,
    ceil_mode: bool = False,
) -> tuple[int, int]:
    r"""Height and width of what a max or average pooling returns.

    .. math::

        \text{out} = \left\lfloor
        \frac{\text{size} + 2 \cdot \text{padding}
              - \text{dilation} (\text{kernel\_size} - 1) - 1}{\text{stride}}
        \right\rfloor + 1

    With `ceil_mode` the division rounds up, which adds a window that reaches over the
    edge where cells would be left; unless it would start behind the last cell of the
    input, in the padding or beyond.

    Parameters
    ----------
    size : int or pair of ints
        Height and width of the input, without padding, at least 1.
    kernel_size : int or pair of ints
        Rows and columns of a window, at least 1.
    stride : int, pair of ints or None
        Cells that the window moves at a time, at least 1; None, or an empty sequence,
        stands for `kernel_size`.
    padding : int or pair of ints
        Cells added on each of two opposite sides: at least 0, at most half of
        `kernel_size`, whatever the dilation.
    dilation : int or pair of ints
        Distance between neighbouring cells of a window, at least 1. Only max pooling
        has it.
    ceil_mode : bool
        Round up instead of down.

    Returns
    -------
    tuple of two ints
        ``(height, width)`` of the output.

    Raises
    ------
    TypeError
        If an argument is of the wrong kind.
    ValueError
        If a number is out of range (as in PyTorch, none but `size` may be above
        ``2**31 - 1``), the padding is too large, or no window fits.

    Notes
    -----
    Source: the documentation of ``torch.nn.MaxPool2d``, and its implementation for the rule about
    the last window.

    Examples
    --------
    The stride is the kernel's size; the fifth row and column are left out, or not:

    >>> pool2d_output_size(5, kernel_size=2)
    (2, 2)
    >>> pool2d_output_size(5, kernel_size=2, ceil_mode=True)
    (3, 3)
    >>> pool2d_output_size(5, kernel_size=3, padding=2)
    Traceback (most recent call last):
    ValueError: padding=2 is more than half of kernel_size=3: at most 1 is allowed,
    whatever the dilation
    """
    axes = _numbers(size, kernel_size, stride, padding, dilation, ceil_mode)
    height, width = (_outputs(*numbers) for numbers in axes)
    return height, width


def pool2d_axes(
    size: IntOrPair,
    kernel_size: IntOrPair,
    stride: IntOrPair | None = None,
    padding: IntOrPair = 0,
    dilation: IntOrPair = 1,
    ceil_mode: bool = False,
) -> tuple[PoolingAxis, PoolingAxis]:
    """Windows of a pooling, for height and for width.

    Parameters
    ----------
    size, kernel_size, stride, padding, dilation, ceil_mode
        As for `pool2d_output_size`.

    Raises
    ------
    TypeError, ValueError
        As `pool2d_output_size` does.

    Examples
    --------
    Five cells, windows of three, one cell of padding: the first and the last window
    read two cells each and span one of padding.

    >>> rows, _ = pool2d_axes(5, kernel_size=3, stride=2, padding=1)
    >>> rows.outputs, rows.first, rows.real, rows.padded
    (3, (0, 1, 3), (2, 3, 2), (3, 3, 3))
    """
    axes = _numbers(size, kernel_size, stride, padding, dilation, ceil_mode)
    height, width = (_axis(*numbers) for numbers in axes)
    return height, width


# What decides about one direction: size, kernel, stride, padding, dilation, ceil_mode.
_Numbers = tuple[int, int, int, int, int, bool]


def _numbers(
    size: IntOrPair,
    kernel_size: IntOrPair,
    stride: IntOrPair | None,
    padding: IntOrPair,
    dilation: IntOrPair,
    ceil_mode: bool,
) -> list[_Numbers]:
    """Check the arguments of a pooling and sort them by direction."""
    sizes = pair(size, "size", minimum=1)
    kernels = _limited(kernel_size, "kernel_size", 1)
    if stride is None or (isinstance(stride, tuple | list) and not stride):
        stride = kernels
    strides = _limited(stride, "stride", 1)
    pads = _limited(padding, "padding", 0)
    dilations = _limited(dilation, "dilation", 1)
    round_up = flag(ceil_mode, "ceil_mode")
    for p, k in zip(pads, kernels, strict=True):
        if p > k // 2:
            raise ValueError(
                f"padding={padding} is more than half of kernel_size={kernel_size}: at most "
                f"{k // 2} is allowed, whatever the dilation"
            )
    extents = dilated_kernel_size(kernels, dilations)
    for axis, n, e, s, p in zip(("height", "width"), sizes, extents, strides, pads, strict=True):
        most = n + 2 * p + (s - 1 if round_up else 0)
        if e > most:
            raise ValueError(
                f"no window fits: kernel_size={kernel_size} with dilation={dilation} spans {e} "
                f"cells, but the {axis} of the input has {n} + {p} + {p} of padding = {n + 2 * p}; "
                f"with ceil_mode={ceil_mode} and stride={s} it may span at most {most}"
            )
    columns = zip(sizes, kernels, strides, pads, dilations, (round_up,) * 2, strict=True)
    return list(columns)


def _limited(value: IntOrPair, name: str, minimum: int) -> tuple[int, int]:
    numbers = pair(value, name, minimum)
    if max(numbers) > LARGEST:
        raise ValueError(f"{name} must be at most {LARGEST}, got {value}")
    return numbers


def _outputs(
    size: int, kernel: int, stride: int, padding: int, dilation: int, round_up: bool
) -> int:
    room = size + 2 * padding - dilation * (kernel - 1) - 1
    outputs = (room + (stride - 1 if round_up else 0)) // stride + 1
    # A window that would start behind the input holds nothing, or nothing but padding.
    return outputs - 1 if (outputs - 1) * stride >= size + padding else outputs


def _axis(
    size: int, kernel: int, stride: int, padding: int, dilation: int, round_up: bool
) -> PoolingAxis:
    outputs = _outputs(size, kernel, stride, padding, dilation, round_up)
    starts = range(-padding, -padding + outputs * stride, stride)
    return PoolingAxis(
        outputs,
        _steps(size, outputs, kernel, stride, padding, dilation),
        tuple(s if s >= 0 else s % dilation for s in starts),
        tuple(min(s + kernel, size) - max(s, 0) for s in starts),
        tuple(min(s + kernel, size + padding) - s for s in starts),
    )


def _steps(
    size: int, outputs: int, kernel: int, stride: int, padding: int, dilation: int
) -> tuple[Step, ...]:
    """For each cell of the window in turn: the windows in which it lies on the input."""
    steps = []
    # Cells of the window that are padding wherever it stands are not even looked at.
    first = max(0, -(((outputs - 1) * stride - padding) // dilation))
    for cell in range(first, min(kernel, (size - 1 + padding) // dilation + 1)):
        offset = cell * dilation - padding
        low = max(0, -(offset // stride))
        high = min(outputs - 1, (size - 1 - offset) // stride)
        if low <= high:
            start, stop = low * stride + offset, high * stride + offset + 1
            steps.append((slice(low, high + 1), slice(start, stop, stride)))
    return tuple(steps)
