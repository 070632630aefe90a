"""Exercise: the padding of Keras."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from convlab.check.exercise import Arguments
from convlab.check.exercises.conventions.values import chapter


def _windows(random: Random) -> Iterator[Arguments]:
    """Yield a size, a kernel size and a stride, from the simplest on."""
    yield from [(5, 3, 1), (7, 3, 2), (8, 3, 2), (5, 4, 1), (10, 5, 2), (6, 2, 2), (7, 1, 3)]
    yield from [(8, 2, 4), (224, 7, 2), (225, 3, 2)]
    for _ in range(100):
        yield random.randint(1, 40), random.randint(1, 8), random.randint(1, 5)


@chapter.code(
    title="The padding of Keras",
    minutes=10,
    text='Return how many cells Keras puts before and after a row with `padding="same"`, as a '
    "pair. All arguments are ints; there is no dilation.",
    cases=_windows,
    hints=[
        "How many windows must there be? It is the size divided by the stride, rounded up.",
        "From the first cell of the first window to the last cell of the last: how many cells?",
        "If there are enough cells, nothing is added: a padding is never negative.",
    ],
    explanation="This padding depends on the size of the image. So no number as `padding=` of "
    "`nn.Conv2d` can do the same for all images.",
)
def keras_padding(size, kernel_size, stride):
    """Return the numbers of cells before and after the row."""
    windows = -(-size // stride)
    total = max(0, (windows - 1) * stride + kernel_size - size)
    return total // 2, total - total // 2


def _shared(total):
    return total // 2, total - total // 2


@keras_padding.mistake("Where the number is odd, the larger half comes after the row.")
def keras_odd_cell_before(size, kernel_size, stride):
    return keras_padding.solution(size, kernel_size, stride)[::-1]


@keras_padding.mistake("Where the windows need fewer cells than there are, nothing is added.")
def keras_negative(size, kernel_size, stride):
    return _shared((-(-size // stride) - 1) * stride + kernel_size - size)


@keras_padding.mistake("That is the rule for stride 1. With a stride, fewer windows must fit.")
def keras_stride_forgotten(size, kernel_size, stride):
    return _shared(kernel_size - 1)


@keras_padding.mistake(
    "The size and the stride count, too, and the two ends may differ by one cell."
)
def keras_half_kernel(size, kernel_size, stride):
    return kernel_size // 2, kernel_size // 2


@keras_padding.mistake("That depends on the kernel only. The size and the stride count, too.")
def keras_half_kernel_less_one(size, kernel_size, stride):
    return (kernel_size - 1) // 2, (kernel_size - 1) // 2


@keras_padding.mistake("The number of windows is rounded up, not down.")
def keras_rounded_down(size, kernel_size, stride):
    return _shared(max(0, (size // stride - 1) * stride + kernel_size - size))


@keras_padding.mistake("The last window begins after one stride fewer than there are windows.")
def keras_one_stride_more(size, kernel_size, stride):
    return _shared(max(0, -(-size // stride) * stride + kernel_size - size))


@keras_padding.mistake("Where the number is odd, the two halves differ by one cell.")
def keras_halves_equal(size, kernel_size, stride):
    before, _ = keras_padding.solution(size, kernel_size, stride)
    return before, before


@keras_padding.mistake("You return the number for both ends together. It is shared between them.")
def keras_not_halved(size, kernel_size, stride):
    total = sum(keras_padding.solution(size, kernel_size, stride))
    return total, total


@keras_padding.mistake("The output has size / stride cells. You ask for as many as the input has.")
def keras_size_kept(size, kernel_size, stride):
    return _shared(max(0, (size - 1) * stride + kernel_size - size))


@keras_padding.mistake("The cells are shared between both ends. Only the odd one goes to the end.")
def keras_all_after(size, kernel_size, stride):
    return 0, sum(keras_padding.solution(size, kernel_size, stride))


@keras_padding.mistake("That is right where the stride divides the size. It does not always.")
def keras_stride_divides(size, kernel_size, stride):
    return _shared(max(0, kernel_size - stride))


@keras_padding.mistake("Keras makes size / stride windows, more than fit without padding.")
def keras_windows_that_fit(size, kernel_size, stride):
    windows = (size - kernel_size) // stride + 1
    return _shared(max(0, (windows - 1) * stride + kernel_size - size))


@keras_padding.mistake("How many cells from the first to the last, both included? One more.")
def keras_one_cell_fewer(size, kernel_size, stride):
    return _shared(max(0, (-(-size // stride) - 1) * stride + kernel_size - 1 - size))


@keras_padding.mistake("Where the windows need fewer cells than there are, nothing is added.")
def keras_absolute(size, kernel_size, stride):
    return _shared(abs((-(-size // stride) - 1) * stride + kernel_size - size))


@keras_padding.mistake("The last window reaches further than its first cell: where is the kernel?")
def keras_kernel_forgotten(size, kernel_size, stride):
    return _shared(max(0, -(-size // stride) * stride - size))


@keras_padding.mistake("That is how many cells the windows need. How many are there already?")
def keras_size_not_subtracted(size, kernel_size, stride):
    return _shared((-(-size // stride) - 1) * stride + kernel_size)


@keras_padding.mistake("The two halves together are the number. How much does the first one leave?")
def keras_half_and_all(size, kernel_size, stride):
    total = sum(keras_padding.solution(size, kernel_size, stride))
    return total // 2, total


@keras_padding.mistake("That is the number for both ends together. Share it out: a pair is wanted.")
def keras_total_only(size, kernel_size, stride):
    return sum(keras_padding.solution(size, kernel_size, stride))


@keras_padding.mistake("There are no half cells: `/` makes floats, and the odd cell comes after.")
def keras_half_cells(size, kernel_size, stride):
    total = sum(keras_padding.solution(size, kernel_size, stride))
    return total / 2, total / 2


@keras_padding.mistake("Where the stride divides the size, you have one window too many.")
def keras_one_window_more(size, kernel_size, stride):
    return _shared(max(0, size // stride * stride + kernel_size - size))


@keras_padding.mistake("Only the second half is rounded up: an odd cell is added once.")
def keras_both_rounded_up(size, kernel_size, stride):
    _, after = keras_padding.solution(size, kernel_size, stride)
    return after, after


@keras_padding.mistake("The size counts, too: the windows may need more than kernel less stride.")
def keras_half_of_difference(size, kernel_size, stride):
    half = max(0, (kernel_size - stride) // 2)
    return half, half


@keras_padding.mistake("The size counts, too; and a padding is never negative.")
def keras_difference(size, kernel_size, stride):
    return _shared(kernel_size - stride)


@keras_padding.mistake("`round` goes to the even number. Round the first half down.")
def keras_half_rounded(size, kernel_size, stride):
    total = sum(keras_padding.solution(size, kernel_size, stride))
    return round(total / 2), total - round(total / 2)


@keras_padding.mistake("`round` goes to the even number; and only the second half is rounded up.")
def keras_both_rounded(size, kernel_size, stride):
    half = round(sum(keras_padding.solution(size, kernel_size, stride)) / 2)
    return half, half


@keras_padding.mistake("The windows move by the stride, and the last one reaches over the kernel.")
def keras_stride_and_kernel_exchanged(size, kernel_size, stride):
    return _shared(max(0, (-(-size // stride) - 1) * kernel_size + stride - size))


@keras_padding.mistake("The output has size / stride cells. You ask for as many as the input has.")
def keras_size_kept_by_halves(size, kernel_size, stride):
    half = max(0, (size - 1) * stride + kernel_size - size) // 2
    return half, half


@keras_padding.mistake("That depends on the kernel only, and the larger half comes after.")
def keras_kernel_odd_cell_before(size, kernel_size, stride):
    return kernel_size // 2, (kernel_size - 1) // 2


@keras_padding.mistake(
    "A kernel pads one cell less than its size with stride 1; and strides count."
)
def keras_whole_kernel(size, kernel_size, stride):
    return _shared(kernel_size)


@keras_padding.mistake("From the first to the last, both included: you have one cell too many.")
def keras_one_cell_more(size, kernel_size, stride):
    return _shared(max(0, (-(-size // stride) - 1) * stride + kernel_size + 1 - size))


@keras_padding.mistake("Where the number is even, both ends get the same.")
def keras_always_one_more(size, kernel_size, stride):
    before, _ = keras_padding.solution(size, kernel_size, stride)
    return before, before + 1


@keras_padding.mistake("That is the number of windows. How many cells do they need?")
def keras_windows(size, kernel_size, stride):
    return -(-size // stride)


@keras_padding.mistake("All cells are put before. They are shared between both ends.")
def keras_all_before(size, kernel_size, stride):
    return sum(keras_padding.solution(size, kernel_size, stride)), 0


@keras_padding.mistake("The number of windows is rounded up; `round` may go down.")
def keras_windows_rounded(size, kernel_size, stride):
    return _shared(max(0, (round(size / stride) - 1) * stride + kernel_size - size))


@keras_padding.mistake(
    "The stride counts, also in the number of windows: size / stride, rounded up."
)
def keras_one_window_fewer(size, kernel_size, stride):
    return _shared(max(0, (-(-size // stride) - 2) * stride + kernel_size - size))


@keras_padding.mistake("The last window begins a whole number of strides after the first.")
def keras_strides_not_multiplied(size, kernel_size, stride):
    return _shared(max(0, -(-size // stride) - 1 + kernel_size - size))


@keras_padding.mistake(
    "The stride does not divide the padding. How many cells do the windows need?"
)
def keras_half_kernel_over_stride(size, kernel_size, stride):
    half = kernel_size // 2 // stride
    return half, half


@keras_padding.mistake(
    "The stride does not divide the padding. How many cells do the windows need?"
)
def keras_halves_over_stride(size, kernel_size, stride):
    return (kernel_size - 1) // 2 // stride, kernel_size // 2 // stride


@keras_padding.mistake(
    "The stride does not divide the padding. How many cells do the windows need?"
)
def keras_kernel_over_stride(size, kernel_size, stride):
    return _shared((kernel_size - 1) // stride)


@keras_padding.mistake("The last window begins after one stride fewer than there are windows.")
def keras_one_stride_more_and_less_one(size, kernel_size, stride):
    return _shared(max(0, -(-size // stride) * stride + kernel_size - 1 - size))


@keras_padding.mistake("What is left over is `size % stride`: `//` counts the strides.")
def keras_quotient_for_rest(size, kernel_size, stride):
    rest = stride if size % stride == 0 else size // stride
    return _shared(max(0, kernel_size - rest))


@keras_padding.mistake("Where no cell is missing, none is added, not even one.")
def keras_at_least_one(size, kernel_size, stride):
    return _shared(max(1, (-(-size // stride) - 1) * stride + kernel_size - size))


@keras_padding.mistake("There are size / stride windows, rounded up; a fraction of one is none.")
def keras_fraction_of_a_window(size, kernel_size, stride):
    total = max(0, kernel_size - stride)
    return total / 2, total - total / 2
