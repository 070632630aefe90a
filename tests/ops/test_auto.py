"""Choice of ``"auto"``: the expected method for known layers, always one that supports them."""

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from benchmarks.layers import DEPTHWISE, OTHER, RESNET18, VGG16, Layer
from convlab.ops import METHODS, conv2d
from convlab.ops.auto import choose
from convlab.ops.geometry import Geometry
from convlab.ops.methods import BY_NAME
from convlab.shapes import conv2d_output_size


def chosen(layer, images=1):
    return choose(
        images,
        layer.weight_shape,
        (layer.output_size, layer.output_size),
        Geometry((layer.stride,) * 2, (0, 0, 0, 0), (layer.dilation,) * 2, layer.groups),
    )


# Wide enough layers with many tiles; of the others, each has its reason to be left out.
TO_WINOGRAD_WITH_ONE_IMAGE = {
    Layer(64, 64, 56, 3, padding=1),
    Layer(128, 128, 28, 3, padding=1),
    *(layer for layer in VGG16 if layer.channels > 3 and layer.size > 14),
}
TO_WINOGRAD_WITH_EIGHT = {
    *TO_WINOGRAD_WITH_ONE_IMAGE,
    Layer(256, 256, 14, 3, padding=1),  # 16 tiles of an image do not pay for 65536 kernels
    Layer(512, 512, 7, 3, padding=1),  # 4 tiles still less
    Layer(512, 512, 14, 3, padding=1),
}


@pytest.mark.parametrize("layer", [*RESNET18, *VGG16], ids=lambda layer: layer.name)
@pytest.mark.parametrize(
    ("images", "to_winograd"), [(1, TO_WINOGRAD_WITH_ONE_IMAGE), (8, TO_WINOGRAD_WITH_EIGHT)]
)
def test_the_layers_of_resnet18_and_vgg16(layer, images, to_winograd):
    method = chosen(layer, images)
    assert method.startswith("winograd") == (layer in to_winograd)
    assert method.startswith("winograd") or method == "blocked"


@pytest.mark.parametrize("layer", DEPTHWISE, ids=lambda layer: layer.name)
def test_one_kernel_per_channel_goes_to_depthwise(layer):
    assert chosen(layer) == "depthwise"


@pytest.mark.parametrize(
    ("layer", "method"),
    [
        (Layer(64, 192, 27, 5, padding=2), "winograd2"),  # the tiles of winograd4 would be 8 x 8
        (Layer(64, 64, 56, 7, padding=3), "blocked"),  # too large even for winograd2
        (Layer(256, 256, 28, 3, padding=2, dilation=2), "winograd2"),
        # 16 convolutions of 7x7, each of which would read all transformed kernels.
        (Layer(512, 512, 28, 3, padding=4, dilation=4), "blocked"),
        (Layer(512, 512, 14, 3, padding=1, groups=32), "blocked"),  # 16 channels in a group
        (Layer(512, 2048, 7, 1), "blocked"),  # nothing to save in a 1x1 kernel
    ],
    ids=str,
)
def test_layers_of_other_kinds(layer, method):
    assert layer in OTHER
    assert chosen(layer) == method


@st.composite
def layers(draw, for_winograd=False):
    """Draw a valid layer, as the arguments of `choose`, and the size of its padded image.

    With `for_winograd`, one that Winograd's algorithm could do, and mostly pays for.
    """
    groups = draw(st.sampled_from([1, 1, 2] if for_winograd else [1, 1, 2, 3, 32]))
    few, steps = (24, [1]) if for_winograd else (1, [1, 1, 2, 3])
    depth, per_group = (
        draw(st.integers(few, few + 8) | st.integers(few, max(few, 600 // groups))) for _ in "ck"
    )
    kernel_size = draw(st.tuples(*[st.integers(2, 4) if for_winograd else st.integers(1, 8)] * 2))
    stride = draw(st.tuples(*[st.sampled_from(steps)] * 2))
    dilation = draw(st.tuples(*[st.sampled_from([1, 1, 2, 3])] * 2))
    extent = tuple(d * (k - 1) + 1 for d, k in zip(dilation, kernel_size, strict=True))
    more_cells = st.integers(9, 200) if for_winograd else st.integers(0, 9) | st.integers(0, 200)
    size = tuple(e + draw(more_cells) for e in extent)
    return {
        "images": draw(st.integers(int(for_winograd), 64)),
        "weight_shape": (groups * per_group, depth, *kernel_size),
        "output_size": conv2d_output_size(size, kernel_size, stride, 0, dilation),
        "geometry": Geometry(stride, (0, 0, 0, 0), dilation, groups),
    }, size


@given(layers())
def test_the_chosen_method_supports_the_layer(case):
    """A method checks its arguments first, so an empty batch is enough to make it raise."""
    arguments, size = case
    name = choose(**arguments)
    assert name in METHODS
    _, depth, *_ = shape = arguments["weight_shape"]
    x = np.empty((0, depth * arguments["geometry"].groups, *size), np.float32)
    w = np.broadcast_to(np.float32(0), shape)
    answer = BY_NAME[name](x, w, arguments["geometry"])
    assert answer.shape == (0, shape[0], *arguments["output_size"])


@given(layers())
def test_winograd_is_taken_for_tiles_of_at_most_6_x_6_and_stride_1_only(case):
    arguments, _ = case
    name = choose(**arguments)
    if name.startswith("winograd"):
        assert arguments["geometry"].stride == (1, 1)
        assert max(arguments["weight_shape"][2:]) + int(name[-1]) - 1 <= 6
        assert min(arguments["weight_shape"][2:]) > 1
    if name == "depthwise":
        assert arguments["weight_shape"][1] == 1


@settings(max_examples=150)
@given(layers(for_winograd=True), st.integers(1, 64))
def test_winograd_for_few_images_implies_winograd_for_more(case, more):
    """The kernels are transformed once, however many images there are."""
    arguments, _ = case
    assume(choose(**arguments).startswith("winograd"))
    assert choose(**arguments | {"images": arguments["images"] + more}).startswith("winograd")


@settings(max_examples=150)
@given(layers(for_winograd=True))
def test_winograd_for_few_channels_implies_winograd_for_more(case):
    """The transforms cost as much as kernels and channels, and save as much as their product."""
    arguments, _ = case
    kernels, depth, *kernel_size = arguments["weight_shape"]
    assume(choose(**arguments).startswith("winograd"))
    wider = arguments | {"weight_shape": (2 * kernels, 2 * depth, *kernel_size)}
    assert choose(**wider).startswith("winograd")


# Layers that are small enough to run, yet on both sides of each border of the rule.
@pytest.mark.parametrize("images", [1, 3])
@pytest.mark.parametrize("channels", [4, 24, 64])
@pytest.mark.parametrize("kernel_size", [(1, 1), (3, 3), (5, 5), (2, 4), (1, 3)])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("dilation", [1, 2])
def test_the_result_of_auto_agrees_with_pytorch(images, channels, kernel_size, stride, dilation):
    random = np.random.default_rng(0)
    x = random.normal(size=(images, channels, 17, 20))
    w = random.normal(size=(channels + 1, channels, *kernel_size))
    expected = torch.conv2d(*map(torch.from_numpy, (x, w)), None, stride, 2, dilation).numpy()
    answer = conv2d(x, w, None, stride, 2, dilation)
    np.testing.assert_allclose(answer, expected, rtol=0, atol=1e-12 * np.abs(expected).max())
