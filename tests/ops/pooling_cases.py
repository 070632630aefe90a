"""Random poolings, valid and invalid, and the comparison with PyTorch."""

import numpy as np
import pytest
import torch
from hypothesis import strategies as st

FLOATS = (np.float16, np.float32, np.float64)
INTEGERS = (np.uint8, np.int8, np.int16, np.int32, np.int64)
# Means differ in the last place or two: PyTorch adds in another order.
TOLERANCE = {"float16": 2e-3, "float32": 2e-6, "float64": 1e-12}
SPECIAL = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0])

WRONG_DTYPES = (np.uint16, np.uint32, bool, np.complex64)
WRONG_SHAPES = ((4, 4), (1, 1, 1, 4, 4), (), (1, 0, 4, 4), (1, 4, 0), (0, 2, 0, 3), (0, 4, 4))
WRONG_NUMBERS = (0, -1, (2, 0), (1, 2, 3), (2.0, 1), 1.5, True, (False, 1), "2", 2**40, 2**70)
WRONG_SWITCHES = (0, 1, None, "yes", np.True_)


def images(draw, shape, dtype, special=False):
    """Draw images of few different numbers, for ties, and in floats also NaN and infinities."""
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    dtype = np.dtype(dtype)
    if dtype.kind in "fc" and draw(st.booleans()):
        x = random.normal(size=shape)
    else:
        x = random.integers(0 if dtype.kind in "ub" else -3, 4, size=shape)
    x = np.asarray(x, dtype)
    if dtype.kind == "f" and special:
        x = np.where(random.random(shape) < 0.3, random.choice(SPECIAL, shape), x).astype(dtype)
    elif dtype.kind == "i" and special:
        x = np.where(random.random(shape) < 0.4, np.iinfo(dtype).min, x)
    return np.asarray(x, dtype)


def shapes(draw):
    batch = draw(st.sampled_from([(), (0,), (1,), (2,)]))
    size = st.integers(1, 10)
    return (*batch, draw(st.integers(1, 3)), draw(size), draw(size))


@st.composite
def windows(draw, dilated):
    """Draw kernel, stride and padding; most of them are valid."""

    def one(number):
        kind = draw(st.sampled_from(["int", "pair", "list", "one"]))
        if kind == "int":
            return draw(number)
        if kind == "one":
            return (draw(number),)
        values = draw(number), draw(number)
        return list(values) if kind == "list" else values

    kernel = one(st.sampled_from([1, 2, 2, 3, 3, 4, 5]))
    half = np.min(kernel) // 2
    arguments = {
        "kernel_size": kernel,
        "stride": draw(st.sampled_from([None, (), []]))
        if draw(st.booleans())
        else one(st.integers(1, 4)),
        "padding": one(st.integers(0, int(half) + (draw(st.integers(0, 9)) == 0))),
        "ceil_mode": draw(st.booleans()),
    }
    if dilated:
        arguments["dilation"] = one(st.sampled_from([1, 1, 1, 2, 3]))
    return arguments


def maybe_invalidate(draw, case, numbers, switches=()):
    """Make one argument unusual in every second case; PyTorch may reject or accept it."""
    if draw(st.booleans()):
        return case
    name = draw(st.sampled_from(["dtype", "shape", *numbers, *numbers, *switches]))
    if name == "dtype":
        dtype = draw(st.sampled_from(WRONG_DTYPES + INTEGERS))
        case["input"] = np.ones(case["input"].shape, dtype)
    elif name == "shape":
        case["input"] = np.ones(draw(st.sampled_from(WRONG_SHAPES)), case["input"].dtype)
    elif name in switches:
        case[name] = draw(st.sampled_from(WRONG_SWITCHES))
    else:
        case[name] = draw(st.sampled_from(WRONG_NUMBERS))
    return case


@st.composite
def max_poolings(draw, valid=False):
    case = {
        "input": images(draw, shapes(draw), draw(st.sampled_from(FLOATS + INTEGERS)), special=True),
        **draw(windows(dilated=True)),
        "return_indices": draw(st.booleans()),
    }
    numbers = ("kernel_size", "stride", "padding", "dilation")
    return case if valid else maybe_invalidate(draw, case, numbers, ["ceil_mode"])


@st.composite
def avg_poolings(draw, valid=False):
    dtype = draw(st.sampled_from([*FLOATS, np.int64]))
    # No smallest int64 here: PyTorch 2.15 ends the whole process when it divides it by -1.
    special = dtype != np.int64 and draw(st.booleans())
    case = {
        "input": images(draw, shapes(draw), dtype, special),
        **draw(windows(dilated=False)),
        "count_include_pad": draw(st.booleans()),
        "divisor_override": draw(st.none() | st.integers(-4, 4).filter(bool)),
    }
    numbers = ("kernel_size", "stride", "padding", "divisor_override")
    return (
        case if valid else maybe_invalidate(draw, case, numbers, ["ceil_mode", "count_include_pad"])
    )


@st.composite
def adaptive_poolings(draw, valid=False, special=True):
    number = st.integers(0, 11)
    entry = st.none() | number
    case = {
        "input": images(draw, shapes(draw), draw(st.sampled_from(FLOATS)), special),
        "output_size": draw(number | st.tuples(entry, entry) | st.tuples(entry, entry).map(list)),
    }
    return case if valid else maybe_invalidate(draw, case, ["output_size"])


def adaptive_torch(function):
    """Wrap a pooling of PyTorch so that none of its shortcuts skips its own checks.

    An output of size 1 is a plain mean there, of anything, and an output of size 0 or an
    empty batch may be of any dtype.
    """

    def answer(tensor, output_size, **options):
        if tensor.dtype not in (torch.float16, torch.float32, torch.float64):
            raise TypeError(tensor.dtype)
        if tensor.ndim not in (3, 4) or 0 in tensor.shape[-2:]:
            raise ValueError(tensor.shape)
        return function(tensor, output_size, **options)

    return answer


def same_as_torch(ours, theirs, case, exact):
    """Compare both results, or check that both raise; return whether there was a result."""
    case = dict(case)
    x = case.pop("input")
    try:
        expected = theirs(torch.from_numpy(x), **case)
    except (RuntimeError, ValueError, TypeError, IndexError):
        with pytest.raises((ValueError, TypeError), match=r"\d|True|False"):
            ours(x, **case)
        return False
    answers = ours(x, **case)
    if not isinstance(expected, tuple):
        answers, expected = (answers,), (expected,)
    assert len(answers) == len(expected)
    for answer, wanted in zip(answers, (tensor.numpy() for tensor in expected), strict=True):
        assert answer.dtype == wanted.dtype
        assert answer.shape == wanted.shape
        if exact or wanted.dtype.kind != "f":
            np.testing.assert_array_equal(answer, wanted)
        else:
            tolerance = TOLERANCE[str(wanted.dtype)]
            np.testing.assert_allclose(answer, wanted, rtol=tolerance, atol=10 * tolerance)
    return True
