"""Tests of two processes on one CPU: results equal to one process, and failures without a hang."""

import json
import os
import subprocess
import sys

import pytest
import torch
from torch import nn

from convlab.training import WorkerLost, fit
from convlab.training.distributed import (
    DistributedContext,
    SyncBatchNorm,
    find_device,
    process_group,
    sync_batch_norm,
)

PROGRAM = """
import os, signal, sys, torch
from torch import nn
from convlab.data import Dataset, load
from convlab.training import CheckpointError, Interrupted, TrainConfig, WorkerLost, fit
torch.set_num_threads(1)
whole = load("digits")
data = Dataset("few", whole.train_images[:100], whole.train_labels[:100], whole.test_images[:39],
               whole.test_labels[:39], whole.class_names)
rank = int(os.environ.get("RANK", "0"))
torch.manual_seed(rank)  # DDP must make the first weights equal
model = nn.Sequential(nn.Conv2d(1, 4, 3, stride=3, bias=False), nn.BatchNorm2d(4), nn.ReLU(),
                      nn.Flatten(), nn.Linear(324, 16, bias=False), nn.BatchNorm1d(16),
                      nn.Linear(16, 10)).to({dtype})
steps = 0
def count(module, images):
    global steps
    steps += module.training
    in_forward(module.training)
def in_forward(training): pass
def in_save(): pass
model.register_forward_pre_hook(count)
model.register_state_dict_pre_hook(lambda *_: in_save())
def send(to, name):
    if rank == to: os.kill(os.getpid(), getattr(signal, name))
{fault}
try:
    fit(model, data, TrainConfig(**{settings}), out={out!r}, checkpoint_every=4)
except (WorkerLost, Interrupted) as error:
    print(error, file=sys.stderr)
    sys.exit({{WorkerLost: 3, Interrupted: 4}}[type(error)])
"""
SETTINGS = {"epochs": 3, "batch_size": 16, "crop": 1, "flip": True, "device": "cpu"}
# Everything that must not see that a batch is shared.
ALL = {
    **SETTINGS, "cutout": 4, "max_grad_norm": 0.5, "label_smoothing": 0.1,
    "validation_fraction": 0.1,
}  # fmt: skip


def program(out, settings=SETTINGS, fault="", dtype="torch.float32"):
    return PROGRAM.format(out=str(out), settings=settings, fault=fault, dtype=dtype)


@pytest.fixture
def job(start):
    """Return a function that runs one or two processes and returns their exit codes."""

    def starter(processes, *arguments, **more):
        code = program(*arguments, **more)
        if processes == 1:
            several = [start(code)]
        else:  # what torchrun does, without its 5 seconds
            store = torch.distributed.TCPStore("localhost", 0, is_master=True)
            several = [
                start(code, RANK=str(rank), LOCAL_RANK=str(rank), WORLD_SIZE=str(processes),
                      MASTER_ADDR="localhost", MASTER_PORT=str(store.port),
                      TORCHELASTIC_USE_AGENT_STORE="True")
                for rank in range(processes)
            ]  # fmt: skip
        for process in several:
            process.join(timeout=60)
        codes = [process.exitcode for process in several]
        for process in several:
            process.kill()  # the one that hangs, if any
        return codes

    return starter


def weights(out):
    return torch.load(out / "model.pt", weights_only=True)


def history(out):
    return [json.loads(line) for line in (out / "history.jsonl").read_text().splitlines()]


KEEP_GRADIENTS = """
from torch.optim.optimizer import register_optimizer_step_post_hook
def keep(*_):
    named = {name: p.grad for name, p in model.named_parameters()}
    torch.save([named, model.state_dict()], f"{OUT}-rank{rank}.pt")
    sys.exit(5)
register_optimizer_step_post_hook(keep)
"""


def test_the_gradients_of_two_processes_are_those_of_the_joint_batch(job, tmp_path):
    """In float32, after one step."""
    for size in (1, 2):
        fault = KEEP_GRADIENTS.replace("{OUT}", str(tmp_path / str(size)))
        assert job(size, tmp_path / str(size), ALL, fault) == [5] * size
    one, first, second = (
        torch.load(tmp_path / name, weights_only=True)
        for name in ("1-rank0.pt", "2-rank0.pt", "2-rank1.pt")
    )
    gradients, state = one
    assert gradients.keys() == first[0].keys()
    for name, value in gradients.items():
        assert torch.equal(first[0][name], second[0][name])
        torch.testing.assert_close(
            first[0][name], value, rtol=0, atol=1e-5 * float(value.abs().max()), msg=name
        )
    for name, value in state.items():
        assert torch.equal(first[1][name], second[1][name])
        torch.testing.assert_close(first[1][name], value, rtol=1e-5, atol=1e-6, msg=name)


@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
def test_two_processes_train_as_one(job, tmp_path, optimizer):
    """In float64, where the order of a sum does not show: to the ninth digit, to the end."""
    settings = {**ALL, "optimizer": optimizer, "learning_rate": 0.02}
    for size in (1, 2):
        assert job(size, tmp_path / str(size), settings, dtype="torch.float64") == [0] * size
    one, two = (weights(tmp_path / name) for name in "12")
    assert one.keys() == two.keys()
    for name, value in one.items():
        torch.testing.assert_close(two[name], value, rtol=1e-9, atol=1e-9, msg=name)
    one, two = (json.loads((tmp_path / name / "result.json").read_text()) for name in "12")
    for part, count in (("validation", 10), ("test", 39)):
        assert one[part]["count"] == two[part]["count"] == count  # 39 does not divide by two
        assert one[part]["correct"] == two[part]["correct"]
        assert two[part]["loss"] == pytest.approx(one[part]["loss"], rel=1e-9)
    one, two = (history(tmp_path / name) for name in "12")
    assert len(two) == 3  # only one of the two wrote
    for ours, theirs in zip(two, one, strict=True):
        for what in ("train_loss", "train_accuracy", "validation_loss", "validation_accuracy"):
            assert ours[what] == pytest.approx(theirs[what], rel=1e-9)


SIGNAL_AT_STEP = """
def in_forward(training):
    if training and steps == {step}: send({rank}, "{signal}")
"""
MOMENTS = {
    "a step": SIGNAL_AT_STEP.format(step=9, rank="{rank}", signal="SIGKILL"),
    "an evaluation": """
def in_forward(training):
    if not training: send({rank}, "SIGKILL")
""",
    "a checkpoint": """
def in_save():
    if steps: send({rank}, "SIGKILL")
""",
}


@pytest.mark.parametrize("rank", [0, 1])
@pytest.mark.parametrize("moment", MOMENTS.values(), ids=MOMENTS.keys())
def test_if_one_dies_the_other_ends_and_says_why(job, tmp_path, moment, rank):
    codes = job(2, tmp_path / "out", fault=moment.format(rank=rank))
    assert codes[rank] == -9
    assert codes[1 - rank] == 3


@pytest.mark.slow
def test_a_dead_worker_ends_the_job_and_it_can_be_continued(job, tmp_path):
    """As a person does it, with torchrun."""
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    fault = SIGNAL_AT_STEP.format(step=9, rank=1, signal="SIGKILL")
    script = tmp_path / "program.py"
    script.write_text(program(killed, fault=fault))
    done = subprocess.run(
        # --standalone finds a free port by itself.
        [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2",
         str(script)],
        capture_output=True, text=True, timeout=240, check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert done.returncode != 0
    assert "SIGKILL" in done.stderr
    assert [path.name for path in killed.glob("checkpoint-*.pt")] != []
    assert job(2, killed) == job(2, whole) == [0, 0]
    for name, value in weights(whole).items():
        assert torch.equal(weights(killed)[name], value), name


def test_a_request_to_stop_is_agreed_on_and_saved(job, tmp_path):
    # Only one process is asked; the other one must not be left waiting.
    fault = SIGNAL_AT_STEP.format(step=7, rank=1, signal="SIGTERM")
    assert job(2, tmp_path, fault=fault) == [4, 4]
    assert (tmp_path / "checkpoint-00000010.pt").exists()


EXIT_WITH_7 = """
plain = fit
def fit(*a, **k):
    try: plain(*a, **k)
    except {error}: sys.exit(7)
"""


@pytest.mark.parametrize("fault", ["checkpoint", "folder"])
def test_all_processes_raise_the_error_of_process_0(job, tmp_path, fault):
    """No process waits for one that has ended."""
    out = tmp_path / "a"
    if fault == "checkpoint":
        out.mkdir()
        (out / "checkpoint-00000001.pt").write_text("damaged")
    else:
        out.write_text("a file")
    error = {"folder": "OSError", "checkpoint": "CheckpointError"}[fault]
    assert job(2, out, fault=EXIT_WITH_7.format(error=error)) == [7, 7]


PROGRESS = """
from types import SimpleNamespace
bars = []
def tqdm(steps, **options):
    bars.append(options)
    return steps
sys.modules["tqdm"] = SimpleNamespace(tqdm=tqdm)
plain = fit
def fit(*a, **k):
    plain(*a, progress=True, **k)
    sys.exit(len(bars))
"""


def test_process_0_shows_the_progress_bar(job, tmp_path):
    assert job(2, tmp_path, fault=PROGRESS) == [3, 0]  # one bar for each epoch


def test_one_process_does_not_continue_a_training_of_two(network, digits, quick, tmp_path):
    fit(network(), digits, quick(), out=tmp_path)
    path = tmp_path / "checkpoint-00000018.pt"
    saved = torch.load(path, weights_only=True)
    saved["fingerprint"]["processes"] = 2
    torch.save(saved, path)
    with pytest.raises(ValueError, match="processes is 2 there and 1 here"):
        fit(network(), digits, quick(), out=tmp_path)


def test_with_one_process_collectives_return_their_argument():
    with process_group("cpu") as context:
        assert (context.rank, context.world_size, context.is_primary) == (0, 1, True)
        assert context.all_gather("me") == ["me"]
        assert context.broadcast("me") == "me"
        value = torch.tensor([3.0, 1.0])
        for operation in ("sum", "min", "max"):
            assert context.all_reduce(value, operation) is value
        assert context.wrap_model(model := nn.Linear(1, 1)) is model


def test_the_shares_of_a_batch_are_disjoint_and_complete():
    parts = [DistributedContext(rank, 4).batch_slice(12) for rank in range(4)]
    assert [position for part in parts for position in range(12)[part]] == list(range(12))


def test_an_error_of_gloo_becomes_worker_lost(monkeypatch):
    monkeypatch.setattr(torch.distributed, "is_initialized", lambda: True)
    monkeypatch.setattr(torch.distributed, "get_rank", lambda: 0)
    monkeypatch.setattr(torch.distributed, "get_world_size", lambda: 2)
    with (
        pytest.raises(WorkerLost, match="another process of this job has ended"),
        process_group("cpu"),
    ):
        raise RuntimeError("[gloo/tcp/pair.cc:553] Connection closed by peer [127.0.0.1]:4242")
    with pytest.raises(RuntimeError, match="something else"), process_group("cpu"):
        raise RuntimeError("something else")


def test_automatic_choice_of_the_device():
    assert find_device("auto").type == ("cuda" if torch.cuda.is_available() else "cpu")


def test_layers_change_their_class_and_keep_their_names():
    model = nn.Sequential(nn.BatchNorm2d(3), nn.Sequential(nn.BatchNorm1d(2)), nn.GroupNorm(1, 3))
    before = {name: id(value) for name, value in model.named_parameters()}
    with sync_batch_norm(model):
        assert isinstance(model[0], SyncBatchNorm)
        assert isinstance(model[1][0], SyncBatchNorm)
        assert type(model[2]) is nn.GroupNorm
        assert {name: id(value) for name, value in model.named_parameters()} == before
    assert type(model[0]) is nn.BatchNorm2d
    assert type(model[1][0]) is nn.BatchNorm1d


def test_each_collective_asks_for_its_own_operation(monkeypatch):
    from torch import distributed

    requested = []
    monkeypatch.setattr(distributed, "all_reduce", lambda _, operation: requested.append(operation))
    context, values = DistributedContext(rank=0, world_size=2), torch.ones(2)
    for operation in ("sum", "min", "max"):
        context.all_reduce(values, operation)
    operations = distributed.ReduceOp
    assert requested == [operations.SUM, operations.MIN, operations.MAX]


OWN_BUFFERS = """
from torch.optim.optimizer import register_optimizer_step_pre_hook
class Centered(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("mean", torch.zeros(1))
        self.register_buffer("one", torch.ones(1).expand(3))  # cannot be written
        self.net, self.unused = nn.Sequential(nn.Flatten(), nn.Linear(784, 10)), nn.Linear(64, 9)
    def forward(self, images):
        if self.training:
            self.mean.lerp_(images.mean().reshape(1), 0.1)
            in_forward(True)
        return self.net(images - self.mean)
model = Centered()
def in_forward(training):
    global steps
    steps += 1
    if steps == {step}: send(1, "{signal}")
plain = fit
def fit(*a, **k):
    found = plain(*a, **k)
    from convlab.training import evaluate
    alone = evaluate(model, data.test_images, data.test_labels, mean=found.mean, std=found.std)
    assert abs(alone.loss - found.test.loss) < 1e-6
"""


def test_buffers_of_several_processes_are_brought_together(job, tmp_path):
    """Every process reports what its own weights and buffers give, and resuming is exact.

    A parameter takes no part, as with one process.
    """
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    assert job(2, whole, fault=OWN_BUFFERS.format(step=-1, signal="")) == [0, 0]
    assert job(2, killed, fault=OWN_BUFFERS.format(step=9, signal="SIGKILL")) == [3, -9]
    assert job(2, killed, fault=OWN_BUFFERS.format(step=-1, signal="")) == [0, 0]
    assert weights(whole)["mean"] != 0
    for name, value in weights(whole).items():
        assert torch.equal(weights(killed)[name], value), name
    ours = [{**row, "seconds": 0, "images_per_second": 0} for row in history(killed)]
    assert ours == [{**row, "seconds": 0, "images_per_second": 0} for row in history(whole)]


def test_batch_normalization_of_pytorch_for_several_gpus_in_16_bits(job, tmp_path):
    fault = "model[1] = nn.SyncBatchNorm(4).bfloat16()"
    for size in (1, 2):
        out = tmp_path / str(size)
        assert job(size, out, fault=fault, dtype="torch.bfloat16") == [0] * size
    one, two = (weights(tmp_path / name)["1.running_var"] for name in "12")
    torch.testing.assert_close(two, one, rtol=0.1, atol=0.01)


def test_two_processes_train_as_one_with_a_parameter_that_takes_no_part(job, tmp_path):
    fault = "model[0].old_head = nn.Linear(64, 9, dtype=torch.float64)"
    for size in (1, 2):
        assert job(size, tmp_path / str(size), fault=fault, dtype="torch.float64") == [0] * size
    one, two = (weights(tmp_path / name) for name in "12")
    for name, value in one.items():
        if "old_head" not in name:
            torch.testing.assert_close(two[name], value, rtol=1e-9, atol=1e-9, msg=name)


PARTS = """
class Routed(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second, self.last = (nn.Linear(*n) for n in ((784, 8), (784, 8), (8, 10)))
    def forward(self, images):  # some parts of a batch use one of the layers alone
        flat = images.flatten(1)
        dark = images.mean((1, 2, 3)) < -0.1
        values = torch.zeros(len(flat), 8, dtype=flat.dtype)
        for layer, taken in ((self.first, dark), (self.second, ~dark)):
            if taken.any():
                values[taken] = layer(flat[taken])
        return self.last(values)
model = Routed().double()
exchanges = 0
plain_no_sync = nn.parallel.DistributedDataParallel.no_sync
def no_sync(self):
    global exchanges
    exchanges += 1
    return plain_no_sync(self)
nn.parallel.DistributedDataParallel.no_sync = no_sync
plain = fit
weight = torch.linspace(1, 2, 10)
def fit(*a, **k):
    plain(*a, loss=nn.CrossEntropyLoss(weight, reduction="none"), **k)
    assert exchanges == {exchanges}, exchanges
"""


def test_two_processes_with_parts_of_a_batch_train_as_one(job, tmp_path):
    """With a loss of each image, too; gradients are exchanged once in each of 15 steps."""
    settings = {**ALL, "label_smoothing": 0.0, "learning_rate": 0.02}
    for size, parts in ((1, 1), (2, 4)):
        fault = PARTS.replace("{exchanges}", str(15 * (parts - 1) * (size - 1)))
        settings["accumulation_steps"] = parts
        assert job(size, tmp_path / str(size), settings, fault, dtype="torch.float64") == [0] * size
    one, two = (weights(tmp_path / name) for name in "12")
    for name, value in one.items():
        torch.testing.assert_close(two[name], value, rtol=1e-9, atol=1e-9, msg=name)
    one, two = (json.loads((tmp_path / name / "result.json").read_text()) for name in "12")
    assert two["test"]["loss"] == pytest.approx(one["test"]["loss"], rel=1e-9)


def test_two_processes_agree_on_the_best_epoch_and_resume_exactly(job, tmp_path):
    """The best epoch is neither the first nor the last one; one process dies after it."""
    settings = {
        **SETTINGS, "epochs": 8, "learning_rate": 0.1, "validation_fraction": 0.3,
        "patience": 2, "restore_best_weights": True,
    }  # fmt: skip
    one, two, killed = (tmp_path / name for name in ("one", "two", "killed"))
    assert job(1, one, settings, dtype="torch.float64") == [0]
    assert job(2, two, settings, dtype="torch.float64") == [0, 0]
    best, last = json.loads((two / "result.json").read_text())["epoch"], len(history(two))
    assert 1 < best < last < 8
    assert json.loads((one / "result.json").read_text())["epoch"] == best
    for name, value in weights(one).items():
        torch.testing.assert_close(weights(two)[name], value, rtol=1e-7, atol=1e-7, msg=name)
    fault = SIGNAL_AT_STEP.format(step=4 * best + 3, rank=1, signal="SIGKILL")
    assert job(2, killed, settings, fault, dtype="torch.float64") == [3, -9]
    assert job(2, killed, settings, dtype="torch.float64") == [0, 0]
    for name, value in weights(two).items():
        assert torch.equal(weights(killed)[name], value), name


DRAWN = """
class Noise(nn.Module):
    def forward(self, images):
        if self.training:
            drawn.append(torch.rand(()).item())
        return images
drawn = []
model = nn.Sequential(Noise(), nn.Flatten(), nn.Linear(784, 10))
plain = fit
def fit(*a, **k):
    plain(*a, **k)
    torch.save(drawn, f"{OUT}-rank{rank}.pt")
"""


def test_layers_draw_other_numbers_in_each_process(job, tmp_path):
    """As for dropout: all numbers of a run differ, between steps and between processes."""
    fault = DRAWN.replace("{OUT}", str(tmp_path / "drawn"))
    assert job(2, tmp_path / "out", fault=fault) == [0, 0]
    drawn = [*torch.load(tmp_path / "drawn-rank0.pt"), *torch.load(tmp_path / "drawn-rank1.pt")]
    assert len(set(drawn)) == len(drawn) == 36
