"""Exercises on networks."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

import numpy as np

from convlab.check.exercise import Arguments, Chapter, random_array
from convlab.shapes import conv2d_num_parameters, conv2d_output_size

chapter = Chapter("architectures")

_SIDE = (((48 - 5 + 1) // 2) - 3 + 1) // 2

chapter.value(
    "classifier_by_hand",
    title="The first linear layer",
    minutes=6,
    text="Images of 3×48×48 go through a convolution of 5×5 with 16 kernels, a max pooling of 2, a "
    "convolution of 3×3 with 32 kernels and another max pooling of 2, all without padding. Then "
    "comes `nn.Flatten()`, and a linear layer with 10 outputs. How many parameters does the "
    "linear layer have?",
    answer=(32 * _SIDE**2 + 1) * 10,
    hints=[
        "How large is the map behind each layer: 48, then?",
        "Flatten makes channels times rows times columns. Each output has a weight for each of "
        "these numbers, and a bias.",
    ],
    explanation="The map shrinks from 48 to 44, 22, 20 and 10, so 3,200 numbers arrive. This layer "
    "has more parameters than both convolutions.",
    mistakes=[
        ("bias_forgotten", 32 * _SIDE**2 * 10, "Each output of the layer has a bias, too."),
        ("one_bias", 32 * _SIDE**2 * 10 + 1, "Each output of the layer has a bias of its own."),
        ("channels_forgotten", (_SIDE**2 + 1) * 10, "The map has 32 channels."),
        ("one_side", (32 * _SIDE + 1) * 10, "The map has rows and columns."),
        ("inputs", 32 * _SIDE**2, "That is how many numbers arrive. Each of 10 outputs reads all."),
        ("padding_assumed", (32 * 12**2 + 1) * 10, "Without padding, a convolution loses places."),
        (
            "padding_assumed_bias_forgotten",
            32 * 12**2 * 10,
            "Without padding, a convolution loses places.",
        ),
        ("one_pooling", (32 * 20**2 + 1) * 10, "There are two poolings. Each halves the map."),
        ("first_kernels", (16 * _SIDE**2 + 1) * 10, "The last convolution has 32 kernels."),
    ],
)

chapter.value(
    "bottleneck_by_hand",
    title="Basic block or bottleneck",
    minutes=5,
    text="A bottleneck for 128 channels has three convolutions: 1×1 to 32 channels, 3×3 on these, "
    "1×1 back to 128. A basic block has two of 3×3, from 128 to 128. None has a bias. Give two "
    "numbers: the weights of the bottleneck, and those of the basic block.",
    answer=(
        sum(
            conv2d_num_parameters(*layer, bias=False)
            for layer in ((128, 32, 1), (32, 32, 3), (32, 128, 1))
        ),
        2 * conv2d_num_parameters(128, 128, 3, bias=False),
    ),
    hints=[
        "A convolution has a kernel for each output channel, and each has a slice for each channel "
        "that it reads.",
        "Add up 128·32, 9·32·32 and 32·128. And for the basic block?",
    ],
    explanation="The expensive 3×3 works on a quarter of the channels, and costs a sixteenth.",
    mistakes=[
        ("one_layer_of_the_basic", (17408, 147456), "A basic block has two of these layers."),
        ("last_forgotten", (13312, 294912), "The bottleneck leads back to 128 channels."),
        ("all_3x3", (82944, 294912), "A kernel of 1×1 has one weight for each channel it reads."),
        ("three_3x3_wide", (17408, 442368), "A basic block has two layers, not three."),
        ("exchanged", (294912, 17408), "First the bottleneck. Which of them is the cheap one?"),
        ("kernel_not_squared", (11264, 98304), "A kernel of 3×3 has nine weights."),
    ],
)

chapter.value(
    "predict_flatten",
    title="Predict: a picture without its batch",
    minutes=4,
    text="What does this print?",
    code="net = nn.Sequential(nn.Conv2d(3, 6, 3), nn.MaxPool2d(2), nn.Flatten())\n"
    "print(net(torch.zeros(3, 10, 10)).shape)",
    answer=(6, (conv2d_output_size(10, 3)[0] // 2) ** 2),
    hints=[
        "A convolution is content with (C, H, W). What is the shape behind the pooling?",
        "`nn.Flatten()` keeps the first axis, whatever it is, and joins the others.",
    ],
    explanation="The channels are taken for images. A linear layer behind it then complains.",
    mistakes=[
        ("batch_added", (1, 96), "Who has added a batch? There are three axes, not four."),
        ("all_joined", 96, "`nn.Flatten()` keeps the first axis. Which one is that here?"),
        ("not_flattened", (6, 4, 4), "And the last layer, `nn.Flatten()`?"),
        ("channels_of_the_image", (3, 32), "The convolution has six kernels."),
        ("pooling_forgotten", (6, 64), "The pooling halves both sides of the map."),
        ("padding_assumed", (6, 25), "Without padding, a window of 3 has 8 places on 10 pixels."),
    ],
)


def _blocks(random: Random) -> Iterator[Arguments]:
    """Yield an input and two matrices, from the simplest on."""
    one = np.array([[1.0]])
    yield np.array([2.0]), 0 * one, 0 * one
    yield np.array([2.0]), one, 3 * one
    yield np.array([2.0]), -one, 3 * one
    yield np.array([2.0]), one, -3 * one
    yield np.array([1.0, 2]), np.array([[1.0, 1]]), np.array([[1.0], [-4]])
    yield np.array([-2.0]), one, 3 * one
    yield np.array([-2.0]), -one, 3 * one
    for _ in range(30):
        wide, narrow = random.randint(1, 4), random.randint(1, 4)
        yield (
            random_array(random, wide, low=-3, high=9),
            random_array(random, narrow, wide),
            random_array(random, wide, narrow, low=-1),
        )


@chapter.code(
    title="A residual block",
    minutes=6,
    text="Here the two layers of a residual block are matrices: `w1`, of the shape (m, n), is "
    "followed by a ReLU; then comes `w2`, of the shape (n, m). The input `x` has the shape (n,). "
    "Return the output of the block, with its skip connection and the last ReLU.",
    cases=_blocks,
    imports="import numpy as np",
    hints=[
        "What do the two layers make of `x`? `w @ x` multiplies a matrix by a vector.",
        "The skip connection adds the input. The last ReLU comes after that.",
        "`np.maximum(a, 0)` is a ReLU.",
    ],
    explanation="If both matrices are 0, the block hands on a positive `x` as it is.",
)
def residual_block(x, w1, w2):
    """Return the output of the block."""
    inside = np.maximum(w1 @ x, 0)
    return np.maximum(x + w2 @ inside, 0)


def _relu(x):
    return np.maximum(x, 0)


@residual_block.mistake("The input itself is missing: the skip connection adds it.")
def skip_forgotten(x, w1, w2):
    return _relu(w2 @ _relu(w1 @ x))


@residual_block.mistake("The last ReLU comes after the sum, not before.")
def relu_before_the_sum(x, w1, w2):
    return x + _relu(w2 @ _relu(w1 @ x))


@residual_block.mistake("Only the sum goes through the last ReLU. You cut off before it, too.")
def relu_before_and_after_the_sum(x, w1, w2):
    return _relu(x + _relu(w2 @ _relu(w1 @ x)))


@residual_block.mistake("Behind the sum stands a ReLU.")
def last_relu_forgotten(x, w1, w2):
    return x + w2 @ _relu(w1 @ x)


@residual_block.mistake("Between the two layers stands a ReLU.")
def inner_relu_forgotten(x, w1, w2):
    return _relu(x + w2 @ (w1 @ x))


@residual_block.mistake("There are two ReLUs: one between the layers, one behind the sum.")
def both_relus_forgotten(x, w1, w2):
    return x + w2 @ (w1 @ x)


@residual_block.mistake("The layers say what to add to the input.")
def subtracted(x, w1, w2):
    return _relu(x - w2 @ _relu(w1 @ x))


@residual_block.mistake("`x` is added as it is. Why a ReLU on the skip connection?")
def relu_on_the_skip(x, w1, w2):
    return _relu(_relu(x) + w2 @ _relu(w1 @ x))


@residual_block.mistake("The skip connection adds the input, it does not multiply by it.")
def multiplied(x, w1, w2):
    return _relu(x * (w2 @ _relu(w1 @ x)))


@residual_block.mistake("`w1` comes first, `w2` second.")
def matrices_exchanged(x, w1, w2):
    return _relu(x + w1 @ _relu(w2 @ x))


@residual_block.mistake("The matrix stands on the left of what it multiplies: `w2 @ ...`.")
def vector_on_the_left(x, w1, w2):
    return _relu(x + _relu(w1 @ x) @ w2)


@residual_block.mistake("The matrix stands on the left of what it multiplies: `w1 @ x`.")
def vectors_on_the_left(x, w1, w2):
    return _relu(x + _relu(x @ w1) @ w2)


@residual_block.mistake("`*` multiplies number by number. A matrix times a vector is `w1 @ x`.")
def not_a_matrix_product(x, w1, w2):
    return _relu(x + w2 @ _relu(w1 * x))


@residual_block.mistake("The input is added behind the second layer, and only there.")
def skip_inside(x, w1, w2):
    return _relu(w2 @ _relu(w1 @ x + x))


@residual_block.mistake("There are two layers: `w2` is missing.")
def second_layer_forgotten(x, w1, w2):
    return _relu(x + _relu(w1 @ x))


@residual_block.mistake("The input is added behind the second layer, and only there.")
def two_skips(x, w1, w2):
    return _relu(x + w2 @ _relu(w1 @ x + x))


def _maps(random: Random) -> Iterator[Arguments]:
    """Yield maps, a weight and a bias, from the simplest on."""
    yield np.array([1.0, 3, 5, 7]).reshape(1, 1, 2, 2), np.array([[1.0]]), np.zeros(1)
    yield np.array([1.0, 3, 5, 7]).reshape(1, 1, 2, 2), np.array([[2.0]]), np.array([10.0])
    yield np.array([1.0, 3, 5, 7]).reshape(2, 1, 1, 2), np.array([[2.0], [1]]), np.zeros(2)
    yield np.arange(8.0).reshape(1, 2, 2, 2), np.array([[1.0, 10]]), np.zeros(1)
    for _ in range(25):
        images, channels, classes = (random.randint(1, 4) for _ in range(3))
        height, width = random.choice([1, 2, 4]), random.choice([1, 2, 4])  # the means are exact
        yield (
            random_array(random, images, channels, height, width),
            random_array(random, classes, channels),
            random_array(random, classes),
        )


@chapter.code(
    title="From maps to scores",
    minutes=7,
    text="`maps`, of the shape (N, C, H, W), are the last maps of a network such as a ResNet. "
    "Behind them come a global average pooling and a linear layer with the weight `w`, of the "
    "shape (K, C), and the bias `b`, of the shape (K,). Return the scores, of the shape (N, K).",
    cases=_maps,
    imports="import numpy as np",
    hints=[
        "What does global average pooling leave of each map?",
        "Each score is a sum over the channels, each mean times its weight. And the bias.",
    ],
    explanation="No size of the maps stands in `w`, so images of any size will do.",
)
def mean_head(maps, w, b):
    """Return the scores of the images."""
    means = maps.mean(axis=(2, 3))
    return means @ w.T + b


@mean_head.mistake("Global average pooling takes the mean of each map, not the sum.")
def sum_of_maps(maps, w, b):
    return maps.sum(axis=(2, 3)) @ w.T + b


@mean_head.mistake("It is an average pooling: the mean of each map, not its largest number.")
def largest_of_maps(maps, w, b):
    return maps.max(axis=(2, 3)) @ w.T + b


@mean_head.mistake("The bias of the linear layer is missing.")
def head_bias_forgotten(maps, w, b):
    return maps.mean(axis=(2, 3)) @ w.T


@mean_head.mistake("Each map has a mean of its own: the mean must not go over the channels.")
def mean_over_channels(maps, w, b):
    return np.repeat(maps.mean(axis=(1, 2, 3))[:, None], w.shape[1], axis=1) @ w.T + b


@mean_head.mistake("Each image has scores of its own: the mean must not go over the batch.")
def mean_over_the_batch(maps, w, b):
    return maps.mean(axis=(0, 2, 3)) @ w.T + b


@mean_head.mistake("Each image has scores of its own: the mean must not go over the batch.")
def same_mean_for_all_images(maps, w, b):
    return np.repeat(maps.mean(axis=(0, 2, 3))[None], len(maps), axis=0) @ w.T + b


@mean_head.mistake("The scores are right; but images come first, the shape is (N, K).")
def scores_transposed(maps, w, b):
    return (maps.mean(axis=(2, 3)) @ w.T + b).T


@mean_head.mistake("Scores are not cut off at zero: there is no ReLU behind the last layer.")
def head_with_relu(maps, w, b):
    return np.maximum(maps.mean(axis=(2, 3)) @ w.T + b, 0)


@mean_head.mistake("The scores are logits. Nothing makes probabilities of them here.")
def head_with_softmax(maps, w, b):
    scores = maps.mean(axis=(2, 3)) @ w.T + b
    return np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)


@mean_head.mistake("The mean goes over rows and columns: one number is left of each map.")
def mean_of_rows_only(maps, w, b):
    return maps.mean(axis=2)[:, :, 0] @ w.T + b


@mean_head.mistake("The weight is (out, in): each score has a row of it, so transpose it, `w.T`.")
def head_not_transposed(maps, w, b):
    return maps.mean(axis=(2, 3)) @ w + b


@mean_head.mistake("Of each map one number is left. You flatten the maps, or take too few means.")
def maps_flattened(maps, w, b):
    return maps.reshape(len(maps), -1) @ w.T + b


@mean_head.mistake("Each map has a mean of its own: the mean must not go over the channels.")
def one_mean_for_each_image(maps, w, b):
    return maps.mean(axis=(1, 2, 3))[:, None] @ w.T + b


@mean_head.mistake("Each map has a mean of its own: the axes are (N, C, H, W), counted from 0.")
def mean_over_channels_and_rows(maps, w, b):
    return maps.mean(axis=(1, 2)) @ w.T + b


@mean_head.mistake("Rows and columns are gone behind the pooling: leave `keepdims` out.")
def pooled_axes_kept(maps, w, b):
    return maps.mean(axis=(2, 3), keepdims=True) @ w.T + b


@mean_head.mistake("A score is a sum over the channels: a product of matrices, `@`.")
def head_multiplied(maps, w, b):
    return maps.mean(axis=(2, 3)) * w + b


@mean_head.mistake("Of each map the mean of all cells is taken, not the first one.")
def first_cells(maps, w, b):
    return maps[:, :, 0, 0] @ w.T + b


@mean_head.mistake("The bias is added behind the multiplication by the weight.")
def head_bias_too_early(maps, w, b):
    return maps.mean(axis=(2, 3)) @ w.T + b * w.sum(axis=1)


@mean_head.mistake("Return the scores of all classes, not the number of the best.")
def best_class(maps, w, b):
    return (maps.mean(axis=(2, 3)) @ w.T + b).argmax(axis=1)


def _vggs(random: Random) -> Iterator[Arguments]:
    """Yield input channels and blocks, from the simplest on."""
    yield 1, [(1, 1)]
    yield 3, [(8, 1)]
    yield 3, [(8, 2)]
    yield 3, [(8, 1), (16, 1)]
    yield 3, [(64, 2), (128, 2), (256, 3), (512, 3), (512, 3)]
    for _ in range(30):
        count = random.randint(1, 5)
        blocks = [(random.randint(1, 64), random.randint(1, 4)) for _ in range(count)]
        yield random.randint(1, 4), blocks


@chapter.code(
    title="The parameters of a VGG",
    minutes=12,
    text="The convolutional part of a VGG is a list of blocks, each a tuple `(width, number)`: "
    "`number` convolutions of 3×3, each with `width` kernels and with biases, and then a pooling. "
    "The image has `in_channels` channels. Return the number of parameters of all the "
    "convolutions.",
    cases=_vggs,
    hints=[
        "How many parameters does one convolution of 3×3 from c to w channels have?",
        "Only the first convolution of a block reads the channels of the block before.",
        "A variable can hold the channels that the next convolution reads.",
    ],
    explanation="Each block costs about four times as much as the one before, as long as the width "
    "doubles. The poolings cost nothing.",
)
def vgg_parameters(in_channels, blocks):
    """Return the number of parameters of the convolutions."""
    total = 0
    for width, number in blocks:
        for _ in range(number):
            total += (9 * in_channels + 1) * width
            in_channels = width
    return total


@vgg_parameters.mistake("Each kernel has a bias, too.")
def vgg_bias_forgotten(in_channels, blocks):
    total = 0
    for width, number in blocks:
        for _ in range(number):
            total += 9 * in_channels * width
            in_channels = width
    return total


@vgg_parameters.mistake("Each kernel has one bias, not one for each channel that it reads.")
def vgg_bias_for_each_channel(in_channels, blocks):
    total = 0
    for width, number in blocks:
        for _ in range(number):
            total += (9 + 1) * in_channels * width
            in_channels = width
    return total


@vgg_parameters.mistake("Each kernel has a bias of its own. You add one for the whole layer.")
def vgg_bias_for_each_layer(in_channels, blocks):
    total = 0
    for width, number in blocks:
        for _ in range(number):
            total += 9 * in_channels * width + 1
            in_channels = width
    return total


@vgg_parameters.mistake("The second convolution of a block reads what the first has made.")
def vgg_block_reads_its_input(in_channels, blocks):
    total = 0
    for width, number in blocks:
        total += number * (9 * in_channels + 1) * width
        in_channels = width
    return total


@vgg_parameters.mistake("Every layer reads what the layer before it has made, not the image.")
def vgg_all_read_the_image(in_channels, blocks):
    return sum(number * (9 * in_channels + 1) * width for width, number in blocks)


@vgg_parameters.mistake("A block has `number` convolutions, not one.")
def vgg_number_forgotten(in_channels, blocks):
    total = 0
    for width, _ in blocks:
        total += (9 * in_channels + 1) * width
        in_channels = width
    return total


@vgg_parameters.mistake("A kernel of 3×3 has nine weights for each channel that it reads.")
def vgg_kernel_not_squared(in_channels, blocks):
    total = 0
    for width, number in blocks:
        for _ in range(number):
            total += (3 * in_channels + 1) * width
            in_channels = width
    return total


@vgg_parameters.mistake("The first convolution of a block reads the channels of the block before.")
def vgg_first_of_a_block(in_channels, blocks):
    return sum(number * (9 * width + 1) * width for width, number in blocks)


@vgg_parameters.mistake("All blocks count: is the `return` inside of the loop?")
def vgg_first_block_only(in_channels, blocks):
    return vgg_parameters.solution(in_channels, blocks[:1])


@vgg_parameters.mistake("There are as many kernels as `width` says, and each has its weights.")
def vgg_one_kernel(in_channels, blocks):
    total = 0
    for width, number in blocks:
        for _ in range(number):
            total += 9 * in_channels + 1
            in_channels = width
    return total


@vgg_parameters.mistake("A layer has as many biases as kernels, and those are `width`.")
def vgg_bias_for_each_input(in_channels, blocks):
    total = 0
    for width, number in blocks:
        for _ in range(number):
            total += 9 * in_channels * width + in_channels
            in_channels = width
    return total


@vgg_parameters.mistake("Each kernel has one bias, not nine.")
def vgg_nine_biases(in_channels, blocks):
    total = 0
    for width, number in blocks:
        for _ in range(number):
            total += 9 * (in_channels + 1) * width
            in_channels = width
    return total


@vgg_parameters.mistake("A block is `(width, number)`, in this order.")
def vgg_pair_exchanged(in_channels, blocks):
    return vgg_parameters.solution(in_channels, [block[::-1] for block in blocks])


@vgg_parameters.mistake("A kernel has nine weights for each channel that it reads.")
def vgg_channels_forgotten(in_channels, blocks):
    return sum(number * (9 + 1) * width for width, number in blocks)


@vgg_parameters.mistake("The first convolution is one of the `number`: one fewer is left.")
def vgg_one_too_many(in_channels, blocks):
    total = 0
    for width, number in blocks:
        total += (9 * in_channels + 1) * width + number * (9 * width + 1) * width
        in_channels = width
    return total


@vgg_parameters.mistake("Add up the layers: yours keeps the last one only (`=` or `+=`?).")
def vgg_last_layer_only(in_channels, blocks):
    width, number = blocks[-1]
    before = in_channels if len(blocks) == 1 else blocks[-2][0]
    return (9 * (before if number == 1 else width) + 1) * width


def _leaves_a_cell(size: Any) -> str | None:
    """Return what is wrong with a size for which the network should stop."""
    if isinstance(size, bool) or not isinstance(size, int):
        return "give a whole number"
    if size < 8:
        return "give at least 8 pixels"
    for kernel_size, stride in ((5, 1), (2, 2), (3, 1), (2, 2), (3, 1)):
        if size < kernel_size:
            return None
        size = conv2d_output_size(size, kernel_size, stride)[0]
    return f"the last convolution leaves {size}×{size} cells"


chapter.search(
    "break_any_size",
    title="Break it: images of any size",
    minutes=6,
    text='Somebody says: "With `nn.AdaptiveAvgPool2d(1)` before the linear layer, a network takes '
    'images of any size." In front of it stand a convolution of 5×5, a max pooling of 2, a '
    "convolution of 3×3, a max pooling of 2 and a convolution of 3×3, all without padding. Give a "
    "size of at least 8 pixels (an int, the images are square) at which it stops with an error.",
    objection=_leaves_a_cell,
    example=16,
    hints=[
        "The pooling can make one cell of many, but not of none.",
        "Go backwards: the last convolution needs 3 cells, so the pooling before it needs 6.",
    ],
    explanation="All layers in front of the adaptive pooling must leave a cell. Here 20 pixels are "
    "the least.",
    mistakes=[
        ("least_that_fits", 20, "Here one cell is left: the very least that fits."),
        ("one_above", 21, "Here one cell is left. Go a little lower."),
        ("usual", 32, "That is enough. Which number of cells does the last convolution need?"),
        ("large", 224, "That is enough. Look at small images."),
    ],
)
