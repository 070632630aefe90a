"""A model, its inputs and a pending backward pass are as they were before it ran."""

import copy
import random
from collections import deque
from types import SimpleNamespace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.nn.utils import parametrizations

from convlab.summary import summary
from convlab.training import predict
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


def write(*statements, error=False):
    """Return a model that executes statements on itself and then a layer."""

    def forward(self, x):
        for statement in statements:
            statement(self, x)
        if error:
            raise KeyError("no such key")
        return self.fc(x)

    return Block(
        forward, fc=nn.Linear(4, 4), norm=nn.BatchNorm1d(4), calls=0, cache=[], table={},
        plain=torch.ones(4), made=None, deep={"list": [1, [torch.ones(4)]]}, queue=deque([1]),
        config=SimpleNamespace(count=0, scale=torch.ones(4)), rng=np.random.default_rng(0),
        generator=torch.Generator().manual_seed(0), python_rng=random.Random(0),
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
    "hook of a tensor": lambda self, x: self.fc.weight.register_hook(lambda gradient: gradient),
    "attribute of a tensor": lambda self, x: setattr(self.fc.weight, "mark", 1),
    "requires_grad": lambda self, x: self.fc.requires_grad_(not self.fc.bias.requires_grad),
    "strides": lambda self, x: self.fc.weight.t_(),
    "size": lambda self, x: self.plain.resize_(9),
    "gradient": lambda self, x: self.fc.weight.grad.mul_(2),
    "no gradient": lambda self, x: self.fc.zero_grad(),
    "nested list": lambda self, x: self.deep["list"][1].append(x),
    "nested tensor": lambda self, x: self.deep["list"][1][0].zero_(),
    "queue": lambda self, x: self.queue.append(x),
    "object": lambda self, x: vars(self.config).update(count=1),
    "tensor of an object": lambda self, x: self.config.scale.zero_(),
    "parametrization": lambda self, x: parametrizations.weight_norm(self.fc),
    "random numbers": lambda self, x: (
        random.random(), np.random.rand(),  # noqa: NPY002 (what users' code calls)
        torch.rand(1), self.rng.random(),
        torch.rand(1, generator=self.generator), self.python_rng.random(),
    ),
}  # fmt: skip


def state(model):
    parameters = model.state_dict(keep_vars=True)
    own = [model.calls, model.made, model.deep, model.queue, model.config.count, model.cache]
    return [
        [(name, type(module), module.training) for name, module in model.named_modules()],
        [len(m._forward_hooks) for m in model.modules()],
        {name: (id(x), x.clone(), x.stride()) for name, x in parameters.items()},
        [(x.requires_grad, len(x._backward_hooks or ()), {**vars(x)}) for x in model.parameters()],
        [id(x.grad) for x in model.parameters()],
        [model.fc.bias.grad.clone(), model.fc.weight.grad.clone()],
        copy.deepcopy([*own, model.table, model.plain, model.config.scale]),
        [random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state()],  # noqa: NPY002
        [model.rng.bit_generator.state, model.generator.get_state(), model.python_rng.getstate()],
    ]


def equal(a, b):
    if isinstance(a, torch.Tensor):
        return torch.equal(a, b)
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(equal(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple | deque):
        return len(a) == len(b) and all(map(equal, a, b))
    return a == b


def check_unchanged(names, training, error):
    model, x = write(*(STATEMENTS[name] for name in names), error=error), torch.randn(3, 4)
    model.train(training)
    model.norm.eval()
    model.fc(x).sum().backward()
    loss = model.fc(model.norm(x.clone()) * model.plain).square().sum()
    before, x_before = state(model), x.clone()
    if error:
        with pytest.raises(RuntimeError, match=r"in the model itself|in layer"):
            summary(model, x)
    else:
        assert summary(model, x).parameters == 28
    assert equal(state(model), before)
    assert torch.equal(x, x_before)
    loss.backward()


@pytest.mark.parametrize("kind", STATEMENTS)
@pytest.mark.parametrize("training", [False, True])
def test_what_a_forward_pass_writes_is_put_back(kind, training):
    check_unchanged([kind], training, error=True)
    if kind not in ("new layer", "other parameter", "parametrization"):
        check_unchanged([kind], training, error=False)


@given(st.lists(st.sampled_from(sorted(STATEMENTS)), min_size=2, max_size=5), st.booleans())
def test_what_several_statements_write_is_put_back(kinds, training):
    check_unchanged(kinds, training, error=True)


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


@pytest.mark.parametrize(
    "make",
    [
        lambda: torch.ones(1).expand(3), lambda: torch.ones(3, device="meta"),
        lambda: torch.eye(3).to_sparse(), lambda: torch.eye(3).to_sparse_csr(),
        lambda: torch.quantize_per_tensor(torch.ones(3), 0.1, 0, torch.qint8),
        lambda: torch.full((2,), torch.nan), lambda: torch.ones(3).to(torch.float8_e4m3fn),
        lambda: torch.nested.nested_tensor([torch.ones(2)]), lambda: torch.zeros(0),
        lambda: torch.from_numpy(np.frombuffer(b"1234", np.uint8)),
    ],
)  # fmt: skip
@pytest.mark.filterwarnings("ignore:torch.quantize_per_tensor")
@pytest.mark.filterwarnings("ignore:The given NumPy array is not writable")
@pytest.mark.filterwarnings("ignore:The PyTorch API of nested tensors")
@pytest.mark.filterwarnings("ignore:Sparse CSR tensor support")
def test_buffers_of_all_kinds_can_be_kept(make):
    images, model = np.ones((2, 4, 1, 1), np.float32), nn.Sequential(nn.Flatten(), nn.Linear(4, 3))
    model.register_buffer("unused", make())
    assert predict(model, images).shape == (2, 3)
    assert summary(model, (2, 4, 1, 1)).macs == 24


def add_under_inference_mode(self, x):
    with torch.inference_mode():
        self.norm.running_mean.add_(1)


@pytest.mark.parametrize("kind", ["buffer in place", "other buffer", "training mode", "inference"])
def test_predictions_leave_buffers_and_a_pending_backward_pass(kind):
    statement = {**STATEMENTS, "inference": add_under_inference_mode}[kind]
    model, lora = write(statement), Lora(4).train()
    norm, x = model.norm, torch.randn(3, 4)
    before = {name: (id(b), b.clone()) for name, b in norm.named_buffers()}
    loss = (model.fc(x) * norm.running_var * norm.running_mean).square().sum()
    predict(nn.Sequential(nn.Flatten(), model, lora), np.ones((2, 4, 1, 1), np.float32))
    assert equal({name: (id(b), b.clone()) for name, b in norm.named_buffers()}, before)
    assert lora.training
    assert not lora.merged
    loss.backward()


def test_predictions_keep_what_a_model_stores():
    model = write(STATEMENTS["list"])
    predict(nn.Sequential(nn.Flatten(), model), np.ones((2, 4, 1, 1), np.float32))
    assert len(model.cache) == 1
