"""The ordinary weight of a grouped convolution, and the channel shuffle."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional as F

from convlab.ops import channel_shuffle, conv2d, ungrouped_weight

SMALL = st.integers(1, 4)


@given(SMALL, SMALL, SMALL, st.integers(0, 2**32 - 1))
def test_the_ungrouped_weight_makes_the_same_layer(groups, depth, kernels, seed):
    random = np.random.default_rng(seed)
    x = random.normal(size=(2, groups * depth, 5, 4))
    w = random.normal(size=(groups * kernels, depth, 3, 2))
    whole = ungrouped_weight(w, groups)
    assert whole.shape == (groups * kernels, groups * depth, 3, 2)
    np.testing.assert_allclose(conv2d(x, whole), conv2d(x, w, groups=groups), atol=1e-12)
    theirs = F.conv2d(torch.tensor(x), torch.tensor(w), groups=groups)
    np.testing.assert_allclose(F.conv2d(torch.tensor(x), torch.tensor(whole)), theirs, atol=1e-12)


def test_the_new_weight_holds_the_old_numbers_and_zeros():
    w = np.arange(1.0, 13.0, dtype=np.float32).reshape(6, 2, 1, 1)
    whole = ungrouped_weight(w, groups=3)
    assert whole.dtype == np.float32
    np.testing.assert_array_equal(whole[whole != 0], w.ravel())
    np.testing.assert_array_equal(whole[2:4, 2:4], w[2:4])


def test_one_group_is_a_copy():
    w = np.ones((2, 3, 1, 1))
    whole = ungrouped_weight(w)
    np.testing.assert_array_equal(whole, w)
    assert not np.shares_memory(whole, w)


@given(SMALL, SMALL, st.booleans())
def test_the_shuffle_is_pytorchs(groups, depth, unbatched):
    x = np.random.default_rng(groups).normal(size=(2, groups * depth, 3, 2))
    x = x[0] if unbatched else x
    expected = F.channel_shuffle(torch.tensor(x).reshape(-1, *x.shape[-3:]), groups)
    np.testing.assert_array_equal(channel_shuffle(x, groups), expected.numpy().reshape(x.shape))


def test_shuffling_with_the_other_factor_undoes_it():
    x = np.arange(12).reshape(1, 12, 1, 1)
    np.testing.assert_array_equal(channel_shuffle(channel_shuffle(x, 3), 4), x)


def test_the_shuffle_leaves_its_input_alone():
    x = np.arange(4.0).reshape(4, 1, 1)
    channel_shuffle(x, 1)[:] = 9
    np.testing.assert_array_equal(x.ravel(), [0, 1, 2, 3])


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: ungrouped_weight(np.ones((4, 2)), 2), ValueError, r"got shape \(4, 2\)"),
        (lambda: ungrouped_weight(np.ones((4, 0, 1, 1)), 2), ValueError, "no size of 0"),
        (lambda: ungrouped_weight(np.ones((5, 2, 1, 1)), 2), ValueError, "out_channels=5 .* 2"),
        (lambda: ungrouped_weight(np.ones((4, 2, 1, 1)), 0), ValueError, "groups .* got 0"),
        (lambda: ungrouped_weight(np.ones((4, 2, 1, 1)), 2.0), TypeError, "groups must be an int"),
        (lambda: ungrouped_weight([[1], [1, 2]]), TypeError, "weight cannot be read as an array"),
        (lambda: channel_shuffle(np.ones((5, 2, 2)), 2), ValueError, "5 channels.*groups=2"),
        (lambda: channel_shuffle(np.ones((4, 2)), 2), ValueError, "got 2 dimensions"),
        (lambda: channel_shuffle(np.ones((4, 0, 2)), 2), ValueError, "must be at least 1"),
        (lambda: channel_shuffle(np.ones((4, 2, 2)), 0), ValueError, "groups .* got 0"),
        (lambda: channel_shuffle(np.ones((4, 2, 2)), "2"), TypeError, "groups must be an int"),
        (lambda: channel_shuffle([[1], [1, 2]], 1), TypeError, "input cannot be read"),
    ],
)
def test_groups_that_do_not_divide_are_rejected(call, error, message):
    with pytest.raises(error, match=message):
        call()
