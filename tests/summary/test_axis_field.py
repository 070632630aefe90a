"""Fields along one axis: packed dimensions and crops."""

import pytest
import torch
from torch import nn

from convlab.shapes import ReceptiveField
from convlab.summary import summary
from convlab.summary.axis_field import AxisField
from tests.summary.dependence import check
from tests.summary.networks import Block


def test_each_index_of_a_packed_dimension_has_the_field_of_its_row_or_column():
    rows = AxisField(dim=2, num_units=4, inner_size=3, units=ReceptiveField())
    columns = AxisField(dim=2, num_units=3, inner_size=1, units=ReceptiveField())
    assert rows.intervals(12) == [(i // 3, i // 3 + 1) for i in range(12)]
    assert columns.intervals(12) == [(i % 3, i % 3 + 1) for i in range(12)]


@pytest.mark.parametrize(
    "function",
    [
        lambda self, x: x.flatten(2)[..., 4:9:2],
        lambda self, x: x.flatten(2).flip(2),
        lambda self, x: torch.cat([x.flatten(2), x.flatten(2)[..., 5:]], 2),
        lambda self, x: x.flatten(2)[..., 7],
    ],
)
def test_parts_of_a_flattened_map_are_known_exactly(function):
    model = nn.Sequential(nn.Conv2d(2, 2, (3, 1), stride=(2, 1)), Block(function))
    assert check(model, 2, (9, 3)) == []


def test_a_crop_moves_the_start_by_a_jump_for_each_cell():
    crop = Block(lambda self, x: self.conv(x[..., 1:, 2:]), conv=nn.Conv2d(1, 1, 1))
    model = nn.Sequential(nn.Conv2d(1, 1, 3, stride=2), crop)
    field = summary(model, (1, 11, 11)).layers[-1].receptive_field
    assert (field.size, field.jump, field.start) == ((3, 3), (2, 2), (2, 4))


def test_a_single_cell_may_be_flattened():
    model = nn.Sequential(nn.MaxPool2d(4), nn.Flatten(), nn.Linear(1, 2))
    field = summary(model, (1, 4, 4)).layers[-1].receptive_field
    assert (field.size, field.whole) == ((4, 4), (True, True))


def test_branches_with_different_jumps_have_a_field_per_unit():
    model = Block(lambda self, x: self.conv(x) + x[..., :4, :4], conv=nn.Conv2d(1, 1, 1, stride=2))
    assert check(nn.Sequential(model), 1, (8, 8)) == []
    field = summary(model, (1, 8, 8)).layers[-1].receptive_field
    assert (field.size, field.jump, field.start) == ((4, 4), (None, None), (0, 0))


@pytest.mark.parametrize("dims", [1, 2, 3, (1, 2), (1, 3), (2, 3)])
def test_a_reduction_removes_dimensions_before_and_after_that_of_an_axis(dims):
    reduced = Block(lambda self, x: x.sum(dims))
    assert check(nn.Sequential(nn.Conv2d(2, 2, (2, 1)), reduced), 2, (5, 3)) == []


@pytest.mark.parametrize("groups", [1, 2])
def test_only_a_convolution_without_groups_reads_a_whole_axis_that_became_channels(groups):
    model = Block(lambda self, x: self.conv(x.mT.transpose(1, 3)))
    model.conv = nn.Conv2d(4, 4, 1, groups=groups)
    unknown = check(nn.Sequential(model), 2, (4, 3))
    assert bool(unknown) == (groups == 2)
