"""Tests of the parameter groups, the optimizers and the learning rate schedules."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from convlab.models import MnistCNN
from convlab.training import TrainConfig
from convlab.training.optim import learning_rate_at, make_optimizer, parameter_groups
from convlab.training.precision import loss_scaler


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
    with pytest.raises(ValueError, match="ReLU has no parameter that requires a gradient"):
        parameter_groups(nn.ReLU(), 0.1)


@pytest.mark.parametrize("name", ["sgd", "adam", "adamw"])
def test_updates_equal_those_of_the_plain_optimizer(name, device):
    config = TrainConfig(optimizer=name, learning_rate=0.05, momentum=0.8, weight_decay=0.1)
    torch.manual_seed(0)
    ours = nn.Linear(3, 2).to(device)
    theirs = nn.Linear(3, 2).to(device)
    theirs.load_state_dict(ours.state_dict())
    groups = [{"params": [theirs.weight]}, {"params": [theirs.bias], "weight_decay": 0.0}]
    plain = (
        torch.optim.SGD(groups, lr=0.05, momentum=0.8, nesterov=True, weight_decay=0.1)
        if name == "sgd"
        else {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[name](
            groups, lr=0.05, betas=(0.8, 0.999), weight_decay=0.1
        )
    )
    images = torch.randn(5, 3, generator=torch.Generator().manual_seed(0)).to(device)
    for model, optimizer in ((ours, make_optimizer(ours, config)), (theirs, plain)):
        for _ in range(3):
            optimizer.zero_grad()
            model(images).square().sum().backward()
            optimizer.step()
    torch.testing.assert_close(ours.weight, theirs.weight)
    torch.testing.assert_close(ours.bias, theirs.bias)


def test_sgd_without_momentum():
    assert not make_optimizer(nn.Linear(2, 2), TrainConfig(momentum=0.0)).defaults["nesterov"]


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "adamw"])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16, torch.float16])
def test_the_steps_are_those_of_the_plain_optimizer(dtype, optimizer):
    """PyTorch's fused SGD took other steps in 16 bits, up to PyTorch 2.11 at least."""
    models, start = [], torch.randn(7, 11, generator=torch.Generator().manual_seed(0))
    # AdamW divides by the root of 0.001 g^2, which in float16 is 0 for gradients below 0.008.
    start += 0.1 * start.sign()
    for fused in (None, False):
        layer = nn.Linear(11, 7).to(dtype)
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
    tolerance = {torch.float64: 1e-12, torch.float32: 1e-5}.get(dtype, 1e-2)
    torch.testing.assert_close(models[0].weight, models[1].weight, rtol=tolerance, atol=tolerance)


schedules = st.sampled_from(["linear", "cosine", "constant"])


def rates(total, **settings):
    config = TrainConfig(learning_rate=1.0, **settings)
    return [learning_rate_at(step, total, config) for step in range(total)]


@given(
    total=st.integers(1, 60), schedule=schedules,
    warmup_fraction=st.floats(0, 1, exclude_max=True, allow_subnormal=False),
)  # fmt: skip
def test_it_rises_to_the_highest_rate_then_never_rises_again(total, schedule, warmup_fraction):
    found = rates(total, schedule=schedule, warmup_fraction=warmup_fraction)
    top = found.index(max(found))
    assert max(found) == 1
    assert min(found) > 0
    assert found[: top + 1] == sorted(found[: top + 1])
    assert found[top:] == sorted(found[top:], reverse=True)


def test_cosine_has_half_the_rate_in_the_middle():
    assert rates(8, schedule="cosine", warmup_fraction=0.0)[4] == pytest.approx(0.5)


def test_constant_without_warmup_is_constant():
    assert rates(5, schedule="constant", warmup_fraction=0.0) == [1] * 5


def test_pytorch_has_the_same_cosine():
    weight = torch.zeros(1, requires_grad=True)
    optimizer = torch.optim.SGD([weight], lr=1.0)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 10)
    theirs = []
    for _ in range(10):
        theirs.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    assert rates(10, schedule="cosine", warmup_fraction=0.0) == pytest.approx(theirs)


@pytest.mark.parametrize("step", [-1, 10])
def test_a_step_outside_the_training(step):
    with pytest.raises(ValueError, match=f"below total_steps 10, got {step}"):
        learning_rate_at(step, 10, TrainConfig())


class SkipsALayer(nn.Module):
    """A network that does not use one of its layers in the first step."""

    def __init__(self):
        super().__init__()
        self.always, self.sometimes, self.steps = nn.Linear(4, 4), nn.Linear(4, 4), 0

    def forward(self, values):
        self.steps += 1
        values = self.always(values)
        return values if self.steps == 1 else self.sometimes(values)


@pytest.mark.parametrize("name", ["sgd", "adam", "adamw"])
def test_a_parameter_may_get_its_first_gradient_later(name, device):
    model = SkipsALayer().to(device)
    before = model.sometimes.weight.detach().clone()
    optimizer = make_optimizer(model, TrainConfig(optimizer=name, learning_rate=0.1))
    for step in range(3):
        optimizer.zero_grad(set_to_none=True)
        model(torch.ones(2, 4, device=device)).square().sum().backward()
        optimizer.step()
        assert torch.equal(model.sometimes.weight, before) == (step == 0)


@pytest.mark.parametrize("name", ["sgd", "adam", "adamw"])
def test_a_step_that_is_skipped_for_infinite_gradients_leaves_no_trace(name, device):
    config = TrainConfig(optimizer=name, precision="fp16")
    model = nn.Linear(64, 64).to(device)
    optimizer, scaler = make_optimizer(model, config), loss_scaler(config, torch.device(device))
    before = model.weight.detach().clone()
    scaler.scale(model(torch.full((2, 64), 1e35, device=device)).sum()).backward()
    used_before = [torch.full((64, 64), 1e20, device=device) for _ in range(20)]
    del used_before  # memory that an uninitialized tensor would get
    scaler.step(optimizer)
    assert torch.equal(model.weight, before)
    for state in optimizer.state.values():
        assert all(not value.any() for value in state.values() if value is not None)
