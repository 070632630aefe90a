"""Pencil numbers, predictions and a search on trained networks."""

from __future__ import annotations

from typing import Any

from convlab.check.exercise import Chapter
from convlab.shapes import conv2d_output_size

chapter = Chapter("inside")

chapter.value(
    "answers_by_hand",
    title="How many answers",
    minutes=3,
    text="A network without padding was made for pictures of 40×40 pixels; the product of its "
    "strides is 8. Its linear layers have become convolutions, and it slides over a picture of "
    "40×88 pixels. How many answers does it give?",
    answer=conv2d_output_size((40, 88), 40, stride=8)[1],
    hints=[
        "The whole network acts like one window. How large is it, and by how much does it move?",
        "By how many pixels can it move to the right, and how many steps are that?",
    ],
    explanation="It can move by 48 pixels, which are 6 steps, so there are 7 places.",
    mistakes=[
        ("steps_counted", 6, "Those are the steps. The first place needs none."),
        ("as_far_as_it_moves", 48, "By so many pixels it can move. How many steps are that?"),
        ("two_rows", 14, "40 rows are one window: it cannot move down."),
        ("five_rows", 55, "40 rows are one window, and a window must fit at the last place, too."),
        ("one_too_many", 8, "The first place needs no step. How many steps are 48 pixels?"),
        ("moves_by_one", 49, "It moves by 8 pixels at a time, the product of the strides."),
        ("width_by_stride", 11, "A window of 40 pixels must fit at the last place, too."),
        ("pictures_side_by_side", 2, "The places overlap: it does not move by a whole picture."),
    ],
)

chapter.value(
    "predict_state_dict",
    title="Predict: how many tensors travel",
    minutes=3,
    text="What does this print?",
    code="net = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(),\n"
    "                    nn.Conv2d(8, 4, 3))\n"
    "print(len(net.state_dict()))",
    answer=2 + 5 + 0 + 2,
    hints=[
        "A weight and a bias are two tensors. What does the batch normalization have besides?",
        "Running mean, running variance, and how many batches they have seen.",
    ],
    explanation="Buffers travel too. Saving only the parameters would lose three of these.",
    mistakes=[
        ("parameters_only", 6, "The batch normalization also stores what it has met in training."),
        ("counter_forgotten", 8, "It also counts the batches: `num_batches_tracked`."),
        ("layers", 4, "A layer may have several tensors, or none."),
        ("layers_with_tensors", 3, "A layer may have several tensors: a weight, a bias, ..."),
        ("relu_counted", 10, "A ReLU stores nothing."),
        (
            "two_missing",
            7,
            "Two are missing. A convolution has a bias, too; a batch normalization learns two "
            "tensors, and remembers more.",
        ),
        ("one_of_the_norm", 5, "The convolutions have four. How many has the batch normalization?"),
        (
            "norm_like_a_layer_twice",
            12,
            "Which layers have tensors, and how many each? The ReLU has none.",
        ),
    ],
)


def _reads_every_column(width: Any) -> str | None:
    """Return what is wrong with a width of which columns should stay unread."""
    if isinstance(width, bool) or not isinstance(width, int):
        return "give a whole number"
    if width < 32:
        return "the network needs 32 columns"
    places = conv2d_output_size(width, 32, stride=4)[0]
    unread = width - 32 - 4 * (places - 1)
    return None if unread else f"the last of {places} windows of 32 columns ends at the last column"


chapter.search(
    "break_sliding",
    title="Break it: the whole picture is read",
    minutes=4,
    text='Somebody says: "A sliding network reads every column of the picture." The network was '
    "made for 32×32 pixels, has no padding, and the product of its strides is 4. Give a width (an "
    "int, at least 32) of a picture of 32 rows of which some columns are in no window.",
    objection=_reads_every_column,
    example=38,
    hints=[
        "At which columns do the windows end? The first one ends at column 32.",
        "What is left when another step does not fit?",
    ],
    explanation="As in a single layer, a step that does not fit is not made. Up to three columns "
    "at the right are never read.",
    mistakes=[
        ("one_window", 32, "There is one window, and it reads everything."),
        ("one_step", 36, "The second window ends at the last column, exactly."),
        ("two_pictures", 64, "The last of the windows ends at the last column, exactly."),
        ("one_hundred", 100, "68 columns more are 17 steps, without a rest."),
    ],
)
