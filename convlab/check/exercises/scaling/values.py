"""Pencil numbers, a prediction and a search on faster training."""

from __future__ import annotations

from typing import Any

import numpy as np

from convlab.check.exercise import Chapter

chapter = Chapter("scaling")

chapter.value(
    "variance_of_all",
    title="The variance of both shares",
    minutes=4,
    text="Two processes share a batch. One sees the numbers `2 4` of a channel, the other `8 10`. "
    "With which variance does batch normalization normalize if the processes agree?",
    answer=float(np.var([2, 4, 8, 10])),
    tolerance=0.005,
    hints=[
        "What are the mean and the variance of each share?",
        "The variance of all is the mean of the variances, plus the variance of the means.",
    ],
    explanation="1 + 9: most of the variance lies between the shares, and each of them alone "
    "cannot see it.",
    mistakes=[
        ("mean_of_variances", 1, "The shares lie in different places, and this forgets it."),
        ("variance_of_means", 9, "Within each share the numbers differ, too."),
        ("sum_of_variances", 2, "The variances are averaged; then something else is added."),
        ("sum_and_between", 11, "The variances of the shares are averaged, not added up."),
        ("unbiased", 40 / 3, "It normalizes with the mean of the squares: divide by 4."),
        ("mean_of_both", 5, "Both terms count in full: they are added, without a half."),
        ("mean", 6, "That is the mean of the batch. How far are the numbers from it?"),
        ("mean_of_squares", 46, "Subtract the square of the mean: it is the distance that counts."),
        ("squares_added", 40, "That is the sum of the squares. The variance is their mean."),
        ("deviation", 10**0.5, "That is the standard deviation. Asked for is its square."),
    ],
)

chapter.value(
    "next_bfloat16",
    title="The next bfloat16",
    minutes=4,
    text="A bfloat16 has 7 bits of fraction. Which number follows after 16?",
    answer=16 * (1 + 2**-7),
    hints=[
        "How is 16 written, as 1.fraction times a power of 2?",
        "The fraction grows by 1/128. By how much does the number grow?",
    ],
    explanation="The numbers from 16 to 32 lie 1/8 apart: steps of 1/128, times the 16 in front.",
    mistakes=[
        ("next_to_1", 16 + 2**-7, "That is the distance next to 1. The power of 2 stretches it."),
        ("next_after_1", 1 + 2**-7, "That follows after 1. How is 16 written?"),
        ("float16", 16 * (1 + 2**-10), "That is a float16, with 10 bits of fraction."),
        ("step", 16 * 2**-7, "That is the step. And the number that follows after 16?"),
        ("power", 32, "That is the next power of 2. There are 127 numbers between."),
        ("number_of_bits", 16 + 1 / 7, "Seven bits make 128 parts, not 7."),
        ("two_wide", 18, "The numbers up to 256 include all whole ones, and fractions."),
        ("tenths", 16.1, "The fraction has bits, so its steps are powers of 1/2."),
        ("one_bit_less", 16 * (1 + 2**-6), "Seven bits reach to 1/128. Which step is that?"),
        ("one_bit_more", 16 * (1 + 2**-8), "Seven bits reach to 1/128. Which step is that?"),
        ("whole_number", 17, "There are numbers between 16 and 17."),
    ],
)

chapter.value(
    "predict_strides",
    title="Predict: strides in memory",
    minutes=5,
    text="What does this print?",
    code="image = torch.zeros(2, 3, 4, 5).to(memory_format=torch.channels_last)\n"
    "print(image.stride())",
    answer=(3 * 4 * 5, 1, 5 * 3, 3),
    hints=[
        "Pixel by pixel: what lies next to the red number of a pixel in memory?",
        "How many numbers further is the next pixel of the row? The next row? The next image?",
    ],
    explanation="The axes stay (N, C, H, W); only the distances in memory differ.",
    mistakes=[
        ("contiguous", (60, 20, 5, 1), "Those are the strides of PyTorch's usual order."),
        ("axes_moved", (60, 15, 3, 1), "These distances are right. But the axes keep their order."),
        ("row_of_rows", (60, 1, 12, 3), "A row has 5 pixels of 3 numbers. How far is the next?"),
        (
            "rows_and_columns",
            (60, 1, 3, 15),
            "Rows and columns are exchanged: a row is stored as one.",
        ),
        (
            "channels_and_columns",
            (60, 3, 15, 1),
            "Side by side are the channels of a pixel, not pixels.",
        ),
        ("planes", (60, 20, 15, 3), "The channels of a pixel lie side by side in memory."),
        ("batch_ignored", (1, 1, 15, 3), "The next image begins where this one ends."),
        ("shape", (2, 3, 4, 5), "That is the shape. A stride is a distance in memory."),
        ("shape_moved", (2, 4, 5, 3), "That is a shape. A stride is a distance in memory."),
        ("columns_first", (60, 1, 3, 12), "A row is stored pixel by pixel: columns are closer."),
        ("row_without_channels", (60, 1, 5, 3), "The next row is 5 pixels further, of 3 numbers."),
    ],
)


def _is_held(number: Any) -> str | None:
    """Return what is wrong with a whole number that float16 should not be able to hold."""
    if isinstance(number, bool) or not isinstance(number, int):
        return "give a whole number"
    if abs(number) > 65504:
        return "float16 ends at 65,504"
    return "float16 holds it exactly" if int(np.float16(number)) == number else None


chapter.search(
    "break_float16",
    title="Break it: small whole numbers are exact",
    minutes=4,
    text='Somebody counts right answers in float16: "It ends at 65,504, and up to there whole '
    'numbers are exact." Give a whole number below 65,504 that float16 rounds to another one.',
    objection=_is_held,
    example=2049,
    hints=[
        "How far apart do the numbers lie, with 10 bits of fraction, next to 1? Next to 1,024?",
        "From which power of 2 on do they lie 2 apart?",
    ],
    explanation="Up to 2,048 all whole numbers are there, then every second one, from 4,096 on "
    "every fourth.",
    mistakes=[
        ("last_exact", 2048, "Up to here all are exact. Go one further."),
        ("even", 2050, "Here the numbers lie 2 apart. Which ones are left out?"),
        ("thousand", 1000, "Ten bits of fraction reach further than that."),
        ("power", 4096, "Powers of 2 are always exact."),
        ("largest", 65504, "That is the largest one, and exact."),
        ("too_large", 70000, "That is beyond the end. Look for a number that is rounded."),
    ],
)
