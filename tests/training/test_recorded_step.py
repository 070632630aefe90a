"""Tests of a recorded training step: nothing in it waits, and few operations are launched.

They need no GPU, but a stand-in for one (see `tests.training.recording`). It does not show what a
library does inside of an operation, such as an allocation that waits. It has no mixed precision,
which is recorded on the CPU, and it drops out with three operations, where a GPU needs one.
"""

import io
import math
import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from convlab.data import Dataset
from convlab.models import MnistCNN, SimpleCNN
from convlab.training import TrainConfig, fit, loop, recipe, state
from tests.training.recording import PHASES, Recorder, record_steps

EVERYTHING = {
    "crop": 2, "flip": True, "cutout": 5, "max_grad_norm": 1.0, "label_smoothing": 0.1,
    "accumulation_steps": 4,
}  # fmt: skip


@pytest.fixture(scope="module")
def photographs():
    """Return images of the size of CIFAR-10's, with noise in place of objects."""
    random = np.random.default_rng(0)
    images, labels = random.integers(0, 256, (48, 3, 32, 32), dtype=np.uint8), np.arange(48) % 10
    names = tuple(map(str, range(10)))
    return Dataset("noise", images, labels, images[:20], labels[:20], names)


@pytest.fixture
def make(network, digits, photographs):
    """Return a function that makes a network and images for it."""

    def maker(name):
        return {
            "MnistCNN": lambda: (MnistCNN(), digits),
            "SimpleCNN": lambda: (SimpleCNN(), photographs),
            "small network": lambda: (network(), digits),  # with batch normalization and dropout
            "one layer": lambda: (nn.Sequential(nn.Flatten(), nn.Linear(784, 10)), digits),
        }[name]()

    return maker


def absolute_loss(logits, labels):
    """Return a loss for each image."""
    return (logits - nn.functional.one_hot(labels, 10)).abs().sum(1)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        EVERYTHING,
        {**EVERYTHING, "batches": "loader", "channels_last": True, "optimizer": "adam"},
        {"batches": "loader", "crop": 0, "momentum": 0.0, "weight_decay": 0.0},
        {"channels_last": True, "crop": 0, "flip": True, "optimizer": "adamw", "momentum": 0.0},
    ],
)
@pytest.mark.parametrize("name", ["MnistCNN", "SimpleCNN", "small network"])
def test_nothing_in_a_step_waits_for_the_device(make, quick, name, settings):
    recorder = record_steps(*make(name), quick(device="cuda", **settings), steps=2)
    assert recorder.findings == []
    images_and_labels = 2 if settings.get("batches") == "loader" else 0
    assert recorder.transfers == 2 * images_and_labels
    assert all(recorder.operations.values())


@pytest.mark.parametrize("loss", [nn.CrossEntropyLoss(), absolute_loss])
def test_no_wait_with_a_custom_loss(make, quick, loss):
    config = quick(device="cuda", accumulation_steps=2)
    assert record_steps(*make("small network"), config, loss).findings == []


def compare(values):
    if values.sum() == 0:
        return


def clip(values):
    parameter = nn.Parameter(values)
    parameter.grad = values
    nn.utils.clip_grad_norm_([parameter], 1.0, error_if_nonfinite=True)


def copy_to_host(values):
    HOST[: len(values)].copy_(values)


def copy_from_host(values):
    torch.empty_like(values).copy_(HOST[: len(values)])


def synchronize_if_available(values):
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def synchronize_on_a_gpu(values):
    if values.device.type == "cuda" and values.is_cuda:
        torch.cuda.synchronize(values.device)


def wait_for_an_event(values):
    event = torch.cuda.Event()
    event.record()
    event.synchronize()


HOST = torch.zeros(10_000)  # made before the step
# A function of values (n,) on the device that waits for it, copies from or to it, or makes a tensor
# on the CPU, and the name under which it is to be found.
WAITS = [
    ("item", lambda values: values.sum().item()),
    ("bool", compare),
    ("bool", lambda values: max(values[0], values[1])),
    ("float", lambda values: float(values[0])),
    ("float", lambda values: math.isfinite(values[0])),
    ("int", lambda values: int(values[0])),
    ("index", lambda values: range(values[0].long())),
    ("getitem", lambda values: values[values.argmax()]),
    ("contains", lambda values: 1.0 in values),
    ("tolist", lambda values: values.tolist()),
    ("numpy", lambda values: values.numpy()),
    ("array", np.asarray),
    ("repr", print),
    ("format", "{}".format),
    ("empty", lambda values: torch.save(values, io.BytesIO())),
    ("equal", lambda values: torch.equal(values, values)),
    ("allclose", lambda values: torch.allclose(values, values)),
    ("is_nonzero", lambda values: torch.is_nonzero(values[0])),
    ("bool", clip),
    ("nonzero", lambda values: values.nonzero()),
    ("where", lambda values: torch.where(values > 0)),
    ("getitem", lambda values: values[values > 0]),
    ("setitem", lambda values: values.clone().__setitem__(values > 0, values)),
    ("masked_select", lambda values: values.masked_select(values > 0)),
    ("unique", lambda values: values.unique()),
    ("unique_consecutive", lambda values: values.unique_consecutive()),
    ("repeat_interleave", lambda values: values.repeat_interleave(values.long())),
    ("bincount", lambda values: values.long().bincount()),
    ("one_hot", lambda values: nn.functional.one_hot(values.long())),
    ("histc", lambda values: values.histc(10)),
    ("split", lambda values: values.split(values.long().unbind())),
    ("arange", lambda values: torch.arange(values[0], device=values.device)),
    ("full", lambda values: torch.full((2,), values[0], device=values.device)),
    ("linalg_inv", lambda values: torch.linalg.inv(values[:4].reshape(2, 2))),
    ("to_sparse", lambda values: values.to_sparse()),
    ("normal", lambda values: torch.normal(0.0, values)),
    ("cpu", lambda values: values.cpu()),
    ("to", lambda values: values.to("cpu", non_blocking=True)),
    ("type", lambda values: values.type(torch.FloatTensor)),
    ("copy_", copy_to_host),
    ("copy_ without", copy_from_host),
    ("to without", lambda values: HOST.to(values.device)),
    ("to without", lambda values: HOST.cuda()),
    ("add of a tensor on the CPU", lambda values: values + HOST[: len(values)]),
    ("tensor", lambda values: torch.tensor(1.0)),
    ("tensor", lambda values: torch.tensor([0, 1], device=values.device)),
    ("tensor", lambda values: torch.tensor([0, 1]).to(values.device, non_blocking=True)),
    ("new_tensor", lambda values: values.new_tensor([1.0])),
    ("as_tensor", lambda values: torch.as_tensor([1.0], device=values.device)),
    ("from_numpy", lambda values: torch.from_numpy(np.zeros(2))),
    ("zeros", lambda values: torch.zeros(2)),
    ("arange", lambda values: torch.arange(2)),
    ("rand", lambda values: torch.rand(2)),
    ("scalar_tensor", lambda values: torch.scalar_tensor(1.0)),
    ("getitem", lambda values: values[[0, 1]]),
    ("getitem", lambda values: values[np.array([0, 1])]),
    ("synchronize", lambda values: torch.cuda.synchronize()),
    ("synchronize", synchronize_if_available),
    ("synchronize", synchronize_on_a_gpu),
    ("synchronize", lambda values: torch.cuda.current_stream().synchronize()),
    ("synchronize", wait_for_an_event),
    ("synchronize", lambda values: torch.accelerator.synchronize()),
]


def put_into(place, wait, model, monkeypatch):
    """Let a training step call `wait` in one of its phases; return the loss to train with."""

    def with_wait(function, value=lambda args, result: result):
        def changed(*args, **options):
            result = function(*args, **options)
            wait(value(args, result).detach().flatten().float().repeat(4))
            return result

        return changed

    if place == "batch":
        monkeypatch.setattr(torch, "randint", with_wait(torch.randint))
    elif place == "forward pass":
        model.forward = with_wait(model.forward)
    elif place == "loss":
        return with_wait(absolute_loss)
    elif place == "backward pass":

        def hook(module, inputs, logits):
            logits.register_hook(with_wait(torch.clone))

        model.register_forward_hook(hook)
    elif place == "optimizer":

        def first_weight(args, result):
            return args[0].param_groups[0]["params"][0]

        monkeypatch.setattr(torch.optim.SGD, "step", with_wait(torch.optim.SGD.step, first_weight))
    else:
        monkeypatch.setattr(loop, "count_correct", with_wait(loop.count_correct))
    return absolute_loss


PLACES = ("batch", "loss", "backward pass", "optimizer", "counting")


@pytest.mark.parametrize(
    ("place", "name", "wait"),
    [
        *(("forward pass", *case) for case in WAITS),
        *((place, *case) for place in PLACES for case in WAITS[::7]),
    ],
)
def test_a_wait_that_is_put_in_is_found(make, quick, place, name, wait, monkeypatch):
    model, data = make("one layer")
    loss = put_into(place, wait, model, monkeypatch)
    findings = record_steps(model, data, quick(device="cuda"), loss).findings
    assert findings
    assert findings[0].startswith(f"{name} ")
    assert Path(__file__).name in findings[0]


def functions(findings):
    """Count the findings of each function, by its name."""
    return Counter(re.search(r", (\S+)\)$", finding)[1] for finding in findings)


@pytest.mark.parametrize("batches", ["device", "loader"])
def test_a_longer_epoch_does_nothing_more_on_the_host(make, quick, batches, tmp_path):
    found = []
    for batch_size in (20, 10):  # 5 and 10 steps
        model, data = make("small network")
        config = quick(device="cuda", epochs=2, batch_size=batch_size, batches=batches)
        with Recorder() as recorder:
            fit(model, data, config, out=tmp_path / str(batch_size))
        found.append(functions(recorder.findings))
    assert found[0] == found[1]


def test_where_a_training_reads_values(make, quick):
    """Once to check the device, and in each epoch its results, its last weights, its evaluation.

    On a GPU an evaluation also compares the buffers of the model with what they were before.
    """
    model, data = make("small network")
    with Recorder() as recorder:
        fit(model, data, quick(device="cuda", epochs=3, validation_fraction=0.2))
    reads = [f for f in recorder.findings if f.startswith(("item ", "bool ", "tolist ", "cpu "))]
    assert functions(reads) == {
        "find_device": 1, "read_results": 3, "nonfinite_step": 3, "evaluate_distributed": 3 + 2,
    }  # fmt: skip


def test_a_checkpoint_reads_results_and_weights(make, quick, tmp_path):
    model, data = make("small network")
    with Recorder() as recorder:  # saves after steps 2 and 4 and at the end of the epoch
        fit(model, data, quick(device="cuda", epochs=1), out=tmp_path, checkpoint_every=2)
    found = functions(recorder.findings)
    assert found["read_results"] == 3
    saved = [finding for finding in recorder.findings if finding.startswith("copy_ (checkpoint.py")]
    assert len(saved) % 3 == 0 < len(saved)


def test_results_are_read_in_intervals(make, quick, monkeypatch):
    monkeypatch.setattr(state, "READ_INTERVAL", 3)
    recorder = record_steps(*make("one layer"), quick(device="cuda", batch_size=10), steps=8)
    assert functions(recorder.findings) == {"read_results": 3}  # in steps 3, 6 and 9


BATCH = {"device": "cuda", "batch_size": 16}
AUGMENTED = TrainConfig(flip=True, crop=2, cutout=3, optimizer="adamw", **BATCH)
# Operations of a step, in each of the PHASES. A small network cannot keep a GPU busy, so that the
# time of a step is that of launching them.
OPERATIONS = [
    ("MnistCNN", recipe("digits", "mnist-cnn", **BATCH), (4, 35, 26, 9, 5)),
    ("SimpleCNN", recipe("cifar10", "simple-cnn", **BATCH), (6, 19, 17, 9, 5)),
    ("small network", AUGMENTED, (19, 11, 9, 4, 5)),
]
CASTS = {"MnistCNN": (9, 8), "SimpleCNN": (7, 6)}  # in the forward and the backward pass
REQUIREMENTS = (Path(__file__).parents[2] / "requirements.txt").read_text()
PINNED = f"torch=={torch.__version__.partition('+')[0]}" in REQUIREMENTS.split()


@pytest.mark.parametrize(("name", "config", "expected"), OPERATIONS)
def test_number_of_operations(make, name, config, expected):
    """With another version of PyTorch, a network may need other operations."""
    recorder = record_steps(*make(name), config)
    found = {phase: len(recorder.operations[phase]) for phase in PHASES}
    limits = dict(zip(PHASES, expected, strict=True))
    if PINNED:
        assert found == limits, recorder.operations
    for phase in ("batch", "optimizer", "counting"):
        assert found[phase] <= limits[phase], recorder.operations[phase]


@pytest.mark.parametrize("name", CASTS)
def test_number_of_casts(make, quick, name):
    """On the CPU, since the stand-in has no mixed precision."""
    casts = []
    for precision in ("bf16", "fp32"):
        config = quick(precision=precision, channels_last=True)
        operations = record_steps(*make(name), config).operations
        counts = {phase: operations[phase].count("aten._to_copy.default") for phase in PHASES}
        casts.append((counts["forward and loss"], counts["backward"]))
        assert sum(counts.values()) == sum(casts[-1])
    assert casts == [CASTS[name], (0, 0)]


@pytest.mark.parametrize("clipping", [None, 1.0])
@pytest.mark.parametrize("optimizer", ["sgd", "adam", "adamw"])
def test_waits_of_the_loss_scaling(make, quick, optimizer, clipping):
    """SGD waits once per step; Adam and AdamW get the scale and the result of the check as tensors.

    Recorded on the CPU.
    """
    config = quick(precision="fp16", optimizer=optimizer, max_grad_norm=clipping)
    findings = record_steps(*make("small network"), config, steps=3).findings
    assert functions(findings) == ({"train_step": 4} if optimizer == "sgd" else {})
    assert all(finding.startswith("item ") for finding in findings)
