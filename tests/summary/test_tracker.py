"""Tensors that are written in place."""

import torch
from torch import nn

from convlab.summary import summary
from tests.summary.dependence import check
from tests.summary.networks import Block


def shifted(x):
    """Move a map down by one row, by writing into a view."""
    moved = torch.zeros_like(x)
    moved[:, :, 1:] = x[:, :, :-1]
    return moved


def test_a_tensor_depends_on_what_was_written_into_a_view_of_it():
    model = nn.Sequential(Block(lambda self, x: x + shifted(x)))
    assert check(model, 1, (4, 3)) != []  # unknown, not one cell
    found = summary(
        Block(lambda self, x: self.conv(shifted(x)), conv=nn.Conv2d(1, 2, 3)), (1, 6, 6)
    )
    assert found.layers[-1].parameters == 20
    assert found.parameters_unused == 0


def test_a_tensor_given_as_out_depends_on_the_input():
    def forward(self, x):
        halves = torch.zeros(1, 2, 2, 3), torch.zeros(1, 2, 2, 3)
        torch.split_with_sizes_copy(x, [2, 2], dim=2, out=halves)
        return x + torch.cat(halves[::-1], 2)

    assert summary(Block(forward), (2, 4, 3)).layers[-1].receptive_field is None
