"""Tests of the learning rate range test: steps of a training, no side effects."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from convlab.models import LeNet5
from convlab.training import learning_rate_range
from convlab.training.batches import DeviceBatches
from convlab.training.distributed import DistributedContext
from convlab.training.optim import make_optimizer


def test_the_model_and_the_generators_are_as_before(digits, network, quick):
    model = network().eval()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    state = torch.get_rng_state()
    learning_rate_range(model, digits, quick(), steps=4)
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())
    assert not model.training
    assert all(parameter.grad is None for parameter in model.parameters())
    assert torch.equal(torch.get_rng_state(), state)


class Remembers(nn.Module):
    """A network that keeps a tensor of its last forward pass, and draws from NumPy."""

    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Flatten(), nn.Linear(784, 10))

    def forward(self, images):
        self.hidden = self.net(images * np.random.random())  # noqa: NPY002
        return self.hidden


def test_a_model_after_a_forward_pass_and_the_generator_of_numpy(digits, quick):
    """A deep copy of such a model is refused by PyTorch."""
    model = Remembers()
    loss = model(torch.ones(2, 1, 28, 28)).sum()
    state = np.random.get_state()[1].tolist()  # noqa: NPY002
    first = learning_rate_range(model, digits, quick(), steps=4)[1]
    assert np.random.get_state()[1].tolist() == state  # noqa: NPY002
    np.random.random()  # noqa: NPY002
    np.testing.assert_array_equal(learning_rate_range(model, digits, quick(), steps=4)[1], first)
    loss.backward()


def test_the_losses_are_those_of_a_training_with_growing_rates(digits, network, quick):
    config = quick(max_grad_norm=1.0, label_smoothing=0.1)
    rates, losses = learning_rate_range(
        network(dropout=0.0), digits, config, lowest=0.01, highest=1.0, steps=8
    )
    np.testing.assert_allclose(rates[1:] / rates[:-1], 100 ** (1 / 7))
    model = network(dropout=0.0)
    optimizer = make_optimizer(model, config)
    batches = DeviceBatches(digits, config, DistributedContext())
    two_epochs = [*batches.epoch(0), *batches.epoch(1)]  # six batches each
    for rate, loss, (images, labels) in zip(rates, losses, two_epochs, strict=False):
        found = functional.cross_entropy(model(images), labels, label_smoothing=0.1)
        assert loss == pytest.approx(found.item(), rel=1e-5)
        optimizer.zero_grad()
        found.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for group in optimizer.param_groups:
            group["lr"] = rate
        optimizer.step()


def test_the_same_call_gives_the_same_losses(digits, network, quick, device):
    calls = [
        learning_rate_range(network(), digits, quick(device=device, deterministic=True), steps=5)
        for _ in range(2)
    ]
    np.testing.assert_array_equal(calls[0][1], calls[1][1])


def test_a_network_in_double_precision(digits, quick, device):
    """As `fit` takes it; in float64 the losses are those of float32, to its rounding."""
    losses = []
    for dtype in (torch.float32, torch.float64):
        torch.manual_seed(0)
        model = LeNet5().to(dtype)
        losses.append(learning_rate_range(model, digits, quick(device=device), steps=5)[1])
        assert model.classifier[0].weight.dtype == dtype
    np.testing.assert_allclose(*losses, rtol=1e-4)


def test_it_ends_when_the_loss_diverges(digits, network, quick):
    def plain():
        torch.manual_seed(0)
        return nn.Sequential(nn.Flatten(), nn.Linear(784, 30), nn.ReLU(), nn.Linear(30, 10))

    rates, losses = learning_rate_range(plain(), digits, quick(), highest=1e6, steps=60)
    assert len(rates) == len(losses) < 60
    assert (losses[:-1] <= 4 * losses[0]).all()
    without_end = learning_rate_range(
        plain(), digits, quick(), highest=1e30, steps=60, give_up=float("inf")
    )[1]
    assert len(without_end) < 60
    assert np.isfinite(without_end).all()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"lowest": 0.0}, "must satisfy 0 < lowest < highest, got lowest=0.0, highest=10.0"),
        ({"lowest": 1.0, "highest": 0.1}, "got lowest=1.0, highest=0.1"),
        ({"highest": float("inf")}, "highest=inf"),
        ({"steps": 1}, "steps must be at least 2, got 1"),
        ({"steps": 2.5}, "steps must be an int, got float 2.5"),
        ({"give_up": 1.0}, "give_up must be above 1, got 1.0"),
    ],
)
def test_invalid_arguments_of_the_range_test(digits, network, settings, message):
    with pytest.raises((ValueError, TypeError), match=message):
        learning_rate_range(network(), digits, **settings)


def test_a_network_that_is_broken_from_the_start(digits, network, quick):
    model = network()
    nn.init.constant_(model[-1].bias, float("nan"))
    with pytest.raises(ValueError, match="not finite before the first step"):
        learning_rate_range(model, digits, quick())
