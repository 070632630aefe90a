"""Check the figures of planes: kernels as blocks, and a batch on its way through a layer."""

import pytest
import torch
from matplotlib.colors import to_hex
from torch import nn

from convlab import plots
from convlab.plots.drawing import READ
from convlab.plots.networks import GROUP_COLOURS
from tests.plots.reading import cells, texts


@pytest.mark.parametrize(("channels", "kernels"), [(1, 1), (3, 4), (6, 6)])
def test_every_kernel_has_a_slice_for_each_channel_and_makes_one_cell(channels, kernels):
    (ax,) = plots.kernel_blocks(channels, kernels).axes
    found = [to_hex(patch.get_facecolor()) for patch in ax.patches]
    window = 3 * 3 * channels  # in the input, in the first colour
    expected = dict.fromkeys(GROUP_COLOURS[:kernels], window + 1)
    expected[GROUP_COLOURS[0]] += window
    assert {colour: found.count(colour) for colour in GROUP_COLOURS[:kernels]} == expected
    assert len(found) == 36 * channels + kernels * (9 * channels + 16)


def test_the_words_count_the_parts():
    (ax,) = plots.kernel_blocks(2, 3).axes
    words = [text.get_text() for text in ax.texts if text.get_text()[0].isdigit()]
    assert words == ["2 channels", "3 kernels\nof 2 slices", "3 maps"]


@pytest.mark.parametrize(("channels", "kernels"), [(1, 1), (4, 2), (2, 3), (6, 6)])
def test_every_slice_makes_a_part_and_every_sum_takes_one_bias(channels, kernels):
    (ax,) = plots.kernel_blocks(channels, kernels, parts=True).axes
    for colour in GROUP_COLOURS[1:kernels]:  # the first is also that of the window in the input
        assert len(cells(ax, colour)) == channels * (2 * 2 + 1) + 1
    assert len(ax.patches) == 16 * channels + kernels * (channels * (4 + 9) + 9)
    sums = [text for text in texts(ax) if text.startswith("sum")]
    assert sums == [f"sum\n+ $b_{kernel}$" for kernel in range(kernels)]
    assert f"{channels} part{'s' * (channels > 1)}\nfor each" in texts(ax)


@pytest.mark.parametrize(
    ("batch", "weight"),
    [((3, 1, 5, 4), (4, 1, 2, 3)), ((1, 6, 8, 8), (6, 6, 8, 8)), ((4, 2, 3, 6), (1, 2, 1, 5))],
)
def test_the_batch_comes_out_as_large_as_that_of_the_layer(batch, weight):
    (ax,) = plots.batch_through_layer(batch, weight).axes
    layer = nn.Conv2d(weight[1], weight[0], weight[2:])
    output = layer(torch.zeros(batch)).shape
    words = texts(ax)
    for place, shape in {"in": batch, "out": tuple(output)}.items():
        assert any(word.endswith(f"$\n{shape}") for word in words)
        for name, number in zip("HW", shape[2:], strict=True):
            assert rf"${name}_\mathrm{{{place}}}$ = {number}" in words
        assert (rf"$C_\mathrm{{{place}}}$ = {shape[1]}" in words) == (shape[1] > 1)
    assert [word for word in words if word.startswith("image")] == [
        f"image {n}" for n in range(batch[0])
    ]
    rectangles = len(ax.patches) - 1  # the box of the layer
    assert rectangles == torch.Size(batch).numel() + output.numel()
    window = torch.Size(weight[1:]).numel()
    assert len(cells(ax, READ)) == batch[0] * (window + 1)


@pytest.mark.parametrize(
    ("draw", "error", "message"),
    [
        (lambda: plots.kernel_blocks(7, 1), ValueError, "in_channels must be at most 6, got 7"),
        (lambda: plots.kernel_blocks(1, 0), ValueError, "out_channels must be at least 1, got 0"),
        (lambda: plots.kernel_blocks(1.0, 1), TypeError, "in_channels must be an int"),
        (lambda: plots.kernel_blocks(1, 1, parts=2), TypeError, "parts must be"),
        (
            lambda: plots.batch_through_layer((1, 5, 4), (4, 1, 2, 3)),
            ValueError,
            r"input_shape must have four numbers, got \(1, 5, 4\)",
        ),
        (
            lambda: plots.batch_through_layer((1, 1, 5, 4), (4, 1, 2, 0)),
            ValueError,
            r"weight_shape\[3\] must be at least 1",
        ),
        (
            lambda: plots.batch_through_layer((1, 1, 5, 4.0), (4, 1, 2, 2)),
            TypeError,
            r"input_shape\[3\] must be an int",
        ),
        (
            lambda: plots.batch_through_layer((5, 1, 5, 4), (4, 1, 2, 2)),
            ValueError,
            "N must be at most 4, got 5",
        ),
        (
            lambda: plots.batch_through_layer((1, 1, 5, 4), (7, 1, 2, 2)),
            ValueError,
            "C_out must be at most 6, got 7",
        ),
        (
            lambda: plots.batch_through_layer((1, 3, 5, 4), (4, 1, 2, 2)),
            ValueError,
            "input_shape has 3 channels, weight_shape 1 slices",
        ),
        (lambda: plots.batch_through_layer((1, 1, 5, 4), (4, 1, 6, 2)), ValueError, "kernel"),
    ],
)
def test_invalid_arguments_raise_before_anything_is_drawn(draw, error, message):
    with pytest.raises(error, match=message):
        draw()
