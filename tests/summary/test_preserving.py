"""A model, its inputs and a pending backward pass are as they were before a summary."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from convlab.summary import summary
from tests.summary.networks import Block


class Lora(nn.Linear):
    """A layer whose `train` merges an update into the weight, as in microsoft/LoRA."""

    def __init__(self, size):
        super().__init__(size, size)
        self.down, self.up = nn.Parameter(torch.randn(1, size)), nn.Parameter(torch.randn(size, 1))
        self.weight.requires_grad_(False)
        self.merged = False

    def train(self, mode=True):
        super().train(mode)
        if self.merged == mode:
            self.weight.data += (-1 if mode else 1) * self.up @ self.down
            self.merged = not mode
        return self

    def forward(self, x):
        y = F.linear(x, self.weight, self.bias)
        return y if self.merged else y + x @ self.down.T @ self.up.T


def write(statement):
    """Return a model that executes a statement on itself and then a layer."""

    def forward(self, x):
        statement(self, x)
        return self.fc(x)

    return Block(
        forward, fc=nn.Linear(4, 4), norm=nn.BatchNorm1d(4), calls=0, cache=[], table={},
        plain=torch.ones(4), made=None,
    )  # fmt: skip


STATEMENTS = {
    "parameter in place": lambda self, x: self.fc.weight.mul_(2),
    "data in place": lambda self, x: self.fc.weight.data.add_(1),
    "row of a parameter": lambda self, x: self.fc.weight[0].zero_(),
    "other data": lambda self, x: setattr(self.fc.weight, "data", torch.zeros(4, 4)),
    "other parameter": lambda self, x: setattr(self.fc, "weight", nn.Parameter(torch.ones(4, 4))),
    "buffer in place": lambda self, x: self.norm.running_mean.add_(1),
    "other buffer": lambda self, x: setattr(self.norm, "running_mean", x.mean(0)),
    "statistics": lambda self, x: F.batch_norm(
        x, self.norm.running_mean, self.norm.running_var, training=True
    ),
    "training mode": lambda self, x: self.norm.train()(x),
    "counter": lambda self, x: setattr(self, "calls", self.calls + 1),
    "list": lambda self, x: self.cache.append(x),
    "dictionary": lambda self, x: self.table.update(x=x),
    "plain tensor": lambda self, x: self.plain.add_(x[0]),
    "new layer": lambda self, x: setattr(self, "made", nn.Linear(2, 2)),
    "input": lambda self, x: x.mul_(3),
    "flag": lambda self, x: self.train(),
    "hook": lambda self, x: self.fc.register_forward_hook(lambda *args: None),
}


def state(model):
    flags = [(name, module.training) for name, module in model.named_modules()]
    values = {name: (id(v), v.clone()) for name, v in model.state_dict(keep_vars=True).items()}
    own = model.calls, [*model.cache], {**model.table}, model.plain.clone(), model.made
    return flags, values, own, [len(m._forward_hooks) for m in model.modules()]


def equal(a, b):
    if isinstance(a, torch.Tensor):
        return torch.equal(a, b)
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(equal(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(equal, a, b))
    return a == b


@pytest.mark.parametrize("kind", STATEMENTS)
@pytest.mark.parametrize("training", [False, True])
def test_what_a_forward_pass_writes_is_put_back(kind, training):
    model, x = write(STATEMENTS[kind]).train(training), torch.randn(3, 4)
    model.norm.eval()
    loss = model.fc(model.norm(x.clone())).square().sum()
    before, x_before = state(model), x.clone()
    assert summary(model, x).layers[-1].name == "fc"
    assert equal(state(model), before)
    assert torch.equal(x, x_before)
    loss.backward()


def test_flags_are_set_without_train_and_eval():
    model = nn.Sequential(Lora(4)).train()
    weight = model[0].weight.clone()
    summary(model, (1, 4))
    assert torch.equal(model[0].weight, weight)
    assert not model[0].merged
    model(torch.randn(2, 4)).sum().backward()
    assert model[0].up.grad is not None


def test_an_embedding_with_a_maximal_norm_is_not_renormalized():
    layer = nn.Embedding(10, 3, max_norm=1.0)
    nn.init.constant_(layer.weight, 2.0)
    summary(nn.Sequential(layer), torch.ones(1, 5, dtype=torch.long))
    assert (layer.weight == 2).all()


def test_buffers_that_cannot_be_written_are_no_obstacle():
    model = Block(lambda self, x: self.conv(x - self.mean), conv=nn.Conv2d(3, 4, 3))
    model.register_buffer("mean", torch.tensor(0.5).expand(3, 1, 1))
    assert summary(model, (3, 8, 8)).macs == 3888
    with torch.inference_mode():
        loaded = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))
    assert summary(loaded, (3, 8, 8)).macs == 3888


@pytest.mark.parametrize("training", [False, True])
def test_a_pending_backward_pass_is_not_disturbed(training):
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Conv2d(4, 2, 1))
    loss = model.train(training)(torch.randn(2, 3, 8, 8)).sum()
    summary(model, (3, 8, 8))
    loss.backward()
    gradients = [x.grad.clone() for x in model.parameters()]
    summary(model, (3, 8, 8))
    assert all(map(torch.equal, gradients, (x.grad for x in model.parameters())))
