"""Tests of the training loops: equal work, equal timing."""

import math

import pytest
import torch
from torch.optim.optimizer import register_optimizer_step_post_hook

from benchmarks.loops import measure
from benchmarks.loops.contenders import CONTENDERS, PLAIN, Contender
from benchmarks.loops.measure import EPOCHS, Timing, interleave, row, timing
from benchmarks.loops.task import LEARNING_RATE, MOMENTUM, NETWORKS, WEIGHT_DECAY, Task
from benchmarks.loops.worker import work

# Loaders fork. JAX, which another test may have started in this process, warns of that; no loader
# of these tests calls it.
pytestmark = pytest.mark.filterwarnings("ignore:os.fork.. was called:RuntimeWarning")

COUNT, BATCH = 96, 16
GPU = (
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA GPU"),
)
PAIRS = [
    pytest.param(device, name, marks=GPU if device == "cuda" else ())
    for name, contender in CONTENDERS.items()
    for device in contender.devices
    if not {"compile", "mode"} & contender.settings.keys()
]


class Watched(Task):
    """Task that records the images and the optimizers of its network."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        object.__setattr__(self, "batches", [])

    def model(self):
        made = super().model()
        made.register_forward_pre_hook(
            lambda module, inputs: self.batches.append(inputs[0].detach().float().cpu())
        )
        return made


@pytest.fixture
def optimizers():
    """Record the optimizers that take a step."""
    seen = {}
    hook = register_optimizer_step_post_hook(
        lambda optimizer, *_: seen.setdefault(id(optimizer), optimizer)
    )
    yield seen
    hook.remove()


@pytest.mark.slow
@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize(("device", "name"), PAIRS)
def test_all_loops_train_on_the_same_images(network, device, name, optimizers):
    task, losses = Watched(network, COUNT, BATCH, device), []
    CONTENDERS[name].train()(task, 2, losses.append)
    assert [len(batch) for batch in task.batches] == [BATCH] * (2 * COUNT // BATCH)

    # Each image comes once in an epoch: images have the same sum in a mirror.
    expected = torch.from_numpy(task.data.train_images).float() / 255
    mean, std = (torch.tensor(v).reshape(-1, 1, 1) for v in (task.data.mean, task.data.std))
    sums = ((expected - mean) / std).sum((1, 2, 3)).sort().values
    exact = CONTENDERS[name].precision == "fp32" or "bare" not in name
    for epoch in task.batches[: task.steps], task.batches[task.steps :]:
        found = torch.cat(epoch).sum((1, 2, 3)).sort().values
        torch.testing.assert_close(found, sums, rtol=1e-4, atol=5e-2 if exact else 5)
    assert len(losses) == 2
    assert all(map(math.isfinite, losses))

    (optimizer,) = optimizers.values()
    groups = optimizer.param_groups
    assert {(g["momentum"], g["nesterov"]) for g in groups} == {(MOMENTUM, True)}
    assert max(g["weight_decay"] for g in groups) == WEIGHT_DECAY
    assert all(abs(g["lr"]) < LEARNING_RATE / 2 for g in groups)  # where a schedule ends


@pytest.mark.slow
@pytest.mark.parametrize(("device", "name"), PAIRS)
def test_the_loss_falls(device, name):
    losses = []
    CONTENDERS[name].train()(Task("SimpleCNN", 256, 32, device), 3, losses.append)
    assert losses[2] < losses[0]


@pytest.mark.slow
def test_half_of_the_photographs_are_mirrored_and_no_digit_is():
    for name in (PLAIN, "convlab", "Lightning", "Lightning tensors", "bare"):
        for network in NETWORKS:
            task = Watched(network, 256, 32)
            CONTENDERS[name].train()(task, 1, lambda loss: None)
            seen = torch.cat(task.batches)
            mean, std = (torch.tensor(v).reshape(-1, 1, 1) for v in (task.data.mean, task.data.std))
            known = (torch.from_numpy(task.data.train_images) / 255 - mean) / std
            as_it_was = {tuple(round(v, 2) for v in image[0, 0, :6].tolist()) for image in known}
            unchanged = sum(
                tuple(round(v, 2) for v in image[0, 0, :6].tolist()) in as_it_was for image in seen
            )
            if task.flip:
                assert 80 < unchanged < 176, name
            else:
                assert unchanged == 256, name


@pytest.mark.slow
def test_a_compiled_training_learns_too():
    """On a network of one layer: compiling the others takes longer than a test should."""

    class Tiny(Task):
        def model(self):
            return torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(784, 10))

    losses = []
    CONTENDERS["convlab compile"].train()(Tiny("MnistCNN", 256, 32), 2, losses.append)
    assert losses[1] < losses[0]


def test_a_variant_differs_from_its_base_in_one_setting():
    for contender in CONTENDERS.values():
        if contender.base is None:
            assert contender.change is None
            continue
        base = CONTENDERS[contender.base]
        assert base.module == contender.module
        changed = {key for key, value in contender.settings.items()
                   if base.settings.get(key) != value}  # fmt: skip
        assert len(changed) == 1 or contender.name.endswith("fast")
        assert contender.change


def test_images_are_the_same_each_time():
    first, second = (Task("SimpleCNN", 64, 32).data for _ in range(2))
    assert (first.train_images == second.train_images).all()
    assert first.image_shape == (3, 32, 32)


@pytest.mark.parametrize("count", [0, 33])
def test_no_rest_is_left_of_an_epoch(count):
    with pytest.raises(ValueError, match=f"multiple of batch 32 and above 0, got {count}"):
        Task("MnistCNN", count, 32)


def test_the_second_epoch_is_what_counts():
    clock = iter([0.0, 10.0, 12.0])

    def train(task, epochs, ended):
        for epoch in range(epochs):
            ended(1.0 - epoch)

    found = timing(train, Task("MnistCNN", 64, 32), lambda: next(clock))
    assert (found.first, found.later, found.losses) == (6.4, 32.0, (1.0, 0.0))


def test_a_training_of_another_length_is_no_timing():
    with pytest.raises(RuntimeError, match=f"{EPOCHS} epochs were asked for, 1 came"):
        timing(lambda task, epochs, ended: ended(1.0), Task("MnistCNN", 64, 32))


def test_another_contender_is_first_in_each_round_and_a_failed_one_is_not_repeated(monkeypatch):
    monkeypatch.setattr(measure, "PAUSE", 0)
    monkeypatch.setattr(measure, "timing", lambda train, task: train(task, 2, None))

    class Made(Contender):
        def train(self):
            def train(task, epochs, ended):
                if self.name == "bad":
                    raise KeyError("no")
                return Timing(1.0, 2.0, (), None)

            return train

    contenders = [Made("a", ""), Made("bad", ""), Made("short", "", rounds=1)]
    names = [name for name, _ in interleave(contenders, Task("MnistCNN", 32, 32), 3)]
    assert names == ["a", "bad", "short", "a", "a"]


def timings(*speeds):
    return [Timing(speed / 2, speed, (2.0, 1.0), 0.01) for speed in speeds]


def test_a_row_compares_round_by_round():
    found = {
        PLAIN: timings(100, 200, 100),
        "convlab": timings(200, 300, 100),
        "convlab bf16": timings(400, 300),
    }
    task = Task("MnistCNN", 64, 32)
    mine = row(CONTENDERS["convlab bf16"], found, task, 2)
    assert (mine.base, mine.change, mine.precision) == ("convlab", "precision='bf16'", "bf16")
    assert (mine.images_per_second, mine.mean, mine.n) == (350, 350, 2)
    assert (mine.ratio, mine.base_ratio) == (2.75, 1.5)  # of 4 and 1.5; of 2 and 1
    assert (mine.first_epoch, mine.first_epoch_ever) == (175, 200)
    assert mine.rounds == [400, 300]
    plain = row(CONTENDERS[PLAIN], found, task, 2)
    assert (plain.ratio, plain.ratio_low, plain.base_ratio) == (1, 1, None)
    alone = row(CONTENDERS["convlab"], {**found, "convlab": timings(150)}, task, 2)
    assert (alone.deviation, alone.n) == (None, 1)


@pytest.mark.slow
def test_a_contender_that_is_not_installed_or_fails_is_skipped(monkeypatch):
    from benchmarks.loops import worker
    from benchmarks.loops.request import Request

    def fails(*_):
        raise OSError("no compiler\nmuch more")

    bad = Contender("bad", "")
    object.__setattr__(bad, "train", lambda: fails)
    monkeypatch.setitem(CONTENDERS, "absent", Contender("absent", "", needs="no_such_package"))
    monkeypatch.setitem(CONTENDERS, "bad", bad)
    monkeypatch.setattr(worker.torch, "set_num_threads", lambda threads: None)
    request = Request("SimpleCNN", (PLAIN, "absent", "bad"), "cpu", 1, 16, 64, 1)
    assert Request.from_json(request.to_json()) == request
    *told, last = work(request)
    assert told[0]["accelerator"] is None
    assert [message["trained"] for message in told[1:]] == [PLAIN, "bad"]
    assert [row["contender"] for row in last["rows"]] == [PLAIN]
    assert [entry["reason"] for entry in last["skipped"]] == [
        "no_such_package is not installed", "OSError: no compiler",
    ]  # fmt: skip
