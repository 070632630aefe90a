"""A stack of layers, drawn from its output cell down to the input."""

import numpy as np
import pytest
from matplotlib.colors import to_hex

from convlab import plots
from convlab.plots import drawing


def filled(axis):
    """Centres of the cells that are seen, per row from the input upwards."""
    rows = {}
    for patch in axis.patches:
        if to_hex(patch.get_facecolor()) == drawing.READ:
            x, y = patch.get_center()
            rows.setdefault(round(float(y), 6), []).append(round(float(x), 6))
    return [sorted(rows[y]) for y in sorted(rows)]


def test_the_cells_of_each_level_stand_over_the_middle_of_what_they_read():
    (axis,) = plots.paths([(3, 2, 1), (2, 1, 2)]).axes
    assert filled(axis) == [[0, 1, 2, 4, 5, 6], [1, 5], [3]]
    assert [text.get_text() for text in axis.texts[:7]] == ["1", "1", "1", "", "1", "1", "1"]


def test_every_line_is_one_weight_of_one_window():
    (axis,) = plots.paths([(3, 1, 2), (3, 1, 1)]).axes
    assert len(axis.lines) == 3 * 3 + 3
    spans = {round(float(np.ptp(line.get_xdata())), 6) for line in axis.lines}
    assert spans == {0, 1, 2}


def test_the_rows_say_which_layer_made_them():
    (axis,) = plots.paths([(3, 2), (1,), ((2, 5), 1, (1, 3))]).axes
    assert [text.get_text() for text in axis.texts[-4:]] == [
        "kernel 3, stride 2",
        "kernel 1",
        "kernel 5, dilation 3",
        "input",
    ]


@pytest.mark.parametrize(
    ("layers", "message"), [([], "layers is empty"), ([(3, 0)], "stride .* got 0")]
)
def test_what_is_no_stack_of_layers_is_refused(layers, message):
    with pytest.raises(ValueError, match=message):
        plots.paths(layers)
