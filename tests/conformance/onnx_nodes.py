"""ONNX's operators, put together from `convlab.ops`, and ONNX's own test cases for them."""

import re
import warnings
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import onnx
from onnx.backend.test.case.node import collect_testcases
from onnx.backend.test.loader import load_model_tests

from convlab import ops

FAMILY = re.compile("conv|pool|pad|col2im", re.IGNORECASE)  # operators of interest


class Case(NamedTuple):
    """A test case of ONNX: a graph, what goes in, and what must come out."""

    name: str
    operators: tuple[str, ...]
    attributes: dict[str, Any]  # of the first node; cases in scope have no other
    inputs: list[np.ndarray | None]
    outputs: list[np.ndarray]


def all_cases():
    """Every case of ONNX whose graph has an operator of the family.

    The cases of single operators are not stored in the package but made, with random inputs,
    by its reference code. Those that come from PyTorch are stored with their outputs.
    """
    # ONNX draws its inputs from NumPy's old global generator (hence no other one will do): seeded
    # here, so that they are the same in each run, and put back.
    state = np.random.get_state()  # noqa: NPY002
    np.random.seed(0)  # noqa: NPY002
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # overflows in ONNX's cases for other operators
        made = collect_testcases()
    np.random.set_state(state)  # noqa: NPY002
    for test in made:
        if _of_family(test.model):
            ((inputs, outputs),) = test.data_sets
            yield _case(test.name, test.model, inputs, outputs)
    for test in (
        *load_model_tests(kind="pytorch-converted"),
        *load_model_tests(kind="pytorch-operator"),
    ):
        model = onnx.load(f"{test.model_dir}/model.onnx")
        if _of_family(model):
            yield _case(test.name, model, _stored(test, "input"), _stored(test, "output"))


def _of_family(model):
    return any(FAMILY.search(node.op_type) for node in model.graph.node)


def _stored(test, kind):
    files = sorted(Path(test.model_dir, "test_data_set_0").glob(f"{kind}_*.pb"))
    return [onnx.numpy_helper.to_array(onnx.load_tensor(file)) for file in files]


def _case(name, model, inputs, outputs):
    graph, node = model.graph, model.graph.node[0]
    values = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in graph.initializer}
    free = [value.name for value in graph.input if value.name not in values]
    values |= dict(zip(free, inputs, strict=True)) | {"": None}
    return Case(
        name,
        tuple(node.op_type for node in graph.node),
        {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute},
        [values.get(name) for name in node.input],
        list(outputs),
    )


def answer(case, method="auto"):
    """Compute the outputs of a case, all of them, with `convlab.ops`."""
    (operator,) = case.operators
    attributes = {
        name: value.decode() if isinstance(value, bytes) else value
        for name, value in case.attributes.items()
    }
    if operator == "Conv":
        attributes["method"] = method
    results = OPERATORS[operator](*case.inputs, **attributes)
    return (results if isinstance(results, tuple) else (results,))[: len(case.outputs)]


def sides_of(size, kernel_size, stride, dilation, pads, auto_pad):
    """Turn (top, left, bottom, right), or a word, into (left, right, top, bottom)."""
    if auto_pad in ("NOTSET", "VALID"):
        top, left, bottom, right = pads
        return left, right, top, bottom
    sides = []
    for n, k, s, d in zip(size, kernel_size, stride, dilation, strict=True):
        total = max((-(-n // s) - 1) * s + d * (k - 1) + 1 - n, 0)
        sides.append(_halves(total, more_at_the_end=auto_pad == "SAME_UPPER"))
    return *sides[1], *sides[0]


def _halves(total, more_at_the_end):
    less, more = total // 2, total - total // 2
    return (less, more) if more_at_the_end else (more, less)


ONES, NONE = (1, 1), (0, 0, 0, 0)


def conv(x, w, b=None, *, method, kernel_shape=None, group=1, strides=ONES, dilations=ONES,
         pads=NONE, auto_pad="NOTSET"):  # fmt: skip
    assert kernel_shape is None or tuple(kernel_shape) == w.shape[2:]
    sides = sides_of(x.shape[2:], w.shape[2:], strides, dilations, pads, auto_pad)
    left, right, top, bottom = sides
    padding = top, left
    if (left, top) != (right, bottom):
        x, padding = ops.pad2d(x, sides), 0
    return ops.conv2d(x, w, b, strides, padding, dilations, group, method=method)


def conv_transpose(x, w, b=None, *, kernel_shape=None, group=1, strides=ONES, dilations=ONES,
                   pads=NONE, auto_pad="NOTSET", output_padding=(0, 0),
                   output_shape=None):  # fmt: skip
    assert kernel_shape is None or tuple(kernel_shape) == w.shape[2:]
    (top, left, bottom, right), extra = pads, list(output_padding)
    if auto_pad.startswith("SAME"):
        output_shape = [n * s for n, s in zip(x.shape[2:], strides, strict=True)]
    if output_shape is not None:
        ends = []
        for axis, wanted in enumerate(output_shape):
            reach = dilations[axis] * (w.shape[2 + axis] - 1) + 1
            total = (x.shape[2 + axis] - 1) * strides[axis] + extra[axis] + reach - wanted
            if total < 0:  # more than there is: cells that no kernel reaches
                extra[axis], total = extra[axis] - total, 0
            ends.append(_halves(total, more_at_the_end=auto_pad == "SAME_UPPER"))
        (top, bottom), (left, right) = ends
    both = min(top, bottom), min(left, right)
    y = ops.conv_transpose2d(x, w, b, strides, both, extra, group, dilations)
    height, width = y.shape[2:]
    return y[
        :, :, top - both[0] : height - bottom + both[0], left - both[1] : width - right + both[1]
    ]


def max_pool(x, *, kernel_shape, strides=ONES, dilations=ONES, pads=NONE, auto_pad="NOTSET",
             ceil_mode=0, storage_order=0):  # fmt: skip
    sides = sides_of(x.shape[2:], kernel_shape, strides, dilations, pads, auto_pad)
    left, right, top, bottom = sides
    if not _symmetric(sides, kernel_shape):
        lowest = -np.inf if x.dtype.kind == "f" else np.iinfo(x.dtype).min
        x = np.pad(x, ((0, 0), (0, 0), (top, bottom), (left, right)), constant_values=lowest)
        return ops.max_pool2d(x, kernel_shape, strides, 0, dilations, bool(ceil_mode))
    values, indices = ops.max_pool2d(
        x, kernel_shape, strides, (top, left), dilations, bool(ceil_mode), return_indices=True
    )
    alone = ops.max_pool2d(x, kernel_shape, strides, (top, left), dilations, bool(ceil_mode))
    np.testing.assert_array_equal(values, alone)
    images, channels, height, width = x.shape
    if storage_order == 1:  # down the columns first
        rows, columns = np.divmod(indices, width)
        indices = columns * height + rows
    planes = np.arange(images * channels).reshape(images, channels, 1, 1)  # ONNX counts through
    return values, indices + planes * height * width


def average_pool(x, *, kernel_shape, strides=ONES, dilations=ONES, pads=NONE, auto_pad="NOTSET",
                 ceil_mode=0, count_include_pad=0):  # fmt: skip
    assert tuple(dilations) == ONES
    sides = sides_of(x.shape[2:], kernel_shape, strides, dilations, pads, auto_pad)
    left, _, top, _ = sides
    options = {"ceil_mode": bool(ceil_mode), "count_include_pad": bool(count_include_pad)}
    if _symmetric(sides, kernel_shape):
        return ops.avg_pool2d(x, kernel_shape, strides, (top, left), **options)
    padded = ops.pad2d(x, sides)
    if count_include_pad:
        return ops.avg_pool2d(padded, kernel_shape, strides, 0, **options)
    cells = ops.pad2d(np.ones_like(x), sides)
    sums, counts = (
        ops.avg_pool2d(array, kernel_shape, strides, 0, bool(ceil_mode), divisor_override=1)
        for array in (padded, cells)
    )
    return sums / counts


def _symmetric(sides, kernel_size):
    """Whether pooling can do this padding itself: the same on both sides, half a kernel at most."""
    left, right, top, bottom = sides
    return (
        (left, top) == (right, bottom) and 2 * top <= kernel_size[0] and 2 * left <= kernel_size[1]
    )


def pad(x, pads=None, value=0.0, axes=None, *, mode="constant"):
    axes = range(x.ndim) if axes is None else [int(axis) % x.ndim for axis in axes]
    begin, end = np.zeros(x.ndim, int), np.zeros(x.ndim, int)
    begin[list(axes)], end[list(axes)] = np.reshape(pads, (2, -1))
    assert not begin[:-2].any()
    assert not end[:-2].any()
    sides = tuple(int(n) for n in (begin[-1], end[-1], begin[-2], end[-2]))
    names = {"constant": "zeros", "edge": "replicate", "reflect": "reflect", "wrap": "circular"}
    padded = ops.pad2d(x, sides, names[mode])
    if mode == "constant":
        inside = ops.pad2d(np.ones(x.shape, bool), sides)
        padded[~inside] = value
    return padded


OPERATORS = {
    "Conv": conv,
    "ConvTranspose": conv_transpose,
    "MaxPool": max_pool,
    "AveragePool": average_pool,
    "GlobalAveragePool": lambda x: ops.adaptive_avg_pool2d(x, 1),
    "GlobalMaxPool": lambda x: ops.adaptive_max_pool2d(x, 1),
    "Pad": pad,
}
