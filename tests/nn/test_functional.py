"""`convlab.nn.conv2d` compared with PyTorch's convolution."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils._python_dispatch import TorchDispatchMode

from convlab.nn import InputError, conv2d
from tests.ops.strategies import autograd, convolutions, torch_conv2d

TOLERANCE = {np.dtype(np.float64): 1e-10, np.dtype(np.float32): 1e-5}
# One of everything at once.
RICH = {"stride": (2, 1), "padding": (1, 2), "dilation": (1, 2), "groups": 2}


def tensors(case):
    """Convert the arrays among the arguments of a random case to tensors."""
    arrays = ("input", "weight", "bias")
    return case | {
        name: None if case[name] is None else torch.from_numpy(case[name]) for name in arrays
    }


def example_tensors(dtype=torch.float64, images=2):
    """Return an input, a weight and a bias for the arguments `RICH`."""
    torch.manual_seed(0)
    shapes = (images, 4, 6, 7), (6, 2, 3, 2), (6,)
    return [torch.randn(shape, dtype=torch.float64).to(dtype) for shape in shapes]


@given(case=convolutions())
def test_it_agrees_with_pytorch_and_refuses_what_pytorch_refuses(case):
    try:
        expected = torch_conv2d(**case)
    except (RuntimeError, ValueError, TypeError):
        with pytest.raises((ValueError, TypeError), match=r"\d"):
            conv2d(**tensors(case))
    else:
        answer = conv2d(**tensors(case))
        assert (answer.numpy().dtype, tuple(answer.shape)) == (expected.dtype, expected.shape)
        np.testing.assert_allclose(answer.numpy(), expected, rtol=0, atol=TOLERANCE[expected.dtype])


@settings(max_examples=200)
@given(case=convolutions(valid_only=True))
def test_the_gradients_are_those_of_pytorchs_convolution(case):
    case["input"] = case["input"].astype(np.float64)
    case["weight"] = case["weight"].astype(np.float64)
    case["bias"] = np.zeros(len(case["weight"]))
    arguments = tensors(case)
    leaves = [arguments[name].requires_grad_() for name in ("input", "weight", "bias")]
    try:
        output = conv2d(**arguments)
    except ValueError:
        return  # the test above has seen that PyTorch refuses it too
    g = np.random.default_rng(0).standard_normal(tuple(output.shape))
    output.backward(torch.from_numpy(g))
    del case["bias"]
    for leaf, expected in zip(leaves, autograd(g, **case), strict=True):
        np.testing.assert_allclose(leaf.grad.numpy(), expected, rtol=0, atol=1e-10)


# PyTorch's own forward mode still compiles its rules with the deprecated torch.jit.script.
@pytest.mark.filterwarnings("ignore:.torch.jit.script. is deprecated:FutureWarning")
@pytest.mark.parametrize("padding_mode", ["zeros", "reflect", "replicate", "circular"])
def test_first_and_second_derivatives_agree_with_differences(padding_mode):
    x, w, b = example_tensors(images=1)
    leaves = [tensor.clone().requires_grad_() for tensor in (x, w[:4, :, :2], b[:4])]

    def convolve(x, w, b):
        return conv2d(x, w, b, **RICH, padding_mode=padding_mode)

    assert torch.autograd.gradcheck(convolve, leaves, check_forward_ad=True)
    assert torch.autograd.gradgradcheck(convolve, leaves)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_in_half_precision_it_is_rounded_about_once(dtype):
    x, w, b = example_tensors(dtype)
    exact = conv2d(x.double(), w.double(), b.double(), **RICH)
    torch.testing.assert_close(
        conv2d(x, w, b, **RICH), exact.to(dtype), rtol=2 * torch.finfo(dtype).eps, atol=1e-3
    )


def test_complex_numbers():
    x, w, b = example_tensors(torch.complex128)
    x, w = x * (1 + 2j), w * (2 - 1j)
    ours, theirs = conv2d(x, w, b, **RICH), torch.conv2d(x, w, b, **RICH)
    torch.testing.assert_close(ours, theirs)


class OperationRecorder(TorchDispatchMode):
    """Record the name of each operation that is executed."""

    def __init__(self):
        super().__init__()
        self.names = set()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.names.add(str(func))
        return func(*args, **(kwargs or {}))


def operations(convolve):
    x, w, b = (tensor.requires_grad_() for tensor in example_tensors(torch.float32))
    with OperationRecorder() as seen:
        first = torch.autograd.grad(convolve(x, w, b, **RICH).sum(), (x, w, b), create_graph=True)
        sum((gradient**2).sum() for gradient in first).backward()
    return {name for name in seen.names if "conv" in name}


def test_none_of_pytorchs_convolutions_is_called_forwards_or_backwards():
    assert operations(torch.conv2d) >= {
        "aten.convolution.default",
        "aten.convolution_backward.default",
    }
    assert operations(conv2d) == set()


@pytest.mark.parametrize("which", ["input", "weight"])
def test_channels_last_goes_in_and_comes_out(which):
    x, w, b = example_tensors()
    if which == "input":
        x = x.to(memory_format=torch.channels_last)
    else:
        w = w.to(memory_format=torch.channels_last)
    ours, theirs = conv2d(x, w, b, **RICH), torch.conv2d(x, w, b, **RICH)
    assert ours.stride() == theirs.stride()
    assert ours.is_contiguous(memory_format=torch.channels_last)


def test_autocast_gives_the_dtype_that_it_gives_to_convolutions():
    x, w, b = example_tensors(torch.float32)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        ours, theirs = conv2d(x, w, b, **RICH), torch.conv2d(x, w, b, **RICH)
        mixed = conv2d(x.bfloat16(), w, b, **RICH)
    assert ours.dtype == theirs.dtype == mixed.dtype == torch.bfloat16
    torch.testing.assert_close(ours, theirs, rtol=2e-2, atol=2e-2)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_autocast_accepts_half_precision_and_does_not_cast_float64(dtype):
    x, w, b = example_tensors(torch.float32)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        ours, theirs = conv2d(x.to(dtype), w, b, **RICH), torch.conv2d(x.to(dtype), w, b, **RICH)
        exact = conv2d(x.double(), w.double(), b.double(), **RICH)
        for wide, narrow in ((x.double(), w), (x, w.double())):
            with pytest.raises(InputError, match=r"input has dtype torch\.float.* must agree"):
                conv2d(wide, narrow, b, **RICH)
    assert (ours.dtype, theirs.dtype, exact.dtype) == (torch.bfloat16,) * 2 + (torch.float64,)
    torch.testing.assert_close(ours, theirs, rtol=2e-2, atol=2e-2)


# PyTorch's own forward mode still compiles its rules with the deprecated torch.jit.script.
@pytest.mark.filterwarnings("ignore:.torch.jit.script. is deprecated:FutureWarning")
@pytest.mark.parametrize("padding_mode", ["zeros", "reflect", "replicate", "circular"])
@pytest.mark.parametrize("derivative", [torch.func.jacrev, torch.func.hessian])
def test_vectorized_gradients_are_correct_and_do_not_warn(derivative, padding_mode):
    x, w, b = example_tensors(images=1)

    layer = torch.nn.Conv2d(4, 6, (3, 2), **RICH, padding_mode=padding_mode).double()
    ours = derivative(lambda x: (conv2d(x, w, b, **RICH, padding_mode=padding_mode) ** 3).sum())(x)
    theirs = derivative(lambda x: (layer._conv_forward(x, w, b) ** 3).sum())(x)
    torch.testing.assert_close(ours, theirs)


def test_views_and_transposed_tensors_are_valid_inputs():
    x, w, b = example_tensors()
    turned = x.transpose(2, 3).contiguous().transpose(2, 3)
    sliced = torch.cat([x, x], dim=1)[:, :4]
    expected = torch.conv2d(x, w, b, **RICH)
    torch.testing.assert_close(conv2d(turned, w, b, **RICH), expected)
    torch.testing.assert_close(conv2d(sliced, w, b, **RICH), expected)


@pytest.mark.parametrize("batch", [(), (0,)])
@pytest.mark.parametrize("padding_mode", ["zeros", "reflect", "replicate", "circular"])
def test_no_batch_axis_and_no_images(batch, padding_mode):
    x = torch.zeros(*batch, 4, 6, 7, dtype=torch.float64)
    _, w, b = example_tensors()
    assert conv2d(x, w, b, **RICH, padding_mode=padding_mode).shape == (*batch, 6, 3, 9)


X, W = torch.zeros(2, 4, 5, 6), torch.zeros(6, 4, 3, 3)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: conv2d([1.0], W), TypeError, "input must be a torch.Tensor, got list"),
        (lambda: conv2d(X, W.numpy()), TypeError, "weight must be a torch.Tensor, got ndarray"),
        (lambda: conv2d(X, W, 1.0), TypeError, "bias must be a torch.Tensor, got float"),
        (lambda: conv2d(X[0, 0], W), InputError, r"got 2 dimensions: \(5, 6\)"),
        (lambda: conv2d(X, W[0]), InputError, r"weight must be .* got shape \(4, 3, 3\)"),
        (lambda: conv2d(X, W[:, :0]), InputError, r"no size of 0, got shape \(6, 0, 3, 3\)"),
        (lambda: conv2d(X.double(), W), InputError, "input has dtype torch.float64 and weight"),
        (lambda: conv2d(X, W, X.long()), InputError, "bias has dtype torch.int64: they must"),
        (lambda: conv2d(X[:, :3], W), InputError, r"has 3 channels, but .* expects 4 x 1 = 4"),
        (lambda: conv2d(X[:, :0], W), InputError, r"has 0 channels, but .* expects 4 x 1 = 4"),
        (lambda: conv2d(X, W, groups=4), InputError, "out_channels=6 is not divisible by groups=4"),
        (lambda: conv2d(X, W, groups=2), InputError, r"has 4 channels.* expects 4 x 2 = 8"),
        (lambda: conv2d(X, W, torch.ones(4)), InputError, r"shape \(6,\) .* got shape \(4,\)"),
        (lambda: conv2d(X, W, stride=0), InputError, "stride must be at least 1, got 0"),
        (lambda: conv2d(X, W, dilation=0), InputError, "dilation must be at least 1, got 0"),
        (lambda: conv2d(X, W, padding=-1), InputError, "padding must be at least 0, got -1"),
        (lambda: conv2d(X, W, padding="full"), InputError, "'full'"),
        (lambda: conv2d(X, W, 2, padding="same"), TypeError, "bias must be a torch.Tensor"),
        (lambda: conv2d(X, W, None, 2, "same"), InputError, "stride"),
        (lambda: conv2d(X, W, stride=1.0), TypeError, "stride must be an int or a pair"),
        (lambda: conv2d(X, W, dilation=3), InputError, r"dilation=3 spans 7 cells"),
        (lambda: conv2d(X[:, :, :0], W, padding=3), InputError, "size.*0"),
        (lambda: conv2d(X, W, padding=5, padding_mode="reflect"), InputError, "at most 4"),
        (lambda: conv2d(X, W, padding=6, padding_mode="circular"), InputError, "at most 5"),
        (lambda: conv2d(X, W, padding_mode="mirror"), InputError, "'zeros', 'reflect'.*'mirror'"),
    ],
)
def test_arguments_that_do_not_match_are_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_an_input_error_is_caught_like_pytorchs():
    for error in (ValueError, RuntimeError):
        with pytest.raises(error):
            conv2d(X[:, :3], W)


@settings(max_examples=60)
@given(case=convolutions(valid_only=True), images=st.integers(1, 3))
def test_a_batch_is_its_images_one_by_one(case, images):
    case["input"] = np.resize(case["input"], (images, *case["input"].shape[-3:]))
    arguments = tensors(case)
    try:
        together = conv2d(**arguments)
    except ValueError:
        return
    for image, answer in zip(arguments["input"], together, strict=True):
        torch.testing.assert_close(conv2d(**(arguments | {"input": image})), answer)
