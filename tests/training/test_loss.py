"""Tests of losses of the caller's own: training, evaluation, checks, and the identity of a run."""

import itertools
import signal
from functools import partial

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional

from convlab.training import Interrupted, evaluate, fit, learning_rate_range, predict
from convlab.training.batches import DeviceBatches
from convlab.training.distributed import DistributedContext
from convlab.training.loss import loss_identity, sum_losses
from convlab.training.optim import learning_rate_at
from tests.training.helpers import during_step, weights

WEIGHT = torch.linspace(0.5, 3.0, 10)


def linear():
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 10))


def weighted(logits, labels):
    """Return one loss per image."""
    return functional.cross_entropy(logits, labels, weight=WEIGHT.to(logits), reduction="none")


@pytest.mark.parametrize(
    "criterion", [nn.CrossEntropyLoss(weight=WEIGHT), nn.MultiMarginLoss(), weighted]
)
def test_a_loss_is_minimized_as_in_a_plain_loop(digits, quick, criterion):
    config = quick(epochs=2, weight_decay=0.0, learning_rate=0.01)
    result = fit(linear(), digits, config, loss=criterion)
    model, step = linear(), 0
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0, momentum=0.9, nesterov=True)
    batches = DeviceBatches(digits, config, DistributedContext())
    for epoch in range(2):
        losses = []
        for images, labels in batches.epoch(epoch):
            optimizer.param_groups[0]["lr"] = learning_rate_at(step, 12, config)
            optimizer.zero_grad()
            loss = criterion(model(images), labels).mean()
            loss.backward()
            optimizer.step()
            step += 1
            losses.append(loss.item())
        assert result.history[epoch].train_loss == pytest.approx(np.mean(losses), rel=1e-5)
    torch.testing.assert_close(weights(result.model), weights(model), rtol=1e-5, atol=1e-6)


def test_the_loss_of_an_evaluation_by_hand(digits, quick):
    result = fit(linear(), digits, quick(learning_rate=0.01), loss=weighted)
    where = {"mean": result.mean, "std": result.std}
    logits = predict(result.model, digits.test_images, **where).double()
    labels = torch.from_numpy(digits.test_labels)
    losses = WEIGHT.double()[labels] * (logits.logsumexp(1) - logits[torch.arange(40), labels])
    assert result.test.loss == pytest.approx(losses.mean().item(), rel=1e-6)
    images = (result.model, digits.test_images, digits.test_labels)
    for batch_size in (40, 7):
        again = evaluate(*images, **where, batch_size=batch_size, loss=weighted)
        assert again.loss == pytest.approx(result.test.loss, rel=1e-6)
        mean = evaluate(*images, **where, batch_size=batch_size, loss=nn.CrossEntropyLoss())
        assert mean.loss == pytest.approx(evaluate(*images, **where).loss, rel=1e-6)


@given(images=st.integers(1, 9), classes=st.integers(2, 5), seed=st.integers(0, 99))
def test_losses_of_images_and_their_mean_are_one_sum(images, classes, seed):
    chance = torch.Generator().manual_seed(seed)
    logits = torch.randn(images, classes, generator=chance, dtype=torch.float64)
    labels = torch.randint(classes, (images,), generator=chance)
    sums = [sum_losses(None, logits, labels)]
    for reduction in ("none", "mean"):
        sums.append(sum_losses(nn.CrossEntropyLoss(reduction=reduction), logits, labels))
    torch.testing.assert_close(torch.stack(sums), sums[0].expand(3))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_a_module_gets_the_dtype_and_device_of_the_logits(digits, quick, dtype, device):
    """Class weights made by NumPy have float64."""
    criterion, config = nn.CrossEntropyLoss(weight=WEIGHT.double()), quick(epochs=1, device=device)
    result = fit(linear().to(dtype), digits, config, loss=criterion)
    criterion.cpu()
    found = evaluate(
        result.model, digits.test_images, digits.test_labels, mean=result.mean, std=result.std,
        loss=criterion,
    )  # fmt: skip
    assert found == result.test


@pytest.mark.parametrize("precision", ["bf16", "fp32"])
def test_the_loss_is_computed_in_float32(digits, quick, precision):
    dtypes = set()

    def watched(logits, labels):
        dtypes.update({logits.dtype, (logits @ logits.T).dtype})
        return functional.cross_entropy(logits, labels)

    fit(linear(), digits, quick(epochs=1, precision=precision), loss=watched)
    assert dtypes == {torch.float32}


def trained():
    return nn.Sequential(nn.Linear(10, 10), nn.CrossEntropyLoss())


@pytest.mark.parametrize("train", [fit, learning_rate_range])
@pytest.mark.parametrize(
    ("loss", "error", "message"),
    [
        ("mse", TypeError, "loss must be a function of logits and labels, got str"),
        (nn.CrossEntropyLoss, TypeError, "got the class CrossEntropyLoss"),
        (nn.CrossEntropyLoss(reduction="sum"), ValueError, "got reduction='sum'"),
        (trained(), ValueError, "but 0.weight requires a gradient"),
        (lambda y, _: y, ValueError, r"image, \(16,\), or their mean, \(\), got \(16, 10\)"),
        (lambda y, _: y[:5, 0], ValueError, r"got \(5,\) of torch.float32"),
        (lambda y, _: y.argmax(1), ValueError, r"got \(16,\) of torch.int64"),
        (lambda y, _: y.mean().item(), TypeError, "loss must return a Tensor, got float"),
        (lambda y, _: y.detach().mean(), ValueError, "must be differentiable with respect to"),
    ],
)
def test_losses_that_cannot_be_used(digits, quick, train, loss, error, message):
    model = linear()
    before = weights(model)
    with pytest.raises(error, match=message):
        train(model, digits, quick(), loss=loss)
    assert torch.equal(weights(model), before)


def test_label_smoothing_belongs_to_the_cross_entropy(digits, quick):
    with pytest.raises(ValueError, match=r"label_smoothing must be 0 .* got 0\.1"):
        fit(linear(), digits, quick(label_smoothing=0.1), loss=weighted)


def test_the_range_test_uses_the_loss(digits, quick):
    halved = learning_rate_range(
        linear(), digits, quick(), steps=3, loss=lambda y, t: functional.cross_entropy(y, t) / 2
    )[1]
    whole = learning_rate_range(linear(), digits, quick(), steps=3)[1]
    assert halved[0] == pytest.approx(whole[0] / 2)


@pytest.mark.parametrize("step", [4, 8])
def test_a_resumed_run_with_a_loss_has_the_same_bits(network, digits, quick, tmp_path, step):
    def criterion():
        return nn.CrossEntropyLoss(weight=WEIGHT)

    wanted = fit(network(), digits, quick(), loss=criterion())
    model = during_step(network(), step, lambda: signal.raise_signal(signal.SIGTERM))
    with pytest.raises(Interrupted):
        fit(model, digits, quick(), loss=criterion(), out=tmp_path)
    for other in (None, nn.CrossEntropyLoss(weight=WEIGHT + 1), nn.MultiMarginLoss()):
        with pytest.raises(ValueError, match=r"another training run: loss is CrossEntropyLoss \w+"):
            fit(network(), digits, quick(), loss=other, out=tmp_path)
    found = fit(network(), digits, quick(), loss=criterion(), out=tmp_path)
    assert torch.equal(weights(found.model), weights(wanted.model))
    assert (found.test, found.history[-1].train_loss) == (
        wanted.test, wanted.history[-1].train_loss,
    )  # fmt: skip


class Focal(nn.Module):
    """A loss with an attribute that no repr shows."""

    def __init__(self, gamma):
        super().__init__()
        self.gamma = gamma

    def forward(self, logits, labels):
        losses = functional.cross_entropy(logits, labels, reduction="none")
        return losses * (1 - (-losses).exp()) ** self.gamma


class Callable:
    def __init__(self, weight):
        self.weight = weight

    def __call__(self, logits, labels):
        return self.method(logits, labels)

    def method(self, logits, labels):
        return functional.cross_entropy(logits, labels, weight=torch.tensor(self.weight))


def closure(value):
    return lambda logits, labels: functional.cross_entropy(logits, labels, weight=value)


def default(logits, labels, weight=WEIGHT):
    return functional.cross_entropy(logits, labels, weight=weight)


# Each entry makes a loss; all of them differ.
LOSSES = [
    lambda: None,
    nn.CrossEntropyLoss,
    lambda: nn.CrossEntropyLoss(label_smoothing=0.1),
    lambda: nn.CrossEntropyLoss(reduction="none"),
    lambda: nn.CrossEntropyLoss(weight=WEIGHT.clone()),
    lambda: nn.CrossEntropyLoss(weight=WEIGHT + 1e-6),
    lambda: nn.CrossEntropyLoss(weight=WEIGHT.double()),
    nn.MultiMarginLoss,
    lambda: nn.MultiMarginLoss(margin=2.0),
    lambda: Focal(2),
    lambda: Focal(3),
    lambda: Callable([1.0, 2.0]),
    lambda: Callable([1.0, 3.0]),
    lambda: Callable([1.0, 2.0]).method,
    lambda: Callable([1.0, 3.0]).method,
    lambda: closure(WEIGHT.clone()),
    lambda: closure(-WEIGHT),
    lambda: closure(np.ones(3)),
    lambda: closure(np.ones(4)),
    lambda: default,
    lambda: weighted,
    lambda: partial(default, weight=WEIGHT + 1),
    lambda: partial(default, weight=WEIGHT + 2),
    lambda: lambda y, t: functional.cross_entropy(y, t) / 2,
    lambda: lambda y, t: functional.cross_entropy(y, t, label_smoothing=0.1),
    lambda: lambda y, t: functional.cross_entropy(y, t, label_smoothing=0.2),
    lambda: functional.cross_entropy,
    lambda: functional.multi_margin_loss,
]


def test_losses_have_an_identity():
    first, again = ([loss_identity(make()) for make in LOSSES] for _ in range(2))
    assert first == again
    for one, two in itertools.combinations(first, 2):
        assert one != two


def test_numbers_outside_a_function_belong_to_its_identity(monkeypatch):
    before = loss_identity(weighted)
    monkeypatch.setitem(globals(), "WEIGHT", WEIGHT + 1)
    assert loss_identity(weighted) != before


def test_a_loss_may_refer_to_itself():
    loss = Focal(2)
    loss.parent = [loss]
    assert loss_identity(loss) != loss_identity(Focal(2))
