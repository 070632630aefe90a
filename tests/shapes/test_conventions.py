"""Padding of other libraries agrees with what those libraries compute."""

import itertools

import numpy as np
import onnx.reference
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jax import lax  # integers only: this asks JAX for no device

from convlab import ops, shapes
from convlab._validate import pair

small = st.integers(1, 5)
int_or_pair = small | st.tuples(small, small)
rooms = st.fixed_dictionaries(
    {
        "size": st.tuples(st.integers(1, 20), st.integers(1, 20)),
        "kernel_size": int_or_pair,
        "stride": int_or_pair,
        "dilation": int_or_pair,
    }
)


@given(room=rooms, word=st.sampled_from(["SAME", "SAME_LOWER"]))
def test_same_is_that_of_jax(room, word):
    (top, bottom), (left, right) = lax.padtype_to_pads(
        room["size"],
        shapes.dilated_kernel_size(room["kernel_size"], room["dilation"]),
        pair(room["stride"], "stride", 1),
        word,
    )
    extra = "after" if word == "SAME" else "before"
    assert shapes.tf_same_padding(**room, extra=extra) == (left, right, top, bottom)


@given(room=rooms)
def test_same_gives_the_size_divided_by_the_stride_rounded_up_with_the_least_padding(room):
    left, right, top, bottom = shapes.tf_same_padding(**room)
    window = room["kernel_size"], room["stride"], 0, room["dilation"]
    height, width = room["size"]
    s_h, s_w = pair(room["stride"], "stride", 1)
    padded = height + top + bottom, width + left + right
    if (
        min(p - e for p, e in zip(padded, shapes.dilated_kernel_size(*window[::3]), strict=True))
        < 0
    ):
        raise AssertionError("no window fits")
    assert shapes.conv2d_output_size(padded, *window) == (-(-height // s_h), -(-width // s_w))
    if top + bottom:  # one row less would be one output less
        try:
            fewer, _ = shapes.conv2d_output_size((padded[0] - 1, padded[1]), *window)
        except ValueError:
            return
        assert fewer < -(-height // s_h)


@given(size=st.integers(1, 20), kernel_size=int_or_pair, dilation=int_or_pair)
def test_with_stride_1_it_is_the_same_of_pytorch_whatever_the_size(size, kernel_size, dilation):
    found = shapes.tf_same_padding(size, kernel_size, dilation=dilation)
    assert found == shapes.same_padding(kernel_size, dilation)


def test_with_stride_2_no_padding_of_pytorch_is_right_for_even_and_odd_sizes():
    found = [shapes.tf_same_padding(n, kernel_size=3, stride=2)[:2] for n in range(5, 9)]
    assert found == [(1, 1), (0, 1), (1, 1), (0, 1)]


def onnx_conv(x, w, **attributes):
    """Let ONNX's reference implementation compute a graph of one convolution."""
    helper = onnx.helper
    values = [helper.make_tensor_value_info(name, 1, None) for name in ("x", "w", "y")]
    node = helper.make_node("Conv", ["x", "w"], ["y"], **attributes)
    graph = helper.make_graph([node], "graph", values[:2], values[2:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 22)])
    return onnx.reference.ReferenceEvaluator(model).run(None, {"x": x, "w": w})[0]


@settings(max_examples=200)
@given(
    room=rooms,
    auto_pad=st.sampled_from(["NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID"]),
    pads=st.lists(st.integers(0, 3), min_size=4, max_size=4),
)
def test_an_onnx_convolution_is_a_padding_by_the_sides_and_one_without(room, auto_pad, pads):
    random = np.random.default_rng(0)
    k_h, k_w = pair(room["kernel_size"], "kernel_size", 1)
    x, w = random.normal(size=(1, 1, *room["size"])), random.normal(size=(1, 1, k_h, k_w))
    strides = pair(room["stride"], "stride", 1)
    dilations = pair(room["dilation"], "dilation", 1)
    chosen = {"pads": pads} if auto_pad == "NOTSET" else {}
    sides = shapes.padding_from_onnx(**room, auto_pad=auto_pad, **chosen)
    try:
        found = ops.conv2d(ops.pad2d(x, sides), w, None, strides, 0, dilations)
    except ValueError:  # a window larger than the padded image; ONNX does not say what then
        assert auto_pad in ("NOTSET", "VALID")
        return
    x, w = x.astype(np.float32), w.astype(np.float32)
    expected = onnx_conv(x, w, auto_pad=auto_pad, strides=strides, dilations=dilations, **chosen)
    np.testing.assert_allclose(found, expected, atol=1e-4)


@given(sides=st.tuples(*[st.integers(0, 9)] * 4))
def test_the_pads_of_onnx_round_trip(sides):
    assert shapes.padding_from_onnx(9, 1, pads=shapes.padding_to_onnx(sides)) == sides


def test_the_pads_of_onnx_are_in_its_order():
    assert shapes.padding_to_onnx((1, 2, 3, 4)) == (3, 1, 4, 2)


@given(
    total=st.tuples(st.integers(0, 9), st.integers(0, 9)),
    extra=st.sampled_from(["after", "before"]),
)
def test_a_total_is_split_completely_and_evenly(total, extra):
    left, right, top, bottom = shapes.split_padding(total, extra)
    assert (top + bottom, left + right) == total
    less, more = ((top, left), (bottom, right))[:: 1 if extra == "after" else -1]
    assert all(m - n in (0, 1) for n, m in zip(less, more, strict=True))


def test_the_formula_of_dive_into_deep_learning_counts_the_total():
    for n, k, p, s in itertools.product(range(1, 9), range(1, 5), range(5), range(1, 4)):
        left, right, _, _ = shapes.split_padding(p)
        if n + p >= k:
            expected = (n - k + p + s) // s
            assert shapes.conv2d_output_size(n + left + right, k, s)[1] == expected


@given(size=small, kernel_size=int_or_pair, stride=int_or_pair, dilation=int_or_pair)
def test_the_transposed_same_undoes_the_padding_of_the_convolution(
    size, kernel_size, stride, dilation
):
    """It removes what ``SAME`` adds to the image that it restores, and has its size."""
    cut, output_padding = shapes.tf_transposed_padding(kernel_size, stride, dilation)
    s_h, s_w = pair(stride, "stride", 1)
    image = size * s_h, size * s_w
    assert cut == shapes.tf_same_padding(image, kernel_size, stride, dilation)
    height, width = shapes.conv_transpose2d_output_size(
        size, kernel_size, stride, 0, output_padding, dilation
    )
    left, right, top, bottom = cut
    assert (height - top - bottom, width - left - right) == image


def test_gaps_start_from_0_and_dilation_from_1():
    assert shapes.dilation_from_gaps(0) == (1, 1)
    assert shapes.dilation_from_gaps((1, 3)) == (2, 4)


@pytest.mark.parametrize(
    ("function", "arguments", "error", "message"),
    [
        ("split_padding", {"total": -1}, ValueError, "total must be at least 0, got -1"),
        ("split_padding", {"total": 1.5}, TypeError, "total must be an int or a pair"),
        ("split_padding", {"total": 1, "extra": "left"}, ValueError, "got 'left'"),
        ("tf_same_padding", {"size": 0, "kernel_size": 3}, ValueError, "size must be at least 1"),
        ("tf_same_padding", {"size": 9, "kernel_size": 0}, ValueError, "kernel_size must"),
        ("tf_same_padding", {"size": 9, "kernel_size": 3, "stride": 0}, ValueError, "stride must"),
        ("tf_same_padding", {"size": 9, "kernel_size": 3, "dilation": 0}, ValueError, "dilation"),
        (
            "padding_from_onnx",
            {"size": 9, "kernel_size": 3, "auto_pad": "SAME"},
            ValueError,
            "auto_pad must be 'NOTSET', .* got 'SAME'",
        ),
        (
            "padding_from_onnx",
            {"size": 9, "kernel_size": 3, "auto_pad": "VALID", "pads": (0, 1, 0, 0)},
            ValueError,
            r"auto_pad='VALID' and pads=\(0, 1, 0, 0\) cannot both be given",
        ),
        (
            "padding_from_onnx",
            {"size": 9, "kernel_size": 3, "pads": (1, 1)},
            ValueError,
            r"pads must be four ints \(top, left, bottom, right\), got 2 values: \(1, 1\)",
        ),
        (
            "padding_from_onnx",
            {"size": 9, "kernel_size": 3, "pads": 1},
            TypeError,
            "pads must be four ints .* got int 1",
        ),
        ("padding_to_onnx", {"padding": (1, 1, 1)}, ValueError, r"padding must be four ints"),
        ("padding_to_onnx", {"padding": (1, 1, -1, 1)}, ValueError, r"padding\[2\] .* at least 0"),
        ("padding_to_onnx", {"padding": (1, 1, 1, 0.5)}, TypeError, r"padding\[3\] must be an int"),
        ("tf_transposed_padding", {"kernel_size": 0}, ValueError, "kernel_size must be at least 1"),
        ("tf_transposed_padding", {"kernel_size": 3, "stride": 0}, ValueError, "stride must be"),
        ("dilation_from_gaps", {"gaps": -1}, ValueError, "gaps must be at least 0, got -1"),
        ("dilation_from_gaps", {"gaps": "1"}, TypeError, "gaps must be an int or a pair"),
    ],
)  # fmt: skip
def test_a_bad_argument_is_named_with_its_numbers(function, arguments, error, message):
    with pytest.raises(error, match=message):
        getattr(shapes, function)(**arguments)
