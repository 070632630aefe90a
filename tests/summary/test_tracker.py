"""Tensors that are written in place, and numbers that are read from tensors."""

import pytest
import torch
import torch.nn.functional as F
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


@pytest.mark.parametrize("read", [torch.Tensor.tolist, torch.Tensor.numpy, torch.Tensor.item])
def test_numbers_read_from_the_image_make_later_fields_unknown(read):
    def forward(self, x):
        numbers = read(x.mean())
        return self.conv(x * float(numbers))

    found = summary(Block(forward, conv=nn.Conv2d(2, 2, 3)), (2, 6, 6))
    assert found.layers[-1].receptive_field is None


def normalized(function):
    """Return the field of a layer behind a function of the image and of running statistics."""
    model = Block(lambda self, x: self.conv(function(x, self.mean, self.var)))
    model.conv = nn.Conv2d(2, 2, 3)
    model.register_buffer("mean", torch.zeros(2))
    model.register_buffer("var", torch.ones(2))
    field = summary(model, (2, 6, 6)).layers[-1].receptive_field
    return field and field.size


def update(x, mean, var, training=True):
    return F.batch_norm(x, mean, var, training=training)


aten = torch.ops.aten


@pytest.mark.parametrize(
    ("function", "size"),
    [
        (update, (6, 6)),
        (lambda x, mean, var: update(x, mean, var, training=False), (3, 3)),
        (lambda x, mean, var: F.batch_norm(x, None, None, training=True), (6, 6)),
        (lambda x, mean, var: nn.BatchNorm2d(2, track_running_stats=False).eval()(x), (6, 6)),
        (F.instance_norm, (6, 6)),
        (lambda x, mean, var: F.instance_norm(x, mean, var, use_input_stats=False), (3, 3)),
        (lambda x, mean, var: update(update(x, mean, var), mean, var), (6, 6)),
        (lambda x, mean, var: update(update(x, mean, var), mean, var, training=False), None),
        (lambda x, mean, var: (update(x, mean, var), x * mean.view(2, 1, 1))[1], None),
        (lambda x, mean, var: (F.instance_norm(x, mean, var), x - var.view(2, 1, 1))[1], None),
        (lambda x, mean, var: (update(x, mean, var, False), x * mean.view(2, 1, 1))[1], (3, 3)),
        (lambda x, mean, var: (update(x * 0 + 1, mean, var), x + 1)[1], (3, 3)),
        (lambda x, mean, var: (update(torch.ones(2, 2), mean, var), x * mean[0])[1], (3, 3)),
        (lambda *xs: aten._native_batch_norm_legit(xs[0], None, None, *xs[1:], False, 0.1, 1)[0],
         (3, 3)),
        (lambda *xs: aten._batch_norm_no_update(xs[0], None, None, *xs[1:], 0.1, 1)[0], (3, 3)),
        (lambda *xs: aten._batch_norm_with_update(xs[0], None, None, *xs[1:], 0.1, 1)[0], (6, 6)),
    ],
)  # fmt: skip
def test_statistics_depend_on_the_input_once_they_were_updated(function, size):
    assert normalized(function) == size


@pytest.mark.parametrize(
    ("function", "size"),
    [
        (lambda x: x * len(x.unique()), None),
        (lambda x: x[:, :, len(x[0, 0].nonzero()) // 27 :], None),
        (lambda x: x * x[x > 0].numel(), None),
        (lambda x: x * torch.masked_select(x, x > 0).shape[0], None),
        (lambda x: x * torch.arange(9.0)[torch.ones(9) > 0].numel(), (3, 3)),
        (lambda x: (x[:, :, x[0, 0, 0].argsort()], x * x.numel())[1], (3, 3)),
    ],
)
def test_the_size_of_what_was_selected_is_a_number_that_was_read(function, size):
    model = Block(lambda self, x: self.conv(function(x)), conv=nn.Conv2d(2, 2, 3))
    field = summary(model, (2, 9, 9)).layers[-1].receptive_field
    assert (field and field.size) == size
