"""Every model of torchvision: its cost, and that a summary leaves it as it was."""

from contextlib import nullcontext

import pytest
import torch
import torchvision
from torch.utils.flop_counter import FlopCounterMode

from convlab.summary import summary
from tests.conftest import EXAMPLES
from tests.summary.state import unchanged

MODELS = torchvision.models
DETECTION, SEGMENTATION, VIDEO, FLOW = (
    set(MODELS.list_models(module=module))
    for module in (MODELS.detection, MODELS.segmentation, MODELS.video, MODELS.optical_flow)
)
# A model of each kind; with `make test FULL=1` all: large ones on the device "meta", on which
# tensors have no values, so that nothing is computed.
SAMPLE = {"squeezenet1_1", "lraspp_mobilenet_v3_large", "ssdlite320_mobilenet_v3_large"}
NAMES = sorted(MODELS.list_models() if EXAMPLES == "full" else SAMPLE)
MOST_WITH_VALUES = 100_000_000
FIXED_SIZE = {"mvit_v1_b", "mvit_v2_s", "s3d"}


def build(name):
    """Return a model without trained weights, and its inputs, as small as it takes."""
    options, shape = {}, (1, 3, 64, 64)
    if name in DETECTION | SEGMENTATION:
        options = {"weights_backbone": None}
        if name in DETECTION and not name.startswith("ssd"):
            options |= {"min_size": 64, "max_size": 64}
        if "rcnn" in name:
            options |= {"rpn_post_nms_top_n_test": 20}
    elif "googlenet" in name or "inception" in name:
        options, shape = {"init_weights": False}, (1, 3, 75, 75)
    elif name in VIDEO:
        shape = (1, 3, 16, 224, 224) if name in FIXED_SIZE else (1, 3, 8, 64, 64)
    elif name in FLOW:
        shape = (1, 3, 128, 128)
    elif name.startswith("vit"):
        size = 56 if name == "vit_h_14" else 64
        options, shape = {"image_size": size}, (1, 3, size, size)
    elif name.startswith("maxvit"):
        shape = (1, 3, 224, 224)
    torch.manual_seed(0)
    model = MODELS.get_model(name, weights=None, **options).eval()
    is_large = name in FIXED_SIZE or sum(x.numel() for x in model.parameters()) > MOST_WITH_VALUES
    device = "meta" if is_large else "cpu"
    inputs = [torch.rand(shape, device=device) for _ in range(2 if name in FLOW else 1)]
    return model.to(device), inputs


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_cost_is_counted_and_the_model_left_as_it_was(name):
    model, inputs = build(name)
    with nullcontext() if inputs[0].is_meta else unchanged(model, *inputs):
        found = summary(model, input_data=inputs)
    model.eval()
    fastpath = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        model(*inputs)
    torch.backends.mha.set_fastpath_enabled(fastpath)
    assert found.macs == counter.get_total_flops() // 2
    assert found.parameters == sum(x.numel() for x in model.parameters())
    auxiliary = ("AuxLogits", "aux1", "aux2")  # for training only
    assert found.parameters_unused == sum(
        x.numel() for key, x in model.named_parameters() if key.startswith(auxiliary)
    )
    assert all(layer.activation_bytes >= 0 for layer in found.layers)
