"""`pad2d` is `torch.nn.functional.pad` for images."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from convlab.ops import PADDING_MODES, pad2d, pad2d_backward

ROW = np.array([[[1, 2, 3, 4]]])


@settings(max_examples=300)
@given(
    shape=st.sampled_from([(), (0,), (2,)]).flatmap(
        lambda n: st.tuples(*map(st.just, n), *[st.integers(1, 4)] * 3)
    ),
    sides=st.tuples(*[st.integers(0, 5)] * 4),
    mode=st.sampled_from(list(PADDING_MODES)),
)
def test_the_border_is_that_of_pytorch_or_both_raise(shape, sides, mode):
    x = np.random.default_rng(0).normal(size=shape)
    torch_mode = "constant" if mode == "zeros" else mode
    try:
        expected = torch.nn.functional.pad(torch.from_numpy(x), sides, mode=torch_mode)
    except RuntimeError:
        with pytest.raises(ValueError, match=r"\d"):
            pad2d(x, sides, mode)
    else:
        np.testing.assert_array_equal(pad2d(x, sides, mode), expected.numpy())


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("zeros", [0, 0, 1, 2, 3, 4, 0, 0]),
        ("reflect", [3, 2, 1, 2, 3, 4, 3, 2]),
        ("replicate", [1, 1, 1, 2, 3, 4, 4, 4]),
        ("circular", [3, 4, 1, 2, 3, 4, 1, 2]),
    ],
)
def test_the_border_of_a_row_in_each_mode(mode, expected):
    assert pad2d(ROW, (0, 2), mode).tolist() == [[expected]]


def test_two_numbers_are_height_and_width_four_are_left_right_top_bottom():
    assert pad2d(ROW, 1).shape == (1, 3, 6)
    assert pad2d(ROW, (1, 0)).shape == (1, 3, 4)
    assert pad2d(ROW, (5,)).shape == (1, 11, 14)
    assert pad2d(ROW, (0, 1, 2, 3)).shape == (1, 6, 5)
    assert pad2d(ROW, [1, 0, 0, 0])[0, 0].tolist() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("dtype", [np.uint8, np.int64, np.float16, np.float32, np.complex64, bool])
@pytest.mark.parametrize("mode", PADDING_MODES)
def test_the_dtype_is_kept_and_the_input_left_alone(dtype, mode):
    x = ROW.astype(dtype)
    padded = pad2d(x, (0, 1), mode)
    assert padded.dtype == dtype
    padded[...] = 0
    np.testing.assert_array_equal(x, ROW.astype(dtype))


def test_no_padding_still_gives_a_copy():
    padded = pad2d(ROW, 0)
    assert not np.shares_memory(padded, ROW)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((ROW[0], 1), ValueError, r"got 2 dimensions: \(1, 4\)"),
        ((ROW[:, :0], 1), ValueError, r"shape \(1, 0, 4\)"),
        ((ROW, -1), ValueError, "padding must be at least 0, got -1"),
        ((ROW, (0, 0, -2, 0)), ValueError, r"padding\[2\] must be at least 0, got -2"),
        ((ROW, (1, 2, 3)), ValueError, r"\(left, right, top, bottom\), got 3 values"),
        ((ROW, ()), ValueError, "got 0 values"),
        ((ROW, ((1, 2),)), ValueError, "got 1 values"),
        ((ROW, 2**63), ValueError, "more than any memory can hold"),
        ((np.ma.masked_array(ROW, ROW > 2), 1), TypeError, "masked array .* shape"),
        ((ROW, 1.5), TypeError, "got float 1.5"),
        ((ROW, "same"), TypeError, "got str 'same'"),
        ((ROW, "four"), TypeError, "got str 'four'"),
        ((ROW, 1, "constant"), ValueError, "mode must be one of 'zeros', .* got 'constant'"),
        ((ROW, (0, 4), "reflect"), ValueError, "padding of 4 and 4 .* width is 4, .* at most 3"),
        ((ROW, (0, 5), "circular"), ValueError, "padding of 5 and 5 .* width is 4, .* at most 4"),
        ((ROW, (1, 0), "reflect"), ValueError, "height is 1, which allows at most 0"),
    ],
)
def test_an_impossible_border_is_rejected_with_the_numbers(arguments, error, message):
    with pytest.raises(error, match=message):
        pad2d(*arguments)


@settings(max_examples=400)
@given(
    shape=st.sampled_from([(), (0,), (2,)]).flatmap(
        lambda n: st.tuples(*map(st.just, n), *[st.integers(1, 4)] * 3)
    ),
    sides=st.tuples(*[st.integers(0, 5)] * 4),
    mode=st.sampled_from(list(PADDING_MODES)),
)
def test_the_gradient_is_that_of_autograd_and_the_adjoint(shape, sides, mode):
    random = np.random.default_rng(0)
    x = torch.from_numpy(random.normal(size=shape)).requires_grad_()
    try:
        torch_mode = "constant" if mode == "zeros" else mode
        padded = torch.nn.functional.pad(x, sides, mode=torch_mode)
    except RuntimeError:
        left, right, top, bottom = sides
        g = np.ones((*shape[:-2], shape[-2] + top + bottom, shape[-1] + left + right))
        with pytest.raises(ValueError, match=r"\d"):
            pad2d_backward(g, sides, mode)
        return
    g = random.integers(-9, 10, padded.shape).astype(float)  # sums of integers are exact
    padded.backward(torch.from_numpy(g))
    back = pad2d_backward(g, sides, mode)
    np.testing.assert_array_equal(back, x.grad.numpy())
    image = x.detach().numpy()
    np.testing.assert_allclose((pad2d(image, sides, mode) * g).sum(), (image * back).sum())


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("zeros", [4, 8, 16, 32]),
        ("reflect", [4, 8 + 2 + 128, 16 + 1 + 64, 32]),
        ("replicate", [4 + 2 + 1, 8, 16, 32 + 64 + 128]),
        ("circular", [4 + 64, 8 + 128, 16 + 1, 32 + 2]),
    ],
)
def test_the_gradient_of_the_border_in_each_mode(mode, expected):
    g = 2.0 ** np.arange(8).reshape(1, 1, 8)
    assert pad2d_backward(g, (0, 2), mode).tolist() == [[expected]]


@pytest.mark.parametrize("mode", PADDING_MODES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_gradient_keeps_the_dtype_and_is_a_new_array(dtype, mode):
    g = np.ones((2, 3, 4, 5), dtype)
    for padding in (0, 1):
        back = pad2d_backward(g, padding, mode)
        assert back.dtype == dtype
        assert back.flags.c_contiguous
        assert back.flags.writeable
        assert not np.shares_memory(back, g)
        assert (g == 1).all()


@pytest.mark.parametrize("mode", ["reflect", "replicate", "circular"])
def test_overflow_of_the_gradient_is_infinity_without_a_warning(mode):
    huge = np.full((1, 4, 4), 3e38, np.float32)
    assert np.isinf(pad2d_backward(huge, 1, mode)).all()
    with np.errstate(all="raise"):
        opposite = np.array([[[np.inf, 1.0, -np.inf]]])
        assert np.isfinite(pad2d_backward(opposite, (0, 1), "zeros")).all()
        assert np.isnan(pad2d_backward(opposite, (0, 1), "replicate")).all()


BORDERED = np.ones((1, 3, 6))


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((BORDERED[0], 1), ValueError, r"grad_output must be .* got 2 dimensions: \(3, 6\)"),
        ((BORDERED.astype(int), 1), TypeError, "grad_output has dtype int64"),
        ((BORDERED[:, :0], 1), ValueError, r"grad_output has shape \(1, 0, 6\)"),
        ((BORDERED, -1), ValueError, "padding must be at least 0, got -1"),
        ((BORDERED, (1, 2, 3)), ValueError, "got 3 values"),
        ((BORDERED, 1.5), TypeError, "got float 1.5"),
        ((BORDERED, (2, 1)), ValueError,
         r"\(1, 1, 2, 2\) .* leaves no pixel .* \(1, 3, 6\): .* at least 5 and 3"),
        ((BORDERED, 1, "constant"), ValueError, "mode must be one of 'zeros', .* got 'constant'"),
        ((BORDERED, (1, 2), "reflect"), ValueError,
         r"padding of 1 and 1 .* unpadded image of shape \(1, 1, 2\) the height is 1, .* most 0"),
        ((BORDERED, (4, 1, 0, 0), "circular"), ValueError, "padding of 4 and 1 .* at most 1"),
    ],
)  # fmt: skip
def test_the_gradient_of_an_impossible_border_is_rejected_with_the_numbers(
    arguments, error, message
):
    with pytest.raises(error, match=message):
        pad2d_backward(*arguments)
