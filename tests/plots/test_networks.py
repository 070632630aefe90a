"""The drawing of a network shows every shape once, in order, in the size of its map."""

from itertools import pairwise

import pytest
from matplotlib.colors import to_hex

from convlab import plots
from convlab.plots import networks

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
    return networks.FAMILIES[family][1]


def test_every_convolution_pooling_and_linear_layer_has_a_box_with_its_shape():
    assert labels(plots.network(LENET)) == [
        ("image", "1 × 28 × 28"),
        ("features.0", "6 × 28 × 28"),
        ("features.2", "6 × 14 × 14"),
        ("classifier", "10"),
    ]


def test_the_layers_of_a_summary_which_have_a_batch_are_drawn_alike():
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


def test_height_and_width_are_square_roots_of_pixels_and_channels():
    layers = [("a", "Conv2d", (4, 64, 64)), ("b", "Conv2d", (16, 16, 16))]
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
        "conv1", "layer1.0", "layer1.1", "layer2.0", "fc",
    ]  # fmt: skip


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
    ],
)
def test_what_is_no_network_is_refused(draw, error, message):
    with pytest.raises(error, match=message):
        draw()
