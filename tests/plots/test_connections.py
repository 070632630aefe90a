"""The lines between channels are those of the layers."""

import numpy as np
import pytest
import torch
from matplotlib.colors import to_hex

from convlab import plots
from convlab.plots.connections import GROUPS
from convlab.plots.drawing import LINE


def rows(axis):
    """Read the drawing: per row its title and the places of its channels."""
    found = {}
    for text in axis.texts:
        found.setdefault(text.get_position()[1], []).append(text)
    return [
        (texts[0].get_text(), {int(t.get_text()): t.get_position()[0] for t in texts[1:]})
        for _, texts in sorted(found.items())
    ]


def lines(axis):
    """Read the drawing: triples of row, channel above, channel below."""
    drawn, places = [], [place for _, place in rows(axis)]
    ys = sorted({text.get_position()[1] for text in axis.texts})
    for line in axis.lines:
        (x0, x1), (y0, y1) = line.get_data()
        row = next(number for number, y in enumerate(ys) if y < y0 < y1 < ys[number + 1])
        ends = [
            next(channel for channel, at in places[row + side].items() if at == pytest.approx(x))
            for side, x in enumerate((x0, x1))
        ]
        drawn.append((row, *ends))
    return drawn


def colours(axis, row):
    """Give the set of colours of each channel in a row."""
    _, places = rows(axis)[row]
    ys = sorted({text.get_position()[1] for text in axis.texts})
    found = {channel: set() for channel in places}
    for patch in axis.patches:
        x, y = patch.get_center()
        if patch.get_fill() and y == pytest.approx(ys[row]):
            channel = min(places, key=lambda c: abs(places[c] - x))
            found[channel].add(to_hex(patch.get_facecolor()))
    return found


@pytest.mark.parametrize("arguments", [(12, 6, 3), (4, 6, 1), (6, 6, 6), (3, 6, 3)])
def test_every_weight_of_the_layer_is_a_line(arguments):
    in_channels, out_channels, groups = arguments
    (axis,) = plots.connections((in_channels, out_channels), groups).axes
    layer = torch.nn.Conv2d(in_channels, out_channels, 1, groups=groups, bias=False)
    torch.nn.init.ones_(layer.weight)
    seen = layer(torch.eye(in_channels)[:, :, None, None])[:, :, 0, 0]
    expected = {(0, *pair) for pair in seen.nonzero().tolist()}
    assert set(lines(axis)) == expected
    assert len(lines(axis)) == layer.weight.numel()


def test_a_group_has_one_colour_from_top_to_bottom():
    (axis,) = plots.connections((6, 6, 3), groups=3).axes
    for row in range(3):
        found = colours(axis, row)
        size = len(found) // 3
        assert found == {channel: {GROUPS[channel // size]} for channel in found}
    assert {to_hex(line.get_color()) for line in axis.lines} == set(GROUPS[:3])


def test_after_a_shuffle_channels_have_the_colours_of_all_groups():
    (axis,) = plots.connections((9, 9, 9), groups=3, shuffle=True).axes
    assert [title for title, _ in rows(axis)] == ["input", "layer 1", "shuffled", "output"]
    assert all(found == set(GROUPS[:3]) for found in colours(axis, 3).values())
    expected = torch.nn.ChannelShuffle(3)(torch.arange(9).reshape(1, 9, 1, 1)).flatten()
    moved = {below: above for row, above, below in lines(axis) if row == 1}
    assert [moved[channel] for channel in range(9)] == expected.tolist()


def test_layers_may_have_different_groups_and_mixtures_are_grey():
    (axis,) = plots.connections((4, 4, 2, 2), groups=(4, 1, 1)).axes
    assert [len([1 for line in lines(axis) if line[0] == row]) for row in range(3)] == [4, 8, 4]
    assert [to_hex(line.get_color()) for line in axis.lines[-4:]] == [LINE] * 4


def test_colours_begin_again_after_the_last():
    (axis,) = plots.connections((7, 7), groups=7).axes
    assert colours(axis, 0)[6] == {GROUPS[0]}


def test_numpys_numbers_are_welcome():
    (axis,) = plots.connections(np.array([4, 2]), np.int64(2)).axes
    assert len(lines(axis)) == 4


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: plots.connections((4,)), ValueError, r"at least one output, got \[4\]"),
        (lambda: plots.connections((4, 4), (2, 2)), ValueError, r"1 layers need 1 .* \[2, 2\]"),
        (lambda: plots.connections((4, 6), 4), ValueError, "out_channels=6 is not divisible"),
        (lambda: plots.connections((4, 2.0)), TypeError, "channels must be an int"),
        (lambda: plots.connections((4, 4), 2.0), TypeError, "groups must be an int"),
        (lambda: plots.connections((4, 4), 2, shuffle=1), TypeError, "shuffle must be True"),
    ],
)
def test_what_cannot_be_drawn_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()
