"""What really depends on what, measured with NaN, beside what the tracker says.

NaN is what remains of every sum and every maximum in which a NaN takes part. So an image in which
one column is NaN turns exactly those outputs into NaN that depend on the column. In float64 the
convolutions of PyTorch on a CPU are plain products of matrices and spread no NaN any further.
"""

from contextlib import contextmanager

import torch

from convlab.shapes import ReceptiveField
from convlab.summary.recorder import Recorder
from convlab.summary.traces import Sees, Trace
from convlab.summary.tracker import Tracker


def measured(model, channels, size):
    """For each submodule and direction: which cells each element of its output depends on.

    Returns a dictionary name -> (per direction) boolean tensor (cells, *output shape).
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


def told(model, channels, size):
    """For each submodule: what the tracker says of its output."""
    x = torch.ones(1, channels, *size, dtype=torch.float64)
    tracker = Tracker(2)
    tracker.start(x, (Trace.of_image(2, size[0]), Trace.of_image(3, size[1])))
    recorder = Recorder(model, tracker)
    sights = {}

    def look(name, output):
        sights[name] = tracker.of(output).sight

    with torch.no_grad(), recorder.watching(), _outputs_of(model, look):
        model(x)
    return sights


@contextmanager
def _outputs_of(model, use):
    """Call ``use(name, output)`` after each direct child of a model ran."""
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
    """Assert that the tracker says of every submodule what was measured.

    A unit whose field lies inside of the image depends on its first and its last cell, and on
    nothing outside; one that looks beyond the edge depends on nothing outside of its field.
    """
    model = model.double().eval()
    depends = measured(model, channels, size)
    for name, sight in told(model, channels, size).items():
        if not all(nans.any() for nans in depends[name]):
            # Nothing but padding was looked at in one direction, so nothing in the other either.
            assert not any(nans.any() for nans in depends[name])
            continue
        assert Sees.UNKNOWN not in sight, f"{name} ({getattr(model, name)}) is unknown"
        rows, columns = depends[name]
        check_one(sight[0], sight[1], rows, size[0], size[1])
        check_one(sight[1], sight[0], columns, size[1], size[0])


def check_one(seen, across, nans, length, length_across):
    """Compare what a trace says with the cells (first dimension) that were measured.

    A path that sees nothing but padding in the other direction (`across`) sees nothing at all, so
    the first and the last cell are asked of elements that look at the image alone.
    """
    if seen is Sees.NOTHING:
        assert not nans.any()
        return
    if across.dim is not None and across.dim != seen.dim:
        indices = range(nans.shape[across.dim])
        kept = [i for i in indices if _inside(_unit(across, i), length_across)]
        if kept:
            nans = nans.index_select(across.dim, torch.tensor(kept))
    for index in range(1 if seen.dim is None else nans.shape[seen.dim]):
        one = nans if seen.dim is None else nans.select(seen.dim, index).unsqueeze(-1)
        cells = one.flatten(1).any(1).nonzero().ravel().tolist()
        unit = _unit(seen, index)
        beside = _unit(across, index if across.dim == seen.dim else 0)
        if across.dim not in (None, seen.dim):
            beside = _unit(across, kept[0]) if kept else None
        if unit is None:
            assert not cells
        elif _inside(unit, length) and _inside(beside, length_across):
            assert (cells[0], cells[-1] + 1) == unit
        else:
            assert all(unit[0] <= cell < unit[1] for cell in cells)


def _unit(seen, index):
    """Return what the element with this index along its dimension sees."""
    return seen.units()[index // seen.inner % seen.count]


def _inside(unit, length):
    return unit is not None and unit[0] >= 0 and unit[1] <= length


def is_regular(seen):
    """Whether three numbers describe what is seen."""
    return isinstance(seen, Trace) and isinstance(seen.field, ReceptiveField)
