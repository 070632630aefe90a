"""Weights and images from Keras and JAX, moved to PyTorch's layouts, give their results."""

import itertools

import numpy as np
import pytest
import scipy.signal
from hypothesis import given
from hypothesis import strategies as st

from convlab import ops, shapes
from tests.ops.other_libraries import answers

random = np.random.default_rng(0)


def array(*shape):
    return random.uniform(-1, 1, shape).astype(np.float32)


def same_or_valid(x, kernel, padding, stride, dilation):
    """Pad an image (N, C, H, W) by TensorFlow's ``same`` or ``valid``."""
    if padding.lower() == "valid":
        return x
    extra = "before" if padding == "SAME_LOWER" else "after"
    return ops.pad2d(x, shapes.tf_same_padding(x.shape[2:], kernel, stride, dilation, extra))


def ours(x, weight, bias, padding, stride, dilation, groups):
    x = ops.change_layout(x, "NHWC", "NCHW")
    x = same_or_valid(x, weight.shape[2:], padding, stride, dilation)
    return ops.conv2d(x, weight, bias, stride, 0, dilation, groups)


def ours_transposed(x, weight, bias, padding, stride, dilation):
    cut, output_padding = shapes.tf_transposed_padding(weight.shape[2:], stride, dilation)
    x = ops.change_layout(x, "NHWC", "NCHW")
    y = ops.conv_transpose2d(x, weight, bias, stride, 0, output_padding, 1, dilation)
    left, right, top, bottom = cut if padding.lower() == "same" else (0, 0, 0, 0)
    return y[:, :, top : y.shape[2] - bottom, left : y.shape[3] - right]


# In one direction the image is even and the kernel odd, in the other the image odd and the kernel
# even. Keras takes a stride or a dilation, not both. JAX compiles every case anew: not too many.
KERNEL = 3, 4
STEPS = [(1, 1), (2, 1), ((3, 2), 1), (1, 2), (1, (2, 3))]
SETTINGS = list(itertools.product(STEPS, ("valid", "same")))


def keras_question(name, steps, padding, weights, x, **config):
    config |= {"kernel_size": KERNEL, "padding": padding}
    config |= {"strides": steps[0], "dilation_rate": steps[1]}
    return "keras_layer", (name, config, weights, x), {}


def convolutions_of_keras():
    for (steps, padding), groups in itertools.product(SETTINGS, (1, 2)):
        x, w, b = array(2, 12, 13, 4), array(*KERNEL, 4 // groups, 6), array(6)
        weight = ops.change_layout(w, "HWIO", "OIHW")
        yield (
            keras_question("Conv2D", steps, padding, [w, b], x, filters=6, groups=groups),
            ours(x, weight, b, padding, *steps, groups),
        )


def depthwise_convolutions_of_keras():
    for steps, padding in SETTINGS:
        if isinstance(steps[0], tuple):
            continue  # refused: one stride for both directions
        x, w, b = array(2, 12, 13, 4), array(*KERNEL, 4, 2), array(8)
        settings = steps, padding, [w, b], x
        yield (
            keras_question("DepthwiseConv2D", *settings, depth_multiplier=2),
            ours(x, ops.depthwise_to_grouped(w), b, padding, *steps, 4),
        )


def transposed_convolutions_of_keras():
    for steps, padding in SETTINGS:
        x, w, b = array(2, 4, 5, 4), array(*KERNEL, 6, 4), array(6)
        yield (
            keras_question("Conv2DTranspose", steps, padding, [w, b], x, filters=6),
            ours_transposed(x, ops.change_layout(w, "HWOI", "IOHW"), b, padding, *steps),
        )


def convolutions_of_jax():
    for stride, dilation, padding in itertools.product(
        [(1, 1), (2, 3)], [(1, 1), (2, 1)], ("VALID", "SAME", "SAME_LOWER")
    ):
        x, w = array(2, 12, 13, 4), array(*KERNEL, 2, 6)
        options = {"rhs_dilation": dilation, "dimension_numbers": ("NHWC", "HWIO", "NHWC")}
        options["feature_group_count"] = 2
        weight = ops.change_layout(w, "HWIO", "OIHW")
        yield (
            ("jax_function", ("conv_general_dilated", x, w, stride, padding), options),
            ours(x, weight, None, padding, stride, dilation, 2),
        )


def transposed_convolutions_of_jax():
    for stride, padding, turned in itertools.product(
        [(1, 1), (2, 3)], ("VALID", "SAME"), (False, True)
    ):
        x, w = array(2, 4, 5, 4), array(*KERNEL, *((6, 4) if turned else (4, 6)))
        weight = ops.change_layout(w, "HWOI" if turned else "HWIO", "IOHW")
        weight = weight if turned else ops.turn_kernel(weight)
        arguments = "conv_transpose", x, w, stride, padding
        yield (
            ("jax_function", arguments, {"transpose_kernel": turned}),
            ours_transposed(x, weight, None, padding, stride, 1),
        )


CASES = {
    make.__name__: list(make())
    for make in (
        convolutions_of_keras,
        depthwise_convolutions_of_keras,
        transposed_convolutions_of_keras,
        convolutions_of_jax,
        transposed_convolutions_of_jax,
    )
}


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    """Return the results of Keras and JAX, all computed by one process."""
    questions = [question for cases in CASES.values() for question, _ in cases]
    replies = iter(answers(questions, tmp_path_factory.mktemp("other_libraries")))
    return {kind: [next(replies) for _ in cases] for kind, cases in CASES.items()}


@pytest.mark.slow
@pytest.mark.parametrize("kind", CASES)
def test_the_other_library_computes_the_same(expected, kind):
    for theirs, (_, found) in zip(expected[kind], CASES[kind], strict=True):
        assert theirs.shape == tuple(found.shape[axis] for axis in (0, 2, 3, 1))
        np.testing.assert_allclose(ops.change_layout(theirs, "NHWC", "NCHW"), found, atol=2e-5)


@given(order=st.permutations("NCHW"), target=st.permutations("NCHW"))
def test_an_axis_keeps_its_letter_and_its_numbers(order, target):
    lengths = {"N": 2, "C": 3, "H": 4, "W": 5}
    source, target = "".join(order), "".join(target)
    x = random.integers(0, 9, [lengths[letter] for letter in source])
    moved = ops.change_layout(x, source, target)
    assert moved.shape == tuple(lengths[letter] for letter in target)
    assert moved.flags.c_contiguous
    np.testing.assert_array_equal(moved, np.einsum(f"{source}->{target}", x))
    np.testing.assert_array_equal(ops.change_layout(moved, target, source), x)


def test_the_result_is_a_new_array_that_can_be_written():
    x = np.zeros((1, 2, 3, 4))
    x.flags.writeable = False
    for moved in (ops.change_layout(x, "NCHW", "NCHW"), ops.turn_kernel(x)):
        moved[0, 0, 0, 0] = 1
    assert x[0, 0, 0, 0] == 0


def test_the_kernels_of_one_channel_are_adjacent():
    w = array(3, 5, 4, 2)
    grouped = ops.depthwise_to_grouped(w)
    for channel, number in itertools.product(range(4), range(2)):
        np.testing.assert_array_equal(grouped[2 * channel + number, 0], w[:, :, channel, number])


@given(st.tuples(*[st.integers(1, 4)] * 4))
def test_depthwise_and_grouped_weights_round_trip(shape):
    w = random.normal(size=shape)
    back = ops.grouped_to_depthwise(ops.depthwise_to_grouped(w), in_channels=shape[2])
    np.testing.assert_array_equal(back, w)


@given(height=st.integers(1, 4), width=st.integers(1, 4))
def test_with_a_flipped_kernel_cross_correlation_is_the_convolution_of_scipy(height, width):
    x, w = random.normal(size=(6, 7)), random.normal(size=(height, width))
    found = ops.conv2d(x[None], ops.turn_kernel(w)[None, None])
    np.testing.assert_allclose(found[0], scipy.signal.convolve2d(x, w, mode="valid"))
    np.testing.assert_array_equal(ops.turn_kernel(ops.turn_kernel(w)), w)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: ops.change_layout(np.zeros((1, 2, 3)), "NCHW", "NHWC"),
            ValueError,
            r"source='NCHW' names 4 axes, but the array has 3: \(1, 2, 3\)",
        ),
        (
            lambda: ops.change_layout(np.zeros((1, 2, 3, 4)), "NCHW", "HWIO"),
            ValueError,
            r"must have the same letters: \['C', 'I', 'N', 'O'\] appear in only one of them",
        ),
        (
            lambda: ops.change_layout(np.zeros((1, 2)), "HH", "HH"),
            ValueError,
            "source='HH' repeats a letter",
        ),
        (
            lambda: ops.change_layout(np.zeros((1, 2)), "HW", ("H", "W")),
            TypeError,
            "target must be a string such as 'NCHW'",
        ),
        (lambda: ops.change_layout([[1], [1, 2]], "HW", "WH"), TypeError, "array cannot be read"),
        (lambda: ops.depthwise_to_grouped(np.zeros((3, 3, 4))), ValueError, "the array has 3"),
        (lambda: ops.depthwise_to_grouped([[1], [1, 2]]), TypeError, "cannot be read"),
        (
            lambda: ops.grouped_to_depthwise(np.zeros((8, 2, 3, 3)), 4),
            ValueError,
            r"weight must be \(out_channels, 1, kH, kW\), .* got \(8, 2, 3, 3\)",
        ),
        (
            lambda: ops.grouped_to_depthwise(np.zeros((8, 1, 3, 3)), 3),
            ValueError,
            "has 8 kernels, which is not divisible by in_channels=3",
        ),
        (
            lambda: ops.grouped_to_depthwise(np.zeros((8, 1, 3, 3)), 4.0),
            TypeError,
            "in_channels must be an int",
        ),
        (lambda: ops.grouped_to_depthwise([[1], [1, 2]], 1), TypeError, "weight cannot be read"),
        (
            lambda: ops.turn_kernel(np.zeros(3)),
            ValueError,
            r"must have shape \(\.\.\., kH, kW\), got \(3,\)",
        ),
        (lambda: ops.turn_kernel([[1], [1, 2]]), TypeError, "weight cannot be read"),
    ],
)
def test_a_bad_argument_is_named_with_its_shape(call, error, message):
    with pytest.raises(error, match=message):
        call()
