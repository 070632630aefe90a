"""ONNX's test cases for convolution, pooling and padding, answered by `convlab.ops`.

The files in this folder mirror no module of the package. They hold it against inputs that
its authors did not choose: here the backend tests of ONNX, whose expected outputs were
computed by ONNX's reference code, or long ago by PyTorch. `onnx_nodes` translates.
"""

from collections import Counter
from fnmatch import fnmatch

import numpy as np
import pytest

from convlab.ops import METHODS
from tests.conformance.onnx_nodes import Case, all_cases, answer

# Every other case of the family is in scope and must be answered. A pattern that no longer
# matches anything is a mistake.
OUT_OF_SCOPE = {
    "test_*1d*": "one dimension; convlab has two",
    "test_operator_maxpool": "one dimension",
    "test_*3d*": "three dimensions",
    "test_causal_conv_with_state*": "one dimension, and an operator with a memory",
    "test_averagepool_2d_dilations": "avg_pool2d has no dilation, as in PyTorch",
    "test_lppool_*": "the p-norm of a window; convlab has maximum and mean",
    "test_maxunpool_*": "the inverse of max pooling",
    "test_col2im*": "windows as an operator of its own",
    "test_convinteger_*": "integers with a zero point; convlab takes float32 and float64",
    "test_qlinearconv": "integers with a scale and a zero point",
    "test_*deform_conv*": "windows that bend",
    "test_attention_*": "pads the mask of an attention layer",
    "test_center_crop_pad_*": "crops, and pads axes that are not height and width",
}

CASES = list(all_cases())
IN_SCOPE = [c for c in CASES if not any(fnmatch(c.name, pattern) for pattern in OUT_OF_SCOPE)]
CONVOLUTIONS = [case for case in IN_SCOPE if case.operators == ("Conv",)]
TYPED_WITH_FOUR_DECIMALS = ["test_averagepool_2d_ceil_last_window_starts_on_pad"]
SEVEN_LOOPS_TAKE_MINUTES = ["test_operator_conv"]  # 85 million multiplications


def named(cases):
    return pytest.mark.parametrize("case", cases, ids=lambda case: case.name)


def assert_conforms(case: Case, results):
    """Equal shapes, dtypes and numbers; sums of products up to rounding, all else exactly."""
    exact = case.operators[0] in ("MaxPool", "GlobalMaxPool", "Pad")
    assert len(results) == len(case.outputs)
    for result, expected in zip(results, case.outputs, strict=True):
        assert result.shape == expected.shape
        assert result.dtype == expected.dtype
        tolerance = 0 if exact else 3e-6 * np.abs(expected).max()
        if case.name in TYPED_WITH_FOUR_DECIMALS:
            tolerance = 0.00006
        np.testing.assert_allclose(result, expected, rtol=0, atol=tolerance)


@named([case for case in IN_SCOPE if case.operators != ("Conv",)])
def test_onnx_and_convlab_agree(case):
    assert_conforms(case, answer(case))


@named(CONVOLUTIONS)
def test_onnx_and_every_method_that_can_do_the_convolution_agree(case):
    answered = []
    for method in ("auto", *METHODS):
        if method == "naive" and case.name in SEVEN_LOOPS_TAKE_MINUTES:
            continue
        refusal = ""
        try:
            assert_conforms(case, answer(case, method))
        except ValueError as error:
            refusal = str(error)
        if refusal:
            assert refusal.startswith(f"method '{method}' needs")
            assert method.startswith(("winograd", "depthwise"))
        else:
            answered.append(method)
    strides = case.attributes.get("strides", [1, 1])
    assert ("winograd4" in answered) == ("winograd2" in answered) == (strides == [1, 1])
    assert ("depthwise" in answered) == (case.inputs[1].shape[1] == 1)
    assert len(answered) >= 5


def test_the_cases_in_scope_are_as_many_as_they_were():
    """A lower bound for each operator, so that no mistake in the loading can empty the tests."""
    counts = Counter(case.operators for case in IN_SCOPE)
    least = {"Conv": 18, "ConvTranspose": 12, "MaxPool": 16, "AveragePool": 14, "Pad": 11,
             "GlobalAveragePool": 2, "GlobalMaxPool": 2}  # fmt: skip
    assert counts.keys() == {(operator,) for operator in least}
    assert all(counts[(operator,)] >= number for operator, number in least.items())


@pytest.mark.parametrize("pattern", OUT_OF_SCOPE)
def test_nothing_is_declared_out_of_scope_that_does_not_exist(pattern):
    assert any(fnmatch(case.name, pattern) for case in CASES)


def test_every_case_of_the_family_is_either_answered_or_listed():
    listed = {c.name for c in CASES if any(fnmatch(c.name, pattern) for pattern in OUT_OF_SCOPE)}
    answered = {case.name for case in IN_SCOPE}
    assert len(answered) == len(IN_SCOPE)
    assert listed | answered == {case.name for case in CASES}
    assert not listed & answered
