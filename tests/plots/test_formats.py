"""One cell for each bit, in the colour of its field."""

import pytest
from matplotlib.colors import to_hex

from convlab import plots


def test_every_bit_is_a_cell():
    (axis,) = plots.bit_fields({"a": (1, 5, 10), "b": (1, 2, 1)}).axes
    found = [(patch.get_center()[1], to_hex(patch.get_facecolor())) for patch in axis.patches]
    for row, bits in enumerate([(1, 5, 10), (1, 2, 1)]):
        colours = [plots.INPUT, plots.PADDING, plots.READ]
        assert [found.count((row, colour)) for colour in colours] == list(bits)
    assert [text.get_text() for text in axis.texts] == ["5", "10"]
    assert [label.get_text() for label in axis.get_yticklabels()] == ["a", "b"]


@pytest.mark.parametrize(
    ("formats", "message"),
    [
        ({}, "nothing to draw"),
        ({"a": (1, 5)}, r"'a' needs the bits of sign, exponent, fraction.* got \(1, 5\)"),
        ({"a": (1, 0, 3)}, "at least 1"),
    ],
)
def test_what_has_not_three_fields_is_refused(formats, message):
    with pytest.raises(ValueError, match=message):
        plots.bit_fields(formats)
