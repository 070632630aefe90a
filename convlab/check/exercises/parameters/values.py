"""Values to work out, and one to find: what a layer learns."""

from __future__ import annotations

import math
import operator
from typing import Any

from convlab.check.exercise import Chapter
from convlab.shapes import conv2d_num_parameters, conv2d_weight_shape

chapter = Chapter("parameters")

chapter.value(
    "count_parameters",
    title="Count the parameters",
    minutes=3,
    text="How many numbers does `nn.Conv2d(6, 10, kernel_size=(5, 3))` learn?",
    answer=conv2d_num_parameters(6, 10, (5, 3)),
    hints=[
        "How many kernels are there, and how many slices has each?",
        "A slice has 5 rows and 3 columns. What comes besides, for each kernel?",
    ],
    explanation="10 kernels of 6 slices with 15 numbers each, and 10 biases.",
    mistakes=[
        ("bias_forgotten", 10 * 6 * 15, "Those are the weights. `bias` is True by default."),
        ("channels_forgotten", 10 * (15 + 1), "Every kernel has a slice for each input channel."),
        ("kernels_forgotten", 6 * 15 + 1, "That is one kernel. How many are there?"),
        ("one_bias", 10 * 6 * 15 + 1, "There is more than one bias."),
        ("bias_per_channel", 10 * 6 * 15 + 6, "The biases belong to the kernels, not the inputs."),
        ("bias_per_slice", 10 * 6 * (15 + 1), "The bias belongs to the kernel, not to each slice."),
        ("square_of_rows", conv2d_num_parameters(6, 10, 5), "A slice has 5 rows and 3 columns."),
        ("square_of_columns", conv2d_num_parameters(6, 10, 3), "A slice has 5 rows and 3 columns."),
        (
            "one_direction_without_bias",
            10 * 6 * 5,
            "A slice of 5 rows and 3 columns: how many cells?",
        ),
        (
            "sides_added_without_bias",
            10 * 6 * 8,
            "A slice of 5 rows and 3 columns: how many cells?",
        ),
        ("square_without_bias", 10 * 6 * 25, "A slice has 5 rows and 3 columns, and a bias comes."),
        ("kernels_and_bias_forgotten", 6 * 15, "That is one kernel, without its bias."),
        ("channels_and_bias_forgotten", 10 * 15, "Each kernel has a slice for each input channel."),
        ("channels_added", (6 + 10) * 15, "Each kernel has a slice for each input channel."),
        (
            "channels_added_and_bias",
            (6 + 10) * 15 + 10,
            "Each kernel has a slice for each channel.",
        ),
        ("both_biases", 10 * 6 * 15 + 16, "The biases belong to the kernels alone."),
        ("kernel_forgotten", 10 * 6 + 10, "A slice of 5 rows and 3 columns: how many numbers?"),
        ("kernel_and_bias_forgotten", 10 * 6, "A slice of 5 rows and 3 columns: how many numbers?"),
        ("sides_added", 10 * (6 * (5 + 3) + 1), "A slice of 5 rows and 3 columns: how many cells?"),
    ],
)

chapter.value(
    "bias_share",
    title="What bias and groups change",
    minutes=4,
    text="A layer `nn.Conv2d(16, 32, kernel_size=3, groups=4)` becomes "
    "`nn.Conv2d(16, 32, kernel_size=3, bias=False)`. By how many does the number of its "
    "parameters grow?",
    answer=conv2d_num_parameters(16, 32, 3, bias=False) - conv2d_num_parameters(16, 32, 3, 4),
    hints=[
        "How many slices has each kernel, before and after?",
        "The weights become four times as many, and the biases go.",
    ],
    explanation="3456 weights more, and 32 biases fewer: groups divide the weights only.",
    mistakes=[
        (
            "bias_kept",
            conv2d_num_parameters(16, 32, 3) - conv2d_num_parameters(16, 32, 3, 4),
            "Those are the weights alone. Which of the two layers has biases?",
        ),
        (
            "bias_added",
            conv2d_num_parameters(16, 32, 3) - conv2d_num_parameters(16, 32, 3, 4, bias=False),
            "Which of the two layers has a bias?",
        ),
        (
            "groups_divide_bias",
            conv2d_num_parameters(16, 32, 3, bias=False) - conv2d_num_parameters(16, 32, 3) // 4,
            "The first layer has 32 kernels in all, and a bias for each.",
        ),
        (
            "biases_taken_away_twice",
            conv2d_num_parameters(16, 32, 3, bias=False) - conv2d_num_parameters(16, 32, 3, 4) - 32,
            "The 32 biases go once: the second layer has none.",
        ),
        (
            "sign",
            conv2d_num_parameters(16, 32, 3, 4) - conv2d_num_parameters(16, 32, 3, bias=False),
            "The number of the second layer is the larger one: it grows.",
        ),
        (
            "before_only",
            conv2d_num_parameters(16, 32, 3, 4),
            "That is the number before. How many are there afterwards?",
        ),
        (
            "before_without_bias",
            conv2d_num_parameters(16, 32, 3, 4, bias=False),
            "Those are the weights of the first layer. How many parameters are there afterwards?",
        ),
        (
            "after_with_bias",
            conv2d_num_parameters(16, 32, 3),
            "By how many does the number grow? And has the second layer a bias?",
        ),
        (
            "added",
            conv2d_num_parameters(16, 32, 3, bias=False) + conv2d_num_parameters(16, 32, 3, 4),
            "How many are there afterwards, less those before?",
        ),
        (
            "groups_multiply",
            conv2d_num_parameters(16, 32, 3, bias=False) - (4 * 16 * 32 * 9 + 32),
            "Groups make fewer weights, not more: the kernels see fewer channels.",
        ),
        (
            "after_only",
            conv2d_num_parameters(16, 32, 3, bias=False),
            "That is the number afterwards. How many were there before?",
        ),
        (
            "groups_forgotten",
            conv2d_num_parameters(16, 32, 3, bias=False) - conv2d_num_parameters(16, 32, 3),
            "`groups=4` leaves each kernel with a quarter of the slices.",
        ),
        (
            "groups_divide_both",
            conv2d_num_parameters(16, 32, 3, bias=False) - (4 * 8 * 9 + 32),
            "The first layer has 32 kernels in all: 8 in each of its groups.",
        ),
    ],
)

chapter.value(
    "predict_weight",
    title="Predict: the shape of a weight",
    minutes=3,
    text="What does this print?",
    code="layer = nn.Conv2d(6, 4, kernel_size=(5, 2), stride=3, groups=2)\n"
    "print(tuple(layer.weight.shape))",
    answer=conv2d_weight_shape(6, 4, (5, 2), groups=2),
    hints=[
        "The constructor says *in, out*. In which order is the weight stored?",
        "Each kernel reads the channels of one group.",
    ],
    explanation="Kernels, slices, rows, columns; the stride is no part of it.",
    mistakes=[
        ("groups_forgotten", (4, 6, 5, 2), "With 2 groups a kernel does not see all channels."),
        ("in_out", (6, 2, 5, 2), "The weight is stored out, in."),
        ("in_out_groups_forgotten", (6, 4, 5, 2), "The weight is stored out, in."),
        ("slices_first", (3, 4, 5, 2), "The kernels come first, then their slices."),
        ("kernels_divided", (2, 6, 5, 2), "There are 4 kernels in all. What do groups divide?"),
        ("both_divided", (2, 3, 5, 2), "There are 4 kernels in all, whatever the groups."),
        ("width_first", (4, 3, 2, 5), "A pair is (height, width)."),
        (
            "groups_second",
            (4, 2, 5, 2),
            "How many channels does a kernel read: those of one group.",
        ),
        ("stride_in_it", (4, 3, 5, 2, 3), "The stride is no part of the weight."),
        ("stride_for_kernel", (4, 3, 3, 3), "The stride is no part of the weight."),
        ("square", (4, 3, 5, 5), "`kernel_size` is a pair: rows and columns differ."),
        ("square_of_columns", (4, 3, 2, 2), "`kernel_size` is a pair: rows and columns differ."),
        ("channels_last", (4, 5, 2, 3), "The slices come before their rows and columns."),
        ("sides_first", (5, 2, 3, 4), "The kernels come first; rows and columns come last."),
        ("depthwise", (4, 1, 5, 2), "With 2 groups a kernel sees half of the channels."),
        ("groups_multiply", (4, 12, 5, 2), "With groups a kernel sees fewer channels, not more."),
        ("kernels_as_slices", (6, 3, 5, 2), "The first number is that of the kernels."),
        ("inputs_only", (3, 5, 2), "That is one kernel: the weight holds all of them."),
        ("batch_first", (1, 4, 3, 5, 2), "The weight has no axis for images."),
        ("groups_as_axis", (2, 2, 3, 5, 2), "The groups have no axis of their own."),
    ],
)

chapter.value(
    "predict_changed_kernel_size",
    title="Predict: changed afterwards",
    minutes=3,
    text="This runs without an error. What does it print?",
    code="layer = nn.Conv2d(3, 8, kernel_size=3)\n"
    "layer.kernel_size = (7, 7)\n"
    "layer.stride = (2, 2)\n"
    "print(tuple(layer(torch.zeros(1, 3, 9, 13)).shape))",
    answer=(1, 8, 4, 6),
    hints=[
        "Which of the two attributes is read when the layer is called?",
        "How large is the kernel? Its numbers were drawn when the layer was made.",
    ],
    explanation="The weight was made with 3×3 kernels and remains so; the stride is read at each "
    "call.",
    mistakes=[
        ("both_changed", (1, 8, 2, 4), "Does the weight change its shape?"),
        ("steps_counted", (1, 8, 3, 5), "Count the places of the window, not its steps."),
        ("neither_changed", (1, 8, 7, 11), "The stride is no part of the weight."),
        (
            "kernel_size_only",
            (1, 8, 3, 7),
            "It is the other way round: which of the two is fixed in the weight?",
        ),
        ("channels_kept", (1, 3, 4, 6), "The layer has eight kernels."),
        ("padded", (1, 8, 5, 7), "No padding is asked for: the window stays inside of the image."),
        ("padded_and_unchanged", (1, 8, 9, 13), "No padding is asked for, and the stride is read."),
        ("batch_lost", (8, 4, 6), "A batch of one image remains a batch."),
        ("channels_last", (1, 4, 6, 8), "The channels come before height and width."),
        ("rounded_up", (1, 8, 4, 7), "How many places has a window of 3 that moves by 2?"),
    ],
)


def _differ_with_equal_counts(answer: Any) -> str | None:
    """Return what is wrong with two layers that should have as many parameters."""
    try:
        layers: list[Any] = [tuple(map(operator.index, layer)) for layer in answer]
    except TypeError:
        return "a pair of two tuples of ints is asked for, (in_channels, out_channels, kernel_size)"
    if [len(layer) for layer in layers] != [3, 3]:
        return "two layers are asked for, each with in_channels, out_channels and kernel_size"
    if min(map(min, layers)) < 1:
        return "all numbers of a layer must be 1 or more"
    counts = [conv2d_num_parameters(*layer) for layer in layers]
    if counts[0] != counts[1]:
        weights = [math.prod(conv2d_weight_shape(*layer)) for layer in layers]
        also = ": the weights are as many, the biases are not" if len(set(weights)) == 1 else ""
        return f"they have {counts[0]:,} and {counts[1]:,} parameters{also}"
    if layers[0] == layers[1]:
        return "the two layers are the same: their weights have to differ in shape"
    return None


chapter.search(
    "break_equal_counts",
    title="Break it: as many parameters, the same layer",
    minutes=5,
    text="Somebody compares two networks layer by layer, and takes two layers for the same if they "
    "have as many parameters. Give two layers with a bias that do, and whose weights differ in "
    "shape: a pair of tuples `(in_channels, out_channels, kernel_size)` of ints.",
    objection=_differ_with_equal_counts,
    example=((9, 1, 1), (1, 1, 3)),
    hints=[
        "Begin with one kernel in each layer: then the biases are as many.",
        "Nine slices of one number, or one slice of ...?",
    ],
    explanation="A checkpoint is compared by names and shapes, not by counts.",
    mistakes=[
        (
            "channels_exchanged",
            ((3, 4, 3), (4, 3, 3)),
            "The weights are as many. The biases count the kernels.",
        ),
        (
            "one_and_many",
            ((1, 9, 1), (1, 1, 3)),
            "The weights are as many. The biases count the kernels.",
        ),
        ("same_layer", ((3, 4, 3), (3, 4, 3)), "The two must differ in their shape."),
    ],
)
