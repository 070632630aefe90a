"""`conv2d_backward` agrees with autograd through `nn.Conv2d`."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings

from convlab.ops import PADDING_MODES, backward, conv2d, conv2d_backward, pad2d
from convlab.ops.geometry import Geometry
from tests.ops.strategies import autograd, convolutions

RELATIVE = {np.dtype(np.float64): 1e-10, np.dtype(np.float32): 1e-4}
NAMES = ("grad_input", "grad_weight", "grad_bias")


def gradient_of_output(case):
    """Draw a gradient of the shape that the convolution returns, or None if it returns none."""
    try:
        y = conv2d(**case)
    except ValueError:
        return None
    return np.random.default_rng(1).uniform(-1, 1, y.shape).astype(y.dtype)


def assert_gradients(actual, expected):
    for name, ours, theirs in zip(NAMES, actual, expected, strict=True):
        assert ours.shape == theirs.shape, name
        assert ours.dtype == theirs.dtype, name
        scale = max(1.0, np.abs(theirs).max(initial=0))
        np.testing.assert_allclose(
            ours, theirs, rtol=0, atol=RELATIVE[theirs.dtype] * scale, err_msg=name
        )


@settings(max_examples=1500)
@given(case=convolutions(valid_only=True))
def test_all_three_gradients_agree_with_autograd(case):
    g = gradient_of_output(case)
    bias = case.pop("bias")
    if g is None:  # whatever conv2d refuses is refused here, with the numbers
        with pytest.raises(ValueError, match=r"\d"):
            conv2d_backward(np.zeros_like(case["input"]), **case)
        return
    actual = conv2d_backward(g, **case)
    assert_gradients(actual, autograd(g, **case))
    assert bias is None or actual[2].shape == bias.shape


@given(case=convolutions())
def test_what_the_forward_pass_rejects_is_rejected_with_the_numbers(case):
    g = gradient_of_output_or_error(case)
    case.pop("bias")
    if g is None:
        with pytest.raises((ValueError, TypeError), match=r"\d"):
            conv2d_backward(np.zeros_like(case["input"]), **case)
    else:
        assert_gradients(conv2d_backward(g, **case), autograd(g, **case))


def gradient_of_output_or_error(case):
    try:
        return gradient_of_output(case | {"bias": None})
    except TypeError:
        return None


@given(case=convolutions(valid_only=True))
def test_the_gradients_are_the_adjoints_in_input_weight_and_bias(case):
    """The sum of y * g, which is linear in each, is each times its gradient."""
    case = {k: v.astype(np.float64) if isinstance(v, np.ndarray) else v for k, v in case.items()}
    g = gradient_of_output(case | {"bias": None})
    if g is None:
        return
    random = np.random.default_rng(2)
    bias, _ = random.normal(size=len(case["weight"])), case.pop("bias")
    from_input, from_weight, from_bias = conv2d_backward(g, **case)
    y = conv2d(**case)
    np.testing.assert_allclose((case["input"] * from_input).sum(), (y * g).sum(), atol=1e-9)
    np.testing.assert_allclose((case["weight"] * from_weight).sum(), (y * g).sum(), atol=1e-9)
    only_bias = conv2d(**case, bias=bias) - y
    np.testing.assert_allclose((bias * from_bias).sum(), (only_bias * g).sum(), atol=1e-9)


@pytest.mark.parametrize("mode", PADDING_MODES)
def test_a_small_step_changes_the_loss_as_the_gradient_says(mode):
    """Finite differences: no theory of convolution goes into them."""
    random = np.random.default_rng(0)
    arrays = [random.normal(size=s) for s in ((2, 4, 5, 6), (6, 2, 3, 2), (6,))]
    options = {"stride": (2, 1), "padding": 2, "dilation": (1, 2), "groups": 2,
               "padding_mode": mode}  # fmt: skip
    g = random.normal(size=conv2d(*arrays, **options).shape)
    gradients = conv2d_backward(g, *arrays[:2], **options)
    step = 1e-4
    for array, gradient in zip(arrays, gradients, strict=True):
        for place in np.ndindex(array.shape):
            before = array[place]
            array[place] = before + step
            above = (conv2d(*arrays, **options) * g).sum()
            array[place] = before - step
            below = (conv2d(*arrays, **options) * g).sum()
            array[place] = before
            np.testing.assert_allclose((above - below) / (2 * step), gradient[place], atol=1e-7)


def test_by_hand():
    """Two output cells have a gradient, 10 and 1; each lies on four pixels."""
    x = np.arange(1.0, 10.0).reshape(1, 3, 3)
    w = np.array([[[[1.0, 2.0], [3.0, 4.0]]]])
    from_input, from_weight, from_bias = conv2d_backward([[[10.0, 0], [0, 1]]], x, w)
    assert from_input.tolist() == [[[10, 20, 0], [30, 41, 2], [0, 3, 4]]]
    assert from_weight.tolist() == [[[[10 + 5, 20 + 6], [40 + 8, 50 + 9]]]]
    assert from_bias.tolist() == [11]


def test_cells_that_no_window_reads_have_gradient_zero():
    from_input, _, _ = conv2d_backward(
        np.ones((1, 2, 2)), np.ones((1, 6, 6)), np.ones((1, 1, 2, 2)), stride=3
    )
    read = np.zeros((6, 6))
    read[[[0], [1], [3], [4]], [0, 1, 3, 4]] = 1
    np.testing.assert_array_equal(from_input[0], read)


@pytest.mark.parametrize("mode", PADDING_MODES)
@pytest.mark.parametrize("padding", ["same", "valid", 1, (0, 2)])
def test_same_padding_of_an_even_kernel_pads_one_side_more(mode, padding):
    random = np.random.default_rng(0)
    x, w = random.normal(size=(2, 3, 5, 6)), random.normal(size=(4, 3, 4, 2))
    options = {"stride": 1, "padding": padding, "dilation": 1, "groups": 1, "padding_mode": mode}
    g = random.normal(size=conv2d(x, w, **options).shape)
    assert_gradients(conv2d_backward(g, x, w, **options), autograd(g, x, w, **options))


@pytest.mark.parametrize("padding", [4, (0, 5), (3, 0)])
@pytest.mark.parametrize("kernel", [1, 2])
def test_windows_within_the_padding_contribute_nothing_to_the_input(padding, kernel):
    random = np.random.default_rng(0)
    x, w = random.normal(size=(1, 1, 2, 3)), random.normal(size=(1, 1, kernel, kernel))
    options = {"stride": 1, "padding": padding, "dilation": 1, "groups": 1,
               "padding_mode": "zeros"}  # fmt: skip
    g = random.normal(size=conv2d(x, w, **options).shape)
    assert_gradients(conv2d_backward(g, x, w, **options), autograd(g, x, w, **options))


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize(
    ("images", "channels", "size", "kernels", "groups"),
    [(40, 3, 9, 5, 1), (1, 8, 64, 130, 1), (3, 40, 30, 20, 20), (2, 1, 700, 5, 1)],
)
def test_blocks_of_images_and_of_rows_leave_no_gap(images, channels, size, kernels, groups, stride):
    random = np.random.default_rng(0)
    x = random.normal(size=(images, channels, size, size // 2))
    w = random.normal(size=(kernels, channels // groups, 3, 3))
    options = {"stride": stride, "padding": 1, "dilation": 1, "groups": groups,
               "padding_mode": "zeros"}  # fmt: skip
    g = random.normal(size=conv2d(x, w, **options).shape)
    assert_gradients(conv2d_backward(g, x, w, **options), autograd(g, x, w, **options))


@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("stride", [1, 2])
def test_an_empty_batch_gives_an_empty_gradient_and_zeros(groups, stride):
    x, w = np.ones((0, 2, 5, 5)), np.ones((4, 2 // groups, 3, 3))
    g = conv2d(x, w, stride=stride, groups=groups)
    from_input, from_weight, from_bias = conv2d_backward(g, x, w, stride, groups=groups)
    assert from_input.shape == x.shape
    assert from_weight.shape == w.shape
    assert not from_weight.any()
    assert from_bias.tolist() == [0, 0, 0, 0]


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("mode", PADDING_MODES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_results_are_new_contiguous_and_of_the_inputs_dtype(dtype, mode, stride):
    x, w = np.ones((2, 3, 4, 6), dtype), np.ones((2, 3, 1, 1), dtype)
    g = np.ones((2, 2, 4 // stride, 6 // stride), dtype)
    arrays = g, x, w
    before = [a.copy() for a in arrays]
    for answer in conv2d_backward(*arrays, stride, padding_mode=mode):
        assert answer.dtype == dtype
        assert answer.flags.c_contiguous
        assert answer.flags.writeable
        assert not any(np.shares_memory(answer, a) for a in arrays)
    for array, old in zip(arrays, before, strict=True):
        np.testing.assert_array_equal(array, old)


@pytest.mark.parametrize("stride", [1, 2])
def test_memory_layout_of_the_arguments_does_not_matter(stride):
    random = np.random.default_rng(0)
    x, w = random.normal(size=(2, 4, 9, 8)), random.normal(size=(3, 4, 3, 2))
    g = random.normal(size=conv2d(x, w, stride=stride).shape)
    expected = conv2d_backward(g, x, w, stride)
    layouts = [
        np.asfortranarray,
        lambda a: a[:, :, ::-1, ::-1].copy()[:, :, ::-1, ::-1],
        lambda a: np.repeat(a, 2, axis=3)[..., ::2],
        lambda a: np.moveaxis(np.moveaxis(a, 1, -1).copy(), -1, 1),
    ]
    for layout in layouts:
        actual = conv2d_backward(*map(layout, (g, x, w)), stride)
        for ours, theirs in zip(actual, expected, strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-12)


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("place", ["gradient", "input", "weight"])
def test_a_value_that_is_not_finite_goes_where_a_product_takes_it_and_nowhere_else(
    value, place, stride
):
    x, w = np.ones((1, 2, 7, 7)), np.ones((2, 2, 3, 3))
    g = np.ones((1, 2, 5, 5) if stride == 1 else (1, 2, 3, 3))
    {"gradient": g[0, 1], "input": x[0, 1], "weight": w[0, 1]}[place][1, 0] = value
    options = {"stride": stride, "padding": 0, "dilation": 1, "groups": 1, "padding_mode": "zeros"}
    for ours, theirs in zip(
        conv2d_backward(g, x, w, **options), autograd(g, x, w, **options), strict=True
    ):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("outs", [1, 2])
@pytest.mark.parametrize("size", [1, 3])
@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("kernel", [1, 3])
@pytest.mark.parametrize("images", [0, 1, 2])
def test_zero_times_infinity_is_nan_in_every_shape(images, outs, size, channels, kernel):
    """Also where a matrix product is of vectors or single numbers and BLAS takes a shortcut."""
    zeros = np.zeros((images, channels, size + kernel - 1, size + kernel - 1))
    g, w = np.zeros((images, outs, size, size)), np.zeros((outs, channels, kernel, kernel))
    with np.errstate(invalid="ignore"):
        for stride in (1, 2):  # each is computed in another way
            options = zeros.shape[2:], Geometry(stride=(stride, stride))
            assert np.isnan(backward.grad_input(g, w + np.inf, *options)).any() == (images > 0)
            grad_x = backward.grad_input(g + np.inf, w, *options)
            assert np.isnan(grad_x[:, :, :kernel, :kernel]).all()
        options = (kernel, kernel), Geometry()
        from_weight = backward.grad_weight(g, zeros + np.inf, *options)
        from_gradient = backward.grad_weight(g + np.inf, zeros, *options)
    for answer in (from_weight, from_gradient):
        assert np.isnan(answer).all() == (images > 0)


@pytest.mark.parametrize("stride", [1, 2])
def test_overflow_is_infinity_without_a_warning(stride):
    huge = np.full((1, 1, 3, 3), 3e38, np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        answers = conv2d_backward(huge[..., :2, :2], huge, huge[..., :2, :2], padding=0)
        strided = conv2d_backward(huge, np.repeat(huge, 2, 2).repeat(2, 3), huge[..., :2, :2], 2)
        nans = conv2d_backward(
            np.inf * huge, 0 * huge, 0 * huge[..., :1, :1], padding_mode="reflect"
        )
    for answer in (*answers, *strided):
        assert (answer == np.inf).all()
    assert np.isnan(nans[0]).all()
    assert np.isnan(nans[1]).all()


SINGLE, DOUBLE = "6e-8", "1.2e-16"  # half the distance from 1 to the next number, rounded up


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("kind", ["around zero", "all alike", "of every size"])
@pytest.mark.parametrize(("outs", "size"), [(1, 9), (300, 9), (2, 129)])
def test_the_error_is_within_the_stated_bound(dtype, kind, outs, size):
    """Measured against extended precision; K products, in units of the sum of their sizes."""
    random = np.random.default_rng(1)
    draw = {
        "around zero": lambda *shape: random.normal(size=shape),
        "all alike": lambda *shape: np.full(shape, 0.1),
        "of every size": lambda *shape: 10.0 ** random.uniform(-6, 6, shape),
    }[kind]
    x, w = draw(1, 2, size, size).astype(dtype), draw(outs, 2, 3, 3).astype(dtype)
    out = (size - 3) // 2 + 1
    g = draw(1, outs, out, out).astype(dtype)
    from_input, from_weight, from_bias = conv2d_backward(g, x, w, stride=2)
    exact_g, exact_w, exact_x = (a.astype(np.longdouble) for a in (g[0], w, x[0]))
    sums = np.zeros((2, *x.shape[1:]), np.longdouble)
    for o, i, j in np.ndindex(exact_g.shape):
        product = exact_g[o, i, j] * exact_w[o]
        sums[:, :, 2 * i : 2 * i + 3, 2 * j : 2 * j + 3] += product, np.abs(product)
    unit = float(SINGLE if dtype == np.float32 else DOUBLE)

    def assert_within(answer, exact, absolute, k):
        assert (np.abs(answer - exact) <= k * unit * absolute).all()

    assert_within(from_input[0], *sums, outs * 9)
    for c, u, v in np.ndindex(w.shape[1:]):
        pixels = exact_x[c, u : u + 2 * out - 1 : 2, v : v + 2 * out - 1 : 2]
        products = (exact_g * pixels).reshape(outs, -1)
        exact = products.sum(axis=1), np.abs(products).sum(axis=1)
        assert_within(from_weight[:, c, u, v], *exact, out * out)
    flat = exact_g.reshape(outs, -1)
    assert_within(from_bias, flat.sum(axis=1), np.abs(flat).sum(axis=1), out * out)


def test_groups_are_independent():
    x, w, g = np.ones((4, 3, 3)), np.ones((2, 2, 2, 2)), np.ones((2, 2, 2))
    g[1] = np.nan
    from_input, from_weight, from_bias = conv2d_backward(g, x, w, groups=2)
    for gradient, first in ((from_input, 2), (from_weight, 1), (from_bias, 1)):
        assert np.isfinite(gradient[:first]).all()
        assert np.isnan(gradient[first:]).all()


def test_with_stride_1_the_input_gradient_is_a_full_convolution_with_the_flipped_kernel():
    random = np.random.default_rng(0)
    g, w = random.normal(size=(2, 3, 4, 5)), random.normal(size=(3, 2, 3, 2))
    from_input, _, _ = conv2d_backward(g, np.zeros((2, 2, 6, 6)), w)
    full = conv2d(g, w.swapaxes(0, 1)[..., ::-1, ::-1], padding=(2, 1))
    np.testing.assert_array_equal(from_input, full)


def test_in_the_weight_gradient_stride_and_dilation_are_swapped():
    random = np.random.default_rng(0)
    x, g = random.normal(size=(2, 3, 12, 11)), random.normal(size=(2, 4, 4, 2))
    _, from_weight, _ = conv2d_backward(g, x, np.zeros((4, 3, 2, 3)), (3, 4), 0, (2, 3))
    exchanged = conv2d(x.swapaxes(0, 1), g.swapaxes(0, 1), stride=(2, 3), dilation=(3, 4))
    expected = exchanged.swapaxes(0, 1)[:, :, :2, :3]
    np.testing.assert_allclose(from_weight, expected, rtol=0, atol=1e-12)


def test_huge_strides_and_dilations_do_not_overflow():
    x, w, g = np.ones((1, 1, 4, 4)), np.ones((1, 1, 1, 1)), np.ones((1, 1, 1, 1))
    from_input, from_weight, _ = conv2d_backward(g, x, w, stride=10**20, dilation=10**20)
    assert from_input.sum() == from_input[0, 0, 0, 0] == 1
    assert from_weight.item() == 1


def test_a_sequence_of_one_stands_for_both_directions_as_in_pytorch():
    x, w = np.arange(36.0).reshape(1, 1, 6, 6), np.ones((1, 1, 2, 2))
    short = {"stride": (2,), "padding": [1], "dilation": (3,)}
    g = conv2d(x, w, **short)
    plain = conv2d_backward(g, x, w, 2, 1, 3)
    for ours, theirs in zip(conv2d_backward(g, x, w, **short), plain, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_the_gradient_with_a_padding_mode_is_that_of_padding_and_convolving_separately():
    random = np.random.default_rng(0)
    x, w, g = (random.normal(size=s) for s in ((2, 4, 4), (3, 2, 3, 3), (3, 4, 4)))
    for mode in PADDING_MODES:
        whole = conv2d_backward(g, x, w, padding=1, padding_mode=mode)
        apart = conv2d_backward(g, pad2d(x, 1, mode), w)
        np.testing.assert_allclose(whole[1], apart[1], atol=1e-12)


IMAGE, KERNEL, GRADIENT = np.ones((1, 1, 4, 4)), np.ones((1, 1, 3, 3)), np.ones((1, 1, 2, 2))
WRONG = [
    ({"grad_output": np.ones((1, 1, 3, 2))}, ValueError,
     r"grad_output must have the shape of the output, \(1, 1, 2, 2\), got shape \(1, 1, 3, 2\)"),
    ({"grad_output": np.ones((1, 2, 2))}, ValueError, r"\(1, 1, 2, 2\), got shape \(1, 2, 2\)"),
    ({"grad_output": GRADIENT, "input": IMAGE[0]}, ValueError,
     r"\(1, 2, 2\), got shape \(1, 1, 2, 2\)"),
    ({"grad_output": 1.0}, ValueError, r"got shape \(\)"),
    ({"grad_output": GRADIENT.astype(int)}, TypeError, "grad_output has dtype int64, shape"),
    ({"grad_output": GRADIENT.astype(np.float32)}, TypeError,
     "input has dtype float64 and grad_output has dtype float32: they must agree"),
    ({"grad_output": None}, TypeError, "grad_output has dtype object"),
    ({"grad_output": np.ma.masked_array(GRADIENT)}, TypeError, "grad_output is a masked array"),
    ({"input": np.ones((4, 4))}, ValueError, r"input must be \(N, C, H, W\) or.*\(4, 4\)"),
    ({"input": np.ones((1, 2, 4, 4))}, ValueError, r"has 2 channels.*expects 1 x 1 = 1"),
    ({"input": IMAGE.astype(np.float32)}, TypeError, "float32 and weight has dtype float64"),
    ({"weight": np.ones((1, 3, 3))}, ValueError, r"weight must be .* got shape \(1, 3, 3\)"),
    ({"weight": np.ones((1, 1, 5, 3))}, ValueError, r"kernel .* spans 5 cells, .* height .* = 4"),
    ({"stride": 0}, ValueError, "stride must be at least 1, got 0"),
    ({"stride": 1.0}, TypeError, "stride .* got float 1.0"),
    ({"padding": -1}, ValueError, "padding must be at least 0, got -1"),
    ({"padding": "full"}, ValueError, "padding .* 'same' or 'valid', got 'full'"),
    ({"padding": "same", "stride": 2}, ValueError, r"stride=\(2, 2\)"),
    ({"padding": 2**62}, ValueError, r"grad_output must have the shape .* got shape \(1, 1, 2"),
    ({"dilation": 2}, ValueError, "dilation=2 spans 5 cells"),
    ({"dilation": True}, TypeError, "dilation .* got bool True"),
    ({"groups": 2}, ValueError, "in_channels=1 is not divisible by groups=2"),
    ({"groups": None}, TypeError, "groups must be an int, got NoneType"),
    ({"padding_mode": "symmetric"}, ValueError, "padding_mode must be one .*'symmetric'"),
    ({"padding_mode": "reflect", "padding": 4, "grad_output": np.ones((1, 1, 10, 10))},
     ValueError, r"height is 4, .* at most 3"),
    ({"padding_mode": "circular", "padding": 5, "grad_output": np.ones((1, 1, 12, 12))},
     ValueError, r"height is 4, .* at most 4"),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "error", "message"), WRONG)
def test_a_wrong_argument_is_named_with_its_numbers(arguments, error, message):
    with pytest.raises(error, match=message):
        conv2d_backward(**{"grad_output": GRADIENT, "input": IMAGE, "weight": KERNEL} | arguments)


def test_padding_mode_is_keyword_only():
    with pytest.raises(TypeError, match="positional"):
        conv2d_backward(GRADIENT, IMAGE, KERNEL, 1, 0, 1, 1, "zeros")
