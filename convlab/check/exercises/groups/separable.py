"""Exercise: a depthwise separable convolution."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import numpy as np

from convlab.check.exercise import Arguments, random_array
from convlab.check.exercises.groups.values import chapter


def _blocks(random: Random) -> Iterator[Arguments]:
    """Yield an image, depthwise and pointwise weights, from the simplest on."""
    for channels, kernels, side in [
        (1, 1, 2),
        (2, 2, 1),
        (2, 1, 2),
        (2, 2, 2),
        (2, 3, 1),
        (3, 3, 2),
    ]:
        yield (
            random_array(random, 1, channels, 2, 3),
            random_array(random, channels, 1, side, side),
            random_array(random, kernels, channels, 1, 1),
        )
    for _ in range(15):
        channels, kernels, k_h, k_w = (random.randint(1, 4) for _ in range(4))
        yield (
            random_array(random, random.randint(1, 3), channels, k_h + 1, k_w + 2),
            random_array(random, channels, 1, k_h, k_w),
            random_array(random, kernels, channels, 1, 1),
        )


@chapter.code(
    title="A depthwise separable convolution",
    minutes=12,
    imports="import numpy as np",
    text="First filter, then mix. `x` has the shape (N, C, H, W), `depthwise` (C, 1, kH, kW), "
    "`pointwise` (O, C, 1, 1). Return the output of shape (N, O, H - kH + 1, W - kW + 1): stride "
    "1, no padding, no bias, nothing in between.",
    cases=_blocks,
    hints=[
        "The first step makes C maps: kernel `c` slides over channel `c` alone.",
        "The second step makes O maps, each a sum of the C maps with weights `pointwise[o]`.",
        "`np.einsum` multiplies and adds along named axes; or loop over `o` and `c`.",
    ],
    explanation="Without anything in between it is one convolution, whose weight is the product.",
)
def depthwise_separable(x, depthwise, pointwise):
    """Return the output of shape (N, O, H - kH + 1, W - kW + 1)."""
    images, channels, height, width = x.shape
    k_h, k_w = depthwise.shape[2:]
    filtered = np.zeros((images, channels, height - k_h + 1, width - k_w + 1))
    for i, j in np.ndindex(filtered.shape[2:]):
        window = x[:, :, i : i + k_h, j : j + k_w]
        filtered[:, :, i, j] = (window * depthwise[:, 0]).sum(axis=(2, 3))
    return np.einsum("ncij,oc->noij", filtered, pointwise[:, :, 0, 0])


def _filter(x, depthwise):
    """Return the maps of the first step."""
    mixing = np.eye(len(depthwise))[:, :, None, None]
    return depthwise_separable.solution(x, depthwise, mixing)


@depthwise_separable.mistake("You turned the kernels. They are laid on the windows as they are.")
def separable_kernel_turned(x, depthwise, pointwise):
    return depthwise_separable.solution(x, depthwise[..., ::-1, ::-1], pointwise)


@depthwise_separable.mistake("Those are the maps of the first step. The second one mixes them.")
def mixing_forgotten(x, depthwise, pointwise):
    return _filter(x, depthwise)


@depthwise_separable.mistake("You mix only. The first step filters each channel.")
def filtering_forgotten(x, depthwise, pointwise):
    return np.einsum("ncij,oc->noij", x, pointwise[:, :, 0, 0])


@depthwise_separable.mistake("Row `o` of the pointwise weight belongs to output `o`: out, in.")
def pointwise_transposed(x, depthwise, pointwise):
    filtered = _filter(x, depthwise)
    return np.einsum("ncij,co->noij", filtered, pointwise[:, :, 0, 0])


@depthwise_separable.mistake(
    "Row `o` of the pointwise weight belongs to output `o`: out, in. `reshape` exchanges no axes."
)
def pointwise_reshaped(x, depthwise, pointwise):
    weight = pointwise.reshape(pointwise.shape[1], pointwise.shape[0])
    return np.einsum("ncij,co->noij", _filter(x, depthwise), weight)


@depthwise_separable.mistake(
    "Each of the C maps has a mixing weight of its own. Are they added before they get it?"
)
def channels_added_first(x, depthwise, pointwise):
    total = _filter(x, depthwise).sum(axis=1)
    return np.einsum("nij,o->noij", total, pointwise[:, 0, 0, 0])


@depthwise_separable.mistake("The first step does not add up the channels: it keeps C maps.")
def channels_added_in_each_map(x, depthwise, pointwise):
    filtered = _filter(x, depthwise)
    total = np.broadcast_to(filtered.sum(axis=1, keepdims=True), filtered.shape)
    return np.einsum("ncij,oc->noij", total, pointwise[:, :, 0, 0])


@depthwise_separable.mistake("Channel `c` has kernel `c`. You use the first kernel for all.")
def first_depthwise_kernel_for_all(x, depthwise, pointwise):
    same = np.broadcast_to(depthwise[:1], depthwise.shape)
    return depthwise_separable.solution(x, same, pointwise)


@depthwise_separable.mistake("Kernel `c` slides over channel `c`. You use one channel for all.")
def first_channel_for_all(x, depthwise, pointwise):
    return depthwise_separable.solution(np.broadcast_to(x[:, :1], x.shape), depthwise, pointwise)


@depthwise_separable.mistake("Each output is a sum over all C maps. You use one of them.")
def one_map_for_each_output(x, depthwise, pointwise):
    filtered = _filter(x, depthwise)
    maps = [filtered[:, o] * pointwise[o, o, 0, 0] for o in range(len(pointwise))]
    return np.stack(maps, axis=1)


@depthwise_separable.mistake("Each output has mixing weights of its own. You use the first ones.")
def first_mixture_for_all(x, depthwise, pointwise):
    same = np.broadcast_to(pointwise[:1], pointwise.shape)
    return depthwise_separable.solution(x, depthwise, same)


@depthwise_separable.mistake("The maps are added with their weights, not averaged.")
def maps_averaged(x, depthwise, pointwise):
    return depthwise_separable.solution(x, depthwise, pointwise / x.shape[1])


@depthwise_separable.mistake("There is no ReLU here: negative numbers remain.")
def relu_between(x, depthwise, pointwise):
    filtered = np.maximum(_filter(x, depthwise), 0)
    return np.einsum("ncij,oc->noij", filtered, pointwise[:, :, 0, 0])


@depthwise_separable.mistake("The maps are right, but the axis of the channels is the second one.")
def separable_channels_last(x, depthwise, pointwise):
    return np.moveaxis(depthwise_separable.solution(x, depthwise, pointwise), 1, -1)


@depthwise_separable.mistake("The output has four axes, and all images of the batch.")
def separable_first_image_only(x, depthwise, pointwise):
    return depthwise_separable.solution(x[:1], depthwise, pointwise)


@depthwise_separable.mistake("The last row and column are missing: the first place needs no step.")
def separable_last_places_missing(x, depthwise, pointwise):
    return depthwise_separable.solution(x, depthwise, pointwise)[:, :, :-1, :-1]


@depthwise_separable.mistake("First filter, then mix: it is the filtered maps that are mixed.")
def mixed_first(x, depthwise, pointwise):
    mixed = np.einsum("ncij,oc->noij", x, pointwise[:, :, 0, 0])
    if len(pointwise) != len(depthwise):
        raise ValueError("there are not as many maps as depthwise kernels")
    return _filter(mixed, depthwise)


@depthwise_separable.mistake("Kernel `c` slides over channel `c` alone. Yours slide over all.")
def each_kernel_on_all_channels(x, depthwise, pointwise):
    total = x.sum(axis=1, keepdims=True)
    return depthwise_separable.solution(np.broadcast_to(total, x.shape), depthwise, pointwise)


@depthwise_separable.mistake("Each output is the sum over the C maps, times their weights.")
def maps_not_added(x, depthwise, pointwise):
    return _filter(x, depthwise) * pointwise


@depthwise_separable.mistake("Each output is the sum over the C maps, times their weights.")
def maps_times_matrix(x, depthwise, pointwise):
    return _filter(x, depthwise) * pointwise[:, :, 0, 0]


@depthwise_separable.mistake(
    "`@` multiplies along the last two axes. Those are rows and columns here."
)
def matrix_product_of_pixels(x, depthwise, pointwise):
    return pointwise @ _filter(x, depthwise)


@depthwise_separable.mistake(
    "`@` multiplies along the last two axes. Those are rows and columns here."
)
def matrix_product_of_rows(x, depthwise, pointwise):
    return pointwise[:, :, 0, 0] @ _filter(x, depthwise)


@depthwise_separable.mistake("Each map overwrites the one before it in the sum. They are added.")
def last_map_only(x, depthwise, pointwise):
    return depthwise_separable.solution(x[:, -1:], depthwise[-1:], pointwise[:, -1:])


@depthwise_separable.mistake("Each output is a sum over all C maps. You use the first one.")
def first_map_only(x, depthwise, pointwise):
    return depthwise_separable.solution(x[:, :1], depthwise[:1], pointwise[:, :1])


@depthwise_separable.mistake("The images of the batch must not be added.")
def images_added(x, depthwise, pointwise):
    return depthwise_separable.solution(x.sum(axis=0, keepdims=True), depthwise, pointwise)


@depthwise_separable.mistake("The maps are right, but the axis of the images is the first one.")
def separable_kernels_first(x, depthwise, pointwise):
    return depthwise_separable.solution(x, depthwise, pointwise).swapaxes(0, 1)


@depthwise_separable.mistake("Only the mixed maps are asked for.")
def both_steps_returned(x, depthwise, pointwise):
    return _filter(x, depthwise), depthwise_separable.solution(x, depthwise, pointwise)


@depthwise_separable.mistake("A depthwise kernel has one slice: it meets one channel at a time.")
def depthwise_as_ordinary(x, depthwise, pointwise):
    if x.shape[1] > 1:
        raise ValueError("the kernels have one slice")
    return depthwise_separable.solution(x, depthwise, pointwise)


@depthwise_separable.mistake("Row `o` of the pointwise weight belongs to output `o`: out, in.")
def pointwise_transposed_by_pixel(x, depthwise, pointwise):
    filtered = _filter(x, depthwise)
    pairs = np.ndindex(pointwise.shape[:2])
    y = np.zeros((len(x), len(pointwise), *filtered.shape[2:]))
    for o, c in pairs:
        y[:, o] += pointwise[c, o, 0, 0] * filtered[:, c]
    return y


@depthwise_separable.mistake("The output has O maps: one for each row of the pointwise weight.")
def first_output_only(x, depthwise, pointwise):
    return depthwise_separable.solution(x, depthwise, pointwise[:1])


@depthwise_separable.mistake("The output has O maps, not as many as the input.")
def as_many_outputs_as_inputs(x, depthwise, pointwise):
    return depthwise_separable.solution(x, depthwise, pointwise[: x.shape[1]])


@depthwise_separable.mistake("The maps are added with the weights of the second step.")
def maps_added_without_weights(x, depthwise, pointwise):
    return _filter(x, depthwise).sum(axis=1, keepdims=True)


@depthwise_separable.mistake("The output has O maps, not as many as the input.")
def outputs_written_over_the_end(x, depthwise, pointwise):
    y = np.zeros_like(_filter(x, depthwise))
    for o, single in enumerate(pointwise):
        y[:, o] = depthwise_separable.solution(x, depthwise, single[None])[:, 0]
    return y


@depthwise_separable.mistake("There is no padding here: the maps are smaller than the image.")
def separable_with_padding(x, depthwise, pointwise):
    x = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    return depthwise_separable.solution(x, depthwise, pointwise)


@depthwise_separable.mistake("Rows and columns of the maps have changed places.")
def separable_maps_transposed(x, depthwise, pointwise):
    return depthwise_separable.solution(x, depthwise, pointwise).swapaxes(2, 3)


@depthwise_separable.mistake("You turned the rows of the kernels. They are used as they are.")
def separable_rows_turned(x, depthwise, pointwise):
    return depthwise_separable.solution(x, depthwise[:, :, ::-1], pointwise)


@depthwise_separable.mistake("The maps are added with the weights of the second step, O times.")
def maps_added_without_axis(x, depthwise, pointwise):
    return _filter(x, depthwise).sum(axis=1)


@depthwise_separable.mistake("There is no ReLU here: negative numbers remain.")
def relu_at_the_end(x, depthwise, pointwise):
    return np.maximum(depthwise_separable.solution(x, depthwise, pointwise), 0)


@depthwise_separable.mistake("There is no ReLU here: negative numbers remain.")
def relu_after_both(x, depthwise, pointwise):
    return np.maximum(relu_between(x, depthwise, pointwise), 0)


_FILTER_FIRST = "First filter, then mix: the depthwise kernels meet the channels of `x`."


@depthwise_separable.mistake(_FILTER_FIRST)
def mixed_first_by_index(x, depthwise, pointwise):
    mixed = np.einsum("ncij,oc->noij", x, pointwise[:, :, 0, 0])
    kernels = [depthwise[o] for o in range(len(pointwise))]
    return _filter(mixed, np.stack(kernels))


@depthwise_separable.mistake(_FILTER_FIRST)
def mixed_first_by_broadcasting(x, depthwise, pointwise):
    mixed = np.einsum("ncij,oc->noij", x, pointwise[:, :, 0, 0])
    windows = np.lib.stride_tricks.sliding_window_view(mixed, depthwise.shape[2:], axis=(2, 3))
    return (windows * depthwise[:, 0][:, None, None]).sum(axis=(4, 5))


@depthwise_separable.mistake(_FILTER_FIRST)
def mixed_first_with_as_many_maps(x, depthwise, pointwise):
    mixed = np.einsum("ncij,oc->noij", x, pointwise[:, :, 0, 0])
    return _filter(mixed[:, : len(depthwise)], depthwise[: mixed.shape[1]])


@depthwise_separable.mistake("There is no padding here: the maps are smaller than the image.")
def separable_padded_to_size(x, depthwise, pointwise):
    sides = [((side - 1) // 2, side // 2) for side in depthwise.shape[2:]]
    return depthwise_separable.solution(np.pad(x, ((0, 0), (0, 0), *sides)), depthwise, pointwise)


_STOPS_EARLY = "The loops over the places stop too early: the first place needs no step."


@depthwise_separable.mistake(_STOPS_EARLY)
def separable_last_places_zero(x, depthwise, pointwise):
    y = depthwise_separable.solution(x, depthwise, pointwise)
    y[:, :, -1] = y[:, :, :, -1] = 0
    return y


@depthwise_separable.mistake(_STOPS_EARLY)
def separable_last_row_zero(x, depthwise, pointwise):
    y = depthwise_separable.solution(x, depthwise, pointwise)
    y[:, :, -1] = 0
    return y


@depthwise_separable.mistake(_STOPS_EARLY)
def separable_last_column_zero(x, depthwise, pointwise):
    y = depthwise_separable.solution(x, depthwise, pointwise)
    y[:, :, :, -1] = 0
    return y


@depthwise_separable.mistake("All products of a window are added up, not only the last one.")
def separable_last_product_only(x, depthwise, pointwise):
    last = np.zeros_like(depthwise)
    last[:, :, -1, -1] = depthwise[:, :, -1, -1]
    return depthwise_separable.solution(x, last, pointwise)


@depthwise_separable.mistake("Rows and columns of the depthwise kernels are exchanged.")
def separable_kernel_transposed(x, depthwise, pointwise):
    if depthwise.shape[2] != depthwise.shape[3]:
        raise ValueError("rows and columns of the kernel do not fit")
    return depthwise_separable.solution(x, depthwise.swapaxes(2, 3), pointwise)


@depthwise_separable.mistake("You turned the columns of the kernels. They are used as they are.")
def separable_columns_turned(x, depthwise, pointwise):
    return depthwise_separable.solution(x, depthwise[..., ::-1], pointwise)


@depthwise_separable.mistake("The products of a window are added, not averaged.")
def windows_averaged(x, depthwise, pointwise):
    return depthwise_separable.solution(x, depthwise / depthwise[0].size, pointwise)


@depthwise_separable.mistake("Each output has mixing weights of its own. You use the last ones.")
def last_mixture_for_all(x, depthwise, pointwise):
    same = np.broadcast_to(pointwise[-1:], pointwise.shape)
    return depthwise_separable.solution(x, depthwise, same)


@depthwise_separable.mistake("The mixing weights are missing: each output weights the C maps anew.")
def maps_added_for_each_output(x, depthwise, pointwise):
    return depthwise_separable.solution(x, depthwise, np.ones_like(pointwise))


@depthwise_separable.mistake("The weights of the depthwise kernels are missing.")
def depthwise_without_weights(x, depthwise, pointwise):
    return depthwise_separable.solution(x, np.ones_like(depthwise), pointwise)


@depthwise_separable.mistake("Channel `c` has kernel `c`. You use the last kernel for all.")
def last_depthwise_kernel_for_all(x, depthwise, pointwise):
    same = np.broadcast_to(depthwise[-1:], depthwise.shape)
    return depthwise_separable.solution(x, same, pointwise)


@depthwise_separable.mistake("The depthwise kernels are not added: channel `c` has kernel `c`.")
def depthwise_kernels_added(x, depthwise, pointwise):
    total = np.broadcast_to(depthwise.sum(axis=0, keepdims=True), depthwise.shape)
    return depthwise_separable.solution(x, total, pointwise)


@depthwise_separable.mistake("Every image has maps of its own. You use the first image for all.")
def separable_first_image_for_all(x, depthwise, pointwise):
    return depthwise_separable.solution(np.repeat(x[:1], len(x), axis=0), depthwise, pointwise)


@depthwise_separable.mistake("The stride is 1: windows overlap.")
def separable_stride_of_kernel(x, depthwise, pointwise):
    y = depthwise_separable.solution(x, depthwise, pointwise)
    return y[:, :, :: depthwise.shape[2], :: depthwise.shape[3]]


_NOT_SQUARE = "An output need not be square: it has H - kH + 1 rows and W - kW + 1 columns."


@depthwise_separable.mistake(_NOT_SQUARE)
def separable_output_as_wide_as_high(x, depthwise, pointwise):
    y = depthwise_separable.solution(x, depthwise, pointwise)
    return y[..., : y.shape[2]]


@depthwise_separable.mistake(_NOT_SQUARE)
def separable_output_as_high_as_wide(x, depthwise, pointwise):
    if x.shape[2] - depthwise.shape[2] != x.shape[3] - depthwise.shape[3]:
        raise ValueError("there are not as many rows as columns")
    return depthwise_separable.solution(x, depthwise, pointwise)


@depthwise_separable.mistake("The sum begins at 0 for each output.")
def sum_never_reset(x, depthwise, pointwise):
    return np.cumsum(depthwise_separable.solution(x, depthwise, pointwise), axis=1)
