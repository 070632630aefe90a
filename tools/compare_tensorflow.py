"""Compare what the chapter on conventions says about TensorFlow with TensorFlow itself.

    pip install tensorflow-cpu
    PYTHONPATH=. python tools/compare_tensorflow.py

`requirements.txt` does not contain TensorFlow, so no test runs this. An environment with TensorFlow
and its own requirements is enough.
"""

import os
from itertools import product

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf

from convlab import ops, shapes

random = np.random.default_rng(0)


def normal(*shape):
    """Return random float32 numbers."""
    return random.normal(size=shape).astype(np.float32)


def assert_equal(found, expected):
    """Assert that an array of convlab, NCHW, equals one of TensorFlow, NHWC."""
    expected = ops.change_layout(np.asarray(expected), "NHWC", "NCHW")
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-4)


def compare_convolutions():
    """Compare ``tf.nn.conv2d`` with SAME, stride and dilation together included."""
    for size, k, s, d in product(range(1, 10), range(1, 6), (1, 2, 3), (1, 2, 3)):
        x, w = normal(1, size, size + 1, 2), normal(k, k, 2, 3)
        sides = shapes.tf_same_padding((size, size + 1), k, s, d)
        padded = ops.pad2d(ops.change_layout(x, "NHWC", "NCHW"), sides)
        found = ops.conv2d(padded, ops.change_layout(w, "HWIO", "OIHW"), stride=s, dilation=d)
        assert_equal(found, tf.nn.conv2d(x, w, s, "SAME", dilations=d))


def compare_poolings():
    """Compare poolings with SAME: the mean of the real pixels, the maximum without the padding."""
    for size, k, s in product(range(1, 10), range(1, 6), (1, 2, 3)):
        x = normal(1, size, size + 1, 2)
        sides = shapes.tf_same_padding((size, size + 1), k, s)
        pixels = ops.change_layout(x, "NHWC", "NCHW")
        padded, real = ops.pad2d(pixels, sides), ops.pad2d(np.ones_like(pixels), sides)
        mean = ops.avg_pool2d(padded, k, s) / ops.avg_pool2d(real, k, s)
        assert_equal(mean, tf.nn.avg_pool2d(x, k, s, "SAME"))
        maximum = ops.max_pool2d(np.where(real, padded, np.float32(-np.inf)), k, s)
        assert_equal(maximum, tf.nn.max_pool2d(x, k, s, "SAME"))


def compare_transposed():
    """Compare ``tf.nn.conv2d_transpose`` with SAME."""
    for size, k, s in product(range(1, 10), range(1, 6), (1, 2, 3)):
        x, w = normal(1, size, size, 2), normal(k, k, 3, 2)
        (left, right, top, bottom), extra = shapes.tf_transposed_padding(k, s)
        full = ops.conv_transpose2d(
            ops.change_layout(x, "NHWC", "NCHW"), ops.change_layout(w, "HWOI", "IOHW"),
            stride=s, output_padding=extra,
        )  # fmt: skip
        found = full[..., top : full.shape[2] - bottom, left : full.shape[3] - right]
        shape = (1, size * s, size * s, 3)
        assert_equal(found, tf.nn.conv2d_transpose(x, w, shape, s, "SAME"))


def compare_depthwise():
    """Compare the order of the output channels of ``tf.nn.depthwise_conv2d``."""
    x, w = normal(1, 7, 8, 3), normal(3, 3, 3, 2)
    weight = ops.depthwise_to_grouped(w)
    found = ops.conv2d(ops.change_layout(x, "NHWC", "NCHW"), weight, groups=3)
    assert_equal(found, tf.nn.depthwise_conv2d(x, w, (1, 1, 1, 1), "VALID"))


def compare_keras():
    """Compare layers of Keras on TensorFlow; the chapter runs them on JAX."""
    x = normal(2, 8, 9, 4)
    pixels = ops.change_layout(x, "NHWC", "NCHW")
    layer = keras.layers.Conv2D(6, (3, 2), strides=2, padding="same", groups=2)
    expected = layer(x)
    weight, bias = (np.asarray(v) for v in layer.weights)
    padded = ops.pad2d(pixels, shapes.tf_same_padding((8, 9), (3, 2), 2))
    weight = ops.change_layout(weight, "HWIO", "OIHW")
    assert_equal(ops.conv2d(padded, weight, bias, stride=2, groups=2), expected)

    norm = keras.layers.BatchNormalization(momentum=0.0)
    norm(x, training=True)  # now the statistics are those of this batch
    axes = (0, 2, 3)
    np.testing.assert_allclose(norm.moving_variance, pixels.var(axis=axes), rtol=1e-4)
    mean, variance = (f(axis=axes, keepdims=True) for f in (pixels.mean, pixels.var))
    assert_equal((pixels - mean) / np.sqrt(variance + 1e-3), norm(x, training=False))


for compare in (
    compare_convolutions, compare_poolings, compare_transposed, compare_depthwise, compare_keras,
):  # fmt: skip
    compare()
    print("equal:", compare.__name__)
print("TensorFlow", tf.__version__, "Keras", keras.__version__, "NumPy", np.__version__)
