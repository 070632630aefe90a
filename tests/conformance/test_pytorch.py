"""The samples with which PyTorch tests its own operators, answered by `convlab.ops`.

The files in this folder mirror no module of the package. They hold it against inputs that
its authors did not choose: here the "OpInfo" samples, the samples of layers, and the calls
that must be refused, of PyTorch's test suite. `pytorch_samples` writes them down.
"""

from collections import Counter

import numpy as np
import pytest
import torch

from convlab import ops

METHODS = ("auto", *ops.METHODS)
PAD_MODES = {"constant": "zeros"} | {mode: mode for mode in ("reflect", "replicate", "circular")}
INTEGERS = ("int8", "int16", "int32", "int64", "uint8")
# What each operator takes, of the dtypes that NumPy and PyTorch share; it refuses the others.
TAKES = {
    "conv2d": ("float32", "float64"),
    "conv_transpose2d": ("float32", "float64"),
    "max_pool2d": ("float16", "float32", "float64", *INTEGERS),
    "avg_pool2d": ("float16", "float32", "float64", "int64"),
    "adaptive_avg_pool2d": ("float16", "float32", "float64"),
    "adaptive_max_pool2d": ("float16", "float32", "float64"),
    "pad": ("bool", *INTEGERS, "float16", "float32", "float64", "complex64", "complex128"),
}
EPSILONS = {"conv2d": 50, "conv_transpose2d": 50, "avg_pool2d": 4, "adaptive_avg_pool2d": 4}


def numpy_of(value):
    """Turn tensors into arrays of the same memory layout; leave all else alone."""
    if torch.is_tensor(value):
        return value.numpy()
    return tuple(map(numpy_of, value)) if isinstance(value, tuple) else value


def samples_of(recorded, operator, only=None):
    """Give the samples of an operator, as (input, args, kwargs, whole record)."""
    for record in recorded["samples"]:
        dtype = str(record["input"].dtype).removeprefix("torch.")
        if record["operator"] == operator and (only is None or dtype in only):
            yield numpy_of(record["input"]), numpy_of(record["args"]), record["kwargs"], record


def assert_equal(answer, expected, epsilons=0):
    """Compare arrays, or pairs of them: shape, dtype, and numbers to some roundings."""
    if isinstance(expected, tuple):
        assert len(answer) == len(expected)
        for one, other in zip(answer, expected, strict=True):
            assert_equal(one, other)
        return
    expected = numpy_of(expected)
    assert answer.shape == expected.shape
    assert answer.dtype == expected.dtype
    tolerance = 0.0
    if epsilons and expected.size and expected.dtype.kind == "f":
        tolerance = epsilons * np.finfo(expected.dtype).eps * float(np.abs(expected).max())
    np.testing.assert_allclose(answer, expected, rtol=0, atol=tolerance)


@pytest.mark.parametrize(
    ("operator", "least"),
    [
        ("max_pool2d", 12960),
        ("avg_pool2d", 35),
        ("adaptive_avg_pool2d", 40),
        ("adaptive_max_pool2d", 136),
        ("conv_transpose2d", 36),
    ],
)
def test_every_sample_gives_what_pytorch_gives(recorded, operator, least):
    compared = 0
    for x, args, kwargs, record in samples_of(recorded, operator, TAKES[operator]):
        answer = getattr(ops, operator)(x, *args, **kwargs)
        assert_equal(answer, record["output"], EPSILONS.get(operator, 0))
        compared += 1
    assert compared >= least


@pytest.mark.parametrize("method", METHODS)
def test_every_convolution_by_every_method_that_can_do_it(recorded, method):
    answered = refused = 0
    for x, (w, b), kwargs, record in samples_of(recorded, "conv2d", TAKES["conv2d"]):
        refusal = ""
        try:
            answer = ops.conv2d(x, w, b, **kwargs, method=method)
        except ValueError as error:
            refusal = str(error)
        if refusal:
            assert refusal.startswith(f"method '{method}' needs")
            refused += 1
        else:
            assert_equal(answer, record["output"], EPSILONS["conv2d"])
            answered += 1
    some = {"winograd2": 48, "winograd4": 48, "depthwise": 36}
    assert answered == some.get(method, 90)
    assert answered + refused == 90


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_gradients_of_every_convolution_are_those_of_autograd(recorded, dtype):
    compared = 0
    for x, (w, b), kwargs, record in samples_of(recorded, "conv2d", [dtype]):
        answers = ops.conv2d_backward(numpy_of(record["grad_output"]), x, w, **kwargs)
        for answer, gradient in zip(
            answers[: 2 + (b is not None)], record["gradients"], strict=True
        ):
            assert_equal(answer, gradient, epsilons=50)
        compared += 1
    assert compared >= 30


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_gradients_of_a_transposed_convolution_are_made_of_ordinary_ones(recorded, dtype):
    """It goes the way back, so its own way back is the convolution itself."""
    compared = 0
    for x, (w, _), kwargs, record in samples_of(recorded, "conv_transpose2d", [dtype]):
        g = numpy_of(record["grad_output"])
        options = {key: value for key, value in kwargs.items() if key != "output_padding"}
        of_input = ops.conv2d(g, w, **options)  # larger if the output padding makes room for more
        image = (..., slice(x.shape[-2]), slice(x.shape[-1]))
        enlarged = np.zeros_like(of_input)
        enlarged[image] = x
        _, of_weight, _ = ops.conv2d_backward(enlarged, g, w, **options)
        assert_equal(of_input[image], record["gradients"][0], epsilons=50)
        assert_equal(of_weight, record["gradients"][1], epsilons=50)
        compared += 1
    assert compared >= 12


def sides_for_pad2d(x, sides):
    """Turn the padding of `torch.nn.functional.pad` into that of `pad2d`, or say why not."""
    if x.ndim not in (3, 4):
        return None, "rank"
    if x.shape[-3] == 0:
        return None, "no channels"
    if min(sides) < 0:
        return None, "negative"
    if len(sides) == 6:
        return None, "three axes"
    return (*sides, *(0,) * (4 - len(sides))), None


def test_every_border_is_that_of_pytorch_or_outside_of_what_pad2d_is_for(recorded):
    counts = Counter()
    for x, (sides, *rest), _, record in samples_of(recorded, "pad", TAKES["pad"]):
        mode, value = (*rest, *("constant", 0)[len(rest) :])
        ours, reason = sides_for_pad2d(x, sides)
        counts[reason] += 1
        if reason:
            with pytest.raises(ValueError, match=r"\d"):
                ops.pad2d(x, sides, PAD_MODES[mode])
            continue
        answer = ops.pad2d(x, ours, PAD_MODES[mode])
        if mode == "constant" and value:
            answer[~ops.pad2d(np.ones(x.shape, bool), ours)] = value
        assert_equal(answer, record["output"])
        if "gradients" in record:
            g = numpy_of(record["grad_output"])
            back = ops.pad2d_backward(g, ours, PAD_MODES[mode])
            assert_equal(back, record["gradients"][0], epsilons=4)
            counts["gradient"] += 1
    assert counts[None] >= 100
    assert counts["gradient"] >= 50
    assert set(counts) == {None, "gradient", "rank", "no channels", "negative", "three axes"}


@pytest.mark.parametrize("operator", TAKES)
def test_each_dtype_is_either_taken_or_refused_by_name(recorded, operator):
    """All dtypes that NumPy shares with PyTorch, and that PyTorch's operator takes."""
    refused = set()
    for x, args, kwargs, _ in samples_of(recorded, operator):
        if str(x.dtype) not in TAKES[operator]:
            with pytest.raises(TypeError, match=f"input has dtype {x.dtype}"):
                getattr(ops, operator)(x, *args, **kwargs)
            refused.add(str(x.dtype))
    convolution = {"float16", "int64", "complex64", "complex128"}
    assert refused == (convolution if operator.startswith("conv") else set())


ARGUMENTS = (
    r"input|weight|bias|stride|padding|dilation|groups|kernel_size|output_size|divisor_override"
)


def test_every_call_that_pytorch_refuses_is_refused(recorded):
    for record in recorded["errors"]:
        operator = getattr(ops, record["operator"])
        x, args = numpy_of(record["input"]), numpy_of(record["args"])
        with pytest.raises((ValueError, TypeError), match=ARGUMENTS):
            operator(x, *args, **record["kwargs"])
    assert Counter(record["operator"] for record in recorded["errors"]) == {
        "conv2d": 10,
        "max_pool2d": 7,
        "avg_pool2d": 5,
        "adaptive_avg_pool2d": 3,
        "adaptive_max_pool2d": 3,
    }


CALLS = {
    "Conv2d": ("conv2d", ["weight", "bias", "stride", "padding", "dilation", "groups"]),
    "ConvTranspose2d": (
        "conv_transpose2d",
        ["weight", "bias", "stride", "padding", "output_padding", "groups", "dilation"],
    ),
    "MaxPool2d": (
        "max_pool2d",
        ["kernel_size", "stride", "padding", "dilation", "ceil_mode", "return_indices"],
    ),
    "AvgPool2d": (
        "avg_pool2d",
        ["kernel_size", "stride", "padding", "ceil_mode", "count_include_pad", "divisor_override"],
    ),
    "AdaptiveAvgPool2d": ("adaptive_avg_pool2d", ["output_size"]),
    "AdaptiveMaxPool2d": ("adaptive_max_pool2d", ["output_size", "return_indices"]),
}  # fmt: skip
PAD_LAYERS = {
    "ZeroPad2d": "zeros",
    "ReflectionPad2d": "reflect",
    "ReplicationPad2d": "replicate",
    "CircularPad2d": "circular",
}


@pytest.mark.parametrize("module", [*CALLS, *PAD_LAYERS])
def test_a_layer_is_the_operator_with_its_attributes(recorded, module):
    compared = 0
    for record in recorded["modules"]:
        if record["module"] != module:
            continue
        x = record["input"].numpy()
        if module in PAD_LAYERS:
            answer = ops.pad2d(x, record["padding"], PAD_LAYERS[module])
        else:
            name, attributes = CALLS[module]
            answer = getattr(ops, name)(x, *(numpy_of(record[key]) for key in attributes))
        assert_equal(answer, record["output"], epsilons=50 if "Conv" in module else 4)
        compared += 1
    assert compared >= 4
