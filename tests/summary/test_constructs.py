"""What a summary says of strangers' models is right or unknown, and leaves them as they were."""

import warnings

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from convlab.summary import summary
from tests.conftest import EXAMPLES
from tests.summary.constructs import EXACT, OTHERS
from tests.summary.dependence import check_row, compare, measured, tracked
from tests.summary.state import unchanged

# Interpolation multiplies a NaN by 0, and indices computed from a NaN are not safe in C++.
FINITE = {"bilinear_up", "u_net", "aspp", "deformable"}
# Products with a vector and distances, which the counter of PyTorch leaves out.
UNCOUNTED = {"spectral_norm", "distances", "vector_quantizer"}
# These cannot run with gradients.
WITHOUT_GRADIENTS = {"out", "set", "resized", "unbound", "split_written", "gradient_inside"}
WITHOUT_GRADIENTS |= {"two_names_of_a_cache"}
SIZE = (8, 8)
# All with `make test FULL=1`, else some.
NAMES = [*EXACT, *OTHERS][:: 1 if EXAMPLES == "full" else 6]


@pytest.fixture(scope="module", autouse=True)
def _separate_operations():
    """Let attention run as it does in a summary."""
    enabled = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    yield
    torch.backends.mha.set_fastpath_enabled(enabled)


def build(name):
    torch.manual_seed(0)
    model = torch.nn.Sequential((EXACT | OTHERS)[name](), torch.nn.Identity()).double().eval()
    x = torch.randn(1, 4, *SIZE, dtype=torch.float64)
    model.requires_grad_(name not in WITHOUT_GRADIENTS)
    with torch.no_grad():
        model(x.clone())  # some change their weights when they run
    return model, x


@pytest.mark.parametrize("name", NAMES)
def test_fields_cover_what_is_read(name):
    model, x = build(name)
    depends = measured(model, x, value=1e3 if name in FINITE else torch.nan)
    results = tracked(model, [x])
    compare(depends, results, SIZE)
    of_model = [pair for pair in zip(depends, results, strict=True) if pair[0][0] == "1"]
    if name in EXACT:
        assert compare(*zip(*of_model, strict=True), SIZE, exact=True) == []
    field = summary(model, x).layers[-1].receptive_field
    if field is not None and of_model:
        check_row(field, of_model[0][0][1], SIZE)


@pytest.mark.filterwarnings("ignore:.*global hooks on modules")  # by the counter of PyTorch
@pytest.mark.parametrize("name", [name for name in NAMES if name != "gradient_inside"])
def test_parameters_and_products_are_those_that_take_part(name):
    model, x = build(name)
    found = summary(model, x)
    with torch.no_grad():
        counter = FlopCounterMode(display=False)
        with counter:
            outputs = flat(model(x))
        unused = 0
        for parameter in model.parameters():
            kept = parameter.detach().clone()
            parameter.fill_(7.0 if name in FINITE else torch.nan)
            spoiled = flat(model(x))
            parameter.copy_(kept)
            equal = len(spoiled) == len(outputs) and all(map(same, spoiled, outputs))
            unused += parameter.numel() * equal
    assert found.parameters == sum(p.numel() for p in model.parameters())
    # What is computed and then overwritten took part.
    assert found.parameters_unused == unused if name in EXACT else found.parameters_unused <= unused
    if name not in UNCOUNTED:
        assert found.macs in (None, counter.get_total_flops() // 2)


@pytest.mark.parametrize("name", NAMES)
def test_models_are_as_they_were(name):
    model, x = build(name)
    with unchanged(model, x), warnings.catch_warnings():
        warnings.simplefilter("error")
        summary(model, x)


def flat(value):
    """List the tensors in the output of a model."""
    if isinstance(value, torch.Tensor):
        return [value]
    if hasattr(value, "__dict__") and not isinstance(value, tuple):
        value = vars(value)
    values = value.values() if isinstance(value, dict) else value
    return [x for entry in values for x in flat(entry)]


def same(a, b):
    return a.shape == b.shape and torch.equal(a, b)
