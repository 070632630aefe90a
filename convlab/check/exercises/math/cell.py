"""Exercise: one number of the output."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import numpy as np

from convlab.check.exercise import Arguments, random_array
from convlab.check.exercises.math.values import chapter


def _cells(random: Random) -> Iterator[Arguments]:
    """Yield an image, a kernel and a place, from the simplest on."""
    yield random_array(random, 1, 2, 2), random_array(random, 1, 2, 2), 0, 0
    yield random_array(random, 1, 3, 4), random_array(random, 1, 2, 2), 0, 1
    yield random_array(random, 1, 4, 3), random_array(random, 1, 2, 2), 2, 0
    yield random_array(random, 1, 3, 4), random_array(random, 1, 2, 3), 1, 1
    yield random_array(random, 2, 3, 3), random_array(random, 2, 2, 2), 1, 0
    for _ in range(20):
        channels, k_h, k_w, i, j = (random.randint(1, 3) for _ in range(5))
        image = random_array(random, channels, i + k_h + 1, j + k_w + 2)
        yield image, random_array(random, channels, k_h, k_w), i, j
    yield random_array(random, 2, 3, 4) / 4, random_array(random, 2, 2, 3) / 2, 1, 0


@chapter.code(
    title="One number of the output",
    minutes=5,
    text="`x` is an image of shape (C, H, W), `kernel` has the shape (C, kH, kW), both NumPy "
    "arrays. Return the number of the output in row `i` and column `j`, without bias, as a float. "
    "Stride 1, no padding.",
    cases=_cells,
    hints=[
        "Which rows and which columns of `x` lie in the window that begins in row `i`, column `j`?",
        "A slice of all three axes cuts the window out. It has the shape of the kernel.",
    ],
    explanation="All channels at once: the window is a block, as the kernel is.",
)
def output_cell(x, kernel, i, j):
    """Return the number of the output in row i and column j."""
    _, k_h, k_w = kernel.shape
    window = x[:, i : i + k_h, j : j + k_w]
    return float((window * kernel).sum())


@output_cell.mistake("The kernel is laid on the window as it is. You turned it.")
def cell_kernel_turned(x, kernel, i, j):
    return output_cell.solution(x, kernel[:, ::-1, ::-1], i, j)


@output_cell.mistake("The row comes first: `i` counts rows, `j` counts columns.")
def cell_row_and_column_exchanged(x, kernel, i, j):
    return output_cell.solution(x, kernel, j, i)


@output_cell.mistake("The slices of all channels are added up. You return a number for each.")
def cell_channels_kept(x, kernel, i, j):
    _, k_h, k_w = kernel.shape
    return (x[:, i : i + k_h, j : j + k_w] * kernel).sum(axis=(1, 2))


@output_cell.mistake("You used the first channel only. Every channel has a slice.")
def cell_first_channel_only(x, kernel, i, j):
    return output_cell.solution(x[:1], kernel[:1], i, j)


@output_cell.mistake("The results of the slices are added, not averaged.")
def cell_channels_averaged(x, kernel, i, j):
    return output_cell.solution(x, kernel, i, j) / len(x)


@output_cell.mistake("The products are added, not averaged.")
def cell_mean(x, kernel, i, j):
    _, k_h, k_w = kernel.shape
    return float((x[:, i : i + k_h, j : j + k_w] * kernel).mean())


@output_cell.mistake("A slice ends where its window ends. Where does one end that begins at `i`?")
def cell_slice_ends_at_kernel_size(x, kernel, i, j):
    _, k_h, k_w = kernel.shape
    return float((x[:, i:k_h, j:k_w] * kernel).sum())


@output_cell.mistake("The window moves by one pixel at a time, not by its own size.")
def cell_windows_side_by_side(x, kernel, i, j):
    _, k_h, k_w = kernel.shape
    return float((x[:, i * k_h : (i + 1) * k_h, j * k_w : (j + 1) * k_w] * kernel).sum())


@output_cell.mistake("The window moves by one pixel at a time, not by its own size.")
def cell_windows_side_by_side_in_loops(x, kernel, i, j):
    _, k_h, k_w = kernel.shape
    places = np.ndindex(kernel.shape)
    return float(sum(x[c, i * k_h + a, j * k_w + b] * kernel[c, a, b] for c, a, b in places))


@output_cell.mistake("The window moves by one pixel at a time, not by its own size.")
def cell_windows_side_by_side_inside(x, kernel, i, j):
    _, k_h, k_w = kernel.shape
    window = x[:, i * k_h : (i + 1) * k_h, j * k_w : (j + 1) * k_w]
    return float((window * kernel).sum()) if window.shape == kernel.shape else 0.0


@output_cell.mistake("You always use the first window. Where does the one for `i` and `j` begin?")
def cell_place_ignored(x, kernel, i, j):
    return output_cell.solution(x, kernel, 0, 0)


@output_cell.mistake("The window becomes one number: add up all products.")
def cell_products_not_added(x, kernel, i, j):
    _, k_h, k_w = kernel.shape
    return x[:, i : i + k_h, j : j + k_w] * kernel


@output_cell.mistake("`@` multiplies matrices. Here each pixel meets one weight.")
def cell_matrix_product(x, kernel, i, j):
    _, k_h, k_w = kernel.shape
    return float((x[:, i : i + k_h, j : j + k_w] @ kernel).sum())


@output_cell.mistake(
    "The last row and column of the kernel are left out: an end is left out anyway."
)
def cell_window_too_small(x, kernel, i, j):
    _, k_h, k_w = kernel.shape
    return float((x[:, i : i + k_h - 1, j : j + k_w - 1] * kernel).sum())


@output_cell.mistake("Each product overwrites the one before it. They are added up.")
def cell_last_product(x, kernel, i, j):
    _, k_h, k_w = kernel.shape
    return float(x[-1, i + k_h - 1, j + k_w - 1] * kernel[-1, -1, -1])


@output_cell.mistake("The pixels of the window are added up without their weights.")
def cell_window_sum(x, kernel, i, j):
    return output_cell.solution(x, np.ones_like(kernel), i, j)


@output_cell.mistake("The weights are added up without their pixels.")
def cell_weight_sum(x, kernel, i, j):
    return float(kernel.sum())


@output_cell.mistake("All products are added. You take the largest one.")
def cell_maximum(x, kernel, i, j):
    _, k_h, k_w = kernel.shape
    return float((x[:, i : i + k_h, j : j + k_w] * kernel).max())


@output_cell.mistake("Each channel has a slice of its own: `kernel[c]` for channel `c`.")
def cell_first_slice_for_all(x, kernel, i, j):
    return output_cell.solution(x, np.broadcast_to(kernel[:1], kernel.shape), i, j)


@output_cell.mistake("A kernel need not be square: it has kH rows and kW columns.")
def cell_as_high_as_wide(x, kernel, i, j):
    side = kernel.shape[2]
    return float((x[:, i : i + side, j : j + side] * kernel).sum())


@output_cell.mistake("A kernel need not be square: it has kH rows and kW columns.")
def cell_as_wide_as_high(x, kernel, i, j):
    side = kernel.shape[1]
    return float((x[:, i : i + side, j : j + side] * kernel).sum())


@output_cell.mistake("The kernel has three axes, channel, row, column: where are its rows?")
def cell_sides_from_first_axes(x, kernel, i, j):
    k_h, k_w = kernel.shape[:2]
    return float((x[:, i : i + k_h, j : j + k_w] * kernel).sum())


@output_cell.mistake("The first axis of `x` are the channels. The window goes through all of them.")
def cell_channel_axis_forgotten(x, kernel, i, j):
    _, k_h, k_w = kernel.shape
    return float((x[i : i + k_h, j : j + k_w] * kernel).sum())


@output_cell.mistake("The window is too large: it has as many rows and columns as the kernel.")
def cell_window_too_large(x, kernel, i, j):
    _, k_h, k_w = kernel.shape
    return float((x[:, i : i + k_h + 1, j : j + k_w + 1] * kernel).sum())


@output_cell.mistake("The window of row `i` begins at row `i`, it does not begin above it.")
def cell_window_centred(x, kernel, i, j):
    _, k_h, k_w = kernel.shape
    top, left = i - k_h // 2, j - k_w // 2
    return float((x[:, top : top + k_h, left : left + k_w] * kernel).sum())


def _by_pixel(x, kernel, pixel, weight=lambda c, u, v: (c, u, v)):
    """Return the sum over the products of a pixel and a weight, at indices of channel and cell."""
    return float(sum(x[pixel(*cell)] * kernel[weight(*cell)] for cell in np.ndindex(kernel.shape)))


@output_cell.mistake("The window goes on from row `i` and column `j`, not back from there.")
def cell_window_backwards(x, kernel, i, j):
    return _by_pixel(x, kernel, lambda c, u, v: (c, i - u, j - v))


@output_cell.mistake("Row `u` of the kernel lies on row `i + u`: its rows are not its columns.")
def cell_kernel_by_columns(x, kernel, i, j):
    return _by_pixel(x, kernel, lambda c, u, v: (c, i + u, j + v), lambda c, u, v: (c, v, u))


@output_cell.mistake("The number at one place is asked for, not the whole output.")
def cell_whole_output(x, kernel, i, j):
    _, k_h, k_w = kernel.shape
    rows, columns = range(x.shape[1] - k_h + 1), range(x.shape[2] - k_w + 1)
    return np.array([[output_cell.solution(x, kernel, i, j) for j in columns] for i in rows])


@output_cell.mistake("The channels are added, and the rows and columns of the window, too.")
def cell_only_channels_added(x, kernel, i, j):
    return cell_products_not_added(x, kernel, i, j).sum(axis=0)


@output_cell.mistake("A kernel need not be 3×3: its sides are in its shape.")
def cell_three_by_three(x, kernel, i, j):
    return float((x[:, i : i + 3, j : j + 3] * kernel).sum())


@output_cell.mistake("The kernel is laid on the window as it is. You turned its rows around.")
def cell_rows_turned(x, kernel, i, j):
    return output_cell.solution(x, kernel[:, ::-1], i, j)


@output_cell.mistake("The kernel is laid on the window as it is. You turned its columns around.")
def cell_columns_turned(x, kernel, i, j):
    return output_cell.solution(x, kernel[:, :, ::-1], i, j)


@output_cell.mistake("Each slice lies on its own channel: all of yours lie on channel 0.")
def cell_first_channel_for_all(x, kernel, i, j):
    return output_cell.solution(np.broadcast_to(x[:1], x.shape), kernel, i, j)


@output_cell.mistake("Pixels and weights are multiplied. You add them.")
def cell_pixels_plus_weights(x, kernel, i, j):
    _, k_h, k_w = kernel.shape
    return float((x[:, i : i + k_h, j : j + k_w] + kernel).sum())


@output_cell.mistake("The kernel has the axes of the window: it is not transposed.")
def cell_kernel_transposed(x, kernel, i, j):
    _, k_h, k_w = kernel.shape
    return float((x[:, i : i + k_h, j : j + k_w] * kernel.T).sum())


@output_cell.mistake(
    "The first axis of the kernel are the channels: `len` does not tell its sides."
)
def cell_sides_from_channels(x, kernel, i, j):
    side = len(kernel)
    return float((x[:, i : i + side, j : j + side] * kernel).sum())


_CENTRED = "The window of row `i` begins there. Yours has its middle there."


@output_cell.mistake(_CENTRED)
def cell_window_centred_with_padding(x, kernel, i, j):
    _, k_h, k_w = kernel.shape
    x = np.pad(x, ((0, 0), (k_h // 2, k_h // 2), (k_w // 2, k_w // 2)))
    return output_cell.solution(x, kernel, i, j)


@output_cell.mistake(_CENTRED)
def cell_window_centred_around_the_end(x, kernel, i, j):
    _, k_h, k_w = kernel.shape
    return _by_pixel(x, kernel, lambda c, u, v: (c, i + u - k_h // 2, j + v - k_w // 2))


@output_cell.mistake(_CENTRED)
def cell_window_centred_with_less_padding(x, kernel, i, j):
    _, k_h, k_w = kernel.shape
    top, left = (k_h - 1) // 2, (k_w - 1) // 2
    x = np.pad(x, ((0, 0), (top, top + 1), (left, left + 1)))
    return output_cell.solution(x, kernel, i, j)


@output_cell.mistake(
    "Rows and columns are counted from 0: the window of row `i` begins at row `i`."
)
def cell_counted_from_1(x, kernel, i, j):
    return _by_pixel(x, kernel, lambda c, u, v: (c, i + u - 1, j + v - 1))


@output_cell.mistake(
    "Rows and columns are counted from 0: the window of row `i` begins at row `i`."
)
def cell_slice_counted_from_1(x, kernel, i, j):
    _, k_h, k_w = kernel.shape
    return float((x[:, i - 1 : i - 1 + k_h, j - 1 : j - 1 + k_w] * kernel).sum())


@output_cell.mistake("The window begins one row and one column too late: counting starts at 0.")
def cell_one_place_further(x, kernel, i, j):
    return output_cell.solution(np.pad(x, ((0, 0), (0, 1), (0, 1))), kernel, i + 1, j + 1)


@output_cell.mistake(
    "The last row and column of the kernel are left out: an end is left out anyway."
)
def cell_last_row_and_column_left_out(x, kernel, i, j):
    return output_cell.solution(x, kernel[:, :-1, :-1], i, j)


@output_cell.mistake("The last channel is left out: the end of a range is left out anyway.")
def cell_last_channel_left_out(x, kernel, i, j):
    return output_cell.solution(x[:-1], kernel[:-1], i, j)


@output_cell.mistake("Row 0 and column 0 of the kernel are left out: counting starts at 0.")
def cell_first_row_and_column_left_out(x, kernel, i, j):
    return output_cell.solution(x, kernel[:, 1:, 1:], i + 1, j + 1)


@output_cell.mistake(
    "Counting starts at 0: for the channels, and the rows and columns of the kernel."
)
def cell_all_loops_from_1(x, kernel, i, j):
    return output_cell.solution(x[1:], kernel[1:, 1:, 1:], i + 1, j + 1)


@output_cell.mistake("Channel 0 is left out: counting starts at 0.")
def cell_first_channel_left_out(x, kernel, i, j):
    return output_cell.solution(x[1:], kernel[1:], i, j)


@output_cell.mistake("The next channel overwrites the one before it. They are added up.")
def cell_last_channel_only(x, kernel, i, j):
    return output_cell.solution(x[-1:], kernel[-1:], i, j)


@output_cell.mistake(
    "The next row overwrites the one before it. All rows of the window are added up."
)
def cell_last_row_only(x, kernel, i, j):
    rows = kernel.shape[1]
    return output_cell.solution(x[-1:], kernel[-1:, -1:], i + rows - 1, j)


@output_cell.mistake("The sum begins anew in each row. It begins once, before all loops.")
def cell_last_row_of_each_channel(x, kernel, i, j):
    rows = kernel.shape[1]
    return output_cell.solution(x, kernel[:, -1:], i + rows - 1, j)


@output_cell.mistake("Only one pixel is read. The window has as many as the kernel has weights.")
def cell_single_pixel(x, kernel, i, j):
    return output_cell.solution(x, kernel[:, :1, :1], i, j)


@output_cell.mistake("Each weight meets a pixel of its own: yours all meet the pixel at `i`, `j`.")
def cell_one_pixel_for_all_weights(x, kernel, i, j):
    return float((x[:, i, j, None, None] * kernel).sum())


@output_cell.mistake("The results of the channels are added, not multiplied.")
def cell_channels_multiplied(x, kernel, i, j):
    parts = [output_cell.solution(x[[c]], kernel[[c]], i, j) for c in range(len(x))]
    return float(np.prod(parts))


@output_cell.mistake("A pixel and its weight are multiplied; these products are added.")
def cell_products_multiplied(x, kernel, i, j):
    return float(np.prod(cell_products_not_added(x, kernel, i, j)))


@output_cell.mistake("Multiply each pixel by its weight before you add: sums of both are too late.")
def cell_sums_multiplied(x, kernel, i, j):
    return output_cell.solution(x, np.ones_like(kernel), i, j) * float(kernel.sum())


@output_cell.mistake("Each channel meets its own slice first; only the results are added.")
def cell_channels_added_first(x, kernel, i, j):
    return output_cell.solution(x.sum(axis=0)[None], kernel.sum(axis=0)[None], i, j)


@output_cell.mistake("Negative results stay negative: that is left to an activation.")
def cell_clipped(x, kernel, i, j):
    return max(0.0, output_cell.solution(x, kernel, i, j))


@output_cell.mistake("Signs count: negative weights take their products away.")
def cell_absolute(x, kernel, i, j):
    return abs(output_cell.solution(x, kernel, i, j))


@output_cell.mistake("A float is asked for. `int` cuts off what comes after the point.")
def cell_cut_off(x, kernel, i, j):
    return int(output_cell.solution(x, kernel, i, j))


@output_cell.mistake("The row comes first, and the height: kH rows from `i`, kW columns from `j`.")
def cell_sides_exchanged(x, kernel, i, j):
    _, k_w, k_h = kernel.shape
    return float((x[:, i : i + k_h, j : j + k_w] * kernel).sum())


@output_cell.mistake("The weights need no scaling: the products are added as they are.")
def cell_weights_normalized(x, kernel, i, j):
    total = float(kernel.sum())
    return output_cell.solution(x, kernel, i, j) / total if total else 0.0


def _square_loops(x, kernel, i, j, side):
    cells = np.ndindex(len(kernel), side, side)
    return float(sum(x[c, i + u, j + v] * kernel[c, u, v] for c, u, v in cells))


@output_cell.mistake("A kernel need not be square: it has kH rows and kW columns.")
def cell_loops_as_wide_as_high(x, kernel, i, j):
    return _square_loops(x, kernel, i, j, kernel.shape[1])


@output_cell.mistake("A kernel need not be square: it has kH rows and kW columns.")
def cell_loops_as_high_as_wide(x, kernel, i, j):
    return _square_loops(x, kernel, i, j, kernel.shape[2])


@output_cell.mistake("The channels are the first axis of `x` and of `kernel`, not the last.")
def cell_channels_last(x, kernel, i, j):
    return _by_pixel(
        np.moveaxis(x, 2, 0), np.moveaxis(kernel, 2, 0), lambda c, u, v: (c, i + u, j + v)
    )


@output_cell.mistake("All products are added, to one number: over rows and columns, too.")
def cell_columns_kept(x, kernel, i, j):
    return cell_products_not_added(x, kernel, i, j).sum(axis=(0, 1))


@output_cell.mistake("Pixels and weights are multiplied. You take the weights away.")
def cell_pixels_minus_weights(x, kernel, i, j):
    return cell_pixels_plus_weights(x, -kernel, i, j)


@output_cell.mistake("No bias is added here.")
def cell_one_added(x, kernel, i, j):
    return output_cell.solution(x, kernel, i, j) + 1


@output_cell.mistake("The stride is 1: the window of row `i` begins at row `i`.")
def cell_stride_of_two(x, kernel, i, j):
    _, k_h, k_w = kernel.shape
    return float((x[:, 2 * i : 2 * i + k_h, 2 * j : 2 * j + k_w] * kernel).sum())
