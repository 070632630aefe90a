"""Functions that fill weights draw the same numbers as PyTorch from the same seed."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from convlab import init

shapes = st.lists(st.integers(1, 7), min_size=2, max_size=5)
dtypes = st.sampled_from([torch.float32, torch.float64, torch.float16, torch.bfloat16])
seeds = st.integers(0, 2**32)
modes = st.sampled_from(["fan_in", "fan_out"])
slopes = st.floats(0, 3)
after = st.sampled_from(["linear", "relu", "leaky_relu", "tanh", "sigmoid", "selu"])


def filled(fill, shape, dtype, seed, *arguments, **options):
    """Fill a tensor with the default generator, and check that another generator gives the same."""
    torch.manual_seed(seed)
    first = fill(torch.empty(shape, dtype=dtype), *arguments, **options)
    own = torch.Generator().manual_seed(seed)
    second = fill(torch.empty(shape, dtype=dtype), *arguments, generator=own, **options)
    assert torch.equal(first, second)
    return first


@settings(max_examples=150)
@given(st.sampled_from(["kaiming_normal_", "kaiming_uniform_"]), shapes, dtypes, seeds,
       slopes, modes, after)  # fmt: skip
def test_kaiming(name, shape, dtype, seed, a, mode, nonlinearity):
    case = shape, dtype, seed, a, mode, nonlinearity
    assert torch.equal(filled(getattr(init, name), *case), filled(getattr(nn.init, name), *case))


@settings(max_examples=150)
@given(st.sampled_from(["xavier_normal_", "xavier_uniform_"]), shapes, dtypes, seeds,
       st.floats(0, 4))  # fmt: skip
def test_xavier(name, shape, dtype, seed, gain):
    case = shape, dtype, seed, gain
    assert torch.equal(filled(getattr(init, name), *case), filled(getattr(nn.init, name), *case))


def test_the_defaults_of_the_arguments_are_pytorchs():
    for name in ("kaiming_normal_", "kaiming_uniform_", "xavier_normal_", "xavier_uniform_"):
        case = (6, 4, 3, 3), torch.float32, 11
        assert torch.equal(
            filled(getattr(init, name), *case), filled(getattr(nn.init, name), *case)
        )


@st.composite
def layers(draw):
    """Draw a function that builds a convolution or a linear layer."""
    groups = draw(st.integers(1, 3))
    inner, outer = draw(st.integers(1, 5)), draw(st.integers(1, 5))
    size = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    bias, dtype = draw(st.booleans()), draw(dtypes)
    if draw(st.booleans()):
        return lambda: nn.Linear(inner, outer, bias=bias, dtype=dtype)
    return lambda: nn.Conv2d(
        inner * groups, outer * groups, size, groups=groups, bias=bias, dtype=dtype
    )


@settings(max_examples=200)
@given(layers(), seeds)
def test_the_default_is_that_of_new_layers(build, seed):
    torch.manual_seed(seed)
    expected, behind = build(), torch.rand(1)
    ours = build()
    torch.manual_seed(seed)
    assert init.default_(ours.weight, ours.bias) is None
    assert torch.equal(ours.weight, expected.weight)
    assert (ours.bias is None) == (expected.bias is None)
    assert ours.bias is None or torch.equal(ours.bias, expected.bias)
    assert torch.equal(torch.rand(1), behind)  # and not a number more was drawn


def test_the_default_does_not_depend_on_the_layout_in_memory():
    torch.manual_seed(3)
    expected = nn.Conv2d(6, 8, 3)
    ours = nn.Conv2d(6, 8, 3).to(memory_format=torch.channels_last)
    init.default_(ours.weight, ours.bias, generator=torch.Generator().manual_seed(3))
    assert torch.equal(ours.weight, expected.weight)
    assert torch.equal(ours.bias, expected.bias)
    assert ours.weight.is_contiguous(memory_format=torch.channels_last)


def test_parameters_stay_leaves_that_require_gradients():
    layer = nn.Conv2d(2, 2, 3)
    init.default_(layer.weight, layer.bias)
    assert init.kaiming_normal_(layer.weight) is layer.weight
    assert layer.weight.requires_grad
    assert layer.weight.is_leaf
    assert layer.weight.grad_fn is None


def test_an_empty_weight_stays_and_its_bias_becomes_zero():
    weight, bias = torch.empty(4, 0, 3, 3), torch.ones(4)
    init.default_(weight, bias)
    assert bias.tolist() == [0, 0, 0, 0]
    for fill in (init.kaiming_normal_, init.kaiming_uniform_, init.xavier_normal_,
                 init.xavier_uniform_):  # fmt: skip
        assert fill(weight) is weight
    assert init.xavier_uniform_(torch.empty(0, 0)).shape == (0, 0)


def test_on_the_meta_device_nothing_is_drawn():
    before = torch.get_rng_state()
    with torch.device("meta"):
        init.default_(torch.empty(4, 2, 3, 3), torch.empty(4))
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("fill", [init.kaiming_normal_, init.kaiming_uniform_])
def test_groups_make_the_fan_out_smaller_and_the_weights_larger(fill):
    numbers = [fill(torch.empty(32, 1, 3, 3), mode="fan_out", groups=g,
                    generator=torch.Generator().manual_seed(0)) for g in (1, 32)]  # fmt: skip
    torch.testing.assert_close(numbers[1], numbers[0] * 32**0.5)


@pytest.mark.parametrize("fill", [init.xavier_normal_, init.xavier_uniform_])
def test_groups_make_the_xavier_fan_sum_smaller(fill):
    numbers = [fill(torch.empty(32, 1, 3, 3), groups=g,
                    generator=torch.Generator().manual_seed(0)) for g in (1, 32)]  # fmt: skip
    torch.testing.assert_close(numbers[1], numbers[0] * (33 / 2) ** 0.5)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: init.default_(torch.empty(3)), ValueError, r"at least 2 axes.*\(3,\)"),
        (lambda: init.kaiming_normal_(torch.empty(3)), ValueError, r"at least 2 axes.*\(3,\)"),
        (lambda: init.xavier_normal_(torch.empty(3)), ValueError, r"at least 2 axes.*\(3,\)"),
        (lambda: init.kaiming_uniform_(torch.empty(3, 3), mode="fan_avg"), ValueError,
         "mode must be 'fan_in' or 'fan_out', got 'fan_avg'"),
        (lambda: init.kaiming_uniform_(torch.empty(3, 3), nonlinearity="swish"), ValueError,
         "got 'swish'"),
        (lambda: init.xavier_uniform_(torch.empty(3, 3), gain=-1), ValueError, "std .* got -"),
        (lambda: init.xavier_uniform_(torch.empty(3, 3), groups=2), ValueError, "3 kernels"),
    ],
)  # fmt: skip
def test_invalid_weights_and_arguments_are_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()
