"""Tests of solutions and right values against PyTorch and convlab."""

from random import Random

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from convlab.check import EXERCISES
from convlab.check.comparing import difference
from convlab.shapes import adaptive_windows, path_counts, receptive_fields


def conv2d(x, w, b=None, *settings, **options):
    return F.conv2d(
        *(None if a is None else torch.tensor(a) for a in (x, w, b)), *settings, **options
    )


def pad_row(row, padding, mode):
    row = torch.tensor(row)[None, None]
    mode = "constant" if mode == "zeros" else mode
    return F.pad(row, (padding, padding), mode=mode).flatten().tolist()


def times_read(size, kernel_size, padding):
    each_pixel, ones = torch.eye(size)[:, None], torch.ones(1, 1, kernel_size)
    return F.conv1d(each_pixel, ones, padding=padding).sum(dim=(1, 2)).int().tolist()


def first_hole(dilations, kernel_size):
    paths = path_counts([(kernel_size, 1, dilation) for dilation in dilations])[0]
    return paths.index(0) if 0 in paths else -1


THEIRS = {
    "output_cell": lambda x, kernel, i, j: conv2d(x[None], kernel[None])[0, 0, i, j].item(),
    "conv2d": conv2d,
    "num_parameters": lambda *arguments: sum(
        parameter.numel()
        for parameter in nn.Conv2d(
            *arguments[:3], groups=arguments[3], bias=arguments[4]
        ).parameters()
    ),
    "weight_shape": lambda c, o, k, groups: nn.Conv2d(c, o, k, groups=groups).weight.shape,
    "pad_row": pad_row,
    "times_read": times_read,
    "conv2d_grouped": lambda x, w, groups: conv2d(x, w, groups=groups),
    "depthwise_separable": lambda x, depthwise, pointwise: conv2d(
        conv2d(x, depthwise, groups=x.shape[1]).numpy(), pointwise
    ),
    "shuffle_channels": lambda x, groups: nn.ChannelShuffle(groups)(torch.tensor(x)),
    "dilated_row_output": lambda row, weights, dilation: (
        F.conv1d(
            torch.tensor(row)[None, None], torch.tensor(weights)[None, None], dilation=dilation
        )
        .flatten()
        .tolist()
    ),
    "receptive_field": lambda layers: receptive_fields(layers)[-1][0].size if layers else 1,
    "first_hole": first_hole,
    "max_pool2d": lambda x, *settings: F.max_pool2d(torch.tensor(x), *settings),
    "global_average": lambda x: F.adaptive_avg_pool2d(torch.tensor(x), 1).flatten(1),
    "adaptive_slices": lambda size, output_size: list(adaptive_windows(size, output_size)),
    "im2col": lambda x, kernel_size: F.unfold(torch.tensor(x), kernel_size),
    "multiply_columns": lambda columns, w, out_h, out_w: F.fold(
        torch.tensor(w).flatten(1) @ torch.tensor(columns), (out_h, out_w), 1
    ),
    "winograd_pair": lambda d, g: np.correlate(d, g, mode="valid"),
}


@pytest.mark.parametrize("name", THEIRS)
def test_a_solution_agrees_with_pytorch_or_convlab(name):
    exercise = EXERCISES[name]
    for arguments in exercise.cases(Random(1)):
        theirs = THEIRS[name](*arguments)
        assert difference(theirs, exercise.solution(*arguments)) is None


def test_the_numbers_of_a_padding_are_those_that_pytorch_makes():
    exercise = EXERCISES["pad_numbers"]
    for (padding,) in exercise.cases(Random(1)):
        layer = nn.Conv2d(1, 1, 1, padding=padding, padding_mode="reflect")
        assert exercise.solution(padding) == tuple(layer._reversed_padding_repeated_twice)


def test_values_that_were_worked_out_by_hand():
    def agrees(name, tensor):
        return np.allclose(tensor.flatten().tolist(), EXERCISES[name].numbers)

    image = torch.tensor([[[1.0, 0, 2, 3], [4, 1, 0, 1], [2, 5, 1, 0]]])
    assert agrees("slide_by_hand", F.conv2d(image, torch.tensor([[[[1.0, 2], [-1, 3]]]])))
    window = torch.tensor([[[2.0, 1], [1, 3]], [[1, 4], [2, 0]]])
    slices = torch.tensor([[[[1.0, 0], [5, -1]], [[3, 1], [0, 5]]]])
    assert agrees("two_channels", F.conv2d(window, slices, torch.tensor([10.0])))
    row = torch.tensor([[9.0, 6, 12, 3, 15]])
    assert agrees("mean_at_border", F.avg_pool1d(row, 3, stride=2, padding=1))
    light = torch.full((1, 20, 20), 50.0)
    blurred = F.conv2d(light, torch.full((1, 1, 5, 5), 1 / 25), padding=2)[0]
    assert agrees("dark_corner", torch.stack([blurred[0, 0], blurred[0, 10]]))
    dilated = F.conv1d(
        torch.tensor([[4.0, 1, 5, 9, 2, 6, 8]]), torch.tensor([[[1.0, 2, -1]]]), dilation=2
    )
    assert agrees("dilated_row", dilated)


@pytest.mark.parametrize("size", range(1, 12))
def test_the_second_mirror_breaks_where_the_exercise_says(size):
    layer = nn.Conv2d(1, 1, 7, stride=2, padding=3, padding_mode="reflect")
    accepted = 0
    maps = torch.zeros(1, 1, size, size)
    try:
        for _ in range(2):
            maps = layer(maps)
            accepted += 1
    except RuntimeError:
        pass
    assert (EXERCISES["break_mirror"].objection(size) is None) == (accepted == 1)


@pytest.mark.parametrize(("channels", "groups"), [(8, 4), (9, 3), (6, 3), (8, 2), (12, 4), (12, 3)])
def test_a_shuffle_mixes_all_where_the_exercise_says(channels, groups):
    layer = nn.Conv2d(channels, channels, 1, groups=groups)
    network = nn.Sequential(layer, nn.ChannelShuffle(groups), layer)
    spoiled = torch.zeros(channels, channels, 1, 1)
    spoiled[range(channels), range(channels)] = float("nan")
    mixes_all = network(spoiled).isnan().all().item()
    assert (EXERCISES["break_shuffle"].objection((channels, groups)) is None) != mixes_all
