"""Exercises on stacks of convolutions."""

from __future__ import annotations

import math
from collections.abc import Iterator
from random import Random
from typing import Any

import numpy as np

from convlab.check.exercise import Arguments, Mistake
from convlab.check.exercises.architectures.values import chapter
from convlab.shapes import conv2d_output_size


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


@vgg_parameters.mistake(
    "You count one layer too many in each block: the first is one of the `number`, and the pooling "
    "has no parameters."
)
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


def _known(hint, **answers):
    """Enter known mistakes that share a hint."""
    for name, answer in answers.items():
        vgg_parameters.mistakes.append(Mistake(f"vgg_{name}", hint, answer))


def _counts(in_channels, blocks, count=lambda c, w: (9 * c + 1) * w, between=lambda c: c):
    """Return what each convolution counts, block by block; `between` maps the channels read."""
    counts: list[list[int]] = []
    for width, number in blocks:
        counts.append([])
        for _ in range(number):
            counts[-1].append(count(in_channels, width))
            in_channels = width
        in_channels = between(in_channels)
    return counts


def _counting(count):
    """Return a function that counts something else for each convolution."""
    return lambda in_channels, blocks: sum(map(sum, _counts(in_channels, blocks, count)))


def _reading(after):
    """Return a function in which the next block reads something else, of (width, number)."""

    def answer(in_channels, blocks):
        total = 0
        for width, number in blocks:
            total += sum(map(sum, _counts(in_channels, [(width, number)])))
            in_channels = after(width, number)
        return total

    return answer


_known(
    "A kernel of 3×3 has nine weights for each channel that it reads.",
    kernel_doubled=_counting(lambda c, w: (6 * c + 1) * w),
    kernel_forgotten=_counting(lambda c, w: (c + 1) * w),
    kernel_cubed=_counting(lambda c, w: (27 * c + 1) * w),
    kernel_not_squared_without_bias=_counting(lambda c, w: 3 * c * w),
    channels_added=_counting(lambda c, w: (9 + c + 1) * w),
    nine_for_both=_counting(lambda c, w: 81 * c * w + w),
)
_known(
    "Each kernel has one bias, and each layer as many kernels as `width` says.",
    biases_only=_counting(lambda c, w: w),
    two_biases=_counting(lambda c, w: (9 * c + 2) * w),
    bias_of_both=_counting(lambda c, w: 9 * c * w + c + w),
    bias_subtracted=_counting(lambda c, w: (9 * c - 1) * w),
    biases_squared=_counting(lambda c, w: 9 * c * w + w * w),
)
_known(
    "Every convolution of a block has its biases, one for each kernel.",
    biases_once_for_a_block=lambda in_channels, blocks: (
        _counting(lambda c, w: 9 * c * w)(in_channels, blocks) + sum(w for w, _ in blocks)
    ),
    one_bias_for_a_block=lambda in_channels, blocks: (
        _counting(lambda c, w: 9 * c * w)(in_channels, blocks) + len(blocks)
    ),
    one_bias_for_all=lambda in_channels, blocks: (
        _counting(lambda c, w: 9 * c * w)(in_channels, blocks) + 1
    ),
    biases_of_first_layers=lambda in_channels, blocks: (
        _counting(lambda c, w: 9 * c * w)(in_channels, blocks) + blocks[0][0]
    ),
)
_known(
    "A pooling has no parameters: only the convolutions count.",
    pooling_of_four_weights=lambda c, blocks: vgg_parameters.solution(c, blocks) + 4 * len(blocks),
    pooling_of_four_for_each_map=lambda c, blocks: (
        vgg_parameters.solution(c, blocks) + 4 * sum(w for w, _ in blocks)
    ),
    pooling_of_one=lambda c, blocks: vgg_parameters.solution(c, blocks) + len(blocks),
    parameter_for_each_map=lambda c, blocks: (
        vgg_parameters.solution(c, blocks) + sum(w for w, _ in blocks)
    ),
)
_known(
    "A pooling shrinks maps, and keeps their number: the next block reads `width` channels.",
    pooling_halves_channels=_reading(lambda width, number: width // 2),
    pooling_divides_channels_by_four=_reading(lambda width, number: width // 4),
    pooling_doubles_channels=_reading(lambda width, number: 2 * width),
)
_known(
    "However many convolutions a block has, the next one reads `width` channels.",
    next_reads_all=_reading(lambda width, number: width * number),
    next_reads_number=_reading(lambda width, number: number),
)
_known(
    "Each convolution makes `width` channels, whatever it reads: they are not added up.",
    channels_collected=lambda c, blocks: sum(
        (9 * (c + sum(w * n for w, n in blocks[:i]) + done * width) + 1) * width
        for i, (width, number) in enumerate(blocks)
        for done in range(number)
    ),
    channels_collected_over_blocks=lambda c, blocks: sum(
        sum(map(sum, _counts(c + sum(w for w, _ in blocks[:i]), [blocks[i]])))
        for i in range(len(blocks))
    ),
)
_known(
    "Every convolution reads what the one before it has made. Do the channels come from there?",
    read_and_made_exchanged_in_blocks=lambda c, blocks: sum(
        number * (9 * width + 1) * before
        for before, (width, number) in zip([c, *(w for w, _ in blocks)], blocks, strict=False)
    ),
    each_block_reads_the_image=lambda c, blocks: sum(
        vgg_parameters.solution(c, [block]) for block in blocks
    ),
    block_and_number_mixed=lambda c, blocks: sum(
        (9 * before + 1) * width + (number - 1) * (9 * before + 1) * before
        for before, (width, number) in zip([c, *(w for w, _ in blocks)], blocks, strict=False)
    ),
)
_known(
    "The first convolution reads the image, and it has `in_channels` channels.",
    image_of_three=lambda c, blocks: vgg_parameters.solution(3, blocks),
    image_of_one=lambda c, blocks: vgg_parameters.solution(1, blocks),
    first_width_read=lambda c, blocks: vgg_parameters.solution(blocks[0][0], blocks),
)
_known(
    "All convolutions count: in each block there are `number`, the first and the last, too.",
    one_too_few=lambda c, blocks: sum(sum(block[:-1]) for block in _counts(c, blocks)),
    first_of_each_block_left=lambda c, blocks: sum(sum(block[1:]) for block in _counts(c, blocks)),
    first_left=lambda c, blocks: vgg_parameters.solution(c, blocks) - _counts(c, blocks)[0][0],
    last_left=lambda c, blocks: vgg_parameters.solution(c, blocks) - _counts(c, blocks)[-1][-1],
    last_of_each_block_only=lambda c, blocks: sum(block[-1] for block in _counts(c, blocks)),
)
_known(
    "All blocks count. Only the last one is left in yours (`=` or `+=`?).",
    last_block_only=lambda c, blocks: sum(_counts(c, blocks)[-1]),
)
_known(
    "All blocks count, the first and the last one, too.",
    last_block_left=lambda c, blocks: sum(map(sum, _counts(c, blocks)[:-1])),
    first_block_left=lambda c, blocks: sum(map(sum, _counts(c, blocks)[1:])),
)
_known(
    "One number is wanted: add up all convolutions.",
    of_each_block=lambda c, blocks: [sum(block) for block in _counts(c, blocks)],
    of_each_layer=lambda c, blocks: [count for block in _counts(c, blocks) for count in block],
)
_known(
    "The parameters of the convolutions are added up. Where do they get multiplied?",
    multiplied=lambda c, blocks: math.prod(
        count for block in _counts(c, blocks) for count in block
    ),
)
_known(
    "Only convolutions count here: no normalization, and no linear layer.",
    batch_norm_counted=_counting(lambda c, w: (9 * c + 3) * w),
    batch_norm_for_bias=_counting(lambda c, w: (9 * c + 4) * w),
)
_known(
    "Each convolution has `width` kernels, and each reads all channels of the layer before.",
    depthwise_without_bias=_counting(lambda c, w: 9 * w + 0 * c),
)


def _leaves_a_cell(size: Any) -> str | None:
    """Return what is wrong with a size for which the network should stop."""
    number = np.asarray(size)
    if number.shape != () or number.dtype.kind != "i":
        return "give a single int"
    size = int(number)
    if size < 8:
        return "give at least 8 pixels"
    for kernel_size, stride in ((5, 1), (2, 2), (3, 1), (2, 2), (3, 1)):
        if size < kernel_size:
            return None
        size = conv2d_output_size(size, kernel_size, stride)[0]
    cells = f"{size}×{size} cells" if size > 1 else "one cell"
    return f"the last convolution leaves {cells}, so the network runs"


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
        *(
            (f"large_{size}", size, "That is enough. Go backwards from the 3 cells it needs last.")
            for size in (22, 23, 24, 25, 28, 30, 32)
        ),
        *(
            (f"large_{size}", size, "That is enough. Look at small images.")
            for size in (48, 50, 64, 100, 128, 224, 256, 500, 512, 1000, 1024)
        ),
        ("zero", 0, "The size is to be at least 8. Where does it stop above that?"),
        ("four", 4, "The size is to be at least 8. Where does it stop above that?"),
        ("seven", 7, "The size is to be at least 8. Where does it stop above that?"),
    ],
)
