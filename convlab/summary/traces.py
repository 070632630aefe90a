"""How the image is seen through a tensor, along one direction: the arithmetic, without tensors.

Every tensor inside a network has numbers that depend on the image, and for one direction of the
image a `Trace` says on which cells each of them depends. It knows which dimension of the tensor
walks along that direction (its *carrier*), how the units follow each other inside this dimension
(a reshape may have packed height and width into one), and the field of each unit: three numbers
while everything is regular, a list of intervals where it is not.

All channels at one place are taken together: a trace covers what any of them sees.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from itertools import pairwise
from math import prod

from convlab.shapes import ReceptiveField

# The first cell and the one behind the last.
Interval = tuple[int, int]
# One entry per unit; None for a unit that sees nothing, such as a cell of padding.
Units = tuple[Interval | None, ...]


class Sees(Enum):
    """What is known of a tensor that has no trace."""

    NOTHING = "it does not depend on the image"
    UNKNOWN = "it depends on the image, and nobody knows how"


class UnknownError(Exception):
    """Raised by a rule that cannot say what its output sees."""


class BlankError(UnknownError):
    """Raised where nothing but padding is looked at: then it is known that nothing is seen."""


@dataclass(frozen=True)
class Trace:
    """What the elements of a tensor see along one direction of the image.

    Attributes
    ----------
    dim : int or None
        The dimension of the tensor that carries the direction; None if all elements see the same.
    count : int
        How many units there are along the direction.
    inner : int
        How many neighbours along `dim` belong to the same unit: the element with index `i` there
        belongs to unit ``i // inner % count``.
    field : ReceptiveField or tuple of intervals
        What the units see.
    """

    dim: int | None
    count: int
    inner: int
    field: ReceptiveField | Units

    @classmethod
    def of_image(cls, dim: int, length: int) -> Trace:
        """Return the trace of the image itself: every cell sees itself."""
        return cls(dim, length, 1, ReceptiveField())

    @classmethod
    def same(cls, interval: Interval) -> Trace:
        """Return the trace of a tensor whose elements all see one interval."""
        first, end = interval
        return cls(None, 1, 1, ReceptiveField(end - first, 0, first))

    @classmethod
    def along(cls, dim: int, units: Iterable[Interval | None]) -> Trace:
        """Return the trace of units listed one by one, in its simplest form."""
        listed = tuple(units)
        known = [unit for unit in listed if unit is not None]
        if not known:
            raise BlankError("no unit sees anything")
        first, size = known[0][0], known[0][1] - known[0][0]
        if len(known) == len(listed):
            steps = {b[0] - a[0] for a, b in pairwise(known)}
            if steps <= {0} and {end for _, end in known} == {first + size}:
                return cls.same(known[0])
            if len(steps) == 1 and min(steps) > 0 and {e - s for s, e in known} == {size}:
                return cls(dim, len(listed), 1, ReceptiveField(size, steps.pop(), first))
        return cls(dim, len(listed), 1, listed)

    def units(self) -> Units:
        """List what each unit sees."""
        if isinstance(self.field, tuple):
            return self.field
        ranges = (self.field.cells(unit) for unit in range(self.count))
        return tuple((cells.start, cells.stop) for cells in ranges)

    def hull(self) -> Interval:
        """Return the cells from the first to the last that any unit sees."""
        if isinstance(self.field, ReceptiveField):
            return self.field.cells(0).start, self.field.cells(self.count - 1).stop
        covered = cover(self.field)
        assert covered is not None, "a trace sees something"
        return covered

    def collapsed(self) -> Trace:
        """Return the trace after every element has met every other."""
        return Trace.same(self.hull())

    def spread(self, length: int) -> Trace:
        """Return the same trace with one unit for each of the `length` indices of its dimension."""
        if self.dim is None or (self.inner, self.count) == (1, length):
            return self
        units = self.units()
        listed = (units[i // self.inner % self.count] for i in range(length))
        return replace(self, count=length, inner=1, field=tuple(listed))

    def moved(self, where: Callable[[int], int]) -> Trace:
        """Return the trace after its dimension got another number."""
        return self if self.dim is None else replace(self, dim=where(self.dim))

    def taken(self, length: int, indices: Sequence[int | None]) -> Trace:
        """Return the trace after a selection along its dimension; None selects a constant."""
        if self.dim is None:
            return self
        whole = self.spread(length)
        kept = [i for i in indices if i is not None]
        steps = {b - a for a, b in pairwise(kept)} or {1}
        even = len(steps) == 1 and min(steps) > 0 and 0 < len(kept) == len(indices)
        if isinstance(whole.field, ReceptiveField) and even:
            start = whole.field.cells(kept[0]).start
            field = ReceptiveField(whole.field.size, whole.field.jump * min(steps), start)
            return replace(whole, count=len(kept), field=field)
        units = whole.units()
        return Trace.along(self.dim, (None if i is None else units[i] for i in indices))

    def windowed(  # the arguments of a window, as everywhere
        self, length: int, outputs: int, kernel: int, stride: int, padding: int, dilation: int
    ) -> Trace:
        """Return the trace after `outputs` windows along its dimension."""
        if self.dim is None:
            return self
        whole = self.spread(length)
        if isinstance(whole.field, ReceptiveField):
            field = whole.field.window(kernel, stride, max(padding, 0), dilation)
            if padding < 0:  # cells cut off in front
                field = replace(field, start=field.start - padding * whole.field.jump)
            return replace(whole, count=outputs, field=field)
        listed = []
        for output in range(outputs):
            first = output * stride - padding
            reads = range(first, first + kernel * dilation, dilation)
            listed.append(cover(whole.field[i] for i in reads if 0 <= i < length))
        return Trace.along(self.dim, listed)

    def cut(self, length: int, windows: Sequence[tuple[int, int]]) -> Trace:
        """Return the trace after windows of given first and last cells along its dimension."""
        if self.dim is None:
            return self
        units = self.spread(length).units()
        return Trace.along(self.dim, [cover(units[first:end]) for first, end in windows])

    def padded(self, length: int, before: int, after: int) -> Trace:
        """Return the trace after cells were added (or cut off) at both ends of its dimension."""
        return self.windowed(length, length + before + after, 1, 1, before, 1)

    def reduced(self, dims: Sequence[int], rank: int, keepdim: bool) -> Trace:
        """Return the trace after a sum, mean or maximum over some dimensions."""
        dims = sorted(dim % rank for dim in dims)
        if self.dim is None or self.dim in dims:
            return self.collapsed()
        return self if keepdim else self.moved(lambda dim: dim - sum(gone < dim for gone in dims))

    def broadcast(self, shape: Sequence[int], target: Sequence[int]) -> Trace:
        """Return the trace after the tensor of this shape was expanded to another."""
        if self.dim is None:
            return self
        new = self.dim + len(target) - len(shape)
        if shape[self.dim] != target[new]:
            return self.collapsed()  # one unit, repeated
        return replace(self, dim=new)

    def union(self, other: Trace, shape: Sequence[int]) -> Trace:
        """Return the trace of a tensor of this shape whose elements see what both traces say."""
        if self == other:
            return self
        if self.dim is None and other.dim is None:
            return Trace.same(_both(self.hull(), other.hull()))
        if self.dim is not None and other.dim is not None and self.dim != other.dim:
            raise UnknownError("two dimensions walk along one direction")
        dim = self.dim if self.dim is not None else other.dim
        assert dim is not None
        if _alike(self, other):
            assert isinstance(self.field, ReceptiveField)
            assert isinstance(other.field, ReceptiveField)
            return replace(self, field=self.field.union(other.field))
        sides = [_listed(trace, shape[dim]) for trace in (self, other)]
        return Trace.along(dim, [cover(pair) for pair in zip(*sides, strict=True)])

    def viewed(self, shape: Sequence[int], target: Sequence[int]) -> Trace:
        """Return the trace after a reshape, which keeps the elements in their order.

        The carrier's index is ``position // stride % count``, whatever the shape; the question is
        whether one dimension of the new shape holds it as a whole.
        """
        if self.dim is None:
            return self
        if list(shape) == list(target):
            return self
        if self.count == 1:  # among several dimensions of size 1, nobody can tell which it is now
            return self.collapsed()
        stride = self.inner * prod(shape[self.dim + 1 :])
        for dim, length in enumerate(target):
            behind = prod(target[dim + 1 :])
            fits = stride % behind == 0 and (length * behind) % (stride * self.count) == 0
            if fits and length > 1:
                return replace(self, dim=dim, inner=stride // behind)
        raise UnknownError("the reshape cuts a direction into pieces")


def cover(units: Iterable[Interval | None]) -> Interval | None:
    """Return the cells from the first to the last of some intervals."""
    known = [unit for unit in units if unit is not None]
    return (min(s for s, _ in known), max(e for _, e in known)) if known else None


def _both(a: Interval, b: Interval) -> Interval:
    return min(a[0], b[0]), max(a[1], b[1])


def _alike(a: Trace, b: Trace) -> bool:
    """Whether two traces are regular, and in step."""
    return (
        isinstance(a.field, ReceptiveField)
        and isinstance(b.field, ReceptiveField)
        and a.field.jump == b.field.jump
        and (a.dim, a.count, a.inner) == (b.dim, b.count, b.inner)
    )


def _listed(trace: Trace, length: int) -> Units:
    if trace.dim is None:
        return (trace.hull(),) * length
    return trace.spread(length).units()
