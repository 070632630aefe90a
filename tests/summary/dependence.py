"""Compare the fields of the tracker with the dependencies that NaN inputs reveal.

Every sum and every maximum in which a NaN takes part is NaN. So an image in which one column is NaN
turns exactly those outputs into NaN that depend on the column. In float64 the convolutions of
PyTorch on a CPU are plain products of matrices and spread no NaN any further.
"""

from contextlib import contextmanager

import torch

from convlab.shapes import ReceptiveField
from convlab.summary.axis_field import AxisField, NoField
from convlab.summary.recorder import Recorder
from convlab.summary.tracker import Tracker


def measured(model, channels, size):
    """Measure the cells on which each output element of each submodule depends, for each axis.

    Returns a dictionary name -> (per axis) boolean tensor (cells, *output shape).
    """
    batch = torch.ones(sum(size), channels, *size, dtype=torch.float64)
    for row in range(size[0]):
        batch[row, :, row] = torch.nan
    for column in range(size[1]):
        batch[size[0] + column, :, :, column] = torch.nan
    found = {}
    with _outputs_of(model, lambda name, output: found.update({name: output.isnan()})):
        model(batch)
    return {name: nans.split(size) for name, nans in found.items()}


def tracked(model, channels, size):
    """Return the fields that the tracker derives for the output of each submodule."""
    x = torch.ones(1, channels, *size, dtype=torch.float64)
    tracker = Tracker(num_axes=2)
    tracker.set_fields(x, (AxisField.of_image(2, size[0]), AxisField.of_image(3, size[1])))
    recorder = Recorder(model, tracker)
    fields = {}

    def store(name, output):
        fields[name] = tracker.info(output).fields

    with torch.no_grad(), recorder.recording(), _outputs_of(model, store):
        model(x)
    return fields


@contextmanager
def _outputs_of(model, use):
    """Call ``use(name, output)`` after each run of a direct child of a model."""
    hooks = [
        child.register_forward_hook(lambda _, __, output, name=name: use(name, output))
        for name, child in model.named_children()
    ]
    try:
        with torch.no_grad():
            yield
    finally:
        for hook in hooks:
            hook.remove()


def check(model, channels, size):
    """Assert that each field is unknown or as measured; return the names of the unknown ones.

    A unit whose field lies inside the image depends on its first and its last cell, and on nothing
    outside; one whose field reaches beyond the edge depends on nothing outside its field.
    """
    model = model.double().eval()
    depends = measured(model, channels, size)
    unknown = []
    for name, fields in tracked(model, channels, size).items():
        if not all(nans.any() for nans in depends[name]):
            # Only padding was read along one axis, so nothing of the image along the other either.
            assert not any(nans.any() for nans in depends[name])
            continue
        if NoField.UNKNOWN in fields:
            unknown.append(name)
            continue
        rows, columns = depends[name]
        check_axis(fields[0], fields[1], rows, size[0], size[1])
        check_axis(fields[1], fields[0], columns, size[1], size[0])
    return unknown


def check_axis(field, across, nans, length, length_across):
    """Compare a field with the cells (first dimension) that were measured along its axis.

    A path that reads only padding along the other axis (`across`) reads nothing of the image, so
    the first and the last cell are asserted for elements that read the image alone.
    """
    if field is NoField.INDEPENDENT:
        assert not nans.any()
        return
    if across.dim is not None and across.dim != field.dim:
        indices = range(nans.shape[across.dim])
        kept = [i for i in indices if _inside(_interval(across, i), length_across)]
        if kept:
            nans = nans.index_select(across.dim, torch.tensor(kept))
    for index in range(1 if field.dim is None else nans.shape[field.dim]):
        one = nans if field.dim is None else nans.select(field.dim, index).unsqueeze(-1)
        cells = one.flatten(1).any(1).nonzero().ravel().tolist()
        interval = _interval(field, index)
        beside = _interval(across, index if across.dim == field.dim else 0)
        if across.dim not in (None, field.dim):
            beside = _interval(across, kept[0]) if kept else None
        if interval is None:
            assert not cells
        elif _inside(interval, length) and _inside(beside, length_across):
            assert (cells[0], cells[-1] + 1) == interval
        else:
            assert all(interval[0] <= cell < interval[1] for cell in cells)


def _interval(field, index):
    """Return the field of the element with this index along its dimension."""
    return field.interval(index // field.inner_size % field.num_units)


def _inside(interval, length):
    return interval is not None and interval[0] >= 0 and interval[1] <= length


def is_regular(field):
    """Return whether three numbers describe a field."""
    return isinstance(field, AxisField) and isinstance(field.units, ReceptiveField)
