"""Compare the fields of the tracker with the cells on which each number really depends.

A model runs on a random image, and again for every row and every column of it with this row or
column made NaN. Every number that any operation computes in between depends on the row exactly if
it changes: a sum or a maximum in which a NaN takes part is NaN, and an index that is computed from
it may become another one. In float64 the convolutions of PyTorch on a CPU are plain products of
matrices and spread no NaN any further.
"""

from contextlib import ExitStack

import torch
from torch.utils._python_dispatch import TorchDispatchMode, _disable_current_modes

from convlab.shapes import ReceptiveField
from convlab.summary.axis_field import AxisField, NoField
from convlab.summary.operation import tensors_in_object
from convlab.summary.recorder import Recorder
from convlab.summary.tracker import Tracker

# Operations whose result is memory with arbitrary numbers in it.
_UNSET = ("aten::empty", "aten::new_empty", "aten::resize", "aten::set")


class _Trace(TorchDispatchMode):
    """List what a function says of each result of the operations and of the children of a model."""

    def __init__(self, function):
        super().__init__()
        self.function, self.entries = function, []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        self.add(func._schema.name, result)
        return result

    def add(self, name, result):
        for x in tensors_in_object(result):
            if x.layout == torch.strided and not name.startswith(_UNSET):
                with _disable_current_modes():
                    self.entries.append((name, self.function(x)))

    def run(self, model, inputs, *modes, operations=True):
        """Run a model on copies; the results of its children have their names."""
        with ExitStack() as stack:
            for name, child in model.named_children():
                if not isinstance(child, torch.jit.ScriptModule):
                    hook = child.register_forward_hook(
                        lambda _, __, output, name=name: self.add(name, output)
                    )
                    stack.callback(hook.remove)
            for mode in [torch.no_grad(), *modes, *([self] if operations else [])]:
                stack.enter_context(mode)
            torch.manual_seed(0)
            model(*inputs)
        return self.entries


def traced(model, inputs, **options):
    """Return the names of all results, with a copy of each."""
    copies = [x.clone() for x in inputs]
    return _Trace(lambda x: x.resolve_conj().clone()).run(model, copies, **options)


def spoiled(image, value=torch.nan):
    """Return for each axis of an image one copy per cell, in which the cell has another value."""
    copies = []
    for dim in range(2, image.dim()):
        copies.append([image.clone() for _ in range(image.shape[dim])])
        for cell, copy in enumerate(copies[-1]):
            copy.select(dim, cell).fill_(value)
    return copies


def measured(model, image, others=(), value=torch.nan):
    """Measure the cells on which every result depends, for each axis of the image.

    Returns a list of pairs (name, boolean tensors of shape (cells, *shape), one per axis).
    """
    base = traced(model, [image, *others])
    runs = [[traced(model, [x, *others]) for x in copies] for copies in spoiled(image, value)]
    return [
        (name, [torch.stack([_changed(value, run, i) for run in of_axis]) for of_axis in runs])
        for i, (name, value) in enumerate(base)
    ]


def measured_at_once(model, image):
    """Measure as `measured` for the children of a model, in one run on a batch of images."""
    copies = spoiled(image)
    sizes = [len(of_axis) for of_axis in copies]
    batch = torch.cat([x for of_axis in copies for x in of_axis])
    results = traced(model, [batch], operations=False)
    return [(name, [x.unsqueeze(1) for x in y.isnan().split(sizes)]) for name, y in results]


def _changed(value, run, i):
    """Tell which elements of a result another run has changed; all, if it has another shape."""
    other = run[i][1] if i < len(run) else None
    if other is None or other.shape != value.shape:
        return torch.ones(value.shape, dtype=torch.bool)
    return (value != other) & ~(value.isnan() & other.isnan())


def tracked(model, inputs, **options):
    """Return the names of all results, with the fields that the tracker derives for each."""
    image, *others = [x.clone() for x in inputs]
    tracker = Tracker(num_axes=image.dim() - 2)
    axes = [AxisField.of_image(dim, image.shape[dim]) for dim in range(2, image.dim())]
    tracker.set_fields(image, tuple(axes))
    for x in others:
        tracker.set_fields(x, tracker.independent)
    recorder = Recorder(model, tracker)
    trace = _Trace(lambda x: tracker.info(x).fields)
    return trace.run(model, [image, *others], recorder.recording(), **options)


def check(model, channels, size):
    """Compare the fields after the children of a model, see `compare`, exactly.

    Returns the names of the children whose fields are unknown.
    """
    model = model.double().eval()
    image = torch.ones(1, channels, *size, dtype=torch.float64)
    fields = tracked(model, [image], operations=False)
    return compare(measured_at_once(model, image), fields, size, exact=True)


def compare(depends, tracked_fields, size, exact=False):
    """Assert that each field is unknown or as measured; return the names of the unknown ones.

    An element depends on nothing outside its field. If its field lies inside the image and `exact`
    is asked for, it depends on the first and the last cell of its field, too.
    """
    unknown = []
    for (name, nans), (same, fields) in zip(depends, tracked_fields, strict=True):
        assert name == same
        if NoField.UNKNOWN in fields:
            unknown.append(name)
        for axis, field in enumerate(fields):
            if field is not NoField.UNKNOWN:
                across = [(f, size[i]) for i, f in enumerate(fields) if i != axis]
                # Nothing was measured where only padding was read along one of the axes.
                is_exact = exact and all(of_axis.any() for of_axis in nans)
                check_axis(name, field, across, nans[axis], size[axis], is_exact)
    return unknown


def check_axis(name, field, across, depends, length, exact):
    """Compare a field with the cells (first dimension) that were measured along its axis.

    A path that reads only padding along another axis (`across`) reads nothing of the image, so the
    first and the last cell are asserted for elements that read the image alone.
    """
    if field is NoField.INDEPENDENT:
        assert not depends.any(), name
        return
    cells_read = _by_index(depends, field.dim)
    exact &= all(isinstance(other, AxisField) for other, _ in across)
    inside = depends
    if exact:
        for other, other_length in across:
            if other.dim not in (None, field.dim):
                indices = range(inside.shape[1 + other.dim])
                kept = [i for i in indices if _inside(_interval(other, i), other_length)]
                inside = inside.index_select(1 + other.dim, torch.tensor(kept, dtype=torch.long))
        inside_read = _by_index(inside, field.dim)
    for index, cells in enumerate(cells_read):
        interval = _interval(field, index)
        assert all(_contains(interval, cell) for cell in cells), (name, field, index, cells)
        besides = [
            (_interval(other, index if other.dim == field.dim else 0), other_length)
            for other, other_length in across
            if exact and other.dim in (None, field.dim)
        ]
        besides.append((interval, length))
        if exact and inside.numel() and all(_inside(*beside) for beside in besides):
            first, *_, last = inside_read[index] * 2
            assert (first, last + 1) == interval, (name, field, index)


def _by_index(depends, dim):
    """List the cells that are read at each index of a dimension, or by the whole tensor."""
    moved = depends.unsqueeze(1) if dim is None else depends.movedim(1 + dim, 1)
    table = moved.reshape(*moved.shape[:2], -1).any(2)
    return [[c for c, read in enumerate(row) if read] for row in table.T.tolist()]


def _interval(field, index):
    """Return the field of the element with this index along its dimension."""
    return field.interval(index // field.inner_size % field.num_units)


def _contains(interval, cell):
    return interval is not None and interval[0] <= cell < interval[1]


def _inside(interval, length):
    return interval is not None and interval[0] >= 0 and interval[1] <= length


def is_regular(field):
    """Return whether three numbers describe a field."""
    return isinstance(field, AxisField) and isinstance(field.units, ReceptiveField)


def check_row(field, depends, size):
    """Assert that size, jump and start of a row of a summary cover what its output depends on."""
    for axis, (nans, length) in enumerate(zip(depends, size, strict=True)):
        numbers = field.size[axis], field.jump[axis], field.start[axis]
        if numbers[0] is None or not nans.any():
            continue
        cells = torch.arange(length).view(-1, *[1] * (nans.dim() - 1))
        # Of each element, the first and the last cell that it depends on.
        first, last = (
            torch.where(nans, cells, length).amin(0),
            torch.where(nans, cells, -1).amax(0),
        )
        extent = last - first + 1
        assert extent.max() <= numbers[0]
        if field.whole[axis]:
            assert (extent[extent > 0] == length).any()
        if numbers[1] is not None:
            units = _numberings(first.shape) if numbers[1] else [torch.zeros(first.shape)]
            starts = [numbers[2] + unit * numbers[1] for unit in units]
            assert any(
                ((extent <= 0) | (first >= s) & (last < s + numbers[0])).all() for s in starts
            )


def _numberings(shape):
    """Yield every numbering of elements by the units that one dimension may hold."""
    for dim, length in enumerate(shape):
        index = torch.arange(length).view(-1, *[1] * (len(shape) - 1 - dim)).expand(shape)
        for inner in [n for n in range(1, length + 1) if length % n == 0]:
            for units in [n for n in range(1, length // inner + 1) if length // inner % n == 0]:
                yield index // inner % units
