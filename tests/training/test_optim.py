"""Weight decay where it belongs, and updates as PyTorch's plain optimizers make them."""

import pytest
import torch
from torch import nn

from convlab.models import MnistCNN
from convlab.training import TrainConfig, make_optimizer, parameter_groups


def test_norms_and_biases_do_not_decay():
    model = MnistCNN()
    decaying, others = parameter_groups(model, 0.1)
    assert (decaying["weight_decay"], others["weight_decay"]) == (0.1, 0.0)
    names = {id(value): name for name, value in model.named_parameters()}
    modules = dict(model.named_modules())
    for value in decaying["params"]:
        assert isinstance(modules[names[id(value)].rpartition(".")[0]], (nn.Conv2d, nn.Linear))
        assert names[id(value)].endswith("weight")
    assert len(decaying["params"]) + len(others["params"]) == len(names)


def test_frozen_parameters_are_left_out_and_empty_groups_too():
    layer = nn.Linear(2, 2)
    layer.bias.requires_grad_(False)
    assert [len(group["params"]) for group in parameter_groups(layer, 0.1)] == [1]


def test_a_model_without_parameters_cannot_be_trained():
    with pytest.raises(ValueError, match="ReLU has no parameter that needs a gradient"):
        parameter_groups(nn.ReLU(), 0.1)


@pytest.mark.parametrize("name", ["sgd", "adamw"])
def test_updates_equal_those_of_the_plain_optimizer(name, device):
    config = TrainConfig(optimizer=name, learning_rate=0.05, weight_decay=0.1)
    torch.manual_seed(0)
    ours = nn.Linear(3, 2).to(device)
    theirs = nn.Linear(3, 2).to(device)
    theirs.load_state_dict(ours.state_dict())
    groups = [{"params": [theirs.weight]}, {"params": [theirs.bias], "weight_decay": 0.0}]
    plain = (
        torch.optim.SGD(groups, lr=0.05, momentum=0.9, nesterov=True, weight_decay=0.1)
        if name == "sgd"
        else torch.optim.AdamW(groups, lr=0.05, weight_decay=0.1)
    )
    images = torch.randn(5, 3, device=device)
    for model, optimizer in ((ours, make_optimizer(ours, config)), (theirs, plain)):
        for _ in range(3):
            optimizer.zero_grad()
            model(images).square().sum().backward()
            optimizer.step()
    torch.testing.assert_close(ours.weight, theirs.weight)
    torch.testing.assert_close(ours.bias, theirs.bias)


def test_sgd_without_momentum():
    assert not make_optimizer(nn.Linear(2, 2), TrainConfig(momentum=0.0)).defaults["nesterov"]


@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
@pytest.mark.parametrize("kind", [torch.float64, torch.float32, torch.bfloat16, torch.float16])
def test_the_steps_are_those_of_the_plain_kind(kind, optimizer):
    """PyTorch's fused SGD took other steps in 16 bits, up to PyTorch 2.11 at least."""
    models, start = [], torch.randn(7, 11)
    for fused in (None, False):
        layer = nn.Linear(11, 7).to(kind)
        with torch.no_grad():
            layer.weight.copy_(start)
        ours = make_optimizer(layer, TrainConfig(optimizer=optimizer))
        if fused is False:
            for group in ours.param_groups:
                group["fused"] = False
        for rate in (0.1, 0.2, 0.3):
            for group in ours.param_groups:
                group["lr"] = rate
            for parameter in layer.parameters():
                parameter.grad = parameter.detach().clone()
            ours.step()
        models.append(layer)
    tolerance = {torch.float64: 1e-12, torch.float32: 1e-5}.get(kind, 1e-2)
    torch.testing.assert_close(models[0].weight, models[1].weight, rtol=tolerance, atol=tolerance)
