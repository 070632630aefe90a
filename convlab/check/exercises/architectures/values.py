"""Values to work out: parameters and shapes of networks."""

from __future__ import annotations

from convlab.check.exercise import Chapter
from convlab.shapes import conv2d_num_parameters, conv2d_output_size

chapter = Chapter("architectures")

_OUTPUTS = 6
_SIDE = (((48 - 5 + 1) // 2) - 3 + 1) // 2

_CONVOLUTIONS = conv2d_num_parameters(3, 16, 5) + conv2d_num_parameters(16, 32, 3)
_WRONG_INPUTS = [
    ("channels_forgotten", _SIDE**2, "The map has 32 channels."),
    ("one_side", 32 * _SIDE, "The map has rows and columns."),
    ("padding_assumed", 32 * 12**2, "Without padding, a convolution loses places."),
    ("padding_assumed_once", 32 * 11**2, "Without padding, each convolution loses places."),
    ("second_pooling_forgotten", 32 * 20**2, "There are two poolings. Each halves the map."),
    ("first_pooling_forgotten", 32 * 21**2, "There are two poolings. Each halves the map."),
    ("poolings_forgotten", 32 * 42**2, "There are two poolings. Each halves the map."),
    ("first_kernels", 16 * _SIDE**2, "The last convolution has 32 kernels."),
    (
        "all_kernels",
        48 * _SIDE**2,
        "Behind the second convolution, the maps of the first are gone.",
    ),
    ("all_channels", 16 * 32 * _SIDE**2, "The second convolution makes 32 maps, not 16 times 32."),
    ("channels_of_the_image", 3 * _SIDE**2, "The last convolution has 32 kernels."),
    ("plus_1_forgotten", 32 * 9**2, "A window of 5 has 44 places on 48 pixels, not 43."),
    ("one_number_for_each_map", 32, "Each map still has rows and columns: none is averaged here."),
    ("image", 3 * 48**2, "That is the image. Which maps arrive at the linear layer?"),
    ("first_maps", 16 * 22**2, "A convolution and a pooling come after these maps."),
]

chapter.value(
    "classifier_by_hand",
    title="The first linear layer",
    minutes=6,
    text="Images of 3×48×48 go through a convolution of 5×5 with 16 kernels, a max pooling of 2, a "
    "convolution of 3×3 with 32 kernels and another max pooling of 2, all without padding. Then "
    "comes `nn.Flatten()`, and a linear layer with 6 outputs. How many parameters does the "
    "linear layer have?",
    answer=(32 * _SIDE**2 + 1) * _OUTPUTS,
    hints=[
        "How large is the map behind each layer: 48, then?",
        "Flatten makes channels times rows times columns. Each output has a weight for each of "
        "these numbers, and a bias.",
    ],
    explanation="The map shrinks from 48 to 44, 22, 20 and 10, so 3,200 numbers arrive. This layer "
    "has more parameters than both convolutions.",
    mistakes=[
        ("bias_forgotten", 32 * _SIDE**2 * _OUTPUTS, "Each output of the layer has a bias, too."),
        (
            "one_bias",
            32 * _SIDE**2 * _OUTPUTS + 1,
            "Each output of the layer has a bias of its own.",
        ),
        (
            "bias_for_each_input",
            32 * _SIDE**2 * (_OUTPUTS + 1),
            "A bias belongs to an output: there are 6.",
        ),
        ("inputs", 32 * _SIDE**2, "That is how many numbers arrive. Each of 6 outputs reads all."),
        ("one_output", 32 * _SIDE**2 + 1, "That is one output, and there are 6."),
        ("added", 32 * _SIDE**2 + _OUTPUTS, "Each output reads all of these numbers: multiply."),
        (
            "whole_network",
            (32 * _SIDE**2 + 1) * _OUTPUTS + _CONVOLUTIONS,
            "Only the linear layer is asked for, not the convolutions.",
        ),
        (
            "convolutions",
            _CONVOLUTIONS,
            "Those are the convolutions. The linear layer is asked for.",
        ),
        *(
            (name + ending, inputs * _OUTPUTS + biases, hint)
            for name, inputs, hint in _WRONG_INPUTS
            for ending, biases in (("", _OUTPUTS), ("_and_bias_forgotten", 0))
        ),
    ],
)

_BOTTLENECK = sum(
    conv2d_num_parameters(*layer, bias=False) for layer in ((128, 32, 1), (32, 32, 3), (32, 128, 1))
)
_BASIC = 2 * conv2d_num_parameters(128, 128, 3, bias=False)
_WRONG_BOTTLENECKS = [
    ("last_forgotten", 13312, "The bottleneck has a 1×1 before its 3×3, and another behind it."),
    ("all_3x3", 82944, "A kernel of 1×1 has one weight for each channel it reads."),
    ("wide_3x3", 155648, "The 3×3 of the bottleneck reads 32 channels, and makes 32."),
    ("half_wide_3x3", 45056, "The 3×3 of the bottleneck reads 32 channels, and makes 32."),
    ("depthwise_3x3", 8480, "Each of the 32 kernels of the 3×3 reads all 32 channels."),
    (
        "only_3x3",
        9216,
        "The bottleneck has three convolutions, and its 3×3 nine weights for each channel.",
    ),
    ("only_1x1", 8192, "The bottleneck has a convolution of 3×3, too."),
    ("bottleneck_biases", 17600, "None of these convolutions has a bias: count weights only."),
    ("narrow_kernel", 11264, "A kernel of 3×3 has nine weights."),
]
_WRONG_BASICS = [
    ("one_layer_of_the_basic", 147456, "A basic block has two of these layers."),
    ("three_3x3_wide", 442368, "A basic block has two layers, not three."),
    ("basic_biases", 295168, "None of these convolutions has a bias: count weights only."),
    ("basic_kernel", 98304, "A kernel of 3×3 has nine weights."),
    ("basic_depthwise", 2304, "Each of the 128 kernels reads all 128 channels."),
    ("basic_1x1", 32768, "A kernel of 3×3 has nine weights for each channel that it reads."),
    ("basic_narrow", 73728, "The basic block keeps 128 channels from its beginning to its end."),
]

chapter.value(
    "bottleneck_by_hand",
    title="Basic block or bottleneck",
    minutes=5,
    text="A bottleneck for 128 channels has three convolutions: 1×1 to 32 channels, 3×3 on these, "
    "1×1 back to 128. A basic block has two of 3×3, from 128 to 128. None has a bias. Give two "
    "numbers: the weights of the bottleneck, and those of the basic block.",
    answer=(_BOTTLENECK, _BASIC),
    hints=[
        "A convolution has a kernel for each output channel, and each has a slice for each channel "
        "that it reads.",
        "Add up 128·32, 9·32·32 and 32·128. And for the basic block?",
    ],
    explanation="The expensive 3×3 works on a quarter of the channels, and costs a sixteenth.",
    mistakes=[
        (
            "exchanged",
            (_BASIC, _BOTTLENECK),
            "First the bottleneck. Which of them is the cheap one?",
        ),
        *((name, (wrong, _BASIC), hint) for name, wrong, hint in _WRONG_BOTTLENECKS),
        *((name, (_BOTTLENECK, wrong), hint) for name, wrong, hint in _WRONG_BASICS),
        *(
            (f"{name}_and_{other}", (wrong, wrong_too), hint)
            for name, wrong, hint in _WRONG_BOTTLENECKS
            for other, wrong_too, _ in _WRONG_BASICS
        ),
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
        ("plus_1_forgotten", (6, 9), "A window of 3 has 8 places on 10 pixels, not 7."),
        ("only_one_side", (6, 4), "The map has rows and columns: `nn.Flatten()` joins them."),
        ("exchanged", (16, 6), "The first axis is kept, and it stands first."),
        ("batch_kept", (1, 6, 16), "`nn.Flatten()` leaves two axes. And who has added a batch?"),
        ("batch_and_maps", (1, 6, 4, 4), "Who has added a batch? And what does Flatten do?"),
        (
            "image_as_batch",
            (3, 96),
            "The first axis counts the kernels here, behind the convolution.",
        ),
        ("column", (96, 1), "`nn.Flatten()` keeps the first axis. Which one is that here?"),
        ("only_the_convolution", (6, 8, 8), "And the two layers behind the convolution?"),
        ("only_flatten", (3, 100), "And the two layers in front of it?"),
        ("channels_joined", (16,), "The channels are the first axis here, and that is kept."),
        (
            "rows_kept",
            (6, 4, 16),
            "`nn.Flatten()` leaves two axes: the first, and all others joined.",
        ),
        ("rows_joined", (24, 4), "`nn.Flatten()` keeps the first axis, and joins all others."),
        ("pooling_on_one_side", (6, 32), "The pooling halves both sides of the map."),
    ],
)
