"""Geometry of a layer: order of its fields, and numbers small enough for NumPy's strides."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from convlab import shapes
from convlab.ops.geometry import Geometry, conv2d_geometry, with_padding_and_groups
from convlab.ops.methods import naive
from tests.ops.strategies import int_or_pair

LAYER = {
    "kernel_size": st.tuples(st.integers(1, 4), st.integers(1, 4)),
    "stride": int_or_pair(1, 20),
    "padding": int_or_pair(0, 4) | st.just("valid"),
    "dilation": int_or_pair(1, 3),
}


@given(size=st.tuples(st.integers(1, 12), st.integers(1, 12)), layer=st.fixed_dictionaries(LAYER))
def test_sizes_are_those_of_the_arguments_whatever_the_stride(size, layer):
    try:
        expected = shapes.conv2d_output_size(size, **layer)
    except ValueError as error:
        with pytest.raises(ValueError, match=re.escape(str(error))):
            conv2d_geometry(size, **layer, groups=1)
        return
    geometry = conv2d_geometry(size, **layer, groups=1)
    assert geometry.output_size(size, layer["kernel_size"]) == expected
    padded = geometry.padded_size(size)
    left, right, top, bottom = geometry.padding
    assert padded == (size[0] + top + bottom, size[1] + left + right)
    assert all(s <= n + 1 for s, n in zip(geometry.stride, padded, strict=True))


def test_the_order_of_the_fields_and_of_the_sides():
    geometry = conv2d_geometry((9, 9), (3, 3), (1, 2), (3, 4), (2, 1), 5)
    assert geometry == Geometry((1, 2), (4, 4, 3, 3), (2, 1), 5)
    assert conv2d_geometry((9, 9), (2, 4), 1, "same", 1, 1).padding == (1, 2, 0, 1)


def test_a_method_for_one_group_and_no_padding_gets_padded_images_group_by_group():
    calls = []

    @with_padding_and_groups
    def method(x, w, geometry):
        calls.append((x.shape, w.shape, geometry))
        return naive(x, w, geometry)

    random = np.random.default_rng(0)
    x, w = random.normal(size=(2, 4, 5, 6)), random.normal(size=(6, 2, 3, 2))
    geometry = Geometry((2, 1), (1, 0, 2, 3), (1, 2), groups=2)
    y = method(x, w, geometry)
    assert calls == [((2, 2, 10, 7), (3, 2, 3, 2), Geometry((2, 1), dilation=(1, 2)))] * 2
    np.testing.assert_array_equal(y, naive(x, w, geometry))


@pytest.mark.parametrize(("size", "kernel_size"), [((1, 9), (1, 3)), ((9, 1), (3, 1))])
def test_the_limit_of_a_dilation_is_that_of_its_own_axis(size, kernel_size):
    geometry = conv2d_geometry(size, kernel_size, 1, 0, 4, 1)
    axis = size.index(9)
    assert geometry.dilation[axis] == 4
    assert geometry.output_size(size, kernel_size) == (1, 1)
