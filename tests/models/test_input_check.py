"""The check of the input images: accepted and refused shapes."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from convlab.models import LeNet5, SimpleCNN
from convlab.models.input_check import ExpectImages, smallest_input

layers = st.one_of(
    st.builds(
        nn.Conv2d, st.just(1), st.just(1), kernel_size=st.integers(1, 5), stride=st.integers(1, 3),
        padding=st.integers(0, 2), dilation=st.integers(1, 2),
    ),
    st.builds(nn.MaxPool2d, kernel_size=st.integers(2, 4), stride=st.integers(1, 3)),
    st.just(nn.ReLU()),
)  # fmt: skip


@settings(max_examples=100)
@given(st.lists(layers, max_size=4), st.integers(1, 3))
def test_the_smallest_input_is_the_first_that_torch_takes(chain, output_size):
    def accepted(size):
        try:
            return nn.Sequential(*chain)(torch.zeros(1, 1, size, size)).shape[-1] >= output_size
        except RuntimeError:
            return False

    smallest = smallest_input(chain, output_size)
    assert accepted(smallest)
    assert smallest == 1 or not accepted(smallest - 1)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (torch.zeros(3, 32, 32), ValueError, r"\(3, 32, 32\); images\[None\] makes a batch of one"),
        (torch.zeros(2, 1, 32, 32), ValueError, r"\(N, 3, height, width\), got \(2, 1, 32, 32\)"),
        (torch.zeros(3, 32), ValueError, r"got \(3, 32\)$"),
        ([[1.0]], TypeError, "SimpleCNN takes a tensor of images, got list"),
    ],
)
def test_inputs_other_than_batches_of_images_are_refused(arguments, error, message):
    with pytest.raises(error, match=message):
        SimpleCNN()(arguments)


def test_an_empty_batch_and_an_argument_by_name_are_let_through():
    model = SimpleCNN().eval()
    assert model(torch.zeros(0, 3, 32, 32)).shape == (0, 10)
    assert model(x=torch.zeros(1, 3, 32, 32)).shape == (1, 10)


def test_the_check_is_not_in_the_state_and_can_be_compared():
    assert [name for name in LeNet5().state_dict() if "hook" in name] == []
    assert ExpectImages(3, 4) == ExpectImages(3, smallest=4, largest=None)
