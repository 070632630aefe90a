"""How far a unit sees: the interval of input cells behind one number of the output.

Along one direction, the units of a layer stand on the input like windows do: unit `i` sees the
cells ``start + i * jump`` to ``start + i * jump + size - 1``. Three numbers therefore describe a
whole layer, and each further layer changes them by a line of arithmetic. Cells of padding count,
as they do in the published numbers: `start` is negative where the first unit looks beyond the edge.

Sources: Araujo, Norris and Sim, "Computing Receptive Fields of Convolutional Neural Networks",
Distill (2019); Dumoulin and Visin, "A guide to convolution arithmetic for deep learning" (2016).
"""

from __future__ import annotations

from dataclasses import dataclass

from convlab._validate import IntOrPair, Padding, integer, pair
from convlab.shapes.windows import conv2d_padding, dilated_kernel_size

# More negative than any padding; `integer` wants to be told a minimum.
_ANYWHERE = -(2**63)


@dataclass(frozen=True)
class ReceptiveField:
    """What the units of a layer see of the input, along one direction.

    Attributes
    ----------
    size : int
        Input cells from the first to the last that a unit depends on, at least 1. Cells that a
        dilated kernel skips lie between them and count.
    jump : int
        Input cells from the field of one unit to that of the next, at least 0. With 0 all units
        see the same cells, as after a global pooling.
    start : int
        The first cell that unit 0 sees; negative if that cell is padding.

    Raises
    ------
    TypeError, ValueError
        If a number is no int, or too small.

    Examples
    --------
    Without layers every unit is an input cell and sees itself:

    >>> ReceptiveField()
    ReceptiveField(size=1, jump=1, start=0)

    The first layers of ResNet, a 7 x 7 convolution and a 3 x 3 pooling:

    >>> ReceptiveField().window(7, stride=2, padding=3).window(3, stride=2, padding=1)
    ReceptiveField(size=11, jump=4, start=-5)
    """

    size: int = 1
    jump: int = 1
    start: int = 0

    def __post_init__(self) -> None:
        """Store plain ints, or refuse."""
        for name, minimum in (("size", 1), ("jump", 0), ("start", _ANYWHERE)):
            object.__setattr__(self, name, integer(getattr(self, name), name, minimum))

    @property
    def center(self) -> float:
        """The middle of what unit 0 sees; unit `i` has it at ``center + i * jump``.

        A cell is counted at its own index, so the middle of cells 0 and 1 is 0.5.

        Examples
        --------
        A padding of half the kernel keeps the first unit above the first cell:

        >>> ReceptiveField().window(7, stride=2, padding=3).center
        0.0
        >>> ReceptiveField().window(2, stride=2).center
        0.5
        """
        return self.start + (self.size - 1) / 2

    def cells(self, unit: int) -> range:
        """Say which input cells a unit sees, padding included.

        Parameters
        ----------
        unit : int
            Index of the unit along this direction.

        Raises
        ------
        TypeError
            If `unit` is not an int.

        Examples
        --------
        >>> ReceptiveField(size=3, jump=2, start=-1).cells(unit=4)
        range(7, 10)
        """
        first = self.start + integer(unit, "unit", _ANYWHERE) * self.jump
        return range(first, first + self.size)

    def window(
        self, kernel_size: int, stride: int = 1, padding: int = 0, dilation: int = 1
    ) -> ReceptiveField:
        r"""Return the field after a convolution or pooling.

        .. math::

            \text{size}' &= \text{size} + \text{dilation} (\text{kernel\_size} - 1)
                            \cdot \text{jump} \\
            \text{jump}' &= \text{jump} \cdot \text{stride} \\
            \text{start}' &= \text{start} - \text{padding} \cdot \text{jump}

        Parameters
        ----------
        kernel_size, stride, dilation : int
            The window, each at least 1.
        padding : int
            Cells added *before* the first, at least 0. What is added behind the last does not
            move any field.

        Raises
        ------
        TypeError, ValueError
            If an argument is no int, or too small.

        Examples
        --------
        >>> ReceptiveField(size=11, jump=4, start=-5).window(3, padding=1)
        ReceptiveField(size=19, jump=4, start=-9)
        """
        extent, _ = dilated_kernel_size(
            integer(kernel_size, "kernel_size", 1), integer(dilation, "dilation", 1)
        )
        return ReceptiveField(
            self.size + (extent - 1) * self.jump,
            self.jump * integer(stride, "stride", 1),
            self.start - integer(padding, "padding", 0) * self.jump,
        )

    def union(self, other: ReceptiveField) -> ReceptiveField:
        """Return the field where two branches meet, in a sum or a concatenation.

        It reaches from the first cell that either branch sees to the last.

        Parameters
        ----------
        other : ReceptiveField
            The field of the other branch, with the same jump.

        Raises
        ------
        ValueError
            If the jumps differ: the fields of the sum then have no common size, and it takes the
            number of units to list them one by one.

        Examples
        --------
        A residual block: two 3 x 3 convolutions beside a shortcut.

        >>> shortcut = ReceptiveField()
        >>> shortcut.window(3, padding=1).window(3, padding=1).union(shortcut)
        ReceptiveField(size=5, jump=1, start=-2)
        """
        if self.jump != other.jump:
            raise ValueError(
                f"the branches jump {self.jump} and {other.jump} input cells from unit to unit: "
                f"only fields with the same jump have a union of this form"
            )
        start = min(self.start, other.start)
        end = max(self.start + self.size, other.start + other.size)
        return ReceptiveField(end - start, self.jump, start)

    def transposed(
        self, kernel_size: int, stride: int = 1, padding: int = 0, dilation: int = 1
    ) -> tuple[ReceptiveField | None, ...]:
        """Return the fields after a transposed convolution, one for each phase.

        Cell `i` of its input is put down at the outputs ``i * stride - padding + k * dilation``
        for each weight `k`. How many cells an output collects depends on its place between two
        of these steps. So the outputs fall into `stride` phases: those at ``phase``, ``phase +
        stride``, ``phase + 2 * stride``, ... have fields of one size, `jump` apart.

        Parameters
        ----------
        kernel_size, stride, padding, dilation : int
            As for `convlab.shapes.conv_transpose2d_output_size`.

        Returns
        -------
        tuple of (ReceptiveField or None)
            `stride` entries. None for a phase into which no weight falls; its outputs are zero
            (or the bias).

        Raises
        ------
        TypeError, ValueError
            If an argument is no int, or too small.

        Examples
        --------
        A 3-kernel at stride 2: the outputs collect two cells and one cell in turn.

        >>> for phase in ReceptiveField().transposed(3, stride=2):
        ...     print(phase)
        ReceptiveField(size=2, jump=1, start=-1)
        ReceptiveField(size=1, jump=1, start=0)
        """
        phases: list[ReceptiveField | None] = []
        for phase in range(integer(stride, "stride", 1)):
            cells = transposed_cells(phase, kernel_size, stride, padding, dilation)
            if not cells:
                phases.append(None)
                continue
            first, last = cells[0], cells[-1]
            phases.append(
                ReceptiveField(
                    self.size + (last - first) * self.jump,
                    self.jump,
                    self.start + first * self.jump,
                )
            )
        return tuple(phases)


def transposed_cells(
    output: int, kernel_size: int, stride: int = 1, padding: int = 0, dilation: int = 1
) -> list[int]:
    """List the input cells that one output of a transposed convolution collects.

    Parameters
    ----------
    output : int
        Index of the output along this direction.
    kernel_size, stride, padding, dilation : int
        As for `convlab.shapes.conv_transpose2d_output_size`.

    Returns
    -------
    list of int
        In ascending order. Those below 0 and behind the last cell do not exist, and add nothing.

    Raises
    ------
    TypeError, ValueError
        If an argument is no int, or too small.

    Examples
    --------
    >>> [transposed_cells(i, kernel_size=3, stride=2) for i in range(4)]
    [[-1, 0], [0], [0, 1], [1]]
    """
    kernel_size, stride = integer(kernel_size, "kernel_size", 1), integer(stride, "stride", 1)
    padding, dilation = integer(padding, "padding", 0), integer(dilation, "dilation", 1)
    output = integer(output, "output", _ANYWHERE)
    offsets = (output + padding - k * dilation for k in reversed(range(kernel_size)))
    return [offset // stride for offset in offsets if offset % stride == 0]


def conv2d_receptive_field(
    kernel_size: IntOrPair,
    stride: IntOrPair = 1,
    padding: Padding = 0,
    dilation: IntOrPair = 1,
    *,
    before: tuple[ReceptiveField, ReceptiveField] | None = None,
) -> tuple[ReceptiveField, ReceptiveField]:
    """Return the field after a convolution or pooling, for height and for width.

    Parameters
    ----------
    kernel_size, stride, padding, dilation
        As for `convlab.shapes.conv2d_output_size`.
    before : pair of ReceptiveField or None
        The fields of the layer's input, (height, width); None stands for the image itself.

    Raises
    ------
    TypeError, ValueError
        As `convlab.shapes.conv2d_padding` and `ReceptiveField` do.

    Examples
    --------
    >>> rows, columns = conv2d_receptive_field((3, 4), padding="same", dilation=(2, 1))
    >>> rows, columns
    (ReceptiveField(size=5, jump=1, start=-2), ReceptiveField(size=4, jump=1, start=-1))
    >>> rows, columns = conv2d_receptive_field(2, stride=2, before=(rows, columns))
    >>> rows.size, columns.size
    (6, 5)
    """
    left, _, top, _ = conv2d_padding(padding, kernel_size, stride, dilation)
    k_h, k_w = pair(kernel_size, "kernel_size", minimum=1)
    s_h, s_w = pair(stride, "stride", minimum=1)
    d_h, d_w = pair(dilation, "dilation", minimum=1)
    rows, columns = before or (ReceptiveField(), ReceptiveField())
    return rows.window(k_h, s_h, top, d_h), columns.window(k_w, s_w, left, d_w)
