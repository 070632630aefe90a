"""Parameters, multiply-accumulates and receptive fields of well-known networks."""

import pytest
import torch
import torchvision

from convlab.summary import summary
from tests.conftest import EXAMPLES

NETWORKS = [
    "alexnet", "vgg11", "vgg11_bn", "vgg13", "vgg13_bn", "vgg16", "vgg16_bn", "vgg19", "vgg19_bn",
    "resnet18", "resnet34", "resnet50", "resnet101", "resnet152", "mobilenet_v2", "googlenet",
]  # fmt: skip
if EXAMPLES == "full":  # all that classify, but for one whose documented parameters are others
    NETWORKS = sorted({*torchvision.models.list_models(torchvision.models)} - {"inception_v3"})


def build(name):
    # On the device "meta" tensors have shapes but no values: nothing is computed, all is recorded.
    options = {"aux_logits": False, "init_weights": False} if name == "googlenet" else {}
    if name == "vit_h_14":
        options = {"image_size": 518}
    with torch.device("cpu" if name.startswith("regnet") else "meta"):
        return torchvision.models.get_model(name, **options).to("meta")


@pytest.mark.parametrize("name", NETWORKS)
def test_parameters_and_operations_are_those_that_torchvision_documents(name):
    weights = next(iter(torchvision.models.get_model_weights(name)))
    (size,), documented = weights.transforms().crop_size, weights.meta
    found = summary(build(name), (3, size, size))
    assert found.parameters == documented["num_params"]
    assert found.parameters_unused == 0
    assert round(found.macs / 1e9, 3) == documented["_ops"]


def test_parameters_of_branches_for_training_are_unused():
    with torch.device("meta"):
        model = torchvision.models.googlenet(aux_logits=True, init_weights=False)
    heads = sum(p.numel() for head in (model.aux1, model.aux2) for p in head.parameters())
    found = summary(model, (3, 224, 224))
    assert found.parameters_unused == heads
    assert found.parameters - heads == summary(build("googlenet"), (3, 224, 224)).parameters


@pytest.mark.parametrize(
    ("name", "layer", "size", "jump"),
    [
        ("alexnet", "features.12", 195, 32),
        ("vgg16", "features.30", 212, 32),
        ("resnet18", "layer4.1 (add)", 435, 32),
    ],
)
def test_receptive_fields_are_those_of_the_literature(name, layer, size, jump):
    found = summary(build(name), (3, 224, 224))
    (field,) = (entry.receptive_field for entry in found.layers if entry.name == layer)
    assert field.size == (size, size)
    assert field.jump == (jump, jump)
    assert found.layers[-1].receptive_field.whole == (True, True)
