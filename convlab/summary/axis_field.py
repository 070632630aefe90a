"""Receptive fields of the elements of a tensor along one axis of the image, without tensors.

Channels are not distinguished: a field covers what any channel at its place depends on.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from itertools import pairwise

from convlab.shapes import ReceptiveField

# The first cell, and the one after the last.
Interval = tuple[int, int]


class NoField(Enum):
    """The field of a tensor without an `AxisField`."""

    INDEPENDENT = "does not depend on the image"
    UNKNOWN = "may depend on any cell of the image"


class UnknownFieldError(Exception):
    """Raised where the field of an output cannot be derived from those of the inputs."""


@dataclass(frozen=True)
class AxisField:
    """The cells of the image, along one axis such as the height, on which each element depends.

    The element with index ``i`` along `dim` belongs to unit ``i // inner_size % num_units``: a
    reshape may pack several axes in one dimension.
    """

    dim: int | None  # None if all elements have one field
    num_units: int
    inner_size: int
    # If the fields of the units are not regular, one interval each: None for a unit that depends on
    # nothing, such as a padding cell.
    units: ReceptiveField | tuple[Interval | None, ...]

    @classmethod
    def of_image(cls, dim: int, length: int) -> AxisField:
        """Return the field of the image itself: every cell depends on itself."""
        return cls(dim, length, 1, ReceptiveField())

    @classmethod
    def shared(cls, interval: Interval) -> AxisField:
        """Return the field of a tensor whose elements all depend on one interval."""
        start, end = interval
        return cls(None, 1, 1, ReceptiveField(end - start, 0, start))

    @classmethod
    def from_intervals(cls, dim: int, intervals: Iterable[Interval | None]) -> AxisField | NoField:
        """Return the field of units given one by one, in its simplest form."""
        units = tuple(intervals)
        known = [interval for interval in units if interval is not None]
        if not known:
            return NoField.INDEPENDENT
        if len(known) == len(units):
            start, size = known[0][0], known[0][1] - known[0][0]
            jumps = {b[0] - a[0] for a, b in pairwise(known)}
            if jumps <= {0} and {end for _, end in known} == {start + size}:
                return cls.shared(known[0])
            if len(jumps) == 1 and min(jumps) > 0 and {b - a for a, b in known} == {size}:
                return cls(dim, len(units), 1, ReceptiveField(size, jumps.pop(), start))
        return cls(dim, len(units), 1, units)

    def interval(self, unit: int) -> Interval | None:
        """Return the cells on which a unit depends; regular units continue beyond the edges."""
        if isinstance(self.units, ReceptiveField):
            cells = self.units.cells(unit)
            return cells.start, cells.stop
        return self.units[unit] if 0 <= unit < self.num_units else None

    def covers(self, length: int) -> bool:
        """Return whether every unit depends on all of the first `length` cells."""
        units = [self.interval(unit) for unit in range(self.num_units)]
        return all(unit is not None and unit[0] <= 0 and unit[1] >= length for unit in units)

    def merged(self) -> AxisField:
        """Return the field of elements that each depend on all elements of this tensor."""
        hull = cover(map(self.interval, range(self.num_units)))
        assert hull is not None, "a field has at least one interval"
        return AxisField.shared(hull)

    def unpacked(self, length: int) -> AxisField:
        """Return the same field with one unit for each of the `length` indices of `dim`."""
        if self.dim is None or (self.inner_size, self.num_units) == (1, length):
            return self
        return AxisField(self.dim, length, 1, tuple(self.intervals(length)))

    def intervals(self, length: int) -> list[Interval | None]:
        """List the field of each of the `length` indices of `dim`."""
        return [self.interval(i // self.inner_size % self.num_units) for i in range(length)]

    def window(
        self, length: int, outputs: int, kernel: int, stride: int, padding: int, dilation: int
    ) -> AxisField | NoField:
        """Return the field after `outputs` windows along `dim`; negative padding cuts cells off."""
        if self.dim is None:
            return self
        units = self.unpacked(length).units
        if isinstance(units, ReceptiveField):
            field = units.window(kernel, stride, max(padding, 0), dilation)
            if padding < 0:
                field = replace(field, start=field.start - padding * units.jump)
            return AxisField(self.dim, outputs, 1, field)
        starts = (output * stride - padding for output in range(outputs))
        reads = (range(start, start + kernel * dilation, dilation) for start in starts)
        return self.gather(length, reads)

    def gather(self, length: int, indices: Iterable[Iterable[int]]) -> AxisField | NoField:
        """Return the field if each output along `dim` depends on the inputs at given indices."""
        if self.dim is None:
            return self
        interval = self.unpacked(length).interval
        reads = (cover(map(interval, of_output)) for of_output in indices)
        return AxisField.from_intervals(self.dim, reads)

    def reduce(self, dims: Iterable[int], rank: int, keepdim: bool) -> AxisField:
        """Return the field after a sum, mean or maximum over some dimensions."""
        reduced = {dim % rank for dim in dims}
        if self.dim is None or self.dim in reduced:
            return self.merged()
        removed = 0 if keepdim else sum(dim < self.dim for dim in reduced)
        return replace(self, dim=self.dim - removed)

    def broadcast(self, shape: Sequence[int], new_shape: Sequence[int]) -> AxisField:
        """Return the field after a tensor of this shape was expanded to another."""
        if self.dim is None:
            return self
        new_dim = self.dim + len(new_shape) - len(shape)
        if shape[self.dim] == new_shape[new_dim]:
            return replace(self, dim=new_dim)
        if shape[self.dim] != 1:
            raise UnknownFieldError("the shape is not one that a broadcast extends")
        return self.merged()  # one unit, repeated

    def union(self, other: AxisField, shape: Sequence[int]) -> AxisField:
        """Return the field of a tensor of this shape that depends on what both fields cover."""
        if self == other:
            return self
        dim = other.dim if self.dim is None else self.dim
        if other.dim not in (None, dim):
            raise UnknownFieldError("two dimensions follow the same axis of the image")
        if (
            isinstance(self.units, ReceptiveField)
            and isinstance(other.units, ReceptiveField)
            and replace(self, units=other.units) == other
            and self.units.jump == other.units.jump
        ):
            return replace(self, units=self.units.union(other.units))
        assert dim is not None, "shared fields are regular, with the same jump of 0"
        both = zip(self.intervals(shape[dim]), other.intervals(shape[dim]), strict=True)
        union = AxisField.from_intervals(dim, map(cover, both))
        assert isinstance(union, AxisField), "each of the two has at least one interval"
        return union


# What is known of a tensor along one axis, and along each axis of the image.
Field = AxisField | NoField
TensorFields = tuple[Field, ...]


def cover(intervals: Iterable[Interval | None]) -> Interval | None:
    """Return the cells from the first to the last of several intervals; None if there are none."""
    known = [interval for interval in intervals if interval is not None]
    return (min(a for a, _ in known), max(b for _, b in known)) if known else None
