"""Boxes show the shapes of a network, lines its connections, bars parts of totals."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from matplotlib.colors import to_hex
from matplotlib.patches import Circle, Polygon, Rectangle

from convlab import plots
from convlab.plots.drawing import LINE
from convlab.plots.networks import FAMILIES, GROUP_COLOURS

LENET = [
    ("image", "Input", (1, 28, 28)),
    ("features.0", "Conv2d", (6, 28, 28)),
    ("features.1", "ReLU", (6, 28, 28)),
    ("features.2", "MaxPool2d", (6, 14, 14)),
    ("flatten", "Flatten", (1176,)),
    ("classifier", "Linear", (10,)),
]
BLOCKS = [
    ("conv1", "Conv2d", (64, 16, 16)),
    ("layer1.0.conv1", "Conv2d", (64, 16, 16)),
    ("layer1.0.bn1", "BatchNorm2d", (64, 16, 16)),
    ("layer1.1.pool", "MaxPool2d", (64, 8, 8)),
    ("layer2.0.pool", "MaxPool2d", (64, 4, 4)),
    ("layer2.0.conv", "Conv2d", (128, 4, 4)),
    ("fc", "Linear", (10,)),
]


def labels(drawing):
    texts = [text.get_text() for text in drawing.axes[0].texts]
    return list(zip(texts[::2], texts[1::2], strict=True))


def boxes(drawing):
    return drawing.axes[0].patches


def colours(drawing):
    return [to_hex(box.get_facecolor()) for box in boxes(drawing)]


def colour(family):
    return FAMILIES[family][1]


def test_every_convolution_pooling_and_linear_layer_has_a_box_with_its_shape():
    assert labels(plots.network(LENET)) == [
        ("image", "1 × 28 × 28"),
        ("features.0", "6 × 28 × 28"),
        ("features.2", "6 × 14 × 14"),
        ("classifier", "10"),
    ]


def test_layers_of_a_summary_are_drawn_like_triples():
    mappings = [
        {"name": name, "kind": kind, "output_shape": [1, *shape], "parameters": 0}
        for name, kind, shape in LENET
    ]
    assert labels(plots.network(mappings)) == labels(plots.network(LENET))


def test_the_colour_tells_the_kind():
    families = ["input", "convolution", "pooling", "fully connected"]
    drawing = plots.network(LENET)
    assert colours(drawing) == [colour(family) for family in families]
    legend = [text.get_text() for text in drawing.axes[0].get_legend().get_texts()]
    assert sorted(legend) == sorted(families)


def test_height_is_a_square_root_of_the_side_and_width_a_cube_root_of_the_channels():
    layers = [("a", "Conv2d", (2, 64, 64)), ("b", "Conv2d", (16, 16, 16))]
    small, large = boxes(plots.network(layers))
    assert small.get_height() == pytest.approx(2 * large.get_height())
    assert large.get_width() == pytest.approx(2 * small.get_width())


def test_boxes_stand_below_each_other_without_overlap():
    drawn = boxes(plots.network(LENET))
    edges = [(box.get_y(), box.get_y() + box.get_height()) for box in drawn]
    assert all(above[1] < below[0] for above, below in pairwise(edges))
    assert {box.get_x() + box.get_width() / 2 for box in drawn} == {0}


def test_neighbours_of_one_kind_and_shape_share_a_box():
    layers = [(f"features.{i}", "Conv2d", (8, 9, 9)) for i in (0, 2, 4)]
    layers += [("features.5", "MaxPool2d", (8, 4, 4)), ("avgpool", "AvgPool2d", (8, 4, 4))]
    assert labels(plots.network(layers)) == [
        ("features.0 to 4 (3)", "8 × 9 × 9"),
        ("features.5 to avgpool (2)", "8 × 4 × 4"),
    ]


def test_labels_can_say_what_the_layers_are():
    layers = [("image", "Input", (3, 9, 9))]
    layers += [(f"features.{i}", "Conv2d", (8, 9, 9)) for i in (0, 2, 4)]
    layers += [("features.5", "MaxPool2d", (8, 4, 4)), ("avgpool", "AvgPool2d", (8, 4, 4))]
    layers += [("a", "Linear", (7,)), ("b", "Linear", (7,)), ("c", "Linear", (5,))]
    titles = [title for title, _ in labels(plots.network(layers, labels="kind"))]
    kinds = ["3 convolutions", "2 poolings", "2 fully connected", "fully connected"]
    assert titles == ["image", *kinds]


def test_a_depth_joins_the_layers_of_a_block_and_shows_what_comes_out():
    drawing = plots.network(BLOCKS, depth=1)
    assert labels(drawing) == [
        ("conv1", "64 × 16 × 16"),
        ("layer1", "64 × 8 × 8"),
        ("layer2", "128 × 4 × 4"),
        ("fc", "10"),
    ]
    assert colours(drawing) == [colour("convolution")] * 3 + [colour("fully connected")]
    assert [name for name, _ in labels(plots.network(BLOCKS, depth=2))] == [
        "conv1",
        "layer1.0",
        "layer1.1",
        "layer2.0",
        "fc",
    ]


def test_the_arrows_of_a_block_are_as_wide_as_its_channels_and_have_its_shapes():
    path = [("1×1 convolution", (2, 5, 5)), ("3×3 convolution", (2, 5, 5)), ("up", (8, 5, 5))]
    (ax,) = plots.residual_block(path, (8, 5, 5)).axes
    arrows = [patch for patch in ax.patches if isinstance(patch, Polygon)]
    widths = [np.ptp(arrow.get_xy()[:, 0]) for arrow in arrows]
    assert np.allclose(np.divide(widths, widths[0]), [1, 1 / 4, 1 / 4, 1, 1])
    shown = [text.get_text() for text in ax.texts if "5 × 5" in text.get_text()]
    assert shown == ["8 × 5 × 5", *["2 × 5 × 5"] * 2, *["8 × 5 × 5"] * 2]
    boxes = [patch for patch in ax.patches if isinstance(patch, Rectangle)]
    blue, white = colour("convolution"), colour("input")
    assert [to_hex(box.get_facecolor()) for box in boxes] == [blue, blue, white, white]


def test_the_skip_connection_goes_from_the_input_to_the_sum_past_all_layers():
    path = [("3×3", (4, 3, 3)), ("3×3", (4, 3, 3))]
    (ax,) = plots.residual_block(path, (2, 6, 6), [("1×1, stride 2", (4, 3, 3))]).axes
    (line,) = ax.lines
    boxes = [patch for patch in ax.patches if isinstance(patch, Rectangle)]
    side = max(box.get_x() + box.get_width() for box in boxes if box.get_x() < 0)
    assert line.get_xdata()[1] > side
    (circle,) = (patch for patch in ax.patches if isinstance(patch, Circle))
    assert line.get_ydata()[2] == pytest.approx(circle.center[1])
    assert [text.get_text() for text in ax.texts].count("1×1, stride 2") == 1


def channel_rows(ax):
    """Return the title of each row, and the position of each of its channels."""
    found = {}
    for text in ax.texts:
        found.setdefault(text.get_position()[1], []).append(text)
    return [
        (texts[0].get_text(), {int(t.get_text()): t.get_position()[0] for t in texts[1:]})
        for _, texts in sorted(found.items())
    ]


def connected(ax):
    """Return each line as (row, channel above, channel below)."""
    drawn, positions = [], [position for _, position in channel_rows(ax)]
    ys = sorted({text.get_position()[1] for text in ax.texts})
    for line in ax.lines:
        (x0, x1), (y0, y1) = line.get_data()
        row = next(number for number, y in enumerate(ys) if y < y0 < y1 < ys[number + 1])
        ends = [
            next(channel for channel, at in positions[row + side].items() if at == pytest.approx(x))
            for side, x in enumerate((x0, x1))
        ]
        drawn.append((row, *ends))
    return drawn


def group_colours(ax, row):
    """Return the set of colours of each channel in a row."""
    _, positions = channel_rows(ax)[row]
    ys = sorted({text.get_position()[1] for text in ax.texts})
    found = {channel: set() for channel in positions}
    for patch in ax.patches:
        x, y = patch.get_center()
        if patch.get_fill() and y == pytest.approx(ys[row]):
            channel = min(positions, key=lambda c: abs(positions[c] - x))
            found[channel].add(to_hex(patch.get_facecolor()))
    return found


@pytest.mark.parametrize("arguments", [(12, 6, 3), (4, 6, 1), (6, 6, 6), (3, 6, 3)])
def test_every_weight_of_the_layer_is_a_line(arguments):
    in_channels, out_channels, groups = arguments
    (ax,) = plots.channel_connections((in_channels, out_channels), groups).axes
    layer = torch.nn.Conv2d(in_channels, out_channels, 1, groups=groups, bias=False)
    torch.nn.init.ones_(layer.weight)
    output = layer(torch.eye(in_channels)[:, :, None, None])[:, :, 0, 0]
    expected = {(0, *pair) for pair in output.nonzero().tolist()}
    assert set(connected(ax)) == expected
    assert len(connected(ax)) == layer.weight.numel()


def test_a_group_has_one_colour_from_top_to_bottom():
    (ax,) = plots.channel_connections((6, 6, 3), groups=3).axes
    for row in range(3):
        found = group_colours(ax, row)
        size = len(found) // 3
        assert found == {channel: {GROUP_COLOURS[channel // size]} for channel in found}
    assert {to_hex(line.get_color()) for line in ax.lines} == set(GROUP_COLOURS[:3])


def test_after_a_shuffle_channels_have_the_colours_of_all_groups():
    (ax,) = plots.channel_connections((9, 9, 9), groups=3, shuffle=True).axes
    assert [title for title, _ in channel_rows(ax)] == ["input", "layer 1", "shuffled", "output"]
    assert all(found == set(GROUP_COLOURS[:3]) for found in group_colours(ax, 3).values())
    expected = torch.nn.ChannelShuffle(3)(torch.arange(9).reshape(1, 9, 1, 1)).flatten()
    moved = {below: above for row, above, below in connected(ax) if row == 1}
    assert [moved[channel] for channel in range(9)] == expected.tolist()


def test_layers_may_have_different_groups_and_mixtures_are_grey():
    (ax,) = plots.channel_connections((4, 4, 2, 2), groups=(4, 1, 1)).axes
    assert [len([1 for line in connected(ax) if line[0] == row]) for row in range(3)] == [4, 8, 4]
    assert [to_hex(line.get_color()) for line in ax.lines[-4:]] == [LINE] * 4


def test_colours_begin_again_after_the_last():
    (ax,) = plots.channel_connections((7, 7), groups=7).axes
    assert group_colours(ax, 0)[6] == {GROUP_COLOURS[0]}


def test_numpy_integers_are_accepted():
    (ax,) = plots.channel_connections(np.array([4, 2]), np.int64(2)).axes
    assert len(connected(ax)) == 4


def test_the_parts_lie_end_to_end_and_fill_the_bar():
    (ax,) = plots.stacked_bars({"a": {"x": 1, "y": 3}, "b": {"x": 0, "y": 7}}).axes
    widths = [[patch.get_width() for patch in bars] for bars in ax.containers]
    starts = [[patch.get_x() for patch in bars] for bars in ax.containers]
    assert widths == [[25, 0], [75, 100]]
    assert starts == [[0, 0], [25, 0]]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["a", "b"]


def test_fully_connected_parts_have_the_colour_of_such_layers():
    (ax,) = plots.stacked_bars({"a": {"x": 1, "y": 1, "fully connected": 1}}).axes
    found = [to_hex(bars[0].get_facecolor()) for bars in ax.containers]
    assert found[2] == colour("fully connected")
    assert len(set(found)) == 3


def test_small_parts_have_no_space_for_their_number():
    (ax,) = plots.stacked_bars({"a": {"x": 7, "y": 93}}).axes
    assert [text.get_text() for text in ax.texts] == ["93 %"]


@pytest.mark.parametrize(
    ("draw", "error", "message"),
    [
        (lambda: plots.network([]), ValueError, "nothing to draw"),
        (lambda: plots.network([("r", "ReLU", (1, 2, 2))]), ValueError, "nothing to draw"),
        (lambda: plots.network([("a", "Conv2d")]), TypeError, r"\(name, kind, shape\)"),
        (lambda: plots.network(["abc"]), TypeError, "got 'abc'"),
        (lambda: plots.network([{"name": "a"}]), ValueError, "'kind', 'output_shape'"),
        (lambda: plots.network([("a", "Conv2d", (1, 3, 8, 8))]), ValueError, r"\(1, 3, 8, 8\)"),
        (lambda: plots.network([("a", "Conv2d", (0, 8, 8))]), ValueError, r"'a' must be"),
        (
            lambda: plots.network([{"name": "a", "kind": "Linear", "output_shape": [8]}]),
            ValueError,
            r"batch .* got \(\)",
        ),
        (lambda: plots.network(LENET, depth=0), ValueError, "depth .* got 0"),
        (lambda: plots.network(LENET, depth=1.5), TypeError, "depth must be an int"),
        (lambda: plots.network(LENET, labels="shape"), ValueError, "labels must be .* 'shape'"),
        (lambda: plots.residual_block([], (1, 2, 2)), ValueError, "nothing to draw"),
        (
            lambda: plots.residual_block([("a", (2,))], (1, 2, 2)),
            ValueError,
            r"'a' must be .*\(2,\)",
        ),
        (
            lambda: plots.residual_block([("a", (1, 2, 2))], (1, 0, 2)),
            ValueError,
            r"'the input' must be .*\(1, 0, 2\)",
        ),
        (
            lambda: plots.residual_block([("a", (2, 2, 2))], (1, 2, 2)),
            ValueError,
            "cannot be added",
        ),
        (lambda: plots.channel_connections((4,)), ValueError, r"at least one output, got \[4\]"),
        (
            lambda: plots.channel_connections((4, 4), (2, 2)),
            ValueError,
            r"one int, or 1 .* got \[2, 2\]",
        ),
        (
            lambda: plots.channel_connections((4, 6), 4),
            ValueError,
            "out_channels=6 is not divisible",
        ),
        (lambda: plots.channel_connections((4, 2.0)), TypeError, "channels must be an int"),
        (lambda: plots.channel_connections((4, 4), 2.0), TypeError, "groups must be an int"),
        (
            lambda: plots.channel_connections((4, 4), 2, shuffle=1),
            TypeError,
            "shuffle must be True",
        ),
        (lambda: plots.stacked_bars({}), ValueError, "nothing to draw"),
        (
            lambda: plots.stacked_bars({"a": {"x": 1}, "b": {"y": 1}}),
            ValueError,
            r"same parts, got \['x'\] .* \['y'\] in 'b'",
        ),
        (
            lambda: plots.stacked_bars({"a": {"x": 1, "y": -1}}),
            ValueError,
            "'a' must be at least 0",
        ),
        (lambda: plots.stacked_bars({"a": {"x": 0}}), ValueError, "not all 0"),
        (lambda: plots.stacked_bars({"a": {}}), ValueError, "not all 0"),
        (
            lambda: plots.stacked_bars({"a": dict.fromkeys("vwxyz", 1)}),
            ValueError,
            "at most 4 parts, got 5",
        ),
    ],
)
def test_invalid_arguments_are_refused(draw, error, message):
    with pytest.raises(error, match=message):
        draw()
