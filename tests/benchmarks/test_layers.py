"""Tests of the layer tables against the networks of torchvision."""

from collections import Counter

import pytest
import torch
import torchvision
from torch import nn

from benchmarks import layers
from benchmarks.layers import Layer
from benchmarks.suites import DEFAULT, SUITES, Case


def convolutions_of(model):
    """List the settings of all convolutions that a model applies to an image of 224x224.

    On the way: the settings that a `Layer` cannot hold have their usual values.
    """
    met = []

    def note(module, arguments, output):
        (image,) = arguments
        assert image.shape[2] == image.shape[3]
        assert module.padding_mode == "zeros"
        for one, other in (module.kernel_size, module.stride, module.padding, module.dilation):
            assert one == other
        layer = Layer(
            module.in_channels,
            module.out_channels,
            image.shape[2],
            module.kernel_size[0],
            module.stride[0],
            module.padding[0],
            module.dilation[0],
            module.groups,
        )
        assert output.shape[2:] == (layer.output_size, layer.output_size)
        assert module.weight.shape == layer.weight_shape
        met.append(layer)

    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            module.register_forward_hook(note)
    with torch.inference_mode():
        model.eval()(torch.zeros(1, 3, 224, 224, device="meta"))
    return met


@pytest.mark.parametrize(
    ("name", "table"), [("resnet18", layers.RESNET18), ("vgg16", layers.VGG16)]
)
def test_a_network_has_these_convolutions_that_often(name, table):
    with torch.device("meta"):  # shapes alone: nothing is computed
        model = torchvision.models.get_model(name, weights=None)
    met = convolutions_of(model)
    assert Counter(met) == Counter(table)


def test_operations_are_two_per_weight_and_output():
    # 3 images, 4 kernels, 5x5 outputs, windows of 2 channels x 3 x 3
    assert Layer(8, 4, 9, 3, stride=2, padding=1, groups=4).flop(3) == 2 * 3 * 4 * 25 * (2 * 9)


def test_input_and_weight_gradient_take_as_many_operations_as_the_output():
    layer = Layer(8, 4, 9, 3)
    once = layer.flop(2) / 1e9
    costs = [Case(layer, 2, task=task).gflop for task in ("forward", "grad_weight", "gradients")]
    assert costs == [once, once, 2 * once]


def test_names_tell_layers_apart():
    measured = {case.layer for suite in SUITES.values() for case in suite.cases}
    assert len({layer.name for layer in measured}) == len(measured)


def test_every_special_kind_of_layer_is_measured():
    measured = [case.layer for name in DEFAULT for case in SUITES[name].cases]
    assert any(layer.groups == layer.channels > 1 for layer in measured)
    assert any(1 < layer.groups < layer.channels for layer in measured)
    assert any(layer.dilation > 1 for layer in measured)
    assert {1, 3, 5, 7, 11} <= {layer.kernel_size for layer in measured}


def test_a_case_is_in_a_suite_once():
    for suite in SUITES.values():
        assert len(set(suite.cases)) == len(suite.cases)


def test_a_shortened_suite_keeps_one_case_of_each_kind():
    cases = SUITES["backward"].cases
    short = SUITES["backward"].shortened().cases
    kinds = [(case.task, case.images) for case in short]
    assert kinds == list(dict.fromkeys((case.task, case.images) for case in cases))
    assert short[0] == cases[0]
    assert len(short) == 6
