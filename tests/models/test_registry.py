"""Every registered network can be built by name, and handled like any other module."""

import copy
import io
import pickle

import pytest
import torch
from torchvision.models.feature_extraction import create_feature_extractor

from convlab.models import MODELS

# One of each family, small enough to be built for each test.
FAMILIES = ["simple-cnn", "mnist-cnn", "lenet5", "resnet18"]


@pytest.fixture(params=FAMILIES)
def case(request):
    entry = MODELS[request.param]
    shape = entry.input_shape if entry.input_shape[0] == 1 else (3, 64, 48)
    torch.manual_seed(0)
    return entry.build(num_classes=6).eval(), torch.randn(2, *shape)


@pytest.mark.parametrize("name", MODELS)
def test_every_network_takes_the_images_it_names(name):
    with torch.device("meta"):
        model = MODELS[name].build(num_classes=4).eval()
        assert model(torch.empty(2, *MODELS[name].input_shape)).shape == (2, 4)
        assert model(torch.empty(0, *MODELS[name].input_shape)).shape == (0, 4)


@pytest.mark.parametrize("name", MODELS)
def test_the_graph_of_every_network_is_its_layers_alone(name):
    with torch.device("meta"):
        model = MODELS[name].build()
        traced = torch.fx.symbolic_trace(torch.nn.Sequential(model))
    assert not [node for node in traced.graph.nodes if "shape" in node.name or "ndim" in node.name]


def test_a_network_can_be_copied_and_saved(case):
    model, images = case
    expected = model(images)
    file = io.BytesIO()
    torch.save(model, file)
    file.seek(0)
    again = torch.load(file, weights_only=False)
    for twin in (copy.deepcopy(model), pickle.loads(pickle.dumps(model)), again):
        assert torch.equal(twin(images), expected)
        with pytest.raises(ValueError, match="images"):
            twin(images[0])


def test_a_network_can_be_traced_exported_and_compiled(case):
    model, images = case
    expected = model(images)
    for other in (
        torch.fx.symbolic_trace(model),
        torch.export.export(model, (images,)).module(),
        torch.compile(model, backend="eager", fullgraph=True),
    ):
        torch.testing.assert_close(other(images), expected)


def test_a_network_takes_other_layouts_and_types(case):
    model, images = case
    expected = model(images)
    last = copy.deepcopy(model).to(memory_format=torch.channels_last)
    answer = last(images.to(memory_format=torch.channels_last))
    torch.testing.assert_close(answer, expected, rtol=1e-4, atol=1e-4)
    wide = copy.deepcopy(model).double()(images.double())
    torch.testing.assert_close(wide.float(), expected, rtol=1e-4, atol=1e-4)
    for dtype in (torch.half, torch.bfloat16):
        narrow = copy.deepcopy(model).to(dtype)(images.to(dtype))
        assert narrow.dtype == dtype
        assert narrow.isfinite().all()


@pytest.mark.parametrize(
    ("name", "node", "shape"),
    [("alexnet", "avgpool", (2, 256, 6, 6)), ("vgg11-bn", "features.28", (2, 512, 2, 3)),
     ("resnet18", "layer3", (2, 256, 5, 7))],
)  # fmt: skip
def test_torchvisions_feature_extractor_finds_the_layers(name, node, shape):
    with torch.device("meta"):
        model = create_feature_extractor(MODELS[name].build(), {node: "found"})
        assert model(torch.empty(2, 3, 72, 100))["found"].shape == shape
