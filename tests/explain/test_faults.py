"""Each fault gets its cause, its layer and, as its first fix, what an engineer would do first."""

import pytest
import torch

from convlab.explain import explain
from tests.explain.corpus import images
from tests.explain.faults import FAULTS


@pytest.mark.parametrize("name", FAULTS)
@pytest.mark.filterwarnings("ignore")
def test_a_fault_is_explained_and_mended(name):
    make, inputs, cause, layer, first = FAULTS[name]
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = make()
    inputs = tuple(x if isinstance(x, torch.Tensor) else images(*x) / 255 for x in inputs)
    structure = repr(model)
    found = explain(model, *inputs)
    assert repr(model) == structure
    assert (found.ok, found.cause, found.layer) == (False, cause, layer)
    assert found.steps
    assert (found.fixes[0].text if found.fixes else None) == first
    for fix in found.fixes:
        if fix.apply:
            mended, changed = fix.apply(model, inputs)
            mended(*changed)
    with pytest.raises(Exception):  # noqa: B017, PT011  (of many types)
        model(*inputs)
