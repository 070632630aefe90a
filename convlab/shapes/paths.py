"""A stack of layers: how far one output cell sees, and along how many paths."""

from __future__ import annotations

from collections.abc import Sequence

from convlab._validate import IntOrPair, pair
from convlab.shapes.receptive_field import ReceptiveField, conv2d_receptive_field
from convlab.shapes.windows import dilated_kernel_size

# One layer of windows: (kernel_size,), (kernel_size, stride) or (kernel_size, stride, dilation).
WindowLayer = Sequence[IntOrPair]


def path_counts(layers: Sequence[WindowLayer]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    r"""Count the paths from each input cell to one output cell of a stack of layers.

    In every layer, an output cell reads ``kernel_size`` cells per direction. A *path* picks
    one of them in the last layer, one of those that it read in the layer before, and so on
    down to the input. A count of 0 is a cell inside the receptive field that the output
    never sees. Without nonlinearities, and if all weights are independent with mean 0 and
    the same variance, the counts are proportional to the variance of the gradient.

    The cell looked at is one in the middle of a large map: padding changes nothing there.

    Parameters
    ----------
    layers : sequence of (kernel_size, stride, dilation)
        From the first layer to the last. Each entry is an int or a pair
        ``(height, width)``, at least 1; stride and dilation may be left out, from the end.
        Pooling counts as a layer too.

    Returns
    -------
    rows, columns : tuples of ints
        The counts for each direction, as long as the receptive field. Height and width never
        interact: pixel (i, j) reaches the output along ``rows[i] * columns[j]``
        paths.

    Raises
    ------
    TypeError
        If an entry is neither an int nor a pair of ints, or a layer is not a sequence.
    ValueError
        If there are no layers, a layer has no entry or more than three, or a number is
        below 1.

    Notes
    -----
    Cell :math:`i` of a layer's output reads the cells :math:`i s + u d` of its input, so the
    counts are carried down from the last layer to the first. Paths through the middle are many
    and paths along the rim few, see Luo et al., "Understanding the Effective Receptive Field in
    Deep Convolutional Neural Networks" (2016).

    Examples
    --------
    Two layers of 3 see five cells, the one in the middle along three paths:

    >>> path_counts([(3,), (3,)])
    ((1, 2, 3, 2, 1), (1, 2, 3, 2, 1))

    With a dilation of 2 in both, every second cell is never seen:

    >>> rows, columns = path_counts([(3, 1, 2), (3, 1, 2)])
    >>> rows
    (1, 0, 2, 0, 3, 0, 2, 0, 1)
    """
    parsed = _parse(layers)
    rows, columns = (
        _along_one_direction([tuple(argument[axis] for argument in layer) for layer in parsed])
        for axis in (0, 1)
    )
    return rows, columns


def receptive_fields(
    layers: Sequence[WindowLayer],
) -> tuple[tuple[ReceptiveField, ReceptiveField], ...]:
    """Return what the units of a stack see, without padding: before the first layer, after each.

    Parameters
    ----------
    layers : sequence of (kernel_size, stride, dilation)
        As for `path_counts`.

    Returns
    -------
    tuple of (rows, columns)
        One entry more than there are layers; the first is the input itself.

    Raises
    ------
    TypeError, ValueError
        As `path_counts` does.

    Examples
    --------
    >>> [rows.size for rows, columns in receptive_fields([(3, 1, 1), (3, 1, 2), (3, 1, 4)])]
    [1, 3, 7, 15]
    """
    fields = [(ReceptiveField(), ReceptiveField())]
    for kernel_size, stride, dilation in _parse(layers):
        fields.append(conv2d_receptive_field(kernel_size, stride, 0, dilation, before=fields[-1]))
    return tuple(fields)


def _parse(layers: Sequence[WindowLayer]) -> list[tuple[tuple[int, int], ...]]:
    if len(layers) == 0:
        raise ValueError("layers is empty: give at least one (kernel_size, stride, dilation)")
    return [_layer(layer, number) for number, layer in enumerate(layers)]


def _layer(layer: WindowLayer, number: int) -> tuple[tuple[int, int], ...]:
    if not isinstance(layer, tuple | list):
        raise TypeError(
            f"layers[{number}] must be (kernel_size, stride, dilation), "
            f"got {type(layer).__name__} {layer!r}"
        )
    if not 1 <= len(layer) <= 3:
        raise ValueError(
            f"layers[{number}] must be (kernel_size, stride, dilation), "
            f"got {len(layer)} values: {layer!r}"
        )
    names = ("kernel_size", "stride", "dilation")
    kernel_size, stride, dilation = (
        pair(value, f"{name} of layers[{number}]", minimum=1)
        for name, value in zip(names, [*layer, 1, 1], strict=False)
    )
    return kernel_size, stride, dilation


def _along_one_direction(layers: list[tuple[int, ...]]) -> tuple[int, ...]:
    counts = [1]  # the output cell itself
    for kernel_size, stride, dilation in reversed(layers):
        extent, _ = dilated_kernel_size(kernel_size, dilation)
        below = [0] * ((len(counts) - 1) * stride + extent)
        for cell, count in enumerate(counts):
            for tap in range(kernel_size):
                below[cell * stride + tap * dilation] += count
        counts = below
    return tuple(counts)
