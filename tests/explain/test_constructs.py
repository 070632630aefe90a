"""Models with unusual code, which run: no explanation says that they fail."""

import pytest
import torch

from convlab.explain import explain
from tests.conftest import EXAMPLES
from tests.summary.constructs import EXACT, OTHERS

NAMES = [*EXACT, *OTHERS][:: 1 if EXAMPLES == "full" else 6]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", NAMES)
def test_no_false_alarm(name):
    torch.manual_seed(0)
    model = (EXACT | OTHERS)[name]().double().eval()
    x = torch.randn(1, 4, 8, 8, dtype=torch.float64)
    found = explain(model, x)
    with torch.no_grad():
        output = model(x)
    assert found.ok is not False, found
    if found.ok and isinstance(output, torch.Tensor):
        assert found.output_shape == tuple(output.shape)
