"""Output sizes of pooling, and the windows of adaptive pooling.

Pooling moves a window as a convolution does, with three differences: the stride defaults to the
kernel size, the padding is at most half of the kernel, and ``ceil_mode`` lets the last window
extend past the edge.
"""

from __future__ import annotations

from typing import NamedTuple, cast

from convlab._validate import IntOrPair, flag, integer, pair
from convlab.shapes.convolution import dilated_kernel_size

# PyTorch passes these numbers on as C ints; the limit also keeps every product below 2**63.
MAX_INT = 2**31 - 1

# None keeps the size of the input.
OutputSize = IntOrPair | tuple[int | None, int | None] | list[int | None]


class PoolingAxis(NamedTuple):
    """Arguments of pooling along one direction, all of them checked."""

    size: int
    kernel_size: int
    stride: int
    padding: int
    dilation: int
    ceil_mode: bool

    @property
    def outputs(self) -> int:
        """Return the number of windows."""
        free = self.size + 2 * self.padding - self.dilation * (self.kernel_size - 1) - 1
        outputs = (free + (self.stride - 1 if self.ceil_mode else 0)) // self.stride + 1
        # A window that starts behind the input would be empty or contain only padding.
        last_start = (outputs - 1) * self.stride
        return outputs - 1 if last_start >= self.size + self.padding else outputs


def pool2d_output_size(
    size: IntOrPair,
    kernel_size: IntOrPair,
    stride: IntOrPair | None = None,
    padding: IntOrPair = 0,
    dilation: IntOrPair = 1,
    ceil_mode: bool = False,
) -> tuple[int, int]:
    r"""Return the height and width of the output of max or average pooling.

    .. math::

        \text{out} = \left\lfloor
        \frac{\text{size} + 2 \cdot \text{padding}
              - \text{dilation} (\text{kernel\_size} - 1) - 1}{\text{stride}}
        \right\rfloor + 1

    With `ceil_mode` the division rounds up, which adds a window that extends past the edge if cells
    would be left over; unless it would start behind the last cell of the input, in the padding or
    beyond.

    Parameters
    ----------
    size : int or pair of ints
        Height and width of the input, without padding, at least 1.
    kernel_size : int or pair of ints
        Rows and columns of a window, at least 1.
    stride : int, pair of ints or None
        Distance between neighbouring positions of the window, at least 1; None, or an empty
        sequence, stands for `kernel_size`.
    padding : int or pair of ints
        Cells added on each of two opposite sides: at least 0, at most half of `kernel_size`,
        whatever the dilation.
    dilation : int or pair of ints
        Distance between neighbouring cells of a window, at least 1. Only max pooling has it.
    ceil_mode : bool
        Round up instead of down.

    Raises
    ------
    ValueError
        If a number but `size` is above ``2**31 - 1``, as in PyTorch; if the padding is too large,
        or no window fits.

    Notes
    -----
    Source: the documentation of ``torch.nn.MaxPool2d``, and its implementation for the rule about
    the last window.

    Examples
    --------
    The stride is the kernel's size; the fifth row and column are left out, unless `ceil_mode`:

    >>> pool2d_output_size(5, kernel_size=2)
    (2, 2)
    >>> pool2d_output_size(5, kernel_size=2, ceil_mode=True)
    (3, 3)
    >>> pool2d_output_size(5, kernel_size=3, padding=2)
    Traceback (most recent call last):
    ValueError: padding=2 is more than half of kernel_size=3: at most 1 is allowed,
    whatever the dilation
    """
    rows, columns = pooling_axes(size, kernel_size, stride, padding, dilation, ceil_mode)
    return rows.outputs, columns.outputs


def pooling_axes(
    size: IntOrPair,
    kernel_size: IntOrPair,
    stride: IntOrPair | None,
    padding: IntOrPair,
    dilation: IntOrPair,
    ceil_mode: bool,
) -> tuple[PoolingAxis, PoolingAxis]:
    """Check the arguments of pooling and return those for height and for width."""
    sizes = pair(size, "size", minimum=1)
    kernels = _limited_pair(kernel_size, "kernel_size", minimum=1)
    if stride is None or (isinstance(stride, tuple | list) and not stride):
        stride = kernels
    strides = _limited_pair(stride, "stride", minimum=1)
    paddings = _limited_pair(padding, "padding", minimum=0)
    dilations = _limited_pair(dilation, "dilation", minimum=1)
    ceil_mode = flag(ceil_mode, "ceil_mode")
    for p, k in zip(paddings, kernels, strict=True):
        if p > k // 2:
            raise ValueError(
                f"padding={padding} is more than half of kernel_size={kernel_size}: at most "
                f"{k // 2} is allowed, whatever the dilation"
            )
    extents = dilated_kernel_size(kernels, dilations)
    for axis, n, e, s, p in zip(
        ("height", "width"), sizes, extents, strides, paddings, strict=True
    ):
        max_extent = n + 2 * p + (s - 1 if ceil_mode else 0)
        if e > max_extent:
            raise ValueError(
                f"no window fits: kernel_size={kernel_size} with dilation={dilation} spans {e} "
                f"cells, but the {axis} of the input has {n} + {p} + {p} of padding = {n + 2 * p}; "
                f"with ceil_mode={ceil_mode} and stride={s} it may span at most {max_extent}"
            )
    rows, columns = (
        PoolingAxis(*numbers, ceil_mode)
        for numbers in zip(sizes, kernels, strides, paddings, dilations, strict=True)
    )
    return rows, columns


def _limited_pair(value: IntOrPair, name: str, minimum: int) -> tuple[int, int]:
    numbers = pair(value, name, minimum)
    if max(numbers) > MAX_INT:
        raise ValueError(f"{name} must be at most {MAX_INT}, got {value}")
    return numbers


def adaptive_output_size(size: IntOrPair, output_size: OutputSize) -> tuple[int, int]:
    """Return the height and width of the output of adaptive pooling.

    Parameters
    ----------
    size : int or pair of ints
        Height and width of the input, at least 1.
    output_size : int or pair of (int or None)
        Height and width of the output, at least 0; None keeps that of the input.

    Examples
    --------
    >>> adaptive_output_size((9, 7), (3, None))
    (3, 7)
    """
    sizes = pair(size, "size", minimum=1)
    if isinstance(output_size, tuple | list) and len(output_size) == 2:
        height, width = (
            n if output is None else integer(output, f"output_size[{axis}]", minimum=0)
            for axis, (n, output) in enumerate(zip(sizes, output_size, strict=True))
        )
        return height, width
    return pair(cast(IntOrPair, output_size), "output_size", minimum=0)


def adaptive_windows(size: int, outputs: int) -> list[tuple[int, int]]:
    r"""Return the windows ``(start, end)`` of adaptive pooling of `size` cells to `outputs`.

    .. math::

        \text{start}_i = \left\lfloor \frac{i \cdot \text{size}}{\text{outputs}} \right\rfloor
        \qquad
        \text{end}_i = \left\lceil \frac{(i + 1) \cdot \text{size}}{\text{outputs}} \right\rceil

    The end is not included. Every cell is in a window. Windows overlap where the division leaves a
    remainder, and their lengths then differ by at most 1. `size` is at least 1, `outputs` may be 0.

    Examples
    --------
    >>> adaptive_windows(10, 4)
    [(0, 3), (2, 5), (5, 8), (7, 10)]
    """
    size, outputs = integer(size, "size", minimum=1), integer(outputs, "outputs", minimum=0)
    return [(i * size // outputs, -(-(i + 1) * size // outputs)) for i in range(outputs)]
