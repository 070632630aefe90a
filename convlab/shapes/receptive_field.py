"""Receptive fields: the input cells on which one number of the output depends.

Along one direction, unit `i` of a layer depends on the cells ``start + i * jump`` to
``start + i * jump + size - 1``. So three numbers describe a whole layer, and the next layer follows
from them by simple arithmetic. Cells of padding count, as they do in published numbers: `start` is
negative where the field of the first unit begins in the padding.

Sources: Araujo, Norris and Sim, "Computing Receptive Fields of Convolutional Neural Networks",
Distill (2019); Dumoulin and Visin, "A guide to convolution arithmetic for deep learning" (2016).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from convlab._validate import IntOrPair, Padding, integer, pair
from convlab.shapes.convolution import conv2d_padding, dilated_kernel_size

# One layer of windows: (kernel_size,), (kernel_size, stride) or (kernel_size, stride, dilation).
WindowLayer = Sequence[IntOrPair]

_NO_MINIMUM = -(2**63)  # more negative than any padding


@dataclass(frozen=True)
class ReceptiveField:
    """Receptive field of the units of a layer, along one direction.

    Attributes
    ----------
    size : int
        Input cells from the first to the last that a unit depends on, at least 1. Cells that a
        dilated kernel skips lie between them and count.
    jump : int
        Input cells from the field of one unit to that of the next, at least 0. With 0 all units
        have the same field, as after a global pooling.
    start : int
        First cell of the field of unit 0; negative if that cell is padding.

    Examples
    --------
    Without layers every unit is an input cell and depends on itself only:

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
        """Check the numbers and store them as plain ints."""
        for name, minimum in (("size", 1), ("jump", 0), ("start", _NO_MINIMUM)):
            object.__setattr__(self, name, integer(getattr(self, name), name, minimum))

    @property
    def center(self) -> float:
        """Center of the field of unit 0; that of unit `i` is ``center + i * jump``.

        A cell is counted at its own index, so the middle of cells 0 and 1 is 0.5.

        Examples
        --------
        With a padding of half the kernel, the first field is centered on the first cell:

        >>> ReceptiveField().window(7, stride=2, padding=3).center
        0.0
        >>> ReceptiveField().window(2, stride=2).center
        0.5
        """
        return self.start + (self.size - 1) / 2

    def cells(self, unit: int) -> range:
        """Return the input cells, padding included, in the field of the unit with index `unit`.

        Examples
        --------
        >>> ReceptiveField(size=3, jump=2, start=-1).cells(unit=4)
        range(7, 10)
        """
        first = self.start + integer(unit, "unit", _NO_MINIMUM) * self.jump
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
            Cells added *before* the first, at least 0. Cells added after the last do not move any
            field.

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
        """Return the field after two branches are joined, in a sum or a concatenation.

        It extends from the first cell of either field to the last.

        Raises
        ------
        ValueError
            If the jumps differ: the fields of the sum then have no common size.

        Examples
        --------
        A residual block: two 3 x 3 convolutions beside a shortcut.

        >>> shortcut = ReceptiveField()
        >>> shortcut.window(3, padding=1).window(3, padding=1).union(shortcut)
        ReceptiveField(size=5, jump=1, start=-2)
        """
        if self.jump != other.jump:
            raise ValueError(
                f"the branches have jumps of {self.jump} and {other.jump} input cells: only fields "
                f"with the same jump have a union"
            )
        start = min(self.start, other.start)
        end = max(self.start + self.size, other.start + other.size)
        return ReceptiveField(end - start, self.jump, start)

    def transposed(
        self, kernel_size: int, stride: int = 1, padding: int = 0, dilation: int = 1
    ) -> tuple[ReceptiveField | None, ...]:
        """Return the fields after a transposed convolution, one for each phase.

        Cell `i` of its input contributes to the outputs ``i * stride - padding + k * dilation`` for
        each weight `k`. The number of cells that contribute to an output depends on its position
        modulo the stride. So the outputs fall into `stride` phases: those at ``phase``,
        ``phase + stride``, ``phase + 2 * stride``, ... have fields of one size, `jump` apart. A
        phase to which no weight contributes has None; its outputs are zero (or the bias).

        Parameters
        ----------
        kernel_size, stride, padding, dilation : int
            As for `convlab.shapes.conv_transpose2d_output_size`.

        Examples
        --------
        A kernel of 3 at stride 2: outputs depend on two cells and on one cell in turn.

        >>> for phase in ReceptiveField().transposed(3, stride=2):
        ...     print(phase)
        ReceptiveField(size=2, jump=1, start=-1)
        ReceptiveField(size=1, jump=1, start=0)
        """
        fields: list[ReceptiveField | None] = []
        for phase in range(integer(stride, "stride", 1)):
            field = None
            if cells := transposed_cells(phase, kernel_size, stride, padding, dilation):
                size = self.size + (cells[-1] - cells[0]) * self.jump
                field = ReceptiveField(size, self.jump, self.start + cells[0] * self.jump)
            fields.append(field)
        return tuple(fields)


def transposed_cells(
    output: int, kernel_size: int, stride: int = 1, padding: int = 0, dilation: int = 1
) -> list[int]:
    """List the input cells that contribute to one output of a transposed convolution, ascending.

    Those below 0 and beyond the last cell do not exist, and add nothing.

    Parameters
    ----------
    output : int
        Index of the output along this direction.
    kernel_size, stride, padding, dilation : int
        As for `convlab.shapes.conv_transpose2d_output_size`.

    Examples
    --------
    >>> [transposed_cells(i, kernel_size=3, stride=2) for i in range(4)]
    [[-1, 0], [0], [0, 1], [1]]
    """
    kernel_size, stride = integer(kernel_size, "kernel_size", 1), integer(stride, "stride", 1)
    padding, dilation = integer(padding, "padding", 0), integer(dilation, "dilation", 1)
    output = integer(output, "output", _NO_MINIMUM)
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
        Fields of the layer's input, (height, width); None stands for the image itself.

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


def path_counts(layers: Sequence[WindowLayer]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    r"""Count the paths from each input cell to one output cell of a stack of layers.

    In every layer, an output cell reads ``kernel_size`` cells per direction. A *path* picks one of
    them in the last layer, one of those that this one reads in the layer before, and so on down to
    the input. A count of 0 is a cell inside the receptive field on which the output does not
    depend. Without nonlinearities, and if all weights are independent with mean 0 and the same
    variance, the counts are proportional to the variance of the gradient.

    The output cell is one in the middle of a large map, where padding has no influence.

    Parameters
    ----------
    layers : sequence of (kernel_size, stride, dilation)
        From the first layer to the last. Each entry is an int or a pair ``(height, width)``, at
        least 1; stride and dilation may be left out, from the end. Pooling is a layer, too.

    Returns
    -------
    rows, columns : tuples of ints
        The counts for each direction, as long as the receptive field. Height and width are
        independent: pixel (i, j) is connected to the output by ``rows[i] * columns[j]`` paths.

    Raises
    ------
    ValueError
        If there are no layers, or a layer has no entry or more than three.

    Notes
    -----
    Cell :math:`i` of a layer's output reads the cells :math:`i s + u d` of its input, so the
    counts are propagated from the last layer to the first. Cells in the middle have many paths
    and cells at the rim few, see Luo et al., "Understanding the Effective Receptive Field in
    Deep Convolutional Neural Networks" (2016).

    Examples
    --------
    Two layers of 3 read five cells, the one in the middle along three paths:

    >>> path_counts([(3,), (3,)])
    ((1, 2, 3, 2, 1), (1, 2, 3, 2, 1))

    With a dilation of 2 in both, every second cell is never read:

    >>> rows, columns = path_counts([(3, 1, 2), (3, 1, 2)])
    >>> rows
    (1, 0, 2, 0, 3, 0, 2, 0, 1)
    """
    parsed = _parse_layers(layers)
    rows, columns = (
        _path_counts_along([tuple(argument[axis] for argument in layer) for layer in parsed])
        for axis in (0, 1)
    )
    return rows, columns


def receptive_fields(
    layers: Sequence[WindowLayer],
) -> tuple[tuple[ReceptiveField, ReceptiveField], ...]:
    """Return the receptive fields of a stack of layers without padding, before and after each.

    The layers are those of `path_counts`. The result has a pair (rows, columns) for the input
    itself, and one for each layer.

    Examples
    --------
    >>> [rows.size for rows, columns in receptive_fields([(3, 1, 1), (3, 1, 2), (3, 1, 4)])]
    [1, 3, 7, 15]
    """
    fields = [(ReceptiveField(), ReceptiveField())]
    for kernel_size, stride, dilation in _parse_layers(layers):
        fields.append(conv2d_receptive_field(kernel_size, stride, 0, dilation, before=fields[-1]))
    return tuple(fields)


def _parse_layers(layers: Sequence[WindowLayer]) -> list[tuple[tuple[int, int], ...]]:
    if len(layers) == 0:
        raise ValueError("layers is empty: give at least one (kernel_size, stride, dilation)")
    return [_parse_layer(layer, number) for number, layer in enumerate(layers)]


def _parse_layer(layer: WindowLayer, number: int) -> tuple[tuple[int, int], ...]:
    expected = f"layers[{number}] must be (kernel_size, stride, dilation)"
    if not isinstance(layer, tuple | list):
        raise TypeError(f"{expected}, got {type(layer).__name__} {layer!r}")
    if not 1 <= len(layer) <= 3:
        raise ValueError(f"{expected}, got {len(layer)} values: {layer!r}")
    return tuple(
        pair(value, f"{name} of layers[{number}]", minimum=1)
        for name, value in zip(("kernel_size", "stride", "dilation"), [*layer, 1, 1], strict=False)
    )


def _path_counts_along(layers: list[tuple[int, ...]]) -> tuple[int, ...]:
    counts = [1]  # of the output cell itself
    for kernel_size, stride, dilation in reversed(layers):
        extent, _ = dilated_kernel_size(kernel_size, dilation)
        input_counts = [0] * ((len(counts) - 1) * stride + extent)
        for cell, count in enumerate(counts):
            for tap in range(kernel_size):
                input_counts[cell * stride + tap * dilation] += count
        counts = input_counts
    return tuple(counts)
